#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Gives a shell a virtual SmartCard-HSM behind a private, real pcscd:
#
#     eval "$(examples/virtual-hsm.sh start)"
#     openssl storeutl sc-hsm:
#     eval "$(examples/virtual-hsm.sh stop)"
#
# The daemon and the virtual cards run in a network and mount namespace of their own. The reader
# driver listens on every address it can see, and there that is a loopback nobody else can reach;
# the ports can never be taken; and the daemon sees neither the system's pcscd nor the USB tokens
# that belong to it. Clients come in through a Unix socket, which namespaces do not separate.
set -euo pipefail

readonly so_pin=3537363231383830
readonly pin=648219
readonly driver=/usr/lib/pcsc/drivers/serial/libifdvpcd.so
readonly first_port=35963 # the driver's customary port; each reader takes it and the next one
readonly max_cards=8      # pcscd holds 16 slots, the driver takes two for each reader
# Seconds that anything here may take before it counts as broken; slow machines set SC_HSM_TEST_SCALE.
readonly deadline=$((240 * ${SC_HSM_TEST_SCALE:-1}))

PATH=$PATH:/usr/sbin:/sbin # where pcscd is, and not in the PATH of every user

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SC_HSM_BUILD:-$root/build}

usage() {
    cat <<'END'
Usage: virtual-hsm.sh start [--cards N] [--profile P] [--latency L]
                                          start N virtual cards, 0 to 8, that are a device of some
                                          kind: jcop3, jcop4, microsd, hsm12, pico,
                                          pico-provisioned (sc-hsm-sim(1)), as slow as real
                                          ones are: none, real, jcop3 or jcop4; print shell lines
                                          to eval
       virtual-hsm.sh env                 print these lines again
       virtual-hsm.sh stop                end cards and daemon; print lines that undo the settings
       virtual-hsm.sh remove [CARD]       pull a card out of its reader (1, 2, ...; default 1)
       virtual-hsm.sh insert [CARD]       put it back
       virtual-hsm.sh service HOW         end the private pcscd ("stop", or "kill" as by signal 9),
                                          or "start" it again; the cards stay in their readers
       virtual-hsm.sh control CARD WORDS  make something go wrong with a card: "control 1 help"
All but start work on the environment that SC_HSM_VIRTUAL names. Binaries are taken from
SC_HSM_BUILD, by default the build folder of this source tree.
END
}

die() {
    echo "virtual-hsm.sh: $*" >&2
    exit 1
}

# wait_until WHAT COMMAND...: polls the command; dies with WHAT when the deadline passes.
wait_until() {
    local what=$1 end=$((SECONDS + deadline))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || die "$what"
        sleep 0.05
    done
}

quoted() {
    printf "'%s'" "${1//\'/\'\\\'\'}"
}

# --- processes -------------------------------------------------------------------------------

# running NAME: true while the process that we started under that name lives. The command line
# names our folder, so that a number used again by a stranger is not mistaken for it. It reads as
# empty for a process that ended and for one that is just at exec: a second look tells them apart.
running() {
    local process words look
    process=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
    for look in first second; do
        words=$( (tr '\0' ' ' <"/proc/$process/cmdline") 2>/dev/null) || return 1
        if [ -n "$words" ]; then
            [[ $words == *"$dir/"* ]]
            return
        fi
        [ "$look" = second ] || sleep 0.02
    done
    return 1
}

not_running() {
    ! running "$1"
}

# detached NAME COMMAND...: starts a process that outlives this script and its terminal and holds
# none of its files, or `eval "$(... start)"` would wait for it. All in the chain exec, so the
# number noted is the one of the process that stays.
detached() {
    local name=$1
    shift
    setsid "$@" </dev/null >>"$dir/$name.log" 2>&1 &
    echo $! >"$dir/$name.pid"
    until running "$name" || ! kill -0 $! 2>/dev/null; do
        sleep 0.01
    done
}

end_process() {
    local process end
    if running "$1"; then
        process=$(cat "$dir/$1.pid")
        kill "$process" 2>/dev/null || true
        end=$((SECONDS + 30 * ${SC_HSM_TEST_SCALE:-1}))
        while running "$1" && [ "$SECONDS" -lt "$end" ]; do
            sleep 0.02
        done
        kill -9 "$process" 2>/dev/null || true
        while running "$1"; do
            sleep 0.02
        done
    fi
    rm -f "$dir/$1.pid"
}

# --- the private pcscd -----------------------------------------------------------------------

# How this user gets namespaces: as root at once, others through a user namespace, root inside a
# chroot by leaving the root folder's mount as it is, which is out of reach there.
namespace_options() {
    local options
    for options in "--net --mount" "--user --map-root-user --net --mount" \
        "--net --mount --propagation unchanged"; do
        # shellcheck disable=SC2086  # words on purpose
        if unshare $options true 2>/dev/null; then
            echo "$options"
            return
        fi
    done
    die "this machine lets nobody make a network namespace: run as root (in a container, with" \
        "the capability SYS_ADMIN) or allow unprivileged user namespaces"
}

serial_of() {
    sed -n "${1}p" "$dir/serials"
}

# A reader is named as USB tokens are: product, then in brackets the card's serial and "0000". That of
# a Pico HSM tells no serial number.
reader_of() {
    case $(cat "$dir/profile") in
    pico*) printf 'Virtual Pico HSM %d' "$1" ;;
    *) printf 'Virtual SmartCard-HSM (%-24s)' "$(serial_of "$1")0000" ;;
    esac
}

# How this user gets into the namespaces of a process.
card_namespaces() {
    if [ "$(id -u)" = 0 ]; then echo "--net"; else echo "--user --preserve-credentials --net"; fi
}

# The reader driver keeps its connections in variables of the library: readers that should have one
# each must load a copy each.
write_readers() {
    local card port
    mkdir "$dir/readers"
    for ((card = 1; card <= cards; card++)); do
        port=$((first_port + 2 * (card - 1)))
        cp "$driver" "$dir/driver-$card.so"
        cat <<END
FRIENDLYNAME "$(reader_of "$card")"
DEVICENAME   /dev/null:$port
LIBPATH      $dir/driver-$card.so
CHANNELID    $port
END
    done >"$dir/readers/cards"
}

# Runs inside the namespaces. pcscd would open every USB token it has a driver for, and write its
# process number into /run/pcscd: both belong to the system's pcscd, so it gets to see neither. In
# some chroots a mount would spread to the system around them; there both are the chroot's own
# affair and stay as they are.
# shellcheck disable=SC2016  # expanded by the inner shell
readonly daemon_script='
    set -eu
    dir=$1 outside=$2
    ip link set lo up
    mkdir -p "$dir/probe"
    mount -t tmpfs none "$dir/probe"
    if grep -qF " $dir/probe " "/proc/$outside/mountinfo"; then
        umount "$dir/probe"
    else
        mount -t tmpfs none /run
        mkdir /run/pcscd
        for bundle in /usr/lib/pcsc/drivers/*.bundle; do
            [ ! -d "$bundle" ] || mount -t tmpfs none "$bundle"
        done
    fi
    # Newer daemons ask polkit, which may not be there, and elsewhere lets in nobody but root and who
    # sits at the console. Who may use this card is whoever finds its socket.
    polkit=
    ! pcscd --help | grep -q -e --disable-polkit || polkit=--disable-polkit
    exec systemd-socket-activate -l "$dir/pcscd.comm" \
        pcscd --foreground $polkit --config "$dir/readers"
'

reader_ports_open() {
    local process
    process=$(cat "$dir/pcscd.pid")
    # State 0A is LISTEN; this file shows the network namespace of that process.
    [ "$(grep -c ' 00000000:0000 0A ' "/proc/$process/net/tcp" 2>/dev/null)" = $((2 * cards)) ]
}

# True as well when it ended: then there is nothing to wait for.
daemon_answers() {
    [ -S "$dir/pcscd.comm" ] || not_running pcscd
}

# The first client makes systemd-socket-activate become pcscd. One that came when the socket had its
# name already but did not listen yet was turned away; so another one follows.
readers_ready() {
    running pcscd || die "the private pcscd ended"
    reader_ports_open || {
        opensc-tool --list-readers >/dev/null 2>&1 || true
        reader_ports_open
    }
}

# restart_in OPTIONS: how to come into the network of a card that outlived the daemon, where a new
# namespace would have these options; nothing where there is no such card.
restart_in() {
    local file name
    for file in "$dir"/card-*.pid; do
        name=$(basename "$file" .pid)
        if [ -f "$file" ] && running "$name"; then
            echo "nsenter --target $(cat "$file") $(card_namespaces) -- unshare --mount ${1#*--mount}"
            return
        fi
    done
}

start_daemon() {
    local options way
    options=$(namespace_options)
    way=$(restart_in "$options")
    way=${way:-unshare $options}
    rm -f "$dir/pcscd.comm"
    # shellcheck disable=SC2086  # words on purpose
    detached pcscd $way bash -c "$daemon_script" pcscd-private "$dir" $$
    wait_until "the private pcscd did not start" daemon_answers
    running pcscd || die "the private pcscd did not start"
    # A server's worker that gave up root has to reach the daemon as well.
    chmod 666 "$dir/pcscd.comm"
    wait_until "the reader driver does not listen" readers_ready
}

# --- the virtual cards -----------------------------------------------------------------------

start_card() {
    local card=$1 port process serial profile name=()
    port=$((first_port + 2 * (card - 1)))
    process=$(cat "$dir/pcscd.pid")
    serial=$(serial_of "$card") profile=$(cat "$dir/profile")
    case $profile in
    pico) ;; # named by itself, as all of them
    pico-provisioned) name=(--serial "ES${serial: -5}") ;;
    *) name=(--serial "$serial") ;;
    esac
    # SC_HSM_SIM_OPTIONS: more of sc-hsm-sim's options, for tests
    # shellcheck disable=SC2046,SC2086  # words on purpose
    detached "card-$card" nsenter --target "$process" $(card_namespaces) -- \
        "$build/bin/sc-hsm-sim" --state "$dir/card-$card.state" --vpcd "127.0.0.1:$port" \
        ${name[@]+"${name[@]}"} --log --control "$dir/card-$card.control" \
        --profile "$profile" --latency "$(cat "$dir/latency")" ${SC_HSM_SIM_OPTIONS:-}
}

# slot_shows CARD YES_OR_NO: whether pcscd sees a card in the reader of that card.
slot_shows() {
    opensc-tool --list-readers 2>/dev/null | grep "$(reader_of "$1") 00 00" | grep -q "^[0-9]* *$2"
}

card_present() {
    running "card-$1" || die "virtual card $1 did not start"
    slot_shows "$1" Yes
}

card_absent() {
    slot_shows "$1" No
}

# SELECT, then INITIALIZE DEVICE: options "SO-PIN may unblock", PIN, SO-PIN, 3 tries, no DKEK. The
# card counts as logged in after it; another SELECT ends that.
initialise_card() {
    local pin_hex select initialise answers
    pin_hex=$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')
    select=00A404000BE82B0601040181C31F020100
    initialise=8050000019800200018106${pin_hex}8208${so_pin}910103
    answers=$(opensc-tool --reader "$(reader_of "$1") 00 00" --card-driver default \
        --send-apdu "$select" --send-apdu "$initialise" --send-apdu "$select" 2>&1) || true
    [ "$(grep -c 'SW1=0x90, SW2=0x00' <<<"$answers")" = 3 ] ||
        die "virtual card $1 could not be initialised: $answers"
}

# --- commands --------------------------------------------------------------------------------

check_needs() {
    local program
    for program in pcscd systemd-socket-activate unshare nsenter setsid ip opensc-tool; do
        command -v "$program" >/dev/null ||
            die "$program is missing: examples/quickstart.sh installs what is needed"
    done
    [ -f "$driver" ] || die "the virtual reader's driver is missing: install vsmartcard-vpcd"
    [ -x "$build/bin/sc-hsm-sim" ] ||
        die "there is no $build/bin/sc-hsm-sim: build first, or set SC_HSM_BUILD"
}

make_folder() {
    local parent=${TMPDIR:-/tmp}
    # A socket's name must be short, and inside the namespace /run is another one.
    if [ ${#parent} -gt 60 ] || [[ $parent == /run* ]]; then
        parent=/tmp
    fi
    dir=$(mktemp -d "$parent/sc-hsm-virtual.XXXXXX")
    # Others may reach the socket by its name, and see nothing else.
    chmod 711 "$dir"
}

write_serials() {
    local number card
    number=$(($(od -An -N4 -tu4 /dev/urandom) % 900000 + 100000))
    for ((card = 0; card < cards; card++)); do
        case $profile in
        pico) echo ESPICOHSMTR00001 ;;
        pico-provisioned) printf 'ESPICOHSMTR%05d\n' $(((number + card) % 100000)) ;;
        *) printf 'UTSIM%06d\n' $(((number + card) % 1000000)) ;;
        esac
    done >"$dir/serials"
}

# A value of openssl.cnf.
for_openssl() {
    printf '%s\n' "$1" | sed 's/[\\$#"]/\\&/g'
}

write_configuration() {
    local line
    (umask 077 && echo "$pin" >"$dir/pin")
    # The module by its own name: OPENSSL_MODULES would hide those of OpenSSL's (legacy.so).
    while IFS= read -r line; do
        case $line in
        '# pin-source = '*) line="pin-source = file:$(for_openssl "$dir/pin")" ;;
        '# module = '*) line="module = $(for_openssl "$build/lib/sc-hsm.so")" ;;
        esac
        printf '%s\n' "$line"
    done <"$root/openssl.cnf.sample" >"$dir/openssl.cnf"
    [ "$(grep -Ec '^(pin-source|module) = ' "$dir/openssl.cnf")" = 2 ] ||
        die "openssl.cnf.sample names no pin-source or no module"
    cat >"$dir/env" <<END
export PCSCLITE_CSOCK_NAME=$(quoted "$dir/pcscd.comm")
export OPENSSL_CONF=$(quoted "$dir/openssl.cnf")
export PATH=$(quoted "$build/bin"):"\$PATH"
export SC_HSM_VIRTUAL=$(quoted "$dir")
END
}

stop_all() {
    local file
    for file in "$dir"/card-*.pid; do
        [ ! -f "$file" ] || end_process "$(basename "$file" .pid)"
    done
    end_process pcscd
    rm -rf "$dir"
}

command_start() {
    local card profile latency=none
    cards=1 profile=default
    while [ $# -gt 0 ]; do
        case $1 in
        --cards)
            cards=${2:-}
            shift 2 || die "--cards needs a number"
            ;;
        --profile)
            profile=${2:-}
            shift 2 || die "--profile needs a name"
            ;;
        --latency)
            latency=${2:-}
            shift 2 || die "--latency needs a name"
            ;;
        *) die "unknown option $1" ;;
        esac
    done
    [[ $cards =~ ^[0-$max_cards]$ ]] || die "--cards takes a number from 0 to $max_cards"
    check_needs
    make_folder
    trap 'tail -qn 3 "$dir"/*.log >&2; stop_all' EXIT
    trap 'exit 1' INT TERM HUP
    echo "$profile" >"$dir/profile"
    echo "$latency" >"$dir/latency"
    write_serials
    write_readers
    write_configuration
    export PCSCLITE_CSOCK_NAME=$dir/pcscd.comm
    start_daemon
    for ((card = 1; card <= cards; card++)); do
        start_card "$card"
    done
    for ((card = 1; card <= cards; card++)); do
        wait_until "virtual card $card did not reach its reader" card_present "$card"
        initialise_card "$card"
        : >"$dir/card-$card.log"
    done
    trap - EXIT
    cat "$dir/env"
}

# use_running: takes the environment that this shell is in.
use_running() {
    dir=${SC_HSM_VIRTUAL:-}
    [ -n "$dir" ] || die "SC_HSM_VIRTUAL is not set: this shell has no virtual card"
    [ -f "$dir/env" ] || die "there is no virtual card in $dir any more"
    export PCSCLITE_CSOCK_NAME=$dir/pcscd.comm
}

use_card() {
    use_running
    card=${1:-1}
    if ! [[ $card =~ ^[1-$max_cards]$ ]] || [ -z "$(serial_of "$card")" ]; then
        die "there is no card $card in $dir"
    fi
}

command_env() {
    use_running
    cat "$dir/env"
}

command_stop() {
    use_running
    stop_all
    echo "unset PCSCLITE_CSOCK_NAME OPENSSL_CONF SC_HSM_VIRTUAL"
}

command_remove() {
    use_card "$@"
    running "card-$card" || die "card $card is not in its reader"
    end_process "card-$card"
    wait_until "pcscd did not notice that card $card is gone" card_absent "$card"
}

tell_card() {
    "$build/bin/sc-hsm-sim" --control "$dir/card-$1.control" --tell "$2"
}

# A card that was pulled is gone; one that pulled itself, told by "control", still runs.
command_insert() {
    use_card "$@"
    if running "card-$card" && [ "$(tell_card "$card" list | head -n 1)" != removed ]; then
        die "card $card is in its reader already"
    fi
    # A card that just died may still count as present; the new one must not be taken for it.
    wait_until "pcscd did not notice that card $card is gone" card_absent "$card"
    if running "card-$card"; then
        tell_card "$card" insert >/dev/null
    else
        start_card "$card"
    fi
    wait_until "card $card did not reach its reader" card_present "$card"
}

# inserted CARD: it runs, and has not pulled itself.
inserted() {
    running "card-$1" && [ "$(tell_card "$1" list | head -n 1)" = inserted ]
}

# The daemon alone ends, or comes back to the cards that are there.
command_service() {
    local card
    use_running
    case ${1:-} in
    stop) end_process pcscd ;;
    kill)
        running pcscd || die "the private pcscd does not run"
        kill -9 "$(cat "$dir/pcscd.pid")"
        wait_until "the private pcscd did not end" not_running pcscd
        ;;
    start)
        not_running pcscd || die "the private pcscd runs already"
        cards=$(wc -l <"$dir/serials")
        start_daemon
        for ((card = 1; card <= cards; card++)); do
            ! inserted "$card" || wait_until "card $card did not reach its reader" card_present "$card"
        done
        ;;
    *) die "service takes stop, kill or start" ;;
    esac
}

# The card itself listens, and tells what it understands.
command_control() {
    use_card "$@"
    [ $# -gt 1 ] || die "control needs a card and what to tell it, for example: control 1 help"
    running "card-$card" || die "card $card is not in its reader"
    tell_card "$card" "${*:2}"
}

case ${1:-} in
start | env | stop | remove | insert | control | service) "command_$1" "${@:2}" ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
