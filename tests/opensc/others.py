# SPDX-License-Identifier: Apache-2.0
"""What one card tells another: certificates to trust, and requests of keys."""
import cvc
from pcsc import expect
from requests import tlv

ROOT = "UTSRCASIM00002"


def name(chr):
    return tlv(0x83, chr if isinstance(chr, bytes) else chr.encode())


class Device:
    """The certificates of the device that a card is."""

    def __init__(self, card):
        chain = card.read(0x2F02)
        self.own, self.issuer = (cvc.Certificate(cvc.child(chain, 0x7F21, i), cvc.BRAINPOOL_P256R1)
                                 for i in (0, 1))
        self.own_content, self.issuer_content = (cvc.child(chain, 0x7F21, i) for i in (0, 1))


def introduce(device, card):
    """Make a device known to a card, as section 16.3 has it."""
    for certificate, content in ((device.issuer, device.issuer_content),
                                 (device.own, device.own_content)):
        if card.command("002281B6", name(certificate.chr))[1] == 0x6A88:
            card.good("002281B6", name(certificate.car))
            card.good("002A00BE", content)
    card.good("002281B6", name(device.own.chr))


def content(request):
    """Content of 67."""
    return cvc.child(request, 0x67)


def flipped(data, at):
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def refused(what, wanted, card, *command, le=None):
    expect(what, card.command(*command, le=le), (b"", wanted))
