# SPDX-License-Identifier: Apache-2.0
"""
kills.py SIMULATOR ROUNDS [SEED]: kills the card in the middle of commands, and after each start
compares all that is on it with what it has answered: no completed command may be missing, and the
one that was under way is done or not done, as the moment of the kill has it.

The simulator itself dies at the moment that it is told, so that all moments come, on any machine:
first each of them for each kind of command, then ROUNDS in a history that the seed decides. A few
kills come from outside, at a moment that nobody knows; of those only what holds at any moment is
asked.
"""
import hashlib
import os
import random
import socket
import signal
import sys
import time

from pcsc import Card as Commands
from pcsc import check
from reader import Reader, start
from requests import body, ec_template, parameters, rsa_template, tlv


def objects(data):
    """Tag and value of each object, lengths in one byte."""
    while data:
        tag, length = (data[0], data[1])
        yield tag, data[2:2 + length]
        data = data[2 + length:]


SO_PIN = b"57621880"
MAX_TRIES, MAX_SO_TRIES = 3, 15
ANY = object()  # a value that only the card knows
DEAD = None     # instead of an answer
CONTROL = "control"
EC = ec_template("prime256v1")
POINT = dict(objects(parameters("prime256v1")))[0x84]  # the generator
COUNTED = 3     # the key with a use counter
UNWRAPPED = (7, 8)
RSA_KEY = 0xCC09
DOMAIN = 1
# What the simulator is told, and how much it leaves then of the new state beside the old one.
MOMENTS = (("kill-before", None), ("kill-during", 0), ("kill-during", 0.5), ("kill-during", 1),
           ("kill-after", None))


class Card(Commands):
    """The card of one state file; it can be killed and started again."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.reader = Reader()
        self.process = None

    def start(self):
        self.process = start(self.simulator, "card", self.reader, "--control", CONTROL)
        self.reader.accept()
        self.reader.send(b"\1")

    def kill(self):
        self.process.kill()
        self.died(-signal.SIGKILL)

    def answer(self):
        """What comes back; DEAD when the card dies before it is complete."""
        data = b""
        try:
            while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
                piece = self.reader.wire.recv(4096)
                if not piece:
                    return DEAD
                data += piece
        except ConnectionResetError:
            return DEAD
        return data[2:]

    def transmit(self, command):
        self.reader.send(command)
        answer = self.answer()
        check("the card died by itself", answer is not DEAD)
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def died(self, expected):
        """After the end of the process: what it was, and an end of the connection."""
        self.reader.wire.close()
        status = self.process.wait()
        check("the card ended with %d" % status, status == expected)

    def tell(self, line):
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(CONTROL)
            wire.sendall(line.encode() + b"\n")
            check("the card takes " + line, wire.recv(100) == b"ok\n")


class Catch(Exception):
    """The bytes of a command instead of its answer."""


class Recorder(Commands):
    def __init__(self):
        pass

    def transmit(self, command):
        raise Catch(command)


def bytes_of(*arguments, **options):
    try:
        Recorder().command(*arguments, **options)
    except Catch as caught:
        return caught.args[0]
    raise AssertionError


def look(card, possible):
    """All that is on the card, by name; the login is one of those that are possible."""
    seen = {}
    card.select()  # nobody is logged in
    _, status = card.command("00200081", extended=False)
    seen["tries"] = status & 0xF
    check("PIN status %04X" % status, status >> 4 == 0x63C)
    seen["so"] = card.command("00200088", extended=False)[1] & 0xF
    for pin in {state["pin"] for state in possible}:
        _, status = card.command("00200081", pin, extended=False)
        if status == 0x9000:
            seen["pin"] = pin
            break
    check("one of the PINs is right", "pin" in seen)
    listed = card.good("80580000", le=0)
    for number in range(DOMAIN + 1):
        status, word = card.command("805200%02X" % number, le=0)
        if word == 0x9000:
            seen["domain%d" % number] = status
    for at in range(0, len(listed), 2):
        fid = int.from_bytes(listed[at:at + 2], "big")
        name = "%04X" % fid
        if fid >> 8 in (0xCD, 0xCE, 0xCF):
            seen[name] = card.read(fid)
        elif fid >> 8 == 0xCC and fid & 0xFF:
            seen[name] = fingerprint(card, fid)
    return seen


def fingerprint(card, fid):
    """For a symmetric key what it makes of a message; otherwise the key's policy."""
    data, status = card.command("8078%02X18" % (fid & 0xFF), b"message", 0)
    if status == 0x9000:
        return data
    selected = card.good("00A40000", fid.to_bytes(2, "big"), 0, extended=False)
    policy = dict(objects(dict(objects(selected[2:]))[0xA5]))
    if 0x90 not in policy:
        card.good("8068%02X%s" % (fid & 0xFF, "30" if fid == RSA_KEY else "70"), b"h" * 32, 512)
    return policy.get(0x90, b"").hex()


def matches(seen, state):
    return seen.keys() == state.keys() and \
        all(state[name] is ANY or state[name] == seen[name] for name in seen)


class Test:
    def __init__(self, simulator, seed):
        self.card = Card(simulator)
        self.dice = random.Random(seed)
        self.blob = None   # a wrapped key and its fingerprint
        self.state = {}
        self.logged_in = False
        self.number = 0

    # Each kind of command: its bytes, and what it makes of the state.

    def write(self, prefix):
        name = "%02X%02X" % (prefix, self.dice.randrange(1, 5))
        content = hashlib.sha512(b"%d" % self.number).digest() * 8
        return bytes_of("00D7" + name, tlv(0x54, b"\0\0") + tlv(0x53, content)), {name: content}

    def delete(self):
        name = self.dice.choice([name for name in self.state if name[0] == "C"] or [""])
        return name and (bytes_of("00E40200", bytes.fromhex(name)), {name: DEAD})

    def free(self, *ids):
        return [number for number in ids if "CC%02X" % number not in self.state]

    def new_key(self, header, number, data, fingerprint_is=ANY, request=True):
        changes = {"CC%02X" % number: fingerprint_is}
        if request:
            changes["CE%02X" % number] = ANY
        return bytes_of(header % number, data, None), changes

    def generate_ec(self):
        number = self.dice.choice(self.free(1, 2, COUNTED) or [0])
        counter = number == COUNTED
        return number and self.new_key("0046%02X00", number, body(
            EC, more=tlv(0x90, b"\0\0\0\x64") if counter else b""), "00000064" if counter else "")

    def generate_rsa(self):
        number = self.dice.choice(self.free(9) or [0])
        return number and self.new_key("0046%02X00", number, body(rsa_template(1024)), "")

    def generate_aes(self):
        number = self.dice.choice(self.free(4, 5, 6) or [0])
        return number and self.new_key("0048%02XB2", number, tlv(0x91, b"\x10\x11\x18\x92"),
                                       request=False)

    def wrap(self):
        number = self.dice.choice([n for n in (4, 5, 6) if n not in self.free(n)] or [0])
        return number and (bytes_of("8072%02X92" % number, le=0), {"blob": "CC%02X" % number})

    def unwrap(self):
        number = self.dice.choice(self.free(*UNWRAPPED) or [0])
        return number and self.blob and self.new_key("8074%02X93", number, self.blob[0],
                                                     self.blob[1], False)

    def sign(self):
        name = "CC%02X" % COUNTED
        left = int(self.state.get(name, "0"), 16)
        return left and (bytes_of("8068%02X70" % COUNTED, b"h" * 32, 512), {name: "%08x" % (left - 1)})

    def agree(self):
        made = self.sign()
        return made and (bytes_of("8062%02X80" % COUNTED, POINT, 0), made[1])

    def guess(self):
        if self.state["tries"] > 1:
            return bytes_of("00200081", b"guessed", extended=False), \
                {"tries": self.state["tries"] - 1, "logout": True}
        return 0

    def verify(self):
        return bytes_of("00200081", self.state["pin"], extended=False), {"tries": MAX_TRIES}

    def change_pin(self):
        pin = b"%06d" % self.dice.randrange(1000000)
        return bytes_of("00240081", self.state["pin"] + pin, extended=False), \
            {"pin": pin, "tries": MAX_TRIES}

    def unblock(self):
        pin = b"%06d" % self.dice.randrange(1000000)
        return bytes_of("002C0081", SO_PIN + pin, extended=False), \
            {"pin": pin, "tries": MAX_TRIES, "so": MAX_SO_TRIES}

    def initialise(self, domains=tlv(0x92, b"\0"), kek=ANY):
        pin = b"%06d" % self.dice.randrange(1000000)
        return bytes_of("80500000", tlv(0x80, b"\0\1") + tlv(0x81, pin) + tlv(0x82, SO_PIN) +
                        tlv(0x91, bytes([MAX_TRIES])) + domains), {"all": pin, "domain0": kek}

    # On a card with key domains.

    def create_domain(self):
        return self.new_domain("01", b"\2", "0202" + "00" * 8)

    def first_share(self):
        return self.new_domain("00", b"\xA5" * 32, "0201" + "00" * 8)

    def last_share(self):
        return self.new_domain("00", b"\xE1" * 32, "0200bb391415c05e39d7")

    def clear_domain(self):
        return self.new_domain("04", b"", "0202" + "00" * 8)

    def delete_domain(self):
        return self.new_domain("03", b"")

    @staticmethod
    def new_domain(form, data, status=None):
        return bytes_of("8052%s%02X" % (form, DOMAIN), data, 0), \
            {"domain%d" % DOMAIN: status and bytes.fromhex(status)}

    KINDS = [
        (4, "write", lambda self: self.write(0xCF)), (4, "write", lambda self: self.write(0xCD)),
        (4, "delete", delete), (4, "generate EC", generate_ec), (1, "generate RSA", generate_rsa),
        (3, "generate AES", generate_aes), (3, "wrap", wrap), (3, "unwrap", unwrap),
        (3, "sign", sign), (3, "agree", agree), (3, "guess", guess), (3, "verify", verify),
        (2, "change PIN", change_pin), (2, "unblock", unblock), (0.4, "initialise", initialise)]
    DOMAIN_KINDS = [
        ("create a domain", create_domain), ("import a share", first_share),
        ("import the last share", last_share), ("clear a domain", clear_domain),
        ("delete a domain", delete_domain)]

    def changed(self, changes):
        if "all" in changes:
            state = {"pin": changes["all"], "tries": MAX_TRIES, "so": MAX_SO_TRIES,
                     "domain0": changes["domain0"]}
        else:
            state = dict(self.state, **changes)
        return {name: value for name, value in state.items()
                if value is not DEAD and name not in ("blob", "logout")}

    def steps(self, kind, changes):
        """What is on the card before, between and after the writes of the command."""
        steps = [self.state, self.changed(changes)]
        # the try is counted before the PIN is looked at
        if kind in ("verify", "change PIN"):
            steps.insert(1, dict(self.state, tries=self.state["tries"] - 1))
        if kind in ("unblock", "initialise"):
            steps.insert(1, dict(self.state, so=self.state["so"] - 1))
        return steps

    def choose(self):
        self.number += 1
        if not self.logged_in:
            return "verify", self.verify()
        while True:
            _, kind, make = self.dice.choices(self.KINDS, [weight for weight, _, _ in self.KINDS])[0]
            made = make(self)
            if made:
                return kind, made

    def done(self, kind, answer, changes):
        data, status = answer
        wrong = status >> 4 == 0x63C if kind == "guess" else False
        check("%s: %04X" % (kind, status), status == 0x9000 or wrong)
        if "blob" in changes:
            self.blob = data, self.state[changes["blob"]]
        if "all" in changes:
            self.blob = None  # its key is gone with the card's
        self.logged_in = "logout" not in changes
        self.state = self.changed(changes)

    def compare(self, what, states):
        self.card.start()
        seen = look(self.card, states)
        if not any(matches(seen, state) for state in states):
            for state in states:
                print("--- may be:", {name: state.get(name) for name in set(seen) | set(state)
                                      if name not in seen or name not in state or
                                      (state[name] is not ANY and seen[name] != state[name])})
            sys.exit("FAILED: killed while %s: lost, or half done" % what)
        self.state = dict(seen, tries=MAX_TRIES)  # looking has logged in
        self.logged_in = True

    def complete(self, count):
        for _ in range(count):
            kind, (command, changes) = self.choose()
            self.done(kind, self.card.transmit(command), changes)
            self.learn()

    def learn(self):
        """What only the card knows."""
        if ANY in self.state.values():
            self.state = dict(look(self.card, [self.state]), tries=MAX_TRIES)
            self.logged_in = True

    def cut(self, kind, made, write, moment, left):
        """The power goes at a moment of the command's write (counted from 0)."""
        command, changes = made
        steps = self.steps(kind, changes)
        what = "%s, %s %d, %s left" % (kind, moment, write, left)
        self.card.tell("%s writes=%d" % (moment, write))
        self.card.reader.send(command)
        check("%s: it dies" % what, self.card.answer() is DEAD)
        self.card.died(-signal.SIGKILL)
        if left is not None and kind != "wrap":  # which writes nothing
            os.truncate("card.tmp", int(left * os.path.getsize("card.tmp")))
        if "all" in changes:
            self.blob = None
        self.compare(what, [steps[write + (moment == "kill-after")]])

    def cut_whenever(self, kind, made):
        """From outside, at a moment that nobody knows."""
        command, changes = made
        states = self.steps(kind, changes)
        self.card.reader.send(command)
        time.sleep(self.dice.choice((0, self.dice.uniform(0, 0.005))))
        self.card.process.kill()
        answer = self.card.answer()
        self.card.died(-signal.SIGKILL)
        if answer is not DEAD:
            self.done(kind, (answer[:-2], int.from_bytes(answer[-2:], "big")), changes)
            states = [self.state]
        elif "all" in changes:
            self.blob = None
        self.compare("%s, at some moment" % kind, states)

    def round(self, number):
        self.complete(self.dice.randrange(3))
        kind, made = self.choose()
        if number % 10 == 0:
            self.cut_whenever(kind, made)
        elif number % 10 == 1:
            self.done(kind, self.card.transmit(made[0]), made[1])
            self.card.kill()
            self.compare("after " + kind, [self.state])
        else:
            write = self.dice.randrange(len(self.steps(kind, made[1])) - 1)
            self.cut(kind, made, write, *self.dice.choice(MOMENTS))


def prepare(test, kind):
    """A card on which this kind of command has something to do, and can be told from another."""
    card = test.card
    needed = {"wrap": 4, "unwrap": 4, "sign": COUNTED, "agree": COUNTED}.get(kind)
    for number in (1, 2, COUNTED, 4, 5, 6, *UNWRAPPED, 9):
        if number != needed and "CC%02X" % number in test.state:
            for prefix in (0xCC, 0xCE):
                card.command("00E40200", bytes([prefix, number]))
    if needed == COUNTED and "CC%02X" % needed not in test.state:
        card.good("0046%02X00" % needed, body(EC, more=tlv(0x90, b"\0\0\0\x64")))
    elif needed == 4 and "CC%02X" % needed not in test.state:
        card.good("0048%02XB2" % needed, tlv(0x91, b"\x10\x11\x18\x92"))
    card.good("00D7CF04", tlv(0x54, b"\0\0") + tlv(0x53, b"to be deleted"))
    if kind == "unwrap":
        test.blob = card.good("80720492", le=0), fingerprint(card, 0xCC04)
    test.state = dict(look(card, [test.state]), tries=MAX_TRIES)
    if kind in ("verify", "change PIN"):
        command, changes = test.guess()
        test.done("guess", card.transmit(command), changes)


def every_moment(test):
    kills = 0
    for _, kind, make in test.KINDS:
        for moment, left in MOMENTS:
            write = writes = 0
            while write <= writes:
                prepare(test, kind)
                made = make(test)
                check("there is a way to " + kind, made)
                writes = len(test.steps(kind, made[1])) - 2
                test.cut(kind, made, write, moment, left)
                write += 1
                kills += 1
    print("ok: %d kills before, while and after the state is written, for each command" % kills)


def every_moment_of_domains(test):
    command, changes = test.initialise(tlv(0x97, b"\2"), DEAD)
    test.done("initialise", test.card.transmit(command), changes)
    for moment, left in MOMENTS:
        for kind, make in test.DOMAIN_KINDS:
            test.cut(kind, make(test), 0, moment, left)
            if moment != "kill-after":  # then it is not done
                command, changes = make(test)
                test.done(kind, test.card.transmit(command), changes)
    print("ok: the same for key domains")


def main(simulator, rounds, seed=None):
    seed = seed or os.urandom(4).hex()
    print("the seed is", seed)
    test = Test(simulator, seed)
    test.card.start()
    command, changes = test.initialise()
    test.done("initialise", test.card.transmit(command), changes)
    test.learn()
    every_moment(test)
    every_moment_of_domains(test)
    command, changes = test.initialise()
    test.done("initialise", test.card.transmit(command), changes)
    test.learn()
    for number in range(int(rounds)):
        test.round(number)
    test.card.kill()
    print("ok: %s kills more in a history of %d commands" % (rounds, test.number))
    os.remove(CONTROL)


main(*sys.argv[1:])
