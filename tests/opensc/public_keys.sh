#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Public-key authentication: registration, three of five, replacement, beside the PIN and with it.
. "$(dirname "$0")/common.sh"
check "public-key authentication" python3 "$here/public_keys.py" "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
