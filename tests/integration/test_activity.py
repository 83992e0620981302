#!/usr/bin/env python3
# needs: sleeps, 118 s
"""
goroutine and threadcreate: what is in progress, in which state, and what
workers were in when they died.
"""
import os
import re
import resource
import signal
import socket
import time

import harness
import load
from case import Case, Later, note
from concurrency import Concurrent, main

MANY = 10000


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

    def test_what_is_known_of_a_request(self):
        first, second = self.on_worker(1), self.on_worker(2)
        second.send("/leak", method="POST", body=b"x" * 1234)
        first.send("/nap?ms=3000&first=1")
        time.sleep(1)
        raw = self.raw("goroutine")
        text = self.named("goroutine?debug=2").text
        for connection in (first, second):
            connection.close()
        leak, = [s for s in raw.samples if s.route == "/leak"]
        self.assertEqual(leak.labels["http.method"], "POST")
        self.assertEqual(leak.numbers["worker"], 2)
        self.assertNotIn("thread", leak.labels)
        # Its timer was set before it went to sleep.
        nap, = [s for s in raw.samples if s.route == "/nap"]
        self.assertEqual((nap.labels["state"], nap.labels["http.method"],
                          nap.numbers["worker"]), ("timer", "GET", 1))
        pids = set(self.kore.worker_pids().values())
        threads = {int(s.labels["thread"]) for s in raw.samples
                   if "thread" in s.labels}
        self.assertLessEqual(pids, threads | {
            int(n) for n in re.findall(r"tid (\d+)", text)})
        age, came = re.search(
            r"request POST /leak, route /leak, worker 2, pid \d+, "
            r"age ([\d.]+) s, (\d+) bytes in", text).groups()
        self.assertEqual(int(came), 1234)
        self.assertTrue(1 <= float(age) < 5, age)

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


class Many(Concurrent):
    """A service in trouble."""
    service = {"clients": MANY + 500}

    def test_all_of_them_are_seen(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        clients = []
        try:
            for _ in range(MANY):
                clients.append(socket.create_connection(
                    ("127.0.0.1", self.kore.port)))
                clients[-1].sendall(b"GET /leak HTTP/1.1\r\nhost: x\r\n\r\n")
            harness.wait_for("all asleep", 30, lambda: self.raw(
                "goroutine").count(lambda s: s.route == "/leak") == MANY)
            self.check_all()
        finally:
            for client in clients:
                client.close()
        harness.wait_for("none", 30, lambda: self.raw("goroutine").count(
            lambda s: s.route == "/leak") == 0)

    def check_all(self):
        raw = self.raw("goroutine")
        workers = {}
        for sample in raw.samples:
            if sample.route == "/leak":
                self.assertTrue(sample.has("page_leak"))
                self.assertEqual(sample.labels["state"], "sleeping")
                worker = sample.numbers["worker"]
                workers[worker] = workers.get(worker, 0) + sample.count
        note("%d asleep: %s", MANY, workers)
        self.assertEqual(sum(workers.values()), MANY)
        self.assertEqual(set(workers), {1, 2})
        self.assertEqual(raw.facts().get("flights_dropped", "0"), "0")
        text = self.named("goroutine?debug=1").text
        self.assertEqual(sum(int(n) for n in re.findall(
            r'(?m)^(\d+) @.*\n# labels: \{"http.route":"/leak"', text)), MANY)
        start = time.monotonic()
        dump = self.named("goroutine?debug=2").text
        took = time.monotonic() - start
        leaks = set(re.findall(r"(?m)^# goroutine (\d+): .*, route /leak,",
                               dump))
        self.assertEqual(len(leaks), MANY)
        self.assertLessEqual(leaks, set(re.findall(
            r"(?m)^goroutine (\d+) \[sleeping", dump)))
        note("debug=2: %d bytes in %.0f ms", len(dump), took * 1000)
        self.assertLess(took, 5)
        self.assertEqual(self.kore.get("/light").text, "light\n")


class Answers(Case):
    """Handlers that have answered, and go on."""
    BYTES = 4321

    def told(self, method):
        return re.search(
            r"request %s /answers, route /answers, .* s, "
            r"(\d+) bytes in, (\d+) bytes out\n" % method,
            self.asks.get("/debug/pprof/goroutine?debug=2").text)

    def out(self, path, method="GET", headers=None):
        """What a dump says of the request, and the answer's length."""
        with load.connection_to(self.kore, 1) as connection:
            connection.http.request(method, path, headers=headers or {})
            harness.wait_for("the request", 5, lambda: self.told(method))
            # The first time it may just have begun.
            found, length = self.told(method), None
            if not path.endswith("5"):
                length = len(connection.receive().body)
        self.assertEqual(found[1], "0")
        return int(found[2]), length

    def test_bytes_out(self):
        with harness.Service(
                ["workload.c", "answers.c", harness.PPROF],
                ["/who page_who", "/answers page_answers"],
                settings=["worker_accept_threshold 1"]) as self.kore:
            os.chmod(self.kore.root, 0o777)
            with load.connection_to(self.kore, 2) as self.asks:
                n = self.BYTES
                self.assertEqual(self.out("/answers?0"), (0, n))
                for how in (1, 3, 4):
                    self.assertEqual(self.out("/answers?%d" % how), (n, n))
                self.assertEqual(self.out("/answers?2"), (2 * n, n))
                self.assertEqual(self.out("/answers?5"), (n, None))
                self.assertEqual(self.out("/answers?1", "HEAD"), (0, 0))
                # A file that the client has.
                self.assertEqual(self.out("/answers?4", headers={
                    "if-modified-since": "Sun, 09 Sep 2001 01:46:40 GMT"}),
                    (0, 0))


class Threads(Concurrent):
    """A service whose task threads nobody has begun."""

    def test_delta_of_threadcreate(self):
        delta = Later(self.named, "threadcreate?seconds=6")
        time.sleep(0.5)
        before = self.raw("threadcreate")
        self.assertEqual(before.count(lambda s: s.has("kore_task_run")), 0)
        self.at_once(["/task?ms=200"] * 3, worker=1)
        raw = self.pprof.raw(delta.result().body)
        self.assertEqual(raw.types, ["threadcreate/count"])
        self.assertEqual(raw.count(), 3)
        for sample in raw.samples:
            self.assertTrue(sample.has("kore_task_run"))
            self.assertTrue(sample.has("page_by_task"))
            self.assertEqual(sample.route, "/task")


class Deaths(Concurrent):
    """What a worker was in when it was killed, or ended itself."""
    service = {"restarts": 3}

    def test_with_a_status(self):
        """The others may have ended it before."""
        pid = self.kore.worker_pids()[2]
        with self.on_worker(2) as connection:
            connection.send("/exit?status=3")
            harness.wait_for("worker 2 again", 20, lambda:
                             self.kore.worker_pids()[2] != pid)
        self.assertRegex("\n".join(self.raw("threadcreate").comments),
                         r"(?m)^worker_2_restarts=[12] last=exit 3 "
                         r"route=/exit method=GET$")

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
            comment, = self.killed(2)
            self.assertRegex(comment, r"^worker_2_restarts=[12] "
                                      r"last=signal 9$")


if __name__ == "__main__":
    main()
