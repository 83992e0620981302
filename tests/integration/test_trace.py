#!/usr/bin/env python3
# needs: sleeps, 290 s
"""
The execution trace of real Kore: opened by the real `go tool trace`, held
against the rules of the format by tracefile.py, and compared with what is
known of the service that it shows.

Rule: what is compared was measured by the kernel or follows from what was
asked; a busy machine makes waits longer, never shorter.
"""
import os
import time

import load
from case import Later, main, note
from gotrace import GoTrace, PAGES
from perfetto import Perfetto
from postgres import Postgres
from traced import begun, TRACE, Traced
from tracefile import STARTS

def process_clock(pid):
    """CPU time of the process, and how long its threads were ready to run and
    had no core; both in seconds."""
    waited = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, tid)) as file:
            waited += int(file.read().split()[1])
    return time.clock_gettime(~pid << 3 | 2), waited / 1e9


class WhatIsKnown(Traced):
    """Requests whose number and waits are known."""

    @classmethod
    def setUpClass(cls):
        cls.database = Postgres().__enter__()
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            cls.database.__exit__()
            Traced.database = cls.database = None

    def test_every_request_served_is_a_goroutine_that_ended(self):
        later = self.begun("seconds=5")
        served = load.Ab(self.kore, "/light", 5000).wait()
        answer = later.result()
        self.assertEqual((served["complete"], served["failed"]), (5000, 0))
        trace = self.parse(answer)
        self.assertEqual(trace.lost, 0)
        light = set(trace.named("GET /light"))
        self.assertEqual(len(light), 5000)
        self.assertEqual({trace.strings[e.label]
                          for e in trace.of("GoStartLabel")
                          if e.args["g"] in light}, {"GET /light"})
        self.assertEqual(
            sum(e.g in light for e in trace.of("GoEnd")), 5000)
        self.assertEqual(answer.headers["content-disposition"],
                         'attachment; filename="trace"')
        events = len(trace.events)
        note("%d requests: %.1f bytes each, %.2f an event; all pages of Go:",
             len(light), len(answer.body) / 5000, len(answer.body) / events)
        self.assertLess(len(answer.body) / 5000, 200)
        self.assertLess(len(answer.body) / events, 8)
        note("%s", trace.go)
        self.assertLessEqual(set(PAGES), set(trace.go))
        with GoTrace(answer.body) as go:
            self.assertEqual(go.goroutines()["GET /light"], 5000)
            self.assertEqual(go.tasks()["GET /light"], 5000)
            self.assertIn("epoll_wait", go.profile("net"))

    def test_waits_are_as_long_as_they_were_and_of_their_kind(self):
        later = self.begun("seconds=4")
        for _ in range(5):
            for path in ("/hold?20", "/task?ms=50", "/pgsql?ms=50",
                         "/nap?ms=30"):
                self.assertEqual(self.kore.get(path).status, 200)
        answer = later.result()
        trace = self.parse(answer)
        names = trace.goroutines()

        def waits(name, what, leaf, number, ms, early=0):
            found = [(end - begin) / 1e6
                     for g, did, begin, end, stack in trace.spans()
                     if names[g] == name and did == what and
                     trace.stack(stack)[0] == leaf]
            note("%s in %s: %s ms", name, leaf,
                 " ".join("%.1f" % each for each in found))
            self.assertEqual(len(found), number, name)
            for each in found:
                self.assertGreaterEqual(each, ms - early, name)
                self.assertLess(each, ms + 40, name)

        waits("GET /hold", "GoSysBlock", "nanosleep", 5, 20)
        waits("task of GET /task", "GoSysBlock", "nanosleep", 5, 50)
        waits("GET /task", "GoBlockRecv", "[task wait]", 5, 50, 1)
        waits("GET /pgsql", "GoBlockNet", "[pgsql wait]", 5, 50, 1)
        # Kore's timers are of whole milliseconds, and come up to one early.
        waits("GET /nap", "GoSleep", "[timer]", 5, 30, 2)
        with GoTrace(answer.body) as go:
            count, ns = go.profile("syscall")["nanosleep"]
            self.assertEqual(count, 10)
            self.assertGreaterEqual(ns, 5 * 70e6)
            self.assertLessEqual(ns, 5 * 70e6 + 10 * 40e6)
            for kind, leaf in (("sync", "[task wait]"),
                               ("net", "[pgsql wait]")):
                count, ns = go.profile(kind)[leaf]
                self.assertEqual(count, 5)
                self.assertGreaterEqual(ns, 5 * 49e6)
                self.assertLessEqual(ns, 5 * 90e6)

    def test_a_request_behind_another_waits_for_it(self):
        """Two come while a third keeps the loop: one of them runs first."""
        held = [load.connection_to(self.kore, 1) for _ in range(3)]
        later = self.begun("seconds=2")
        held[0].send("/hold?100")
        time.sleep(0.03)
        for connection in held[1:]:
            connection.send("/hold?100")
        for connection in held:
            self.assertEqual(connection.receive().status, 200)
            connection.close()
        answer = later.result()
        trace = self.parse(answer)
        holds = set(trace.named("GET /hold"))
        waited = sorted((end - begin) / 1e6 for g, did, begin, end, _
                        in trace.spans() if g in holds and did == "runnable")
        with GoTrace(answer.body) as go:
            sched = sum(ns for _, ns in go.profile("sched").values()) / 1e6
        note("ready to run: %.1f ms, Go's sum of all: %.1f ms", waited[-1],
             sched)
        self.assertGreaterEqual(waited[-1], 99)
        self.assertLess(waited[-1], 180)
        self.assertGreaterEqual(sched, 99)

    def test_the_stack_of_a_wait_has_the_handler_and_ends_in_its_request(self):
        later = self.begun("seconds=2")
        self.kore.get("/pgsql?ms=20")
        trace = self.parse(later.result())
        stacks = [trace.stack(e.stk) for e in trace.of("GoBlockNet")
                  if trace.goroutines()[e.g] == "GET /pgsql"]
        self.assertTrue(stacks)
        for stack in stacks:
            self.assertIn("page_pgsql", stack)
            self.assertEqual(stack[-1], "GET /pgsql")

    def test_a_task_is_created_by_its_request(self):
        later = self.begun("seconds=2")
        self.kore.get("/task?ms=20")
        trace = self.parse(later.result())
        tasks = set(trace.named("task of GET /task"))
        self.assertEqual(len(tasks), 1)
        created = [e for e in trace.of("GoCreate") if e.args["g"] in tasks]
        self.assertEqual(trace.goroutines()[created[0].g], "GET /task")
        self.assertIn("page_task", trace.stack(created[0].stk))
        # Its thread does nothing after it, and is not shown as running.
        thread = [n for n in trace.goroutines().values() if " thread " in n]
        self.assertEqual(len(thread), 1)
        self.assertGreater(trace.seconds("GoBlockCond", thread[0]), 1)
        self.assertLess(trace.seconds("running", thread[0]), 0.1)

    def test_tasks_regions_and_logs_of_the_application(self):
        later = self.begun("seconds=2")
        for _ in range(3):
            self.assertEqual(self.kore.get("/mine").status, 200)
        answer = later.result()
        trace = self.parse(answer)
        self.assertEqual(trace.logs().count(("invoice", "number 4711")), 3)
        regions = [(trace.strings[e.args["name"]], e.mode)
                   for e in trace.of("UserRegion")]
        self.assertEqual(regions, 3 * [("render", 0), ("sum", 0), ("sum", 1),
                                       ("render", 1)])
        parents = {e.task: e.parent for e in trace.of("UserTaskCreate")
                   if trace.strings[e.args["name"]] == "invoice"}
        self.assertEqual(len(parents), 3)
        own = {e.task for e in trace.of("UserTaskCreate")
               if trace.strings[e.args["name"]] == "GET /mine"}
        self.assertEqual(set(parents.values()), own)
        with GoTrace(answer.body) as go:
            self.assertEqual(go.tasks()["invoice"], 3)
            self.assertEqual(go.tasks()["GET /mine"], 3)
            self.assertIn("render", go.get("/userregions").text)

    def test_what_runs_is_the_cpu_time(self):
        """Busy for a part of the time, so that there is always a core: both
        workers, and a task thread of each."""
        with load.Driver(self.kore, ["/spin?ms=10", "/crunch?ms=10"],
                         worker=1, duty=0.3), \
                load.Driver(self.kore, ["/spin?ms=10", "/crunch?ms=10"],
                            worker=2, duty=0.3):
            pids = self.kore.worker_pids().values()
            time.sleep(0.5)
            cpu, waited = map(sum, zip(*map(process_clock, pids)))
            answer = self.answer("seconds=3")
            after, late = map(sum, zip(*map(process_clock, pids)))
        cpu, waited = after - cpu, late - waited
        trace = self.parse(answer)
        names = trace.goroutines().values()
        self.assertIn("task of GET /crunch", names)
        ran = sum(end - begin for _, begin, end in running_on(trace)) / 1e9
        note("the workers ran %.4f s in the trace, %.4f s by the kernel, "
             "which let them wait for a core %.4f s", ran, cpu, waited)
        self.assertGreater(cpu, 0.3)
        self.assertGreater(ran, cpu * 0.97)
        self.assertLess(ran, (cpu + waited) * 1.03)

    def test_perfetto_has_the_same_rows_and_requests(self):
        later = begun(self.kore, self.kore.get,
                      TRACE + "seconds=3&format=perfetto")
        self.assertEqual(load.Ab(self.kore, "/light", 200).wait()["failed"], 0)
        for path in ("/task?ms=50", "/pgsql?ms=50", "/hold?20", "/mine"):
            self.assertEqual(self.kore.get(path).status, 200)
        answer = later.result()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-disposition"],
                         'attachment; filename="trace.perfetto-trace"')
        trace = Perfetto(answer.body)
        note("%d bytes, rows: %s", len(answer.body), trace.rows.values())
        for row in ("worker 1", "worker 2", "worker 1 event loop",
                    "worker 2 event loop", "heap in use", "asleep", "invoice"):
            self.assertIn(row, trace.rows.values())
        self.assertEqual(len(trace.named("GET /light")), 200)
        holds = [s for s in trace.named("nanosleep")
                 if s.end - s.begin < 40e6]
        self.assertTrue(any(s.end - s.begin >= 20e6 for s in holds), holds)
        waits = trace.named("[pgsql wait]")
        self.assertEqual([s.end - s.begin >= 49e6 for s in waits], [True])
        self.assertEqual(trace.rows[waits[0].row], "asleep")
        # An arrow from the request to its task and back.
        task = trace.named("task of GET /task")
        self.assertEqual(len(task), 1)
        runs = [s for s in trace.named("GET /task") if s.flows]
        self.assertGreaterEqual(len(runs), 2)
        self.assertEqual({tuple(s.flows) for s in runs + task},
                         {tuple(task[0].flows)})
        self.assertTrue(runs[0].begin < task[0].begin < runs[-1].begin)
        self.assertEqual([s.depth for s in trace.named("render")], [1])
        self.assertEqual([s.depth for s in trace.named("sum")], [2])
        self.assertIn(("invoice", "number 4711"),
                      [(name, text) for _, name, _, text in trace.moments])
        self.assertTrue(trace.numbers)

    def test_two_traces_at_once(self):
        first = self.begun("seconds=3")
        second = self.begun("seconds=1")
        self.kore.get("/light")
        small, large = (self.parse(each.result()) for each in (second, first))
        for trace in small, large:
            self.assertEqual(len(trace.named("GET /light")), 1)
        self.assertEqual(len(large.named("worker 1 event loop")), 1)
        self.assertGreater(large.events[-1].ts - large.events[0].ts,
                           small.events[-1].ts - small.events[0].ts)

    def test_cpu_samples_are_of_what_ran(self):
        profile = Later(self.kore.profile, 4, 100)
        time.sleep(0.3)
        with load.Driver(self.kore, ["/spin?ms=20"], duty=0.5):
            trace = self.parse(self.answer("seconds=2"))
        profile.result()
        names = trace.goroutines()
        spun = [s for s in trace.samples if names[s.args["g"]] == "GET /spin"]
        note("%d CPU samples, %d of /spin", len(trace.samples), len(spun))
        self.assertGreater(len(spun), 20)
        # One in the unwinder has its leaf alone.
        self.assertGreater(sum("page_spin" in trace.stack(sample.stk)
                               for sample in spun), len(spun) * 0.9)
        for sample in spun:
            self.assertEqual(trace.stack(sample.stk)[-1], "GET /spin")
            self.assertTrue(trace.events[0].ts < sample.real <
                            trace.events[-1].ts + 1e9)

    def test_the_heaps_line(self):
        with load.Driver(self.kore, ["/light"], duty=0.5):
            trace = self.parse(self.answer("seconds=2"))
        self.assertGreater(len(trace.of("HeapAlloc")), 10)

    def test_a_request_that_another_wakes(self):
        with load.connection_to(self.kore, 1) as one, \
                load.connection_to(self.kore, 1) as other:
            later = self.begun("seconds=2")
            one.send("/rests")
            time.sleep(0.2)
            self.assertEqual(other.get("/wakes").status, 200)
            self.assertEqual(one.receive().status, 200)
            trace = self.parse(later.result())
        rests = trace.named("GET /rests")
        slept = [((end - begin) / 1e6, trace.stack(stack))
                 for g, did, begin, end, stack in trace.spans()
                 if g in rests and did == "GoBlockCond"]
        self.assertEqual(len(slept), 1)
        self.assertEqual(slept[0][1][0], "[sleeping]")
        self.assertIn("page_rests", slept[0][1])
        self.assertGreater(slept[0][0], 150)
        # Who woke it says where.
        woken = [e for name in ("GoUnblock", "GoUnblockLocal")
                 for e in trace.of(name) if e.args["g"] in rests]
        self.assertEqual([trace.goroutines()[e.g] for e in woken],
                         ["GET /wakes"])
        self.assertIn("page_wakes", trace.stack(woken[0].stk))


def running_on(trace):
    """(P, begin, end) of all that ran."""
    since = {}
    for e in trace.events:
        if e.name in STARTS:
            since[e.p] = e.ts
        elif e.p in since and e.name in (
                "GoEnd", "GoSched", "GoSysBlock", "GoSleep", "GoBlockRecv",
                "GoBlockSync", "GoBlockCond", "GoBlockNet"):
            yield e.p, since.pop(e.p), e.ts


if __name__ == "__main__":
    main()
