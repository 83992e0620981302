#!/usr/bin/env python3
# needs: alone, 22 s
"""
The accounts that stand beside samples: CPU time of the workers' children, and
what the doctor holds against the kernel's clocks before the recorder has put
its first slice away.
"""
import json
import os
import re
import signal
import struct
import tempfile
import time

import harness
from case import Case, Later, main, note

DOCTOR = "/debug/pprof/doctor?format=json"


class Accounts(Case):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile()

    def tearDown(self):
        self.file.close()

    def service(self, **more):
        return harness.Service(
            ["slow.c", harness.PPROF], env={"SLOW_RUNS": self.file.name},
            routes=["/slow page_slow", "/child page_child", "/who page_who"],
            **more)

    def known(self):
        """Seconds of CPU, by the handlers' own account."""
        with open(self.file.name, "rb") as file:
            count, = struct.unpack("Q", file.read(8))
            return sum(run[3] for run in struct.iter_unpack(
                "4Q", file.read(32 * count))) / 1e9

    def finding(self, kore, name):
        for found in json.loads(kore.get(DOCTOR).text)["findings"]:
            if found["name"] == name:
                return found["sentence"]
        return ""

    def check_children(self, kore):
        self.assertEqual(self.finding(kore, "cpu_children"), "")
        profile = Later(kore.profile, 4)
        time.sleep(0.3)
        for ms in (300, 1, 100, 250, 20):
            self.assertEqual(kore.get("/child?%d" % ms).status, 200)
        facts = self.pprof.raw(profile.result().body).facts()
        seen, known = float(facts["cpu_seconds_children"]), self.known()
        note("children: %.3f s of %.3f s; workers %s s", seen, known,
             facts["cpu_seconds_kernel"])
        self.assertNear(seen, known, 0.02, "CPU of children")
        self.assertLess(float(facts["cpu_seconds_kernel"]), 0.3 * known)
        sentence = self.finding(kore, "cpu_children")
        note("%s", sentence)
        used = float(re.search(r"used ([\d.]+) s", sentence)[1])
        self.assertNear(used, known, 0.03, "the doctor's")
        # A second window has those of its own only.
        answer = kore.profile(1)
        facts = self.pprof.raw(answer.body).facts()
        self.assertEqual(float(facts["cpu_seconds_children"]), 0)

    def test_cpu_of_children(self):
        for production in (False, True):
            with self.subTest(production=production), \
                    self.service(production=production) as kore:
                self.check_children(kore)
            self.file.truncate(0)

    def test_children_of_a_worker_that_died(self):
        with self.service(workers=1, restarts=1) as kore:
            profile = Later(kore.profile, 6)
            time.sleep(0.3)
            kore.get("/child?400")
            pid = kore.worker_pids()[1]
            time.sleep(0.2)  # its loop turns
            os.kill(pid, signal.SIGKILL)
            harness.wait_for("another", 20,
                             lambda: kore.worker_pids()[1] != pid)
            kore.get("/child?300")
            kore.get("/who")
            # Its client has gone with the worker; the recorder has it.
            profile.join(30)
            sentence = self.finding(kore, "cpu_children")
            note("%s", sentence)
            used = float(re.search(r"used ([\d.]+) s", sentence)[1])
            self.assertNear(used, self.known(), 0.03, "of both")

    def test_before_the_first_slice_is_away(self):
        for production in (False, True):
            with self.subTest(production=production), \
                    self.service(production=production) as kore:
                began = time.monotonic()
                while self.known() < 2:
                    kore.get("/slow?200")
                sentence = self.finding(kore, "cpu_accounts")
                since = time.monotonic() - began
                note("%s", sentence)
                kernel, last, sampled = map(float, re.search(
                    r"Of ([\d.]+) s .* in the last (\d+) s, ([\d.]+) s",
                    sentence).groups())
                known = self.known()
                self.assertGreater(kernel, 0.95 * known)
                self.assertLess(kernel, known + 1)
                self.assertNear(sampled, kernel, 0.1, "of these in samples")
                self.assertLess(last, since + 5)
            self.file.truncate(0)


if __name__ == "__main__":
    main()
