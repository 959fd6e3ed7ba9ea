#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OpenSC takes the virtual card for a SmartCard-HSM.
. "$(dirname "$0")/common.sh"
opensc_card

check "the reader shows a card" opensc-tool --list-readers
says "Yes .*$serial"
check "the ATR" opensc-tool --atr
says '^3b:fe:18:00:00:81:31:fe:45:80:31:81:54:48:53:4d:31:73:80:21:40:81:07:fa$'
check "the name" opensc-tool --name
says '^SmartCard-HSM Applet for JCOP version 3\.5$'
check "sc-hsm-tool's status" sc-hsm-tool
says '^Version *: 3\.5' 'User PIN reset with SO-PIN enabled' 'SO-PIN tries left *: 15' \
    'User PIN tries left *: 3'
says_nothing_of 'DKEK'
check "pkcs15-tool's token info" pkcs15-tool --list-info
says "Serial number *: $serial" 'Manufacturer ID: www.CardContact.de'
check "PKCS#11 slots" p11 --list-slots
says "serial num *: $serial" 'token initialized, PIN initialized' 'login required' 'rng'
check "mechanisms" p11 --list-mechanisms
says 'RSA-PKCS-PSS' 'ECDSA-SHA256' 'ECDH1-DERIVE' 'keySize=.1024,4096'

fresh_card
check "a card from the factory" sc-hsm-tool
says 'SO-PIN tries left *: not initialized|SO-PIN not initialized|has never been initialized'
answers "its status queries" "6A88 6A88 6A88 6A88" 00200081 00200088 00200085 00200086
check "OpenSC binds it all the same" pkcs15-tool --dump
says "Serial number *: $serial"
check "PKCS#11 sees it too" p11 --list-slots
