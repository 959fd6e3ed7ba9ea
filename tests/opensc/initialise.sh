#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm-tool and pkcs11-tool initialise the card; data goes, the device stays.
. "$(dirname "$0")/common.sh"
opensc_card
fresh_card

init() {
    sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" "$@"
}

check "first initialisation" init --label "My Card" --pin-retry 3
check "status" sc-hsm-tool
says 'User PIN tries left *: 3' 'SO-PIN tries left *: 15'
says_nothing_of DKEK
check "the label" pkcs15-tool --list-info
says 'My Card'
device=$(raw_apdus 00B12F02045402000000 | tail -n +3)

echo secret >data
check "data written" p11_user --write-object data --type data --label d --private
check "a key made" p11_user --keypairgen --key-type EC:prime256v1 --id 10 --label k
check "initialised again" init --dkek-shares 2
check "everything is gone" p11_user --list-objects
says_nothing_of 'label'
check "even the label" pkcs15-tool --list-info
says_nothing_of 'My Card'
equal "the device certificates are the same" "$device" \
    "$(raw_apdus 00B12F02045402000000 | tail -n +3)"
check "shares are asked for" sc-hsm-tool
says 'DKEK shares *: 2' 'import pending, 2 share'

# sc-hsm-tool ends with 0 here, whatever it says
check "a wrong SO-PIN" sc-hsm-tool --initialize --so-pin 1111111111111111 --pin 123456
says 'PIN code or key incorrect'
check "costs a try" sc-hsm-tool
says 'SO-PIN tries left *: 14'
check "and the right one gives it back" init
check "status" sc-hsm-tool
says 'SO-PIN tries left *: 15'

check "C_InitToken" p11 --init-token --slot-index 0 --so-pin "$so_pin" --label Token
check "C_InitPIN" p11_so --init-pin --new-pin 987654
check "the new PIN opens" p11 --login --pin 987654 --list-objects
check "the label" p11 --list-slots
says 'token label *: Token'

# INITIALIZE, byte by byte; nothing malformed costs a try.
O=80020001 P=8106363438323139 S=8208$so_pin
# refused WHAT OBJECTS
refused() {
    answers "$1" 6A80 "$(initialise "$2")"
}
refused "options are needed" $P$S
refused "the SO-PIN is needed" $O$P
refused "no PIN and no public keys" $O$S
refused "an unknown object" $O$P${S}990103
refused "an object twice" $O$P$S$O
refused "an object cut off" $O$P${S}9102
refused "6 characters allow no more than 3 tries" $O$P${S}910104
refused "no try at all" $O$P${S}910100
refused "DKEK and key domains together" $O$P${S}920101970101
refused "more public keys needed than there are" $O$P${S}93020203
refused "a PIN of 5 characters" ${O}81053634383231$S
refused "an SO-PIN of 7 bytes" $O${P}820735373632313838
refused "options that are none" 8002F001$P$S
answers "P1" 6A86 8050010000
answers "all is as before" 63CF 00200088
answers "public keys besides the PIN" "9000 9000 9000 6300 9000 9000" "$(initialise $O$P${S}93020302)" \
    00200081 00A404000BE82B0601040181C31F020100 00200081 "$verify_pin" 00200081
answers "public keys and the PIN" "9000 9000 6300 9000 6300 6982" \
    "$(initialise 80020011$P${S}93020302)" 00A404000BE82B0601040181C31F020100 00200081 \
    "$verify_pin" 00200081 00D7CF0007540200005301AA
check "sc-hsm-tool asks for public keys" sc-hsm-tool --initialize --so-pin "$so_pin" \
    --pin "$pin" --public-key-auth 3 --required-pub-keys 2
check "and tells of them" sc-hsm-tool
says 'public key authentication'
answers "key domains" "9000 6A88 6A88 6A86 9000 6A89 9000 6A88" \
    "$(initialise $O$P${S}970102)" 8052000000 8052000100 8052000200 \
    80520101010300 80520101010300 80520301 8052000100
answers "initialising logs in for the session" "9000 9000 9000" \
    "$(initialise $O$P$S)" 00200081 00D7CF0007540200005301AA

# The SO-PIN, once blocked, is blocked for good.
tries=()
for _ in $(seq 15); do
    tries+=("$(initialise $O${P}82081111111111111111)")
done
answers "15 tries" "63CE 63CD 63CC 63CB 63CA 63C9 63C8 63C7 63C6 63C5 63C4 63C3 63C2 63C1 6983" \
    "${tries[@]}"
answers "blocked" "6983 6983" "$(initialise $O$P$S)" 00200088
virtual_hsm remove >/dev/null
virtual_hsm insert >/dev/null
answers "also tomorrow" "6983" "$(initialise $O$P$S)"
