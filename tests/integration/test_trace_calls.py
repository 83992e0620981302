#!/usr/bin/env python3
# needs: sleeps, 35 s
"""
Each kind of call that a handler may wait in, end to end: modules/blocks.c
waits for 20 ms in one after the other, real Kore is traced, and the file says
in which and for how long.

Rule: no sleep is shorter than it was asked for, not by a microsecond; how much
longer it is, is the machine's. Where the 20 ms begin before the wait does, a
moment is allowed for.
"""
import os
import socket

import harness
from case import Case, main, note
from traced import begun, parsed, TRACE

# What is asked for, how it is told, by which name.
TIMED = [
    ("nanosleep", "GoSysBlock", "nanosleep"),
    ("connect", "GoSysBlock", "connect"),
    ("write", "GoSysBlock", "write"),
    ("flock", "GoSysBlock", "flock"),
    ("sem", "GoBlockSync", "sem_wait"),
    ("cond", "GoBlockCond", "pthread_cond_wait"),
    ("rwlock", "GoBlockSync", "pthread_rwlock_lock"),
]
# Their length is the kernel's.
MADE = ["pread", "fsync", "getaddrinfo", "open"]
TIMES = 3
# Whoever holds it has begun to sleep a moment before; so has the time until
# which a wait may take, ms.
MOMENT = {"flock": 3, "rwlock": 3, "sem": 1, "cond": 1}
# The kernel counts SO_SNDTIMEO in its ticks.
TICKS = {"connect", "write"}


class Calls(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fill = [socket.socket() for _ in range(4)]
            for each in fill:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            cls.record(full.getsockname()[1])
            for each in fill:
                each.close()

    @classmethod
    def record(cls, port):
        with harness.Service(["blocks.c", harness.PPROF],
                             ["/ page_blocks", "/blocks page_blocks"],
                             env={"TEST_PORT": str(port)}) as kore:
            os.chmod(kore.root, 0o777)
            later = begun(kore, kore.get, TRACE + "seconds=6", timeout=60)
            for what, _, _ in TIMED:
                for _ in range(TIMES):
                    cls.made(kore, what)
            for what in MADE:
                cls.made(kore, what)
            cls.trace = parsed(later.result())
        cls.names = cls.trace.goroutines()
        # A system call's stack is told by the event before it.
        cls.called = {(e.g, e.ts): e.stk for e in cls.trace.of("GoSysCall")}

    @staticmethod
    def made(kore, what):
        try:
            assert kore.get("/blocks?" + what).status == 200, what
        except OSError as error:
            raise AssertionError("%s: %s\n%s" % (what, error,
                                                 kore.log_tail()))

    def waits(self, what, leaf):
        """ms, and the stacks."""
        found = []
        for g, did, begin, end, stack in self.trace.spans():
            if did == "GoSysBlock":
                stack = self.called[(g, begin)]
            if did == what and self.names[g] == "GET /blocks" and (
                    self.trace.stack(stack)[0] == leaf):
                found.append(((end - begin) / 1e6, self.trace.stack(stack)))
        return found

    def test_each_is_told_with_its_length(self):
        for asked, what, leaf in TIMED:
            with self.subTest(asked):
                found = self.waits(what, leaf)
                note("%s: %s ms", asked,
                     " ".join("%.3f" % ms for ms, _ in found))
                least = 20 - MOMENT.get(asked, 0)
                if asked in TICKS:
                    least = 16
                long = [each for each in found if each[0] >= least]
                self.assertEqual(len(long), TIMES, found)
                # The machine may have been late once.
                self.assertLess(sorted(ms for ms, _ in long)[1], 20 + 100)
                for _, stack in long:
                    self.assertIn("app_blocks", stack)

    def test_nothing_sleeps_too_short(self):
        found = self.waits("GoSysBlock", "nanosleep")
        self.assertEqual(len(found), TIMES)
        self.assertGreaterEqual(min(ms for ms, _ in found), 20)

    def test_those_of_unknown_length_are_there(self):
        leaves = {self.trace.stack(e.stk)[0]
                  for e in self.trace.of("GoSysCall")
                  if self.names[e.g] == "GET /blocks"}
        note("%s", sorted(leaves))
        self.assertLessEqual(set(MADE), leaves)


if __name__ == "__main__":
    main()
