# SPDX-License-Identifier: Apache-2.0
"""pico.py SIMULATOR: the ways and the faults of a Pico HSM, as its firmware was seen to have them."""
import hashlib
import subprocess
import sys

import cvc
from channel import Channel
from crypto import PrivateKey
from pcsc import check, expect
from requests import body, ec_template, rsa_template, tlv
from wrapped import D44, EC, RSA, RSA_CRT, Hsm, plaintext

PIN, SO_PIN = b"648219", b"57621880"
CURVES = {"prime192v1": 24, "prime256v1": 32, "secp384r1": 48, "secp521r1": 66, "secp192k1": 24,
          "secp256k1": 32, "brainpoolP256r1": 32, "brainpoolP384r1": 48, "brainpoolP512r1": 64}
P25519, P448 = 2 ** 255 - 19, 2 ** 448 - 2 ** 224 - 1
MODERN = {
    "X25519": (P25519.to_bytes(32, "big"), b"\x09" + bytes(31)),
    "ED25519": (P25519.to_bytes(32, "big"), b"\x58" + b"\x66" * 31),
    "X448": (P448.to_bytes(56, "big"), b"\x05" + bytes(55)),
    "ED448": (P448.to_bytes(56, "big"), b"\x14" + bytes(56)),
}
ID_RI = bytes.fromhex("04007F00070202050203")
SPKI = {"X25519": "302a300506032b656e032100", "ED25519": "302a300506032b6570032100",
        "X448": "3042300506032b656f033900", "ED448": "3043300506032b6571033a00"}


def openssl(*words, given=None):
    return subprocess.run(("openssl",) + words, input=given, stdout=subprocess.PIPE, check=True).stdout


class Pico(Hsm):
    def start(self, more=tlv(0x92, b"\1"), options=b"\0\1", pin=PIN, so_pin=SO_PIN):
        self.good("80500000", tlv(0x80, options) + tlv(0x81, pin) + tlv(0x82, so_pin) +
                  tlv(0x91, b"\3") + more)

    def words(self, *commands):
        return ["%04X" % self.command(*command)[1] for command in commands]

    def ids(self):
        found = self.good("80580000", le=0)
        return [found[at:at + 2].hex().upper() for at in range(0, len(found), 2)]

    def part(self, fid, offset, le):
        return self.command("00B1%04X" % fid, b"\x54\2" + offset.to_bytes(2, "big"), le)

    def write(self, fid, offset, content):
        return self.command("00D7%04X" % fid, tlv(0x54, offset.to_bytes(2, "big")) +
                            tlv(0x53, content))[1]

    def remove(self, fid):
        return self.command("00E40200", fid.to_bytes(2, "big"), extended=False)[1]


def generated(card, key, template, le=None):
    return cvc.Request(card.good("0046%02X00" % key, body(template), le))


def fresh(card):
    expect("nothing is selected at first", card.command("00200081")[1], 0x6A82)
    expect("what it is", card.select().hex()[-10:], "0000ff0606")
    expect("an empty 2F02", card.part(0x2F02, 0, 1000), (b"", 0x9000))
    expect("never initialised", card.words(("00200081",), ("00200088",), ("80520000",)),
           ["6A88", "6A88", "6B00"])
    expect("what is there", card.ids(), ["C400", "CC00"])
    check("its own token information", b"Pico-HSM" in card.part(0x2F03, 0, 1000)[0])


def initialise(card):
    card.start()
    first = card.part(0x2F02, 0, 1000)[0]
    request = cvc.Request(first[:4 + int.from_bytes(first[2:4], "big")])
    own = cvc.Certificate(cvc.child(first, 0x7F21))
    expect("a request, then a certificate", cvc.tags(first), [0x67, 0x7F21])
    expect("whose name all have", (own.chr, request.inner.chr), ("ESPICOHSMTR00001",) * 2)
    check("made by the device alone", own.signed_by(own.key) and
          request.inner.signed_by(own.key) and request.attested_by(own.key))
    card.select()
    card.start(so_pin=b"00000000")
    expect("no SO-PIN is asked for, and the device key stays", card.part(0x2F02, 0, 1000)[0], first)
    card.start(pin=b"123456")
    expect("nor goes while somebody is logged in", card.part(0x2F02, 0, 1000)[0], first)
    card.select()
    card.start()
    second = card.part(0x2F02, 0, 1000)[0]
    check("with another PIN it is another", second != first and second[:1] == b"\x67")
    expect("which knows its name by now",
           cvc.Request(second[:4 + int.from_bytes(second[2:4], "big")]).outer_car,
           "ESPICOHSMTR00001")


def domains(card):
    card.start()
    card.select()
    expect("a share needs no login", card.good("80520000", b"\xA5" * 32, 0), b"\1" + bytes(9))
    expect("and nobody is told its check value", card.good("80520000", le=0), b"\1" + bytes(9))
    card.login("648219")
    expect("but who is logged in", card.good("80520000", le=0)[2:],
           hashlib.sha256(b"\xA5" * 32).digest()[:8])
    card.start(tlv(0x97, b"\x20"))
    expect("16 domains", card.words(("8052000F",), ("80520010",)), ["6A88", "6B00"])
    expect("made", card.good("80520103", b"\2", 0), b"\2\2" + bytes(8))
    expect("not twice", card.command("80520103", b"\2", 0)[1], 0x6A86)
    card.select()
    expect("not by anybody", card.command("80520104", b"\2", 0)[1], 0x6985)
    expect("deleted by anybody, and said not to be there", card.words(("80520303",), ("80520303",)),
           ["6A88", "6A86"])


def pins(card):
    card.start()
    card.select()
    wrong = ("00200081", b"111111")
    expect("three wrong PINs", card.words(wrong, wrong, wrong, ("00200081", PIN), ("00200081",)),
           ["63C2", "63C1", "6983", "6983", "6983"])
    expect("unblocked, not without a new one",
           card.words(("002C0181", SO_PIN), ("002C0081", SO_PIN + PIN), ("00200081",)),
           ["6986", "9000", "9000"])
    card.select()
    expect("the SO-PIN opens it as well",
           card.words(("00200088", SO_PIN), ("00460100", body(ec_template("prime256v1")), 0)),
           ["9000", "9000"])
    card.reader.send(b"\2")
    expect("a reset takes nothing back", card.command("00200088")[1], 0x9000)
    card.start(options=b"\0\x21")
    expect("with another option", card.command("002C0181", SO_PIN)[1], 0x9000)
    card.start(options=b"\0\3")
    expect("a transport PIN never ends",
           card.words(("00240081", PIN + b"222222"), ("00200081", b"222222")), ["9000", "6984"])


def files(card):
    card.start()
    for at in (0, 1500, 3000):
        expect("written", card.write(0xCF01, at, b"%d" % (at // 1500) * min(1500, 4032 - at)), 0x9000)
    expect("no more than 4032", card.write(0xCF01, 4032, b"x"), 0x6700)
    data, status = card.part(0xCF01, 0, 1000)
    expect("what was asked for, and more to come", (len(data), status), (1000, 0x6100))
    data, status = card.command("00C00000", le=4000)
    expect("which is all the rest", (data, status), (b"0" * 500 + b"1" * 1500 + b"2" * 1032, 0x9000))
    expect("the last part", card.part(0xCF01, 4000, 1000), (b"2" * 32, 0x9000))
    expect("the end, and beyond", [card.part(0xCF01, at, 1000) for at in (4032, 4033)],
           [(b"", 0x9000), (b"", 0x6282)])
    expect("less than 256 bytes are told", card.part(0xCF01, 4000, 10)[1], 0x6116)
    card.write(0xCF01, 0, b"short")
    expect("writing at the start replaces", card.part(0xCF01, 0, 1000), (b"short", 0x9000))
    card.write(0xCF01, 8, b"!")
    expect("gaps are filled", card.part(0xCF01, 0, 1000)[0], b"short\0\0\0!")
    for fid in (0xC901, 0xC801, 0xCA01, 0xCE77, 0xC477):
        card.write(fid, 0, b"x")
    generated(card, 5, ec_template("prime256v1"))
    generated(card, 3, ec_template("prime256v1"))
    expect("the order of the list", card.ids(),
           ["C400", "CC00", "CC05", "CC03", "C477", "C405", "C403", "C801", "C901"])
    expect("SELECT of a key", card.good("00A40000", b"\xCC\5", 0)[:12].hex(),
           "620e810200218201018302cc")
    expect("not without an answer", card.command("00A4000C", b"\xCC\5")[1], 0x6A86)
    expect("of a file", card.good("00A40000", b"\xC4\5", 0).hex(), "620e8102001c8201018302c4058a0105")
    expect("deleted", card.words(("00E40200", b"\xCC\5"), ("00E40200", b"\xCC\5")),
           ["9000", "6A82"])
    expect("with its description and request left over",
           [card.part(fid, 0, 1000)[1] for fid in (0xC405, 0xCE05)], [0x9000] * 2)


def keys(card):
    card.start()
    card.good("80520000", D44.value, 0)
    for name, size in CURVES.items():
        request = generated(card, 1, ec_template(name))
        check(name, request.inner.signed_by(request.inner.key))
        found = D44.open(card.good("80720192", le=0))
        a, b, p, n, g, d, q = found["elements"]
        expect(name + ": the size is the field's", (found["type"], found["size"]), (EC, 8 * size))
        expect(name + ": a only where it says something", len(a), size if "brain" in name else 0)
        check(name + ": no leading zeros", all(part[:1] != b"\0" for part in (a, b, p, n, d)))
        expect(name + ": point", q, request.inner.key.objects[0x86])
    expect("other curves", card.words(*[("00460200", body(ec_template(name)), 0) for name in
                                        ("brainpoolP224r1", "brainpoolP320r1")]), ["6A81"] * 2)
    other = generated(card, 1, ec_template("brainpoolP256t1")).inner.key
    expect("twisted is not twisted", other.objects[0x82], generated(
        card, 1, ec_template("brainpoolP256r1")).inner.key.objects[0x82])
    expect("P-521 loses a zero", len(generated(card, 1, ec_template("secp521r1")).inner.key.objects[
        0x83]), 65)
    card.good("00460200", body(rsa_template(2048)))
    expect("what the device writes about them", [card.part(fid, 0, 1000)[0].hex() for fid in
                                                 (0xC401, 0xC402)],
           ["a01a30020c0030080401310303072080a10a30083002040002020210",
            "301930020c00300704013203020274a10a30083002040002020800"])
    card.good("004803B2", tlv(0x91, bytes.fromhex("1011189299")))
    expect("and of an AES key", card.part(0xC403, 0, 1000)[0].hex(),
           "a81e30020c003008040133030307c010a006300402020100a106300430020400")
    expect("whose policy is told", card.good("00A40000", b"\xCC\3", 0).hex(),
           "6218810200208201018302cc038a0105a5810791051011189299")
    expect("no such kind, and no word about it",
           (card.good("00467700", body(tlv(0x7F49, tlv(6, b"\1\2\3"))), 0), "CC77" in card.ids()),
           (b"", False))
    before = card.part(0xCE02, 0, 1000)[0]
    check("a place that is taken is taken again",
          generated(card, 2, rsa_template(2048)).inner.key.objects[0x81] not in before)


def exponent(card):
    card.start()
    key = generated(card, 1, rsa_template(2048, b"\3")).inner.key
    expect("the request says 3", key.objects[0x82], b"\3")
    signature = card.good("80680133", b"message", 0)
    check("and the key computes with 65537", not key.verifies(b"message", signature) and
          cvc.verify_rsa(key.objects[0x81], b"\1\0\1", b"message", signature))
    expect("a DigestInfo is never signed", card.command(
        "80680130", bytes.fromhex("3031300D060960864801650304020105000420") + bytes(32), 0)[1], 0x6400)
    expect("short input is taken for long", len(card.good("80680120", b"\0\1", 0)), 256)


def policy(card):
    card.start()
    card.good("00460100", body(ec_template("prime256v1"),
                               more=tlv(0x90, b"\0\0\0\1") + tlv(0x91, b"\x70")))
    card.good("00460200", body(ec_template("prime256v1"), more=tlv(0x90, bytes(4))))
    sign = ("80680170", b"h" * 32, 0)
    expect("uses are not counted", card.words(sign, sign), ["9000", "9000"])
    expect("but seen when they are gone", card.command("80680270", b"h" * 32, 0)[1], 0x6A84)
    expect("what is not listed, and not there",
           card.words(("80680173", b"h", 0), ("80620180", b"\4" + bytes(64), 0),
                      ("80680970", b"h", 0), ("80720992", b"", 0)),
           ["6985", "6985", "6A82", "6A82"])
    point = generated(card, 3, ec_template("prime256v1")).inner.key
    host = PrivateKey(point.objects)
    expect("ECDH gives 04 and x", card.good("80620380", host.point, 0),
           b"\4" + host.agree(point.objects[0x86]))


def wrapping(card):
    card.start()
    card.good("80520000", D44.value, 0)
    key = generated(card, 1, rsa_template(2048)).inner.key
    wrapped = card.good("80720192", le=0)
    expect("RSA in its short form", (D44.open(wrapped)["type"], len(wrapped)), (RSA, 587))
    expect("comes back, over what is there", card.words(("80740193", wrapped), ("80740293", wrapped)),
           ["9000", "9000"])
    request = cvc.Request(card.part(0xCE02, 0, 1000)[0])
    expect("with a request of the device's",
           (request.inner.chr, request.inner.key.objects[0x81]),
           ("ESPICOHSMTR00001", key.objects[0x81]))
    changed = bytes([wrapped[0] ^ 1]) + wrapped[1:]
    expect("what is wrong, unknown or not there", card.words(
        ("80740393", changed), ("80740393", wrapped[:-1] + bytes([wrapped[-1] ^ 1])),
        ("80740393", wrapped[:8] + b"\x63" + wrapped[9:]), ("80740393",)),
           ["6400", "6400", "6984", "6A82"])
    card.start(b"")
    generated(card, 1, ec_template("prime256v1"))
    expect("no DKEK", card.command("80720192", le=0)[1], 0x6A88)


def modern(card):
    card.start()
    card.good("80520000", D44.value, 0)
    for at, (name, (prime, base)) in enumerate(MODERN.items(), 1):
        template = tlv(0x7F49, tlv(6, cvc.ECDSA_SHA256) + tlv(0x81, prime) + tlv(0x83, base))
        answer = card.good("0046%02X00" % at, body(template))
        request = cvc.child(answer, 0x67)
        content = cvc.child(request, 0x7F21)
        public = {tag: value for tag, value, _ in
                  cvc.objects(cvc.child(cvc.child(content, 0x7F4E), 0x7F49))}
        expect(name + ": the request", (sorted(public), public[6], public[0x81]),
               ([6, 0x81, 0x82, 0x83, 0x84], ID_RI, prime))
        size = len(public[0x84])
        pem = openssl("pkey", "-pubin", "-inform", "DER",
                      given=bytes.fromhex(SPKI[name]) + public[0x84])
        open("modern.pem", "wb").write(pem)
        signature = cvc.child(content, 0x5F37)
        if name.startswith("X"):
            expect(name + ": cannot sign", (signature, card.command("8068%02X70" % at, b"m", 0)[1]),
                   (bytes(2 * size), 0x6400))
            openssl("genpkey", "-algorithm", name, "-out", "host.pem")
            peer = openssl("pkey", "-in", "host.pem", "-pubout", "-outform", "DER")[-size:]
            expect(name + ": agrees", card.good("8062%02X80" % at, peer, 0), b"\4" + openssl(
                "pkeyutl", "-derive", "-inkey", "host.pem", "-peerkey", "modern.pem"))
            expect(name + ": not with another's", card.command("8062%02X80" % at, peer[1:], 0)[1],
                   0x6984)
        else:
            for what, message, made in (
                    ("the request, each half backwards", cvc.whole(content, 0x7F4E),
                     signature[:len(signature) // 2][::-1] + signature[len(signature) // 2:][::-1]),
                    ("a message", b"m" * 1900, card.good("8068%02X70" % at, b"m" * 1900, 0))):
                open("message.bin", "wb").write(message)
                open("signature.bin", "wb").write(made)
                openssl("pkeyutl", "-verify", "-pubin", "-inkey", "modern.pem", "-rawin", "-in",
                        "message.bin", "-sigfile", "signature.bin")
                print("ok: %s signs %s" % (name, what))
        wrapped = card.good("8072%02X92" % at, le=0)
        expect(name + ": leaves, and does not come back",
               (D44.open(wrapped)["elements"][6], card.command("80740993", wrapped)[1]),
               (public[0x84], 0x6400))
    expect("a little endian prime is none", card.command("00460900", body(tlv(
        0x7F49, tlv(6, cvc.ECDSA_SHA256) + tlv(0x81, MODERN["X25519"][0][::-1]) +
        tlv(0x83, MODERN["X25519"][1]))), 0)[1], 0x6A81)


def channel(card):
    card.start()
    device = cvc.Certificate(cvc.child(card.part(0x2F02, 0, 1000)[0], 0x7F21)).key
    card.select()
    card.good("002241A4", tlv(0x80, bytes.fromhex("04007F00070202030202")))
    expect("nobody logged in, no channel", card.command(
        "00860000", tlv(0x7C, tlv(0x80, PrivateKey(device.objects).point)), 0)[1], 0x6400)
    card.login("648219")
    protected = Channel(card, device)
    expect("a PIN in it", protected.good("00200081", PIN), b"")
    header, data = protected.protect("00200081", b"111111")
    answer, status = card.command(header, data, 0)
    expect("a wrong one is told in it alone", (status, cvc.child(answer, 0x99)),
           (0x9000, b"\x63\xC2"))
    protected.open(answer, 0x63C2, 0)
    header, data = protected.protect("00200081", b"111111")
    expect("a wrong MAC", card.command(header, data[:-1] + bytes([data[-1] ^ 1]), 0)[1], 0x6984)


def provisioned(simulator):
    card = Pico(simulator, "provisioned", "--profile", "pico-provisioned", "--serial", "ES12345")
    card.select()
    chain = card.part(0x2F02, 0, 1000)[0]
    names = [cvc.child(cvc.child(value, 0x7F4E), 0x5F20) for _, value, _ in cvc.objects(chain)]
    expect("two certificates", (cvc.tags(chain), names[0]), ([0x7F21] * 2, b"ESPICOHSMTR12345"))
    card.start()
    second = card.part(0x2F02, 0, 1000)[0]
    request = cvc.Request(second[:4 + int.from_bytes(second[2:4], "big")])
    expect("INITIALIZE leaves the name alone", (second[:1], request.inner.chr, request.outer_car),
           (b"\x67",) + ("ESPICOHSMTR12345",) * 2)
    card.close()


def deaths(simulator):
    """What kills the firmware: the card leaves its reader, and says why."""
    crt = plaintext(RSA_CRT, 3072, [b"\1" * 192] * 5 + [b"\1" * 384, b"\1\0\1"])

    def written(card):
        card.write(0x2F03, 0, b"label")

    for what, prepare, command in (
            ("type 06 above RSA-2048", None, ("80740193", D44.seal(RSA_CRT, crt))),
            ("DELETE of 2F03", None, ("00E40200", b"\x2F\3")),
            ("READ of 2F03 that was written", written, ("00B12F03", b"\x54\2\0\0", 0)),
            ("SELECT of a path", None, ("00A40000", b"\x3F\0\x2F\2", 0)),
            ("ECDSA with an RSA key",
             lambda card: card.good("00460100", body(rsa_template(1024))),
             ("80680170", b"h" * 32, 0))):
        card = Pico(simulator, "death", "--profile", "pico")
        card.select()
        card.start()
        card.good("80520000", D44.value, 0)
        if prepare is not None:
            prepare(card)
        try:
            card.command(*command)
        except SystemExit as reason:
            check("%s: the card hung up: %s" % (what, reason), "hung up" in str(reason))
        else:
            sys.exit("FAILED: %s: the card lives" % what)
        card.close()
        print("ok:", what)


def main(simulator):
    card = Pico(simulator, "pico", "--profile", "pico")
    fresh(card)
    for part in (initialise, domains, pins, files, keys, exponent, policy, wrapping, modern, channel):
        part(card)
    card.close()
    again = Pico(simulator, "pico", "--profile", "pico")
    again.select()
    expect("what was made is there after it was away", len(again.good("80580000", le=0)), 4)
    again.close()
    provisioned(simulator)
    deaths(simulator)


main(sys.argv[1])
