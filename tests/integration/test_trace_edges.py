#!/usr/bin/env python3
# needs: sleeps, 248 s
"""
The edges of a trace: what is in progress when it begins, threads and workers
that end or start within it, and what is in progress when they do.

Rule: what ran or waited is known from what was asked of the application.
"""
import os
import signal
import time

import harness
import load
from case import Later, main, note
from postgres import Postgres
from traced import begun, Traced


class Begins(Traced):
    """A handler or a task that began before the trace, and is not over when
    the trace ends."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = load.connection_to(cls.kore, 2)
        cls.busy = load.connection_to(cls.kore, 1)

    @classmethod
    def tearDownClass(cls):
        cls.other.close()
        cls.busy.close()
        super().tearDownClass()

    def traced_within(self, path, query="seconds=1"):
        later = Later(self.busy.get, path)
        time.sleep(0.5)
        trace = self.parse(self.answer(query, self.other))
        return later, trace

    def did(self, trace, name, what):
        """Seconds, and the stacks of the waits."""
        spans = [(begin, end, stack) for g, did, begin, end, stack
                 in trace.spans() if did == what and
                 trace.goroutines()[g] == name]
        return (sum(end - begin for begin, end, _ in spans) / 1e9,
                [trace.stack(stack) for _, _, stack in spans if stack])

    def test_a_handler_in_a_system_call_waits_in_it(self):
        later = Later(self.busy.get, "/hold?3000")
        time.sleep(0.5)
        # Another one, from which it returns, before the first is read.
        within, over = [self.answer("seconds=%s" % seconds, self.other)
                        for seconds in (1, 2.5)]
        trace = self.parse(within)
        self.assertEqual(len(trace.named("GET /hold")), 1)
        waited, stacks = self.did(trace, "GET /hold", "GoSysBlock")
        ran, _ = self.did(trace, "GET /hold", "running")
        note("in nanosleep: %.3f s, running: %.3f s, in %s", waited, ran,
             stacks)
        self.assertGreater(waited, 0.9)
        self.assertLess(ran, 0.1)
        self.assertIn("page_hold", stacks[0])
        self.assertTrue(any(
            name == "path" and text.startswith("/hold, in progress for ")
            for name, text in trace.logs()), trace.logs())
        trace = self.parse(over)
        self.assertEqual(later.result().status, 200)
        hold = trace.named("GET /hold")
        self.assertEqual(len(hold), 1)
        self.assertIn(hold[0], [e.g for e in trace.of("GoEnd")])

    def test_a_handler_that_computes_runs(self):
        later, trace = self.traced_within("/spin?ms=2500")
        ran, _ = self.did(trace, "GET /spin", "running")
        self.assertEqual(later.result().status, 200)
        note("running: %.3f s", ran)
        self.assertGreater(ran, 0.9)
        self.assertEqual(len(trace.named("GET /spin")), 1)

    def test_a_task_is_on_its_thread(self):
        later, trace = self.traced_within("/task?ms=2500")
        self.assertEqual(later.result().status, 200)
        task = trace.named("task of GET /task")
        self.assertEqual(len(task), 1)
        waited, stacks = self.did(trace, "task of GET /task", "GoSysBlock")
        note("in nanosleep: %.3f s, in %s", waited, stacks)
        self.assertGreater(waited, 0.9)
        self.assertIn("app_task_naps", stacks[0])
        ready = self.did(trace, "task of GET /task", "runnable")[0]
        self.assertLess(ready, 0.1)
        # On a row of its own, with nothing else.
        rows = {e.p for e in trace.events if e.g == task[0]}
        loop = {e.p for e in trace.events
                if e.g in trace.named("worker 1 event loop")}
        self.assertEqual(rows & loop, set())

    def test_a_task_that_ends_within_the_trace(self):
        later, trace = self.traced_within("/task?ms=1000", "seconds=2")
        self.assertEqual(later.result().status, 200)
        task = trace.named("task of GET /task")
        self.assertEqual(len(task), 1)
        self.assertEqual(sum(e.g == task[0] for e in trace.of("GoEnd")), 1)
        waited, _ = self.did(trace, "task of GET /task", "GoSysBlock")
        self.assertGreater(waited, 0.3)
        self.assertLess(waited, 0.7)


class Threads(Traced):
    def test_those_that_end_are_told(self):
        later = self.begun("seconds=3")
        self.assertEqual(self.kore.get("/threads").status, 200)
        trace = self.parse(later.result())
        names = trace.goroutines()
        made = {g for g, name in names.items() if " thread " in name}
        self.assertEqual(len(made), 50)
        self.assertEqual({e.g for e in trace.of("GoEnd")} & made, made)
        # Each under its own number, in the place of the one before.
        self.assertEqual(len({names[g] for g in made}), 50)
        rows = {e.p for e in trace.events if e.g in made}
        note("50 threads on %d rows", len(rows))
        self.assertLess(len(rows), 10)
        waited = [(end - begin) / 1e6 for g, did, begin, end, _
                  in trace.spans() if g in made and did == "GoSysBlock"]
        self.assertEqual(len(waited), 50)
        self.assertGreaterEqual(min(waited), 2)


class Dies(Traced):
    """A worker that is killed, and a reload, with everything in flight."""
    service = {"restarts": 1}

    @classmethod
    def setUpClass(cls):
        Traced.database = Postgres().__enter__()
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            Traced.database.__exit__()
            Traced.database = None

    def in_flight(self, worker):
        """A task, a query, a sleeping request, and at last a handler in a
        system call within an open task and region of the application."""
        for path in ("/task?ms=30000", "/pgsql?ms=30000", "/leak",
                     "/open?30000"):
            connection = load.connection_to(self.kore, worker)
            connection.send(path)
            yield connection
            time.sleep(0.1)

    def test_a_worker_that_is_killed_and_a_reload(self):
        asked = load.connection_to(self.kore, 2)
        later = begun(self.kore, self.answer, "seconds=7", asked)
        clients = list(self.in_flight(1))
        victim = self.kore.worker_pids()[1]
        os.kill(victim, signal.SIGKILL)
        harness.wait_for("another worker", 5, lambda: len(
            self.kore.worker_pids()) == 2 and
            victim not in self.kore.worker_pids().values())
        time.sleep(1)
        tasks = [load.connection_to(self.kore, 1) for _ in range(2)]
        for connection, path in zip(tasks, ("/task?ms=1500", "/nap?ms=1500")):
            connection.send(path)
        time.sleep(0.3)
        self.kore.process.send_signal(signal.SIGHUP)
        time.sleep(2)
        for _ in range(20):
            self.kore.get("/light")
        trace = self.parse(later.result())
        for connection in clients + tasks + [asked]:
            connection.close()
        note("%s", [log for log in trace.logs()
                    if log[0] in ("worker", "modules reloaded")])
        self.assertIn(("worker", "worker 1 died: signal 9"), trace.logs())
        self.assertEqual(
            [name for name, _ in trace.logs()].count("modules reloaded"), 2)
        self.assertEqual(len(trace.named("worker 1 event loop")), 2)
        self.assertEqual(len(trace.named("worker 2 event loop")), 1)
        # What was in flight is there, and what ran has ended with its thread.
        for name in ("task of GET /task", "GET /pgsql", "GET /leak",
                     "GET /open"):
            self.assertTrue(trace.named(name), name)
        ended = {e.g for e in trace.of("GoEnd")}
        self.assertLessEqual(set(trace.named("GET /open")), ended)
        # The one of before the kill, and the one of before the reload.
        self.assertEqual(len(trace.named("task of GET /task")), 2)
        self.assertLessEqual(set(trace.named("task of GET /task")), ended)
        opened = [trace.strings[e.args["name"]]
                  for e in trace.of("UserRegion")]
        self.assertIn("left open", opened)


class DiesAtTheEdge(Traced):
    service = {"restarts": 2}

    def test_killed_as_it_begins_and_as_it_ends(self):
        asked = load.connection_to(self.kore, 2)
        for when in (0, 1):
            victim = self.kore.worker_pids()[1]
            later = Later(self.answer, "seconds=1.2", asked)
            with self.subTest(when=when):
                time.sleep(0.02 + 1.1 * when)
                os.kill(victim, signal.SIGKILL)
                trace = self.parse(later.result())
                died = ("worker", "worker 1 died: signal 9") in trace.logs()
                loops = len(trace.named("worker 1 event loop"))
                note("killed at %.2f s: %d loops of worker 1", 0.02 +
                     1.1 * when, loops)
                self.assertIn(loops, (1, 2))
                if when == 0:
                    self.assertTrue(died or loops == 1)
            harness.wait_for("another worker", 10, lambda: len(
                self.kore.worker_pids()) == 2 and
                victim not in self.kore.worker_pids().values())
        asked.close()


if __name__ == "__main__":
    main()
