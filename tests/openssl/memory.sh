#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory runs out right after the card has made a key: it goes again, or an error names it.
. "$(dirname "$0")/../lib.sh"
virtual_card
# Where memory runs out libcrypto leaks itself, in OSSL_LIB_CTX_new for one.
[ -z "${SC_HSM_ASAN:-}" ] || export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
clean="sc-hsm --pin-source file:$pin_file delete --yes label=starved"
for key in "SC-HSM-EC group P-256 label starved" "SC-HSM-RSA-PSS label starved bits 1024 rsa_pss_keygen_md SHA256"; do
    # shellcheck disable=SC2086  # words on purpose
    check "$key" "$programs/generate_starved" "$clean" $key
    cat "$seen"
done
