#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Short and extended commands, GET RESPONSE, algorithms and key policy, with bytes of our own.
. "$(dirname "$0")/common.sh"
opensc_card
check "commands" python3 "$here/transport.py" "$pin"
cat "$seen"
