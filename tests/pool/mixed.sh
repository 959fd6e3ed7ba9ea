#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Devices of several makes with one DKEK have the same keys after sc-hsm mirror, each from another.
# shellcheck source-path=SCRIPTDIR source=pool.sh
. "$(dirname "$0")/pool.sh"
virtual_cards 4
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
makes=(jcop4 jcop3 microsd hsm12)
for card in 1 2 3 4; do
    virtual_hsm remove $card >/dev/null
    rm -f "$SC_HSM_VIRTUAL/card-$card.state"
    check "card $card is a ${makes[card - 1]}" env SC_HSM_SIM_OPTIONS="--profile ${makes[card - 1]}" \
        "$SC_HSM_SOURCE/examples/virtual-hsm.sh" insert $card
    dkek_on $card
    on $card status >>kinds
done
check "they are several" [ "$(grep -i version kinds | sort -u | wc -l)" -gt 1 ]
for key in rsa:2048 ec:P-256 ec:brainpoolP320r1; do
    check "$key" on 1 keygen --type $key --label $key
    check "its public key" on 1 pubkey "label=$key;type=private" --out $key.pub
done
for card in 2 3 4; do
    check "from card $((card - 1)) to card $card" on $((card - 1)) mirror --to "${serials[card - 1]}"
    says ": 3 copied, 0 there already"
    for key in rsa:2048 ec:P-256 ec:brainpoolP320r1; do
        rm -f signature
        check "$key signs" openssl dgst -sha256 -sign \
            "sc-hsm:serial=${serials[card - 1]};label=$key;type=private" -out signature data
        check "and is the same" plain_openssl dgst -sha256 -verify $key.pub -signature signature data
    done
done
check "and back" on 4 mirror --to "${serials[0]}"
says ": 0 copied, 3 there already"
