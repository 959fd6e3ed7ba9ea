# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of several devices as one start from, beside lib.sh:
#
#     . "$(dirname "$0")/pool.sh"
#     pool_cards 4 --latency jcop4
#     used 2     # how many private operations card 2 has done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"

# reader N: the number that OpenSC gives the reader of card N.
reader() {
    local name
    name=$(sed -n "$1p" "$SC_HSM_VIRTUAL/serials")
    if on_pico; then name="Pico HSM $1 "; fi # whose readers tell no serial number
    opensc-tool --list-readers | grep -F "$name" |
        sed -n 's/^\([0-9]*\)  *Yes.*/\1/p'
}

# on N COMMAND...: our tool with card N.
on() {
    sc-hsm --serial "$(sed -n "$1p" "$SC_HSM_VIRTUAL/serials")" --pin-source "file:$pin_file" "${@:2}"
}

# dkek_on N [BYTE]: card N is initialised, and its DKEK is 32 times this byte, A5 by default.
dkek_on() {
    local share
    share=$(printf "${2:-A5}%.0s" $(seq 32))
    echo "$so_pin" >so-pin
    check "card $1 expects a share" on "$1" init --yes --so-pin-source file:so-pin --dkek-shares 1
    check "the share" opensc-tool --reader "$(reader "$1")" --card-driver default \
        --send-apdu 00A404000BE82B0601040181C31F020100 --send-apdu "8052000020${share}00"
}

# pool_cards N [OPTION...]: N cards that all have the same RSA-2048 and P-256 key. What they are called
# is each card's own affair: on card 2 the key references are others, on card 3 ids and labels too.
# rsa.pem, rsa.pub, ec.pem and ec.pub stand for those of card 1.
pool_cards() {
    local card key
    virtual_cards "$@"
    # shellcheck disable=SC2034  # for the tests
    mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
    for ((card = 1; card <= $1; card++)); do
        dkek_on $card
    done
    check "an RSA key" on 1 keygen --type rsa:2048 --id 10 --label web-rsa --out rsa.pem
    check "an EC key" on 1 keygen --type ec:P-256 --id 20 --label web-ec --out ec.pem
    for key in rsa ec; do
        check "$key: its public key" on 1 pubkey "label=web-$key;type=private" --out $key.pub
        check "$key: wrapped" on 1 wrap "label=web-$key" $key.wrapped
    done
    for ((card = 2; card <= $1; card++)); do
        check "card $card has the RSA key" on $card unwrap rsa.wrapped --key-ref $((card == 2 ? 9 : 1)) \
            --id "$((card == 3 ? 77 : 10))" --label "web-rsa-$card"
        check "and the EC key" on $card unwrap ec.wrapped --key-ref $((card == 2 ? 7 : 2)) \
            --id "$((card == 3 ? 88 : 20))" --label "web-ec-$card"
    done
}

# card_and_token: a card, and a token of SoftHSM with the same key, both.pem and both.crt; client_module
# is still to be configured.
card_and_token() {
    pool_cards 1
    plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out both.key 2>/dev/null
    plain_openssl req -new -x509 -key both.key -subj /CN=both -days 30 -out both.crt
    plain_openssl pkey -in both.key -pubout -out both.pub
    # Imported without a share's password, whose use takes seconds each time.
    dkek_on 1 44
    check "the key on the card" "$SC_HSM_BUILD/tests/keymgmt/import_keys" both.key
    check "its reference" on 1 pubkey "label=both.key;type=private" --reference --out both.pem
    # shellcheck disable=SC2034  # for the tests
    card_pin=$pin_file
    local card_socket=$PCSCLITE_CSOCK_NAME card_conf=$OPENSSL_CONF
    softhsm_token
    check "the key on the token" env OPENSSL_CONF=/dev/null softhsm2-util --import both.key \
        --token "the token" --label elsewhere --id 55 --pin "$pin"
    export PCSCLITE_CSOCK_NAME=$card_socket OPENSSL_CONF=$card_conf
}

# used N: how many private operations card N was asked for.
used() {
    grep -c '^> 80[67][28]' "$SC_HSM_VIRTUAL/card-$1.log" || true
}

# has_done N COUNT: card N was asked for more private operations than that.
has_done() {
    [ "$(used "$1")" -gt "$2" ]
}

# card_commands N: how many commands card N had so far.
card_commands() {
    grep -c '^> ' "$SC_HSM_VIRTUAL/card-$1.log" || true
}

# verified KEY: a signature by KEY.pem, which the default provider verifies.
verified() {
    rm -f signature
    openssl dgst -sha256 -sign "$1.pem" -out signature data &&
        plain_openssl dgst -sha256 -verify "$1.pub" -signature signature data
}
# forked COMMAND...: a program that forks. The search for leaks takes the parent's threads, which are not
# in a child, for ones that it cannot stop; so there is none.
forked() {
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 "$@"
}
seq 1 100 >data
