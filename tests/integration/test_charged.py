#!/usr/bin/env python3
# needs: alone, 16 s
"""
Who lets go of a mutex is charged with all that was waited for it, also by who
gave up and by who was woken while it was kept: modules/charged.c knows how
long each waited.
"""
import harness
from case import Case, main, note

TIMES = 5
HOW = ("gave-up", "signal", "broadcast")


class Charged(Case):
    def charged(self, kore, function):
        raw = self.pprof.raw(kore.get("/debug/pprof/mutex").body)
        return sum(s.ns for s in raw.samples if s.has(function)) / 1e6

    def check(self, kore, how, function):
        before = self.charged(kore, function)
        waited = 0
        for _ in range(TIMES):
            answer = kore.get("/charged?" + how)
            self.assertEqual(answer.status, 200)
            waited += int(answer.text) / 1e6
        seen = self.charged(kore, function) - before
        note("%s: %.1f of %.1f ms", how, seen, waited)
        # What it takes until a thread runs that may is nobody's.
        self.assertGreater(seen, 0.97 * waited - 2 * TIMES)
        self.assertLess(seen, 1.02 * waited + 1)

    def test_the_holder_is_charged(self):
        for production in (False, True):
            with harness.Service(
                    ["charged.c", harness.PPROF], production=production,
                    routes=["/charged page_charged", "/ page_light"],
                    workers=1, env={"PPROF_MUTEX_FRACTION": "1"}) as kore:
                for how in HOW:
                    with self.subTest(how, production=production):
                        self.check(kore, how, "app_lets_go")
                        self.check(kore, how + "-c11", "app_lets_go_c11")

    def test_who_is_cancelled_leaves_no_place(self):
        with harness.Service(
                ["charged.c", harness.PPROF], production=False,
                routes=["/cancelled page_cancelled", "/ page_light"],
                env={"PPROF_MUTEX_FRACTION": "1"}) as kore:
            self.assertEqual(kore.get("/cancelled", timeout=100).status, 200)
            facts = self.pprof.raw(
                kore.get("/debug/pprof/mutex").body).facts()
            self.assertEqual(facts.get("contended_dropped", "0"), "0")


if __name__ == "__main__":
    main()
