# SPDX-License-Identifier: Apache-2.0
"""first_version.py SIMULATOR STATE: a card from a state file of the first version of sc-hsm-sim."""
import sys

import cvc
from pcsc import expect
from reader import Card


def main(simulator, state):
    card = Card(simulator, state, "--serial", "UTOLD00001")
    expect("its DKEK", card.good("80520000", le=0).hex(), "0100bb391415c05e39d7")
    request = cvc.Request(card.read(0xCE01))
    card.login("648219")
    signature = card.good("80680173", b"message", 0)
    expect("its key", request.inner.key.curve.verify(request.inner.key.public, b"message",
                                                     cvc.plain_signature(signature, 32)), True)
    card.good("00D7CF01", bytes.fromhex("540200005303616263"))
    card.close()
    card = Card(simulator, state, "--serial", "UTOLD00001")
    expect("what was written", card.read(0xCF01), b"abc")
    with open("chain", "wb") as file:
        file.write(card.read(0x2F02))
    card.close()


main(*sys.argv[1:])
