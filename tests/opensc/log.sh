#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --log: one line for each command and each answer, and no secret in any of them.
. "$(dirname "$0")/common.sh"
opensc_card
: >"$card_log"
raw_apdus "$verify_pin" "0024008112$(hex_of "$pin")$(hex_of 987654321012)" \
    002C018108$so_pin "002C00810E${so_pin}$(hex_of "$pin")" 0084000008 >/dev/null 2>&1
check "a key" p11_user --keypairgen --key-type rsa:2048 --id 10 --label k
check "its public key" pkcs15-tool --read-public-key 10 --output pub.pem
printf 'a plaintext that nobody may see' >secret
plain_openssl pkeyutl -encrypt -pubin -inkey pub.pem -in secret -out c
check "decrypted" p11_user --decrypt --id 10 --mechanism RSA-PKCS --input-file c \
    --output-file plain
same_bytes "well" secret plain
share=$(printf '5C%.0s' $(seq 32))
raw_apdus "$(initialise "800200018106363438323139""8208${so_pin}910103920101")" \
    "8052000020${share}00" "$verify_pin" 004805B2 "8078051010$(hex_of 'sixteen secret b')00" \
    >/dev/null 2>&1
cp "$card_log" log
cp log "$seen"
says '^> 00A404000BE82B0601040181C31F0201' '^< 621E8102.* 9000$' '^> 0020008106\[6 bytes hidden\]$' \
    '^> 0024008112\[18 bytes hidden\]$' '^> 002C018108\[8 bytes hidden\]$' \
    '^> 805000001C\[28 bytes hidden\]$' '^> 8052000020\[32 bytes hidden\]00$' \
    '^< \[256 bytes hidden\] 9000$' '^> 80620121000100' \
    '^> 8078051010\[16 bytes hidden\]00$' '^< \[16 bytes hidden\] 9000$'
says_nothing_of "$(hex_of "$pin")" "$so_pin" "$(hex_of 987654)" "$share" "$(hex_of 'a plaintext')" \
    "$(hex_of 'sixteen')"
equal "as many answers as commands" "$(grep -c '^> ' log)" "$(grep -c '^< ' log)"
equal "and nothing else" "" "$(grep -v '^[<>] ' log || true)"
: >"$card_log"
raw_apdus 00200081 0084000008 >/dev/null 2>&1
equal "SELECT three times by OpenSC and by us, and two commands" 2 \
    "$(grep -cE '^> (00200081|0084000008)$' "$card_log")"
