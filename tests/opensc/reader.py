# SPDX-License-Identifier: Apache-2.0
"""The reader's side of the wire to sc-hsm-sim: cards without pcscd, as many as a test wants."""
import atexit
import os
import socket
import subprocess

import pcsc
from pcsc import check


PATIENCE = float(os.environ["SC_HSM_PATIENCE"])  # seconds, against waiting for ever


class Reader:
    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]

    def accept(self):
        self.listener.listen()
        self.wire, _ = self.listener.accept()
        self.wire.settimeout(PATIENCE)

    def send(self, message):
        self.wire.sendall(len(message).to_bytes(2, "big") + message)

    def receive(self):
        header = self.exactly(2)
        return self.exactly(int.from_bytes(header, "big"))

    def exactly(self, length):
        data = b""
        while len(data) < length:
            piece = self.wire.recv(length - len(data))
            check("the card hung up", piece)
            data += piece
        return data

    def command(self, message):
        self.send(message)
        return self.receive()

    def short(self, header, data=b"", le=b""):
        return self.command(bytes.fromhex(header) + (bytes([len(data)]) if data else b"") + data + le)

    def extended(self, header, data):
        return self.command(bytes.fromhex(header) + b"\0" + len(data).to_bytes(2, "big") + data +
                            b"\0\0")


def start(simulator, state, reader, *options, log=subprocess.DEVNULL):
    card = subprocess.Popen([simulator, "--state", state, "--vpcd",
                             "127.0.0.1:%d" % reader.port] + list(options),
                            stdout=subprocess.DEVNULL, stderr=log)
    atexit.register(card.kill)  # also when a check fails
    return card


class Card(pcsc.Card):
    """A card of its own process, from the state file; the commands are those of pcsc.Card."""

    def __init__(self, simulator, state, *options, log=subprocess.DEVNULL):
        self.reader = Reader()
        self.process = start(simulator, state, self.reader, *options, log=log)
        self.reader.accept()
        self.reset()

    def reset(self):
        self.reader.send(b"\1")

    def transmit(self, command):
        answer = self.reader.command(bytes(command))
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def close(self):
        self.reader.wire.close()
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        check("the card ends with status %d" % status, status == 0)
