#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does the time of a decryption tell malformed PKCS#1 ciphertexts from good ones? Prints Welch's t
# for each way to be malformed: of the code that takes the padding off, of the whole decryption in
# the provider with a software key in place of a device, and of a key on a virtual card. Where
# |t| stays below 4.5, no difference is seen. The columns are all measurements, and those without
# the slowest tenth, which is where other processes interrupt. Run it on a machine that does nothing
# else.
#
# Ends with status 0 if, over all ways and without the slowest tenth, |t| is below 4.5 everywhere,
# and if the unpadding's control (no implicit rejection) shows that a difference would be seen.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export SC_HSM_BUILD=${SC_HSM_BUILD:-$root/build-timing}
unpaddings=200000
decryptions=5000

usage() {
    cat <<'END'
Usage: timing.sh [--unpaddings N] [--decryptions N]
  --unpaddings N   measurements of each group of the unpadding alone, default 200000
  --decryptions N  measurements of each group of whole decryptions, default 5000
The programs are built in SC_HSM_BUILD, by default build-timing in the source tree.
END
}

while [ $# -gt 0 ]; do
    case $1 in
    --unpaddings | --decryptions)
        [[ ${2:-} =~ ^[1-9][0-9]{2,6}$ ]] || {
            echo "timing.sh: $1 needs a number from 100 on" >&2
            exit 2
        }
        declare "${1#--}=$2"
        shift 2
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

# shellcheck source-path=SCRIPTDIR source=../examples/packages.sh
. "$root/examples/packages.sh"
install_packages "${packages_build[@]}" "${packages_token[@]}" "${packages_virtual[@]}" libcmocka-dev

cmake -S "$root" -B "$SC_HSM_BUILD" -DSC_HSM_BENCH=ON -DSC_HSM_TESTS=ON >/dev/null
cmake --build "$SC_HSM_BUILD" -j "$(nproc)" --target timing sc_hsm_provider sc-hsm-sim >/dev/null

work=$(mktemp -d "${TMPDIR:-/tmp}/sc-hsm-timing.XXXXXX")
cleanup() {
    [ -z "${SC_HSM_VIRTUAL:-}" ] || "$root/examples/virtual-hsm.sh" stop >/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
unset SC_HSM_VIRTUAL OPENSSL_CONF OPENSSL_MODULES

status=0

# judge FILE WHAT: of the line that begins with WHAT, the t without the slowest tenth.
judge() {
    awk -v what="$2" 'index($0, what) == 1 { t = $NF; exit !(t < 4.5 && t > -4.5) }' "$1"
}

# measure WHAT COUNT NAME
measure() {
    echo "$1, $2 of each group"
    "$SC_HSM_BUILD/bench/timing" "$2" "$3" | tee "$work/figures"
    judge "$work/figures" 'all malformed' || {
        echo "timing.sh: $1: a difference is seen" >&2
        status=1
    }
    echo
}

measure "The unpadding alone" "$unpaddings" unpad
if judge "$work/figures" control; then
    echo "timing.sh: the control shows no difference: these figures mean nothing" >&2
    status=1
fi
measure "The provider with a software key in place of a device" "$decryptions" stand-in

eval "$("$root/examples/virtual-hsm.sh" start)"
cd "$work"
openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 -out rsa.pem
measure "A key on the virtual card" "$decryptions" rsa.pem

echo "$(grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores;" \
    "$(openssl version | cut -d' ' -f1,2); load $(cut -d' ' -f1 /proc/loadavg)"
[ "$status" = 0 ]
