#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm prints any label safely
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need python3
virtual_card

# made LABEL: a key of this label.
made() {
    check "a key with a special label is made" openssl genpkey -algorithm SC-HSM-EC \
        -pkeyopt group:P-256 -pkeyopt "label:$1" -out key.pem
}

made $'\e[31mred\a\xe2\x80\xaegnp.exe' # U+202E turns the direction of what follows
made 'Zoë 鍵'
made $'two\nlines'

sc-hsm list >table
cp table "$seen"
equal "no control character but line ends" "" "$(LC_ALL=C tr -d '\n\040-\176\200-\377' <table)"
check "all of the table is UTF-8 without steering characters" python3 -c '
import unicodedata
for line in open("table", encoding="utf-8").read().splitlines():
    bad = [c for c in line if unicodedata.category(c) in ("Cc", "Cf")]
    assert not bad, bad
'
equal "one line for each key, and the headings" 4 "$(wc -l <table)"
equal "other letters stay" 1 "$(grep -c 'Zoë 鍵' table)"
check "columns line up, wide letters too" python3 -c '
import unicodedata
def column(line):
    start = line.index("EC 256")
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[:start])
lines = [l for l in open("table", encoding="utf-8") if "EC 256" in l]
assert len({column(l) for l in lines}) == 1, [column(l) for l in lines]
'

sc-hsm --json list >out.json
check "JSON is ASCII and tells the labels exactly" python3 -c '
import json
text = open("out.json", "rb").read()
assert all(b == 10 or 32 <= b < 127 for b in text)
labels = {o["label"] for o in json.loads(text)["objects"]}
assert labels == {"\x1b[31mred\x07\u202egnp.exe", "Zo\xeb \u9375", "two\nlines"}, labels
'

# --- names that help nobody -----------------------------------------------------------------------

check "one of a label" sc-hsm keygen --type ec:P-256 --label twin --id 51
says_nothing_of "have the label"
check "another of it" sc-hsm keygen --type ec:P-256 --label twin --id 52
says "^sc-hsm: 2 keys on device .* have the label 'twin' now: name each by its id"
check "and a secret key" sc-hsm --json keygen --type aes:128 --label twin
says "3 keys .*'twin'"
check "the log tells of one that openssl makes" env SC_HSM_LOG=info openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -pkeyopt label:twin -out key.pem
says "4 keys have the label 'twin' now"
check "nothing is said of what nobody named" sc-hsm keygen --type ec:P-256
says_nothing_of "have the label"
for authority in one two; do
    plain_openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key \
        -subj "/CN=root" -days 30 -out $authority.crt 2>"$seen"
done
check "an authority" sc-hsm cert import --ca one.crt
says_nothing_of "have the label"
check "another of its name" sc-hsm cert import --ca two.crt
says "2 certificates .*'root'"

fails "a label by itself" sc-hsm pubkey twin
says "'twin' is no attribute: did you mean label=twin\?"
fails "an id by itself" sc-hsm pubkey 51
says "'51' is no attribute: did you mean id=51 or label=51\?"
fails "in openssl" openssl pkey -in sc-hsm:twin -noout
says "did you mean label=twin\?"

# A printed URI is one word of the shell between quotes, whatever the label.
made $'a\'b$(touch evil)`touch evil`"c\\'
uri=$(sc-hsm --json list | python3 -c 'import json, sys
print([o["uri"] for o in json.load(sys.stdin)["objects"] if (o["label"] or "").startswith("a\x27b")][0])')
eval "check 'by its URI in quotes' sc-hsm pubkey '$uri'"
[ ! -e evil ] || fail "the label was run"
