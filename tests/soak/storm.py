"""
Storm: a 10 kHz CPU profile, every allocation and every wait sampled, a trace,
and requests each of which allocates, opens and closes a library, forks, leaves
20 frames by longjmp and by an exception, and waits for a lock.

Truth: the answered requests, ten objects each; the kernel's account of CPU.
"""
import os
import time

import harness
from profiles import Pprof
from scenario import (DEBUG, Batches, Growth, Repeat, both_places, expect,
                      module, near)

OBJECTS, BYTES = 10, 4000  # of storm.cc
RATES = {"PPROF_HEAP_RATE": "1", "PPROF_BLOCK_RATE": "1",
         "PPROF_MUTEX_FRACTION": "1"}
WINDOW_S = 3


def service():
    kore = harness.Service([harness.PPROF],
                           ["/storm page_storm", "/who page_who"], env=RATES)
    plug = os.path.join(kore.dir, "plug.so")
    built = harness.compile_module(module("plug.c"), plug + ".built")
    both_places(kore, built, plug)
    out = os.path.join(kore.dir, "storm.so")
    harness.compile_module(module("storm.cc"), out, ['-DPLUG="%s"' % plug])
    kore.modules.insert(0, (out, None))
    return kore


class Profiles:
    """CPU profiles one after the other: samples, CPU, the kernel's CPU."""

    def __init__(self, kore, pprof):
        self.kore, self.pprof = kore, pprof
        self.samples = self.ns = 0
        self.kernel_s = 0.0
        self.dropped = 0

    def take(self):
        answer = self.kore.profile(WINDOW_S, 10000)
        expect(answer.status == 200, "a profile: %r", answer)
        raw = self.pprof.raw(answer.body)
        facts = raw.facts()
        self.samples += raw.count()
        self.ns += raw.ns()
        self.kernel_s += float(facts["cpu_seconds_kernel"])
        self.dropped += int(facts.get("samples_dropped", 0))


def objects(kore, pprof):
    """What the heap profile says of storm_allocates()."""
    answer = kore.get(DEBUG + "/allocs")
    expect(answer.status == 200, "allocs: %r", answer)
    raw = pprof.raw(answer.body)
    rows = [s.values for s in raw.samples if s.has("storm_allocates")]
    return (sum(row[0] for row in rows), sum(row[1] for row in rows),
            sum(row[2] for row in rows))


def contentions(kore, pprof):
    raw = pprof.raw(kore.get(DEBUG + "/block").body)
    return sum(s.values[0] for s in raw.samples if s.has("storm_locks"))


def trace(kore):
    answer = kore.get(DEBUG + "/trace?seconds=%d&max=4194304" % WINDOW_S)
    expect(answer.status == 200, "a trace: %r", answer)


def judge(kore, pprof, answered, profiles):
    allocated, space, held = objects(kore, pprof)
    expect((allocated, space, held) ==
           (answered * OBJECTS, answered * OBJECTS * BYTES, 0),
           "storm_allocates: %d objects, %d bytes, %d held; expected %d, %d, "
           "0", allocated, space, held, answered * OBJECTS,
           answered * OBJECTS * BYTES)
    seen = contentions(kore, pprof)
    expect(seen == answered, "block: %d waits for the lock, expected %d",
           seen, answered)
    near(profiles.ns / 1e9, profiles.kernel_s, 0.1,
         "CPU of all profiles against the kernel's")


def run(seconds, short):
    pprof = Pprof()
    try:
        with service() as kore:
            profiles = Profiles(kore, pprof)
            storm = Batches(kore, "/storm", 100)
            # The first answers read the names of all files, and keep them.
            profiles.take()
            trace(kore)
            growth = Growth(kore)
            taking = [Repeat(profiles.take), Repeat(lambda: trace(kore))]
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                growth.look()
                time.sleep(seconds / 30)
            storm.finish()
            for one in taking:
                one.finish()
            expect(storm.lost == 0, "%d of %d requests lost: %s", storm.lost,
                   storm.answered + storm.lost, kore.log("storm: ")[:3])
            judge(kore, pprof, storm.answered, profiles)
            grown = growth.judge()
            return ("%d requests, none lost; %d samples in %d profiles at "
                    "10 kHz, %.2f s of CPU of %.2f s; %d traces; %d objects "
                    "and %d waits as made; %s" % (
                        storm.answered, profiles.samples, taking[0].count,
                        profiles.ns / 1e9, profiles.kernel_s, taking[1].count,
                        storm.answered * OBJECTS, storm.answered, grown))
    finally:
        pprof.close()
