#!/usr/bin/env python3
# needs: sleeps, 52 s
"""
What workers write into a trace, held against what happened: each handler of
modules/traced.c and modules/concurrency.c does something that is known, one
after the other, while one trace runs.

Rule: a wait lasts at least as long as it was asked for, and at most what the
machine adds; nothing is compared with itself.
"""
import os
import re
import signal
import socket
import subprocess
import time

import harness
from case import Case, Later, main, note
from postgres import Postgres
from traced import begun, parsed
from tracefile import BLOCKS, STARTS

ROUTES = ["/who page_who", "/truth page_truth", "/light page_light",
          "/nap page_nap",
          "/spin page_spin", "/task page_task", "/locked page_locked",
          "/runlock page_runlock", "/pgsql page_pgsql",
          "/sleeps page_sleeps", "/files page_files", "/body page_body",
          "/again page_again", "/user page_user", "/forgets page_forgets",
          "/tells page_tells"]
LIGHT = 500
SLEPT = 0.3  # before the trace, at least
MORE = 0.025  # what a busy machine may add to one wait, in seconds


def compiled(directory, name):
    return harness.compile_module(
        name + ".c", os.path.join(directory, name + ".so"),
        ["-I" + os.path.join(harness.TOP, "middleware", "include")])


def together(*calls):
    for call in [Later(*call) for call in calls]:
        call.result()


class TraceRecord(Case):
    """One trace, in which all of it happens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dir = harness.new_dir()
        with Postgres() as database:
            cls.record(database)

    @classmethod
    def tearDownClass(cls):
        for name in os.listdir(cls.dir):
            os.unlink(os.path.join(cls.dir, name))
        os.rmdir(cls.dir)
        super().tearDownClass()

    @classmethod
    def record(cls, database):
        modules = [(compiled(cls.dir, "concurrency"), "concurrency_load"),
                   (compiled(cls.dir, "traced"), "traced_load"),
                   harness.PPROF]
        with harness.Service(
                modules, ROUTES, env={"TEST_DATABASE": database.url},
                settings=["worker_accept_threshold 1", "task_threads 4",
                          "pgsql_conn_max 10"]) as kore:
            os.chmod(kore.root, 0o777)
            assert kore.get("/pgsql?ms=1").status == 200  # it is connected
            assert kore.get("/user").text == "not traced\n"
            profile = Later(kore.profile, 10, 100)
            since = time.monotonic()
            before = Later(kore.get, "/nap?ms=1500")
            harness.wait_for("one that is asleep", 5, lambda: "GET /nap" in
                             kore.get("/debug/pprof/goroutine?debug=2").text)
            time.sleep(SLEPT)
            trace = begun(kore, kore.get, "/debug/pprof/trace?seconds=8",
                          timeout=60)
            cls.slept_at_most = time.monotonic() - since
            since = time.monotonic()
            cls.happens(kore)
            before.result()
            left = Later(kore.get, "/nap?ms=7000")
            note("all of it took %.1f s of 8", time.monotonic() - since)
            answer = trace.result()
            cls.lost = answer.headers.get("x-pprof-lost")
            profile.result()
            left.result()
        cls.path = os.path.join(cls.dir, "trace")
        with open(cls.path, "wb") as file:
            file.write(answer.body)
        cls.trace = parsed(answer)
        cls.names = cls.trace.goroutines()
        cls.spans = cls.trace.spans()

    @classmethod
    def happens(cls, kore):
        light = subprocess.run(
            ["ab", "-q", "-c", "4", "-n", str(LIGHT), kore.url("/light")],
            stdout=subprocess.PIPE, check=True).stdout.decode()
        assert re.search(r"Failed requests: +0\n", light), light
        for path, times in (("/sleeps", 5), ("/files", 3), ("/again", 3),
                            ("/user", 2), ("/forgets", 2), ("/nap?ms=50", 3),
                            ("/task?ms=50", 3), ("/pgsql?ms=50", 3),
                            ("/spin?ms=200", 2), ("/tells", 2)):
            for _ in range(times):
                assert kore.get(path).status == 200, path
        cls.body_in_parts(kore)
        with kore.connect() as connection:  # all in one worker
            connection.get("/who")
        before = cls.lock_waits(kore)
        together(*[(kore.get, "/locked?ms=40")] * 4)
        cls.waited_for_lock = cls.lock_waits(kore) - before
        together(*[(kore.get, "/runlock?ms=40")] * 4)
        cls.gone(kore)
        os.kill(kore.process.pid, signal.SIGHUP)

    @staticmethod
    def lock_waits(kore):
        """What the application measures of them, in seconds."""
        return int(re.search(r"locks \d+ (\d+)",
                             kore.get("/truth").text)[1]) / 1e9

    @staticmethod
    def body_in_parts(kore):
        with socket.create_connection((kore.host, kore.port), 10) as sock:
            sock.sendall(b"POST /body HTTP/1.1\r\nhost: a\r\n"
                         b"content-length: 10\r\n\r\n12345")
            time.sleep(0.1)
            sock.sendall(b"67890")
            assert b"\r\n\r\n10\n" in sock.recv(4096)

    @staticmethod
    def gone(kore):
        """A client that does not wait for its answer."""
        with socket.create_connection((kore.host, kore.port), 10) as sock:
            sock.sendall(b"GET /nap?ms=60000 HTTP/1.1\r\nhost: a\r\n\r\n")
            time.sleep(0.3)

    # What there is of one route.

    def of(self, name):
        return [g for g, n in self.names.items() if n == name]

    def did(self, name, what):
        """Spans of the Gs with that name: (seconds, stack)."""
        mine = set(self.of(name))
        return [((end - begin) / 1e9,
                 self.trace.stack(stack) if stack else [])
                for g, did, begin, end, stack in self.spans
                if g in mine and did == what]

    def calls(self, name):
        """System calls that took their time. Where it was made is told by
        the event before."""
        made = {(e.g, e.ts): self.trace.stack(e.stk)
                for e in self.trace.of("GoSysCall") if e.stk}
        mine = set(self.of(name))
        return [((end - begin) / 1e9, made.get((g, begin), []))
                for g, did, begin, end, _ in self.spans
                if g in mine and did == "GoSysBlock"]

    def blocked(self, name):
        return [span for what in BLOCKS for span in self.did(name, what)]

    def runs(self, g):
        return sum(1 for e in self.trace.events
                   if e.name in STARTS and e.args["g"] == g)

    def ended(self, name):
        mine = set(self.of(name))
        return sum(1 for e in self.trace.of("GoEnd") if e.g in mine)

    def check_waits(self, spans, times, seconds, function=None):
        self.assertEqual(len(spans), times, spans)
        for took, stack in spans:
            self.assertGreaterEqual(took, seconds - 0.002)  # Kore's timers
            self.assertLessEqual(took, seconds + MORE * 4)
            if function:
                self.assertIn(function, stack)
        note("%d waits of %d ms: %s ms", times, seconds * 1000,
             " ".join("%.1f" % (took * 1000) for took, _ in spans))

    # Requests.

    def test_nothing_is_lost(self):
        self.assertEqual(self.lost, "0")

    def test_as_many_as_were_served(self):
        self.assertEqual(len(self.of("GET /light")), LIGHT)
        self.assertEqual(self.ended("GET /light"), LIGHT)
        self.assertEqual({self.runs(g) for g in self.of("GET /light")}, {1})

    def test_they_are_known_before_their_handler_runs(self):
        """One of two that come together waits for the other."""
        waited = [took for took, _ in self.did("GET /light", "runnable")]
        self.assertEqual(len(waited), LIGHT)
        self.assertGreater(min(waited), 0)

    def test_one_that_is_called_again_is_one(self):
        self.assertEqual([self.runs(g) for g in self.of("GET /again")],
                         [5] * 3)
        self.assertEqual(self.ended("GET /again"), 3)

    def test_one_whose_body_comes_in_parts_is_one(self):
        # Its body is waited for, and what waits has run before.
        self.assertEqual([self.runs(g) for g in self.of("POST /body")], [2])
        self.assertEqual(self.ended("POST /body"), 1)

    def there_at_the_begin(self, name):
        first = self.trace.events[0].ts
        return {e.args["g"] for e in self.trace.of("GoCreate")
                if e.ts - first < 0.1e9} & set(self.of(name))

    def test_one_that_was_asleep_at_the_begin(self):
        self.assertEqual(len(self.of("GET /nap")), 3 + 1 + 1 + 1)
        there = self.there_at_the_begin("GET /nap")
        self.assertEqual(len(there), 1)
        slept = [(end - begin) / 1e9 for g, did, begin, end, _ in self.spans
                 if g in there and did in BLOCKS]
        self.assertEqual(len(slept), 1)
        # Until the end of its 1.5 s, and not from their begin.
        self.assertGreater(slept[0], 1.5 - self.slept_at_most - 0.002)
        self.assertLess(slept[0], 1.5 - SLEPT + MORE * 4)
        # And one that its client has left, and one that outlives the trace.
        self.assertEqual(self.ended("GET /nap"), 5)

    def test_running_is_what_they_used(self):
        spins = self.trace.seconds("running", "GET /spin")
        self.assertGreaterEqual(spins, 0.4)
        self.assertLessEqual(spins, 0.4 + 2 * MORE)
        note("two handlers that spin for 200 ms ran %.1f ms", spins * 1000)

    def test_samples_know_what_ran(self):
        names = [self.names.get(e.args["g"])
                 for e in self.trace.samples]
        note("%d samples, %d of /spin", len(names), names.count("GET /spin"))
        self.assertGreater(names.count("GET /spin"), 10)

    # What they wait for.

    def test_a_timer(self):
        # Told from the others by when they came, not by their length: how
        # much of the one that is left is in the trace, who knows.
        tasks = set(self.of("GET /task"))
        until = min(begin for g, _, begin, _, _ in self.spans if g in tasks)
        naps = set(self.of("GET /nap")) - self.there_at_the_begin("GET /nap")
        self.check_waits([((end - begin) / 1e9, self.trace.stack(stack))
                          for g, did, begin, end, stack in self.spans
                          if g in naps and did in BLOCKS and begin < until],
                         3, 0.05, "page_nap")

    def test_system_calls_that_block(self):
        sleeps = self.calls("GET /sleeps")
        self.check_waits(sleeps, 5, 0.02, "app_sleeps")
        self.assertGreaterEqual(min(took for took, _ in sleeps), 0.02)
        reads = [span for span in self.calls("GET /files")
                 if "app_waits_for_bytes" in span[1]]
        self.check_waits(reads, 3, 0.01, "read")

    def test_go_says_the_same_of_system_calls(self):
        seconds = self.go("syscall", "app_sleeps")
        self.assertGreaterEqual(seconds, 0.1)
        self.assertLessEqual(seconds, 0.1 + 5 * MORE)

    def test_a_task(self):
        self.check_waits(self.blocked("GET /task"), 3, 0.05, "page_task")
        self.assertEqual(self.ended("task of GET /task"), 3)
        self.check_waits(self.calls("task of GET /task"), 3, 0.05,
                         "app_task_naps")

    def test_postgresql(self):
        slow = [span for span in self.did("GET /pgsql", "GoBlockNet")
                if span[0] > 0.01]
        self.check_waits(slow, 3, 0.05, "page_pgsql")

    def test_a_mutex(self):
        waits = [span for span in self.blocked("task of GET /locked")
                 if "app_holds_lock" in span[1]]
        total = sum(took for took, _ in waits)
        note("%d waits for the mutex, %.1f ms of %.1f ms", len(waits),
             total * 1000, self.waited_for_lock * 1000)
        self.assertIn(len(waits), (2, 3))
        self.assertNear(total, self.waited_for_lock, 0.05, "time waited")

    def test_a_runlock(self):
        """Who has it sleeps for a timer, the others until one is done."""
        mine = set(self.of("GET /runlock"))
        spans = [(end / 1e9, (end - begin) / 1e9, self.trace.stack(stack))
                 for g, did, begin, end, stack in self.spans
                 if g in mine and did in BLOCKS]
        queued = [span for span in spans if "[runlock wait]" in span[2]]
        had_it = [span for span in spans if span not in queued]
        self.check_waits([span[1:] for span in had_it], 4, 0.04,
                         "page_runlock")
        self.assertIn(len(queued), (2, 3))
        for end, took, _ in queued:
            before = min(end - done for done, _, _ in had_it if done < end)
            note("asleep for %.1f ms, until %.1f ms after another had slept",
                 took * 1000, before * 1000)
            self.assertLess(before, MORE)

    def go(self, kind, function):
        """What `go tool trace -pprof=kind` adds up for a function."""
        profile = os.path.join(self.dir, kind)
        with open(profile, "wb") as file:
            subprocess.run([*harness.go_tool("trace"), "-pprof=" + kind,
                            self.path], stdout=file, check=True)
        text = subprocess.run(
            [*harness.go_tool("pprof"), "-unit=ms", "-traces", profile],
            stdout=subprocess.PIPE, check=True).stdout.decode()
        total = 0.0
        for sample in text.split("-----------+"):
            value = re.search(r"([\d.]+)ms", sample)
            if value and re.search(r"\b%s\b" % function, sample):
                total += float(value[1])
        return total / 1000

    # The application's own.

    def test_tasks_regions_and_logs(self):
        trace = self.trace
        created = {e.args["task"]: e for e in trace.of("UserTaskCreate")}
        invoices = [e for e in created.values()
                    if trace.strings[e.args["name"]] == "invoice"]
        self.assertEqual(len(invoices), 2)
        for e in invoices:
            parent = created[e.args["parent"]]
            self.assertEqual(trace.strings[parent.args["name"]], "GET /user")
            self.assertEqual(self.names[e.g], "GET /user")
            regions = [(trace.strings[r.args["name"]], r.args["mode"])
                       for r in trace.of("UserRegion")
                       if r.args["task"] == e.args["task"]]
            self.assertEqual(regions, [("render", 0), ("höher", 0),
                                       ("höher", 1), ("render", 1)])
            self.assertEqual(
                [(trace.strings[l.args["key"]], l.text)
                 for l in trace.of("UserLog")
                 if l.args["task"] == e.args["task"]], [("number", "7 €")])
        after = [l for l in trace.of("UserLog")
                 if trace.strings[l.args["key"]] == "after"]
        self.assertEqual(
            [trace.strings[created[l.args["task"]].args["name"]]
             for l in after], ["GET /user"] * 2)

    def test_what_a_handler_forgets_to_end(self):
        mine = set(self.of("GET /forgets"))
        regions = [(self.trace.strings[r.args["name"]], r.args["mode"])
                   for r in self.trace.of("UserRegion") if r.g in mine]
        self.assertEqual(regions, [("forgotten", 0), ("too", 0), ("too", 1),
                                   ("forgotten", 1)] * 2)

    # The server.

    def texts(self, key):
        return [text for k, text in self.trace.logs() if k == key]

    def test_connections(self):
        self.assertGreaterEqual(len(self.texts("connection accepted")), LIGHT)

    def test_messages(self):
        self.assertEqual(self.texts("worker message sent, message id")
                         .count("200"), 2)
        # Each goes to the other worker and to the one that sent it.
        self.assertEqual(self.texts("worker message received, message id")
                         .count("200"), 4)

    def test_timers_the_accept_lock_and_a_reload(self):
        self.assertGreaterEqual(len(self.texts("timer ran")), 4)
        self.assertEqual(len(self.texts("modules reloaded")), 2)
        taken = len(self.texts("accept lock taken"))
        given = len(self.texts("accept lock given back"))
        note("accept lock taken %d times, given back %d", taken, given)
        self.assertGreater(taken, 0)
        self.assertLessEqual(abs(taken - given), 2)


if __name__ == "__main__":
    main()
