#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 500 kills in the middle of commands, and one at each moment of writing for each kind of command:
# nothing that was answered is lost, nothing is half done. (100 with a sanitizer.)
. "$(dirname "$0")/common.sh"
rounds=500
[ -z "${SC_HSM_ASAN:-}" ] || rounds=100
OPENSSL_CONF=/dev/null check "the card dies at any moment" python3 "$here/kills.py" \
    "$SC_HSM_BUILD/bin/sc-hsm-sim" "${SC_HSM_KILLS:-$rounds}"
cat "$seen"
