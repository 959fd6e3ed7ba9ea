#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SECURITY.md claims nothing without naming what shows it, and what it names is there and is run.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need python3
check "SECURITY.md and docs/secrets.md" python3 - "$SC_HSM_SOURCE" <<'END'
import os, re, sys
root = sys.argv[1]
def text(path):
    return open(os.path.join(root, path), encoding="utf-8").read()
def names(line):
    return [name for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)*)`", line)
            if "/" in name or name.endswith(".md")]
def is_run(path):
    folder, name = os.path.split(path)
    if os.path.splitext(name)[1] not in (".c", ".sh") or not path.startswith("tests/"):
        return True
    if name in ("run.sh", "soak.sh"):
        return True
    listed = text(os.path.join(folder, "CMakeLists.txt"))
    stem = re.sub(r"^(test|fuzz)_", "", os.path.splitext(name)[0])
    return re.search(r"(?<![\w-])(test_|fuzz_)?%s(?![\w-])" % re.escape(stem), listed)
rows = 0
for line in text("SECURITY.md").splitlines():
    for name in names(line):
        if not os.path.exists(os.path.join(root, name)):
            sys.exit(f"{name} is not there")
        if not is_run(name):
            sys.exit(f"{name} is not run")
    if re.match(r"\|.*[a-z]", line) and line != "| | shown by |":
        rows += 1
        claim, shown = line.strip("|").rsplit("|", 1)
        if not names(shown):
            sys.exit(f"nothing shows it: {claim}")
for line in text("docs/secrets.md").splitlines():
    for name in names(line):
        if not os.path.exists(os.path.join(root, name)):
            sys.exit(f"{name} is not there")
print(rows, "rows")
assert rows > 40, rows
END
says '^[0-9]+ rows'
