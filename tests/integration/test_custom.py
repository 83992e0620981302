#!/usr/bin/env python3
# needs: a core, 12 s
"""
The public interface from an application's side: its own profiles, and what
pprof.h does without the module or its collector.
"""
import os
import re
import signal
import time

import harness
import load
from case import Later, note
from concurrency import Concurrent, main


class Own(Concurrent):
    service = {"restarts": 1}

    def total(self):
        raw = self.raw("app.things")
        text = self.named("app.things?debug=1").text
        total = int(re.match(r"app\.things profile: total (\d+)\n", text)[1])
        self.assertEqual(raw.count(), total)
        return total

    def test_summed_over_the_workers_that_live(self):
        self.assertEqual(self.kore.get("/debug/pprof/app.things").status, 404)
        with self.on_worker(1) as first, self.on_worker(2) as second:
            self.assertEqual(first.get("/own?add=5").text, "5\n")
            self.assertEqual(second.get("/own?add=7").text, "7\n")
            self.assertEqual(self.total(), 12)
            self.assertEqual(first.get("/own?remove=2").text, "3\n")
            self.assertEqual(self.total(), 10)
            raw = self.raw("app.things")
            self.assertEqual({s.stack[0].frames[-1].function
                              for s in raw.samples}, {"page_own"})
            self.assertIn("app.things", self.kore.get("/debug/pprof/").text)
        pids = self.kore.worker_pids()
        with self.on_worker(2) as second:
            second.send("/spin?ms=5000")
            time.sleep(0.3)
            os.kill(pids[2], signal.SIGKILL)
        harness.wait_for("worker 2 again", 20, lambda:
                         self.kore.worker_pids()[2] != pids[2])
        harness.wait_for("its things to be gone", 10,
                         lambda: self.total() == 3)
        with self.on_worker(2) as second:
            self.assertEqual(second.get("/own?add=1").text, "1\n")
            self.assertEqual(self.total(), 4)
        self.assertIn("worker_2_restarts=1 last=signal 9 route=/spin "
                      "method=GET", self.raw("threadcreate").comments)


class Shim(Concurrent):
    """An application with pprof.h, and what it meets."""
    service = None
    absent = ("new NULL Transport endpoint is not connected, push -1, "
              "nothing 4242, task 0 107\n")

    def test_loaded_before_the_module(self):
        """What was looked for in vain is found when it is there."""
        with self.new_service() as kore:
            self.assertEqual(kore.get("/shim").text, self.absent + (
                "new NULL Invalid argument, push -1, nothing 4242, "
                "task 0 4242\n"))
            trace = Later(kore.get, "/debug/pprof/trace?seconds=1")
            harness.wait_for("the trace", 10, lambda: re.search(
                r"task [1-9]\d* 4242\n$", kore.get("/shim").text))
            self.assertEqual(trace.result().status, 200)

    def test_without_the_module(self):
        with self.new_service(profiler=False) as kore:
            self.make_room_for_files(kore)
            absent = "Transport endpoint is not connected"
            self.assertEqual(kore.get("/rates").text, "-1 -1 -1\n")
            self.assertEqual(kore.get("/own?add=1").text, absent)
            self.assertEqual(kore.get("/labels").text, absent)
            self.assertEqual(kore.get("/shim").text, 2 * self.absent)
            self.assertEqual(kore.get("/write?which=0&direct=1").text,
                             "-1 %s\n" % absent)
            # No task and no query: Kore's sandbox, without our rules, kills
            # a worker that begins a thread or lets libpq connect.
            for path in ("/nap", "/runlock", "/spin"):
                self.assertEqual(kore.get(path).status, 200)

    def test_without_the_collector(self):
        with self.new_service(collector_replaced=True, workers=1) as kore:
            self.make_room_for_files(kore)
            self.assertEqual(kore.get("/own?add=3").text, "3\n")
            os.kill(kore.collector, signal.SIGKILL)
            self.assertEqual(kore.get("/own?add=2").text, "5\n")
            self.assertEqual(kore.get("/labels").status, 200)
            self.assertEqual(kore.get("/rates?block=3").text, "0 0 524288\n")
            start = time.monotonic()
            answer = kore.get("/write?which=0").text
            note("pprof_write after the collector's end: %r in %.1f s",
                 answer, time.monotonic() - start)
            self.assertLess(time.monotonic() - start, 15)
            harness.wait_for("a new collector", 20, lambda:
                             kore.find_collector() not in (None,
                                                           kore.collector))
            load.wait_ready(kore, "/debug/pprof/app.things")
            self.assertEqual(self.raw("app.things", kore).count(), 5)

    def test_rates_of_the_environment(self):
        env = {"PPROF_BLOCK_RATE": "1000", "PPROF_MUTEX_FRACTION": "3",
               "PPROF_HEAP_RATE": "4096"}
        with self.new_service(env=env) as kore:
            self.assertEqual(kore.get("/rates").text, "1000 3 4096\n")
            self.assertEqual(kore.get("/nap").status, 200)
            raw = self.raw("block", kore)
            self.assertTrue([s for s in raw.samples if s.route == "/nap"])


if __name__ == "__main__":
    main()
