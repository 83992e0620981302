#!/usr/bin/env python3
# needs: sleeps, 92 s
"""
A scraper as Pyroscope, Alloy and Parca are: on every interval a CPU profile of
nearly its length, and allocs, block, mutex and goroutine, which it subtracts
from those of the interval before, sample by sample. Beside it workers are
killed and modules replaced, and its questions land on one worker or the other.

Rule: what is true is what the clients have been answered; in the moment of a
kill no request is under way that counts.
"""
import os
import shutil
import signal
import time

import harness
import load
from case import Case, Later, main, note

ROUTES = ["/ page_who", "/who page_who", "/work page_work",
          "/burn page_burn", "/asleep page_asleep"]
RATES = {"PPROF_HEAP_RATE": "1", "PPROF_BLOCK_RATE": "1",
         "PPROF_MUTEX_FRACTION": "1"}
COUNTERS = ("allocs", "block", "mutex")
OBJECTS, BYTES = 10, 4000  # of scraped.c, for each request
WINDOW_S = 5
# What happens in each interval, after its work: a worker that is killed, and
# whether the module is replaced.
INTERVALS = ((None, False), (1, False), (None, True), (2, False), (1, True),
             (None, False))
ASLEEP = 3


class Scrape:
    """One answer of a counter: values by stack and labels. What is in use is
    none: it falls when a worker ends, and scrapers do not subtract it."""

    def __init__(self, raw):
        self.values, self.samples = {}, {}
        for sample in raw.samples:
            key = (tuple(l.address for l in sample.stack),
                   tuple(sorted(sample.labels.items())),
                   tuple(sorted(sample.numbers.items())))
            if key in self.values:
                raise AssertionError("one key twice: %r" % (key,))
            self.values[key] = [v for v, kind in zip(sample.values, raw.types)
                                if not kind.startswith("inuse")]
            self.samples[key] = sample

    def since(self, before):
        """[(sample, gained)]; what has vanished is a negative gain."""
        rows = []
        for key in self.values.keys() | before.values.keys():
            new = self.values.get(key)
            old = before.values.get(key)
            sample = self.samples.get(key) or before.samples[key]
            zero = [0] * len(new or old)
            rows.append((sample, [a - b for a, b in zip(new or zero,
                                                        old or zero)]))
        return rows


class ScraperDelta(Case):
    def install(self, version):
        built = harness.compile_module("scraped.c", self.path + ".next",
                                       ["-DVERSION=%d" % version])
        shutil.move(built, self.path)

    def work(self, kore):
        """[(count of requests, ns they waited)], uneven over the workers."""
        waited = []
        for worker, count in ((1, 4), (2, 7)):
            with load.connection_to(kore, worker) as connection:
                for _ in range(count):
                    answer = connection.get("/work")
                    self.assertEqual(answer.status, 200)
                    waited.append(int(answer.text.split()[0]))
        return len(waited), sum(waited)

    def burn(self, kore):
        burnt = 0
        for worker in (1, 2):
            with load.connection_to(kore, worker) as connection:
                burnt += sum(int(connection.get("/burn").text.split()[0])
                             for _ in range(8))
        return burnt

    def counters(self, kore, worker):
        with load.connection_to(kore, worker) as connection:
            found = {}
            for name in COUNTERS:
                answer = connection.get("/debug/pprof/" + name)
                self.assertEqual(answer.status, 200, name)
                found[name] = Scrape(self.pprof.raw(answer.body))
            return found

    def disturb(self, kore, killed, replaced, version):
        if replaced:
            self.install(version)
            kore.process.send_signal(signal.SIGHUP)
            wanted = len(kore.log("reloaded")) + 1
            harness.wait_for("the reload", 10,
                             lambda: len(kore.log("reloaded")) >= wanted)
            time.sleep(0.3)  # the workers as well
        if killed:
            old = kore.worker_pids()[killed]
            os.kill(old, signal.SIGKILL)
            harness.wait_for("a new worker", 10, lambda:
                             kore.worker_pids()[killed] != old)

    def interval(self, kore, number, killed, replaced):
        """One of the scraper's: what it got of CPU, and what was true."""
        asked = 3 - killed if killed else 1 + number % 2
        with load.connection_to(kore, asked) as connection:
            cpu = Later(connection.get, "/debug/pprof/profile?seconds=%d"
                        % WINDOW_S)
            begun = time.monotonic()
            time.sleep(0.2)
            burnt = self.burn(kore)
            self.assertLess(time.monotonic() - begun, WINDOW_S - 0.3,
                            "this machine is too busy to tell")
            count, waited = self.work(kore)
            self.disturb(kore, killed, replaced, number + 2)
            answer = cpu.result()
        self.assertEqual(answer.status, 200)
        raw = self.pprof.raw(answer.body)
        sampled = raw.ns(lambda s: s.has("scraped_burns"))
        return count, waited, burnt, sampled

    def check(self, number, gained, count, waited):
        """gained: {counter: [(sample, values)]}."""
        for name, rows in gained.items():
            for sample, values in rows:
                self.assertGreaterEqual(min(values), 0, (
                    number, name, sample.functions(), sample.labels))
        took = [v for s, v in gained["allocs"]
                if s.has("scraped_allocates")]
        self.assertEqual([sum(v[0] for v in took), sum(v[1] for v in took)],
                         [count * OBJECTS, count * OBJECTS * BYTES], number)
        blocked = [v for s, v in gained["block"] if s.has("scraped_locks")]
        self.assertEqual(sum(v[0] for v in blocked), count, number)
        self.assertNear(sum(v[1] for v in blocked), waited, 0.05,
                        "ns of block")
        held = [v for s, v in gained["mutex"] if s.has("scraped_holds")
                or s.has("scraped_locks")]
        self.assertEqual(sum(v[0] for v in held), count, number)

    def sleepers(self, kore):
        answer = kore.get("/debug/pprof/goroutine")
        self.assertEqual(answer.status, 200)
        raw = self.pprof.raw(answer.body)
        return sum(s.values[0] for s in raw.samples if s.route == "/asleep")

    def test_differences_are_never_negative_and_add_up(self):
        kore = harness.Service([harness.PPROF], ROUTES, env=RATES, restarts=3,
                               settings=["worker_accept_threshold 1"])
        self.path = os.path.join(kore.dir, "scraped.so")
        self.install(1)
        kore.modules.insert(0, (self.path, None))
        sampled = burnt = 0
        with kore:
            before = self.counters(kore, 1)
            for number, (killed, replaced) in enumerate(INTERVALS):
                count, waited, worked, seen = self.interval(
                    kore, number, killed, replaced)
                after = self.counters(kore, 1 + number % 2)
                self.check(number, {name: after[name].since(before[name])
                                    for name in COUNTERS}, count, waited)
                before, burnt, sampled = after, burnt + worked, sampled + seen
                note("%d: %d requests, %.1f ms waited, burnt %.2f s, "
                     "seen %.2f s", number, count, waited / 1e6,
                     worked / 1e9, seen / 1e9)
            self.assertNear(sampled, burnt, 0.1, "CPU of all intervals")
            self.check_sleepers(kore)

    def check_sleepers(self, kore):
        """A gauge: it follows, and is back at nothing."""
        connections = [kore.connect() for _ in range(ASLEEP)]
        for connection in connections:
            connection.send("/asleep")
        harness.wait_for("%d requests asleep" % ASLEEP, 10,
                         lambda: self.sleepers(kore) == ASLEEP)
        for connection in connections:
            connection.close()
        harness.wait_for("none asleep", 10,
                         lambda: self.sleepers(kore) == 0)


if __name__ == "__main__":
    main()
