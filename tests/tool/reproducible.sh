#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Provider, tool and manual are the same bytes, in whatever folders they are built: those of this
# build, and those of another one from a copy of the tree somewhere else.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need cmake

setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$SC_HSM_BUILD/CMakeCache.txt"
}
options=(-G "$(setting CMAKE_GENERATOR)" -DSC_HSM_TESTS=OFF -DSC_HSM_SIM=OFF)
for name in CMAKE_C_COMPILER CMAKE_BUILD_TYPE CMAKE_C_FLAGS SC_HSM_PKCS11; do
    options+=("-D$name=$(setting $name)")
done
mkdir source
(cd "$SC_HSM_SOURCE" && cp -r CMakeLists.txt CHANGELOG.md LICENSE README.md cmake device keymgmt provider tool docs openssl.cnf.sample "$work/source")
# Nothing from a cache, which may not see that the folders are others.
export CCACHE_DISABLE=1
umask 022
check "set up in another folder" cmake -S source -B elsewhere "${options[@]}"
check "built there" cmake --build elsewhere -j "$(nproc)"
for file in lib/sc-hsm.so bin/sc-hsm share/sc-hsm.1 share/sc-hsm.bash share/_sc-hsm share/sc-hsm.fish \
    share/OSSL_PROVIDER-sc-hsm.7; do
    same_bytes "$file" "$SC_HSM_BUILD/$file" "elsewhere/$file"
done
fails "no folder is named in it" grep -a -F -e "$work" -e "$SC_HSM_SOURCE" elsewhere/lib/sc-hsm.so elsewhere/bin/sc-hsm
