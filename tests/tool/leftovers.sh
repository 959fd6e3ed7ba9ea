#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What other programs and interruptions left on a card takes no place, is shown, and can be deleted.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card
tool=(sc-hsm --pin-source file:pin)

# all: type, handle or key reference, and label of all that list --all shows.
all() {
    json '" ".join(sorted((o["orphan"] or o["type"]).replace(" ", "-") + ":" +
                          (o["uri"].split("handle=")[1] if "handle=" in o["uri"]
                           else str(o["key_ref"])) + ":" + (o["label"] or "")
                          for o in d["objects"]))' sc-hsm --json list --all
}

# --- a key that OpenSC deleted ---------------------------------------------------------------

check "a key" "${tool[@]}" keygen --type ec:P-256 --id 30 --label web --key-ref 30
check "it is wrapped" "${tool[@]}" wrap key-ref=30 web.wrapped
check "a backup" "${tool[@]}" backup saved
check "OpenSC deletes the key" p11 --login --pin "$pin" --delete-object --type privkey --id 30
check "its certificate or request is left" sc-hsm ls
says '^CE1E '
says_nothing_of '^CC1E ' '^C41E '
check "which is no key" sc-hsm list
says "nothing to list"
ends 1 "nor has it a key reference" sc-hsm list key-ref=30
ends 1 "for pubkey" sc-hsm pubkey key-ref=30
fails "for openssl" openssl pkey -in sc-hsm:key-ref=30 -pubout
says 'there is no .*key-ref 30'
fails "for openssl's list" openssl storeutl -noout sc-hsm:key-ref=30
fails "for a signature" openssl dgst -sha256 -sign sc-hsm:key-ref=30 message
check "list --all shows it" sc-hsm list --all
says '^orphan: certificate or request of a key +30 .*handle=ce1e$'
equal "for programs" "certificate-or-request-of-a-key:ce1e:" "$(all)"
check "by its handle as well" sc-hsm list handle=ce1e
says '^orphan: certificate or request of a key'

check "a key is made in its place" "${tool[@]}" keygen --type ec:P-256 --id 30 --key-ref 30 --label new
check "and signs" openssl dgst -sha256 -sign 'sc-hsm:key-ref=30' -out signature message
check "it is listed alone" sc-hsm list --all
says_nothing_of orphan
for command in "unwrap web.wrapped --key-ref 30" "unwrap web.wrapped" "restore saved"; do
    check "OpenSC deletes it" p11 --login --pin "$pin" --delete-object --type privkey --id 30
    # shellcheck disable=SC2086  # words on purpose
    check "$command" "${tool[@]}" $command
    check "its key signs" openssl dgst -sha256 -sign 'sc-hsm:id=30' -out signature message
    sc-hsm list --all >"$seen"
    says 'private key +(30|1) +30 +web'
    check "what is left elsewhere goes" "${tool[@]}" tidy --yes
done

# --- what is told of a key reference ---------------------------------------------------------

check "list by key reference" sc-hsm list key-ref=30
says '^private key +30 +30 +web +EC 256 +sc-hsm:.*;id=30;label=web;type=private$'
check "storeutl by key reference" openssl storeutl -noout -text sc-hsm:key-ref=30
says 'id=30;label=web'
check "delete by key reference" "${tool[@]}" delete key-ref=30 --yes
says "Deleted key 'web': sc-hsm:.*;key-ref=30;id=30;label=web;type=private"
check "nothing is left" sc-hsm list --all
says "nothing to list"

# --- orphans of all kinds --------------------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.crt -subj /CN=a 2>"$seen"
check "a certificate of an authority" "${tool[@]}" cert import authority.crt --ca --label authority
check "data" "${tool[@]}" data write message --label note
check "a key" "${tool[@]}" keygen --type ec:P-256 --id 31 --label kept
card_file CD20 616263 # data without a description
card_file CF21 616263
check "a key whose description alone stays" "${tool[@]}" keygen --type ec:P-256 --id 77 --label x \
    --key-ref 64
check "that" card 00E4020002CC40 00E4020002CE40
card_file CE41 616263
card_file C842 301530030C017430040402AABBA108300630040402CA42
card_file C943 3004300030AA
card_file CA44 3082FFFF
# What is no certificate there is somebody's.
card_file CA45 48656C6C6F
card_file CA46 040548656C6C6F
orphans="certificate-or-request-of-a-key:ce41: description-of-a-certificate:c842:t \
description-of-a-key:c440:x description-of-data:c943: part-of-a-certificate:ca44:"
equal "all are shown" "$orphans" \
    "$(all | tr ' ' '\n' | grep -v -e '^private:' -e '^cert:' -e '^data:' | tr '\n' ' ' | sed 's/ $//')"
check "a certificate's id is free where only its description is left" "${tool[@]}" cert import \
    authority.crt --ca --label again --id AABB
check "a place, too" "${tool[@]}" data write message --label placed --id 43
check "which is there" sc-hsm list handle=cf43
card_file C942 3004300030AA

fails "a backup names what is but a description of data, and goes on" "${tool[@]}" backup with-orphans
says "NOT SAVED" "could not be saved|saved"
check "one goes by its handle" "${tool[@]}" delete handle=c440 --yes
says 'Deleted description of a key c440: sc-hsm:.*handle=c440$'
ends 1 "it is gone" sc-hsm list handle=c440
ends 1 "tidy asks" setsid "${tool[@]}" tidy
says 'c842' 'ce41' 'c942' 'ca44'
says_nothing_of 'cd20' 'cf21' 'ca00' 'cc01' 'cf00'
equal "tidy deletes them" "['c842', 'c942', 'ca44', 'ce41']" \
    "$(json 'sorted(o["uri"].split("handle=")[1] for o in d["deleted"])' "${tool[@]}" --json tidy --yes)"
check "it deleted nothing else" sc-hsm list
says 'kept' 'authority' 'note' 'handle=cd20' 'handle=cf21'
check "nor what somebody keeps where certificates are" sc-hsm ls
says '^CA45 +5 ' '^CA46 +7 '
check "once more there is nothing" "${tool[@]}" tidy
says 'belongs to nothing'

# --- keys without description and request ----------------------------------------------------

check "an RSA key" "${tool[@]}" keygen --type rsa:2048 --id 32 --label bare --key-ref 50
check "it stands alone" card 00E4020002C432 00E4020002CE32
check "it is listed" sc-hsm list
says '^private key +50 +- +- +- +sc-hsm:.*key-ref=50;type=private$' 'kept' 'authority'
check "storeutl goes on" openssl storeutl -noout sc-hsm:
says 'key-ref=50' 'kept'
check "another key is deleted" "${tool[@]}" delete id=31 --yes
check "it is deleted" "${tool[@]}" delete key-ref=50 --yes

# --- keys of kinds that nobody here knows ----------------------------------------------------

check "a key" "${tool[@]}" keygen --type ec:P-256 --id 33 --label strange --key-ref 60
check "another" "${tool[@]}" keygen --type ec:P-256 --id 34 --label usual --key-ref 61
plain_openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out dsa.par 2>"$seen"
plain_openssl genpkey -paramfile dsa.par -out dsa.key
plain_openssl req -x509 -new -key dsa.key -subj /CN=d -outform DER -out dsa.der
card_file CE3C "$(od -An -v -tx1 dsa.der | tr -d ' \n')"
check "so it is listed" sc-hsm list
says '^private key +60 +33 +strange +unknown, oid 1\.2\.840\.10040\.4\.1 ' 'usual +EC 256'
equal "for programs" "1.2.840.10040.4.1" \
    "$(json '[o["oid"] for o in d["objects"] if o["key_ref"] == 60][0]' sc-hsm --json list)"
check "storeutl goes on" openssl storeutl -noout sc-hsm:
says 'strange' 'usual'
check "also over public keys" openssl storeutl -noout sc-hsm:type=public
check "the other key signs" openssl dgst -sha256 -sign sc-hsm:id=34 -out signature message
# PKCS#15's [1]: Diffie-Hellman
card_file C43C A11330030C017830080401330303072080A1023000
check "it has its name still" sc-hsm list
says '^private key +60 +33 +x '
check "it goes" "${tool[@]}" delete 'id=33;type=private' --yes

# --- what the device refuses to show ---------------------------------------------------------

# unreadable FILE READ COMMAND...: the command succeeds although the card refuses to read this file, which
# is what it is asked to read with number READ, counted from 0.
unreadable() {
    local file=$1 read=$2
    shift 2
    control status 6F00 ins=B1 skip="$read"
    check "$file cannot be read: ${*:1:2}" "${tool[@]}" --secure-channel off "$@"
    control clear
    equal "that was refused" "! status befalls 00B1${file^^}" \
        "$(grep '^! status befalls' "$SC_HSM_VIRTUAL/card-1.log" | tail -n 1)"
}
check "one key is there" "${tool[@]}" delete id=34 --yes
check "with an id" "${tool[@]}" keygen --type ec:P-256 --id 35 --label refused --key-ref 1
check "and data that nobody described" sc-hsm ls
says '^C401 ' '^CD20 '
check "it is wrapped" "${tool[@]}" wrap id=35 refused.wrapped
unreadable c401 0 keygen --type ec:P-256 --id 36 --label made --key-ref 80
check "it goes" "${tool[@]}" delete 'id=36;type=private' --yes
unreadable c401 0 unwrap refused.wrapped --id 37 --key-ref 80
check "it goes" "${tool[@]}" delete 'id=37;type=private' --yes
unreadable cd20 2 data write message --label stored --private
openssl req -x509 -key authority.key -out other.crt -subj /CN=b 2>"$seen"
unreadable c401 9 cert import other.crt --ca --label stored --id 38
