#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A program may let go of its last key after libcrypto has cleaned up.
. "$(dirname "$0")/../lib.sh"
virtual_card
make_ec_key

memory=()
if [ -z "${SC_HSM_ASAN:-}" ]; then
    need valgrind
    memory=(valgrind --quiet --error-exitcode=99 --leak-check=no --keep-debuginfo=yes)
fi

# all_orders WHEN: every order, with keys of all origins.
all_orders() {
    local order key
    for order in destructor early-atexit late-atexit cleanup never; do
        for key in ec.pem sc-hsm:id=20 software; do
            check "$1: $order, $key" "$programs/exit_orders" "$order" "$key"
            check "$1: $order, $key, forked" "$programs/exit_orders" "forked-$order" "$key"
        done
    done
}

all_orders "default first"
if [ ${#memory[@]} != 0 ]; then
    for order in destructor early-atexit cleanup; do
        check "no memory error: $order" "${memory[@]}" "$programs/exit_orders" "$order" ec.pem
    done
fi
sed -i '/^default = default_sect/d' "$OPENSSL_CONF"
sed -i '/^sc-hsm = sc_hsm_sect/a default = default_sect' "$OPENSSL_CONF"
all_orders "ours first"
if [ ${#memory[@]} != 0 ]; then
    check "no memory error: a software key" \
        "${memory[@]}" "$programs/exit_orders" destructor software
fi
