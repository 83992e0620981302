#!/usr/bin/env python3
# needs: alone, 200 s
"""
Code that comes late, or lies where one does not expect it, has names, callers
and a heap like any other, from its first call on: within the handler that
loaded it.
"""
import contextlib
import time

import harness
from case import Case, Later, main, note
from libraries import Libraries, build

MIB = 1 << 20
GCONV = "/usr/lib/x86_64-linux-gnu/gconv/"


class Truth(Case):
    @contextlib.contextmanager
    def service(self, production, **more):
        """With libraries beside the module, found by its own RUNPATH."""
        env = dict({"PPROF_HEAP_RATE": "1"}, **more.pop("env", {}))
        kore = Libraries(True, production=production, env=env, **more)
        with kore:
            yield kore

    def during(self, kore, seconds, call):
        """The profile of the time in which call() runs, and its answer."""
        later = Later(kore.profile, seconds, 1000)
        # The one worker has read that before it is busy.
        time.sleep(0.3)
        answer = call()
        profile = later.result()
        self.assertEqual(profile.status, 200)
        return self.pprof.raw(profile.body), answer

    def heap(self, kore):
        answer = kore.get("/debug/pprof/heap")
        self.assertEqual(answer.status, 200)
        return self.pprof.raw(answer.body)

    def share(self, raw, leaf, caller):
        """Of the samples of a function, the part below another; and of all
        samples of the caller's, the function's."""
        under = raw.ns(lambda s: s.has(leaf) and s.has(caller))
        return (under / max(1, raw.ns(lambda s: s.has(leaf))),
                under / max(1, raw.ns(lambda s: s.has(caller))))


class Late(Truth):
    def check_plug(self, kore, lib, how="k"):
        """Work and hold in one handler; what the constructor held, too."""
        raw, answer = self.during(kore, 2, lambda: kore.call(
            lib, how + "t", "plug_work", 1500))
        self.assertEqual(answer, "0")
        called, worked = self.share(raw, "plug_inner", "page_call")
        note("%s %s: %.1f%% of its samples have their caller, %.1f%% of the "
             "handler's are in it", lib, how, 100 * called, 100 * worked)
        self.assertGreater(called, 0.99)
        self.assertGreater(worked, 0.95)
        self.assertEqual(kore.call(lib, how, "plug_hold", 3 * MIB), "0")
        return raw

    def held(self, raw):
        """Of the library: bytes in its constructor, bytes below the handler."""
        def size(function):
            return sum(s.values[3] for s in raw.samples
                       if s.has("keep") and s.has(function))
        return size("plug_begins"), size("plug_hold")

    def check(self, find, how="k", heap=True):
        """`find`: makes the library, and says what it is opened by."""
        for production in (False, True):
            with self.service(production) as kore:
                self.check_plug(kore, find(kore), how)
                if heap:
                    self.assertEqual(self.held(self.heap(kore)),
                                     (MIB, 3 * MIB))

    def plug(self, kore):
        return kore.library("plug.so", "plug.c")

    def test_by_its_path(self):
        self.check(self.plug)

    def test_by_its_path_where_no_entry_is_patched(self):
        """What its constructor allocates is not seen there."""
        for production in (False, True):
            with self.service(production,
                              env={"PPROF_ENTRY_PATCH": "0"}) as kore:
                self.check_plug(kore, self.plug(kore))
                self.assertEqual(self.held(self.heap(kore))[1], 3 * MIB)

    def test_by_its_path_and_bound_late(self):
        self.check(self.plug, "kl")

    def test_by_its_name_alone(self):
        def find(kore):
            build(kore.found_at(kore.root) + "/plug.so", "plug.c")
            return "plug.so"
        self.check(find)

    def test_by_the_place_of_its_caller(self):
        def find(kore):
            build(kore.found_at(kore.dir) + "/plug.so", "plug.c")
            return "$ORIGIN/plug.so"
        self.check(find)

    def test_in_a_namespace_of_its_own(self):
        """Its libc is not the service's: neither is its heap."""
        def find(kore):
            if kore.production:
                for name in ("libc.so.6", "ld-linux-x86-64.so.2"):
                    kore.take("/lib/x86_64-linux-gnu/" + name)
            return self.plug(kore)
        self.check(find, "km", heap=False)

    def test_unloaded_and_another_one_loaded(self):
        """Ten of them, whose functions have frames of other sizes."""
        for production in (False, True):
            with self.service(production) as kore:
                libs = [kore.library(
                    "plug_%d.so" % i, "plug.c", "-DPLUG(name)=p%d_##name" % i,
                    "-DPAD=%d" % (64 * i)) for i in range(10)]

                def call():
                    for lib in libs:
                        kore.call(lib, "t", "go", 150)
                raw, _ = self.during(kore, 6, call)
                for i in range(10):
                    called, _ = self.share(raw, "p%d_inner" % i, "page_call")
                    used = raw.ns(lambda s: s.has("p%d_inner" % i))
                    note("p%d_inner: %.0f ms, %.1f%% with their caller", i,
                         used / 1e6, 100 * called)
                    self.assertNear(used, 150e6, 0.2, libs[i])
                    self.assertGreater(called, 0.99)

    def test_what_libc_loads_by_itself(self):
        for production in (False, True):
            with self.service(production) as kore:
                if production:
                    for name in ("gconv-modules.cache", "EUC-JP.so",
                                 "libJIS.so"):
                        kore.take(GCONV + name)
                raw, answer = self.during(kore, 3, lambda: kore.get(
                    "/iconv?n=1500").text)
                self.assertEqual(answer, "0")
                inside = [s for s in raw.samples if any(
                    raw.mappings[l.mapping].file.endswith("/EUC-JP.so")
                    for l in s.stack if l.mapping)]
                used = sum(s.ns for s in inside)
                called = sum(s.ns for s in inside if s.has("page_iconv"))
                note("%.0f ms in what iconv() loaded, %.1f%% with their "
                     "caller", used / 1e6, 100 * called / max(1, used))
                self.assertGreater(used, 300e6)
                self.assertGreater(called / used, 0.99)


class Segments(Truth):
    def test_all_executable_segments(self):
        """Of one file: each with a mapping of its own, as the kernel's."""
        for production in (False, True):
            with self.service(production) as kore:
                lib = kore.library(
                    "two.so", "segments.c",
                    "-Wl,--section-start=.text2=0x400000",
                    "-Wl,--section-start=.text3=0x800000")
                raw, answer = self.during(kore, 3, lambda: kore.call(
                    lib, "kt", "go", 1500))
                self.assertEqual(answer, "0")
                mappings = [m for m in raw.mappings.values()
                            if m.file.endswith("/two.so")]
                note("%s", [(hex(m.start), hex(m.limit), hex(m.offset))
                            for m in mappings])
                with open("/proc/%d/maps" % kore.worker_pids()[1]) as file:
                    kernel = [int(line.split()[2], 16) for line in file
                              if "/two.so" in line and "r-xp" in line]
                self.assertEqual(sorted(m.offset for m in mappings),
                                 sorted(kernel))
                functions = ("in_first", "in_second", "in_third")
                third = raw.ns(lambda s: any(map(s.has, functions))) / 3
                self.assertGreater(third, 100e6)
                for function in functions:
                    used = raw.ns(lambda s: s.has(function))
                    called, _ = self.share(raw, function, "page_call")
                    note("%s: %.0f ms, %.1f%% with their caller", function,
                         used / 1e6, 100 * called)
                    self.assertNear(used, third, 0.2, function)
                    self.assertGreater(called, 0.99)


class OwnJumps(Truth):
    def test_moved_instructions_are_their_function(self):
        """kore_malloc() and kore_free() begin elsewhere since the module has
        written jumps over them: each sample has a name, and its callers."""
        for production in (False, True):
            with self.service(production,
                              env={"PPROF_HEAP_RATE": "524288"}) as kore:
                raw, answer = self.during(kore, 4, lambda: kore.get(
                    "/pools?n=1500").text)
                self.assertEqual(answer, "0")
                # What was used and not sampled is in no function.
                nowhere = raw.ns(lambda s: any(l.mapping == 0
                                               for l in s.stack)
                                 and not s.has("[not sampled]"))
                below = raw.ns(lambda s: s.route == "/pools")
                lacking = [s for s in raw.samples if s.route == "/pools"
                           and not s.has("page_pools")]
                note("%.0f ms in the handler; without their callers %d "
                     "samples, %s of them counted; %.1f ms in no file",
                     below / 1e6, sum(s.count for s in lacking),
                     raw.facts()["samples_stackless"], nowhere / 1e6)
                self.assertGreater(below, 300e6)
                self.assertEqual(nowhere, 0)
                # A signal that finds the thread inside the unwinder.
                self.assertLessEqual(sum(s.count for s in lacking),
                                     int(raw.facts()["samples_stackless"]))


class Ends(Truth):
    """Stacks that are not whole are counted, in each profile by its own."""

    def facts(self, kore, path):
        answer = kore.get("/debug/pprof/" + path, timeout=60)
        self.assertEqual(answer.status, 200)
        facts = self.pprof.raw(answer.body).facts()
        return {key: int(value) for key, value in facts.items()
                if key.endswith(("_short", "_truncated"))}

    def test_short_and_cut_stacks(self):
        for production in (False, True):
            with self.service(production, env={"PPROF_BLOCK_RATE": "1"}) \
                    as kore:
                lib = kore.library("bare.so", "bare.c")
                self.assertEqual(self.facts(kore, "heap")[
                    "heap_stacks_truncated"], 0)
                raw, answer = self.during(kore, 3, lambda: kore.call(
                    lib, "kt", "bare_work", 1000))
                self.assertEqual(answer, "0")
                alone = raw.count(lambda s: s.functions() == ["bare_loop"])
                counted = int(raw.facts()["stacks_short"])
                note("%d samples in code without unwind information, "
                     "%d counted", alone, counted)
                self.assertGreater(alone, 100)
                # A signal's stack is counted; a sample is a whole period, for
                # which a thread that is preempted takes more than a signal.
                self.assertGreaterEqual(counted, alone)
                self.assertLess(counted, 2 * alone)
                for end in ("short", "truncated"):
                    for what in ("hold", "wait"):
                        before = self.facts(kore, "heap"), \
                            self.facts(kore, "block")
                        call = ("bare_" if end == "short" else "deep_") + what
                        self.assertEqual(kore.call(lib, "k", call, times=10),
                                         "0")
                        after = self.facts(kore, "heap"), \
                            self.facts(kore, "block")
                        more = [after[i][name + end] - before[i][name + end]
                                for i, name in enumerate(
                                    ("heap_stacks_", "waits_stacks_"))]
                        note("10 times %s: %s", call, more)
                        self.assertEqual(more[what == "wait"], 10)


if __name__ == "__main__":
    main()
