#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
virtual_card
# shellcheck source-path=SCRIPTDIR source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source-path=SCRIPTDIR source=objects.sh
. "$SC_HSM_SOURCE/tests/store/objects.sh"
objects_on_card
configure pin-source=
checks=$(pin_checks)

for store in sc-hsm: sc-hsm:type=cert sc-hsm:label=root; do
    count "verify -CAstore $store" '<=24' openssl verify -no-CAfile -no-CApath -CAstore "$store" ec.crt
done
fails "another CA does not vouch for it" openssl verify -no-CAfile -no-CApath \
    -CAstore sc-hsm:label=other ec.crt
check "certificates to build a chain from" openssl verify -no-CAfile -no-CApath -no-CAstore \
    -CAfile root.crt -untrusted sc-hsm:type=cert ec.crt

# A server with a software key, whose certificate a client checks against the card.
plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
    -keyout soft.key -out soft.csr -config /dev/null 2>"$seen"
plain_openssl x509 -req -in soft.csr -CA root.crt -CAkey root.key -set_serial 2 -out soft.crt 2>"$seen"
port=$(free_port 1)
env -u OPENSSL_CONF -u OPENSSL_MODULES "$real_openssl" s_server -accept "127.0.0.1:$port" \
    -cert soft.crt -key soft.key -naccept 40 -quiet </dev/null >server.log 2>&1 &
server=$!
at_end() {
    kill "$server" 2>/dev/null || true
}
wait_for "the server" listening "$port" "$server"
check "s_client -CAstore trusts it" openssl s_client -connect "127.0.0.1:$port" -CAstore sc-hsm: \
    -no-CAfile -no-CApath -verify_return_error </dev/null
says 'Verify return code: 0'
fails "s_client with the other CA does not" openssl s_client -connect "127.0.0.1:$port" \
    -CAstore sc-hsm:label=other -no-CAfile -no-CApath -verify_return_error </dev/null
equal "no PIN was asked for" "$checks" "$(pin_checks)"
