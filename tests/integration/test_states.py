#!/usr/bin/env python3
# needs: sleeps, 16 s
"""
What a thread waits for, in goroutine: one of each kind in a library
(modules/waiters.c), with waits measured and not; also as they are seen where
neither the C library's debug symbols are installed nor pprof.so has any.
"""
import os
import shutil
import subprocess
import time

import harness
import web
from case import Case, main, note

STATES = {
    "mutex wait": ("mutex", "mutex_timed", "mtx"),
    "rwlock wait": ("rdlock", "wrlock", "wrlock_timed"),
    "cond wait": ("cond", "cond_timed", "cnd"),
    "barrier wait": ("barrier",),
    "join wait": ("join", "join_timed", "join_clock", "join_c11"),
    "semaphore wait": ("sem", "sem_timed", "sem_clock"),
    "sleep": ("sleep", "usleep"),
    "syscall": ("read", "poll"),
}
WANTED = {"waits_" + name: state
          for state, names in STATES.items() for name in names}
HIDE = "! [ -d /usr/lib/debug ] || mount -t tmpfs none /usr/lib/debug || " \
    "exit 1; exec \"$@\""


class WithoutDebugSymbols(harness.Service):
    """In a mount namespace of its own."""

    def command(self, conf):
        return ["unshare", "-m", "sh", "-c", HIDE, "sh"] + super().command(
            conf)


class States(Case):
    maxDiff = None

    def service(self, kind=harness.Service, module=harness.PPROF, env=()):
        self.listener = harness.free_port()
        return kind(["waiters.c", module],
                    ["/ page_who", "/begin page_begin"], workers=1,
                    env=dict(env, PPROF_LISTEN="127.0.0.1:%d" % self.listener))

    def check(self, kore):
        self.assertEqual(kore.get("/begin").text, "begun\n")
        for rate in (0, 1):
            self.assertEqual(kore.ask(
                "POST", "/debug/pprof/settings",
                body=b"block_rate=%d" % rate,
                headers={"X-Pprof": "1"}).status, 200)
            if rate:
                # Who waits already does so unmeasured: others, measured.
                self.assertEqual(kore.get("/begin").status, 200)
            time.sleep(0.5)
            # By the listener, so that the event loop has nothing to do.
            raw = self.pprof.raw(web.get(
                "127.0.0.1", self.listener, "/debug/pprof/goroutine").body)
            states = {}
            for sample in raw.samples:
                for function in set(sample.functions()) & set(WANTED):
                    states.setdefault(function, []).extend(
                        [sample.labels["state"]] * sample.count)
            self.assertEqual(states, {
                function: [state] * (1 + rate)
                for function, state in WANTED.items()}, "block_rate=%d" % rate)
            note("block_rate=%d: %d functions in %d states", rate,
                 len(states), len(STATES))
            self.assertEqual(raw.count(
                lambda s: s.labels["state"] == "epoll wait"
                and s.has("kore_worker_entry")), 1)

    def test_as_installed_here(self):
        with self.service() as kore:
            self.check(kore)

    def test_without_any_debug_symbols(self):
        work = harness.new_dir()
        try:
            module = os.path.join(work, "pprof.so")
            shutil.copy(harness.PPROF[0], module)
            # As dh_strip does it to a library.
            subprocess.run(["strip", "--strip-unneeded",
                            "--remove-section=.comment",
                            "--remove-section=.note", module], check=True)
            with self.service(WithoutDebugSymbols, (module, "pprof_load"),
                              env={"PPROF_COLLECTOR": harness.COLLECTOR}
                              ) as kore:
                self.check(kore)
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
