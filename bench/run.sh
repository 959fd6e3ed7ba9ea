#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures what a signature costs through the provider: card commands counted, and time, beside
# the bare minimum (a loop of SCardTransmit) and beside Debian's OpenSC with libp11's engine, all
# on one virtual card in one run. Nothing is judged: the figures are for people.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export SC_HSM_BUILD=${SC_HSM_BUILD:-$root/build-bench}
runs=5
signatures=1000
json=
cards=
svg=

readonly workers=4
readonly few_keys=2 many_keys=40
readonly pin=648219 # what examples/virtual-hsm.sh gives its cards

usage() {
    cat <<'END'
Usage: run.sh [--runs N] [--signatures N] [--json FILE]
       run.sh --cards N [--runs N] [--json FILE] [--svg FILE]
  --runs N        repeat each measurement N times, default 5; the median is shown
  --signatures N  signatures in one measurement, default 1000
  --json FILE     write the figures to this file as well
  --cards N       measure instead what 1, 2, 4, ... N cards (8 at most) with the same key do together
  --svg FILE      and draw it, default several-cards.svg
The programs are built in SC_HSM_BUILD, by default build-bench in the source tree.
END
}

while [ $# -gt 0 ]; do
    case $1 in
    --runs | --signatures | --cards)
        [[ ${2:-} =~ ^[1-9][0-9]{0,5}$ ]] || {
            echo "run.sh: $1 needs a number" >&2
            exit 2
        }
        declare "${1#--}=$2"
        shift 2
        ;;
    --json | --svg)
        [ -n "${2:-}" ] || {
            echo "run.sh: $1 needs a file name" >&2
            exit 2
        }
        declare "${1#--}=$(realpath -m "$2")"
        shift 2
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

# --- build, card, keys -----------------------------------------------------------------------

# shellcheck source-path=SCRIPTDIR source=../examples/packages.sh
. "$root/examples/packages.sh"
install_packages "${packages_build[@]}" "${packages_token[@]}" "${packages_virtual[@]}" \
    libjansson-dev libsmartcols-dev jq opensc-pkcs11 libengine-pkcs11-openssl nginx-light python3

cmake -S "$root" -B "$SC_HSM_BUILD" -DCMAKE_BUILD_TYPE=Release -DSC_HSM_BENCH=ON \
    -DSC_HSM_TESTS=OFF >/dev/null
cmake --build "$SC_HSM_BUILD" -j "$(nproc)" >/dev/null

if [ -n "$cards" ]; then
    exec "$root/bench/several.sh" "$cards" "$runs" "${svg:-$PWD/several-cards.svg}" "$json"
fi

multiarch=$(gcc -print-multiarch)
engine=/usr/lib/$multiarch/engines-3/pkcs11.so
module=/usr/lib/$multiarch/opensc-pkcs11.so

work=$(mktemp -d "${TMPDIR:-/tmp}/sc-hsm-bench.XXXXXX")
loops=() # what keeps the machine busy
cleanup() {
    [ ${#loops[@]} = 0 ] || kill "${loops[@]}" 2>/dev/null
    [ -z "${SC_HSM_VIRTUAL:-}" ] || "$root/examples/virtual-hsm.sh" stop >/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
unset SC_HSM_VIRTUAL
eval "$("$root/examples/virtual-hsm.sh" start)"
cd "$work"

reader=$(sc-hsm --json readers | jq -r '[.readers[] | select(.card == "hsm")][0].reader')
serial=$(sc-hsm --json readers | jq -r '[.readers[] | select(.card == "hsm")][0].serial')
log=$SC_HSM_VIRTUAL/card-1.log

openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 -pkeyopt id:10 -pkeyopt key-ref:1 \
    -pkeyopt label:rsa -out rsa.pem
openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt id:20 -pkeyopt key-ref:2 \
    -pkeyopt label:ec -out ec.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out soft.pem 2>progress

# The engine's program must not load our provider, nor find files that OpenSC keeps of a card.
export HOME=$work XDG_CACHE_HOME=$work/cache
printf '[req]\ndistinguished_name = dn\n[dn]\n' >plain.cnf

# --- measuring -------------------------------------------------------------------------------

# Figures come in as lines `COMMANDS TIME` or `COMMANDS RATE MEDIAN P95 P99` in a file for each row.
rows=$work/rows
mkdir "$rows"

commands() {
    grep -c '^> ' "$log" || true
}

# A card that somebody else left logged in is not cold.
log_out() {
    opensc-tool --reader "$reader" --card-driver default \
        --send-apdu 00A404000BE82B0601040181C31F020100 >/dev/null
}

# cold ROW COMMAND...: runs it once on a card where nobody is logged in.
cold() {
    local row=$1 before start end
    shift
    log_out
    before=$(commands)
    start=${EPOCHREALTIME/./}
    "$@" >"$work/output" 2>&1 || {
        cat "$work/output" >&2
        exit 1
    }
    end=${EPOCHREALTIME/./}
    awk -v us=$((end - start)) -v n=$(($(commands) - before)) \
        'BEGIN { printf "%d %.2f\n", n, us / 1000 }' >>"$rows/$row"
}

# steady ROW COMMAND...: runs a program that prints rate, median, 95th and 99th percentile.
steady() {
    local row=$1 before figures
    shift
    before=$(commands)
    figures=$("$@")
    echo "$(($(commands) - before)) $figures" >>"$rows/$row"
}

request() {
    openssl req -x509 -new -subj /CN=bench -key "$1" -out cert.pem
}

request_software() {
    env OPENSSL_CONF="$work/plain.cnf" openssl req -x509 -new -subj /CN=bench -key soft.pem \
        -out cert.pem
}

request_engine() {
    env OPENSSL_CONF="$work/plain.cnf" PKCS11_MODULE_PATH="$module" openssl req -x509 -new \
        -subj /CN=bench -engine pkcs11 -keyform engine \
        -key "pkcs11:serial=$serial;id=%10;type=private;pin-value=$pin" -out cert.pem
}

engine() {
    env OPENSSL_CONF="$work/plain.cnf" "$SC_HSM_BUILD/bench/bench_engine" "$signatures" \
        "$engine" "$module" "$pin" "pkcs11:serial=$serial;id=%$1;type=private"
}

# The other road to the same card: our provider over OpenSC's PKCS#11 module.
sed "/^\[sc_hsm_sect\]/a pkcs11-module = $module" "$OPENSSL_CONF" >pkcs11.cnf
token=$(OPENSSL_CONF=$work/pkcs11.cnf openssl storeutl -noout sc-hsm: |
    grep -o 'token=[^;]*' | head -1)

request_pkcs11() {
    env OPENSSL_CONF="$work/pkcs11.cnf" openssl req -x509 -new -subj /CN=bench \
        -key "sc-hsm:$token;id=10" -out cert.pem
}

pkcs11() {
    env OPENSSL_CONF="$work/pkcs11.cnf" "$SC_HSM_BUILD/bench/bench_evp" "$signatures" \
        "sc-hsm:$token;id=$1"
}

in_process() {
    cp "$SC_HSM_VIRTUAL/card-1.state" card.state
    "$SC_HSM_BUILD/bench/bench_sim" "$signatures" card.state "$1" "$2" "$pin" 2>/dev/null
}

# Only a key's first signature is checked with its public key.
sed '/^\[sc_hsm_sect\]/a verify = first' "$OPENSSL_CONF" >first.cnf
unchecked() {
    env OPENSSL_CONF="$work/first.cnf" "$SC_HSM_BUILD/bench/bench_evp" "$signatures" "$1"
}

# slow NAME KEY MS: signatures on a card that takes as long as a genuine one of the first generation,
# all checked, and but the first.
readonly slow_signatures=20
slow() {
    local signatures=$slow_signatures run
    for run in 1 2; do
        virtual_card "delay $3 ins=68 count=$((slow_signatures + 1))"
        steady "$1-slow-evp" "$SC_HSM_BUILD/bench/bench_evp" "$slow_signatures" "$2"
        virtual_card "delay $3 ins=68 count=$((slow_signatures + 1))"
        steady "$1-slow-first" unchecked "$2"
    done
}

# fairness LOAD: equal work of several on a card as slow as a current one, whose wait for each other
# is what it takes; LOAD is "busy" where each core of this machine has something else to do as well.
readonly fair_signatures=200 fair_latency=jcop4
fairness() {
    local run core evp=$SC_HSM_BUILD/bench/bench_evp
    if [ "$1" = busy ]; then
        for ((core = 0; core < $(nproc); core++)); do
            (while :; do :; done) &
            loops+=($!)
        done
    fi
    for run in 1 2 3; do
        steady "fair-$1-threads" "$evp" --together --threads $workers $fair_signatures ec.pem
        steady "fair-$1-processes" "$evp" --together --processes $workers $fair_signatures ec.pem
    done
    [ ${#loops[@]} = 0 ] || kill "${loops[@]}"
    loops=()
}

exchange_card() {
    "$root/examples/virtual-hsm.sh" remove >/dev/null
    SC_HSM_SIM_OPTIONS=$1 "$root/examples/virtual-hsm.sh" insert >/dev/null
}

virtual_card() {
    "$root/examples/virtual-hsm.sh" control 1 "$1" >/dev/null
}

cold_requests() {
    local keys=$1 run
    for ((run = 0; run < runs; run++)); do
        cold "cold-$keys-file" request rsa.pem
        cold "cold-$keys-keyref" request "sc-hsm:key-ref=1"
        cold "cold-$keys-id" request "sc-hsm:id=10"
        cold "cold-$keys-pkcs11" request_pkcs11
        cold "cold-$keys-engine" request_engine
        cold "cold-$keys-software" request_software
    done
}

signature_loops() {
    local name=$1 key_ref=$2 id=$3 run
    local evp=$SC_HSM_BUILD/bench/bench_evp
    for ((run = 0; run < runs; run++)); do
        steady "$name-sim" in_process "$key_ref" "$name"
        steady "$name-raw" "$SC_HSM_BUILD/bench/bench_raw" "$signatures" "$reader" "$key_ref" \
            "$name" "$SC_HSM_VIRTUAL/pin"
        steady "$name-evp" "$evp" "$signatures" "$name.pem"
        steady "$name-first" unchecked "$name.pem"
        steady "$name-pkcs11" pkcs11 "$id"
        steady "$name-engine" engine "$id"
        steady "$name-threads" "$evp" --threads $workers "$signatures" "$name.pem"
        steady "$name-processes" "$evp" --processes $workers "$signatures" "$name.pem"
    done
}

echo "Measuring, $runs runs of each ..." >&2
cold_requests $few_keys
signature_loops rsa 1 10
signature_loops ec 2 20
slow rsa rsa.pem 600
slow ec ec.pem 170
exchange_card "--latency $fair_latency"
fairness calm
fairness busy
exchange_card ""
for ((key = few_keys + 1; key <= many_keys; key++)); do
    openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt "label:key $key" \
        -out other.pem
done
cold_requests $many_keys

# --- the figures -----------------------------------------------------------------------------

# figure ROW COLUMN: the median of that column over the runs.
figure() {
    cut -d' ' -f"$2" "$rows/$1" | sort -n | awk '
        { value[NR] = $1 }
        END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

# slowest ROW COLUMN
slowest() {
    cut -d' ' -f"$2" "$rows/$1" | sort -n | tail -1
}

# row KEY...: what it is called.
declare -A text=(
    [file]="key reference file"
    [keyref]="URI with key-ref"
    [id]="URI with id"
    [pkcs11]="sc-hsm over OpenSC's PKCS#11"
    [engine]="OpenSC and libp11's engine"
    [software]="software key, no card"
    [sim]="virtual card alone, in process"
    [raw]="SCardTransmit loop"
    [evp]="sc-hsm"
    [first]="sc-hsm, verify = first"
    [threads]="sc-hsm, $workers threads"
    [processes]="sc-hsm, $workers processes"
)

{
    echo "$(grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores;" \
        "$(openssl version | cut -d' ' -f1,2); load $(cut -d' ' -f1 /proc/loadavg)"
    echo
    echo "Cold 'openssl req -x509' with an RSA-2048 key, the whole process, $runs runs"
    echo
    printf '%-32s %5s %15s %10s %10s\n' "" keys "card commands" "median ms" "slowest ms"
    for keys in $few_keys $many_keys; do
        for row in file keyref id pkcs11 engine software; do
            name=cold-$keys-$row
            printf '%-32s %5d %15d %10.1f %10.1f\n' "${text[$row]}" "$keys" \
                "$(figure "$name" 1)" "$(figure "$name" 2)" "$(slowest "$name" 2)"
        done
    done
    for algorithm in rsa ec; do
        echo
        if [ $algorithm = rsa ]; then key=RSA-2048; else key=P-256; fi
        echo "$signatures signatures $key after a first one, median of $runs runs"
        echo
        printf '%-32s %13s %12s %10s %10s %10s\n' "" "card commands" "signatures/s" "median ms" \
            "p95 ms" "p99 ms"
        for row in sim raw evp first pkcs11 engine threads processes; do
            name=$algorithm-$row
            printf '%-32s %13s %12.0f %10.3f %10.3f %10.3f\n' "${text[$row]}" \
                "$(figure "$name" 1)" "$(figure "$name" 2)" "$(figure "$name" 3)" \
                "$(figure "$name" 4)" "$(figure "$name" 5)"
        done
    done
    echo
    echo "$slow_signatures signatures on a card as slow as a genuine one of the first generation"
    echo
    printf '%-32s %13s %15s %10s\n' "" "all verified" "verify = first" "cost"
    for algorithm in rsa ec; do
        if [ $algorithm = rsa ]; then key=RSA-2048; else key=P-256; fi
        all=$(figure $algorithm-slow-evp 3) first=$(figure $algorithm-slow-first 3)
        printf '%-32s %10.2f ms %12.2f ms %8.2f %%\n' "$key, median" "$all" "$first" \
            "$(awk -v a="$all" -v f="$first" 'BEGIN { print 100 * (a - f) / f }')"
    done
    echo
    echo "$fair_signatures signatures P-256 on a card as slow as JCOP 4, by those who all want it at once"
    echo
    printf '%-32s %10s %10s %10s\n' "" "median ms" "p99 ms" "p99/median"
    for load in calm busy; do
        for row in threads processes; do
            name=fair-$load-$row
            printf '%-32s %10.1f %10.1f %10.2f\n' "${text[$row]}, $load machine" \
                "$(figure "$name" 3)" "$(figure "$name" 5)" \
                "$(awk -v a="$(figure "$name" 5)" -v f="$(figure "$name" 3)" 'BEGIN { print a / f }')"
        done
    done
} | tee table

if [ -n "$json" ]; then
    for keys in $few_keys $many_keys; do
        for row in file keyref id pkcs11 engine software; do
            name=cold-$keys-$row
            jq -n --arg way "$row" --argjson keys "$keys" --argjson commands "$(figure "$name" 1)" \
                --argjson median_ms "$(figure "$name" 2)" \
                --argjson slowest_ms "$(slowest "$name" 2)" '{cold: $ARGS.named}'
        done
    done >figures
    for algorithm in rsa ec; do
        for row in sim raw evp first pkcs11 engine threads processes; do
            name=$algorithm-$row
            jq -n --arg way "$row" --arg algorithm "$algorithm" \
                --argjson commands "$(figure "$name" 1)" \
                --argjson per_second "$(figure "$name" 2)" \
                --argjson median_ms "$(figure "$name" 3)" \
                --argjson p95_ms "$(figure "$name" 4)" \
                --argjson p99_ms "$(figure "$name" 5)" '{signatures: $ARGS.named}'
        done
    done >>figures
    for load in calm busy; do
        for row in threads processes; do
            name=fair-$load-$row
            jq -n --arg way "$row" --arg machine "$load" \
                --argjson median_ms "$(figure "$name" 3)" \
                --argjson p99_ms "$(figure "$name" 5)" '{fairness: $ARGS.named}'
        done
    done >>figures
    jq -s --argjson runs "$runs" --argjson signatures "$signatures" \
        '{runs: $runs, signatures_per_run: $signatures,
          cold: map(.cold // empty), signatures: map(.signatures // empty),
          fairness: map(.fairness // empty)}' figures >"$json"
fi
