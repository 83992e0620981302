#!/usr/bin/env python3
"""
The pages in a real Chromium, against the sample application under ab. What a
person does is in tests/browser; what the numbers must be, `go tool pprof` says.
"""
import json
import os
import subprocess
import threading

import harness
from case import Case, main, note
from load import Ab

APP = (os.path.join(harness.TOP, "kore_app", "kore_app.so"), "kore_app_load")
ROUTES = ["/ page_index", "/fib/ page_fib", "/concat/ page_concat"]
PAGES = os.path.join(harness.TOP, "tests", "browser")
DEPS = os.path.join(harness.BUILD, "browser")
LOAD = (("/fib/?n=50&type=recursive", 2), ("/concat/?str=kore&count=300", 1))


class Busy:
    """ab over and over until the end of the block."""

    def __init__(self, service):
        self.service, self.done = service, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=pair)
                        for pair in LOAD]

    def run(self, path, clients):
        while not self.done.is_set():
            Ab(self.service, path, 2000, clients).wait()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(120)


class Pages(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kore = harness.Service(
            [APP, harness.PPROF], ROUTES, env={"PPROF_BLOCK_RATE": "1000",
                                               "PPROF_MUTEX_FRACTION": "1"},
            settings=["worker_accept_threshold 1",
                      "worker_max_connections 512",
                      "worker_rlimit_nofiles 4096"]).start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.kore.finish()
        finally:
            cls.kore.destroy()
            super().tearDownClass()

    def browse(self, name, **given):
        """What tests/browser/NAME.mjs returns."""
        env = dict(os.environ, BROWSER_DEPS=DEPS,
                   SITE=self.kore.url("/debug/pprof/"))
        done = subprocess.run(
            ["node", os.path.join(PAGES, "run.mjs"), name, json.dumps(given)],
            env=env, timeout=120, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        return json.loads(text.splitlines()[-1])

    def made(self, kind):
        path = os.path.join(self.pprof.dir.name, kind + ".pb.gz")
        subprocess.run(["node", os.path.join(PAGES, "made.mjs"), kind, path],
                       check=True, timeout=60)
        return path

    def same(self, shown, *args, delta=0):
        """The page's table and `go tool pprof -top` have the same rows."""
        wanted = self.pprof.top(*args)
        shown = {name: tuple(values[:2]) for name, values in shown}
        # pprof leaves rows out in which nothing has changed.
        for name in set(shown) | set(wanted):
            have, want = shown.get(name, (0, 0)), wanted.get(name, (0, 0))
            for value, expected in zip(have, want):
                self.assertLessEqual(abs(value - expected), delta,
                                     (name, have, want, args))
        return len(wanted)

    def test_numbers_are_those_of_pprof(self):
        with Busy(self.kore):
            found = self.browse("numbers", dir=self.pprof.dir.name,
                                route="/fib/")
        first = os.path.join(self.pprof.dir.name, "first.pb.gz")
        second = os.path.join(self.pprof.dir.name, "second.pb.gz")
        focus = "-tagfocus=http.route=^/fib/$"
        rows = self.same(found["all"], first, "-unit=ns")
        some = self.same(found["route"], first, "-unit=ns", focus)
        self.same(found["routeSamples"], first, "-sample_index=samples", focus)
        both = self.same(found["compared"], second, "-unit=ns",
                         "-diff_base=" + first)
        # pprof rounds each sample that it scales to a whole number.
        samples = len(self.pprof.raw(second).samples)
        self.same(found["normalised"], second, "-unit=ns",
                  "-diff_base=" + first, "-normalize", delta=samples)
        note("%d functions, %d of /fib/, %d compared: as pprof has them",
             rows, some, both)
        self.assertGreater(some, 3)
        self.assertEqual([name for name, _ in found["groups"]], ["/fib/"])

    def test_every_view(self):
        with Busy(self.kore):
            body = self.kore.profile(2).body
        self.browse("views", file=self.pprof.save(body), part="fib_")

    def test_routes_live(self):
        with Busy(self.kore):
            self.browse("live", route="/fib/")

    def test_capture_cancel_and_what_is_kept(self):
        with Busy(self.kore):
            self.browse("capture")

    def test_a_wait_in_a_fresh_tab_is_cancelled(self):
        self.browse("waiting")

    def test_a_profile_of_small_frames(self):
        found = self.browse("broad", file=self.made("broad"))
        note("%d boxes on opening", found["boxes"])

    def test_texts_of_a_profile_are_texts(self):
        broken = []
        for number, body in enumerate((b"", b"hello", b"\x1f\x8b\x08junk",
                                       b"\x0a\x04\x08\x01\x10\x02\x12\x7f")):
            broken.append(self.pprof.save(body))
        self.browse("hostile", file=self.made("hostile"), broken=broken)

    def test_without_scripts(self):
        self.browse("plain")


if __name__ == "__main__":
    main()
