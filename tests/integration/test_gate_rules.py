#!/usr/bin/env python3
# needs: a core, 15 s
"""
What a worker may ask of the kernel with the module and not without it: exactly
the table in docs/design.md (but for what a Kore that has tasks asks by itself), which is that of the code (tests/checks/docs.sh).

The filters are asked of the kernel, of a worker with the module and of one
without it, and every call is tried on both, with any argument that either
filter compares with something.
"""
import ctypes
import errno
import os
import re
import struct
import subprocess
import unittest

import harness
from case import Case, main, note
from harness import PPROF, Service, wait_for

DOCS = os.path.join(harness.TOP, "docs", "design.md")
HEADING = "### The rules added to Kore's seccomp filter"

PTRACE_ATTACH, PTRACE_DETACH, PTRACE_GET_FILTER = 16, 17, 0x420c
ALLOW, ERRNO, ACTION = 0x7fff0000, 0x00050000, 0xffff0000
CALLS = 600


class Filter:
    """A program of struct sock_filter, as the kernel runs it."""

    def __init__(self, data):
        self.steps = list(struct.iter_unpack("=HBBI", data))

    def constants(self):
        return {k for code, _, _, k in self.steps if code in (0x15, 0x54)}

    def answer(self, call, arguments):
        data = struct.pack("=iIQ6Q", call, 0xc000003e if os.uname().machine
                           == "x86_64" else 0xc00000b7, 0, *arguments)
        at = acc = 0
        while True:
            code, jt, jf, k = self.steps[at]
            at += 1
            if code == 0x20:
                acc = struct.unpack_from("=I", data, k)[0]
            elif code == 0x54:
                acc &= k
            elif code == 0x15:
                at += jt if acc == k else jf
            elif code == 0x06:
                return k
            else:
                raise AssertionError("what is step %#x?" % code)


def filter_of(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                            ctypes.c_void_p]
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")
    try:
        os.waitpid(pid, 0x40000000)
        count = libc.ptrace(PTRACE_GET_FILTER, pid, None, None)
        if count == -1:
            raise OSError(ctypes.get_errno(), "the filter")
        data = ctypes.create_string_buffer(8 * count)
        libc.ptrace(PTRACE_GET_FILTER, pid, None, data)
        return Filter(data.raw)
    finally:
        libc.ptrace(PTRACE_DETACH, pid, None, None)


def confined(pid):
    with open("/proc/%d/status" % pid) as file:
        return "Seccomp:\t2" in file.read()


def call_names():
    text = subprocess.run(
        ["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c",
         "/dev/null"], check=True, capture_output=True, text=True).stdout
    return {int(number): name for name, number in re.findall(
        r"#define __NR_(\w+) (\d+)$", text, re.M)}


def table(perf):
    """{call: [(argument or None, value, answer), ...]}, as the document has
    it."""
    with open(DOCS) as file:
        text = file.read().split(HEADING)[1].split("\n## ")[0]
    found = {}
    for line in text.splitlines():
        row = re.fullmatch(r"\| (\w+) \| (.*?) \| (.*?) \| .* \|", line)
        if not row or row[1] == "call" or (
                "PPROF_PERF_EVENT" in row[2] and not perf):
            continue
        only = re.match(r"argument (\d) is (\d+)", row[2])
        answer = ERRNO | getattr(errno, row[3]) if row[3] else ALLOW
        found.setdefault(row[1], []).append((
            int(only[1]) if only else None, int(only[2]) if only else 0,
            answer))
    return found


class Rules(Case):
    def filter(self, modules, env=None):
        with Service(modules, routes=["/ page_hello"], workers=1,
                     env=env) as kore:
            pid = list(kore.worker_pids().values())[0]
            wait_for("the sandbox", 10, lambda: confined(pid))
            try:
                return filter_of(pid)
            except OSError as error:
                if error.errno in (errno.EIO, errno.EPERM, errno.EACCES):
                    self.skipTest("the kernel tells no filters: %s" % error)
                raise

    def more(self, ours, stock):
        """{call: {(argument, value): answer}} of what differs; for one that
        is answered so whatever its arguments are: {None: answer}."""
        values = sorted(ours.constants() | stock.constants()
                        | {0, 1, 2, 4, 7, 2**32 - 1})
        found = {}
        for call in range(CALLS):
            other = {}
            for argument in range(6):
                for value in values:
                    arguments = [0x5a5a5a5a] * 6
                    arguments[argument] = value
                    answer = ours.answer(call, arguments)
                    if answer != stock.answer(call, arguments):
                        other[argument, value] = answer
            if len(other) == 6 * len(values):
                other = {None: set(other.values()).pop()}
            if other:
                found[call] = other
        return found

    def check(self, env, perf):
        names = call_names()
        more = self.more(self.filter(["scribble.c", PPROF], env), self.stock)
        wanted = table(perf)
        # A Kore that was built with tasks has some already.
        for name in set(wanted) - {names[call] for call in more}:
            for argument, value, answer in wanted.pop(name):
                arguments = [value if i == argument else 0x5a5a5a5a
                             for i in range(6)]
                self.assertEqual(self.stock.answer(
                    {v: k for k, v in names.items()}[name], arguments),
                    answer)
            note("this Kore has %s by itself", name)
        self.assertEqual(sorted(names[call] for call in more),
                         sorted(wanted))
        for call, other in more.items():
            self.assertEqual(other, {
                None if argument is None else (argument, value): answer
                for argument, value, answer in wanted[names[call]]},
                names[call])
        note("%d calls more: %s", len(more),
             " ".join(names[call] for call in more))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = None

    def setUp(self):
        if self.stock is None:
            type(self).stock = self.filter(["scribble.c"])

    def test_exactly_the_table(self):
        self.check(None, False)

    def test_with_perf_events(self):
        self.check({"PPROF_PERF_EVENT": "1"}, True)

    def test_a_bad_value_is_told_and_is_no(self):
        for value in ("yes", "2", "1 ", "01"):
            with Service(["scribble.c", PPROF], routes=["/ page_hello"],
                         workers=1, env={"PPROF_PERF_EVENT": value}) as kore:
                self.assertEqual(len(kore.log(
                    'PPROF_PERF_EVENT: "%s" is neither 0 (no) nor 1 '
                    '(workers may open perf events): 0 is taken' % value)), 1)


if __name__ == "__main__":
    main()
