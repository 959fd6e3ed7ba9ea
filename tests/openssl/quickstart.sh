#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
quickstart=$SC_HSM_SOURCE/examples/quickstart.sh

# The one script of the tests that would install something, if it were let.
# shellcheck source-path=SCRIPTDIR source=../../examples/packages.sh
. "$SC_HSM_SOURCE/examples/packages.sh"
install_packages "${packages_build[@]}" "${packages_token[@]}" "${packages_virtual[@]}" >"$seen" 2>&1 ||
    missing "$(cat "$seen")"
fails "nothing is installed where that is not wanted" install_packages no-such-package
says 'needed, and nothing may be installed here: no-such-package'

check "quickstart.sh, from another folder" "$quickstart"
says 'rsa.crt: OK' 'ec.crt: OK' 'New, TLSv1.3' 'Done'

# A virtual card stands in for the user's own token, which has a key already.
virtual_card
make_rsa_key
before=$(files)
unset OPENSSL_CONF OPENSSL_MODULES
# real PIN OPTIONS...
real() {
    local typed=$1
    shift
    "$quickstart" --real "$@" <<<"$typed"
}
check "quickstart.sh --real" real "$pin"
says 'rsa.crt: OK' 'ec.crt: OK' 'New, TLSv1.3' 'Done' 'Removing'
says_nothing_of "$pin"
equal "it leaves the token as it was" "$before" "$(files)"
fails "quickstart.sh --real with a wrong PIN" real 111111
says '2 (PIN )?tries (are )?left'
equal "one try was spent" 2 "$(pin_tries)"
equal "it leaves the token as it was" "$before" "$(files)"
check "quickstart.sh --real --keep" real "$pin" --keep
[ "$(files)" != "$before" ] || fail "--keep kept nothing"
virtual_hsm remove
fails "quickstart.sh --real without a token" real "$pin"
says 'no card is in any reader'
fails "an unknown option" "$quickstart" --nonsense
