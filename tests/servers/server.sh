# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # seen and work are of tests/lib.sh, port of each test
# What the server tests share, on top of tests/lib.sh.

# A stretch of 20 ports is this test's own as long as it, or a server that it started, holds the lock.
# All are below the range that the system hands out to clients; the README's port is in number 721.
mkdir -p "$SC_HSM_BUILD/tests/ports"
for ((stretch = $$ % 1000; ; stretch = (stretch + 1) % 1000)); do
    if [ $stretch != 721 ]; then
        exec {port_lock}>"$SC_HSM_BUILD/tests/ports/$stretch"
        ! flock --nonblock "$port_lock" || break
        exec {port_lock}>&-
    fi
done

# free_port NUMBER: the first (second, ...) of them that is free.
free_port() {
    local candidate wanted=$1 first=$((10000 + stretch * 20))
    for ((candidate = first; candidate < first + 20; candidate++)); do
        if ! (: <"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
            wanted=$((wanted - 1))
            if [ "$wanted" = 0 ]; then
                echo "$candidate"
                return
            fi
        fi
    done
    fail "no free port"
}

# shares_libcrypto PROGRAM: whether the program runs with the libcrypto that our module was built for.
# With another one beside it everything works, and libcrypto has no text for our reason codes.
shares_libcrypto() {
    local names
    names=$(ldd "$1" "$OPENSSL_MODULES/sc-hsm.so" | grep -o 'libcrypto\.so\.[0-9.]*' | sort -u | wc -l)
    [ "$names" = 1 ]
}

# listening PORT PROCESS: true when it does; ends the test when the process has died.
listening() {
    kill -0 "$2" 2>/dev/null || {
        cp server.log "$seen"
        fail "the server ended"
    }
    grep -qi "0100007F:$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp
}

# client CONNECTIONS PARALLEL VERSION CA [CIPHERS]: connections to $port.
client() {
    python3 "$SC_HSM_SOURCE/tests/servers/client.py" "$port" "$@"
}

# three_times_during LOAD... -- COMMAND...: runs the command three times while the first one makes
# connections over and over, each time when more of them came through; none of them may fail.
three_times_during() {
    local load number connect=()
    while [ "$1" != -- ]; do
        connect+=("$1")
        shift
    done
    shift
    rm -f stop
    : >load
    while [ ! -e stop ]; do
        "${connect[@]}" || exit 1
    done >load 2>&1 &
    load=$!
    for number in 1 2 3; do
        wait_for "connections" came_through $number $load
        "$@" >reload 2>&1 || {
            cp reload "$seen"
            fail "$*"
        }
    done
    wait_for "connections" came_through 4 $load
    touch stop
    wait $load || {
        cp load "$seen"
        fail "connections failed during: $*"
    }
}

# came_through NUMBER PROCESS: true as well when the process has ended: there is nothing to wait for.
came_through() {
    [ "$(grep -c ' ok ' load)" -ge "$1" ] || ! kill -0 "$2" 2>/dev/null
}

# nginx_configuration: nginx.conf, with the server blocks that come in.
nginx_configuration() {
    cat <<END
user nobody nogroup;
worker_processes 2;
daemon off;
pid $work/nginx.pid;
error_log $work/server.log info;
# nginx takes the environment away from its workers but for what is named here.
env PCSCLITE_CSOCK_NAME;
env SOFTHSM2_CONF;
env P11_KIT_SERVER_ADDRESS;
env ASAN_OPTIONS;
env LSAN_OPTIONS;
env UBSAN_OPTIONS;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path $work/tmp1;
    proxy_temp_path $work/tmp2;
    fastcgi_temp_path $work/tmp3;
    uwsgi_temp_path $work/tmp4;
    scgi_temp_path $work/tmp5;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets off;
$(cat)
}
END
} >nginx.conf

# apache_configuration FILE: makes apache2.conf of what Debian's own configuration brings, in short, and
# of FILE; its server has a page, html/index.html.
apache_configuration() {
    mkdir html run
    echo 'signed on the card' >html/index.html
    chmod -R a+rX html
    cat >apache2.conf <<END
ServerRoot $work
DefaultRuntimeDir $work/run
PidFile $work/apache2.pid
ErrorLog $work/server.log
LogLevel info
ServerName localhost
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
DirectoryIndex index.html
# None that ends may have been given a connection that it did not accept yet.
StartServers 3
ServerLimit 8
MaxRequestWorkers 200
Include $work/$1
END
}
