#!/usr/bin/env python3
# needs: alone, 66 s
"""
Every worker in `for (;;)`: the listener answers within seconds + 1 s, and each
endpoint that knows of functions names the handler, its line and its route.
"""
import json
import os
import signal
import time

import load
import web
import workload
from case import Case, Later, main, note
from listeners import Listener, INDEX, STALL_SOURCE
from traced import parsed

RATES = {"PPROF_HEAP_RATE": "1", "PPROF_BLOCK_RATE": "1",
         "PPROF_MUTEX_FRACTION": "1"}


class Stuck(Case):
    def hold(self, kore):
        """Both workers, and how long after its request each one's line of a
        stall came."""
        # Connected before: the first one keeps Kore's accept lock.
        kept = [load.connection_to(kore, worker) for worker in (1, 2)]
        held, took = [], []
        for connection in kept:
            before = len(kore.log("event loop"))
            begun = time.monotonic()
            held.append((connection, Later(connection.get, "/forever")))
            while (len(kore.log("event loop")) == before
                   and time.monotonic() < begun + 5):
                time.sleep(0.005)
            took.append(time.monotonic() - begun)
        lines = kore.log("event loop")
        note("lines after %s s: %s", ["%.3f" % t for t in took], lines)
        self.assertEqual(len(lines), 2, lines)
        for worker, line in zip((1, 2), lines):
            self.assertIn("worker %d " % worker, line)
            self.assertIn("GET /forever", line)
            self.assertIn("page_forever (stall.c:", line)
        self.assertLessEqual(max(took), 1.25)
        # The turn in which the request comes may have begun before.
        self.assertGreaterEqual(min(took), 0.95)
        return held

    def timed(self, path, seconds=0):
        begun = time.monotonic()
        answer = self.listener.get(INDEX + path, timeout=seconds + 10)
        took = time.monotonic() - begun
        note("%s: %.2f s", path or "index", took)
        self.assertEqual(answer.status, 200, answer)
        self.assertLessEqual(took, seconds + 1)
        return answer

    def named(self, path, seconds=0, workers=True, route=True):
        """Samples of the handler, with its lines and its route."""
        raw = self.pprof.raw(self.timed(path, seconds).body)
        mine = [s for s in raw.samples if s.has("page_forever")]
        self.assertTrue(mine, path)
        if route:
            self.assertEqual({s.route for s in mine}, {"/forever"}, path)
        if workers:
            self.assertEqual({s.numbers["worker"] for s in mine}, {1, 2})
        first, last = workload.function_lines("page_forever", STALL_SOURCE)
        lines = {f.line for s in mine for location in s.stack
                 for f in location.frames if f.function == "page_forever"}
        self.assertTrue(lines, path)
        self.assertTrue(all(first <= line <= last for line in lines), lines)
        return mine

    def check_cpu(self):
        self.named("profile?seconds=2", 2)
        self.named("profile?since=60")
        svg = self.timed("profile?seconds=1&format=svg", 1).text
        self.assertIn("page_forever", svg)
        top = self.timed("profile?since=60&format=text").text
        self.assertIn("page_forever", top)

    def check_progress(self):
        mine = self.named("goroutine", workers=False)
        self.assertEqual(sum(s.values[0] for s in mine), 2)
        text = self.timed("goroutine?debug=2").text
        self.assertEqual(text.count("page_forever("), 2, text)
        self.assertEqual(text.count("route /forever,"), 2, text)
        self.assertGreaterEqual(text.count("stall.c:"), 2, text)
        mine = self.named("stalls")
        self.assertEqual(sum(s.values[0] for s in mine), 2)
        text = self.timed("stalls?debug=1").text
        self.assertEqual(text.count("GET /forever"), 2, text)

    def check_memory_and_waits(self):
        for path, column, least in (("heap", 3, 200000), ("allocs", 1, 200000),
                                    ("block", 1, 2 * 25e6),
                                    ("mutex", 1, 2 * 25e6)):
            mine = self.named(path, workers=False)
            self.assertGreaterEqual(sum(s.values[column] for s in mine),
                                    least, path)
        self.timed("heap?gc=1&debug=1")
        self.timed("heap?seconds=1", 1)
        self.timed("threadcreate")

    def check_trace(self):
        answer = self.timed("trace?seconds=2", 2)
        trace = parsed(answer)
        stuck = trace.named("GET /forever")
        self.assertEqual(len(stuck), 2, trace.goroutines())
        running = {g: 0 for g in stuck}
        for g, what, begin, end, _ in trace.spans():
            if g in running and what == "running":
                running[g] += (end - begin) / 1e9
        note("running in a trace of 2 s: %s", running)
        for g in stuck:
            self.assertGreater(running[g], 1.5)
        samples = [e for e in trace.samples
                   if "page_forever" in trace.stack(e.stk)]
        self.assertEqual({e.args["g"] for e in samples}, set(stuck))

    def check_pages(self):
        self.assertIn("2 of 2 workers running", self.timed("").text)
        doctor = json.loads(self.timed("doctor?format=json").text)
        found = {f["name"]: f for f in doctor["findings"]}
        self.assertIn("2 of 2 workers did not say",
                      found["memory_accounts"]["sentence"])
        self.assertEqual(found["workers"]["verdict"], "ok")
        routes = json.loads(self.timed("routes").text)
        self.assertTrue(routes)
        css = self.timed("assets/pprof.css")
        self.assertEqual(css.headers["content-type"].split(";")[0],
                         "text/css")
        raw = self.pprof.raw(self.timed("profile?since=60").body)
        address = next(location.address for s in raw.samples
                       for location in s.stack
                       if any(f.function == "page_forever"
                              for f in location.frames))
        self.assertIn("page_forever",
                      self.timed("symbol?0x%x" % address).text)
        for path in ("settings", "cmdline"):
            self.timed(path)

    def check(self, **more):
        with Listener(env=RATES, **more) as self.listener:
            held = self.hold(self.listener.kore)
            with self.assertRaises(OSError):
                web.get("127.0.0.1", self.listener.kore.port, INDEX, timeout=2)
            for part in (self.check_cpu, self.check_progress,
                         self.check_memory_and_waits, self.check_trace,
                         self.check_pages):
                with self.subTest(part.__name__):
                    part()
            for pid in self.listener.kore.worker_pids().values():
                os.kill(pid, signal.SIGUSR2)
            for connection, later in held:
                self.assertEqual(later.result().text, "freed\n")
                connection.close()

    def test_in_production(self):
        """chroot, runas, seccomp."""
        self.check()

    def test_by_a_unix_socket(self):
        """In production, too."""
        self.check(unix=True)

    def test_without_privileges_to_drop(self):
        self.check(production=False)


if __name__ == "__main__":
    main()
