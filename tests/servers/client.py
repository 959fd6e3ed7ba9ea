#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens many TLS connections in parallel and fails unless each one works.

usage: client.py PORT CONNECTIONS PARALLEL TLS_VERSION CA_FILE [CIPHERS]

Prints how many worked, the protocol and the ciphers seen. Needs nothing of our provider.
"""
import collections
import concurrent.futures
import os
import socket
import ssl
import sys

port, connections, parallel = (int(word) for word in sys.argv[1:4])
version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[sys.argv[4]]

patience = float(os.environ["SC_HSM_PATIENCE"])
context = ssl.create_default_context(cafile=sys.argv[5])
context.check_hostname = False
context.minimum_version = context.maximum_version = version
if len(sys.argv) > 6:
    context.set_ciphers(sys.argv[6])


def connect(_):
    """One full handshake, one request, one answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = tls.recv(4096)
                if not answer.startswith(b"HTTP/1"):
                    return f"no answer but {answer[:60]!r}"
                return f"ok {tls.version()} {tls.cipher()[0]}"
    except OSError as error:
        return f"failed: {error}"


with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
    results = collections.Counter(pool.map(connect, range(connections)))
for result, number in results.items():
    print(number, result)
good = sum(number for result, number in results.items() if result.startswith("ok "))
sys.exit(0 if good == connections else 1)
