# SPDX-License-Identifier: Apache-2.0
"""What a host needs: AES and CMAC from libcrypto itself, ECDSA and ECDH from Python's integers."""
import ctypes
import ctypes.util
import hashlib
import os

import cvc
from pcsc import check

_lib = ctypes.CDLL(ctypes.util.find_library("crypto"))
_lib.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
_lib.EVP_CIPHER_fetch.restype = ctypes.c_void_p


def aes_cbc(encrypt, key, iv, data):
    """Whole blocks, no padding."""
    cipher = ctypes.c_void_p(_lib.EVP_CIPHER_fetch(None, b"AES-%d-CBC" % (8 * len(key)), None))
    context = ctypes.c_void_p(_lib.EVP_CIPHER_CTX_new())
    out, length = ctypes.create_string_buffer(len(data) + 16), ctypes.c_int()
    check("AES", _lib.EVP_CipherInit_ex(context, cipher, None, key, iv, int(encrypt)) == 1 and
          _lib.EVP_CIPHER_CTX_set_padding(context, 0) == 1 and
          _lib.EVP_CipherUpdate(context, out, ctypes.byref(length), data, len(data)) == 1 and
          length.value == len(data))
    _lib.EVP_CIPHER_CTX_free(context)
    _lib.EVP_CIPHER_free(cipher)
    return out.raw[:len(data)]


def aes_block(key, block):
    return aes_cbc(True, key, bytes(16), block)


def cmac(key, data):
    """NIST SP 800-38B, from the block cipher."""
    def double(block):
        number = int.from_bytes(block, "big") << 1
        if number >> 128:
            number = (number & (1 << 128) - 1) ^ 0x87
        return number.to_bytes(16, "big")

    def xor(one, other):
        return bytes(a ^ b for a, b in zip(one, other))

    subkey = double(aes_block(key, bytes(16)))
    if not data or len(data) % 16:
        subkey = double(subkey)
        data += b"\x80" + bytes(-(len(data) + 1) % 16)
    data = data[:-16] + xor(data[-16:], subkey)
    return aes_cbc(True, key, bytes(16), data)[-16:]


class PrivateKey:
    """An EC key of the host's; plain signatures with SHA-256."""

    def __init__(self, parameters=None):
        self.parameters = parameters or cvc.BRAINPOOL_P256R1
        self.curve = cvc.Curve(self.parameters)
        self.value = self._random()
        self.public = self.curve.multiply(self.curve.g, self.value)

    def _random(self):
        return int.from_bytes(os.urandom(self.curve.size + 8), "big") % (self.curve.n - 1) + 1

    def _bytes(self, number):
        return number.to_bytes(self.curve.size, "big")

    @property
    def point(self):
        return b"\4" + b"".join(self._bytes(number) for number in self.public)

    def sign(self, message):
        n, size = self.curve.n, self.curve.size
        digest = hashlib.sha256(message).digest()
        z = int.from_bytes(digest, "big") >> max(0, 8 * len(digest) - n.bit_length())
        k = self._random()
        r = self.curve.multiply(self.curve.g, k)[0] % n
        s = pow(k, -1, n) * (z + r * self.value) % n
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def agree(self, point):
        """x of the shared point."""
        return self._bytes(self.curve.multiply(self.curve.point(point), self.value)[0])
