# SPDX-License-Identifier: Apache-2.0
"""public_keys.py SIMULATOR: a card that opens with 3 of 5 keys on other cards."""
import sys

import cvc
from others import Device, content, flipped, introduce, name, refused
from pcsc import expect
from reader import Card
from requests import body, ec_template, rsa_template

SO_PIN = bytes.fromhex("82083537363231383830")
PIN = bytes.fromhex("8106363438323139")
REPLACE, BOTH, RESET = 0x0008, 0x0010, 0x0001


class Holder:
    """A card of a person, with a key to authenticate with."""

    def __init__(self, simulator, number, template=None):
        self.card = Card(simulator, "holder%d" % number, "--serial", "UTHOLD%d" % number)
        self.card.good("80500000", b"\x80\2\0\1" + PIN + SO_PIN)
        self.device = Device(self.card)
        self.chr = b"UTKEY%05d00001" % number
        self.number = 0
        self.new_key(template or ec_template("brainpoolP256r1"))

    def new_key(self, template, chr=None):
        self.number += 1
        self.chr = chr or self.chr
        self.request = self.card.good("0046%02X00" % self.number, body(template, chr=self.chr), 0)
        self.size = len(cvc.Request(self.request).inner.key.objects[0x86]) // 2

    def sign(self, message):
        return cvc.plain_signature(self.card.good("8068%02X73" % self.number, message, 0),
                                   self.size)


class Target:
    """The card that the holders open."""

    def __init__(self, simulator, state, *options):
        self.card = Card(simulator, state, "--serial", "UTTARGET1", *options)

    def initialise(self, options, total, required, pin=b""):
        self.card.good("80500000", b"\x80\2" + options.to_bytes(2, "big") + pin + SO_PIN +
                       bytes([0x93, 2, total, required]))
        self.card.select()
        self.name = Device(self.card).own.chr.encode()

    def status(self):
        return list(self.card.good("80540000", le=0))

    def register(self, holder, header="80540000"):
        introduce(holder.device, self.card)
        return list(self.card.good(header, content(holder.request), 0))

    def challenge(self):
        return self.card.good("00840000", le=8)

    def prove(self, holder, challenge):
        """Status words of choosing the key and of the proof."""
        chosen = self.card.command("002281A4", name(holder.chr))[1]
        signature = holder.sign(self.name + challenge)
        return chosen, self.card.command("00820000", signature)[1]

    def pin_status(self):
        return self.card.command("00200081")[1]


def registration(target, holders):
    card = target.card
    target.initialise(RESET | REPLACE, 5, 3)
    expect("five keys are missing", target.status(), [5, 5, 3, 0])
    expect("no PIN's counter", target.pin_status(), 0x6300)
    refused("nobody there yet", 0x6A88, card, "80540200", le=0)
    refused("no sixth place", 0x6A86, card, "80540205", le=0)
    first = holders[0]
    refused("a device that was not introduced", 0x6A88, card, "80540000", content(first.request),
            le=0)
    introduce(first.device, card)
    for at in (30, -1, -80, -140):
        expect("byte %d of a request changed" % at,
               card.command("80540000", flipped(content(first.request), at), 0)[1] in
               (0x6985, 0x6A80), True)
    for what, data in (("the request with its tag", first.request), ("nothing behind 7F21",
                       content(first.request)[:400]), ("one byte", b"\x7F")):
        refused(what, 0x6A80, card, "80540000", data, le=0)
    card.good("002281B6", name(holders[0].device.issuer.chr))
    refused("the issuer chosen, not the device", 0x6985, card, "80540000", content(first.request),
            le=0)
    expect("nothing was registered by that", target.status(), [5, 5, 3, 0])
    for number, holder in enumerate(holders):
        expect("holder %d" % number, target.register(holder), [5, 4 - number, 3, 0])
        if number == 0:
            refused("the same twice", 0x6A89, card, "80540000", content(holder.request), le=0)
    refused("a sixth key", 0x6A84, card, "80540000", content(first.request), le=0)
    for number, holder in enumerate(holders):
        expect("who is registered", card.command("8054%02X%02X" % (2, number), le=0),
               (holder.chr, 0x9000))
    refused("an unknown form", 0x6A86, card, "80540300", le=0)
    card.reset()
    expect("all of it is kept", target.status(), [5, 0, 3, 0])


def authentication(target, holders, challenge_each):
    """Three of five open the card; challenge_each: one serves for one of them only."""
    card = target.card
    refused("closed", 0x6982, card, "00D7CF01", bytes.fromhex("540200005303616263"))
    expect("no key chosen", card.command("00820000", b"\0" * 64)[1], 0x6A88)
    refused("an unknown key", 0x6A88, card, "002281A4", name(b"UTNOBODY00001"))
    card.good("002281A4", name(holders[0].chr))
    refused("no challenge", 0x6985, card, "00820000", holders[0].sign(target.name + bytes(8)))
    challenge = target.challenge()
    refused("another holder's signature", 0x6985, card, "00820000",
            holders[1].sign(target.name + challenge))
    challenge = target.challenge()
    refused("another challenge", 0x6985, card, "00820000", holders[0].sign(target.name + bytes(8)))
    challenge = target.challenge()
    refused("another card's name", 0x6985, card, "00820000",
            holders[0].sign(b"UTTARGET200000" + challenge))
    challenge = target.challenge()
    refused("a byte changed", 0x6985, card, "00820000",
            flipped(holders[0].sign(target.name + challenge), 40))
    challenge = target.challenge()
    refused("DER", 0x6985, card, "00820000", b"\x30\x44" + bytes(68))
    refused("no signature", 0x6700, card, "00820000")
    card.good("00840000", le=16)
    refused("16 random bytes are no challenge", 0x6985, card, "00820000",
            holders[0].sign(target.name + challenge))
    expect("nobody so far", target.status(), [5, 0, 3, 0])

    challenge = target.challenge()
    for count, number in enumerate((4, 1)):
        expect("holder %d" % number, target.prove(holders[number], challenge), (0x9000, 0x9000))
        expect("is counted", target.status(), [5, 0, 3, count + 1])
        expect("and named", card.command("8054%02X%02X" % (2, number), le=0),
               (holders[number].chr, 0x9001))
        expect("but only once", card.command("002281A4", name(holders[number].chr))[1], 0x6985)
        expect("the card is closed", target.pin_status(), 0x6300)
        if challenge_each and count == 0:
            expect("one challenge is for one", target.prove(holders[0], challenge),
                   (0x9000, 0x6985))
            challenge = target.challenge()
    if challenge_each:
        challenge = target.challenge()
    expect("two keep through it", target.status(), [5, 0, 3, 2])
    expect("a third", target.prove(holders[2], challenge), (0x9000, 0x9000))
    expect("the card is open", target.pin_status(), 0x9000)
    card.good("00D7CF01", bytes.fromhex("540200005303616263"))
    expect("a fourth is welcome", target.prove(holders[3], target.challenge())[1], 0x9000)
    card.select()
    expect("SELECT closes it", (target.pin_status(), target.status()), (0x6300, [5, 0, 3, 0]))
    return card


def starting_over(target, holders):
    """As on Pico: a new challenge takes all back."""
    target.card.reset()
    challenge = target.challenge()
    expect("one", target.prove(holders[0], challenge), (0x9000, 0x9000))
    challenge = target.challenge()
    expect("is forgotten", target.status(), [5, 0, 3, 0])
    for holder in holders[:3]:
        expect("a challenge for all", target.prove(holder, challenge), (0x9000, 0x9000))
    expect("open", target.pin_status(), 0x9000)


def replacement(target, holders):
    card = target.card
    card.reset()
    refused("closed", 0x6982, card, "80540104", content(holders[4].request), le=0)
    for holder in holders[:3]:
        target.prove(holder, target.challenge())
    expect("who was there", card.command("80540201", le=0), (holders[1].chr, 0x9001))
    old = holders[1].chr
    holders[1].new_key(ec_template("prime256v1"), b"UTKEYNEW00001")
    expect("a new key of a holder", target.register(holders[1], "80540101"), [5, 0, 3, 2])
    expect("has its place", card.command("80540201", le=0), (holders[1].chr, 0x9000))
    refused("the old one has none", 0x6A88, card, "002281A4", name(old))
    refused("a place that is not there", 0x6982, card, "80540105", content(holders[1].request),
            le=0)
    for holder in (holders[1], holders[3]):
        expect("the new key counts", target.prove(holder, target.challenge()), (0x9000, 0x9000))
    refused("a place that is not there", 0x6A86, card, "80540105", content(holders[1].request),
            le=0)
    refused("a key that is elsewhere", 0x6A89, card, "80540102", content(holders[1].request), le=0)


def other_modes(target, holders):
    card = target.card
    expect("an RSA key is registered, too", registered_rsa(target, holders[4]), [1, 0, 1, 0])
    card.good("002281A4", name(b"UTRSAKEY00001"))
    card.good("00820000", holders[4].card.good("8068F033", target.name + target.challenge(), 0))
    expect("and opens the card", target.pin_status(), 0x9000)
    refused("which cannot be replaced", 0x6985, card, "80540100", content(holders[4].request),
            le=0)
    target.initialise(RESET | BOTH, 2, 2, PIN)
    expect("both: keys first", target.pin_status(), 0x6300)
    for holder in holders[:2]:
        target.register(holder)
        expect("both: a key", target.prove(holder, target.challenge()), (0x9000, 0x9000))
    expect("both: then the PIN's counter", target.pin_status(), 0x63C3)
    refused("both: keys are not enough", 0x6982, card, "00D7CF01",
            bytes.fromhex("540200005303616263"))
    card.login("648219")
    expect("both: open", target.pin_status(), 0x9000)
    card.select()
    card.login("648219")
    expect("both: a PIN is not enough", target.pin_status(), 0x6300)

    target.initialise(RESET, 2, 2, PIN)
    card.login("648219")
    expect("either: the PIN opens", target.pin_status(), 0x9000)
    card.select()
    for holder in holders[:2]:
        target.register(holder)
        target.prove(holder, target.challenge())
    expect("either: so do the keys", target.pin_status(), 0x9000)
    card.good("80500000", b"\x80\2\0\1" + PIN + SO_PIN)
    for command in ("80540000", "80540200"):
        refused("without keys there is no such command", 0x6D00, card, command, le=0)


def registered_rsa(target, holder):
    target.initialise(RESET, 1, 1)
    request = holder.card.good("0046F000", body(rsa_template(2048), chr=b"UTRSAKEY00001"), 0)
    introduce(holder.device, target.card)
    return list(target.card.good("80540000", content(request), 0))


def main(simulator):
    holders = [Holder(simulator, number) for number in range(5)]
    target = Target(simulator, "target")
    registration(target, holders)
    authentication(target, holders, True)
    replacement(target, holders)
    target.card.close()
    target = Target(simulator, "target", "--challenge", "shared")
    target.name = Device(target.card).own.chr.encode()
    authentication(target, holders, False)
    starting_over(target, holders)
    target.card.close()
    target = Target(simulator, "target")
    other_modes(target, holders)
    for card in [target.card] + [holder.card for holder in holders]:
        card.close()


main(*sys.argv[1:])
