#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The walls of the house (docs/architecture.md): in each room a header of a room below compiles, one
# of any other room does not, and a way around by "../" fails its build.
. "$(dirname "$0")/../lib.sh"

# room: the rooms whose headers it may include
below() {
    case $1 in
    base) echo ;;
    pin | format) echo base ;;
    model) echo base pin format ;;
    check | card | pkcs11) echo base pin format model ;;
    hsm) echo base pin format model card ;;
    registry) echo base pin format model card pkcs11 ;;
    pool) echo base pin format model check registry ;;
    keymgmt) echo base pin format model check pool hsm registry ;;
    esac
}
rooms="base pin format model check card hsm pkcs11 registry pool keymgmt provider tool"

# One header of each room that includes no other room's.
header() {
    case $1 in
    base) echo base/tlv.h ;;
    pin) echo pin/prompt.h ;;
    format) echo format/types.h ;;
    model) echo model/device.h ;;
    card) echo card/session.h ;;
    hsm) echo hsm/hsm_status.h ;;
    pkcs11) echo pkcs11/pkcs11_device.h ;;
    registry) echo registry/registry.h ;;
    check) echo check/check.h ;;
    pool) echo pool/pool.h ;;
    keymgmt) echo keymgmt/context.h ;;
    provider) echo provider/provider.h ;;
    tool) echo tool/tool.h ;;
    esac
}

# flags ROOM: what the compiler is told for a file of that room.
flags() {
    python3 - "$SC_HSM_BUILD/compile_commands.json" "$1" <<'END'
import json, os, shlex, sys
for entry in json.load(open(sys.argv[1])):
    if os.path.basename(os.path.dirname(entry["file"])) == sys.argv[2] and "/tests/" not in entry["file"]:
        words = shlex.split(entry["command"])
        print("\n".join(w for w in words if w.startswith(("-I", "-D", "-isystem"))))
        break
END
}

for room in base pin format model check card hsm pkcs11 registry pool keymgmt; do
    mapfile -t told < <(flags $room)
    [ ${#told[@]} -gt 0 ] || fail "no file of $room in compile_commands.json"
    for other in $rooms; do
        [ "$other" != "$room" ] || continue
        printf '#include "%s"\n' "$(header "$other")" >"$work/one.c"
        if cc -fsyntax-only "${told[@]}" -isystem /usr/include/PCSC "$work/one.c" 2>"$seen"; then
            compiles=yes
        else
            compiles=no
        fi
        case " $(below $room) " in
        *" $other "*) [ $compiles = yes ] || fail "$room cannot include $other" ;;
        *) [ $compiles = no ] || fail "$room can include $other" ;;
        esac
    done
done

mkdir -p "$work/room"
printf '#include "../card/session.h"\n' >"$work/room/wrong.c"
fails "a way around a wall" cmake "-DROOM=$work/room" -P "$SC_HSM_SOURCE/cmake/Includes.cmake"
says "include another room's header as"
echo "ok: no arrow between the rooms runs back"
