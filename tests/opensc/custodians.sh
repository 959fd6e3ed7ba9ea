#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three DKEK shares, the first one under a password that three of five custodians hold together.
# (sc-hsm-tool hashes such passwords ten million times, which takes its time.)
. "$(dirname "$0")/common.sh"
opensc_card
check "three shares are wanted" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" \
    --dkek-shares 3

# Each custodian sees a part, and presses enter.
check "a share for custodians" sc-hsm-tool --create-dkek-share share.pbe \
    --pwd-shares-threshold 3 --pwd-shares-total 5 < <(yes '' || true)
cp "$seen" custodians
says 'saved to share.pbe'
prime=$(sed -n 's/^Prime *: //p' custodians | sort -u)
mapfile -t ids < <(sed -n 's/^Share ID *: //p' custodians)
mapfile -t values < <(sed -n 's/^Share value *: //p' custodians)
equal "five parts" "5 5" "${#ids[@]} ${#values[@]}"

# import CUSTODIAN...: each types number and value; the first one the prime before it.
import() {
    local custodian
    sc-hsm-tool --import-dkek-share share.pbe --pwd-shares-total $# < <(
        echo "$prime"
        for custodian in "$@"; do
            printf '\n%s\n%s\n' "${ids[custodian]}" "${values[custodian]}"
        done
        yes '' || true
    )
}
check "three custodians import it" import 3 0 4
says 'DKEK share imported' '2 share\(s\) still missing'
check "the other two shares come" raw_apdus "8052000020$(printf 'A5%.0s' $(seq 32))00" \
    "8052000020$(printf 'E1%.0s' $(seq 32))00"
says '^03 01 ' '^03 00 '
check "the key is complete" sc-hsm-tool
says 'DKEK shares +: 3' 'DKEK key check value : [0-9A-F]{16}'
