# SPDX-License-Identifier: Apache-2.0
"""
kill.py write|check PIN ROUND FILE: `write` changes the card until it dies and notes each change
once it was answered; `check` finds them all.
"""
import hashlib
import os
import sys

from pcsc import Card, check
from requests import body, ec_template, tlv


def content(note):
    """What a file holds follows from the number of its change."""
    return hashlib.sha512(note.encode()).digest() * 8


def write(card, round_number, notes):
    key = body(ec_template("prime256v1"))
    for number in range(10000):
        kind = number % 4
        slot = number // 4 % 40 + 1
        mark = "%d.%d" % (round_number, number)
        if kind == 0:
            card.good("00D7CF%02X" % slot, tlv(0x54, b"\0\0") + tlv(0x53, content(mark)))
            note = "file %d %s" % (slot, mark)
        elif kind == 1:
            card.command("00E40200", bytes([0xCC, slot]))
            notes.write("nokey %d\n" % slot)
            data, status = card.command("0046%02X00" % slot, key, 0)
            check("key: %04X" % status, status == 0x9000)
            note = "key %d %s" % (slot, hashlib.sha256(data).hexdigest())
        elif kind == 2:
            card.good("00D7CD%02X" % slot, tlv(0x54, b"\0\0") + tlv(0x53, content(mark)))
            note = "private %d %s" % (slot, mark)
        else:
            if slot % 2:
                continue
            card.good("00E40200", bytes([0xCF, slot]))
            note = "nofile %d" % slot
        notes.write(note + "\n")


def verify(card, lines):
    files, keys, private = {}, {}, {}
    last = None
    for line in lines:
        kind, slot, *value = line.split()
        slot = int(slot)
        if kind == "file":
            files[slot] = value[0]
        elif kind == "nofile":
            files[slot] = None
        elif kind == "private":
            private[slot] = value[0]
        elif kind == "nokey":
            keys[slot] = None
        else:
            keys[slot] = value[0]
        last = (kind, slot)
    listed = card.good("80580000", le=0)
    listed = {listed[i:i + 2] for i in range(0, len(listed), 2)}
    # the one command that was under way may have been done or not: it is judged by neither
    uncertain = next_slots(last)
    for slot, mark in files.items():
        present = bytes([0xCF, slot]) in listed
        if ("file", slot) in uncertain:
            continue
        check("file %d" % slot, present == (mark is not None))
        if mark:
            check("content of file %d" % slot, card.read(0xCF00 | slot) == content(mark))
    for slot, mark in private.items():
        if ("private", slot) not in uncertain:
            check("private file %d" % slot, card.read(0xCD00 | slot) == content(mark))
    for slot, digest in keys.items():
        if ("key", slot) in uncertain or digest is None:
            continue
        check("key %d" % slot, bytes([0xCC, slot]) in listed)
        check("request of key %d" % slot,
              hashlib.sha256(card.read(0xCE00 | slot)).hexdigest() == digest)
        card.good("8068%02X70" % slot, b"h" * 32, 512)


def next_slots(last):
    """The command after the last one that was answered."""
    if last is None:
        return {("file", 1)}
    kind, slot = last
    after = {"file": {("key", slot)}, "nokey": {("key", slot)}, "key": {("private", slot)},
             "private": {("file", slot), ("file", slot % 40 + 1)},
             "nofile": {("file", slot % 40 + 1)}}
    # a new round starts at slot 1 again
    return after[kind] | {("file", 1)}


def main(what, pin, round_number, path):
    card = Card()
    card.select()
    card.login(pin)
    if what == "write":
        with open(path, "a", buffering=1) as notes:
            write(card, int(round_number), notes)
    else:
        with open(path) as notes:
            lines = notes.read().splitlines()
        verify(card, lines)
    card.close()


main(*sys.argv[1:])
