#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key
configure cache-pin=yes

# start_signer KEY: a program that signs whenever it is told to.
start_signer() {
    coproc SIGNER { "$programs/sign_steps" "$1" 2>&1; }
    # As plain numbers, and these alone: the program ends when the last one is closed.
    eval "exec 8<&${SIGNER[0]}- 9>&${SIGNER[1]}-"
    read -r -t 20 -u 8 line || fail "sign_steps $1 did not get ready"
    equal "sign_steps $1" ready "$line"
}

# signs WHAT: it signs now.
signs() {
    echo go >&9
    read -r -t 30 -u 8 line || fail "$1: no answer"
    equal "$1" signed "$line"
}

# does_not_sign WHAT REGEX
does_not_sign() {
    echo go >&9
    read -r -t 30 -u 8 line || fail "$1: no answer"
    echo "$line" >"$seen"
    says '^failed: ' "$2"
    echo "ok: $1: $line"
}

stop_signer() {
    local process=$SIGNER_PID
    exec 9>&- 8<&-
    wait "$process" || fail "sign_steps ended badly"
}

# disturbed KEY: everything that may come between two signatures.
disturbed() {
    local tries
    start_signer "$1"
    signs "first"
    signs "again"
    check "another program selects the applet, which logs everyone out" raw_apdus
    signs "after another program's SELECT"
    check "another program selects a file" opensc-tool --reader 0 --card-driver default \
        --send-apdu 00A40000022F02 --send-apdu 00A40000022F02
    signs "after another program's file"
    check "OpenSC uses the card" pkcs11-tool --module opensc-pkcs11.so --login --pin "$pin" \
        --list-objects
    signs "after OpenSC"
    reset_card warm
    signs "after a warm reset"
    reset_card cold
    signs "after a cold reset"
    virtual_hsm remove
    virtual_hsm insert
    signs "after the card was pulled and put back"
    virtual_hsm remove
    does_not_sign "without the card" 'card|device|SmartCard-HSM'
    virtual_hsm insert
    signs "when it is back"
    tries=$(pin_tries)
    equal "no try was spent" 3 "$tries"
    stop_signer
}

for key in rsa.pem sc-hsm:id=20; do
    disturbed "$key"
done

# Another card in the same reader must not be taken for the first one.
start_signer ec.pem
signs "with the right card"
virtual_hsm remove
mv "$SC_HSM_VIRTUAL/card-1.state" first.state
virtual_hsm insert
does_not_sign "with another card" '.'
virtual_hsm remove
mv first.state "$SC_HSM_VIRTUAL/card-1.state"
virtual_hsm insert
signs "with the right card again"
stop_signer

# A PIN changed elsewhere is never tried twice.
configure cache-pin=yes "pin-source=file:$SC_HSM_VIRTUAL/pin"
start_signer ec.pem
signs "before the PIN is changed"
check "OpenSC changes the PIN" pkcs11-tool --module opensc-pkcs11.so --login --pin "$pin" \
    --change-pin --new-pin 123456
reset_card cold
does_not_sign "the cached PIN is wrong now" '2 (PIN )?tries|PIN'
equal "one try was spent" 2 "$(pin_tries)"
does_not_sign "again" 'PIN'
equal "no more tries are spent" 2 "$(pin_tries)"
stop_signer
