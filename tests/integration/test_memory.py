#!/usr/bin/env python3
# needs: a core, 73 s
"""
heap and allocs of a whole service against the truth: modules/memory.c counts
what it holds and what it has ever allocated, by the way it did so.

Most of it runs at rate 1, where every allocation is in the profile and the
numbers must be equal. The statistics are tests/unit/test_heap_rate.c's.
"""
import glob
import os
import re
import shutil
import signal
import time
import unittest

import harness
import load
from case import Case, Later, main, note
from workload import function_lines

SOURCE = os.path.join(harness.HERE, "modules", "memory.c")
APP = (os.path.join(harness.TOP, "kore_app", "kore_app.so"), "kore_app_load")
APP_SOURCE = os.path.join(harness.TOP, "kore_app", "src", "concat.c")
ROUTES = ["/ page_index", "/who page_who", "/churn page_churn",
          "/trimmable page_trimmable",
          "^/take/[a-z_]+$ page_take", "^/drop/[a-z_]+$ page_drop"]
# The function of each way, and one that must not be in its stacks.
WAYS = {"malloc": ("take_malloc", "thread_takes"),
        "calloc": ("take_calloc", None),
        "realloc": ("take_realloc", None),
        "kore": ("take_kore", None),
        "kore_calloc": ("take_kore_calloc", None),
        "kore_strdup": ("take_kore_strdup", None),
        "kore_realloc": ("take_kore_realloc", None),
        "kore_named": ("take_kore_named", "kore_mem_tag"),
        "kore_unnamed": ("take_kore_unnamed", "kore_mem_tag"),
        "buf": ("take_buf", None),
        "thread": ("thread_takes", None)}
INSIDE_KORE = ["buf", "kore_named", "kore_unnamed"]
TYPES = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]


def service(rate=1, modules=("memory.c",), env=None, **more):
    return harness.Service(
        [*modules, harness.PPROF], ROUTES,
        settings=["worker_accept_threshold 1"],
        env=dict(env or {}, PPROF_HEAP_RATE=str(rate)), **more)


class Truth:
    """What a worker says of one way."""

    def __init__(self, answer):
        if answer.status != 200:
            raise AssertionError("no truth: %r" % answer)
        (self.worker, self.objects, self.bytes, self.all_objects,
         self.all_bytes) = map(int, answer.text.split())

    def values(self):
        return [self.all_objects, self.all_bytes, self.objects, self.bytes]


def total(truths):
    return [sum(column) for column in zip(*(t.values() for t in truths))]


class Memory(Case):
    def heap(self, kore, path="/debug/pprof/heap"):
        answer = kore.get(path)
        self.assertEqual(answer.status, 200, answer)
        return self.pprof.raw(answer.body)

    def sums(self, raw, keep):
        """By type, of the samples for which keep() is true."""
        self.assertEqual([t.split("/")[0] for t in raw.types], TYPES)
        rows = [s.values for s in raw.samples if keep(s)]
        return [sum(column) for column in zip(*rows)] if rows else [0] * 4

    def of_way(self, raw, way):
        function, without = WAYS[way]
        return self.sums(raw, lambda s: s.has(function)
                         and not (without and s.has(without)))

    def both_workers(self, kore):
        return [load.connection_to(kore, worker) for worker in (1, 2)]

    # Truth.

    def take_all(self, kore, ways):
        """{way: what both workers say}; uneven, and some freed at once."""
        truths = {}
        for worker, connection in enumerate(self.both_workers(kore), 1):
            with connection:
                for turn, way in enumerate(ways):
                    for size in (1, 24, 700, 2100, 8192, 9000, 60000):
                        truth = Truth(connection.get(
                            "/take/%s?count=%d&size=%d&drop=%d" % (
                                way, 10 * worker + turn, size, 3 + worker)))
                        self.assertEqual(truth.worker, worker)
                    truths.setdefault(way, []).append(truth)
        return truths

    def check_exact(self, kore, ways):
        truths = self.take_all(kore, ways)
        raw = self.heap(kore)
        for way in ways:
            self.assertEqual(self.of_way(raw, way), total(truths[way]), way)
        allocs = self.heap(kore, "/debug/pprof/allocs")
        for way in ways:
            self.assertEqual(self.of_way(allocs, way), total(truths[way]),
                             way)
        note("%d samples, %d objects of %d bytes, %s", len(raw.samples),
             *total(t for way in ways for t in truths[way])[:2], "exact")
        connections = self.both_workers(kore)
        for way in ways:
            for connection in connections:
                connection.get("/drop/" + way)
        for connection in connections:
            connection.close()
        raw = self.heap(kore)
        for way in ways:
            objects, size = total(truths[way])[:2]
            self.assertEqual(self.of_way(raw, way), [objects, size, 0, 0],
                             way)
        return raw

    def test_rate_1_is_exact_to_the_object_and_byte(self):
        with service() as kore:
            raw = self.check_exact(kore, list(WAYS))
            self.assertEqual(raw.period, 1)
            for sample in raw.samples:
                if sample.has("take_malloc") and not sample.has(
                        "thread_takes"):
                    self.assertEqual(sample.route, "^/take/[a-z_]+$")
                    self.assertEqual(sample.labels["http.method"], "GET")
            self.assertNotIn("entry_patch", raw.facts())

    def preloaded(self, name):
        found = glob.glob("/usr/lib/*/" + name)
        self.assertTrue(found, "%s is not installed" % name)
        with service(preload=found[0]) as kore:
            for pid in kore.worker_pids().values():
                with open("/proc/%d/maps" % pid) as maps:
                    self.assertIn(name.split(".")[0], maps.read())
            self.check_exact(kore, list(WAYS))

    @unittest.skipIf(harness.SANITIZER, "its malloc() comes first")
    def test_under_jemalloc(self):
        self.preloaded("libjemalloc.so.2")

    @unittest.skipIf(harness.SANITIZER, "its malloc() comes first")
    def test_under_tcmalloc(self):
        self.preloaded("libtcmalloc_minimal.so.4")

    def test_without_entry_patches_modules_are_still_right(self):
        with service(env={"PPROF_ENTRY_PATCH": "0"}) as kore:
            raw = self.check_exact(kore, [way for way in WAYS
                                          if way not in INSIDE_KORE])
            self.assertEqual(len(kore.log("PPROF_ENTRY_PATCH=0")), 1,
                             kore.log_tail())
            self.assertEqual(raw.facts().get("entry_patch"), "refused")

    def test_the_default_rate_is_near_the_truth(self):
        rate = 512 * 1024
        with service(rate) as kore:
            truths = []
            for connection in self.both_workers(kore):
                with connection:
                    for size in (4000, 40000):
                        truth = Truth(connection.get(
                            "/take/malloc?count=%d&size=%d&drop=%d" % (
                                800000000 // size, size,
                                800000000 // size - 1000)))
                    truths.append(truth)
            raw = self.heap(kore)
            self.assertEqual(raw.period, rate)
            found, wanted = self.of_way(raw, "malloc"), total(truths)
            samples = wanted[1] / rate
            limit = 4.5 / samples ** 0.5
            note("alloc %d MB of %d, in use %d MB of %d",
                 found[1] / 1e6, wanted[1] / 1e6, found[3] / 1e6,
                 wanted[3] / 1e6)
            self.assertNear(found[1], wanted[1], limit, "alloc_space")
            limit = 4.5 / (wanted[3] / rate) ** 0.5
            self.assertNear(found[3], wanted[3], limit, "inuse_space")

    # Names.

    def test_concat_is_named_with_its_line_and_route(self):
        if not os.path.exists(APP[0]):
            raise harness.Broken("%s is missing: run make app" % APP[0])
        requests, count = 3000, 50
        routes = ["/ page_index", "/concat/ page_concat"]
        with harness.Service([APP, harness.PPROF], routes,
                             settings=["worker_accept_threshold 1"],
                             env={"PPROF_HEAP_RATE": "1"}) as kore:
            result = load.Ab(kore, "/concat/?str=test&count=%d" % count,
                             requests).wait()
            self.assertEqual((result["complete"], result["failed"],
                              result["non2xx"]), (requests, 0, 0))
            file = self.pprof.save(kore.get("/debug/pprof/allocs").body)
        made = requests * sum(4 * (i + 1) + 1 for i in range(count))
        raw = self.pprof.raw(file)
        found = self.sums(raw, lambda s: s.has("concat_slowly"))
        self.assertEqual(found, [requests * count, made, 0, 0])
        self.assertEqual(found, self.sums(
            raw, lambda s: s.has("concat_slowly")
            and s.route == "/concat/"))
        text = self.pprof.run("-sample_index=alloc_space", "-top",
                              "-unit=B", file)
        self.assertRegex(text, r"\n +%dB .*concat_slowly" % made)
        text = self.pprof.run("-sample_index=alloc_space", "-top",
                              "-unit=B", "-tagfocus=http.route=/concat/",
                              file)
        self.assertRegex(text, r"\n +%dB .*concat_slowly" % made)
        self.assertRegex(text, r"page_concat")
        first, last = function_lines("page_concat", APP_SOURCE)
        with open(APP_SOURCE) as source:
            wanted = next(i for i, line in enumerate(source, 1)
                          if "= realloc(" in line)
        lines = {frame.line for s in raw.samples for at in s.stack
                 for frame in at.frames if frame.function == "concat_slowly"}
        self.assertEqual(lines, {wanted})
        lines = {frame.line for s in raw.samples if s.has("concat_slowly")
                 for at in s.stack for frame in at.frames
                 if frame.function == "page_concat"}
        self.assertTrue(lines and all(first < line < last for line in lines),
                        lines)

    def test_a_leak_is_on_top_until_its_worker_dies(self):
        with service(512 * 1024, restarts=1) as kore:
            with load.connection_to(kore, 1) as connection:
                for _ in range(40):
                    connection.get("/take/leak?count=40&size=50000")
                connection.get("/take/malloc?count=4000&size=3000&drop=4000")
            file = self.pprof.save(kore.get("/debug/pprof/heap").body)
            text = self.pprof.run("-sample_index=inuse_space", "-top", file)
            rows = [line for line in text.splitlines() if "%" in line
                    and re.match(r"^ *[\d.]+[kMG]?B", line)]
            self.assertIn("take_leak", rows[0], text)
            with open(SOURCE) as source:
                mark = next(i for i, line in enumerate(source, 1)
                            if "LEAK" in line)
            text = self.pprof.run("-sample_index=inuse_space", "-list",
                                  "^take_leak$", file)
            self.assertRegex(text, r"(?m)^ +[\d.]+MB +[\d.]+MB +%d:" % mark)
            raw = self.pprof.raw(file)
            before = self.sums(raw, lambda s: s.has("take_leak"))
            self.assertNear(before[3], 40 * 40 * 50000, 0.4, "leak")
            self.assertEqual({s.route for s in raw.samples
                              if s.has("take_leak")}, {"^/take/[a-z_]+$"})
            pid = kore.worker_pids()[1]
            os.kill(pid, signal.SIGKILL)
            harness.wait_for("a new worker 1", 10, lambda:
                             kore.worker_pids()[1] != pid)
            load.wait_ready(kore, "/who")
            after = self.sums(self.heap(kore), lambda s: s.has("take_leak"))
            self.assertEqual(after, before[:2] + [0, 0])
            # The next life begins at zero and its sums go on top.
            with load.connection_to(kore, 1) as connection:
                for _ in range(10):
                    connection.get("/take/leak?count=40&size=50000")
            again = self.sums(self.heap(kore), lambda s: s.has("take_leak"))
            self.assertGreater(again[1], before[1])
            self.assertEqual(again[1] - before[1], again[3])

    # Forms.

    def test_a_delta_holds_what_happened_in_it(self):
        for path in ("heap", "allocs"):
            with service() as kore, kore.connect() as connection:
                connection.get("/take/malloc?count=500&size=1000")
                before = Truth(connection.get("/take/malloc?count=1&size=3"))
                delta = Later(self.heap, kore,
                              "/debug/pprof/%s?seconds=2" % path)
                time.sleep(0.7)
                after = Truth(connection.get(
                    "/take/malloc?count=300&size=777&drop=100"))
                raw = delta.result()
                self.assertEqual(
                    self.of_way(raw, "malloc"),
                    [b - a for a, b in zip(before.values(), after.values())])
                self.assertEqual(self.of_way(raw, "malloc"),
                                 [300, 300 * 777, 200, 200 * 777])

    def facts(self, kore, query):
        """The lines `# Key = value` of the text form."""
        answer = kore.get("/debug/pprof/heap?debug=1" + query)
        self.assertEqual(answer.status, 200, answer)
        return dict(re.findall(r"(?m)^# ([\w.\-]+) = (.*)$", answer.text))

    def test_the_text_form_is_read_by_pprof(self):
        with service() as kore:
            truths = self.take_all(kore, ["malloc", "buf"])
            answer = kore.get("/debug/pprof/heap?debug=1")
            self.assertTrue(answer.headers["content-type"].startswith(
                "text/plain"))
            self.assertTrue(answer.text.startswith("heap profile: "),
                            answer.text[:200])
            for way in ("malloc", "buf"):
                self.assertIn(WAYS[way][0], answer.text)
            facts = dict(re.findall(r"(?m)^# ([\w.\-]+) = (.*)$",
                                    answer.text))
            binary = self.heap(kore)
        self.assertEqual(facts["Workers"], "2")
        self.assertEqual(facts["WorkersAnswered"], "2")
        pools = [key for key in facts if "kore.pool." in key]
        self.assertTrue([p for p in pools if "block-" in p], facts)
        # pprof finds four numbers a line; it has no labels in this form.
        for index, kind in enumerate(TYPES):
            text = self.pprof.run("-sample_index=" + kind, "-raw",
                                  self.pprof.save(answer.body))
            self.assertIn(kind, text)
        found = [int(v) for v in re.match(
            r"heap profile: (\d+): (\d+) \[(\d+): (\d+)\] @ heap/(\d+)",
            answer.text).groups()]
        note("text: %s", found)
        self.assertEqual(found[4], 2)
        for way in ("malloc", "buf"):
            self.assertEqual(self.of_way(binary, way), total(truths[way]))
        self.assertGreaterEqual(found[3], total(truths["malloc"])[1])

    @unittest.skipIf(harness.SANITIZER, "its malloc() has no malloc_trim()")
    def test_gc_gives_back_what_is_free(self):
        with service(workers=1) as kore:
            kore.get("/trimmable")
            before = self.facts(kore, "")
            after = self.facts(kore, "&gc=1")
        freed = (int(before["worker.1.PrivateDirty"])
                 - int(after["worker.1.PrivateDirty"]))
        note("gc=1 gave back %.1f MiB of %.1f free", freed / 2 ** 20,
             int(before["worker.1.MallocFree"]) / 2 ** 20)
        self.assertGreater(freed, 55 << 20)

    def test_pools_of_a_module_that_is_gone_are_not_looked_at(self):
        work = harness.new_dir()
        self.addCleanup(shutil.rmtree, work)
        module = os.path.join(work, "pools.so")
        harness.compile_module("pools.c", module, ["-DLARGE"])
        with service(modules=("memory.c", (module, "pools_load")),
                     workers=1, production=False) as kore:
            facts = self.facts(kore, "")
            self.assertIn("worker.1.kore.pool.own-pool", facts)
            self.assertTrue(facts["worker.1.kore.pool.own-pool"].startswith(
                "0 / 50 "), facts)
            harness.compile_module("pools.c", module + ".new")
            os.rename(module + ".new", module)
            kore.process.send_signal(signal.SIGHUP)
            harness.wait_for("the reload", 10,
                             lambda: kore.log("reloaded"))
            time.sleep(0.5)
            load.wait_ready(kore, "/who")
            for _ in range(3):
                facts = self.facts(kore, "")
                self.assertEqual(facts["WorkersAnswered"], "1")
                self.assertIn("worker.1.kore.pool.block-8", facts)
                self.assertNotIn("worker.1.kore.pool.own-pool", facts)

    # Load.

    def test_rate_1_and_1000_hz_under_load_in_the_sandbox(self):
        seconds = 20
        with service() as kore:
            drivers = [load.Driver(kore, ["/churn", "/who"], worker,
                                   seconds=seconds + 20)
                       for worker in (1, 2)]
            for driver in drivers:
                driver.start()
            cpu = Later(kore.profile, seconds, 1000)
            heaps = 0
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                raw = self.heap(kore)
                heaps += 1
                time.sleep(1)
            answer = cpu.result()
            for driver in drivers:
                driver.finish()
                self.assertEqual((driver.bad, driver.lost), ([], 0))
            self.assertEqual(answer.status, 200)
            raw = self.pprof.raw(answer.body)
            note("%d requests, %d heap profiles, %d CPU samples",
                 sum(d.done for d in drivers), heaps, len(raw.samples))
            raw = self.heap(kore)
            for way in WAYS:
                found = self.of_way(raw, way)
                self.assertEqual(found[2:], [0, 0], way)
                if way != "thread":
                    self.assertGreater(found[0], 0, way)
            note("%s", {k: v for k, v in raw.facts().items()
                        if "heap" in k})


if __name__ == "__main__":
    main()
