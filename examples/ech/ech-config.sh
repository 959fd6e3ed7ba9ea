#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: ech-config.sh KEY PUBLIC-NAME
#
# Writes the file that an ECH server reads (OpenSSL 4.0, `s_server -ech_key`) for a private key on the
# device: the key reference, and the ECHConfigList that its clients get through DNS. `openssl ech` itself
# makes such files for new keys in software alone.
#
# KEY: a key reference file or an sc-hsm: URI; a key on P-256, P-384 or P-521, X25519 or X448.
# PUBLIC-NAME: the server's name that everybody may see.
set -euo pipefail

die() {
    echo "ech-config.sh: $*" >&2
    exit 1
}

[ $# = 2 ] || die "usage: ech-config.sh KEY PUBLIC-NAME"
name=$2
[[ $name =~ ^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$ && ${#name} -le 255 ]] || die "'$name' is no name of a server"

hex() {
    od -An -v -tx1 | tr -d ' \n'
}

spki=$(openssl pkey -in "$1" -pubout -outform DER | hex) || die "no public key of $1"
# The length tells the kind of key: its number as a KEM of HPKE (RFC 9180, 7.1), and the public key's length.
case ${#spki} in
182) kem=0010 length=65 ;;  # P-256
240) kem=0011 length=97 ;;  # P-384
316) kem=0012 length=133 ;; # P-521
88) kem=0020 length=32 ;;   # X25519
136) kem=0021 length=56 ;;  # X448
*) die "$1 is no key on P-256, P-384 or P-521, X25519 or X448" ;;
esac

# with_length DIGITS HEX: HEX with its length before it.
with_length() {
    printf "%0$1x%s" $((${#2} / 2)) "$2"
}

id=$(head -c 1 /dev/urandom | hex)
suites=0001000100010003 # HKDF-SHA256 with AES-128-GCM, and with ChaCha20-Poly1305
config=$id$kem$(with_length 4 "${spki: -$((2 * length))}")$(with_length 4 $suites)
config+=00$(with_length 2 "$(printf %s "$name" | hex)")0000 # no padding of names, no extensions
list=$(with_length 4 "fe0d$(with_length 4 "$config")")
bytes=
for ((i = 0; i < ${#list}; i += 2)); do
    bytes+="\\x${list:i:2}"
done

openssl pkey -in "$1"
echo "-----BEGIN ECHCONFIG-----"
printf '%b' "$bytes" | openssl base64
echo "-----END ECHCONFIG-----"
