#!/usr/bin/env python3
# needs: alone, 85 s
"""
Traces beside as many requests as there can be: nothing is lost with the rings
as they are, and what is lost is counted.
"""
import os
import signal
import time

import load
from case import Later, main, note
from traced import Traced


class Loaded(Traced):
    """Beside as many requests as there can be."""

    def setUp(self):
        self.ab = load.Ab(self.kore, "/light", 2000000, clients=16)
        time.sleep(0.5)

    def tearDown(self):
        self.ab.process.kill()
        self.ab.process.communicate()

    def parse(self, answer):
        """When nothing else wants the processors: it takes longest."""
        self.ab.process.kill()
        return super().parse(answer)


class Beside(Loaded):
    def test_nothing_is_lost_while_other_answers_are_made(self):
        """The first profile of a service has all names to look up."""
        first = self.begun("seconds=5&max=1000000000")
        profile = Later(self.kore.profile, 1)
        second = Later(self.answer, "seconds=0.7&max=1000000000")
        self.assertEqual(profile.result().status, 200)
        lost = [int(each.result().headers["x-pprof-lost"])
                for each in (second, first)]
        note("%d and %d events lost, %d and %d bytes", *lost,
             len(second.result().body), len(first.result().body))
        self.assertEqual(lost, [0, 0])
        self.parse(second.result())


class UnderLoad(Loaded):
    """Begun and ended there; more than there is room for."""

    def test_begun_and_ended_under_load(self):
        answer = self.answer("seconds=0.5")
        trace = self.parse(answer)
        light = trace.named("GET /light")
        note("%d requests in 0.5 s, lost %d", len(light), trace.lost)
        self.assertEqual(trace.lost, 0)
        self.assertGreater(len(light), 500)
        workers = {e.p for e in trace.of("GoCreate") if e.g}
        self.assertGreaterEqual(len(workers), 2)

    def test_ends_early_when_it_is_large_enough(self):
        since = time.monotonic()
        answer = self.answer("seconds=60&max=200000")
        took = time.monotonic() - since
        trace = self.parse(answer)
        note("%d bytes after %.1f s", len(answer.body), took)
        self.assertLess(took, 20)
        self.assertLessEqual(len(answer.body), 200000)
        self.assertGreater(len(answer.body), 100000)
        self.assertIn("x-pprof-ended-early", answer.headers)
        self.assertIn(("trace", "ended early: max= was reached"),
                      trace.logs())

    def test_what_does_not_fit_is_counted_and_the_file_opens(self):
        later = self.begun("seconds=3")
        os.kill(self.kore.collector, signal.SIGSTOP)
        try:
            time.sleep(2)
        finally:
            self.ab.process.kill()  # a large file takes long to be read
            os.kill(self.kore.collector, signal.SIGCONT)
        answer = later.result()
        trace = self.parse(answer)
        note("%d events lost, %s", trace.lost, [
            log for log in trace.logs() if log[0] == "lost"][:3])
        self.assertGreater(trace.lost, 100)
        self.assertTrue(any(name == "lost" for name, _ in trace.logs()))
        self.assertGreater(len(trace.named("GET /light")), 100)


if __name__ == "__main__":
    main()
