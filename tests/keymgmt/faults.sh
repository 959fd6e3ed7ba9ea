#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What goes wrong while a key comes to the card leaves no key that is not whole, and no rest where
# the card itself refused; the same command made again works.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../tool/interruption.sh
. "$(dirname "$0")/../tool/interruption.sh"
admin_card
PATH=$SC_HSM_BUILD/tests/keymgmt:$PATH
# comes_back: puts the card back as soon as the fault that was ordered has befallen it.
before=0
comes_back() {
    seen=$work/.waited # it runs beside the command
    wait_for "the fault" has_befallen
    control insert
}
has_befallen() {
    [ "$(befallen)" -gt "$before" ]
}
# order FAULT: of a card that is going to be pulled out.
order() {
    before=$(befallen)
    control "$1"
}

dkek=$(printf '44%.0s' $(seq 32))
check "a card with a DKEK" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin \
    --dkek-shares 1
check "the share" raw_apdus "8052000020${dkek}00"
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out key
plain_openssl pkey -in key -pubout -out pub
echo message >message
empty=$(files)

# whole: the only key is there, described, and signs.
whole() {
    equal "$1: one key, described" "[('key', 256)]" "$(json \
        '[(o["label"], o["bits"]) for o in d["objects"] if o["type"] == "private"]' \
        sc-hsm --json list)"
    check "$1: it signs" openssl dgst -sha256 -sign sc-hsm:label=key -out signature message
    check "$1: the signature verifies" plain_openssl dgst -sha256 -verify pub -signature signature \
        message
    check "$1: it is deleted again" sc-hsm --pin-source file:pin delete label=key --yes
    equal "$1: nothing else is there" "$empty" "$(files)"
}

# The card refuses: nothing is left. D7 writes description and request, 74 unwraps.
for fault in "status 6A84 ins=D7" "status 6A84 ins=D7 skip=1" "status 6A84 ins=74" \
    "status 6A80 ins=74" "status 6F00 ins=74"; do
    control "$fault"
    fails "$fault" import_keys key
    equal "$fault: nothing is left" "$empty" "$(files)"
done
check "then it works" import_keys key
whole "after refusals"

# The card is pulled out and comes back: the command is made again and does all of it once.
for fault in "remove-before ins=D7" "remove-after ins=D7" "remove-after ins=D7 skip=1" \
    "remove-before ins=74" "remove-after ins=74"; do
    order "$fault"
    comes_back &
    check "$fault" import_keys key
    wait
    whole "$fault"
done
control "status 6982 ins=74"
check "somebody else's SELECT" import_keys key
whole "somebody else's SELECT"

# The card is pulled out and stays away: no key without a description is there afterwards, and what
# is left is no hindrance.
for fault in "remove-after ins=D7" "remove-before ins=74"; do
    control "$fault"
    fails "$fault, for good" import_keys key
    control insert
    wait_for "the card" raw_apdus
    equal "$fault, for good: no key" "[]" "$(json \
        '[o for o in d["objects"] if o["type"] == "private"]' sc-hsm --json list)"
    check "$fault, for good: again" import_keys key
    says "key reference 1,"
    whole "$fault, for good"
done

# The card dies in the middle of commands and its state is what it wrote.
for fault in "kill-before ins=74" "kill-after ins=74" "kill-during ins=D7 skip=1"; do
    control "$fault"
    fails "$fault" import_keys key
    virtual_hsm insert >/dev/null
    if [ "$(files)" != "$empty" ] && sc-hsm list | grep -q "label=key"; then
        whole "$fault"
    fi
    check "$fault: again" import_keys key
    whole "$fault: again"
done

# The importing program dies at any card command: the key is there and whole, or not at all.
point=0
while killed_at $point -- import_keys key; do
    if sc-hsm list | grep -q "type=private"; then
        check "killed at command $point: the key signs" openssl dgst -sha256 -sign sc-hsm:label=key \
            -out signature message
        check "killed at command $point: deleted" sc-hsm --pin-source file:pin delete label=key --yes
    fi
    point=$((point + sweep_step))
done
[ $point -ge 8 ] || fail "an import of $point commands"
check "the one that ended by itself: deleted" sc-hsm --pin-source file:pin delete label=key --yes
check "after all that it works" import_keys key
says "key reference 1,"
whole "after all that"

# A share is added once, however its answer gets lost: twice would be not at all.
check "a new DKEK" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin \
    --dkek-shares 2
a5=$(printf 'A5%.0s' $(seq 32)) e1=$(printf 'E1%.0s' $(seq 32))
order "remove-after ins=52 skip=1"
comes_back &
check "a share, its answer lost" import_keys --share "$a5"
wait
check "the other one" import_keys --share "$e1"
check "each was added once" sc-hsm dkek status
says "complete +BB391415C05E39D7"
fails "no third one" import_keys --share "$e1"
says "no share is outstanding.*BB391415C05E39D7"
