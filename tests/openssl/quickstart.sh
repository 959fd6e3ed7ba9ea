#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a copy of the tree, which it builds: what comes out is the same as in this build, byte by byte.
. "$(dirname "$0")/../lib.sh"
mkdir source
(cd "$SC_HSM_SOURCE" && cp -r CMakeLists.txt CHANGELOG.md LICENSE README.md cmake device docs examples \
    keymgmt openssl.cnf.sample provider sim tool "$work/source")
quickstart=$work/source/examples/quickstart.sh

# The one script of the tests that would install something, if it were let.
# shellcheck source-path=SCRIPTDIR source=../../examples/packages.sh
. "$SC_HSM_SOURCE/examples/packages.sh"
install_packages "${packages_build[@]}" "${packages_token[@]}" "${packages_virtual[@]}" >"$seen" 2>&1 ||
    missing "$(cat "$seen")"
fails "nothing is installed where that is not wanted" install_packages no-such-package
says 'needed, and nothing may be installed here: no-such-package'

setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$SC_HSM_BUILD/CMakeCache.txt"
}
# Nothing from a cache, which may not see that the folders are others.
export CCACHE_DISABLE=1
umask 022
# What is chosen here in place of cmake's own choice.
for name in CMAKE_GENERATOR CMAKE_BUILD_TYPE; do
    export $name="$(setting $name)"
done
CC=$(setting CMAKE_C_COMPILER) CFLAGS=$(setting CMAKE_C_FLAGS)
export CC CFLAGS
# quick OPTION...: as a user runs it, in whose tree it builds.
quick() {
    env -u SC_HSM_BUILD "$quickstart" "$@"
}
check "quickstart.sh, from another folder" quick
says 'rsa.crt: OK' 'ec.crt: OK' 'New, TLSv1.3' 'Done'
if [ "$(setting SC_HSM_PKCS11)" = ON ]; then
    for file in lib/sc-hsm.so bin/sc-hsm share/sc-hsm.1 share/sc-hsm.bash share/_sc-hsm share/sc-hsm.fish \
        share/OSSL_PROVIDER-sc-hsm.7; do
        same_bytes "$file" "$SC_HSM_BUILD/$file" "source/build/$file"
    done
    fails "no folder is named in it" grep -a -F -e "$work" -e "$SC_HSM_SOURCE" \
        source/build/lib/sc-hsm.so source/build/bin/sc-hsm
fi

# A virtual card stands in for the user's own token, which has a key already.
virtual_card
make_rsa_key
before=$(files)
unset OPENSSL_CONF OPENSSL_MODULES
# real PIN OPTIONS...
real() {
    local typed=$1
    shift
    quick --real "$@" <<<"$typed"
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
fails "an unknown option" quick --nonsense
