#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --out writes whatever a path leads to, as any program would.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need cmp mkfifo
admin_card
make_ec_key
self_signed ec
plain_openssl x509 -in ec.crt -outform DER -out ec.der
p11 --login --pin "$pin" --write-object ec.der --type cert --id 99 --label ca >out 2>&1
printf 'in the clear' >public
p11 --login --pin "$pin" --write-object public --type data --label a >out 2>&1
id=$(json '[o["id"] for o in d["objects"] if o["type"] == "private"][0]' sc-hsm --json list)

for command in "pubkey id=$id" "cert export label=ca" "data read label=a" "cat CF00" "random 16" \
    "domain export-id"; do
    # shellcheck disable=SC2086  # words on purpose
    {
        check "$command --out /dev/null" sc-hsm $command --out /dev/null --overwrite
        [ -c /dev/null ] || fail "$command --overwrite has made /dev/null a file"
        sc-hsm $command --out /dev/stdout >straight
        sc-hsm $command --out - >dash
        [ "$command" = "random 16" ] || same_bytes "$command --out /dev/stdout" dash straight
        rm -f pipe piped target
        mkfifo pipe
        cat pipe >piped &
        check "$command into a FIFO" sc-hsm $command --out pipe
        wait $!
        equal "$command into a FIFO" "$(stat -c %s dash)" "$(stat -c %s piped)"
        sc-hsm $command --out >(cat >process) >out
        touch target
        ln -sf target link
        ends 1 "$command --out LINK" sc-hsm $command --out link
        check "$command --out LINK --overwrite" sc-hsm $command --out link --overwrite
        [ -L link ] || fail "$command --overwrite has made a link a file"
        equal "$command through a link" "$(stat -c %s dash)" "$(stat -c %s target)"
    }
done
