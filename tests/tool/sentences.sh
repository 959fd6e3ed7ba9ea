#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What went wrong is told as it is, and before anybody types for nothing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
base64 -d >share.pbe <<'END'
U2FsdGVkX19TK+VuViUAPOKAfVPE9puwK7yvJSInvPeBSld+Uh2hHli8RazbFVd3dGgOu7ahEjm6YzzYWtxMnA==
END
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out ec.key
printf 12345 >short

ends 2 "a type that there is not" sc-hsm list 'sc-hsm:type=key'
says "none of private, public, cert, data, secret"

# --- before custodians type; there is no terminal, so whoever is asked for a password fails otherwise -

import() {
    setsid -w sc-hsm --pin-source file:pin import ec.key --share share.pbe --password-shares 3
}
ends 1 "a device without a DKEK" import
says "initialised without a DKEK"
ends 2 "a new password that is too short" setsid -w sc-hsm dkek recrypt-share share.pbe new.pbe \
    --password-shares 3 --new-password-source file:short
says "password of a share has 6 to"
touch there.pbe
ends 1 "a file that is there" setsid -w sc-hsm dkek recrypt-share share.pbe there.pbe \
    --password-shares 3 --new-password-shares 3/5
says "there.pbe is there already"

# --- key domains --------------------------------------------------------------------------------------

check "a device with key domains" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --key-domains 2
for domain in 0 1; do
    ends 1 "a key in key domain $domain" sc-hsm --pin-source file:pin keygen --type ec:P-256 \
        --key-domain $domain
    says "key domain $domain has not been created: 'sc-hsm domain create $domain'"
done
fails "the same by openssl" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt key-domain:0 -out out.pem
says "key domain 0 has not been created"
ends 1 "no DKEK yet" import
says "no DKEK that is complete"

# --- few tries ----------------------------------------------------------------------------------------

for _ in 1 2; do
    raw_apdus >/dev/null 2>&1
    ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin label x || true
    sed -i 's/$/0/' wrong-pin
done 2>/dev/null
ends 4 "one try is left" sc-hsm --pin-source file:pin label x
says "only 1 PIN try is left"
says_nothing_of "the application"

# --- never initialised --------------------------------------------------------------------------------

fresh_card
check "its DKEK" sc-hsm dkek status
says "never initialised, and has no DKEK yet"
says_nothing_of "was initialised without"
ends 1 "a share" sc-hsm dkek import-share share.pbe
says "never initialised.*sc-hsm init"
ends 1 "a key" import
says "never initialised.*sc-hsm init"
ends 1 "a key domain" sc-hsm --pin-source file:pin domain create 0 --dkek-shares 1
says "initialised"
