# SPDX-License-Identifier: Apache-2.0
"""profiles.py SIMULATOR: sizes, version and memory of real devices."""
import sys

from blob import RSA, RSA_CRT
from pcsc import check, expect
from requests import body, ec_template, rsa_template, tlv
from wrapped import D44, MADE_EC, Hsm

# whole command, whole answer, version; type of a wrapped RSA key by its size
PROFILES = (
    ("default", 65544, 65535, b"\3\5", {4096: RSA}),
    ("jcop3", 1232, 1232, b"\3\5", {2048: RSA_CRT, 3072: RSA}),
    ("jcop4", 1454, 1454, b"\4\1", {3072: RSA_CRT, 4096: RSA}),
    ("microsd", 478, 506, b"\3\5", {2048: RSA_CRT}),
)
EEPROM = 76 * 1024


def free(card):
    report = card.good("80500000", le=0, extended=False)
    check("seven bytes", len(report) == 7 and report[4] == 0)
    return int.from_bytes(report[:4], "big"), report[5:]


def long_command(card, total):
    """UPDATE BINARY of this many bytes in all."""
    data = b"\x54\2\0\0\x53\x82" + (total - 15).to_bytes(2, "big") + b"f" * (total - 15)
    return card.command("00D7CF01", data)[1]


def all_of(card, command):
    """The answer with what GET RESPONSE gives, and the length of its longest piece."""
    data, status = card.transmit(command)
    longest = len(data)
    while status >> 8 == 0x61:
        piece, status = card.transmit(bytes.fromhex("00C00000000000"))
        longest = max(longest, len(piece))
        data += piece
    check("ends well: %04X" % status, status == 0x9000)
    return data, longest


def sizes(card, name, max_command, max_response, types):
    if max_command < 65535:
        expect(name + ": the longest command", long_command(card, max_command), 0x9000)
        expect("one byte more", long_command(card, max_command + 1), 0x6700)
        data, _ = card.command("00B1CF01", b"\x54\2\0\0", 0)
        expect("reads what fits", len(data), min(max_command - 15, max_response - 2))
        card.good("00E40200", b"\xCF\1", extended=False)
    for bits, kind in types.items():
        card.good("00460100", body(rsa_template(bits)))
        wrapped, longest = all_of(card, bytes.fromhex("80720192000000"))
        expect("%s: RSA %d is wrapped as" % (name, bits), D44.open(wrapped)["type"], kind)
        check("no longer than %d" % longest, longest <= max_response - 2)
        card.delete(1)
        card.unwrap_file(1, wrapped)
        card.delete(1)
        card.good("00E40200", b"\xCE\1", extended=False)


def fill(card, what, first, least, most):
    """Keys until there is no room; `first` makes key 1."""
    before, _ = free(card)
    expect("an empty card has", before, EEPROM)
    first(1)
    card.good("00D7C401", tlv(0x54, b"\0\0") + tlv(0x53, b"d" * 60))
    wrapped = card.wrap(1)
    one, _ = free(card)
    number = 1
    while number < 255:
        # by the file, since a JCOP 3 takes no command long enough for the largest
        card.good("00D72F10", tlv(0x54, b"\0\0") + tlv(0x53, wrapped))
        _, status = card.command("8074%02X93" % (number + 1))
        if status == 0x6A84:
            break
        check("%s %d: %04X" % (what, number, status), status == 0x9000)
        number += 1
    left, _ = free(card)
    expect("free memory of %d keys" % number, left, before - number * (before - one))
    check("%d %s keys fit" % (number + left // (before - one), what),
          least <= number + left // (before - one) <= most)
    print("ok: room for %d %s keys" % (number + left // (before - one), what))
    return number


def memory(card):
    fill(card, "P-256", lambda key: card.unwrap(key, MADE_EC), 295, 305)
    start(card)
    number = fill(card, "RSA 2048",
                  lambda key: card.good("0046%02X00" % key, body(rsa_template(2048))), 37, 39)
    before = card.listed()
    card.refused("no room for another RSA key", 0x6A84, "00467700", body(rsa_template(2048)), 0)
    card.refused("nor for a file", 0x6A84, "00D7CD01",
                 tlv(0x54, b"\0\0") + tlv(0x53, b"f" * 1000))
    expect("nothing half-made", card.listed(), before)
    card.delete(number)
    card.good("0046%02X00" % number, body(rsa_template(2048)))
    print("ok: but in place of another")
    start(card)
    card.good("004801B2", tlv(0x91, b"\x10"))
    expect("an AES key takes", EEPROM - free(card)[0], 256)
    card.good("00460200", body(ec_template("secp521r1")))
    expect("a P-521 key takes", EEPROM - 256 - free(card)[0], 528)
    card.good("00D7CF01", tlv(0x54, b"\0\0") + tlv(0x53, b"f" * 1000))
    expect("a file takes", EEPROM - 256 - 528 - free(card)[0], 1000)


def start(card):
    card.initialise(tlv(0x92, b"\1"))
    card.import_share(D44)


def main(simulator):
    for name, max_command, max_response, version, types in PROFILES:
        card = Hsm(simulator, name, "--profile", name)
        fci = card.select()
        expect(name + ": version", fci[-2:], version)
        expect("in the report too", free(card)[1], version)
        start(card)
        sizes(card, name, max_command, max_response, types)
        if name == "jcop4":
            start(card)
            memory(card)
        card.close()
    # what is on a card stays there, whatever its profile becomes
    card = Hsm(simulator, "default")
    card.login("648219")
    for fid in range(1, 3):
        for at in range(0, 60000, 30000):
            card.good("00D7CF%02X" % fid, tlv(0x54, at.to_bytes(2, "big")) +
                      tlv(0x53, b"f" * 30000))
    card.close()
    card = Hsm(simulator, "default", "--profile", "jcop3")
    expect("an overfull card is full", free(card)[0], 0)
    card.login("648219")
    card.refused("takes nothing more", 0x6A84, "00D7CF07", tlv(0x54, b"\0\0") + tlv(0x53, b"f"))
    expect("and has what it had", {"CF01", "CF02"} <= card.listed(), True)
    card.good("00E40200", b"\xCF\1", extended=False)
    card.good("00D7CF07", tlv(0x54, b"\0\0") + tlv(0x53, b"f"))
    card.close()


main(sys.argv[1])
