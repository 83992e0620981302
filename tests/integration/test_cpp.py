#!/usr/bin/env python3
# needs: a core, 12 s
"""
C++ exceptions in a service with the module: 10,000 of them thrown and caught
while profiled at 1000 Hz, as fast as without the module.

Rule: prints the ratios; fails only beyond 5, which no noise explains, but an
unwinder that shadows libgcc's does (it costs about 75 times).
"""
import statistics

import harness
from case import Case, Later, main, note

ROUTES = ["/throw page_throw", "/who page_who"]
TIMES = 15
LIMIT = 5


class Exceptions(Case):
    def times(self, kore, more):
        """CPU milliseconds of 10,000 exceptions, while more() says so."""
        found = []
        with kore.connect() as connection:
            while more(len(found)):
                count, ms = connection.get("/throw").text.split()
                self.assertEqual(count, "10000")
                found.append(float(ms))
        return statistics.median(found)

    def measure(self, modules):
        """Idle, and profiled at 1000 Hz when the module is there."""
        with harness.Service(modules, ROUTES) as kore:
            idle = self.times(kore, lambda done: done < TIMES)
            if harness.PPROF not in modules:
                return idle, None
            later = Later(kore.profile, 2, 1000)
            profiled = self.times(kore, lambda done: later.is_alive())
            answer = later.result()
            self.assertEqual(answer.status, 200)
            raw = self.pprof.raw(answer.body)
            thrown = [s for s in raw.samples if s.has("page_throw")]
            self.assertTrue(thrown, "none of %d samples is in page_throw: %s"
                            % (raw.count(), raw.facts()))
            self.assertTrue(any("_Unwind" in name for s in thrown
                                for name in s.functions()))
            note("%d samples in /throw, of them %d in _Unwind_*",
                 sum(s.count for s in thrown),
                 sum(s.count for s in thrown if any(
                     "_Unwind" in name for name in s.functions())))
        return idle, profiled

    def test_exceptions_are_as_fast_as_without_the_module(self):
        absent, _ = self.measure(["throws.cc"])
        for name, modules in (
                ("loaded first", [harness.PPROF, "throws.cc"]),
                ("loaded last", ["throws.cc", harness.PPROF])):
            idle, profiled = self.measure(modules)
            note("10,000 exceptions: %.1f ms absent; %s: %.1f ms idle "
                 "(ratio %.2f), %.1f ms at 1000 Hz (ratio %.2f)", absent,
                 name, idle, idle / absent, profiled, profiled / absent)
            self.assertLess(idle / absent, LIMIT)
            self.assertLess(profiled / absent, LIMIT)


if __name__ == "__main__":
    main()
