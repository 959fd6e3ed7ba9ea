# SPDX-License-Identifier: Apache-2.0
"""transport.py PIN: what the card answers to commands that no OpenSC tool sends."""
import hashlib
import os
import sys

import cvc
from pcsc import APPLET, Card, check, expect
from requests import body, ec_template, rsa_template, tlv


def number(data):
    return int.from_bytes(data, "big")


def fetch(card, data, status, step=0):
    """The rest of an answer through GET RESPONSE."""
    commands = 0
    while status >> 8 == 0x61:
        more, status = card.command("00C00000", le=step or status & 0xFF, extended=False)
        data += more
        commands += 1
    return data, status, commands


def malformed(card):
    for what, command in (("nothing", "00"), ("three bytes", "002000"),
                          ("data cut off", "0020008106363438"),
                          ("data too long", "00200081063634383231392031"),
                          ("extended, cut off", "002000810000063634"),
                          ("extended, empty", "0020008100000000"),
                          ("extended header alone", "00200081000000AABB"),
                          ("two bytes more", "00B12F020454020000000000")):
        command = bytes.fromhex(command)
        if len(command) > 1:
            expect("malformed: " + what, card.transmit(command), (b"", 0x6700))


def chunks(card):
    extended = card.good("00460100", body(rsa_template(2048)), 0)
    card.good("00E40200", b"\xCC\x01")
    command = body(rsa_template(2048))
    data, status = card.command("00460100", command, 0, extended=False)
    expect("a short Le: 256 bytes and how much is left", (len(data), status >> 8), (256, 0x61))
    data, status, commands = fetch(card, data, status)
    expect("all of it", (len(data), status), (len(extended), 0x9000))
    expect("is the request", data, card.read(0xCE01))
    expect("in so many commands", commands, (len(extended) - 1) // 256)
    _, status = card.command("00C00000", le=0, extended=False)
    expect("nothing more to fetch", status, 0x6985)

    data, status = card.command("00A40400", APPLET, 10, extended=False)
    expect("a small Le", (len(data), status), (10, 0x6100 | 32 - 10))
    data, status, commands = fetch(card, data, status, 5)
    expect("in steps", (data[:2], len(data), status, commands), (b"\x62\x1E", 32, 0x9000, 5))
    _, status = card.command("00A40400", APPLET, 10, extended=False)
    card.command("00200081", extended=False)
    _, status = card.command("00C00000", le=0, extended=False)
    expect("another command drops the rest", status, 0x6985)


def signatures(card, rsa, ec):
    """Every algorithm of the card on its own, verified with integers."""
    modulus, exponent = rsa.objects[0x81], rsa.objects[0x82]
    size = len(modulus)
    message = os.urandom(300)
    infos = {0x31: ("sha1", "3021300906052B0E03021A05000414"),
             0x33: ("sha256", "3031300D060960864801650304020105000420"),
             0x34: ("sha384", "3041300D060960864801650304020205000430"),
             0x35: ("sha512", "3051300D060960864801650304020305000440")}

    def opened(signature):
        return pow(number(signature), number(exponent), number(modulus)).to_bytes(size, "big")

    def padded(data):
        return b"\0\1" + b"\xff" * (size - 3 - len(data)) + b"\0" + data

    block = b"\0" + os.urandom(size - 1)
    expect("20", opened(card.good("80680120", block, 512)), block)
    expect("30", opened(card.good("80680130", b"any bytes", 512)), padded(b"any bytes"))
    expect("30, as long as fits", opened(card.good("80680130", b"x" * (size - 11), 512)),
           padded(b"x" * (size - 11)))
    for algorithm, (digest, prefix) in infos.items():
        signature = card.good("806801%02X" % algorithm, message, 512)
        expect("%X" % algorithm, opened(signature),
               padded(bytes.fromhex(prefix) + hashlib.new(digest, message).digest()))
    for algorithm, digest in ((0x41, "sha1"), (0x43, "sha256"), (0x44, "sha384"), (0x45, "sha512")):
        value = hashlib.new(digest, message).digest()
        check_pss(opened(card.good("806801%02X" % algorithm, message, 512)), value, digest,
                  number(modulus))
        print("ok: %X" % algorithm)
        check_pss(opened(card.good("80680140", value, 512)), value, digest, number(modulus))
        print("ok: 40 with", digest)

    for algorithm, digest in ((0x71, "sha1"), (0x72, "sha224"), (0x73, "sha256"), (0x74, "sha384"),
                              (0x75, "sha512")):
        for header, data in (("806802%02X" % algorithm, message),
                             ("80680270", hashlib.new(digest, message).digest())):
            der = card.good(header, data, 512)
            expect("%s: a sequence of two integers" % header,
                   (cvc.tags(der), cvc.tags(cvc.child(der, 0x30))), ([0x30], [2, 2]))
            plain = b"".join(value.lstrip(b"\0").rjust(ec.curve.size, b"\0")
                             for _, value, _ in cvc.objects(cvc.child(der, 0x30)))
            expect(header + " with " + digest, ec.curve.verify(ec.public, message, plain, digest),
                   True)
    card.good("80680131", b"", 512)
    print("ok: the empty message")
    _, status = card.command("80680120", b"\xff" * size, 512)
    expect("a value above the modulus", status, 0x6A80)
    _, status = card.command("80680130", b"x" * (size - 10), 512)
    expect("too long to be padded", status, 0x6700)


def check_pss(block, value, digest, modulus):
    """RFC 8017, section 9.1.2, with MGF1 and salt of the same hash."""
    length = len(value)
    bits = modulus.bit_length() - 1
    encoded = block[-((bits + 7) // 8):]
    masked, h = encoded[:-length - 1], encoded[-length - 1:-1]
    mask = b"".join(hashlib.new(digest, h + counter.to_bytes(4, "big")).digest()
                    for counter in range(len(masked) // length + 1))[:len(masked)]
    db = bytearray(a ^ b for a, b in zip(masked, mask))
    db[0] &= 0xFF >> (8 * len(encoded) - bits)
    salt = bytes(db[-length:])
    check("PSS trailer", encoded[-1] == 0xBC)
    check("PSS padding", bytes(db[:-length]) == b"\0" * (len(db) - length - 1) + b"\1")
    check("PSS hash", hashlib.new(digest, b"\0" * 8 + value + salt).digest() == h)


def decryption(card, rsa, ec):
    modulus, exponent = number(rsa.objects[0x81]), number(rsa.objects[0x82])
    size = len(rsa.objects[0x81])

    def encrypt(block):
        return pow(number(block), exponent, modulus).to_bytes(size, "big")

    good = b"\0\2" + b"p" * (size - 3 - 6) + b"\0secret"
    expect("21", card.good("80620121", encrypt(good), 512), good)
    expect("22", card.good("80620122", encrypt(good), 512), b"secret")
    empty = b"\0\2" + b"p" * (size - 3) + b"\0"
    expect("22, empty message", card.good("80620122", encrypt(empty), 512), b"")
    for what, block in (("block type", b"\0\1" + good[2:]), ("no zero", good.replace(b"\0s", b"ps")),
                        ("short padding", b"\0\2ppppppp\0" + b"m" * (size - 10))):
        _, status = card.command("80620122", encrypt(block), 512)
        expect("22, " + what, status, 0x6A80)
    _, status = card.command("80620123", encrypt(good), 512)
    expect("23, no OAEP", status, 0x6A80)

    def mgf(seed, length):
        return b"".join(hashlib.sha256(seed + i.to_bytes(4, "big")).digest()
                        for i in range(length // 32 + 1))[:length]

    seed = os.urandom(32)
    data = hashlib.sha256(b"").digest()
    data += b"\0" * (size - 2 * 32 - 2 - 6) + b"\1secret"
    data = bytes(a ^ b for a, b in zip(data, mgf(seed, len(data))))
    seed = bytes(a ^ b for a, b in zip(seed, mgf(data, 32)))
    expect("23", card.good("80620123", encrypt(b"\0" + seed + data), 512), b"secret")

    private = number(os.urandom(32)) % ec.curve.n
    point = ec.curve.multiply(ec.curve.g, private)
    shared = ec.curve.multiply(ec.public, private)

    def encode(x, y):
        return b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")

    expect("80: the whole point", card.good("80620280", encode(*point), 512), encode(*shared))
    _, status = card.command("80620280", encode(point[0], point[1] ^ 1), 512)
    expect("80, not on the curve", status, 0x6A80)
    _, status = card.command("80620280", encode(*point)[:-1], 512)
    expect("80, too short", status, 0x6700)


def policy(card):
    p256 = ec_template("prime256v1")
    value = b"h" * 32
    card.good("00461000", body(p256, more=tlv(0x91, b"\x73\x80")), 0)
    card.good("80681073", value, 512)
    _, status = card.command("80681070", value, 512)
    expect("an algorithm that is not in the list", status, 0x6A81)
    card.good("00461100", body(rsa_template(1024), more=tlv(0x91, b"\x21")), 0)
    _, status = card.command("80681120", b"\0" * 128, 512)
    expect("a key for decryption only", status, 0x6A81)
    card.good("80621121", b"\0" * 127 + b"\2", 512)
    card.good("00461200", body(p256, more=tlv(0x90, b"\0\0\0\3") + tlv(0x92, b"\0")), 0)
    card.good("80681270", value, 512)
    _, status = card.command("80681271", b"", 512)
    expect("two uses", status, 0x9000)
    _, status = card.command("80681290", value, 512)
    expect("an unknown algorithm costs nothing", status, 0x6A81)
    card.good("80681273", value, 512)
    _, status = card.command("80681270", value, 512)
    expect("use counter expired", status, 0x6984)


def main(pin):
    card = Card()
    card.select()
    malformed(card)
    card.login(pin)
    chunks(card)
    card.login(pin)
    card.good("00460200", body(ec_template("brainpoolP256r1")), 0)
    rsa = cvc.Request(card.read(0xCE01)).inner.key
    ec = cvc.Request(card.read(0xCE02)).inner.key
    signatures(card, rsa, ec)
    decryption(card, rsa, ec)
    policy(card)

    big = os.urandom(20000)
    for at in range(0, len(big), 4000):
        card.good("00D7CF01", tlv(0x54, at.to_bytes(2, "big")) + tlv(0x53, big[at:at + 4000]))
    expect("a big file", card.read(0xCF01), big)
    data, status = card.command("00B1CF01", tlv(0x54, b"\0\0"), 0)
    expect("in one piece", (data, status), (big, 0x6282))
    _, status = card.command("00D7CF02", tlv(0x54, b"\0\0") + tlv(0x53, b"x" * 0xFF00))
    card.good("00D7CF02", tlv(0x54, b"\xFF\x00") + tlv(0x53, b"x" * 0xFF))
    _, status = card.command("00D7CF02", tlv(0x54, b"\xFF\xFF") + tlv(0x53, b"x"))
    expect("a file has at most 65535 bytes", status, 0x6A84)
    before = card.good("80500000", le=0)
    for fid in range(0x10, 0x100):
        _, status = card.command("00D7CF%02X" % fid, tlv(0x54, b"\0\0") + tlv(0x53, b"x" * 0xFF00))
        if status != 0x9000:
            break
    expect("the card fills up", status, 0x6A84)
    free = card.good("80500000", le=0)
    check("free memory and version", len(free) == 7 and free[4:] == b"\0\3\5" and free < before and
          number(free[:4]) < 0xFF00)
    card.close(reset=True)
    card = Card()
    data, status = card.command("00200081", extended=False)
    expect("a reset logs out", status, 0x63C3)
    expect("and loses no file", card.read(0xCF01), big)
    card.close()


main(sys.argv[1])
