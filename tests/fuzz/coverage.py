#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py EXPORT: what llvm-cov exported, as a table in Markdown: for each file of the
rooms its functions and lines that were reached, and the names of the functions that were not."""
import json
import re
import sys

# -ffile-prefix-map and build folders put something before it.
FILE = re.compile(r"(?:.*/)?((?:device|keymgmt)/[^.]*\.c)$")


def in_rooms(path):
    """The file's name in the source tree, None where it is not the rooms'."""
    match = FILE.match(path)
    return match.group(1) if match and "/rooms/" not in path else None


def main():
    export = sys.argv[1]
    with open(export, encoding="utf-8") as file:
        data = json.load(file)["data"][0]
    files = {}
    for entry in data["files"]:
        name = in_rooms(entry["filename"])
        if name is not None:
            files[name] = {"lines": entry["summary"]["lines"], "functions": {}}
    for function in data["functions"]:
        name = in_rooms(function["filenames"][0])
        if name in files:
            # a function that several programs have is there once for each
            short = function["name"].split(":")[-1]
            reached = files[name]["functions"].get(short, 0)
            files[name]["functions"][short] = max(reached, function["count"])
    total = [0, 0, 0, 0]
    print("| file | functions | lines | not reached |")
    print("|---|---|---|---|")
    for name in sorted(files):
        functions, lines = files[name]["functions"], files[name]["lines"]
        missing = sorted(f for f, count in functions.items() if count == 0)
        reached = len(functions) - len(missing)
        total = [total[0] + reached, total[1] + len(functions),
                 total[2] + lines["covered"], total[3] + lines["count"]]
        whole = len(functions) > 0 and len(missing) == len(functions)
        print(f"| `{name}` | {reached} of {len(functions)} | {lines['percent']:.0f} % | "
              f"{'all' if whole else ', '.join(f'`{f}`' for f in missing)} |")
    print(f"| together | {total[0]} of {total[1]} | {100 * total[2] / max(total[3], 1):.0f} % | |")


main()
