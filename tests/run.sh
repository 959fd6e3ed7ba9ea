#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that has to be right, in one command, on a fresh Debian 12 as well:
#
#     tests/run.sh
#
# installs what the tests need; checks layout, scripts and the linter's opinion; compiles with gcc
# and clang without a warning; runs all tests on the plain build and again on one with
# AddressSanitizer and UBSan. Ends with status 0 only if all of it is well. Build folders are made
# in build/ and used again; CTEST_ARGS adds options for ctest, for example -R nginx.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../examples/packages.sh
. "$root/examples/packages.sh"
builds=$root/build
jobs=$(nproc)
failures=()
declare -A beside=() # process: what it does

# part WHAT COMMAND...: runs one part and tells how long it took; a failure lets the next parts run.
part() {
    local what=$1 start=$SECONDS
    shift
    printf '\n== %s\n' "$what"
    if "$@"; then
        printf -- '-- %s: well, %d s\n' "$what" $((SECONDS - start))
    else
        printf -- '-- %s: FAILED, %d s\n' "$what" $((SECONDS - start))
        failures+=("$what")
    fi
}

# start_beside WHAT COMMAND...: what needs nothing but time has what the other parts leave of it.
start_beside() {
    local what=$1
    shift
    (
        renice -n 19 -p "$BASHPID" >/dev/null
        "$@"
    ) >"$builds/${what%% *}.log" 2>&1 &
    beside[$!]=$what
}

# ended PROCESS LOG: waits for it, and shows what it said where it failed.
ended() {
    wait "$1" || {
        cat "$2"
        return 1
    }
}

end_beside() {
    local process
    for process in "${!beside[@]}"; do
        part "${beside[$process]}" ended "$process" "$builds/${beside[$process]%% *}.log"
        unset "beside[$process]"
    done
}

# install: a server that apt would start on installation stays off; the tests run their own.
install() {
    local guard=/usr/sbin/policy-rc.d guarded=no status=0
    if [ "$(id -u)" = 0 ] && [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
        guarded=yes
    fi
    install_packages "${packages_build[@]}" "${packages_token[@]}" "${packages_virtual[@]}" \
        "${packages_tests[@]}" || status=1
    [ $guarded = no ] || rm -f "$guard"
    return $status
}

# The C files that are ours: all that git knows or would add.
c_files() {
    git -C "$root" ls-files --cached --others --exclude-standard -- '*.c' '*.h'
}

shell_files() {
    git -C "$root" ls-files --cached --others --exclude-standard -- '*.sh' .ci/run
}

layout() {
    local files
    mapfile -t files < <(c_files)
    [ ${#files[@]} -gt 0 ] || return 1
    (cd "$root" && clang-format --dry-run -Werror "${files[@]}")
}

scripts() {
    local files
    mapfile -t files < <(shell_files)
    [ ${#files[@]} -gt 0 ] || return 1
    (cd "$root" && printf '%s\0' "${files[@]}" | xargs -0 -n 8 -P "$jobs" shellcheck -x)
}

# build NAME COMPILER OPTIONS...: in build/NAME, with warnings as errors.
build() {
    local name=$1 compiler=$2
    shift 2
    CC=$compiler cmake -S "$root" -B "$builds/$name" -DSC_HSM_WERROR=ON -DSC_HSM_TESTS=ON \
        -DSC_HSM_TOOL=ON "$@" >"$builds/$name.log" 2>&1 || {
        cat "$builds/$name.log"
        return 1
    }
    cmake --build "$builds/$name" -j"$jobs" >"$builds/$name.log" 2>&1 || {
        grep -E -A12 'error|warning|FAILED' "$builds/$name.log" | head -80
        return 1
    }
}

# clang_reads: all that is compiled, once each, for clang's warnings; no program comes of it.
clang_reads() {
    local log=$builds/clang.log
    CC=clang cmake -S "$root" -B "$builds/clang" -DSC_HSM_WERROR=ON -DSC_HSM_TESTS=ON \
        -DSC_HSM_TOOL=ON -DSC_HSM_BENCH=ON -DCMAKE_BUILD_TYPE=Debug >"$log" 2>&1 || {
        cat "$log"
        return 1
    }
    python3 -c 'import json, sys
for entry in {entry["file"]: entry for entry in json.load(open(sys.argv[1]))}.values():
    print("cd", entry["directory"], "&&", entry["command"], "-fsyntax-only", end="\0")' \
        "$builds/clang/compile_commands.json" | xargs -0 -n 1 -P "$jobs" sh -c >"$log" 2>&1 || {
        grep -E -A12 'error|warning' "$log" | head -80
        return 1
    }
}

# linted FROM TO: a compilation database in which each file comes once; clang-tidy would look at one
# that belongs to several programs as often. Without the tests' own: two compilers read them with all
# warnings, and they are run.
linted() {
    python3 - "$1" "$2" "$root/tests/" <<'END'
import json, sys
entries = {entry["file"]: entry for entry in json.load(open(sys.argv[1]))}
entries = [entry for entry in entries.values() if not entry["file"].startswith(sys.argv[3])]
json.dump(entries, open(sys.argv[2], "w"))
END
}

lint() {
    local log=$builds/clang-tidy.log depth=()
    mkdir -p "$builds/lint"
    linted "$builds/clang/compile_commands.json" "$builds/lint/compile_commands.json" || return 1
    # Of the compilation database, our sources; one process for each core. The analyzer looks into one
    # function at a time, as it takes ten times as long to follow their calls: SC_HSM_LINT=deep does that.
    [ "${SC_HSM_LINT:-}" = deep ] ||
        depth=(-extra-arg=-Xclang -extra-arg=-analyzer-config -extra-arg=-Xclang -extra-arg=mode=shallow)
    run-clang-tidy -quiet -j"$jobs" "${depth[@]}" -p "$builds/lint" >"$log" 2>&1 || {
        grep -E -A6 '(error|warning):' "$log" | head -80
        return 1
    }
}

# ctests NAME OPTION...: all tests on the build in build/NAME. One that fails gets a second try, because a busy
# machine can be too slow for a server's deadline; that it needed one is told at the end. More than
# two thirds of what a test does is waiting, for a card or a server; so more run than there are cores.
ctests() {
    local arguments name=$1
    shift
    read -ra arguments <<<"${CTEST_ARGS:-}"
    (cd "$builds/$name" && ctest --output-on-failure --no-tests=error -j$((3 * jobs)) \
        --repeat until-pass:2 "$@" \
        ${arguments[@]+"${arguments[@]}"}) | tee "$builds/$name-tests.log"
}

# in_memory: what the tests write goes to memory where there is room and programs may run: each card
# writes its state through to the disk at every change, and they would all wait for that.
in_memory() {
    local memory=/dev/shm left probe
    left=$(df --output=avail -k $memory 2>/dev/null | tail -n 1) || return 0
    [ "${left:-0}" -gt 2000000 ] || return 0
    probe=$(mktemp "$memory/sc-hsm-probe.XXXXXX") || return 0
    if cp "$(type -P true)" "$probe" && chmod 700 "$probe" && "$probe"; then
        export TMPDIR=$memory
    fi
    rm -f "$probe"
}

# not_run NAME: the tests that ctest counts as skipped; nobody may take them for passed.
not_run() {
    sed -n 's/^[[:space:]]*[0-9]* - \(.*\) (Skipped)$/\1/p' "$builds/$1-tests.log" | sort -u
}

# second_try: the tests that failed once; ctest does not count the lines of a repetition.
second_try() {
    sed -n 's/^ *Test *#[0-9]*: \(.*[^ .]\) \.\.*.*/\1/p' "$builds"/*-tests.log | sort -u
}

# Everything is installed: what a test misses has to be looked into.
export SC_HSM_TEST_ALL=yes
mkdir -p "$builds"
trap '[ ${#beside[@]} = 0 ] || kill "${!beside[@]}" 2>/dev/null' EXIT
part "packages" install
part "layout (clang-format)" layout
start_beside "scripts (shellcheck)" scripts
part "build with gcc" build plain gcc
part "clang's warnings" clang_reads
start_beside "lint (clang-tidy)" lint
part "build with sanitizers" build sanitize gcc -DSC_HSM_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug
[ -n "${TMPDIR:-}" ] || in_memory
part "tests" ctests plain
# Without those that mostly wait for other people's code there: docs/testing.md tells which and why.
part "tests with AddressSanitizer and UBSan" ctests sanitize -LE unsanitized
end_beside

printf '\n%d minutes %d seconds in all\n' $((SECONDS / 60)) $((SECONDS % 60))
while read -r name; do
    printf 'NEEDED A SECOND TRY: %s\n' "$name"
done < <(second_try)
while read -r name; do
    printf 'NOT TESTED, because something it needs is not here: %s\n' "$name"
done < <(not_run plain)
while read -r name; do
    printf 'NOT TESTED with sanitizers, because it does not go with them: %s\n' "$name"
done < <(comm -13 <(not_run plain) <(not_run sanitize))
if [ ${#failures[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failures[@]}"
    exit 1
fi
echo "All that was tested is well."
