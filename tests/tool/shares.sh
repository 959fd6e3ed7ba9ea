#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is no share, or not wanted, is refused before anything is changed, and nearly always before the
# seconds of work on a password. Those are in password-shares.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
echo 123456789 >password
echo "wrong horse" >wrong
# sc-hsm-tool's, of a published guide
base64 -d >a.pbe <<'END'
U2FsdGVkX19TK+VuViUAPOKAfVPE9puwK7yvJSInvPeBSld+Uh2hHli8RazbFVd3dGgOu7ahEjm6YzzYWtxMnA==
END

init() {
    check "a device that expects shares: $1" sc-hsm init --yes --so-pin-source file:so-pin \
        --pin-source file:pin --dkek-shares "$1"
}
init 1
check "its share" raw_apdus "8052000020$(printf '44%.0s' $(seq 32))00"
ends 1 "no second share" sc-hsm dkek import-share a.pbe --password-source file:password
says "no share is outstanding" "BB391415C05E39D7"
init 1
printf '\r\n' | cat a.pbe - >line.pbe
base64 -w 40 a.pbe >printed.pbe
for form in line printed; do
    ends 1 "a share, $form" setsid -w sc-hsm dkek import-share $form.pbe
    says "no terminal.*--password-source" # so the file was taken
done

# --- what is refused --------------------------------------------------------------------------------

# The one use of a password here
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
says "^0 +DKEK +1 +1 share outstanding"

check "no DKEK at all" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin
ends 1 "no share wanted" sc-hsm dkek import-share a.pbe --password-source file:password
says "initialised without a DKEK.*--dkek-shares"
