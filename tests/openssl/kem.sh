#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Secrets that the default provider encapsulates are decapsulated by keys on the card, by one command
# each.
. "$(dirname "$0")/../lib.sh"
virtual_card

# plain COMMAND...: with the default provider alone.
plain() {
    env -u OPENSSL_MODULES -u PCSCLITE_CSOCK_NAME OPENSSL_CONF=/dev/null "$@"
}

# encapsulated OPERATION NAME: a secret for NAME.pub, in wrapped and theirs; 1 where this OpenSSL has
# no such operation.
encapsulated() {
    local status=0
    plain "$programs/encapsulate" "$1" "$2.pub" wrapped >theirs 2>"$seen" || status=$?
    [ $status != 77 ] || return 1
    [ $status = 0 ] || fail "the encapsulation for $2: status $status"
}

# decapsulate OPERATION KEY TIMES: of wrapped, so many times, into ours.
decapsulate() {
    yes | head -n "$3" | "$programs/use_steps" "$1" "$2" wrapped >ours
    ! grep failed: ours >"$seen" || return 1
}

# agreed OPERATION NAME: by reference file and by URI, and what the second hundred costs.
agreed() {
    local key
    for key in "$2.pem" "sc-hsm:label=$2"; do
        check "$1 with $key" decapsulate "$1" "$key" 1
        equal "both have the same secret" "done $(cat theirs)" "$(tail -n 1 ours)"
    done
    on_token && return
    local first second third
    first=$(commands)
    check "one decapsulation" decapsulate "$1" "$2.pem" 1
    second=$(commands)
    check "21 of them" decapsulate "$1" "$2.pem" 21
    third=$(commands)
    equal "20 more are 20 commands" 20 $((third - second - (second - first)))
    equal "and all the same" 1 "$(grep '^done' ours | sort -u | wc -l)"
}

# sentence WHAT OPERATION KEY REGEX: the wrapped one is refused in one sentence, without a command that
# uses the key.
sentence() {
    check "$1" yes_once "$2" "$3"
    says "^failed: .*$4"
    [ "$(grep -o 'no encapsulation' "$seen" | wc -l)" -le 1 ] || fail "more than one sentence"
}
yes_once() {
    echo | "$programs/use_steps" "$1" "$2" wrapped
}

check "an RSA key" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 -pkeyopt label:rsa -out rsa.pem
check "its public part" openssl pkey -in rsa.pem -pubout -out rsa.pub
encapsulated RSASVE rsa
agreed rsasve rsa
cp wrapped good
head -c 255 good >wrapped
sentence "a byte is missing" rsasve rsa.pem '255 bytes are no encapsulation'
head -c 256 /dev/zero >wrapped
sentence "zero" rsasve rsa.pem 'not between 1 and'
head -c 256 /dev/zero | tr '\0' '\377' >wrapped
sentence "more than the modulus" rsasve rsa.pem 'not between 1 and'

# What openssl itself offers, from 3.4 on.
if openssl pkeyutl -help 2>&1 | grep -q -e -encap; then
    check "pkeyutl encapsulates" plain_openssl pkeyutl -encap -inkey rsa.pub -pubin -kemop RSASVE \
        -out wrapped -secret theirs.bin
    for key in rsa.pem sc-hsm:label=rsa; do
        check "pkeyutl decapsulates with $key" openssl pkeyutl -decap -inkey "$key" -kemop RSASVE \
            -in wrapped -secret ours.bin
        same_bytes "the same secret" theirs.bin ours.bin
    done
    check "pkeyutl encapsulates for the card's key" openssl pkeyutl -encap -inkey rsa.pem \
        -kemop RSASVE -out wrapped -secret theirs.bin
    check "and decapsulates" openssl pkeyutl -decap -inkey rsa.pem -kemop RSASVE -in wrapped -secret ours.bin
    same_bytes "the same secret" theirs.bin ours.bin
fi

# dhkem NAME KEM GENPKEY-OPTION...: with keys of that kind.
dhkem() {
    local name=$1 kem=$2
    shift 2
    check "a key: $name" openssl genpkey "$@" -pkeyopt "label:$name" -out "$name.pem"
    check "its public part" openssl pkey -in "$name.pem" -pubout -out "$name.pub"
    if ! encapsulated DHKEM "$name"; then
        echo "DHKEM and HPKE are not tested: this OpenSSL has none, 3.2 and later do"
        exit 0
    fi
    agreed dhkem "$name"
    cp wrapped good
    tail -c +2 good >wrapped
    sentence "a byte is missing" dhkem "$name.pem" 'bytes are no encapsulation'
    if [[ $name = P-* ]]; then
        { head -c -1 good && tail -c 1 good | tr '\0-\377' '\1-\377\0'; } >wrapped
        sentence "not on the curve" dhkem "$name.pem" 'no public key on'
    fi
    check "a sender's key" openssl genpkey "$@" -pkeyopt "label:sender $name" -out sender.pem
    # The same kind of key in software.
    plain_openssl genpkey "${@/#SC-HSM-/}" -out soft.pem
    check "HPKE for $name" "$programs/hpke" "$kem" "$name.pem"
    check "HPKE, the sender authenticated" "$programs/hpke" "$kem" "$name.pem" soft.pem
    check "HPKE, the sender's key on the card" "$programs/hpke" "$kem" soft.pem sender.pem
    check "HPKE, both on the card" "$programs/hpke" "$kem" "$name.pem" sender.pem
}

dhkem P-256 0x10 -algorithm SC-HSM-EC -pkeyopt group:P-256
dhkem P-384 0x11 -algorithm SC-HSM-EC -pkeyopt group:P-384
dhkem P-521 0x12 -algorithm SC-HSM-EC -pkeyopt group:P-521
if on_pico; then
    dhkem X25519 0x20 -algorithm SC-HSM-X25519
    dhkem X448 0x21 -algorithm SC-HSM-X448
fi

# The vector of RFC 9180, A.3.1: its recipient's key on the card. A Pico HSM and a token are not needed for
# that once more.
if ! on_token && ! on_pico; then
    printf '30310201010420f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2a00a06082a8648ce3d030107' |
        sed 's/../\\x&/g' | xargs -0 printf '%b' | plain_openssl ec -inform DER -out vector.key 2>"$seen"
    printf '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4' |
        sed 's/../\\x&/g' | xargs -0 printf '%b' >wrapped
    echo "$so_pin" >so-pin
    check "a device that expects a share" sc-hsm init --yes --so-pin-source file:so-pin \
        --pin-source "file:$pin_file" --dkek-shares 1
    check "the share" raw_apdus "8052000020$(printf '44%.0s' {1..32})00"
    check "the key of the vector comes to the card" "$SC_HSM_BUILD/tests/keymgmt/import_keys" vector.key
    check "its secret" decapsulate dhkem sc-hsm:label=vector.key 1
    equal "is that of RFC 9180" "done c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8" \
        "$(tail -n 1 ours)"
fi
