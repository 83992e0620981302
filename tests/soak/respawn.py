"""
Respawn: kill -9 of a worker every 100 ms while all are under load.

Truth: the application counts each allocation before and after it in memory that
outlives its workers, so that each kill may make a difference of 1; each worker
that was asked holds one object. Each kill is one death. The collector stays the same process.
"""
import os
import random
import re
import signal
import time

import harness
from profiles import Pprof
from scenario import DEBUG, Batches, Growth, expect, findings, module

EVERY_S = 0.1
WORKERS = 3
INCLUDE = "-I" + os.path.join(harness.TOP, "middleware", "include")


def service():
    kore = harness.Service(
        [harness.PPROF],
        ["/ page_who", "/who page_who", "/work page_work",
         "/truth page_truth"],
        env={"PPROF_HEAP_RATE": "1"}, workers=WORKERS,
        settings=["worker_accept_threshold 1"])
    out = os.path.join(kore.dir, "respawn.so")
    harness.compile_module(module("respawn.c"), out, [INCLUDE])
    kore.modules.insert(0, (out, None))
    return kore


def kill_one(kore, killed):
    """A worker that runs, and has been told of since the last was killed."""
    pid = random.choice(sorted(kore.worker_pids().values()))
    if pid in killed or not harness.alive(pid):
        return
    os.kill(pid, signal.SIGKILL)
    killed.add(pid)


def wait_for_all(kore, killed):
    """Kore forgets a SIGCHLD that comes while it works on another."""
    again = [time.monotonic() + 1]

    def there():
        if time.monotonic() > again[0]:
            kore.process.send_signal(signal.SIGCHLD)
            again[0] += 1
        return all(pid not in killed and harness.alive(pid)
                   for pid in kore.worker_pids().values())

    harness.wait_for("all workers again", 30, there)


def deaths(kore):
    sentence = findings(kore)["workers"][1]
    return int(re.search(r"(\d+) have ended before", sentence)[1])


def sums(kore, pprof, name, function):
    answer = kore.get(DEBUG + "/" + name)
    expect(answer.status == 200, "%s: %r", name, answer)
    raw = pprof.raw(answer.body)
    rows = [s.values for s in raw.samples if s.has(function)]
    return [sum(column) for column in zip(*rows)] or [0, 0, 0, 0]


def judge(kore, pprof, kills):
    begun, done, *holders = map(int, kore.get("/truth").text.split())
    # Which of them Kore lets accept after a storm of kills is its own choice.
    living = set(kore.worker_pids().values()) & set(holders)
    expect(living, "no worker was asked since it began")
    seen = sums(kore, pprof, "allocs", "respawn_allocates")[0]
    expect(done <= seen <= begun <= done + kills,
           "%d objects allocated, expected %d to %d", seen, done, begun)
    held = sums(kore, pprof, "heap", "respawn_holds")[2]
    expect(held == len(living), "%d objects held by %d workers", held,
           len(living))
    own = sums(kore, pprof, "respawn.held", "respawn_holds")[0]
    expect(own == len(living), "%d in the own profile of %d workers", own,
           len(living))
    counted = deaths(kore)
    expect(counted == kills, "%d deaths counted, %d killed", counted, kills)
    return seen


def run(seconds, short):
    pprof, killed, kore = Pprof(), set(), service()
    try:
        with kore:
            growth, collector = Growth(kore), kore.collector
            busy = Batches(kore, "/work", 50, patient=True)
            end = time.monotonic() + seconds
            look = 0
            while time.monotonic() < end:
                kill_one(kore, killed)
                time.sleep(EVERY_S)
                if time.monotonic() > look:
                    growth.look()
                    look = time.monotonic() + seconds / 30
            wait_for_all(kore, killed)
            busy.finish()
            expect(kore.get("/work").status == 200, "/work, after the kills")
            kore.restarts_wanted = len(killed)
            expect(kore.find_collector() == collector, "another collector")
            seen = judge(kore, pprof, len(killed))
            return "%d workers killed, as many deaths counted; %d objects " \
                "allocated by the living and the dead, as counted by the " \
                "application; the same collector; %s" % (
                    len(killed), seen, growth.judge())
    finally:
        pprof.close()
