#!/usr/bin/env python3
# needs: a core, 25 s
"""
kodev's single binary: Kore, the application, its conf and pprof.so in one
program. There the module's constructor runs before main(), when Kore has
neither set up its memory nor its seccomp filter.

And a Kore that was built otherwise than the module: it is told from the one
that it was made for, and is left alone.
"""
import os
import shutil
import signal
import subprocess
import time

import harness
import load
import web
from case import Case, Later, main, note

SOURCE = os.path.join(harness.HERE, "modules", "single.c")
ROUTES = ["/ page", "/burn page_burn", "/cond page_cond", "/timer page_timer",
          "^/debug/pprof(/.*)?$ pprof_handler"]
NO_TLS = "TLS_BACKEND=none" if harness.KORE_42 else "NOTLS=1"
BUILD_CONF = """single_binary=yes
kore_source=/usr/share/kore
kore_flavor=%s
cflags=-std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer
ldflags=-Wl,--no-as-needed %s
dev {
}
"""
# Kore takes warnings for errors, and today's compiler warns of its sources.
COMPILER = """#!/bin/sh
exec %s "$@" -Wno-error
"""
# Something of a Kore with CURL=1.
OTHER = "void kore_curl_sysinit(void);\nvoid kore_curl_sysinit(void) { }\n"


class Single(harness.Service):
    """One that kodev builds when it is started."""

    def __init__(self, source=SOURCE, routes=ROUTES,
                 flavor=NO_TLS + " TASKS=1 PGSQL=1", pprof=harness.PPROF[0],
                 **more):
        super().__init__([], routes, **more)
        self.source, self.flavor, self.pprof = source, flavor, pprof
        self.profiled = True
        self.env.update(harness.preloaded(more.get("preload")))

    def command(self, conf):
        project = os.path.join(self.dir, "single")
        for name in ("conf", "src"):
            os.makedirs(os.path.join(project, name))
        shutil.copy(self.source, os.path.join(project, "src"))
        shutil.copy(conf, os.path.join(project, "conf", "single.conf"))
        with open(os.path.join(project, "conf", "build.conf"), "w") as file:
            file.write(BUILD_CONF % (self.flavor, self.pprof))
        compiler = os.path.join(project, "cc")
        with open(compiler, "w") as file:
            file.write(COMPILER % shutil.which("cc"))
        os.chmod(compiler, 0o755)
        env = dict(os.environ, MAKEFLAGS="-j2",
                   PATH=project + ":" + os.environ["PATH"])
        began = time.monotonic()
        built = subprocess.run(["kodev", "build"], cwd=project, env=env,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
        if built.returncode != 0:
            raise harness.Broken(built.stdout.decode(errors="replace"))
        note("kodev build: %.1f s", time.monotonic() - began)
        return [os.path.join(project, "single"), "-f"]


class SingleBinary(Case):
    """One service for all of it: a build takes most of the time."""

    def profile_of(self, kore):
        with load.Driver(kore, ["/burn"]):
            used = kore.cpu()
            answer = kore.profile(2)
            used = kore.cpu() - used
        self.assertEqual(answer.status, 200)
        raw = self.pprof.raw(answer.body)
        # As the rate says, however much the machine left to the service.
        note("%d samples in %.2f s of CPU", raw.count(), used)
        self.assertGreater(raw.count(), 0.5 * 100 * used)
        burnt = raw.ns(lambda s: s.has("burn_single"))
        note("%.2f s of %.2f s in burn_single", burnt / 1e9, raw.ns() / 1e9)
        self.assertGreater(burnt, 0.8 * raw.ns())
        self.assertGreater(burnt, 0.2e9)
        self.assertEqual({s.route for s in raw.samples
                          if s.has("burn_single")}, {"/burn"})

    def check_waits(self, kore, listener):
        """The program's own calls that wait are the application's here."""
        self.assertEqual(kore.ask(
            "POST", "/debug/pprof/settings", body=b"block_rate=1",
            headers={"X-Pprof": "1"}).status, 200)
        true = interrupted = 0
        states = set()
        for _ in range(3):
            # The worker's event loop stands still meanwhile.
            cond = Later(kore.get, "/cond")
            while cond.is_alive():
                raw = self.pprof.raw(web.get(
                    "127.0.0.1", listener, "/debug/pprof/goroutine").body)
                states |= {(s.route, s.labels.get("state"))
                           for s in raw.samples}
            ns, cut = map(int, cond.result().text.split())
            true, interrupted = true + ns, max(interrupted, cut)
        note("states: %s", sorted(states, key=str))
        self.assertEqual(interrupted, 0, "sleeps that our signal ended")
        self.assertIn(("/cond", "cond wait"), states)
        timer = Later(kore.get, "/timer")
        harness.wait_for("a timer", 5, lambda: [
            s for s in self.pprof.raw(kore.get(
                "/debug/pprof/goroutine").body).samples
            if (s.route, s.labels.get("state")) == ("/timer", "timer")])
        self.assertEqual(timer.result().status, 200)
        block = self.pprof.raw(kore.get("/debug/pprof/block").body)
        waits = [s for s in block.samples if s.has("waits_for_cond")
                 and s.labels.get("wait") == "cond wait"]
        note("cond: %d of 3 waits, %.1f of %.1f ms",
             sum(s.count for s in waits), sum(s.ns for s in waits) / 1e6,
             true / 1e6)
        self.assertEqual({s.route for s in waits}, {"/cond"})
        self.assertEqual(sum(s.count for s in waits), 3)
        self.assertNear(sum(s.ns for s in waits), true, 0.10, "time waited")

    def test_it_is_profiled_like_any_service(self):
        listener = harness.free_port()
        with Single(restarts=1, env={
                "PPROF_LISTEN": "127.0.0.1:%d" % listener}) as kore:
            self.profile_of(kore)
            heap = self.pprof.raw(kore.get("/debug/pprof/allocs").body)
            found = [s for s in heap.samples if s.has("page_burn")]
            self.assertTrue(found, "no sample of page_burn's malloc")
            self.assertEqual({s.route for s in found}, {"/burn"})
            doctor = kore.get("/debug/pprof/doctor?format=json").text
            self.assertIn('"name":"sandbox","verdict":"ok"', doctor)
            self.check_waits(kore, listener)
            kore.process.send_signal(signal.SIGHUP)
            os.kill(kore.worker_pids()[1], signal.SIGKILL)
            harness.wait_for("the restart", 10,
                             lambda: kore.log("restarting worker"))
            harness.wait_for("two workers", 10, lambda: len(
                [p for p in kore.worker_pids().values()
                 if harness.alive(p)]) == 2)
            self.profile_of(kore)

    def test_preloaded_is_the_same(self):
        """LD_PRELOAD: a constructor before main() in Debian's kore."""
        with harness.Service(["workload.c"],
                             ["/ page_light", "/burn burn_a", ROUTES[-1]],
                             preload=harness.PPROF[0]) as kore:
            with load.Driver(kore, ["/burn"]):
                raw = self.pprof.raw(kore.profile(1).body)
            self.assertGreater(raw.ns(lambda s: s.route == "/burn"), 0.2e9)

    def test_a_kore_built_otherwise_is_left_alone(self):
        work = harness.new_dir()
        try:
            source = os.path.join(work, "other.c")
            with open(source, "w") as file:
                file.write(OTHER)
            other = harness.compile_module(source,
                                           os.path.join(work, "other.so"))
            with harness.Service(["workload.c", harness.PPROF],
                                 ["/ page_light", ROUTES[-1]], preload=other,
                                 collector_missing=True) as kore:
                answer = kore.get("/debug/pprof/")
                self.assertEqual(answer.status, 503)
                self.assertIn("built with CURL=1", answer.text)
                self.assertEqual(kore.get("/").status, 200)
                self.assertEqual(len(kore.log("built with CURL=1")), 1)
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
