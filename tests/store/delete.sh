#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
delete=$SC_HSM_BUILD/tests/store/store_delete
status=0
"$delete" || status=$?
if [ "$status" = 77 ]; then
    echo "OSSL_STORE_delete came with OpenSSL 3.2"
    exit 77
fi
virtual_card
# shellcheck source-path=SCRIPTDIR source=objects.sh
. "$SC_HSM_SOURCE/tests/store/objects.sh"
objects_on_card
configure pin-source=
raw_apdus >/dev/null 2>&1 # logs out

# left NUMBER: so many objects are on the card.
left() {
    check "$1 are left" openssl storeutl -noout sc-hsm:
    found "$1"
}

fails "everything" "$delete" sc-hsm: "$pin"
says 'only a URI that names one object'
fails "a key and its certificate" "$delete" sc-hsm:id=20 "$pin"
says 'type=private' 'type=cert' '2 objects match'
fails "twins" "$delete" 'sc-hsm:label=note' "$pin"
says '2 objects match' 'handle='
fails "a public key by itself" "$delete" 'sc-hsm:id=20;type=public' "$pin"
fails "nothing" "$delete" sc-hsm:id=99 "$pin"
says 'no object with id 99'
fails "without a PIN" "$delete" 'sc-hsm:id=20;type=cert'
says 'PIN'
left 9
fails "with a wrong PIN" "$delete" 'sc-hsm:id=20;type=cert' 111111
says '2 tries are left'
left 9
# The card knows a key's public part from its certificate, so that the two go together.
check "a certificate alone" "$delete" 'sc-hsm:id=20;type=cert' "$pin"
left 7
check "its key stays, and a reference file still works" openssl dgst -sha256 -sign ec.pem \
    -passin "pass:$pin" -out signature ec.csr
check "a CA certificate, the PIN from the URI" "$delete" "sc-hsm:label=root?pin-value=$pin"
left 6
twin=$(openssl storeutl -noout sc-hsm:type=data | sed -n 's/^0: Name: //p')
configure "pin-source=file:$pin_file"
check "one of the twins, the PIN from the configuration" "$delete" "$twin"
left 5
check "a key" "$delete" sc-hsm:label=web-rsa\;type=private
left 3
fails "it is gone" openssl pkey -in sc-hsm:id=10 -noout
