#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Pico HSM describes keys itself and does not list certificates and contents: killed at any command, the
# same command made again leaves all as it would have been, and what is left else is found.
set -euo pipefail
export SC_HSM_TEST_DEVICE=pico
# shellcheck source-path=SCRIPTDIR source=../tool/interruption.sh
. "$(dirname "$0")/../tool/interruption.sh"
PATH=$SC_HSM_BUILD/tests/keymgmt:$PATH
dkek_card
tool=(sc-hsm --pin-source file:pin)

check "an EC key" "${tool[@]}" keygen --type ec:P-256 --id 20 --label mail
check "an AES key" "${tool[@]}" keygen --type aes:256 --id 30 --key-ref 3 --label vault
check "its public key" sc-hsm pubkey "label=mail;type=private" --out mail.pub
enciphered >vault
check "the EC key is wrapped" "${tool[@]}" wrap 'label=mail' mail.wrapped
check "the AES key is wrapped" "${tool[@]}" wrap 'label=vault' vault.wrapped
check "a backup" "${tool[@]}" backup saved
head -c 2000 /dev/urandom >content
long_certificate first 'sc-hsm:label=mail;type=private'
long_certificate mail 'sc-hsm:label=mail;type=private'
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out authority.key
long_certificate authority authority.key
long_certificate stranger authority.key
plain_openssl genpkey -algorithm EC -pkeyopt group:P-256 -out imported
plain_openssl pkey -in imported -pubout -out imported.pub
cp mail.pub other.pub
cp vault safe
cp "$SC_HSM_VIRTUAL/card-1.state" keys.state

# state FILE: the card is as it was when its state was put there.
state() {
    virtual_hsm remove >/dev/null
    cp "$1" "$SC_HSM_VIRTUAL/card-1.state"
    virtual_hsm insert >/dev/null
    wait_for "the card" raw_apdus
}

# shape: what is on the card, as text that can be compared.
shape() {
    sc-hsm ls | sort
    sc-hsm list | sort
}

# finishes WHAT STATE COMMAND...: killed behind each of its commands that change a card of that state, and made
# again, the command leaves what it leaves when it is not killed.
finishes() {
    local what=$1 from=$2 points=0 point ins status
    shift 2
    state "$from"
    check "$what" "$@"
    shape >wanted
    for ins in D7 74 E4; do # UPDATE BINARY, UNWRAP KEY, DELETE FILE
        for ((point = 0; ; point += sweep_step)); do
            state "$from"
            killed_at $point ins=$ins -- "$@" || break
            status=0
            "$@" >"$seen" 2>&1 </dev/null || status=$?
            # only the answer was missing
            [ $status = 0 ] || says 'already has this id|has this key already|is taken|there is a data object'
            shape >now
            diff wanted now >"$seen" || fail "$what, killed at $ins, $point before it, and again"
            check_whole "$what, killed at $ins, $point before it, and again"
            points=$((points + 1))
        done
    done
    [ $((points * sweep_step)) -ge 3 ] || fail "$what was killed at $points points only"
    echo "ok: $what: killed at $points points"
}

# --- keys ------------------------------------------------------------------------------------

check "the AES key goes" "${tool[@]}" delete --yes label=vault
cp "$SC_HSM_VIRTUAL/card-1.state" pair.state
finishes "an AES key is unwrapped" pair.state "${tool[@]}" unwrap vault.wrapped --key-ref 3
check "the pair goes" "${tool[@]}" delete --yes label=mail
check "and the AES key" "${tool[@]}" delete --yes label=vault
cp "$SC_HSM_VIRTUAL/card-1.state" empty.state
finishes "a pair is unwrapped" empty.state "${tool[@]}" unwrap mail.wrapped
finishes "a pair with another id and label" empty.state "${tool[@]}" unwrap mail.wrapped --id 77 --key-ref 9 \
    --label other
finishes "an AES key with another label" empty.state "${tool[@]}" unwrap vault.wrapped --key-ref 3 --label safe
finishes "a key is replaced" keys.state "${tool[@]}" unwrap mail.wrapped --replace --yes
finishes "a key is imported" empty.state import_keys imported
finishes "all is restored" empty.state "${tool[@]}" restore saved

# --- certificates and data -------------------------------------------------------------------

state keys.state
check "a certificate" "${tool[@]}" cert import first.crt
cp "$SC_HSM_VIRTUAL/card-1.state" first.state
import=("${tool[@]}" cert import mail.crt --key id=20 --replace --yes)
finishes "a certificate takes the place of a request" keys.state "${import[@]}"
finishes "a certificate takes the place of another" first.state "${import[@]}"
finishes "a certificate without a key" keys.state "${tool[@]}" cert import authority.crt --ca --label authority
finishes "data" keys.state "${tool[@]}" data write content --label content --private

# --- where the command is not made again -----------------------------------------------------

state first.state
killed_at 0 ins=E4 -- "${import[@]}" || fail "the import ended before it deleted"
check "the spare copy of a certificate is listed" sc-hsm list
says '^certificate .*handle=ca00;type=cert$'
check "it is the only one" "${tool[@]}" tidy
says 'belongs to nothing'
state first.state
killed_at 3 ins=D7 -- "${import[@]}" || fail "the import ended before it wrote the certificate"
check "now it is another one" sc-hsm list --all
says "^orphan: copy of a key's certificate .*handle=ca00$"
check "which goes" "${tool[@]}" tidy --yes
says "Deleted copy of a key's certificate ca00"
check "the certificate stays" sc-hsm cert export id=20 --format der --out exported.der --overwrite
same_bytes "and is the new one" mail.der exported.der

# An earlier one in the place, which has gone since, hides what is left to the command itself.
check "two certificates" "${tool[@]}" cert import authority.crt --ca --label authority
killed_at 1 ins=D7 -- "${tool[@]}" cert import stranger.crt --ca --label stranger || fail "the import ended"
check "the first one goes" "${tool[@]}" delete --yes label=authority
card 00D7CE4007540200005301AA 00D7CD2107540200005301AA
check "they are listed" sc-hsm list --all
says '^certificate .*handle=ca01;type=cert$' '^orphan: certificate or request of a key .*handle=ce40$' '^private data .*handle=cd21;type=data$'
check "tidy takes what is of no use" "${tool[@]}" tidy --yes
says 'ce40'
says_nothing_of 'ca01' 'cd21'
for handle in ca01 cd21; do
    check "what may be of use goes by its handle" "${tool[@]}" delete --yes "handle=$handle"
done
check "nothing is left" sc-hsm ls
says_nothing_of '^CA' '^CD' '^CE40'

# What waited beside a secret key is in no backup of it.
state empty.state
killed_at 0 ins=74 -- "${tool[@]}" unwrap vault.wrapped --key-ref 3 || fail "the unwrap ended"
check "the key is backed up as it is" "${tool[@]}" wrap key-ref=3 bare.wrapped
! grep -q vault bare.wrapped || fail "what waited beside the key is in its file"
