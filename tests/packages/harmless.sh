#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No test can install anything: what changes the system is in scripts that no test calls, but one
# that asks before, and is told no.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# mentions: the scripts of tests and examples with a command that installs, by their names.
mentions() {
    (cd "$SC_HSM_SOURCE" && grep -lE -e '^[^#]*\<(apt-get|debootstrap|install_packages) ' -e '^ *(sudo )?apt ' \
        -r tests examples --include='*.sh' --include='*.c' --include='*.py' | sort | tr '\n' ' ')
}
echo "mentioned in: $(mentions)"
for script in $(mentions); do
    case $script in
    examples/packages.sh | examples/quickstart.sh | tests/openssl/quickstart.sh | tests/packages/harmless.sh) ;;
    tests/run.sh | tests/chroot.sh | tests/matrix.sh | tests/cross.sh | tests/musl.sh | tests/packages.sh | tests/fresh-debian.sh)
        # These are run by hand.
        if grep -rq --include=CMakeLists.txt "${script##*/})" "$SC_HSM_SOURCE/tests"; then
            fail "$script is one of ctest's tests"
        fi
        ;;
    *) fail "$script may install something" ;;
    esac
done
echo "ok: no other script of the tests has a word for it"

# Whoever calls it in a test gets a sentence and nothing else, be he root or not.
mkdir bin
for program in apt-get sudo; do
    # shellcheck disable=SC2016  # for the script
    printf '#!/bin/sh\necho "$0 $*" >>%s\n' "$work/called" >"bin/$program"
    chmod 755 "bin/$program"
done
# shellcheck disable=SC2016  # for the inner shell
PATH=$work/bin:$PATH fails "a package that is missing" bash -c \
    '. "$1/examples/packages.sh"; install_packages no-such-package' bash "$SC_HSM_SOURCE"
says 'needed, and nothing may be installed here: no-such-package'
[ ! -e called ] || fail "called: $(cat called)"
