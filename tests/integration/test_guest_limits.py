#!/usr/bin/env python3
# needs: alone, 83 s
"""
signal(7)'s list of calls that a signal ends whatever its handler's flags, each
with a time limit of its own (modules/limits.c), while a profile at 1000 Hz, a
dump each 100 ms and a trace run: what it gives and when, as in the same
service without the module.
"""
import os
import threading
import time

import harness
import web
from case import Case, main, note

ROUTES = ["/ page_result", "/begin page_begin", "/handler page_handler",
          "/short page_short"]
PLACES = ("handler", "task", "thread")
NEAR_MS = 20
ROUNDS = 2
SHORT = "0 0 0 0 0 0\n"


def no_perf():
    """To be loaded before kore: its profiles above the kernel's tick have
    timers that disturb threads which wait, too."""
    return harness.compile_module("no_perf.c", os.path.join(
        harness.new_dir(), "no_perf.so"))


class Busy:
    """All that disturbs threads, by the listener, until it is left."""

    def __init__(self, port):
        self.port = port
        self.over = threading.Event()
        self.dumps = 0
        self.failed = []
        self.threads = [threading.Thread(target=self.run, args=(each,))
                        for each in (self.profile, self.dump, self.trace)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *why):
        self.over.set()
        for thread in self.threads:
            thread.join()
        return False

    def run(self, what):
        while not self.over.is_set():
            try:
                what()
            except OSError as error:
                self.failed.append((what.__name__, error))
                return

    def get(self, path):
        answer = web.get("127.0.0.1", self.port, "/debug/pprof" + path)
        if answer.status != 200:
            self.failed.append((path, answer.status))

    def profile(self):
        self.get("/profile?seconds=3&hz=1000")

    def trace(self):
        self.get("/trace?seconds=3")

    def dump(self):
        self.get("/goroutine?debug=2")
        self.dumps += 1
        self.over.wait(0.1)


class Limits(Case):
    maxDiff = None

    def service(self, modules, production=True):
        self.port = harness.free_port()
        return harness.Service(
            ["limits.c", *modules], ROUTES, production, workers=1,
            settings=["task_threads 2"], preload=no_perf(),
            env={"PPROF_LISTEN": "127.0.0.1:%d" % self.port,
                 "PPROF_STALL_MS": "100"})

    @staticmethod
    def results(text):
        found = {}
        for line in text.splitlines():
            name, result, error, ms = line.split()
            found[name] = (result + " " + error, float(ms))
        return found

    def calls(self, kore):
        self.assertEqual(kore.get("/begin").text, "begun\n")
        texts = [kore.get("/handler", timeout=120).text]
        texts += harness.wait_for("both", 60, lambda: (
            lambda text: text != "wait\n" and text)(
                kore.get("/").text)).split("--\n")
        return dict(zip(PLACES, map(self.results, texts)))

    def compare(self, alone, beside):
        """Both of several rounds: on a machine that has other things to do a
        call may be late, but not each time, and never early."""
        wrong, worst = [], (0, "")
        for place in PLACES:
            for name in alone[0][place]:
                wanted = [each[place][name] for each in alone]
                had = [each[place][name] for each in beside]
                early = min(ms for _, ms in wanted) - min(ms for _, ms in had)
                late = min(ms for _, ms in had) - min(ms for _, ms in wanted)
                worst = max(worst, (early, name), (late, name))
                if {result for result, _ in had} != {
                        result for result, _ in wanted} or max(
                            early, late) > NEAR_MS:
                    wrong.append("%s in %s: %s, alone %s" % (
                        name, place, had, wanted))
        note("%d calls in %d places; most away: %.1f ms, %s",
             len(alone[0]["task"]), len(PLACES), *worst)
        self.assertEqual(wrong, [])

    def test_no_call_ends_early_or_short(self):
        with self.service([]) as kore:
            alone = [self.calls(kore) for _ in range(ROUNDS)]
            self.assertEqual(kore.get("/short").text, SHORT)
        for production in (True, False):
            with self.service([harness.PPROF], production) as kore:
                with Busy(self.port) as busy:
                    beside = [self.calls(kore) for _ in range(ROUNDS)]
                    short = kore.get("/short").text
                note("%d dumps", busy.dumps)
                self.assertEqual(busy.failed, [])
                self.compare(alone, beside)
                self.assertEqual(short, SHORT)


if __name__ == "__main__":
    main()
