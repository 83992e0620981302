#!/usr/bin/env python3
# needs: a core, 17 s
"""
The main job on real input: ab loads the sample application, `go tool pprof`
reads one CPU profile of all its workers.

Not here: what the application answers (test_sample.py).
"""
import os
import re
import time

import harness
import load
from case import Case, Later, main, note

APP = (os.path.join(harness.TOP, "kore_app", "kore_app.so"), "kore_app_load")
SOURCE = os.path.join(harness.TOP, "kore_app", "src")
ROUTES = ["/ page_index", "/fib/ page_fib", "/concat/ page_concat"]
FIB = "/fib/?n=50&type=recursive"
CONCAT = "/concat/?str=abc&count=2000"
SECONDS = 4


class App(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists(APP[0]):
            raise harness.Broken("%s is missing: run make app" % APP[0])
        with harness.Service([APP, harness.PPROF], ROUTES, settings=[
                "worker_accept_threshold 1",
                "worker_rlimit_nofiles 4096"]) as kore:
            loads = [load.Ab(kore, FIB, 20000), load.Ab(kore, CONCAT, 20000)]
            time.sleep(0.3)
            url = kore.url("/debug/pprof/profile?seconds=%d" % SECONDS)
            top = Later(cls.pprof.run, "-top", url)
            cls.answer = kore.profile(SECONDS)
            cls.url_top = top.result()
            cls.results = [ab.wait() for ab in loads]
            cls.pids = kore.worker_pids()
        cls.file = cls.pprof.save(cls.answer.body)
        cls.raw = cls.pprof.raw(cls.file)
        note("%s", cls.results)
        note("%s samples, %.2f s", cls.raw.count(), cls.raw.ns() / 1e9)

    def lines(self, file, name):
        """First and last line of a function of the application."""
        with open(os.path.join(SOURCE, file)) as source:
            lines = source.read().splitlines()
        start = next(i for i, line in enumerate(lines)
                     if re.search(r"(^| )%s\(.*[^;]$" % name, line)
                     and not line.startswith("\t"))
        return start + 1, lines.index("}", start) + 1

    def test_no_request_failed(self):
        for result in self.results:
            self.assertEqual((result["complete"], result["failed"],
                              result["non2xx"]), (20000, 0, 0))

    def test_pprof_takes_it_by_its_url(self):
        self.assertIn("fib_recursive", self.url_top)
        self.assertIn("Type: cpu", self.url_top)

    def test_top(self):
        top = self.pprof.top(self.file)
        self.assertIn("fib_recursive", top)
        self.assertIn("page_concat", top)
        for name, (flat, cum) in sorted(top.items(),
                                        key=lambda row: -row[1][0])[:5]:
            note("%-24s flat %6.2f s, cum %6.2f s", name, flat / 1e9,
                 cum / 1e9)

    def test_raw_names_files_and_lines(self):
        seen = set()
        for file, name in (("fib.c", "fib_recursive"),
                           ("concat.c", "concat_slowly"),
                           ("concat.c", "page_concat")):
            first, last = self.lines(file, name)
            for location in self.raw.locations.values():
                for frame in location.frames:
                    if frame.function != name:
                        continue
                    self.assertEqual(frame.file, os.path.join(SOURCE, file))
                    self.assertTrue(first <= frame.line <= last, frame)
                    seen.add(name)
        self.assertEqual(len(seen), 3, seen)

    def test_recursion_is_as_deep_as_it_is(self):
        depth = max(s.functions().count("fib_recursive")
                    for s in self.raw.samples)
        note("fib_recursive %d deep", depth)
        # fib(50) calls itself down to fib(1).
        self.assertTrue(25 <= depth <= 50, depth)

    def test_tags(self):
        tags = self.pprof.tags(self.file)
        note("%s", {key: {value: "%.2f s" % (ns / 1e9)
                          for value, ns in tags[key].items()}
                    for key in ("http.route", "http.method", "worker")})
        self.assertEqual(set(tags["http.method"]), {"GET"})
        self.assertTrue({"/fib/", "/concat/"} <= set(tags["http.route"]))
        self.assertEqual(set(tags["worker"]), {"1", "2"})

    def test_tagfocus(self):
        fib = self.pprof.top(self.file, "-tagfocus=http.route=^/fib/$")
        concat = self.pprof.top(self.file, "-tagfocus=http.route=^/concat/$")
        self.assertIn("fib_recursive", fib)
        self.assertNotIn("page_concat", fib)
        self.assertIn("page_concat", concat)
        self.assertNotIn("fib_recursive", concat)
        for worker in self.pids:
            top = self.pprof.top(self.file, "-tagfocus=worker=%d" % worker)
            self.assertTrue(top, "worker %d" % worker)

    def test_the_recursion_carries_its_route_into_its_task(self):
        inside = [s for s in self.raw.samples if s.has("fib_recursive")]
        self.assertEqual({s.route for s in inside}, {"/fib/"})
        self.assertTrue(all(s.numbers["tid"] != s.numbers["pid"]
                            for s in inside))


if __name__ == "__main__":
    main()
