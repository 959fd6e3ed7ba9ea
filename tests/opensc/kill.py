# SPDX-License-Identifier: Apache-2.0
"""
kill.py write|check PIN ROUND FILE: `write` changes the card until it dies, and notes each change
before it is sent and again once it was answered; `check` finds what was answered, and whatever
was under way either done or not done.
"""
import hashlib
import sys

from pcsc import Card, check
from requests import body, ec_template, tlv

SLOTS = 12
ANY_KEY = "*"


def content(mark):
    """What a file holds follows from the number of its change."""
    return hashlib.sha512(mark.encode()).digest() * 8


class Notes:
    def __init__(self, path):
        self.file = open(path, "a", buffering=1)

    def change(self, name, value, command):
        self.file.write("try %s %s\n" % (name, value))
        answer, status = command()
        check("%s: %04X" % (name, status), status in (0x9000, 0x6A82))
        if value == ANY_KEY:
            value = hashlib.sha256(answer).hexdigest()
        self.file.write("done %s %s\n" % (name, value))


def write(card, round_number, notes):
    key = body(ec_template("prime256v1"))

    def update(prefix, slot, mark):
        notes.change("%02X%02X" % (prefix, slot), mark, lambda: card.command(
            "00D7%02X%02X" % (prefix, slot), tlv(0x54, b"\0\0") + tlv(0x53, content(mark))))

    def delete(prefix, slot):
        notes.change("%02X%02X" % (prefix, slot), "-",
                     lambda: card.command("00E40200", bytes([prefix, slot])))

    for number in range(100000):
        slot = number % SLOTS + 1
        mark = "%s.%d" % (round_number, number)
        update(0xCF, slot, mark)
        delete(0xCC, slot)
        notes.change("CC%02X" % slot, ANY_KEY, lambda: card.command("0046%02X00" % slot, key, 0))
        update(0xCD, slot, mark)
        if number % 3 == 0:
            delete(0xCF, slot)


def verify(card, lines):
    allowed = {}
    for line in lines:
        state, name, value = line.split()
        if state == "done":
            allowed[name] = {value}
        else:
            allowed.setdefault(name, {"-"}).add(value)
    listed = card.good("80580000", le=0)
    listed = {listed[i:i + 2].hex().upper() for i in range(0, len(listed), 2)}
    for name, values in allowed.items():
        if name not in listed:
            check("%s is lost" % name, "-" in values)
        elif name.startswith("CC"):
            digest = hashlib.sha256(card.read(0xCE00 | int(name[2:], 16))).hexdigest()
            check("request of %s" % name, digest in values or ANY_KEY in values)
            card.good("8068%s70" % name[2:], b"h" * 32, 512)
        else:
            data = card.read(int(name, 16))
            check("content of %s" % name,
                  any(data == content(value) for value in values if value != "-"))


def main(what, pin, round_number, path):
    card = Card()
    card.select()
    card.login(pin)
    if what == "write":
        write(card, round_number, Notes(path))
    else:
        with open(path) as notes:
            verify(card, notes.read().splitlines())
    card.close()


main(*sys.argv[1:])
