#!/usr/bin/env python3
# needs: a core, 25 s
"""
The doctor: what works is said to work, and each fault that is made shows with
its verdict.
"""
import json
import os
import re

import harness
import load
import workload
from case import Case, Later, main, note

DOCTOR = "/debug/pprof/doctor"
VERDICTS = ["ok", "degraded", "broken"]


class Report:
    def __init__(self, kore, path=DOCTOR):
        answer = kore.get(path + "?format=json")
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "application/json"
        data = json.loads(answer.text)
        self.verdict = data["verdict"]
        self.findings = {f["name"]: f for f in data["findings"]}
        self.objects = {os.path.basename(o["name"]): o
                        for o in data["objects"]}
        for one in data["findings"] + data["objects"]:
            assert one["verdict"] in VERDICTS, one
            assert one["sentence"].endswith("."), one
        assert len(self.findings) == len(data["findings"])
        worst = max(VERDICTS.index(f["verdict"]) for f in data["findings"])
        assert self.verdict == VERDICTS[worst], data


class Doctor(Case):
    def expect(self, report, name, verdict, *words):
        finding = report.findings.get(name)
        self.assertIsNotNone(finding, sorted(report.findings))
        note("%s: %s: %s", name, finding["verdict"], finding["sentence"])
        self.assertEqual(finding["verdict"], verdict, finding)
        for word in words:
            self.assertIn(word, finding["sentence"])
        return finding

    def test_where_nothing_is_wrong(self):
        with workload.service() as kore:
            with load.Driver(kore, ["/burn/a"]):
                kore.profile(2)
            report = Report(kore)
            for name, words in (
                    ("workers", ("2 of 2",)), ("timers", ("work",)),
                    ("tick", ("ms",)), ("unwinder", ("libunwind",)),
                    ("entry_patch", ("entries",)), ("sandbox", ("seccomp",)),
                    ("privileges", ("chroot", "another user")),
                    ("losses", ("Nothing was lost",)),
                    ("recorder", ("19 Hz",)), ("arena_labels", ("%",)),
                    ("memory_accounts", ("MiB in 2 workers",)),
                    ("collector_memory", ("MiB",)),
                    ("collector_cpu", ("%",)), ("symbols", ("addresses",)),
                    ("modules", ("%d files" % (3 if harness.SANITIZER else 2),
                                 "0 have no lines"))):
                self.expect(report, name, "ok", *words)
            # By the clock: how much is the machine's affair.
            found = report.findings["handler"]
            note("handler: %s", found["sentence"])
            cost = re.search(r"took (\d+) ns .*, (\d+) of them ([\d.]+) s: "
                             r"([\d.]+)% of the ([\d.]+) s",
                             found["sentence"])
            each, count, total, part, used = map(float, cost.groups())
            self.assertGreater(count, 10)
            self.assertNear(total, each * count / 1e9, 0.05 + 0.001 / total,
                            "sum")
            self.assertEqual(found["verdict"], "degraded"
                             if part > 1 and used > 1 else "ok")
            self.assertNear(used, kore.cpu(), 0.3, "CPU")
            self.assertEqual(report.objects["workload.so"]["verdict"], "ok")
            rss = re.search(r"has ([\d.]+) MiB", report.findings[
                "collector_memory"]["sentence"])
            with open("/proc/%d/statm" % kore.find_collector()) as file:
                real = int(file.read().split()[1]) * 4096 / 2**20
            self.assertNear(float(rss[1]), real, 0.1, "RSS")
            page = kore.get(DOCTOR)
            self.assertEqual(page.status, 200)
            self.assertEqual(page.headers["content-type"],
                             "text/html; charset=utf-8")
            self.assertIn("default-src 'none'",
                          page.headers["content-security-policy"])
            for name in report.findings:
                self.assertIn("<code>%s</code>" % name, page.text)
            answer = kore.get(DOCTOR + "?format=xml")
            self.assertEqual(answer.status, 400)
            self.assertIn('"xml"', answer.text)

    def test_kernel_against_samples(self):
        with workload.service() as kore:
            with load.Driver(kore, ["/burn/a"]), \
                    load.Driver(kore, ["/burn/b"]):
                # Until a slice with more than a second of CPU is away.
                def told():
                    found = Report(kore).findings["cpu_accounts"]
                    return found if "in samples" in found["sentence"] else None
                found = harness.wait_for("a slice", 40, told)
        note("%s", found["sentence"])
        self.assertEqual(found["verdict"], "ok")

    def test_symbols_stripped(self):
        kore = workload.service()
        path = kore.modules[0][0]
        harness.compile_module("workload.c", path, ["-s"])
        with kore:
            report = Report(kore)
            found = report.objects["workload.so"]
            note("%s", found["sentence"])
            self.assertEqual(found["verdict"], "degraded")
            self.assertIn("no lines", found["sentence"])
            self.expect(report, "modules", "degraded", "1 have no lines",
                        "workload.so")
            self.assertEqual(report.verdict, "degraded")

    def test_perf_event_refused_and_a_rate_above_the_tick(self):
        folder = harness.new_dir()
        preload = harness.compile_module(
            "no_perf.c", os.path.join(folder, "no_perf.so"))
        try:
            with workload.service(preload=preload, env={
                    "PPROF_PERF_EVENT": "1"}) as kore:
                with load.Driver(kore, ["/burn/a"]):
                    answer = kore.profile(2, 1000)
                self.assertEqual(answer.status, 200)
                report = Report(kore)
                self.expect(report, "perf_event", "degraded", "refused",
                            "PPROF_PERF_EVENT")
                self.expect(report, "rate_above_tick", "ok", "1000 Hz")
                self.assertEqual(report.verdict, "degraded")
        finally:
            os.unlink(preload)
            os.rmdir(folder)

    def test_a_recorder_above_the_tick(self):
        with workload.service(env={"PPROF_RECORDER_HZ": "1000"}) as kore:
            report = Report(kore)
            self.expect(report, "recorder_rate", "degraded", "1000",
                        "PPROF_RECORDER_HZ")
            self.assertEqual(report.verdict, "degraded")

    def test_entry_patch_off_and_nothing_sampled(self):
        env = {"PPROF_ENTRY_PATCH": "0", "PPROF_RECORDER_HZ": "0",
               "PPROF_HEAP_RATE": "0"}
        with workload.service(env=env) as kore:
            report = Report(kore)
            self.expect(report, "entry_patch", "degraded",
                        "PPROF_ENTRY_PATCH=0", "kore allocates",
                        "puts to sleep", "part of a trace")
            self.expect(report, "recorder", "degraded", "off")
            self.expect(report, "memory_accounts", "degraded", "heap_rate")
            self.expect(report, "handler", "ok", "No CPU sample")
            self.assertEqual(report.verdict, "degraded")
        # Each by itself is enough for the whole.
        for name in env:
            with workload.service(env={name: "0"}) as kore:
                self.assertEqual(Report(kore).verdict, "degraded", name)

    def test_an_arena_that_is_too_small(self):
        """For what the application asks of it."""
        with workload.service(
                modules=["labels.c", "workload.c", harness.PPROF],
                routes=workload.ROUTES + ["/labels page_labels"]) as kore:
            self.expect(Report(kore), "arena_labels", "ok")
            kore.get("/labels")
            report = Report(kore)
            self.expect(report, "arena_labels", "broken",
                        "what is new is lost")
            self.expect(report, "labels_dropped", "degraded", "label")
            self.assertEqual(report.verdict, "broken")

    def test_a_worker_that_is_held_is_not_waited_for(self):
        with workload.service() as kore:
            stuck = load.connection_to(kore, 2)
            other = load.connection_to(kore, 1)
            held = Later(stuck.get, "/stuck")

            def told():
                answer = other.get(DOCTOR + "?format=json")
                self.assertEqual(answer.status, 200)
                found = {f["name"]: f for f in json.loads(answer.text)[
                    "findings"]}["memory_accounts"]
                # Where every core is busy the other one may be late, too.
                return found if "1 of 2 workers" in found["sentence"] else None

            found = harness.wait_for("what one worker says", 3, told)
            note("%s", found["sentence"])
            self.assertEqual(found["verdict"], "degraded")
            held.result()
            stuck.close()
            other.close()


if __name__ == "__main__":
    main()
