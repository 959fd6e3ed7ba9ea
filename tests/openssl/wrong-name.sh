#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_cards 2
serial1=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
serial2=$(sed -n 2p "$SC_HSM_VIRTUAL/serials")
for card in 1 2; do
    serial=$(sed -n "${card}p" "$SC_HSM_VIRTUAL/serials")
    check "a key on card $card" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
        -pkeyopt id:10 -pkeyopt label:web -pkeyopt "serial:$serial" -out "card$card.pem"
    check "its public part" openssl pkey -in "card$card.pem" -pubout -out "card$card.pub"
done
check "one more" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt id:11 \
    -pkeyopt label:twin -pkeyopt "serial:$serial1" -out k.pem
check "and one of the same label" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt id:12 -pkeyopt label:twin -pkeyopt "serial:$serial1" -out k.pem
seq 1 100 >data
before=$(files)
tries=$(pin_tries)

# use URI: signs with it, leaving nothing behind on failure.
use() {
    openssl dgst -sha256 -sign "$1" -out signature data
}

# --- two cards, two matches ---
fails "the same id on both cards" use sc-hsm:id=10
says "$serial1" "$serial2"
fails "the same label on both cards" use sc-hsm:label=web
says "$serial1" "$serial2"
fails "the same label twice on one card" use "sc-hsm:label=twin;serial=$serial1"
says 'id=11' 'id=12'
fails "generation without a word on which card" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -out which.pem
says "$serial1" "$serial2"
for card in 1 2; do
    serial=$(sed -n "${card}p" "$SC_HSM_VIRTUAL/serials")
    reader=$(opensc-tool --list-readers | grep "$serial" | grep Yes | sed 's/.*\(Virtual.*\)/\1/')
    encoded=$(sed -e 's/ /%20/g' -e 's/(/%28/g' -e 's/)/%29/g' <<<"$reader")
    for uri in "sc-hsm:id=10;serial=$serial" "sc-hsm:label=web;serial=$serial" \
        "sc-hsm:id=10;reader=$encoded" "card$card.pem"; do
        check "$uri is one" use "$uri"
        check "the right one" plain_openssl dgst -sha256 -verify "card$card.pub" \
            -signature signature data
    done
done

# --- no match ---
for uri in sc-hsm:id=77 sc-hsm:key-ref=99 sc-hsm:label=nobody 'sc-hsm:id=10;label=nobody'; do
    fails "no match for $uri" use "$uri"
    says 'no .*(key|object)|not found|none'
    says "${uri##*[:;]}|77|99|nobody"
done
fails "a serial number of no card" use 'sc-hsm:id=10;serial=NOSUCH1'
says NOSUCH1

# --- malformed ---
# malformed URI REGEX
malformed() {
    fails "malformed: $1" use "$1"
    says "$2"
}
malformed 'sc-hsm:colour=red' colour
malformed 'sc-hsm:id=10;id=11' 'id'
malformed 'sc-hsm:id=1' 'id'
malformed 'sc-hsm:id=zz' 'id'
malformed 'sc-hsm:key-ref=0' 'key-ref'
malformed 'sc-hsm:key-ref=256' 'key-ref'
malformed 'sc-hsm:key-ref=0xZZ' 'key-ref'
malformed 'sc-hsm:label=%G1' 'label'
malformed 'sc-hsm:type=secret' 'type'
malformed 'sc-hsm:id' 'id'
malformed "sc-hsm:id=10;serial=$serial1?pin-source=nowhere" 'pin-source'
malformed "sc-hsm:id=10;serial=$serial1?colour=red" 'colour'
malformed "sc-hsm:id=10;serial=$serial1?pin-value=$pin&pin-value=$pin" 'pin-value'
# The command itself repeats the name it was given; we do not.
says_nothing_of "sc-hsm:store_open.*$pin"

# --- a bad configuration says section or key, and harms nobody else ---
configure "min-pin-tries=many"
fails "a bad value is an error at first use" use "sc-hsm:id=10;serial=$serial1"
says 'min-pin-tries' 'many'
check "and does not stop other work" openssl dgst -sha256 data
check "nor a software key" openssl genpkey -algorithm RSA -out soft.pem
configure min-pin-tries=

equal "nothing changed on the card" "$before" "$(files)"
equal "no try spent" "$tries" "$(pin_tries)"
