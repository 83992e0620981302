#!/usr/bin/env python3
# needs: sleeps, 83 s
"""
Stalls: a worker whose event loop is held is told once, in time, with where;
and what a worker leaves that is killed.
"""
import os
import re
import shutil
import signal
import subprocess
import time

import harness
import load
import workload
from case import Case, Later, main, note
from listeners import Listener

STALLS = "/debug/pprof/stalls"
MODULES = [("stall.c", "stall_load"), "workload.c", harness.PPROF]
ROUTES = workload.ROUTES + [
    "/hold page_hold", "/doze page_doze", "/timer page_timer",
    "/twice page_twice", "/die page_die", "/nap page_nap",
    "/forever page_forever", "/tenant page_tenant"]
HELD, ON = "has not turned its event loop", "goes on: "


def service(stall_ms=None, **more):
    env = {} if stall_ms is None else {"PPROF_STALL_MS": str(stall_ms)}
    more.setdefault("modules", MODULES)
    more.setdefault("routes", ROUTES)
    return workload.service(env=env, **more)


def seconds(line):
    return float(re.search(r" for (\d+\.\d+) s", line)[1])


class Held(Case):
    def stall(self, kore, path, *words):
        """One stall of `path`: the line of its begin and that of its end, and
        when the first one came."""
        before = len(kore.log("event loop"))
        begun = time.monotonic()
        later = Later(kore.get, path)
        harness.wait_for("the line on " + path, 10,
                         lambda: len(kore.log("event loop")) > before)
        took = time.monotonic() - begun
        later.result()
        harness.wait_for("the line on its end", 10,
                         lambda: len(kore.log("event loop")) > before + 1)
        time.sleep(0.3)
        lines = kore.log("event loop")[before:]
        self.assertEqual(len(lines), 2, lines)
        self.assertIn(HELD, lines[0])
        self.assertIn(ON, lines[1])
        for word in words:
            self.assertIn(word, lines[0])
        return took, lines, later.value

    def test_in_time_once_and_with_its_place(self):
        """The default of 1000 ms; chroot, runas, seccomp."""
        with service() as kore:
            begun = time.monotonic()
            for ms in (1600, 1400, 2600):
                took, lines, _ = self.stall(
                    kore, "/hold?ms=%d" % ms, "GET /hold", "running",
                    "stall_until (stall.c:", "page_hold (stall.c:")
                note("the line %.3f s after the request: %s", took, lines[0])
                self.assertLessEqual(took, 1.25)
                self.assertGreaterEqual(took, 1.0)
                self.assertNear(seconds(lines[1]), ms / 1000, 0.1, "its end")
            self.assertGreater(time.monotonic() - begun, 5)
            self.check_profile(kore)

    def check_profile(self, kore):
        text = kore.get(STALLS + "?debug=1").text
        self.assertTrue(text.startswith("stalls profile: total 3\n"), text)
        self.assertEqual(text.count("# stall=worker"), 3)
        raw = self.pprof.raw(kore.get(STALLS).body)
        self.assertEqual(len(raw.samples), 3)
        for sample, wanted in zip(raw.samples, (2.6, 1.4, 1.6)):
            self.assertEqual(sample.route, "/hold")
            self.assertTrue(sample.has("page_hold"))
            self.assertEqual(sample.values[0], 1)
            self.assertNear(sample.values[1] / 1e9, wanted, 0.1, "delay")
        row = re.search(r'class="number">(\d+)</td><td><a href="stalls',
                        kore.get("/debug/pprof/").text)
        self.assertIsNotNone(row)
        self.assertEqual(row[1], "3")

    def test_asleep_after_a_wake_and_outside_of_handlers(self):
        with service(300) as kore:
            took, _, answer = self.stall(kore, "/doze?ms=800", "GET /doze",
                                         "sleep", "page_doze")
            note("asleep: %.3f s", took)
            self.assertLessEqual(took, 0.3 + 0.25)
            # Asking for the stack did not end the sleep.
            self.assertGreaterEqual(int(answer.text), 800)
            took, lines, _ = self.stall(kore, "/twice?ms=700", "GET /twice",
                                        "page_twice")
            note("after a wake-up: %.3f s", took)
            self.assertNear(seconds(lines[1]), 0.7, 0.2, "its end")
            took, _, _ = self.stall(kore, "/timer?ms=700",
                                    "outside of handlers", "stall_timer")
            note("in a timer: %.3f s", took)
            self.assertLessEqual(took, 0.1 + 0.3 + 0.25)
            kore.get("/hold?ms=100")
            self.assertEqual(len(kore.log("event loop")), 6)

    def test_in_time_while_the_collector_is_busy(self):
        """Four clients who want pictures of all that was recorded."""
        with Listener(routes=ROUTES, modules=MODULES) as listener:
            kore = listener.kore
            with load.Driver(kore, ["/burn/a", "/task"]):
                time.sleep(3)
            until = time.monotonic() + 8
            pictures = []

            def draw():
                while time.monotonic() < until:
                    answer = listener.get(
                        "/debug/pprof/profile?since=900&format=svg")
                    assert answer.status == 200, answer
                    pictures.append(len(answer.body))

            clients = [Later(draw) for _ in range(4)]
            time.sleep(1)
            for _ in range(2):
                took, _, _ = self.stall(kore, "/hold?ms=1400", "GET /hold",
                                        "page_hold (stall.c:")
                note("%d pictures so far: %.3f s", len(pictures), took)
                self.assertLessEqual(took, 1.25)
            self.assertLess(time.monotonic(), until)
            for client in clients:
                client.result()

    def test_no_thread_of_a_worker_watches(self):
        def threads(stall_ms):
            with service(stall_ms) as kore:
                kore.get("/hold?ms=1200")
                return [len(os.listdir("/proc/%d/task" % pid))
                        for pid in sorted(kore.worker_pids().values())]

        self.assertEqual(threads(1000), threads(0))

    def test_short_handlers_under_load_are_no_stall(self):
        with service(300) as kore:
            with load.Driver(kore, ["/burn/a", "/task", "/sleep", "/light"]):
                with load.Driver(kore, ["/burn/b", "/light"]):
                    time.sleep(3)
            self.assertEqual(kore.log("event loop"), [])

    def test_off_and_what_is_no_number(self):
        with service(0) as kore:
            kore.get("/hold?ms=1500")
            self.assertEqual(kore.log("event loop"), [])
            self.assertIn("total 0", kore.get(STALLS + "?debug=1").text)
        with service("soon") as kore:
            said = kore.log("PPROF_STALL_MS")
            self.assertEqual(len(said), 1)
            self.assertIn('"soon"', said[0])
            self.assertIn("1000", said[0])

    def test_seconds_is_refused(self):
        with service() as kore:
            answer = kore.get(STALLS + "?seconds=1")
            self.assertEqual(answer.status, 400)


class Died(Case):
    def die(self, kore, path):
        with self.assertRaises(OSError):
            kore.get(path)
        harness.wait_for("last words", 10, lambda: kore.log("was ended by"))
        return kore.log("was ended by")

    def test_a_crash_leaves_its_requests_and_samples(self):
        with service(restarts=1) as kore:
            dead = load.connection_to(kore, 2)
            asleep = Later(dead.get, "/nap?ms=20000")
            profile = Later(load.connection_to(kore, 1).get,
                            "/debug/pprof/profile?seconds=6&hz=100")
            time.sleep(0.3)
            pid = kore.worker_pids()[2]
            crash = load.connection_to(kore, 2)
            with self.assertRaises(OSError):
                crash.get("/die?ms=900")
            harness.wait_for("last words", 10,
                             lambda: kore.log("was ended by"))
            said = kore.log("was ended by")
            profile.result()
            try:
                asleep.result()
            except OSError:
                pass
            text = kore.get(STALLS + "?debug=1").text
            raw = self.pprof.raw(kore.get(STALLS).body)
        note("%s", said[0])
        self.assertEqual(len(said), 1)
        for word in ("worker 2 (pid %d)" % pid, "signal 11", "GET /die",
                     "2 in progress: running /die", ", /nap for 1.",
                     "last seen at work", "stall_until"):
            self.assertIn(word, said[0])
        self.assertIn("signal 11", text)
        mine = [s for s in raw.samples if s.numbers["pid"] == pid]
        self.assertEqual(sum(s.values[0] for s in mine), 1)
        self.assertEqual({s.route for s in mine}, {"/die"})
        self.assertGreaterEqual(len(mine), 2)
        self.assertTrue(all(s.has("page_die") for s in mine))

    def test_the_recorder_alone_has_its_last_samples(self):
        """Killed in `for (;;)`, with nobody who profiles; seen through the
        listener, while the other worker is stuck as well."""
        with Listener(routes=ROUTES, modules=MODULES, restarts=1,
                  env={"PPROF_STALL_MS": "0"}) as listener:
            kore = listener.kore
            kept = [load.connection_to(kore, worker) for worker in (1, 2)]
            held = [Later(one.get, "/forever") for one in kept]
            time.sleep(2.5)
            pids = kore.worker_pids()
            os.kill(pids[2], signal.SIGKILL)
            harness.wait_for("last words", 5,
                             lambda: kore.log("was ended by"))
            text = listener.get(STALLS + "?debug=1").text
            raw = self.pprof.raw(listener.get(STALLS).body)
            os.kill(pids[1], signal.SIGUSR2)
            self.assertEqual(held[0].result().text, "freed\n")
            for one in kept:
                one.close()
            said = kore.log("was ended by")
        note("%s", said[0])
        for word in ("pid %d" % pids[2], "signal 9",
                     "in the handler of GET /forever",
                     "1 in progress: running /forever", "page_forever"):
            self.assertIn(word, said[0])
        self.assertIn("signal 9", text)
        mine = [s for s in raw.samples if s.numbers["pid"] == pids[2]]
        self.assertEqual({s.route for s in mine}, {"/forever"})
        self.assertEqual(sum(s.values[0] for s in mine), 1)
        # The recorder's, at 19 Hz of CPU time.
        self.assertGreaterEqual(len(mine), 2)
        self.assertTrue(all(s.has("page_forever") for s in mine))

    def test_labels_of_the_applications_own_are_in_it(self):
        with service(restarts=1) as kore:
            dead = load.connection_to(kore, 2)
            held = Later(dead.get, "/tenant?ms=20000")
            time.sleep(2)
            pid = kore.worker_pids()[2]
            os.kill(pid, signal.SIGKILL)
            with self.assertRaises(OSError):
                held.result()
            harness.wait_for("last words", 5,
                             lambda: kore.log("was ended by"))
            raw = self.pprof.raw(kore.get(STALLS).body)
        mine = [s for s in raw.samples if s.numbers["pid"] == pid
                and s.labels.get("tenant") == "blue"]
        self.assertTrue(mine, [s.labels for s in raw.samples])
        self.assertTrue(all(s.route == "/tenant" for s in mine))

    def test_killed_while_it_waits(self):
        with service(0, restarts=1) as kore:
            pid = kore.worker_pids()[1]
            os.kill(pid, signal.SIGKILL)
            harness.wait_for("last words", 10,
                             lambda: kore.log("was ended by"))
            said = kore.log("was ended by")
            self.assertEqual(len(said), 1)
            self.assertIn("worker 1 (pid %d) was ended by signal 9 "
                          "outside of handlers; 0 in progress" % pid, said[0])


class Daemon(Case):
    def test_the_lines_are_in_the_log_of_a_daemon(self):
        """Where stderr is /dev/null, they are in syslog by way of the
        parent."""
        kore = service()
        kore.port = harness.free_port()
        path = os.path.join(kore.dir, "kore.conf")
        log = os.path.join(kore.dir, "syslog")
        preload = harness.compile_module(
            "syslog.c", os.path.join(kore.dir, "syslog.so"))
        with open(path, "w") as file:
            file.write(kore.conf())
        pid = None
        try:
            subprocess.run(["kore", "-c", path], cwd=kore.dir, check=True,
                           env=dict(kore.env, SYSLOG_FILE=log,
                                    **harness.preloaded(preload)),
                           stdin=subprocess.DEVNULL, timeout=20,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            load.wait_ready(kore, "/light")
            with open(os.path.join(kore.dir, "kore.pid")) as file:
                pid = int(file.read())
            begun = time.monotonic()
            held = Later(kore.get, "/hold?ms=1600")

            def lines():
                with open(log, errors="replace") as file:
                    return [line for line in file if "event loop" in line]

            harness.wait_for("the line", 10, lines)
            took = time.monotonic() - begun
            note("%.3f s after the request: %s", took, lines()[0].rstrip())
            self.assertLessEqual(took, 1.25)
            self.assertIn("[parent]: pprof-collector: worker", lines()[0])
            held.result()
            harness.wait_for("the second line", 10, lambda: len(lines()) == 2)
            # What a new collector says arrives as well.
            collector = next(p for p, comm in harness.children(pid)
                             if comm == "pprof-collector")
            os.kill(collector, signal.SIGKILL)
            load.wait_ready(kore, "/debug/pprof/cmdline")
            kore.get("/hold?ms=1600")
            harness.wait_for("four lines", 10, lambda: len(lines()) == 4)
        finally:
            if pid and harness.alive(pid):
                family = harness.children(pid)
                os.kill(pid, signal.SIGTERM)
                try:
                    harness.wait_for("the end", 10,
                                     lambda: not harness.alive(pid))
                except AssertionError:
                    for number, _ in family:
                        os.kill(number, signal.SIGKILL)
                    os.kill(pid, signal.SIGKILL)
            shutil.rmtree(kore.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
