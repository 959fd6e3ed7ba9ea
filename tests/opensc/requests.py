# SPDX-License-Identifier: Apache-2.0
"""requests.py PIN: makes keys with commands of its own and verifies the card's requests."""
import functools
import subprocess
import sys

import cvc
from pcsc import Card, check, expect

CURVES = ["prime192v1", "prime256v1", "secp384r1", "secp521r1", "secp192k1", "secp256k1"] + \
    ["brainpoolP%d%s1" % (bits, kind) for kind in "rt" for bits in (192, 224, 256, 320, 384, 512)]


def tlv(tag, value):
    encoded = tag.to_bytes(2 if tag > 0xFF else 1, "big")
    if len(value) > 0xFF:
        return encoded + b"\x82" + len(value).to_bytes(2, "big") + value
    if len(value) > 0x7F:
        return encoded + b"\x81" + bytes([len(value)]) + value
    return encoded + bytes([len(value)]) + value


@functools.lru_cache(maxsize=None)
def parameters(curve):
    """Explicit parameters as tags 81 to 87, taken from the openssl command."""
    text = subprocess.run(["openssl", "ecparam", "-name", curve, "-param_enc", "explicit", "-text",
                           "-noout"], stdout=subprocess.PIPE, check=True, text=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        if line.startswith(" ") and name:
            found[name] += line.strip().replace(":", "")
        elif ":" in line:
            name, rest = line.split(":", 1)
            name = name.split(" ")[0]
            # small numbers are decimal and on the same line: "B:    3 (0x3)"
            first = rest.split()[:1]
            found[name] = "%02x" % int(first[0]) if first and first[0].isdigit() else ""
    numbers = {name: bytes.fromhex(value) for name, value in found.items()
               if value and all(c in "0123456789abcdefABCDEF" for c in value)
               and len(value) % 2 == 0}
    size = len(numbers["Prime"].lstrip(b"\0"))
    fixed = {name: numbers.get(name, b"").lstrip(b"\0").rjust(size, b"\0")
             for name in ("Prime", "A", "B", "Order")}
    generator = numbers["Generator"]
    if len(generator) == 1 + size:
        sys.exit("FAILED: compressed generator")
    return (tlv(0x81, fixed["Prime"]) + tlv(0x82, fixed["A"]) + tlv(0x83, fixed["B"]) +
            tlv(0x84, generator) + tlv(0x85, fixed["Order"]) + tlv(0x87, b"\1"))


def ec_template(curve):
    return tlv(0x7F49, tlv(0x06, cvc.ECDSA_SHA256) + parameters(curve))


def rsa_template(bits, exponent=b"\1\0\1"):
    return tlv(0x7F49, tlv(0x06, cvc.RSA_SHA256) + tlv(0x82, exponent) +
               tlv(0x02, bits.to_bytes(2, "big")))


def body(template, chr=b"UTKEY0000100001", car=b"UTCA00001", more=b""):
    return (tlv(0x5F29, b"\0") + (tlv(0x42, car) if car else b"") + template + tlv(0x5F20, chr) +
            more)


def verify(what, data, signer, signer_name, template):
    request = cvc.Request(data)
    inner = request.inner
    sent = {tag: value for tag, value, _ in cvc.objects(cvc.child(template, 0x7F49))}
    expect(what + ": layout", cvc.tags(inner.body)[:4], [0x5F29, 0x42, 0x7F49, 0x5F20])
    for tag, value in sent.items():
        if tag != 0x02:
            check("%s: object %X as sent" % (what, tag), inner.key.objects.get(tag) == value)
    expect(what + ": holder", inner.chr, "UTKEY0000100001")
    expect(what + ": inner signature", inner.signed_by(inner.key), True)
    expect(what + ": outer signature", request.attested_by(signer), True)
    expect(what + ": outer CAR", request.outer_car, signer_name)
    return request


def main(pin):
    card = Card()
    card.select()
    chain = card.read(0x2F02)
    device = cvc.Certificate(cvc.child(chain, 0x7F21), cvc.BRAINPOOL_P256R1)
    _, status = card.command("00460100", body(rsa_template(1024)), 0)
    expect("no key without PIN", status, 0x6982)
    card.login(pin)

    number = 1
    for curve in CURVES:
        template = ec_template(curve)
        data = card.good("0046%02X00" % number, body(template), 0)
        request = verify(curve, data, device.key, device.chr, template)
        expect(curve + ": inner CAR", request.inner.car, "UTCA00001")
        expect(curve + ": order of the key's objects", list(request.inner.key.objects),
               [0x06, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87])
        expect(curve + ": the same in CE", card.read(0xCE00 | number), data)
        number += 1
    for bits, exponent in ((1024, b"\1\0\1"), (1536, b"\1\0\1"), (2048, b"\3"), (3072, b"\1\0\1"),
                           (4096, b"\1\0\1")):
        template = rsa_template(bits, exponent)
        data = card.good("0046%02X00" % number, body(template), 0)
        request = verify("RSA %d" % bits, data, device.key, device.chr, template)
        expect("RSA %d: size" % bits, len(request.inner.key.objects[0x81]) * 8, bits)
        number += 1

    p256 = ec_template("prime256v1")
    no_answer = card.good("0046%02X00" % number, body(p256))
    expect("without Le no answer", no_answer, b"")
    verify("but in CE", card.read(0xCE00 | number), device.key, device.chr, p256)
    number += 1
    extensions = tlv(0x73, tlv(0x06, bytes.fromhex("2B0601040181C31F030202")) + tlv(0x80, b"x" * 32))
    data = card.good("0046%02X00" % number, body(p256, more=tlv(0x65, extensions)), 0)
    request = verify("extensions", data, device.key, device.chr, p256)
    expect("are copied", cvc.child(request.inner.body, 0x65), extensions)
    first = cvc.Request(card.read(0xCE02)).inner
    number += 1
    data = card.good("0046%02X02" % number, body(p256), 0)
    verify("signed by another key", data, first.key, first.chr, p256)
    number += 1
    data = card.good("0046%02X00" % number, body(p256, car=None), 0)
    expect("without CAR", cvc.Request(data).inner.car, "UTDUMMY00000")

    for what, header, content, wanted in (
            ("id in use", "00460100", body(p256), 0x6A89),
            ("the device key's id", "00460000", body(p256), 0x6A89),
            ("unknown signer", "0046F0EE", body(p256), 0x6A88),
            ("no holder", "0046F000", tlv(0x5F29, b"\0") + p256, 0x6A80),
            ("no key template", "0046F000", tlv(0x5F29, b"\0") + tlv(0x5F20, b"UTKEY00001"), 0x6A80),
            ("no profile", "0046F000", p256 + tlv(0x5F20, b"UTKEY00001"), 0x6A80),
            ("a holder too long", "0046F000", body(p256, chr=b"UTKEY000010000100"), 0x6A80),
            ("a holder too short", "0046F000", body(p256, chr=b"UTKEY01"), 0x6A80),
            ("a holder with a zero", "0046F000", body(p256, chr=b"UTKEY\x0000100001"), 0x6A80),
            ("an authority with a line feed", "0046F000", body(p256, car=b"UTCA\n0001"), 0x6A80),
            ("an authority without a name", "0046F000", body(p256, car=b"\0" * 8), 0x6A80),
            ("RSA 1000", "0046F000", body(rsa_template(1000)), 0x6A81),
            ("an even exponent", "0046F000", body(rsa_template(1024, b"\1\0\2")), 0x6A80),
            ("cut off", "0046F000", body(p256)[:-1], 0x6A80),
            ("an unknown object", "0046F000", body(p256, more=tlv(0x99, b"1")), 0x6A80),
            ("17 algorithms", "0046F000", body(p256, more=tlv(0x91, b"\x70" * 17)), 0x6A80),
            ("a key domain that is not there", "0046F000", body(p256, more=tlv(0x92, b"\5")), 0x6A80),
            ("a private value", "0046F000", body(p256, more=tlv(0x8A, b"1" * 32)), 0x6A80),
            ("another curve", "0046F000", body(p256.replace(b"\xFF\xFC", b"\xFF\xFB", 1)), 0x6A81),
            ("a shorter parameter", "0046F000",
             body(tlv(0x7F49, tlv(0x06, cvc.ECDSA_SHA256) + tlv(0x81, b"\1" * 32) +
                      tlv(0x82, b"\1" * 31) + tlv(0x83, b"\1" * 32) + tlv(0x84, b"\4" * 65) +
                      tlv(0x85, b"\1" * 32))), 0x6A80)):
        _, status = card.command(header, content, 0)
        expect("refused: " + what, status, wanted)
    number += 1
    card.good("0046%02X00" % number, body(p256, more=tlv(0x91, b"\x73\x98")))
    card.good("8076%02XF1" % number, b"\x98\1")
    _, status = card.command("0046F0F1", body(p256), 0)
    expect("refused: signed by a derived key, which has no name", status, 0x6985)
    listed = card.good("80580000", le=0)
    check("nothing refused was made", b"\xCC\xF0" not in listed and b"\xCE\xF0" not in listed)
    card.close()


if __name__ == "__main__":
    main(sys.argv[1])
