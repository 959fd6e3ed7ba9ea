#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm changes and unblocks PINs, and spends no try unasked
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
configure pin-source= # typed, or given by an option
# A command that needs the PIN.
by_pin=(label x)
keep=(--keep-pin)
keeps_pin || keep=(--new-pin-source file:new-pin)
sets_labels || by_pin=(keygen --type aes:128)
new_pin=$(cat new-pin)
other_so=0123456789ABCDEF
echo $other_so >other-so-pin

# opens PIN: OpenSC logs in with it.
opens() {
    p11 --login --pin "$1" --list-objects
}

# block: spends all tries.
block() {
    raw_apdus 0020008106393939393939 0020008106393939393939 0020008106393939393939 >/dev/null 2>&1
    equal "the PIN is blocked" blocked "$(pin_tries)"
}

# --- pin change -----------------------------------------------------------------------------------

check "from files" sc-hsm pin change --pin-source file:pin --new-pin-source file:new-pin
says "Changed the PIN of device $serial"
check "the new PIN opens" opens "$new_pin"
fails "the old one does not" opens "$pin"
check "the new one gives the tries back" opens "$new_pin"
check "from the environment" env OLD="$new_pin" NEW="$pin" sc-hsm pin change --pin-source env:OLD \
    --new-pin-source env:NEW
# shellcheck disable=SC2094  # both are read
check "from descriptors" sc-hsm pin change --pin-source fd:5 --new-pin-source fd:6 5<pin 6<new-pin
check "typed" typed "PIN on device $serial.*:=$new_pin" "new PIN on device $serial.*:=$pin" \
    "new PIN once more.*:=$pin" -- sc-hsm pin change
says "Changed the PIN"
says_nothing_of "$pin" "$new_pin"
check "typed and from a file" typed "PIN.*:=$pin" -- sc-hsm pin change --new-pin-source file:new-pin
says_nothing_of "new PIN on device"
check "back again, as JSON" sc-hsm --json pin change --pin-source file:new-pin \
    --new-pin-source file:pin
says '"serial": "'"$serial"'"' '"so_pin_tries_left": 15'

raw_apdus >/dev/null 2>&1
fails "new ones that differ" typed "PIN.*3 tries left.*:=$pin" "new PIN.*:=11111111" \
    "once more.*:=22222222" -- sc-hsm pin change
says "differ"
ends 4 "a new one of 5 characters" sc-hsm pin change --pin-source file:pin --new-pin-source \
    file:<(echo 12345)
ends 4 "a new one of 17 characters" sc-hsm pin change --pin-source file:pin --new-pin-source \
    file:<(echo 12345678901234567)
ends 2 "a PIN pad" sc-hsm pin change --pin-source pinpad --new-pin-source file:new-pin
ends 2 "a PIN where its source belongs" sc-hsm pin change --pin-source file:pin \
    --new-pin-source 88776655
says_nothing_of 88776655
ends 2 "a surplus argument" sc-hsm pin change now
ends 1 "no source, no terminal" setsid -w sc-hsm pin change
says "no terminal" "\-\-pin-source"
ends 1 "no new one, no terminal" setsid -w sc-hsm pin change --pin-source file:pin
says "\-\-new-pin-source"
ends 1 "a source that is not there" sc-hsm pin change --pin-source file:nothing
equal "no try was spent" 3 "$(pin_tries)"
ends 4 "a wrong PIN" sc-hsm pin change --pin-source file:wrong-pin --new-pin-source file:new-pin
says "wrong for device $serial; 2 tries are left"
# The card cannot see where the old PIN ends: a part of it is no old PIN.
check "a longer PIN" sc-hsm pin change --pin-source file:pin --new-pin-source file:<(echo 64821955)
ends 4 "its beginning with the rest in the new one" sc-hsm pin change --pin-source file:pin \
    --new-pin-source file:<(echo 55123456)
check "it is as it was" sc-hsm pin change --pin-source file:<(echo 64821955) --new-pin-source file:pin
raw_apdus >/dev/null 2>&1
ends 4 "wrong again" sc-hsm pin change --pin-source file:wrong-pin --new-pin-source file:new-pin
ends 4 "and again" sc-hsm pin change --pin-source file:wrong-pin --new-pin-source file:new-pin
says "1 try is left"
ends 4 "the last try is not for a file" sc-hsm pin change --pin-source file:pin \
    --new-pin-source file:new-pin
says "only 1 PIN try is left" "use --pin-source prompt to type it"
says_nothing_of "configuration"
ends 4 "nor in another command" sc-hsm --pin-source file:pin "${by_pin[@]}"
says "only 1 PIN try is left" "use --pin-source prompt to type it"
says_nothing_of "configuration"
equal "one try is left" 1 "$(pin_tries)"
ends 1 "nobody to type it" setsid -w sc-hsm "${by_pin[@]}"
says "device $serial needs its PIN.*no terminal.*--pin-source"
check "a person who is asked may have it" typed "PIN.*1 try left.*:=$pin" -- sc-hsm "${by_pin[@]}"
raw_apdus >/dev/null 2>&1
ends 4 "two tries spent again" sc-hsm --pin-source file:wrong-pin "${by_pin[@]}"
ends 4 "both" sc-hsm --pin-source file:wrong-pin "${by_pin[@]}"
equal "one try is left again" 1 "$(pin_tries)"
fails "typed and wrong" typed "PIN.*1 try left.*:=111111" -- sc-hsm pin change \
    --new-pin-source file:new-pin
says "now blocked" "sc-hsm pin unblock"
ends 4 "blocked" sc-hsm pin change --pin-source file:pin --new-pin-source file:new-pin
says "PIN of device $serial is blocked" "sc-hsm pin unblock"
ends 4 "so do other commands" sc-hsm --pin-source file:pin "${by_pin[@]}"
says "sc-hsm pin unblock"

# --- pin unblock ----------------------------------------------------------------------------------

check "unblocked with a new PIN" sc-hsm pin unblock --so-pin-source file:so-pin \
    --new-pin-source file:new-pin
says "Unblocked the PIN"
check "which opens" opens "$new_pin"
if keeps_pin; then
    block
    check "unblocked and kept" sc-hsm pin unblock --so-pin-source file:so-pin --keep-pin
    check "the same opens" opens "$new_pin"
fi
block
check "typed" typed "SO-PIN.*15 tries left.*:=$so_pin" "new PIN.*:=$pin" "once more.*:=$pin" -- \
    sc-hsm pin unblock
says_nothing_of "$so_pin" "$pin"
check "which opens" opens "$pin"
check "while it is not blocked, too" env S=$so_pin sc-hsm pin unblock --so-pin-source env:S \
    --new-pin-source fd:7 7<new-pin
check "which opens" opens "$new_pin"
check "and by pkcs11-tool" p11 --login --login-type so --so-pin "$so_pin" --init-pin --new-pin "$pin"
block
ends 4 "a wrong SO-PIN" sc-hsm pin unblock --so-pin-source file:wrong-so-pin "${keep[@]}"
says "SO-PIN is wrong for device $serial; 14 tries are left"
ends 2 "two wishes" sc-hsm pin unblock --so-pin-source file:so-pin --keep-pin \
    --new-pin-source file:pin
ends 4 "a PIN in place of the SO-PIN" sc-hsm pin unblock --so-pin-source file:pin "${keep[@]}"
ends 4 "a new PIN of 5 characters" sc-hsm pin unblock --so-pin-source file:so-pin \
    --new-pin-source file:<(echo 12345)
ends 1 "no source, no terminal" setsid -w sc-hsm pin unblock
says "\-\-so-pin-source"
equal "one SO-PIN try was spent" 14 "$(status 's["so_pin"]["tries_left"]')"
equal "it is still blocked" blocked "$(pin_tries)"
check "unblocked" sc-hsm pin unblock --so-pin-source file:so-pin --new-pin-source file:pin
equal "all tries are back" "(3, 15)" \
    "$(status '(s["pin"]["tries_left"], s["so_pin"]["tries_left"])')"

# --- so-pin change --------------------------------------------------------------------------------

check "another SO-PIN" sc-hsm so-pin change --so-pin-source file:so-pin \
    --new-so-pin-source file:other-so-pin
says "Changed the SO-PIN"
check "sc-hsm-tool takes it" opensc sc-hsm-tool --initialize --so-pin "$other_so" --pin "$pin"
equal "and did its work" 15 "$(status 's["so_pin"]["tries_left"]')"
ends 4 "the old one is wrong" sc-hsm so-pin change --so-pin-source file:so-pin \
    --new-so-pin-source file:other-so-pin
says "14 tries are left"
check "typed, in small letters" typed "SO-PIN.*14 tries left.*:=${other_so,,}" \
    "new SO-PIN.*:=$so_pin" "once more.*:=$so_pin" -- sc-hsm so-pin change
says_nothing_of "$so_pin" "$other_so"
fails "new ones that differ" typed "new SO-PIN.*:=$other_so" "once more.*:=$so_pin" -- \
    sc-hsm so-pin change --so-pin-source file:so-pin
check "by pkcs11-tool" p11 --login --login-type so --so-pin "$so_pin" --change-pin \
    --new-pin "$other_so"
check "and back by us" sc-hsm so-pin change --so-pin-source file:other-so-pin \
    --new-so-pin-source file:so-pin
ends 4 "a new one that is none" sc-hsm so-pin change --so-pin-source file:so-pin \
    --new-so-pin-source file:pin
ends 1 "no source, no terminal" setsid -w sc-hsm so-pin change
equal "no try was spent" 15 "$(status 's["so_pin"]["tries_left"]')"

if ! has_transport_pins; then
    ends 1 "no transport PIN" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin \
        --transport-pin
    says "with a transport PIN opens to no PIN"
    exit 0
fi

# --- a transport PIN ------------------------------------------------------------------------------

check "a transport PIN" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin \
    --transport-pin
ends 1 "it opens nothing" sc-hsm --pin-source file:pin "${by_pin[@]}"
says "transport PIN" "sc-hsm pin change"
ends 4 "a wrong one" sc-hsm pin change --pin-source file:wrong-pin --new-pin-source file:new-pin
says "2 tries are left"
check "changed, typed" typed "transport PIN on device.*:=$pin" "new PIN.*:=$new_pin" \
    "once more.*:=$new_pin" -- sc-hsm pin change
says "Replaced the transport PIN"
check "the new one opens" opens "$new_pin"
check "a transport PIN by sc-hsm" sc-hsm init --yes --so-pin-source file:so-pin \
    --pin-source file:pin --transport-pin
for _ in 1 2 3; do
    sc-hsm pin change --pin-source file:wrong-pin --new-pin-source file:new-pin >out 2>err &&
        fail "wrong"
done
cp err "$seen"
says "now blocked"

for command in "pin change" "pin unblock" "so-pin change"; do
    # shellcheck disable=SC2086  # words on purpose
    ends 3 "$command on no device" sc-hsm --serial DENK0000001 $command
done
grep -aqE "$so_pin|$other_so" "$SC_HSM_VIRTUAL"/card-1.log && fail "the log holds a PIN"
echo "ok: the end"
