# SPDX-License-Identifier: Apache-2.0
"""secure_messaging.py SIMULATOR: chip authentication and everything under secure messaging."""
import sys

import cvc
from channel import PROTOCOL, Channel
from crypto import PrivateKey
from pcsc import APPLET, check, expect
from reader import Card
from requests import body, ec_template, rsa_template, tlv

PIN = b"648219"
INIT = bytes.fromhex("80020001" "8106363438323139" "82083537363231383830" "910103" "920101")


def status(card, *arguments, **more):
    return card.command(*arguments, **more)[1]


def establishing(card):
    expect("GENERAL AUTHENTICATE before MSE",
           status(card, "00860000", tlv(0x7C, tlv(0x80, PrivateKey().point)), 0), 0x6985)
    expect("3DES is not there", status(card, "002241A4", tlv(0x80, PROTOCOL[:-1] + b"\1")), 0x6A80)
    expect("another MSE", status(card, "002241B6", tlv(0x80, PROTOCOL)), 0x6A86)
    expect("AES is", status(card, "002241A4", tlv(0x80, PROTOCOL)), 0x9000)
    point = PrivateKey().point
    for what, data in (("no point", b""), ("a bare point", point), ("cut off", tlv(0x80, point)),
                       ("another curve's length", tlv(0x7C, tlv(0x80, point + b"\0" * 32))),
                       ("a compressed point", tlv(0x7C, tlv(0x80, b"\2" + point[1:33]))),
                       ("no point of the curve",
                        tlv(0x7C, tlv(0x80, point[:-1] + bytes([point[-1] ^ 1])))),
                       ("something behind", tlv(0x7C, tlv(0x80, point)) + b"\0")):
        expect(what, status(card, "00860000", data, 0), 0x6A80)
    expect("no channel from that", status(card, "0C200081", b"\x97\1\0\x8E\x08" + b"\0" * 8, 0),
           0x6882)


def same_as_plain(card):
    """Every kind of command gives the same under secure messaging."""
    channel = Channel(card)
    expect("VERIFY status", status(channel, "00200081", le=0), 0x63C3)
    expect("a wrong PIN", status(channel, "00200081", b"000000"), 0x63C2)
    expect("the right one", status(channel, "00200081", PIN), 0x9000)
    expect("plain commands see the login", status(card, "00200081"), 0x9000)
    expect("an odd command", channel.command("00B12F02", bytes.fromhex("54020000"), 1000),
           (card.read(0x2F02), 0x6282))
    expect("to the end of the file", status(channel, "00B12F02", bytes.fromhex("54020100"), 1000),
           0x6282)
    expect("writing", status(channel, "00D7CF01", bytes.fromhex("5402000053") + b"\3abc"), 0x9000)
    expect("is there", card.read(0xCF01), b"abc")
    expect("the list", channel.good("80580000", le=0), card.good("80580000", le=0))
    expect("the state of the DKEK", channel.good("80520000", le=0), card.good("80520000", le=0))
    expect("an error", channel.command("00B1CF77", bytes.fromhex("54020000"), 0), (b"", 0x6A82))
    expect("an unknown command", status(channel, "00FF0000", le=0), 0x6D00)
    expect("an unknown class", status(channel, "80200081", le=0), 0x6E00)
    expect("random bytes", len(channel.good("00840000", le=200)), 200)

    request = channel.good("00460100", body(ec_template("prime256v1")), 0)
    expect("a key's request", request, card.read(0xCE01))
    key = cvc.Request(request).inner.key
    signature = channel.good("80680173", b"message", 0)
    expect("its signature", key.curve.verify(key.public, b"message",
                                             cvc.plain_signature(signature, 32)), True)
    channel.good("00460200", body(rsa_template(2048)), 0)
    block = b"\0" + b"\x42" * 255
    expect("RSA", channel.good("80680220", block, 0), card.good("80680220", block, 0))
    expect("in short commands", channel.command("80680220", block[:200], 0, extended=False)[1],
           card.command("80680220", block[:200], 0)[1])
    expect("an answer in pieces", channel.good("80680173", b"m", 0, extended=False)[:1], b"\x30")
    expect("a long answer in pieces", channel.command("00B1CE02", bytes.fromhex("54020000"), 1000,
                                                      extended=False)[0], card.read(0xCE02))
    expect("a new PIN", status(channel, "00240081", PIN + b"12345678"), 0x9000)
    expect("the old one", status(channel, "00240081", b"12345678" + PIN), 0x9000)
    expect("unblocking", status(channel, "002C0181", bytes.fromhex("3537363231383830")), 0x9000)
    expect("a share", channel.good("80520000", b"\x44" * 32, 0).hex(), "0100bb391415c05e39d7")
    for _ in range(260):
        channel.good("00840000", le=8)
    return channel


def ended(card, channel, what):
    expect(what + ": the channel is over", status(card, *channel.protect("00200081", le=0), le=0),
           0x6882)


def tampering(card):
    def tampered(what, change, wanted, data=b"x", header="00840000"):
        card.select()
        channel = Channel(card)
        header, protected = channel.protect(header, data, 8)
        expect(what, card.command(header, change(protected), 0), (b"", wanted))
        ended(card, channel, what)

    def flip(at):
        return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]

    mac_missing = lambda data: data[:-10]
    tampered("a byte of the MAC", flip(-1), 0x6988)
    tampered("a byte of the cryptogram", flip(5), 0x6988)
    tampered("the padding indicator", flip(2), 0x6988)
    tampered("a byte of Le", flip(-11), 0x6988)
    tampered("no MAC", mac_missing, 0x6987)
    tampered("nothing at all", lambda data: b"", 0x6987)
    tampered("a MAC only", lambda data: data[-10:], 0x6987)
    tampered("a short MAC", lambda data: data[:-10] + b"\x8E\x07" + data[-8:-1], 0x6988)
    tampered("something behind the MAC", lambda data: data + b"\x97\1\0", 0x6988)
    tampered("an unknown object", lambda data: b"\x81\1\0" + data, 0x6988)
    tampered("cut off", lambda data: data[:-1], 0x6988)
    tampered("two of an object", lambda data: data[:-10] + b"\x97\1\x08" + data[-10:], 0x6988)
    tampered("half a block", lambda data: b"\x87\x09\1" + data[3:11] + data[-13:], 0x6988)
    tampered("the odd object in an even command", lambda data: b"\x85\x10" + data[3:], 0x6988)

    card.select()
    channel = Channel(card)
    header, protected = channel.protect("00840000", le=8)
    expect("another command's header", status(card, "0C840001", protected, 0), 0x6988)
    channel = Channel(card)
    header, protected = channel.protect("00840000", le=8)
    answer, word = card.command(header, protected, 0)
    channel.open(answer, word, False)
    expect("the same command again", status(card, header, protected, 0), 0x6988)
    ended(card, channel, "replay")

    channel = Channel(card)
    channel.counter += 1
    expect("a counter ahead", status(card, *channel.protect("00840000", le=8), le=0), 0x6988)
    channel = Channel(card)
    expect("padding that is none", status(card, *unpadded(channel), le=0), 0x6988)


def unpadded(channel):
    """A command whose MAC is right, and whose data has no padding."""
    from crypto import aes_block, aes_cbc, cmac
    counter = channel._count()
    text = aes_cbc(True, channel.enc, aes_block(channel.enc, counter), b"\1" * 16)
    objects = tlv(0x87, b"\1" + text)
    header = bytes.fromhex("0C200081") + b"\x80" + bytes(11)
    padded = objects + b"\x80" + bytes(-(len(objects) + 1) % 16)
    return "0C200081", objects + tlv(0x8E, cmac(channel.mac, counter + header + padded)[:8])


def endings(card):
    card.select()
    channel = Channel(card)
    expect("a plain command does not end it", status(card, "00840000", le=8), 0x9000)
    expect("still there", status(channel, "00200081", le=0), 0x63C3)
    expect("a file's SELECT does not", status(card, "00A40000", b"\x2F\2", 0), 0x9000)
    expect("still there", status(channel, "00200081", le=0), 0x63C3)
    card.select()
    ended(card, channel, "SELECT")
    channel = Channel(card)
    check("SELECT inside is answered inside",
          channel.good("00A40400", APPLET, 0).startswith(b"\x62"))
    ended(card, channel, "SELECT inside")
    first, second = Channel(card), Channel(card)
    expect("a second channel", status(second, "00200081", le=0), 0x63C3)
    expect("takes the first one's place", status(first, "00200081", le=0), 0x6988)
    channel = Channel(card)
    card.reset()
    ended(card, channel, "reset")


def main(simulator, log):
    with open(log, "wb") as file:
        card = Card(simulator, "card", "--log", log=file)
        expect("initialised", status(card, "80500000", INIT), 0x9000)
        card.select()
        establishing(card)
        same_as_plain(card)
        tampering(card)
        endings(card)
        card.close()
    with open(log, "rb") as file:
        text = file.read()
    for what, secret in (("PIN", PIN), ("other PIN", b"12345678"), ("share", b"\x44" * 32),
                         ("SO-PIN", bytes.fromhex("3537363231383830"))):
        check("the log shows the " + what, secret.hex().upper().encode() not in text)
    for line in (b"\n>> 00200081 [6 bytes hidden]\n", b"\n>> 00840000\n", b"\n<< 6A82\n"):
        check("the log has no line %r" % line, line in text)


main(*sys.argv[1:])
