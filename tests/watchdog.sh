#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tidies up after a test that was killed (by ctest's timeout, for instance) and could not do it
# itself: tests/lib.sh starts one beside each test.
#
# usage: watchdog.sh PROCESS FOLDER
#
# When the process has ended and its folder is still there, all processes at work in that folder end
# (servers, clients, virtual cards and their daemon, wherever they are descended from), and the
# folder goes, and the one of its virtual cards.
set -uo pipefail
process=$1 folder=$2
cd /

tail --pid="$process" --follow /dev/null
[ -d "$folder" ] || exit 0

virtual=$(cat "$folder/.virtual" 2>/dev/null)
[[ $virtual == */sc-hsm-virtual.* ]] || virtual=$folder

# left_over: the processes that work in the folder, or were started with a name in there or among the
# virtual cards.
left_over() {
    local entry
    for entry in /proc/[0-9]*; do
        [ "${entry#/proc/}" != $$ ] || continue
        if [[ $(readlink "$entry/cwd") == "$folder"* ]] ||
            tr '\0' '\n' <"$entry/cmdline" | grep -qF -e "$folder/" -e "$virtual/"; then
            echo "${entry#/proc/}"
        fi
    done 2>/dev/null
}

# First in good faith: virtual-hsm.sh, if it is at work, ends what it has started.
for signal in TERM KILL; do
    for process in $(left_over); do
        kill -s $signal "$process" 2>/dev/null
    done
    [ $signal = KILL ] || sleep 2
done
rm -rf "$virtual" "$folder"
