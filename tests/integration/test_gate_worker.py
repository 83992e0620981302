#!/usr/bin/env python3
# needs: a core, 108 s
"""
What a worker that somebody has taken over can do to the rest of the service:
it writes over all of the memory that it shares, while it serves, and dies.

Compared with stock Kore: a worker's death is that, one death. The parent lives,
the next worker serves, nothing restarts that was not killed.
"""
import http.client
import os
import re
import shutil
import signal
import threading
import time
import unittest

import harness
from case import Case, main, note
from harness import PPROF, Service, wait_for

ROUNDS = int(os.environ.get("PPROF_TEST_ROUNDS", "200"))
FILLS = ("00", "ff", "random")


def service(**more):
    return Service(["scribble.c", PPROF],
                   routes=["/ page_hello", "/spin page_spin",
                           "/fill page_fill", "/die page_die",
                           "/forge page_forge"], **more)


def ask(kore, path, patience=20):
    """Until somebody answers: a worker that is about to die may have taken the
    connection."""
    end = time.monotonic() + patience
    while True:
        try:
            answer = kore.get(path, timeout=5)
            if answer.status == 200:
                return answer
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > end:
            raise harness.Broken("nobody answers " + path)
        time.sleep(0.02)


def die(kore, with_what):
    """Fill, and be gone; once."""
    try:
        kore.get("/die?" + with_what, timeout=20)
    except (OSError, http.client.HTTPException):
        return
    raise harness.Broken("it has answered, and should have died")


class Load(threading.Thread):
    """Requests and profiles beside it, which may fail and must end."""

    def __init__(self, kore):
        super().__init__(daemon=True)
        self.kore, self.stopping = kore, threading.Event()
        self.answered = 0

    def run(self):
        paths = ("/spin", "/debug/pprof/heap", "/spin",
                 "/debug/pprof/goroutine?debug=2", "/spin",
                 "/debug/pprof/profile?seconds=1&hz=1000",
                 "/debug/pprof/doctor", "/debug/pprof/trace?seconds=1")
        turn = 0
        while not self.stopping.is_set():
            try:
                self.kore.get(paths[turn % len(paths)], timeout=10)
                self.answered += 1
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
            turn += 1

    def finish(self):
        self.stopping.set()
        self.join(60)


class Scribbled(Case):
    def rounds(self, count, **more):
        with service(restarts=count, **more) as kore:
            parent = kore.process.pid
            loads = [Load(kore) for _ in range(2)]
            for load in loads:
                load.start()
            for turn in range(count):
                with_what = FILLS[turn % len(FILLS)]
                ask(kore, "/fill?" + with_what)
                before = len(kore.log("restarting worker"))
                die(kore, with_what)
                wait_for("the death of round %d" % turn, 20, lambda: len(
                    kore.log("restarting worker")) > before)
                self.assertTrue(harness.alive(parent))
                self.assertEqual(ask(kore, "/").body, b"hello\n")
            for load in loads:
                load.finish()
            self.assertEqual(len(kore.log("restarting worker")), count)
            # Whose tables were written over are gone: it profiles again.
            for pid in list(kore.worker_pids().values()):
                self.assertTrue(harness.alive(pid))
            answer = kore.get("/debug/pprof/doctor", timeout=20)
            self.assertEqual(answer.status, 200)
            note("%d rounds, %d requests beside them", count,
                 sum(load.answered for load in loads))

    def test_200_rounds(self):
        self.rounds(ROUNDS)

    def test_without_privileges_to_drop(self):
        self.rounds(6, production=False)

    def test_the_next_worker_profiles_again(self):
        """Also one that takes over a slot with nonsense in it."""
        for with_what in FILLS:
            with self.subTest(with_what=with_what):
                with service(workers=1, restarts=1) as kore:
                    ask(kore, "/spin")
                    die(kore, with_what)
                    ask(kore, "/")
                    stop = threading.Event()

                    def spin():
                        while not stop.is_set():
                            ask(kore, "/spin")
                    thread = threading.Thread(target=spin)
                    thread.start()
                    try:
                        raw = self.pprof.raw(kore.profile(2, 200).body)
                    finally:
                        stop.set()
                        thread.join(20)
                    self.assertTrue(any(
                        s.has("page_spin") and s.route == "/spin"
                        for s in raw.samples))


# What a collector opens besides the files that its parent has loaded.
OPENS = re.compile(r"""
    /dev/null | /proc/self/(fd/[0-9]+|statm) |
    /usr/lib/debug/.* | .*/(\.debug/)?[^/]*\.debug |
    /etc/(ld\.so\.(cache|preload)|nsswitch\.conf|passwd|group|localtime) |
    /usr/share/zoneinfo/.* |
    /(usr/)?lib(64)?/([a-z0-9_]+-linux-gnu/)?(lib|ld-)[^/]*\.so[^/]*
    """, re.X)


class Opens(Case):
    """The collector is root as it starts: it opens what the parent knows to be
    loaded, and no file that somebody else has named."""

    def traced(self, folder):
        """A collector that writes down what it opens."""
        path = os.path.join(folder, "pprof-collector")
        with open(path, "w") as file:
            file.write("#!/bin/sh\nexec strace -D -qq -f -e trace=open,openat,"
                       "openat2,execve -o %s/opens.$$ %s \"$@\"\n"
                       % (folder, harness.COLLECTOR))
        os.chmod(path, 0o755)
        return path

    def opened(self, folder, pid):
        with open("%s/opens.%d" % (folder, pid)) as file:
            text = file.read()
        return re.findall(r'open(?:at2?)?\((?:AT_FDCWD, )?"([^"]*)"', text)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_only_what_the_parent_has_loaded(self):
        folder = harness.new_dir()
        self.addCleanup(shutil.rmtree, folder)
        with service(env={"PPROF_COLLECTOR": self.traced(folder)},
                     collector_replaced=True) as kore:
            module = os.path.join(kore.dir, "scribble.so")
            bait = os.path.join(kore.dir, "scribbl3.so")
            os.symlink("/etc/shadow", bait)
            # So that it is started again at once.
            time.sleep(1.2)
            forged = int(ask(kore, "/forge?%s,%s" % (module, bait)).body)
            self.assertGreater(forged, 0)
            os.kill(kore.collector, signal.SIGKILL)
            again = wait_for("another collector", 20, lambda: (
                kore.find_collector() != kore.collector
                and kore.find_collector()))
            answer = ask(kore, "/debug/pprof/doctor")
            self.assertEqual(answer.status, 200)
            loaded = {path for path, _ in kore.modules} | {
                harness.COLLECTOR, shutil.which("kore")}
            for pid in (kore.collector, again):
                names = self.opened(folder, pid)
                self.assertIn(module, names)
                for name in set(names) - loaded:
                    self.assertTrue(OPENS.fullmatch(name), name)
            note("%d and %d files opened, %d names forged",
                 len(self.opened(folder, kore.collector)), len(names), forged)


if __name__ == "__main__":
    main()
