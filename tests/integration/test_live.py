#!/usr/bin/env python3
# needs: sleeps, 67 s
"""
/debug/pprof/routes: counts, times, CPU and allocations by route, against what
ab has sent and what the handlers are known to take.
"""
import json
import os
import signal
import time

import harness
import load
from case import Case, Later, main, note

ROUTES = ["/quick page_quick", "/nap page_nap", "/asleep page_asleep",
          "/never page_never"]
COUNTERS = ("requests", "abandoned", "ns", "running_ns", "alloc_objects",
            "alloc_bytes")
MS = 1000000


def read(kore):
    answer = kore.get("/debug/pprof/routes")
    if answer.status != 200:
        raise AssertionError(repr(answer))
    return json.loads(answer.text)


def row(state, route, method="GET"):
    for each in state["routes"]:
        if (each["route"], each["method"]) == (route, method):
            return each
    return None


def quantile(state, each, part, before=None):
    """[least, most) ns of the time that `part` of the requests did not
    exceed, from the buckets."""
    counts = dict(map(tuple, each["times"]))
    for bucket, count in (before or {}).get("times", []):
        counts[bucket] -= count
    wanted, seen = part * sum(counts.values()), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            bounds = [0] + state["bounds_ns"] + [None]
            return bounds[bucket], bounds[bucket + 1]
    return None


class Live(Case):
    def service(self, **more):
        more.setdefault("settings", ["worker_accept_threshold 1"])
        return harness.Service(["naps.c", harness.PPROF], ROUTES, **more)

    def assertGrown(self, after, before):
        for old in before["routes"]:
            new = row(after, old["route"], old["method"])
            for key in COUNTERS:
                self.assertGreaterEqual(new[key], old[key], (new, old))
            counts = dict(map(tuple, new["times"]))
            for bucket, count in old["times"]:
                self.assertGreaterEqual(counts[bucket], count)

    def test_counts_are_the_requests_that_were_sent(self):
        with self.service() as kore:
            sent = {"/quick": 20000, "/asleep": 300}
            jobs = [load.Ab(kore, path, count)
                    for path, count in sent.items()]
            seen = [read(kore)]
            while any(job.process.poll() is None for job in jobs):
                time.sleep(0.1)
                seen.append(read(kore))
                self.assertGrown(seen[-1], seen[-2])
            for job in jobs:
                result = job.wait()
                self.assertEqual((result["failed"], result["non2xx"]), (0, 0))
            state = read(kore)
            for path, count in sent.items():
                each = row(state, path)
                self.assertEqual((each["requests"], each["in_flight"],
                                  each["abandoned"]), (count, 0, 0))
                self.assertEqual(sum(n for _, n in each["times"]), count)
                self.assertLessEqual(each["running_ns"], each["ns"])
            asking = row(state, "^/debug/pprof(/.*)?$")
            # The one that asks has not ended, and is the only one.
            self.assertEqual((asking["requests"], asking["in_flight"]),
                             (len(seen), 1))
            self.assertEqual([w["pid"] for w in state["workers"]],
                             [kore.worker_pids()[n] for n in (1, 2)])
            note("%d answers while it ran, the last of %d bytes", len(seen),
                 len(json.dumps(state)))

    def test_times_are_in_the_right_bucket(self):
        with self.service() as kore:
            for path in ("/nap", "/asleep"):
                load.Ab(kore, path, 60, clients=1).wait()
            load.Ab(kore, "/quick", 2000, clients=1).wait()
            state = read(kore)
            bounds = state["bounds_ns"]
            self.assertEqual(bounds, sorted(set(bounds)))
            for path in ("/nap", "/asleep"):
                each = row(state, path)
                low, high = quantile(state, each, 0.5)
                note("%s: p50 in %.2f-%.2f ms, mean %.2f ms", path, low / MS,
                     high / MS, each["ns"] / 60 / MS)
                # No nap is shorter; a busy machine makes some longer.
                self.assertLessEqual(quantile(state, each, 0.01)[1], 40 * MS)
                self.assertGreater(quantile(state, each, 0.001)[1], 20 * MS)
                self.assertLessEqual(low, 25 * MS)
                self.assertGreaterEqual(quantile(state, each, 0.99)[1],
                                        20 * MS)
                self.assertGreaterEqual(each["ns"], 60 * 19 * MS)
            self.assertGreaterEqual(row(state, "/nap")["running_ns"],
                                    60 * 20 * MS)
            # Asleep is not inside the handler.
            self.assertLess(row(state, "/asleep")["running_ns"], 60 * 5 * MS)
            self.assertLess(quantile(state, row(state, "/quick"), 0.5)[1],
                            5 * MS)

    def test_in_flight_and_clients_that_leave(self):
        with self.service() as kore:
            waiting = [kore.connect() for _ in range(5)]
            for connection in waiting:
                connection.send("/never")
            harness.wait_for("five in flight", 10, lambda: (
                row(read(kore), "/never") or {}).get("in_flight") == 5)
            for connection in waiting[:3]:
                connection.close()
            harness.wait_for("three that left", 10, lambda: row(
                read(kore), "/never")["abandoned"] == 3)
            self.assertEqual(row(read(kore), "/never")["in_flight"], 2)
            for connection in waiting[3:]:
                connection.close()

    def test_a_killed_worker_takes_nothing_back(self):
        with self.service(restarts=1) as kore:
            load.Ab(kore, "/quick", 5000).wait()
            waiting = [kore.connect() for _ in range(8)]
            for connection in waiting:
                connection.send("/never")
            harness.wait_for("eight in flight", 10, lambda: (
                row(read(kore), "/never") or {}).get("in_flight") == 8)
            before = read(kore)
            dead = kore.worker_pids()[1]
            os.kill(dead, signal.SIGKILL)
            harness.wait_for("its successor", 20, lambda: kore.worker_pids()[1]
                             != dead)
            load.wait_ready(kore, "/quick")
            for _ in range(20):
                after = read(kore)
                self.assertGrown(after, before)
                time.sleep(0.02)
            old, new = row(before, "/quick"), row(after, "/quick")
            self.assertGreaterEqual(new["requests"], 5001)
            self.assertGreaterEqual(new["requests"], old["requests"] + 1)
            each = row(after, "/never")
            self.assertEqual(each["in_flight"] + each["abandoned"], 8)
            self.assertEqual(
                [w["generation"] for w in after["workers"]],
                [w["generation"] + (w["worker"] == 1)
                 for w in before["workers"]])
            for connection in waiting:
                connection.close()

    def test_cpu_and_allocations_are_known_by_route(self):
        modules = ["workload.c", harness.PPROF]
        routes = ["/burn/a burn_a", "/light page_light"]
        with harness.Service(modules, routes, env={
                "PPROF_HEAP_RATE": "512", "PPROF_RECORDER_HZ": "0"},
                settings=["worker_accept_threshold 1"]) as kore:
            load.Ab(kore, "/light", 2000).wait()
            state = read(kore)
            self.assertIs(state["cpu_sampled"], False)
            self.assertIsNone(row(state, "/light")["cpu_ns"])
            self.assertGreater(row(state, "/light")["alloc_bytes"], 0)
            self.assertGreater(row(state, "/light")["alloc_objects"], 0)
            profile = Later(kore.profile, 3)
            burning = load.Ab(kore, "/burn/a", 40, clients=2)
            time.sleep(2)
            state = read(kore)
            raw = self.pprof.raw(profile.result().body)
            burning.wait()
            self.assertIs(state["cpu_sampled"], True)
            cpu = {r["route"]: r["cpu_ns"] for r in state["routes"]}
            self.assertGreater(cpu["/burn/a"], 0.5 * sum(cpu.values()))
            note("of %.2f s CPU: /burn/a %.2f s; in the whole profile %.2f s",
                 sum(cpu.values()) / 1e9, cpu["/burn/a"] / 1e9,
                 raw.ns(lambda s: s.route == "/burn/a") / 1e9)
            self.assertLessEqual(
                cpu["/burn/a"],
                1.02 * raw.ns(lambda s: s.route == "/burn/a") + 40 * MS)

    def test_the_flight_recorder_knows_shares_of_cpu(self):
        with harness.Service(["workload.c", harness.PPROF],
                             ["/burn/a burn_a", "/burn/b burn_b"]) as kore:
            burning = [load.Ab(kore, "/burn/" + which, count, clients=1)
                       for which, count in (("a", 200), ("b", 200))]
            for ab in burning:
                ab.wait()
            # It looks every two seconds.
            time.sleep(2.5)
            state = read(kore)
            self.assertIs(state["cpu_sampled"], True)
            cpu = {r["route"]: r["cpu_ns"] for r in state["routes"]}
            note("/burn/a %.2f s, /burn/b %.2f s",
                 cpu["/burn/a"] / 1e9, cpu["/burn/b"] / 1e9)
            for route in ("/burn/a", "/burn/b"):
                self.assertGreater(cpu[route], 0.2 * sum(cpu.values()))

    def test_asking_each_second_is_cheap(self):
        with self.service() as kore:
            load.Ab(kore, "/quick", 2000).wait()
            turns = 200
            pids = list(kore.worker_pids().values()) + [kore.collector]
            used = sum(map(harness.cpu_seconds, pids))
            for _ in range(turns):
                size = len(kore.get("/debug/pprof/routes").body)
            used = sum(map(harness.cpu_seconds, pids)) - used
            note("%.2f ms of CPU for an answer of %d bytes",
                 used / turns * 1000, size)
            # Once a second: half a percent of a core.
            self.assertLess(used / turns, 0.005)


if __name__ == "__main__":
    main()
