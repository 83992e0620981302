#!/usr/bin/env python3
# needs: a core, 163 s
"""
All that a collector keeps stays below one number, PPROF_MEMORY_MIB, whatever is
asked for and whatever a worker makes up: the rest is refused with 503 and the
reason, or counted.
"""
import http.client
import json
import os
import re
import socket
import threading
import time

import harness
import load
import workload
from case import Case, main, note
from harness import PPROF, Service, wait_for

MIB = 1024 * 1024
PROFILES = 250


def memory_of(pid):
    """Bytes of its own, and of the memory files that it has open, but for the
    arena, which is the service's."""
    with open("/proc/%d/status" % pid) as file:
        own = int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1]) * 1024
    files, folder = 0, "/proc/%d/fd" % pid
    for fd in os.listdir(folder):
        try:
            path = os.path.join(folder, fd)
            if "memfd:pprof-answer" in os.readlink(path):
                files += os.stat(path).st_blocks * 512
        except OSError:
            continue
    return own + files


class Watch(threading.Thread):
    """The most that the collector had, every 50 ms."""

    def __init__(self, kore):
        super().__init__(daemon=True)
        self.pid, self.most = kore.collector, 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(0.05):
            self.most = max(self.most, memory_of(self.pid))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        self.join(10)


class Asked(threading.Thread):
    """One request at a listener or a route; what it was answered."""

    def __init__(self, kore, path, timeout=120):
        super().__init__(daemon=True)
        self.kore, self.path, self.timeout = kore, path, timeout
        self.answer = self.error = None
        self.start()

    def run(self):
        try:
            self.answer = self.kore.get(self.path, timeout=self.timeout)
        except (OSError, http.client.HTTPException) as error:
            self.error = error

    def status(self):
        self.join(self.timeout)
        return self.answer.status if self.answer else None


class Flood(threading.Thread):
    """Records that are made up, in slices: the worker serves between them."""

    def __init__(self, kore):
        super().__init__(daemon=True)
        self.kore, self.made = kore, 0
        self.stopping = threading.Event()
        self.start()

    def run(self):
        while not self.stopping.is_set():
            try:
                self.made += int(self.kore.get("/flood?100", timeout=30).body)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.05)

    def finish(self):
        self.stopping.set()
        self.join(60)
        return self.made


class Memory(Case):
    def flooded(self, mib=None):
        folder = harness.new_dir()
        module = harness.compile_module(
            "flood.c", os.path.join(folder, "flood.so"),
            ["-I" + os.path.join(harness.TOP, "middleware", "core")])
        self.addCleanup(harness.shutil.rmtree, folder)
        return Service([module, PPROF], routes=[
            "/ page_hello", "/flood page_flood"], workers=2,
            env={"PPROF_MEMORY_MIB": str(mib)} if mib else None)

    def finding(self, kore, name):
        answer = kore.get("/debug/pprof/doctor?format=json", timeout=30)
        self.assertEqual(answer.status, 200)
        return [f for f in json.loads(answer.body)["findings"]
                if f["name"] == name]

    def held(self, kore, path):
        """A client that asks and does not read."""
        client = socket.create_connection((kore.host, kore.port), timeout=30)
        client.sendall(("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                        % path).encode())
        return client

    def check(self, mib):
        with self.flooded(mib) as kore, Watch(kore) as watch:
            before = memory_of(kore.collector)
            clients = [self.held(
                kore, "/debug/pprof/profile?seconds=600&hz=10000")
                for _ in range(PROFILES)]
            time.sleep(3)
            floods = [Flood(kore) for _ in range(4)]
            time.sleep(10)
            # No room for more of what stays; what is asked meanwhile is told.
            more = kore.get("/debug/pprof/profile?seconds=1", timeout=60)
            self.assertEqual(more.status, 503, more)
            self.assertIn(b"(PPROF_MEMORY_MIB)", more.body)
            self.assertEqual(kore.get("/debug/pprof/goroutine?debug=1",
                                      timeout=60).status, 200)
            bound = self.finding(kore, "collector_bound")
            self.assertIn("MiB of the %d that it may" % mib, str(bound))
            made = sum(flood.finish() for flood in floods)
            note("%d MiB: %.0f MiB before, %.0f at most; %d records made up",
                 mib, before / MIB, watch.most / MIB, made)
            self.assertLessEqual(watch.most, mib * MIB)
            self.assertGreater(watch.most, mib * MIB / 2)
            for client in clients:
                client.close()
            # What the flight recorder has of it goes with time.
            wait_for("room for another", 90, lambda: kore.profile(
                1).status == 200)

    def test_250_profiles_at_10_khz_and_forged_records(self):
        self.check(256)

    def test_with_little(self):
        self.check(64)

    def test_8_traces_of_a_gib(self):
        with workload.service(env={"PPROF_MEMORY_MIB": "64"}) as kore, \
                Watch(kore) as watch:
            traces = [Asked(kore, "/debug/pprof/trace?seconds=20&max=%d"
                            % (1 << 30)) for _ in range(8)]
            ab = load.Ab(kore, "/light", 2000000)
            statuses = [t.status() for t in traces]
            ab.process.kill()
            ab.process.communicate()
            note("traces of %s bytes: %.0f MiB at most", [
                len(t.answer.body) for t in traces], watch.most / MIB)
            self.assertLessEqual(watch.most, 64 * MIB)
            self.assertEqual(set(statuses), {200})
            early = [t.answer.headers.get("x-pprof-ended-early")
                     for t in traces]
            note("ended early: %s", set(early))
            self.assertEqual(set(early), {"PPROF_MEMORY_MIB reached"})

    def test_bad_values(self):
        for value in ("63", "65537", "-1", "256M", "x"):
            with self.subTest(value=value):
                with self.flooded(value) as kore:
                    self.assertEqual(len(kore.log(
                        'PPROF_MEMORY_MIB: "%s" is not a number of MiB from '
                        '64 to 65536: 256 is taken' % value)), 1)


if __name__ == "__main__":
    main()
