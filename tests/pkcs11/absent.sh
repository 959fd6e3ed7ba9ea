#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A build without PKCS#11, made here: it has no need of libp11, and one clear error where a module is
# configured.
. "$(dirname "$0")/../lib.sh"
virtual_card
check "it is configured" cmake -S "$SC_HSM_SOURCE" -B build -DSC_HSM_PKCS11=OFF -DSC_HSM_WERROR=ON \
    -DSC_HSM_SIM=OFF -DSC_HSM_TESTS=OFF -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0
check "and built without a warning" cmake --build build -j2
fails "nothing of libp11 is in it" grep -a "libp11[.]so" build/bin/sc-hsm build/lib/sc-hsm.so
PATH=$work/build/bin:$PATH
export OPENSSL_MODULES=$work/build/lib

check "a card is found as ever" sc-hsm readers
check "and listed" openssl storeutl -noout sc-hsm:
configure pkcs11-module=/x.so
fails "a configured module" openssl storeutl sc-hsm:
says 'pkcs11-module = /x.so: this build has no PKCS#11'
fails "the tool" sc-hsm --pkcs11-module /x.so list
says 'this build has no PKCS#11'
check "others are not bothered" openssl rand -hex 4
