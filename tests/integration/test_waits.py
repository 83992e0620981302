#!/usr/bin/env python3
# needs: sleeps, 86 s
"""
Block and mutex: known waits of threads and requests, as often and as long as
the application measured them.
"""
import time

import harness
from case import Later, note
from concurrency import Concurrent, Growth, MS, main


class Waits(Concurrent):
    def setUp(self):
        self.set_rates(block_rate=1, mutex_fraction=1)

    def check_wait(self, paths, truth, worker=None, **wanted):
        """Block's gain under the labels, against the application's."""
        before, block = self.truth()[truth], Growth(self, "block")
        self.at_once(paths, worker)
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
        # As many as a worker has connections: the next would wait for one.
        # Connecting holds the event loop, and who is awake already.
        self.at_once(["/pgsql?ms=50"] * 10, worker=1)
        count, true = self.check_wait(["/pgsql?ms=50"] * 10, "queries",
                                      worker=1, route="/pgsql",
                                      wait="pgsql wait", has="page_pgsql")
        # Kore may find that the result is not whole yet, and wait again.
        self.assertGreaterEqual(count, 10)
        self.assertGreaterEqual(true[1], 10 * 50 * MS)

    def test_requests_that_end_asleep(self):
        """Their clients have gone: they have waited all the same."""
        block = Growth(self, "block")
        first = time.monotonic()
        clients = [self.kore.connect() for _ in range(5)]
        for client in clients:
            client.send("/leak")
        harness.wait_for("5 that sleep", 10, lambda: self.raw(
            "goroutine").count(lambda s: s.route == "/leak") == 5)
        asleep = time.monotonic()
        self.assertEqual(block.gained(0, route="/leak"), 0)
        time.sleep(0.3)
        closing = time.monotonic()
        for client in clients:
            client.close()
        harness.wait_for("their end", 10, lambda: self.raw(
            "goroutine").count(lambda s: s.route == "/leak") == 0)
        gone = time.monotonic()
        ns = block.gained(1, route="/leak", wait="sleeping", has="page_leak")
        note("5 that ended asleep: %.1f ms, of %.1f to %.1f ms", ns / MS,
             5e3 * (closing - asleep), 5e3 * (gone - first))
        self.assertEqual(block.gained(0, route="/leak", wait="sleeping",
                                      has="page_leak"), 5)
        self.assertGreaterEqual(ns, 5e9 * (closing - asleep))
        self.assertLessEqual(ns, 5e9 * (gone - first))

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
        before, block = self.truth(), Growth(self, "block")
        self.at_once(["/task?ms=20"] * 30, worker=1)
        after = self.truth()
        true = {name: after[name][1] - before[name][1] for name in after}
        queued = block.gained(1, route="/task", wait="task queue")
        waited = block.gained(1, route="/task", wait="task wait")
        note("30 tasks of 20 ms on 4 threads: queued %.1f ms of %.1f ms, "
             "waited %.1f ms, between %.1f and %.1f ms", queued / MS,
             true["queued"] / MS, waited / MS, true["ran"] / MS,
             true["seen"] / MS)
        for name in ("queued", "ran", "seen"):
            self.assertEqual(after[name][0] - before[name][0], 30)
        self.assertEqual(block.gained(0, route="/task", wait="task queue"), 30)
        self.assertEqual(block.gained(0, route="/task", wait="task wait"), 30)
        self.assertNear(queued, true["queued"], 0.10, "queued")
        self.assertGreater(queued, 20 * MS)
        self.assertGreaterEqual(waited, true["ran"])
        self.assertLessEqual(waited, true["seen"])

    def test_requests_that_queue_for_a_runlock(self):
        before, block = self.truth()["runlocks"], Growth(self, "block")
        self.at_once(["/runlock?ms=50"] * 4, worker=1)
        after = self.truth()["runlocks"]
        true = after[0] - before[0], after[1] - before[1]
        count = block.gained(0, route="/runlock", wait="runlock wait")
        queued = block.gained(1, route="/runlock", wait="runlock wait",
                              has="page_runlock")
        slept = block.gained(1, route="/runlock", wait="timer")
        note("4 of 50 ms: %d waits of %d, queued %.1f ms of %.1f ms, slept "
             "%.0f ms", count, true[0], queued / MS, true[1] / MS, slept / MS)
        self.assertEqual(count, true[0])
        self.assertGreaterEqual(count, 3)
        self.assertNear(queued, true[1], 0.10, "queued")
        self.assertGreaterEqual(queued, (49 + 98) * MS)
        self.assertGreaterEqual(slept, 4 * 49 * MS)

    def test_delta_of_mutex(self):
        """What was charged before is not in it."""
        self.at_once(["/locked?ms=20"] * 4)
        delta = Later(self.named, "mutex?seconds=6")
        time.sleep(0.5)
        mutex = Growth(self, "mutex")
        self.at_once(["/locked?ms=20"] * 8)
        charged = mutex.gained(1, route="/locked", has="app_holds_lock")
        count = mutex.gained(0, route="/locked", has="app_holds_lock")
        raw = self.pprof.raw(delta.result().body)
        held = [s for s in raw.samples if s.has("app_holds_lock")]
        note("mutex: %d contentions, %.1f ms", count, charged / MS)
        # They begin to wait one after the other, the first at once.
        self.assertGreater(charged, 6 * 20 * MS)
        self.assertEqual(sum(s.count for s in held), count)
        self.assertEqual(sum(s.ns for s in held), charged)
        self.assertEqual({s.route for s in held}, {"/locked"})

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
                          if s.route not in ("/labels", "/tenant")
                          and "tenant" in s.labels])

    def test_pushed_labels_are_in_every_profile(self):
        """The handler's, and those of the task that inherits them."""
        self.set_rates(heap_rate=65536)
        cpu = Later(self.kore.profile, 2, 500)
        time.sleep(0.3)
        tasks = Later(self.at_once, ["/tenant?ms=300"] * 3, worker=1)
        bodies = []
        while tasks.is_alive():
            bodies.append(self.named("goroutine").body)
            time.sleep(0.02)
        tasks.result()
        seen = {(s.labels["state"], s.has("app_task_works"))
                for body in bodies[::max(1, len(bodies) // 20)]
                for s in self.pprof.raw(body).samples
                if s.labels.get("tenant") == "gold"
                and s.route == "/tenant"}
        self.set_rates(heap_rate=524288)
        note("goroutine: %s", sorted(seen))
        self.assertLessEqual({("mutex wait", True), ("sleep", True),
                              ("task wait", False)}, seen)
        for name, function, callers in (
                ("profile", "app_spins", {"page_tenant", "app_task_works"}),
                ("allocs", "malloc", {"page_tenant", "app_task_works"}),
                ("block", "app_holds_lock", {"app_task_works"}),
                ("mutex", "app_holds_lock", {"app_task_works"})):
            raw = self.pprof.raw(cpu.result().body) if name == "profile" \
                else self.raw(name)
            gold = [s for s in raw.samples
                    if s.labels.get("tenant") == "gold"]
            self.assertEqual({s.route for s in gold}, {"/tenant"}, name)
            found = {caller for s in gold for caller in callers
                     if s.has(caller) and (s.has(function)
                                           or function == "malloc")}
            self.assertEqual(found, callers, name)
            self.assertFalse([s for s in raw.samples if s.has(
                "app_task_works") and s.labels.get("tenant") != "gold"], name)

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


if __name__ == "__main__":
    main()
