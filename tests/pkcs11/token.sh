#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is special about tokens: without a card and a pcscd, several of them, what they cannot do,
# and modules that do not work.
. "$(dirname "$0")/../lib.sh"
need pkcs11-tool expect
softhsm_token

tool() {
    sc-hsm --pkcs11-module "$softhsm" --pin-source "file:$work/.pin" "$@"
}

mkdir empty
sed "s|^directories.tokendir = .*|directories.tokendir = $work/empty|" "$SOFTHSM2_CONF" >empty.conf
for command in readers list; do
    fails "$command: no token" env SOFTHSM2_CONF="$work/empty.conf" \
        sc-hsm --pkcs11-module "$softhsm" "$command"
    says 'the PKCS#11 module .* has no token'
done
check "an empty token" openssl storeutl sc-hsm:
found 0
make_rsa_key
make_ec_key

# Nothing is asked for to list it, although the token hides its private keys until login.
configure pin-source=
check "listing without a PIN" setsid openssl storeutl sc-hsm:
found 4
says 'serial=[0-9a-f]+;token=the%20token;id=10;label=web-rsa;type=private'
configure "pin-source=file:$work/.pin"

check "the tool lists the same" tool list
says 'private key .*RSA 2048 .*label=web-rsa'
check "status" tool status
says 'PKCS#11 token' 'the token'
token_serial=$(sc-hsm --pkcs11-module "$softhsm" --json status | python3 -c '
import json, sys
print(json.load(sys.stdin)["devices"][0]["serial"])')
cp .pin "$token_serial.pin"
configure "pin-source=file:$work/{serial}.pin"
check "a PIN by the token's serial number" openssl dgst -sha256 -sign rsa.pem -out by-serial .pin
configure "pin-source=file:$work/.pin"
check "readers" tool readers
says "PKCS#11 token +[0-9a-f]+ +the token"

# Certificates and data.
self_signed rsa
check "a certificate goes to its key" tool cert import rsa.crt
says "Stored the certificate 'rsa' of key 'web-rsa'"
check "which is there already" tool cert import rsa.crt
says 'Already there'
check "storeutl gives it" openssl storeutl -certs sc-hsm:id=10
says 'BEGIN CERTIFICATE'
check "another certificate" openssl req -new -x509 -key rsa.pem -subj /CN=second -out second.crt
fails "a second one" tool cert import second.crt
says "key 'web-rsa' on .* has a certificate already; --replace"
check "in place of the first" tool cert import --replace --yes second.crt
check "there is one" openssl storeutl -certs -noout sc-hsm:type=cert
found 1
check "an authority elsewhere" plain_openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=root \
    -config "$SC_HSM_SOURCE/openssl.cnf.sample" -keyout root.key -out root.crt
check "its certificate" tool cert import --ca --label root root.crt
says "without a key"
echo "a note" >note
check "data" tool data write --label note note
check "data in its place" tool data write --replace --yes --label note note
check "data is read" tool data read --out note.back sc-hsm:label=note
same_bytes "the same" note note.back
check "data is deleted" tool delete --yes sc-hsm:label=note
fails "it is gone" tool data read sc-hsm:label=note
says 'there is no'

# What hides until a login.
check "private data" tool data write --private --label secret note
check "an AES key" tool keygen --type aes:256 --label vault
check "listing without a PIN" sc-hsm --pkcs11-module "$softhsm" list
says_nothing_of 'label=secret' 'label=vault'
check "listing with one" tool list
says '^private data .*label=secret' '^secret key .*AES 256 .*label=vault'
check "private data is read" tool data read --out secret.back label=secret
same_bytes "the same" note secret.back
fails "not without a PIN" setsid -w sc-hsm --pkcs11-module "$softhsm" --pin-source prompt data read label=secret </dev/null
says 'PIN.*no terminal to ask at'
fails "a second one of this label" tool data write --private --label secret rsa.pub
says "there is a data object 'secret' on .* already"
check "in place of the first" tool data write --private --replace --yes --label secret rsa.pub
check "there is one" tool data read --out secret.back --overwrite label=secret
same_bytes "it is the second" rsa.pub secret.back
check "private data is deleted" tool data delete --yes label=secret
check "the AES key is deleted" tool delete --yes label=vault
fails "nobody else's" tool delete --yes label=vault
says "no object with label 'vault'"

# Generation: what a token cannot do is said with its name and what was asked.
fails "a taken id" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt id:10 -out x
says "'web-rsa' already has this id"
fails "a key-ref" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -pkeyopt key-ref:3 \
    -out x
says "\(token 'the token'\).* no key references"
fails "a use counter" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt use-count:3 -out x
says "no use counters"
check "a key of the tool's" tool keygen --type ec:P-384 --label second
says 'label=second'
check "which is deleted with its public key" tool delete --yes "sc-hsm:label=second;type=private"
check "nothing of it is left" openssl storeutl sc-hsm:label=web-ec
found 2

check "a curve that no card has" tool keygen --type ec:secp224r1 --label third
check "signs" openssl dgst -sha256 -sign "sc-hsm:label=third" -out third.sig note
check "and is gone again" tool delete --yes "sc-hsm:label=third;type=private"
fails "a curve that nobody has" tool keygen --type ec:P-225
says "no curve 'P-225'"

# Every command of the tool works on a token, or says that only a card has what it is about. What these
# take is made without a device.
base64 -d >share.pbe <<'END'
U2FsdGVkX19TK+VuViUAPOKAfVPE9puwK7yvJSInvPeBSld+Uh2hHli8RazbFVd3dGgOu7ahEjm6YzzYWtxMnA==
END
serial=$(tool --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["devices"][0]["serial"])')
for_cards=("init --yes" "label x" "dkek import-share share.pbe" "dkek status" "wrap id=10 w" "import root.key"
    "import root.key --share share.pbe --password-source file:$work/.pin" "backup folder"
    "domain list" "domain create 0 --dkek-shares 1" "domain clear 0 --yes" "domain delete 0 --yes"
    "domain create-signer" "domain export-id --out nothing" "domain create-exchange-key 0"
    "domain export-key id=10 --out nothing" "attest" "attest id=10" "pka export id=10 --out nothing" "pka status"
    "pka authenticate -- true" "ls" "cat 2F02" "apdu 00200081")
for command in "${for_cards[@]}"; do
    # shellcheck disable=SC2086  # words on purpose
    fails "$command" setsid -w sc-hsm --pkcs11-module "$softhsm" --pin-source "file:$work/.pin" $command </dev/null
    says "^sc-hsm: .*$serial.* no SmartCard-HSM, and (only that has|has no) [^:]+$"
    equal "$command: one sentence" 1 "$(wc -l <"$seen")"
done
[ ! -e folder ] || fail "a backup of nothing"
# The rest: what is tried here and elsewhere, and what needs no device or a file of a card first.
elsewhere=(readers status list doctor config ceremony pool verify-pin logout csr rename copy mirror "pin change" "pin unblock" "so-pin change" keygen pubkey "cert import" "cert export"
    "cert show" "cert self-sign" "cert delete" "data write" "data read" "data list" "data delete" delete tidy "dkek create-share" "dkek recrypt-share"
    unwrap "backup verify" restore "decrypt-backup" "domain issue-membership" "domain derive" "pka register"
    encrypt decrypt mac derive random complete help)
sc-hsm --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z][a-z-]*\)\{0,1\}\)\( .*\|$\)/\1/p' >commands
[ "$(wc -l <commands)" -gt 40 ] || fail "which commands are there?"
while read -r command; do
    grep -q "^$command\b" <<<"$(printf '%s\n' "${for_cards[@]}" "${elsewhere[@]}")" ||
        fail "what does '$command' say of a token?"
done <commands
check "nothing is tidied" tool tidy --yes
says "belongs to nothing"
check "a certificate is written" tool cert export id=10
says 'BEGIN CERTIFICATE'

# PINs: no try is spent without need, and few tries are kept for people.
echo 999999 >wrong
fails "a wrong PIN" openssl pkey -in "sc-hsm:id=10?pin-source=file:$work/wrong" -noout
says "the PIN is wrong for device [0-9a-f]+ \(token 'the token'\); fewer than 3 tries are left"
configure min-pin-tries=3
fails "a stored PIN is not tried" openssl pkey -in rsa.pem -noout
says 'fewer than 3 PIN tries are left .*so the stored PIN was not tried'
configure min-pin-tries=
check "the right one is" openssl pkey -in rsa.pem -noout
echo 1 >short
fails "a PIN that is too short" openssl pkey -in "sc-hsm:id=10?pin-source=file:$work/short" -noout
says 'does not have [0-9]+ to [0-9]+ characters and was not tried'
fails "no PIN pad" openssl dgst -sha256 -sign "sc-hsm:id=10?pin-source=pinpad" -out x note
says 'has no PIN pad'

# A search for devices logs nobody out: the second key is looked for after the first one's PIN.
self_signed ec
configure pin-source=
check "two keys of one token are one prompt" prompted "$pin" openssl cms -sign -in note \
    -signer ec.crt -inkey ec.pem -signer second.crt -inkey rsa.pem -out note.p7
says '^asked 1 times'
configure "pin-source=file:$work/.pin"

# A key that wants its PIN for each signature.
check "such a key" env OPENSSL_CONF=/dev/null pkcs11-tool --module "$softhsm" --login --pin "$pin" \
    --keypairgen --key-type EC:prime256v1 --id 30 --label careful --always-auth
check "signs twice" "$programs/sign_many" sc-hsm:id=30 2
configure pin-source=
fails "not without a PIN" openssl dgst -sha256 -sign sc-hsm:id=30 -out x note
says 'PIN'
configure "pin-source=file:$work/.pin"

# Several tokens: a URI picks one, or is refused with the candidates.
softhsm_tokens other
check "a key on the other one" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt id:10 -pkeyopt "serial:$(tool --token other --json status |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["devices"][0]["serial"])')" \
    -pkeyopt label:web-rsa -out other.pem
fails "an ambiguous URI" openssl pkey -in "sc-hsm:id=10;type=private" -noout
says 'token=the%20token;id=10' 'token=other;id=10' 'name one of them'
check "by token" openssl pkey -in "sc-hsm:id=10;token=other" -noout -text
says 'P-256'
configure token=other
check "by configuration" openssl pkey -in "sc-hsm:id=10" -noout -text
says 'P-256'
fails "the serial number of none" tool --token other --serial 77 status
says "no token with label other and serial number 77; there is .*token 'other'"
configure token=
fails "several devices" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out x
says 'several devices' "token 'other'"

# A module that uses libcrypto, with our provider in front of the default one.
check "ours first" sed -i 's/^default = default_sect$//; s/^sc-hsm = sc_hsm_sect$/sc-hsm = sc_hsm_sect\ndefault = default_sect/' "$OPENSSL_CONF"
check "a signature by a module that uses the same libcrypto" \
    openssl dgst -sha256 -sign rsa.pem -out x.sig note
check "judged by the default provider" plain_openssl dgst -sha256 -verify rsa.pub \
    -signature x.sig note
check "generation" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt bits:2048 \
    -pkeyopt "serial:$(grep -ao 'serial=[0-9a-f]*' <(plain_openssl asn1parse -strictpem -in rsa.pem) |
        cut -d= -f2)" -out first.pem

# Modules that do not work.
configure pkcs11-module=/nowhere/module.so
fails "no module" openssl storeutl sc-hsm:
says 'PKCS#11 module cannot be loaded: /nowhere/module.so'
configure "pkcs11-module=$OPENSSL_MODULES/sc-hsm.so"
fails "another library" openssl storeutl sc-hsm:
says 'is no PKCS#11 module'
check "others are not bothered" openssl rand -hex 4
configure pkcs11-module=
fails "a token without a module" openssl storeutl "sc-hsm:token=x"
says 'no PKCS#11 module is configured'
check "nothing is loaded without need" env LD_DEBUG=files openssl storeutl "file:$work/rsa.crt"
says_nothing_of 'libp11|softhsm'
