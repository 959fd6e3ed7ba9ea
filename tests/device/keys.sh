#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys of all kinds through the device interface, each result checked by libcrypto, and the number
# of card commands that each takes.
. "$(dirname "$0")/../lib.sh"
device_test=$SC_HSM_BUILD/tests/device/device_test
virtual_card
export PIN_SOURCE=file:$SC_HSM_VIRTUAL/pin

log_out() {
    raw_apdus >/dev/null 2>&1
}

for key in prime256v1 2048 secp384r1 secp521r1 brainpoolP256r1 1024 3072; do
    check "a $key key is made and used" "$device_test" generate $key "id-$key" "label $key"
done
check "a long key is made and used" "$device_test" generate 4096 id-4096 "label 4096"
check "all are listed" "$device_test" list
says "ref 1 id 69642d7072696d6532353676 31 label 'label prime256v1' key 2 bits 256|label 'label prime256v1'" \
    "ref 2 .*'label 2048' key 1 bits 2048 value 294" "'label secp521r1' key 2 bits 521" \
    "'label brainpoolP256r1' key 2 bits 256" "ref 8 .*'label 4096' key 1 bits 4096 value 550"
check "a taken id is refused" "$device_test" exists id-2048
check "one label, one key" "$device_test" find "label 2048" 1
check "another label, none" "$device_test" find "label 2049" 0
count "a search reads each description once" =9 "$device_test" find "label 2048" 1
log_out
count "a cold start takes status, VERIFY, SIGN" =3 "$device_test" cold 1
# The card is still logged in: status, the list, the public key's file, then one command each.
count "101 signatures take one command each" =104 "$device_test" many 1 100
before=$(files)
check "spoiled commands leave no key without description" "$device_test" faults
equal "nor any other file" "$before" "$(files)"
check "a key is removed" "$device_test" remove 2
check "its place is taken again" "$device_test" generate prime256v1 other "another"
says '^2$'
check "the device tells its state" "$device_test" info
says "SmartCard-HSM UTSIM[0-9]{6} .* initialised 1 must-change 0 logged-in 1"
log_out
check "the device tells its state when nobody is logged in" "$device_test" info
says "version [1-9].* logged-in 0 tries 3 so-tries 15 reset 1"
