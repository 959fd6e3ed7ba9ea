#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches a page with a client certificate whose key is on a SmartCard-HSM.

usage: client.py URL SERVER_CA CERTIFICATE KEY

KEY is the key reference file.
"""
import getpass
import os
import ssl
import sys
import urllib.request


def main():
    url, server_ca, certificate, key = sys.argv[1:5]
    context = ssl.create_default_context(cafile=server_ca)
    context.load_cert_chain(
        certificate, key,
        password=lambda: os.environ.get("SC_HSM_PIN") or getpass.getpass("PIN: "))
    with urllib.request.urlopen(url, context=context) as answer:
        sys.stdout.write(answer.read().decode())


if __name__ == "__main__":
    main()
