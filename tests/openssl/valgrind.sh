#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need valgrind
virtual_card
make_rsa_key
make_ec_key
echo something >data
check "something to decrypt" plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in data \
    -out secret -pkeyopt rsa_padding_mode:oaep

# OpenSSL unloads the module at exit; valgrind has to keep its symbols to name our functions.
memory=(valgrind --quiet --error-exitcode=99 --leak-check=full
    '--show-leak-kinds=definite,indirect' '--errors-for-leak-kinds=definite,indirect'
    --keep-debuginfo=yes --track-fds=no)
for key in rsa.pem sc-hsm:id=10 sc-hsm:label=web-ec; do
    check "no memory error, no leak: signing with $key" "${memory[@]}" \
        "$programs/sign_many" "$key" 5
done
check "no memory error, no leak: 4 threads" "${memory[@]}" "$programs/sign_threads" ec.pem 4 3
check "no memory error, no leak: forked" "${memory[@]}" \
    "--suppressions=$SC_HSM_SOURCE/tests/openssl/forked.supp" \
    "$programs/sign_forked" rsa.pem 2 3
check "no memory error, no leak: decrypting" "${memory[@]}" \
    "$real_openssl" pkeyutl -decrypt -inkey rsa.pem -in secret -out opened \
    -pkeyopt rsa_padding_mode:oaep
check "no memory error, no leak: generating" "${memory[@]}" \
    "$real_openssl" genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out k.pem
check "no memory error, no leak: listing" "${memory[@]}" "$real_openssl" storeutl -noout -text sc-hsm:

# Failures are where things are forgotten.
# clean_failure WHAT COMMAND...: fails, but not with valgrind's status.
clean_failure() {
    local what=$1
    shift
    fails "$what" "${memory[@]}" "$@"
    says_nothing_of '^==[0-9]+=='
}
clean_failure "no memory error, no leak: an unknown key" "$real_openssl" pkey -in sc-hsm:id=77 -noout
clean_failure "no memory error, no leak: a malformed URI" "$real_openssl" pkey -in sc-hsm:colour=red -noout
echo 111111 >wrong.pin
clean_failure "no memory error, no leak: a wrong PIN" "$real_openssl" \
    pkey -in "sc-hsm:id=10?pin-source=file:wrong.pin" -noout
head -c 300 rsa.pem >cut.pem
clean_failure "no memory error, no leak: a cut reference file" "$real_openssl" pkey -in cut.pem -noout
virtual_hsm remove
clean_failure "no memory error, no leak: no card" "$real_openssl" dgst -sha256 -sign rsa.pem -out s data
