#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Malformed PKCS#1 ciphertexts: nothing that a caller, a TLS client or the card's log shows tells
# them from good ones. bench/timing.sh looks at the time.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
virtual_card
make_rsa_key

# 1,000 malformed and 1,000 good ones, 50 of them twice, then 500 with TLS padding, each twice; one
# command for each, and three to log in.
count "1,000 malformed ciphertexts among 1,000 good ones" =3052 \
    "$programs/decrypt_malformed" rsa.pem 1000
cat "$seen"

# The command as well: same status, nothing on standard error.
printf '\0%.0s' $(seq 1 255) >block
printf '\5' >>block
check "a malformed block, encrypted" plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub \
    -in block -pkeyopt rsa_padding_mode:none -out secret
check "pkeyutl -decrypt" openssl pkeyutl -decrypt -inkey rsa.pem -in secret -out opened
[ ! -s "$seen" ] || fail "pkeyutl says something"

# A TLS server that exchanges keys with RSA.
self_signed rsa
at_end() {
    [ -z "${server:-}" ] || kill "$server"
}
port=$(free_port 1)
openssl s_server -accept "127.0.0.1:$port" -cert rsa.crt -key rsa.pem -www -tls1_2 \
    -cipher 'AES128-GCM-SHA256:@SECLEVEL=0' </dev/null >server.log 2>&1 &
server=$!
wait_for "s_server" listening "$port" "$server"
check "a good client" client 2 1 1.2 rsa.crt 'AES128-GCM-SHA256:@SECLEVEL=0'
modulus=$(plain_openssl rsa -pubin -in rsa.pub -noout -modulus | cut -d= -f2)
check "the server answers all kinds alike" \
    python3 "$SC_HSM_SOURCE/tests/openssl/robot.py" "$port" "$modulus" 65537 5
cat "$seen"
check "a good client" client 2 1 1.2 rsa.crt 'AES128-GCM-SHA256:@SECLEVEL=0'
