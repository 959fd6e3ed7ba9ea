#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm doctor names what is wrong with the device and on it, and its cure works
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=patient.sh
. "$(dirname "$0")/patient.sh"
patient

# --- readers --------------------------------------------------------------------------------------

virtual_hsm remove
sick "an empty reader" device "no SmartCard-HSM is connected; there is no card in reader" "plug in the device"
port=$(sed -n 's/^CHANNELID *//p' "$SC_HSM_VIRTUAL/readers/cards")
nsenter --target "$(cat "$SC_HSM_VIRTUAL/pcscd.pid")" --net \
    python3 "$SC_HSM_SOURCE/tests/tool/other_card.py" "$port" &
other=$!
there_is() {
    doctor
    grep -Eq "$1" "$seen"
}
wait_for "the other card" there_is "^ok +reader: .*: another card"
sick "another card" device "no SmartCard-HSM is connected; there is another card in reader" \
    "plug in the device"
kill $other
wait $other || true
virtual_hsm insert
healthy "with the card"

configure serial=DENK0000001
sick "another device than serial names" device "serial number DENK0000001.*there is .*$serial" \
    "plug that device in, or correct serial in .*line"
edit "s/=.*/= $serial/"
healthy "with the right serial number"
configure serial= "reader=Other Reader"
sick "a reader that is not there" device "no reader's name contains 'Other Reader'" \
    "plug that device in, or correct reader in"
put_back
sick "an option that names another" device "DENK0000002" "option --serial" --serial DENK0000002
healthy "with the right option" --serial "$serial"

# --- the device's state ---------------------------------------------------------------------------

raw_apdus >/dev/null 2>&1 # nobody is logged in
echo 999999 >"$pin_file"
checks=$(pin_checks)
sick "a wrong PIN" signature "PIN is wrong for device $serial; 2 tries" "correct the PIN where it comes from"
equal "one try was spent" $((checks + 1)) "$(pin_checks)"
sick "the same PIN" signature "PIN is wrong for device $serial; 1 " "correct the PIN"
says "PIN 2 tries"
checks=$(pin_checks)
sick "fewer tries than min-pin-tries" pin "1 try left, .* not tried with fewer than 2" "see that the stored PIN is right"
says "signature: not tried"
equal "no try was spent" "$checks" "$(pin_checks)"
raw_apdus "0020008106$(printf 999999 | od -An -tx1 | tr -d ' \n')" >/dev/null 2>&1
sick "a blocked PIN" pin "PIN of device $serial is blocked" "'sc-hsm pin unblock'"
check "the cure" sc-hsm pin unblock --so-pin-source file:so-pin --keep-pin
echo "$pin" >"$pin_file"
healthy "with the right PIN and all tries"

fresh_card
sick "a device that was never initialised" device "$serial is not initialised" "'sc-hsm init'"
check "the cure" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin
sick "a key that is gone" reference "ec.pem: there is no private key" "write it again from the key" ec.pem
rm ec.pem
make_ec_key
healthy "with a new key" ec.pem
check "a transport PIN" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:wrong-pin --transport-pin
sick "a transport PIN" device "transport PIN, which has to be changed" "'sc-hsm pin change'"
check "the cure" sc-hsm pin change --pin-source file:wrong-pin --new-pin-source file:pin
healthy "with a PIN of one's own"
check "a device that expects shares" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin \
    --dkek-shares 1
uneasy "a share is missing" dkek "1 of 1 shares of the DKEK are still to be imported" "'sc-hsm dkek import-share FILE'"
# What import-share sends: its work on a share's password takes long, and is tested elsewhere.
check "the cure" raw_apdus "0020008106$(od -An -tx1 -v pin | tr -d ' \n' | sed 's/0a$//')" \
    "8052000020$(printf 07%.0s {1..32})"
healthy "with the DKEK"

# --- what is on it --------------------------------------------------------------------------------

make_ec_key
healthy "with a key" ec.pem
openssl req -new -key ec.pem -subj /CN=web -out web.csr
cat >ca.cnf <<'END'
[ca]
default_ca = here
[here]
new_certs_dir = .
database = index
serial = serial
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
END
touch index
echo 01 >serial
# certificate DAYS: a certificate for the key, on the device, that ends in so many days.
certificate() {
    openssl ca -batch -notext -config ca.cnf -selfsign -keyfile ec.pem -in web.csr -out web.crt \
        -startdate "$(date -u -d '-9 days' +%Y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "$1 days" +%Y%m%d%H%M%SZ)" >"$seen" 2>&1 || fail "no certificate for $1 days"
    check "a certificate for $1 days" sc-hsm cert import --replace web.crt --yes --pin-source file:pin
}
certificate -3
sick "a certificate that has expired" certificate "id=20.* expired 3 days ago" "'sc-hsm cert import --replace FILE'"
certificate 8
uneasy "a certificate that expires soon" certificate "id=20.* expires in [78] days" "have it renewed"
certificate 300
healthy "a new one" ec.pem
says "1 valid for 30 days"

sed -i '/^-----BEGIN/{n;s/^.\{20\}/AAAAAAAAAAAAAAAAAAAA/}' ec.pem
sick "a damaged reference file" reference "ec.pem: the key reference in it is damaged" "sc-hsm pubkey URI --reference" ec.pem
check "the cure" sc-hsm pubkey id=20 --reference --overwrite --out ec.pem
healthy "written again" ec.pem
sick "no such file" reference "none.pem" "correct the name" none.pem
uneasy "a file that holds no reference" reference "web.crt holds no key reference" "private key" web.crt
cp ec.pem old.pem
check "the key is deleted" sc-hsm delete "id=20;type=private" --yes
check "another key in its place" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt id:20 \
    -pkeyopt label:web-ec -out ec.pem
sick "another key under the same name" reference "old.pem: the device holds another key" "write it again" old.pem
check "the cure" sc-hsm pubkey id=20 --reference --overwrite --out old.pem
healthy "for the new key" old.pem ec.pem
