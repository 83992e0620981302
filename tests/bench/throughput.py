"""
Requests per second by wrk on kept connections, both cores: with the thing
measured, divided by without it.

Each pair is two runs next to each other, in turn AB and BA, so that what else
the machine does meets both; the figure is the median of the pairs. All
servers live for the whole part, those not asked are asleep.

Rule: a run with a single failed request ends the benchmark.
"""
import contextlib
import os
import re
import subprocess
import time

from figures import of_values
from servers import Broken, Go, Kore, Profiling, cpu_ns

HOW = """\
`wrk -t2 -c32` on kept connections against two pinned workers in production
mode (chroot, nobody, seccomp), a page of 25 bytes: the smallest request there
is, so what the module adds to each weighs most. Two runs make a pair, in turn
AB and BA. "Profiling" is `profile?seconds=2` one after the other all the
time: one profile is written, symbolized and sent in each run, five times more
often than a scraper with windows of ten seconds asks for. "Absent ÷ absent"
is the same server twice: how far a ratio strays by itself. Runs in which one
worker got less than four fifths of its part of the connections are begun
again, since Kore's accept lock spreads few connections by chance. CPU time
per request is that of the serving processes by the kernel's accounts; it
depends less on what else runs.

gperftools: `LD_PRELOAD=libprofiler.so.0`, switched on and off in the workers
by `CPUPROFILESIGNAL`. Started by `CPUPROFILE` alone it is of no use here: in
a try of two seconds of load, its three processes counted 1, 2 and 4 timer
interrupts. The application must add rules to Kore's sandbox for it (without
them both workers died of violations when it was switched on), and both
workers write to the same file name, where the last one wins. Go:
`tests/bench/go`, the same page, built with and without `net/http/pprof`.
"""

THREADS, CONNECTIONS = 2, 32
TRIES = 100
LEAST = 0.8  # of a worker's even part


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def start_evenly(server, seconds, pids, path):
    """wrk, and the CPU ns used before it. Kore's accept lock often gives one
    worker most of the connections, and then a ratio tells who was lucky; so
    wrk is started again until each worker has its part."""
    for _ in range(TRIES):
        used = sum(map(cpu_ns, pids))
        before = [descriptors(pid) for pid in pids]
        process = subprocess.Popen(
            ["wrk", "-t%d" % THREADS, "-c%d" % CONNECTIONS,
             "-d%ds" % seconds,
             "http://127.0.0.1:%d%s" % (server.port, path)],
            stdout=subprocess.PIPE)
        time.sleep(0.1)
        got = [descriptors(pid) - was for pid, was in zip(pids, before)]
        if min(got) >= LEAST * CONNECTIONS / len(pids):
            return process, used
        process.kill()
        process.communicate()
        time.sleep(0.1)
    raise Broken("%s: its workers took %s connections in the last of %d tries"
                 % (server.name, got, TRIES))


def wrk(server, seconds, path="/"):
    """(requests per second, CPU ns of the serving processes per request)"""
    pids = server.serving()
    process, before = start_evenly(server, seconds, pids, path)
    text = process.communicate()[0].decode()
    used = sum(map(cpu_ns, pids)) - before
    done = int(re.search(r"(\d+) requests in", text)[1])
    if done == 0 or "Socket errors" in text or "Non-2xx" in text:
        raise Broken("%s: failed requests:\n%s" % (server.name, text))
    if server.serving() != pids:
        raise Broken("%s: a worker was replaced" % server.name)
    rate = float(re.search(r"Requests/sec: +([\d.]+)", text)[1])
    return rate, used / done


@contextlib.contextmanager
def profiled(pair):
    with Profiling(pair.b, seconds=pair.seconds) as profiling:
        time.sleep(0.4)  # so that its end comes while wrk runs
        yield
    pair.profiles += len(profiling.ended)


@contextlib.contextmanager
def perftools_on(pair):
    pair.b.perftools_switch()
    yield
    pair.b.perftools_switch()


@contextlib.contextmanager
def left_alone(_):
    yield


class Pairs:
    """B against A, by the pair."""

    def __init__(self, seconds, name, a, b, state=left_alone, target=None,
                 path="/"):
        self.seconds, self.profiles, self.path = seconds, 0, path
        self.name, self.a, self.b, self.state = name, a, b, state
        self.target = target
        self.rates, self.costs, self.absolute = [], [], []

    def once(self, turned):
        def run_a():
            return wrk(self.a, self.seconds, self.path)

        def run_b():
            with self.state(self):
                return wrk(self.b, self.seconds, self.path)
        if turned:
            b, a = run_b(), run_a()
        else:
            a, b = run_a(), run_b()
        self.rates.append(b[0] / a[0])
        self.costs.append(b[1] / a[1])
        self.absolute.append(a[0])

    def figures(self):
        if self.state is profiled and self.profiles == 0:
            raise Broken("%s: no profile came back" % self.b.name)
        return [of_values("requests/s, " + self.name, self.rates,
                          target=self.target, digits=3),
                of_values("  CPU time per request, the same", self.costs,
                          digits=3)]


def measure(bench):
    work, module, seconds = bench.work, bench.module, bench.seconds
    with contextlib.ExitStack() as stack:
        def started(server):
            stack.callback(server.stop)
            return server
        absent = started(Kore("kore, module absent", work))
        loaded = started(Kore("kore, module loaded", work, module))
        silent = started(Kore("kore, recorder off", work, module,
                              extra={"PPROF_RECORDER_HZ": "0"}))
        recorder = started(Kore("kore, recorder on", work, module,
                                extra={"PPROF_RECORDER_HZ": "19"}))
        perftools = started(Kore("kore, gperftools", work, perftools=True))
        go_absent = started(Go("go, pprof absent", work, "go-absent"))
        go_pprof = started(Go("go, pprof", work, "go-pprof"))
        kinds = [Pairs(seconds, *kind) for kind in (
            ("module idle ÷ absent", absent, loaded, left_alone,
             (">=", 0.99)),
            ("module profiling at 100 Hz ÷ absent", absent, loaded, profiled,
             (">=", 0.98)),
            ("/concat, heap profiler on ÷ absent", absent, loaded,
             left_alone, (">=", 0.98), "/concat"),
            ("absent ÷ absent (the noise)", absent, absent),
            ("gperftools preloaded, idle ÷ absent", absent, perftools),
            ("gperftools at 100 Hz ÷ absent", absent, perftools,
             perftools_on),
            ("Go, net/http/pprof idle ÷ absent", go_absent, go_pprof),
            ("Go, profiling at 100 Hz ÷ absent", go_absent, go_pprof,
             profiled),
            ("recorder at 19 Hz ÷ module absent", absent, recorder,
             left_alone, (">=", 0.99)),
            ("recorder at 19 Hz ÷ recorder off", silent, recorder))]
        for server in (absent, loaded, silent, recorder, perftools,
                       go_absent, go_pprof):
            wrk(server, 1)
        for turn in range(bench.pairs):
            bench.say("throughput: pair %d of %d" % (turn + 1,
                                                      bench.pairs))
            for kind in kinds:
                kind.once(turn % 2 == 1)
    found = [figure for kind in kinds for figure in kind.figures()]
    for name, kind in (("Kore", kinds[0]), ("Go", kinds[6])):
        found.append(of_values("requests/s of %s without anything" % name,
                               kind.absolute))
    return found
