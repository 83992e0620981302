"""
Memory: the collector, and then a worker, gets no more address space while the
largest pictures and profiles are asked for.

Truth: an answer, or an error with a sentence. A collector that ends is started
again; a worker ends only where Kore itself finds no memory. When the limit is
lifted everything is well.
"""
import http.client
import resource

from limits import (Limited, ask_all, check_counted, service, told, turns,
                    wait_well, work)
from profiles import Pprof
from scenario import Growth, expect

ROOM = (64 << 10, 512 << 10, 4 << 20)  # beyond what is mapped already


def mapped(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def limited(kore, pid, room, answers):
    """Everything once, beside the application's own requests."""
    with Limited(pid, "as", mapped(pid) + room):
        return ask_all(kore, answers)


def ended(kore):
    return (len(kore.log("restarting worker")), len(kore.log(
        "collector gone")))


def run(seconds, short):
    pprof, answers, done = Pprof(), {}, 0
    kore = service(workers=1)
    try:
        with kore:
            growth = Growth(kore)
            wait_well(kore)
            for turn in range(turns(seconds)):
                limited(kore, kore.find_collector(), ROOM[turn % len(ROOM)],
                        answers)
                done += work(kore, 20)
                try:
                    limited(kore, kore.worker_pids()[1],
                            ROOM[turn % len(ROOM)], answers)
                except (AssertionError, OSError, http.client.HTTPException):
                    # Kore's own: "kore_malloc" and its end.
                    if not kore.log("fatal"):
                        raise
                took = wait_well(kore)
                growth.look(3)
            kore.restarts_wanted, gone = ended(kore)
            kore.collector_replaced = (kore.find_collector() != kore.collector)
            expect(gone == 0 or kore.collector_replaced, "no collector")
            seen = check_counted(kore, pprof, done)
            return "collector and worker without memory: %s; the collector " \
                "ended %d times, the worker %d; all well %.2f s after; %d " \
                "objects as allocated; %s" % (
                    told(answers), gone, kore.restarts_wanted, took, seen,
                    growth.judge())
    finally:
        pprof.close()
