#!/usr/bin/env python3
# needs: alone, 15 s
"""
What the module takes for an application's threads: no descriptor, and no timer
that outlives its thread.
"""
import os
import time

import harness
from case import Case, Later, main, note

ROUTES = ["/ page_ok", "/sleepers page_sleepers", "/short page_short"]
THREADS = 100
DESCRIPTORS = 96


def service(production, settings=()):
    return harness.Service(["crowd.c", harness.PPROF], ROUTES, workers=1,
                           production=production, settings=settings)


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def threads(pid):
    return len(os.listdir("/proc/%d/task" % pid))


def timers(pid):
    with open("/proc/%d/timers" % pid) as file:
        return sum(line.startswith("ID:") for line in file)


def signals_wait(pid):
    """Whether one that was sent has not been taken, of any thread."""
    found = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task)) as file:
            for line in file:
                if line.startswith(("SigPnd", "ShdPnd")):
                    found |= int(line.split()[1], 16)
    return found


class Threads(Case):
    def few_descriptors(self, production):
        """As many threads as there may be descriptors: the service answers
        while its CPU is profiled at 1000 Hz."""
        with service(production,
                     ["worker_rlimit_nofiles %d" % DESCRIPTORS]) as kore:
            pid = kore.worker_pids()[1]
            self.assertEqual(
                kore.get("/sleepers?n=%d" % THREADS).status, 200)
            before = descriptors(pid)
            later = Later(kore.profile, 3, 1000)
            most = 0
            for _ in range(20):
                self.assertEqual(kore.get("/short?n=5&us=2000").status, 200)
                most = max(most, descriptors(pid))
                time.sleep(0.05)
            self.assertEqual(later.result().status, 200)
            note("%d threads: %d descriptors, %d at most while profiled",
                 threads(pid), before, most)
            # Those of the client, and of its profile.
            self.assertLessEqual(most - before, 4)

    def test_few_descriptors(self):
        self.few_descriptors(production=False)

    def test_few_descriptors_in_production(self):
        self.few_descriptors(production=True)

    def test_ten_thousand_threads_leave_no_timer(self):
        with service(True) as kore:
            pid = kore.worker_pids()[1]
            later = Later(kore.get, "/short?n=10000&us=50", timeout=120)
            rates = [100, 1000, 250, 5000]
            while later.is_alive():
                connection = kore.connect()
                connection.get("/debug/pprof/profile?seconds=1&hz=%d"
                               % rates[0])
                rates.append(rates.pop(0))
                connection.close()
            self.assertEqual(later.result().status, 200)
            time.sleep(0.2)
            note("%d threads, %d timers", threads(pid), timers(pid))
            # A thread has at most two: by its CPU clock, and above the tick.
            self.assertLessEqual(timers(pid), 2 * threads(pid))
            self.assertEqual(signals_wait(pid), 0)


if __name__ == "__main__":
    main()
