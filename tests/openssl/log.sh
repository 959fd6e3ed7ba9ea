#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is logged reaches the log and nothing else, whatever a program did with its descriptors.
. "$(dirname "$0")/../lib.sh"
virtual_card
make_ec_key
seq 1 100 >data
export SC_HSM_LOG=apdu
if on_token; then line=' debug PKCS#11 sign: 0x0'; else line=' apdu > 8068'; fi

# signs REDIRECTION...: the signature is a signature and nothing else.
signs() {
    rm -f s.sig
    check "signed with $*" bash -c "openssl dgst -sha256 -sign ec.pem -out s.sig data $*"
    check "the signature is good" plain_openssl dgst -sha256 -verify ec.pub -signature s.sig data
}
for closed in '2>&-' '1>&- 2>&-' '0<&- 1>&- 2>&-' '0<&- 2>&-' '0<&- 1>&-' '0<&-' '1>&-'; do
    signs "$closed"
    for threads in 1 4; do
        check "$closed: nothing of ours lies there, $threads at once" \
            bash -c "$programs/sign_closed ec.pem $threads $closed"
    done
done

# The tool's files.
tool=(sc-hsm)
! on_token || tool+=(--pkcs11-module "$other_road")
for closed in '0<&- 2>&-' '0<&- 1>&- 2>&-'; do
    rm -f web.pub
    check "sc-hsm with $closed" bash -c "${tool[*]} pubkey --out web.pub sc-hsm:id=20 $closed"
    check "its file has a public key in it" plain_openssl pkey -pubin -in web.pub -pubout -out again.pub
    same_bytes "and nothing else" again.pub web.pub
done
fails "sc-hsm that has nowhere to print to" bash -c "${tool[*]} list >&-"

# Standard error that is what it was gets all.
check "standard error" openssl dgst -sha256 -sign ec.pem -out s.sig data
says "$line"

# --- a log file is opened by who loads the first key ---
unset SC_HSM_LOG
(umask 077 && mkdir private)
# The PIN itself: its file is not for nobody.
configure login=use pin-source= "pin=$pin" log=info "log-file=$work/private/log"
share_token
check "loaded as root, signed as nobody" "$programs/sign_as" ec.pem 65534
[ -f private/log ] || fail "there is no log file"
configure log=apdu
check "once more, with something to log" "$programs/sign_as" ec.pem 65534
cp private/log "$seen"
says "$line"
configure "log-file=$work/nowhere/log"
check "a log file that cannot be written is told when the key is loaded" \
    openssl pkey -in ec.pem -noout
says "cannot write the log file $work/nowhere/log: No such file"
check "and stops nothing" openssl dgst -sha256 -sign ec.pem -out s.sig data
fails "unless there is nobody to tell" bash -c "openssl pkey -in ec.pem -pubout -out k.pub 2>&-"
configure log=off
check "nor is it opened where nothing is logged" bash -c "openssl pkey -in ec.pem -noout 2>&-"
