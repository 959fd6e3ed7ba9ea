# SPDX-License-Identifier: Apache-2.0
"""trust.py SIMULATOR: which certificates a card takes from others, and which it does not."""
import sys

import cvc
from crypto import PrivateKey
from others import ROOT, Device, flipped, introduce, name, refused
from pcsc import expect
from reader import Card
from requests import tlv

INIT = bytes.fromhex("80020001" "8106363438323139" "82083537363231383830" "910103")


def certificate(car, chr, key, signer, role):
    """Content of a certificate made by the test."""
    body = tlv(0x7F4E, tlv(0x5F29, b"\0") + tlv(0x42, car) +
               tlv(0x7F49, tlv(0x06, cvc.ECDSA_SHA256) + tlv(0x86, key.point)) +
               tlv(0x5F20, chr) + tlv(0x7F4C, tlv(0x06, cvc.DEVICE_ROLE) + tlv(0x53, role)) +
               tlv(0x5F25, b"\2\6\0\1\0\1") + tlv(0x5F24, b"\3\6\0\1\0\1"))
    return body + tlv(0x5F37, signer.sign(body))


def main(simulator):
    card, other = (Card(simulator, "card%d" % i, "--serial", "UTTRUST%d" % i) for i in (1, 2))
    card.good("80500000", INIT)
    card.select()
    own, device = Device(card), Device(other)
    for what, chr in (("its root", ROOT), ("its issuer", own.issuer.chr),
                      ("itself", own.own.chr)):
        expect("a card knows " + what, card.command("002281B6", name(chr))[1], 0x9000)
    refused("it does not know another", 0x6A88, card, "002281B6", name(device.own.chr))
    refused("and nothing is chosen then", 0x6A88, card, "002A00BE", device.own_content)
    refused("a name that is none", 0x6A80, card, "002281B6", b"UTTRUST200000")
    refused("no such environment", 0x6A86, card, "002281B8", name(ROOT))

    card.good("002281B6", name(ROOT))
    refused("another issuer than the certificate names", 0x6985, card, "002A00BE",
            device.own_content)
    card.good("002281B6", name(device.issuer.chr))
    for at in (20, 60, len(device.own_content) - 1):
        expect("byte %d changed" % at,
               card.command("002A00BE", flipped(device.own_content, at))[1] in (0x6985, 0x6984),
               True)
    refused("with its tag", 0x6984, card, "002A00BE", tlv(0x7F21, device.own_content))
    refused("cut off", 0x6984, card, "002A00BE", device.own_content[:-1])
    refused("nothing", 0x6984, card, "002A00BE")
    refused("P1 P2", 0x6A86, card, "002A00AE", device.own_content)
    introduce(device, card)
    expect("now it knows the other", card.command("002281B6", name(device.own.chr))[1], 0x9000)

    # The issuer's key is published: whoever has it makes devices. A device makes nobody.
    issuer, made = PrivateKey(), PrivateKey()
    issuer.value = int.from_bytes(bytes.fromhex(
        "5D04E91B91DA922316301AF0D31E7E27BB1A7AB202FEA8FA62833D68C786198F"), "big")
    issuer_name = device.issuer.chr.encode()
    card.good("002281B6", name(issuer_name))
    for what, chr, role, wanted in (("a device of the test's", b"UTMADE0100000", b"\0", 0x9000),
                                    ("an issuer made by an issuer", b"UTMADE0200000", b"\x80",
                                     0x6985),
                                    ("a root made by an issuer", b"UTMADE0300000", b"\xC0", 0x6985),
                                    ("an unknown role", b"UTMADE0400000", b"\x40", 0x6985),
                                    ("the same name for another key", device.own.chr.encode(),
                                     b"\0", 0x6985),
                                    ("the name of the card itself", own.own.chr.encode(), b"\0",
                                     0x6985),
                                    ("a name too short", b"UT00001", b"\0", 0x6984)):
        refused(what, wanted, card, "002A00BE", certificate(issuer_name, chr, made, issuer, role))
    card.good("002281B6", name(b"UTMADE0100000"))
    refused("a device makes no device", 0x6985, card, "002A00BE",
            certificate(b"UTMADE0100000", b"UTMADE0500000", made, made, b"\0"))

    card.select()
    refused("SELECT forgets", 0x6A88, card, "002281B6", name(device.own.chr))
    introduce(device, card)
    card.reset()
    refused("so does reset", 0x6A88, card, "002281B6", name(device.own.chr))
    card.close()
    other.close()


main(*sys.argv[1:])
