# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of commands that are interrupted start from, beside outcome.sh:
#
#     . "$(dirname "$0")/interruption.sh"
#     dkek_card
#     killed_at 5 ins=D7 -- sc-hsm --pin-source file:pin restore saved
#     check_whole "killed at the sixth write"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/tool/outcome.sh
. "$here/outcome.sh"

# control WORDS: what virtual_hsm control 1 does, in less time.
control() {
    sc-hsm-sim --control "$SC_HSM_VIRTUAL/card-1.control" --tell "$*" >/dev/null
}

# dkek_card: an initialised card whose DKEK is 32 times the byte 44.
dkek_card() {
    admin_card
    check "a card for a DKEK" sc-hsm init --yes --so-pin-source file:so-pin --pin-source file:pin \
        --dkek-shares 1
    check "its share" raw_apdus "8052000020$(printf '44%.0s' {1..32})00"
    if tells_kcv; then says 'BB 39 14 15 C0 5E 39 D7'; fi
    echo message >message
}

# long_certificate NAME KEY: NAME.crt and NAME.der, a certificate with the key that takes several card commands.
long_certificate() {
    check "a long certificate $1" openssl req -x509 -new -key "$2" -subj "/CN=$1" -days 9 \
        -addext "nsComment=$(printf '%01500d' 0)" -out "$1.crt"
    plain_openssl x509 -in "$1.crt" -outform DER -out "$1.der"
}

befallen() {
    grep -c '^! .* befalls' "$SC_HSM_VIRTUAL/card-1.log" || true
}

# killed_at N [ins=II] -- COMMAND...: kills the command while the card works on its command N, counted
# from 0, which the card completes; false where the command ended without that many.
killed_at() {
    local before process status=0 options=("skip=$1")
    shift
    before=$(befallen)
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    control delay 600000 "${options[@]}"
    "$@" >killed.out 2>&1 </dev/null &
    process=$!
    while [ "$(befallen)" = "$before" ] && kill -0 $process 2>/dev/null; do
        sleep 0.03
    done
    { kill -KILL $process && wait $process; } 2>/dev/null || status=$?
    control clear # which ends the delay
    cp killed.out "$seen"
    [ "$(befallen)" -gt "$before" ]
}

# one_sentence STATUS WHAT COMMAND...: ends with this status, one sentence on stderr.
one_sentence() {
    local expected=$1 what=$2 status=0
    shift 2
    "$@" >out 2>"$seen" </dev/null || status=$?
    equal "$what: status" "$expected" "$status"
    equal "$what: one sentence" 1 "$(wc -l <"$seen")"
    says '^sc-hsm: '
}

# pulled WHAT SETTINGS COMMAND...: the card is pulled out before it answers the command that the
# settings tell, and comes back when the command has ended.
pulled() {
    local what=$1 settings=$2
    shift 2
    # shellcheck disable=SC2086  # words on purpose
    control remove-after $settings
    one_sentence 3 "$what" "$@"
    says 'removed|pulled|no (card|device)|not there'
    control insert
    wait_for "the card is back" raw_apdus
}

# listed_whole: the list as JSON. On a Pico HSM a key comes before its certificate and its name: half of the
# certificate may be told then, of a key without a label.
listed_whole() {
    local status=0
    sc-hsm --json list 2>list.err || status=$?
    if [ $status != 0 ]; then
        sc-hsm list >list.out 2>list.err || true # in sentences
        cat list.err >&2
        on_pico && ! grep -v "key-ref=[0-9]*;id=3[0-9]*;type=private' deletes it$" list.err >&2
    fi
}

# check_whole WHAT: all that the card shows with a label is whole: a private key signs, and its
# signature verifies with LABEL.pub; a certificate is LABEL.der, data are the file LABEL. A secret
# key enciphers as in the file LABEL.
check_whole() {
    local what=$1 type label
    json '"".join("%s %s\n" % (o["type"], o["label"]) for o in d["objects"])' listed_whole >listed
    while read -r type label; do
        case $type:$label in
        *:None | :) continue ;; # what an interruption left; the end
        private:*)
            openssl dgst -sha256 -sign "sc-hsm:label=$label;type=private" -out signature message \
                2>"$seen" || fail "$what: the key $label does not sign"
            plain_openssl dgst -sha256 -verify "$label.pub" -signature signature message >"$seen" ||
                fail "$what: the key $label is another one"
            ;;
        secret:*)
            enciphered >"$label.now"
            cmp "$label" "$label.now" 2>"$seen" || fail "$what: the key $label is another one"
            ;;
        cert:*)
            sc-hsm cert export "label=$label;type=cert" --format der --out exported.der \
                --overwrite 2>"$seen" || fail "$what: the certificate $label is not whole"
            cmp "$label.der" exported.der || fail "$what: the certificate $label is another one"
            ;;
        data:*)
            sc-hsm data read "label=$label" --out read --overwrite 2>"$seen" ||
                fail "$what: the data $label cannot be read"
            cmp "$label" read || fail "$what: the data $label are others"
            ;;
        *) fail "$what: an unknown type $type" ;;
        esac
    done <listed
}

# enciphered: what the AES key with key reference 3 makes of 16 zero bytes.
enciphered() {
    raw_apdus "0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" \
        "8078031010$(printf '00%.0s' {1..16})00" 2>/dev/null | tail -n 1
}

# card APDU...: sent to the card by another program that knows the PIN.
card() {
    raw_apdus "0020008106$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')" "$@" >"$seen" 2>&1
}

# card_file FID HEX: a file of this content, written past the tool.
card_file() {
    local apdus=("00E4020002$1") offset=0 part
    while part=${2:offset:200}; do
        apdus+=("$(printf '00D7%s%02X5402%04X53%02X%s' "$1" $((6 + ${#part} / 2)) $((offset / 2)) \
            $((${#part} / 2)) "$part")")
        offset=$((offset + 200))
        [ $offset -lt ${#2} ] || break
    done
    card "${apdus[@]}"
}
