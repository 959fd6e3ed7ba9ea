#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key

# A server's worker has no PIN source that it can read and no terminal: the PIN is kept.
for settings in "cache-pin=yes" "cache-pin=no"; do
    configure "$settings"
    for key in rsa.pem sc-hsm:id=20; do
        check "$settings, $key: 4 threads share one key" "$programs/sign_threads" "$key" 4 25
        check "$settings, $key: 4 forked children and their parent" \
            "$programs/sign_forked" "$key" 4 25
        check "$settings, $key: forked before the first signature" \
            "$programs/sign_forked" "$key" 4 10 late
    done
done

# processes NUMBER: that many programs at once on one card.
processes() {
    local number running=()
    for ((number = 0; number < $1; number++)); do
        "$programs/sign_many" "$([ $((number % 2)) = 0 ] && echo ec.pem || echo sc-hsm:id=10)" 25 &
        running+=($!)
    done
    for number in "${running[@]}"; do
        wait "$number"
    done
}
check "4 processes share one card" processes 4
equal "no try was spent" 3 "$(pin_tries)"

# A PIN that came by the pass phrase callback alone, in the forked children.
configure pin-source= cache-pin=yes
check "cache-pin = yes: children log in with the PIN of the URI" \
    "$programs/sign_forked" "sc-hsm:id=10?pin-value=$pin" 4 5
