"""
A service that is traced, and what is done with each trace: held against the
rules of the format (tracefile.py), and opened by the real `go tool trace`
(gotrace.py), all of its pages.

Not a test.
"""
import os
import re
import time

import harness
from case import Case, Later, note
from gotrace import GoTrace
from tracefile import Trace

ROUTES = ["/who page_who", "/light page_light", "/nap page_nap",
          "/spin page_spin", "/crunch page_crunch", "/task page_task", "/pgsql page_pgsql",
          "/locked page_locked", "/leak page_leak", "/hold page_hold",
          "/mine page_mine", "/threads page_threads", "/open page_open",
          "/take page_take", "/rests page_rests", "/wakes page_wakes"]
TRACE = "/debug/pprof/trace?"
INCLUDE = "-I" + os.path.join(harness.TOP, "middleware", "include")


def parsed(answer, opened=True):
    """The trace; every reader of it has been content. Of many alike one is
    `opened`."""
    trace = Trace(answer.body).check()
    trace.lost = int(answer.headers["x-pprof-lost"])
    if not opened:
        return trace
    with GoTrace(answer.body) as go:
        trace.go = go.everything()
    note("%d bytes, and %d pages of go tool trace", len(answer.body),
         len(trace.go))
    return trace


def running(kore):
    """How many traces are, as its index page says."""
    text = re.sub(r"<[^>]*>", " ", kore.get("/debug/pprof/").text)
    return int(re.search(r"(\d+)\s+trace\s", text)[1])


def begun(kore, call, *args, **more):
    """Calls for a trace; it is recorded when this returns."""
    before = running(kore)
    later = Later(call, *args, **more)
    harness.wait_for("a trace", 10, lambda: running(kore) > before or
                     not later.is_alive())
    time.sleep(0.1)
    return later


class Traced(Case):
    """One service for a class."""
    service = {}
    database = None
    pprof_so = harness.PPROF

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dir = harness.new_dir()
        cls.modules = [harness.compile_module(
            name + ".c", os.path.join(cls.dir, name + ".so"), [INCLUDE])
            for name in ("concurrency", "held")]
        env = {"TEST_DATABASE": cls.database.url} if cls.database else {}
        service = dict(cls.service)
        env.update(service.pop("env", {}))
        cls.kore = harness.Service(
            [(cls.modules[0], "concurrency_load"), cls.modules[1],
             cls.pprof_so], ROUTES, env=env,
            settings=["worker_accept_threshold 1", "task_threads 2",
                      "pgsql_conn_max 10", "worker_max_connections 500"],
            **service).start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.kore.finish()
        finally:
            cls.kore.destroy()
            super().tearDownClass()

    def answer(self, query, connection=None, timeout=90):
        answer = (connection or self.kore).get(
            TRACE + query, **({} if connection else {"timeout": timeout}))
        self.assertEqual(answer.status, 200, answer.body[:300])
        return answer

    def begun(self, query):
        return begun(self.kore, self.answer, query)

    def parse(self, answer, opened=True):
        return parsed(answer, opened)
