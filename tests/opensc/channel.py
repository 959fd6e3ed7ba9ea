# SPDX-License-Identifier: Apache-2.0
"""The host's side of chip authentication and secure messaging (protocol section 17)."""
import hashlib

import cvc
from crypto import PrivateKey, aes_block, aes_cbc, cmac
from pcsc import check, expect
from requests import tlv

PROTOCOL = bytes.fromhex("04007F00070202030202")


def _pad(data):
    return data + b"\x80" + bytes(-(len(data) + 1) % 16)


class Channel:
    """Commands to a card, protected; the methods are those of pcsc.Card."""

    def __init__(self, card, key=None):
        """key: the device's public key, if not the one in the certificate of a genuine device."""
        self.card = card
        if key is None:
            chain = card.read(0x2F02)
            key = cvc.Certificate(cvc.child(chain, 0x7F21), cvc.BRAINPOOL_P256R1).key
        host = PrivateKey(key.parameters)
        card.good("002241A4", tlv(0x80, PROTOCOL))
        answer = card.good("00860000", tlv(0x7C, tlv(0x80, host.point)), 0)
        content = cvc.child(answer, 0x7C)
        expect("answer to chip authentication", [(tag, len(value)) for tag, value, _ in
                                                 cvc.objects(content)], [(0x81, 8), (0x82, 8)])
        secret = host.agree(key.objects[0x86]) + cvc.child(content, 0x81)
        self.enc, self.mac = (hashlib.sha1(secret + use).digest()[:16]
                              for use in (b"\0\0\0\1", b"\0\0\0\2"))
        public = tlv(0x7F49, tlv(0x06, PROTOCOL) + tlv(0x86, host.point))
        expect("the device proves its key", cvc.child(content, 0x82), cmac(self.mac, public)[:8])
        self.counter = 0

    def _count(self):
        self.counter += 1
        return self.counter.to_bytes(16, "big")

    def protect(self, header, data=b"", le=None):
        """The protected command's header and data."""
        counter = self._count()
        header = bytes.fromhex(header)
        header = bytes([header[0] | 0x0C]) + header[1:]
        objects = b""
        if data:
            text = aes_cbc(True, self.enc, aes_block(self.enc, counter), _pad(data))
            objects += tlv(0x85, text) if header[1] & 1 else tlv(0x87, b"\1" + text)
        if le is not None:
            objects += tlv(0x97, le.to_bytes(1 if le < 256 else 2, "big") if le else b"\0\0")
        mac = cmac(self.mac, counter + _pad(header) + _pad(objects))[:8]
        return header.hex(), objects + tlv(0x8E, mac)

    def open(self, answer, status, odd):
        """Data of a protected answer."""
        counter = self._count()
        found = {tag: value for tag, value, _ in cvc.objects(answer)}
        covered = answer[:-10]
        check("the answer's MAC", found.get(0x8E) == cmac(self.mac, counter + _pad(covered))[:8])
        check("its status word", int.from_bytes(found[0x99], "big") == status)
        text = found.get(0x85 if odd else 0x87)
        check("the other parity's object", (0x87 if odd else 0x85) not in found)
        if text is None:
            return b""
        if not odd:
            check("padding indicator", text[0] == 1)
            text = text[1:]
        padded = aes_cbc(False, self.enc, aes_block(self.enc, counter), text)
        data = padded.rstrip(b"\0")
        check("padding", data[-1:] == b"\x80")
        return data[:-1]

    def command(self, header, data=b"", le=None, extended=True):
        header, protected = self.protect(header, data, le)
        answer, status = self.card.command(header, protected, 0, extended)
        while status >> 8 == 0x61:
            more, status = self.card.command("00C00000", le=status & 0xFF, extended=False)
            answer += more
        if status in (0x6987, 0x6988):
            check("no data with an error of secure messaging", answer == b"")
            return answer, status
        inner = int.from_bytes(cvc.child(answer, 0x99), "big")
        return self.open(answer, inner, bytes.fromhex(header)[1] & 1), inner

    def good(self, header, data=b"", le=None, extended=True):
        answer, status = self.command(header, data, le, extended)
        check("%s answers %04X" % (header, status), status == 0x9000)
        return answer
