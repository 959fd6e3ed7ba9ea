#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes TLS 1.3 handshakes in parallel until a file appears, and says how many worked.

usage: visitors.py PORT PARALLEL CA_FILE STOP_FILE

One that the server's own end cuts off (its process was killed) is made once more, and counted as cut;
one that the server refuses with an alert, as it does where it has no signature, has failed. Prints
`DONE done CUT cut FAILED failed` and what was wrong. Needs nothing of our provider.
"""
import collections
import os
import socket
import ssl
import sys
import threading

port, parallel = int(sys.argv[1]), int(sys.argv[2])
stop = sys.argv[4]
patience = float(os.environ["SC_HSM_PATIENCE"])
context = ssl.create_default_context(cafile=sys.argv[3])
context.check_hostname = False
context.minimum_version = ssl.TLSVersion.TLSv1_3
results = collections.Counter()
lock = threading.Lock()


def visit():
    """One handshake, and how it went."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as plain:
            with context.wrap_socket(plain, server_hostname="localhost"):
                return "done"
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return "cut"
    except OSError as error:
        return f"failed: {error}"


def visit_on():
    """Handshakes until the end."""
    while not os.path.exists(stop):
        result = visit()
        with lock:
            results[result] += 1


threads = [threading.Thread(target=visit_on) for _ in range(parallel)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
failed = {words: number for words, number in results.items() if words.startswith("failed")}
print(f"{results['done']} done {results['cut']} cut {sum(failed.values())} failed")
for words, number in failed.items():
    print(number, words)
sys.exit(1 if failed else 0)
