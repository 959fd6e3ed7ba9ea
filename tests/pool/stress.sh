#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three cards with one key under the load of threads and of nginx's workers: whatever becomes of the
# cards, of their PINs, of the workers and of pcscd, nothing fails as long as one card works.
#
#     stress.sh [SECONDS [rsa|ec [SEED]]]
. "$(dirname "$0")/pool.sh"
# shellcheck source=tests/servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin
need nginx
seconds=${1:-25} key=${2:-ec}
[ $# != 0 ] || [ -z "${SC_HSM_ASAN:-}" ] || seconds=10
RANDOM=${3:-$((seed = $$ % 32768))}
echo "seed: ${3:-$seed}"
readonly threads=8 visitors=8 workers=4
# What all cards do is compared over so many fifths of a second.
if [ "$key" = ec ]; then window=4; else window=9; fi

pool_cards 3 --latency jcop4
self_signed "$key"
# Each card has its PIN in a file of its own, which nginx's workers can read as well.
mkdir -m 711 pins
for card in 1 2 3; do
    cp "$pin_file" "pins/${serials[card - 1]}"
    chown nobody "pins/${serials[card - 1]}"
done
touch hsm.log
chmod 666 hsm.log
# A wrong PIN costs each of the two programs one try, and the right one must find one left.
configure log=info "log-file=$work/hsm.log" min-pin-tries=1 pool=share "pin-source=file:$work/pins/{serial}"

# new_pin CARD PIN: in the card's file.
new_pin() {
    echo "$2" >"pins/${serials[$1 - 1]}"
}

port=$(free_port 1)
nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/$key.crt;
        ssl_certificate_key $work/$key.pem;
        location / { return 200 "signed on a card\n"; }
    }
END
sed -i "s/^worker_processes .*/worker_processes $workers;/" nginx.conf

# --- the load ------------------------------------------------------------------------------------
passed=
at_end() {
    touch "$work/stop"
    [ -z "${killing:-}" ] || kill "$killing" 2>/dev/null
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null
    [ -n "$passed" ] || tail -n 20 "$work/hsm.log" "$work/signing.out" "$work/visiting.out" 2>/dev/null | cut -c1-400 >&2
    [ -n "$passed" ] || grep -E 'emerg|alert|crit|SSL_' "$work/server.log" 2>/dev/null |
        grep -v 'signal 9' | cut -c1-600 | tail -n 8 >&2
}

# Kills one worker after the other, while there is no file `calm`.
kill_workers() {
    local victims
    trap - EXIT ERR
    set +eE
    while [ ! -e stop ]; do
        sleep 1
        mapfile -t victims < <(pgrep -P "$server")
        if [ ! -e calm ] && [ ${#victims[@]} = $workers ]; then
            kill -9 "${victims[RANDOM % workers]}" && echo killed
        fi
    done >kills
}

: >server.log
nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" >nginx.out 2>&1 &
server=$!
wait_for "nginx" listening "$port" "$server"
"$programs/sign_threads" "$key.pem" $threads 1000000 "$work/stop" >signing.out 2>&1 &
signing=$!
python3 "$here/visitors.py" "$port" $visitors "$key.crt" "$work/stop" >visiting.out 2>&1 &
visiting=$!
kill_workers &
killing=$!

# all_well WHEN: both are still at work.
all_well() {
    kill -0 $signing 2>/dev/null || fail "$1: a signature failed"
    kill -0 $visiting 2>/dev/null || fail "$1: the visitors ended"
    nginx_well
}
nginx_well() {
    ! grep -q 'SSL_do_handshake() failed' server.log || fail "nginx could not do a handshake"
}

# --- whether all take part -----------------------------------------------------------------------
longest=0 longest_in_all=0 returns=0

# spread_evenly: whether all cards have done equally much for a while; to be called over and over.
looks=()
spread_evenly() {
    local now before card least=1000000 most=0
    sleep 0.2
    looks+=("${EPOCHREALTIME/./} $(used 1) $(used 2) $(used 3)")
    [ ${#looks[@]} -gt $window ] || return
    read -ra now <<<"${looks[-1]}"
    read -ra before <<<"${looks[-1 - window]}"
    began=${before[0]} counts=
    for card in 1 2 3; do
        now[card]=$((now[card] - before[card]))
        counts+=" ${now[card]}"
        [ "${now[card]}" -ge "$least" ] || least=${now[card]}
        [ "${now[card]}" -le "$most" ] || most=${now[card]}
    done
    [ "$least" -gt 0 ] && [ "$most" -le $((2 * least)) ]
}

# even_again WHAT: waits until all three cards do equally much again, and notes how long that took since
# the card was put back, and since pcscd had it.
even_again() {
    local took in_all
    looks=()
    wait_for "$1: all cards do equally much" spread_evenly
    took=$(((began - since) / 1000)) in_all=$(((began - put_at) / 1000))
    [ $took -le $longest ] || longest=$took
    [ $in_all -le $longest_in_all ] || longest_in_all=$in_all
    returns=$((returns + 1))
    echo "ok: $1: spread evenly after $took ms, $in_all in all:$counts"
    all_well "$1"
}

put_back() {
    put_at=${EPOCHREALTIME/./}
    virtual_hsm insert "$1"
    since=${EPOCHREALTIME/./}
}

# --- what befalls them ---------------------------------------------------------------------------
# One card is away, or two.
pull_and_return() {
    local first=$((RANDOM % 3 + 1)) second
    second=$((first % 3 + 1))
    virtual_hsm remove $first
    sleep 0.$((RANDOM % 9 + 1))
    if [ $((RANDOM % 2)) = 0 ]; then
        virtual_hsm remove $second
        sleep 0.$((RANDOM % 9 + 1))
        put_back $second
        what="cards $first and $second were pulled and are back"
    else
        what="card $first was pulled and is back"
    fi
    put_back $first
    even_again "$what"
}

# change_pin CARD PIN: by its owner.
change_pin() {
    echo "$2" >new-pin
    check "card $1 gets another PIN" sc-hsm --serial "${serials[$1 - 1]}" \
        --pin-source "file:pins/${serials[$1 - 1]}" pin change --new-pin-source file:new-pin
}

# The owner writes it into the file at once, and logins use it.
change_pin_and_file() {
    change_pin 2 "$((RANDOM % 900000 + 100000))"
    new_pin 2 "$(cat new-pin)"
    virtual_hsm remove 2
    put_back 2
    even_again "card 2 has another PIN, and so has its file"
}

# Or forgets the file: the card is left out when it is to be logged in to, until the file is right.
change_pin_alone() {
    change_pin 3 "$((RANDOM % 900000 + 100000))"
    virtual_hsm remove 3
    virtual_hsm insert 3
    sleep 2
    all_well "card 3 has another PIN"
    since=${EPOCHREALTIME/./} put_at=${EPOCHREALTIME/./}
    new_pin 3 "$(cat new-pin)"
    even_again "card 3 has another PIN, and later so has its file"
}

# All cards are away at once: operations wait, some seconds, as they do for one card alone. A machine
# where a restart takes longer cannot do this test.
readonly patience_ms=3500

# Whether each worker has done a handshake: one that has not seen any device yet does not wait for them.
all_have_worked() {
    local number=0 worker
    for worker in $(pgrep -P "$server"); do
        grep -q " $worker#.*client closed connection" server.log || return
        number=$((number + 1))
    done
    [ $number = $workers ]
}

restart_pcscd() {
    local from took
    touch calm
    sleep 0.5
    wait_for "handshakes of each worker" all_have_worked
    from=${EPOCHREALTIME/./}
    virtual_hsm service kill
    virtual_hsm service start
    since=${EPOCHREALTIME/./} put_at=$from
    took=$(((since - from) / 1000))
    if [ $took -gt $patience_ms ] && ! (all_well "the restart") 2>/dev/null; then
        echo "left out: it took $took ms to restart pcscd, and something failed meanwhile"
        exit 77
    fi
    echo "pcscd was restarted within $took ms"
    even_again "pcscd was restarted"
    rm calm
}

since=${EPOCHREALTIME/./} put_at=${EPOCHREALTIME/./}
even_again "at the beginning"
longest=0 longest_in_all=0 returns=0
end=$((SECONDS + seconds))
change_pin_and_file
change_pin_alone
restart_pcscd
round=0
while [ $SECONDS -lt $end ]; do
    pull_and_return
    round=$((round + 1))
    if [ $((round % 10)) = 0 ]; then
        restart_pcscd
        change_pin_and_file
    fi
done

# --- and nothing failed --------------------------------------------------------------------------
touch stop
wait $signing || fail "a signature failed"
wait $visiting || fail "a handshake failed"
wait $killing
nginx_well
kill -QUIT "$server"
wait "$server" || fail "nginx ended badly"
server=
echo "$(cat signing.out), $(cat visiting.out); $(wc -l <kills) workers were killed"
read -r handshakes _ cut _ <visiting.out
[ "$handshakes" -gt 0 ] || fail "there was no handshake"
[ "$cut" -le $(($(wc -l <kills) * visitors)) ] || fail "more handshakes were cut than by killed workers"
passed=yes
echo "$returns times all cards were back, and did equally much $longest ms after pcscd had them at most," \
    "$longest_in_all ms after they were put back"
