#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# AES keys encrypt, decrypt, authenticate and derive: NIST's vectors, files of any size, and OpenSSL both ways.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=aes.sh
. "$(dirname "$0")/aes.sh"
aes_device

cbc=(--mechanism aes-cbc --iv "$iv")

for bits in 128 192 256; do
    known_key $bits "${keys[$bits]}"
    unhex $plain >message
    check "it encrypts" "${tool[@]}" encrypt id=0$bits message "${cbc[@]}" --out message.$bits
    equal "as NIST says" "${encrypted[$bits]}" "$(hex message.$bits)"
    check "it decrypts" "${tool[@]}" decrypt "label=aes$bits" message.$bits "${cbc[@]}" --out back \
        --overwrite
    same_bytes "to the same" message back
    lens=(0 16 40 64)
    for code in ${codes[$bits]}; do
        unhex "${plain:0:$((2 * lens[0]))}" >message
        equal "the code of ${lens[0]} bytes" "$code" "$("${tool[@]}" mac id=0$bits message)"
        lens=("${lens[@]:1}")
    done
done
key=${keys[256]}

# --- more than a command, and than a buffer, holds ---------------------------------------------------

head -c 100003 /dev/urandom >long
check "long data" "${tool[@]}" encrypt id=0256 long --mechanism aes-cbc-pad --iv "$iv" --out long.cbc
check "as OpenSSL encrypts" plain_openssl enc -aes-256-cbc -K "$key" -iv "$iv" -in long -out long.ours
same_bytes "the same" long.ours long.cbc
"${tool[@]}" decrypt id=0256 --mechanism aes-cbc-pad --iv "$iv" --out - <long.cbc >long.back
same_bytes "through pipes, the same" long long.back
for len in 976 977 992 993 16384 16385 32753 100003; do
    head -c $len long >part
    equal "the code of $len bytes" \
        "$(plain_openssl mac -cipher AES-256-CBC -macopt "hexkey:$key" -in part CMAC | tr A-F a-f)" \
        "$("${tool[@]}" mac id=0256 part)"
done
code=$("${tool[@]}" mac id=0256 long)
check "a code that fits" "${tool[@]}" mac id=0256 long --verify "$code"
fails "one that does not" "${tool[@]}" mac id=0256 message --verify "$code"
says 'the code is another one'

# --- files: CMS, which OpenSSL opens, and makes ------------------------------------------------------

opened() { # FILE: by the default provider alone
    plain_openssl cms -decrypt -inform DER -in "$1" -secretkey "$2" -secretkeyid "$3" -out opened
}
if on_token || on_pico; then commands_of_a_file='<=40'; else commands_of_a_file='<=36'; fi
count "a file is encrypted" "$commands_of_a_file" "${tool[@]}" encrypt id=0256 long --out long.cms
says "Encrypted 100003 bytes with secret key 'aes256': long.cms"
check "OpenSSL opens it" opened long.cms "$key" 0256
same_bytes "and finds the file" long opened
count "it is decrypted" "$commands_of_a_file" "${tool[@]}" decrypt id=0256 long.cms --out long.plain
same_bytes "to the same" long long.plain
equal "for its owner alone" 600 "$(stat -c %a long.plain)"
: >nothing
for bits in 128 192; do
    check "an empty file, $bits bits" "${tool[@]}" encrypt id=0$bits nothing --out nothing.$bits
    check "OpenSSL opens it" opened nothing.$bits "${keys[$bits]}" 0$bits
    same_bytes "and finds nothing" nothing opened
done
check "an empty file" "${tool[@]}" decrypt id=0192 nothing.192 --out nothing.back
same_bytes "comes back" nothing nothing.back
"${tool[@]}" encrypt id=0256 --out - <long | "${tool[@]}" decrypt id=0256 --out - >long.back
same_bytes "through pipes, the same" long long.back

theirs() { # OPTION...: a file of OpenSSL's
    check "OpenSSL encrypts: $*" plain_openssl cms -encrypt -binary -in long -outform DER -out theirs.cms \
        -secretkey "$key" -secretkeyid 0256 "$@"
}
for options in "-aes-256-gcm" "-aes-128-gcm -stream"; do
    # shellcheck disable=SC2086 # several options
    theirs $options
    check "it is decrypted" "${tool[@]}" decrypt id=0256 theirs.cms --out theirs.plain --overwrite
    same_bytes "the same" long theirs.plain
done
check "for another key's id, too" plain_openssl cms -encrypt -binary -in message -outform DER -out theirs.cms \
    -secretkey "$key" -secretkeyid 77 -aes-192-gcm
check "it is decrypted" "${tool[@]}" decrypt id=0256 theirs.cms --out theirs.plain --overwrite
same_bytes "the same" message theirs.plain

# --- what is no such file, or was changed: nothing is written ---------------------------------------------

refused() { # WHAT FILE
    rm -f none
    fails "$1" "${tool[@]}" decrypt id=0256 "$2" --out none
    [ ! -e none ] && ls none.* 2>/dev/null >&2 && fail "$1: something was written"
    "${tool[@]}" decrypt id=0256 "$2" --out - >out 2>/dev/null || true
    equal "$1: nothing on standard output" 0 "$(stat -c %s out)"
}
refused "for another key" nothing.128
says "nothing.128: .*it names AES keys with the ids 0128"
"${tool[@]}" keygen --type aes:256 --id 30 --label other >"$seen"
check "for the other key" "${tool[@]}" encrypt id=30 message --out other.cms
refused "for another key of this length" other.cms
says "for another key than this one, or was changed: it names AES keys with the ids 30"
for at in 5 60 130 50000; do
    cp long.cms changed
    unhex "$(printf %02x $((0x$(hex -j $at -N 1 long.cms) ^ 1)))" |
        dd of=changed bs=1 seek=$at conv=notrunc status=none
    refused "changed at $at" changed
done
size=$(stat -c %s long.cms)
for len in 0 50 60000 $((size - 9)); do
    head -c "$len" long.cms >cut
    refused "cut at $len" cut
done
theirs -aes-256-cbc
refused "without a tag" theirs.cms
says "nobody can tell whether it was changed.*openssl cms -encrypt -aes-256-gcm"
check "in PEM" plain_openssl cms -cmsout -inform DER -in long.cms -outform PEM -out long.pem
refused "in PEM" long.pem
says "openssl cms -cmsout -inform PEM -outform DER"
refused "no CMS" long
refused "not there" /nowhere/file
ends 2 "no initialisation vector" "${tool[@]}" encrypt id=0256 message --mechanism aes-cbc --out none
says "--iv with 32 hexadecimal digits"
ends 1 "no whole blocks" "${tool[@]}" encrypt id=0256 long "${cbc[@]}" --out none
says "aes-cbc takes whole blocks.*aes-cbc-pad"
ends 1 "a file that is there" "${tool[@]}" encrypt id=0256 message --out long
says "long is there already"
ends 1 "no such key" "${tool[@]}" encrypt id=77 message --out none
says "there is no secret key with id 77"
[ ! -e none ] || fail "something was written"

# --- by the token's own tool, both ways ------------------------------------------------------------------

if on_token; then
    theirs_tool() {
        # shellcheck disable=SC2317 # check calls it
        opensc pkcs11-tool --module "$softhsm" --login --pin "$pin" --id 30 "$@"
    }
    head -c 4096 long >blocks
    check "we encrypt with a key made by us" "${tool[@]}" encrypt id=30 blocks "${cbc[@]}" --out blocks.enc
    check "pkcs11-tool decrypts" theirs_tool --decrypt --mechanism AES-CBC --iv "$iv" \
        --input-file blocks.enc --output-file blocks.plain
    same_bytes "the same" blocks blocks.plain
    check "pkcs11-tool encrypts" theirs_tool --encrypt --mechanism AES-CBC --iv "$iv" \
        --input-file blocks --output-file blocks.theirs
    same_bytes "the same" blocks.enc blocks.theirs
    ends 1 "a token derives nothing" "${tool[@]}" derive id=30 --text "something else"
    says "on a SmartCard-HSM only"
    exit 0
fi

# --- derivation ------------------------------------------------------------------------------------------

info="thirty-two bytes for a derivation"
info=${info:0:32}
secret=$("${tool[@]}" derive id=0256 --text "$info")
equal "HKDF, as this device has it" "$secret" "$(plain_openssl kdf -keylen 32 -kdfopt digest:SHA256 \
    -kdfopt "hexkey:$key" -kdfopt "info:$info" HKDF | tr -d : | tr A-F a-f)"
printf %s "$info" >info
check "from a file" "${tool[@]}" derive id=0256 info --out secret
equal "the same" "$secret" "$(hex secret)"
equal "for its owner alone" 600 "$(stat -c %a secret)"
equal "in hexadecimal" "$secret" "$("${tool[@]}" derive id=0256 --hex "$(hex info)")"
ends 2 "said twice" "${tool[@]}" derive id=0256 info --text x
if on_pico; then
    ends 1 "a short secret" "${tool[@]}" derive id=0256 --text short
    says "derives no more bytes than it is given"
fi

# --- what a key permits ----------------------------------------------------------------------------------

check "a key for codes" "${tool[@]}" keygen --type aes:128 --id 40 --algorithms aes-cmac
check "makes one" "${tool[@]}" mac id=40 message
ends 1 "encrypts nothing" "${tool[@]}" encrypt id=40 message --out none
says "permit"
ends 1 "and makes none of a long message" "${tool[@]}" mac id=40 long
says "takes the permission aes-cbc-encrypt"
[ ! -e none ] || fail "something was written"

# --- the card pulled out in the middle -------------------------------------------------------------------

head -c 30000 long >longer
cat longer longer longer >longest
control remove-before skip=30
ends 3 "the card pulled out" "${tool[@]}" encrypt id=0256 longest --mechanism aes-cbc-pad --iv "$iv" --out none
says "removed|no card|gone"
equal "nothing is left" "" "$(find . -name 'none*')"
virtual_hsm insert >/dev/null
killed_at 30 -- "${tool[@]}" encrypt id=0256 longest --mechanism aes-cbc-pad --iv "$iv" --out none ||
    fail "it ended before it could be killed"
equal "nothing is left of a killed program" "" "$(find . -name 'none*')"
before=$(befallen)
control remove-after skip=30
comes_back() {
    while [ "$(befallen)" = "$before" ]; do
        sleep 0.02
    done
    control insert
}
seen=$work/.waited comes_back &
check "pulled out and put back" "${tool[@]}" encrypt id=0256 longest --mechanism aes-cbc-pad --iv "$iv" --out none
wait $!
check "as OpenSSL encrypts" plain_openssl enc -aes-256-cbc -K "$key" -iv "$iv" -in longest -out ours
same_bytes "all is there" ours none

# --- a card with a small buffer -----------------------------------------------------------------------------

if on_pico; then
    exit 0
fi
check "the card goes" virtual_hsm stop
settings=$(virtual_hsm start --profile microsd) || fail "no virtual card"
eval "$settings"
echo "$SC_HSM_VIRTUAL" >"$work/.virtual"
check "a key" "${tool[@]}" keygen --type aes:256 --id 50
head -c 3001 long >part
check "CBC in small pieces" "${tool[@]}" encrypt id=50 part --mechanism aes-cbc-pad --iv "$iv" --out small.cbc
check "and back" "${tool[@]}" decrypt id=50 small.cbc --mechanism aes-cbc-pad --iv "$iv" --out small
same_bytes "the same" part small
head -c 192 part >half
tail -c +193 part >rest
# CMAC by its definition: CBC, and the last block another way; both ways of the card have to agree.
check "CBC of the first half" "${tool[@]}" encrypt id=50 half --mechanism aes-cbc \
    --iv 00000000000000000000000000000000 --out half.cbc
code=$("${tool[@]}" mac id=50 part)
PYTHONDONTWRITEBYTECODE=1 python3 - <<'END'
chain, rest = open("half.cbc", "rb").read()[-16:], bytearray(open("rest", "rb").read())
for i in range(16):
    rest[i] ^= chain[i]
open("rest", "wb").write(rest)
END
check "a code in small pieces" "${tool[@]}" mac id=50 rest --verify "$code"
check "a file" "${tool[@]}" encrypt id=50 part --out small.cms
check "and back" "${tool[@]}" decrypt id=50 small.cms --out small --overwrite
same_bytes "the same" part small
