# SPDX-License-Identifier: Apache-2.0
"""Runs every command of the tool in ways that fail, with --json and without: each line that --json has
on standard error is one object, the last one the error with the status of the run, and that status and
the sentence are those of a run without --json. With the argument "brief" the latter is left out."""

import json
import os
import re
import subprocess
import sys

KINDS = ("error", "warning", "note")
MEMBERS = ["code", "message", "reason", "status", "status_word", "tries_left"]
ARGUMENTS = {"URI": "label=absent", "N": "8", "DOMAIN": "9", "FILE-ID": "CC77", "APDU": "00"}
NOTHING = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm", "OPENSSL_CONF": "/dev/null"}
brief = sys.argv[1:] == ["brief"]
failures = set()


def run(words, environment):
    return subprocess.run(["sc-hsm", *words], env={**os.environ, **environment},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True)


def judge(words, environment):
    done = run(["--json", *words], environment)
    what = " ".join(words) + ": " + done.stderr.decode()
    told = [json.loads(line) for line in done.stderr.decode("ascii").splitlines()]
    kinds = [next(iter(one)) for one in told]
    assert all(len(one) == 1 and kind in KINDS for one, kind in zip(told, kinds)), what
    assert ("error" in kinds) == (done.returncode != 0), what
    assert "error" not in kinds[:-1], what
    if done.returncode != 0:
        error = told[-1]["error"]
        assert sorted(error) == MEMBERS, what
        assert error["status"] == done.returncode and error["code"] > 0 and error["reason"], what
        failures.add(error["reason"])
    if not brief:
        plain = run(words, environment)
        assert plain.returncode == done.returncode, what
        sentences = ["sc-hsm: " + next(iter(one.values()))["message"] for one in told]
        assert plain.stderr.decode().splitlines() == sentences, what + plain.stderr.decode()


def arguments(usage):
    """Something for each argument that a usage line has."""
    words = re.sub(r"\[--.*|\[URI\|FILE\]|[][|]|\.\.\.| - ?", " ", usage).split()
    return [ARGUMENTS.get(word, "/nonexistent/" + word.lower()) for word in words]


usage = {}  # of each command: its table has two blanks between the columns
listed = run(["--help"], {}).stdout.decode().split("\nCommands:\n")[1].split("\n\n")[0]
for line in listed.splitlines():
    name = re.match(r"  ([a-z][a-z -]*[a-z])(?=  | [^a-z]|$)", line)
    if name:
        command = name.group(1)
        first = run(["help", *command.split()], {}).stdout.decode().splitlines()[0]
        usage[command] = first.split("] " + command, 1)[1]
assert len(usage) > 60, usage
for command, rest in usage.items():
    words = command.split()
    given = arguments(rest)
    judge([*words, "--no-such-option"], NOTHING)
    judge([*words, *given], NOTHING)
    judge([*words, *given, "--pin-source", "env:NO_SUCH_VARIABLE"], {})
print(len(usage), "commands;", ", ".join(sorted(failures)))
