#!/usr/bin/env python3
# needs: alone, 191 s
"""
SIGPROF is also the application's, and its signals end its calls: what comes of
each use (modules/guest_signals.c) is what comes of it in the same service
without the module, by default and at 1000 Hz.
"""
import contextlib
import http.client
import os

import harness
from case import Case, main, note
from test_guest_limits import Busy, no_perf
from test_guest_threads import threads, timers

ROUTES = ["/ page_case", "/case page_case"]
CASES = ("raise", "kill", "pthread_kill", "itimer", "timer", "queue",
         "actions", "others", "masks", "taken", "waits", "signalfd",
         "longjmp", "inside", "ignored", "child", "profil", "kernels")
ENDS = ("ends_poll", "ends_nanosleep", "ends_read", "ends_recv", "ends_pause",
        "ends_by_prof")


class Signals(Case):
    maxDiff = None

    def service(self, modules, production=True, **more):
        self.port = harness.free_port()
        return harness.Service(
            ["guest_signals.c", *modules], ROUTES, production, workers=1,
            preload=more.pop("preload", None) or no_perf(),
            env={"PPROF_LISTEN": "127.0.0.1:%d" % self.port,
                 "PPROF_STALL_MS": "100"}, **more)

    @staticmethod
    def told(kore, names):
        return {name: kore.get("/case?" + name, timeout=120).text
                for name in names}

    def beside(self, names, told=None):
        """The same in both confs, at rest and disturbed."""
        told = told or self.told
        with self.service([]) as kore:
            alone = told(kore, names)
        for name, text in alone.items():
            note("%s: %s", name, text)
        for production in (True, False):
            with self.service([harness.PPROF], production) as kore:
                self.assertEqual(told(kore, names), alone)
                with Busy(self.port) as busy:
                    self.assertEqual(told(kore, names), alone)
                self.assertEqual(busy.failed, [])
                pid = kore.worker_pids()[1]
                note("%d timers, %d threads", timers(pid), threads(pid))
                self.assertLessEqual(timers(pid), 2 * threads(pid))

    def test_the_application_has_its_sigprof(self):
        self.beside(CASES)

    def test_its_signals_end_its_calls_each_time(self):
        """Where other programs take the processor for half a millisecond
        between two lines of the module, the signal comes before the call;
        not six times in a row."""
        def each_time(kore, names):
            return {name: next((text for text in (
                self.told(kore, [name])[name] for _ in range(6))
                if text.startswith("0 of")), "misses") for name in names}
        self.beside(ENDS, each_time)

    def dies(self, modules):
        with self.service(modules, restarts=1) as kore:
            with contextlib.suppress(http.client.HTTPException, OSError):
                self.fail(kore.get("/case?dies", timeout=10))
            harness.wait_for("the next worker", 20,
                             lambda: kore.log("restarting worker"))
            return [line.split(") ")[-1]
                    for line in kore.log("exited with status")]

    def test_the_default_action_ends_who_is_sent_one(self):
        for modules in ([], [harness.PPROF]):
            with self.service(modules) as kore:
                with contextlib.ExitStack() as stack:
                    if modules:
                        stack.enter_context(Busy(self.port))
                    self.assertEqual(kore.get("/case?default").text, "lives")
        alone, beside = self.dies([]), self.dies([harness.PPROF])
        self.assertEqual(alone, ["exited with status 27"])
        self.assertEqual(beside, alone)

    def test_who_was_there_before_keeps_it(self):
        early = harness.compile_module(
            "early.c", os.path.join(harness.new_dir(), "early.so"))
        for modules in ([], [harness.PPROF]):
            with self.service(modules, preload=early) as kore:
                self.assertEqual(kore.get("/case?early").text,
                                 "1, its handler 1")

    def test_the_doctor_says_so(self):
        with self.service([harness.PPROF]) as kore:
            path = "/debug/pprof/doctor"
            self.assertIn("The application has no use for SIGPROF.",
                          kore.get(path).text)
            kore.get("/case?taken")
            text = kore.get(path).text
            for use in ("handles it", "has got one", "blocks it",
                        "waits for it"):
                self.assertIn(use, text)


if __name__ == "__main__":
    main()
