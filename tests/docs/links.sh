#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the documents point to is there: files, headings, and documents that are named anywhere in the
# tree. Each document with commands is one whose commands are run.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need python3
check "links" python3 - "$SC_HSM_SOURCE" <<'END_OF_PYTHON'
import os, re, sys
root = sys.argv[1]
faults, links, commands = [], 0, set()
def text(path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()
def files():
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(("build", "obj-")) and
                      one not in ("seeds", "usr") and
                      (one == ".github" or not one.startswith("."))]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or os.path.getsize(path) > 1 << 20:
                continue
            yield os.path.relpath(path, root)
# The names that GitHub gives headings.
def anchors(path):
    plain = re.sub(r"^```.*?^```", "", text(path), flags=re.M | re.S)
    for heading in re.findall(r"^#+ (.*)$", plain, flags=re.M):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
for path in sorted(files()):
    said = text(path)
    if path.endswith(".md"):
        plain = re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", said, flags=re.M | re.S))
        for target in re.findall(r"\]\(([^)\s]+)\)", plain):
            links += 1
            if re.match(r"[a-z]+:", target):
                continue
            name, _, heading = target.partition("#")
            there = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if not os.path.exists(os.path.join(root, there)):
                faults.append(f"{path}: {target} is not there")
            elif heading and heading not in anchors(there):
                faults.append(f"{path}: {target} is no heading")
        if re.search(r"^<!-- tested -->$", said, flags=re.M):
            commands.add(path)
    for name in re.findall(r"(?<![\w/-])(docs/[\w.-]+\.(?:md|svg|in))\b", said):
        if not os.path.exists(os.path.join(root, name)):
            faults.append(f"{path}: {name} is not there")
listed = text("tests/docs/CMakeLists.txt")
faults += [f"{path}: its commands are not run" for path in sorted(commands)
           if not re.search(r"(?<![\w/])%s(?!\w)" % re.escape(path), listed)]
print(*faults, f"{links} links, {len(commands)} documents with commands", sep="\n")
sys.exit(bool(faults) or links < 40 or len(commands) < 8)
END_OF_PYTHON
echo "ok: $(tail -n 1 "$seen")"
