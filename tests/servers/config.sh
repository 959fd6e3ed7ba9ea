#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# what sc-hsm config prints is taken by OpenSSL, systemd and servers as it stands
#
# The key's file and the certificate's have names full of what means something in some format.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
not_sanitized "other programs do most of it, and each has a test of its own"
need nginx apache2 haproxy stunnel4 openvpn curl systemd-analyze
for bin in /usr/lib/postgresql/*/bin; do
    PATH=$PATH:$bin
done
virtual_card
serial=$(sed -n 1p "$SC_HSM_VIRTUAL/serials")
make_ec_key
localhost ec
# shellcheck disable=SC1003  # a backslash is one of them
odd=$work/$'odd \'name\' "in" #;{}%n\\t.'
cp ec.pem "${odd}pem"
cp ec.crt "${odd}crt"
chmod 644 "${odd}pem" "${odd}crt"
port=$(free_port 1)

# config NAME...: what is printed, into the file NAME, and the same in JSON.
config() {
    sc-hsm config "$@" >"$1" || fail "config $1"
    sc-hsm --json config "$@" >json || fail "config $1 as JSON"
    python3 -c 'import json, sys
d = json.load(open("json"))
assert d["name"] == sys.argv[1] and d["text"] == open(sys.argv[1]).read()' "$1" || fail "JSON of $1"
    echo "ok: config $1"
}

check "what there is" sc-hsm config
for name in openssl polkit systemd nginx apache haproxy stunnel postgresql openvpn; do
    says "^$name "
done
fails "one that is not there" sc-hsm config lighttpd
says "no configuration 'lighttpd'"

# --- OpenSSL --------------------------------------------------------------------------------------

config openssl --pin-source "file:$work/odd \"pin\" #1"
echo "$pin" >"$work/odd \"pin\" #1"
original=$OPENSSL_CONF
export OPENSSL_CONF=$work/openssl
unset OPENSSL_MODULES
cp openssl "$seen"
says "^module = .*sc-hsm\.so" "^serial = .*$serial" "^pin-source = "
says_nothing_of "$pin"
check "openssl signs by that alone" openssl dgst -sha256 -sign ec.pem -out sig ec.pem
check "the tool is content with it" sc-hsm doctor ec.pem
check "what is set stays where no device is" env PCSCLITE_CSOCK_NAME="$work/none" sc-hsm config openssl
says "^serial = .*$serial"
check "no device is no reason to print nothing" env PCSCLITE_CSOCK_NAME="$work/none" \
    OPENSSL_CONF="$original" sc-hsm config openssl
says "^# serial: no device"
fails "a line's end" sc-hsm config openssl --pin-source $'file:/x\nserial = Y'
says "cannot be written in a configuration of openssl.cnf"

# --- servers, by their own judgement ------------------------------------------------------------------

config nginx "${odd}pem" --cert "${odd}crt"
{
    sed -n 's/^# \(env .*;\)$/\1/p' nginx
    echo "daemon off; pid $work/nginx.pid; error_log $work/server.log info; events { }"
    echo "http { access_log off; client_body_temp_path $work/t1; proxy_temp_path $work/t2;"
    echo "fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;"
    sed "s/listen 443/listen 127.0.0.1:$port/" nginx
    echo "}"
} >nginx.conf
check "nginx -t" nginx -t -e "$work/server.log" -p "$work" -c "$work/nginx.conf"
nginx -e "$work/server.log" -p "$work" -c "$work/nginx.conf" >nginx.out 2>&1 &
servers=($!)
wait_for "nginx" listening "$port" "${servers[0]}"
many "$port" 20 1.3 ecdsa
kill -QUIT "${servers[0]}"
wait "${servers[0]}" || fail "nginx ended badly"
servers=()
fails "nginx cannot be told of a dollar" sc-hsm config nginx ec.pem --cert "/x/\$y.crt"
says "nginx"

config apache "${odd}pem" --cert "${odd}crt"
mkdir run
modules=/usr/lib/apache2/modules
{
    echo "ServerRoot $work"
    echo "DefaultRuntimeDir $work/run"
    echo "ErrorLog $work/server.log"
    echo "ServerName localhost"
    for name in mpm_event authz_core socache_shmcb ssl; do
        echo "LoadModule ${name}_module $modules/mod_$name.so"
    done
    cat apache
} >apache2.conf
check "apache2 -t" apache2 -t -d "$work" -f "$work/apache2.conf"
says "Syntax OK"

config haproxy "${odd}pem" --cert "${odd}crt"
eval "$(sed -n 's/^# .*: \(cp .*\)/\1/p' haproxy)"
{
    printf 'defaults\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n'
    sed "s/bind :443/bind 127.0.0.1:$port/" haproxy
} >haproxy.cfg
check "haproxy -c" haproxy -c -f haproxy.cfg

config stunnel "${odd}pem" --cert "${odd}crt"
{
    printf 'foreground = yes\npid =\n'
    sed "s/^accept = 443/accept = 127.0.0.1:$port/" stunnel
} >stunnel.conf
stunnel4 stunnel.conf >server.log 2>&1 &
servers=($!)
wait_for "stunnel" listening "$port" "${servers[0]}"
kill "${servers[0]}"
wait "${servers[0]}" || true
servers=()
echo "ok: stunnel"

if [ -n "$(type -P postgres)" ]; then
    config postgresql "${odd}pem" --cert "${odd}crt"
    mkdir data
    cp postgresql data/postgresql.conf
    chmod 700 data
    # -C tells a setting and starts nothing.
    equal "PostgreSQL reads the key's name" "${odd}pem" "$(postgres -C ssl_key_file -D data 2>"$seen")"
    equal "and the certificate's" "${odd}crt" "$(postgres -C ssl_cert_file -D data 2>"$seen")"
fi

config openvpn "${odd}pem" --cert "${odd}crt"
openvpn --config openvpn --dev null --tls-server --ca ec.crt --dh none --proto udp --local 127.0.0.1 \
    --port "$port" --verb 4 >server.log 2>&1 &
servers=($!)
wait_for "OpenVPN waits for a client" grep -q "link remote" server.log
kill "${servers[0]}"
wait "${servers[0]}" || true
servers=()
echo "ok: OpenVPN"

# --- a key by its URI ---------------------------------------------------------------------------------

check "a key with a hostile label" sc-hsm keygen --type ec:P-256 --id 30 \
    --label $'x\n}; evil "$(id)" \' \x1b[2J'
config nginx id=30
cp nginx "$seen"
equal "nothing breaks out of it" "" "$(LC_ALL=C tr -d '\n\040-\176' <nginx)"
equal "as many lines as for any other" 1 "$(grep -c '^}' nginx)"
says "^# sc-hsm pubkey 'sc-hsm:[^ ]+' --reference --out /etc/ssl/private/[a-zA-Z0-9_-]*\.pem$"
says_nothing_of '^[^#]*evil "'

# --- the system ---------------------------------------------------------------------------------------

config polkit --user web
cp polkit "$seen"
says 'subject.user == "web"'
config systemd --service web
cp systemd "$seen"
says "^LoadCredential=sc-hsm-pin:$work/odd \"pin\" #1$" "^Environment=\"OPENSSL_CONF=$OPENSSL_CONF\"$"
mkdir -p units/web.service.d
printf '[Service]\nExecStart=/bin/true\n' >units/web.service
cp systemd units/web.service.d/sc-hsm.conf
check "systemd-analyze verify" systemd-analyze verify --recursive-errors=no "$work/units/web.service"
says_nothing_of "sc-hsm\.conf"
config openssl --service web
cp openssl "$seen"
says '^pin-source = "?credential:sc-hsm-pin'
mkdir credentials
echo "$pin" >credentials/sc-hsm-pin
check "a service signs with it" env CREDENTIALS_DIRECTORY="$work/credentials" OPENSSL_CONF="$work/openssl" \
    openssl dgst -sha256 -sign ec.pem -out sig ec.pem
fails "no name of a service" sc-hsm config systemd --service $'web\n[Service]'
export OPENSSL_CONF=$original
equal "no try was spent" 3 "$(pin_tries)"
