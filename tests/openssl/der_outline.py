#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a DER file leaf by leaf, without what must differ between two keys.

usage: der_outline.py KIND FILE

A line for each primitive value: its place in the tree, its tag, its bytes in hex. Of a public key,
a signature, an encrypted key, an initialisation vector and an encrypted text only the length is
printed, and not even that of an ECDSA signature, which must be two integers; of a date only that it
is one. Two files that print the same are the same in all other bytes: lengths of what contains such
a value follow from the rest, and are checked to be minimal.
"""
import sys

# Places, counted from 0 at each level, of what differs.
MASKS = {
    "request": {(0, 2, 1): "public key", (2,): "signature"},
    "certificate": {(0, 6, 1): "public key", (2,): "signature"},
    "crl": {(2,): "signature"},
    "signed": {(1, 0, 3, 0, 5): "signature"},
    # Without signed attributes.
    "signed-bare": {(1, 0, 3, 0, 4): "signature"},
    # One recipient by key transport (RSA).
    "enveloped-rsa": {
        (1, 0, 1, 0, 3): "encrypted key",
        (1, 0, 2, 1, 1): "initialisation vector",
        (1, 0, 2, 2): "encrypted text",
    },
    # One recipient by key agreement (ECDH).
    "enveloped-ec": {
        (1, 0, 1, 0, 1, 0, 1): "ephemeral key",
        (1, 0, 1, 0, 3, 0, 1): "encrypted key",
        (1, 0, 2, 1, 1): "initialisation vector",
        (1, 0, 2, 2): "encrypted text",
    },
}
DATES = (0x17, 0x18)


def elements(data):
    """The elements of data: tag, contents."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        assert tag & 0x1F != 0x1F, "long tags are not expected"
        if length > 0x80:
            count = length - 0x80
            length = int.from_bytes(data[at:at + count], "big")
            assert length >= 0x80 and data[at] != 0, "a length is not minimal"
            at += count
        else:
            assert length != 0x80, "no length: that is not DER"
        assert at + length <= len(data), "an element is longer than what contains it"
        yield tag, data[at:at + length]
        at += length


def masked(name, tag, value):
    body = value[1:] if tag == 0x03 else value
    if name == "signature" and body[:1] == b"\x30" and len(body) < 200:
        (_, pair), = elements(body)
        assert [t for t, _ in elements(pair)] == [2, 2], "not an ECDSA signature"
        return "two integers"
    return f"{len(value)} bytes"


def outline(masks, data, place=()):
    for number, (tag, value) in enumerate(elements(data)):
        here = place + (number,)
        # The outermost element is the file; places count from what is in it.
        name = masks.pop(here[1:], None) if place else None
        text = ".".join(map(str, here[1:]))
        if name is not None:
            print(f"{text} {tag:02x} {name}: {masked(name, tag, value)}")
        elif tag & 0x20:
            print(f"{text} {tag:02x}")
            outline(masks, value, here)
        elif tag in DATES:
            print(f"{text} {tag:02x} a date of {len(value)} bytes")
        else:
            print(f"{text} {tag:02x} {value.hex()}")


masks = dict(MASKS[sys.argv[1]])
with open(sys.argv[2], "rb") as file:
    outline(masks, file.read())
assert not masks, f"there is no {', '.join(masks.values())}"
