#!/usr/bin/env python3
"""
The flight recorder: what was before is there at once, by window, route and
worker; and what it costs to have it on.
"""
import time

import harness
import load
import workload
from case import Case, main, note

PROFILE = "/debug/pprof/profile?"


def service(hz=None, **more):
    env = {} if hz is None else {"PPROF_RECORDER_HZ": str(hz)}
    return workload.service(env=env, **more)


class Recorder(Case):
    def share(self, used, route):
        mine = sum(used.get(r, 0) for r in ("/burn/a", "/burn/b"))
        return used.get(route, 0) / mine if mine else 0

    def test_windows_of_a_load_that_changed(self):
        with service() as kore:
            begun, before = time.monotonic(), kore.cpu()
            with load.Driver(kore, ["/burn/a"]):
                time.sleep(23)
            spent_a = kore.cpu() - before
            change = time.monotonic()
            before = kore.cpu()
            with load.Driver(kore, ["/burn/b"]):
                time.sleep(22)
            spent = kore.cpu() - before
            ago = int(time.monotonic() - change)
            whole = int(time.monotonic() - begun)
            raw, used, took = self.recorded(kore, "since=%d" % (whole + 5))
            # Whatever else the machine does meanwhile.
            self.assertNear(self.share(used, "/burn/a"),
                            spent_a / (spent_a + spent), 0.06, "all")
            self.assertNear(sum(used.values()) / 1e9,
                            float(raw.facts()["cpu_seconds_kernel"]), 0.05,
                            "by the kernel")
            self.assertEqual(raw.facts()["hz_asked"], "19")
            self.assertTrue(any(s.has("workload_alpha") and s.has("burn_a")
                                for s in raw.samples))
            # Both are in test_recorder_windows.py; here one connection.
            self.assertEqual(len({s.numbers["worker"] for s in raw.samples
                                  if s.route == "/burn/a"}), 1)
            # The names are known now.
            _, used, took = self.recorded(kore, "since=15")
            self.assertEqual(self.share(used, "/burn/b"), 1)
            self.assertLess(took, 1)
            _, used, _ = self.recorded(
                kore, "since=%d&until=%d" % (whole - 5, ago + 6))
            self.assertEqual(self.share(used, "/burn/a"), 1)
            _, used, _ = self.recorded(kore, "since=%d" % (ago - 6))
            self.assertEqual(self.share(used, "/burn/b"), 1)
            note("%.1f s of CPU for /burn/b by the kernel", spent)
            # A profile of its own beside it.
            with load.Driver(kore, ["/burn/a"]):
                raw = self.pprof.raw(kore.profile(2, 200).body)
            self.assertEqual(raw.facts()["hz_asked"], "200")
            self.assertGreater(float(raw.facts()["hz_actual"]), 150)

    def test_errors_in_one_sentence(self):
        with service() as kore:
            for query, status, words in (
                    ("since=x", 400, ('"x"', "since", "1 to 900")),
                    ("since=0", 400, ('"0"', "since")),
                    ("since=901", 400, ('"901"', "900")),
                    ("since=60&until=60", 400, ('"60"', "until", "60")),
                    ("since=60&until=-1", 400, ('"-1"', "until")),
                    ("until=60", 400, ("since",)),
                    ("since=60&seconds=3", 400, ("seconds",)),
                    ("since=60&hz=3", 400, ("hz",)),
                    ("since=900&until=800", 404, ("900", "800", "back"))):
                answer = kore.get(PROFILE + query)
                self.assertEqual(answer.status, status, query)
                self.assertEqual(answer.text.count("\n"), 1)
                self.assertEqual(answer.headers["x-go-pprof"], "1")
                for word in words:
                    self.assertIn(word, answer.text)

    def test_off(self):
        with service(0) as kore:
            answer = kore.get(PROFILE + "since=60")
            self.assertEqual(answer.status, 404)
            self.assertIn("PPROF_RECORDER_HZ", answer.text)
        for value in ("-1", "1001", "often"):
            with service(value) as kore:
                said = kore.log("PPROF_RECORDER_HZ")
                self.assertEqual(len(said), 1)
                self.assertIn('"%s"' % value, said[0])
                self.assertIn("19", said[0])

    def test_an_idle_service_hardly_wakes_anybody(self):
        with service() as kore:
            time.sleep(2)
            pids = dict(kore.worker_pids(), collector=kore.find_collector())

            def switches(pid):
                with open("/proc/%d/status" % pid) as file:
                    return sum(int(line.split()[1]) for line in file
                               if "ctxt_switches" in line)

            before = {name: switches(pid) for name, pid in pids.items()}
            used = harness.cpu_seconds(pids["collector"])
            time.sleep(10)
            woken = {name: (switches(pid) - before[name]) / 10
                     for name, pid in pids.items()}
            used = harness.cpu_seconds(pids["collector"]) - used
            note("wake-ups a second: %s; the collector's CPU: %.2f s in 10 s",
                 woken, used)
            # Twice for stalls, 0.8 times for the rings, and slices.
            self.assertLess(woken["collector"], 5)
            self.assertLess(used, 0.1)


if __name__ == "__main__":
    main()
