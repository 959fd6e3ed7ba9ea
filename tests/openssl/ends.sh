#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Threads, forks and ends in the middle of something.
. "$(dirname "$0")/../lib.sh"
virtual_card
make_ec_key

# --- a fork while another thread reads the configuration ---
check "a root certificate" "$SC_HSM_BUILD/bin/sc-hsm-sim" --write-root root.cvc
mkfifo root.fifo
configure "root=$work/root.fifo"
check "forked during another thread's first use, the child signs, and so does the thread" \
    "$programs/fork_first_use" ec.pem root.fifo root.cvc
configure root=

# --- a thread that is cancelled while it holds a session ---
mkfifo pin.fifo
configure "pin-source=file:$work/pin.fifo" login=use cache-pin=yes
check "nobody is logged in" raw_apdus
check "a thread that is cancelled while it waits for its PIN leaves no lock behind" \
    bash -c "'$programs/cancel' ec.pem pin.fifo <'$pin_file'"
configure "pin-source=file:$pin_file" login=

# --- a process that ends without cleaning up ---
# shellcheck disable=SC2154  # from lib.sh
check "nobody is logged in" raw_apdus
# A comment in it shows a PIN, and libcrypto reads it.
sed -i '/^#/d' "$OPENSSL_CONF"
printf 'pin %s\n' "$(printf %s "$pin" | od -An -v -tx1 | tr -d ' \n')" >secrets
check "a kept PIN at the end of a program that cleans up nothing" \
    env ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" "$programs/search_memory" secrets \
    "$programs/sign_unclean" ec.pem
says '^sign_unclean [0-9]+: pin: 0 times, and 0 in [1-9][0-9]* pages'
