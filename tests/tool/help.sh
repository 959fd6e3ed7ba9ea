#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm explains every command and option
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PATH=$SC_HSM_BUILD/bin:$PATH
man=$SC_HSM_SOURCE/docs

check "the version" sc-hsm --version
says "^sc-hsm [0-9]+\.[0-9]+\.[0-9]+$"
check "the help" sc-hsm --help
cp "$seen" help
equal "the help by its letter" "$(cat help)" "$(sc-hsm -h)"
equal "the help by its command" "$(cat help)" "$(sc-hsm help)"

mapfile -t commands < <(sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\).*/\1/p' help)
mapfile -t options < <(sed -n '/^Options:/,/^$/s/^.*--\([a-z-]*\).*/\1/p' help)
equal "there are commands" 4 "${#commands[@]}"
equal "there are options" 6 "${#options[@]}"

# The man page writes a hyphen of an option as \-.
sed 's/\\-/-/g' "$man/sc-hsm.1" >page
for command in "${commands[@]}"; do
    check "$command is explained" sc-hsm help "$command"
    says "^Usage: sc-hsm .* $command" "^Options:"
    equal "$command --help" "$(cat "$seen")" "$(sc-hsm "$command" --help)"
    check "$command is in the man page" grep -E "^\.BR? $command( |$)" page
done
for option in "${options[@]}"; do
    check "--$option is in the man page" grep -E "^\.B[IR]? .*--$option( |$)" page
done

sc-hsm-sim --help >sim-help
sed 's/\\-/-/g' "$man/sc-hsm-sim.1" >sim-page
mapfile -t options < <(grep -o '^  --[a-z-]*' sim-help | tr -d ' ')
for option in "${options[@]}"; do
    check "$option is in the simulator's man page" grep -E "^\.B.*$option" sim-page
done
