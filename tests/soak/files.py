"""
Files: the worker's and then the collector's last descriptor is in use.

Truth: each request at the limit is told so; the application's requests on kept
connections go on; what was allocated is all there when the limit is lifted.
"""
import os

import harness
from case import Later
from limits import (Limited, ask_all, check_counted, limit, service, told,
                    turns, wait_well, work)
from profiles import Pprof
from scenario import DEBUG, Growth, expect, measure

WORKER_FILES = 48  # Kore adds those that it has itself


def free(pid):
    return int(limit(pid, "nofile")) - measure(pid)["fds"]


def fill(kore, pid):
    """Connections until the worker has no descriptor left."""
    held = [kore.connect() for _ in range(free(pid))]
    for connection in held:
        connection.http.connect()
    harness.wait_for("the connections to be accepted", 10,
                     lambda: free(pid) == 0)
    return held


def empty(held):
    for connection in held:
        connection.close()


def expect_503(answer, words, what):
    expect(answer.status == 503 and words in answer.text,
           "%s: expected 503 with %r: %r", what, words, answer)


def worker_limit(kore):
    """No descriptor for the question; then none for the answer."""
    pid = kore.worker_pids()[1]
    with kore.connect() as asker:
        expect(asker.get("/work").status == 200, "/work")
        was = free(pid)
        held = fill(kore, pid)
        for path in ("heap", "profile?seconds=1", "doctor", ""):
            expect_503(asker.get(DEBUG + "/" + path), "no socket could be "
                       "made", "a worker without a descriptor")
        expect(asker.get("/work").status == 200, "/work at the limit")
        empty(held)
        harness.wait_for("the connections to end", 10,
                         lambda: free(pid) == was)
        later = Later(asker.get, DEBUG + "/profile?seconds=4")
        harness.wait_for("the question", 5, lambda: free(pid) < was)
        held = fill(kore, pid)
        expect_503(later.result(), "no descriptor free for the answer",
                   "an answer that finds no descriptor")
        empty(held)
    return 2


def first_free(pid):
    fds = {int(fd) for fd in os.listdir("/proc/%d/fd" % pid)}
    return next(fd for fd in range(len(fds) + 1) if fd not in fds)


def collector_limit(kore, answers):
    """Not even a reply socket can be taken."""
    with Limited(kore.collector, "nofile",
                 first_free(kore.collector)):
        ask_all(kore, answers)
        expect_503(kore.get(DEBUG + "/heap"), "open files",
                   "a collector without a descriptor")
        return work(kore, 10)


def run(seconds, short):
    pprof, answers, done = Pprof(), {}, 0
    kore = service(workers=1, settings=["worker_rlimit_nofiles %d"
                                        % WORKER_FILES])
    try:
        with kore:
            growth = Growth(kore)
            wait_well(kore)
            for _ in range(turns(seconds)):
                done += worker_limit(kore)
                done += collector_limit(kore, answers)
                took = wait_well(kore)
                growth.look(3)
            seen = check_counted(kore, pprof, done)
            expect(kore.find_collector() == kore.collector,
                   "the collector ended")
            return "worker and collector without a descriptor: %s; all well " \
                "%.2f s after; %d objects as allocated; %s" % (
                    told(answers), took, seen, growth.judge())
    finally:
        pprof.close()
