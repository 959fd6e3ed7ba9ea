#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Compiles and links provider, tool and virtual card with musl in place of glibc, without a warning:
#
#     tests/musl.sh
#
# Needs musl-gcc (on Debian musl-tools) and what building needs (examples/packages.sh); installs
# nothing, and ends with status 77 where one of them is missing. The other libraries are the
# system's, which were made for glibc: so every function that we call is looked for in musl, and
# what is built is not run. Headers of glibc's are out of reach.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/musl

if ! command -v musl-gcc >/dev/null; then
    echo "NOT TESTED: musl-gcc is not here (on Debian musl-tools)"
    exit 77
fi
include=/usr/include
own=$include/$(gcc -print-multiarch)
rm -rf "$build/include"
mkdir -p "$build/include/openssl"
for header in "$include"/openssl/*.h "$own"/openssl/*.h; do
    [ ! -e "$header" ] || ln -sf "$header" "$build/include/openssl/"
done
# Beside them the kernel's.
for name in PCSC libsmartcols jansson.h jansson_config.h libp11.h linux asm-generic asm; do
    for folder in "$include" "$own"; do
        [ ! -e "$folder/$name" ] || ln -sfn "$folder/$name" "$build/include/$name"
    done
done

# "Cross", because nothing that is built can be run. What glibc's libraries want of glibc may be missing.
lenient=-Wl,--unresolved-symbols=ignore-in-shared-libs
CC=musl-gcc cmake -S "$root" -B "$build" -DSC_HSM_WERROR=ON -DSC_HSM_TESTS=OFF \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_FLAGS="-idirafter $build/include" \
    -DCMAKE_EXE_LINKER_FLAGS=$lenient -DCMAKE_MODULE_LINKER_FLAGS=$lenient
cmake --build "$build" -j"$(nproc)"
for file in lib/sc-hsm.so bin/sc-hsm bin/sc-hsm-sim; do
    # No version of glibc's on any symbol of ours.
    if readelf --dyn-syms -W "$build/$file" | grep 'GLIBC_'; then
        echo "$file wants glibc" >&2
        exit 1
    fi
done
echo "musl: builds without a warning"
