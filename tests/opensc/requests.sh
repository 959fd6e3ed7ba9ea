#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The request of a new key: both its signatures verify, and everything the host named is in it.
. "$(dirname "$0")/common.sh"
opensc_card
check "requests of all kinds of keys" python3 "$here/requests.py" "$pin"
cat "$seen"
