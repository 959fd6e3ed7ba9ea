#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# keys migrate between devices that agreed on a key domain's key
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need python3 openssl sc-hsm-tool
virtual_cards 3
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
echo "$pin" >pin
echo "$so_pin" >so-pin
check "the virtual cards' root" "$SC_HSM_BUILD/bin/sc-hsm-sim" --write-root root.cvc
a() { sc-hsm --serial "${serials[0]}" --pin-source file:pin "$@"; }
b() { sc-hsm --serial "${serials[1]}" --pin-source file:pin "$@"; }
c() { sc-hsm --serial "${serials[2]}" --pin-source file:pin "$@"; }
opensc() {
    local number
    number=$(sc-hsm --json readers | python3 -c 'import json, sys
print([r["serial"] for r in json.load(sys.stdin)["readers"]].index(sys.argv[1]))' "${serials[$1]}")
    shift
    sc-hsm-tool --reader "$number" --pin "$pin" "$@"
}
# kcv DEVICE DOMAIN
kcv() {
    "$1" --json domain list | python3 -c 'import json, sys
print(json.load(sys.stdin)["domains"][int(sys.argv[1])]["key_check_value"])' "$2"
}

check "a device without key domains" a domain list
says "has no key domains"
fails "which cannot be created there" a domain create 0 --dkek-shares 1
says "device was initialised without key domains: 'sc-hsm init --key-domains N'"
for i in a b c; do
    check "device $i is initialised with key domains" "$i" --so-pin-source file:so-pin init --yes \
        --key-domains 3
done
check "three places" a domain list
says "^0 +- +- +- +not created$" "^2 +- +- +- +not created$"

# --- a DKEK domain ---------------------------------------------------------------------------

check "a DKEK domain" a domain create 1 --dkek-shares 2
says "Created key domain 1: 2 of 2 key shares outstanding"
fails "not twice" a domain create 1 --dkek-shares 2
says "key domain 1 of device ${serials[0]} exists already"
fails "no kind of domain" a domain create 2
says "say what kind"
fails "no such place" a domain create 3 --dkek-shares 1
says "there is no key domain 3: the device has room for 3"
fails "no number" a domain create x --dkek-shares 1
says "'x' is no number of a key domain"
fails "nothing is deleted unasked" a domain delete 1
check "it is deleted" a domain delete 1 --yes
says "Deleted key domain 1: not created"
fails "what is not there is not cleared" a domain clear 1 --yes
says "key domain 1 of device ${serials[0]} has not been created"

# --- memberships -----------------------------------------------------------------------------

check "the group's signer" a domain create-signer --label signer
for i in a b c; do
    check "the id of device $i" "$i" domain export-id --out "$i.id"
done
fails "an id of unknown make" a domain issue-membership label=signer b.id --out b.kdm
says "b.id: nothing proves that this is a device, so no membership was issued"
for i in a b; do
    check "a membership for $i" a --root root.cvc domain issue-membership label=signer "$i.id" \
        --out "$i.kdm"
done
check "it says for whom" a domain issue-membership label=signer b.id --unverified --out again.kdm
says "membership of device ${serials[1]}00000 is in again.kdm"
fails "a membership is no id" a domain issue-membership label=signer b.kdm --out x.kdm
says "b.kdm is a key domain membership, but a device id is needed"
fails "a signer that is not there" a --root root.cvc domain issue-membership label=other b.id \
    --out x.kdm
fails "no file named" a domain issue-membership label=signer b.id
says "say where to write it: --out FILE"

fails "another device's membership" b domain create 0 --membership a.kdm
says "device ${serials[1]}, key domain 0: the membership was issued for another device"
python3 - <<'END'
d = bytearray(open("b.kdm", "rb").read())
open("cut.kdm", "wb").write(d[:-30])
d[-1] ^= 1
open("tampered.kdm", "wb").write(d)
d[-1] ^= 1
d[60] ^= 1
open("chain.kdm", "wb").write(d)
END
fails "a tampered membership" b domain create 0 --membership tampered.kdm
says "issued for another device, or its signature is wrong"
fails "a tampered chain" b domain create 0 --membership chain.kdm
says "chain.kdm: "
fails "a cut membership" b domain create 0 --membership cut.kdm
says "cut.kdm: .*(malformed|neither)"
fails "an id is no membership" b domain create 0 --membership b.id
says "b.id is a device id, but a key domain membership is needed"
check "nothing was created" b domain list
says "^0 +- +- +- +not created$"

check "the domain on a" a domain create 0 --membership a.kdm
says "Created key domain 0: no key encryption key: not agreed on yet"
check "the domain on b" b domain create 2 --membership b.kdm
check "it is listed" b domain list
says "^2 +XKEK +- +[0-9a-f]{16}\.\. +no key encryption key"

# --- the exchange ----------------------------------------------------------------------------

fails "no exchange key in a place without domain" a domain create-exchange-key 1
says "key domain 1 of device ${serials[0]} is no XKEK domain"
check "an exchange key on a" a domain create-exchange-key 0 --label exchange
check "an exchange key on b" b domain create-exchange-key 2 --label exchange
for i in a b; do
    check "the exchange key of $i" "$i" domain export-key label=exchange --out "$i.xkey"
done
fails "another kind of key is of no domain" a domain export-key label=signer --out a.xkey
says "a.xkey"
check "it is exported all the same" a domain export-key label=signer --out signer.pka
fails "and not derived with" b domain derive label=exchange signer.pka
says "signer.pka holds a key that is of no key domain"
fails "nor a membership" b domain derive label=exchange a.kdm
says "a.kdm is a key domain membership, but the other device's exchange key is needed"
python3 - <<'END'
d = bytearray(open("b.xkey", "rb").read())
issuer = d.rindex(b"\x7f\x21")
d[issuer - 1] ^= 1
open("device.xkey", "wb").write(d)
d = bytearray(open("b.xkey", "rb").read())
d[300] ^= 1
open("key.xkey", "wb").write(d)
END
fails "a tampered device certificate" a domain derive label=exchange device.xkey
says "device.xkey: the issuer's signature over the device certificate"
fails "a tampered key" a domain derive label=exchange key.xkey
says "key.xkey: "
fails "a key that is not for exchange" a domain derive label=signer b.xkey
says "is no exchange key of the other key's key domain"
fails "a device that is no member" c domain derive label=exchange b.xkey
equal "nothing was agreed on" None "$(kcv a 0)"

check "a derives with b's key" a domain derive label=exchange b.xkey
says "Derived the key of key domain 0: has its key encryption key, key check value [0-9a-f]{16}"
check "b derives with a's key" b domain derive label=exchange a.xkey
equal "both have the same key" "$(kcv a 0)" "$(kcv b 2)"

# --- migration -------------------------------------------------------------------------------

check "a key in the domain" a keygen --type ec:P-256 --label traveller --id 33 --key-domain 0
check "its public key" a pubkey label=traveller --out traveller.pub
ref=$(a --json list label=traveller | python3 -c 'import json, sys
print(json.load(sys.stdin)["objects"][0]["key_ref"])')
check "OpenSC wraps it on a" opensc 0 --wrap-key traveller.bin --key-reference "$ref"
fails "c cannot unwrap it" opensc 2 --unwrap-key traveller.bin --key-reference 9
unwraps "b can" opensc 1 --unwrap-key traveller.bin --key-reference 9
echo data >data
check "and b signs with it" openssl dgst -sha256 \
    -sign "sc-hsm:serial=${serials[1]};label=traveller" -out sig data
check "as a's key would" plain_openssl dgst -sha256 -verify traveller.pub -signature sig data

check "our tool wraps it as well" a wrap label=traveller own.bin
fails "c cannot unwrap that either" c unwrap own.bin
says "key check value|KEK|DKEK|key encryption key"
check "and b unwraps it a second time" b unwrap own.bin --key-ref 10 --id 44 --label again
check "and signs with it" openssl dgst -sha256 \
    -sign "sc-hsm:serial=${serials[1]};label=again" -out sig data
check "like the first" plain_openssl dgst -sha256 -verify traveller.pub -signature sig data

check "openssl makes a key in b's domain" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt "serial:${serials[1]}" -pkeyopt key-domain:2 -pkeyopt label:native -out native.pem
check "which b wraps" b wrap label=native native.bin
check "for a" a unwrap native.bin --id 45
check "b lets it go again" b delete "label=native;type=private" --yes
check "and so does a" a delete "label=native;type=private" --yes

# --- the end of it ---------------------------------------------------------------------------

before=$(kcv a 0)
check "the key is cleared on a" a domain clear 0 --yes
says "Cleared key domain 0: no key encryption key"
fails "nothing leaves a any more" opensc 0 --wrap-key again.bin --key-reference "$ref"
fails "a domain with keys is not deleted" a domain delete 0 --yes
says "the key domain still holds keys"
check "the same two keys" a domain derive label=exchange b.xkey
equal "bring the same key back" "$before" "$(kcv a 0)"
check "the traveller goes" a delete label=traveller --yes
check "and the exchange key" a delete label=exchange --yes
fails "the signer still is in domain 0" a domain delete 0 --yes
check "when it goes" a delete label=signer --yes
check "then the domain can go" a domain delete 0 --yes
check "b keeps its own" b domain list
says "^2 +XKEK +$before"
