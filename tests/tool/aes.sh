# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What tests of AES keys start from, beside interruption.sh: a device, and keys and messages of NIST's.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/tool/interruption.sh
. "$here/interruption.sh"

# aes_device: this test's device, and the tool that uses it.
aes_device() {
    if on_token; then
        softhsm_token
        echo "$pin" >pin
        tool=(sc-hsm --pkcs11-module "$softhsm" --pin-source file:pin)
    else
        dkek_card
        tool=(sc-hsm --pin-source file:pin)
    fi
}

# hex [FILE] and unhex DIGITS: bytes as digits, and back.
hex() {
    od -An -v -tx1 "$@" | tr -d ' \n'
}
unhex() {
    local at escaped=
    for ((at = 0; at < ${#1}; at += 2)); do
        escaped+="\\x${1:at:2}"
    done
    printf %b "$escaped"
}

# known_key BITS HEX: puts this key on the device, with the bits as its id and label aesBITS; it comes
# wrapped under the DKEK and described, or as a new object of the token.
known_key() {
    if on_token; then
        unhex "$2" >value
        check "a key of $1 bits" opensc pkcs11-tool --module "$softhsm" --login --pin "$pin" \
            --write-object value --type secrkey --key-type "AES:$(($1 / 8))" --id "0$1" \
            --label "aes$1" --usage-sign --usage-decrypt --private
        return
    fi
    PYTHONPATH=$here/../opensc PYTHONDONTWRITEBYTECODE=1 OPENSSL_CONF=/dev/null python3 - "$1" "$2" \
        >wrapped <<'END'
import sys
from blob import AES, Kek, plaintext
from requests import tlv
bits, key = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
# section 10.4
description = tlv(0xA8, tlv(0x30, tlv(0x0C, b"aes%d" % bits)) +
                  tlv(0x30, tlv(4, bytes.fromhex("0%d" % bits)) + b"\3\3\7\xC0\x10") +
                  tlv(0xA0, tlv(0x30, tlv(2, bits.to_bytes(2, "big")))))
blob = Kek(b"\x44" * 32).seal(AES, plaintext(AES, 0, [key]))
sys.stdout.buffer.write(tlv(0x30, tlv(4, blob) + description))
END
    check "a key of $1 bits" "${tool[@]}" unwrap wrapped
}

# --- NIST SP 800-38A F.2, SP 800-38B D.1 to D.3 -----------------------------------------------------

# shellcheck disable=SC2034  # for the tests
declare -A keys=(
    [128]=2b7e151628aed2a6abf7158809cf4f3c
    [192]=8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b
    [256]=603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4)
# shellcheck disable=SC2034
declare -A encrypted=(
    [128]=7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7
    [192]=4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd
    [256]=f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b)
# over 0, 16, 40 and 64 bytes of the message
# shellcheck disable=SC2034
declare -A codes=(
    [128]="bb1d6929e95937287fa37d129b756746 070a16b46b4d4144f79bdd9dd04a287c dfa66747de9ae63030ca32611497c827 51f0bebf7e3b9d92fc49741779363cfe"
    [192]="d17ddf46adaacde531cac483de7a9367 9e99a7bf31e710900662f65e617c5184 8a1de5be2eb31aad089a82e6ee908b0e a1d5df0eed790f794d77589659f39a11"
    [256]="028962f61b7bf89efc6b551f4667d983 28a7023f452e8f82bd4bf28d8c37c35c aaf3d8f1de5640c232f5b169b9c911e6 e1992190549f6ed5696a2c056c315410")
# shellcheck disable=SC2034
plain=6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710
# shellcheck disable=SC2034
iv=000102030405060708090a0b0c0d0e0f
