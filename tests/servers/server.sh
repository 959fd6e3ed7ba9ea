# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # seen and work are of tests/lib.sh, port of each test
# What the server tests share, on top of tests/lib.sh.

# free_port NUMBER: the first (second, ...) free loopback port of a stretch of 20 that is this
# test's own, below the range that the system hands out to clients.
free_port() {
    local candidate wanted=$1 first=$((10000 + ($$ % 1000) * 20))
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
