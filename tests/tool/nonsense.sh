#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nonsense in one file of a card ends no list, no search and no command on another object. What
# cannot be read is named once.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=interruption.sh
. "$(dirname "$0")/interruption.sh"
dkek_card
tool=(sc-hsm --pin-source file:pin)

check "a key that is fine" "${tool[@]}" keygen --type ec:P-256 --id 10 --label fine --key-ref 1
check "its certificate" openssl req -x509 -new -key sc-hsm:id=10 -subj /CN=fine -out fine.crt
check "is stored" "${tool[@]}" cert import fine.crt
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority.key \
    -out authority.crt -subj /CN=a 2>"$seen"
check "an authority's certificate" "${tool[@]}" cert import authority.crt --ca --label authority
check "data" "${tool[@]}" data write message --label note
check "the key that is spoilt" "${tool[@]}" keygen --type ec:P-256 --id 50 --label spoilt --key-ref 80
check "data that are spoilt" "${tool[@]}" data write message --label spoilt-data --id 50
check "so are these" "${tool[@]}" data write message --label spoilt-data-2 --id 51 --private
plain_openssl x509 -in authority.crt -outform DER -out authority.der
certificate=$(od -An -v -tx1 authority.der | tr -d ' \n')

# content FID: what is there when nothing is spoilt.
content() {
    sc-hsm cat "$1" --json 2>/dev/null | python3 -c '
import base64, json, sys
d = json.load(sys.stdin)
print(next(bytes.fromhex(v) if k == "hex" else base64.b64decode(v)
           for k, v in d.items() if k in ("hex", "base64")).hex())'
}
declare -A good=()
for file in C450 CE50 C950 CF50; do
    good[$file]=$(content $file) || fail "no content of $file"
done
# a certificate without a key at 60: C860 and CA60
good[CA60]=$certificate
good[C860]=3018300B0C0973706F696C742D636130040402AABBA1033001FF
for file in C951 CE70 C470 C970 C870 CA70 CF70; do
    good[$file]="" # they are not there
done
good[CD51]=6D

# tried WHAT STATUS: all that must go on.
tried() {
    local what=$1 expected=$2 status=0
    sc-hsm list >listed 2>named || status=$?
    cat listed named >"$seen"
    says 'private key +1 +10 +fine +EC 256' 'certificate +1 +10 +fine' 'authority' 'data .*note +8 bytes'
    case $expected in
    named)
        [ "$status" = 1 ] || fail "$what: list ends with $status"
        [ "$(wc -l <named)" = 1 ] || fail "$what: not named once"
        ;;
    quiet)
        [ "$status" = 0 ] || fail "$what: list ends with $status"
        [ ! -s named ] || fail "$what: list names something"
        ;;
    *) [ "$status" -le 1 ] || fail "$what: list ends with $status" ;;
    esac
    openssl storeutl -noout sc-hsm: >listed 2>named || true
    cat listed named >"$seen"
    says 'key-ref=1;id=10;label=fine;type=private' 'key-ref=1;id=10;label=fine;type=cert' \
        'label=authority;type=cert' 'label=note;type=data'
    if [ "$expected" = named ]; then
        [ "$(grep -c "it (has|belongs|holds|cannot)" -E named)" = 1 ] || fail "$what: storeutl names it"
    fi
    openssl storeutl -noout -certs sc-hsm: >"$seen" 2>&1 || true
    says 'authority'
    sc-hsm list type=data >listed 2>"$seen" || true
    grep -q note listed || fail "$what: list type=data"
    sc-hsm pubkey 'id=10;type=private' >"$seen" 2>&1 || fail "$what: pubkey"
    sc-hsm pubkey key-ref=1 >"$seen" 2>&1 || fail "$what: pubkey by key-ref"
    sc-hsm cert export 'id=10;type=cert' >"$seen" 2>&1 || fail "$what: cert export"
    sc-hsm data read label=note >"$seen" 2>&1 || fail "$what: data read"
    openssl pkey -in sc-hsm:label=fine -pubout -out fine.pub 2>"$seen" || fail "$what: pkey"
    sc-hsm list --all --json >"$seen" 2>&1 || [ $? = 1 ] || fail "$what: list --all"
    echo "ok: $what"
}

tried "nothing is spoilt" quiet
long=$(printf 'FF%.0s' {1..300})
nonsenses=("" 00 30 3082FFFF01 048101FF 00000000 FFFFFFFF 3084FFFFFFFF "$long")
# Its parsers are fuzzed with sanitizers, too.
[ -z "${SC_HSM_ASAN:-}" ] || nonsenses=("" 3082FFFF01 "$long")
for file in C450 CE50 C950 CF50 C860 CA60 CD51 C951 C470 CE70 C970 C870 CA70 CF70 CB50; do
    for nonsense in "${nonsenses[@]}"; do
        expected=named
        case $file in
        CF?? | CD51 | CE70 | C470 | CB50) expected=quiet ;; # content, or what belongs to nothing
        CA70) expected=quiet ;;                             # part of a certificate
        esac
        case $file in
        CA60) card_file C860 "${good[C860]}" ;;
        C860) card_file CA60 "${good[CA60]}" ;;
        esac
        card_file "$file" "$nonsense"
        tried "$file holds '${nonsense:0:12}'" "$expected"
    done
    # another object is deleted, and what was spoilt as well
    "${tool[@]}" data write message --label other >"$seen" 2>&1 || fail "$file: data write"
    "${tool[@]}" delete label=other --yes >"$seen" 2>&1 || fail "$file: delete of another object"
    if [ -n "${good[$file]:-}" ] && [ "${file:0:2}" != C8 ] && [ "${file:0:2}" != CA ]; then
        card_file "$file" "${good[$file]}"
    elif [ "$file" = C951 ]; then
        "${tool[@]}" delete handle=cd51 --yes >"$seen" 2>&1 || fail "$file: delete by handle"
    else
        card 00E4020002C860
        card 00E4020002CA60
        card "00E4020002$file"
    fi
    tried "$file is as it was" quiet
done
