#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/run.sh SECONDS TARGET...
#
# Lets libFuzzer work on each target (flow, token, cvc, ...) for so long, one after the other, and
# shows what was reached: for each file its functions and lines, and the functions that were not.
# Builds with clang in build-fuzz and build-fuzz-cov. What was learnt stays in
# build-fuzz/corpus/TARGET and is where the next run begins; an input that ends a run is in
# build-fuzz/found/TARGET. With 0 seconds only the table is made.
set -euo pipefail

if [[ $# -lt 2 ]]; then
    sed -n '3,12s/^# \{0,1\}//p' "$0"
    exit 2
fi
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
build=$source_dir/build-fuzz
seconds=$1
shift
targets=("$@")
failed=0

configure()
{
    cmake -S "$source_dir" -B "$1" -DCMAKE_C_COMPILER=clang -DSC_HSM_FUZZ=ON "${@:2}" > /dev/null
    cmake --build "$1" -j "$(nproc)" --target "${targets[@]/#/fuzz_}" > "$1/build.log"
}

fuzz()
{
    local target=$1

    "$build/bin/fuzz_$target" -detect_leaks=0 -timeout=60 -rss_limit_mb=4096 \
        -max_total_time="$seconds" -artifact_prefix="$build/found/$target/" \
        "$build/corpus/$target" "$source_dir/tests/fuzz/seeds/$target" \
        > "$build/found/$target.log" 2>&1 || failed=1
    grep -E '^Done|written to' "$build/found/$target.log" || tail -3 "$build/found/$target.log"
}

# The table, of the rooms alone.
show_coverage()
{
    local objects=() profiles=() target

    for target in "${targets[@]}"; do
        LLVM_PROFILE_FILE=$build-cov/$target.profraw \
            "$build-cov/bin/fuzz_$target" -detect_leaks=0 -runs=0 "$build/corpus/$target" \
            "$source_dir/tests/fuzz/seeds/$target" > "$build-cov/$target.log" 2>&1
        objects+=(-object "$build-cov/bin/fuzz_$target")
        profiles+=("$build-cov/$target.profraw")
    done
    llvm-profdata merge -o "$build-cov/all.profdata" "${profiles[@]}"
    llvm-cov export -format=text -instr-profile "$build-cov/all.profdata" \
        "${objects[@]:1}" > "$build-cov/all.json"
    python3 "$source_dir/tests/fuzz/coverage.py" "$build-cov/all.json"
}

mkdir -p "$build" "$build-cov"
if [[ $seconds -gt 0 ]]; then
    configure "$build"
fi
for target in "${targets[@]}"; do
    mkdir -p "$build/corpus/$target" "$build/found/$target"
    if [[ $seconds -gt 0 ]]; then
        echo "$target:"
        fuzz "$target"
    fi
done
configure "$build-cov" -DSC_HSM_FUZZ_COVERAGE=ON
show_coverage
exit "$failed"
