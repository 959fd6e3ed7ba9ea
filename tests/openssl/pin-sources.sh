#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A PIN from systemd's credentials, from pinentry and from systemd-ask-password. The real programs are
# asked; programs of this test's stand in where they are to answer what real ones rarely do.
. "$(dirname "$0")/../lib.sh"
reply=/lib/systemd/systemd-reply-password
need expect pinentry-curses systemd-ask-password $reply
# Neither is ours to look for leaks in.
wrap pinentry -u LD_PRELOAD
wrap systemd-ask-password -u LD_PRELOAD
virtual_card
make_ec_key
seq 1 100 >data
configure pin-source=

# log_out: by selecting the applet.
log_out() {
    raw_apdus >select.out 2>&1
}

# signs WHAT COMMAND...: the command leaves a good signature of data.
signs() {
    rm -f signature
    log_out
    check "$@"
    check "verified" plain_openssl dgst -sha256 -verify ec.pub -signature signature data
}
sign_with() {
    openssl dgst -sha256 -sign "sc-hsm:id=20?pin-source=$1" -out signature data
}

# --- systemd's credentials ---
mkdir credentials
cp "$SC_HSM_VIRTUAL/pin" credentials/web-pin
unset CREDENTIALS_DIRECTORY
fails "there are no credentials" sign_with credential:web-pin
says "the environment has no CREDENTIALS_DIRECTORY" "LoadCredential=web-pin:PATH"
export CREDENTIALS_DIRECTORY=$work/credentials
signs "a credential, by a URI" sign_with credential:web-pin
configure pin-source=credential:web-pin
signs "by the configuration" openssl dgst -sha256 -sign ec.pem -out signature data
configure pin-source=
log_out
check "for the tool" sc-hsm --pin-source credential:web-pin keygen --type ec:P-256 --label one
check "for a new key" openssl genpkey -algorithm SC-HSM-EC -pkeyopt group:P-256 \
    -pkeyopt pin-source:credential:web-pin -out k.pem
# As a service that is not root sees it: an access list shows as what the group may.
chmod 440 credentials/web-pin
signs "which systemd lets others at by an access list" sign_with credential:web-pin
chmod 444 credentials/web-pin
fails "not one that everybody can read" sign_with credential:web-pin
says "mode 0?444 lets every user at it"
chmod 400 credentials/web-pin
fails "a credential that is not there" sign_with credential:other
says "the PIN file $work/credentials/other cannot be read: No such file"
cp credentials/web-pin .
for name in ../web-pin %2E%2E/web-pin .. . "$work/web-pin" a/b ""; do
    fails "no credential: '$name'" sign_with "credential:$name"
    says "credential:' (needs the name of a credential behind it, and no path|lacks what belongs behind it)"
done

# --- pinentry, the real one, on a terminal ---
# typing KEYS COMMAND...: types them at what asks for a PIN.
typing() {
    local keys=$1
    shift
    TERM=xterm expect -f - -- "$keys" "$@" <<'END'
set timeout $env(SC_HSM_PATIENCE)
spawn -noecho {*}[lrange $argv 1 end]
expect {
    -re {PIN for} { sleep 0.3; send [lindex $argv 0] }
    timeout { puts "nothing asked"; exit 90 }
}
expect {
    timeout { puts "no end"; exit 91 }
    eof {}
}
exit [lindex [wait] 3]
END
}
sign=(openssl dgst -sha256 -out signature)
by_pinentry=("${sign[@]}" -sign "sc-hsm:id=20?pin-source=pinentry")
by_systemd=("${sign[@]}" -sign "sc-hsm:id=20?pin-source=systemd-ask-password")
signs "the real pinentry" typing "$pin"$'\r' "${by_pinentry[@]}" data
log_out
fails "left without an answer" typing $'\t\t\r' "${by_pinentry[@]}" data
says "the prompt for the PIN was left without an answer"
equal "no try was spent" 3 "$(pin_tries)"
fails "a wrong PIN" typing $'111111\r' "${by_pinentry[@]}" data
says "the PIN is wrong .* 2 tries are left"
signs "the last tries are for a person" typing "$pin"$'\r' "${by_pinentry[@]}" data
log_out
fails "where there is no terminal" setsid -w "${by_pinentry[@]}" data </dev/null
says "pinentry could not ask for the PIN: .*; it needs a window or a terminal"
log_out
fails "where there is no pinentry" env "PATH=$SC_HSM_BUILD/bin" ${SC_HSM_ASAN:+LD_PRELOAD=$SC_HSM_ASAN} \
    "$real_openssl" dgst -sha256 -sign "sc-hsm:id=20?pin-source=pinentry" -out signature data
says "there is no program pinentry here: install it, or choose another source"

# --- systemd-ask-password, the real one ---
signs "at the terminal" typing "$pin"$'\r' "${by_systemd[@]}" data
signs "by its short name" typing "$pin"$'\r' "${sign[@]}" -sign "sc-hsm:id=20?pin-source=systemd" data
# What systemd's agents do: at the console, at boot, in a window.
answer() {
    local question=
    until [ -n "$question" ]; do
        question=$(grep -l "on device $(serial)" /run/systemd/ask-password/ask.* 2>/dev/null) || sleep 0.05
    done
    printf %s "$1" | $reply 1 "$(sed -n 's/^Socket=//p' "$question")"
}
serial() {
    sed -n 1p "$SC_HSM_VIRTUAL/serials"
}
agent=
at_end() {
    [ -z "$agent" ] || kill "$agent" 2>/dev/null
}
if [ "$(id -u)" = 0 ] && [ -d /run/systemd ]; then
    log_out
    answer "$pin" &
    agent=$!
    setsid -w "${by_systemd[@]}" data </dev/null >"$seen" 2>&1 || fail "without a terminal, by an agent"
    check "an agent answered" wait $agent
    agent=
    check "verified" plain_openssl dgst -sha256 -verify ec.pub -signature signature data
    # Nobody is there to answer. 90 seconds are too long for a test.
    sed -i 's/systemd-ask-password "/systemd-ask-password --timeout=1 "/' .bin/systemd-ask-password
    log_out
    fails "without an agent" setsid -w "${by_systemd[@]}" data </dev/null
    says "systemd-ask-password got no answer to 'PIN for .*': it waits 90 seconds for a terminal or an agent" \
        "'systemd-tty-ask-password-agent --query' is one"
    equal "no try was spent" 3 "$(pin_tries)"
fi

# --- what is said to pinentry, and what it may answer ---
check "a label that would draw a prompt of its own" openssl genpkey -algorithm SC-HSM-EC \
    -pkeyopt group:P-256 -pkeyopt "label:50%"$'\e[2J\nSETDESC mine\xe2\x80\xae' -pkeyopt id:30 \
    -pkeyopt "pin-value:$pin" -out evil.pem
cat >.bin/pinentry <<END
#!/usr/bin/env -S -u LD_PRELOAD bash
exec 2>>$work/pinentry.err
echo "\$# \$*" >$work/arguments
ls /proc/self/fd >$work/descriptors
grep ^SigIgn /proc/\$\$/status >$work/signals
plan=\$(cat $work/plan)
[ "\$plan" != silence ] || exit 0
echo "OK at your service"
: >$work/heard
while IFS= read -r line; do
    printf '%s\n' "\$line" >>$work/heard
    case "\$plan \$line" in
    "refuse OPTION"* | "refuse SETDESC"*) echo "ERR 83886355 Unknown option <Pinentry>" ;;
    "no-option OPTION"*) echo "ERR 83886355 Unknown option <Pinentry>" ;;
    "die GETPIN") exit 1 ;;
    "cancel GETPIN") echo "ERR 83886179 Operation cancelled <Pinentry>" ;;
    "empty GETPIN") echo OK ;;
    "long GETPIN") printf 'D %0900d\nOK\n' 0 ;;
    "endless GETPIN") printf 'D %09000d\nOK\n' 0 ;;
    "inquire GETPIN") printf 'S PASSWORD\n# a comment\nINQUIRE QUALITY 64\n' ;;
    "differ GETPIN") printf 'D %s\nOK\n' "\$(date +%N)" ;;
    "inquire CAN") printf 'D $pin\nOK\n' ;;
    *GETPIN) printf 'D %%3%s%%34${pin:2:2}\nD ${pin:4}\nOK\n' "${pin:0:1}" ;;
    *) echo OK ;;
    esac
done
END
chmod 755 .bin/pinentry
plan() {
    echo "$1" >plan
    log_out
}
[ "${pin:1:1}" = 4 ] || fail "the stand-in knows another PIN"
exec 9<data
plan good
signs "a PIN in pieces and percents" "${by_pinentry[@]}" data
exec 9<&-
equal "nothing in its arguments" "0 " "$(cat arguments)"
equal "no descriptor but its own, and that of ls" "0 1 2 3" "$(paste -sd ' ' descriptors)"
cp heard "$seen"
says "^SETDESC PIN for .*web-ec.* on device $(serial) \(3 tries left\)$" "^SETPROMPT PIN:$" "^GETPIN$"
for plan in no-option inquire; do
    plan $plan
    signs "$plan" "${by_pinentry[@]}" data
done
plan good
check "signals that a server ignores are not ignored there" bash -c \
    'trap "" PIPE TERM INT; exec "$@"' bash "${by_pinentry[@]}" data
equal "none" 0 "$((0x$(cut -f2 signals) & 0x5002))"
plan good
check "a server that waits for no child" bash -c 'trap "" CHLD; exec "$@"' bash "${by_pinentry[@]}" data
plan good
check "the steering label" "${sign[@]}" -sign "sc-hsm:id=30?pin-source=pinentry" data
cp heard "$seen"
says '^SETDESC PIN for .*50%25\?\[2J\?SETDESC mine\?.* on device'
says_nothing_of $'\e' '^SETDESC mine'
for plan in "cancel:left without an answer" "empty:left without an answer" \
    "refuse:pinentry could not ask for the PIN: Unknown option <Pinentry>" \
    "die:could not ask for the PIN: it ended before it answered" \
    "silence:could not ask for the PIN: it ended before it answered" \
    "long:holds more than 256 bytes" "endless:it ended before it answered"; do
    plan "${plan%%:*}"
    fails "pinentry: ${plan%%:*}" "${by_pinentry[@]}" data
    says "${plan#*:}"
done
equal "no try was spent" 3 "$(pin_tries)"
plan good
configure pin-source=pinentry cache-pin=yes
signs "by the configuration" openssl dgst -sha256 -sign ec.pem -out signature data
log_out
check "for the tool" sc-hsm --pin-source pinentry keygen --type ec:P-256 --label two
# Different answers end it before seconds of work on the password.
plan differ
fails "and another secret than the PIN" sc-hsm dkek create-share share.pbe --password-source pinentry
says differ
cp heard "$seen"
says "^SETPROMPT new password of share.pbe once more:"
fails "an unknown source" sign_with pinentrie
says "none of file:PATH, credential:NAME, env:NAME, fd:N, prompt, pinentry, systemd-ask-password and pinpad"
