#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm pool: which devices have which keys, and what is missing where.
# shellcheck source-path=SCRIPTDIR source=pool.sh
. "$(dirname "$0")/pool.sh"
pool_cards 3
a=${serials[0]} b=${serials[1]} c=${serials[2]}
kcv=FC8B64001C5FDD0F
check "a key on card 1 alone" on 1 keygen --type ec:P-256 --id 30 --label alone
check "a counted key" on 1 keygen --type ec:P-256 --id 40 --label once --use-count 9

# table EXPRESSION: what that is of the table for programs.
table() {
    sc-hsm --json pool | python3 -c 'import json, sys
d = json.load(sys.stdin)
def key(label):
    return [k for k in d["keys"] if any(h["label"] == label for h in k["devices"])][0]
def on(k, serial):
    return [h for h in k["devices"] if h["serial"] == serial][0]
print(eval(sys.argv[1]))' "$1"
}

before=$(card_commands 1)
check "the table" sc-hsm pool
says "^RSA 2048, public key [0-9a-f]{16}$" \
    "^$a +1 +10 +web-rsa +$kcv +[0-9-]+ +usable$" "^$b +9 +10 +web-rsa-2 +$kcv" "^$c +1 +77 +web-rsa-3 +$kcv" \
    "^$a +4 +40 +once +$kcv +[0-9-]+ +use counter: on one device alone, 9 left$" \
    "^Not on $b: sc-hsm copy 'sc-hsm:serial=$a;key-ref=3;id=30;label=alone;type=private' --to $b$" "^Not on $c: "
grep '^> ' "$SC_HSM_VIRTUAL/card-1.log" | tail -n +$((before + 1)) >sent
[ -s sent ] || fail "card 1 was not asked at all"
! grep -E '^> 0C20|^> 00200081[0-9A-F]' sent >"$seen" || fail "somebody was logged in"
equal "each key once, and where it is" "[3, 3, 1, 1]" "$(table '[len(k["devices"]) for k in d["keys"]]')"
equal "by its public key" "9 10 web-rsa-2 $kcv usable" \
    "$(table '"%(key_ref)s %(id)s %(label)s %(key_check_value)s %(state)s" % on(key("web-rsa"), "'"$b"'")')"
equal "which is told" "$(plain_openssl pkey -pubin -in rsa.pub -outform DER | sha256sum | cut -d' ' -f1)" \
    "$(table 'key("web-rsa")["public_key_sha256"]')"
equal "nothing is missing of a key that all have" "[]" "$(table 'key("web-ec")["missing"]')"
equal "a counted key is not missing anywhere" "[] counted 9" \
    "$(table '"%s %s %s" % (key("once")["missing"], key("once")["devices"][0]["state"], key("once")["devices"][0]["uses_left"])')"

# --- the commands do what they say -----------------------------------------------------------------
table '"\n".join(m["command"] for m in key("alone")["missing"])' >commands
equal "one for each device" 2 "$(wc -l <commands)"
while read -r command; do
    check "$command" bash -c "${command/sc-hsm/sc-hsm --pin-source file:$pin_file}"
done <commands
equal "then nothing is missing" "3 []" \
    "$(table '"%d %s" % (len(key("alone")["devices"]), key("alone")["missing"])')"

# --- another DKEK, none at all ------------------------------------------------------------------------
dkek_on 3 44
equal "the other one is named" "None its key encryption key (DKEK) has the check value BB391415C05E39D7, and $kcv is wanted" \
    "$(table '"%(command)s %(reason)s" % key("alone")["missing"][0]')"
check "the table" sc-hsm pool
says "^Not on $c, and cannot go there: its key encryption key .*$kcv"
check "card 3 without" on 3 init --yes --so-pin-source file:so-pin
check "the table" sc-hsm pool
says "^Not on $c, and cannot go there: it has no key encryption key .*$kcv"

# --- PINs -----------------------------------------------------------------------------------------------
wrong_pin() {
    opensc-tool --reader "$(reader 2)" --card-driver default \
        --send-apdu 00A404000BE82B0601040181C31F020100 --send-apdu 0020008106313131313131 >"$seen" 2>&1
}
wrong_pin
equal "after one wrong PIN" "usable 2" "$(table '"%(state)s %(pin_tries)s" % on(key("web-rsa"), "'"$b"'")')"
wrong_pin
equal "after two" "pin-tries-low 1" "$(table '"%(state)s %(pin_tries)s" % on(key("web-rsa"), "'"$b"'")')"
wrong_pin
equal "after three" "pin-blocked 0" "$(table '"%(state)s %(pin_tries)s" % on(key("web-rsa"), "'"$b"'")')"
equal "tries of card 2 and the state of card 1" "0 usable" \
    "$(table '"%s %s" % (on(key("web-rsa"), "'"$b"'")["pin_tries"], on(key("web-rsa"), "'"$a"'")["state"])')"

# --- one device alone, none, and one that does not answer -----------------------------------------
equal "one device" "[1, 1, 1, 1]" "$(sc-hsm --json --serial "$a" pool |
    python3 -c 'import json, sys; print([len(k["devices"]) for k in json.load(sys.stdin)["keys"]])')"
check "a device without keys" sc-hsm --serial "$c" pool
says "^There is no private key on any device"
virtual_hsm control 2 status 6F00 ins=58 >/dev/null
fails "a device that says no" sc-hsm pool
says "^$a .* web-rsa " "^sc-hsm: $b: "

# --- tokens of a PKCS#11 module ------------------------------------------------------------------------
softhsm_tokens "a token"
tool=(pkcs11-tool --module "$softhsm" --token-label "a token" --login --pin "$pin")
check "a key pair on a token" env OPENSSL_CONF=/dev/null "${tool[@]}" --keypairgen --key-type EC:prime256v1 \
    --id 99 --label "on the token"
check "the table with tokens" sc-hsm --pkcs11-module "$softhsm" pool
says "on the token +- +-? +" "public key seen, private keys hide until a login|usable" \
    "^Not on $a, and cannot go there: "
