#!/usr/bin/env python3
# needs: a core, 31 s
# long: in `make test-long`, not in `make test`
"""
What the pages say of what is in progress and of what was waited for, in a real
Chromium, against what the test has begun and what `go tool pprof` says of the
same bytes. And routes whose names would be markup.
"""
import os
import shutil
import time

import harness
from browser import Busy, Pages
from case import Later, main, note
from test_trace_record import compiled

MARKUP = "/\"q'<img/src=x/onerror=alert(1)>"


class States(Pages):
    @classmethod
    def setUpClass(cls):
        cls.dir = harness.new_dir()
        cls.modules = [(compiled(cls.dir, "concurrency"), "concurrency_load"),
                       "naps.c"]
        cls.routes = ["/never page_never", "/locked page_locked"]
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.dir)

    def groups(self, found, source, *args):
        """The page's groups are pprof's tags."""
        path = os.path.join(self.pprof.dir.name, source + ".pb.gz")
        tags = self.pprof.tags(path, *args)
        for key, rows in found["groups"].items():
            shown = {value: sums for value, sums in rows if value}
            self.assertEqual(shown, tags.get(key, {}), (source, key))
        return tags

    def test_requests_in_progress(self):
        opened = time.time()
        waiting = [self.kore.connect() for _ in range(3)]
        for connection in waiting:
            connection.send("/never")
        time.sleep(1)
        found = self.browse("states", source="goroutine",
                            dir=self.pprof.dir.name,
                            keys=["http.route", "state"])
        self.assertEqual(found["first"], "t-progress")
        (count, oldest, route, what, state), = [
            row for row in found["ages"] if row[2] == "/never"]
        self.assertEqual((count, route, what, state),
                         (3, "/never", "request", "sleeping"))
        self.assertGreater(oldest, found["before"] - opened - 0.5)
        self.assertLess(oldest, found["after"] - opened)
        tags = self.groups(found, "goroutine")
        self.assertEqual(tags["http.route"]["/never"], 3)
        note("/never: %d, the oldest %.1f s", count, oldest)
        for connection in waiting:
            connection.close()

    def test_waits(self):
        for each in [Later(self.kore.get, "/locked?ms=20") for _ in range(8)]:
            each.result()
        for source in ("block", "mutex"):
            found = self.browse("states", source=source,
                                dir=self.pprof.dir.name,
                                keys=["http.route", "wait"])
            self.assertEqual(found["first"], "t-groups")
            tags = self.groups(found, source, "-sample_index=delay",
                               "-unit=ns")
            self.assertGreater(tags["http.route"]["/locked"], 0)
            self.assertTrue([wait for wait in tags["wait"]
                             if "mutex" in wait], tags)
            note("%s: %s", source, tags["wait"])


class Markup(Pages):
    routes = ["/ page_index", MARKUP + " page_fib"]

    def test_a_route_that_would_be_markup(self):
        with Busy(self.kore, [(MARKUP + "?n=50&type=recursive", 2)]):
            self.browse("named", route=MARKUP)


if __name__ == "__main__":
    main()
