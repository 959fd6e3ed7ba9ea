# SPDX-License-Identifier: Apache-2.0
"""A card through pcsc-lite, with nothing in between: what a test needs to send its own bytes."""
import ctypes
import sys

_lib = ctypes.CDLL("libpcsclite.so.1")
_DWORD = ctypes.c_ulong
_SHARE_SHARED, _PROTOCOL_T1, _LEAVE, _RESET = 2, 2, 0, 1

APPLET = bytes.fromhex("E82B0601040181C31F0201")


class _IoRequest(ctypes.Structure):
    _fields_ = [("protocol", _DWORD), ("length", _DWORD)]


def _call(name, *arguments):
    status = getattr(_lib, name)(*arguments) & 0xFFFFFFFF
    if status != 0:
        raise OSError("%s: %08X" % (name, status))


class Card:
    """The card in the first reader."""

    def __init__(self):
        self.context = ctypes.c_long()
        _call("SCardEstablishContext", _DWORD(2), None, None, ctypes.byref(self.context))
        size = _DWORD(4096)
        names = ctypes.create_string_buffer(size.value)
        _call("SCardListReaders", self.context, None, names, ctypes.byref(size))
        self.handle, protocol = ctypes.c_long(), _DWORD()
        _call("SCardConnect", self.context, names.value, _DWORD(_SHARE_SHARED),
              _DWORD(_PROTOCOL_T1), ctypes.byref(self.handle), ctypes.byref(protocol))

    def close(self, reset=False):
        _call("SCardDisconnect", self.handle, _DWORD(_RESET if reset else _LEAVE))
        _call("SCardReleaseContext", self.context)

    def transmit(self, command):
        """Bytes out, (data, status word) back."""
        out = ctypes.create_string_buffer(70000)
        size = _DWORD(len(out))
        request = _IoRequest(_PROTOCOL_T1, ctypes.sizeof(_IoRequest))
        _call("SCardTransmit", self.handle, ctypes.byref(request), bytes(command),
              _DWORD(len(command)), None, out, ctypes.byref(size))
        if size.value < 2:
            raise OSError("SCardTransmit: no answer from the card")
        answer = out.raw[:size.value]
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def command(self, header, data=b"", le=None, extended=True):
        """header: hex of CLA INS P1 P2; le: None for no Le, 0 for as much as there is."""
        command = bytes.fromhex(header)
        if extended:
            if data:
                command += b"\0" + len(data).to_bytes(2, "big") + data
            if le is not None:
                command += (b"" if data else b"\0") + le.to_bytes(2, "big")
        else:
            if data:
                command += bytes([len(data)]) + data
            if le is not None:
                command += bytes([le])
        return self.transmit(command)

    def good(self, header, data=b"", le=None, extended=True):
        """The same for a command that must succeed; returns its data."""
        answer, status = self.command(header, data, le, extended)
        check("%s answers %04X" % (header, status), status == 0x9000)
        return answer

    def select(self):
        return self.good("00A40400", APPLET, 0, extended=False)

    def login(self, pin):
        self.good("00200081", pin.encode(), extended=False)

    def read(self, fid):
        """A whole file, in the chunks that the protocol recommends."""
        content = b""
        while True:
            data, status = self.command("00B1%04X" % fid,
                                        b"\x54\x02" + len(content).to_bytes(2, "big"), 1000)
            check("reading %04X: %04X" % (fid, status), status in (0x9000, 0x6282))
            content += data
            if status == 0x6282:
                return content


def check(what, condition):
    if not condition:
        sys.exit("FAILED: " + what)


def expect(what, seen, wanted):
    if seen != wanted:
        sys.exit("FAILED: %s: expected %s, got %s" % (what, _show(wanted), _show(seen)))
    print("ok:", what)


def _show(value):
    return value.hex() if isinstance(value, bytes) else \
        "%04X" % value if isinstance(value, int) else repr(value)
