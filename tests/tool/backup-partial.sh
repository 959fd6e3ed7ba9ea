#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One bad object stops no backup, restore or check, and what they call complete comes back
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
virtual_cards 2
PATH=$SC_HSM_BUILD/bin:$PATH
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
printf %s "$so_pin" >so-pin
printf %s "$pin" >pin
printf correct-horse >share-password
# 32 times the byte 44, under that password
base64 -d <<<U2FsdGVkX19zYWx0c2FsdIJroh6Xor7lWe3kOUKYaVf6dtdFSNtPX/6HGNC4RFhbtAIUSn9Z+4HusCRP7eLkfA== \
    >share.pbe
with_share=(--share share.pbe --password-source file:share-password)

# on N COMMAND...: the tool with card N; raw N HEX...: commands to it, logged in.
on() {
    sc-hsm --serial "${serials[$1 - 1]}" --pin-source file:pin --so-pin-source file:so-pin "${@:2}"
}
raw() {
    local card=$1
    shift
    printf '%s\n' "0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" "$@" |
        on "$card" apdu --yes -
}
new_device() {
    check "card $1 is initialised for a DKEK" on "$1" init --yes --dkek-shares 1
    check "its share is imported" sc-hsm --serial "${serials[$1 - 1]}" apdu --yes - \
        <<<"8052000020$(printf '44%.0s' {1..32})"
    says 9000
}
# keys_of N: how many keys the card lists.
keys_of() {
    json 'len([o for o in d["objects"] if o["type"] in ("private", "secret")])' listed "$1" --json
}
# listed N: what the list shows; its status tells of the nonsense on the card.
listed() {
    on "$1" "${@:2}" list --policy || [ $? = 1 ]
}
# manifest FOLDER EXPRESSION: over the manifest `d`.
manifest() {
    python3 -c 'import json, sys
d = json.load(open(sys.argv[1] + "/manifest.json"))
print(eval(sys.argv[2]))' "$@"
}
new_device 1
new_device 2

# --- nothing to save -------------------------------------------------------------------------

ends 1 "an empty device" on 1 backup nothing
says "nothing was saved"
check "a key that stays" on 1 keygen --type ec:P-256 --id 40 --key-ref 40 --label stays \
    --algorithms 70
fails "nothing that may leave" on 1 backup nothing
says "nothing was saved.*does not permit export"

# --- objects of all states -------------------------------------------------------------------

check "an RSA key" on 1 keygen --type rsa:1024 --id 10 --key-ref 1 --label web
check "an EC key" on 1 keygen --type ec:P-256 --id 20 --key-ref 2 --label scrawled
check "its description goes" raw 1 00E4020002C402
check "nonsense in its place" raw 1 00D7C4020A540200005304DEADBEEF
check "an RSA key without description and request" on 1 keygen --type rsa:1024 --id 30 \
    --key-ref 3 --label bare
check "which go" raw 1 00E4020002C403 00E4020002CE03
check "a counted key" on 1 keygen --type ec:P-256 --id 50 --key-ref 5 --label counted \
    --use-count 3
check "an EC key behind them" on 1 keygen --type ec:brainpoolP256r1 --id 60 --key-ref 6 \
    --label behind
check "an AES key" on 1 keygen --type aes:256 --id 70 --key-ref 7 --label vault
check "a certificate for the key that stays" openssl req -x509 -new -subj /CN=stays -days 9 \
    -key "sc-hsm:serial=${serials[0]};id=40" -out stays.crt
check "which is stored" on 1 cert import stays.crt
check "one for the RSA key" openssl req -x509 -new -subj /CN=web -days 9 \
    -key "sc-hsm:serial=${serials[0]};id=10" -out web.crt
check "which is stored" on 1 cert import web.crt
check "data" on 1 data write pin --label content
for id in 10 60; do
    check "the public key of $id" on 1 pubkey "id=$id" --out "$id.pub"
done

# --- other people's files --------------------------------------------------------------------

mkdir theirs
for file in data-x.sqlite key-001.bin.sha256 key-notes.backup manifest.json.sqlite; do
    echo theirs >"theirs/$file"
done
echo theirs >theirs/key-001.bin
# theirs_are_there: none of their files is gone or another one by now.
theirs_are_there() {
    local file
    for file in data-x.sqlite key-001.bin.sha256 key-notes.backup manifest.json.sqlite; do
        equal "theirs: $file" theirs "$(cat "theirs/$file" 2>&1)"
    done
}
ends 1 "a folder with a key-001.bin of theirs" on 1 backup theirs
says "theirs/key-001.bin is there"
theirs_are_there
equal "theirs is as it was" theirs "$(cat theirs/key-001.bin)"
rm theirs/key-001.bin

# --- backup ----------------------------------------------------------------------------------

# The first key with a failure of its own: all others are saved.
virtual_hsm control 1 status 6F00 ins=72 skip=1 >/dev/null
fails "one key cannot be wrapped" on 1 backup theirs
says "key 'web' .*: NOT SAVED: .*6F00" "key 'behind' .*: saved" "data 'content': saved" \
    "1 object could not be saved, so the backup in theirs is incomplete: key 'web'"
theirs_are_there
equal "it is incomplete" False "$(manifest theirs 'd["complete"]')"
fails "restore says so" on 2 restore theirs
says "incomplete"
virtual_hsm control 1 status 6984 ins=72 skip=1 >/dev/null
check "a key whose uses are gone ends nothing" on 1 backup dead
says "key 'web' .*: NOT SAVED: .*use counter is exhausted" "key 'behind' .*: saved"

check "the same again completes it" on 1 backup theirs
says "key 'web' .*: saved" "key 'behind' .*: there already" "key 'counted' .*: NOT SAVED: .*use counter" \
    "key 'stays' .*: NOT SAVED" "certificate 'stays' of key reference 40: saved"
theirs_are_there
equal "it is complete" True "$(manifest theirs 'd["complete"]')"
# The certificate of a key that stays is there as it is.
same_bytes "the certificate of the key that stays" theirs/certificate-key-040.der \
    <(plain_openssl x509 -in stays.crt -outform DER)
check "the counter is where it was" listed 1
says "3 uses left.*counted|counted.*3 uses left"
check "counted keys are saved where that is wished" on 1 backup counted --counted-keys
says "key 'counted' .*: saved"
check "for one use" listed 1
says "2 uses left.*counted|counted.*2 uses left"

# --- onto the same device --------------------------------------------------------------------

before=$(keys_of 1)
check "restored onto the same device" on 1 restore theirs
says "0 restored, 7 there already"
equal "no key is doubled" "$before" "$(keys_of 1)"
sleep 1.1 # a certificate's time has seconds
check "the certificate is renewed" openssl req -x509 -new -subj /CN=web -days 99 \
    -key "sc-hsm:serial=${serials[0]};id=10" -out renewed.crt
check "which is stored" on 1 cert import renewed.crt --replace --yes
check "then as well" on 1 restore theirs
says "key 'web' .*: there already, with a newer certificate" "0 restored, 7 there already"
check "the new certificate stays" on 1 cert export 'id=10;type=cert' --out now.crt
same_bytes "as it is" <(plain_openssl x509 -in renewed.crt) <(plain_openssl x509 -in now.crt)

# --- data without a meaning ------------------------------------------------------------------

check "nonsense for a description, and a description without content" raw 1 \
    00D7C9050A540200005304DEADBEEF \
    00D7C9071B540200005315301330070C0164030206403000A10630040402CF07
fails "they are named, and nothing else is missing" on 1 backup meaningless
says "key 'behind' .*: saved" "data 'content': saved" "data 'd': NOT SAVED: .*" \
    "2 objects could not be saved"
check "they go" raw 1 00E4020002C905 00E4020002C907

# --- a file that two descriptions tell -------------------------------------------------------

check "data without a description, and one that tells their file" raw 1 00D7CF600754020000530174 \
    00D7C96119540200005313301130030C01743000A108300630040402CF60
virtual_hsm control 1 status 6F00 ins=72 >/dev/null
fails "they are saved, and a key is not" on 1 backup twice
says "data 't': saved" "data '': saved" "1 object could not be saved"
fails "verify finds each by itself, and that it is not all" sc-hsm backup verify twice \
    "${with_share[@]}"
says "key 'behind' .*: good" "the backup in twice is incomplete"
says_nothing_of BAD
equal "in files" "data-cf60-2.bin data-cf60.bin" "$(cd twice && echo data-cf60*)"
check "they go" raw 1 00E4020002C961 00E4020002CF60

# --- onto another one, whose key references are taken ----------------------------------------

for ref in 1 2 3; do
    check "key reference $ref is taken" on 2 keygen --type ec:P-256 --key-ref $ref --id "a$ref"
done
check "one run restores all" on 2 restore theirs
says "key 'web' .*: restored as key reference [0-9]+" "6 restored, 0 there already, 1 left out"
says "certificate 'stays' .*: left out: its key is not on the device"
check "the same again" on 2 restore theirs
says "0 restored, 6 there already, 1 left out"
equal "no key is doubled" 8 "$(keys_of 2)"
for id in 10 60; do
    check "key $id signs there" openssl dgst -sha256 -sign "sc-hsm:serial=${serials[1]};id=$id" \
        -out signature pin
    check "the signature verifies" plain_openssl dgst -sha256 -verify "$id.pub" \
        -signature signature pin
done

# --- damaged files ---------------------------------------------------------------------------

new_device 2
cp -r theirs damaged
truncate -s -1 damaged/key-001.bin
echo >damaged/data-*.bin
fails "verify goes on behind damaged files" sc-hsm backup verify damaged "${with_share[@]}"
says "key 'web' .*: BAD: damaged/key-001.bin" "data 'content': BAD" "2 objects cannot be restored"
equal "all other keys are good" 4 "$(grep -c '^key .*: good$' "$seen")"
fails "restore too" on 2 restore damaged
says "key 'web' .*: NOT RESTORED: damaged/key-001.bin" "4 restored" "2 objects could not be restored"
virtual_hsm control 2 status 6F00 ins=74 >/dev/null
fails "a key that the device does not take" on 2 restore theirs
says "NOT RESTORED: .*6F00" "1 object could not be restored"
check "once it does" on 2 restore theirs
says "1 restored, 5 there already"

# --- one key in a file -----------------------------------------------------------------------

# A file's second element is a description, or OpenSC takes the request for one.
for ref in 2 3; do
    check "key $ref is wrapped" on 1 wrap "key-ref=$ref" "$ref.wrapped"
    plain_openssl asn1parse -inform DER -in "$ref.wrapped" >"$seen" 2>&1 || true
    sed -n 3p "$seen" | grep -Eq 'cont \[ 0 \]|SEQUENCE' || fail "$ref.wrapped has no description"
done
python3 - <<'END'
# the blob alone, and in a container alone
data = open("theirs/key-006.bin", "rb").read()
inner = data[4:]
length = 4 + int.from_bytes(inner[2:4], "big")
open("bare.blob", "wb").write(inner[4:length])
open("alone.bin", "wb").write(b"\x30\x82" + length.to_bytes(2, "big") + inner[:length])
END
fails "one that is bad hides no other" sc-hsm backup verify bare.blob pin alone.bin \
    theirs/key-007.bin "${with_share[@]}"
says "bare.blob: good" "pin: BAD: pin: this is no file of a wrapped key" "alone.bin: good" \
    "theirs/key-007.bin: good" "3 keys open" "1 object cannot"
fails "they are not decrypted unasked" setsid sc-hsm decrypt-backup bare.blob "${with_share[@]}" \
    --out lone --new-password-source file:so-pin
says "leave the protection of the device for ever"
mkdir lone
echo theirs >lone/alone.pem
fails "with the word, but for a damaged one and where something is" \
    typed 'type the word decrypt: =decrypt' -- sc-hsm decrypt-backup damaged/key-001.bin \
    alone.bin bare.blob "${with_share[@]}" --out lone --new-password-source file:so-pin
says "damaged/key-001.bin: NOT DECRYPTED" \
    "lone/alone.pem is there already, and stays as it is: name another folder with --out" \
    "1 key is in lone" "2 objects could not be decrypted"
equal "that stays" theirs "$(cat lone/alone.pem)"
check "OpenSSL reads what comes" plain_openssl pkey -in lone/bare.pem -passin file:so-pin -pubout \
    -out lone.pub
same_bytes "as it is" lone.pub 60.pub

check "the key goes" on 2 delete --yes 'type=private;id=60'
check "a bare blob is unwrapped" on 2 unwrap bare.blob --label bare
says "OpenSSL does not find the key"
check "it goes" on 2 delete --yes label=bare
check "so is one in a container" on 2 unwrap alone.bin --label bare
check "it goes" on 2 delete --yes label=bare
check "a bare blob with the share" on 2 unwrap bare.blob --id 66 --label bare "${with_share[@]}"
says_nothing_of "does not find"
check "OpenSSL finds the key" openssl dgst -sha256 -sign "sc-hsm:serial=${serials[1]};label=bare" \
    -out signature pin
check "which is the one" plain_openssl dgst -sha256 -verify 60.pub -signature signature pin

# --- the Key Manager's -----------------------------------------------------------------------

vectors=${SC_HSM_VECTORS:-$SC_HSM_SOURCE/../shared/vectors}
if [ -d "$vectors" ]; then
    printf ptx-code-signing-dev >km-password
    check "the Key Manager's files are decrypted" sc-hsm decrypt-backup "$vectors/km-rsa4096.wky" \
        "$vectors/km-rsa2048.wky" --yes --out km --share "$vectors/km-dkek.pbe" \
        --password-source file:km-password --new-password-source file:so-pin
    for size in 4096 2048; do
        same_bytes "as they are" <(plain_openssl pkey -in km/km-rsa$size.pem -passin file:so-pin) \
            <(plain_openssl pkey -in "$vectors/km-rsa$size.key.pem" -passin pass:test)
    done
fi
