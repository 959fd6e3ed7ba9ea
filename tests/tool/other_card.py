# SPDX-License-Identifier: Apache-2.0
"""other_card.py PORT: a card that is no SmartCard-HSM, in the virtual reader at that port."""
import socket
import sys

ATR = bytes.fromhex("3B021450")
GET_ATR = b"\4"


def receive(wire):
    head = wire.recv(2, socket.MSG_WAITALL)
    length = int.from_bytes(head, "big")
    return wire.recv(length, socket.MSG_WAITALL) if len(head) == 2 else b""


def main(port):
    wire = socket.create_connection(("127.0.0.1", port))
    while message := receive(wire):
        if len(message) > 1 or message == GET_ATR:
            answer = ATR if message == GET_ATR else b"\x6A\x82"
            wire.sendall(len(answer).to_bytes(2, "big") + answer)


main(int(sys.argv[1]))
