#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DKEK and XKEK domains: created, agreed on, used to move a key, cleared and deleted.
. "$(dirname "$0")/common.sh"
check "key domains" python3 "$here/key_domains.py" "$SC_HSM_BUILD/bin/sc-hsm-sim" "$here/pico.kdm"
cat "$seen"
