#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that signs goes on signing, whatever others do to card, reader and service.
. "$(dirname "$0")/../lib.sh"
device_test=$SC_HSM_BUILD/tests/device/device_test
virtual_cards 2
export PIN_SOURCE=file:$SC_HSM_VIRTUAL/pin READER
READER=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
export SC_HSM_LOG=info
check "an EC key is made" "$device_test" generate prime256v1
check "an RSA key is made" "$device_test" generate 2048

hsm=$SC_HSM_SOURCE/examples/virtual-hsm.sh
for key in 1 2; do
    check "key $key signs after a reset" "$device_test" repeat $key \
        "opensc-tool --reader 0 --reset" "opensc-tool --reader 0 --reset=cold"
    says "was reset: reconnecting"
    check "key $key signs after another program's SELECT of the applet" "$device_test" repeat $key \
        "opensc-tool --reader 0 --card-driver default -s 00A404000BE82B0601040181C31F020100"
    check "key $key signs after SELECT of another applet" "$device_test" repeat $key \
        "opensc-tool --reader 0 --card-driver default -s 00A4040008A000000003000000"
    check "key $key signs after the card was pulled and put back" "$device_test" repeat $key \
        "'$hsm' remove 1; '$hsm' insert 1"
    check "key $key signs when the card comes back while it is missed" "$device_test" repeat $key \
        "'$hsm' remove 1; (until grep -q 'the card was removed' '$seen'; do
            [ -e '$seen' ] || exit; sleep 0.02; done; '$hsm' insert 1) >/dev/null 2>&1 &"
    raw_apdus >/dev/null 2>&1 # logs out, so that the PIN is proven and can be kept
    check "key $key signs after the PIN file went away, with a kept PIN" \
        env KEEP_PIN=1 "$device_test" repeat $key \
        "mv '$SC_HSM_VIRTUAL/pin' '$SC_HSM_VIRTUAL/pin.away'; opensc-tool --reader 0 --reset" \
        "mv '$SC_HSM_VIRTUAL/pin.away' '$SC_HSM_VIRTUAL/pin'"
done
missed="until grep -q 'is missed: waiting' '$seen'; do [ -e '$seen' ] || exit; sleep 0.02; done"
check "a card that is pulled is waited for by who looks for devices" "$device_test" relist \
    "'$hsm' remove 1; ($missed; '$hsm' insert 1) >/dev/null 2>&1 &"
says "is missed"
fails "in vain, where it stays away" "$device_test" relist "'$hsm' remove 1"
says "no card in reader|no device|is there|is connected"
check "it is back" "$hsm" insert 1
# Nobody who has not used it waits for a card.
"$hsm" remove 1
fails "a program that begins does not wait" "$device_test" relist true
says_nothing_of "is missed"
check "it is back" "$hsm" insert 1
fails "a card that stays away is missed" "$device_test" repeat 1 "'$hsm' remove 1"
says "removed|no card|stopped answering"
check "it is back" "$hsm" insert 1
check "a card that was away is found again" "$device_test" cold 1
