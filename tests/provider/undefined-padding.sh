#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No branch and no address depends on the padding of what a device decrypted, as the compiler left
# the code: undefined_padding.c says how that shows.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2154  # from lib.sh
if ! command -v valgrind >/dev/null || ! [ -x "$programs/undefined_padding" ]; then
    echo "skipped: no valgrind, or it was not there when this was built"
    exit 77
fi
check "valgrind sees the unpadding" valgrind --quiet "$programs/undefined_padding"
says '^an unpadding that leaks: [1-9]' '^PKCS#1 with implicit rejection: 0 ' '^PKCS#1 without: 0 ' \
    '^TLS: 0 ' '^OAEP: 0 '
