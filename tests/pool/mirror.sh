#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm mirror: all of a device, on another one; wherever either card is pulled out, the same command
# finishes it.
# shellcheck source-path=SCRIPTDIR source=pool.sh
. "$(dirname "$0")/pool.sh"
virtual_cards 2
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
to=${serials[1]}
dkek_on 1
dkek_on 2
fails "of a device with nothing on it" sc-hsm --pin-source "file:$pin_file" mirror --to "$to"
says "nothing was copied"
head -c 50 /dev/urandom >there
check "data on the second device" on 2 data write there --label there
# files: the names of the files on card 2.
files() {
    on 2 ls | sed -n 's/^\([0-9A-F]\{4\}\).*/\1/p' | sort
}
files >first

check "an EC key" on 1 keygen --type ec:P-256 --id 10 --label web --out web.pem
check "an AES key" on 1 keygen --type aes:256 --id 30 --label vault
check "its public key" on 1 pubkey "label=web;type=private" --out web.pub
check "a certificate" openssl req -x509 -new -key web.pem -subj /CN=web -days 9 -out web.crt
check "beside its key" on 1 cert import web.crt
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key \
    -subj /CN=root -days 9 -out root.crt 2>"$seen"
check "a certificate without a key" on 1 cert import root.crt --ca --id 77 --label root
for label in web root; do
    plain_openssl x509 -in $label.crt -outform DER -out $label.der
done
head -c 300 /dev/urandom >secret
check "private data" on 1 data write secret --label secret --private

mirror() {
    sc-hsm --pin-source "file:$pin_file" mirror --to "$to" "$@"
}

# complete WHAT: card 2 has all, once and whole, and what it had, and nothing else.
complete() {
    local label
    listed >now
    diff objects now >"$seen" || fail "$1: there is something else on the card"
    rm -f signature
    openssl dgst -sha256 -sign "sc-hsm:serial=$to;label=web;type=private" -out signature data \
        2>"$seen" || fail "$1: the key does not sign"
    plain_openssl dgst -sha256 -verify web.pub -signature signature data >"$seen" ||
        fail "$1: the key is another one"
    for label in web root; do
        on 2 cert export "label=$label;type=cert" --format der --out read --overwrite >"$seen" 2>&1 ||
            fail "$1: the certificate $label cannot be read"
        cmp $label.der read || fail "$1: the certificate $label is another one"
    done
    for label in secret there; do
        on 2 data read label=$label --out read --overwrite >"$seen" 2>&1 ||
            fail "$1: the data $label cannot be read"
        cmp $label read || fail "$1: the data $label are others"
    done
    equal "$1: the AES key is the same" "$vault" "$(encrypts 2)"
}

# listed: what is on card 2, and in which files.
listed() {
    on 2 --json list
    on 2 ls
}

# apdus N APDU...: to card N, by another program that knows the PIN.
apdus() {
    local send=() apdu
    for apdu in 00A404000BE82B0601040181C31F020100 \
        "0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" "${@:2}"; do
        send+=(--send-apdu "$apdu")
    done
    opensc-tool --reader "${readers[$1]}" --card-driver default "${send[@]}"
}
readers=("" "$(reader 1)" "$(reader 2)")

# encrypts N: what the AES key of card N makes of a block.
encrypts() {
    apdus "$1" 80780310100000000000000000000000000000000000 | tail -n 2
}
vault=$(encrypts 1)

check "all of it" mirror
says "From device ${serials[0]} to device $to: 4 copied, 0 there already\."
listed >objects
complete "left alone"
check "again" mirror
says ": 0 copied, 4 there already\."
equal "as JSON" "${serials[0]} $to 0 4 [] []" "$(mirror --json | python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["from"], d["serial"], d["copied"], d["present"], d["left_out"], d["failed"])')"
check "OpenSC shows the copies" pkcs15-tool --reader "${readers[2]}" --dump
says "Private EC Key \[web\]" "X.509 Certificate \[root\]"

# --- interrupted ----------------------------------------------------------------------------------------

# emptied: card 2 has nothing but what it had.
mapfile -t emptying < <(comm -13 first <(files) | sed 's/^/00E4020002/')
emptied() {
    apdus 2 "${emptying[@]}" >"$seen" 2>&1 || fail "card 2 cannot be emptied"
}
emptied
equal "card 2 is as it was" "$(cat first)" "$(files)"

# interrupted WHEN: with a card pulled out at that command of those to both; says whether it came to that.
export SC_HSM_PULLED=$work/pulled
interrupted() {
    local status=0
    rm -f pulled
    SC_HSM_PULL=$1 LD_PRELOAD=${SC_HSM_ASAN:+$SC_HSM_ASAN:}$SC_HSM_BUILD/tests/tool/pulled.so \
        mirror >"$seen" 2>&1 </dev/null || status=$?
    [ -f pulled ] || [ $status = 0 ] || fail "left alone: status $status"
    [ -f pulled ] || return 1
    case $1:$status in
    *away:0) ;; # it needed that card no more
    *away:3) mirror >"$seen" 2>&1 || fail "$1 ($(cat pulled)): not the same command again" ;;
    *:0) ;; # asked again
    *) fail "$1 ($(cat pulled)): status $status" ;;
    esac
    listed >now
    diff objects now >"$seen" || fail "$1 ($(cat pulled)): there is something else on the card"
}

# What only reads is interrupted in one way or the other, what changes something in both.
point=0 changing=0 how=after
while interrupted "$point $how"; do
    case $(cat pulled) in
    00D7* | 8074* | 00E4*)
        for how in "before away" "after away" after; do
            emptied
            interrupted "$point $how"
        done
        complete "$point $how" >/dev/null
        changing=$((changing + 1))
        ;;
    esac
    emptied
    point=$((point + sweep_step))
    how=after
    [ $((point % 2)) = 0 ] || how="after away"
done
[ "$sweep_step" -gt 1 ] || [ $changing -ge 10 ] || fail "there were $changing commands that change something"
echo "ok: the same command finished it at each of $point commands, $changing of which change something"
emptied

# --- really pulled out ----------------------------------------------------------------------------------
for how in "1 remove-after ins=72" "2 remove-after ins=74"; do
    # shellcheck disable=SC2086  # words on purpose
    virtual_hsm control $how >/dev/null
    fails "card $how" mirror
    says "removed|pulled|no (card|device)|not there|is connected|stopped answering"
    virtual_hsm insert "${how%% *}" >/dev/null
    check "the same again" mirror
    complete "card $how" >/dev/null
    emptied
done
