#!/usr/bin/env python3
# needs: alone, 60 s
"""
Handlers and tasks that wait for somebody in each call that one can wait in
(modules/awaits.c lists them): the trace says where and for how long, the block
profile, too, and no wait is drawn as running.

Rule: the truth is the clock of the handler or task itself.
"""
import os
import subprocess
import sys

import harness
from case import Case, main, note
from profiles import Pprof
from traced import begun, parsed, TRACE

NEAR_MS = 8
ROUTES = ["/ page_list", "/await page_await", "/task page_task"]
NAMES = {"/await": "GET /await", "/task": "task of GET /task"}


class Waits(Case):
    def check(self, production):
        with harness.Service(["awaits.c", harness.PPROF], ROUTES, production,
                             workers=1, settings=["task_threads 2"],
                             env={"PPROF_BLOCK_RATE": "1"}) as kore:
            if production:
                os.chmod(kore.root, 0o777)
            ways = [line.split("\t") for line in
                    kore.get("/").text.splitlines()]
            later = begun(kore, kore.get, TRACE + "seconds=14", timeout=90)
            truth = {}
            for route in NAMES:
                for how, _, _ in ways:
                    truth[route, how] = self.waited(kore, route, how)
            trace = parsed(later.result())
            block = self.block(kore)
        self.compare(ways, truth, trace, block)

    @staticmethod
    def waited(kore, route, how):
        """ms"""
        try:
            answer = kore.get("%s?%s" % (route, how), timeout=20)
        except OSError as error:
            raise AssertionError("%s?%s: %s\n%s" % (route, how, error,
                                                    kore.log_tail()))
        return int(answer.text) / 1e6

    def block(self, kore):
        """ms by route and name of the wait."""
        found = {}
        for sample in Pprof().raw(
                kore.get("/debug/pprof/block").body).samples:
            key = sample.route, sample.labels["wait"]
            found.setdefault(key, []).append(sample)
        return found

    def compare(self, ways, truth, trace, block):
        names = trace.goroutines()
        called = {(e.g, e.ts): e.stk for e in trace.of("GoSysCall")}
        wrong = []
        for route, name in NAMES.items():
            told, charged, number = {}, {}, {}
            for how, leaf, is_block in ways:
                ms = truth[route, how]
                self.assertGreater(ms, 10, how)
                told[leaf] = told.get(leaf, 0) + ms
                number[leaf] = number.get(leaf, 0) + 1
                if is_block == "1":
                    charged[leaf] = charged.get(leaf, 0) + ms
            seen, running = {}, 0
            for g, did, begin, end, stack in trace.spans():
                if names[g] != name:
                    continue
                ms = (end - begin) / 1e6
                if did == "GoSysBlock":
                    leaf = trace.stack(called[g, begin])[0]
                    if ms > 5:
                        seen[leaf] = seen.get(leaf, 0) + ms
                elif did == "running":
                    running += ms
            for leaf, ms in told.items():
                if leaf == "running":
                    continue
                near = NEAR_MS * number[leaf]
                if abs(seen.get(leaf, 0) - ms) > near:
                    wrong.append("%s: trace: %s: %.1f ms of %.1f ms" % (
                        route, leaf, seen.get(leaf, 0), ms))
            for leaf, ms in charged.items():
                samples = block.get((route, leaf), [])
                ns = sum(s.values[1] for s in samples if s.has("app_wait"))
                if abs(ns / 1e6 - ms) > NEAR_MS * number[leaf]:
                    wrong.append("%s: block: %s: %.1f ms of %.1f ms" % (
                        route, leaf, ns / 1e6, ms))
            note("%s: %.1f ms of waits, %.1f ms running", route,
                 sum(told.values()) - told["running"], running)
            most = told["running"] + 3 * len(ways)
            if not told["running"] <= running <= most:
                wrong.append("%s: %.1f ms running, of %.1f ms" % (
                    route, running, told["running"]))
        self.assertEqual(wrong, [])

    def test_in_the_sandbox(self):
        self.check(True)

    def test_without_a_sandbox(self):
        self.check(False)

    def test_what_runs_is_not_told_to_wait(self):
        """Beside others that want the processors: who is put aside has not
        waited for anybody, even where he has slept for a moment before."""
        with harness.Service(["awaits.c", harness.PPROF], ROUTES, workers=1,
                             settings=["task_threads 2"]) as kore:
            others = [subprocess.Popen(
                [sys.executable, "-c", "while True: pass"])
                for _ in range(4)]
            try:
                later = begun(kore, kore.get, TRACE + "seconds=5", timeout=90)
                for route in list(NAMES) * 4:
                    self.waited(kore, route, "spin")
                body = later.result()
            finally:
                for each in others:
                    each.kill()
                    each.wait()
            trace = parsed(body)
        names = trace.goroutines()
        told = [trace.stack(e.stk)[0] for e in trace.of("GoSysCall")
                if names[e.g] in NAMES.values()]
        note("8 spins of 160 ms beside 4 others: %s", sorted(told))
        self.assertEqual(told.count("nanosleep"), 8 + 8)
        self.assertNotIn("[in a system call]", told)


if __name__ == "__main__":
    main()
