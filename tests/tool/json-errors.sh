#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With --json every command tells every failure as JSON on standard error: one object in each line, the
# last of them the error, with the reason of docs/errors.md and the status that the run ends with.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card

# told STATUS WHAT COMMAND...: the run ends with this status; the error is in the file told.
told() {
    local expected=$1 what=$2 status=0
    shift 2
    "$@" >out 2>err </dev/null || status=$?
    cat out err >"$seen"
    equal "$what: status" "$expected" "$status"
    tail -n 1 err >told
}
# member NAME: of the error that was told.
member() {
    python3 -c 'import json, sys; print(json.load(sys.stdin)["error"][sys.argv[1]])' "$1" <told
}

# --- what it holds ---
told 4 "a wrong PIN" sc-hsm --json --pin-source file:wrong-pin verify-pin
equal "its reason" "PIN incorrect" "$(member reason)"
equal "its code" 8 "$(member code)"
equal "its status" 4 "$(member status)"
equal "the tries that are left" 2 "$(member tries_left)"
equal "the status word" 63C2 "$(member status_word)"
told 0 "the right PIN" sc-hsm --json --pin-source file:pin verify-pin
told 1 "an object that is not there" sc-hsm list sc-hsm:id=77 --json
equal "its reason" "not found" "$(member reason)"
equal "nothing is on standard output" "" "$(cat out)"
equal "the sentence is the usual one" "sc-hsm: $(member message)" \
    "$(sc-hsm list sc-hsm:id=77 2>&1 || true)"
told 2 "a slip before --json" sc-hsm lst --json
says "did you mean 'list'"
told 2 "--json behind --" sc-hsm lst -- --json
says "^sc-hsm: there is no command"
told 2 "a text that could break out of a line" sc-hsm --json $'a"b\n{}\e[1m'
equal "one line" 1 "$(wc -l <err)"
equal "its status" 2 "$(member status)"

# --- several failures of one run, and what is no failure ---
for id in 10 11; do
    check "a key" sc-hsm --pin-source file:pin keygen --type ec:P-256 --id $id --label same --json
done
says '^\{"note":\{"message":"2 keys on device .* have the label .same. now'
echo data >data
for id in 20 21; do
    check "data" sc-hsm --pin-source file:pin data write data --label data$id --id $id
    card_file C9$id 00
done
told 1 "a list with two that cannot be read" sc-hsm list --json
equal "two lines" 2 "$(wc -l <err)"
equal "first a warning" '{"warning":{"reason":"malformed data on the device","code":31' \
    "$(head -n 1 err | cut -d, -f 1,2)"
equal "then the error" 31 "$(member code)"
check "standard output is whole" python3 -m json.tool out
told 1 "a list of data alone" sc-hsm data list --json
equal "two lines again" 2 "$(wc -l <err)"

# --- every command ---
# Progress at a terminal is all that is written past tell.c.
equal "who writes to standard error" "progress.c share_file.c tell.c" \
    "$(cd "$SC_HSM_SOURCE/tool" && grep -rlw stderr . | sed 's|^./||' | sort | paste -s -d ' ')"
check "every command's failures" python3 "$here/json_errors.py" ${SC_HSM_ASAN:+brief}
