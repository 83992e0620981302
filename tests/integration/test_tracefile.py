#!/usr/bin/env python3
# needs: a core, 11 s
"""
The judge of traces, judged: a small file that keeps every rule passes, and
each rule broken once is named. Where Go 1.19 refuses such a file as well, it
is asked whether it does.

Rule: a bad file differs from a good one in one place.
"""
import subprocess
import tempfile
import unittest

import harness
from case import Case, main
from gotrace import GoTrace
from tracefile import EVENTS, HEAD, Broken, Trace

GO = subprocess.run(["go", "version"], stdout=subprocess.PIPE, text=True,
                    check=True).stdout
NUMBER = {name: kind for kind, (name, _) in EVENTS.items()}


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def record(kind, *numbers, behind=b""):
    """With the length where there are four numbers or more."""
    body = b"".join(map(varint, numbers))
    if kind == 37:
        return bytes([kind]) + body + behind
    if len(numbers) < 4:
        return bytes([kind | (len(numbers) - 1) << 6]) + body + behind
    return bytes([kind | 3 << 6]) + varint(len(body)) + body + behind


def event(name, *numbers, behind=b""):
    """The first number is the time since the event before it."""
    return record(NUMBER[name], *numbers, behind=behind)


def batch(p, ts):
    return record(1, p, ts)


def string(number, text):
    return record(37, number, len(text), behind=text.encode())


def stack(number, *frames):
    numbers = [each for frame in frames for each in frame]
    body = b"".join(map(varint, [number, len(frames), *numbers]))
    return bytes([3 | 3 << 6]) + varint(len(body)) + body


ENTRY, CALL, OTHER = 1, 2, 3  # stacks


def good():
    """Two Gs on two Ps, by parts that can be exchanged."""
    return {
        "head": HEAD,
        "snapshot": batch(0, 1000),
        "there": event("GoCreate", 0, 7, ENTRY, 0) +
        event("GoWaiting", 0, 7),
        "procs": event("Gomaxprocs", 0, 2, 0),
        "start": event("ProcStart", 1, 70),
        "heap": event("HeapAlloc", 1, 4096),
        "create": event("GoCreate", 1, 8, ENTRY, 0),
        "run": event("GoStartLabel", 1, 8, 1, 1),
        "task": event("UserTaskCreate", 1, 8, 0, 1, CALL),
        "region": event("UserRegion", 1, 8, 0, 2, CALL),
        "log": event("UserLog", 1, 8, 1, CALL, behind=varint(2) + b"hi"),
        "inner": event("UserRegion", 1, 8, 0, 1, CALL),
        "inner end": event("UserRegion", 1, 8, 1, 1, CALL),
        "region end": event("UserRegion", 1, 8, 1, 2, CALL),
        "call": event("GoSysCall", 1, CALL),
        "block": event("GoSysBlock", 1),
        "stop": event("ProcStop", 0),
        "again": event("ProcStart", 10, 70),
        "exit": event("GoSysExit", 1, 8, 2, 0),
        "rerun": event("GoStartLocal", 1, 8),
        "task end": event("UserTaskEnd", 1, 8, CALL),
        "sleep": event("GoBlockNet", 1, CALL),
        "wake": event("GoUnblockLocal", 1, 8, OTHER),
        "third": event("GoStart", 1, 8, 5),
        "end": event("GoEnd", 1),
        "down": event("ProcStop", 1),
        "second": batch(1, 1100),
        "second start": event("ProcStart", 1, 71),
        "second wake": event("GoUnblock", 1, 7, 2, OTHER),
        "second run": event("GoStart", 1, 7, 3),
        "second end": event("GoSched", 1, ENTRY),
        "samples": batch(0, 1300),
        "sample": event("CPUSample", 1, 1110, 1, 7, ENTRY),
        "dictionary": batch(0, 1400),
        "frequency": record(2, 1000000000),
        "strings": string(1, "GET /") + string(2, "nap") +
        string(3, "page.c"),
        "entry": stack(ENTRY, (0x1000, 1, 0, 0)),
        "stacks": stack(CALL, (0x1001, 2, 3, 7), (0x1000, 1, 0, 0)) +
        stack(OTHER, (0x1000, 1, 0, 0)),
    }


def file_of(**changes):
    parts = good()
    for name, part in changes.items():
        name = name.replace("_", " ")
        assert name in parts, name
        parts[name] = part
    return b"".join(parts.values())


def frames(count, pc=0x2000):
    return [(pc + i, 2, 3, i) for i in range(count)] + [(0x1000, 1, 0, 0)]


LONG = b"\x80" * 10 + b"\x01"

# What is said of it, what is changed, and whether Go 1.19 refuses it.
BROKEN = [
    # 3.2 Layout.
    ("the head", {"head": b"go 1.21 trace\0\0\0"}, True),
    ("before the first batch", {"head": HEAD + string(9, "early")}, False),
    ("a batch with code", {"second": bytes([1 | 2 << 6, 1, 1, 1])}, True),
    ("cut within", {"stacks": bytes([3 | 3 << 6]) + varint(9) + b"\x02"},
     True),
    ("more than 10 bytes", {"down": bytes([NUMBER["ProcStop"]]) + LONG},
     True),
    ("no frequency", {"frequency": b""}, True),
    ("a frequency", {"frequency": record(2, 1000)}, False),
    ("string 1 is there twice", {"strings": string(1, "GET /") +
                                 string(1, "GET /") + string(2, "nap") +
                                 string(3, "page.c")}, True),
    ("string 4 has 0 bytes", {"strings": good()["strings"] +
                              string(4, "")}, True),
    ("string 4 has 1000001 bytes", {"strings": good()["strings"] +
                                    string(4, "x" * 1000001)}, True),
    ("event type 36", {"heap": record(36, 1)}, False),
    ("event type 60", {"heap": record(60, 1)}, True),
    ("HeapAlloc has 2 values", {"heap": event("HeapAlloc", 1, 2, 3)}, True),
    ("batches of P 0 are not in order", {"samples": batch(0, 1001) +
                                             event("HeapAlloc", 0, 1)}, True),
    ("P 1000001", {"second": batch(1000001, 1100)}, False),
    ("P 77, where", {"second": batch(77, 1100)}, False),
    # 3.3 Stacks.
    ("stack id", {"stacks": good()["stacks"] +
                  stack(1 << 32, (0x1000, 1, 0, 0))}, False),
    ("stack 1 is there twice", {"entry": 2 * good()["entry"]}, False),
    ("has 65 frames", {"stacks": stack(CALL, *frames(64)) +
                       stack(OTHER, (0x1000, 1, 0, 0))}, False),
    ("a stack has", {"strings": good()["strings"] + string(1 << 62, "far"),
                     "stacks": good()["stacks"] + stack(
                         9, *[((1 << 63) + i, 1 << 62, 1 << 62, 1 << 62)
                              for i in range(60)])}, False),
    ("two meanings", {"stacks": stack(CALL, (0x1001, 2, 3, 7), (0x1000, 2, 0,
                                                                0)) +
                      stack(OTHER, (0x1000, 1, 0, 0))}, False),
    ("a frame without its string", {"strings": string(1, "GET /") +
                                    string(2, "nap")}, False),
    ("no stack 9", {"call": event("GoSysCall", 1, 9)}, False),
    ("no stack: GoSysCall", {"call": event("GoSysCall", 1, 0)}, False),
    ("no stack: GoUnblock", {"wake": event("GoUnblockLocal", 1, 8, 0)},
     False),
    ("the entry is not one frame", {"create": event("GoCreate", 1, 8, CALL,
                                                    0)}, False),
    ("ends in", {"stacks": stack(CALL, (0x1001, 2, 3, 7)) +
                 stack(OTHER, (0x1000, 1, 0, 0))}, False),
    ("no string", {"log": event("UserLog", 1, 8, 9, CALL,
                                behind=varint(2) + b"hi")}, False),
    ("begins with GC", {"strings": string(1, "GC x") + string(2, "nap") +
                        string(3, "page.c")}, False),
    # 3.4 Order.
    ("no consistent order", {"create": b""}, True),
    ("no consistent order", {"run": event("GoStartLabel", 1, 8, 2, 1)}, True),
    ("no consistent order", {"down": event("GoStart", 1, 8, 6)}, True),
    ("no consistent order", {"down": event("GoCreate", 1, 8, ENTRY, 0)},
     True),
    ("no consistent order", {"sleep": b""}, True),
    ("no consistent order", {"there": event("GoCreate", 0, 7, ENTRY, 0)},
     True),
    ("time goes back", {"second": batch(1, 900)}, True),
    ("ProcStop of P 1", {"second start": event("ProcStop", 1)}, True),
    ("ProcStop of P 0", {"end": b""}, True),
    ("is running before start", {"second start": 2 * event("ProcStart", 1,
                                                           71)}, True),
    ("two Gs on one P", {"run": event("GoCreate", 1, 9, ENTRY, 0) +
                         event("GoStart", 0, 9, 1) + good()["run"]}, True),
    ("nothing runs", {"down": event("GoSched", 1, ENTRY)}, True),
    ("misuse of region", {"inner end": good()["region end"],
                          "region_end": good()["inner end"]}, True),
    ("mode of a region", {"region": event("UserRegion", 1, 8, 2, 2, CALL),
                          "region_end": b""}, True),
    ("task 8 is there twice", {"task": 2 * good()["task"]}, True),
    ("task 8 is there twice", {"task_end": good()["task end"] +
                               good()["task"]}, False),
    ("real ticks", {"exit": event("GoSysExit", 1, 8, 2, 1001)}, True),
    # 3.5 What newer Go wants.
    ("not followed by ProcStop", {"stop": b"", "again": b""}, False),
    ("GoSysExit on a stopped P", {"again": b"", "rerun": event(
        "ProcStart", 10, 70) + good()["rerun"]}, False),
    ("a G starts on a stopped P", {"start": b"", "stop": b""}, None),
    ("0 Gomaxprocs", {"procs": b""}, False),
    ("2 Gomaxprocs", {"procs": 2 * good()["procs"]}, False),
    ("before Gomaxprocs", {"procs": event("HeapAlloc", 0, 1) +
                           good()["procs"]}, False),
    # 3.6 What 1.19 wants.
    ("a G runs at the end", {"second end": b""}, False),
    ("a sample before", {"sample": event("CPUSample", 1, 999, 1, 7, ENTRY)},
     True),
]


class TheJudge(Case):
    def go_refuses(self, data):
        """Its answer, without the viewer."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return subprocess.run(
                [*harness.go_tool("trace"), "-pprof=net", file.name],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=60).returncode != 0

    def test_a_file_that_keeps_the_rules_passes(self):
        trace = Trace(file_of()).check()
        self.assertEqual(trace.goroutines(), {7: "GET /", 8: "GET /"})
        self.assertEqual(trace.logs(), [("GET /", "hi")])
        with GoTrace(file_of()) as go:
            go.everything()
        # Not everything that looks odd is wrong.
        for name, change in (
                ("region end without its begin", {"region": b"", "inner":
                 b"", "inner end": b""}),
                ("a task that stays open", {"task_end": b""}),
                ("a G that stays asleep", {"wake": b"", "third": b"",
                                           "end": b""}),
                ("an empty log", {"log": event("UserLog", 1, 0, 0, CALL,
                                               behind=varint(0))}),
                ("real ticks in the call", {"exit": event(
                    "GoSysExit", 1, 8, 2, 1020)})):
            with self.subTest(name):
                Trace(file_of(**{k.replace(" ", "_"): v for k, v
                                 in change.items()})).check()

    def test_each_rule_is_named_where_it_is_broken(self):
        for said, change, _ in BROKEN:
            with self.subTest(said, change=list(change)):
                data = file_of(**{k.replace(" ", "_"): v for k, v
                                  in change.items()})
                with self.assertRaises(Broken) as failure:
                    Trace(data).check()
                self.assertIn(said, str(failure.exception))

    @unittest.skipIf("go1.19" not in GO, "BROKEN says what Go 1.19 refuses")
    def test_go_refuses_what_it_is_said_to(self):
        self.assertFalse(self.go_refuses(file_of()))
        for said, change, refused in BROKEN:
            if refused is None:
                continue
            with self.subTest(said, change=list(change)):
                self.assertEqual(self.go_refuses(file_of(**{
                    k.replace(" ", "_"): v for k, v in change.items()})),
                    refused)

    def test_block_at_tick_0(self):
        data = file_of()
        early = Trace(data)
        first = next(e for e in early.events if e.name == "GoSysBlock")
        first.ts = 0
        with self.assertRaisesRegex(Broken, "tick 0"):
            early.check()


if __name__ == "__main__":
    main()
