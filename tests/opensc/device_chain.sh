#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The device certificate chain has the layout of real ones and verifies up to the card's root.
. "$(dirname "$0")/common.sh"
opensc_card
check "the certificates are read" explore 'get 2F02 chain'
virtual_hsm remove >/dev/null
check "the root certificate" sc-hsm-sim --state "$card_state" --write-root root
check "the chain" python3 "$here/device_chain.py" root chain "$serial"
cat "$seen"
check "another card" sc-hsm-sim --state other --serial UTOTHER1 --write-root other-root
same_bytes "has the same root" root other-root
check "without a card" sc-hsm-sim --write-root any-root
same_bytes "it is the same root" root any-root
fails "a root that cannot be written" sc-hsm-sim --write-root no-folder/root
says 'no-folder/root'
flipped() {
    python3 -c 'import sys; d = bytearray(open("chain", "rb").read()); d[int(sys.argv[1])] ^= 1
open("bad", "wb").write(d)' "$1"
}
for at in 60 200 300 440; do
    flipped $at
    fails "byte $at changed" python3 "$here/device_chain.py" root bad "$serial"
done
