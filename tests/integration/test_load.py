#!/usr/bin/env python3
# needs: alone, 40 s
"""
Everything at once, in the sandbox, with CPU profiles at 1000 Hz all the time:
no request fails.

The load runs for 30 s; PPROF_TEST_LOAD_S=300 (`make test-long`) makes it five
minutes.
"""
import os
import re
import threading
import time

import load
from case import Later, note
from concurrency import Concurrent, main

WINDOW_S = 5  # of a CPU profile
LOAD_S = int(os.environ.get("PPROF_TEST_LOAD_S", "30"))


class Load(Concurrent):
    """Everything at once, in the sandbox."""

    def cpu_profiles(self, stopping, windows, bad):
        """One after the other; each begins before the last one's end."""
        running = []
        while not stopping.is_set() or running:
            if not stopping.is_set():
                began = time.monotonic()
                running.append((began, Later(self.kore.profile, WINDOW_S,
                                             1000)))
                stopping.wait(WINDOW_S - 0.5)
            if len(running) > 1 or stopping.is_set():
                began, call = running.pop(0)
                try:
                    answer = call.result(60)
                    if answer.status != 200:
                        bad.append(("profile", answer))
                    windows.append((began, answer.body))
                except OSError as error:
                    bad.append(("profile", error))

    def covered(self, windows, start, end):
        """How much of the time was in a profile, by what they say."""
        at, sum_s, samples = start, 0.0, 0
        for began, body in windows:
            raw = self.pprof.raw(body)
            samples += raw.count()
            lasted = float(raw.head["Duration"].split("s")[0])
            until = min(began + lasted, end)
            sum_s += max(0.0, until - max(at, began))
            at = max(at, until)
        note("%d CPU profiles, %d samples, over %.1f%% of %.1f s",
             len(windows), samples, 100 * sum_s / (end - start), end - start)
        return sum_s / (end - start)

    def profiles(self, stopping, taken, bad):
        turn = 0
        paths = ["goroutine?debug=2", "block", "mutex?debug=1", "goroutine",
                 "threadcreate", "profile?seconds=1&hz=1000",
                 "block?seconds=1", "goroutine?debug=1", "app.things"]
        while not stopping.is_set():
            path = paths[turn % len(paths)]
            turn += 1
            try:
                answer = self.kore.get("/debug/pprof/" + path)
                taken[path] = taken.get(path, 0) + 1
                if answer.status != 200:
                    bad.append((path, answer))
            except OSError as error:
                bad.append((path, error))

    def test_no_request_fails(self):
        self.set_rates(block_rate=1, mutex_fraction=1)
        self.kore.get("/own?add=1")
        routes = {"/light": 4000, "/nap?ms=5": 1500, "/pgsql?ms=2": 500,
                  "/task?ms=2": 800, "/locked?ms=1": 400,
                  "/runlock?ms=1": 200, "/labels?ms=2": 400,
                  "/spin?ms=1": 500, "/own?add=0": 2000, "/rates": 1000,
                  "/who": 2000, "/truth": 2000, "/write?which=1": 100,
                  "/shim": 500}
        stopping, taken, bad = threading.Event(), {}, []
        profiles = [Later(self.profiles, stopping, taken, bad)
                    for _ in range(2)]
        windows = []
        profiles.append(Later(self.cpu_profiles, stopping, windows, bad))
        start = time.monotonic()
        until = start + LOAD_S
        done, failed = {}, []
        while time.monotonic() < until:
            paths = list(routes)
            for i in range(0, len(paths), 2):
                runs = [(path, load.Ab(self.kore, path, routes[path], 6))
                        for path in paths[i:i + 2]]
                for path, run in runs:
                    result = run.wait()
                    done[path] = done.get(path, 0) + result["complete"]
                    if (result["failed"] or result["non2xx"]
                            or result["write errors"]
                            or result["complete"] != routes[path]):
                        failed.append((path, result))
                if time.monotonic() > until:
                    break
        end = time.monotonic()
        stopping.set()
        for call in profiles:
            call.result(90)
        note("requests: %s", done)
        note("profiles: %s", taken)
        self.assertEqual(failed, [])
        self.assertEqual(bad, [])
        self.assertGreaterEqual(self.covered(windows, start, end), 0.95)
        raw = self.raw("block")
        lost = {key: value for key, value in raw.facts().items()
                if value != "0" and re.match("waits|contended|flights|labels|"
                                             "tasks|own", key)}
        note("lost: %s", lost)
        self.assertLessEqual(set(lost), {"waits_stackless"})


if __name__ == "__main__":
    main()
