#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A build without PKCS#11.
. "$(dirname "$0")/../lib.sh"
virtual_card
configure pkcs11-module=/x.so
fails "a configured module" openssl storeutl sc-hsm:
says 'pkcs11-module = /x.so: this build has no PKCS#11'
fails "the tool" sc-hsm --pkcs11-module /x.so list
says 'this build has no PKCS#11'
check "others are not bothered" openssl rand -hex 4
