#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One kill at each moment of writing for each kind of command, and 400 in a history of commands:
# nothing that was answered is lost, nothing is half done. (100 with a sanitizer.)
. "$(dirname "$0")/common.sh"
rounds=400
[ -z "${SC_HSM_ASAN:-}" ] || rounds=100
# SC_HSM_KILLS: how many; SC_HSM_KILLS_SEED: the history of a test that failed
OPENSSL_CONF=/dev/null check "the card dies at any moment" python3 "$here/kills.py" \
    "$SC_HSM_BUILD/bin/sc-hsm-sim" "${SC_HSM_KILLS:-$rounds}" ${SC_HSM_KILLS_SEED:+"$SC_HSM_KILLS_SEED"}
cat "$seen"
