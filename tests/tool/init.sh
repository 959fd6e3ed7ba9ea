#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm initialises a device, with every option
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
sources=(--so-pin-source file:so-pin --pin-source file:pin)

init() {
    sc-hsm init --yes --so-pin-source file:so-pin "$@"
}

# labelled TEXT: the words that set a label, where one can be set.
labelled() {
    words=()
    ! sets_labels || words=(--label "$1")
}
# What a device is called by its label, which is built in or the one in quotes.
label_is() {
    if sets_labels; then echo "$1"; else echo Pico-HSM; fi
}
# how_it_is_confirmed: a device that has no serial number yet by a word.
how_it_is_confirmed() {
    if on_pico; then echo "type the word yes:=yes"; else echo "type the serial number $serial:=$serial"; fi
}

# --- the first time -------------------------------------------------------------------------------

fresh_card
equal "a new device is not initialised" "(False, 'not-initialised', None)" \
    "$(status '(s["initialised"], s["pin"]["state"], s["so_pin"]["tries_left"])')"
ends 1 "nothing to unblock" sc-hsm pin unblock --so-pin-source file:so-pin --keep-pin
says "never initialised" "sc-hsm init"
ends 1 "no SO-PIN to change" sc-hsm so-pin change "${sources[@]:0:2}" \
    --new-so-pin-source file:wrong-so-pin
ends 1 "no PIN to change" sc-hsm pin change --pin-source file:pin --new-pin-source file:new-pin
says "not initialised" "sc-hsm init"
labelled "First Card"
check "the first time, typed" typed "$(how_it_is_confirmed)" "new SO-PIN.*:=$so_pin" \
    "new SO-PIN once more.*:=$so_pin" "new PIN.*:=$pin" "new PIN once more.*:=$pin" -- \
    sc-hsm init "${words[@]}"
says "never initialised: its SO-PIN is set now" "15 SO-PIN tries, then .* never be initialised" \
    "Device $serial is initialised" "can never be backed up"
says_nothing_of "$so_pin" "$pin"
check "sc-hsm-tool sees it" opensc sc-hsm-tool
says "User PIN tries left *: 3" "SO-PIN tries left *: 15"
on_pico || says_nothing_of DKEK # a Pico HSM shows one of no shares
check "pkcs15-tool sees the label" opensc pkcs15-tool --list-info
says "$(label_is "First Card")"
check "pkcs11-tool logs in" p11 --login --pin "$pin" --keypairgen --key-type EC:prime256v1 --id 10 \
    --label k
check "the SO-PIN is the one that was typed" p11 --login --login-type so --so-pin "$so_pin" \
    --init-pin --new-pin "$pin"

# --- again ----------------------------------------------------------------------------------------

echo secret >data
check "data is stored" p11 --login --pin "$pin" --write-object data --type data --label d
before=$(files)
ends 1 "without a terminal" setsid -w sc-hsm init "${sources[@]}"
says "no terminal" "1 private key, 1 data object" "15 of 15 SO-PIN tries are left" "\-\-yes"
fails "another serial number is typed" typed "serial number.*:=DENK0000001" -- \
    sc-hsm init "${sources[@]}"
says "nothing was done" "1 private key, 1 data object"
fails "nothing is typed" typed "serial number.*:=" -- sc-hsm init "${sources[@]}"
says "nothing was done"
equal "nothing was changed" "$before" "$(files)"
equal "no SO-PIN was sent" 15 "$(status 's["so_pin"]["tries_left"]')"
if checks_so_pin; then
    ends 4 "a wrong SO-PIN" sc-hsm init --yes --so-pin-source file:wrong-so-pin --pin-source file:pin
    says "SO-PIN is wrong for device $serial; 14 tries are left.*never be initialised again"
    equal "nothing was changed" "$before" "$(files)"
fi
check "again, the right one, typed" typed "serial number.*:=$serial" "SO-PIN.*1[45] tries left.*:=$so_pin" \
    -- sc-hsm init --pin-source file:pin
says "Device $serial is initialised"
says_nothing_of "once more"
equal "everything is gone" "[]" "$(json 'd["objects"]' sc-hsm --json list)"
label=None
sets_labels || label="'$(label_is '')'"
equal "the label too, and all tries are back" "(3, 15, $label)" \
    "$(status '(s["pin"]["tries_left"], s["so_pin"]["tries_left"], s["label"])')"
fails "two PINs that differ" typed "serial number.*:=$serial" "new PIN.*:=111111" \
    "once more.*:=222222" -- sc-hsm init --so-pin-source file:so-pin
says "differ"
check "the old PIN counts" p11 --login --pin "$pin" --list-objects

# --- the options ----------------------------------------------------------------------------------

if sets_labels; then
    check "a label in UTF-8" init --pin-source file:pin --label "Büro ☂"
    check "as pkcs15-tool shows it" opensc pkcs15-tool --list-info
    says "Büro ☂"
else
    ends 1 "no label" init --pin-source file:pin --label "Büro ☂"
    says "built in" "nothing was changed"
fi
check "10 tries for a long PIN" init --pin-source file:new-pin --retry-counter 10
equal "10 tries" 10 "$(status 's["pin"]["tries_left"]')"
ends 2 "too many tries for 6 characters" init --pin-source file:pin --retry-counter 4
says "6 characters may have 1 to 3 tries"
check "one try" init --pin-source file:pin --retry-counter 1
equal "one try" 1 "$(status 's["pin"]["tries_left"]')"

check "DKEK shares" init --pin-source file:pin --dkek-shares 2
says "import 2 DKEK shares with 'sc-hsm dkek import-share'"
check "as sc-hsm-tool shows them" opensc sc-hsm-tool
says "DKEK shares *: 2" "import pending, 2 share"
check "a DKEK of the device's own" init --pin-source file:pin --dkek-shares random
says "only this device has"
check "as sc-hsm-tool shows it" opensc sc-hsm-tool
says "DKEK key check value"
check "the same by number" init --pin-source file:pin --dkek-shares 0
equal "the same" "(True, True)" \
    "$(status '(s["dkek"]["exists"], s["dkek"]["shares"] in (0, 1))')" # a Pico HSM counts it as one
check "no DKEK" init --pin-source file:pin --dkek-shares none
equal "no DKEK" False "$(status 's["dkek"]["exists"]')"
check "key domains" init --pin-source file:pin --key-domains 3
says_nothing_of "never be backed up"
raw_apdus >/dev/null 2>&1
check "as status shows them" sc-hsm status
says "^Key domains: +0 of 3 created$"
equal "as JSON" "[(0, False), (1, False), (2, False)]" \
    "$(status '[(k["number"], k["created"]) for k in s["key_domains"]]')"
check "one is created" sc-hsm --pin-source file:pin apdu --login --yes 805201010103
says "9000"
check "as status shows it" sc-hsm status
says "^Key domain 1: +3 of 3 shares still to be imported$" "^Key domains: +1 of 3 created$"
raw_apdus 8052000200 >apdus.out 2>&1
cp apdus.out "$seen"
says "SW1=0x6A, SW2=0x88"
raw_apdus 8052000300 >apdus.out 2>&1
cp apdus.out "$seen"
says "SW1=0x6A, SW2=0x86"

labelled j
label=None
! sets_labels || label="'j'"
equal "JSON" "('$serial', $label, 3, 2, 0, None, False)" \
    "$(json '(d["serial"], d["label"], d["pin_tries"], d["dkek_shares"], d["key_domains"],
              d["public_keys"], d["so_pin_set"])' \
        sc-hsm --json init --yes "${sources[@]}" "${words[@]}" --dkek-shares 2)"

check "the SO-PIN may unblock" init --pin-source file:pin
equal "the SO-PIN may unblock" "(True, 'new-pin', [])" \
    "$(status '(s["so_pin"]["may_reset_pin"], s["so_pin"]["unblock"], s["options"])')"
check "the SO-PIN may unblock only" init --pin-source file:pin --unblock keep-pin
equal "the SO-PIN may unblock only" keep-pin "$(status 's["so_pin"]["unblock"]')"
ends 1 "no new PIN" sc-hsm pin unblock --so-pin-source file:so-pin --new-pin-source file:new-pin
says "\-\-keep-pin"
check "but unblocking" sc-hsm pin unblock --so-pin-source file:so-pin --keep-pin
check "the SO-PIN may not unblock" init --pin-source file:pin --unblock never
equal "the SO-PIN may not unblock" "(False, 'never')" \
    "$(status '(s["so_pin"]["may_reset_pin"], s["so_pin"]["unblock"])')"
ends 1 "no unblocking" sc-hsm pin unblock --so-pin-source file:so-pin --keep-pin
says "initialised anew, which erases everything"

if has_transport_pins; then
    check "a transport PIN" init --pin-source file:pin --transport-pin --label transport
    says "sc-hsm pin change"
    equal "a transport PIN" "('must-change', ['transport-pin'], 'transport')" \
        "$(status '(s["pin"]["state"], s["options"], s["label"])')"
else
    ends 1 "no transport PIN" init --pin-source file:pin --transport-pin
    says "opens to no PIN.*nothing was changed"
fi

if keys_without_pin; then
    check "public keys" init --public-keys 2/3 --replaceable-public-keys --label keys
    says "register 3 public keys with 'sc-hsm pka register'"
    check "sc-hsm-tool sees that" opensc sc-hsm-tool
    says "public key authentication"
    raw_apdus >/dev/null 2>&1
    check "and so does status" sc-hsm status
    says "^Label: +keys$" "^PIN: +.*public keys have to authenticate" \
        "^Public keys: +2 of 3 have to authenticate; 0 registered, 0 authenticated$"
    equal "as JSON" "('public-keys', {'total': 3, 'registered': 0, 'required': 2, 'authenticated': 0})" \
        "$(status '(s["pin"]["state"], s["public_keys"])')"
    ends 1 "no PIN opens it" sc-hsm --pin-source file:pin label x
    says "public-key authentication"
else
    ends 1 "not public keys alone" init --public-keys 2/3 --replaceable-public-keys
    says "without a PIN can have no keys.*nothing was changed"
    ends 1 "not 9 of them" init --pin-source file:pin --public-keys 1/9 --pin-and-public-keys
    says "at most 16 key domains, and 8 public keys.*nothing was changed"
    ends 1 "not 17 key domains" init --pin-source file:pin --key-domains 17
    says "at most 16 key domains"
    check "but 16" init --pin-source file:pin --key-domains 16
    equal "which status shows" 16 "$(status 'len(s["key_domains"])')"
    check "public keys with a PIN" init --pin-source file:pin --public-keys 2/8 --pin-and-public-keys
    equal "as JSON" "{'total': 8, 'registered': 0, 'required': 2, 'authenticated': 0}" \
        "$(status 's["public_keys"]')"
fi
check "PIN and public keys" init --pin-source file:pin --public-keys 1/2 --pin-and-public-keys
check "everything can be initialised away again" init --pin-source file:pin
equal "initialised" "('unverified', 3)" "$(status '(s["pin"]["state"], s["pin"]["tries_left"])')"

# --- what cannot be -------------------------------------------------------------------------------

for wrong in "--dkek-shares 256" "--dkek-shares -1" "--dkek-shares many" "--key-domains 0" \
    "--key-domains 256" "--key-domains 2 --dkek-shares 1" "--retry-counter 0" "--retry-counter 11" \
    "--retry-counter x" "--unblock yes" "--public-keys 3" "--public-keys 4/3" "--public-keys 0/3" \
    "--public-keys 1/91" "--public-keys 1/2x" "--pin-and-public-keys" "--replaceable-public-keys" \
    "--public-keys 1/2 --pin-source file:pin" "--public-keys 1/2 --transport-pin" "--label=" \
    "--label=123456789012345678901234567890123" "surplus"; do
    # shellcheck disable=SC2086  # words on purpose
    ends 2 "init $wrong" init $wrong
done
ends 2 "a label that is no text" init --pin-source file:pin --label $'a\xff'
ends 2 "a label that steers terminals" init --pin-source file:pin --label $'a\eb'
echo 12345 >short
echo 353736323138383 >short-so
echo 353736323138383G >odd-so
ends 4 "a PIN of 5 characters" init --pin-source file:short
says "6 to 16"
ends 4 "an SO-PIN of 15 digits" sc-hsm init --yes --so-pin-source file:short-so --pin-source file:pin
says "16"
ends 4 "an SO-PIN that is not hexadecimal" sc-hsm init --yes --so-pin-source file:odd-so \
    --pin-source file:pin
says "16 hexadecimal digits"
says_nothing_of 383G
ends 1 "no SO-PIN and no terminal" setsid -w sc-hsm init --yes --pin-source file:pin
says "no terminal" "SO-PIN" "\-\-so-pin-source"
ends 1 "no PIN and no terminal" setsid -w sc-hsm init --yes --so-pin-source file:so-pin
says "no terminal" "\-\-pin-source"
ends 1 "a file that is not there" init --pin-source file:nothing
virtual_hsm remove
ends 3 "no device" init --pin-source file:pin
virtual_hsm insert
equal "none of these cost a try" 15 "$(status 's["so_pin"]["tries_left"]')"

# --- other programs' cards ------------------------------------------------------------------------

labelled OpenSC
check "initialised by sc-hsm-tool" opensc sc-hsm-tool --initialize --so-pin "$so_pin" --pin "$pin" \
    --dkek-shares 1 "${words[@]}"
equal "as status shows it" "('$(label_is OpenSC)', 3, 1, 1)" \
    "$(status '(s["label"], s["pin"]["tries_left"], s["dkek"]["shares"], s["dkek"]["outstanding"])')"
# pkcs11-tool has to set a label, of which a Pico HSM would die
! sets_labels || check "initialised by pkcs11-tool" p11 --init-token --slot-index 0 --so-pin "$so_pin" --label Token
check "its PIN set by us" sc-hsm pin unblock --so-pin-source file:so-pin --new-pin-source file:new-pin
check "and used by pkcs11-tool" p11 --login --pin "$(cat new-pin)" --list-objects

# --- where an SO-PIN is not checked there is no end of it
if ! checks_so_pin; then
    check "another SO-PIN" sc-hsm init --yes --so-pin-source file:wrong-so-pin --pin-source file:pin
    exit 0
fi

# --- the end of an SO-PIN -------------------------------------------------------------------------

for _ in $(seq 14 -1 2); do
    sc-hsm init --yes --so-pin-source file:wrong-so-pin --pin-source file:pin >out 2>err && fail "wrong"
done
cp err "$seen"
says "2 tries are left"
ends 4 "down to one" sc-hsm init --yes --so-pin-source file:wrong-so-pin --pin-source file:pin
says "1 try is left"
ends 4 "the last try is not for a file" init --pin-source file:pin
says "only 1 SO-PIN try is left" "prompt"
equal "it is still there" 1 "$(status 's["so_pin"]["tries_left"]')"
fails "typed and wrong" typed "SO-PIN.*1 try left.*:=2222222222222222" -- sc-hsm init --yes \
    --pin-source file:pin
says "now blocked" "never be initialised"
for command in "init --yes" "pin unblock" "so-pin change"; do
    # shellcheck disable=SC2086  # words on purpose
    ends 4 "$command with a blocked SO-PIN" sc-hsm $command --so-pin-source file:so-pin
    says "SO-PIN of device $serial is blocked" "never be initialised"
done
check "status tells" sc-hsm status
says "^SO-PIN: +blocked$"
