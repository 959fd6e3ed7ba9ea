#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A use counter pays once: whatever breaks an operation off, a key that has one is not asked again
# unless the first command surely did not arrive, and one that has none is.
. "$(dirname "$0")/../lib.sh"
virtual_card
echo "$so_pin" >so-pin
sc_hsm() {
    sc-hsm --pin-source "file:$pin_file" "$@"
}
control() {
    sc-hsm-sim --control "$SC_HSM_VIRTUAL/card-1.control" --tell "$*" >/dev/null
}

check "a device with a DKEK" sc_hsm init --yes --so-pin-source "file:$work/so-pin" --dkek-shares 1
check "its share" raw_apdus "8052000020$(printf '44%.0s' {1..32})00"

# Keys with a counter (odd key references) and without (even ones).
check "a counted RSA key" sc_hsm keygen --type rsa:2048 --key-ref 1 --label counted --use-count 1000 --out counted.rsa
check "one that is not" sc_hsm keygen --type rsa:2048 --key-ref 2 --label free --out free.rsa
check "a counted EC key" sc_hsm keygen --type ec:P-256 --key-ref 3 --label counted-ec --use-count 1000 --out counted.ec
check "one that is not" sc_hsm keygen --type ec:P-256 --key-ref 4 --label free-ec --out free.ec
check "a peer" plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.pem
check "its public part" plain_openssl pkey -in peer.pem -pubout -out derive.in
echo message >plain

# uses KEY_REF: how many are left; None of a key without a counter.
uses() {
    sc-hsm --json list | python3 -c 'import json, sys
print(next(o["uses_left"] for o in json.load(sys.stdin)["objects"]
           if o["key_ref"] == int(sys.argv[1]) and o["type"] == "private"))' "$1"
}

befallen() {
    grep -c '^! .* befalls' "$SC_HSM_VIRTUAL/card-1.log" || true
}

# comes_back BEFORE: puts the card back as soon as it was pulled out.
comes_back() {
    while [ "$(befallen)" = "$1" ]; do
        sleep 0.02
    done
    control insert
}

start() {
    local input=()
    [ ! -f "$1.in" ] || input=("$1.in")
    coproc USER_ { "$programs/use_steps" "$1" "$2" "${input[@]}" 2>&1; }
    eval "exec 8<&${USER_[0]}- 9>&${USER_[1]}-"
    read -r -t "$SC_HSM_PATIENCE" -u 8 line || fail "use_steps $1 did not get ready"
    equal "use_steps $1" ready "$line"
}
step() {
    echo go >&9
    read -r -t "$SC_HSM_PATIENCE" -u 8 line || fail "$1: no answer"
    echo "$line" >"$seen"
}
stop() {
    local process=$USER__PID
    exec 9>&- 8<&-
    wait "$process" || fail "use_steps ended badly"
}

# spent WHAT N: so many uses were spent since the last time.
spent() {
    local now
    now=$(uses "$ref")
    [ "$left" = None ] || equal "$1: uses spent" "$2" $((left - now))
    left=$now
}

works() {
    step "$1"
    says '^done [0-9a-f]+'
    spent "$1" 1
}

# pulled_at MOMENT INS N: pulled at the command itself, and put back at once; N uses are gone.
pulled_at() {
    local before back
    before=$(befallen)
    control "remove-$1" "ins=$2"
    comes_back "$before" &
    back=$!
    step "$1"
    wait $back
    if [ "$left" = None ]; then
        says '^done [0-9a-f]+'
    else
        says "^failed: .*device UTSIM.*counted.*use counter.*$((left - $3)) left.*may have spent one use.*try again"
    fi
    spent "pulled $1 the command" "$3"
    works "and the next one"
}

# swept HOW INS KEY KEY_REF
swept() {
    ref=$4 left=$(uses "$4")
    start "$1" "$3"
    works "$1 with $3"
    pulled_at before "$2" 0
    pulled_at after "$2" 1
    reset_card warm
    works "after a warm reset"
    reset_card cold
    works "after a cold reset"
    check "another program selects the applet" raw_apdus
    works "after another program's SELECT"
    check "another program selects another applet" opensc-tool --reader 0 --card-driver default \
        -s 00A4040008A000000003000000
    works "after another program's applet"
    virtual_hsm remove
    virtual_hsm insert
    works "after the card was pulled and put back"
    stop
    echo "ok: $1 with $3"
}

for key in counted free; do
    number=$([ $key = counted ] && echo 1 || echo 2)
    check "its public part" openssl pkey -in $key.rsa -pubout -out rsa.pub
    check "for PKCS#1" plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in plain -out decrypt.in
    swept pkcs1 68 $key.rsa "$number"
    swept decrypt 62 $key.rsa "$number"
    swept ecdsa 68 $key.ec $((number + 2))
    swept derive 62 $key.ec $((number + 2))
done

# Programs that use the key once: the card is pulled at each command in turn, and put back at once. What a
# key without counter does is done all the same; the other pays once for each result, and at most one for none.
# once KEY_REF COMMAND...
once() {
    local point=0 when before back status now lost=0
    ref=$1 left=$(uses "$1")
    shift
    while true; do
        when=after
        [ $((point % 2)) = 0 ] || when=before
        raw_apdus >/dev/null 2>&1 # logs out
        before=$(befallen) status=0
        control "remove-$when" "skip=$((point / 2))"
        comes_back "$before" &
        back=$!
        "$@" >"$seen" 2>&1 </dev/null || status=$?
        if [ "$(befallen)" = "$before" ]; then
            { kill $back && wait $back; } 2>/dev/null || true
            control clear
            break
        fi
        wait $back
        if [ "$status" != 0 ] && [ "$left" != None ]; then
            says 'device UTSIM.*use counter.*may have spent one use'
            lost=$((lost + 1))
        elif [ "$status" != 0 ]; then
            fail "$*: pulled $when command $((point / 2)): status $status"
        fi
        if [ "$left" != None ]; then
            now=$(uses "$ref")
            [ $((left - now)) -le 1 ] || fail "$*: pulled $when command $((point / 2)): paid twice"
            [ "$status" != 0 ] || [ $((left - now)) = 1 ] || fail "$*: paid $((left - now)) times"
            left=$now
        fi
        point=$((point + 1))
    done
    [ "$left" = None ] || equal "$*: the command itself was lost before and after it was done" 2 $lost
    echo "ok: $* survived $point interruptions"
}
for number in 3 4; do
    once $number openssl dgst -sha256 -sign "sc-hsm:key-ref=$number" -out signature plain
done
once 3 openssl pkeyutl -derive -inkey sc-hsm:key-ref=3 -peerkey derive.in -out secret
once 3 sc_hsm wrap 'key-ref=3;type=private' wrapped --overwrite
