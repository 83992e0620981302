#!/usr/bin/env python3
# needs: alone, 17 s
"""
The flight recorder: how it is asked and switched off, and that an idle service
stays idle. Its windows: test_recorder_windows.py.
"""
import time

import harness
import workload
from case import Case, main, note

PROFILE = "/debug/pprof/profile?"


def service(hz=None, **more):
    env = {} if hz is None else {"PPROF_RECORDER_HZ": str(hz)}
    return workload.service(env=env, **more)


class Recorder(Case):
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
