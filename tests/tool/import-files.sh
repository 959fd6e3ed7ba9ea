#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever files private keys are in: old encryption, several keys, OpenSSH's format, RSA-PSS, AES.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need ssh-keygen
admin_card
unset OPENSSL_MODULES # this test's has our module alone, and the legacy provider is needed
PATH=$SC_HSM_BUILD/tests/keymgmt:$PATH
# 32 times the byte 44, under that password
printf correct-horse >password
base64 -d <<<U2FsdGVkX19zYWx0c2FsdIJroh6Xor7lWe3kOUKYaVf6dtdFSNtPX/6HGNC4RFhbtAIUSn9Z+4HusCRP7eLkfA== \
    >share.pbe
printf 'secret pass' >file-password
check "a device that expects a share" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --dkek-shares 1
check "the share" raw_apdus "8052000020$(printf '44%.0s' {1..32})00"
import() {
    sc-hsm --pin-source file:pin import "$@" --share share.pbe --password-source file:password
}

# opened FILE ARGUMENT...: the key's file was read, and it is the key of the certificate where one is
# named; the next thing is at fault: the share's. So no password of a share is worked on for seconds.
head -c 60 share.pbe >cut.pbe
opened() {
    ends 1 "$1 is opened" sc-hsm --pin-source file:pin import "$@" --share cut.pbe
    says "cut.pbe.*cut short"
}
certified() { # NAME: an RSA key with a certificate
    plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1" -days 9 \
        -out "$1.crt" 2>/dev/null
}

# --- old encryption -----------------------------------------------------------------------------------

plain_openssl genpkey -algorithm EC -pkeyopt group:P-384 -out ec.key
for scheme in PBE-MD5-DES PBE-SHA1-DES PBE-SHA1-RC2-64 PBE-SHA1-3DES; do
    plain_openssl pkcs8 -topk8 -in ec.key -v1 "$scheme" -provider default -provider legacy \
        -passout file:file-password -out "$scheme.p8"
    opened "$scheme.p8" --file-password-source file:file-password
    ends 1 "$scheme, a wrong password" import "$scheme.p8" --file-password-source file:pin
    says "$scheme.p8 cannot be opened: its password is wrong"
done

# --- several keys in PKCS#12 --------------------------------------------------------------------------

for key in web mail; do
    certified $key
    plain_openssl pkcs12 -export -inkey $key.key -in $key.crt -name "the key of $key" \
        -passout file:file-password -out $key.p12
done
python3 "$here/two_in_one.py" web.p12 mail.p12 several.p12
two() {
    import several.p12 --file-password-source file:file-password "$@"
}
ends 1 "two keys" two
says "several.p12 holds 2 private keys \('the key of web', 'the key of mail'\)" "\-\-name"
ends 1 "a name that none has" two --name x
says "no private key with the name 'x'"
ends 2 "a name for what has none" import ec.key --name x
says "\-\-name" "no PKCS#12"
opened several.p12 --file-password-source file:file-password --name "the key of web"
check "the other of the two" two --name "the key of mail" --id 77
says "Imported key 'mail'"
says_nothing_of "stored beside it"
equal "it is that key" "$(plain_openssl pkey -in mail.key -pubout)" "$(sc-hsm pubkey id=77)"
python3 "$here/two_in_one.py" web.p12 web.p12 alike.p12
ends 1 "two of one name" import alike.p12 --file-password-source file:file-password \
    --name "the key of web"
says "2 private keys with the name 'the key of web'"

# --- OpenSSH ------------------------------------------------------------------------------------------

for type in rsa ecdsa ed25519; do
    ssh-keygen -q -t $type -N "" -C "" -f ssh-$type </dev/null
done
opened ssh-rsa
ssh-keygen -e -m PKCS8 -f ssh-ecdsa.pub >ssh-ecdsa.spki
plain_openssl x509 -new -force_pubkey ssh-ecdsa.spki -subj /CN=ssh -CA web.crt -CAkey web.key -days 9 \
    -out ssh-ecdsa.crt
opened ssh-ecdsa --cert ssh-ecdsa.crt
ends 1 "another key's certificate" import ssh-rsa --cert ssh-ecdsa.crt
says "none of the certificates is that of the private key in ssh-rsa"
ends 1 "a type that no device has" import ssh-ed25519
says "ssh-ed25519" "RSA and EC"
ssh-keygen -q -t ecdsa -N "secret pass" -f ssh-locked </dev/null
ends 1 "an encrypted one" import ssh-locked
says "ssh-keygen -p -m PKCS8 -f COPY"
ssh-keygen -q -p -m PKCS8 -P "secret pass" -N "secret pass" -f ssh-locked >out
opened ssh-locked --file-password-source file:file-password
head -n 3 ssh-rsa >ssh-cut
ends 1 "a cut one" import ssh-cut
says "ssh-cut.*cut short"

# --- RSA-PSS: one rule for all comparisons ------------------------------------------------------------

plain_openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key 2>/dev/null
plain_openssl req -x509 -key pss.key -subj /CN=pss -days 9 -out pss.crt
opened pss.key --cert pss.crt
plain_openssl req -new -key pss.key -subj /CN=plain -out pss.csr
plain_openssl pkey -in pss.key -pubout -outform DER -out pss.der
python3 - <<'END'
der = open("pss.der", "rb").read()
numbers = der[der.index(bytes.fromhex("0382")):] # the BIT STRING; a plain RSA identifier before it
body = bytes.fromhex("300d06092a864886f70d0101010500") + numbers
open("plain.der", "wb").write(bytes([0x30, 0x82]) + len(body).to_bytes(2, "big") + body)
END
plain_openssl pkey -pubin -inform DER -in plain.der -out plain.pub
plain_openssl x509 -new -force_pubkey plain.pub -subj /CN=plain -CA web.crt -CAkey web.key -days 9 \
    -out plain.crt
opened pss.key --cert plain.crt
check "an RSA-PSS key without its certificate" import pss.key --id 7f --label pss
says "Imported key 'pss'" "restricted to RSA-PSS.*certificate"

# --- AES ----------------------------------------------------------------------------------------------

hex_key=00112233445566778899aabbccddeeff
printf '\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff' >aes.key
check "an AES key" import aes.key --type aes --id 7a --label vault
says "Imported secret key 'vault': sc-hsm:.*type=secret"
check "it is listed" sc-hsm list label=vault
says "^secret key .* vault +AES 128 "
ref=$(json 'd["objects"][0]["key_ref"]' sc-hsm --json list label=vault)
pin_hex=$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')
check "the device encrypts with it" raw_apdus "0020008106$pin_hex" \
    "8078$(printf %02x "$ref")101000000000000000000000000000000000""10"
says "$(head -c 16 /dev/zero | plain_openssl enc -aes-128-ecb -nopad -K $hex_key |
    od -An -tx1 | sed 's/^ //')"
opened aes.key --type aes --algorithms aes-cmac
ends 2 "what AES keys cannot" import aes.key --type aes --algorithms ecdsa
says "ecdsa"
cp aes.key mac # whose name is the label
check "with a list" import_keys --aes --algorithms 18 --id 7b mac
check "it is listed" sc-hsm list label=mac
says "only aes-cmac"
fails "the same AES key again" import_keys --aes aes.key
says "has this key already, as key reference [0-9]+, 'vault'.*needs an id of its own"
check "the first goes" sc-hsm --pin-source file:pin delete id=7a --yes
fails "the one for codes is known as well" import_keys --aes aes.key
says "has this key already, as key reference [0-9]+, 'mac'"
printf '%s\n' $hex_key >hex.key
ends 1 "an AES key in hexadecimal" import hex.key --type aes
says "hex.key has 33 bytes" "16, 24 or 32"
ends 2 "a certificate for an AES key" import aes.key --type aes --cert web.crt
ends 2 "no chain of an AES key" import aes.key --type aes --no-chain
ends 2 "another type" import ec.key --type ec
says "private keys say themselves"
