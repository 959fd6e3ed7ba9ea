#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
need_virtual_hsm

# folder SETTINGS: the folder that these settings name.
folder() {
    sed -n "s/^export SC_HSM_VIRTUAL='\(.*\)'$/\1/p" "$1"
}

# Debian's users have no /usr/sbin in their PATH.
(PATH=$work/.bin:/usr/bin:/bin virtual_hsm start --cards 2) >first
virtual_hsm start --cards 2 >second
first=$(folder first) second=$(folder second)
at_end() {
    local left
    for left in "$first" "$second"; do
        SC_HSM_VIRTUAL=$left virtual_hsm stop >/dev/null 2>&1
    done
}
equal "four cards side by side have four serial numbers" 4 \
    "$(cat "$first/serials" "$second/serials" | sort -u | wc -l)"
for settings in first second; do
    # shellcheck disable=SC1090
    check "the settings of the $settings are for a shell" dash -c ". ./$settings && opensc-tool -l"
    equal "two cards are there" 2 "$(grep -c Yes "$seen")"
    SC_HSM_VIRTUAL=$(folder $settings) virtual_hsm env >again
    same_bytes "env prints the settings again" $settings again
    equal "the PIN is nobody else's to read" 600 "$(stat -c %a "$(folder $settings)/pin")"
done
check "nothing listens outside" bash -c "! grep -qi ':8C7B ' /proc/net/tcp"

eval "$(cat first)"
check "openssl works as the settings stand" openssl storeutl -noout "sc-hsm:serial=$(head -1 "$first/serials")"
# OpenSSL's own modules are found as ever.
printf 'secret words\n' >password
check "legacy algorithms work beside it" openssl pkcs12 -export -legacy -nokeys -out old.p12 \
    -passout file:password -in <(plain_openssl req -x509 -newkey rsa:2048 -noenc -subj /CN=x \
    -keyout /dev/null)
check "the configuration has what PHP's openssl_pkey_new asks for" \
    grep -qx 'default_bits = [1-9][0-9]*' "$OPENSSL_CONF"
check "a card is pulled" virtual_hsm remove 2
equal "one is left" 1 "$(opensc-tool -l | grep -c Yes)"
fails "it cannot be pulled twice" virtual_hsm remove 2
check "it is put back" virtual_hsm insert 2
equal "two are there" 2 "$(opensc-tool -l | grep -c Yes)"
fails "it cannot be put in twice" virtual_hsm insert 2
says 'card 2 is in its reader already'
check "a card is told to go" virtual_hsm control 2 remove
check "it is put back as well" virtual_hsm insert 2
equal "two are there again" 2 "$(opensc-tool -l | grep -c Yes)"
check "a card is to go at a command" virtual_hsm control 2 remove-before
fails "which comes" opensc-tool --reader 2 --send-apdu 0084000008
check "and is put back" virtual_hsm insert 2
equal "two are there once more" 2 "$(opensc-tool -l | grep -c Yes)"
for how in stop kill; do
    check "service $how" virtual_hsm service $how
    fails "nobody answers" sc-hsm list
    says 'PC/SC service'
    check "service start" virtual_hsm service start
    equal "two are there after that" 2 "$(opensc-tool -l | grep -c Yes)"
done
fails "it runs already" virtual_hsm service start
fails "there is no other way" virtual_hsm service pause
says 'stop, kill or start'
fails "there is no third" virtual_hsm insert 3
says 'no card 3'

no_more() {
    ! grep -qs . "/proc/$1/cmdline"
}

# stop cleans up whatever died before it.
daemon=$(cat "$first/pcscd.pid") card=$(cat "$first/card-1.pid")
kill -9 "$daemon"
check "stop after the daemon died" virtual_hsm stop
says '^unset .*SC_HSM_VIRTUAL'
[ ! -e "$first" ] || fail "the folder is still there"
# A process that ended may stay in the table until init has looked; then it has no command line.
wait_for "no card lives on" no_more "$card"
fails "stop once more" virtual_hsm stop
says 'no virtual card'
SC_HSM_VIRTUAL=$second check "the other one still works" virtual_hsm env
SC_HSM_VIRTUAL=$second check "stop" virtual_hsm stop
[ ! -e "$second" ] || fail "the folder is still there"
unset SC_HSM_VIRTUAL

# A test that is killed leaves nothing behind.
cat >killed.sh <<END
. '$SC_HSM_SOURCE/tests/lib.sh'
virtual_card
sleep 1000 &
pwd
echo "\$SC_HSM_VIRTUAL"
sleep 1001
END
bash killed.sh >killed.out 2>&1 &
killed=$!
wait_for "a test with a virtual card" grep -q /sc-hsm-virtual killed.out
mapfile -t folders <killed.out
mapfile -t processes < <(cat "${folders[1]}"/*.pid)
equal "a card and a daemon are running" 2 ${#processes[@]}
kill -9 $killed
gone() {
    [ ! -e "${folders[0]}" ] && [ ! -e "${folders[1]}" ]
}
wait_for "its folders go" gone
for process in "${processes[@]}"; do
    wait_for "its process $process goes" no_more "$process"
done

fails "env outside" virtual_hsm env
says 'SC_HSM_VIRTUAL is not set'
fails "too many cards" virtual_hsm start --cards 9
says '0 to 8'
SC_HSM_BUILD=$work fails "no build" virtual_hsm start
says 'build first'
fails "no command" virtual_hsm
says '^Usage'
