#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 500 kills in the middle of commands, and one at each moment of writing for each kind of command:
# nothing that was answered is lost, nothing is half done.
. "$(dirname "$0")/common.sh"
OPENSSL_CONF=/dev/null check "the card dies at any moment" python3 "$here/kills.py" \
    "$SC_HSM_BUILD/bin/sc-hsm-sim" "${SC_HSM_KILLS:-500}"
cat "$seen"
