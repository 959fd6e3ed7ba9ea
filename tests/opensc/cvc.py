# SPDX-License-Identifier: Apache-2.0
"""
Card verifiable certificates read and verified with nothing but Python's integers: no code of the
card, no library for cryptography. Slow, short, and easy to check against the standards.
"""
import hashlib

RSA_SHA256 = bytes.fromhex("04007F00070202020102")
ECDSA_SHA256 = bytes.fromhex("04007F00070202020203")
DEVICE_ROLE = bytes.fromhex("2B0601040181C31F030101")

# RFC 5639, section 3.4
BRAINPOOL_P256R1 = {
    0x81: bytes.fromhex("A9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377"),
    0x82: bytes.fromhex("7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9"),
    0x83: bytes.fromhex("26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6"),
    0x84: bytes.fromhex("048BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262"
                        "547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997"),
    0x85: bytes.fromhex("A9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7"),
}


def objects(data):
    """All data objects of a byte string: [(tag, value, whole encoding)]."""
    found, at = [], 0
    while at < len(data):
        start = at
        tag = data[at]
        at += 1
        if tag & 0x1F == 0x1F:
            tag = tag << 8 | data[at]
            at += 1
        length = data[at]
        at += 1
        if length > 0x80:
            n = length & 0x7F
            length = int.from_bytes(data[at:at + n], "big")
            at += n
        if at + length > len(data):
            raise ValueError("object %X is cut off" % tag)
        found.append((tag, data[at:at + length], data[start:at + length]))
        at += length
    return found


def tags(data):
    return [tag for tag, _, _ in objects(data)]


def child(data, tag, index=0):
    """Value of the (index + 1)th object with this tag."""
    return [value for t, value, _ in objects(data) if t == tag][index]


def whole(data, tag):
    return [encoding for t, _, encoding in objects(data) if t == tag][0]


def _number(data):
    return int.from_bytes(data, "big")


class Curve:
    def __init__(self, template):
        """From the explicit parameters 81 to 85 of a public key template."""
        self.p, self.a, self.b, self.n = (_number(template[t]) for t in (0x81, 0x82, 0x83, 0x85))
        self.size = len(template[0x85])
        self.g = self.point(template[0x84])

    def point(self, encoded):
        half = (len(encoded) - 1) // 2
        x, y = _number(encoded[1:1 + half]), _number(encoded[1 + half:])
        if encoded[0] != 4 or (y * y - x * x * x - self.a * x - self.b) % self.p != 0:
            raise ValueError("no point of the curve")
        return x, y

    def add(self, one, other):
        if one is None:
            return other
        if other is None:
            return one
        (x1, y1), (x2, y2) = one, other
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if one == other:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x = (slope * slope - x1 - x2) % self.p
        return x, (slope * (x1 - x) - y1) % self.p

    def multiply(self, point, factor):
        result = None
        while factor:
            if factor & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            factor >>= 1
        return result

    def verify(self, public, message, signature, digest="sha256"):
        """ECDSA with the plain signature r, s (FIPS 186-4, section 6.4)."""
        if len(signature) != 2 * self.size:
            return False
        r, s = _number(signature[:self.size]), _number(signature[self.size:])
        if not (0 < r < self.n and 0 < s < self.n):
            return False
        value = hashlib.new(digest, message).digest()
        z = _number(value) >> max(0, 8 * len(value) - self.n.bit_length())
        w = pow(s, -1, self.n)
        point = self.add(self.multiply(self.g, z * w % self.n),
                         self.multiply(public, r * w % self.n))
        return point is not None and point[0] % self.n == r


def plain_signature(der, size):
    """The DER signature as r and s, each of `size` bytes."""
    numbers = [value.lstrip(b"\0") for _, value, _ in objects(child(der, 0x30))]
    return b"".join(number.rjust(size, b"\0") for number in numbers)


def verify_rsa(modulus, exponent, message, signature):
    """PKCS#1 v1.5 with SHA-256, compared with the padding rebuilt (RFC 8017, section 8.2.2)."""
    size = len(modulus)
    info = bytes.fromhex("3031300D060960864801650304020105000420") + \
        hashlib.sha256(message).digest()
    wanted = b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info
    return len(signature) == size and \
        pow(_number(signature), _number(exponent), _number(modulus)).to_bytes(size, "big") == wanted


class Key:
    """The public key template 7F49; certificates without parameters inherit the issuer's."""

    def __init__(self, template, inherited=None):
        self.objects = {tag: value for tag, value, _ in objects(template)}
        self.oid = self.objects[0x06]
        self.curve = None
        if self.oid == ECDSA_SHA256:
            self.parameters = self.objects if 0x81 in self.objects else inherited
            self.curve = Curve(self.parameters)
            self.public = self.curve.point(self.objects[0x86])

    def verifies(self, message, signature):
        if self.curve:
            return self.curve.verify(self.public, message, signature)
        return verify_rsa(self.objects[0x81], self.objects[0x82], message, signature)


class Certificate:
    """7F21 { 7F4E body, 5F37 signature }, given as its content."""

    def __init__(self, content, inherited=None):
        self.signed = whole(content, 0x7F4E)
        self.body = child(content, 0x7F4E)
        self.signature = child(content, 0x5F37)
        self.car = child(self.body, 0x42).decode("latin-1")
        self.chr = child(self.body, 0x5F20).decode("latin-1")
        self.key = Key(child(self.body, 0x7F49), inherited)

    def signed_by(self, key):
        return key.verifies(self.signed, self.signature)


class Request:
    """The authenticated request 67 { 7F21, 42, 5F37 }."""

    def __init__(self, data):
        content = child(data, 0x67)
        if tags(data)[0] != 0x67 or tags(content) != [0x7F21, 0x42, 0x5F37]:
            raise ValueError("no authenticated request: %s" % data.hex())
        self.inner = Certificate(child(content, 0x7F21))
        self.outer_car = child(content, 0x42).decode("latin-1")
        self.outer_signed = whole(content, 0x7F21) + whole(content, 0x42)
        self.outer_signature = child(content, 0x5F37)

    def attested_by(self, key):
        return key.verifies(self.outer_signed, self.outer_signature)
