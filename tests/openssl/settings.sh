#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A name in the provider's section that nobody reads is told, where it was meant for a setting.
. "$(dirname "$0")/../lib.sh"
virtual_card
make_ec_key
seq 1 100 >data
tries=$(pin_tries) checks=$(pin_checks)

# use: the first use of a key.
use() {
    openssl dgst -sha256 -sign sc-hsm:id=20 -out signature data
}

# slip NAME MEANT VALUE
slip() {
    configure "$1=$3"
    fails "$1 = $3" use
    says "setting '$1' in the sc-hsm section of openssl.cnf is unknown: write $2\$"
    check "$1: no harm to others" openssl dgst -sha256 data
    configure "$1="
}
slip secure_channel secure-channel require
slip cache_pin cache-pin yes
slip min_pin_tries min-pin-tries 3
slip pin-sorce pin-source "file:$pin_file"
slip pin_source pin-source "file:$pin_file"
slip pin_sorce pin-source "file:$pin_file"
slip pinsource pin-source "file:$pin_file"
slip pin-sourec pin-source "file:$pin_file"
slip log_file log-file /dev/null
slip logs log error
slip pkcs11_module pkcs11-module /x.so
slip pkcs-11-module pkcs11-module /x.so
slip PIN pin 123456
slip Serial serial DENK0100186
slip readers reader x
slip lgoin login use
slip tokens token x
slip roots root x
# far NAME MEANT VALUE: two slips are seen where the file can be read.
far() {
    configure "$1=$3"
    fails "$1 = $3" use
    says "setting '$1' in .sc_hsm_sect. of openssl.cnf is unknown: write $2\$"
    configure "$1="
}
far SECURE_CHANEL secure-channel require
far secur-chanel secure-channel require
far casche_pim cache-pin yes
far mni-pin-treis min-pin-tries 3
equal "no PIN was sent" "$checks" "$(pin_checks)"
equal "and no try spent" "$tries" "$(pin_tries)"

# A name of the user's own, for values of the section, is nobody's business.
sed -i -e "/^\[sc_hsm_sect\]/a where = $(dirname "$pin_file")" \
    -e "s|^pin-source = .*|pin-source = file:\$where/$(basename "$pin_file")|" "$OPENSSL_CONF"
configure comment=x soft_load=1 log=info
check "names of the user's own" use
says "'comment' in .sc_hsm_sect. of openssl.cnf is no setting"
configure comment= log=

# What is not in force, or cannot be read, is nobody's business either.
cp "$OPENSSL_CONF" other.cnf
printf 'secur-chanel = require\nreader = none\n' >more
sed -i -e '/^\[sc_hsm_sect\]/r more' other.cnf
check "a section that is not in force" "$programs/sign_configured" "$OPENSSL_CONF" sc-hsm:id=20 \
    "$work/other.cnf"
check "a file that is not there" "$programs/sign_configured" "$OPENSSL_CONF" sc-hsm:id=20 \
    "$work/nowhere.cnf"
