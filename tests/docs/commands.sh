#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands of a document run as they stand.
#
#     commands.sh FILE
#
# Every block of FILE that follows the line `<!-- tested -->` is run, in this order and in one shell, in
# an empty folder and with a virtual card of its own; each command must succeed. Of a manual page it is
# every line of a display that begins with openssl or sc-hsm.
# shellcheck source-path=SCRIPTDIR source=../pool/pool.sh
. "$(dirname "$0")/../pool/pool.sh"
document=$1

shown_in_markdown() {
    awk '
        /^```/ && inside { inside = 0; next }
        /^```sh/ && tested { inside = 1; tested = 0; next }
        /^<!-- tested -->$/ { tested = 1 }
        inside { print }' "$1"
}
shown_in_page() {
    awk '
        /^\.nf/ { inside = 1 }
        /^\.fi/ { inside = 0 }
        inside && /^(openssl|sc\\?-hsm) [a-z\\]/' "$1" | sed 's/\\-/-/g'
}
case $document in
*.in) shown_in_page "$SC_HSM_SOURCE/$document" ;;
*) shown_in_markdown "$SC_HSM_SOURCE/$document" ;;
esac >commands
[ "$(wc -l <commands)" -ge 1 ] || fail "$document shows no commands"

# two_cards: $first and $second of the document, whose PINs are in the folder pins.
two_cards() {
    virtual_cards 2
    mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
    export first=${serials[0]} second=${serials[1]}
    mkdir here/pins
    echo "$pin" >"here/pins/$first"
    echo "$pin" >"here/pins/$second"
}

mkdir here
case $document in
docs/several-devices.md)
    two_cards
    dkek_on 1
    dkek_on 2
    ;;
docs/key-domains.md)
    two_cards
    echo "$so_pin" >so-pin
    sc-hsm-sim --write-root root.cvc
    configure "root=$work/root.cvc"
    for card in 1 2; do
        check "card $card has room for domains" on $card init --yes --so-pin-source file:so-pin \
            --key-domains 3
    done
    export pin='--pin-source file:pins/{serial}'
    ;;
docs/pico-hsm.md)
    export SC_HSM_TEST_DEVICE=pico
    virtual_card
    ;;
docs/ssh.md)
    virtual_card
    # The PIN comes from a program, as from a desktop's dialog.
    printf '#!/bin/sh\necho %s\n' "$pin" >askpass
    chmod +x askpass
    export SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force
    ;;
docs/migrating.md)
    virtual_card
    configure pkcs11-uris=yes
    ;;
*) virtual_card ;;
esac
export so_pin SC_HSM_SOURCE
# What waits for a server waits until it listens.
cat >run.sh <<'END'
sleep() {
    until grep -qi ":$(printf %04X 24433) 00000000:0000 0A" /proc/net/tcp; do
        kill -0 $! # while it lives
        command sleep 0.05
    done
}
END
printf 'cd here\nset -euo pipefail\n%s\nwait\n' "$(cat commands)" >>run.sh
# A user has another mask than our tests: that the secrets are nobody else's is for the commands to say.
check "the commands of $document" bash -c "umask 022 && exec bash -x run.sh"

case $document in
README.md) says "TLSv1\.3" ;;
docs/ssh.md) says 'Type: ssh-ed25519-cert-v01@openssh.com (user|host) certificate' ;;
docs/several-devices.md)
    says "^Not on $second: sc-hsm copy " "From device $first to device $second: 2 copied" \
        "Verified OK" "key 'mail' .*: copied"
    check "then nothing is missing" sc-hsm pool
    says_nothing_of "^Not on"
    ;;
esac
