#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whenever a deletion is interrupted, the same command made again finishes it: nothing is left, and
# the id and the place are free.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card
tool=(sc-hsm --pin-source file:pin)

plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority.key \
    -out authority.crt -subj /CN=a 2>"$seen"
check "a key that stays" "${tool[@]}" keygen --type ec:P-256 --id 99 --label stays --key-ref 9
kept=$(files)

make_key() { "${tool[@]}" keygen --type ec:P-256 --id 10 --label web --key-ref 3; }
make_secret() { "${tool[@]}" keygen --type aes:128 --id 11 --label vault --key-ref 4; }
make_cert() { "${tool[@]}" cert import authority.crt --ca --label authority --id 20; }
make_data() { "${tool[@]}" data write message --label note --id 30; }
make_orphan() { make_key && card 00E4020002CC03 00E4020002CE03; }

# goes KIND COMMAND...: the command that deletes what make_KIND makes is interrupted before and after
# each of its DELETE commands.
goes() {
    goes_after "$@"
    goes_when remove-before "$@"
}

# goes_after KIND COMMAND...: after each. By which of its names a thing is found makes no difference before.
goes_after() {
    goes_when remove-after "$@"
}

# goes_when HOW KIND COMMAND...
goes_when() {
    local how=$1 kind=$2 skip points
    shift 2
    skip=0 points=0
    while true; do
        "make_$kind" >"$seen" 2>&1 || fail "$kind cannot be made: id or place is not free"
        control "$how" ins=E4 skip=$skip
        if "$@" >"$seen" 2>&1 </dev/null; then
            control clear # it ended without that many
            break
        fi
        says 'removed|pulled|no (card|device)|not there'
        control insert
        wait_for "the card is back" raw_apdus
        points=$((points + 1))
        if [ "$(files)" != "$kept" ]; then
            "$@" >"$seen" 2>&1 </dev/null || fail "$* ($how $skip): not the same command again"
        fi
        equal "$* ($how $skip), and again: nothing is left" "$kept" "$(files)"
        check "nothing is shown" sc-hsm list --all
        says_nothing_of orphan web vault authority note
        skip=$((skip + sweep_step))
    done
    [ $points -ge 1 ] || fail "$kind: there was nothing to interrupt"
    equal "$*: nothing is left" "$kept" "$(files)"
}

goes key "${tool[@]}" delete 'id=10;type=private' --yes
goes_after key "${tool[@]}" delete label=web --yes
goes_after key "${tool[@]}" delete "sc-hsm:serial=$serial;key-ref=3;id=10;label=web;type=private" --yes
goes_after key "${tool[@]}" delete key-ref=3 --yes
goes secret "${tool[@]}" delete label=vault --yes
goes cert "${tool[@]}" cert delete label=authority --yes
goes_after cert "${tool[@]}" delete 'id=20;type=cert' --yes
goes data "${tool[@]}" data delete label=note --yes
goes_after data "${tool[@]}" delete handle=cf30 --yes

# data that take the place of others, which go last
echo another >another
for how in remove-before remove-after; do
    for skip in 0 1; do
        what="data write --replace ($how $skip)"
        check "data" make_data
        control "$how" ins=E4 skip=$skip
        fails "$what" "${tool[@]}" data write another --label note --replace --yes
        control insert
        wait_for "the card is back" raw_apdus
        check "$what, and again" "${tool[@]}" data write another --label note --replace --yes
        check "the new one is there" sc-hsm list --all
        equal "$what: and nothing else" 1 "$(grep -c note "$seen")"
        check "it goes" "${tool[@]}" data delete label=note --yes
        equal "$what: nothing is left" "$kept" "$(files)"
    done
done

goes orphan "${tool[@]}" tidy --yes

# through OpenSSL's store, where it can delete
delete=$SC_HSM_BUILD/tests/store/store_delete
status=0
"$delete" || status=$?
if [ "$status" != 77 ]; then
    goes key "$delete" 'sc-hsm:id=10;type=private'
    goes_after secret "$delete" sc-hsm:label=vault
    goes_after cert "$delete" sc-hsm:label=authority
    goes_after data "$delete" sc-hsm:label=note
fi
