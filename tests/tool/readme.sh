#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# the README's commands run as they stand
#
# Every block of README.md that follows the line `<!-- tested -->` is run, in this order and in one
# shell, in an empty folder and with a virtual card; each command must succeed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

awk '
    /^```/ && inside { inside = 0; next }
    /^```sh/ && tested { inside = 1; tested = 0; next }
    /^<!-- tested -->$/ { tested = 1 }
    inside { print }
' "$SC_HSM_SOURCE/README.md" >commands.sh
[ "$(wc -l <commands.sh)" -ge 20 ] || fail "the README shows fewer commands than expected"

virtual_card
# What waits for a server waits until it listens.
cat >run.sh <<'END'
sleep() {
    until grep -qi ":$(printf %04X 24433) 00000000:0000 0A" /proc/net/tcp; do
        kill -0 $! # while it lives
        command sleep 0.05
    done
}
END
printf 'set -euo pipefail\n%s\nwait\n' "$(cat commands.sh)" >>run.sh
# A user has another mask than our tests: that the secrets are nobody else's is for the commands to say.
check "the README's commands" bash -c "umask 022 && exec bash -x run.sh"
says "TLSv1\.3"
