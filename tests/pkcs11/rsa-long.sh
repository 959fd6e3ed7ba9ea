#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# RSA keys longer than a card has: whatever libcrypto can use works on a token.
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool ssh-keygen
softhsm_token

tool() {
    sc-hsm --pkcs11-module "$softhsm" --pin-source "file:$work/.pin" "$@"
}

echo "a note" >note
check "the key in DER" plain_openssl pkcs8 -topk8 -nocrypt -in "$SC_HSM_SOURCE/tests/pkcs11/rsa-8192.pem" \
    -outform DER -out key.der
check "its public part" plain_openssl pkey -in key.der -pubout -out key.pub
check "onto the token" pkcs11-tool --module "$softhsm" --login --pin "$pin" --write-object key.der \
    --type privkey --id 81 --label long
check "a reference file" openssl pkey -in sc-hsm:id=81 -out key.pem
check "in DER" plain_openssl asn1parse -strictpem -in key.pem -noout -out reference.der
check "the public part of it" openssl pkey -in key.pem -pubout -out again.pub
same_bytes "the same" key.pub again.pub

# Every padding, both ways; each signature is checked before it leaves.
for key in sc-hsm:id=81 key.pem reference.der; do
    check "PKCS#1 with $key" openssl dgst -sha256 -sign "$key" -out sig note
    check "by the default provider's word" plain_openssl dgst -sha256 -verify key.pub -signature sig note
done
pss=(-sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max)
check "PSS" openssl dgst "${pss[@]}" -sign key.pem -out sig note
check "by the default provider's word" plain_openssl dgst "${pss[@]}" -verify key.pub -signature sig note
head -c 1024 /dev/zero | tr '\0' '\1' >block
for padding in pkcs1:note oaep:note none:block; do
    file=${padding#*:}
    mode=(-pkeyopt "rsa_padding_mode:${padding%:*}")
    check "encrypted: $padding" plain_openssl pkeyutl -encrypt -pubin -inkey key.pub "${mode[@]}" -in "$file" -out cipher
    check "decrypted" openssl pkeyutl -decrypt -inkey key.pem "${mode[@]}" -in cipher -out plain
    same_bytes "the same" "$file" plain
done
check "a certificate" openssl req -new -x509 -key key.pem -subj /CN=long -out long.crt
check "which is right" plain_openssl verify -CAfile long.crt long.crt
check "a message to it" plain_openssl cms -encrypt -in note -out note.cms long.crt
check "is opened" openssl cms -decrypt -in note.cms -recip long.crt -inkey key.pem -out plain
check "it is the note" grep -q "a note" plain

# The tool.
check "the list tells the size" tool list
says 'private key .* RSA 8192 .*label=long'
check "the certificate goes to its key" tool cert import --key id=81 long.crt
says "of key 'long'"
check "an SSH line" tool pubkey id=81 --format ssh --out key.ssh
check "is OpenSSH's" ssh-keygen -l -f key.ssh
says '^8192 '
check "a JWK" tool pubkey id=81 --format jwk
says '"kty": *"RSA"'
check "an odd size, which this token makes" tool keygen --type rsa:1032 --id 82 --label odd
says 'label=odd'
fails "more than libcrypto uses" tool keygen --type rsa:16392
says "'rsa:16392' is no type of key"

# What libcrypto cannot use is refused at once, and not made.
fails "a longer key is made" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:16392 -out x
says 'at most 16384 bits, not of 16392'
python3 - <<'END'
def der(tag, content):
    length = len(content)
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([length]) if length < 128 else bytes([128 + len(size)]) + size) + content
number = lambda n: der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))
rsa = bytes.fromhex("300d06092a864886f70d0101010500")
spki = der(0x30, rsa + der(3, b"\0" + der(0x30, number((1 << 16391) + 1) + number(65537))))
open("too-long.der", "wb").write(der(0x30, der(12, b"sc-hsm key v1") + der(12, b"sc-hsm:id=99") + der(0xa0, spki)))
END
fails "a key of 16392 bits" openssl pkey -in too-long.der -inform DER -noout
says 'OpenSSL uses RSA keys of at most 16384 bits, and this one has 16392'
