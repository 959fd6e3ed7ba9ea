#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm backs a device up and restores it onto another
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

virtual_cards 3
PATH=$SC_HSM_BUILD/bin:$PATH
read -r first second third <<<"$(tr '\n' ' ' <"$SC_HSM_VIRTUAL/serials")"
printf %s "$so_pin" >so-pin
printf %s "$pin" >pin

# on SERIAL ARGUMENT...: the tool on that device.
on() {
    local serial=$1
    shift
    sc-hsm --serial "$serial" --pin-source file:pin --so-pin-source file:so-pin "$@"
}

printf correct-horse >share-password

# Two shares under that password: 32 times the byte 44, and 32 times 55. A share takes seconds to
# open, so the devices get theirs in the clear.
base64 -d <<<U2FsdGVkX19zYWx0c2FsdIJroh6Xor7lWe3kOUKYaVf6dtdFSNtPX/6HGNC4RFhbtAIUSn9Z+4HusCRP7eLkfA== \
    >share.pbe
base64 -d <<<U2FsdGVkX19TQUxUc2FsdI+taA7RAnvoc2oc+D3ng1uzG/KBCUXDyBP988lZjsyB6ujzmUBxkc9i8e2mH5mw0Q== \
    >other.pbe
kcv=bb391415c05e39d7 # of the first one

# new_device SERIAL BYTE: initialised, with a DKEK whose one share is that byte 32 times.
new_device() {
    local share
    share=$(printf "$2%.0s" {1..32})
    check "$1 is initialised for a DKEK" on "$1" init --yes --dkek-shares 1
    check "its share is imported" sc-hsm --serial "$1" apdu --yes - <<<"8052000020$share"
    says 9000
}

# public_keys SERIAL: all its key pairs, as text that can be compared.
public_keys() {
    local id
    for id in 10 20 21; do
        on "$1" pubkey "id=$id"
    done
}

new_device "$first" 44
new_device "$second" 44
new_device "$third" 55

check "an RSA key" on "$first" keygen --type rsa:2048 --id 10 --label web
check "an EC key" on "$first" keygen --type ec:brainpoolP256r1 --id 20 --label 'with space'
check "another" on "$first" keygen --type ec:P-521 --id 21 --label web
check "an AES key" on "$first" keygen --type aes:256 --id 30 \
    --label $'no UTF-8: \xe9'
check "a key that stays" on "$first" keygen --type ec:P-256 --id 40 --label stays --algorithms 70
check "a certificate for the RSA key" openssl req -x509 -new -subj /CN=backup -days 9 \
    -key "sc-hsm:serial=$first;id=10" -out web.crt
check "which is stored" on "$first" cert import web.crt
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
    -subj /CN=authority -out ca.crt 2>/dev/null
check "a certificate without a key" on "$first" cert import ca.crt --ca --label authority
head -c 4000 /dev/urandom >content
check "a data object" on "$first" data write content --label content
check "a private data object" on "$first" data write pin --label private --private

# --- backup ----------------------------------------------------------------------------------

mkdir other
echo '{}' >other/manifest.json
fails "a folder with something else" on "$first" backup other
says "other/manifest.json: the manifest is not that of a backup"
echo 111111 >wrong-pin
fails "a wrong PIN" sc-hsm --serial "$first" --pin-source file:wrong-pin backup never
says "PIN" "2 tries"
[ ! -e never ] || fail "a wrong PIN left a folder behind"
check "a backup" on "$first" backup saved
says "key 'web' \(key reference 1\): saved" "key 'stays' .*: NOT SAVED" "in saved: 6 objects" \
    "stays.*does not permit export" "data 'private': NOT SAVED: it is private"
equal "the folder is its owner's alone" 700 "$(stat -c %a saved)"
equal "so are its files" 600 "$(stat -c %a saved/* | sort -u)"
fails "a complete backup is not changed" on "$first" backup saved
says "complete backup of 20"
fails "nor is it another device's" on "$second" backup saved
says "holds a backup of device $first, and this is $second"
check "a backup with private data" on "$first" --json backup --private-data with-private
says '"saved": 7'
same_bytes "which is in it" pin with-private/data-cd01.bin

# OpenSC's tool reads the same files.
unwraps "sc-hsm-tool unwraps a key of the backup" sc-hsm-tool --reader 2 --pin "$pin" \
    --unwrap-key saved/key-001.bin --key-reference 7
check "pkcs15-tool sees it" pkcs15-tool --reader 2 --read-certificate 10
says "BEGIN CERTIFICATE"
check "it is deleted again" on "$second" delete --yes 'type=private;id=10'

# --- restore ---------------------------------------------------------------------------------

before=$(on "$third" ls)
fails "another DKEK is refused" on "$third" restore saved
says "nothing was written" "$kcv" "$third"
equal "before anything is written" "$before" "$(on "$third" ls)"

check "the taken id" on "$second" keygen --type ec:P-256 --id 20 --label another
before=$(on "$second" ls)
fails "an id that another key has is refused" on "$second" restore saved
says "nothing was written: the id of the backup's key 'with space'"
equal "before anything is written, too" "$before" "$(on "$second" ls)"
check "the other key goes" on "$second" delete --yes 'type=private;id=20'
before=$(on "$second" ls)

for damage in 'truncate -s -1' 'truncate -s 0' 'rm' 'sed -i s/./x/40'; do
    rm -rf damaged
    cp -r saved damaged
    $damage damaged/key-002.bin
    fails "a damaged file is told: $damage" on "$second" restore damaged
    says "key 'with space' .*: NOT RESTORED: .*damaged/key-002.bin" ", 1 NOT RESTORED" \
        "1 object could not be restored"
done
says "0 restored, 5 there already"
new_device "$second" 44
before=$(on "$second" ls)
sed -i 's/"file": "key-001.bin"/"file": "..\/key-001.bin"/' damaged/manifest.json
fails "a manifest that points elsewhere" on "$second" restore damaged
says "member 'file' is missing or wrong"
equal "nothing was written" "$before" "$(on "$second" ls)"

check "a restore" on "$second" restore saved
says "6 restored, 0 there already, 2 never were in the backup"
equal "the public keys are the same" "$(public_keys "$first")" "$(public_keys "$second")"
echo message >message
for id in 10 20 21; do
    check "key $id signs on the second device" openssl dgst -sha256 \
        -sign "sc-hsm:serial=$second;id=$id;type=private" -out signature message
    on "$first" pubkey "id=$id" --out public.pem
    check "what the first device's public key verifies" plain_openssl dgst -sha256 \
        -verify public.pem -signature signature message
    rm public.pem
done
check "the certificate is there" on "$second" cert export 'id=10;type=cert' --out exported.crt
same_bytes "as it was" <(plain_openssl x509 -in web.crt -outform DER) \
    <(plain_openssl x509 -in exported.crt -outform DER)
check "the data is there" on "$second" data read label=content --out content.restored
same_bytes "as it was" content content.restored
check "a second restore" on "$second" restore saved
says "0 restored, 6 there already"
check "the first device itself has it all" on "$first" --json restore saved
says '"present": 6'

# --- without a device ------------------------------------------------------------------------

# Each use of a share's password takes seconds, more with sanitizers; on a Pico HSM it is enough to
# decrypt.
if ! on_pico; then
    check "the backup opens with its share" sc-hsm backup verify saved --share share.pbe \
        --password-source file:share-password
    says "key 'web' \(key reference 1\): good" "key 'no UTF-8: .' .*: good" "key 'stays' .*: not in" \
        "The complete backup of device $first .* is good: 4 keys"
fi
if ! on_pico && [ -z "${SC_HSM_ASAN:-}" ]; then
    fails "not with another" sc-hsm backup verify saved --share other.pbe \
        --password-source file:share-password
    says "key 'web' .* in saved/key-001.bin" "$kcv"
fi
fails "nor without any" sc-hsm backup verify saved
says "every share"
fails "a damaged backup" sc-hsm backup verify damaged --share share.pbe \
    --password-source file:share-password
says damaged
printf another-password >new-password
decrypt=(sc-hsm decrypt-backup saved --share share.pbe --password-source file:share-password
    --new-password-source file:new-password)
fails "keys are not decrypted unasked" setsid "${decrypt[@]}" --out decrypted
says "leave the protection of the device for ever" "AES keys are written without any encryption"
[ ! -e decrypted ] || fail "there are decrypted keys all the same"
check "but when it is confirmed" "${decrypt[@]}" --out decrypted --yes
equal "for their owner alone" 600 "$(stat -c %a decrypted/* | sort -u)"
for ref in 1 2 3; do
    check "OpenSSL reads key $ref" plain_openssl pkey -in "decrypted/key-00$ref.pem" \
        -passin file:new-password -pubout -out decrypted.pub
    on "$first" pubkey "key-ref=$ref" --out public.pem --overwrite
    same_bytes "which is the device's" public.pem decrypted.pub
done
equal "the AES key has its bytes" 32 "$(stat -c %s decrypted/key-004.aes)"

# --- interruptions ---------------------------------------------------------------------------

# is_whole FOLDER: everything that the manifest names is there as it says.
is_whole() {
    python3 - "$1" <<'PYTHON'
import hashlib, json, os, sys
if os.path.exists(sys.argv[1] + "/manifest.json"):
    for entry in json.load(open(sys.argv[1] + "/manifest.json"))["objects"]:
        if entry["file"]:
            content = open(sys.argv[1] + "/" + entry["file"], "rb").read()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry
PYTHON
}

# killed_after SECONDS COMMAND...: whether it had to be killed.
killed_after() {
    local limit=$1
    shift
    ! { timeout -s KILL "$limit" "$@" >"$seen" 2>&1; } 2>/dev/null
}

killed=0
for _ in {1..12}; do
    if killed_after "0.0$((RANDOM % 90 + 10))" sc-hsm --serial "$first" --pin-source file:pin \
        backup killed; then
        killed=$((killed + 1))
        is_whole killed || fail "the manifest names a file that is not whole"
    else
        rm -rf killed
    fi
done 2>/dev/null
echo "$killed backups were killed"
# The last one may have been killed when all was done.
if grep -q '"complete": true' killed/manifest.json 2>"$seen"; then
    rm -rf killed
fi
check "the next run completes the backup" on "$first" backup killed
equal "nothing unfinished is left" "" "$(find killed -name '*.??????')"

new_device "$second" 44
killed=0
for _ in {1..40}; do
    if killed_after "0.$(printf %02d $((RANDOM % 25 + 3)))" sc-hsm --serial "$second" \
        --pin-source file:pin restore killed; then
        killed=$((killed + 1))
    else # all is there: make room for the next ones
        on "$second" delete --yes 'type=private;id=20' >"$seen" 2>&1
        on "$second" delete --yes 'type=secret;id=30' >"$seen" 2>&1
    fi
done 2>/dev/null
echo "$killed restores were killed"
check "the next run completes the restore" on "$second" restore killed
equal "the public keys are the same" "$(public_keys "$first")" "$(public_keys "$second")"
check "there are as many objects as before" on "$second" list
equal "no half-written object counts as one" 7 "$(grep -c "sc-hsm:" "$seen")"
