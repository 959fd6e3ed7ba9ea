#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
# shellcheck source=server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
# shellcheck source=programs.sh
. "$SC_HSM_SOURCE/tests/servers/programs.sh"
# Not the scripts of the same names in /usr/bin, which look for the system's clusters.
for bin in /usr/lib/postgresql/*/bin; do
    PATH=$bin:$PATH
done
not_sanitized "PostgreSQL hangs at its start with the sanitizer's runtime loaded, without our module, too"
need initdb postgres
umask 022 # the server gives up root, and reads its certificates and settings
virtual_card
make_rsa_key
make_ec_key
localhost rsa ec
port=$(free_port 1)
# The server's PIN comes from its command alone.
configure pin-source= cache-pin=yes
check "a client's certificate" openssl req -new -x509 -key rsa.pem -passin "pass:$pin" \
    -subj /CN=alice -days 30 -out alice.crt
cp alice.crt clients.crt
cp ec.crt server.crt
cp rsa.pem alice.pem
cp ec.pem postgresql.pem
echo "$pin" >postgresql.pin
chmod 600 alice.pem postgresql.pem postgresql.pin
mkdir data
[ "$(id -u)" != 0 ] || chown postgres: data postgresql.pem postgresql.pin

as_user postgres
check "initdb" "${as_user[@]}" env -u OPENSSL_CONF initdb --pgdata data --auth reject --no-sync \
    --username postgres
sample postgresql/sc-hsm.conf /etc/sc-hsm/ "$work/" >sc-hsm.conf
cat >>data/postgresql.conf <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$work/data'
fsync = off
include '$work/sc-hsm.conf'
END
cat >data/pg_hba.conf <<END
local all postgres trust
hostssl all alice 127.0.0.1/32 cert
hostssl all bob 127.0.0.1/32 trust
END
sample postgresql/pg_service.conf /etc/sc-hsm/ "$work/" port=5432 "port=$port" >pg_service.conf
export PGSERVICEFILE=$work/pg_service.conf

start_postgres() {
    : >server.log
    "${as_user[@]}" postgres -D data >server.log 2>&1 &
    servers=($!)
    wait_for "PostgreSQL" listening "$port" "${servers[0]}"
    wait_for "PostgreSQL accepts sessions" sql "host=$work/data user=postgres" 'SELECT 1'
}

# sql CONNECTION QUERY: by a client without our module.
sql() {
    env -u OPENSSL_CONF psql --no-psqlrc --tuples-only --no-align \
        --dbname "port=$port dbname=postgres $1" --command "$2"
}

readonly who="SELECT usename, version, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE pid = pg_backend_pid()"

start_postgres
check "users" sql "host=$work/data user=postgres" 'CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN'
verified="host=localhost user=bob sslmode=verify-full sslrootcert"
for version in 1.2 1.3; do
    check "psql checks the server's certificate, TLS $version" \
        sql "$verified=ec.crt ssl_min_protocol_version=TLSv$version
            ssl_max_protocol_version=TLSv$version" "$who"
    says "^bob.TLSv$version"
done
fails "psql with another certificate" sql "$verified=rsa.crt" "$who"
says 'certificate verify failed'

# sessions: 20 of them, four at a time.
sessions() {
    seq 20 | xargs -P 4 -I N env -u OPENSSL_CONF psql --no-psqlrc --tuples-only --no-align \
        --dbname "port=$port dbname=postgres $verified=$1" --command "SELECT 'session', N"
}
check "20 sessions, ECDSA" sessions ec.crt
equal "all of them worked" 20 "$(grep -c '^session' "$seen")"

# The client's key is on the card as well.
configure "pin-source=file:$work/client.pin"
(umask 077 && echo "$pin" >client.pin)
check "psql with a client certificate" psql --no-psqlrc --tuples-only --no-align \
    --dbname service=sc-hsm --command "$who"
says '^alice.TLSv1.3./CN=alice$'
configure pin-source=
check "psql with the PIN as sslpassword" psql --no-psqlrc --tuples-only --no-align \
    --dbname "service=sc-hsm sslpassword=$pin" --command "$who"
says '^alice.TLSv1.3./CN=alice$'

# Another key at a reload.
cp rsa.pem data/rsa.pem
[ "$(id -u)" != 0 ] || chown postgres: data/rsa.pem
sed -i -e "s|^ssl_cert_file.*|ssl_cert_file = '$work/rsa.crt'|" \
    -e "s|^ssl_key_file.*|ssl_key_file = '$work/data/rsa.pem'|" sc-hsm.conf
kill -HUP "${servers[0]}"
wait_for "the RSA certificate" sql "$verified=rsa.crt" "$who"
check "20 sessions, RSA" sessions rsa.crt
equal "all of them worked" 20 "$(grep -c '^session' "$seen")"
equal "no try was spent" 3 "$(pin_tries)"
kill -INT "${servers[0]}"
wait "${servers[0]}" || fail "PostgreSQL ended badly"
servers=()

# A wrong PIN: PostgreSQL does not start and names the reason; our own log has the sentence.
configure log=error
echo 111111 >postgresql.pin
fails "PostgreSQL with a wrong PIN" ends_by_itself "${as_user[@]}" \
    postgres -D data
says 'FATAL: .*could not load private key' "error the PIN is wrong .* $(tries 2) are left"
! shares_libcrypto "$(type -P postgres)" || says 'FATAL: .*could not load private key .*PIN incorrect'
equal "one try was spent" 2 "$(pin_tries)"
