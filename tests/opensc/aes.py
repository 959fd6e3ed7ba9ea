# SPDX-License-Identifier: Apache-2.0
"""aes.py SIMULATOR: AES keys, checked with the openssl command."""
import os
import sys

import blob
from blob import AES, plaintext
from pcsc import expect
from requests import body, ec_template, tlv
from wrapped import D44, PIN, Hsm

LIST = tlv(0x91, b"\x10\x11\x18\x99\x92")
REQUEST = body(ec_template("prime256v1"))


def known_keys(card):
    """Keys whose value we know, because they come wrapped."""
    for size in (16, 24, 32):
        key = os.urandom(size)
        card.unwrap(5, D44.seal(AES, plaintext(AES, 0, [key])))
        for length in (16, 160, 4096):
            data = os.urandom(length)
            secret = card.good("80780510", data, 0)
            expect("AES-%d, %d bytes" % (8 * size, length), secret, blob.cbc(key, data))
            expect("decrypted", card.good("80780511", secret, 0), data)
        for length in (0, 1, 16, 17, 1000):
            data = os.urandom(length)
            expect("CMAC over %d bytes" % length, card.good("80780518", data, 0),
                   blob.cmac(key, data))
            expect("derivation from %d bytes" % length, card.good("80780599", data, 0),
                   blob.hkdf(key, data))
        card.delete(5)


def generated(card):
    for p2, size in ((0xB0, 16), (0xB1, 24), (0xB2, 32)):
        card.good("004805%02X" % p2, LIST)
        found = D44.open(card.wrap(5))
        key = found["elements"][0]
        expect("generated with %d bytes" % size, (found["type"], found["algorithms"], len(key)),
               (AES, b"\x10\x11\x18\x99\x92", size))
        expect("and used", card.good("80780518", b"data", 0), blob.cmac(key, b"data"))
        card.reset()
        card.login(PIN)
        expect("it outlives power", card.good("80780518", b"data", 0), blob.cmac(key, b"data"))
        card.delete(5)
    card.good("004805B2", LIST)
    one = D44.open(card.wrap(5))["elements"]
    card.delete(5)
    card.good("004805B2", LIST)
    expect("no two keys are alike", one == D44.open(card.wrap(5))["elements"], False)
    card.delete(5)


def refusals(card):
    card.refused("512 bits are for another device", 0x6A81, "004805B3", LIST)
    card.refused("no size", 0x6A81, "00480500", LIST)
    card.refused("the device key's id", 0x6A89, "004800B2", LIST)
    card.refused("an unknown object", 0x6A80, "004805B2", tlv(0x99, b"1"))
    card.refused("a short counter", 0x6A80, "004805B2", tlv(0x90, b"\1"))
    card.refused("17 algorithms", 0x6A80, "004805B2", tlv(0x91, b"\x10" * 17))
    card.refused("a list cut off", 0x6A80, "004805B2", b"\x91\5\x10")
    card.good("004805B2", tlv(0x91, b"\x10\x18"))
    card.refused("id in use", 0x6A89, "004805B2", LIST)
    for what, algorithm, data, wanted in (
            ("encryption is in the list", 0x10, b"x" * 16, 0x9000),
            ("decryption is not", 0x11, b"x" * 16, 0x6A81),
            ("derivation is not", 0x99, b"x", 0x6A81),
            ("export is not", None, b"", 0x6A81),
            ("no data", 0x10, b"", 0x6700), ("15 bytes", 0x10, b"x" * 15, 0x6700),
            ("17 bytes", 0x10, b"x" * 17, 0x6700), ("an unknown algorithm", 0x51, b"x", 0x6A81)):
        header = "80720592" if algorithm is None else "807805%02X" % algorithm
        card.refused(what, wanted, header, data, 0)
    card.refused("AES keys do not sign", 0x6A81, "80680573", b"x", 0)
    card.refused("nor decipher", 0x6A81, "80620521", b"x", 0)
    card.refused("nor vouch", 0x6A81, "00460605", REQUEST, 0)
    card.refused("nor derive EC keys", 0x6A81, "80760506", b"\x98\1")
    card.refused("no key", 0x6A88, "80780710", b"x" * 16, 0)
    card.refused("the device key", 0x6985, "80780010", b"x" * 16, 0)
    card.good("00460600", REQUEST)
    card.refused("EC keys do not encrypt", 0x6A81, "80780610", b"x" * 16, 0)
    card.delete(5)
    card.delete(6)


def counted(card):
    card.good("004805B0", LIST + tlv(0x90, b"\0\0\0\5"))
    expect("policy", card.policy(5),
           {0x90: b"\0\0\0\5", 0x91: b"\x10\x11\x18\x99\x92", 0x92: b"\0"})
    card.refused("refused, so not counted", 0x6700, "80780510", b"x", 0)
    for header in ("80780510", "80780511", "80780518", "80780599"):
        card.good(header, b"x" * 16, 0)
    card.wrap(5)
    for header, data in (("80780510", b"x" * 16), ("80780511", b"x" * 16), ("80780518", b""),
                         ("80780599", b"x"), ("80720592", b"")):
        card.refused("used up: " + header, 0x6984, header, data, 0)
    card.delete(5)


def main(simulator):
    card = Hsm(simulator, "card")
    card.initialise(tlv(0x92, b"\1"))
    card.import_share(D44)
    known_keys(card)
    generated(card)
    refusals(card)
    counted(card)
    card.good("004805B0")
    card.select()
    card.refused("without login no encryption", 0x6982, "80780510", b"x" * 16, 0)
    card.refused("and no new key", 0x6982, "004807B0", LIST)
    card.login(PIN)
    card.initialise(b"")
    expect("INITIALIZE deletes it", card.listed(), {"2F02", "CC00"})
    card.close()


main(sys.argv[1])
