#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Operations that fail, by the thousand and of every kind, and what they cost: at most one PIN try for
# each wrong PIN that somebody gave, none for any other failure, and a try is always left.
#
#     tests/soak/failures.sh [COUNT]      of each kind, 10,000 if not given
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin
need nginx
count=${1:-10000}
threads=8
virtual_card
make_rsa_key
make_ec_key
self_signed ec
echo message >message
server=
at_end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null
}

# fresh: all tries, nobody logged in, and our usual settings.
fresh() {
    configure "pin-source=file:$pin_file" cache-pin= login= min-pin-tries=1
    openssl dgst -sha256 -sign ec.pem -out signature message >"$seen" 2>&1 || fail "no signature"
    configure min-pin-tries=
    raw_apdus >"$seen" 2>&1
    equal "all tries are there" 3 "$(pin_tries)"
}

# costs WHAT TRIES: as many at most, and one is left.
costs() {
    local left
    left=$(pin_tries)
    if [ "$left" = blocked ] || [ "$left" -lt 1 ] || [ $((3 - left)) -gt "$2" ]; then
        fail "$1: $left tries are left, and at most $2 were to be spent"
    fi
    echo "ok: $1: $left tries are left"
}

# all_fail WHAT TRIES KEY [COUNT]: that many operations in threads of one program.
all_fail() {
    check "$1: ${4:-$count} fail" "$programs/fail_many" "$3" "${4:-$count}" $threads
    costs "$1" "$2"
}

# --- PINs ---
fresh
all_fail "one wrong PIN in the URI" 1 "sc-hsm:id=20?pin-value=111111"
fresh
all_fail "another wrong PIN each time" 2 "sc-hsm:id=20?pin-value=######"
fresh
echo 111111 >wrong.pin
configure "pin-source=file:$work/wrong.pin"
all_fail "a wrong PIN in the file" 1 ec.pem
fresh
configure "pin-source=file:$work/wrong.pin" login=use cache-pin=yes
all_fail "a wrong PIN in the file, proven at the first use, kept" 1 rsa.pem
fresh
configure "pin-source=file:$work/wrong.pin" login=use min-pin-tries=1
all_fail "a wrong PIN, and all tries may be spent" 1 sc-hsm:id=20
fresh
for value in 12345 12345678901234567 ""; do
    all_fail "the PIN '$value'" 0 "sc-hsm:id=20?pin-value=$value"
done
mkdir folder
for source in file:missing file:folder env:NOT_THERE fd:77 credential:none file:; do
    configure "pin-source=$source"
    all_fail "pin-source $source" 0 ec.pem
done
configure pin-source=
all_fail "no PIN" 0 sc-hsm:id=20
fresh
configure pin-source=
for ((number = 0; number < count / 100 + 3; number++)); do
    openssl dgst -sha256 -sign rsa.pem -passin "pass:$((222222 + number))" -out signature message \
        >"said.$((number % 8))" 2>&1 && fail "a wrong pass phrase signs"
    [ $((number % 8)) != 7 ] || wait
done &
others=$!
wait $others || fail "programs with wrong pass phrases"
costs "$((count / 100 + 3)) programs, each with another wrong pass phrase" 2

# --- names and files ---
fresh
check "a reference file" openssl pkey -in ec.pem -outform DER -out ec.der
(echo "-----BEGIN SC-HSM PRIVATE KEY-----"
    head -c -10 ec.der | base64
    echo "-----END SC-HSM PRIVATE KEY-----") >cut.pem
for key in sc-hsm:id=77 sc-hsm:label=nobody sc-hsm:serial=DENK0000000 "sc-hsm:colour=red" "sc-hsm:id=2;id=3" \
    sc-hsm:key-ref=999 cut.pem missing.pem; do
    all_fail "$key" 0 "$key"
done
check "another key" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt id:30 -out gone.pem
check "a key is deleted" sc-hsm delete "sc-hsm:id=30;type=private" --yes
all_fail "a reference to a key that is gone" 0 gone.pem

# --- the card ---
for fault in "status 6F00 ins=68" "status 6982 ins=68" "status 6A88 ins=68" "truncate 1 ins=68" "shorten 3 ins=68" \
    "corrupt ins=68" "garbage ins=68" "status 6F00 ins=20" "status 6A88 ins=20" "status 6700 ins=20" \
    "truncate 1 ins=20"; do
    fresh
    virtual_hsm control 1 "$fault count=4000000000" >"$seen"
    check "$fault: $count fail" "$programs/fail_many" ec.pem "$count" $threads
    virtual_hsm control 1 clear >"$seen"
    costs "$fault" 0
done
fresh
virtual_hsm remove
check "no card: $count fail" "$programs/fail_many" ec.pem "$count" $threads
virtual_hsm insert
virtual_hsm service stop
check "no service: $count fail" "$programs/fail_many" ec.pem "$count" $threads
virtual_hsm service start
costs "no card, no service" 0

# --- a server with a wrong PIN, whose workers die ---
port=$(free_port 1)
nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $work/ec.crt;
        ssl_certificate_key $work/ec.pem;
    }
END
sed -i 's/worker_processes 2/worker_processes 8/' nginx.conf
start_nginx() {
    : >server.log
    nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" >nginx.out 2>&1 &
    server=$!
    wait_for "nginx" listening "$port" "$server"
    checks=$(pin_checks)
}
workers() {
    pgrep -P "$server"
}
workers_again() {
    local worker
    for worker in $(workers); do
        [[ " $1 " != *" $worker "* ]] || return 1
    done
    [ "$(workers | wc -l)" = 8 ]
}
# no_handshakes WHAT: from none of the workers, nor from those that come after them, four times.
no_handshakes() {
    local round killed handshakes=$((count / 10 + 32))
    for ((round = 1; round <= 5; round++)); do
        fails "$1: $handshakes handshakes" client $handshakes 16 1.3 ec.crt
        says_nothing_of '^[0-9]+ ok'
        killed=$(workers | xargs)
        # shellcheck disable=SC2086  # words on purpose
        kill -9 $killed
        wait_for "other workers" workers_again "$killed"
    done
    costs "$1" 1
    equal "VERIFY commands for that" 1 $(($(pin_checks) - checks))
    kill "$server"
    wait "$server" || fail "nginx ended badly"
    server=
}
fresh
sed -i 's/^user .*/user root root;/' nginx.conf # so that they may read the file
configure "pin-source=file:$work/wrong.pin" login=use cache-pin=yes
start_nginx
no_handshakes "8 workers with a wrong PIN in the file"

# The PIN is changed under the server, whose workers can read no file.
fresh
sed -i 's/^user .*/user nobody nogroup;/' nginx.conf
configure cache-pin=yes
start_nginx
check "a handshake with the right PIN" client 16 16 1.3 ec.crt
echo 654321 >new.pin
check "the PIN is changed" sc-hsm --pin-source "file:$pin_file" \
    pin change --new-pin-source "file:$work/new.pin"
raw_apdus >"$seen" 2>&1
checks=$(pin_checks)
no_handshakes "8 workers with a PIN that became wrong"
