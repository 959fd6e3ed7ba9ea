#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DKEK shares: the card counts them, and sc-hsm-tool shows the right key check value. (Those in files,
# whose passwords take sc-hsm-tool a quarter of a minute each: tests/tool/password-shares.sh.)
. "$(dirname "$0")/common.sh"
opensc_card

check "two shares wanted" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" --dkek-shares 2
# A5.. and E1.. give the key 44..
a5=$(printf 'A5%.0s' $(seq 32)) e1=$(printf 'E1%.0s' $(seq 32))
answers "malformed shares" "6700 6700" "805200001F${a5:2}00" 80520000010100
check "first share" raw_apdus "8052000020${a5}00"
says '^02 01 00 00 00 00 00 00 00 00'
check "sc-hsm-tool" sc-hsm-tool
says 'DKEK shares *: 2' '1 share'
check "second share" raw_apdus "8052000020${e1}00"
says '^02 00 BB 39 14 15 C0 5E 39 D7'
check "sc-hsm-tool" sc-hsm-tool
says 'key check value *: BB391415C05E39D7'
answers "no third one" "6985 9000" "8052000020${e1}00" 8052000000
answers "the key can be cleared" "6982 9000 9000" 8052040000 "$verify_pin" 8052040000
check "then shares are wanted again" raw_apdus 8052000000
says '^02 02 00 00 00 00 00 00 00 00'

check "one share" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" --dkek-shares 1
check "comes" raw_apdus "8052000020${a5}00"
check "sc-hsm-tool" sc-hsm-tool
says 'key check value *: [0-9A-F]{16}'
value=$(sed -n 's/.*key check value *: *//Ip' "$seen")
virtual_hsm remove >/dev/null
virtual_hsm insert >/dev/null
check "kept without power" sc-hsm-tool
says "key check value *: $value"

check "a key that the card chooses" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" \
    --dkek-shares 0
check "has a check value at once" raw_apdus 8052000000
says '^00 00 '
says_nothing_of '^00 00 00 00 00 00 00 00 00 00'
