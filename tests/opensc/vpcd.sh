#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The wire to vpcd, with a reader of our own: power, reset, pieces, garbage, reconnection, latency.
. "$(dirname "$0")/common.sh"
check "a reader of our own" python3 "$here/vpcd.py" "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
