#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# AES keys on the device through EVP_SKEY, with the default provider and NIST's vectors as judges.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../tool/aes.sh
. "$(dirname "$0")/../tool/aes.sh"
aes_device
name=(-skeymgmt SC-HSM-AES)
zeros=00000000000000000000000000000000

# uses WHAT ARGUMENT...: the C program does, and finds nothing wrong.
uses() {
    check "$*" "$programs/use_skey" "$@"
    says '^0 failures'
}

# --- keys whose bytes are known ---------------------------------------------------------------------

head -c 30001 /dev/urandom >data
for bits in 128 192 256; do
    known_key $bits "${keys[$bits]}"
    key=("${name[@]}" -skeyopt "uri:sc-hsm:label=aes$bits")
    unhex $plain >message
    check "openssl enc encrypts" openssl enc -e -sc-hsm-aes-$bits-cbc "${key[@]}" -iv $iv -nopad \
        -in message -out message.$bits
    equal "as NIST says" "${encrypted[$bits]}" "$(hex message.$bits)"
    lens=(0 16 40 64)
    for code in ${codes[$bits]}; do
        unhex "${plain:0:$((2 * lens[0]))}" >message
        equal "the CMAC of ${lens[0]} bytes is NIST's" "$code" \
            "$("$programs/use_skey" mac sc-hsm:id=0$bits message)"
        lens=("${lens[@]:1}")
    done
    check "openssl enc encrypts more than a command takes" openssl enc -e -sc-hsm-aes-$bits-cbc "${key[@]}" \
        -iv $iv -in data -out ours
    check "the default provider does" plain_openssl enc -e -aes-$bits-cbc -K "${keys[$bits]}" -iv $iv \
        -in data -out theirs
    same_bytes "the same" theirs ours
    check "openssl enc decrypts" openssl enc -d -sc-hsm-aes-$bits-cbc "${key[@]}" -iv $iv -in ours -out back
    same_bytes "to the same" data back
done
uses compare sc-hsm:label=aes256 "${keys[256]}"
uses threads sc-hsm:label=aes128 "${keys[128]}"
uses forked sc-hsm:label=aes192 "${keys[192]}"
check "what is freed at the very end" "$programs/use_skey" late sc-hsm:label=aes256
says '^all is freed'

# --- keys that OpenSSL makes ------------------------------------------------------------------------

check "a key is made" openssl skeyutl -genkey "${name[@]}" -skeyopt key-length:16 -skeyopt label:vault \
    -skeyopt id:51
says 'identified by sc-hsm:.*label=vault.*type=secret' 'Key management: SC-HSM-AES'
uri=$(sed -n 's/.* identified by \(sc-hsm:[^ ]*\) .*/\1/p' "$seen")
check "the device has it" "${tool[@]}" list 'sc-hsm:id=51;type=secret'
says 'AES 128'
check "its own name finds it" openssl enc -e -sc-hsm-aes-128-cbc "${name[@]}" -skeyopt "uri:$uri" -iv $iv \
    -in data -out ours
check "our tool decrypts" "${tool[@]}" decrypt id=51 ours --mechanism aes-cbc-pad --iv $iv --out plain
same_bytes "to the same" data plain
if on_token; then
    check "the token's own tool decrypts" opensc pkcs11-tool --module "$softhsm" --login --pin "$pin" --id 51 \
        --decrypt --mechanism AES-CBC-PAD --iv $iv --input-file ours --output-file theirs
    same_bytes "to the same" data theirs
fi
check "one of 256 bits, if nobody says what" openssl skeyutl -genkey "${name[@]}" -skeyopt label:safe
check "the device has it" "${tool[@]}" list label=safe
says 'AES 256'
check "a length in bits" openssl skeyutl -genkey "${name[@]}" -skeyopt bits:192 -skeyopt id:52
says 'id=52'

# --- what is refused, in a sentence -----------------------------------------------------------------

before=$(files)
encrypt() { # BITS URI
    openssl enc -e "-sc-hsm-aes-$1-cbc" "${name[@]}" -skeyopt "uri:$2" -iv $iv -in data -out none
}
fails "a cipher for another length" encrypt 256 sc-hsm:id=51
says "secret key 'vault' has 128 bits: its cipher is SC-HSM-AES-128-CBC"
fails "no such key" encrypt 256 sc-hsm:id=77
says 'there is no secret key with id 77'
fails "a key of another kind" encrypt 256 'sc-hsm:label=vault;type=private'
says 'there is no secret key with label'
fails "no URI of ours" encrypt 256 file:vault
says "sc-hsm:"
fails "a length that no AES key has" openssl skeyutl -genkey "${name[@]}" -skeyopt key-length:5
says '128, 192 or 256 bits, not (of )?40'
fails "a number that is no length" openssl skeyutl -genkey "${name[@]}" -skeyopt bits:99999999
says 'bits: no length of an AES key'
fails "an id that is none" openssl skeyutl -genkey "${name[@]}" -skeyopt id:zz
says "id"
fails "a file that is not the key's name" openssl skeyutl -genkey "${name[@]}" -skeyopt key-ref:0
says 'key-ref'
equal "nothing was made" "$before" "$(files)"
fails "raw bytes, as other providers take them" openssl enc -e -sc-hsm-aes-256-cbc -K "${keys[256]}" -iv $iv \
    -in data -out none
says 'named by the parameter .uri. of SC-HSM-AES'
fails "an algorithm that the key may not" openssl skeyutl -genkey "${name[@]}" -skeyopt algorithms:rsa
configure pin-source=
fails "a PIN that nobody gives" setsid "$(type -P openssl)" enc -e -sc-hsm-aes-128-cbc "${name[@]}" \
    -skeyopt uri:sc-hsm:id=51 -iv $iv -in data -out none
says 'PIN'
check "a PIN in the URI" encrypt 128 "sc-hsm:id=51?pin-value=$pin"
same_bytes "it is the same" ours none
if counts_logins; then
    fails "a wrong one" encrypt 128 "sc-hsm:id=51?pin-value=111111"
    says 'wrong'
    equal "one try" 2 "$(pin_tries)"
    check "the right one" encrypt 128 "sc-hsm:id=51?pin-value=$pin"
fi
configure "pin-source=file:$pin_file"

# --- from OpenSSL 3.6 and 4.0 on ---------------------------------------------------------------------

# What the tool derives is HKDF's of the virtual card, see tests/tool/secret-keys.sh.
status=0
info='thirty-two bytes for a secret ...'
info=${info:0:32}
"$programs/use_skey" derive sc-hsm:label=aes256 "$info" >derived 2>"$seen" || status=$?
if [ $status != 77 ] && on_token; then
    says 'on a SmartCard-HSM only'
elif [ $status != 77 ]; then
    equal "a derivation" 0 $status
    equal "as the tool's" "$("${tool[@]}" derive label=aes256 --text "$info")" "$(cat derived)"
fi
status=0
make_ec_key
"$programs/use_skey" agreed ec.pem >"$seen" 2>&1 || status=$?
[ $status = 77 ] || says '^0 failures'
# OpenSSL 4.0.3 lets go of each key that a store gave, and never of the key management that it fetched for it:
# a leak of its own, which is not to be told here.
lenient() {
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 "$@"
}
stored() {
    lenient openssl enc -e -sc-hsm-aes-128-cbc -skeyuri "$1" -iv $iv -in data -out none
}
status=0
lenient "$programs/use_skey" stored 'sc-hsm:label=vault;type=secret' >"$seen" 2>&1 || status=$?
if [ $status != 77 ]; then
    says '^sc-hsm:.*label=vault.* of SC-HSM-AES'
    check "openssl enc takes a URI" stored 'sc-hsm:label=vault;type=secret'
    same_bytes "it is the same" ours none
    check "the store gives it" lenient openssl storeutl -skeys sc-hsm:label=vault
    found 1
    fails "where several are meant" stored 'sc-hsm:type=secret'
    says 'secret keys match where one is needed: sc-hsm:'
    fails "one that is not there" stored sc-hsm:id=77
    says 'with id 77 on the device'
    fails "one of another kind" stored sc-hsm:label=web-ec
    says 'there is no secret key with label'
    configure pin-source=
    echo "$pin" >pass
    check "the PIN as a pass phrase" lenient openssl enc -e -sc-hsm-aes-128-cbc -storepass file:pass \
        -skeyuri 'sc-hsm:label=vault;type=secret' -iv $iv -in data -out none
    same_bytes "it is the same" ours none
    configure "pin-source=file:$pin_file"
fi

if on_token; then
    exit 0
fi

# --- what it costs -----------------------------------------------------------------------------------

# pieces BYTES: commands for twenty updates of so many.
pieces() {
    local before
    before=$(commands)
    check "twenty pieces of $1 bytes" "$programs/use_skey" encrypt sc-hsm:label=safe "$1"
    says '^20 pieces'
    cost=$(($(commands) - before))
}
pieces 16
start=$((cost - 20))
[ $start -le 12 ] || fail "$start commands until the first piece"
echo "ok: $start commands until the first piece"
for size in 976 1952 9760; do
    pieces $size
    equal "one command for each 976 bytes" $((20 * size / 976)) $((cost - start))
done

# --- the device pulled out in the middle ---------------------------------------------------------------

control remove-before skip=15
fails "the card pulled out" "$programs/use_skey" encrypt sc-hsm:label=safe 976
says 'removed|no card|gone' 'was broken off: initialise it once more'
virtual_hsm insert >/dev/null
wait_for "the card is back" raw_apdus
pieces 976

# --- software keys beside it, with us first --------------------------------------------------------------

sed -i -e '/^default *=/d' -e '/^sc-hsm *=/a default = default_sect' "$OPENSSL_CONF"
# software WHAT COMMAND...: succeeds with us first, and nothing of ours is used for it.
software() {
    SC_HSM_LOG=debug check "with us first: $1" "${@:2}"
    says 'provider_query_operation: cipher'
    says_nothing_of cipher_newctx mac_newctx kdf_newctx skeymgmt_import
}
before=$(commands)
software "AES" openssl enc -e -aes-256-cbc -K "${keys[256]}" -iv $zeros -in data -out ours
check "without us" plain_openssl enc -e -aes-256-cbc -K "${keys[256]}" -iv $zeros -in data -out theirs
same_bytes "the same" theirs ours
software "a password" openssl enc -e -aes-256-cbc -pbkdf2 -pass pass:x -S 0001020304050607 -in data -out ours
check "without us" plain_openssl enc -e -aes-256-cbc -pbkdf2 -pass pass:x -S 0001020304050607 -in data \
    -out theirs
same_bytes "the same" theirs ours
software "CMAC" openssl mac -cipher AES-256-CBC -macopt "hexkey:${keys[256]}" -in data -out ours CMAC
check "without us" plain_openssl mac -cipher AES-256-CBC -macopt "hexkey:${keys[256]}" -in data \
    -out theirs CMAC
same_bytes "the same" theirs ours
software "speed" openssl speed -seconds 1 -bytes 16384 -evp aes-256-cbc
check "a software key" plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj /CN=localhost -keyout soft.pem -out soft.crt
SC_HSM_LOG=debug openssl s_server -www -accept 127.0.0.1:0 -naccept 1 -key soft.pem -cert soft.crt \
    >server.log 2>&1 </dev/null &
wait_for "the server" grep '^ACCEPT' server.log
software "TLS" openssl s_client -connect "127.0.0.1:$(sed -n 's/^ACCEPT .*:\([0-9]*\).*/\1/p' server.log)" \
    -CAfile soft.crt -verify_return_error -brief </dev/null
cp server.log "$seen"
says_nothing_of cipher_newctx mac_newctx kdf_newctx skeymgmt_import
equal "none of it is a command" "$before" "$(commands)"
