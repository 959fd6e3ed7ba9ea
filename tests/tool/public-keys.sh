#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 3 of 5 custodians open a device. The argument: what a challenge is good for, once or shared.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need python3 openssl sc-hsm-tool
# what no public source tells of genuine devices, and a Pico HSM does otherwise
export SC_HSM_SIM_OPTIONS="--challenge ${1:-once}"
virtual_cards 6
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
target=${serials[5]}
echo "$pin" >pin
echo "$so_pin" >so-pin
check "the virtual cards' root" "$SC_HSM_BUILD/bin/sc-hsm-sim" --write-root root.cvc
on_target() {
    sc-hsm --serial "$target" "$@"
}
# reader_of SERIAL: the number of its reader, as OpenSC counts
reader_of() {
    sc-hsm --json readers | python3 -c 'import json, sys
print([r["serial"] for r in json.load(sys.stdin)["readers"]].index(sys.argv[1]))' "$1"
}

fails "a device with a PIN alone has no public keys" on_target pka status
says "device $target: it was initialised without public-key authentication"

# --- the custodians, and the device ----------------------------------------------------------

for i in 0 1 2 3 4; do
    check "custodian $i makes a key" sc-hsm --serial "${serials[i]}" --pin-source file:pin keygen \
        --type ec:brainpoolP256r1 --label custodian
    check "custodian $i exports it" sc-hsm pka export \
        "sc-hsm:serial=${serials[i]};label=custodian" --out "$i.pka"
    says "Key ${serials[i]}00001 with the certificates of device ${serials[i]} is in $i.pka"
done
fails "no file is overwritten" sc-hsm pka export "sc-hsm:serial=${serials[0]};label=custodian" \
    --out 0.pka
says "0.pka"
check "sc-hsm-tool exports the same key" sc-hsm-tool --reader "$(reader_of "${serials[0]}")" \
    --export-for-pub-key-auth opensc.pka --key-reference 1
same_bytes "both write the same file" 0.pka opensc.pka
check "a public key file is attested by itself" sc-hsm --root root.cvc attest --file 1.pka
says "This key was made on device ${serials[1]}\."

check "the device is initialised for 3 of 5" on_target --so-pin-source file:so-pin init --yes \
    --public-keys 3/5
check "its keys are missing" on_target pka status
says "opens with 3 of 5 keys; 0 registered, 0 authenticated: it is closed"
fails "nobody can open it yet" on_target pka authenticate
says "0 of the 3 keys that have to authenticate are registered: .* pka register"

# --- registration ----------------------------------------------------------------------------

python3 - <<'END'
d = bytearray(open("0.pka", "rb").read())
open("cut.pka", "wb").write(d[:-100])
d[len(d) - 20] ^= 1
open("wrong-issuer.pka", "wb").write(d)
d = bytearray(open("0.pka", "rb").read())
d[150] ^= 1
open("wrong-key.pka", "wb").write(d)
END
fails "a cut file" on_target pka register cut.pka
says "cut.pka: .* (malformed|neither)"
fails "a tampered key" on_target pka register wrong-key.pka
says "wrong-key.pka: "
check "a device id" on_target cat 2F02 --out device.id
fails "a device id is no key" on_target pka register device.id
says "device.id is a device id, but a key with its certificates is needed"
vectors=${SC_HSM_VECTORS:-$SC_HSM_SOURCE/../shared/vectors}
if [ -d "$vectors" ]; then
    python3 - "$vectors" <<'END'
import sys
v = sys.argv[1] + "/nitrokey-DENK0404144-"
c = open(v + "ce03-p256-id20.bin", "rb").read() + open(v + "ef2f02.bin", "rb").read()
open("nitrokey.pka", "wb").write(b"\x30\x82" + len(c).to_bytes(2, "big") + c)
END
    fails "a key of another maker's device" on_target pka register nitrokey.pka
    says "nitrokey.pka: .*does not know DESRCACC100001, who issued the certificate of DEDINK0400001"
fi
check "two keys are registered" on_target pka register 0.pka 1.pka
says "Registered ${serials[0]}00001 of 0.pka" "3 of 5 keys are still missing"
check "sc-hsm-tool registers one" sc-hsm-tool --reader "$(reader_of "$target")" \
    --register-public-key 2.pka
fails "one of them again" on_target pka register 1.pka
says "1.pka: this key, or one of its name, is registered on device .* already" "pka status"
check "the last two" on_target pka register 3.pka 4.pka
says "All 5 keys are registered; 3 of them open the device"
fails "there is no sixth place" on_target pka register opensc.pka
check "sc-hsm-tool tells the same" sc-hsm-tool --reader "$(reader_of "$target")" \
    --public-key-auth-status
says "5 *$|: *5" "3"

# --- opening ---------------------------------------------------------------------------------

custodian() {
    echo "--custodian=sc-hsm:serial=${serials[$1]};label=custodian?pin-source=file:$work/pin"
}
# the provider's configuration has a PIN, which this device has not
key_on_target() {
    openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt label:guarded \
        -pkeyopt "serial:$target" -out guarded.pem
}
fails "no key without custodians" key_on_target
says "opened by public-key authentication, not by a PIN: .* 'sc-hsm pka authenticate'"
fails "no PIN opens it" on_target --pin-source file:pin keygen --type ec:P-256 --label x
fails "two custodians are not enough" on_target pka authenticate "$(custodian 0)" "$(custodian 1)" \
    -- touch opened
says "2 of 3 custodians have authenticated, and no other key"
equal "the command did not run" "" "$(find . -name opened)"
fails "one custodian counts once" on_target pka authenticate "$(custodian 0)" "$(custodian 0)" \
    "$(custodian 0)" -- touch opened
says "is not registered, or has authenticated already"
echo 999999 >wrong-pin
opensc-tool --reader "$(reader_of "${serials[1]}")" --card-driver default \
    --send-apdu 00A404000BE82B0601040181C31F020100 >select.out # nobody is logged in to it now
fails "a custodian's wrong PIN" on_target pka authenticate "$(custodian 0)" \
    "--custodian=sc-hsm:serial=${serials[1]};label=custodian?pin-source=file:$work/wrong-pin" \
    "$(custodian 2)" -- touch opened
says "the PIN is wrong for device ${serials[1]}; 2 tries are left"

check "three custodians, and a key is made" on_target pka authenticate "$(custodian 0)" \
    "$(custodian 2)" "$(custodian 4)" -- openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -pkeyopt label:guarded -pkeyopt "serial:$target" -out guarded.pem
says "^sc-hsm: ${serials[0]}00001 has authenticated: 1 of 3" "^sc-hsm: ${serials[4]}00001 has authenticated: 3 of 3"
check "the device is closed again" on_target pka status
says "0 authenticated: it is closed"
echo data >data
fails "so its key does not sign" openssl dgst -sha256 -sign guarded.pem -out sig data
check "all devices that are there are asked" on_target --pin-source file:pin pka authenticate -- \
    openssl dgst -sha256 -sign guarded.pem -out sig data
configure pin-source=
check "its public key" openssl pkey -in guarded.pem -pubout -out guarded.pub
check "the signature is good" plain_openssl dgst -sha256 -verify guarded.pub -signature sig data
# ends_with STATUS COMMAND...
ends_with() {
    local status=0
    "${@:2}" || status=$?
    [ "$status" = "$1" ] || { echo "status $status"; return 1; }
}
fails "a command that fails is told" on_target --pin-source file:pin pka authenticate -- false
says "false ended with status 1"
for status in 1 3 77 255; do
    check "a command's status is ours: $status" ends_with "$status" on_target --pin-source file:pin \
        pka authenticate -- sh -c "exit $status"
done
fails "a command that does not exist" on_target --pin-source file:pin pka authenticate -- ./nothing
says "./nothing cannot be run"
# What a terminal sends is sent to both: the command ends, and the device is closed.
for signal in INT QUIT; do
    check "SIG$signal ends the command" ends_with $((128 + $(kill -l $signal))) on_target \
        --pin-source file:pin pka authenticate -- \
        sh -c "ulimit -c 0; kill -$signal \$PPID \$\$; echo it went on"
    says "sh ended with signal $(kill -l $signal)"
    says_nothing_of "it went on"
    check "and the device is closed" on_target pka status
    says "it is closed"
done
# What is sent to us alone is handed on.
for signal in TERM HUP; do
    check "SIG$signal ends the command, and then us" ends_with $((128 + $(kill -l $signal))) on_target \
        --pin-source file:pin pka authenticate -- \
        sh -c "kill -$signal \$PPID; sleep 20; echo it went on"
    says "sh ended with signal $(kill -l $signal)"
    says_nothing_of "it went on"
done
# shellcheck disable=SC2016  # the command's own number
check "a command that knows better" on_target --pin-source file:pin pka authenticate -- \
    sh -c 'trap "echo told; exit 0" TERM; kill -TERM $PPID; for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done; exit 5'
says '^told'
check "and the device is closed" on_target pka status
says "it is closed"

# One reader for all custodians: the device that is in it comes first.
on_reader() {
    setsid sc-hsm --serial "$target" --pin-source file:pin pka authenticate \
        --custodian-reader "${serials[1]}" -- touch opened
}
fails "no terminal to ask for the next custodian at" on_reader
says "^sc-hsm: ${serials[1]}00001 has authenticated: 1 of 3" "there is no terminal to ask for custodians"
equal "the command did not run this time either" "" "$(find . -name opened)"

# Without a command it stays open until it is told to close.
at_end() {
    kill "$holder" 2>/dev/null || true
}
sc-hsm --serial "$target" --pin-source file:pin pka authenticate >open.out 2>&1 &
holder=$!
wait_for "the device is open" grep -q "is open for every program" open.out
check "the key signs meanwhile" openssl dgst -sha256 -sign guarded.pem -out sig data
check "its state is told meanwhile" on_target --json pka status
says '"open": true'
check "status does not close it" on_target status
check "the key signs still" openssl dgst -sha256 -sign guarded.pem -out sig data
kill -TERM "$holder"
wait "$holder" || fail "status $?: $(cat open.out)"
check "and is closed then" on_target pka status
says "it is closed"
