#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What became of the operations under soak.sh, from the logs of mixed_work.

usage: summary.py --recovered TIME LOG...
       summary.py --faults FILE --neighbour FILE --tries N LOG...

The first form: status 0 where each log has an operation that began after TIME and went well. The
second prints a summary, and judges it, status 1 if

* a result was wrong, or errors were left in OpenSSL's queue by an operation that went well;
* an operation failed that could be repeated: one that failed while no fault was there, or more of
  them than the fault before may cost. A fault may cost one operation where the card itself refused or
  answered nonsense, and any number where the card was away for longer than is waited for;
* between the moment that the card answered a stranger's command again and the next operation that
  went well there was more than a second and ten times what that command took;
* a PIN try was spent.
"""
import argparse
import bisect
import collections
import os
import sys

TAIL = 65536
Operation = collections.namedtuple("Operation", "end duration name outcome sentence log")
Fault = collections.namedtuple("Fault", "start ready probe kind allowed detail")


def operations(name, tail=False):
    with open(name, encoding="utf-8", errors="replace") as file:
        if tail and os.path.getsize(name) > TAIL:
            file.seek(os.path.getsize(name) - TAIL)
            file.readline()
        for line in file:
            words = line.rstrip("\n").split(" ", 4)
            if len(words) == 5 and line.endswith("\n"):
                yield Operation(int(words[0]), int(words[1]), *words[2:], name)


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0


def recovered(since, logs):
    return all(any(one.outcome == "ok" and one.end - one.duration > since
                   for one in operations(log, tail=True)) for log in logs)


def cause(operation):
    """The kind of a sentence: its reason, or reasons."""
    return " | ".join(sorted({part.split(":")[0] for part in operation.sentence.split(" | ")}))


def print_operations(done):
    print(f"\n{'':12} {'operations':>10} {'p50 ms':>8} {'p99 ms':>8} {'worst':>8}")
    for name in sorted({one.name for one in done}):
        times = [one.duration / 1000 for one in done if one.name == name and one.outcome == "ok"]
        print(f"{name:12} {len(times):10} {percentile(times, .5):8.0f} {percentile(times, .99):8.0f}"
              f" {max(times, default=0):8.0f}")


def next_success(times, after):
    at = bisect.bisect_left(times, after)
    return times[at] - after if at < len(times) else None


def judge_recovery(done, faults, logs, bad):
    by_log = {log: sorted(one.end for one in done if one.log == log and one.outcome == "ok")
              for log in logs}
    everybody = sorted(end for ends in by_log.values() for end in ends)
    first, last = collections.defaultdict(list), collections.defaultdict(list)
    for fault in faults:
        wait = next_success(everybody, fault.ready)
        if wait is None:
            continue  # the time was over
        first[fault.kind].append(wait / 1000)
        last[fault.kind].append(max((next_success(ends, fault.ready) or 0)
                                    for ends in by_log.values()) / 1000)
        if wait > 1e6 + 10 * fault.probe:
            bad.append(f"{fault.kind} {fault.detail}: the next operation that went well came "
                       f"{wait / 1e6:.1f} s after the card, whose command took "
                       f"{fault.probe / 1e6:.2f} s")
    print(f"\nms from the card's being back to the next success\n{'':14} {'faults':>6} {'median':>8}"
          f" {'worst':>8} {'of the slowest process, worst':>30}")
    for kind in sorted(first):
        print(f"{kind:14} {len(first[kind]):6} {percentile(first[kind], .5):8.0f} "
              f"{max(first[kind]):8.0f} {max(last[kind]):30.0f}")


def judge_refusals(done, faults, bad):
    starts = [fault.start for fault in faults]
    refused = [one for one in done if one.outcome == "refused"]
    causes = collections.Counter()
    cost = collections.defaultdict(list)
    for one in refused:
        at = bisect.bisect_right(starts, one.end) - 1
        cost[at].append(one)
        causes[faults[at].kind if at >= 0 else "no fault", cause(one)] += 1
    print(f"\nrefused: {len(refused)}")
    for (kind, reason), count in sorted(causes.items()):
        print(f"{count:6}  {kind}: {reason}")
    repeatable = 0
    for at, ones in cost.items():
        fault = faults[at] if at >= 0 else Fault(0, 0, 0, "no fault", "0", "")
        if fault.allowed == "any" or len(ones) <= int(fault.allowed):
            continue
        repeatable += len(ones) - int(fault.allowed)
        for one in ones[:3]:
            bad.append(f"{fault.kind} {fault.detail}: {one.name} failed {one.log} at {one.end}, "
                       f"{(one.end - fault.start) / 1e6:.3f} s after it began and "
                       f"{(one.end - fault.ready) / 1e6:.3f} s after the card was back, in "
                       f"{one.duration / 1e6:.3f} s: {one.sentence}")
    print(f"could have been repeated: {repeatable}")


def summarise(arguments):
    done = [one for log in arguments.logs for one in operations(log)]
    with open(arguments.faults, encoding="utf-8") as file:
        faults = [Fault(int(start), int(ready), int(probe), kind, allowed, detail.strip())
                  for start, ready, probe, kind, allowed, detail in
                  ((line.rstrip("\n") + " ").split(" ", 5) for line in file)]
    bad = []
    print(f"{len(done)} operations in {len(arguments.logs)} processes, {len(faults)} faults")
    for outcome in ("wrong", "untidy"):
        ones = [one for one in done if one.outcome == outcome]
        print(f"{outcome}: {len(ones)}")
        bad += [f"{outcome}: {one.name} {one.log} at {one.end}: {one.sentence}" for one in ones[:5]]
    judge_refusals(done, faults, bad)
    judge_recovery(done, faults, arguments.logs, bad)
    print_operations(done)
    with open(arguments.neighbour, encoding="utf-8") as file:
        ends = [line.split()[1] for line in file]
    print(f"\npkcs11-tool beside it: {ends.count('0')} of {len(ends)} went well")
    print(f"PIN tries left: {arguments.tries}")
    if arguments.tries != "3":
        bad.append("a PIN try was spent")
    if not any(one.outcome == "ok" for one in done):
        bad.append("nothing was done")
    for line in bad:
        print(f"BAD: {line}")
    return not bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--recovered", type=int)
    parser.add_argument("--faults")
    parser.add_argument("--neighbour")
    parser.add_argument("--tries")
    parser.add_argument("logs", nargs="+")
    arguments = parser.parse_args()
    if arguments.recovered is not None:
        return recovered(arguments.recovered, arguments.logs)
    return summarise(arguments)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
