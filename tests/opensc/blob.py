# SPDX-License-Identifier: Apache-2.0
"""
Wrapped keys opened and made off the card, by the openssl command and Python's integers: the layout
of section 14 of the protocol, read a second time.
"""
import hashlib
import subprocess

RSA, RSA_CRT, EC, AES = 5, 6, 12, 15
OIDS = {RSA: "04007F00070202020102", RSA_CRT: "04007F00070202020102", EC: "04007F00070202020203",
        AES: "6086480165030401"}


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl"] + list(arguments), input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def cbc(key, data, direction="-e"):
    return openssl("enc", "-aes-%d-cbc" % (8 * len(key)), direction, "-nopad", "-K", key.hex(),
                   "-iv", "00" * 16, data=data)


def cmac(key, data):
    return bytes.fromhex(openssl("mac", "-cipher", "AES-%d-CBC" % (8 * len(key)), "-macopt",
                                 "hexkey:" + key.hex(), "-in", "-", "CMAC", data=data).decode())


def hkdf(key, info):
    options = ["-kdfopt", "digest:SHA256", "-kdfopt", "hexkey:" + key.hex()]
    if info:
        options += ["-kdfopt", "hexinfo:" + info.hex()]
    return bytes.fromhex(openssl("kdf", "-keylen", "32", *options, "HKDF").decode()
                         .replace(":", ""))


def number(data):
    return int.from_bytes(data, "big")


class Kek:
    def __init__(self, value):
        self.value = value
        self.check = hashlib.sha256(value).digest()[:8]
        self.encryption = hashlib.sha256(value + b"\0\0\0\1").digest()
        self.mac = hashlib.sha256(value + b"\0\0\0\2").digest()

    def seal(self, kind, plain, algorithms=b"", oid=None, conditions=b"", key_oid=b""):
        header = self.check + bytes([kind])
        for field in (bytes.fromhex(oid or OIDS.get(kind, "2A")), algorithms, conditions, key_oid):
            header += element(field)
        covered = header + cbc(self.encryption, plain)
        return covered + cmac(self.mac, covered)

    def open(self, blob):
        """A dictionary of the blob's fields and elements; anything odd ends in an exception."""
        assert blob[:8] == self.check, "key check value"
        assert cmac(self.mac, blob[:-16]) == blob[-16:], "MAC"
        found = {"type": blob[8]}
        rest = blob[9:-16]
        for name in ("oid", "algorithms", "conditions", "key oid"):
            found[name], rest = take(rest)
        plain = cbc(self.encryption, rest, "-d")[8:]
        found["size"] = number(plain[:2])
        found["elements"] = []
        if blob[8] != AES:
            plain = plain[2:]
        for _ in range({RSA: 3, RSA_CRT: 7, EC: 7, AES: 1}[blob[8]]):
            value, plain = take(plain)
            found["elements"].append(value)
        assert plain[:1] == b"\x80" and len(plain) <= 16 and not any(plain[1:]), "padding"
        return found


def element(value):
    return len(value).to_bytes(2, "big") + value


def take(data):
    length = number(data[:2])
    assert len(data) >= 2 + length, "cut off"
    return data[2:2 + length], data[2 + length:]


def plaintext(kind, size, elements, random=bytes(range(8)), padding=True):
    plain = random + (b"" if kind == AES else size.to_bytes(2, "big"))
    plain += b"".join(element(value) for value in elements)
    if padding:
        plain += b"\x80"
    return plain + bytes(-len(plain) % 16)
