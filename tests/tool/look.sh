#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm tells of certificates, data, PIN and device what people look for
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need openssl script
admin_card
tool=(sc-hsm --pin-source file:pin)

# --- certificates ----------------------------------------------------------------------------

# certificate NAME SUBJECT [OPTION]...: NAME.crt of a key of the host's.
certificate() {
    plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -utf8 -keyout "$1.key" \
        -out "$1.crt" -days 400 -subj "$2" "${@:3}" 2>"$seen" || fail "no certificate $1"
    check "$1 is stored" "${tool[@]}" cert import "$1.crt" --ca --label "$1"
}
# expired NAME: one whose time is over.
expired() {
    printf '[ca]\ndefault_ca = a\n[a]\ndatabase = index\nserial = serial\nnew_certs_dir = .\npolicy = p\n' >ca.cnf
    printf 'default_md = sha256\n[p]\ncommonName = supplied\n' >>ca.cnf
    : >index
    echo 01 >serial
    plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" \
        -subj "/CN=$1" 2>"$seen"
    plain_openssl ca -config ca.cnf -batch -notext -selfsign -keyfile "$1.key" -in "$1.csr" -out "$1.crt" \
        -startdate 20200101000000Z -enddate 20210101000000Z >"$seen" 2>&1 || fail "no certificate $1"
    check "$1 is stored" "${tool[@]}" cert import "$1.crt" --ca --label "$1"
}

check "a key" "${tool[@]}" keygen --type ec:P-256 --label web --id 10 --key-ref 2
check "another, made later, in front of it" "${tool[@]}" keygen --type ec:P-256 --label first --id 11
check "its certificate" "${tool[@]}" cert self-sign label=web --subject /O=Example/CN=www.example.org \
    --san DNS:www.example.org --san IP:192.0.2.7 --days 20 --store --out web.crt
certificate lasting '/CN=Zoë 鍵' -addext 'subjectAltName=email:a@example.org,URI:https://example.org/'
expired over
certificate hostile "/CN=$(printf 'a\e[31mb\xe2\x80\xaec')/O=$(printf '%0300d' 0 | tr 0 x | cut -c1-64)"

check "the list" sc-hsm list
says "^CERTIFICATE +ENDS +SUBJECT +ISSUER$" \
    "^certificate 'web' +20..-..-.., ends in (19|20) days +CN=www.example.org,O=Example +CN=www.example.org,O=Example$" \
    "^certificate 'lasting' +20..-..-.. +CN=Zoë 鍵 +CN=Zoë 鍵$" \
    "^certificate 'over' +2021-01-01, expired +CN=over +CN=over$"
equal "no control character" "" "$(tr -d '\n\040-\176\200-\377' <"$seen")"
equal "keys by their reference, each with its certificate" "1 private,2 private,2 cert" \
    "$(sed -nE 's/^[a-z]+ ?[a-z]* +([0-9]+) .*type=([a-z]+)$/\1 \2/p' "$seen" | paste -sd ,)"
equal "for programs" \
    "[('CN=www.example.org,O=Example', 'CN=www.example.org,O=Example', True)]" \
    "$(json '[(o["subject"], o["issuer"], o["not_before"][:2] + o["not_after"][-1] == "20Z")
              for o in d["objects"] if o["label"] == "web" and o["type"] == "cert"]' sc-hsm --json list)"
equal "what is no certificate has none" "{None}" \
    "$(json '{o["subject"] for o in d["objects"] if o["type"] == "private"}' sc-hsm --json list)"

# on_terminal WIDTH COMMAND: what a terminal of that width is sent.
on_terminal() {
    script -qec "stty cols $1; $2" /dev/null </dev/null | tr -d '\r'
}
for width in 70 100 200; do
    on_terminal $width "NO_COLOR=1 sc-hsm list type=cert" >"$seen"
    says "lasting" "over"
    python3 -c '
import sys, unicodedata
for line in open(0, encoding="utf-8", errors="replace"):
    columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip("\n"))
    assert columns <= int(sys.argv[1]), (columns, line)' "$width" <"$seen" ||
        fail "wider than $width columns"
    equal "no colours where they are not wanted, $width columns" "" "$(tr -cd '\033' <"$seen")"
done
export TERM=xterm
on_terminal 100 "sc-hsm list" >"$seen"
equal "colours on a terminal" 2 "$(grep -c "$(printf '\033\\[3[13]m20')" "$seen")"
sc-hsm list >"$seen"
equal "and nowhere else" "" "$(tr -cd '\033' <"$seen")"

check "a certificate" sc-hsm cert show label=web
says '^Subject: +CN=www.example.org,O=Example$' '^Names: +DNS:www.example.org$' \
    '^ +IP Address:192.0.2.7$' '^Public key: +EC 256, prime256v1$' '^Until: .*, ends in' \
    "^Its key: +sc-hsm:serial=$serial;key-ref=2;id=10;label=web;type=private$"
fingerprint=$(plain_openssl x509 -in web.crt -noout -fingerprint -sha256 | sed 's/.*=//')
says "^SHA-256: +$fingerprint$"
equal "for programs" \
    "('$(tr -d : <<<"${fingerprint,,}")', ['DNS:www.example.org', 'IP Address:192.0.2.7'])" \
    "$(json '(d["sha256"], d["names"])' sc-hsm --json cert show label=web)"
equal "its serial number" "$(plain_openssl x509 -in lasting.crt -noout -serial | sed 's/.*=//')" \
    "$(json 'd["serial_number"]' sc-hsm --json cert show label=lasting)"
equal "its names" "['email:a@example.org', 'URI:https://example.org/'] None" \
    "$(json 'str(d["names"]) + " " + str(d["key"])' sc-hsm --json cert show label=lasting)"
check "a hostile one" sc-hsm cert show label=hostile
equal "no control character" "" "$(tr -d '\n\040-\176\200-\377' <"$seen")"
ends 1 "one that is not there" sc-hsm cert show label=nothing

# --- data ------------------------------------------------------------------------------------

check "no data" sc-hsm data list
says "no data objects"
echo text >text
check "data" "${tool[@]}" data write text --label note --application app
check "data for those with the PIN" "${tool[@]}" data write text --label code --private
check "the list of data" sc-hsm data list
says "^LABEL +SIZE +READ BY +APPLICATION +URI$" "^note +5 bytes +all +app +sc-hsm:.*type=data$" \
    "^code +- +PIN +- +sc-hsm:.*type=data$"
equal "for programs" "[('code', True), ('note', False)]" \
    "$(json 'sorted((o["label"], o["private"]) for o in d["objects"])' sc-hsm --json data list)"

# --- the PIN ---------------------------------------------------------------------------------

check "logged out" sc-hsm logout
says "nobody is logged in to device $serial"
equal "nobody is" unverified "$(json 'd["devices"][0]["pin"]["state"]' sc-hsm --json status)"
check "the PIN" "${tool[@]}" verify-pin
says "The PIN is that of device $serial; it has 3 tries"
equal "nobody is logged in afterwards" unverified \
    "$(json 'd["devices"][0]["pin"]["state"]' sc-hsm --json status)"
chmod 600 wrong-pin
ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin verify-pin
says "the PIN is wrong.* 2 tries are left"
equal "one try was spent" 2 "$(pin_tries)"
equal "the right one gives them back" "('correct', 3)" \
    "$(json '(d["pin"], d["tries_left"])' "${tool[@]}" --json verify-pin)"
raw_apdus 0020008106393939393939 0020008106393939393939 0020008106393939393939 >"$seen"
ends 4 "a blocked PIN" "${tool[@]}" verify-pin
says blocked
check "unblocked" sc-hsm --so-pin-source file:so-pin pin unblock --new-pin-source file:pin

# --- the device, right after a use -------------------------------------------------------------

sc-hsm logout >"$seen"
equal "witness: OpenSC" 3.5 "$(opensc sc-hsm-tool 2>&1 | sed -n 's/^Version *: *//p')"
check "a use" "${tool[@]}" keygen --type ec:P-256 --label used
check "the state" sc-hsm status
says "^PIN: +verified$" "^Version: +3\.5$" "^Options: +unknown while logged in; 'sc-hsm status --log-out' tells$"
check "all of it" sc-hsm status --log-out
says "^PIN: +not verified, 3 tries left$" "^Options: +none$" "^SO-PIN may reset the PIN: +yes$"
says_nothing_of unknown
check "again" "${tool[@]}" verify-pin

virtual_hsm remove >"$seen"
ends 3 "no device" sc-hsm status
ends 3 "no device for a second" sc-hsm status --wait 1
sc-hsm --json status --wait "$SC_HSM_PATIENCE" >late.json 2>&1 &
waiting=$!
sleep 0.5
virtual_hsm insert >"$seen"
wait $waiting || fail "it did not wait until there was a device"
equal "it waited" "$serial" "$(json 'd["devices"][0]["serial"]' cat late.json)"
