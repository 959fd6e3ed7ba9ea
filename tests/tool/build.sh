#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# building asks for no package that the README does not name
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# only PACKAGE...: from now on pkg-config knows no other packages than those that these bring.
only() {
    local modules=() real
    real=$(type -P pkg-config)
    while [ $# -gt 0 ]; do
        case $1 in
        libssl-dev) modules+=(openssl libcrypto libssl) ;;
        libpcsclite-dev) modules+=(libpcsclite) ;;
        libjansson-dev) modules+=(jansson) ;;
        libsmartcols-dev) modules+=(smartcols) ;;
        esac
        shift
    done
    mkdir bin
    cat >bin/pkg-config <<END
#!/bin/bash
for word; do
    [[ \$word != [a-z]* ]] || [[ " ${modules[*]} " == *" \${word%%[<>= ]*} "* ]] || exit 1
done
exec $real "\$@"
END
    chmod 755 bin/pkg-config
    export PKG_CONFIG=$work/bin/pkg-config
}

mapfile -t packages < <(sed -n 's/^apt install \(.*libssl-dev.*\)/\1/p' "$SC_HSM_SOURCE/README.md" |
    tr ' ' '\n')
[ ${#packages[@]} -gt 5 ] || fail "the README names no packages to install"
only "${packages[@]}"

check "the README's packages are enough" cmake -S "$SC_HSM_SOURCE" -B build
says "The tests are left out: .*libcmocka-dev" "Build files have been written"
# So a test run can never leave out tests unnoticed.
fails "tests that were asked for are not left out" \
    cmake -S "$SC_HSM_SOURCE" -B build -DSC_HSM_TESTS=ON
says "cmocka"

# --- every choice of what is built ---
# Configures; and a library of ours that nobody makes would be taken for one of the system's.
whole() {
    cmake -S "$SC_HSM_SOURCE" -B choice -DSC_HSM_BENCH=ON "$@" &&
        ! grep -r --include=link.txt -o -E -e '-l(schsm|sc_hsm)_[a-z0-9_]*' choice
}
unset PKG_CONFIG
for number in {0..31}; do
    options=()
    bit=1
    for part in PROVIDER TOOL SIM PKCS11 TESTS; do
        options+=("-DSC_HSM_$part=$([ $((number & bit)) = 0 ] && echo ON || echo OFF)")
        bit=$((2 * bit))
    done
    check "${options[*]}" whole "${options[@]}"
done
