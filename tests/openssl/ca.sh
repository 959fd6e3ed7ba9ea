#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the commands of docs/ca.md as they stand, then has OpenSSL without our provider
# judge everything that came out.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

virtual_card
awk '/^```/ { inside = /^```sh/; next } inside' "$SC_HSM_SOURCE/docs/ca.md" >commands.sh
grep -q 'ts -verify' commands.sh || fail "docs/ca.md shows fewer commands than expected"
check "the commands of docs/ca.md" bash -euxo pipefail commands.sh
# Verdicts of our own process, which the commands above end with.
says 'server\.crt: OK' 'Response verify OK' 'server\.crt: good' 'Verification: OK'

# The default provider alone as judge.
check "the root" plain_openssl verify -check_ss_sig -CAfile root.crt root.crt
check "the intermediate, by the root" plain_openssl verify -CAfile root.crt intermediate.crt
check "root and intermediate, with the root's list" plain_openssl verify -CAfile root.crt \
    -CRLfile root.crl -crl_check intermediate.crt
for name in ocsp tsa; do
    check "$name.crt, by the intermediate" plain_openssl verify -CAfile root.crt \
        -untrusted intermediate.crt -purpose any -CRLfile intermediate.crl -crl_check "$name.crt"
done
check "a server's name" plain_openssl verify -CAfile root.crt -untrusted intermediate.crt \
    -purpose sslserver -verify_hostname localhost server.crt
check "the lists from before the revocation" plain_openssl verify -CAfile root.crt \
    -untrusted intermediate.crt -CRLfile all.crl -crl_check_all server.crt
cat root.crl intermediate.crl >all.crl
fails "the revoked certificate" plain_openssl verify -CAfile root.crt -untrusted intermediate.crt \
    -CRLfile all.crl -crl_check_all server.crt
says 'certificate revoked'
for authority in root intermediate; do
    check "the list of the $authority" plain_openssl crl -in "$authority.crl" -noout \
        -CAfile "$authority.crt"
    says 'verify OK'
done
check "the second list has the next number" plain_openssl crl -in intermediate.crl -noout -crlnumber
says '=0x0?2$|=0?2$'

check "the responder's answer" plain_openssl ocsp -no_nonce -respin answer.der -issuer intermediate.crt \
    -cert server.crt -CAfile root.crt
says 'Response verify OK' 'server\.crt: good'
check "the time stamp" plain_openssl ts -verify -data text -in stamp.tsr -CAfile root.crt \
    -untrusted intermediate.crt
says 'Verification: OK'
echo "what did not" >other
fails "the time stamp of something else" plain_openssl ts -verify -data other -in stamp.tsr \
    -CAfile root.crt -untrusted intermediate.crt

# A responder that answers over HTTP, after the revocation. It listens on every address; so it gets a
# network of its own, which has the loopback alone.
# shellcheck disable=SC2016  # expanded by the inner shell
answer_over_http='
    set -euo pipefail
    name=$1 key=$2
    shift 2
    ip link set lo up
    openssl ocsp -port 8888 -nrequest 1 -index intermediate.db -CA intermediate.crt \
        -rsigner "$name.crt" -rkey "$key" >responder.log 2>&1 &
    end=$((SECONDS + SC_HSM_PATIENCE))
    until grep -qi ":22B8 .* 0A " /proc/net/tcp /proc/net/tcp6; do
        [ "$SECONDS" -lt "$end" ] || {
            cat responder.log
            exit 1
        }
        sleep 0.05
    done
    "$@" -url http://127.0.0.1:8888
    wait $!
'
own_network=(unshare --net --kill-child)
[ "$(id -u)" = 0 ] || own_network+=(--user --map-root-user)
for signer in 'ocsp ocsp.pem' 'ocsp sc-hsm:label=ocsp' 'intermediate intermediate.pem'; do
    read -r name key <<<"$signer"
    check "an answer over HTTP, signed with $key" "${own_network[@]}" bash -c "$answer_over_http" \
        responder "$name" "$key" env -u OPENSSL_MODULES OPENSSL_CONF=/dev/null "$real_openssl" \
        ocsp -issuer intermediate.crt -cert server.crt -CAfile root.crt
    says 'Response verify OK' 'server\.crt: revoked' 'Reason: keyCompromise'
done

# ts opens the key as a file.
cp ca.cnf uri.cnf
sed -i 's/^signer_key = .*/signer_key = sc-hsm:label=tsa/' uri.cnf
fails "a time stamp with a URI" openssl ts -reply -config uri.cnf -queryfile stamp.tsq -out uri.tsr
rm tsa.pem
check "a reference file made again" openssl pkey -in sc-hsm:label=tsa -out tsa.pem
check "a time stamp with it" openssl ts -reply -config ca.cnf -queryfile stamp.tsq -out again.tsr
check "is good" plain_openssl ts -verify -queryfile stamp.tsq -in again.tsr -CAfile root.crt \
    -untrusted intermediate.crt
