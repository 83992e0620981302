#!/usr/bin/env python3
# needs: a core, 28 s
"""
What the module takes of an application's stacks: an alternate signal stack of
8 KiB, a thread's smallest stack, a coroutine of 8 KiB, with and without the
module, idle and under a profile of 1000 Hz, dumps and a trace. Painted stacks
show how deep they were used.
"""
import re
import time

import harness
from case import Case, Later, main, note

ROUTES = ["/ page_ok", "/alternate page_alternate", "/thread page_thread",
          "/coroutine page_coroutine"]
# What we may use of a stack, below the kernel's own frame.
OURS = 512
# The wrappers that may need a stack trace, each on its own.
CALLS = ["memory", "lock", "wait", "create", "sleep"]
# Every allocation and every wait is a sample.
ALL = {"PPROF_HEAP_RATE": "1", "PPROF_BLOCK_RATE": "1",
       "PPROF_MUTEX_FRACTION": "1"}
# Nothing is sampled by a signal.
NO_SIGNALS = {"PPROF_RECORDER_HZ": "0", "PPROF_STALL_MS": "0"}


def service(module, production, env=None):
    modules = ["depths.c"] + ([harness.PPROF] if module else [])
    return harness.Service(modules, ROUTES, production=production,
                           workers=1, env=env)


class Stacks(Case):
    def depth(self, kore, path):
        answer = kore.get(path)
        self.assertEqual(answer.status, 200, path)
        found = re.match(r"used (\d+) frame (\d+)", answer.text)
        return int(found[1]), int(found[2])

    def check_signals(self, kore, what):
        """A leaf that works: only signals are below it."""
        for path in ("/alternate", "/thread", "/coroutine"):
            used, frame = self.depth(kore, path + "?ms=300")
            note("%s %s: %d of ours below the kernel's %d", path, what,
                 max(used - frame, 0), frame)
            self.assertLessEqual(used - frame, OURS, path)

    def signals(self, production):
        with service(True, production) as kore:
            pid = kore.worker_pids()[1]
            self.check_signals(kore, "idle")
            profile = Later(kore.profile, 4, 1000)
            time.sleep(0.3)
            self.check_signals(kore, "at 1000 Hz")
            self.assertEqual(profile.result().status, 200)
            later = [Later(kore.profile, 4, 1000),
                     Later(kore.get, "/debug/pprof/trace?seconds=4"),
                     Later(kore.get, "/debug/pprof/goroutine?seconds=3")]
            time.sleep(0.3)
            self.check_signals(kore, "with a dump and a trace")
            for each in later:
                self.assertEqual(each.result().status, 200)
            self.assertEqual(kore.worker_pids()[1], pid)

    def test_signals_leave_stacks_alone(self):
        self.signals(production=False)

    def test_signals_leave_stacks_alone_in_production(self):
        self.signals(production=True)

    def calls(self, production):
        """The same calls without the module need so much; with it, whatever is
        sampled, no more than ours."""
        path = "/coroutine?size=65536&ms=1&do=%s"
        with service(False, production) as kore:
            alone = {call: self.depth(kore, path % call)[0] for call in CALLS}
        for name, env in (("idle", {}), ("all sampled", ALL)):
            with service(True, production, {**NO_SIGNALS, **env}) as kore:
                for call in CALLS:
                    # A question of the collector's may come in the middle.
                    used = min(self.depth(kore, path % call)[0]
                               for _ in range(3))
                    note("%s, %s: %d alone, %d with the module", call, name,
                         alone[call], used)
                    self.assertLessEqual(used - alone[call], OURS, call)

    def test_calls_leave_stacks_alone(self):
        self.calls(production=False)

    def test_calls_leave_stacks_alone_in_production(self):
        self.calls(production=True)

    def test_small_stacks_are_whole_in_the_profile(self):
        with service(True, True) as kore:
            later = Later(kore.profile, 5, 1000)
            time.sleep(0.3)
            for path in ("/alternate", "/thread", "/coroutine"):
                self.depth(kore, path + "?ms=700")
            raw = self.pprof.raw(later.result().body)
        for name in ("page_alternate", "in_thread", "in_coroutine"):
            value = sum(s.ns for s in raw.samples
                        if s.has("burn") and s.has(name))
            note("below %s: %.2f s", name, value / 1e9)
            self.assertGreater(value, 2e8, name)


if __name__ == "__main__":
    main()
