#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The card pulled out and put back at any card command, the jobs around wrapped keys end well and do
# everything once
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
PATH=$SC_HSM_BUILD/tests/keymgmt:$PATH
dkek_card
tool=(sc-hsm --pin-source file:pin)

check "an EC key" "${tool[@]}" keygen --type ec:P-256 --id 20 --label mail
check "an AES key" "${tool[@]}" keygen --type aes:256 --id 30 --key-ref 3 --label vault
check "data" "${tool[@]}" data write message --label content
cp message content
check "its public key" sc-hsm pubkey "label=mail;type=private" --out mail.pub
enciphered >vault
check "a wrapped key" "${tool[@]}" wrap 'id=20;type=private' mail.wrapped
check "a backup" "${tool[@]}" backup saved
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out imported
plain_openssl pkey -in imported -pubout -out imported.pub

# ids: what is on the card, as text that can be compared.
ids() {
    sc-hsm ls | cut -c1-5 | sort
}
full=$(ids)
emptying=("0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')")
for file in CC01 C401 CE01 CC02 C402 CE02 CC03 C403 C900 CF00; do
    emptying+=("00E4020002$file")
done

# comes_back: puts the card back as soon as it was pulled out.
comes_back() {
    seen=$work/.waited # it runs beside the command
    while [ "$(befallen)" = "$1" ]; do
        sleep 0.02
    done
    control insert
}

# at_each_command JOB COMMAND...: pulls the card out at each command of the job's, before or after it
# was executed, until the job ends without; before_JOB and after_JOB frame each run.
at_each_command() {
    local job=$1 point=0 when back before
    shift
    while true; do
        when=after
        [ $((point % 2)) = 0 ] || when=before
        "before_$job"
        before=$(befallen)
        control "remove-$when" "skip=$point"
        comes_back "$before" &
        back=$!
        "$@" >"$seen" 2>&1 </dev/null ||
            fail "$job, the card pulled out $when command $point and put back: status $?"
        if [ "$(befallen)" = "$before" ]; then
            { kill $back && wait $back; } 2>/dev/null || true
            control clear
            break
        fi
        wait $back
        "after_$job" "$job, the card pulled out $when command $point and put back"
        point=$((point + sweep_step))
    done
    [ $point -ge 8 ] || fail "$job has $point commands only"
    echo "ok: $job survived $point interruptions"
}

# all_there WHAT: everything is there once, and whole.
all_there() {
    ids >now
    diff <(echo "$full") now >"$seen" || fail "$1: there is something else on the card"
    check_whole "$1"
}

before_backup() {
    rm -rf folder
}
after_backup() {
    diff <(ls saved) <(ls folder) >"$seen" || fail "$1: not all is in it"
    grep -q '"complete": true' folder/manifest.json || fail "$1: it is not complete"
}
at_each_command backup "${tool[@]}" backup folder

before_restore() {
    raw_apdus "${emptying[@]}" >"$seen" 2>&1
}
after_restore() {
    all_there "$1"
}
at_each_command restore "${tool[@]}" restore saved

before_unwrap() {
    raw_apdus "${emptying[@]:0:4}" >"$seen" 2>&1
}
after_unwrap() {
    all_there "$1"
}
at_each_command unwrap "${tool[@]}" unwrap mail.wrapped

before_replace() {
    :
}
after_replace() {
    all_there "$1"
}
at_each_command replace "${tool[@]}" unwrap mail.wrapped --replace --yes

# Where the new key was tried out, somebody else makes a key while the card is away: that one stays.
check "somebody's key" "${tool[@]}" keygen --type ec:P-256 --id 77 --key-ref 2 --label other
check "its public key" sc-hsm pubkey "label=other;type=private" --out other.pub
full_with_other=$(ids)
cp "$SC_HSM_VIRTUAL/card-1.state" with-other.state
check "not yet" "${tool[@]}" delete --yes 'label=other;type=private'
before=$(befallen)
control remove-after ins=74
{
    while [ "$(befallen)" = "$before" ]; do
        sleep 0.02
    done
    virtual_hsm remove >/dev/null
    cp with-other.state "$SC_HSM_VIRTUAL/card-1.state"
    virtual_hsm insert >/dev/null
} &
check "a key replaced meanwhile" "${tool[@]}" unwrap mail.wrapped --replace --yes
wait $!
ids >now
diff <(echo "$full_with_other") now >"$seen" || fail "somebody else's key is not as it was"
check_whole "somebody else's key where ours was tried out"
check "it goes" "${tool[@]}" delete --yes 'label=other;type=private'

# Killed while it tries the new key out or puts it in the place of the old one, the same command
# clears up after itself.
point=0
while killed_at $point -- "${tool[@]}" unwrap mail.wrapped --replace --yes; do
    "${tool[@]}" unwrap mail.wrapped --replace --yes >"$seen" 2>&1 ||
        fail "replace killed at command $point: not the same command again"
    all_there "replace killed at command $point, and again"
    point=$((point + sweep_step))
done
[ $point -ge 15 ] || fail "replace was killed at $point points only"
echo "ok: replace was killed at $point points, and completed the next time"

before_import() {
    raw_apdus "${emptying[0]}" 00E4020002CC02 00E4020002C402 00E4020002CE02 >"$seen" 2>&1
}
after_import() {
    check_whole "$1"
    equal "$1: once" 1 "$(json 'len([o for o in d["objects"] if o["label"] == "imported" and
        o["type"] == "private"])' sc-hsm --json list)"
}
at_each_command import import_keys imported
