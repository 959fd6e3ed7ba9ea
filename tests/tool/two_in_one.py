# SPDX-License-Identifier: Apache-2.0
"""The contents of two PKCS#12 files in one, which has no check value: two_in_one.py ONE TWO OUT"""
import sys


def der(tag, value):
    size = len(value)
    head = bytes([size]) if size < 128 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + head + value


def take(data):
    """The content of the first element, what follows it, and the whole element."""
    size, at = data[1], 2
    if size > 127:
        at += size & 127
        size = int.from_bytes(data[2:at], "big")
    return data[at:at + size], data[at + size:], data[:at + size]


safes = b""
for path in sys.argv[1:3]:
    with open(path, "rb") as file:
        pfx = take(file.read())[0]
    _, pfx, version = take(pfx)
    _, rest, oid = take(take(pfx)[0])
    safes += take(take(take(rest)[0])[0])[0]
with open(sys.argv[3], "wb") as file:
    file.write(der(0x30, version + der(0x30, oid + der(0xA0, der(0x04, der(0x30, safes))))))
