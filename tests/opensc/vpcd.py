# SPDX-License-Identifier: Apache-2.0
"""vpcd.py SIMULATOR: plays the reader's side of the wire."""
import os
import random
import signal
import subprocess
import sys
import time

from pcsc import APPLET, check, expect
from reader import PATIENCE, Reader, start
from requests import body, ec_template, rsa_template

ATR = bytes.fromhex("3BFE1800008131FE458031815448534D31738021408107FA")
INIT = bytes.fromhex("80020001" "8106363438323139" "82083537363231383830" "910103")
VERIFY = bytes.fromhex("0020008106363438323139")


def main(simulator):
    reader = Reader()
    card = start(simulator, "card", reader, log=subprocess.PIPE)
    # nobody listens at the port until it has been refused
    waits_for = b"sc-hsm-sim: waiting for vpcd at 127.0.0.1:%d\n" % reader.port
    check("it waits for a reader", waits_for in iter(card.stderr.readline, b""))
    reader.accept()
    expect("ATR", reader.command(b"\4"), ATR)
    reader.send(b"\1")
    reader.send(b"")
    reader.send(b"\3")
    expect("power on and unknown bytes are not answered", reader.command(b"\4"), ATR)
    expect("fresh", reader.short("00200081"), b"\x6A\x88")
    expect("initialised", reader.short("80500000", INIT), b"\x90\0")
    for byte, name in ((2, "reset"), (0, "power off"), (1, "power on")):
        expect("login", reader.command(VERIFY), b"\x90\0")
        reader.send(bytes([byte]))
        expect(name + " logs out", reader.short("00200081"), b"\x63\xC3")

    for byte in len(VERIFY).to_bytes(2, "big") + VERIFY:
        reader.wire.sendall(bytes([byte]))
        time.sleep(0.01)
    expect("in pieces", reader.receive(), b"\x90\0")
    reader.wire.sendall(b"\0\4\0\x20\0\x81" * 3)
    expect("three at once", [reader.receive() for _ in range(3)], [b"\x90\0"] * 3)

    reader.wire.close()
    reader.accept()
    expect("it comes back when the reader does", reader.command(b"\4"), ATR)
    expect("logged out", reader.short("00200081"), b"\x63\xC3")
    reader.wire.sendall(b"\0\x10\0\x20")
    reader.wire.close()
    reader.accept()
    expect("half a message is forgotten", reader.short("00200081"), b"\x63\xC3")

    expect("65535 bytes", reader.command(b"\0" * 65535), b"\x67\0")
    dice = random.Random(1)
    heads = [bytes.fromhex(head) for head in
             ("00A40400 00A40000 00B1CF00 00D7CF00 00E40200 80580000 00840000 00460100 80680120"
              " 80680270 80620121 80620280 80520000 00C00000 80500000").split()]
    for _ in range(3000):
        tail = dice.randbytes(dice.choice((0, 1, 2, 3, 5, 9, 40, 300)))
        answer = reader.command(dice.choice(heads) + tail)
        check("an answer", len(answer) >= 2)
    expect("garbage does it no harm", reader.command(b"\4"), ATR)
    reader.command(VERIFY)
    for _ in range(1000):
        inner = dice.randbytes(dice.choice((0, 1, 4, 30, 120)))
        good = dice.choice((b"\x54\2\0\0\x53", body(ec_template("prime256v1")), INIT[:9]))
        data = (good[:dice.randrange(len(good) + 1)] + inner)[:255]
        head = dice.choice(heads)
        if head != heads[-1]:
            answer = reader.command(head + bytes([len(data)]) + data + dice.choice((b"", b"\0")))
            check("an answer", len(answer) >= 2)
    expect("nor with a login", reader.command(b"\4"), ATR)

    card.send_signal(signal.SIGTERM)
    expect("SIGTERM ends it", card.wait(PATIENCE), 0)
    os.remove("card")
    latency(simulator, reader)


# What --latency says a device needs, in milliseconds: RSA-2048, P-256, and a new P-256 key.
LATENCIES = {"real": (600, 170, None), "jcop3": (250, 75, 800), "jcop4": (150, 50, 500)}


def latency(simulator, reader):
    card = start(simulator, "card", reader)
    reader.accept()
    reader.short("80500000", INIT)
    reader.extended("00460100", body(rsa_template(2048)))
    reader.extended("00460200", body(ec_template("prime256v1")))
    for name, (rsa, ec, new) in LATENCIES.items():
        end(card, reader, signal.SIGTERM)
        with open("log", "wb") as log:
            card = start(simulator, "card", reader, "--latency", name, "--log", log=log)
        reader.accept()
        reader.command(VERIFY)
        for header, data, ms in (("80680120", b"\0" * 256, rsa), ("80680270", b"h" * 32, ec),
                                 ("80620121", b"\0" * 256, rsa), ("00460300",
                                 body(ec_template("prime256v1")), new)):
            if ms is None:
                continue
            reader.short("00E40200", b"\xCC\x03")
            began = time.monotonic()
            expect("done", reader.extended(header, data)[-2:], b"\x90\0")
            took = 1000 * (time.monotonic() - began)
            expect("%s: %s has to take" % (name, header), waits()[-1], "= %d ms" % ms)
            check("%s: %s takes %d ms, not %d" % (name, header, ms, took), took > ms - 2)
        before = waits()
        reader.short("00A40400", APPLET)
        expect("other commands do not wait", waits(), before)
    end(card, reader, signal.SIGINT)


def waits():
    """What the log tells of them. More than that they take on a machine that is at work."""
    with open("log") as log:
        return [line.rstrip() for line in log if line[0] == "="]


def end(card, reader, number):
    card.send_signal(number)
    expect("signal %d ends it" % number, card.wait(PATIENCE), 0)
    reader.wire.close()


main(sys.argv[1])
