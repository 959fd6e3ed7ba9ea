#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Wrapped keys: what leaves the card opens off it, what was made off it is used on it.
. "$(dirname "$0")/common.sh"
check "wrapped keys" env OPENSSL_CONF=/dev/null python3 "$here/wrapped.py" \
    "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
