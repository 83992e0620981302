#!/usr/bin/env python3
"""
Who waits, on what, for how long, in which route: block, mutex, goroutine,
threadcreate and the application's own profiles of a service whose waits are
known (modules/concurrency.c), with a real PostgreSQL.

The load runs for 30 s; PPROF_TEST_LOAD_S=300 makes it five minutes.

Rule: what is compared with a profile was measured by the application itself,
or follows from another of its sums: a busy machine makes all of them longer.
Kore's timers are of whole milliseconds, and come up to one early.
"""
import json
import os
import re
import signal
import socket
import threading
import time

import harness
import load
from case import Case, Later, main, note
from postgres import Postgres

ROUTES = ["/who page_who", "/light page_light", "/truth page_truth",
          "/leak page_leak", "/nap page_nap", "/spin page_spin",
          "/task page_task", "/locked page_locked",
          "/runlock page_runlock", "/pgsql page_pgsql",
          "/labels page_labels", "/own page_own", "/rates page_rates",
          "/write page_write"]
LOAD_S = int(os.environ.get("PPROF_TEST_LOAD_S", "30"))
MS = 1000000
DELTAS = ("block", "mutex", "goroutine", "threadcreate")


class Concurrent(Case):
    """One database for all; a service for each class."""
    service = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dir = harness.new_dir()
        cls.module = harness.compile_module(
            "concurrency.c", os.path.join(cls.dir, "concurrency.so"),
            ["-I" + os.path.join(harness.TOP, "middleware", "include")])
        cls.kore = None
        if cls.service is not None:
            cls.kore = cls.new_service(**cls.service).start()
            cls.make_room_for_files(cls.kore)

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.kore:
                cls.kore.finish()
        finally:
            if cls.kore:
                cls.kore.destroy()
            os.unlink(cls.module)
            os.rmdir(cls.dir)
            super().tearDownClass()

    @classmethod
    def new_service(cls, profiler=True, env=None, **more):
        env = dict(env or {}, TEST_DATABASE=database.url)
        modules = [(cls.module, "concurrency_load")]
        return harness.Service(
            modules + [harness.PPROF] if profiler else modules, ROUTES,
            env=env, settings=["worker_accept_threshold 1", "task_threads 4",
                               "pgsql_conn_max 10",
                               "worker_max_connections 2000"], **more)

    @staticmethod
    def make_room_for_files(kore):
        path = os.path.join(kore.root, "written")
        os.mkdir(path)
        os.chmod(path, 0o777)

    def named(self, name, kore=None):
        answer = (kore or self.kore).get("/debug/pprof/" + name)
        self.assertEqual(answer.status, 200, "%s: %s" % (name, answer))
        return answer

    def raw(self, name, kore=None):
        return self.pprof.raw(self.named(name, kore).body)

    def set_rates(self, **rates):
        body = "&".join("%s=%d" % item for item in rates.items()).encode()
        answer = self.kore.ask("POST", "/debug/pprof/settings", body=body,
                               headers={"X-Pprof": "1"})
        self.assertEqual(answer.status, 200, answer)
        return json.loads(answer.body)

    def truth(self):
        return {name: (int(count), int(ns)) for name, count, ns in (
            line.split() for line in self.kore.get("/truth").text.splitlines())}

    def on_worker(self, worker):
        return load.connection_to(self.kore, worker)

    def at_once(self, paths, worker=None):
        """All of the paths at the same time."""
        connections = [self.on_worker(worker) if worker else
                       self.kore.connect() for _ in paths]
        calls = [Later(connection.get, path)
                 for connection, path in zip(connections, paths)]
        for call, path in zip(calls, paths):
            self.assertEqual(call.result().status, 200, path)
        for connection in connections:
            connection.close()


class Growth:
    """What a profile gained while something was done."""

    def __init__(self, case, name):
        self.case, self.name = case, name
        self.before = case.raw(name)

    def gained(self, value, **wanted):
        """By labels (route=, wait=, ...) and has=function."""
        after = self.case.raw(self.name)
        return (self.sum(after, value, wanted)
                - self.sum(self.before, value, wanted))

    @staticmethod
    def sum(raw, value, wanted):
        has = wanted.get("has")
        labels = {("http.route" if key == "route" else key): text
                  for key, text in wanted.items() if key != "has"}
        return sum(s.values[value] for s in raw.samples
                   if all(s.labels.get(k) == v for k, v in labels.items())
                   and (not has or s.has(has)))


class Waits(Concurrent):
    def setUp(self):
        self.set_rates(block_rate=1, mutex_fraction=1)

    def check_wait(self, paths, truth, **wanted):
        """Block's gain under the labels, against the application's."""
        before, block = self.truth()[truth], Growth(self, "block")
        self.at_once(paths)
        after = self.truth()[truth]
        count, ns = block.gained(0, **wanted), block.gained(1, **wanted)
        true = after[0] - before[0], after[1] - before[1]
        note("%s: %d waits of %d, %.1f ms of %.1f ms", wanted, count, true[0],
             ns / MS, true[1] / MS)
        self.assertNear(ns, true[1], 0.10, "time waited")
        return count, true

    def test_requests_that_sleep(self):
        count, true = self.check_wait(["/nap?ms=50"] * 20, "naps",
                                      route="/nap", wait="timer",
                                      has="page_nap")
        self.assertEqual(count, 20)
        self.assertGreaterEqual(true[1], 20 * 49 * MS)

    def test_requests_that_wait_for_postgresql(self):
        # Connecting holds the event loop, and who is awake already.
        self.at_once(["/pgsql?ms=50"] * 20)
        count, true = self.check_wait(["/pgsql?ms=50"] * 20, "queries",
                                      route="/pgsql", wait="pgsql wait",
                                      has="page_pgsql")
        # Kore may find that the result is not whole yet, and wait again.
        self.assertGreaterEqual(count, 20)
        self.assertGreaterEqual(true[1], 20 * 50 * MS)

    def test_one_query_is_50_ms_of_its_route(self):
        self.kore.get("/pgsql?ms=1")
        block = Growth(self, "block")
        self.kore.get("/pgsql?ms=50")
        ns = block.gained(1, route="/pgsql", wait="pgsql wait")
        note("one pg_sleep(0.05): %.2f ms", ns / MS)
        self.assertGreaterEqual(ns, 50 * MS)
        self.assertLess(ns, 150 * MS, "with the connection, on this machine")

    def test_threads_that_wait_for_a_mutex_and_who_holds_it(self):
        mutex = Growth(self, "mutex")
        block = Growth(self, "block")
        self.check_wait(["/locked?ms=20"] * 16, "locks", route="/locked",
                        wait="mutex wait", has="app_holds_lock")
        waited = block.gained(1, route="/locked", wait="mutex wait")
        charged = mutex.gained(1, route="/locked", has="app_holds_lock")
        note("the holder is charged with %.1f ms of %.1f ms", charged / MS,
             waited / MS)
        self.assertNear(charged, waited, 0.10, "charged to the holder")
        self.assertGreater(mutex.gained(0, has="app_holds_lock"), 3)

    def test_tasks_that_queue(self):
        """A request waits for its task as long as that queues and runs."""
        block = Growth(self, "block")
        self.at_once(["/task?ms=20"] * 30, worker=1)
        queued = block.gained(1, route="/task", wait="task queue")
        waited = block.gained(1, route="/task", wait="task wait")
        note("30 tasks of 20 ms on 4 threads: %.0f ms waited, %.0f ms queued",
             waited / MS, queued / MS)
        self.assertEqual(block.gained(0, route="/task", wait="task queue"), 30)
        self.assertEqual(block.gained(0, route="/task", wait="task wait"), 30)
        # The k-th of a thread waits for k others, if all come at once.
        self.assertGreater(queued, sum(range(7)) * 20 * MS)
        self.assertGreater(waited, queued + 30 * 20 * MS)
        self.assertNear(waited, queued + 30 * 20 * MS, 0.20, "waited")

    def test_requests_that_queue_for_a_runlock(self):
        block = Growth(self, "block")
        self.at_once(["/runlock?ms=50"] * 4, worker=1)
        queued = block.gained(1, route="/runlock", wait="runlock wait")
        slept = block.gained(1, route="/runlock", wait="timer")
        note("4 of 50 ms: %.0f ms queued, %.0f ms slept", queued / MS,
             slept / MS)
        # If all come at once; Kore itself takes up to 100 ms to run the next.
        self.assertGreaterEqual(queued, (50 + 100) * MS)
        self.assertLessEqual(queued, (150 + 300 + 450) * MS)
        self.assertGreaterEqual(slept, 4 * 49 * MS)

    def test_pushed_labels_go_with_the_wait(self):
        block = Growth(self, "block")
        with self.on_worker(1) as holder, self.on_worker(1) as labelled:
            holder.send("/locked?ms=250")
            self.assertEqual(labelled.get("/labels?ms=20").status, 200)
            self.assertEqual(holder.receive().status, 200)
        asleep = block.gained(1, route="/labels", tenant="sleeper",
                              wait="timer")
        locked = block.gained(1, route="/labels", tenant="awake", part="lock",
                              wait="mutex wait", has="app_label_waits")
        note("as tenant sleeper %.1f ms, awake %.1f ms", asleep / MS,
             locked / MS)
        self.assertGreaterEqual(asleep, 19 * MS)
        self.assertGreater(locked, 100 * MS)
        # What the handler forgot to pop does not go on.
        self.kore.get("/nap?ms=1")
        self.assertFalse([s for s in self.raw("block").samples
                          if s.route != "/labels" and "tenant" in s.labels])

    def test_rates_make_no_difference_to_the_sums(self):
        self.set_rates(block_rate=20 * MS)
        block = Growth(self, "block")
        before = self.truth()["naps"]
        for _ in range(8):
            self.at_once(["/nap?ms=%d" % (4 + i) for i in range(25)])
        after = self.truth()["naps"]
        count = block.gained(0, route="/nap")
        ns = block.gained(1, route="/nap")
        true = after[0] - before[0], after[1] - before[1]
        note("200 naps of 4 to 28 ms at a rate of 20 ms: %d, %.0f of %.0f ms",
             count, ns / MS, true[1] / MS)
        # Four standard errors: chances are 1 in 10,000 of being outside.
        self.assertNear(ns, true[1], 0.30, "time waited")
        self.assertNear(count, true[0], 0.35, "waits")

    def test_off_is_off(self):
        self.set_rates(block_rate=0, mutex_fraction=0)
        block, mutex = Growth(self, "block"), Growth(self, "mutex")
        self.at_once(["/nap", "/pgsql", "/task", "/locked", "/locked",
                      "/runlock"])
        self.assertEqual(block.gained(0), 0)
        self.assertEqual(mutex.gained(0), 0)

    def test_delta_is_what_came_meanwhile(self):
        self.kore.get("/nap?ms=50")
        delta = Later(self.named, "block?seconds=2")
        time.sleep(0.5)
        self.at_once(["/nap?ms=50"] * 5)
        raw = self.pprof.raw(delta.result().body)
        naps = [s for s in raw.samples if s.route == "/nap"]
        self.assertEqual(sum(s.count for s in naps), 5)
        self.assertGreaterEqual(sum(s.ns for s in naps), 5 * 49 * MS)


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

    def test_pprof_write_beside_a_cpu_profile(self):
        profile = Later(self.kore.profile, 3, 1000)
        with load.Driver(self.kore, ["/spin?ms=5"]):
            for which in range(6):
                answer = self.kore.get("/write?which=%d" % which)
                self.assertEqual(answer.text, "0 ok\n")
        self.assertEqual(profile.result().status, 200)


class InProgress(Concurrent):
    def test_states(self):
        """One of each kind, seen in all three forms."""
        first = [self.on_worker(1) for _ in range(8)]
        second = self.on_worker(2)
        asks = self.on_worker(1)
        for connection, path in zip(first, (
                "/locked?ms=4000", "/locked?ms=4000", "/task?ms=4000",
                "/task?ms=4000", "/task?ms=4000", "/pgsql?ms=4000", "/leak",
                "/nap?ms=4000")):
            connection.send(path)
            time.sleep(0.05)
        second.send("/spin?ms=4000")
        time.sleep(0.3)
        start = time.monotonic()
        raw = self.pprof.raw(asks.get("/debug/pprof/goroutine").body)
        text = asks.get("/debug/pprof/goroutine?debug=1").text
        dump = asks.get("/debug/pprof/goroutine?debug=2").text
        self.assertLess(time.monotonic() - start, 3.5, "it is over")
        self.check_states(raw)
        self.check_text(text, raw)
        self.check_dump(dump)
        for connection in first + [second, asks]:
            connection.close()
        harness.wait_for("the end", 10, lambda: not [
            s for s in self.raw("goroutine").samples
            if s.route in ("/locked", "/task", "/pgsql", "/leak")])

    def check_states(self, raw):
        seen = {}
        for sample in raw.samples:
            key = (sample.route, sample.labels.get("state"))
            seen[key] = seen.get(key, 0) + sample.count
        for key, count in sorted(seen.items(), key=str):
            note("%d %s", count, key)

        def count(route, state, has=None, thread=None):
            return sum(s.count for s in raw.samples if s.route == route
                       and s.labels.get("state") == state
                       and (not has or s.has(has)))
        self.assertEqual(count("/pgsql", "pgsql wait", "page_pgsql"), 1)
        self.assertEqual(count("/task", "task wait", "page_task"), 3)
        self.assertEqual(count("/locked", "task wait", "page_locked"), 2)
        self.assertEqual(count("/leak", "sleeping", "page_leak"), 1)
        self.assertEqual(count("/nap", "timer", "page_nap"), 1)
        self.assertEqual(count("/task", "task queue"), 1)
        self.assertEqual(count("/locked", "mutex wait", "app_holds_lock"), 1)
        self.assertGreaterEqual(count("/spin", "running", "app_spins"), 1)
        self.assertGreaterEqual(count(None, "epoll wait"), 0)

    def check_text(self, text, raw):
        total = int(re.match(r"goroutine profile: total (\d+)\n", text)[1])
        groups = re.findall(r"^(\d+) @( 0x[0-9a-f]+)+$", text, re.M)
        self.assertEqual(sum(int(g[0]) for g in groups), total)
        self.assertEqual([int(g[0]) for g in groups],
                         sorted((int(g[0]) for g in groups), reverse=True))
        self.assertLessEqual(abs(total - raw.count()), 2)
        self.assertRegex(text, r'# labels: \{.*"state":"pgsql wait"')

    def check_dump(self, dump):
        """As parsers of Go's dumps read it."""
        blocks = re.findall(
            r"^goroutine (\d+) \[([^\],]+)(?:, (\d+) minutes)?"
            r"(?:, [^\]]*)?\]:\n((?:.+\n\t.+\n)*)", dump, re.M)
        self.assertEqual(len(blocks), dump.count("\ngoroutine "))
        self.assertEqual(len({b[0] for b in blocks}), len(blocks))
        states = {b[1] for b in blocks}
        note("%d blocks, states: %s", len(blocks), ", ".join(sorted(states)))
        for state in ("pgsql wait", "task wait", "sleeping", "timer",
                      "running", "mutex wait", "task queue"):
            self.assertIn(state, states)
        for _, state, _, frames in blocks:
            for line in frames.splitlines():
                self.assertRegex(line, r"^\S.*\(.*\)$|^\t\S+:\d+( \+0x[0-9a-f]+"
                                       r")?$|^created by ")
        leak = next(b for b in blocks if "page_leak(" in b[3])
        self.assertRegex(leak[3], r"concurrency\.c:\d+")
        self.assertRegex(dump, r"goroutine %s: request GET /leak" % leak[0])

    def test_a_request_leak_is_found(self):
        leaks = []

        def leak(count):
            for _ in range(count):
                connection = self.kore.connect()
                connection.send("/leak")
                leaks.append(connection)

        def leaked():
            return self.raw("goroutine").count(lambda s: s.route == "/leak")
        leak(25)
        harness.wait_for("25 that sleep", 10, lambda: leaked() == 25)
        text = self.named("goroutine?debug=1").text
        found = re.findall(r'^(\d+) @.*\n# labels: \{"http.route":"/leak".*\n'
                           r"#\t0x[0-9a-f]+\t(\S+)\+", text, re.M)
        self.assertEqual(sum(int(count) for count, _ in found), 25)
        self.assertEqual({name for _, name in found}, {"page_leak"})
        delta = Later(self.named, "goroutine?seconds=2")
        time.sleep(0.7)
        leak(10)
        raw = self.pprof.raw(delta.result().body)
        self.assertEqual(raw.count(lambda s: s.route == "/leak"), 10)
        self.assertEqual(raw.count(lambda s: s.has("page_leak")), 10)
        delta = Later(self.named, "goroutine?seconds=2")
        time.sleep(0.7)
        for connection in leaks:
            connection.close()
        raw = self.pprof.raw(delta.result().body)
        self.assertEqual(raw.count(lambda s: s.route == "/leak"), -35)
        self.assertEqual(leaked(), 0)

    def test_many_short_sleeps_beside_long_ones(self):
        """Room that requests gave back is found again."""
        leaks = [self.kore.connect() for _ in range(150)]
        for connection in leaks:
            connection.send("/leak")
        result = load.Ab(self.kore, "/nap?ms=1", 40000, clients=64).wait()
        self.assertEqual((result["complete"], result["failed"],
                          result["non2xx"]), (40000, 0, 0))
        raw = self.raw("goroutine")
        note("%s", result)
        self.assertEqual(raw.count(lambda s: s.route == "/leak"), 150)
        self.assertEqual(raw.facts().get("flights_dropped", "0"), "0")
        for connection in leaks:
            connection.close()

    def test_a_long_dump_is_sent_by_turns(self):
        """Whole, also behind another on one connection; the first part of it
        is also all that a client may want."""
        leaks = [self.kore.connect() for _ in range(600)]
        for connection in leaks:
            connection.send("/leak")
        harness.wait_for("600 that sleep", 20, lambda: self.raw(
            "goroutine").count(lambda s: s.route == "/leak") == 600)
        path = "/debug/pprof/goroutine?debug=2"
        size = len(self.kore.get(path).body)
        self.assertGreater(size, 256 << 10, "more than one part")
        for _ in range(5):
            with socket.create_connection(("127.0.0.1",
                                           self.kore.port)) as client:
                client.sendall(b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n"
                               % path.encode())
                self.assertGreater(len(client.recv(1000)), 0)
        with self.kore.connect() as connection:
            for _ in range(3):
                text = connection.get(path).text
                self.assertEqual(text.count("\ngoroutine "), int(
                    re.match(r"# (\d+) in progress\n", text)[1]))
                self.assertGreater(text.count("page_leak("), 599)
                self.assertEqual(connection.get("/light").text, "light\n")
        for connection in leaks:
            connection.close()

    def test_threads_are_named_by_who_created_them(self):
        self.at_once(["/task?ms=30"] * 6, worker=1)
        raw = self.raw("threadcreate")
        made = [s for s in raw.samples if s.has("kore_task_run")]
        self.assertTrue(made)
        for sample in made:
            self.assertTrue(sample.has("page_by_task"))
            self.assertIn(sample.route, ("/task", "/locked", "/labels"))
        self.assertGreaterEqual(sum(s.count for s in made), 4)
        forked = [s for s in raw.samples if s.has("kore_worker_spawn")
                  and not s.has("http_process")]
        self.assertEqual(sum(s.count for s in forked), 2)


class Own(Concurrent):
    service = {"restarts": 1}

    def total(self):
        raw = self.raw("app.things")
        text = self.named("app.things?debug=1").text
        total = int(re.match(r"app\.things profile: total (\d+)\n", text)[1])
        self.assertEqual(raw.count(), total)
        return total

    def test_summed_over_the_workers_that_live(self):
        self.assertEqual(self.kore.get("/debug/pprof/app.things").status, 404)
        with self.on_worker(1) as first, self.on_worker(2) as second:
            self.assertEqual(first.get("/own?add=5").text, "5\n")
            self.assertEqual(second.get("/own?add=7").text, "7\n")
            self.assertEqual(self.total(), 12)
            self.assertEqual(first.get("/own?remove=2").text, "3\n")
            self.assertEqual(self.total(), 10)
            raw = self.raw("app.things")
            self.assertEqual({s.stack[0].frames[-1].function
                              for s in raw.samples}, {"page_own"})
            self.assertIn("app.things", self.kore.get("/debug/pprof/").text)
        pids = self.kore.worker_pids()
        with self.on_worker(2) as second:
            second.send("/spin?ms=5000")
            time.sleep(0.3)
            os.kill(pids[2], signal.SIGKILL)
        harness.wait_for("worker 2 again", 20, lambda:
                         self.kore.worker_pids()[2] != pids[2])
        harness.wait_for("its things to be gone", 10,
                         lambda: self.total() == 3)
        with self.on_worker(2) as second:
            self.assertEqual(second.get("/own?add=1").text, "1\n")
            self.assertEqual(self.total(), 4)
        self.assertIn("worker_2_restarts=1 last=signal 9 route=/spin "
                      "method=GET", self.raw("threadcreate").comments)


class Deaths(Concurrent):
    """What a worker was in when it was killed."""
    service = {"restarts": 2}

    def killed(self, worker):
        pid = self.kore.worker_pids()[worker]
        os.kill(pid, signal.SIGKILL)
        harness.wait_for("worker %d again" % worker, 20, lambda:
                         self.kore.worker_pids()[worker] != pid)
        return [comment for comment in self.raw("threadcreate").comments
                if comment.startswith("worker_%d_restarts" % worker)]

    def test_in_a_request_that_had_slept(self):
        # Before: worker 1 may have the accept lock while it spins.
        with self.on_worker(2) as asks, self.on_worker(1) as asleep, \
                self.on_worker(1) as connection:
            asleep.send("/leak")
            connection.send("/nap?ms=20&spin=8000")
            time.sleep(0.5)
            dump = asks.get("/debug/pprof/goroutine?debug=2").text
            request = re.search(r"goroutine (\d+): request GET /nap", dump)[1]
            block = dump[dump.index("goroutine %s [" % request):]
            block = block[:block.index("\n\n")]
            self.assertIn("[running", block)
            self.assertIn("app_spins(", block)
            self.assertEqual(self.killed(1), [
                "worker_1_restarts=1 last=signal 9 route=/nap method=GET"])

    def test_between_requests(self):
        with self.on_worker(2) as asleep:
            asleep.send("/leak")
            time.sleep(0.2)
            self.assertEqual(self.killed(2), [
                "worker_2_restarts=1 last=signal 9"])


class Shim(Concurrent):
    """An application with pprof.h, and what it meets."""
    service = None

    def test_without_the_module(self):
        with self.new_service(profiler=False) as kore:
            self.make_room_for_files(kore)
            absent = "Transport endpoint is not connected"
            self.assertEqual(kore.get("/rates").text, "-1 -1 -1\n")
            self.assertEqual(kore.get("/own?add=1").text, absent)
            self.assertEqual(kore.get("/labels").text, absent)
            self.assertEqual(kore.get("/write?which=0&direct=1").text,
                             "-1 %s\n" % absent)
            # No task and no query: Kore's sandbox, without our rules, kills
            # a worker that begins a thread or lets libpq connect.
            for path in ("/nap", "/runlock", "/spin"):
                self.assertEqual(kore.get(path).status, 200)

    def test_without_the_collector(self):
        with self.new_service(collector_replaced=True, workers=1) as kore:
            self.make_room_for_files(kore)
            self.assertEqual(kore.get("/own?add=3").text, "3\n")
            os.kill(kore.collector, signal.SIGKILL)
            self.assertEqual(kore.get("/own?add=2").text, "5\n")
            self.assertEqual(kore.get("/labels").status, 200)
            self.assertEqual(kore.get("/rates?block=3").text, "0 0 524288\n")
            start = time.monotonic()
            answer = kore.get("/write?which=0").text
            note("pprof_write after the collector's end: %r in %.1f s",
                 answer, time.monotonic() - start)
            self.assertLess(time.monotonic() - start, 15)
            harness.wait_for("a new collector", 20, lambda:
                             kore.find_collector() not in (None,
                                                           kore.collector))
            load.wait_ready(kore, "/debug/pprof/app.things")
            self.assertEqual(self.raw("app.things", kore).count(), 5)

    def test_rates_of_the_environment(self):
        env = {"PPROF_BLOCK_RATE": "1000", "PPROF_MUTEX_FRACTION": "3",
               "PPROF_HEAP_RATE": "4096"}
        with self.new_service(env=env) as kore:
            self.assertEqual(kore.get("/rates").text, "1000 3 4096\n")
            self.assertEqual(kore.get("/nap").status, 200)
            raw = self.raw("block", kore)
            self.assertTrue([s for s in raw.samples if s.route == "/nap"])


class Load(Concurrent):
    """Everything at once, in the sandbox."""

    def profiles(self, stopping, taken, bad):
        turn = 0
        paths = ["profile?seconds=1&hz=1000", "goroutine?debug=2", "block",
                 "profile?seconds=1&hz=1000", "mutex?debug=1", "goroutine",
                 "profile?seconds=1&hz=1000", "threadcreate",
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
                  "/spin?ms=1": 500, "/own?add=0": 2000, "/rates": 1000}
        stopping, taken, bad = threading.Event(), {}, []
        profiles = [Later(self.profiles, stopping, taken, bad)
                    for _ in range(2)]
        until = time.monotonic() + LOAD_S
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
        stopping.set()
        for call in profiles:
            call.result(60)
        note("requests: %s", done)
        note("profiles: %s", taken)
        self.assertEqual(failed, [])
        self.assertEqual(bad, [])
        raw = self.raw("block")
        lost = {key: value for key, value in raw.facts().items()
                if value != "0" and re.match("waits|contended|flights|labels|"
                                             "tasks|own", key)}
        note("lost: %s", lost)
        self.assertLessEqual(set(lost), {"waits_stackless"})


if __name__ == "__main__":
    with Postgres() as database:
        main()
