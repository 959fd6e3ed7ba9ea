# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What every test script starts from:
#
#     . "$(dirname "$0")/../lib.sh"
#     virtual_card
#     check "a key is made" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 -out k.pem
#     fails "an unknown id" openssl pkey -in sc-hsm:id=77 -noout
#     says "id=77"
#
# A test runs in a folder of its own with cards of its own, so that tests run side by side and in
# any order; it ends with status 0 only if it reached its last line. Everything is cleaned up at
# the end, also after a failure, which shows what was seen.
set -euo pipefail

# --- where things are ------------------------------------------------------------------------

SC_HSM_SOURCE=${SC_HSM_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
SC_HSM_BUILD=${SC_HSM_BUILD:-$SC_HSM_SOURCE/build}
export SC_HSM_SOURCE SC_HSM_BUILD

# The C programs of tests/programs.
# shellcheck disable=SC2034  # for the tests
programs=$SC_HSM_BUILD/tests/programs

# What examples/virtual-hsm.sh gives its cards.
# shellcheck disable=SC2034  # for the tests
pin=648219 so_pin=3537363231383830

# The settings of whoever calls must not reach a test.
unset PCSCLITE_CSOCK_NAME OPENSSL_CONF OPENSSL_MODULES SC_HSM_VIRTUAL SC_HSM_LOG
unset SC_HSM_SERIAL SC_HSM_READER SC_HSM_TOKEN SC_HSM_PKCS11_MODULE SC_HSM_PIN_SOURCE \
    SC_HSM_SECURE_CHANNEL SC_HSM_WAIT
export LC_ALL=C

# Seconds that anything may take that a test waits for. It is a bound for what never comes, not a
# measure of how long things take: no test may fail because a machine is slow. SC_HSM_TEST_SCALE is
# how many times as long slow machines get.
export SC_HSM_TEST_SCALE=${SC_HSM_TEST_SCALE:-1}
export SC_HSM_PATIENCE=${SC_HSM_PATIENCE:-$((240 * SC_HSM_TEST_SCALE))}
# No test changes the system: what the scripts of examples/ would install is named, and they end.
export SC_HSM_NO_INSTALL=yes

work=$(mktemp -d "${TMPDIR:-/tmp}/sc-hsm-test.XXXXXX")
# Servers give up root in some tests and must get at their files by name.
chmod 711 "$work"
seen=$work/.seen # what the last command of check or fails printed
cd "$work"
# Nobody can clean up after kill -9 but somebody else. In a session of its own it is not killed along
# with the test, and ctest need not wait for it.
watchdog=$(
    setsid "$SC_HSM_SOURCE/tests/watchdog.sh" $$ "$work" </dev/null >/dev/null 2>&1 &
    echo $!
)

# --- sanitizers ------------------------------------------------------------------------------

# Reports go to files, so that one is found whichever process made it and whatever became of its
# output. SC_HSM_ASAN is the runtime that a program without instrumentation must load first to be
# able to load our instrumented module; ctest sets it for a sanitized build.
reports=$work/.sanitizer
mkdir "$reports"
chmod 1777 "$reports"
# Where the thread-local variables of a loaded module lie is guessed, and guessed wrong the search for
# leaks crashes; so no guesses.
export ASAN_OPTIONS=log_path=$reports/report:detect_leaks=1:intercept_tls_get_addr=0
export LSAN_OPTIONS=suppressions=$SC_HSM_SOURCE/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=log_path=$reports/report:print_stacktrace=1

# wrap PROGRAM SETTING...: from now on the program, given by name or path, runs with these settings,
# whoever starts it: a script of that name is found in PATH before it.
wrap() {
    local program=${1##*/} real
    real=$(PATH=$PATH:/usr/sbin type -P "$1") || return 0
    shift
    printf '#!/bin/sh\nexec env %s %s "$@"\n' "$*" "$real" >"$work/.bin/$program"
    chmod a+rx "$work/.bin/$program"
}

real_openssl=$(type -P openssl)
mkdir "$work/.bin"
PATH=$work/.bin:$PATH
# These use libcrypto for themselves: they must not load our module, and must find OpenSSL's own.
for program in ssh ssh-keygen sshd opensc-tool opensc-explorer pkcs11-tool pkcs15-tool sc-hsm-tool; do
    wrap "$program" -u OPENSSL_MODULES OPENSSL_CONF=/dev/null
done
# The distribution's Python: one from elsewhere has another OpenSSL, and may start by way of scripts.
wrap /usr/bin/python3
if [ -n "${SC_HSM_ASAN:-}" ]; then
    # These load our module. What nginx leaks at its end with a software key, too, hides any of ours.
    wrap openssl "LD_PRELOAD=$SC_HSM_ASAN"
    wrap nginx "LD_PRELOAD=$SC_HSM_ASAN" "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0"
    wrap /usr/bin/python3 OPENSSL_CONF=/dev/null
fi

# Sweeps over the commands of a job go on by so many: by one, or by three with sanitizers, which look at what
# the code does and not at the order of things.
export sweep_step=1
[ -z "${SC_HSM_ASAN:-}" ] || sweep_step=3

# What a test writes is its own alone: PINs, passwords and keys are, and a PIN file that others can
# read is refused.
umask 077

# plain_openssl: OpenSSL as it comes, with the default provider alone: the judge of our results.
plain_openssl() {
    env -u OPENSSL_MODULES -u PCSCLITE_CSOCK_NAME OPENSSL_CONF=/dev/null "$real_openssl" "$@"
}

# --- saying what happened --------------------------------------------------------------------

# fail WHAT: ends the test, showing what was seen.
fail() {
    {
        echo "FAILED: $*"
        if [ -s "$seen" ]; then
            echo "--- seen:"
            tail -n 60 "$seen"
            echo "---"
        fi
    } >&2
    exit 1
}

# check WHAT COMMAND...: the command must end with status 0.
check() {
    local what=$1 status=0
    shift
    "$@" >"$seen" 2>&1 || status=$?
    [ "$status" = 0 ] || fail "$what: status $status from: $*"
    echo "ok: $what"
}

# fails WHAT COMMAND...: the command must fail by its own decision, not by a signal or for want of
# the program.
fails() {
    local what=$1 status=0
    shift
    "$@" >"$seen" 2>&1 || status=$?
    [ "$status" != 0 ] || fail "$what: this should have failed: $*"
    [ "$status" -lt 126 ] || fail "$what: status $status from: $*"
    echo "ok: $what"
}

# ends_by_itself COMMAND...: runs the command, and ends one that goes on for ever as if it had crashed, so
# that neither check nor fails takes that for an end of its own.
ends_by_itself() {
    timeout -s KILL "$SC_HSM_PATIENCE" "$@"
}

# says REGEX...: the last command's output has a line for each of these extended expressions
# (upper and lower case alike).
says() {
    local regex
    for regex in "$@"; do
        grep -Eqi -e "$regex" "$seen" || fail "nothing said /$regex/"
    done
}

# says_nothing_of REGEX...: the opposite.
says_nothing_of() {
    local regex
    for regex in "$@"; do
        ! grep -Eqi -e "$regex" "$seen" || fail "something said /$regex/"
    done
}

# found NUMBER: how many objects the last storeutl found; newer ones say none by saying nothing.
found() {
    if [ "$1" = 0 ]; then
        says_nothing_of 'Total found: [1-9]' '^[0-9]+: '
    else
        says "Total found: $1\$"
    fi
}

# unwraps WHAT COMMAND...: OpenSC's sc-hsm-tool --unwrap-key, by its word: that of 0.27 ends with status
# 1 after it has imported the key.
unwraps() {
    local what=$1
    shift
    "$@" >"$seen" 2>&1 || true
    says '^Key successfully imported'
    echo "ok: $what"
}

# equal WHAT EXPECTED ACTUAL
equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
    echo "ok: $1"
}

# same_bytes WHAT FILE FILE
same_bytes() {
    check "$1" cmp "$2" "$3"
}

# need PROGRAM...: ends the test where one of them is not there.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || missing "$program is not there"
    done
}

# missing WHAT: ends the test as one that could not be made here. In tests/run.sh, which has installed
# everything, it counts as failed.
missing() {
    [ -z "${SC_HSM_TEST_ALL:-}" ] || fail "$*"
    echo "NOT TESTED: $*: tests/run.sh installs what the tests need"
    exit 77
}

# wait_for WHAT COMMAND...: polls until the command succeeds.
wait_for() {
    local what=$1 end=$((SECONDS + SC_HSM_PATIENCE))
    shift
    until "$@" >"$seen" 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "waited in vain: $what"
        sleep 0.05
    done
}

# prompted ANSWER COMMAND...: runs the command on a terminal of its own and types at its prompts; in
# the end it says how often it was asked.
prompted() {
    local answer=$1
    shift
    expect -f - -- "$answer" "$@" <<'END'
set timeout $env(SC_HSM_PATIENCE)
set answer [lindex $argv 0]
spawn -noecho {*}[lrange $argv 1 end]
set asked 0
expect {
    -re {(pass phrase for|PIN for|PIN on device) [^\r\n]*:} { incr asked; send "$answer\r"; exp_continue }
    timeout { puts "no end"; exit 90 }
    eof {}
}
puts "asked $asked times"
exit [lindex [wait] 3]
END
}

# --- virtual cards ---------------------------------------------------------------------------

# need_virtual_hsm: ends the test where no virtual card can be had.
need_virtual_hsm() {
    local driver=/usr/lib/pcsc/drivers/serial/libifdvpcd.so
    PATH=$PATH:/usr/sbin:/sbin need pcscd systemd-socket-activate unshare nsenter setsid ip opensc-tool
    [ -f "$driver" ] || missing "the virtual reader's driver is not there (vsmartcard-vpcd)"
}

virtual_hsm() {
    "$SC_HSM_SOURCE/examples/virtual-hsm.sh" "$@"
}

# profile N: what N cards are. Several Pico HSMs are those that were at their maker's and have a name each;
# of the others all have the same.
profile() {
    if ! on_pico; then
        echo default
    elif [ "$1" -gt 1 ]; then
        echo pico-provisioned
    else
        echo pico
    fi
}

# virtual_cards N [OPTIONS]...: this test's own pcscd with N cards, and the settings to reach it.
virtual_cards() {
    local settings
    need_virtual_hsm
    settings=$(virtual_hsm start --cards "$1" --profile "$(profile "$1")" "${@:2}") || fail "no virtual card"
    eval "$settings"
    echo "$SC_HSM_VIRTUAL" >"$work/.virtual"
    # Tests take the module by its name, and some another module or a copy of it.
    export OPENSSL_MODULES=$SC_HSM_BUILD/lib
    configure module= ${SC_HSM_TEST_POOL:+"pool=$SC_HSM_TEST_POOL"}
    module=$OPENSSL_MODULES/sc-hsm.so
    [ -f "$module" ] || fail "there is no $module"
    # shellcheck disable=SC2034  # for the tests
    pin_file=$SC_HSM_VIRTUAL/pin other_road=opensc-pkcs11.so
}

# Whether this test runs over a PKCS#11 token rather than a card: SoftHSM's as it is
# (SC_HSM_TEST_DEVICE=softhsm), or with a counter of tries (SC_HSM_TEST_DEVICE=counting).
on_token() {
    [ "${SC_HSM_TEST_DEVICE:-card}" = softhsm ] || [ "${SC_HSM_TEST_DEVICE:-card}" = counting ]
}

# Whether the virtual cards of this test are Pico HSMs (SC_HSM_TEST_DEVICE=pico).
on_pico() {
    [ "${SC_HSM_TEST_DEVICE:-card}" = pico ]
}

# Whether its flags tell all three tries, and logins can be counted.
counts_logins() {
    [ "${SC_HSM_TEST_DEVICE:-card}" != softhsm ]
}

virtual_card() {
    if on_token; then
        softhsm_token
    else
        virtual_cards 1
    fi
}

# --- tokens behind PKCS#11 --------------------------------------------------------------------

softhsm=/usr/lib/softhsm/libsofthsm2.so

# softhsm_tokens LABEL...: tokens of SoftHSM's in this test's folder, with the PINs of the cards.
softhsm_tokens() {
    local label
    need softhsm2-util
    [ -f "$softhsm" ] || missing "there is no $softhsm (softhsm2)"
    mkdir -p "$work/tokens"
    cat >"$work/softhsm2.conf" <<END
directories.tokendir = $work/tokens
objectstore.backend = file
log.level = ERROR
END
    export SOFTHSM2_CONF=$work/softhsm2.conf
    for label in "$@"; do
        OPENSSL_CONF=/dev/null softhsm2-util --init-token --free --label "$label" \
            --pin "$pin" --so-pin "$so_pin" >"$seen" 2>&1 || fail "no token $label"
    done
}

# softhsm_token: one token and nothing else, no card and no pcscd, and the settings to reach it.
softhsm_token() {
    softhsm_tokens "the token"
    export PCSCLITE_CSOCK_NAME=$work/there-is-no-pcscd
    export OPENSSL_MODULES=$SC_HSM_BUILD/lib OPENSSL_CONF=$work/openssl.cnf
    PATH=$SC_HSM_BUILD/bin:$PATH
    pin_file=$work/.pin
    (umask 077 && echo "$pin" >"$pin_file")
    # shellcheck disable=SC2034  # for the tests
    module=$OPENSSL_MODULES/sc-hsm.so
    # What reaches the device past the provider.
    other_road=$softhsm
    if counts_logins; then
        export SC_HSM_REAL_MODULE=$softhsm SC_HSM_LOGINS=$work/.logins
        touch "$SC_HSM_LOGINS"
        other_road=$SC_HSM_BUILD/lib/counting.so
    fi
    cp "$SC_HSM_SOURCE/openssl.cnf.sample" "$OPENSSL_CONF"
    configure "pin-source=file:$pin_file" "pkcs11-module=$other_road"
}

# SoftHSM's files are its user's alone, and a server's workers are another one.
share_token() {
    ! on_token || chmod -R a+rwX "$work/tokens" "$work/softhsm2.conf"
}

# configure KEY=VALUE...: changes our provider's section of this test's openssl.cnf; an empty
# value takes the key away.
configure() {
    local setting key value
    for setting in "$@"; do
        key=${setting%%=*} value=${setting#*=}
        sed -i -e "/^$key *=/d" "$OPENSSL_CONF"
        [ -z "$value" ] || sed -i -e "/^\[sc_hsm_sect\]/a $key = $value" "$OPENSSL_CONF"
    done
}

# commands: how many commands the first card has had so far.
commands() {
    grep -c '^> ' "$SC_HSM_VIRTUAL/card-1.log" || true
}

# count WHAT BOUND COMMAND...: runs the command, which must succeed, and compares the number of
# card commands it took with a bound such as =3 or <=5. A token is sent no card commands.
count() {
    local what=$1 bound=$2 before after
    shift 2
    if on_token; then
        check "$what" "$@"
        return
    fi
    before=$(commands)
    check "$what" "$@"
    after=$(($(commands) - before))
    if ! case $bound in
        '<='*) [ "$after" -le "${bound#<=}" ] ;;
        '='*) [ "$after" = "${bound#=}" ] ;;
        esac then
        tail -n $((3 * after)) "$SC_HSM_VIRTUAL/card-1.log" | cut -c1-120 >"$seen"
        fail "$what: $after card commands, expected $bound"
    fi
    echo "ok: $what: $after card commands"
}

# raw_apdus [HEX]...: sends commands to the card behind the provider's back, through SELECT.
raw_apdus() {
    local apdu options=(--send-apdu 00A404000BE82B0601040181C31F020100)
    for apdu in "$@"; do
        options+=(--send-apdu "$apdu")
    done
    opensc-tool --reader 0 --card-driver default "${options[@]}"
}

# reset_card HOW: a warm or cold reset by another program. Right after a reset vpcd may say for a moment that
# there is no card.
reset_card() {
    wait_for "a $1 reset" opensc-tool --reader 0 --reset="$1"
    echo "ok: a $1 reset"
}

# pin_tries: how many tries the user PIN of the first card has left; "blocked" when none.
pin_tries() {
    local answer
    if on_token && counts_logins; then
        answer=$(tail -n 3 "$SC_HSM_LOGINS" | tac | sed -n '/wrong/!q;p' | wc -l)
        if [ "$answer" = 3 ]; then echo blocked; else echo $((3 - answer)); fi
        return
    fi
    if on_token; then
        # It tells no number, but whether one was spent.
        answer=$(OPENSSL_CONF=/dev/null pkcs11-tool --module "$softhsm" --list-slots)
        if [[ $answer == *"PIN count low"* ]]; then echo 2; else echo 3; fi
        return
    fi
    answer=$(raw_apdus 00200081 2>&1 | grep -o 'SW1=0x.., SW2=0x..' | tail -1)
    case $answer in
    'SW1=0x63, SW2=0xC'?) echo "${answer: -1}" ;;
    'SW1=0x69, SW2=0x83') echo blocked ;;
    *) fail "the card's answer about its PIN: $answer" ;;
    esac
}

# What some devices have and others have not; a test asks before it tries.
# Whether the device's label can be set.
sets_labels() {
    ! on_pico
}

# Whether a use counter counts.
counts_uses() {
    ! on_pico
}

# Whether the list of files has certificates and contents.
lists_contents() {
    ! on_pico
}

# Whether an SO-PIN is checked when the device is initialised.
checks_so_pin() {
    ! on_pico
}

# Whether a transport PIN, once changed, opens the device.
has_transport_pins() {
    ! on_pico
}

# Whether a device that lets the SO-PIN set another PIN lets it keep the old one, too.
keeps_pin() {
    ! on_pico
}

# Whether a device without a PIN, which public keys open, can have keys.
keys_without_pin() {
    ! on_pico
}

# Whether a DKEK's key check value is told before somebody logs in.
tells_kcv() {
    ! on_pico
}

# file_max: bytes of the longest file that the tests store.
file_max() {
    if on_pico; then echo 4032; else echo 20000; fi
}

# cold_signature: commands of the first signature. A Pico HSM's reader does not tell its serial number.
cold_signature() {
    if on_pico; then echo 4; else echo 3; fi
}

# files: the ids of all files on the first card, as text that can be compared.
files() {
    if on_token; then
        find "$work/tokens" -name '*.object' | sort
        return
    fi
    raw_apdus 8058000000 2>/dev/null | sed '1,/SW1=0x90/d'
    lists_contents || sc-hsm ls | cut -c1-5
}

# pin_checks: how many VERIFY commands with a PIN the first card has had so far, or logins the token.
pin_checks() {
    if on_token; then
        counts_logins || fail "SoftHSM does not tell how many logins there were"
        grep -cx -e ok -e wrong "$SC_HSM_LOGINS" || true
        return
    fi
    grep -c '^> 00200081.' "$SC_HSM_VIRTUAL/card-1.log" || true
}

# tries NUMBER: what is said of the tries that are left; tokens say of less than three no more.
tries() {
    if on_token; then echo 'fewer than 3 tries'; else echo "$1 (PIN )?tries"; fi
}

# make_rsa_key, make_ec_key: a key on the card (ids 10 and 20, labels web-rsa and web-ec), its
# reference file and its public key in rsa.pem, rsa.pub, ec.pem and ec.pub.
make_rsa_key() {
    check "an RSA-2048 key is made on the card" openssl genpkey -algorithm SC-HSM-RSA \
        -pkeyopt bits:2048 -pkeyopt id:10 -pkeyopt label:web-rsa -out rsa.pem
    check "its public key is in the reference file" openssl pkey -in rsa.pem -pubout -out rsa.pub
    share_token
}

make_ec_key() {
    check "a P-256 key is made on the card" openssl genpkey -algorithm SC-HSM-EC \
        -pkeyopt group:P-256 -pkeyopt id:20 -pkeyopt label:web-ec -out ec.pem
    check "its public key is in the reference file" openssl pkey -in ec.pem -pubout -out ec.pub
    share_token
}

# self_signed NAME: a certificate for the key NAME.pem in NAME.crt.
self_signed() {
    check "a self-signed certificate with $1.pem" \
        openssl req -new -x509 -key "$1.pem" -subj "/CN=$1" -days 30 -out "$1.crt"
}

# --- the end ---------------------------------------------------------------------------------

sanitizer_reports() {
    find "$reports" -type f -size +0 2>/dev/null
}

cleanup() {
    local status=$? report
    # Whatever is missing by now, the rest is to be cleaned up.
    trap - EXIT ERR
    set +eE
    cd /
    if [ $status != 0 ] && [ -n "${SC_HSM_VIRTUAL:-}" ]; then
        for report in "$SC_HSM_VIRTUAL"/pcscd.log "$SC_HSM_VIRTUAL"/card-*.log; do
            [ -s "$report" ] || continue
            echo "--- the end of $(basename "$report"):" >&2
            tail -n 8 "$report" | cut -c1-160 >&2
        done
    fi
    if declare -F at_end >/dev/null; then
        at_end
    fi
    if [ -n "${SC_HSM_VIRTUAL:-}" ]; then
        virtual_hsm stop >/dev/null || status=1
    fi
    for report in $(sanitizer_reports); do
        echo "FAILED: a sanitizer reports:" >&2
        head -n 60 "$report" >&2
        status=1
    done
    if [ -n "${SC_HSM_TEST_KEEP:-}" ]; then
        echo "kept: $work" >&2
    else
        rm -rf "$work"
    fi
    kill -- "-$watchdog" 2>/dev/null
    exit $status
}
trap cleanup EXIT
# A command that failed unawaited ends the test; this tells which one.
set -E
trap 'echo "FAILED: ${BASH_SOURCE[0]##*/}, line $LINENO: $BASH_COMMAND" >&2' ERR
trap 'exit 1' INT TERM HUP
