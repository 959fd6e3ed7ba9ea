# SPDX-License-Identifier: Apache-2.0
"""device_chain.py ROOT CHAIN SERIAL: checks a device's certificates as a relying party would."""
import sys

import cvc
from pcsc import check, expect

BODY = [0x5F29, 0x42, 0x7F49, 0x5F20, 0x7F4C, 0x5F25, 0x5F24]


def chat_role(certificate):
    chat = cvc.child(certificate.body, 0x7F4C)
    expect("role OID", cvc.child(chat, 0x06), cvc.DEVICE_ROLE)
    return cvc.child(chat, 0x53)


def dates(certificate):
    for tag in (0x5F25, 0x5F24):
        digits = cvc.child(certificate.body, tag)
        check("a date is six digits, one in each byte",
              len(digits) == 6 and all(digit < 10 for digit in digits))
    return cvc.child(certificate.body, 0x5F25) < cvc.child(certificate.body, 0x5F24)


def main(root_file, chain_file, serial):
    with open(root_file, "rb") as file:
        root_data = file.read()
    with open(chain_file, "rb") as file:
        chain = file.read()
    expect("two certificates in a row", cvc.tags(chain), [0x7F21, 0x7F21])
    root = cvc.Certificate(cvc.child(root_data, 0x7F21))
    parameters = root.key.parameters
    device = cvc.Certificate(cvc.child(chain, 0x7F21, 0), parameters)
    issuer = cvc.Certificate(cvc.child(chain, 0x7F21, 1), parameters)

    expect("the root names brainpoolP256r1",
           {tag: parameters[tag] for tag in cvc.BRAINPOOL_P256R1}, cvc.BRAINPOOL_P256R1)
    expect("layout of the root", cvc.tags(root.body), BODY)
    expect("layout of the issuer", cvc.tags(issuer.body), BODY + [0x65])
    expect("layout of the device", cvc.tags(device.body), BODY)
    for what, certificate in (("device", device), ("issuer", issuer)):
        expect("key of the " + what, sorted(certificate.key.objects), [0x06, 0x86])
    for what, certificate, role in (("root", root, b"\xC0"), ("issuer", issuer, b"\x80"),
                                    ("device", device, b"\0")):
        expect("role of the " + what, chat_role(certificate), role)
        expect("profile of the " + what, cvc.child(certificate.body, 0x5F29), b"\0")
        expect("dates of the " + what, dates(certificate), True)
    expect("the device's name", device.chr, serial + "00000")
    expect("its issuer", device.car, issuer.chr)
    expect("the issuer's issuer", issuer.car, root.chr)
    expect("the root's issuer", root.car, root.chr)
    check("the root is a test root, and not CardContact's",
          root.chr.startswith("UTSRCA") and root.chr != "UTSRCACC100001")
    expect("the root's signature", root.signed_by(root.key), True)
    expect("the issuer's signature", issuer.signed_by(root.key), True)
    expect("the device's signature", device.signed_by(issuer.key), True)


main(*sys.argv[1:])
