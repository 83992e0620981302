#!/usr/bin/env python3
# needs: alone, 19 s
"""
A CPU profile of a running Kore, as `go tool pprof` tells it: names, lines,
routes, methods, workers, threads.

Not here: whether the amounts are true (test_truth.py).
"""
import re
import time
import unittest

import harness
import load
import profiles
import workload
from case import Case, Later, interval, main, note

PATTERN = "^/re/([a-z]+)$"
SECONDS = 4
WORK = ("workload_alpha", "workload_beta", "workload_gamma")


class CpuProfile(Case):
    """One profile under a mixed load on both workers, read in many ways."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with workload.service(background=True) as kore:
            with load.Driver(kore, ["/burn/a"], worker=1), \
                    load.Driver(kore, ["/burn/b"], worker=2,
                                methods=("GET", "POST")), \
                    load.Driver(kore, ["/task"], worker=1) as task, \
                    load.Driver(kore, ["/sleep", "/re/abc"], worker=2):
                cls.asked = time.time()
                url = Later(cls.pprof.run, "-top", kore.url(
                    "/debug/pprof/profile?seconds=%d" % SECONDS))
                start = time.monotonic()
                cls.answer = kore.profile(SECONDS, hz=250)
                cls.took = time.monotonic() - start
                cls.url_top = url.result()
                cls.url_complaints = cls.pprof.complaints
            cls.tasks = task.done
            cls.pids = kore.worker_pids()
        cls.file = cls.pprof.save(cls.answer.body)
        cls.raw = cls.pprof.raw(cls.file)
        note("%d samples, %d stacks, %d locations, %d bytes",
             cls.raw.count(), len(cls.raw.samples), len(cls.raw.locations),
             len(cls.answer.body))

    def with_function(self, name):
        found = [s for s in self.raw.samples if s.has(name)]
        self.assertTrue(found, "no sample in " + name)
        return found

    def test_pprof_reads_it_by_its_url(self):
        for name in WORK:
            self.assertIn(name, self.url_top)
        self.assertNotRegex(self.url_complaints.lower(), "error|fail|mangl")

    def test_the_head_says_what_was_measured(self):
        self.assertEqual(self.answer.status, 200)
        self.assertEqual(self.raw.types, ["samples/count", "cpu/nanoseconds"])
        self.assertEqual(self.raw.head["PeriodType"], "cpu nanoseconds")
        # 250 Hz is the kernel's tick on most machines: a thread that gets
        # less than whole ticks is sampled more seldom, never more often.
        self.assertTrue(3.9e6 < self.raw.period < 12e6, self.raw.period)
        self.assertNear(self.raw.period * self.raw.count(), self.raw.ns(),
                        0.05, "period times samples")
        length = float(self.raw.head["Duration"].rstrip("s"))
        note("%d s asked, %.2f s measured, %.2f s waited for", SECONDS,
             length, self.took)
        self.assertTrue(SECONDS <= length <= self.took, length)
        year = time.strftime("%Y-", time.gmtime(self.asked))
        self.assertTrue(self.raw.head["Time"].startswith(year),
                        self.raw.head["Time"])

    def test_functions_have_their_file_and_line(self):
        inline = workload.function_lines("churn")
        for name in WORK + ("workload_task", "workload_pattern"):
            first, last = workload.function_lines(name)
            for sample in self.with_function(name):
                leaf = sample.stack[0].frames
                if leaf[-1].function != name:
                    continue
                self.assertEqual(leaf[-1].file, workload.SOURCE)
                self.assertTrue(first <= leaf[-1].line <= last, leaf)
                if len(leaf) > 1:
                    self.assertEqual(leaf[0].function, "churn")
                    self.assertTrue(inline[0] <= leaf[0].line <= inline[1],
                                    leaf)

    def test_inlined_functions_are_innermost(self):
        inlined = self.raw.ns(lambda s: s.stack[0].frames and [
            f.function for f in s.stack[0].frames][:2] == [
                "churn", "workload_alpha"])
        alpha = self.raw.ns(lambda s: s.has("workload_alpha"))
        self.assertGreater(inlined, alpha * 0.9)

    def test_stacks_go_down_to_the_root(self):
        whole = kept = 0
        for sample in self.raw.samples:
            names = sample.functions()
            if sample.route == "/burn/a" and "burn_a" in names:
                whole += sample.count
                if "kore_worker_entry" in names[names.index("burn_a"):]:
                    kept += sample.count
        note("stacks of /burn/a that reach kore_worker_entry: %d of %d",
             kept, whole)
        self.assertGreater(kept, whole * 0.99)

    def test_callers_show_the_line_of_the_call(self):
        with open(workload.SOURCE) as file:
            lines = file.read().splitlines()
        calls = 0
        for sample in self.with_function("workload_task"):
            frames = [f for l in sample.stack for f in l.frames]
            at = [f.function for f in frames].index("workload_task")
            caller = frames[at + 1]
            self.assertEqual(caller.function, "task_entry")
            self.assertIn("workload_task(", lines[caller.line - 1])
            calls += 1
        self.assertGreater(calls, 0)

    def test_each_sample_of_a_handler_carries_its_route(self):
        expected = {"workload_task": {"/task"}, "burn_a": {"/burn/a"},
                    "burn_b": {"/burn/b"}, "workload_pattern": {PATTERN},
                    "workload_awake": {"/sleep"}}
        for name, routes in expected.items():
            found = {s.route for s in self.with_function(name)}
            self.assertEqual(found, routes, name)

    def test_a_task_carries_the_route_and_method_of_its_request(self):
        self.assertGreater(self.tasks, 0)
        for sample in self.with_function("workload_task"):
            self.assertEqual(sample.labels.get("http.route"), "/task")
            self.assertEqual(sample.labels.get("http.method"), "GET")
            self.assertNotEqual(sample.numbers["tid"], sample.numbers["pid"])

    def test_work_outside_of_requests_carries_no_route(self):
        for name in ("workload_timer", "workload_thread"):
            for sample in self.with_function(name):
                self.assertEqual(sample.labels, {}, name)

    def test_the_event_loop_of_every_worker_is_seen(self):
        for name in ("workload_timer", "workload_thread"):
            workers = {s.numbers["worker"] for s in self.with_function(name)}
            self.assertEqual(workers, {1, 2}, name)

    def test_methods(self):
        methods = {s.labels["http.method"]
                   for s in self.with_function("burn_b")}
        self.assertEqual(methods, {"GET", "POST"})
        methods = {s.labels["http.method"]
                   for s in self.with_function("burn_a")}
        self.assertEqual(methods, {"GET"})

    def test_worker_pid_and_tid_are_numbers(self):
        for sample in self.raw.samples:
            self.assertEqual(set(sample.numbers), {"worker", "pid", "tid"},
                             sample.functions())
            self.assertEqual(sample.numbers["pid"],
                             self.pids[sample.numbers["worker"]])
        self.assertEqual({s.numbers["worker"]
                          for s in self.with_function("burn_a")}, {1})
        self.assertEqual({s.numbers["worker"]
                          for s in self.with_function("burn_b")}, {2})
        for sample in self.with_function("burn_a"):
            self.assertEqual(sample.numbers["tid"], sample.numbers["pid"])

    def test_pprof_counts_by_tag(self):
        tags = self.pprof.tags(self.file)
        self.assertTrue({"/burn/a", "/burn/b", "/task", "/sleep", PATTERN}
                        <= set(tags["http.route"]), tags["http.route"])
        self.assertEqual(set(tags["worker"]), {"1", "2"})
        self.assertTrue({"GET", "POST"} <= set(tags["http.method"]))
        routes = self.raw.by(lambda s: s.route)
        for route in ("/burn/a", "/burn/b", "/task"):
            # pprof prints two digits.
            self.assertNear(tags["http.route"][route], routes[route], 0.06,
                            route)
            note("%-10s %.2f s", route, routes[route] / 1e9)

    def test_pprof_focuses_on_a_route(self):
        top = self.pprof.top(self.file,
                             "-tagfocus=http.route=^/burn/a$")
        self.assertTrue(set(WORK) <= set(top))
        self.assertNotIn("burn_b", top)
        self.assertNotIn("workload_task", top)
        top = self.pprof.top(self.file, "-tagfocus=http.route="
                             + re.escape(PATTERN))
        self.assertIn("workload_pattern", top)
        self.assertNotIn("burn_a", top)

    def test_top_shows_the_split(self):
        top = self.pprof.top(self.file, "-tagfocus=http.route=^/burn/a$")
        total = sum(top[name][1] for name in WORK)
        count = self.raw.count(lambda s: s.route == "/burn/a")
        for name, share in zip(WORK, (0.6, 0.3, 0.1)):
            note("%s: %.1f%% of /burn/a", name, 100 * top[name][1] / total)
            self.assertLess(abs(top[name][1] / total - share),
                            interval(share, count, len(WORK)), name)

    def test_losses_and_the_kernels_accounts_are_in_the_comments(self):
        facts = self.raw.facts()
        with open(harness.TOP + "/middleware/core/base/loss.h") as file:
            keys = re.findall(r'X\(\w+, "(\w+)"', file.read())
        self.assertTrue(keys)
        others = ("heap_", "waits_", "contended_", "flights_", "own_",
                  "trace_", "routes_")
        keys = [key for key in keys if not key.startswith(others)]
        self.assertGreater(len(keys), 5)
        for key in keys:
            self.assertRegex(facts.get(key, "(missing)"), r"^\d+$", key)
        self.assertEqual(facts["samples_dropped"], "0")
        self.assertEqual(facts["labels_dropped"], "0")
        for comment in self.raw.comments:
            note("%s", comment)
        # Two profiles ran at once here, and neither counts twice.
        kernel = float(facts["cpu_seconds_kernel"])
        self.assertNear(float(facts["cpu_seconds_sampled"]), kernel,
                        0.03 + 0.1 / kernel, "CPU seconds sampled")
        self.assertNear(self.raw.ns() / 1e9,
                        float(facts["cpu_seconds_sampled"]), 0.001, "sum")

    def test_mappings_are_named_and_flagged(self):
        main_binary = self.raw.mappings[1]
        self.assertEqual(main_binary.file, "/usr/bin/kore")
        by_file = {m.file.rsplit("/", 1)[-1]: m
                   for m in self.raw.mappings.values()}
        module = by_file["workload.so"]
        for flag in ("[FN]", "[FL]", "[LN]", "[IN]"):
            self.assertIn(flag, module.flags)
        for mapping in self.raw.mappings.values():
            self.assertLess(mapping.start, mapping.limit, mapping.file)
        for name in ("workload.so", "kore"):
            self.assertRegex(by_file[name].build_id, "^[0-9a-f]{16,}$")
        for location in self.raw.locations.values():
            if location.mapping:
                mapping = self.raw.mappings[location.mapping]
                self.assertTrue(mapping.start <= location.address
                                < mapping.limit, location.frames)


class Stubs(Case):
    """Code without a name (a call stub) beside code with all facts."""

    @unittest.skipIf(harness.SANITIZER, "samples lie in its library, of which "
                     "pprof says less than we do")
    def test_they_do_not_cost_the_others_their_lines(self):
        """pprof finds its own names for a mapping that claims none, and
        loses inlined calls and full paths by it."""
        with workload.service() as kore:
            with load.Driver(kore, ["/calls", "/burn/a"]):
                body = kore.profile(1, 1000).body
            path = self.pprof.save(body)
            # While the module's file is there for pprof to open.
            raw = self.pprof.raw(path)
            ours = profiles.Profile(self.pprof.run(
                "-raw", "-symbolize=none", path))
        module = [m for m in raw.mappings.values()
                  if m.file.endswith("workload.so")][0]
        stubs = [l for l in ours.locations.values()
                 if l.mapping and ours.mappings[l.mapping].file == module.file
                 and not any(f.file == workload.SOURCE for f in l.frames)]
        note("stubs: %s; workload.so says %s", [l.frames for l in stubs],
             module.flags)
        self.assertTrue(stubs, "no sample in a stub: nothing was tested")
        for address, frames in self.frames(ours).items():
            self.assertEqual(self.frames(raw)[address], frames,
                             "pprof says something else than the profile")
        self.assertTrue(any(s.functions()[:2] == ["churn", "workload_alpha"]
                            for s in raw.samples))

    def frames(self, profile):
        return {l.address: [(f.function, f.file, f.line) for f in l.frames]
                for l in profile.locations.values()}


class Recorded(Case):
    """Beside the flight recorder, which samples all the time."""

    def test_a_profile_has_a_rate_of_its_own(self):
        with workload.service() as kore:
            with load.Driver(kore, ["/burn/a"]):
                body = kore.profile(2, 200).body
            recorded, _, _ = self.recorded(kore, "since=10")
        facts = self.pprof.raw(body).facts()
        note("%s Hz of %s", facts["hz_actual"], facts["hz_asked"])
        self.assertEqual(facts["hz_asked"], "200")
        self.assertGreater(float(facts["hz_actual"]), 150)
        self.assertEqual(recorded.facts()["hz_asked"], "19")


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
