#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
page=$SC_HSM_SOURCE/docs/errors.md

"$SC_HSM_BUILD/tests/store/store_reasons" >reasons
sed -n 's/^\(| [0-9]* | [^|]* |\).*/\1/p' "$page" >documented
diff reasons documented >"$seen" || fail "docs/errors.md and device/base/error.c differ (<: missing, >: gone)"
while IFS='|' read -r _ number _ sentence remedy _; do
    if [ -z "${sentence// /}" ] || [ -z "${remedy// /}" ]; then
        fail "reason $number lacks a sentence or a remedy"
    fi
done < <(grep '^| [0-9]' "$page")
echo "ok: $(wc -l <reasons) reasons are documented"
