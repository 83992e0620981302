#!/usr/bin/env python3
# needs: a core, 38 s
"""
Kore's production mode (chroot, another user, seccomp) while profiles are
taken: nothing is violated, nothing restarts, no request fails.

Every Service checks the log for violations and restarts; see harness.py.
"""
import os
import subprocess
import threading

import harness
import load
import workload
from case import Case, main, note

REQUESTS = 100000


class BackToBack(threading.Thread):
    """Profiles one after the other, at changing rates, until told to stop."""

    def __init__(self, kore):
        super().__init__(daemon=True)
        self.kore, self.stopping = kore, threading.Event()
        self.taken, self.bad = 0, []
        self.largest = b""

    def run(self):
        rates = (100, 1000, 250, 10000)
        while not self.stopping.is_set():
            try:
                answer = self.kore.profile(1, rates[self.taken % len(rates)])
                self.taken += 1
                if answer.status != 200:
                    self.bad.append(answer)
                else:
                    self.largest = max(self.largest, answer.body, key=len)
            except OSError as error:
                self.bad.append(error)

    def finish(self):
        self.stopping.set()
        self.join(60)


class Production(Case):
    def privileges(self, pid):
        with open("/proc/%d/status" % pid) as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file
                        if ":\t" in line)

    def test_100000_requests_while_profiles_run(self):
        with workload.service(background=True) as kore:
            profiles = BackToBack(kore)
            profiles.start()
            with load.Driver(kore, ["/task", "/sleep", "/burn/a", "/re/abc"],
                             duty=0.3) as mixed:
                result = load.Ab(kore, "/light", REQUESTS).wait()
            profiles.finish()
            for pid in kore.worker_pids().values():
                facts = self.privileges(pid)
                self.assertEqual(facts["Seccomp"], "2")
                self.assertNotEqual(facts["Uid"].split()[0], "0")
                self.assertEqual(os.readlink("/proc/%d/root" % pid), kore.root)
            collector = self.privileges(kore.find_collector())
        note("ab: %s", result)
        note("%d profiles, %d other requests", profiles.taken, mixed.done)
        self.assertEqual(result["complete"], REQUESTS)
        self.assertEqual((result["failed"], result["non2xx"],
                          result["write errors"]), (0, 0, 0))
        self.assertEqual((mixed.bad, mixed.lost), ([], 0))
        self.assertEqual(profiles.bad, [])
        self.assertGreater(profiles.taken, 2)
        self.assertNotEqual(collector["Uid"].split()[0], "0",
                            "the collector keeps root")
        self.assertEqual(collector["Seccomp"], "2",
                         "the collector has no filter")
        raw = self.pprof.raw(profiles.largest)
        self.assertTrue(any(s.route == "/light" for s in raw.samples))

    def test_names_are_right_inside_a_chroot(self):
        """Nothing of what was loaded can be opened from inside it."""
        with workload.service() as kore:
            os.chmod(os.path.join(kore.dir, "workload.so"), 0o700)
            with load.Driver(kore, ["/burn/a"]):
                raw = self.pprof.raw(kore.profile(1, 1000).body)
        self.assertTrue(any(s.has("workload_alpha") and s.has("burn_a")
                            and s.has("http_process")
                            for s in raw.samples))
        nameless = {}
        for location in raw.locations.values():
            if location.frames and location.frames[0].function == \
                    "[not sampled]":
                continue
            mapping = raw.mappings.get(location.mapping)
            file = os.path.basename(mapping.file) if mapping else "no object"
            bare = not location.frames or "+0x" in location.frames[0].function
            nameless.setdefault(file, []).append(bare)
        for file, bare in sorted(nameless.items()):
            note("%s: %d of %d addresses without a name", file, sum(bare),
                 len(bare))
        # Kore and libc are stripped: their static functions have no names.
        self.assertFalse(any(nameless["workload.so"]))
        self.assertNotIn("no object", nameless)

    def test_without_privileges_to_drop(self):
        """kore -n -r, as kodev run does it."""
        with workload.service(production=False) as kore:
            with load.Driver(kore, ["/burn/a", "/task"]):
                answer = kore.profile(1, 1000)
            raw = self.pprof.raw(answer.body)
            self.assertTrue(any(s.has("workload_task") for s in raw.samples))

    def test_the_workers_end_well(self):
        preload = os.path.join(harness.new_dir(), "waited.so")
        harness.compile_module("waited.c", preload)
        try:
            kore = workload.service(preload=preload)
            with kore:
                with load.Driver(kore, ["/burn/a", "/task"]):
                    kore.profile(1)
                pids = kore.worker_pids()
            ends = {int(line.split()[1]): int(line.split()[2])
                    for line in kore.log("waited:")}
            self.assertEqual({pid: ends.get(pid) for pid in pids.values()},
                             {pid: 0 for pid in pids.values()})
        finally:
            os.unlink(preload)
            os.rmdir(os.path.dirname(preload))

    def test_one_worker_and_many(self):
        for workers in (1, 9):
            with self.subTest(workers=workers):
                with workload.service(workers=workers) as kore:
                    with load.Driver(kore, ["/burn/a", "/task"]):
                        answer = kore.profile(1)
                    self.assertEqual(answer.status, 200)
                    self.assertTrue(self.pprof.raw(answer.body).count())

    def tls_domain(self, kore):
        """A second server with TLS, which brings a keymgr. Its paths are
        as the keymgr sees them, inside its root."""
        for command in (
                ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                 "-subj", "/CN=secret.test", "-keyout", "key.pem",
                 "-out", "cert.pem"],
                ["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
                 "group:ffdhe2048", "-out", "dh.pem"]):
            subprocess.run(["openssl", *command], check=True, cwd=kore.dir,
                           stderr=subprocess.DEVNULL)
        for name in ("key.pem", "cert.pem"):
            os.chmod(os.path.join(kore.dir, name), 0o644)
        kore.settings += [*harness.rights_lines(kore.dir, "keymgr"),
                          "tls_dhparam %s/dh.pem" % kore.dir]
        kore.blocks += ["server secret {",
                        "  bind 127.0.0.1 %d" % harness.free_port(), "}",
                        "domain secret.test {", "  attach secret",
                        "  certfile /cert.pem", "  certkey /key.pem",
                        *harness.route_lines("/light page_light"), "}"]

    def test_the_keymgr_is_left_alone(self):
        kore = workload.service()
        self.tls_domain(kore)
        with kore:
            harness.wait_for("the key", 20,
                             lambda: kore.log("loaded private key"))
            keymgr = [pid for pid, _ in harness.children(kore.process.pid)
                      if "[keymgr]" in harness.title(pid)]
            self.assertEqual(len(keymgr), 1)
            with load.Driver(kore, ["/burn/a", "/task"]):
                raw = self.pprof.raw(kore.profile(2, 1000).body)
            with open("/proc/%d/maps" % keymgr[0]) as file:
                self.assertNotIn("memfd:", file.read())
            folder = "/proc/%d/fd" % keymgr[0]
            held = [os.readlink(os.path.join(folder, fd))
                    for fd in os.listdir(folder)]
            self.assertFalse([f for f in held if "memfd:" in f], held)
            self.assertTrue(harness.alive(keymgr[0]))
        self.assertNotIn(keymgr[0], {s.numbers["pid"] for s in raw.samples})
        self.assertTrue(any(s.route == "/burn/a" for s in raw.samples))


if __name__ == "__main__":
    main()
