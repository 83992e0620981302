#!/usr/bin/env python3
# needs: a core, 158 s
"""
Libraries do what they do without the module: those with functions of their
own by the names that are followed, and those that come and go while other
threads map memory. Each in the plain and in the production conf, by default
and under a profile of 1000 Hz.
"""
import contextlib
import signal
import time

import harness
from case import Case, Later, main, note
from libraries import Libraries

FREESTANDING = ["-nostdlib", "-ffreestanding", "-fno-builtin"]
LAZY, NOW = ["-Wl,-z,lazy"], ["-Wl,-z,now"]


class Guest(Case):
    @contextlib.contextmanager
    def profiled(self, kore, seconds=3):
        later = Later(kore.profile, seconds, 1000)
        yield later
        self.assertEqual(later.result().status, 200)

    def both(self, call, **more):
        """call(kore) without the module, with it, with it under a profile:
        the same, in both confs."""
        for production in (False, True):
            with Libraries(False, production=production, **more) as kore:
                alone = call(kore)
            with Libraries(True, production=production, **more) as kore:
                default = call(kore)
                with self.profiled(kore):
                    sampled = call(kore)
            note("%s: %s alone, %s with the module, %s under a profile",
                 "production" if production else "plain", alone, default,
                 sampled)
            self.assertEqual(default, alone)
            self.assertEqual(sampled, alone)


class OwnFunctions(Guest):
    def test_a_library_with_an_allocator_of_its_own(self):
        variants = [("own_%s_%s" % (how, name), how, flags)
                    for name, flags in (("lazy", LAZY), ("now", NOW),
                                        ("symbolic", ["-Wl,-Bsymbolic"]))
                    for how in ("k", "kl", "kd", "kld", "kg", "kgd", "m",
                                "ml")]

        def call(kore):
            return [kore.call(kore.library(name + ".so", "own_malloc.c",
                                           *FREESTANDING, *flags), how)
                    for name, how, flags in variants]
        self.both(call)

    def test_a_library_that_binds_to_the_allocator_beside_it(self):
        """Through a dependency, and by a version that libc does not have."""
        def call(kore):
            script = kore.dir + "/own.map"
            with open(script, "w") as file:
                file.write("OWN_1 { global: *; };")
            own = kore.library("libown.so", "own_malloc.c", *FREESTANDING,
                               "-Wl,--version-script=" + script,
                               "-Wl,-soname," + kore.path("libown.so"))
            self.assertTrue(own)
            found = []
            for flags in (LAZY, NOW):
                for how in ("k", "kl", "kd", "kld"):
                    path = kore.library(
                        "user_%d.so" % len(found), "uses_own.c", *flags,
                        "-nostdlib", kore.root + "/libown.so")
                    found.append(kore.call(path, how))
            return found
        self.both(call)

    def test_old_versions_of_a_function(self):
        def call(kore):
            return [kore.call(kore.library("old_%d.so" % i, "old_versions.c",
                                           *flags), how)
                    for i, (flags, how) in enumerate(
                        [(LAZY, "kl"), (LAZY, "k"), (NOW, "k")])]
        self.both(call)

    def test_what_another_tool_has_put_there_stays(self):
        def call(kore):
            tool = kore.library("tool.so", "other_tool.c", *LAZY)
            found = [kore.call(tool, "kl", n=0)]
            for i in range(3):
                plug = kore.library("plug_%d.so" % i, "plug.c")
                found += [kore.call(plug), kore.call(tool, "kl", n=1)]
            return found
        self.both(call)


class Unloaded(Guest):
    """Libraries are unloaded while another thread maps memory, some of it
    where they were. Stacks stay whole."""

    def stacks(self, kore, seconds=4):
        """Of a profile of work: what has its callers, by its nanoseconds."""
        path = kore.library("steady.so", "plug.c")
        later = Later(kore.profile, seconds, 1000)
        time.sleep(0.3)
        kore.call(path, "kt", "plug_work", 1200)
        answer = later.result()
        self.assertEqual(answer.status, 200)
        raw = self.pprof.raw(answer.body)
        inner = raw.ns(lambda s: s.has("plug_inner"))
        whole = raw.ns(lambda s: s.has("plug_inner") and s.has("page_call")
                       and s.has("main"))
        self.assertGreater(inner, 300e6)
        return whole / inner

    def check(self, production, profiled):
        with Libraries(True, production=production) as kore:
            libs = [kore.library("plug_%d.so" % i, "plug.c",
                                 "-DPLUG(name)=p%d_##name" % i,
                                 "-DPAD=%d" % (4096 * i)) for i in range(8)]
            for turn in range(3):
                with (self.profiled(kore) if profiled
                      else contextlib.nullcontext()):
                    for lib in libs:
                        self.assertEqual(
                            kore.call(lib, "M", n=1000, times=20), "0")
                whole = self.stacks(kore)
                note("%s, %s: %.2f%% of the samples have whole stacks",
                     "production" if production else "plain",
                     "profiled" if profiled else "by default", 100 * whole)
                self.assertGreater(whole, 0.99)
            facts = self.pprof.raw(kore.get(
                "/debug/pprof/profile?seconds=1").body).facts()
            self.assertEqual(facts["unwinder_stale"], "0")

    def test_reloaded(self):
        """The modules are, by SIGHUP, while a thread of a library that stays
        maps memory."""
        for production in (False, True):
            with Libraries(True, production=production) as kore:
                mapper = kore.library("mapper.so", "mapper.c")
                for _ in range(3):
                    self.assertEqual(kore.call(mapper, n=1500), "0")
                    reloads = len(kore.log("reloaded"))
                    kore.process.send_signal(signal.SIGHUP)
                    harness.wait_for("the reload", 10, lambda: len(
                        kore.log("reloaded")) > reloads + 1)
                    whole = self.stacks(kore)
                    note("%.2f%% of the samples have whole stacks",
                         100 * whole)
                    self.assertGreater(whole, 0.99)

    def test_by_default(self):
        for production in (False, True):
            self.check(production, False)

    def test_under_a_profile(self):
        for production in (False, True):
            self.check(production, True)


if __name__ == "__main__":
    main()
