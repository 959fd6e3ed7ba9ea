#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PINs through OpenSC: wrong, blocked, unblocked, changed; and byte by byte.
. "$(dirname "$0")/common.sh"
opensc_card

fails "a wrong PIN" p11 --login --pin 111111 --list-objects
says 'CKR_PIN_INCORRECT'
equal "one try less" 2 "$(pin_tries)"
check "the right one" p11_user --list-objects
equal "gives the tries back" 3 "$(pin_tries)"
for _ in 1 2 3; do
    fails "wrong again" p11 --login --pin 111111 --list-objects
done
equal "blocked" blocked "$(pin_tries)"
fails "the right PIN is refused now" p11_user --list-objects
says 'CKR_PIN_LOCKED'
virtual_hsm remove >/dev/null
virtual_hsm insert >/dev/null
equal "still blocked after power-off" blocked "$(pin_tries)"
check "sc-hsm-tool says so" sc-hsm-tool
says 'User PIN locked|tries left *: 0|PIN.*block'
check "the SO sets a new PIN" p11_so --init-pin --new-pin 123456
equal "tries" 3 "$(pin_tries)"
check "it opens" p11 --login --pin 123456 --list-objects
check "the user changes it" p11 --login --pin 123456 --change-pin --new-pin "$pin"
check "it opens" p11_user --list-objects
fails "the old one does not" p11 --login --pin 123456 --list-objects
fails "a wrong old PIN" p11 --login --pin 222222 --change-pin --new-pin 333333
equal "tries" 1 "$(pin_tries)"
check "the right one gives them back" p11_user --list-objects
check "the SO-PIN is changed" p11 --login --login-type so --so-pin "$so_pin" --change-pin \
    --new-pin 1122334455667788
fails "the old one is refused" p11_so --init-pin --new-pin 123456
check "the new one is not" p11 --login --login-type so --so-pin 1122334455667788 --init-pin \
    --new-pin "$pin"
check "and back" p11 --login --login-type so --so-pin 1122334455667788 --change-pin \
    --new-pin "$so_pin"

wrong=0020008106313131313131
answers "VERIFY" "9000 9000 63C2 63C2 9000" "$verify_pin" 00200081 $wrong 00200081 "$verify_pin"
answers "lengths" "6A80 6A80 6A86 6A88 63C3" 00200081053131313131 \
    "0020008111$(hex_of 12345678901234567)" 00200181 00200082 00200081
answers "SELECT logs out" "9000 9000 9000 63C3" "$verify_pin" 00200081 \
    00A404000BE82B0601040181C31F020100 00200081
answers "the SO-PIN by VERIFY" "63CF 63CE 9000 9000 6700" 00200088 00200088081111111111111111 \
    0020008808$so_pin 00200088 0020008807${so_pin:2}
answers "change with the wrong length" "6A80 6700" \
    002400810B3634383231393132333435 002400880F${so_pin}31323334353637
answers "unblock without a new PIN" "9000 63C3" 002C018108$so_pin 00200081
answers "unblock with the SO-PIN of the session" "6985 9000 9000 9000" \
    002C0381 0020008808$so_pin 002C0381 "002C028106$(hex_of "$pin")"
answers "unblock with a wrong SO-PIN" "63CE 9000" 002C0181081111111111111111 002C018108$so_pin
answers "unblock, malformed" "6A88 6A86 6700 6700 6700" 002C008208$so_pin 002C048108$so_pin \
    002C008108$so_pin 002C018109${so_pin}31 002C018107${so_pin:2}

# Options of INITIALIZE: none, reset only, transport PIN.
init=81063634383231398208${so_pin}910103
answers "unblocking not enabled" "9000 6985 6985" "$(initialise 80020000$init)" \
    002C018108$so_pin 002C00810E${so_pin}313131313131
answers "only the counter" "9000 9000 6985" "$(initialise 80020020$init)" \
    002C018108$so_pin 002C00810E${so_pin}313131313131
answers "also with the SO-PIN of the session" "9000 9000 6985" 0020008808$so_pin 002C0381 \
    "002C028106$(hex_of "$pin")"
answers "a SELECT ends that" "9000 9000 6985" 0020008808$so_pin 00A404000BE82B0601040181C31F020100 \
    002C0381
answers "no PIN out of its lengths" "9000 6700 6700 6A80 6A80 9000" \
    "$(initialise 80020001$init)" 002C00810D${so_pin}3131313131 \
    "002C008119${so_pin}$(hex_of 12345678901234567)" "002400810B$(hex_of "$pin")3131313131" \
    "0024008117$(hex_of "$pin")$(hex_of 12345678901234567)" "$verify_pin"
answers "transport PIN" "9000 6984" "$(initialise 80020003$init)" 00200081
answers "must be changed first" "6984 6984 9000 9000" 00200081 "$verify_pin" \
    "002400810C$(hex_of "$pin")313233343536" 00200081
answers "and is an ordinary PIN then" "63C3 9000" 00200081 0020008106313233343536

# Both blocked: the SO-PIN for good, by whatever command it was tried.
wrong_so=1111111111111111
answers "the SO-PIN's tries are one counter" "63CE 63CD 63CC 63CB 63CB" 0020008808$wrong_so \
    "002C00810E${wrong_so}313131313131" 0024008810${wrong_so}$so_pin \
    "$(initialise "8002000181063634383231398208${wrong_so}910103")" 00200088
tries=()
for _ in $(seq 11); do
    tries+=("0020008808$wrong_so")
done
answers "until it is blocked" "63CA 63C9 63C8 63C7 63C6 63C5 63C4 63C3 63C2 63C1 6983 6983" \
    "${tries[@]}" 0020008808$so_pin
answers "for every command" "6983 6983 6983" "002C00810E${so_pin}313131313131" \
    0024008810${so_pin}$wrong_so 00200088
answers "which leaves the user's PIN alone" "9000" 0020008106313233343536
fails "C_InitPIN has no way" p11_so --init-pin --new-pin 765432
check "sc-hsm-tool tells" sc-hsm-tool
says 'SO-PIN locked|SO-PIN tries left *: 0'
