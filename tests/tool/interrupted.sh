#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Killed at any card command, the card pulled out or full, wrap, unwrap, backup and restore leave
# nothing half-written that counts as whole, and the same command made again completes.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card
tool=(sc-hsm --pin-source file:pin)

check "an RSA key" "${tool[@]}" keygen --type rsa:2048 --id 10 --label web
check "an EC key" "${tool[@]}" keygen --type ec:P-256 --id 20 --label mail
check "an AES key" "${tool[@]}" keygen --type aes:256 --id 30 --label vault
long_certificate web 'sc-hsm:id=10;type=private'
check "which is stored" "${tool[@]}" cert import web.crt
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out authority.key
long_certificate authority authority.key
check "a certificate without a key" "${tool[@]}" cert import authority.crt --ca --label authority
head -c 1500 /dev/urandom >content
check "data" "${tool[@]}" data write content --label content
for key in web mail; do
    check "$key: its public key" sc-hsm pubkey "label=$key;type=private" --out "$key.pub"
done
enciphered >vault
check_whole "before"
check "a wrapped key" "${tool[@]}" wrap 'id=10;type=private' saved.wrapped
check "a backup" "${tool[@]}" backup saved

# ids: what is on the card, as text that can be compared.
ids() {
    sc-hsm ls | cut -c1-5 | sort
}
full=$(ids)

# again WHAT COMMAND...: the same command made again completes.
again() {
    local what=$1
    shift
    "${tool[@]}" "$@" >"$seen" 2>&1 || fail "$what: not the same command again"
}
all_there() {
    check_whole "$1, and again"
    ids >now
    diff <(echo "$full") now >"$seen" || fail "$1, and again: there is something else on the card"
}

# --- killed ----------------------------------------------------------------------------------

# at_each STEP SETTING COMMAND ARGUMENT...: kills the command while the card works on its commands of
# that setting (ins=II; "": all), one in so many of them after the other, until it ends by itself.
at_each() {
    local point=0 step=$1 setting=$2 kills=0 words=()
    [ -z "$setting" ] || words=("$setting")
    shift 2
    "before_$1"
    while killed_at $point "${words[@]}" -- "${tool[@]}" "$@"; do
        "after_$1" "$1 killed at command $point${setting:+ with $setting}" "$@"
        "before_$1"
        point=$((point + step * sweep_step)) kills=$((kills + 1))
    done
    [ $((kills * sweep_step)) -ge 3 ] || fail "$1 was killed at $kills points only"
    echo "ok: $1 was killed at $kills points${setting:+ with $setting}, and completed the next time"
}

before_wrap() {
    rm -f web.wrapped
}
after_wrap() {
    local what=$1
    shift
    if [ -e web.wrapped ]; then
        [ "$(stat -c %s web.wrapped)" = "$(stat -c %s saved.wrapped)" ] ||
            fail "$what: the file is not whole"
    else
        again "$what" "$@"
    fi
}
at_each 4 '' wrap 'id=10;type=private' web.wrapped

before_backup() {
    rm -rf folder
}
# Everything that the manifest names is there as it says.
is_whole() {
    python3 - "$1" <<'PYTHON'
import hashlib, json, os, sys
if os.path.exists(sys.argv[1] + "/manifest.json"):
    for entry in json.load(open(sys.argv[1] + "/manifest.json"))["objects"]:
        content = open(sys.argv[1] + "/" + entry["file"], "rb").read()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry
PYTHON
}
after_backup() {
    local what=$1
    shift
    is_whole folder || fail "$what: the manifest names a file that is not whole"
    again "$what" "$@"
    is_whole folder || fail "$what, and again: the manifest names a file that is not whole"
    diff <(ls saved) <(ls folder) >"$seen" || fail "$what, and again: not all is in it"
}
at_each 5 '' backup folder

before_unwrap() {
    "${tool[@]}" delete --yes 'id=10;type=private' >"$seen" 2>&1
}
after_unwrap() {
    local what=$1
    shift
    check_whole "$what"
    # only the answer was missing
    "${tool[@]}" "$@" >"$seen" 2>&1 || says "already has this id"
    all_there "$what"
}
# D7 writes, 74 unwraps; what is between reads, or deletes what is not there
at_each 5 '' unwrap web.wrapped
at_each 1 ins=D7 unwrap web.wrapped

emptying=("0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')")
for file in CC01 C401 CE01 CC02 C402 CE02 CC03 C403 CA00 C800 CF00 C900; do
    emptying+=("00E4020002$file")
done
before_restore() {
    raw_apdus "${emptying[@]}" >"$seen" 2>&1
}
after_restore() {
    local what=$1
    shift
    check_whole "$what"
    again "$what" "$@"
    all_there "$what"
}
at_each 1 ins=D7 restore folder
at_each 1 ins=74 restore folder

# --- pulled out ------------------------------------------------------------------------------

# pulled_at SETTINGS COMMAND ARGUMENT...
pulled_at() {
    local settings=$1 what="$2, the card pulled out ($1)"
    shift
    "before_$1"
    pulled "$what" "$settings" "${tool[@]}" "$@"
    "after_$1" "$what" "$@"
}
pulled_at ins=72 wrap 'id=10;type=private' web.wrapped
for settings in "ins=72 skip=1" "ins=B1 skip=12"; do
    pulled_at "$settings" backup folder
done
for settings in "ins=D7 skip=2" ins=74; do
    pulled_at "$settings" unwrap web.wrapped
done
for settings in ins=D7 "ins=D7 skip=7" "ins=74 skip=2"; do
    pulled_at "$settings" restore folder
done

# --- full ------------------------------------------------------------------------------------

# full_at SETTINGS COMMAND ARGUMENT...: the card says that it has no room.
full_at() {
    local settings=$1 what="$2, the card full ($1)" before
    shift
    "before_$1"
    before=$(ids)
    # shellcheck disable=SC2086  # words on purpose
    control status 6A84 $settings
    one_sentence 1 "$what" "${tool[@]}" "$@"
    says 'room|memory|full'
    if [ "$1" = unwrap ]; then
        equal "$what: nothing is left" "$before" "$(ids)"
    fi
    "after_$1" "$what" "$@"
}
for settings in ins=D7 "ins=D7 skip=2" ins=74; do
    full_at "$settings" unwrap web.wrapped
done
for settings in ins=D7 "ins=D7 skip=2" "ins=D7 skip=7" "ins=74 skip=1"; do
    full_at "$settings" restore folder
done

# --- what an interruption left is backed up --------------------------------------------------

# where the list does not show it, nothing finds it but tidy
if ! lists_contents; then
    exit 0
fi
before_restore
killed_at 0 ins=D7 -- "${tool[@]}" restore folder || fail "the restore ended"
fails "half a certificate is nothing" "${tool[@]}" backup half
says "nothing was saved"
before_restore
killed_at 1 ins=D7 -- "${tool[@]}" restore folder || fail "the restore ended"
check "a certificate that nobody described" "${tool[@]}" backup nameless
says "certificate.*: saved"
before_restore
check "it is restored" "${tool[@]}" restore nameless
says "1 restored, 0 there already"
check "once" "${tool[@]}" restore nameless
says "0 restored, 1 there already"
