#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm explains every command and option
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PATH=$SC_HSM_BUILD/bin:$PATH

check "the version" sc-hsm --version
says "^sc-hsm [0-9]+\.[0-9]+\.[0-9]+$"
check "the help" sc-hsm --help
cp "$seen" help
equal "the help by its letter" "$(cat help)" "$(sc-hsm -h)"
equal "the help by its command" "$(cat help)" "$(sc-hsm help)"

# A line of the table: the command, then perhaps its arguments, two spaces, and its summary.
mapfile -t commands < <(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z -]*[a-z]\).*/\1/p' help |
    sed 's/  .*//')
mapfile -t options < <(sed -n '/^Options of every/,/^$/s/^[ a-zV,-]*--\([a-z0-9-]*\).*/\1/p' help)
[ "${#commands[@]}" -ge 4 ] || fail "there are ${#commands[@]} commands"
[ "${#options[@]}" -ge 7 ] || fail "there are ${#options[@]} options"

need man
for page in OSSL_PROVIDER-sc-hsm.7 sc-hsm-sim.1 sc-hsm.1; do
    man --warnings -l "$SC_HSM_BUILD/share/$page" >page-text 2>"$seen" || fail "the man page $page"
    equal "the man page $page is well-formed" "" "$(cat "$seen")"
done
for command in "${commands[@]}"; do
    read -ra words <<<"$command"
    check "$command is explained" sc-hsm help "${words[@]}"
    says "^Usage: sc-hsm .* $command" "^Options of every command:"
    equal "$command --help" "$(cat "$seen")" "$(sc-hsm "${words[@]}" --help)"
    mapfile -t own < <(sed -n '/^Options:/,/^$/s/^[ a-zV,-]*--\([a-z0-9-]*\).*/\1/p' "$seen")
    check "$command is in the man page" grep -E "^   $command( |$)" page-text
    for option in "${own[@]}"; do
        check "--$option of $command is in the man page" grep -E -e "^ +(-., )?--$option( |$)" page-text
    done
done
for option in "${options[@]}"; do
    check "--$option is in the man page" grep -E -e "^ +(-., )?--$option( |$)" page-text
done

# Each setting has a line of its own in the provider's page.
mapfile -t settings < <(sed -n 's/^    { "\([a-z0-9-]*\)", [a-z_]*set_[a-z0-9_]* },.*/\1/p' \
    "$SC_HSM_SOURCE/keymgmt/config.c")
[ "${#settings[@]}" -ge 17 ] || fail "there are ${#settings[@]} settings"
for setting in "${settings[@]}"; do
    check "the setting $setting is in the provider's man page" \
        grep -xF "\\fB${setting//-/\\-}\\fR" "$SC_HSM_BUILD/share/OSSL_PROVIDER-sc-hsm.7"
done

# A slip in any of them is told with the right one.
for command in "${commands[@]}"; do
    slip=${command%??}${command: -1}${command: -2:1}
    read -ra words <<<"$slip"
    if [ "$command" != "backup verify" ]; then # whose first word takes any folder
        fails "'$slip'" sc-hsm "${words[@]}"
        says "did you mean '$command'\? "
    fi
done
for option in "${options[@]}"; do
    fails "--$option with a letter too many" sc-hsm "--x$option"
    says "did you mean --$option\? "
done

sc-hsm-sim --help >sim-help
sed 's/\\-/-/g' "$SC_HSM_BUILD/share/sc-hsm-sim.1" >sim-page
mapfile -t options < <(grep -o '^  --[a-z0-9-]*' sim-help | tr -d ' ')
for option in "${options[@]}"; do
    check "$option is in the simulator's man page" grep -E "^\.B.*$option" sim-page
done
