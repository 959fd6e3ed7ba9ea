#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Passwords split among 5 custodians, of whom 3 give them together, go both ways between sc-hsm and
# sc-hsm-tool, and a share gets another password. Each password takes seconds of work, sc-hsm-tool's
# a quarter of a minute. With sanitizers our own parts alone are run.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
# shellcheck disable=SC2034  # for typed

# lines FIELD: what was shown, one line for each custodian.
lines() {
    tr -d '\r' <shown | sed -n "s/^ *$1 *: *\([0-9A-Fa-f:]*\).*/\1/p"
}

# --- ours to sc-hsm-tool ----------------------------------------------------------------------------

enter=("Custodian 1 of 5.*screen: =" "Custodian 2 of 5.*screen: =" "Custodian 3 of 5.*screen: ="
    "Custodian 4 of 5.*screen: =" "Custodian 5 of 5.*screen: =")
check "a share whose password is split" typed "${enter[@]}" -- \
    sc-hsm dkek create-share a.pbe --password-shares 3/5
cp "$seen" shown
value=$(sed -n 's/.*key check value is \([0-9A-F]\{16\}\).*/\1/p' shown)
mapfile -t values < <(lines "Share value")
prime=$(lines Prime | sort -u)
equal "five values" 5 "${#values[@]}"
equal "the screen is cleared for each, and behind the last" 10 "$(grep -o $'\e\[2J' shown | wc -l)"
share=a.pbe

if [ -z "${SC_HSM_ASAN:-}" ]; then
    check "a device that expects a share" sc-hsm init --yes --so-pin-source file:so-pin \
        --pin-source file:pin --dkek-shares 1
    printf '%s\n' "$prime" "" 2 "${values[1]}" "" 4 "${values[3]}" "" 5 "${values[4]}" "" >typed
    check "three of five give it to sc-hsm-tool" opensc sc-hsm-tool --import-dkek-share a.pbe \
        --pwd-shares-total 3 <typed
    says 'DKEK share imported' "key check value *: $value"
    equal "and we say the same" "$value" \
        "$(json 'd["key_domains"][0]["key_check_value"]' sc-hsm --json dkek status)"

    # --- sc-hsm-tool's to us
    printf '\n%.0s' $(seq 20) >enters
    check "sc-hsm-tool splits a password" opensc sc-hsm-tool --create-dkek-share b.pbe \
        --pwd-shares-threshold 3 --pwd-shares-total 5 <enters
    cp "$seen" shown
    mapfile -t values < <(lines "Share value")
    prime=$(lines Prime | sort -u)
    equal "five values" 5 "${#values[@]}"
    share=b.pbe
fi

# --- another password in place of the custodians ----------------------------------------------------

check "a device that expects three shares" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --dkek-shares 3
fails "a share twice" typed "Prime *: =$prime" "Share ID *: =1" "Share value *: =${values[0]}" \
    "Custodian 2 of 3.*Share ID *: =3" "Share value *: =${values[2]}" \
    "Custodian 3 of 3.*Share ID *: =3" "Share value *: =${values[2]}" -- \
    sc-hsm dkek import-share $share --password-shares 3
says "share 3 was given twice"
check "three of five give it to us, after a slip" typed "Prime *: =$prime" "Share ID *: =none" \
    "number from 1.*Share ID *: =5" "Share value *: =${values[4]}" "Share ID *: =0x1" \
    "Share value *: =${values[0]}" "Share ID *: =3" "Share value *: =${values[2]}" \
    "new password of c.pbe: =new password" "once more: =new password" -- \
    sc-hsm dkek recrypt-share $share c.pbe --password-shares 3
says "c.pbe holds a DKEK share"
says_nothing_of "new password$"
value=$(sed -n 's/.*key check value is \([0-9A-F]\{16\}\).*/\1/p' "$seen")
equal "the file is for its owner alone" "600 64" "$(stat -c '%a %s' c.pbe)"
if [ -z "${SC_HSM_ASAN:-}" ]; then
    # Somebody else's two shares are alike, and so cancel each other: the key is the share in the file.
    other=8052000020$(printf 'A5%.0s' $(seq 32))00
    check "the share of somebody else" raw_apdus "$other"
    echo "new password" >password
    equal "the new password opens it" "(3, 1, None)" \
        "$(json '(d["shares"], d["outstanding"], d["key_check_value"])' \
            sc-hsm --json dkek import-share c.pbe --password-source file:password)"
    check "it is told" sc-hsm dkek status
    says "^0 +DKEK +3 +1 share outstanding +-"
    check "the last share" raw_apdus "$other"
    check "the key is complete" opensc sc-hsm-tool
    says 'DKEK shares *: 3' "key check value *: $value"
    check "a device that expects one share" sc-hsm init --yes --so-pin-source file:so-pin \
        --pin-source file:pin --dkek-shares 1
    check "three of five import it" typed "Prime *: =$prime" "Share ID *: =2" \
        "Share value *: =${values[1]}" "Share ID *: =4" "Share value *: =${values[3]}" \
        "Share ID *: =5" "Share value *: =${values[4]}" -- \
        sc-hsm dkek import-share $share --password-shares 3
    says "DKEK is complete.*$value"
fi

# --- what is refused, before any work on a password -------------------------------------------------

for split in 1/3 2/2 4/3 3 x/y 3/5x 2/101; do
    ends 2 "$split" sc-hsm dkek create-share d.pbe --password-shares "$split"
done
ends 2 "split and given" sc-hsm dkek create-share d.pbe --password-shares 3/5 \
    --password-source file:password
ends 1 "no terminal" setsid -w sc-hsm dkek create-share d.pbe --password-shares 3/5
says "no terminal"
fails "no file was written" test -e d.pbe
