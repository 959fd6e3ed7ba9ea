#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card

for curve in P-256 P-384 brainpoolP256r1; do
    check "a key on $curve" openssl genpkey -algorithm SC-HSM-EC -pkeyopt "group:$curve" \
        -pkeyopt "label:$curve" -out ec.pem
    check "its public part" openssl pkey -in ec.pem -pubout -out ec.pub
    check "the peer, in software" plain_openssl genpkey -algorithm EC \
        -pkeyopt "ec_paramgen_curve:$curve" -out peer.pem
    check "its public part" plain_openssl pkey -in peer.pem -pubout -out peer.pub
    check "the secret as the peer sees it" plain_openssl pkeyutl -derive -inkey peer.pem \
        -peerkey ec.pub -out theirs
    for key in ec.pem "sc-hsm:label=$curve"; do
        check "the secret with $key" openssl pkeyutl -derive -inkey "$key" -peerkey peer.pub -out ours
        same_bytes "both have the same" theirs ours
    done
done

check "a peer on another curve" plain_openssl genpkey -algorithm EC \
    -pkeyopt ec_paramgen_curve:P-521 -out other.pem
check "its public part" plain_openssl pkey -in other.pem -pubout -out other.pub
fails "is refused" openssl pkeyutl -derive -inkey ec.pem -peerkey other.pub
