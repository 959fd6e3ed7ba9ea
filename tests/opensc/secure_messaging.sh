#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Chip authentication and secure messaging: all commands as without it, and no change unnoticed.
. "$(dirname "$0")/common.sh"
check "secure messaging" python3 "$here/secure_messaging.py" "$SC_HSM_BUILD/bin/sc-hsm-sim" log
cat "$seen"
