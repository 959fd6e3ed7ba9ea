# SPDX-License-Identifier: Apache-2.0
"""wrapped.py SIMULATOR: wrapped keys opened off the card, and made for it."""
import hashlib
import re
import sys

import blob
import cvc
from blob import AES, EC, RSA, RSA_CRT, Kek, number, plaintext
from pcsc import check, expect
from reader import Card
from requests import CURVES, body, ec_template, rsa_template, tlv

PIN = "648219"
START = tlv(0x80, b"\0\1") + tlv(0x81, PIN.encode()) + tlv(0x82, b"57621880") + tlv(0x91, b"\3")
D44 = Kek(b"\x44" * 32)  # section 23.2
OTHER = Kek(b"\x55" * 32)

# section 23.4: from a real device, whose author published its parts
REAL_RSA = bytes.fromhex("""
BB391415C05E39D706000A04007F00070202020102000000000000A86826F6C633C7BB0509FE55E2E8A2DB79C08158B7
82587A07C3D3305130AC912D316D3D8C13CF1BA94CC1177103E7A2BB71AC28EC2CDFDEB93B61242B0AB3FF7AB7F7BB48
D3984214A7A06B5D52477C17E70C7D5662706A468B54A9102DB6886E33DD2B5B0029121865D422BB5F12F3A13BDB759A
4CB54B8090CA6E5D728EA9579BC72A36C8A1696B9C26A01D80E7956B7D1D81A1DED5791B260F0C3B6E9ADC88413624C9
EF4E7F884C62A6D5776235FA6F08FD770EC602F0B2EE3060529B9CF0BA28F959BA577D6C51EF769CE24E4911A7C265B7
49C84494F05992DA856ECC4F0486E57A3C8681D83DDBAF28ABCB7AD99549625F457D2A3DDA02867D4739DCBE3498E3E2
39C834A68AB2E376C8932D8413A159A9446B19E29C7CE62E69B0FAB4E2F2A0D1243D19DEA899B91CD435B03231B8EF72
4E33FA2B733E4046A8508325BF4942D271F601B7E197D6EFA137C96047EDBC92AFA176821507A43736D6A54167246A12
F3D02B0838593B22F064AB40BD2A50254825BA66B16989440C8379B27E354AEE5F8F468F2807DD81A88565BF7894CBA0
A109BBADB50FEC457511FC034AF84AF50B1059AAB51DA21DA553A27DA088D47B2765492DF4F4D6152046E15C8FB628A4
5638F3715E362A592005533F832F781EC866AC4E43107BCA8932C44FFDECAECD8941865F7A07EA6CF27253""")
REAL_RSA_N = bytes.fromhex("""
D3DDD24D86EF89F0DA9EE2933517A1117AB0C9B75ACAF261B8699A8F8A76351468B641C9F51071EAA7C681E975D9AF7B
B8F6E3B1BB234DD4A6A65B4E089A94BB7441F6FD8210D4B5CA0275B64921F081181AD3CD137B2EB9BEE9545B2919617B
89C4A4634205342A1A989BB0491C0A20682646D2DCE7699371300637896A04A9""")
# sections 23.5 and 23.6: made by the rules of the layout, not by a device and not by us
MADE_EC = bytes.fromhex("""
BB391415C05E39D70C000A04007F00070202020203000000000000F6FD8D5014055BF1DDC9CC6D7A65D40950313E21D4
61BCCC0A4188AB9F0690660B3C0F7D4FC3F592995A9AC8367FA728117C7EEF1E0B9D33003DE61ED1F512DA2155C3C5A8
4BF818E64900DDAF8BBBBD346621BBE6C6D311A8383D7028DB5A4C5DEA0A88C879B9C1DF795ACABF82E347AE0DC1E9BE
D231543D5B62C866262549B4E5D0C7866D083E1FCE4A54269DE9813C3E426DF9454993B97661BA516B9C5EB8CD6F5F1D
E66A810AA0CA573F36A5A5424BFDD592829F7641279AA36E7B02BCBDDDD61F3980C6D37CCEEABA8ED8D8380D17716477
C4CBCD9B4B91EDE729E7812B7CEE9CFF4683898953285D6AD66969D08108718733DEE56CF7BDDFEECE49E7E25A5D286B
CA0E8A0E2D93836EFC152A3FC578A8F7D560CB6068790658A266774AE9A70CA1714F33DE57C3D2C4D45446374ECFF58D
59FC927B0894F96C11FEB5D20B941C0CB2322CC34C6C8311E829C9""")
MADE_EC_D = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
MADE_AES = bytes.fromhex("""
BB391415C05E39D70F00086086480165030401000410111899000000002941CC289F68528A50ADF118FC2AF500456310
3E95E3A86F2C42FC54E8F496C1DB8F4509420525F5CD543FD2EC74E7619FEB9A6A8CDE43AD5A8E773B9964E783""")


class Hsm(Card):
    """A card with domains, logged in."""

    def initialise(self, more):
        self.good("80500000", START + more, extended=False)
        self.login(PIN)

    def import_share(self, kek, domain=0):
        status = self.good("805200%02X" % domain, kek.value, 0, extended=False)
        expect("key check value", status[2:], kek.check)

    def delete(self, key):
        self.good("00E40200", bytes([0xCC, key]), extended=False)

    def wrap(self, key):
        return self.good("8072%02X92" % key, le=0)

    def unwrap(self, key, wrapped):
        self.good("8074%02X93" % key, wrapped)

    def unwrap_file(self, key, wrapped):
        self.good("00D72F10", tlv(0x54, b"\0\0") + tlv(0x53, b""))
        for at in range(0, len(wrapped), 200):
            self.good("00D72F10", tlv(0x54, at.to_bytes(2, "big")) +
                      tlv(0x53, wrapped[at:at + 200]))
        self.good("8074%02X93" % key)

    def refused(self, what, wanted, header, data=b"", le=None):
        _, status = self.command(header, data, le)
        expect(what, status, wanted)

    def policy(self, key):
        """Objects 90, 91, 92 by tag, as SELECT of the key shows them."""
        fci = cvc.child(self.good("00A40000", bytes([0xCC, key]), 0, extended=False), 0x6F)
        return {tag: value for tag, value, _ in cvc.objects(cvc.child(fci, 0xA5))}

    def signs(self, what, key, public, algorithm=0x73):
        signature = self.good("8068%02X%02X" % (key, algorithm), b"message", 0)
        if public.curve:
            signature = cvc.plain_signature(signature, public.curve.size)
        expect(what, public.verifies(b"message", signature), True)

    def listed(self):
        ids = self.good("80580000", le=0)
        return {ids[i:i + 2].hex().upper() for i in range(0, len(ids), 2)}


def check_rsa(what, found, modulus):
    if found["type"] == RSA_CRT:
        dp, dq, p, qinv, q, n, e = map(number, found["elements"])
        check(what + ": n", p * q == n and n == number(modulus))
        check(what + ": dp, dq", dp * e % (p - 1) == 1 and dq * e % (q - 1) == 1)
        check(what + ": qinv", qinv * q % p == 1)
    else:
        d, n, e = map(number, found["elements"])
        check(what + ": n", n == number(modulus))
        check(what + ": d", pow(pow(12345, e, n), d, n) == 12345)


def check_ec(what, found, key):
    a, b, p, n, g, d, q = found["elements"]
    for name, tag, value in (("p", 0x81, p), ("a", 0x82, a), ("b", 0x83, b), ("G", 0x84, g),
                             ("n", 0x85, n), ("Q", 0x86, q)):
        check("%s: %s" % (what, name), value == key.objects[tag])
    check(what + ": d", len(d) == len(p) and
          key.curve.multiply(key.curve.g, number(d)) == key.public)


def every_kind(card):
    """Each kind of key out, opened, deleted, in again, and used."""
    kinds = [(name, ec_template(name), 0x73) for name in CURVES] + \
        [("RSA %d" % bits, rsa_template(bits), 0x33) for bits in (1024, 1536, 2048, 3072, 4096)]
    for what, template, algorithm in kinds:
        public = cvc.Request(card.good("00460100", body(template), 0)).inner.key
        wrapped = card.wrap(1)
        found = D44.open(wrapped)
        expect(what + ": OID", found["oid"], public.oid)
        expect(what + ": lists", [found[name] for name in ("algorithms", "conditions", "key oid")],
               [b""] * 3)
        if public.curve:
            expect(what + ": type", found["type"], EC)
            check_ec(what, found, public)
            bits = number(public.objects[0x81]).bit_length()
            expect(what + ": bits", found["size"], bits)
        else:
            bits = int(what[4:])
            expect(what + ": type", found["type"], RSA if bits == 4096 else RSA_CRT)
            check_rsa(what, found, public.objects[0x81])
            expect(what + ": bits", found["size"], bits)
        card.delete(1)
        card.unwrap_file(1, wrapped)
        card.signs(what + " signs after it came back", 1, public, algorithm)
        check(what + ": the same again", D44.open(card.wrap(1))["elements"] == found["elements"])
        card.delete(1)
    check("the file is gone after use", "2F10" not in card.listed())


def sizes(card):
    """Section 14.5, and that no two blobs are alike."""
    for what, template, length in (("P-256", ec_template("prime256v1"), 363),
                                   ("P-384", ec_template("secp384r1"), 507),
                                   ("P-521", ec_template("secp521r1"), 667),
                                   ("RSA 1024", rsa_template(1024), 523),
                                   ("RSA 2048", rsa_template(2048), 971)):
        card.good("00460100", body(template))
        one, other = card.wrap(1), card.wrap(1)
        expect("length of a wrapped %s key" % what, len(one), length)
        check("two are not alike", one[:27] == other[:27] and one[27:43] != other[27:43])
        card.delete(1)


def vectors(card):
    card.unwrap(1, REAL_RSA)
    public = cvc.Key(tlv(0x06, cvc.RSA_SHA256) + tlv(0x81, REAL_RSA_N) + tlv(0x82, b"\1\0\1"))
    card.signs("a real device's RSA key signs", 1, public, 0x33)
    check("and leaves as it came",
          D44.open(card.wrap(1))["elements"] == D44.open(REAL_RSA)["elements"])
    card.unwrap(2, MADE_EC)
    found = D44.open(MADE_EC)
    expect("the constructed EC key", found["elements"][5].hex().upper(), MADE_EC_D)
    card.signs("signs", 2, cvc.Key(ec_template_key(found)))
    check("and leaves as it came", D44.open(card.wrap(2))["elements"] == found["elements"])
    card.unwrap(3, MADE_AES)
    expect("the constructed AES key's list", card.policy(3), {0x91: b"\x10\x11\x18\x99", 0x92: b"\0"})
    expect("encrypts", card.good("80780310", b"x" * 32, 0), blob.cbc(bytes(range(32)), b"x" * 32))
    card.refused("and must not leave", 0x6A81, "80720392", le=0)
    for key in (1, 2, 3):
        card.delete(key)
    with_export = D44.seal(AES, plaintext(AES, 0, [bytes(range(32))]), b"\x10\x92")
    card.unwrap(3, with_export)
    found = D44.open(card.wrap(3))
    expect("a list with 92 lets it leave", (found["type"], found["oid"].hex(), found["algorithms"],
                                            found["elements"]),
           (AES, "6086480165030401", b"\x10\x92", [bytes(range(32))]))
    card.delete(3)


def ec_template_key(found):
    a, b, p, n, g, _, q = found["elements"]
    return (tlv(0x06, cvc.ECDSA_SHA256) + tlv(0x81, p) + tlv(0x82, a) + tlv(0x83, b) +
            tlv(0x84, g) + tlv(0x85, n) + tlv(0x86, q))


def other_forms(card):
    """What other devices and programs write."""
    dp, dq, p, qinv, q, n, e = D44.open(REAL_RSA)["elements"]
    d = pow(number(e), -1, (number(p) - 1) * (number(q) - 1)).to_bytes(128, "big")
    public = cvc.Key(tlv(0x06, cvc.RSA_SHA256) + tlv(0x81, REAL_RSA_N) + tlv(0x82, b"\1\0\1"))
    for what, wrapped in (
            ("exponent and modulus", D44.seal(RSA, plaintext(RSA, 1024, [d, n, e]))),
            ("a short exponent", D44.seal(RSA, plaintext(RSA, 1024, [d.lstrip(b"\0"), n, e]))),
            ("a long public exponent",
             D44.seal(RSA_CRT, plaintext(RSA_CRT, 1024, [dp, dq, p, qinv, q, n, b"\0\1\0\1"])))):
        card.unwrap(1, wrapped)
        card.signs(what, 1, public, 0x33)
        check("all parts are there again",
              sorted(D44.open(card.wrap(1))["elements"][i] for i in (2, 4)) == sorted((p, q)))
        card.delete(1)
    # secp256k1 has a = 0, which some write as nothing at all
    key = cvc.Request(card.good("00460100", body(ec_template("secp256k1")), 0)).inner.key
    found = D44.open(card.wrap(1))
    card.delete(1)
    elements = [b""] + found["elements"][1:]
    elements[1] = elements[1].lstrip(b"\0")
    elements[5] = elements[5].lstrip(b"\0")
    card.unwrap(1, D44.seal(EC, plaintext(EC, 256, elements)))
    card.signs("values without leading zeros", 1, key)
    card.delete(1)
    key = cvc.Request(card.good("00460100", body(ec_template("secp521r1")), 0)).inner.key
    found = D44.open(card.wrap(1))
    card.delete(1)
    card.unwrap(1, D44.seal(EC, plaintext(EC, 528, found["elements"])))
    card.signs("P-521 called 528 bits long", 1, key)
    card.delete(1)
    # an EC-384 plaintext and an AES one that need no padding, without it
    card.unwrap(1, D44.seal(AES, plaintext(AES, 0, [b"k" * 24], b"r" * 6 + b"rr", False)))
    card.delete(1)


def hostile(card):
    """Nothing of this may become a key, or end the card."""
    dp, dq, p, qinv, q, n, e = D44.open(REAL_RSA)["elements"]
    a, b, prime, order, g, d, point = D44.open(MADE_EC)["elements"]
    crt, ec = [dp, dq, p, qinv, q, n, e], [a, b, prime, order, g, d, point]

    def rsa(*changes, kind=RSA_CRT, size=1024):
        parts = list(crt)
        for index, value in changes:
            parts[index] = value
        return D44.seal(kind, plaintext(kind, size, parts))

    def curve(*changes, size=256):
        parts = list(ec)
        for index, value in changes:
            parts[index] = value
        return D44.seal(EC, plaintext(EC, size, parts))

    def flip(data, at):
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]

    def remac(covered):
        return covered + blob.cmac(D44.mac, covered)

    samples = [("nothing but a check value", D44.check, 0x6A80), ("one byte", b"\xBB", 0x6A80)]
    samples += [("a changed byte at %d" % at, flip(MADE_EC, at), 0x6A80 if at else 0x6A88)
                for at in (0, 8, 10, 22, 30, 200, len(MADE_EC) - 1)]
    samples += [("cut to %d bytes" % length, MADE_EC[:length], 0x6A80)
                for length in (8, 9, 16, 24, 40, 347, 362)]
    samples += [
        ("another DKEK", OTHER.seal(EC, plaintext(EC, 256, ec)), 0x6A88),
        ("another DKEK's MAC", D44.check + OTHER.seal(EC, plaintext(EC, 256, ec))[8:], 0x6A80),
        ("an authentic header alone", remac(MADE_EC[:27]), 0x6A80),
        ("an authentic check value alone", remac(MADE_EC[:8]), 0x6A80),
        ("an authentic half block", remac(MADE_EC[:-24]), 0x6A80),
        ("a field that runs out", remac(MADE_EC[:9] + b"\xFF\xFF" + MADE_EC[11:-16]), 0x6A80),
        ("17 algorithms", D44.seal(EC, plaintext(EC, 256, ec), b"\x70" * 17), 0x6A80),
        ("access conditions", D44.seal(EC, plaintext(EC, 256, ec), conditions=b"\1"), 0x6A80),
        ("an unknown type", D44.seal(0x0D, plaintext(EC, 256, ec)), 0x6A81),
        ("type 0", D44.seal(0, plaintext(EC, 256, ec)), 0x6A81),
        ("RSA called EC", rsa(kind=EC), 0x6A81),
        ("EC called RSA", D44.seal(RSA_CRT, plaintext(EC, 1024, ec)), 0x6A80),
        ("EC called RSA of 256 bits", D44.seal(RSA_CRT, plaintext(EC, 256, ec)), 0x6A81),
        ("no random bytes", D44.seal(AES, b"\0" * 16), 0x6A80),
        ("AES of 20 bytes", D44.seal(AES, plaintext(AES, 0, [b"k" * 20])), 0x6A80),
        ("AES of no bytes", D44.seal(AES, plaintext(AES, 0, [b""])), 0x6A80),
        ("AES cut off", D44.seal(AES, (b"r" * 8 + b"\0\x20" + b"k" * 22)), 0x6A80),
        ("RSA of a wrong size", rsa(size=2048), 0x6A80),
        ("RSA of an odd size", rsa(size=1023), 0x6A81),
        ("a wrong factor", rsa((2, flip(p, 60))), 0x6A80),
        ("factors exchanged", rsa((2, q), (4, p)), 0x6A80),
        ("a factor of 1", rsa((2, b"\1"), (4, n[:64])), 0x6A80),
        ("a factor of 0", rsa((2, b""), (4, b"")), 0x6A80),
        ("a wrong dp", rsa((0, flip(dp, 3))), 0x6A80),
        ("a wrong dq", rsa((1, flip(dq, 63))), 0x6A80),
        ("a wrong coefficient", rsa((3, flip(qinv, 9))), 0x6A80),
        ("a wrong modulus", rsa((5, flip(n, 9))), 0x6A80),
        ("a modulus too long", rsa((5, b"\0" + n)), 0x6A80),
        ("an even exponent", rsa((6, b"\1\0\0")), 0x6A80),
        ("exponent 1", rsa((6, b"\1")), 0x6A80),
        ("no exponent", rsa((6, b"")), 0x6A80),
        ("another exponent", rsa((6, b"\3")), 0x6A80),
        ("an exponent that fits no modulus",
         D44.seal(RSA, plaintext(RSA, 1024, [b"\5" * 128, n, e])), 0x6A80),
        ("exponent 0", D44.seal(RSA, plaintext(RSA, 1024, [b"", n, e])), 0x6A80),
        ("an even modulus", D44.seal(RSA, plaintext(RSA, 1024, [b"\5" * 128, n[:-1] + b"\0", e])),
         0x6A80),
        ("an unknown curve", curve((1, flip(b, 5))), 0x6A81),
        ("a curve without prime", curve((2, b"")), 0x6A81),
        ("a prime too long", curve((2, b"\0" * 40 + prime)), 0x6A80),
        ("another generator", curve((4, point)), 0x6A81),
        ("private value 0", curve((5, b"\0" * 32)), 0x6A80),
        ("no private value", curve((5, b"")), 0x6A80),
        ("private value = order", curve((5, order)), 0x6A80),
        ("another public point", curve((6, g)), 0x6A80),
        ("no public point", curve((6, b"")), 0x6A80),
        ("a wrong size field", curve(size=255), 0x6A80),
    ]
    before = card.listed()
    for what, wrapped, wanted in samples:
        card.refused("refused: " + what, wanted, "80740193", wrapped)
    expect("nothing came of it", card.listed(), before)


def refusals(card):
    card.refused("no file", 0x6A82, "80740193")
    card.refused("P2 of WRAP", 0x6A86, "80720193", le=0)
    card.refused("P2 of UNWRAP", 0x6A86, "80740192", MADE_EC)
    card.refused("WRAP with data", 0x6700, "80720192", b"1", 0)
    card.refused("no key", 0x6A88, "80720592", le=0)
    card.refused("the device key", 0x6985, "80720092", le=0)
    card.refused("UNWRAP as device key", 0x6A89, "80740093", MADE_EC)
    card.unwrap(1, MADE_EC)
    card.refused("id in use", 0x6A89, "80740193", MADE_EC)
    # a failed one must not spoil the next, shorter one
    wrong = OTHER.seal(RSA_CRT, plaintext(RSA_CRT, 1024, D44.open(REAL_RSA)["elements"]))
    card.good("00D72F10", tlv(0x54, b"\0\0") + tlv(0x53, wrong))
    card.refused("another DKEK's key in the file", 0x6A88, "80740293")
    card.good("00D72F10", tlv(0x54, b"\0\0") + tlv(0x53, MADE_AES))
    card.good("80740293")
    card.select()
    for header, data in (("80720192", b""), ("80740393", MADE_EC), ("80760104", b"\x98\1"),
                         ("80780210", b"x" * 16), ("000006B2", b"")):
        if header != "000006B2":
            card.refused("without login: " + header, 0x6982, header, data, 0)
    card.login(PIN)
    card.delete(1)
    card.delete(2)


def policies(card):
    template = ec_template("prime256v1")
    for what, more, wanted in (("no list", b"", 0x9000), ("an empty list", tlv(0x91, b""), 0x9000),
                               ("92 in the list", tlv(0x91, b"\x73\x92"), 0x9000),
                               ("92 not in the list", tlv(0x91, b"\x73"), 0x6A81)):
        public = cvc.Request(card.good("00460100", body(template, more=more), 0)).inner.key
        card.refused(what, wanted, "80720192", le=0)
        if wanted == 0x9000:
            wrapped = card.wrap(1)
            card.delete(1)
            card.unwrap(1, wrapped)
            expect("the list is kept", card.policy(1)[0x91], cvc.child(more, 0x91) if more else b"")
            card.signs("the key signs", 1, public)
        card.delete(1)
    card.good("00460100", body(template, more=tlv(0x90, b"\0\0\0\3")))
    expect("a counter", card.policy(1), {0x90: b"\0\0\0\3", 0x91: b"", 0x92: b"\0"})
    card.wrap(1)
    card.good("80680170", b"h" * 32, 0)
    expect("is counted down by WRAP and SIGN", card.policy(1)[0x90], b"\0\0\0\1")
    card.good("00460201", body(template), 0)
    card.refused("vouching for another key is a use as well", 0x6984, "00460301", body(template), 0)
    card.refused("used up: WRAP", 0x6984, "80720192", le=0)
    card.refused("used up: SIGN", 0x6984, "80680170", b"h" * 32, 0)
    card.delete(1)
    card.delete(2)
    card.good("00460100", body(template, more=tlv(0x91, b"\x70")))
    card.refused("a key that signs hashes only vouches for none", 0x6A81, "00460201",
                 body(template), 0)
    card.delete(1)


def domains(card):
    card.initialise(tlv(0x97, b"\3"))
    template = ec_template("prime256v1")
    card.refused("a domain not created", 0x6A80, "00460100", body(template, more=tlv(0x92, b"\0")), 0)
    card.refused("nor for AES", 0x6A80, "004801B2", tlv(0x92, b"\2"))
    card.refused("nor beyond", 0x6A80, "004801B2", tlv(0x92, b"\3"))
    for domain, kek in ((0, D44), (2, OTHER)):
        card.good("805201%02X" % domain, b"\1", 0, extended=False)
        card.good("0046%02X00" % (domain + 1), body(template, more=tlv(0x92, bytes([domain]))))
        card.refused("no share yet", 0x6A88, "8072%02X92" % (domain + 1), le=0)
        card.import_share(kek, domain)
    expect("the key's domain", card.policy(3)[0x92], b"\2")
    D44.open(card.wrap(1))
    other = card.wrap(3)
    OTHER.open(other)
    print("ok: each key is wrapped under its own domain")
    card.unwrap(4, other)
    expect("UNWRAP finds the domain", card.policy(4)[0x92], b"\2")
    card.refused("a domain with keys stays", 0x6A89, "80520302")
    card.delete(3)
    card.good("80520402", le=0, extended=False)
    card.refused("without key encryption key no WRAP", 0x6A88, "80720492", le=0)
    card.refused("and no UNWRAP", 0x6A88, "80740593", other)
    card.delete(4)
    card.good("80520302")
    card.refused("nor into a domain that is gone", 0x6A88, "80740593", other)


def own_dkek(card, simulator):
    card.initialise(tlv(0x92, b"\0"))
    public = cvc.Request(card.good("00460100", body(ec_template("prime256v1")), 0)).inner.key
    wrapped = card.wrap(1)
    card.delete(1)
    card.unwrap(1, wrapped)
    card.signs("a DKEK of the card's own works", 1, public)
    second = Hsm(simulator, "second", "--serial", "UTSECOND01")
    second.initialise(tlv(0x92, b"\0"))
    second.refused("on no other card", 0x6A88, "80740193", wrapped)
    second.close()
    card.initialise(tlv(0x92, b"\0"))
    expect("INITIALIZE deletes the keys", card.listed(), {"2F02", "CC00"})
    card.refused("and the DKEK", 0x6A88, "80740193", wrapped)
    card.initialise(b"")
    card.good("00460100", body(ec_template("prime256v1")))
    card.refused("without a DKEK no WRAP", 0x6D00, "80720192", le=0)
    card.refused("and no UNWRAP", 0x6D00, "80740293", wrapped)


def main(simulator):
    card = Hsm(simulator, "card")
    card.initialise(tlv(0x92, b"\1"))
    card.refused("no WRAP while shares are missing", 0x6A88, "80720192", le=0)
    card.import_share(D44)
    vectors(card)
    other_forms(card)
    sizes(card)
    every_kind(card)
    hostile(card)
    refusals(card)
    policies(card)
    card.close()
    card = Hsm(simulator, "card")
    card.login(PIN)
    card.unwrap(9, MADE_EC)
    domains(card)
    own_dkek(card, simulator)
    card.close()


if __name__ == "__main__":
    main(sys.argv[1])
