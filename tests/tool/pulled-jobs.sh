#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A card that is pulled out at any command of a job and put back is asked again, and the job is done
# once; where it stays away, the same command made again finishes the job. Here for key domains,
# public-key authentication, and what else writes little.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
virtual_cards 2
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
echo "$pin" >pin
echo "$so_pin" >so-pin
check "the virtual cards' root" "$SC_HSM_BUILD/bin/sc-hsm-sim" --write-root root.cvc
a() { sc-hsm --serial "${serials[0]}" --pin-source file:pin "$@"; }
b() { sc-hsm --serial "${serials[1]}" "$@"; } # it has no PIN

# pulling WHEN COMMAND...: with the card pulled out so; says whether it came to that.
export SC_HSM_PULLED=$work/pulled
pulling() {
    local status=0
    rm -f pulled
    SC_HSM_PULL=$1 LD_PRELOAD=${SC_HSM_ASAN:+$SC_HSM_ASAN:}$SC_HSM_BUILD/tests/tool/pulled.so \
        "${@:2}" >"$seen" 2>&1 </dev/null || status=$?
    return $status
}

# one JOB HOW COMMAND...: the job once, interrupted so; false where it has not that many commands.
one() {
    local job=$1 how=$2 status=0
    shift 2
    "before_$job" >"$work/.prepared" 2>&1 || fail "$job, before $how: $(cat "$work/.prepared")"
    pulling "$how" "$@" || status=$?
    if [ ! -f pulled ]; then
        [ "$status" = 0 ] || fail "$job, left alone: status $status"
        return 1
    fi
    if [ "$status" != 0 ] && [ "$how" != "${how% away}" ]; then
        says 'removed|pulled|no (card|device)|not there|went away|stopped answering'
        # what was there of several things before is told again
        "reached_$job" || "$@" >"$seen" 2>&1 </dev/null || grep -q already "$seen" ||
            fail "$job, $how ($(cat pulled)): not the same command again"
    elif [ "$status" != 0 ] && grep -q 'begin again' "$seen"; then
        # a device that was without power knows no custodians any more
        "$@" >"$seen" 2>&1 </dev/null || fail "$job, $how ($(cat pulled)): not the same command again"
    elif [ "$status" != 0 ]; then
        fail "$job, $how ($(cat pulled)): status $status"
    fi
    "reached_$job" || fail "$job, $how ($(cat pulled)): it is not done"
}

# sweep JOB COMMAND...: before_JOB makes the state that the job starts from, and reached_JOB is true
# where it is done, and done once. After each command the card is pulled out and comes back; where the
# command changes something, also before it, and so that the card stays away.
sweep() {
    local job=$1 point=0 changing=0
    shift
    while one "$job" "$point after" "$@"; do
        case $(cat pulled) in
        ??A4* | ??B1* | ??58* | ??84* | ??20* | ??22* | ??2A* | ??C0* | ??5200* | ??5402*) ;; # these do not
        *)
            one "$job" "$point before" "$@"
            one "$job" "$point before away" "$@"
            one "$job" "$point after away" "$@"
            changing=$((changing + 1))
            ;;
        esac
        point=$((point + sweep_step))
    done
    "reached_$job" || fail "$job, left alone: it is not done"
    [ $changing -ge 1 ] || [ "$sweep_step" -gt 1 ] || fail "$job changes nothing"
    echo "ok: $job survived at each of $point commands, $changing of which change something"
}

# domain NUMBER: what the device says of its key domain.
domain() {
    a --json domain list | python3 -c 'import json, sys
d = json.load(sys.stdin)["domains"][int(sys.argv[1])]
print(d["created"], d["kind"], d["shares"], d["outstanding"], d["key_check_value"])' "$1"
}

# has LABEL NUMBER: so many private keys of that label are there, each described, and none that is not.
has() {
    [ "$(a --json list | python3 -c 'import json, sys
keys = [o["label"] for o in json.load(sys.stdin)["objects"] if o["type"] == "private"]
print(keys.count(sys.argv[1]), keys.count(None) + keys.count(""))' "$1")" = "$2 0" ]
}

check "a device with key domains" a --so-pin-source file:so-pin init --yes --key-domains 3

# --- key domains ------------------------------------------------------------------------------

before_create_dkek() { [ "$(domain 1)" = "$absent" ] || a domain delete 1 --yes; }
reached_create_dkek() { [ "$(domain 1)" = "True dkek 2 2 None" ]; }
absent=$(domain 1)
sweep create_dkek a domain create 1 --dkek-shares 2

before_delete_domain() { [ "$(domain 1)" != "$absent" ] || a domain create 1 --dkek-shares 2; }
reached_delete_domain() { [ "$(domain 1)" = "$absent" ]; }
sweep delete_domain a domain delete 1 --yes

before_signer() { has signer 0 || a delete --yes 'label=signer;type=private'; }
reached_signer() { has signer 1; }
sweep signer a domain create-signer --label signer
check "the id of the device" a domain export-id --out a.id

before_issue() { rm -f a.kdm; }
reached_issue() { [ -s a.kdm ]; }
sweep issue a --root root.cvc domain issue-membership label=signer a.id --out a.kdm

before_create_xkek() { [ "$(domain 2)" = "$absent" ] || a domain delete 2 --yes; }
reached_create_xkek() { [ "$(domain 2)" = "True xkek None None None" ]; }
sweep create_xkek a domain create 2 --membership a.kdm

before_exchange_key() { has exchange 0 || a delete --yes 'label=exchange;type=private'; }
reached_exchange_key() { has exchange 1; }
sweep exchange_key a domain create-exchange-key 2 --label exchange
check "another" a domain create-exchange-key 2 --label peer
check "its file" a domain export-key label=peer --out peer.xkey

before_derive() { [ "$(domain 2)" = "True xkek None None None" ] || a domain clear 2 --yes; }
reached_derive() { [ "$(domain 2)" = "$agreed" ]; }
check "they agree" a domain derive label=exchange peer.xkey
agreed=$(domain 2)
sweep derive a domain derive label=exchange peer.xkey

before_clear() { [ "$(domain 2)" = "$agreed" ] || a domain derive label=exchange peer.xkey; }
reached_clear() { [ "$(domain 2)" = "True xkek None None None" ]; }
sweep clear a domain clear 2 --yes

# --- public-key authentication ----------------------------------------------------------------

# All keys of a device have one name, so the second one is made on the device that it is registered on, and
# goes with the initialisation.
check "a custodian's key" a keygen --type ec:P-256 --label first
check "its file" a pka export "label=first;type=private" --out first.pka
check "another's" b --pin-source file:pin keygen --type ec:P-256 --label second
check "its file" b pka export "label=second;type=private" --out second.pka
registered() {
    b --json pka status | python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["places"], d["free"], d["required"])'
}
before_register() {
    [ "$(registered)" = "2 2 1" ] || b --so-pin-source file:so-pin init --yes --public-keys 1/2
}
reached_register() { [ "$(registered)" = "2 0 1" ]; }
check "a device for them" b --so-pin-source file:so-pin init --yes --public-keys 1/2
sweep register b pka register first.pka second.pka

before_open() { rm -f opened; }
reached_open() { [ -e opened ]; }
sweep open b --pin-source file:pin pka authenticate "--custodian=sc-hsm:serial=${serials[0]};label=first" \
    -- touch opened

# --- what writes little -----------------------------------------------------------------------

before_label() { a label before; }
reached_label() { a --json status | grep -q '"label": "after"'; }
sweep label a label after

check "a key to rename" a keygen --type ec:P-256 --label old --id 71
before_rename() { a rename key-ref="$renamed" --label old --id 71; }
reached_rename() {
    [ "$(a --json list key-ref="$renamed" | python3 -c 'import json, sys
print([(o["label"], o["id"]) for o in json.load(sys.stdin)["objects"]])')" = "[('another', '7172')]" ]
}
renamed=$(a --json list label=old | python3 -c 'import json, sys
print(json.load(sys.stdin)["objects"][0]["key_ref"])')
sweep rename a rename label=old --label another --id 7172

before_keygen() { has new 0 || a delete --yes 'label=new;type=private'; }
reached_keygen() { has new 1; }
sweep keygen a keygen --type ec:P-256 --label new
