#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds without a warning and runs all tests on other releases of Debian, each with its own
# OpenSSL, compiler and programs, in a chroot that debootstrap makes:
#
#     tests/matrix.sh trixie sid experimental
#
# usage: tests/matrix.sh [--mirror URL] [--fresh] [RELEASE...]
#
# --mirror  where Debian comes from; default $SC_HSM_MIRROR, or http://deb.debian.org/debian
# --fresh   make the chroots anew
# RELEASE   a release of Debian; experimental is sid with the OpenSSL of experimental; default trixie
#
# What is tested is the last commit. The chroots are kept, brought up to date and used again, in
# $SC_HSM_MATRIX_CACHE, default /var/cache/sc-hsm-matrix, each with a log beside it. CTEST_ARGS
# adds options for ctest, for example -R nginx. A test that fails gets a second try, as in run.sh.
#
# Ends with a line for each release, and with status 0 only if all is well on all of them; with 77
# if nothing failed, but not everything could be tested for want of root, debootstrap, the
# permission to make namespaces, or a mirror.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mirror=${SC_HSM_MIRROR:-http://deb.debian.org/debian}
cache=${SC_HSM_MATRIX_CACHE:-/var/cache/sc-hsm-matrix}
fresh=no
releases=()

die() {
    echo "matrix.sh: $*" >&2
    exit 1
}

# not_here WHY: nothing is wrong, but nothing can be tested either.
not_here() {
    echo "NOT TESTED: ${releases[*]}: $*"
    exit 77
}

original=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --mirror) mirror=${2:?--mirror needs a URL} && shift ;;
    --fresh) fresh=yes ;;
    -h | --help)
        sed -n '3,/^set -/{/^#/{s/^# \{0,1\}//;p}}' "${BASH_SOURCE[0]}"
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
[ ${#releases[@]} -gt 0 ] || releases=(trixie)
[ "$(id -u)" = 0 ] || not_here "debootstrap and chroot want root"
command -v debootstrap >/dev/null || not_here "debootstrap is not installed"

# In namespaces of our own no mount and no process can be left behind, whatever happens.
if [ -z "${SC_HSM_MATRIX:-}" ]; then
    unshare --mount --pid --fork mount -t tmpfs none /mnt 2>/dev/null ||
        not_here "this machine does not permit mounts in a namespace of our own"
    SC_HSM_MATRIX=yes exec unshare --mount --pid --fork --kill-child \
        bash "${BASH_SOURCE[0]}" ${original[@]+"${original[@]}"}
fi

# inside COMMAND...: in the chroot of this release, with nothing of our environment.
inside() {
    env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$chroot" "$@"
}

make_chroot() {
    local suite=$release
    [ "$release" != experimental ] || suite=sid
    rm -rf --one-file-system "$chroot" "$chroot.new"
    debootstrap --variant=minbase "$suite" "$chroot.new" "$mirror"
    if [ "$release" = experimental ]; then
        echo "deb $mirror experimental main" >"$chroot.new/etc/apt/sources.list.d/experimental.list"
    fi
    # Servers that apt installs stay off; the tests run their own.
    printf '#!/bin/sh\nexit 101\n' >"$chroot.new/usr/sbin/policy-rc.d"
    chmod 755 "$chroot.new/usr/sbin/policy-rc.d"
    mv "$chroot.new" "$chroot"
}

# The chroot becomes a mount point, or its tests could make no namespaces of their own.
mount_chroot() {
    mount --bind "$chroot" "$chroot"
    mount -t proc none "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount -t tmpfs none "$chroot/run"
    mkdir "$chroot/run/systemd" # which systemd-ask-password takes for granted
    mount -t tmpfs none "$chroot/tmp"
    chmod 1777 "$chroot/tmp"
    cp -L /etc/resolv.conf "$chroot/etc/resolv.conf"
    # How this machine fetches packages (proxy, age of lists) holds inside as well.
    if command -v apt-config >/dev/null; then
        apt-config dump | grep '^Acquire::' | grep -v IndexTargets \
            >"$chroot/etc/apt/apt.conf.d/90fetching" || true
    fi
}

# wanted: the packages for building and testing. Layout and lint are judged by the tools of one
# release, see run.sh.
wanted() {
    # shellcheck source-path=SCRIPTDIR source=../examples/packages.sh
    . "$chroot/srv/sc-hsm/examples/packages.sh"
    printf '%s\n' "${packages_build[@]}" "${packages_token[@]}" "${packages_virtual[@]}" \
        "${packages_tests[@]}" | grep -Ev '^(clang.*|libclang.*|shellcheck|debootstrap)$' | sort -u
}

install() {
    local name packages=()
    inside dpkg --configure -a # what an interrupted run left
    inside apt-get update -q
    inside apt-get -q -y dist-upgrade
    for name in $(wanted); do
        # Where a package has gone, the test that needs it fails and says so.
        if inside apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
            packages+=("$name")
        else
            echo "matrix.sh: $release has no $name"
        fi
    done
    inside apt-get -q -y install --no-install-recommends "${packages[@]}"
    [ "$release" != experimental ] ||
        inside apt-get -q -y install --no-install-recommends -t experimental openssl libssl-dev
    inside apt-get clean
}

# Servers that never are root have to get at the module.
fetch() {
    rm -rf --one-file-system "$chroot/srv/sc-hsm"
    git clone --quiet --no-hardlinks "$root" "$chroot/srv/sc-hsm"
    git -C "$chroot/srv/sc-hsm" log -1 --format='%h %s'
}

build() {
    inside cmake -S /srv/sc-hsm -B /srv/sc-hsm/build -DSC_HSM_WERROR=ON -DSC_HSM_BENCH=ON
    inside cmake --build /srv/sc-hsm/build -j"$(nproc)"
}

run_tests() {
    local arguments
    read -ra arguments <<<"${CTEST_ARGS:-}"
    inside ctest --test-dir /srv/sc-hsm/build --output-on-failure --no-tests=error \
        -j$(($(nproc) + 1)) --repeat until-pass:2 ${arguments[@]+"${arguments[@]}"}
}

# step WHAT COMMAND...: with its output in the log; nothing after a step that failed. Its success is
# not told by its status: where that is asked, bash stops minding failures inside.
step() {
    local what=$1 status=0
    shift
    [ -z "$failed" ] || return 0
    echo "== $what" >>"$log"
    set +e
    (
        set -e
        "$@"
    ) >>"$log" 2>&1 </dev/null
    status=$?
    set -e
    [ $status = 0 ] || failed=$what
}

# try_release: all steps on one release; failed names the first that did not work, and has_chroot is
# set once that can only be our own doing.
try_release() {
    failed=
    has_chroot=
    : >"$log"
    if [ $fresh = yes ] || [ ! -d "$chroot" ]; then
        step "debootstrap" make_chroot
    fi
    step "mounting" mount_chroot
    step "the clone" fetch
    step "packages" install
    [ -z "$failed" ] || return 0
    has_chroot=yes
    version=$(inside openssl version | cut -d' ' -f1,2)
    step "the build" build
    step "the tests" run_tests
}

# not_run, second_try: the tests that nobody may take for passed, or for passed at once.
not_run() {
    sed -n 's/^[[:space:]]*[0-9]* - \(.*\) (Skipped)$/\1/p' "$log"
}

second_try() {
    sed -n 's/^ *Test *#[0-9]*: \(.*[^ .]\) \.\.*.*/\1/p' "$log" | sort -u
}

# report: the lines about this release, from what try_release left.
report() {
    local name count
    if [ -z "$failed" ]; then
        count=$(grep -c '^ *[0-9]*/[0-9]* Test .* Passed ' "$log")
        lines+=("$release: $version: builds without a warning, $count tests passed, $took s")
        while read -r name; do
            lines+=("$release: NEEDED A SECOND TRY: $name")
        done < <(second_try)
        while read -r name; do
            lines+=("$release: NOT TESTED, because something it needs is not here: $name")
        done < <(not_run)
    elif [ -z "$has_chroot" ]; then
        untested=yes
        tail -n 15 "$log"
        lines+=("NOT TESTED: $release: the chroot could not be made: $failed, see $log")
    else
        well=no
        lines+=("$release: $version: FAILED at $failed, $took s, see $log")
        sed -n '/^The following tests FAILED/,$p' "$log" | tee "$log.failed"
        [ -s "$log.failed" ] || tail -n 15 "$log"
        rm -f "$log.failed"
    fi
}

mkdir -p "$cache"
lines=()
well=yes
untested=no
for release in "${releases[@]}"; do
    chroot=$cache/$release
    log=$cache/$release.log
    exec {lock}>"$cache/$release.lock"
    flock --nonblock "$lock" || die "another matrix.sh is at work on $release"
    version='no OpenSSL yet'
    start=$SECONDS
    echo "== $release, see $log"
    try_release
    took=$((SECONDS - start))
    report
    umount --recursive "$chroot" 2>/dev/null || true
    exec {lock}>&-
done
printf '%s\n' "${lines[@]}"
[ $well = yes ] || exit 1
[ $untested = no ] || exit 77
