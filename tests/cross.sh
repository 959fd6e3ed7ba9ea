#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds for other machines without a warning, with Debian's cross compilers, and runs what needs
# nothing but itself (ctest -L offline: unit tests, fuzz targets, scripted devices) there under
# qemu, but for what would hash for minutes:
#
#     tests/cross.sh arm64 armhf i386 s390x
#
# usage: tests/cross.sh [--mirror URL] [--suite NAME] [--fresh] [ARCHITECTURE...]
#
# --mirror      where Debian comes from; default $SC_HSM_MIRROR, or http://deb.debian.org/debian
# --suite       the release of Debian whose compilers and libraries are used; default bookworm
# --fresh       make the chroot anew
# ARCHITECTURE  as Debian calls it: arm64, armhf (32 bits), i386 (32 bits), s390x (big endian),
#               ppc64el, riscv64 (not in bookworm); default the first four
#
# What is tested is the last commit. Compilers and libraries are in a chroot, so that the system is
# not changed; it is kept and used again, in $SC_HSM_CROSS_CACHE, default /var/cache/sc-hsm-cross,
# with a log for each architecture beside it. CTEST_ARGS adds options for ctest.
#
# Ends with a line for each architecture, and with status 0 only if all is well on all of them; with
# 77 if nothing failed, but not everything could be tested for want of root, debootstrap, the
# permission to make namespaces, or a mirror.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=chroot.sh
. "$(dirname "${BASH_SOURCE[0]}")/chroot.sh"
cache=${SC_HSM_CROSS_CACHE:-/var/cache/sc-hsm-cross}
suite=bookworm
fresh=no
architectures=()

original=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --mirror) mirror=${2:?--mirror needs a URL} && shift ;;
    --suite) suite=${2:?--suite needs a name} && shift ;;
    --fresh) fresh=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) architectures+=("$1") ;;
    esac
    shift
done
# It becomes the name of a folder that is removed.
[[ $suite =~ ^[a-z]+$ ]] || die "'$suite' is no release of Debian"
[ ${#architectures[@]} -gt 0 ] || architectures=(arm64 armhf i386 s390x)

# describe ARCHITECTURE: the compiler's name for it, CMake's, and what runs its programs.
describe() {
    case $1 in
    arm64) triplet=aarch64-linux-gnu processor=aarch64 emulator=qemu-aarch64-static ;;
    armhf) triplet=arm-linux-gnueabihf processor=armv7l emulator=qemu-arm-static ;;
    i386) triplet=i686-linux-gnu processor=i686 emulator=qemu-i386-static ;;
    s390x) triplet=s390x-linux-gnu processor=s390x emulator=qemu-s390x-static ;;
    ppc64el) triplet=powerpc64le-linux-gnu processor=ppc64le emulator=qemu-ppc64le-static ;;
    riscv64) triplet=riscv64-linux-gnu processor=riscv64 emulator=qemu-riscv64-static ;;
    *) die "'$1' is no architecture that this script knows" ;;
    esac
    # Where libraries lie; the compiler's name differs on i386 alone.
    libraries=${triplet/i686/i386}
    # What this machine runs by itself is faster so.
    [ "$1 $(uname -m)" != "i386 x86_64" ] || emulator=/usr/bin/env
}
for architecture in "${architectures[@]}"; do
    describe "$architecture"
done
own_namespaces ${original[@]+"${original[@]}"}

install_common() {
    update_chroot
    inside apt-get -q -y install --no-install-recommends cmake make pkg-config qemu-user-static
}

# libp11-dev is there for one architecture at a time.
install_for() {
    inside dpkg --add-architecture "$1"
    inside apt-get update -q
    inside apt-get -q -y install --no-install-recommends "crossbuild-essential-$1" \
        "libssl-dev:$1" "libpcsclite-dev:$1" "libjansson-dev:$1" "libsmartcols-dev:$1" \
        "libcmocka-dev:$1" "libp11-dev:$1"
    inside apt-get clean
}

build() {
    inside env PKG_CONFIG_LIBDIR="/usr/lib/$libraries/pkgconfig:/usr/share/pkgconfig" \
        cmake -S /srv/sc-hsm -B "/srv/sc-hsm/build-$1" -DSC_HSM_WERROR=ON -DSC_HSM_TESTS=ON \
        -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$processor" \
        -DCMAKE_C_COMPILER="$triplet-gcc" -DCMAKE_CROSSCOMPILING_EMULATOR="$emulator"
    inside cmake --build "/srv/sc-hsm/build-$1" -j"$(nproc)"
}

run_tests() {
    local arguments
    read -ra arguments <<<"${CTEST_ARGS:-}"
    inside ctest --test-dir "/srv/sc-hsm/build-$1" -L offline -LE unsanitized --output-on-failure --no-tests=error \
        -j"$(nproc)" ${arguments[@]+"${arguments[@]}"}
}

# Of the programs that were built: that they are for this machine, and that nothing was left out.
look() {
    local folder=$chroot/srv/sc-hsm/build-$1 file
    for file in lib/sc-hsm.so bin/sc-hsm bin/sc-hsm-sim; do
        inside "$triplet-readelf" -h "/srv/sc-hsm/build-$1/$file" | grep -E 'Class|Data|Machine'
    done
    # A number that has 32 bits, all of them.
    inside "$emulator" "/srv/sc-hsm/build-$1/bin/sc-hsm" keygen --type ec:P-256 --use-count 0 2>&1 |
        grep 'from 1 to 4294967294'
    [ -s "$folder/share/sc-hsm.1" ]
    [ -s "$folder/share/sc-hsm.bash" ]
    [ -s "$folder/share/_sc-hsm" ]
    [ -s "$folder/share/sc-hsm.fish" ]
}

lines=()
well=yes
untested=no
echo "== $suite, see $cache/$suite.log"
take_chroot "$cache/$suite" "$suite" "$fresh"
step "packages" install_common
if [ -n "$failed" ]; then
    tail -n 15 "$log"
    echo "NOT TESTED: the chroot could not be made: $failed, see $log"
    exit 77
fi
for architecture in "${architectures[@]}"; do
    start=$SECONDS
    log=$cache/$suite-$architecture.log
    : >"$log"
    failed=
    describe "$architecture"
    echo "== $architecture, see $log"
    step "packages" install_for "$architecture"
    if [ -n "$failed" ]; then
        untested=yes
        tail -n 15 "$log"
        lines+=("NOT TESTED: $architecture: its packages could not be installed, see $log")
        continue
    fi
    step "the build" build "$architecture"
    step "a look at it" look "$architecture"
    step "the tests" run_tests "$architecture"
    if [ -z "$failed" ]; then
        count=$(grep -c '^ *[0-9]*/[0-9]* Test .* Passed ' "$log")
        lines+=("$architecture: builds without a warning, $count tests passed, $((SECONDS - start)) s")
    else
        well=no
        sed -n '/^The following tests FAILED/,$p' "$log" | tee "$log.failed"
        [ -s "$log.failed" ] || tail -n 15 "$log"
        rm -f "$log.failed"
        lines+=("$architecture: FAILED at $failed, $((SECONDS - start)) s, see $log")
    fi
done
leave_chroot
printf '%s\n' "${lines[@]}"
[ $well = yes ] || exit 1
[ $untested = no ] || exit 77
