#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cards of one maker verify each other's certificates, and those of nobody else.
. "$(dirname "$0")/common.sh"
check "certificates" python3 "$here/trust.py" "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
