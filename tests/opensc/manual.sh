#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm-sim: help, manual page and completion all come from its tables.
. "$(dirname "$0")/common.sh"
card_program=$SC_HSM_BUILD/bin/sc-hsm-sim
page=$SC_HSM_SOURCE/docs/sc-hsm-sim.1.in

# section FILE NAME: that section of a manual page, headings left out.
section() {
    awk -v name="$2" '/^\.SH / { inside = ($0 == ".SH " name); next } inside' "$1"
}

"$card_program" --print-manual >printed
for name in SYNOPSIS OPTIONS "CONTROL SOCKET"; do
    [ -n "$(section printed "$name")" ] || fail "no section $name is printed"
    diff <(section printed "$name") <(section "$page" "$name") >"$seen" ||
        fail "docs/sc-hsm-sim.1.in, section $name: replace it by what sc-hsm-sim --print-manual prints"
    echo "ok: the manual page's section $name is the program's"
done

check "help" "$card_program" --help
grep -o '^  --[a-z-]*' "$seen" | tr -d ' ' | sort >options
[ "$(wc -l <options)" -ge 8 ] || fail "the help lists too little"
"$card_program" --print-completion >completion
# The builtins that it needs are there in a shell that nobody types into, too.
cat >complete.sh <<'END'
. ./completion
compopt() { :; }
COMP_WORDS=(sc-hsm-sim "$@") COMP_CWORD=$#
_sc_hsm_sim
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
END
equal "completion offers the options of the help" "$(cat options)" "$(bash complete.sh -- | sort)"
equal "what a word begins with counts" --latency "$(bash complete.sh --la)"
equal "values too" "jcop3 jcop4" "$(bash complete.sh --latency j | tr '\n' ' ' | sed 's/ $//')"
equal "and is what it wants" "$(bash complete.sh --latency '' | sort)" \
    "$({ "$card_program" --latency x 2>&1 || true; } | sed 's/.*wants //; s/, not.*//; s/,\| or//g' | tr ' ' '\n' | sort)"
