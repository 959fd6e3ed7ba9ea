#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What readers there are, asked while they change.
. "$(dirname "$0")/../lib.sh"
list_test=$SC_HSM_BUILD/tests/device/list_test
virtual_cards 2
check "two cards" "$list_test" 0
says '^[0-9]+ readers, 2 cards$'
check "a failure or two" "$list_test" 2
says '^[0-9]+ readers, 2 cards$'
fails "failures without an end" "$list_test" 1000
says '^failed, 99[0-9] failures left: .*reader'
virtual_hsm remove 2
check "one card" "$list_test" 1
says '^[0-9]+ readers, 1 cards$'
