#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server whose key is on a SmartCard-HSM.

usage: server.py PORT CERTIFICATE KEY [CLIENTS]

KEY is the key reference file. With CLIENTS, a file of certificates, a client has to have one.
Nothing here knows of the provider: openssl.cnf loads it.
"""
import getpass
import http.server
import os
import ssl
import sys


class Page(http.server.BaseHTTPRequestHandler):
    """One page, that names the client."""

    def do_GET(self):
        client = self.connection.getpeercert() or {}
        names = dict(pair for name in client.get("subject", ()) for pair in name)
        page = f"hello {names.get('commonName', 'stranger')}\n".encode()
        self.send_response(200)
        # Or its end would be that of the connection, which Python does not announce in TLS.
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def setup(self):
        # The handshake belongs to the thread of the connection: one slow client stops nobody.
        self.request.do_handshake()
        super().setup()


def ask_pin():
    """Called when no pin-source in openssl.cnf names the PIN. An environment variable is for
    machines alone; the system's other users cannot see it, root can."""
    return os.environ.get("SC_HSM_PIN") or getpass.getpass("PIN: ")


def main():
    port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, password=ask_pin)
    if len(sys.argv) > 4:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(sys.argv[4])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
