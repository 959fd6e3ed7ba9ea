#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm-tool exports the public keys of three cards and registers them on a fourth.
. "$(dirname "$0")/common.sh"
opensc_card --cards 4
# As it comes, OpenSC sees four readers, and each card's has two slots.
echo 'app opensc-pkcs11 { pkcs11 { slots_per_card = 1; max_virtual_slots = 16; } }' >opensc.conf
export OPENSC_CONF=$work/opensc.conf

# sc_hsm_tool CARD OPTION...
sc_hsm_tool() {
    local card=$1
    shift
    sc-hsm-tool --reader $((2 * (card - 1))) "$@"
}

# public_keys TOTAL MISSING REQUIRED: what --public-key-auth-status says.
public_keys() {
    check "the status" sc_hsm_tool 1 --public-key-auth-status
    says "Number of public keys: *$1\$" "Missing public keys: *$2\$" \
        "Required pubkeys for auth: *$3\$" 'Authenticated public keys: *0$'
}

for card in 2 3 4; do
    check "a key of holder $card" p11_user --slot-index $((2 * (card - 1))) --keypairgen \
        --key-type EC:prime256v1 --id 10 --label auth
    check "its file" sc_hsm_tool $card --export-for-pub-key-auth $card.pka --key-reference 1
done
fails "not set up for it" sc_hsm_tool 1 --public-key-auth-status
fails "no registration then" sc_hsm_tool 1 --register-public-key 2.pka
check "a card for three keys" sc_hsm_tool 1 --initialize --so-pin "$so_pin" --pin "$pin" \
    --public-key-auth 3 --required-pub-keys 2
public_keys 3 3 2
check "what the tool says of it" sc_hsm_tool 1
says 'Public key authentication active'

head -c 300 2.pka >cut.pka
fails "a file that is cut" sc_hsm_tool 1 --register-public-key cut.pka
python3 -c 'd = bytearray(open("2.pka", "rb").read()); d[300] ^= 1; open("bad.pka", "wb").write(d)'
fails "a file with a byte changed" sc_hsm_tool 1 --register-public-key bad.pka
public_keys 3 3 2
for card in 2 3 4; do
    check "holder $card is registered" sc_hsm_tool 1 --register-public-key $card.pka
    public_keys 3 $((4 - card)) 2
done
fails "a fourth key" sc_hsm_tool 1 --register-public-key 2.pka
says 'not enough memory|no space'
virtual_hsm remove >/dev/null
virtual_hsm insert >/dev/null
public_keys 3 0 2
