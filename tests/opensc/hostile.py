# SPDX-License-Identifier: Apache-2.0
"""hostile.py SIMULATOR: nonsense on the control socket and from the reader stops no card."""
import os
import random
import socket
import sys
import time

from pcsc import check, expect
from reader import PATIENCE, Card

PIN_STATUS = bytes.fromhex("00200081")


def connect():
    """The card takes a few connections at a time, and more as soon as those have gone."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(PATIENCE)
        try:
            wire.connect("control")
            return wire
        except BlockingIOError:
            wire.close()
            time.sleep(0.02)
    sys.exit("FAILED: nobody listens at the control socket")


def says(wire, line):
    wire.sendall(line + b"\n")
    answer = b""
    while not answer.endswith(b"ok\n") and b"error: " not in answer:
        piece = wire.recv(65536)
        check("an answer to %r" % line, piece)
        answer += piece
    return answer


def hangs_up(what, wire, message, times=1):
    """The card ends the connection of somebody who sends, and does not read."""
    try:
        for _ in range(times):
            wire.sendall(message)
        while wire.recv(65536):
            pass
    except (BrokenPipeError, ConnectionResetError):
        pass
    except TimeoutError:
        sys.exit("FAILED: %s is listened to for ever" % what)
    wire.close()


def control_socket(card):
    wire = connect()
    for line in (b"", b"\0", b"\xff" * 100, b"%n%s%x", b"delay -1", b"delay " + b"9" * 40,
                 b"status 0", b"delay 1 ins=", b"delay 1 skip=4294967296", b"delay 1 a b c d e f g h"):
        check("refused: %r" % line, says(wire, line).startswith(b"error: "))
    expect("nothing of it waits", says(wire, b"list"), b"inserted\nok\n")
    wire.close()
    hangs_up("an endless line", connect(), b"x" * 5000)
    hangs_up("who does not read", connect(), b"help\n" * 100, 20000)
    crowd = [connect() for _ in range(4)]
    expect("the reader is served beside a crowd", card.transmit(PIN_STATUS), (b"", 0x6A88))
    for wire in crowd:
        wire.close()
    dice = random.Random(1)
    for _ in range(200):
        wire = connect()
        try:
            wire.sendall(dice.randbytes(dice.randrange(600)))
        except (BrokenPipeError, ConnectionResetError):
            pass
        wire.close()
    wire = connect()
    check("the control socket is served after all that", says(wire, b"clear") == b"ok\n")
    wire.close()


def reader(card):
    wire = card.reader.wire
    for what, message in (("empty messages", b"\0\0" * 1000),
                          ("unknown bytes", b"".join(b"\0\1" + bytes([byte]) for byte in range(256)
                                                     if byte != 4))):
        wire.sendall(message)
        expect("served after " + what, card.transmit(PIN_STATUS), (b"", 0x6A88))
    for head in ("0084000000", "00D7CF0100", "00A4040000", "8050000000"):
        length = 65535 - 7
        command = bytes.fromhex(head) + length.to_bytes(2, "big") + os.urandom(length)
        check("the longest command", card.transmit(command)[1] != 0x9000)


def main(simulator):
    card = Card(simulator, "card", "--control", "control")
    control_socket(card)
    reader(card)
    card.close()
    check("the control socket is gone with the card", not os.path.exists("control"))


main(sys.argv[1])
