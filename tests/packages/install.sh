#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An installation lies below its prefix, the module as well; each file belongs to one of three parts;
# what is installed can be taken back; archives have the same files.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need cmake cpack tar

# What was built is here: a build folder that takes the programs of this build for its own is set up
# for one prefix after the other, and nothing is compiled.
setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$SC_HSM_BUILD/CMakeCache.txt"
}
mkdir -p other/bin other/lib
for file in bin/sc-hsm bin/sc-hsm-sim lib/sc-hsm.so share; do
    cp -r "$SC_HSM_BUILD/$file" "other/$file"
done
# set_up PREFIX [OPTION...]
set_up() {
    cmake -S "$SC_HSM_SOURCE" -B other -DCMAKE_C_COMPILER="$(setting CMAKE_C_COMPILER)" \
        -DCMAKE_C_FLAGS="$(setting CMAKE_C_FLAGS)" -DCMAKE_SKIP_INSTALL_ALL_DEPENDENCY=ON \
        -DSC_HSM_PKCS11="$(setting SC_HSM_PKCS11)" -DSC_HSM_TESTS=OFF \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_PREFIX="$1" "${@:2}" >"$seen" 2>&1 ||
        fail "not set up for $1"
}
# installed FOLDER: the files there, without the module's folder.
installed() {
    (cd "$1" && find . ! -type d | sed 's/^\.//' | LC_ALL=C sort)
}
module=lib/ossl-modules/sc-hsm.so
expected() {
    sort <<END
/opt/x/$module
/opt/x/bin/sc-hsm
/opt/x/bin/sc-hsm-sim
/opt/x/share/bash-completion/completions/sc-hsm
/opt/x/share/bash-completion/completions/sc-hsm-sim
/opt/x/share/doc/sc-hsm/openssl.cnf.sample
/opt/x/share/fish/vendor_completions.d/sc-hsm.fish
/opt/x/share/man/man1/sc-hsm-sim.1
/opt/x/share/man/man1/sc-hsm.1
/opt/x/share/man/man7/OSSL_PROVIDER-sc-hsm.7
/opt/x/share/zsh/site-functions/_sc-hsm
END
}

set_up /opt/x
DESTDIR=$work/root check "installed below /opt/x" cmake --install other
equal "all of it lies there" "$(expected)" "$(installed root)"
check "taken back" env DESTDIR="$work/root" cmake -DBUILD=other -P "$SC_HSM_SOURCE/cmake/Uninstall.cmake"
equal "nothing is left" "" "$(installed root)"
[ ! -e root/opt/x/share/doc/sc-hsm ] || fail "our own folder is left"
[ -d root/opt/x/bin ] || fail "a folder that is not ours was removed"
check "there is a target for it" cmake --build other --target help
says uninstall

# --- three parts ---
for part in provider tool sim; do
    check "the part $part" env DESTDIR="$work/parts/$part" cmake --install other --component $part
    installed "parts/$part"
done | grep '^/' | sort >parts.txt || true
equal "each file belongs to one part" "$(expected)" "$(cat parts.txt)"
equal "the provider is a module, a sample and a page" "/opt/x/$module
/opt/x/share/doc/sc-hsm/openssl.cnf.sample
/opt/x/share/man/man7/OSSL_PROVIDER-sc-hsm.7" "$(installed parts/provider)"

# --- other places ---
check "told when installing" cmake --install other --prefix "$work/third"
[ -f "third/$module" ] || fail "the module stayed behind"
check "archives are made" cpack --config other/CPackConfig.cmake -G TGZ -B "$work/archives"
for archive in archives/*.tar.gz; do
    tar -tf "$archive" | grep -v '/$'
done | sed 's|^|/|' | sort >archived
equal "have the same files" "$(expected)" "$(cat archived)"

# --- the system's prefix, and the default ---
modules=$(openssl version -m | sed -n 's/^MODULESDIR: "\(.*\)"/\1/p')
for prefix in /usr /usr/local; do
    set_up "$prefix"
    DESTDIR=$work/$prefix check "the prefix $prefix" cmake --install other
    [ -f "$work/$prefix$modules/sc-hsm.so" ] || fail "the module is not where OpenSSL looks for it"
done
fails "its module is not left behind silently" cmake --install other --prefix "$work/fourth"
says 'say the prefix when configuring'
[ ! -e fourth ] || [ -z "$(installed fourth)" ] || fail "something was installed"
set_up /opt/x -DSC_HSM_MODULESDIR=/srv/modules
DESTDIR=$work/named-root check "a folder of one's own for the module" cmake --install other
[ -f named-root/srv/modules/sc-hsm.so ] || fail "the module is somewhere else"
