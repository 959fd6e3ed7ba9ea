#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py SOURCE EXPORT: what llvm-cov exported, as a table in Markdown: for each file of the
rooms its functions and lines that were reached, and the names of the functions that were not."""
import json
import os
import sys


def main():
    source, export = sys.argv[1:]
    with open(export, encoding="utf-8") as file:
        data = json.load(file)["data"][0]
    files = {}
    for entry in data["files"]:
        name = os.path.relpath(entry["filename"], source)
        if name.split("/")[0] in ("device", "keymgmt") and name.endswith(".c"):
            files[name] = {"lines": entry["summary"]["lines"], "functions": {}}
    for function in data["functions"]:
        name = os.path.relpath(function["filenames"][0], source)
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
