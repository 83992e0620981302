"""
A service whose waits are known (modules/concurrency.c), with a real
PostgreSQL: what the tests share that ask who waits, on what, for how long.

Not a test.

Rule: what is compared with a profile was measured by the application itself,
or follows from another of its sums: a busy machine makes all of them longer.
Kore's timers are of whole milliseconds, and come up to one early.
"""
import json
import os

import case
import harness
import load
from case import Case, Later
from postgres import Postgres

ROUTES = ["/who page_who", "/light page_light", "/truth page_truth",
          "/leak page_leak", "/nap page_nap", "/spin page_spin",
          "/task page_task", "/locked page_locked",
          "/runlock page_runlock", "/pgsql page_pgsql",
          "/labels page_labels", "/own page_own", "/rates page_rates",
          "/write page_write", "/shim page_shim",
          "/tenant page_tenant", "/exit page_exit"]
MS = 1000000
database = None


def main():
    """One database for all tests of a file."""
    global database
    with Postgres() as database:
        case.main()


class Concurrent(Case):
    """A service for each class."""
    service = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dir = harness.new_dir()
        cls.module = harness.compile_module(
            "concurrency.c", os.path.join(cls.dir, "concurrency.so"),
            ["-I" + os.path.join(harness.TOP, "middleware", "include")])
        cls.kore = None
        if cls.service is not None:
            cls.kore = cls.new_service(**cls.service).start()
            cls.make_room_for_files(cls.kore)

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.kore:
                cls.kore.finish()
        finally:
            if cls.kore:
                cls.kore.destroy()
            os.unlink(cls.module)
            os.rmdir(cls.dir)
            super().tearDownClass()

    @classmethod
    def new_service(cls, profiler=True, env=None, clients=2000, **more):
        env = dict(env or {}, TEST_DATABASE=database.url)
        modules = [(cls.module, "concurrency_load")]
        return harness.Service(
            modules + [harness.PPROF] if profiler else modules, ROUTES,
            env=env, settings=["worker_accept_threshold 1", "task_threads 4",
                               "pgsql_conn_max 10",
                               "worker_max_connections %d" % clients,
                               "worker_rlimit_nofiles %d" % (clients + 500),
                               "http_request_limit %d" % clients], **more)

    @staticmethod
    def make_room_for_files(kore):
        path = os.path.join(kore.root, "written")
        os.mkdir(path)
        os.chmod(path, 0o777)

    def named(self, name, kore=None):
        answer = (kore or self.kore).get("/debug/pprof/" + name)
        self.assertEqual(answer.status, 200, "%s: %s" % (name, answer))
        return answer

    def raw(self, name, kore=None):
        return self.pprof.raw(self.named(name, kore).body)

    def set_rates(self, **rates):
        body = "&".join("%s=%d" % item for item in rates.items()).encode()
        answer = self.kore.ask("POST", "/debug/pprof/settings", body=body,
                               headers={"X-Pprof": "1"})
        self.assertEqual(answer.status, 200, answer)
        return json.loads(answer.body)

    def truth(self):
        return {name: (int(count), int(ns)) for name, count, ns in (
            line.split() for line in self.kore.get("/truth").text.splitlines())}

    def on_worker(self, worker):
        return load.connection_to(self.kore, worker)

    def at_once(self, paths, worker=None):
        """All of the paths at the same time."""
        connections = [self.on_worker(worker) if worker else
                       self.kore.connect() for _ in paths]
        calls = [Later(connection.get, path)
                 for connection, path in zip(connections, paths)]
        for call, path in zip(calls, paths):
            self.assertEqual(call.result().status, 200, path)
        for connection in connections:
            connection.close()


class Growth:
    """What a profile gained while something was done."""

    def __init__(self, case, name):
        self.case, self.name = case, name
        self.before = case.raw(name)

    def gained(self, value, **wanted):
        """By labels (route=, wait=, ...) and has=function."""
        after = self.case.raw(self.name)
        return (self.sum(after, value, wanted)
                - self.sum(self.before, value, wanted))

    @staticmethod
    def sum(raw, value, wanted):
        has = wanted.get("has")
        labels = {("http.route" if key == "route" else key): text
                  for key, text in wanted.items() if key != "has"}
        return sum(s.values[value] for s in raw.samples
                   if all(s.labels.get(k) == v for k, v in labels.items())
                   and (not has or s.has(has)))
