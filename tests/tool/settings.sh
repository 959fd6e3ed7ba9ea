#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm reads the provider's settings, and no option needs to be given
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
virtual_cards 2
first=$(sed -n 1p "$SC_HSM_VIRTUAL/serials") second=$(sed -n 2p "$SC_HSM_VIRTUAL/serials")
echo "$pin" >pin
echo "$so_pin" >so-pin
echo 24681357 >new-pin
echo 999999 >wrong-pin
wrong=file:$work/wrong-pin

# line KEY: the line of openssl.cnf where it is set.
line() {
    grep -n "^$1 *=" "$OPENSSL_CONF" | cut -d: -f1
}

# tries N: how many tries the N-th card's PIN has left; whoever was logged in is not any more.
tries() {
    local answers
    answers=$(opensc-tool --reader "$((2 * $1 - 2))" --card-driver default \
        --send-apdu 00A404000BE82B0601040181C31F020100 --send-apdu 00200081)
    [[ $answers =~ SW1=0x63,\ SW2=0xC(.) ]] || fail "the card's answer about its PIN: $answers"
    echo "${BASH_REMATCH[1]}"
}

shown() {
    json "[x['serial'] for x in d['devices']]" "$@"
}

# --- which device ---------------------------------------------------------------------------------

equal "all are shown" "['$first', '$second']" "$(shown sc-hsm --json status)"
ends 3 "a key on one of two" sc-hsm keygen --type ec:P-256
configure serial="$second"
equal "the one of the configuration" "['$second']" "$(shown sc-hsm --json status)"
check "a key on it, without any option" sc-hsm keygen --type ec:P-256 --id 10 --label web --out web.pem
says "serial=$second"
equal "an option wins" "['$first']" "$(shown sc-hsm --json --serial "$first" status)"
equal "a reader as well" "['$first']" "$(shown sc-hsm --json --reader "$first" status)"
equal "a variable wins" "['$first']" "$(shown env SC_HSM_SERIAL="$first" sc-hsm --json status)"
equal "by reader" "['$first']" "$(shown env SC_HSM_READER="$first" sc-hsm --json status)"
equal "an option wins over it" "['$second']" \
    "$(shown env SC_HSM_SERIAL="$first" sc-hsm --json --reader "$second" status)"
equal "an empty one says nothing" "['$second']" "$(shown env SC_HSM_SERIAL= sc-hsm --json status)"
check "a URI wins" sc-hsm list "serial=$first"
says_nothing_of "label=web"

configure serial=DENK0999999
ends 3 "one that is not there" sc-hsm keygen --type ec:P-256
says "no device with serial number DENK0999999 .*\(serial stands in \[sc_hsm_sect\] of $OPENSSL_CONF, line $(line serial)\)"
ends 3 "by a variable" env SC_HSM_READER=nowhere sc-hsm list
says "'nowhere'.*\(reader stands in the variable SC_HSM_READER\)"
ends 3 "an option's is not blamed on others" sc-hsm --serial DENK0111111 list
says_nothing_of "stands in"

# --- whose PIN ------------------------------------------------------------------------------------

# The configuration's PIN is that of the device it names.
configure serial="$second" "pin-source=$wrong"
ends 1 "another device" setsid -w sc-hsm --serial "$first" keygen --type ec:P-256
says "no terminal"
equal "no try there" 3 "$(tries 1)"
check "asked for it" typed "PIN.*$first.*:=$pin" -- sc-hsm --serial "$first" keygen --type ec:P-256 --label typed
check "a list spends no try" sc-hsm list
check "nor does what needs no PIN" sc-hsm status
equal "none was" 3 "$(tries 2)"
ends 4 "a wrong one" sc-hsm keygen --type ec:P-256
says "2 tries are left \(pin-source stands in .*, line $(line pin-source)\)"
configure min-pin-tries=3
ends 4 "too few tries for a stored one" sc-hsm keygen --type ec:P-256
says "only 2 PIN tries are left" "use --pin-source prompt" "line $(line pin-source)"
equal "it was not sent" 2 "$(tries 2)"
check "a person may" typed "PIN.*2 tries left.*:=$pin" -- sc-hsm --pin-source prompt keygen --type ec:P-256
configure min-pin-tries=
check "an option's" sc-hsm --pin-source file:pin keygen --type ec:P-256
check "a variable's" env SC_HSM_PIN_SOURCE=file:pin sc-hsm keygen --type ec:P-256
# What gives it once is read once, however many logins there are.
mkfifo -m 600 fifo
cat pin >fifo &
check "a pipe's" env "SC_HSM_PIN_SOURCE=file:$work/fifo" sc-hsm keygen --type ec:P-256 --label piped
wait $!
check "a descriptor's" env SC_HSM_PIN_SOURCE=fd:3 sc-hsm keygen --type ec:P-256 3< <(cat pin)
check "a URI's" sc-hsm delete "label=web;type=private?pin-source=file:pin" --yes
configure pin-source= "pin=$pin"
check "the PIN itself" sc-hsm keygen --type ec:P-256
equal "no try was spent" 3 "$(tries 2)"

# One that cannot be had here, as a service's credential, is no reason to give up.
configure pin= pin-source=credential:web
check "asked for in its place" typed "PIN for.*:=$pin" -- sc-hsm keygen --type ec:P-256
says "pin-source in .* is of no use here"
equal "nobody is logged in" 3 "$(tries 2)"
configure pin-source="file:$work/nothing"
fails "without a terminal" setsid -w sc-hsm keygen --type ec:P-256
says "pin-source in \[sc_hsm_sect\] of $OPENSSL_CONF, line [0-9]+ is of no use here: .*nothing" "no terminal"

# A second device has it only where the source tells devices apart.
configure "pin-source=file:$work/pin"
fails "a second device" setsid -w sc-hsm mirror --to "$first" --yes
configure "pin-source=file:$work/{serial}.pin"
cp pin "$first.pin"
cp pin "$second.pin"
check "each its own" sc-hsm --serial "$first" keygen --type ec:P-256 --label there
configure "pin-source=file:$work/pin"

# --- new PINs -------------------------------------------------------------------------------------

for way in pin-source environment; do
    [ $way = pin-source ] || export SC_HSM_PIN_SOURCE=file:$work/so-pin
    ends 1 "init, $way" setsid -w sc-hsm init --yes --so-pin-source file:so-pin
    says "new PIN"
    ends 1 "init without an SO-PIN, $way" setsid -w sc-hsm init --yes --pin-source file:pin
    says "SO-PIN"
    ends 1 "pin unblock, $way" setsid -w sc-hsm pin unblock --so-pin-source file:so-pin
    says "new PIN"
    ends 1 "its SO-PIN, $way" setsid -w sc-hsm pin unblock --new-pin-source file:pin
    says "SO-PIN"
    ends 1 "so-pin change, $way" setsid -w sc-hsm so-pin change --so-pin-source file:so-pin
    says "new SO-PIN"
    ends 1 "its present one, $way" setsid -w sc-hsm so-pin change --new-so-pin-source file:so-pin
    says "SO-PIN"
done
unset SC_HSM_PIN_SOURCE
ends 1 "pin change has no new PIN" setsid -w sc-hsm pin change
says "new PIN.*--new-pin-source"
check "it has the present one" sc-hsm pin change --new-pin-source file:new-pin
says "Changed the PIN of device $second" "pin-source in .*, line $(line pin-source) still gives the old PIN"
check "typed" typed "PIN.*:=24681357" "new PIN.*:=$pin" "once more.*:=$pin" -- \
    sc-hsm pin change --pin-source prompt
says_nothing_of "still gives"
equal "no try was spent" 3 "$(tries 2)"

# --- what is wrong in the file --------------------------------------------------------------------

configure seriall=X
ends 2 "a slip" sc-hsm list
says "setting 'seriall' in \[sc_hsm_sect\] of $OPENSSL_CONF, line $(line seriall) is unknown: write serial"
check "which does not matter where an option tells it" sc-hsm --serial "$first" list
configure seriall= cache-pinn=yes
check "one of what the tool does not read" sc-hsm list
configure cache-pinn= wait=soon
ends 2 "a bad value" sc-hsm list
says "setting 'wait' in \[sc_hsm_sect\] of .*, line $(line wait): 'soon' is not a number"
check "an option in its place" sc-hsm --wait 3 list
ends 2 "a variable's" env SC_HSM_WAIT=never sc-hsm list
says "the variable SC_HSM_WAIT"
cp "$OPENSSL_CONF" good.cnf
echo "no line" >>"$OPENSSL_CONF"
ends 2 "no configuration file at all" sc-hsm list
says "$OPENSSL_CONF.*line [0-9]+: missing equal sign; correct it; OPENSSL_CONF=/dev/null goes without it"
echo 12345678 >password
for command in "--version" "help" "--help" "help list" "help --completion"; do
    # shellcheck disable=SC2086  # words on purpose
    check "$command needs none of it" sc-hsm $command
    says_nothing_of "missing equal"
done
touch share.pbe
ends 1 "what works without a device looks at its file" sc-hsm dkek create-share share.pbe \
    --password-source file:password
says "share.pbe is there already"
check "nor does it without" env OPENSSL_CONF=/dev/null sc-hsm --serial "$first" list
OPENSSL_CONF=$work/nowhere.cnf check "a file that is not there" sc-hsm --serial "$first" list
says "nowhere.cnf, which OPENSSL_CONF names, is not there"
cp good.cnf "$OPENSSL_CONF"

# --- the log --------------------------------------------------------------------------------------

configure wait= log=debug "log-file=$work/log"
check "a log" sc-hsm list
[ -s log ] || fail "nothing is in the log"
configure "log-file=$work/no/folder/log"
check "one that cannot be written" sc-hsm list
says "cannot write the log file|no/folder/log"
