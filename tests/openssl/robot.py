#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.2 client that looks for Bleichenbacher's oracle, as the ROBOT scanner does.

usage: robot.py PORT MODULUS EXPONENT ROUNDS   (the server's public key, in hex and decimal)

Offers RSA key exchange alone, sends a ClientKeyExchange with a right or a malformed block, then a
Finished that nobody can have made, and prints how the server ends the connection for each kind.
All must end alike, status 1 otherwise.
"""
import os
import random
import socket
import struct
import sys

port, modulus = int(sys.argv[1]), int(sys.argv[2], 16)
exponent, rounds = int(sys.argv[3]), int(sys.argv[4])
size = (modulus.bit_length() + 7) // 8


def nonzero(count):
    return bytes(random.choices(range(1, 256), k=count))


def block(start=b"\0\2", version=b"\3\3", padding=None, separator=b"\0"):
    if padding is None:
        padding = nonzero(size - len(start) - 49)
    return start + padding + separator + version + nonzero(46)


KINDS = {
    "right block": lambda: block(),
    "right block, another version": lambda: block(version=b"\3\1"),
    "right block, no version": lambda: block(version=b"\7\7"),
    "first byte not zero": lambda: block(start=b"\1\2"),
    "block type 1": lambda: block(start=b"\0\1"),
    "another block type": lambda: block(start=b"\0\x17"),
    "no separator": lambda: block(separator=b"\1"),
    "separator too early": lambda: block(padding=nonzero(3) + b"\0" + nonzero(size - 55)),
    "no padding": lambda: block(padding=b"\0" + nonzero(size - 52)),
    "secret too short": lambda: block(padding=nonzero(size - 41), separator=b"\0")[:size - 8]
    + b"\0" + nonzero(7),
    "small number": lambda: b"\0" * (size - 1) + b"\5",
}


def record(kind, body):
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def handshake(kind, body):
    return record(22, struct.pack("!I", len(body) | kind << 24) + body)


HELLO = handshake(1, b"\3\3" + os.urandom(32) + b"\0" + b"\0\2\0\x9c" + b"\1\0"
                  + b"\0\x0a" + b"\0\x0d\0\6\0\4\4\1\2\1")


class Connection:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", port),
                                               timeout=float(os.environ["SC_HSM_PATIENCE"]))
        self.file = self.socket.makefile("rb")

    def read(self):
        """Kind and body of a record; None at the end."""
        head = self.file.read(5)
        if len(head) < 5:
            return None
        kind, _, length = struct.unpack("!BHH", head)
        return kind, self.file.read(length)

    def until_done(self):
        messages = b""
        while True:
            got = self.read()
            if got is None or got[0] != 22:
                sys.exit(f"no ServerHelloDone: {got}")
            messages += got[1]
            if messages.endswith(b"\x0e\0\0\0"):
                return


def outcome(make):
    connection = Connection()
    with connection.socket:
        connection.socket.sendall(HELLO)
        connection.until_done()
        encrypted = pow(int.from_bytes(make(), "big"), exponent, modulus).to_bytes(size, "big")
        connection.socket.sendall(
            handshake(16, struct.pack("!H", size) + encrypted)
            + record(20, b"\1") + record(22, os.urandom(40)))
        said = []
        try:
            while (got := connection.read()) is not None:
                said.append(f"alert {got[1].hex()}" if got[0] == 21 else f"record {got[0]}")
            said.append("end")
        except ConnectionResetError:
            said.append("reset")
        # Whether the end is orderly is a matter of what the kernel had still unread.
        return ", ".join(word for word in said if word not in ("end", "reset"))


seen = {}
for name in random.sample([name for name in KINDS for _ in range(rounds)], len(KINDS) * rounds):
    seen.setdefault(outcome(KINDS[name]), set()).add(name)
for what, names in seen.items():
    print(f"{what or 'nothing'}: {', '.join(sorted(names))}")
# 20 is bad_record_mac.
sys.exit(0 if list(seen) == ["alert 0214"] else 1)
