#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A module that uses libcrypto with the openssl.cnf that loads us, and there a key on its own token.
. "$(dirname "$0")/../lib.sh"
softhsm_token
make_rsa_key
export SC_HSM_REAL_MODULE=$softhsm
configure "pkcs11-module=$SC_HSM_BUILD/lib/recursive.so"
for key in rsa.pem sc-hsm:id=10; do
    check "$key signs, through a module that asks for it meanwhile" \
        ends_by_itself openssl dgst -sha256 -sign "$key" -out sig rsa.pub
    says 'inside initialize: refused' 'inside open_session: refused' 'inside sign: refused' \
        'a PKCS#11 module is in the middle of an operation'
    says_nothing_of 'it came back'
    check "judged by the default provider" plain_openssl dgst -sha256 -verify rsa.pub \
        -signature sig rsa.pub
done
check "4 threads" ends_by_itself "$programs/sign_threads" rsa.pem 4 10
check "4 children" ends_by_itself "$programs/sign_forked" rsa.pem 4 10
