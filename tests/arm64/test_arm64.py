#!/usr/bin/env python3
"""
The product for aarch64 in Debian's own Kore for aarch64, under qemu-user: one
CPU profile, allocations, what is in progress, and what is said to be left out.

Not here: the sandbox, which qemu-user has not (no_seccomp.c), and times, which
are the emulator's. tests/arm64/run.sh makes what this needs.
"""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import harness  # noqa: E402
import workload  # noqa: E402
from case import Case, Later, main, note  # noqa: E402

ARM64 = os.environ["ARM64"]
ROOT = os.path.join(ARM64, "root")
PRELOAD = os.path.join(harness.BUILD, "no_seccomp.so")
HOW = ["malloc", "calloc", "kore"]
WORK = ["workload_alpha", "workload_beta", "workload_gamma"]


class Service(harness.Service):
    def command(self, conf):
        return [os.path.join(ARM64, "bin", "kore"), "-L", ROOT,
                "-E", "LD_PRELOAD=" + PRELOAD,
                os.path.join(ROOT, "usr/bin/kore"), "-f", "-c", conf]

    def launch(self):
        self.env["PPROF_COLLECTOR"] = harness.COLLECTOR
        return super().launch()


class Aarch64(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with Service(["workload.c", harness.PPROF], workload.ROUTES,
                     production=False) as kore:
            later = Later(kore.profile, 8)
            end = time.monotonic() + 7
            with kore.connect() as connection:
                cls.burns = []
                while time.monotonic() < end:
                    cls.burns.append(connection.get("/burn/a").status)
            cls.truth = workload.truth(kore)
            cls.answer = later.result()
            cls.dump = kore.get("/debug/pprof/goroutine?debug=2",
                                timeout=60).text
            cls.lines = list(kore.lines)
        cls.raw = cls.pprof.raw(cls.pprof.save(cls.answer.body))

    def test_it_says_that_entries_are_not_patched(self):
        said = [line for line in self.lines if
                "calls inside a program can be followed on x86-64 only" in line]
        self.assertEqual(len(said), 1, self.lines)
        self.assertIn("seen of modules only, not inside kore", said[0])

    def test_time_is_where_it_was_spent(self):
        self.assertEqual(set(self.burns), {200})
        note("%d requests", len(self.burns))
        inside = {name: sum(s.ns for s in self.raw.samples if s.has(name))
                  for name in WORK}
        total = sum(inside.values())
        note("%s", {n: "%.2f s" % (ns / 1e9) for n, ns in inside.items()})
        self.assertGreater(total, 0.7 * self.raw.ns())
        share = inside["workload_alpha"] / total
        wanted = self.truth.share(lambda w, r, f: f == "workload_alpha",
                                  lambda w, r, f: r == "/burn/a")
        note("alpha %.3f, by its own clock %.3f", share, wanted)
        self.assertLess(abs(share - wanted), 0.15)

    def test_stacks_have_callers_lines_and_routes(self):
        for name in WORK:
            samples = [s for s in self.raw.samples if s.has(name)]
            self.assertTrue(samples, name)
            self.assertEqual({s.route for s in samples}, {"/burn/a"})
            first, last = workload.function_lines(name)
            for sample in samples:
                frame = next(f for place in sample.stack
                             for f in place.frames if f.function == name)
                self.assertEqual(frame.file, workload.SOURCE)
                self.assertTrue(first <= frame.line <= last, frame)
                self.assertTrue(sample.has("burn_a"), sample.functions())
                self.assertTrue(sample.has("main"), sample.functions())

    def test_the_dump_has_the_request_for_itself(self):
        self.assertIn("/debug/pprof", self.dump)
        self.assertIn("main", self.dump)

    def test_every_allocation_of_a_module_is_seen(self):
        with Service(["memory.c", harness.PPROF],
                     ["/ page_index", "^/take/[a-z_]+$ page_take"],
                     production=False, env={"PPROF_HEAP_RATE": "1"}) as kore:
            for how in HOW:
                kore.get("/take/%s?count=50&size=1000" % how, timeout=60)
            raw = self.pprof.raw(self.pprof.save(
                kore.get("/debug/pprof/allocs", timeout=60).body))
        for how in HOW:
            samples = [s for s in raw.samples if s.has("take_" + how)]
            note("%s: %s", how, [s.values for s in samples])
            self.assertEqual(sum(s.values[0] for s in samples
                                 if s.values[1] == 1000 * s.values[0]),
                             50, how)
            self.assertEqual({s.route for s in samples}, {"^/take/[a-z_]+$"})


if __name__ == "__main__":
    main()
