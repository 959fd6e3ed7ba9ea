#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The virtual Pico HSM answers what a Pico HSM answered, command for command.
. "$(dirname "$0")/common.sh"
vectors=${SC_HSM_VECTORS:-$SC_HSM_SOURCE/../shared/vectors}
if [ ! -f "$vectors/pico-v6.6-exchanges.txt" ]; then
    echo "*** SKIPPED: no exchanges with a Pico HSM in $vectors; set SC_HSM_VECTORS to their folder" >&2
    exit 77
fi
opensc_card --profile pico
fresh_card
python3 "$here/pico_recorded.py" "$vectors/pico-v6.6-exchanges.txt" "$pin"
