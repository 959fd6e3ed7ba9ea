#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pkcs11-tool's own tests.
. "$(dirname "$0")/common.sh"
opensc_card
check "an RSA key" p11_user --keypairgen --key-type rsa:2048 --id 10 --label one
check "an EC key" p11_user --keypairgen --key-type EC:prime256v1 --id 11 --label two
check "pkcs11-tool --test" p11_user --test
says 'No errors'
check "pkcs11-tool --test-fork" p11 --test-fork
