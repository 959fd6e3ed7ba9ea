#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands of docs/several-devices.md run as they stand.
#
# Every block that follows the line `<!-- tested -->` is run, in this order and in one shell, with two
# devices that have the same DKEK.
# shellcheck source-path=SCRIPTDIR source=pool.sh
. "$(dirname "$0")/pool.sh"
awk '
    /^```/ && inside { inside = 0; next }
    /^```sh/ && tested { inside = 1; tested = 0; next }
    /^<!-- tested -->$/ { tested = 1 }
    inside { print }
' "$SC_HSM_SOURCE/docs/several-devices.md" >commands.sh
[ "$(wc -l <commands.sh)" -ge 15 ] || fail "the guide shows fewer commands than expected"

virtual_cards 2
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
dkek_on 1
dkek_on 2
mkdir -m 700 guide guide/pins
for serial in "${serials[@]}"; do
    echo "$pin" >"guide/pins/$serial"
done
export first=${serials[0]} second=${serials[1]}
check "the guide's commands" bash -c 'cd guide && exec bash -euxo pipefail ../commands.sh'
says "^Not on $second: sc-hsm copy " "From device $first to device $second: 2 copied" "Verified OK" \
    "key 'mail' .*: copied"
check "then nothing is missing" sc-hsm pool
says_nothing_of "^Not on"
