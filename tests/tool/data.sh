#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm stores, reads, replaces and deletes data objects
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"

admin_card
fresh=$(files)
login=(--pin-source file:pin)
data() {
    local verb=$1
    shift
    sc-hsm "${login[@]}" data "$verb" "$@"
}

# --- the journey -----------------------------------------------------------------------------

printf 'some notes\0with a zero' >notes
size=$(file_max)
head -c "$size" /dev/urandom >large
check "a file is stored" data write notes --label notes --application "the tests"
says "^Stored data object 'notes': sc-hsm:serial=$serial;label=notes;type=data$"
check "a private one" sh -c "sc-hsm ${login[*]} data write - --label codes --private <notes"
check "a large one" data write large --label large
check "all are listed" sc-hsm list type=data
says "^data +- +- +notes +22 bytes +sc-hsm:" "^private data +- +- +codes +- +sc-hsm:" \
    "^data +- +- +large +$size bytes"
raw_apdus >apdus.out # logs everybody out
check "the public one needs no PIN" sc-hsm --pin-source file:wrong-pin data read label=notes --out back
same_bytes "it is what it was" notes back
check "the large one comes back" sc-hsm data read label=large --out large.back
same_bytes "it is what it was" large large.back
ends 4 "the private one with a wrong PIN" sc-hsm --pin-source file:wrong-pin data read label=codes
ends 1 "the private one without a PIN" setsid sc-hsm --pin-source prompt data read label=codes
check "the private one with the PIN" data read label=codes --out codes
same_bytes "it is what it was" notes codes
equal "nobody else may read it" 600 "$(stat -c %a codes)"
sc-hsm data read label=notes >stdout
same_bytes "to standard output" notes stdout
equal "for programs" "$(base64 -w0 notes)" "$(json "d['base64']" sc-hsm --json data read label=notes)"
equal "with a file for them, its name" notes.json \
    "$(json "d['file']" sc-hsm --json data read label=notes --out notes.json)"
same_bytes "which has the content" notes notes.json
raw_apdus >apdus.out
check "with its PIN typed" typed "PIN.*=$pin" -- sc-hsm --pin-source prompt data read label=codes
says "some notes"

# --- OpenSC reads ours, and we read OpenSC's -------------------------------------------------

check "pkcs11-tool lists them" p11 --list-objects --type data --login --pin "$pin"
says "label: +'notes'" "application: +'the tests'" "label: +'codes'"
check "pkcs15-tool reads a public one" opensc pkcs15-tool --read-data-object notes --raw \
    --output opensc.out
same_bytes "it is what it was" notes opensc.out
check "pkcs11-tool reads the private one" p11 --read-object --type data --label codes --login \
    --pin "$pin" --output-file opensc.codes
same_bytes "it is what it was" notes opensc.codes
check "pkcs11-tool stores one" p11 --write-object notes --type data --label theirs --private --login \
    --pin "$pin"
check "we read it" data read label=theirs --out theirs
same_bytes "as it was" notes theirs
check "we delete it" data delete label=theirs --yes

# --- replacing -------------------------------------------------------------------------------

before=$(files)
ends 1 "a label that is taken" data write large --label notes
says "'notes' on $serial already: choose another label, or replace it with --replace"
ends 1 "nobody confirmed" setsid sc-hsm "${login[@]}" data write large --label notes --replace
says "nothing was done: .*--yes .*place of the data object 'notes' on the device $serial"
equal "nothing was written" "$before" "$(files)"
check "it is replaced" data write large --label notes --replace --yes
check "the new one is there" sc-hsm data read label=notes --out new
same_bytes "and whole" large new
check "and back" data write notes --label notes --replace --yes
check "at a place of its choice" data write notes --label placed --id 7f
check "it is there" sc-hsm list handle=cf7f
ends 1 "a place that is taken" data write large --label elsewhere --id 7f
says "the place 7f for data objects is taken"
check "it goes" data delete label=placed --yes

# --- a card that is full, or pulled out ------------------------------------------------------

before=$(files)
writes=(0 3 21)
! on_pico || writes=(0 3)
for skip in "${writes[@]}"; do
    check "the card is full after $skip writes" virtual_hsm control 1 status 6A84 ins=D7 "skip=$skip"
    ends 1 "no room" data write large --label notes --replace --yes
    says "(has no room for $size bytes more|has no memory left)"
    virtual_hsm control 1 clear >/dev/null
    equal "nothing is left ($skip)" "$before" "$(files)"
    check "the old one is there" sc-hsm data read label=notes --out same
    same_bytes "as it was ($skip)" notes same
    rm same
done
head -c 65535 /dev/urandom >huge
if on_pico; then
    ends 1 "more than its files hold" data write huge --label huge
    says "65535 bytes do not fit: a file on a Pico HSM has at most 4032; nothing was written"
    equal "nothing was" "$before" "$(files)"
else
    check "the largest there can be" data write huge --label huge
    check "comes back" sc-hsm data read label=huge --out huge.back
    same_bytes "as it was" huge huge.back
    check "it goes" data delete label=huge --yes
fi
faults=(remove-before:D7:5 remove-after:D7:20 remove-after:D7:21)
! on_pico || faults=(remove-before:D7:1 remove-after:D7:4 remove-after:D7:5)
for fault in "${faults[@]}"; do
    IFS=: read -r kind ins skip <<<"$fault"
    check "the card is pulled out: $fault" virtual_hsm control 1 "$kind" "ins=$ins" "skip=$skip"
    status=0
    data write large --label wanted >"$seen" 2>&1 || status=$?
    [ $status = 1 ] || [ $status = 3 ] || fail "status $status with the card pulled out"
    says "^sc-hsm: .*half done: run the same again"
    virtual_hsm control 1 clear >/dev/null
    virtual_hsm control 1 insert >/dev/null
    wait_for "the card is back" sc-hsm list
    check "the old ones are there" sc-hsm data read label=notes --out same
    same_bytes "as they were ($fault)" notes same
    rm same
    # Its description may have been the last thing that the card took.
    check "the same again" data write large --label wanted --replace --yes
    check "the new one is there" sc-hsm data read label=wanted --out same
    same_bytes "and whole ($fault)" large same
    rm same
    check "it goes" data delete label=wanted --yes
    equal "nothing is left ($fault)" "$before" "$(files)"
done

# --- what is refused -------------------------------------------------------------------------

ends 2 "no label" data write notes
says "with --label"
ends 1 "no file" data write nowhere --label x
: >empty
ends 1 "an empty file" data write empty --label x
says "empty is empty: there is nothing to store"
head -c 65536 /dev/urandom >toolong
ends 1 "a file that is too long" data write toolong --label x
says "longer than 65535 bytes"
ends 2 "a place of two bytes" data write notes --label x --id 0102
ends 1 "no such object" data read label=nobody
ends 1 "a key" data read key-ref=1
ends 1 "a file that is there" data read label=notes --out notes
ends 1 "no such object" data delete label=nobody --yes
ends 1 "nobody confirmed" setsid sc-hsm "${login[@]}" data delete label=notes
says "nothing was done"
equal "nothing was changed" "$before" "$(files)"
check "two of one name from elsewhere" p11 --write-object notes --type data --label large --login \
    --pin "$pin"
ends 1 "which of them" data read label=large
says "2 data objects match where one is needed: .*handle="
for uri in $(json "' '.join(o['uri'] for o in d['objects'])" sc-hsm --json list type=data); do
    check "by its URI" data delete "$uri" --yes
done
equal "nothing is left on the card" "$fresh" "$(files)"
