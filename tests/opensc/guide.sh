#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OpenSC's guide to the SmartCard-HSM, as far as no other test goes: pkcs15-init makes keys,
# pkcs15-tool dumps them, opensc-explorer walks about, sc-hsm-tool initialises with every option.
. "$(dirname "$0")/common.sh"
opensc_card

p15() {
    pkcs15-init --auth-id 01 --pin "$pin" --verify-pin "$@"
}

check "a label" sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" --label "My Card"
check "pkcs15-init makes an RSA key" p15 --generate-key rsa/2048 --id 11 --label web
check "and an EC key" p15 --generate-key ec/prime256v1 --id 12 --label ec
check "pkcs15-tool dumps what is there" pkcs15-tool --dump
says '^PKCS#15 Card \[My Card\]:' "Serial number +: $serial" \
    'Manufacturer ID: www.CardContact.de' \
    '^PIN \[UserPIN\]' 'Flags +: \[0x812\], local, initialized, exchangeRefData' \
    'Length +: min_len:6, max_len:15' 'Reference +: 129 \(0x81\)' 'Tries left +: 3' \
    '^PIN \[SOPIN\]' 'Reference +: 136 \(0x88\)' 'Tries left +: 15' \
    'Path +: e82b0601040181c31f0201::' \
    '^Private RSA Key \[web\]' 'ModLength +: 2048' 'Key ref +: 1 \(0x01\)' \
    '^Private EC Key \[ec\]' 'FieldLength +: 256' 'Key ref +: 2 \(0x02\)' \
    'Access Flags +: \[0x1D\], sensitive, alwaysSensitive, neverExtract, local' \
    '^Public RSA Key \[web\]' '^Public EC Key \[ec\]' 'Auth ID +: 01' '^[[:space:]]ID +: 11'

plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=guide -out ca.pem 2>"$seen"
check "pkcs15-init stores a certificate" p15 --store-certificate ca.pem --id 20 --label root
check "pkcs15-tool lists it" pkcs15-tool --list-certificates
says 'X.509 Certificate \[root\]'
check "and gives it back" pkcs15-tool --read-certificate 20 --output back.pem
equal "the same" "$(plain_openssl x509 -in ca.pem -outform DER | sha256sum)" \
    "$(plain_openssl x509 -in back.pem -outform DER | sha256sum)"
echo "some data" >data
check "pkcs15-init stores data" p15 --store-data data --application-name guide --label notes
check "pkcs15-tool lists it" pkcs15-tool --list-data-objects
says 'notes'

check "opensc-explorer lists the files" explore ls
says '^ *2F02[[:space:]]+wEF +[0-9]+$' '^ *CE01[[:space:]]+wEF' '^ *C401[[:space:]]+wEF' \
    '^ *CE02[[:space:]]+wEF' '^ *C402[[:space:]]+wEF'
check "and shows one" explore 'info 2F02' 'cat 2F02'
says 'Working Elementary File +ID 2F02' 'File path: +3F00/2F02' 'File size: +4[0-9]{2} bytes' \
    'EF structure: +Transparent' '^00000000: 7F 21 81 '

# sc-hsm-tool says what it has against a command, and ends with 0 for some of it.
init() {
    sc-hsm-tool --initialize --so-pin "$so_pin" "$@"
}
check "7 characters allow 5 tries" init --pin 1234567 --pin-retry 5
says_nothing_of failed
fails "no more" init --pin 1234567 --pin-retry 6
says 'Retry counter must not exceed 5'
check "8 characters allow 10 tries" init --pin 12345678 --pin-retry 10
says_nothing_of failed
check "which the status tells" sc-hsm-tool
says 'User PIN tries left +: 10'
check "the dump" pkcs15-tool --dump
equal "everything else is gone" "" "$(grep -E '^Private|^X.509|My Card' "$seen" || true)"
for left in 9 8 7; do
    fails "a wrong PIN" p11 --login --pin 99999999 --list-objects
    equal "leaves $left" "$left" "$(status_words 00200081 | tr -d '\n' | sed 's/63C//; s/A/10/')"
done
check "16 characters are the most" init --pin 1234567890123456
says_nothing_of failed
answers "they open" "9000" "0020008110$(hex_of 1234567890123456)"
check "biometric servers are named" init --pin "$pin" --bio-server1 A000000001 \
    --bio-server2 A000000002
says_nothing_of failed
answers "and there are no templates" "6A88 6A88" 00200085 00200086
check "so that the PIN is asked for as ever" p11_user --list-objects
check "and nothing is said of session PINs" sc-hsm-tool
says_nothing_of 'session'

# The transport PIN, by its user.
answers "a transport PIN" "9000 6984" \
    "$(initialise "800200038106$(hex_of "$pin")8208${so_pin}910103")" 00200081
check "sc-hsm-tool tells of it" sc-hsm-tool
says 'transport'
fails "it opens nothing" p11_user --keypairgen --key-type EC:prime256v1 --id 10
answers "before it is changed" "9000" "002400810C$(hex_of "$pin")$(hex_of 123456)"
check "the new one opens" p11 --login --pin 123456 --list-objects
check "and sc-hsm-tool knows" sc-hsm-tool
says 'User PIN tries left +: 3'
