# SPDX-License-Identifier: Apache-2.0
"""
key_domains.py SIMULATOR KDM: DKEK and XKEK domains, and a key that goes from one card to another.
KDM: the membership that a Pico HSM's group signer gave a Pico HSM.
"""
import sys

import cvc
from crypto import PrivateKey
from others import Device, content, flipped, introduce, refused
from pcsc import check, expect
from reader import Card
from requests import body, ec_template, tlv

INIT = bytes.fromhex("80020001" "8106363438323139" "82083537363231383830" "910103")
UID_OID = bytes.fromhex("2B0601040181C31F030202")

class Member:
    """A card in a key domain."""

    def __init__(self, simulator, number):
        self.card = Card(simulator, "member%d" % number, "--serial", "UTMEMBER%d" % number)
        self.card.good("80500000", INIT + b"\x97\1\4")
        self.device = Device(self.card)
        self.requests = {}

    def login(self):
        self.card.select()
        self.card.login("648219")

    def generate(self, number, algorithms, domain=None, uid=None, curve="brainpoolP256r1"):
        more = tlv(0x65, tlv(0x73, tlv(0x06, UID_OID) + tlv(0x80, uid))) if uid else b""
        more += tlv(0x91, algorithms)
        more += tlv(0x92, bytes([domain])) if domain is not None else b""
        self.requests[number] = self.card.good("0046%02X00" % number,
                                               body(ec_template(curve), more=more), 0)
        return self.requests[number]

    def public_x(self):
        return self.device.own.key.objects[0x86][1:33]

    def status(self, domain):
        return self.card.good("805200%02X" % domain, le=0)


class GroupSigner:
    """The key that makes the members, on one of the cards."""

    def __init__(self, member, number):
        self.member, self.number = member, number
        self.request = member.generate(number, b"\x73")
        self.uid = cvc.Request(self.request).inner.key.objects[0x86][1:33]

    def membership(self, member):
        """The data of `52 02` for this member."""
        signature = self.member.card.good("8068%02X73" % self.number, b"\x54" + member.public_x(),
                                          0)
        return content(self.request) + tlv(0x54, cvc.plain_signature(signature, 32))


def statuses(member):
    """What section 6.8 says of every form."""
    card = member.card
    refused("a domain that was not created", 0x6A88, card, "80520000", le=0)
    refused("a share for it", 0x6A88, card, "80520000", b"\1" * 32, le=0)
    refused("beyond the last", 0x6A86, card, "80520004", le=0)
    refused("an unknown form", 0x6A86, card, "80520500", le=0)
    card.select()
    for form, data in (("01", b"\1"), ("02", b"\1"), ("03", b""), ("04", b"")):
        refused("form %s without PIN" % form, 0x6982, card, "8052%s00" % form, data, le=0)
    member.login()
    for form in ("03", "04"):
        refused("form %s of none" % form, 0x6A88, card, "8052%s00" % form, le=0)
    refused("no number of shares", 0x6700, card, "80520100", le=0)
    refused("no shares at all", 0x6A80, card, "80520100", b"\0", le=0)
    expect("a DKEK domain", card.good("80520100", b"\2", 0).hex(), "0202" + "00" * 8)
    refused("is there already", 0x6A89, card, "80520100", b"\2", le=0)
    refused("half a share", 0x6700, card, "80520000", b"\1" * 16, le=0)
    for share, seen in ((b"\xA5", "0201" + "00" * 8), (b"\xE1", "0200bb391415c05e39d7")):
        expect("a share", card.good("80520000", share * 32, 0).hex(), seen)
    refused("one too many", 0x6985, card, "80520000", b"\1" * 32, le=0)
    member.generate(0x40, b"\x73", 0)
    refused("keys in it", 0x6A89, card, "80520300", le=0)
    expect("the KEK goes", card.good("80520400", le=0).hex(), "0202" + "00" * 8)
    expect("the key stays", card.command("80684073", b"m", 0)[1], 0x9000)
    card.good("00E40200", b"\xCC\x40")
    expect("an empty domain goes", card.command("80520300", le=0), (b"", 0x9000))
    refused("it is gone", 0x6A88, card, "80520000", le=0)
    refused("no key for it", 0x6A80, card, "00464000",
            body(ec_template("prime256v1"), more=tlv(0x92, b"\0")), le=0)


def creation(signer, member, other, kdm):
    """Who becomes a member, and who does not."""
    card = member.card
    good = signer.membership(member)
    refused("a group signer of an unknown device", 0x6985, card, "80520201", good, le=0)
    introduce(signer.member.device, card)
    refused("another card's membership", 0x6985, card, "80520201", signer.membership(other), le=0)
    stranger = PrivateKey()
    refused("a stranger's signature", 0x6985, card, "80520201", content(signer.request) +
            tlv(0x54, stranger.sign(b"\x54" + member.public_x())), le=0)
    for at in (-1, -60, -80, -150, 40, 330):
        word = card.command("80520201", flipped(good, at), 0)[1]
        check("byte %d changed: %04X" % (at, word), word in (0x6985, 0x6A80))
    for what, data in (("nothing", b""), ("no signature", content(signer.request)),
                       ("cut off", good[:-1]), ("something behind", good + b"\0"),
                       ("a KDM file", kdm)):
        refused(what, 0x6A80, card, "80520201", data, le=0)
    parts = {tag: value for tag, value, _ in cvc.objects(cvc.child(kdm, 0x30))}
    foreign = parts[0x63], parts[0x62], parts[0x61]
    refused("a membership of a Pico's group", 0x6985, card, "80520201",
            content(foreign[0]) + tlv(0x54, parts[0x54]), le=0)
    for what, certificate in zip(("device", "issuer"), foreign[1:]):
        data = cvc.child(certificate, 0x7F21)
        refused("its %s's maker is unknown" % what, 0x6A88, card, "002281B6",
                tlv(0x83, cvc.child(cvc.child(data, 0x7F4E), 0x42)))
        card.good("002281B6", tlv(0x83, member.device.issuer.chr.encode()))
        refused("its %s certificate" % what, 0x6985, card, "002A00BE", data)
    refused("a slot that is not there", 0x6A86, card, "80520204", good, le=0)
    refused("nothing was made by that", 0x6A88, card, "80520001", le=0)
    small = member.generate(0x50, b"\x73", curve="secp384r1")
    signature = cvc.plain_signature(card.good("80685073", b"\x54" + member.public_x(), 0), 48)
    refused("a group signer on P-384", 0x6A81, card, "80520201",
            content(small) + tlv(0x54, signature), le=0)
    expect("a domain", card.good("80520201", good, 0), bytes(10) + signer.uid)
    refused("once", 0x6A89, card, "80520201", good, le=0)
    refused("it has no shares", 0x6985, card, "80520001", b"\1" * 32, le=0)
    expect("its status", member.status(1), bytes(10) + signer.uid)


def exchange(signer, first, second):
    for member in (first, second):
        member.generate(0x60, b"\x84", 1, signer.uid)
        refused("keys in an XKEK domain", 0x6A89, member.card, "80520301", le=0)
    card, peer = first.card, second.requests[0x60]
    request = cvc.Request(peer)
    uid = cvc.child(cvc.child(cvc.child(request.inner.body, 0x65), 0x73), 0x80)
    expect("the extension in the request", uid, signer.uid)
    first.login()
    first.generate(0x6F, b"\x92", 1)
    refused("nothing is wrapped before an exchange", 0x6A88, card, "80726F92", le=0)
    refused("an unknown device's request", 0x6985, card, "80626084", content(peer), le=0)
    introduce(second.device, card)
    for at in (-1, -100, -170, 60):
        word = card.command("80626084", flipped(content(peer), at), 0)[1]
        check("byte %d changed: %04X" % (at, word), word in (0x6985, 0x6A80, 0x6A88))
    refused("no extension", 0x6A80, card, "80626084",
            content(second.generate(0x61, b"\x84", 1)), le=0)
    refused("another domain", 0x6A88, card, "80626084",
            content(second.generate(0x62, b"\x84", 1, b"\1" * 32)), le=0)
    refused("a domain of a Pico", 0x6A88, card, "80626084",
            content(second.generate(0x63, b"\x84", 1, signer.uid * 2)), le=0)
    refused("another curve", 0x6A80, card, "80626084",
            content(second.generate(0x64, b"\x84", 1, signer.uid, "prime256v1")), le=0)
    first.generate(0x65, b"\x70", 1, signer.uid)
    refused("a key that is not for it", 0x6A81, card, "80626584", content(peer), le=0)
    first.generate(0x66, b"\x84", None, signer.uid)
    refused("a key of another domain", 0x6A88, card, "80626684", content(peer), le=0)
    refused("garbage", 0x6A80, card, "80626084", b"\x7F\x21\x81", le=0)
    expect("nothing was agreed by that", first.status(1), bytes(10) + signer.uid)

    expect("exchange", card.command("80626084", content(peer), 0), (b"", 0x9000))
    second.login()
    introduce(first.device, second.card)
    expect("the other way, with its tag", second.card.command("80626084", first.requests[0x60], 0),
           (b"", 0x9000))
    values = [member.status(1)[2:10] for member in (first, second)]
    check("a check value", values[0] != bytes(8))
    expect("on both cards the same", values[0], values[1])


def plain_agreement(first, second):
    """Algorithm 83: the same point as algorithm 80 gives with the bare public key."""
    request = second.generate(0x67, b"\x80\x83")
    point = cvc.Request(request).inner.key.objects[0x86]
    first.generate(0x67, b"\x80\x83")
    expect("with an authenticated key", first.card.good("80626783", content(request), 0),
           first.card.good("80626780", point, 0))
    first.generate(0x68, b"\x80")
    refused("only where allowed", 0x6A81, first.card, "80626883", content(request), le=0)


def migration(first, second):
    request = cvc.Request(first.generate(1, b"\x70\x71\x73\x92", 1))
    blob = first.card.good("80720192", le=0)
    expect("the blob names the domain's key", blob[:8], first.status(1)[2:10])
    second.card.good("80740193", blob)
    signature = cvc.plain_signature(second.card.good("80680173", b"moved", 0), 32)
    expect("the key signs on the other card",
           request.inner.key.curve.verify(request.inner.key.public, b"moved", signature), True)
    refused("it is in the domain there, too", 0x6A89, second.card, "80520301", le=0)


def again(signer, first, second):
    """Clear the KEK, agree again with the own request, and lose it with the power not at all."""
    before = first.status(1)
    expect("the KEK goes", first.card.good("80520401", le=0), bytes(10) + signer.uid)
    refused("nothing is wrapped then", 0x6A88, first.card, "80720192", le=0)
    first.card.good("80626084", content(second.requests[0x60]))
    expect("the same comes again", first.status(1), before)
    first.card.good("80626084", content(first.requests[0x60]))
    check("with itself it agrees on another", first.status(1) not in (before, bytes(10)))
    own = first.status(1)
    first.card.reset()
    expect("kept without a session", first.status(1), own)
    first.card.good("80500000", INIT + b"\x97\1\4")
    refused("erased by INITIALIZE", 0x6A88, first.card, "80520001", le=0)


def main(simulator, kdm_file):
    with open(kdm_file, "rb") as file:
        kdm = file.read()
    first, second = Member(simulator, 1), Member(simulator, 2)
    statuses(first)
    second.login()
    signer = GroupSigner(second, 0x30)
    creation(signer, first, second, kdm)
    second.card.good("80520201", signer.membership(second), 0)
    exchange(signer, first, second)
    plain_agreement(first, second)
    migration(first, second)
    again(signer, first, second)
    first.card.close()
    second.card.close()


main(*sys.argv[1:])
