#!/usr/bin/env python3
"""
Long abuse of a real service, scenario by scenario.

    tests/soak/run.py MINUTES|short [SCENARIO...]

Each scenario gets its part of the time and prints what it measured in one
line. It fails on a worker that ended otherwise than by it, a violation of the
sandbox, a lost request that it cannot explain, a wrong total, and whatever goes
on growing.
"""
import importlib
import sys
import time
import traceback

import scenario  # noqa: F401, by which the tests' modules are found

# What runs, and its part of the time. In the short form each has SHORT_S.
SCENARIOS = [
    ("storm", 4),
    ("reload", 6),
    ("respawn", 3),
    ("hangup", 2),
    ("disk", 1),
    ("files", 1),
    ("memory", 1),
    ("deny", 3),
    ("guest", 6),
]
SHORT_S = 6


def note(name, how, seconds, text):
    print("%-5s %-8s %3d s: %s" % (how, name, seconds, text), flush=True)


def run(name, seconds, short):
    """1 when it went well."""
    begun = time.monotonic()
    try:
        text = importlib.import_module(name).run(seconds, short)
    except BaseException as error:
        traceback.print_exc()
        note(name, "FAIL", time.monotonic() - begun, error)
        if isinstance(error, KeyboardInterrupt):
            raise
        return 0
    note(name, "ok", time.monotonic() - begun, text)
    return 1


def main(args):
    wanted = [row for row in SCENARIOS if not args[1:] or row[0] in args[1:]]
    names = {row[0] for row in SCENARIOS}
    if not args or set(args[1:]) - names or not (
            args[0] == "short" or args[0].replace(".", "", 1).isdigit()):
        sys.exit("usage: tests/soak/run.py MINUTES|short [%s...]"
                 % "|".join(sorted(names)))
    short = args[0] == "short"
    minutes = 0 if short else float(args[0])
    passed = 0
    for name, share in wanted:
        total = sum(row[1] for row in wanted)
        seconds = SHORT_S if short else max(
            SHORT_S, minutes * 60 * share / total)
        passed += run(name, seconds, short)
    failed = len(wanted) - passed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
