# SPDX-License-Identifier: Apache-2.0
"""Plans of ceremonies that are not right, each with one fault: refused by one sentence that names the
place, before anything runs or is asked; nothing of what could steer a terminal is shown."""

import copy
import json
import os
import subprocess

GOOD = {"title": "A plan", "devices": {"first": "DENK0100001", "second": None}, "people": ["Alice"],
        "steps": [{"title": "One", "say": "Look."},
                  {"title": "Two", "run": ["status", "--serial", "{first}"], "files": ["a.txt"]}]}
STEP = "/steps/1"


def changed(pointer, value):
    """The good plan with another value there; "" as the last name adds one to a list."""
    plan = copy.deepcopy(GOOD)
    names = pointer.strip("/").split("/")
    place = plan
    for name in names[:-1]:
        place = place[int(name) if isinstance(place, list) else name]
    if isinstance(place, list):
        place[int(names[-1]):int(names[-1]) + 1] = [value]
    elif value is None and names[-1] in ("title", "steps"):
        del place[names[-1]]
    else:
        place[names[-1]] = value
    return plan


def refuse(what, content, *says):
    with open("plan.json", "wb") as file:
        file.write(content if isinstance(content, bytes) else json.dumps(content).encode())
    done = subprocess.run(["sc-hsm", "ceremony", "plan.json", "--device", "second=DENK0100002"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True, env={**os.environ, "PCSCLITE_CSOCK_NAME": "/none"})
    told = done.stderr.decode()
    seen = f"{what}: status {done.returncode}: {told}{done.stdout.decode()}"
    assert done.returncode in (1, 2) and done.stdout == b"", seen
    assert told.startswith("sc-hsm: plan.json") and told.count("\n") == 1, seen
    assert told.rstrip("\n").isprintable(), seen
    for text in says:
        assert text in told, f"{text}: {seen}"


count = 0
for what, content, *says in [
    ("nothing", b"", "line 1"),
    ("no JSON", b"{]", "line 1", "column 2"),
    ("no text", b"\xff\xfe{}", "no JSON"),
    ("a member twice", b'{"title": "a", "title": "b"}', "duplicate"),
    ("a NUL", b'{"title": "a\\u0000b"}', "no JSON"),
    ("too deep", b"[" * 100000, "no JSON"),
    ("too long", b" " * 300000, "longer than"),
    ("a list", [], "at /: an object"),
    ("no title", changed("/title", None), "at /title: a text"),
    ("another name", {**GOOD, "step": []}, "no member 'step'", "did you mean 'steps'"),
    ("no steps", changed("/steps", None), "at /steps: a list"),
    ("empty steps", changed("/steps", []), "at /steps: the list"),
    ("many steps", changed("/steps", GOOD["steps"][:1] * 201), "1 to 200"),
    ("steps by name", changed("/steps", {}), "at /steps: a list"),
    ("a person of no name", changed("/people", [""]), "at /people/0"),
    ("a person who is none", changed("/people", ["x", 7]), "at /people/1: a text"),
    ("people", changed("/people", "Alice"), "at /people: a list"),
    ("devices", changed("/devices", ["x"]), "at /devices: an object"),
    ("a device's name", changed("/devices", {"a b": None}), "at /devices: a device's name has letters"),
    ("a device's name", changed("/devices", {"": None}), "letters"),
    ("a name that is taken", changed("/devices", {"serial": None}), "is not serial"),
    ("a serial number", changed("/devices/first", 1), "at /devices/first"),
    ("a serial number", changed("/devices/first", "A;B"), "at /devices/first"),
    ("a serial number", changed("/devices/first", "A" * 33), "at /devices/first"),
    ("a serial number", changed("/devices/first", ""), "at /devices/first"),
    ("two that are one", changed("/devices/second", "DENK0100001"), "the device of 'first' already"),
    ("many devices", changed("/devices", {f"d{i}": None for i in range(17)}), "at most 16"),
    ("a step that is none", changed(STEP, 3), "step 2, at /steps/1: an object"),
    ("a step of no title", changed(STEP + "/title", None), "step 2, at /steps/1/title"),
    ("a step that does nothing", changed(STEP, {"title": "x"}), "nothing to say, run or look at"),
    ("another member", changed(STEP + "/runs", []), "no member 'runs'", "did you mean 'run'"),
    ("say", changed(STEP + "/say", ["x"]), "/steps/1/say: a text"),
    ("a long text", changed(STEP + "/say", "x" * 4001), "1 to 4000 bytes"),
    ("a shell's line", changed(STEP + "/run", "status"), "/steps/1/run: a list"),
    ("no words", changed(STEP + "/run", []), "/steps/1/run: the list"),
    ("many words", changed(STEP + "/run", ["status"] * 65), "1 to 64"),
    ("a word that is none", changed(STEP + "/run/1", None), "/steps/1/run/1: a text"),
    ("an empty word", changed(STEP + "/run/1", ""), "/steps/1/run/1"),
    ("a name that there is not", changed(STEP + "/run/2", "{third}"), "/run/2: the plan has no device"),
    ("a brace", changed(STEP + "/run/2", "a{"), "/run/2: a brace"),
    ("a brace", changed(STEP + "/run/2", "}"), "/run/2: a brace"),
    ("a brace", changed(STEP + "/run/2", "{}"), "/run/2: a brace"),
    ("a brace", changed(STEP + "/run/2", "{{first}}"), "/run/2: a brace"),
    ("a command", changed(STEP + "/run/0", "statsu"), "/run: there is no command", "did you mean 'status'"),
    ("an option", changed(STEP + "/run/1", "--seral"), "/run: there is no option", "did you mean --serial"),
    ("a value", changed(STEP + "/run", ["status", "--serial"]), "/run: option --serial needs a value"),
    ("a value", changed(STEP + "/run", ["status", "--wait", "x"]), "/steps/1/run"),
    ("an argument", changed(STEP + "/run", ["status", "x"]), "one argument too many"),
    ("an argument", changed(STEP + "/run", ["pubkey"]), "an argument is missing"),
    ("half a command", changed(STEP + "/run", ["dkek"]), "say what 'dkek' is to do"),
    ("no command", changed(STEP + "/run", ["--serial", "{first}"]), "say what to do"),
    ("a plan in the plan", changed(STEP + "/run", ["ceremony", "plan.json"]), "'ceremony' has no place"),
    ("any program", changed(STEP + "/run", ["pka", "authenticate", "--", "sh"]), "no place in a plan"),
    ("commands", changed(STEP + "/run", ["apdu", "0020008106313233343536"]), "'apdu' has no place"),
    ("help", changed(STEP + "/run", ["help"]), "'help' has no place"),
    ("help", changed(STEP + "/run", ["status", "--help"]), "--help has no place"),
    ("JSON", changed(STEP + "/run", ["status", "--json"]), "--json has no place"),
    ("a module", changed(STEP + "/run", ["list", "--pkcs11-module", "x.so"]), "--pkcs11-module has no place"),
    ("a PIN", changed(STEP + "/run", ["pubkey", "id=10?pin-value=123456"]), "a PIN is in the plan"),
    ("a PIN", changed(STEP + "/run", ["list", "--pin-source", "123456"]), "/steps/1/run"),
    ("output", changed(STEP + "/run", ["pubkey", "id=10", "--out", "-"]), "goes to a file"),
    ("output", changed(STEP + "/run", ["pubkey", "id=10", "--out=/dev/stdout"]), "goes to a file"),
    ("random bytes", changed(STEP + "/run", ["random", "32"]), "it needs --out FILE"),
    ("a secret", changed(STEP + "/run", ["derive", "label=x", "--hex", "00"]), "it needs --out FILE"),
    ("data", changed(STEP + "/run", ["data", "read", "label=x"]), "'data read' gives may be secret"),
    ("files", changed(STEP + "/files", "a.txt"), "/steps/1/files: a list"),
    ("many files", changed(STEP + "/files", ["x"] * 33), "1 to 32"),
    ("a file", changed(STEP + "/files", [1]), "/steps/1/files/0: a text"),
]:
    refuse(what, content, *says)
    count += 1

# What a copy that was cut short left.
whole = json.dumps(GOOD).encode()
for length in range(1, len(whole), 9):
    refuse("not whole", whole[:length], "no JSON")
    count += 1

# What could steer a terminal, or show another text than there is, at every place.
for text in ["a\nb", "a\rb", "\x1b[2J", "\x9b31m", "a\u202eb", "a\u200bb", "\x7f", "\ufeffx"]:
    for pointer in ["/title", "/people/0", STEP + "/title", STEP + "/say", STEP + "/run/1", STEP + "/files/0"]:
        refuse("a control character", changed(pointer, text), f"at {pointer}: the text has a character")
        count += 1
    refuse("a control character", changed(f"/devices/{text}", None), "at /devices: ")
    refuse("a control character", changed(f"{STEP}/{text}", "x"), "no word")
    count += 2
print(count, "plans")
