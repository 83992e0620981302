#!/usr/bin/env python3
# needs: a core, 107 s
"""
What can happen to a service in the middle of a profile: a worker is killed,
a module is replaced, the client hangs up, the collector is killed, the
service ends.
"""
import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

import harness
import load
import workload
from case import Case, Later, main, note


def profile_on(kore, worker, query, timeout=90):
    """A profile asked on a connection of the given worker."""
    connection = load.connection_to(kore, worker)
    connection.http.timeout = timeout
    connection.http.sock.settimeout(timeout)
    return Later(connection.get, "/debug/pprof/profile?" + query), connection


class Workers(Case):
    def test_kill_9_of_a_worker_keeps_what_it_used(self):
        with workload.service(restarts=1) as kore:
            dead = kore.worker_pids()[2]
            later, connection = profile_on(kore, 1, "seconds=5&hz=250")
            with load.Driver(kore, ["/burn/b", "/task"], worker=2) as other:
                time.sleep(2)
                used = harness.cpu_seconds(dead)
                os.kill(dead, signal.SIGKILL)
                answer = later.result()
                reborn = kore.worker_pids()[2]
                more = harness.cpu_seconds(reborn)
            connection.close()
            self.assertEqual(answer.status, 200)
            raw = self.pprof.raw(answer.body)
        self.assertNotEqual(dead, reborn)
        by_pid = raw.by(lambda s: s.numbers["pid"])
        note("killed %d: %.2f s of %.2f s; its successor %d: %.2f s of %.2f s",
             dead, by_pid.get(dead, 0) / 1e9, used, reborn,
             by_pid.get(reborn, 0) / 1e9, more)
        # Not all of it lies within the window: that begins when the collector
        # has heard of it, and ends before the answer is here.
        self.assertNear(by_pid.get(dead, 0) / 1e9, used, 0.2 + 0.2 / used,
                        "CPU of the killed worker")
        self.assertGreater(by_pid.get(reborn, 0) / 1e9, more / 2,
                           "CPU of its successor")
        for pid in (dead, reborn):
            mine = [s for s in raw.samples if s.numbers["pid"] == pid]
            self.assertEqual({s.numbers["worker"] for s in mine}, {2})
            self.assertTrue(any(s.has("workload_alpha")
                                and s.route == "/burn/b" for s in mine))
        self.assertGreaterEqual(other.lost, 1)
        self.assertEqual(other.bad, [])

    def test_kill_9_of_the_worker_that_serves_the_profile(self):
        with workload.service(restarts=1) as kore:
            later, connection = profile_on(kore, 1, "seconds=20")
            time.sleep(1)
            os.kill(kore.worker_pids()[1], signal.SIGKILL)
            with self.assertRaises((OSError, http.client.HTTPException)):
                later.result()
            connection.close()
            answer, took = load.wait_ready(
                kore, "/debug/pprof/profile?seconds=1")
            note("a profile %.2f s after the kill", took)
            self.pprof.raw(answer.body)
            harness.wait_for("both workers", 10,
                             lambda: len(set(kore.worker_pids())) == 2)

    def test_stuck_workers_do_not_lose_the_profile(self):
        """A handler that holds its worker, longer than the window."""
        with workload.service() as kore:
            stuck = load.connection_to(kore, 2)
            before = kore.cpu()
            later, connection = profile_on(kore, 1, "seconds=2&hz=100")
            time.sleep(0.1)
            held = Later(stuck.get, "/stuck")
            answer = later.result()
            used = kore.cpu() - before
            raw = self.pprof.raw(answer.body)
            self.assertTrue(held.is_alive(), "it was not stuck long enough")
            held.result()
            stuck.close()
            connection.close()
        seen = raw.ns(lambda s: s.route == "/stuck") / 1e9
        note("%.2f s of /stuck in a window of 2 s, %.2f s of CPU used", seen,
             used)
        # `used` is a little more than the window: see above.
        self.assertGreater(seen, used * 0.6, "CPU of /stuck")


class Reload(Case):
    def build(self, kore, version):
        out = os.path.join(kore.dir, "new.so")
        return harness.compile_module("reload.c", out,
                                      ["-DVERSION=" + version])

    def places(self, kore, path):
        """Where the file must lie: the parent's view, and the workers'."""
        inside = kore.root + path
        return [path, inside] if kore.production else [path]

    def install(self, kore, version, path):
        built = self.build(kore, version)
        for place in self.places(kore, path):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copyfile(built, place + ".next")
            os.chmod(place + ".next", 0o755)
            os.replace(place + ".next", place)

    def check(self, production):
        kore = workload.service(
            modules=["workload.c", harness.PPROF], production=production,
            routes=workload.ROUTES + ["/reload page_reload"])
        path = os.path.join(kore.dir, "modules", "reload.so")
        self.install(kore, "before", path)
        kore.modules.append((path, None))
        with kore:
            with load.Driver(kore, ["/reload"], worker=1) as one, \
                    load.Driver(kore, ["/reload", "/burn/a"], worker=2) as two:
                later = Later(kore.profile, 5, 250)
                time.sleep(2)
                self.install(kore, "after", path)
                kore.process.send_signal(signal.SIGHUP)
                answer = later.result()
            self.assertEqual(kore.get("/reload").text, "after")
            self.assertEqual((one.bad, two.bad), ([], []))
            self.assertEqual((one.lost, two.lost), (0, 0),
                             (one.why, two.why))
            self.assertEqual(answer.status, 200)
            raw = self.pprof.raw(answer.body)
            again = self.pprof.raw(kore.profile(1).body)
        self.judge(raw)
        self.assertFalse(any(s.has("reload_before") for s in again.samples))

    def judge(self, raw):
        names = ("reload_before", "reload_after")
        for name in names:
            seen = raw.ns(lambda s: s.has(name)) / 1e9
            workers = {s.numbers["worker"] for s in raw.samples
                       if s.has(name)}
            note("%s: %.2f s on workers %s", name, seen, workers)
            # The new module is compiled within the window, as slowly as
            # the machine does it.
            self.assertGreater(seen, 0.05)
            self.assertEqual(workers, {1, 2})
        total = raw.ns(lambda s: s.route == "/reload")
        named = raw.ns(lambda s: s.route == "/reload"
                       and any(s.has(n) for n in names))
        others = raw.by(lambda s: " < ".join(s.functions()[:4]),
                        lambda s: s.route == "/reload"
                        and not any(s.has(n) for n in names))
        note("the rest of /reload: %s", others)
        self.assertFalse([name for name in others if "reload.so" in name
                          or "unknown" in name])
        self.assertGreater(named, total * 0.8)
        addresses = {}
        for location in raw.locations.values():
            for frame in location.frames:
                if frame.function in names:
                    addresses.setdefault(location.address,
                                         set()).add(frame.function)
        both = [a for a, found in addresses.items() if len(found) > 1]
        self.assertEqual(both, [], "one address, two functions")

    def test_sighup_with_a_changed_module(self):
        self.check(production=False)

    def test_sighup_with_a_changed_module_in_a_chroot(self):
        self.check(production=True)


class Clients(Case):
    def test_a_client_that_hangs_up_ends_its_profile(self):
        """More of them than profiles can run at once, each of a day."""
        times = 300
        with workload.service() as kore:
            for _ in range(times):
                connection = kore.connect()
                connection.send("/debug/pprof/profile?seconds=86400&hz=1000")
                time.sleep(0.005)
                connection.close()
            with load.Driver(kore, ["/burn/a"]):
                answer = kore.profile(1)
                self.assertEqual(answer.status, 200, answer)
                raw = self.pprof.raw(answer.body)
            note("after %d hang-ups: %d samples", times, raw.count())
            self.assertTrue(any(s.route == "/burn/a" for s in raw.samples))
            before = harness.cpu_seconds(kore.collector)
            time.sleep(2)
            used = harness.cpu_seconds(kore.collector) - before
            note("the collector, idle again: %.2f s of CPU in 2 s", used)
            self.assertLess(used, 0.1)

    def test_twenty_profiles_at_once_each_at_its_rate(self):
        rates = [10, 20, 25, 40, 50, 75, 99, 100, 125, 150,
                 200, 250, 300, 400, 500, 600, 750, 800, 900, 1000]
        with workload.service() as kore:
            with load.Driver(kore, ["/burn/a"], worker=1), \
                    load.Driver(kore, ["/burn/b", "/task"], worker=2,
                                duty=0.5):
                time.sleep(0.2)
                start, before = time.monotonic(), kore.cpu()
                running = [Later(kore.profile, 5, hz) for hz in rates]
                time.sleep(5)
                used = (kore.cpu() - before) / (time.monotonic() - start) * 5
                answers = [later.result() for later in running]
        self.assertEqual([a.status for a in answers], [200] * len(rates))
        for hz, answer in zip(rates, answers):
            raw = self.pprof.raw(answer.body)
            note("hz=%-4d %5d samples, period %9d ns, %.2f s (%.2f s used)",
                 hz, raw.count(), raw.period, raw.ns() / 1e9, used)
            self.assertNear(raw.period, 1e9 / hz, 0.1, "period of %d Hz" % hz)
            self.assertNear(raw.count() * raw.period, raw.ns(), 0.1,
                            "period times samples at %d Hz" % hz)
            kernel = float(raw.facts()["cpu_seconds_kernel"])
            self.assertNear(kernel, used, 0.4, "CPU by the kernel")
            # Four busy threads, each with one sample more or less.
            self.assertNear(raw.ns() / 1e9, kernel, 0.03 + 4 / hz / kernel,
                            "CPU at %d Hz" % hz)


class Collector(Case):
    def test_killed_its_request_fails_and_the_next_works(self):
        with workload.service(collector_replaced=True) as kore:
            running = Later(kore.profile, 20)
            time.sleep(1)
            os.kill(kore.collector, signal.SIGKILL)
            start = time.monotonic()
            answer = running.result()
            note("the request in progress: %d %r after %.3f s",
                 answer.status, answer.body, time.monotonic() - start)
            self.assertIn(answer.status, (502, 503))
            self.assertTrue(answer.text.strip())
            answer = kore.profile(1)
            self.assertEqual(answer.status, 200, answer)
            with load.Driver(kore, ["/burn/a"]):
                raw = self.pprof.raw(kore.profile(1, 250).body)
            self.assertTrue(any(s.has("workload_alpha")
                                for s in raw.samples))
            self.assertNotEqual(kore.find_collector(), kore.collector)

    def test_killed_again_and_again_the_workers_live(self):
        with workload.service(collector_replaced=True) as kore:
            pids = kore.worker_pids()
            with load.Driver(kore, ["/burn/a", "/light"]) as driver:
                for _ in range(5):
                    victim = harness.wait_for("a collector", 10,
                                              kore.find_collector)
                    os.kill(victim, signal.SIGKILL)
                    harness.wait_for("its end", 10,
                                     lambda: not harness.alive(victim))
                answer, took = load.wait_ready(
                    kore, "/debug/pprof/profile?seconds=1", 30)
            note("a profile %.2f s after five kills", took)
            self.assertEqual((driver.bad, driver.lost), ([], 0))
            self.assertEqual(kore.worker_pids(), pids)

    def test_it_dies_with_a_killed_parent_and_holds_no_port(self):
        """Kore's workers outlive a killed parent; without the collector they
        answer 502 or 503, and the port is free once they end."""
        kore = workload.service()
        kore.start()
        workers = kore.worker_pids()
        try:
            profile = Later(kore.profile, 30)
            time.sleep(0.5)
            start = time.monotonic()
            kore.process.kill()
            kore.process.wait()
            harness.wait_for("the end of the collector", 10,
                             lambda: not harness.alive(kore.collector))
            note("the collector ended %.2f s after the parent's kill -9",
                 time.monotonic() - start)
            answer = profile.result(5)
            self.assertIn(answer.status, (502, 503))
            answer = kore.get("/debug/pprof/", timeout=5)
            self.assertIn(answer.status, (502, 503), answer)
            self.assertTrue(all(map(harness.alive, workers.values())))
            for pid in workers.values():
                os.kill(pid, signal.SIGTERM)
            for pid in workers.values():
                harness.wait_for("the end of %d" % pid, 15,
                                 lambda: not harness.alive(pid))
            with socket.socket() as sock:
                self.assertNotEqual(
                    sock.connect_ex((kore.host, kore.port)), 0)
        finally:
            kore.destroy()

    def test_every_way_to_end_kore_ends_it(self):
        for how in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            with self.subTest(signal=how):
                kore = workload.service()
                kore.start()
                try:
                    running = Later(kore.profile, 30)
                    time.sleep(0.3)
                    self.assertEqual(kore.stop(how), 0)
                    harness.wait_for("the end of the collector", 5,
                                     lambda: not harness.alive(
                                         kore.collector))
                    self.assertEqual(kore.violations(), [])
                    with self.assertRaises((OSError,
                                            http.client.HTTPException)):
                        running.result()
                finally:
                    kore.destroy()


class Limits(Case):
    """RLIMIT_FSIZE counts for shared memory as well, and its signal ends a
    process."""

    def test_the_collector_outlives_a_limit_on_files(self):
        # As ourselves, whose limits may be changed.
        with workload.service(production=False) as kore:
            whole = kore.get("/debug/pprof/")
            self.assertEqual(whole.status, 200)
            self.assertGreater(len(whole.body), 2048)
            resource.prlimit(kore.collector, resource.RLIMIT_FSIZE,
                             (2048, 2048))
            answer = kore.get("/debug/pprof/")
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.text, "The answer could not be handed "
                             "over: File too large\n")
            resource.prlimit(kore.collector, resource.RLIMIT_FSIZE,
                             (300, 300))
            answer = kore.get("/debug/pprof/trace?seconds=1")
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.text.count("\n"), 1)
            resource.prlimit(kore.collector, resource.RLIMIT_FSIZE,
                             (100, 100))
            self.assertEqual(kore.get("/debug/pprof/cmdline").status, 200)
            resource.prlimit(kore.collector, resource.RLIMIT_FSIZE, (0, 0))
            self.assertEqual(kore.get("/debug/pprof/").status, 503)

    def test_a_service_with_a_limit_starts_without_profiles(self):
        kore = workload.service(collector_missing=True)
        command = kore.command
        kore.command = lambda conf: ["prlimit", "--fsize=1048576",
                                     *command(conf)]
        with kore:
            answer = kore.get("/debug/pprof/")
            self.assertEqual(answer.status, 503)
            self.assertIn("shared memory", answer.text)
            said = kore.log("no profiles")
            self.assertEqual(len(said), 1)
            self.assertIn("File too large", said[0])
            self.assertEqual(kore.get("/light").text, "light\n")


class Daemon(Case):
    def test_kore_as_a_daemon(self):
        kore = workload.service()
        kore.port = harness.free_port()
        path = os.path.join(kore.dir, "kore.conf")
        with open(path, "w") as file:
            file.write(kore.conf())
        pid = None
        try:
            subprocess.run(["kore", "-c", path], cwd=kore.dir, check=True,
                           env=kore.env, stdin=subprocess.DEVNULL, timeout=20,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            load.wait_ready(kore, "/light")
            with open(os.path.join(kore.dir, "kore.pid")) as file:
                pid = int(file.read())
            # One worker answers before the other has begun.
            harness.wait_for("two workers and a collector", 20, lambda: sorted(
                comm for _, comm in harness.children(pid)
            ) == ["kore", "kore", "pprof-collector"])
            family = harness.children(pid)
            with load.Driver(kore, ["/burn/a", "/task"]):
                raw = self.pprof.raw(kore.profile(1, 250).body)
            self.assertTrue(any(s.has("workload_task") for s in raw.samples))
            self.assertEqual(harness.children(pid), family)
            os.kill(pid, signal.SIGTERM)
            for number in [pid] + [p for p, _ in family]:
                harness.wait_for("the end of %d" % number, 20,
                                 lambda: not harness.alive(number))
            pid = None
        finally:
            if pid and harness.alive(pid):
                for number, _ in harness.children(pid):
                    os.kill(number, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(kore.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
