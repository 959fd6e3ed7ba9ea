#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# public keys of real devices are written as others write them
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need ssh-keygen python3

vectors=${SC_HSM_VECTORS:-$SC_HSM_SOURCE/../shared/vectors}
if [ ! -f "$vectors/seed-rsa-pub.pem" ]; then
    echo "*** SKIPPED: no files from real devices in $vectors; set SC_HSM_VECTORS to their folder" >&2
    exit 77
fi
write_key=$SC_HSM_BUILD/tests/tool/write_key

for key in rsa ec; do
    pem=$vectors/seed-$key-pub.pem
    check "$key: ssh-keygen's own line" ssh-keygen -i -m PKCS8 -f "$pem"
    cp "$seen" theirs
    check "$key: our line" "$write_key" ssh "$pem"
    cp "$seen" ours
    same_bytes "$key: they are the same" theirs ours
    "$write_key" der "$pem" >our.der
    plain_openssl pkey -pubin -in "$pem" -outform DER -out theirs.der
    same_bytes "$key: OpenSSL's is the same" theirs.der our.der
done
"$write_key" jwk "$vectors/seed-ec-pub.pem" >ec.jwk
equal "the point of the JSON Web Key" \
    "04$(tail -c 64 theirs.der | od -An -v -tx1 | tr -d ' \n')" \
    "$(python3 -c '
import base64, json
k = json.load(open("ec.jwk"))
print("04" + "".join(base64.urlsafe_b64decode(k[n] + "=").hex() for n in "xy"))')"
