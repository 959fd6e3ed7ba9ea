#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The part of run.sh about several devices with the same key:
#
#     several.sh CARDS RUNS SVG [JSON]
#
# Virtual cards with the latencies of JCOP 4 sign for 32 threads, 8 forked processes, and nginx's 8
# workers. The card's own rate is that of a loop of SCardTransmit on one of them.
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
most=$1 runs=$2 svg=$3 json=${4:-}
# shellcheck source-path=SCRIPTDIR source=../tests/pool/pool.sh
. "$bench/../tests/pool/pool.sh"
# shellcheck source=tests/servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin

readonly threads=32 processes=8 clients=32
seconds=${SC_HSM_BENCH_SECONDS:-15} # of each measurement
readonly modes="threads processes nginx"
declare -A title=(
    [threads]="$threads threads" [processes]="$processes processes" [nginx]="nginx, 8 workers"
    [rsa]="RSA-2048" [ec]="P-256"
)
[ "$most" -le 8 ] || fail "the virtual readers are eight at most"
numbers=()
for ((n = 1; n < most; n *= 2)); do
    numbers+=("$n")
done
numbers+=("$most")

at_end() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null
}

echo "Making $most cards with the same keys ..." >&2
pool_cards "$most" --latency jcop4 >progress
configure pool=share cache-pin=yes
for key in rsa ec; do
    self_signed $key >progress
done
rows=$work/rows
mkdir "$rows"

# measured ROW WORKERS RATE COMMAND...: a program that prints rate, median, 95th and 99th percentile.
# The command has COUNT in the place of how many operations: of some seconds, as many for each worker.
measured() {
    local row=$1 count words=() word
    count=$(awk -v w="$2" -v r="$3" -v s="$seconds" 'BEGIN { n = int(r * s / w); print w * (n > 3 ? n : 3) }')
    for word in "${@:4}"; do
        words+=("${word/#COUNT/$count}")
    done
    "${words[@]}" >figures 2>"$seen" || fail "$row: ${words[*]}"
    cat figures >>"$rows/$row"
    echo "$row: $(cat figures)" >&2
}

# figure ROW COLUMN: the median of that column over the runs.
figure() {
    cut -d' ' -f"$2" "$rows/$1" | sort -n | awk '
        { value[NR] = $1 }
        END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

start_nginx() {
    port=$(free_port 1)
    nginx_configuration <<END
    server {
        listen 127.0.0.1:$port ssl backlog=512;
        ssl_certificate $work/$1.crt;
        ssl_certificate_key $work/$1.pem;
        location / { return 200 "signed on a card\n"; }
    }
END
    sed -i 's/^worker_processes .*/worker_processes 8;/' nginx.conf
    : >server.log
    nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" >nginx.out 2>&1 &
    server=$!
    wait_for nginx listening "$port" "$server"
}

stop_nginx() {
    kill -QUIT "$server"
    wait "$server" || fail "nginx ended badly"
    server=
}

reader=$(sc-hsm --json readers | jq -r --arg serial "${serials[0]}" \
    '.readers[] | select(.serial == $serial).reader')
programs=$SC_HSM_BUILD/bench
for ((run = 1; run <= runs; run++)); do
    echo "Run $run of $runs ..." >&2
    for key in rsa ec; do
        if [ $key = rsa ]; then guess=6 key_ref=1; else guess=19 key_ref=2; fi
        measured "$key-own-1" 1 $guess "$programs/bench_raw" COUNT "$reader" $key_ref $key "$pin_file"
        own=$(figure $key-own-1 1)
        for n in "${numbers[@]}"; do
            configure "pool-devices=$(IFS=,; echo "${serials[*]:0:n}")"
            rate=$(awk -v r="$own" -v n="$n" 'BEGIN { print r * n }')
            measured "$key-threads-$n" $threads "$rate" "$programs/bench_evp" --together \
                --threads $threads COUNT $key.pem
            measured "$key-processes-$n" $processes "$rate" "$programs/bench_evp" --together \
                --processes $processes COUNT $key.pem
            start_nginx $key
            measured "$key-nginx-$n" $clients "$rate" "$programs/bench_tls" --together \
                --threads $clients COUNT "$port" $key.crt
            stop_nginx
        done
    done
done

# --- the figures -----------------------------------------------------------------------------

{
    echo "$(grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores;" \
        "$(openssl version | cut -d' ' -f1,2); load $(cut -d' ' -f1 /proc/loadavg); median of $runs runs"
    for key in rsa ec; do
        own=$(figure $key-own-1 1)
        echo
        echo "${title[$key]} on cards as slow as JCOP 4; one card's own rate: $own signatures/s"
        echo
        printf '%-18s %5s %8s %14s %8s %8s %10s\n' "" cards "per s" "of N x own" "p50 ms" "p99 ms" "p99/p50"
        for mode in $modes; do
            for n in "${numbers[@]}"; do
                name=$key-$mode-$n
                awk -v title="${title[$mode]}" -v n="$n" -v own="$own" -v rate="$(figure "$name" 1)" \
                    -v p50="$(figure "$name" 2)" -v p99="$(figure "$name" 4)" 'BEGIN {
                    printf "%-18s %5d %8.2f %13.1f%% %8.1f %8.1f %10.2f\n", title, n, rate,
                        100 * rate / (n * own), p50, p99, p99 / p50 }'
            done
        done
        echo
        awk -v own="$own" -v rate="$(figure $key-nginx-1 1)" 'BEGIN {
            printf "One card: nginx does %.2f TLS 1.3 handshakes/s, %.1f %% of what the card signs\n",
                rate, 100 * rate / own }'
    done
} | tee table

for key in rsa ec; do
    for mode in $modes; do
        for n in "${numbers[@]}"; do
            name=$key-$mode-$n
            echo "${title[$key]};${title[$mode]};$n;$(figure "$name" 1);$(figure $key-own-1 1);$(
                figure "$name" 2
            );$(figure "$name" 4)"
        done
    done
done >several.csv
python3 "$bench/chart.py" several.csv >"$svg"
echo "The chart: $svg" >&2
[ -z "$json" ] || jq -R -s --argjson runs "$runs" '{runs: $runs, several: [split("\n")[] | select(. != "") |
    split(";") | {key: .[0], way: .[1], cards: (.[2] | tonumber), per_second: (.[3] | tonumber),
    own_per_second: (.[4] | tonumber), median_ms: (.[5] | tonumber), p99_ms: (.[6] | tonumber)}]}' \
    several.csv >"$json"
