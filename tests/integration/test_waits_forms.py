#!/usr/bin/env python3
# needs: sleeps, 63 s
"""
Block, mutex, goroutine, threadcreate and the application's own profiles: what
is asked for and how it looks; the rates, and pprof_write().
"""
import json
import os
import re
import time

import load
from case import Later, note
from concurrency import Concurrent, main

DELTAS = ("block", "mutex", "goroutine", "threadcreate")


class Forms(Concurrent):
    """What is asked for and how it looks."""

    def setUp(self):
        self.set_rates(block_rate=1, mutex_fraction=1)
        self.at_once(["/nap", "/pgsql", "/task", "/locked", "/locked"],
                     worker=1)
        with self.on_worker(1) as connection:
            connection.get("/own?add=1")

    def test_pprof_reads_each_in_both_forms(self):
        types = {"block": ["contentions/count", "delay/nanoseconds"],
                 "mutex": ["contentions/count", "delay/nanoseconds"],
                 "goroutine": ["goroutine/count"],
                 "threadcreate": ["threadcreate/count"],
                 "app.things": ["app.things/count"]}
        for name, wanted in types.items():
            raw = self.raw(name)
            self.assertEqual(raw.types, wanted)
            self.assertTrue(raw.samples, name)
            binary = self.pprof.top(self.kore.url("/debug/pprof/" + name))
            text = self.pprof.run("-top", "-nodecount=100000",
                                  self.kore.url("/debug/pprof/%s?debug=1"
                                                % name))
            function = {"block": "page_nap", "mutex": "app_holds_lock",
                        "goroutine": "epoll_wait", "app.things": "page_own",
                        "threadcreate": "kore_task_run"}[name]
            self.assertIn(function, binary, name)
            self.assertIn(function, text, name)

    def test_the_text_of_block_and_mutex(self):
        text = self.named("block?debug=1").text
        self.assertTrue(text.startswith(
            "--- contention:\ncycles/second=1000000000\n"), text[:80])
        text = self.named("mutex?debug=1").text
        self.assertTrue(text.startswith(
            "--- mutex:\ncycles/second=1000000000\nsampling period=1\n"))
        for name in ("block", "mutex"):
            rows = [int(row[0]) for row in re.findall(
                r"^(\d+) (\d+) @( 0x[0-9a-f]+)+$",
                self.named(name + "?debug=1").text, re.M)]
            self.assertTrue(rows)
            self.assertEqual(rows, sorted(rows, reverse=True))

    def test_errors_of_deltas(self):
        seconds = 'invalid value for "seconds" - must be a positive integer\n'
        both = "seconds and debug params are incompatible\n"
        for name in DELTAS:
            for query, text in (("seconds=0", seconds), ("seconds=-1", seconds),
                                ("seconds=1.5", seconds),
                                ("seconds=abc&debug=1", seconds),
                                ("seconds=1&debug=1", both)):
                answer = self.kore.get("/debug/pprof/%s?%s" % (name, query))
                self.assertEqual((answer.status, answer.text), (400, text))
                self.assertEqual(answer.headers["x-go-pprof"], "1")
                self.assertNotIn("content-disposition", answer.headers)
        answer = self.kore.get("/debug/pprof/app.things?seconds=1")
        self.assertEqual((answer.status, answer.text), (
            400, '"seconds" parameter is not supported for this profile '
            'type\n'))
        answer = self.kore.get("/debug/pprof/app.nothing?seconds=1")
        self.assertEqual((answer.status, answer.text),
                         (404, "Unknown profile\n"))

    def test_deltas_of_all_at_once(self):
        calls = [Later(self.named, name + "?seconds=1") for name in DELTAS * 2]
        for name, call in zip(DELTAS * 2, calls):
            answer = call.result()
            self.assertEqual(answer.headers["content-disposition"],
                             'attachment; filename="%s-delta"' % name)
            self.pprof.raw(answer.body)

    def test_settings(self):
        path = "/debug/pprof/settings"
        marked = {"X-Pprof": "1"}
        for headers in ({}, {"X-Pprof": "0"}, {"X-Pprof": "11"}):
            answer = self.kore.ask("POST", path, body=b"block_rate=7",
                                   headers=headers)
            self.assertEqual(answer.status, 403, answer)
        for body in (b"", b"block_rate=-1", b"block_rate=x", b"block_rate=",
                     b"block_rate=99999999999999999999", b"other=1",
                     b"block_rate=5&mutex_fraction=1.5"):
            answer = self.kore.ask("POST", path, body=body, headers=marked)
            self.assertEqual(answer.status, 400, "%s %s" % (body, answer))
        self.assertEqual(json.loads(self.kore.get(path).body)["block_rate"], 1)
        self.assertEqual(self.set_rates(block_rate=12345), {
            "heap_rate": 524288, "block_rate": 12345, "mutex_fraction": 1})
        self.assertEqual(self.set_rates(mutex_fraction=9, heap_rate=65536), {
            "heap_rate": 65536, "block_rate": 12345, "mutex_fraction": 9})
        self.assertEqual(self.kore.get("/rates").text, "12345 9 65536\n")
        self.assertEqual(self.kore.get("/rates?block=6&mutex=0").text,
                         "12345 9 65536\n")
        self.assertEqual(json.loads(self.kore.get(path).body), {
            "heap_rate": 65536, "block_rate": 6, "mutex_fraction": 0})
        self.set_rates(heap_rate=524288)

    def test_pprof_write(self):
        names = ("heap", "goroutine", "block", "mutex", "threadcreate",
                 "app.things")
        for which, name in enumerate(names):
            for debug in (0, 1):
                answer = self.kore.get("/write?which=%d&debug=%d"
                                       % (which, debug))
                self.assertEqual(answer.text, "0 ok\n", name)
            written = os.path.join(self.kore.root, "written", name)
            self.assertTrue(self.pprof.raw(written + ".0").types)
            with open(written + ".1") as file:
                self.assertRegex(file.read(), "^(heap|goroutine|threadcreate|"
                                 "app.things) profile: |^--- ")
            # It was opened to append.
            size = os.path.getsize(written + ".1")
            self.kore.get("/write?which=%d&debug=1" % which)
            self.assertGreater(os.path.getsize(written + ".1"), size)
        # What was allocated, and a dump.
        self.assertEqual(self.kore.get("/write?which=8").text, "0 ok\n")
        raw = self.pprof.raw(os.path.join(self.kore.root, "written",
                                          "allocs.0"))
        self.assertEqual([t.replace("[dflt]", "") for t in raw.types],
                         ["alloc_objects/count", "alloc_space/bytes",
                          "inuse_objects/count", "inuse_space/bytes"])
        self.assertEqual(self.kore.get("/write?which=1&debug=2").text,
                         "0 ok\n")
        with open(os.path.join(self.kore.root, "written",
                               "goroutine.2")) as file:
            self.assertRegex(file.read(), r"(?m)^goroutine \d+ \[[^\]]+\]:$")
        # Also where the event loop stands still meanwhile.
        start = time.monotonic()
        for which in (0, 1, 2):
            self.assertEqual(self.kore.get(
                "/write?which=%d&direct=1" % which).text, "0 ok\n")
        note("three from the event loop: %.1f s", time.monotonic() - start)
        self.assertEqual(self.kore.get("/write?which=6").text,
                         "-1 Invalid argument\n")
        self.assertEqual(self.kore.get("/write?which=7").text,
                         "-1 No such file or directory\n")
        self.assertEqual(os.path.getsize(os.path.join(
            self.kore.root, "written", "nonsense.0")), 0)

    def test_threads_that_wait_outlive_our_signals(self):
        """The kernel wakes one for a signal that another then takes: each
        of these waits in poll() while all are asked for their stacks."""
        result = load.Ab(self.kore, "/write?which=1", 2000, 6,
                         seconds=90).wait()
        note("%s", result)
        self.assertEqual((result["complete"], result["failed"],
                          result["non2xx"]), (2000, 0, 0))

    def test_pprof_write_beside_a_cpu_profile(self):
        profile = Later(self.kore.profile, 3, 1000)
        with load.Driver(self.kore, ["/spin?ms=5"]):
            for which in range(6):
                answer = self.kore.get("/write?which=%d" % which)
                self.assertEqual(answer.text, "0 ok\n")
        self.assertEqual(profile.result().status, 200)


if __name__ == "__main__":
    main()
