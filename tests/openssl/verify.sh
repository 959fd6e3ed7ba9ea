#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a device answers is believed only where it fits the key's public part: every operation, when
# the device computes wrongly, and when somebody replaced the key, before or under a running program.
. "$(dirname "$0")/../lib.sh"
virtual_card

# make KIND: the key under key reference 50, its reference file KIND.pem, and what its uses take.
make() {
    case $1 in
    rsa) check "an RSA key" sc-hsm keygen --pin-source "file:$pin_file" --type rsa:2048 --key-ref 50 --out rsa.new ;;
    ec) check "an EC key" sc-hsm keygen --pin-source "file:$pin_file" --type ec:P-256 --key-ref 50 --out ec.new ;;
    esac
    mv "$1.new" "$1.pem"
}
remove() {
    check "the key is deleted" sc-hsm delete --yes --pin-source "file:$pin_file" sc-hsm:key-ref=50
}
# small FILE OPTION...: a ciphertext below every modulus of that length, so that another key does not
# refuse it for that.
small() {
    local first=ff
    until [ $((0x$first)) -lt 128 ]; do
        plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in plain "${@:2}" -out "$1"
        first=$(od -An -N1 -tx1 "$1" | tr -d ' ')
    done
}
inputs() {
    case $1 in
    rsa)
        check "its public part" openssl pkey -in rsa.pem -pubout -out rsa.pub
        echo "a secret of somebody" >plain
        small decrypt.in
        small oaep.in -pkeyopt rsa_padding_mode:oaep
        cp oaep.in raw-decrypt.in
        cp oaep.in rsasve.in # below every modulus, too
        ;;
    ec)
        check "a peer" plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.pem
        check "its public part" plain_openssl pkey -in peer.pem -pubout -out derive.in
        check "the key's own" openssl pkey -in ec.pem -pubout -out ec.pub
        # From OpenSSL 3.2 on.
        env -u OPENSSL_MODULES OPENSSL_CONF=/dev/null "$programs/encapsulate" DHKEM ec.pub dhkem.in \
            >"$seen" 2>&1 || rm -f dhkem.in
        ;;
    esac
}

# start HOW KEY
start() {
    local input=()
    [ ! -f "$1.in" ] || input=("$1.in")
    coproc USER_ { "$programs/use_steps" "$1" "$2" "${input[@]}" 2>&1; }
    eval "exec 8<&${USER_[0]}- 9>&${USER_[1]}-"
    read -r -t 60 -u 8 line || fail "use_steps $1 did not get ready"
    equal "use_steps $1" ready "$line"
}
step() {
    echo go >&9
    read -r -t 60 -u 8 line || fail "$1: no answer"
    echo "$line" >"$seen"
}
works() {
    step "$1"
    says '^done [0-9a-f]+'
    echo "ok: $1"
}
refuses() {
    step "$1"
    says '^failed: ' "$2"
    echo "ok: $1: $line"
}
stop() {
    local process=$USER__PID
    exec 9>&- 8<&-
    wait "$process" || fail "use_steps ended badly"
}

# wrong_once KIND HOW INS: after answers that were right the device gives a wrong one.
wrong_once() {
    start "$2" "$1.pem"
    works "$2 with a device that is well"
    works "$2 again"
    virtual_hsm control 1 "corrupt ins=$3" >/dev/null
    refuses "$2 when the answer is random" \
        "does not fit the key's public part and was not handed out|malformed"
    works "$2 when the device is well again"
    stop
}

make rsa
inputs rsa
for how in pkcs1 pss raw; do wrong_once rsa $how 68; done
for how in decrypt oaep raw-decrypt rsasve; do wrong_once rsa $how 62; done
remove
make ec
inputs ec
wrong_once ec ecdsa 68
remove

# replaced KIND HOW: the key is made anew, first under a running program, then before one starts.
replaced() {
    make "$1"
    inputs "$1"
    cp "$1.pem" "$1.old"
    start "$2" "$1.old"
    works "$2 with the key"
    remove
    make "$1"
    # who uses the applet otherwise begins with SELECT, which ends our login
    check "another program comes by" raw_apdus
    refuses "$2 after the key was replaced" "holds another key under key-ref 50"
    stop
    start "$2" "$1.old"
    refuses "$2 with the reference of the old key" "holds another key under key-ref 50"
    stop
    fails "pkey -check" openssl pkey -in "$1.old" -check -noout
    says "holds another key under key-ref 50"
    check "the new reference works" openssl pkey -in "$1.pem" -check -noout
    remove
}
for how in pkcs1 pss raw decrypt oaep raw-decrypt rsasve; do replaced rsa $how; done
for how in ecdsa derive; do replaced ec $how; done
[ ! -f dhkem.in ] || replaced ec dhkem

# All that costs no card command in the steady state, but for one at ECDH's first use.
make ec
inputs ec
start derive ec.pem
works "a derivation"
before=$(commands)
works "the next one"
equal "card commands of it" $((before + 1)) "$(commands)"
stop

# The setting that switches it off.
configure verify=first
remove
make rsa
inputs rsa
start pkcs1 rsa.pem
works "the first signature is checked"
virtual_hsm control 1 "corrupt ins=68" >/dev/null
works "the next one is handed out as it came"
stop
configure verify=sometimes
fails "a bad value" openssl dgst -sha256 -sign sc-hsm:key-ref=50 -out signature plain
says "setting 'verify'" "neither always nor first"
