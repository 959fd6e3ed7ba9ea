#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DERIVE KEY: the derived key signs for the moved point, and has no more rights than its parent.
. "$(dirname "$0")/common.sh"
check "derived keys" env OPENSSL_CONF=/dev/null python3 "$here/derive.py" "$SC_HSM_BUILD/bin/sc-hsm-sim"
cat "$seen"
