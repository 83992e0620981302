"""
Reload: SIGHUP again and again, each time with the other of two builds of a
module, while both workers answer on kept connections.

Truth: what /reload answers says which build runs; every request is answered; a
function's name is that of the build it was sampled in.
"""
import os
import signal
import time

import harness
import load
from case import Later
from profiles import Pprof
from scenario import Growth, both_places, expect, findings

VERSIONS = ("before", "after")
LOOKS = 24
WINDOW_S = 2
PATIENCE_S = 1
LONG, SHORT = 1000, 30


def service():
    # A module beside it that maps nothing each time the parent loads it anew.
    kore = harness.Service(
        ["throws.cc", harness.PPROF],
        ["/ page_who", "/who page_who", "/reload page_reload"],
        settings=["worker_accept_threshold 1"])
    path = os.path.join(kore.dir, "modules", "reload.so")
    built = {}
    for version in VERSIONS:
        built[version] = harness.compile_module(
            "reload.c", os.path.join(kore.dir, version + ".so"),
            ["-DVERSION=" + version])
    both_places(kore, built[VERSIONS[0]], path)
    kore.modules.append((path, None))
    return kore, path, built


class Hups:
    """One replacement after the other, each waited for in every process.

    Kore keeps one number for all signals and clears it when it is done: a
    SIGHUP that comes while the last reload is under way is forgotten. A process
    that logs no reload is sent another one, which is counted."""

    def __init__(self, kore, path, built):
        self.kore, self.path, self.built = kore, path, built
        self.done = self.forgotten = 0
        self.read = 0  # so many lines of the log
        self.loaded = {"[parent]": 0}
        self.loaded.update(("[wrk %d]" % n, 0)
                           for n in range(1, kore.workers_wanted + 1))

    def counts(self):
        """[parent], [wrk 1], ... -> how often each has loaded the module."""
        text, lines = "reloaded '%s'" % self.path, self.kore.lines
        while self.read < len(lines):
            if text in lines[self.read]:
                self.loaded[lines[self.read].split(":")[0]] += 1
            self.read += 1
        return dict(self.loaded)

    def again(self):
        version = VERSIONS[(self.done + 1) % 2]
        both_places(self.kore, self.built[version], self.path)
        self.done += 1
        before = self.counts()

        def late():
            now = self.counts()
            return [name for name in before if now[name] <= before[name]]

        # The line of the log comes before the end of the reload.
        time.sleep(0.02)
        self.kore.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE_S
        while late() and time.monotonic() < end:
            time.sleep(0.005)
        for name in late():
            self.forgotten += 1
            os.kill(self.kore.process.pid if name == "[parent]" else
                    self.kore.worker_pids()[int(name.strip("[]wrk "))],
                    signal.SIGHUP)
        harness.wait_for("reload %d" % self.done, 20, lambda: not late())
        return version


def functions(raw):
    """Version -> nanoseconds; and an address that two functions had."""
    names = {"reload_" + version: version for version in VERSIONS}
    seen = {version: raw.ns(lambda s, n=name: s.has(n))
            for name, version in names.items()}
    meaning = {}
    for location in raw.locations.values():
        for frame in location.frames:
            if frame.function in names:
                meaning.setdefault(location.address, set()).add(frame.function)
    twice = [address for address, found in meaning.items() if len(found) > 1]
    expect(not twice, "one address, two functions: %s", twice)
    return seen


def check_now(kore, version, pprof):
    """The build that runs now, and no other, is in a new profile."""
    answer = kore.get("/reload")
    expect(answer.text == version, "/reload says %r, expected %r",
           answer.text, version)
    with load.Driver(kore, ["/reload"]):
        raw = pprof.raw(kore.profile(1, 250).body)
    seen = functions(raw)
    expect([v for v in VERSIONS if seen[v] > 0] == [version],
           "after %r was loaded, a profile has %s", version, seen)
    nameless = [s.functions()[:3] for s in raw.samples
                if s.route == "/reload" and "reload.so" in " ".join(
                    s.functions()[:3])]
    expect(not nameless, "samples without a name: %s", nameless[:3])
    whole = raw.count(lambda s: s.has("page_reload") and s.has("http_process"))
    every = raw.count(lambda s: s.route == "/reload"
                      and s.has("reload_" + version))
    expect(whole > 0.9 * every, "%d of %d stacks reach http_process", whole,
           every)


def both_named(kore, hups, pprof):
    """A window with a reload in it has both builds."""
    later = Later(kore.profile, WINDOW_S, 250)
    while later.is_alive():
        hups.again()
    answer = later.result()
    expect(answer.status == 200, "a profile over reloads: %r", answer)
    return functions(pprof.raw(answer.body))


def run(seconds, short):
    count, pprof = SHORT if short else LONG, Pprof()
    kore, path, built = service()
    try:
        with kore:
            hups, growth = Hups(kore, path, built), Growth(kore)
            collector, begun = kore.collector, time.monotonic()
            with load.Driver(kore, ["/reload", "/who"], worker=1,
                             seconds=3600) as one, \
                    load.Driver(kore, ["/who", "/reload"], worker=2,
                                seconds=3600) as two:
                seen = both_named(kore, hups, pprof)
                end = hups.done + count
                while hups.done < end:
                    version = hups.again()
                    if hups.done % max(1, count // LOOKS) == 0:
                        growth.look()
                        expect(kore.get("/reload").text == version,
                               "another build than was installed answers")
                again = both_named(kore, hups, pprof)
                version = hups.again()
            took = time.monotonic() - begun
            expect(all(seen.values()) and all(again.values()),
                   "the first reloads: %s, the last: %s", seen, again)
            expect((one.bad, two.bad) == ([], []), "answers %s %s", one.bad,
                   two.bad)
            expect(one.lost + two.lost == 0, "%d of %d requests lost: %s",
                   one.lost + two.lost, one.done + two.done,
                   one.why + two.why)
            check_now(kore, version, pprof)
            expect(kore.find_collector() == collector, "another collector")
            lost = findings(kore).get("objects_dropped")
            expect(lost is None, "%s", lost)
            return "%d SIGHUPs in %.0f s (%d forgotten by Kore and sent " \
                "again), %d requests, none lost; both builds named from the " \
                "first to the last; %s" % (
                    hups.done, took, hups.forgotten, one.done + two.done,
                    growth.judge())
    finally:
        pprof.close()
