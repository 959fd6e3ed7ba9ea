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

# shellcheck source-path=SCRIPTDIR source=chroot.sh
. "$(dirname "${BASH_SOURCE[0]}")/chroot.sh"
cache=${SC_HSM_MATRIX_CACHE:-/var/cache/sc-hsm-matrix}
fresh=no
releases=()

original=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --mirror) mirror=${2:?--mirror needs a URL} && shift ;;
    --fresh) fresh=yes ;;
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
[ ${#releases[@]} -gt 0 ] || releases=(trixie)
own_namespaces ${original[@]+"${original[@]}"}

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
    [ "$release" != experimental ] ||
        echo "deb $mirror experimental main" >"$chroot/etc/apt/sources.list.d/experimental.list"
    update_chroot
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

# try_release: all steps on one release; failed names the first that did not work, and has_chroot is
# set once that can only be our own doing.
try_release() {
    local suite=$release
    [ "$release" != experimental ] || suite=sid
    has_chroot=
    take_chroot "$cache/$release" "$suite" $fresh
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

lines=()
well=yes
untested=no
for release in "${releases[@]}"; do
    version='no OpenSSL yet'
    start=$SECONDS
    echo "== $release, see $cache/$release.log"
    try_release
    took=$((SECONDS - start))
    report
    leave_chroot
done
printf '%s\n' "${lines[@]}"
[ $well = yes ] || exit 1
[ $untested = no ] || exit 77
