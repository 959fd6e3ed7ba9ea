#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One card under load, and everything that can come between:
#
#     tests/soak.sh [MINUTES [SEED [FAULT...]]]
#
# SEED: what an earlier run printed, to have its faults again; 0: others. FAULT: these kinds alone.
# Eight processes with eight threads each sign, decrypt, agree on keys, load keys and list what is
# there, each result judged by OpenSSL's default provider; OpenSC's pkcs11-tool works beside them.
# Meanwhile the card is pulled, reset, slow, selected away, answers nonsense, and pcscd is restarted
# and killed, at random, one after the other. A summary is printed. Status 1 where a result was
# wrong, an operation failed that could be repeated, the service came back too late, or a PIN try was
# spent; see soak/summary.py for how that is judged.
. "$(dirname "$0")/lib.sh"
minutes=${1:-1}
seed=${2:-0}
[ "$seed" != 0 ] || seed=$((EPOCHSECONDS % 32768 + 1))
RANDOM=$seed
programs_at_once=4 # two processes each: the second is forked when the keys are loaded
threads=8
latency=8 # milliseconds that a private operation takes longer than on this computer
away=3500 # milliseconds of an outage for which nothing may fail; 4 s are waited for
need python3 pkcs11-tool
seconds=$(awk -v m="$minutes" 'BEGIN { s = m * 60; if (s < 1 || s != s + 0) exit 1; print int(s) }') ||
    fail "minutes: '$minutes'"

virtual_card
make_rsa_key
make_ec_key
self_signed rsa
check "a certificate on the card" sc-hsm cert import rsa.crt
echo "some data" >data
check "data on the card" sc-hsm data write --label data data
configure cache-pin=yes
serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
# OpenSC must not remember what was on a card.
export HOME=$work XDG_CACHE_HOME=$work/cache
mkdir logs

control() {
    virtual_hsm control 1 "$1" >control.out || fail "control: $1: $(cat control.out)"
}

lag() {
    control "delay $latency ins=68 count=4000000000"
    control "delay $latency ins=62 count=4000000000"
}

now_us() {
    echo "${EPOCHREALTIME/./}"
}

# --- the load --------------------------------------------------------------------------------

workers=()
start_work() {
    local number
    for ((number = 1; number <= programs_at_once; number++)); do
        "$programs/mixed_work" rsa.pem ec.pem "sc-hsm:serial=$serial" "$seconds" $threads \
            "logs/$number" >"work.$number" 2>&1 &
        workers+=($!)
    done
    for ((number = 1; number <= programs_at_once; number++)); do
        wait_for "program $number" grep -q ready "work.$number"
    done
}

working() {
    kill -0 "${workers[0]}" 2>/dev/null
}

# Another program, with another library, at the same card; what becomes of it is told and not judged.
neighbour() {
    local before=$EPOCHREALTIME status word=sign
    while :; do
        status=0
        if [ $word = sign ]; then
            word=list
            pkcs11-tool --module opensc-pkcs11.so --login --pin "$pin" --sign --id 20 \
                --mechanism ECDSA --input-file digest --output-file neighbour.sig \
                >neighbour.out 2>&1 || status=$?
        else
            word=sign
            pkcs11-tool --module opensc-pkcs11.so --list-objects >neighbour.out 2>&1 || status=$?
        fi
        echo "$before $status" >>neighbour.log
        sleep 1
        before=$EPOCHREALTIME
    done
}

# --- what goes wrong -------------------------------------------------------------------------

# Whether the card answers a command of somebody who knows nothing of us: how many tries are left, without
# a SELECT, which would log everybody out.
answers() {
    probe_from=$(now_us)
    opensc-tool --reader 0 --card-driver default --send-apdu 00200081 2>&1 |
        grep -q 'SW1=0x63\|SW1=0x90'
}

# Nothing that was to befall commands is left but the lag.
befallen() {
    [ "$(virtual_hsm control 1 list | grep -cv -e '^inserted' -e '^removed' -e '^ok' -e '^delay '"$latency"' ')" = 0 ]
}

one_of() {
    local index=$((RANDOM % $# + 1))
    echo "${!index}"
}

# pause MOST: up to so many milliseconds.
pause() {
    local ms=$((RANDOM % $1))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# befall WORDS: the next command, of those that have such an answer, and waits for it.
befall() {
    local end=$((SECONDS + SC_HSM_PATIENCE))
    detail=$1
    control "$1"
    until befallen; do
        working || return 0
        [ "$SECONDS" -lt "$end" ] || fail "$1 has not come to pass"
        sleep 0.05
    done
}

# Each fault says in `allowed` how many operations may fail for it: those that the card itself refused or
# answered with nonsense are not repeated. "any": whatever is under way; else a number.
faults=("${@:3}")
[ $# -gt 2 ] || faults=(removal unplugged reset pcscd-restart pcscd-kill slow foreign held status cut
    nonsense pulled-under)

fault_removal() {
    virtual_hsm remove
    pause 2000
    virtual_hsm insert
    lag
}
fault_unplugged() { # for longer than anybody waits
    virtual_hsm remove
    sleep 5
    virtual_hsm insert
    lag
}
fault_reset() {
    detail=$(one_of cold warm unnoticed)
    if [ "$detail" = unnoticed ]; then
        control reset
    else
        opensc-tool --reader 0 --reset="$detail" >reset.out 2>&1 || true
    fi
}
fault_pcscd-restart() {
    virtual_hsm service stop
    pause 1000
    virtual_hsm service start
}
fault_pcscd-kill() {
    virtual_hsm service kill
    pause 1000
    virtual_hsm service start
}
fault_slow() {
    befall "delay $((500 + RANDOM % 2000)) ins=$(one_of 68 62)"
}
fault_foreign() {
    detail=$(one_of applet file other)
    case $detail in
    applet) raw_apdus >foreign.out 2>&1 || true ;;
    file) opensc-tool --reader 0 --card-driver default --send-apdu 00A40000022F02 >foreign.out 2>&1 || true ;;
    other) opensc-tool --reader 0 --card-driver default --send-apdu 00A4040007A0000000030000 \
        >foreign.out 2>&1 || true ;;
    esac
}
fault_held() {
    "$SC_HSM_BUILD/tests/device/device_test" hold $((500 + RANDOM % 2000)) >held.out 2>&1 || true
}
fault_status() {
    allowed=1
    befall "status $(one_of 6F00 6982 6A80 6700 6D00 6985 1234) ins=$(one_of 68 62 B1 58)"
}
fault_cut() {
    allowed=1
    # A shorter list of files looks as whole as any.
    befall "$(one_of "truncate $(one_of 1 2 20 60) ins=58" "truncate $(one_of 1 2 20 60) ins=$(one_of 68 62 B1)" \
        "shorten $(one_of 1 2 20 60) ins=$(one_of 68 62 B1)")"
}
fault_nonsense() {
    allowed=1
    befall "$(one_of garbage corrupt) ins=$(one_of 68 62 B1 58)"
}
fault_pulled-under() {
    befall "$(one_of remove-before remove-after) ins=$(one_of 68 62 B1)"
    virtual_hsm control 1 list | grep -q ^removed || return 0 # the time was over
    pause 1000
    virtual_hsm insert
}

# at_work SINCE: each process has done something that began after this moment, or the time is over.
at_work() {
    ! working || python3 "$SC_HSM_SOURCE/tests/soak/summary.py" --recovered "$1" logs/*
}

# strike KIND: the fault, and a line about it when the card answers again and everybody is at work:
# START READY PROBE KIND ALLOWED DETAIL, times in microseconds; PROBE: how long the command took
# that was answered.
strike() {
    local start ready probe_from allowed=0 detail=
    start=$(now_us)
    "fault_$1"
    wait_for "the card answers after $1 $detail" answers
    ready=$(now_us)
    [ $((ready - start)) -lt $((away * 1000)) ] || [ "$1" = slow ] || [ "$1" = held ] ||
        allowed=any
    echo "$start $ready $((ready - probe_from)) $1 $allowed $detail" >>faults.log
    wait_for "everybody is at work after $1 $detail" at_work "$ready"
    # The card's log is for a look at what went wrong; of hours it would be too much.
    [ "$(stat -c %s "$SC_HSM_VIRTUAL/card-1.log")" -lt 50000000 ] || : >"$SC_HSM_VIRTUAL/card-1.log"
}

# --- the run ---------------------------------------------------------------------------------

head -c 32 /dev/urandom >digest
at_end() {
    kill "${workers[@]}" ${neighbour:+"$neighbour"} 2>/dev/null || true
}
echo "soak.sh $minutes $seed"
start_work
lag
neighbour &
neighbour=$!
: >faults.log
sleep 1
while working; do
    for fault in $(shuf -e "${faults[@]}" --random-source=<(while :; do echo "$RANDOM"; done)); do
        working || break
        strike "$fault"
        pause 500
    done
done
for worker in "${workers[@]}"; do
    wait "$worker" || { cat work.* >"$seen"; fail "a program ended badly"; }
done
kill $neighbour 2>/dev/null || true
wait $neighbour 2>/dev/null || true
control clear
left=$(pin_tries)

python3 "$SC_HSM_SOURCE/tests/soak/summary.py" --faults faults.log --neighbour neighbour.log \
    --tries "$left" logs/* || {
    : >"$seen"
    fail "see above"
}
