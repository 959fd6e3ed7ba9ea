#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys leave one card in a file and are used on another; sc-hsm-tool reads our files and we its.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
virtual_cards 3
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
echo "$pin" >pin
echo "$so_pin" >so-pin

# on N COMMAND...: our tool with card N; reader N: the reader of card N, for OpenSC.
on() {
    sc-hsm --serial "${serials[$1 - 1]}" --pin-source file:pin "${@:2}"
}
reader() {
    opensc-tool --list-readers | sed -n "s/^\([0-9][0-9]*\) *Yes.*/\1/p" | sed -n "$1p"
}
# apdus N HEX...: commands to card N behind our back.
apdus() {
    local options=(--send-apdu 00A404000BE82B0601040181C31F020100) apdu
    for apdu in "${@:2}"; do
        options+=(--send-apdu "$apdu")
    done
    opensc opensc-tool --reader "$(reader "$1")" --card-driver default "${options[@]}"
}
files_of() {
    apdus "$1" 8058000000 2>/dev/null | sed '1,/SW1=0x90/d'
}

# Cards 1 and 2 get the DKEK 44.. in three shares, card 3 one of its own.
a5=$(printf 'A5%.0s' $(seq 32)) e1=$(printf 'E1%.0s' $(seq 32)) zero=$(printf '00%.0s' $(seq 32))
for card in 1 2; do
    check "card $card expects 3 shares" on $card init --yes --so-pin-source file:so-pin \
        --dkek-shares 3
    check "card $card tells them" on $card dkek status
    says "^0 +DKEK +3 +3 shares outstanding"
    check "the shares" apdus $card "8052000020${a5}00" "8052000020${zero}00" "8052000020${e1}00"
    check "card $card is complete" on $card dkek status
    says "^0 +DKEK +3 +complete +$(tells_kcv && echo BB391415C05E39D7)"
done
check "card 3 has another" on 3 init --yes --so-pin-source file:so-pin --dkek-shares random
check "which is its own" on 3 dkek status
if tells_kcv; then
    says "the device's own +complete"
fi

check "an RSA key" on 1 keygen --type rsa:2048 --id 10 --label web-rsa
check "an EC key" on 1 keygen --type ec:P-256 --id 20 --label web-ec
check "an AES key" on 1 keygen --type aes:256 --id 30 --label vault --algorithms 10,11,18,92
for key in web-rsa web-ec; do
    check "$key: its public key" on 1 pubkey "label=$key" --out "$key.pub"
done
echo message >message

# --- from card to card ------------------------------------------------------------------------------

for key in web-rsa web-ec vault; do
    check "$key is wrapped" on 1 wrap "label=$key" "$key.wrapped"
    says "Wrapped (secret )?key '$key'" "BB391415C05E39D7"
    equal "$key: the file is for its owner alone" 600 "$(stat -c %a "$key.wrapped")"
    check "$key is unwrapped on the other card" on 2 unwrap "$key.wrapped"
    says "Unwrapped (secret )?key '$key'"
done
equal "ids and labels came along" "[('10', 'web-rsa', 1), ('20', 'web-ec', 2), ('30', 'vault', 3)]" \
    "$(json '[(o["id"], o["label"], o["key_ref"]) for o in d["objects"]
              if o["type"] in ("private", "secret")]' on 2 --json list)"
for key in web-rsa web-ec; do
    check "$key signs there" openssl dgst -sha256 \
        -sign "sc-hsm:serial=${serials[1]};label=$key" -out signature message
    check "$key: the signature verifies" plain_openssl dgst -sha256 -verify "$key.pub" \
        -signature signature message
done
policy='[o["permitted"] for o in d["objects"] if o["label"] == "vault"]'
equal "the AES key may do the same there" "$(json "$policy" on 1 --json list)" \
    "$(json "$policy" on 2 --json list)"

# --- sc-hsm-tool ------------------------------------------------------------------------------------

unwraps "sc-hsm-tool unwraps our file" opensc sc-hsm-tool --reader "$(reader 2)" \
    --unwrap-key web-ec.wrapped --key-reference 9 --pin "$pin"
check "and the key signs" openssl dgst -sha256 \
    -sign "sc-hsm:serial=${serials[1]};key-ref=9" -out signature message
check "the signature verifies" plain_openssl dgst -sha256 -verify web-ec.pub \
    -signature signature message
for key in web-rsa:1 web-ec:2; do
    check "sc-hsm-tool wraps ${key%:*}" opensc sc-hsm-tool --reader "$(reader 1)" \
        --wrap-key "opensc-$key" --key-reference "${key#*:}" --pin "$pin"
    check "we unwrap its file" on 2 unwrap "opensc-$key" --id "a${key#*:}" --label "opensc-${key%:*}"
    check "opensc-${key%:*} signs" openssl dgst -sha256 \
        -sign "sc-hsm:serial=${serials[1]};label=opensc-${key%:*}" -out signature message
    check "the signature verifies" plain_openssl dgst -sha256 -verify "${key%:*}.pub" \
        -signature signature message
done

# --- what is refused --------------------------------------------------------------------------------

before=$(files_of 2) before3=$(files_of 3)
ends 1 "the id is taken" on 2 unwrap web-rsa.wrapped
says "already has this id"
ends 1 "the key reference is taken" on 2 unwrap web-rsa.wrapped --id 77 --key-ref 1
says "key reference 1 is taken"
ends 1 "another DKEK" on 3 unwrap web-rsa.wrapped
says "BB391415C05E39D7" "device ${serials[2]} .*has another"
head -c 300 web-rsa.wrapped >cut
ends 1 "a cut file" on 2 unwrap cut
says "cut: .*cut short"
ends 1 "no such file" on 2 unwrap message
says "message: this is no file of a wrapped key"
# one bit of the encrypted part
python3 - <<'END'
data = bytearray(open("web-rsa.wrapped", "rb").read())
data[300] ^= 1
open("damaged", "wb").write(data)
END
ends 1 "a damaged file" on 2 unwrap damaged --id 77
says "changed or damaged"
ends 1 "a damaged file in place of a key" on 2 unwrap damaged --id 10 --replace --yes
says "changed or damaged"
ends 1 "an existing file" on 1 wrap label=web-ec web-ec.wrapped
says "there already" "\-\-overwrite"
equal "nothing was changed" "$before" "$(files_of 2)"
equal "nothing was changed on card 3" "$before3" "$(files_of 3)"
check "the key that was to be replaced signs" openssl dgst -sha256 \
    -sign "sc-hsm:serial=${serials[1]};id=10" -out signature message

check "a key that may not be wrapped" on 1 keygen --type ec:P-256 --id 40 --label stays \
    --algorithms ecdsa
ends 1 "it stays" on 1 wrap label=stays stays.wrapped
says "policy does not permit"
fails "no file is left" test -e stays.wrapped

check "no DKEK" on 3 init --yes --so-pin-source file:so-pin
check "a key" on 3 keygen --type ec:P-256 --label alone
ends 1 "it cannot be wrapped" on 3 wrap label=alone alone.wrapped
says "without key encryption keys|no key encryption key"
ends 1 "nothing can be unwrapped" on 3 unwrap web-ec.wrapped
says "BB391415C05E39D7" "initialised without a DKEK"
check "dkek status" on 3 dkek status
says "initialised without a DKEK"

# --- replacing --------------------------------------------------------------------------------------

check "one of two keys with the same id goes" on 2 delete key-ref=9 --yes
fails "replacing needs confirmation" on 2 unwrap web-ec.wrapped --replace </dev/null
says "nothing was done"
check "a key takes the place of the one with its id" on 2 unwrap web-ec.wrapped --replace --yes
says "key-ref=2;id=20"
check "another takes the place of one with another id" on 2 unwrap web-ec.wrapped --key-ref 1 \
    --id 11 --label second --replace --yes
says "key-ref=1;id=11;label=second"
check "it signs" openssl dgst -sha256 -sign "sc-hsm:serial=${serials[1]};id=11" -out signature \
    message
check "the signature verifies" plain_openssl dgst -sha256 -verify web-ec.pub \
    -signature signature message
ends 1 "the old one is gone" on 2 pubkey id=10

# --- without description ----------------------------------------------------------------------------

python3 - <<'END'
# the blob alone: the first element of the container
data = open("web-rsa.wrapped", "rb").read()
blob = data[4:]
length = 4 + int.from_bytes(blob[2:4], "big")
content = blob[:length]
open("bare", "wb").write(b"\x30\x82" + len(content).to_bytes(2, "big") + content)
END
check "a blob alone" on 2 unwrap bare --label bare
check "it has a description" on 2 list
says "RSA 2048 .*label=bare"
check "OpenSC sees it" opensc pkcs15-tool --reader "$(reader 2)" --list-keys
says "\[bare\]"
