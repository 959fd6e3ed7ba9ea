#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is built has the protection that compiler and linker offer: all that links is looked at, and
# how each file was compiled.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need readelf nm python3

mapfile -t built < <(find "$SC_HSM_BUILD" -path '*/CMakeFiles/*' -prune -o \
    -path "$SC_HSM_BUILD/[a-z]*/CMakeCache.txt" -prune -o -type f \( -name '*.so' -o -perm -u+x \) -print)
elf=0
for file in "${built[@]}"; do
    [ "$(head -c 4 "$file")" = $'\x7fELF' ] || continue
    # Those of other builds, in folders below this one, are another run's.
    own=$(dirname "$file")
    until [ -e "$own/CMakeCache.txt" ]; do
        own=$(dirname "$own")
    done
    [ "$own" = "$SC_HSM_BUILD" ] || continue
    elf=$((elf + 1))
    name=${file#"$SC_HSM_BUILD/"}
    readelf -dlW "$file" >"$seen" 2>&1
    grep -Eq '\((FLAGS|BIND_NOW)\).*BIND_NOW|\(FLAGS_1\).*NOW' "$seen" || fail "$name: symbols are found late"
    says '^ +GNU_RELRO' '^ +GNU_STACK.* RW +0x'
    says_nothing_of '\(RPATH\)|\(RUNPATH\)|\(TEXTREL\)' '^ +LOAD.* RWE'
    readelf -hW "$file" >"$seen"
    says 'Type: +DYN'
done
[ $elf -gt 20 ] || fail "only $elf programs and modules were found"
echo "ok: $elf programs and modules: full RELRO, no lazy symbol, no stack that executes"

setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$SC_HSM_BUILD/CMakeCache.txt"
}
# compiled_with FLAG: for every file of ours.
compiled_with() {
    check "every file is compiled with $1" python3 - "$SC_HSM_BUILD/compile_commands.json" "$1" <<'END'
import json, shlex, sys
for entry in json.load(open(sys.argv[1])):
    words = shlex.split(entry["command"])
    if sys.argv[2] not in words:
        sys.exit(f"{entry['file']} is not")
END
}
compiled_with -fstack-protector-strong
for flag in -fcf-protection -fstack-clash-protection; do
    case $(setting "SC_HSM_HAVE${flag//-/_}") in
    1) compiled_with "$flag" ;;
    *) echo "ok: this compiler has no $flag" ;;
    esac
done
if [ "$(uname -m)" = x86_64 ]; then
    equal "an x86 compiler has both" 1,1 \
        "$(setting SC_HSM_HAVE_fcf_protection),$(setting SC_HSM_HAVE_fstack_clash_protection)"
    while IFS= read -r file; do
        readelf -nW "$file" >"$seen" || true # it does not know every note
        grep -q 'x86 feature: IBT, SHSTK' "$seen" || fail "$file: where calls go is not marked"
    done < <(find "$SC_HSM_BUILD"/{device,keymgmt,provider,tool,sim} -name '*.c.o')
    echo "ok: where calls go is marked in every object file"
fi
if [[ $(setting CMAKE_BUILD_TYPE) != *Rel* ]]; then
    echo "ok: without optimisation there is no fortification"
    exit 0
fi
level=2
[ "$(setting SC_HSM_HAVE_FORTIFY_3)" != 1 ] || level=3
compiled_with -D_FORTIFY_SOURCE=$level
for file in lib/sc-hsm.so bin/sc-hsm bin/sc-hsm-sim; do
    nm -D "$SC_HSM_BUILD/$file" >"$seen"
    says ' U __stack_chk_fail' ' U __[a-z]*_chk(@|$)'
done
echo "ok: modules and programs check stacks and buffers"
