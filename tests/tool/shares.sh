#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DKEK shares go both ways between sc-hsm and sc-hsm-tool. Each password takes seconds of work.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
# shellcheck disable=SC2034  # for typed
echo "correct horse" >password
echo "wrong horse" >wrong

init() {
    check "a device that expects shares: $1" sc-hsm init --yes --so-pin-source file:so-pin \
        --pin-source file:pin --dkek-shares "$1"
}
kcv() {
    json 'd["key_domains"][0]["key_check_value"]' sc-hsm --json dkek status
}

# --- ours to sc-hsm-tool ----------------------------------------------------------------------------

check "a share, its password typed twice" typed "new password of a.pbe: =correct horse" \
    "once more: =correct horse" -- sc-hsm dkek create-share a.pbe
says "a.pbe holds a DKEK share"
says_nothing_of "correct horse"
value=$(sed -n 's/.*key check value is \([0-9A-F]\{16\}\).*/\1/p' "$seen")
equal "the file is for its owner alone" "600 64" "$(stat -c '%a %s' a.pbe)"
init 1
check "sc-hsm-tool imports it" opensc sc-hsm-tool --import-dkek-share a.pbe \
    --password "correct horse"
says "key check value *: $value"
equal "and we say the same" "$value" "$(kcv)"
ends 1 "no second share" sc-hsm dkek import-share a.pbe --password-source file:password
says "no share is outstanding" "$value"

# --- sc-hsm-tool's to us ----------------------------------------------------------------------------

check "sc-hsm-tool makes one" opensc sc-hsm-tool --create-dkek-share b.pbe --password 123456789
init 3
check "the share of somebody else" raw_apdus "8052000020$(printf 'A5%.0s' $(seq 32))00"
printf 123456789 >digits
equal "we import it" "(3, 1, None)" "$(json '(d["shares"], d["outstanding"], d["key_check_value"])' \
    sc-hsm --json dkek import-share b.pbe --password-source file:digits)"
check "it is told" sc-hsm dkek status
says "^0 +DKEK +3 +1 share outstanding +-"

printf '\r\n' | cat a.pbe - >line.pbe
base64 -w 40 a.pbe >printed.pbe
for form in line printed; do
    ends 1 "a share, $form" setsid -w sc-hsm dkek import-share $form.pbe
    says "no terminal.*--password-source" # so the file was taken
done

# --- what is refused --------------------------------------------------------------------------------

ends 1 "a wrong password" sc-hsm dkek import-share a.pbe --password-source file:wrong
says "a.pbe: .*password is wrong, or the file is damaged"
head -c 63 a.pbe >cut.pbe
ends 1 "a cut file" sc-hsm dkek import-share cut.pbe --password-source file:password
says "cut.pbe: .*cut short"
ends 1 "another file" sc-hsm dkek import-share password --password-source file:password
says "no file of a DKEK share"
ends 1 "no file" sc-hsm dkek import-share nothing.pbe --password-source file:password
says "nothing.pbe"
ends 1 "no terminal" setsid -w sc-hsm dkek import-share a.pbe
says "no terminal.*--password-source"
ends 1 "no such key domain" sc-hsm dkek import-share a.pbe --key-domain 1 \
    --password-source file:password
says "no key domain 1"
ends 1 "an existing file" sc-hsm dkek create-share a.pbe --password-source file:password
says "there already" "\-\-overwrite"
printf 12345 >short
ends 2 "a short password" sc-hsm dkek create-share c.pbe --password-source file:short
says "6 to"
fails "two passwords that differ" typed "new password.*: =one password" "once more: =another one" \
    -- sc-hsm dkek create-share c.pbe
says "differ"
fails "no file was written" test -e c.pbe
check "nothing was changed" sc-hsm dkek status
says "^0 +DKEK +3 +1 share outstanding"

check "no DKEK at all" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin
ends 1 "no share wanted" sc-hsm dkek import-share a.pbe --password-source file:password
says "initialised without a DKEK.*--dkek-shares"
