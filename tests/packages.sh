#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the Debian packages with nothing but their Build-Depends and no network, lets lintian judge
# them, installs them in a chroot that has none of what they were built with, and does there the main
# job on a virtual card; then builds them for arm64, and the RPMs by their spec:
#
#     tests/packages.sh bookworm trixie
#
# usage: tests/packages.sh [--mirror URL] [--fresh] [--native-only] [RELEASE...]
#
# --mirror       where Debian comes from; default $SC_HSM_MIRROR, or http://deb.debian.org/debian
# --fresh        make the kept chroots anew
# --native-only  without arm64 and RPMs
# RELEASE        a release of Debian; default bookworm and trixie
#
# What is tested is the last commit. A chroot with nothing in it is kept for each release in
# $SC_HSM_PACKAGES_CACHE, default /var/cache/sc-hsm-packages; one to build in and one to install in
# are copied from it each time, with a log beside each. The packages are in RELEASE-build/srv/native.
#
# Ends with a line for each release, and with status 0 only if all is well on all of them; with 77
# if nothing failed, but not everything could be tested for want of root, debootstrap, the
# permission to make namespaces, or a mirror.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=chroot.sh
. "$(dirname "${BASH_SOURCE[0]}")/chroot.sh"
cache=${SC_HSM_PACKAGES_CACHE:-/var/cache/sc-hsm-packages}
fresh=no
native_only=no
releases=()

original=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --mirror) mirror=${2:?--mirror needs a URL} && shift ;;
    --fresh) fresh=yes ;;
    --native-only) native_only=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        # It becomes the name of a folder that is removed.
        [[ $1 =~ ^[a-z]+$ ]] || die "'$1' is no release of Debian"
        releases+=("$1")
        ;;
    esac
    shift
done
[ ${#releases[@]} -gt 0 ] || releases=(bookworm trixie)
own_namespaces ${original[@]+"${original[@]}"}

# without_network COMMAND...: inside, as a user who is not root, where the loopback is all there is.
without_network() {
    inside unshare --net bash -c 'ip link set lo up 2>/dev/null; exec runuser -u builder -- "$@"' bash "$@"
}

# --- building --------------------------------------------------------------------------------

# copy_base FOLDER: a chroot as debootstrap makes it, with nothing that a package might have forgotten
# to name.
copy_base() {
    rm -rf --one-file-system "$1"
    cp -a "$cache/$release" "$1"
}

install_builder() {
    update_chroot
    inside apt-get -q -y install --no-install-recommends build-essential fakeroot util-linux
    inside id builder >/dev/null 2>&1 || inside useradd --create-home builder
    inside apt-get -q -y build-dep --no-install-recommends /srv/sc-hsm
    inside chown -R builder: /srv
}

build_packages() {
    without_network sh -c 'cd /srv/sc-hsm && dpkg-buildpackage --build=full --no-sign'
    mkdir "$chroot/srv/native"
    cp "$chroot"/srv/*.deb "$chroot/srv/native/"
    ls -l "$chroot/srv/native"
}

# Lintian comes later, with all that it needs.
judge() {
    inside apt-get -q -y install --no-install-recommends lintian
    # No package was ever uploaded, so none closes a request for it; there is no home page.
    inside runuser -u builder -- sh -c 'lintian --version && lintian --fail-on error,warning \
        --suppress-tags initial-upload-closes-no-bugs /srv/*.changes'
}

# --- installing ------------------------------------------------------------------------------

# Only what a user has: the packages with what they depend on, and what the test names.
install_packages() {
    local depends
    update_chroot
    mkdir "$chroot/srv/packages"
    cp "$cache/$release-build"/srv/native/*.deb "$chroot/srv/packages/"
    rm -f "$chroot"/srv/packages/*-dbgsym_*
    depends=$(sed -n '/^Depends:/,/^[A-Z].*:/{s/^Depends://;/^[A-Z]/d;s/@//;s/,//g;p}' \
        "$chroot/srv/sc-hsm/debian/tests/control")
    # shellcheck disable=SC2086  # words on purpose
    inside sh -c 'apt-get -q -y install --no-install-recommends /srv/packages/*.deb "$@"' sh $depends
    # What they were built with is not what lets them run.
    if inside dpkg-query -W cmake gcc libssl-dev libp11-dev 2>/dev/null | grep -P '\t.'; then
        return 1
    fi
}

# Each file belongs to one of the packages, as dpkg sees it, and each program has its page.
look_at_files() {
    local package
    for package in openssl-provider-sc-hsm sc-hsm-tools sc-hsm-sim; do
        echo "-- $package"
        inside dpkg-deb --contents "/srv/packages/$(basename "$(echo "$chroot"/srv/packages/"$package"_*.deb)")" |
            grep -v '/$'
        inside dpkg-query -L "$package" | while read -r file; do
            [ -d "$chroot$file" ] || echo "$file"
        done >"$chroot/srv/packages/$package.list"
    done
    [ "$(sort "$chroot"/srv/packages/*.list | uniq -d)" = "" ]
    grep -x '/usr/lib/.*/ossl-modules/sc-hsm.so' "$chroot/srv/packages/openssl-provider-sc-hsm.list"
    grep -x '/usr/share/man/man7/OSSL_PROVIDER-sc-hsm.7.gz' "$chroot/srv/packages/openssl-provider-sc-hsm.list"
    grep -x '/usr/share/man/man1/sc-hsm.1.gz' "$chroot/srv/packages/sc-hsm-tools.list"
    grep -x '/usr/share/zsh/vendor-completions/_sc-hsm' "$chroot/srv/packages/sc-hsm-tools.list"
    grep -x '/usr/share/fish/vendor_completions.d/sc-hsm.fish' "$chroot/srv/packages/sc-hsm-tools.list"
    grep -x '/usr/share/man/man1/sc-hsm-sim.1.gz' "$chroot/srv/packages/sc-hsm-sim.list"
}

# What autopkgtest would call, in the same way. As root: in a chroot no other user may make the
# namespaces of the virtual card.
main_job() {
    inside env AUTOPKGTEST_TMP=/tmp bash /srv/sc-hsm/debian/tests/virtual-card
}

remove_packages() {
    inside apt-get -q -y purge openssl-provider-sc-hsm sc-hsm-tools sc-hsm-sim
    # What belongs to another package, OpenSC's, stays.
    # shellcheck disable=SC2016  # expanded inside
    [ -z "$(inside find /usr /etc /var -name '*sc-hsm*' -not -path '*/dpkg/*' -not -path '/var/lib/apt/*' \
        -exec sh -c 'dpkg -S "$1" >/dev/null 2>&1 || echo "$1"' sh {} \;)" ]
}

# --- for another machine, and for RPM --------------------------------------------------------

build_for_arm64() {
    inside dpkg --add-architecture arm64
    inside apt-get update -q
    inside apt-get -q -y install --no-install-recommends crossbuild-essential-arm64
    inside apt-get -q -y build-dep --no-install-recommends --host-architecture arm64 \
        --build-profiles cross,nocheck /srv/sc-hsm
    inside chown -R builder: /srv
    without_network sh -c 'cd /srv/sc-hsm &&
        DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage --build=any --no-sign --host-arch arm64 \
            --build-profiles=cross,nocheck'
    [ "$(inside dpkg-deb --field "/srv/$(basename "$(echo "$chroot"/srv/sc-hsm-tools_*_arm64.deb)")" Architecture)" = arm64 ]
    inside sh -c 'dpkg-deb --contents /srv/sc-hsm-tools_*_arm64.deb' | grep man1/sc-hsm.1.gz
}

# Debian has rpmbuild and none of the packages that a spec asks for by their names there.
build_rpms() {
    local version
    version=$(sed -n 's/^Version: *//p' "$chroot/srv/sc-hsm/packaging/sc-hsm.spec")
    inside apt-get -q -y install --no-install-recommends rpm rpmlint
    mkdir -p "$chroot/srv/rpm/SOURCES"
    git -C "$chroot/srv/sc-hsm" -c safe.directory='*' archive --prefix="sc-hsm-$version/" \
        -o "$chroot/srv/rpm/SOURCES/sc-hsm-$version.tar.gz" HEAD
    inside chown -R builder: /srv
    without_network rpmbuild --define '_topdir /srv/rpm' --nodeps -bb /srv/sc-hsm/packaging/sc-hsm.spec
    # shellcheck disable=SC2016  # expanded inside
    inside sh -c 'for file in /srv/rpm/RPMS/*/*.rpm; do echo "-- $file" && rpm -qlp "$file"; done'
    inside rpmlint /srv/sc-hsm/packaging/sc-hsm.spec
}

# --- one release -----------------------------------------------------------------------------

try_release() {
    has_chroot=
    # The kept one is mounted in no step of its own: nothing is done in it.
    log=$cache/$release.log failed=
    : >"$log"
    if [ $fresh = yes ] || [ ! -d "$cache/$release" ]; then
        chroot=$cache/$release
        step "debootstrap" make_chroot "$release"
    fi
    step "a copy to build in" copy_base "$cache/$release-build"
    step "a copy to install in" copy_base "$cache/$release-install"
    [ -z "$failed" ] || return 0
    take_chroot "$cache/$release-build" "$release" no
    step "build dependencies" install_builder
    [ -z "$failed" ] || return 0
    has_chroot=yes
    step "building the packages" build_packages
    step "lintian" judge
    if [ $native_only = no ]; then
        step "the RPMs" build_rpms
        step "building for arm64" build_for_arm64
    fi
    leave_chroot
    [ -z "$failed" ] || return 0
    take_chroot "$cache/$release-install" "$release" no
    step "installing" install_packages
    step "a look at the files" look_at_files
    step "the main job on a virtual card" main_job
    step "removing" remove_packages
    leave_chroot
}

report() {
    if [ -z "$failed" ]; then
        lines+=("$release: packages built, judged, installed and used, $took s")
    elif [ -z "$has_chroot" ]; then
        untested=yes
        tail -n 15 "$log"
        lines+=("NOT TESTED: $release: the chroot could not be made: $failed, see $log")
    else
        well=no
        tail -n 25 "$log"
        lines+=("$release: FAILED at $failed, $took s, see $log")
    fi
}

mkdir -p "$cache"
lines=()
well=yes
untested=no
for release in "${releases[@]}"; do
    start=$SECONDS
    echo "== $release, see $cache/$release-build.log and $cache/$release-install.log"
    try_release
    took=$((SECONDS - start))
    report
done
printf '%s\n' "${lines[@]}"
[ $well = yes ] || exit 1
[ $untested = no ] || exit 77
