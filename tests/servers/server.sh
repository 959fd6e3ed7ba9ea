# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # seen is of tests/lib.sh, port of each test
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
