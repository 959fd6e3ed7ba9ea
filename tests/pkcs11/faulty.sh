#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A module that gives wrong answers: no PIN try is spent twice, nothing is done twice that changes
# the token, and nothing is told that the module did not say.
. "$(dirname "$0")/../lib.sh"
softhsm_token
make_rsa_key
echo "a note" >note
export SC_HSM_REAL_MODULE=$softhsm
faulty=$SC_HSM_BUILD/lib/faulty.so

tool() {
    sc-hsm --pkcs11-module "$faulty" --pin-source "file:$work/.pin" "$@"
}

# with FAULT COMMAND...: runs the command with a module that makes this mistake.
with() {
    local fault=$1
    shift
    SC_HSM_FAULT=$fault "$@"
}

# calls FUNCTION NUMBER: so often the last command called it.
calls() {
    equal "calls of $1" "$2" "$(grep -c "^call of $1\$" "$seen")"
}

check "the module serves" tool data write --label note note

# A PIN behind an unclear answer may have cost a try.
configure "pkcs11-module=$faulty" "pin-source=file:$work/wrong"
echo 999999 >wrong
fails "a wrong PIN that is called a general error" with login:0:5:after \
    openssl dgst -sha256 -sign rsa.pem -out sig note
says 'the PKCS#11 module reports a general error'
calls login 1
configure "pin-source=file:$work/.pin"
check "the right one makes that good" openssl dgst -sha256 -sign rsa.pem -out sig note
check "an error before the PIN was looked at" with login:1:5:before \
    openssl dgst -sha256 -sign rsa.pem -out sig note
calls login 2
fails "one that stays is not tried again and again" with login:0:5:before \
    openssl dgst -sha256 -sign rsa.pem -out sig note
says 'the PKCS#11 module reports a general error'
calls login 2

# The token did it, and its answer was lost.
fails "a key whose making was not answered" with generate_key_pair:1:32:after tool keygen \
    --type ec:P-256 --label lost
says 'new key' 'may have been done'
calls generate_key_pair 1
check "there is one such key" tool list "sc-hsm:label=lost;type=private"
equal "one" 1 "$(grep -c 'private key' "$seen")"
check "it is deleted" tool delete --yes "sc-hsm:label=lost;type=private"
fails "data whose storing was not answered" with create_object:1:32:after \
    tool data write --label twice note
says 'may have been done'
calls create_object 1
check "it is there once" tool delete --yes label=twice

# What certainly was not done is tried again.
check "a session that was closed before" with generate_key_pair:1:b3:before tool keygen \
    --type ec:P-256 --label again
calls generate_key_pair 2

# Modules may delete by themselves what belongs to a key.
check "its public key is gone already" with destroy_object:2:82:after \
    tool delete --yes "sc-hsm:label=again;type=private"
calls destroy_object 2

# A value that is not let out is none, and not an empty one.
fails "data that is not let out" with get_attribute_value:0:11:before tool data read label=note
says 'does not let'

# SoftHSM's second slot is an empty one.
check "a slot that fails leaves the others" with get_token_info:0:30:after \
    openssl dgst -sha256 -sign rsa.pem -out sig note
fails "when all fail, it is said how" with get_token_info:0:30:before \
    openssl dgst -sha256 -sign rsa.pem -out sig note
says 'does not list its slots: the token reports an error'

# A module that another part of the program initialised is not ours to finalise.
rm -r tokens
mkdir tokens
with initialize:0:191:after tool list >"$seen" 2>&1 || true
says 'call of initialize'
says_nothing_of 'call of finalize'
