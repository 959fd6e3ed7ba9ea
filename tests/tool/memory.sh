#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs leave no secret behind in their memory: neither a PIN, nor a password, a share, nor a key.
# The whole memory of a process is searched where it ends, and not only what a core dump would have.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need openssl
virtual_card
make_rsa_key
seq 1 10 >data
# A comment in it shows a PIN, and libcrypto reads it.
sed -i '/^#/d' "$OPENSSL_CONF"

hex() {
    od -An -v -tx1 | tr -d ' \n'
}
# As bytes of a number lie in an x86 word.
backwards() {
    fold -w 2 | tac | tr -d '\n'
}
# secret NAME HEX: is searched for from now on.
secret() {
    printf '%s %s\n' "$1" "$2" >>secrets
}
# leaves_nothing WHAT PROGRAM ARGUMENT...: it succeeds, and at its end and those of its children no
# secret is anywhere.
leaves_nothing() {
    check "$1: it ends well" "$programs/search_memory" secrets "${@:2}"
    says '[0-9]+: pin: '
    says_nothing_of ': [1-9][0-9]* times' ' and [1-9][0-9]* in '
    echo "ok: $1: none of $(wc -l <secrets) secrets is left"
}
echo "$pin" >pin
echo "$so_pin" >so-pin
printf 'correct horse battery staple' >password
secret pin "$(printf %s "$pin" | hex)"
secret so-pin "${so_pin,,}"
secret so-pin-digits "$(printf %s "$so_pin" | hex)"
secret password "$(hex <password)"

# What a search would find, or it would prove nothing.
check "a program with the password" env "SOMETHING=$(cat password)" "$programs/search_memory" secrets true
says ': password: [1-9]'

# --- programs that sign and decrypt -----------------------------------------------------------------
for kept in no yes; do
    configure cache-pin=$kept
    raw_apdus >select.out
    leaves_nothing "signing, cache-pin = $kept" "$programs/sign_many" rsa.pem 3
    raw_apdus >select.out
    leaves_nothing "signing in children, cache-pin = $kept" "$programs/sign_forked" rsa.pem 2 2
done
raw_apdus >select.out
leaves_nothing "openssl" "$real_openssl" dgst -sha256 -sign rsa.pem -out signature data

# --- the tool ---------------------------------------------------------------------------------------
tool=(sc-hsm --pin-source file:pin --so-pin-source file:so-pin)
leaves_nothing "making a share" "${tool[@]}" dkek create-share made.pbe --password-source file:password
leaves_nothing "initialising in clear" "${tool[@]}" --secure-channel off init --yes --dkek-shares 1
# One under that password, whose bytes are known
base64 -d >share.pbe <<'END'
U2FsdGVkX1/NN9gzhaP6+ttsgwq55QCsd0UyYqqZV5+uXwGdXgllirUaP7CoyuDb1JKuLUZT0aWrkjm22xAZvg==
END
share=f59180199670605224f1fc392237828cf009bd2ec9dd23364b3b363fbf05ae2b
secret share "$share"
leaves_nothing "initialising" "${tool[@]}" init --yes --dkek-shares 1
leaves_nothing "importing a share" "${tool[@]}" dkek import-share share.pbe --password-source file:password

check "a key of one's own" plain_openssl genrsa -traditional -out own.pem 2048
plain_openssl rsa -in own.pem -noout -text >own.text 2>&1
for part in privateExponent prime1 prime2 exponent1 coefficient; do
    number=$(sed -n "/^$part:/,/^[a-z]/{/^ /p;}" own.text | tr -d ' :\n')
    number=${number: -64} # its last 32 bytes
    secret $part "$number"
    secret $part-backwards "$(backwards <<<"$number")"
done
secret pem "$(sed -n 12p own.pem | tr -d '\n' | hex)"
# A program that has this key would show it.
mkfifo fifo
OPENSSL_CONF=/dev/null "$real_openssl" dgst -sha256 -sign own.pem -out signature <fifo &
holder=$!
exec 8>fifo
key_shows() {
    "$programs/search_memory" secrets $holder >"$seen" && grep -Eq 'prime1-backwards: [1-9]' "$seen"
}
wait_for "a program with the key" key_shows
exec 8>&-
wait $holder
leaves_nothing "importing a key" "${tool[@]}" import own.pem --share share.pbe \
    --password-source file:password --label own --id 50
leaves_nothing "a backup" "${tool[@]}" backup saved
leaves_nothing "verifying a file of it" "${tool[@]}" backup verify saved/key-001.bin --share share.pbe --password-source file:password
leaves_nothing "opening it" "${tool[@]}" decrypt-backup saved --share share.pbe \
    --password-source file:password --out opened --new-password-source file:password --yes
