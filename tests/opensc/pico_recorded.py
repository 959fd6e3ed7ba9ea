# SPDX-License-Identifier: Apache-2.0
"""
pico_recorded.py FILE PIN: sends the commands of a recording to the card and compares the answers,
status words and all, but for keys and what follows from them.
"""
import sys

import pcsc
from pcsc import check

READ, GENERATE, SIGN, DECIPHER, WRAP, AUTHENTICATE = 0xB1, 0x46, 0x68, 0x62, 0x72, 0x86
RANDOM = {0x86, 0x5F37}  # public points, signatures
MODULUS = 0x81           # also a prime, which is shorter than any modulus
CONSTRUCTED = {0x67, 0x7F21, 0x7F4E, 0x7F49}


def form(data):
    """The objects of a request or certificate with random values as their lengths. May be cut off."""
    found, at = [], 0
    while at < len(data):
        tag, size = data[at], 1
        if tag & 0x1F == 0x1F:
            tag, size = int.from_bytes(data[at:at + 2], "big"), 2
        at += size
        length = data[at] if at < len(data) else 0
        at += 1
        if length > 0x80:
            more = length & 0x7F
            length = int.from_bytes(data[at:at + more], "big")
            at += more
        value = data[at:at + length]
        at += length
        if tag in CONSTRUCTED:
            found.append((tag, length, form(value)))
        elif tag in RANDOM or (tag == MODULUS and length >= 128):
            found.append((tag, length, len(value)))
        else:
            found.append((tag, length, value))
    return found


def comparable(command, answer):
    """What of an answer must be the same on every Pico HSM."""
    ins = command[1]
    if ins in (READ, GENERATE) and answer[:1] == b"\x67":
        return form(answer)
    if ins == READ and command[-4:-2] != b"\0\0":
        return len(answer)  # the rest of a long file
    if ins == SIGN and answer[:1] == b"\x30":
        return "a signature" if answer[1] == len(answer) - 2 and 64 < answer[1] < 73 else answer
    if ins in (SIGN, DECIPHER) and answer:
        return len(answer), answer[:1] if ins == DECIPHER and len(answer) < 128 else b""
    if ins == WRAP:
        return len(answer), answer[:27]
    if ins == AUTHENTICATE:
        return len(answer), answer[:4], answer[12:14]
    return answer


def exchanges(path):
    part = command = None
    for line in open(path, encoding="ascii"):
        if line.startswith("## "):
            part = line[3:].strip()
        elif line.startswith("> "):
            command = bytes.fromhex(line[2:])
        elif line.startswith("< "):
            answer = bytes.fromhex(line[2:])
            yield part, command, answer[:-2], int.from_bytes(answer[-2:], "big")


def main(path, pin):
    card = pcsc.Card()
    last, number = None, 0
    for part, command, wanted, status in exchanges(path):
        if part != last and last is not None:
            print("ok:", last)
        last = part
        if command[0] & 0x0C:
            # of another channel: what it did is done without one
            card.login(pin)
            continue
        answer, seen = card.transmit(command)
        what = "%s: %s" % (part, command.hex()[:60])
        check("%s answers %04X, not %04X" % (what, seen, status), seen == status)
        check("%s:\n  wanted %s\n  got    %s" % (what, wanted.hex(), answer.hex()),
              comparable(command, answer) == comparable(command, wanted))
        number += 1
    print("ok:", last)
    check("there were many", number > 150)
    print("ok: %d exchanges" % number)
    card.close()


main(*sys.argv[1:])
