# SPDX-License-Identifier: Apache-2.0
"""unwritable.py SIMULATOR: what a card says and does while nothing can be written to its file."""
import os
import sys

from pcsc import expect
from reader import Card
from requests import body, ec_template, tlv

INIT = tlv(0x80, b"\0\1") + tlv(0x81, b"648219") + tlv(0x82, b"57621880") + tlv(0x91, b"\3")
FILE = tlv(0x54, b"\0\0") + tlv(0x53, b"content")
NEW_PIN = b"648219" b"123456"


def refused(card, what, wanted, header, data=b"", le=None):
    _, status = card.command(header, data, le)
    expect("%s: %04X" % (what, wanted), status, wanted)


def away(what):
    """The folder of the file is elsewhere, or back."""
    os.rename(*(("folder-of-card", "elsewhere") if what else ("elsewhere", "folder-of-card")))


def main(simulator):
    os.mkdir("folder-of-card")
    card = Card(simulator, "folder-of-card/card")
    away(True)
    refused(card, "a fresh card is not initialised", 0x6581, "80500000", INIT)
    away(False)
    refused(card, "and nobody is logged in by that", 0x6982, "00D7CF01", FILE)
    refused(card, "it is fresh", 0x6A88, "00200081")

    card.good("80500000", INIT)
    card.login("648219")
    card.good("00460100", body(ec_template("prime256v1"), more=tlv(0x90, b"\0\0\0\2")), 0)
    away(True)
    refused(card, "a file is not written", 0x6581, "00D7CF01", FILE)
    away(False)
    refused(card, "that logs out", 0x6982, "00D7CF01", FILE)
    refused(card, "nothing is there", 0x6A82, "00B1CF01", tlv(0x54, b"\0\0"), 0)
    card.login("648219")
    away(True)
    refused(card, "what cannot be counted is not signed", 0x6581, "80680170", b"h" * 32, 256)
    refused(card, "nor is a PIN looked at: a wrong one", 0x6581, "00200081", b"000000")
    refused(card, "and the right one", 0x6581, "00200081", b"648219")
    refused(card, "nor changed", 0x6581, "00240081", NEW_PIN)
    refused(card, "nothing is erased", 0x6581, "80500000", INIT)
    away(False)
    refused(card, "no try was spent", 0x63C3, "00200081")
    card.login("648219")
    for _ in range(2):
        card.good("80680170", b"h" * 32, 256)
    refused(card, "two uses were left", 0x6984, "80680170", b"h" * 32, 256)
    card.close()


main(sys.argv[1])
