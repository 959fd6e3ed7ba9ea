# SPDX-License-Identifier: Apache-2.0
"""derive.py SIMULATOR: EC keys derived from others, checked with Python's integers."""
import os
import sys

import cvc
from blob import number
from pcsc import expect
from requests import body, ec_template, tlv
from wrapped import D44, PIN, Hsm

LIST = tlv(0x91, b"\x73\x92\x98")


def moved(key, addend):
    """The public key of d + addend."""
    public = cvc.Key(b"".join(tlv(tag, value) for tag, value in key.objects.items()))
    public.public = key.curve.add(key.public, key.curve.multiply(key.curve.g, addend))
    return public


def main(simulator):
    card = Hsm(simulator, "card")
    card.initialise(tlv(0x92, b"\1"))
    card.import_share(D44)
    for curve in ("prime256v1", "secp256k1", "secp521r1", "brainpoolP320r1"):
        key = cvc.Request(card.good("00460100", body(ec_template(curve), more=LIST), 0)).inner.key
        size = key.curve.size
        d = number(D44.open(card.wrap(1))["elements"][5])
        for what, param in (("a small parameter", b"\x54\x62"), ("zero", b"\0"),
                            ("a large one, which wraps", (key.curve.n - 5).to_bytes(size, "big")),
                            ("more than the order", b"\xff" * size), ("any", os.urandom(size))):
            card.good("80760102", b"\x98" + param)
            derived = number(D44.open(card.wrap(2))["elements"][5])
            expect("%s: %s" % (curve, what), derived, (d + number(param)) % key.curve.n)
            card.signs("signs for the moved point", 2, moved(key, number(param)))
            card.delete(2)
        card.refused("what gives zero", 0x6A80, "80760102",
                     b"\x98" + (key.curve.n - d).to_bytes(size, "big"))
        card.refused("too long", 0x6700, "80760102", b"\x98" + b"\1" * (size + 1))
        card.delete(1)

    card.good("00460100", body(ec_template("prime256v1"), more=LIST + tlv(0x90, b"\0\0\0\3")))
    card.refused("no data", 0x6700, "80760102")
    card.refused("no parameter", 0x6700, "80760102", b"\x98")
    card.refused("another algorithm", 0x6A81, "80760102", b"\x99\1")
    card.refused("onto itself", 0x6A89, "80760101", b"\x98\1")
    card.refused("onto the device key", 0x6A89, "80760100", b"\x98\1")
    card.refused("from the device key", 0x6985, "80760002", b"\x98\1")
    card.refused("from nothing", 0x6A88, "80760902", b"\x98\1")
    card.good("80760102", b"\x98\1")
    expect("the new key may do no more than the old", card.policy(2), card.policy(1))
    expect("which counts it", card.policy(1),
           {0x90: b"\0\0\0\2", 0x91: b"\x73\x92\x98", 0x92: b"\0"})
    card.good("80760103", b"\x98\1")
    card.good("80760104", b"\x98\1")
    card.refused("used up", 0x6984, "80760105", b"\x98\1")
    expect("nothing else was made", {name for name in card.listed() if name[:2] in ("CC", "CE")},
           {"CC00", "CC01", "CC02", "CC03", "CC04", "CE01"})

    card.good("00460600", body(ec_template("prime256v1")))
    card.refused("a key without list", 0x6A81, "80760607", b"\x98\1")
    card.good("00460700", body(ec_template("prime256v1"), more=tlv(0x91, b"\x73")))
    card.refused("a list without 98", 0x6A81, "80760708", b"\x98\1")
    card.reset()
    card.refused("without login", 0x6982, "80760609", b"\x98\1")
    card.login(PIN)
    card.close()


main(sys.argv[1])
