#!/usr/bin/env python3
# needs: a core, 54 s
"""
The time line of a trace in a real Chromium. What a person does is in
tests/browser/trace.mjs; what is true, the requests that were made say, and a
reader of traces that knows nothing of the page.
"""
import json
import os
import subprocess
import tempfile
import time

import harness
import load
from browser import DEPS, PAGES
from case import Case, Later, main, note
from gotrace import GoTrace
from test_app import APP, ROUTES
from test_trace_record import compiled
from traced import parsed

LIGHT, SLOW = 300, 5


class TimeLine(Case):
    def setUp(self):
        super().setUp()
        kept = tempfile.TemporaryDirectory(prefix="kore-pprof-test-")
        self.addCleanup(kept.cleanup)
        self.dir = kept.name
        self.kore = harness.Service(
            [(compiled(self.dir, "concurrency"), "concurrency_load"),
             (compiled(self.dir, "traced"), "traced_load"), harness.PPROF],
            ["/light page_light", "/sleeps page_sleeps"],
            settings=["worker_accept_threshold 1"]).start()
        self.addCleanup(self.kore.destroy)
        self.addCleanup(self.kore.finish)

    def take(self):
        trace = Later(self.kore.get, "/debug/pprof/trace?seconds=3",
                      timeout=30)
        time.sleep(0.5)
        subprocess.run(["ab", "-q", "-c", "4", "-n", str(LIGHT),
                        self.kore.url("/light")], check=True,
                       stdout=subprocess.DEVNULL)
        for _ in range(SLOW):
            self.kore.get("/sleeps")
        return trace.result()

    def test_it_shows_what_happened(self):
        answer = self.take()
        path = os.path.join(self.dir, "taken.trace")
        with open(path, "wb") as file:
            file.write(answer.body)
        done = subprocess.run(
            ["node", os.path.join(PAGES, "run.mjs"), "trace",
             json.dumps({"file": path, "slow": "GET /sleeps"})],
            env=dict(os.environ, BROWSER_DEPS=DEPS,
                     SITE=self.kore.url("/debug/pprof/")),
            timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        rows = {name: (begun, slowest)
                for name, begun, slowest in json.loads(text.splitlines()[-1])}
        self.assertEqual(rows["GET /light"][0], LIGHT)
        self.assertEqual(rows["GET /sleeps"][0], SLOW)
        trace = parsed(answer)
        names, begun = trace.goroutines(), {}
        for event in trace.of("UserTaskCreate"):
            begun[event.args["task"]] = (names[event.g], event.ts)
        took = [(event.ts - begun[event.args["task"]][1]) / 1e9
                for event in trace.of("UserTaskEnd")
                if begun.get(event.args["task"], ("",))[0] == "GET /sleeps"]
        self.assertEqual(len(took), SLOW)
        self.assertAlmostEqual(rows["GET /sleeps"][1], max(took), delta=1e-8)
        note("%d and %d requests, the slowest %.3f ms, as the file has them",
             LIGHT, SLOW, 1e3 * max(took))


class GoViewer(Case):
    """The page of `go tool trace`, as its own reader sees it. The picture is
    docs/images/go_trace.png when KEEP_IMAGES is set."""

    def test_rows_are_named_and_requests_are_on_their_worker(self):
        image = os.path.join(harness.BUILD, "go_trace.png")
        if os.environ.get("KEEP_IMAGES"):
            image = os.path.join(harness.TOP, "docs", "images", "go_trace.png")
        with harness.Service(
                [APP, harness.PPROF], ROUTES,
                settings=["worker_accept_threshold 1"]) as kore:
            trace = Later(kore.get, "/debug/pprof/trace?seconds=2")
            time.sleep(0.5)
            loads = [load.Ab(kore, path, 60, clients=4) for path in
                     ("/fib/?n=90&type=recursive",
                      "/concat/?str=abc&count=20000")]
            for each in loads:
                self.assertEqual(each.wait()["failed"], 0)
            answer = trace.result()
        parsed(answer)
        with GoTrace(answer.body) as go:
            done = subprocess.run(
                ["node", os.path.join(PAGES, "run.mjs"), "go_trace",
                 json.dumps({"site": "http://127.0.0.1:%d" % go.port,
                             "route": "GET /fib/", "image": image})],
                env=dict(os.environ, BROWSER_DEPS=DEPS), timeout=120,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        note("%s", text.splitlines()[-1])
        self.assertLess(os.path.getsize(image), 150000)


if __name__ == "__main__":
    main()
