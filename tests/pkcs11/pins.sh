#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# PINs, random bytes and versions of tokens: what their module can do works, by the same commands as for
# a card. SoftHSM, and a card behind OpenSC's module, which counts tries.
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool expect
export HOME=$work XDG_CACHE_HOME=$work/cache
new_pin=87654321
echo "$pin" >pin
echo "$new_pin" >new-pin
echo "$so_pin" >so-pin
echo 999999 >wrong
echo 1212121212121212 >wrong-so

# ends STATUS WHAT COMMAND...
ends() {
    local expected=$1 status=0
    shift 2
    "$@" >"$seen" 2>&1 || status=$?
    equal "$* ends with $expected" "$expected" "$status"
}

# opens PIN: the module takes it from others as well.
opens() {
    pkcs11-tool --module "$module_path" --token-label "$label" --login --pin "$1" --list-objects
}

tool() {
    sc-hsm --pkcs11-module "$module_path" --token "$label" "$@"
}

all_of_it() {
    check "the PIN is changed" tool pin change --pin-source file:pin --new-pin-source file:new-pin
    says 'Changed the PIN of device'
    check "the new one opens" opens "$new_pin"
    fails "the old one does not" opens "$pin"
    check "the new one gives the tries back" opens "$new_pin"
    check "back again, as JSON" tool --json pin change --pin-source file:new-pin --new-pin-source file:pin
    says '"serial": ' '"pin_tries_left": '
    check "typed" prompted_each tool pin change
    says 'Changed the PIN'
    check "it opens" opens "$new_pin"
    check "and back" tool pin change --pin-source file:new-pin --new-pin-source file:pin

    ends 4 "a wrong PIN" tool pin change --pin-source file:wrong --new-pin-source file:new-pin
    says 'the PIN is wrong for device .*tries are left'
    check "the right one is as it was" opens "$pin"
    echo 1 >short
    ends 4 "a new one that is too short" tool pin change --pin-source file:pin --new-pin-source file:short
    says 'has 1 characters, and must have'

    check "the SO-PIN sets another PIN" tool pin unblock --so-pin-source file:so-pin --new-pin-source file:new-pin
    says 'Unblocked the PIN and set the new one of device'
    check "it opens" opens "$new_pin"
    check "and the old one again" tool --json pin unblock --so-pin-source file:so-pin --new-pin-source file:pin
    check "it opens" opens "$pin"
    ends 4 "a wrong SO-PIN" tool pin unblock --so-pin-source file:wrong-so --new-pin-source file:new-pin
    says 'the SO-PIN is wrong for device'
    check "the PIN is as it was" opens "$pin"
    ends 1 "the PIN cannot be kept" tool pin unblock --so-pin-source file:so-pin --keep-pin
    says 'gets a new PIN .* leave --keep-pin out'

    check "random bytes" tool random 32
    says '^[0-9a-f]{64}$'
    first=$(cat "$seen")
    check "other ones" tool random 32
    [ "$first" != "$(cat "$seen")" ] || fail "the same bytes twice"
    check "many" tool random 5000 --overwrite --out bytes
    equal "as many as were asked for" 5000 "$(wc -c <bytes)"

    check "the version" tool status
    says '^Version: +[0-9]+\.[0-9]+' '^Hardware version: +[0-9]+\.[0-9]+' '^Module version: +[0-9]+\.[0-9]+' \
        '^Model: +[^ ]' '^SO-PIN may reset the PIN: +only by setting a new one'
    check "as JSON" tool --json status
    says '"version": "[0-9]+\.[0-9]+"' '"hardware_version": "[0-9]+' '"module_version": "[0-9]+' '"model": "'
}

# prompted_each COMMAND...: the old PIN, and the new one twice.
prompted_each() {
    expect -f - -- "$pin" "$new_pin" "${module_path}" "${label}" "${@:2}" <<'END'
set timeout $env(SC_HSM_PATIENCE)
set old [lindex $argv 0]
set new [lindex $argv 1]
spawn -noecho sc-hsm --pkcs11-module [lindex $argv 2] --token [lindex $argv 3] {*}[lrange $argv 4 end]
expect {
    -re {new PIN[^\r\n]*: $} { send "$new\r"; exp_continue }
    -re {PIN on device [^\r\n]*: $} { send "$old\r"; exp_continue }
    timeout { puts "no end"; exit 90 }
    eof {}
}
exit [lindex [wait] 3]
END
}

# --- SoftHSM ---------------------------------------------------------------------------------

softhsm_token
module_path=$softhsm label="the token"
all_of_it
check "the SO-PIN is changed" tool so-pin change --so-pin-source file:so-pin --new-so-pin-source file:wrong-so
says 'Changed the SO-PIN'
ends 4 "the old one counts no more" tool pin unblock --so-pin-source file:so-pin --new-pin-source file:pin
check "the new one does" tool pin unblock --so-pin-source file:wrong-so --new-pin-source file:pin

# A key that is used, and a PIN that is changed meanwhile by the tool.
make_ec_key
check "a signature" openssl dgst -sha256 -sign ec.pem -out sig pin

# Several tokens, and nobody said which.
softhsm_tokens other
ends 3 "whose PIN?" sc-hsm --pkcs11-module "$softhsm" pin change --pin-source file:pin --new-pin-source file:new-pin
says 'several devices'

# --- tries -----------------------------------------------------------------------------------

# A token that counts: with few tries left a stored PIN is not tried, and a blocked one is unblocked.
export SC_HSM_REAL_MODULE=$softhsm SC_HSM_LOGINS=$work/logins
touch "$SC_HSM_LOGINS"
module_path=$SC_HSM_BUILD/lib/counting.so
for _ in 1 2; do
    ends 4 "a wrong PIN" tool pin change --pin-source file:wrong --new-pin-source file:new-pin
done
ends 4 "the last try is for people" tool pin change --pin-source file:pin --new-pin-source file:new-pin
says 'only 1 PIN try is left'
ends 4 "a person spends it" prompted 999999 sc-hsm --pkcs11-module "$module_path" --token "$label" \
    pin change --pin-source prompt --new-pin-source file:new-pin
check "it is blocked" tool status
says 'PIN: +blocked'
ends 4 "nothing is sent then" tool pin change --pin-source file:pin --new-pin-source file:new-pin
says "is blocked: unblock it with its SO-PIN and 'sc-hsm pin unblock'"
check "it is unblocked" tool pin unblock --so-pin-source file:wrong-so --new-pin-source file:new-pin
check "and opens" tool --pin-source file:new-pin list

# --- a card behind OpenSC's module ------------------------------------------------------------

unset SC_HSM_REAL_MODULE SC_HSM_LOGINS SOFTHSM2_CONF PCSCLITE_CSOCK_NAME
virtual_cards 1
module_path=$(find /usr/lib -name opensc-pkcs11.so -path '*gnu/opensc*' | head -1)
[ -n "$module_path" ] || missing "there is no opensc-pkcs11.so (opensc-pkcs11)"
check "the card's token" sc-hsm --pkcs11-module "$module_path" --json readers
label=$(python3 -c 'import json, sys
print([r["reader"] for r in json.load(sys.stdin)["readers"] if r["card"] == "token"][0])' <"$seen")
all_of_it
equal "no try was lost" 3 "$(pin_tries)"
for _ in 1 2 3; do
    fails "a wrong PIN" opens 999999
done
equal "the card is blocked" blocked "$(pin_tries)"
ends 4 "nothing is sent then" tool pin change --pin-source file:pin --new-pin-source file:new-pin
says 'is blocked: unblock it'
check "it is unblocked" tool pin unblock --so-pin-source file:so-pin --new-pin-source file:pin
equal "all tries are back" 3 "$(pin_tries)"
