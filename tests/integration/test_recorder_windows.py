#!/usr/bin/env python3
# needs: sleeps, 103 s
"""
The flight recorder against a load that changed: a minute of route A, and half
a minute of route B in which a worker is killed. Meanwhile, another service in
which nobody asks.

More than a minute and a half, which is why it has a file of its own.
"""
import os
import signal
import time

import harness
import load
import workload
from case import Case, main
from listeners import ROUTES, STALL

PROFILE = "/debug/pprof/profile?"
PART_S = 60
REST_S = 30
IDLE_S = 65
DUTY = 0.4  # of each worker: there is room for other tests beside this one


class Windows(Case):
    def load(self, path, seconds, kill=None):
        """`path` on both workers. Returns CPU seconds by the kernel, also of
        the worker that is killed half-way."""
        kore, before = self.kore, self.kore.cpu()
        lost = 0
        with load.Driver(kore, [path], worker=1, seconds=600, duty=DUTY), \
                load.Driver(kore, [path], worker=2, seconds=600, duty=DUTY):
            time.sleep(seconds / 2)
            if kill:
                pid = kore.worker_pids()[kill]
                lost = harness.cpu_seconds(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(seconds / 2)
        return kore.cpu() + lost - before

    def check_labels(self, raw, route, workers):
        mine = [s for s in raw.samples if s.route == route]
        self.assertEqual({s.numbers["worker"] for s in mine}, workers)
        self.assertEqual({s.labels["http.method"] for s in mine}, {"GET"})
        return mine

    def test_a_load_that_changed(self):
        with workload.service(
                modules=STALL, routes=ROUTES + ["/tenant page_tenant"],
                restarts=1) as self.kore, workload.service(
                    modules=STALL, routes=ROUTES) as idle:
            with load.Driver(idle, ["/burn/a"]):
                time.sleep(2)
            self.recorded(idle, "since=300")
            asked = begun = time.monotonic()
            spent_a = self.load("/burn/a", PART_S)
            change = time.monotonic()
            spent_b = self.load("/tenant?ms=40", REST_S, kill=2)
            ended = time.monotonic()
            self.check_windows(begun, change, ended, spent_a, spent_b)
            # Nobody has asked for so long that memory was given back.
            time.sleep(max(0, asked + IDLE_S - time.monotonic()))
            _, used, took = self.recorded(idle, "since=300")
            self.assertIn("/burn/a", used)
            self.assertLessEqual(took, 0.2)

    def check_windows(self, begun, change, ended, spent_a, spent_b):
        raw, used, took = self.recorded(self.kore, "since=300")
        self.assertEqual(raw.facts()["worker_restarts"], "1")
        self.assertNear(sum(used.values()) / 1e9, spent_a + spent_b, 0.05,
                        "all of it")
        self.assertNear(used["/burn/a"] / 1e9, spent_a, 0.06, "A")
        self.assertNear(used["/tenant"] / 1e9, spent_b, 0.06, "B")
        _, _, took = self.recorded(self.kore, "since=300")
        self.assertLessEqual(took, 0.2)
        self.assertEqual(raw.facts()["hz_asked"], "19")
        self.assertNear(sum(used.values()) / 1e9,
                        float(raw.facts()["cpu_seconds_kernel"]), 0.05,
                        "by the kernel")
        self.assertTrue(any(s.has("workload_alpha") and s.has("burn_a")
                            for s in raw.samples))
        self.check_labels(raw, "/burn/a", {1, 2})
        mine = self.check_labels(raw, "/tenant", {1, 2})
        self.assertTrue(all(s.labels.get("tenant") == "blue" for s in mine
                            if s.has("page_tenant")))
        self.assertTrue(any(s.has("page_tenant") for s in mine))
        # Both that were worker 2 in B, the dead one and the next.
        self.assertEqual(len({s.numbers["pid"] for s in mine
                              if s.numbers["worker"] == 2}), 2)
        # Windows that lie in one part have nothing of the other.
        now = time.monotonic()
        _, used, _ = self.recorded(self.kore, "since=%d&until=%d" % (
            now - begun - 6, now - change + 6))
        self.assertNotIn("/tenant", used)
        self.assertGreater(used["/burn/a"] / 1e9, 0.6 * spent_a)
        _, used, _ = self.recorded(self.kore, "since=%d" % (
            now - change - 6))
        self.assertNotIn("/burn/a", used)
        self.assertGreater(used["/tenant"] / 1e9, 0.6 * spent_b)
        # What nobody has recorded is not made up.
        answer = self.kore.get(PROFILE + "since=600&until=300")
        self.assertEqual(answer.status, 404)
        self.assertIn("from 600 to 300 seconds ago", answer.text)
        _, used, _ = self.recorded(self.kore, "since=600&until=%d" % (
            now - change + 6))
        self.assertNotIn("/tenant", used)
        self.assertIn("/burn/a", used)


if __name__ == "__main__":
    main()
