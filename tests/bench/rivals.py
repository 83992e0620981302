"""
What else there is, measured beside kore-pprof: each profiler on, divided by
the same thing with it off.

Each profiler stands on its own ground: a rival's denominator is its own
allocator, its own server. The pairs of runs are throughput.py's.

Rule: what cannot run here is a row that says so, not a number.
"""
import contextlib
import os
import signal
import subprocess
import time

import lock_pair
import malloc_pair
from figures import Figure, of_values
from servers import Broken, Go, Kore, Profiling
from throughput import Pairs, left_alone, profiled, wrk

HOW = """\
Each ratio is the same thing with a profiler and without it: another allocator
is divided by itself, a Go server by itself. What is compared is the ratios.
CPU profiles by gperftools are [above](#requests-per-second).

*Allocations*: `malloc_pair.c` and, in Go, `make([]byte, n)` of the same sizes,
all threads' CPU time; then requests of `/concat`, a string put together by 50
times realloc(), or by 50 times `+=` in Go. gperftools (`libtcmalloc.so.4`) has
two profilers: `TCMALLOC_SAMPLE_PARAMETER` samples, `HEAPPROFILE` follows each
allocation. jemalloc: `prof:true,lg_prof_sample:19`. All that sample do so every
512 KiB. Go's is on in a program that has `net/http/pprof`, off in one that does
not. *Waits*: block and mutex at rate 1 both. *Traces*: one that spans the run.
*perf*: `perf record -F 100 -g` on the workers; where a virtual machine has no
counters it takes cpu-clock, as it did in the row that says so.
"""

# libtcmalloc adds the last two to the environment when they are not there, on
# the heap, and Kore, which writes its title over the environment, dies of that.
TCMALLOC = {"LD_PRELOAD": "libtcmalloc.so.4", "BENCH_RULES": "1",
            "GLIBCPP_FORCE_NEW": "1", "GLIBCXX_FORCE_NEW": "1"}
JEMALLOC = {"LD_PRELOAD": "libjemalloc.so.2", "BENCH_RULES": "1"}
# Nothing is written while it runs; the default writes a file now and then.
FOLLOWED = {"HEAPPROFILE": "heap", "HEAP_PROFILE_ALLOCATION_INTERVAL": "0",
            "HEAP_PROFILE_INUSE_INTERVAL": "0"}
SAMPLED = {"TCMALLOC_SAMPLE_PARAMETER": "524288"}
JE_OFF = {"MALLOC_CONF": "prof:false"}
JE_ON = {"MALLOC_CONF": "prof:true,lg_prof_sample:19"}
WAITS = {"PPROF_BLOCK_RATE": "1", "PPROF_MUTEX_FRACTION": "1"}

# name, environment off, environment on, variant of malloc_pair.c that is on,
# pairs are divided by
ALLOCATORS = [
    ("kore-pprof", {}, {}, "default", 1),
    ("gperftools, sampled", TCMALLOC, dict(TCMALLOC, **SAMPLED), "bare", 1),
    ("gperftools, HEAPPROFILE", TCMALLOC, dict(TCMALLOC, **FOLLOWED), "bare",
     100),
    ("jemalloc", dict(JEMALLOC, **JE_OFF), dict(JEMALLOC, **JE_ON), "bare",
     1),
]


def one_pair(work, extra, variant, pairs):
    done = subprocess.run(
        ["./malloc_pair", "./malloc_loop.so", str(pairs), variant], cwd=work,
        env=dict(os.environ, **extra), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=True)
    return float(done.stdout)


def in_go(server, path, pairs):
    return float(server.body("%s?pairs=%d" % (path, pairs))[1])


def ratios(name, off, on):
    """By the turn."""
    return [of_values(name + ", on ÷ off", [b / a for a, b in zip(off, on)],
                      digits=2),
            of_values("  added", [b - a for a, b in zip(off, on)], unit="ns",
                      digits=2)]


def allocations(bench, work, go):
    pairs = 1000000 if bench.quick else 5000000
    found = {}
    for turn in range(bench.few):
        bench.say("rivals, allocations: turn %d of %d" % (turn + 1,
                                                          bench.few))
        for name, off, on, variant, less in ALLOCATORS:
            found.setdefault(name, []).append(
                (one_pair(work, off, "bare", pairs // less),
                 one_pair(work, on, variant, pairs // less)))
        found.setdefault("Go", []).append(
            [in_go(server, "/pairs", pairs) for server in go])
    return [figure for name, turns in found.items()
            for figure in ratios("malloc + free, " + name, *zip(*turns))]


def locks(bench, work, go):
    """Kore's by loop_pair.c, whose turns are its own."""
    bench.say("rivals, locks")
    pairs = 1000000
    kore = {words["name"]: float(words["pair"])
            for words in lock_pair.run(work, pairs)
            if words["loop"] == "mutex"}
    turns = [[in_go(server, "/locks", pairs) for server in go]
             for _ in range(15)]
    return [Figure("mutex lock + unlock, kore-pprof, on ÷ off",
                   kore["on"] / kore["bare"], digits=2),
            Figure("  added", kore["on"] - kore["bare"], "ns", digits=2)
            ] + ratios("mutex lock + unlock, Go", *zip(*turns))


def perf_works():
    """None, or why it does not."""
    try:
        done = subprocess.run(
            ["perf", "record", "-F", "100", "-g", "-o", "/dev/null", "true"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        return "perf is not installed"
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip().split("\n")[0][:60]


@contextlib.contextmanager
def perf_on(pair):
    path = os.path.join(pair.b.directory, "perf.data")
    process = subprocess.Popen(
        ["perf", "record", "-F", "100", "-g", "-o", path, "-p",
         ",".join(map(str, pair.b.serving()))],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(0.4)
    yield
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1].decode(errors="replace")
    if not os.path.exists(path) or os.path.getsize(path) < 4096:
        raise Broken("perf record wrote no samples: " + said)


@contextlib.contextmanager
def traced(pair):
    """A trace that is longer than a run that begins as it should."""
    with Profiling(pair.b, pair.seconds + 2, pair.b.trace_query,
                   what="trace"):
        time.sleep(0.4)
        yield


class TracedKore(Kore):
    trace_query = "&max=1000000000"


class TracedGo(Go):
    trace_query = ""


def kinds(bench, why_not):
    """Pairs, whose servers live as long as `bench`."""
    work, module = bench.work, bench.module

    def kore(name, extra=(), path=None):
        return bench.started(TracedKore("kore, " + name, work, path,
                                        extra=extra))
    absent, loaded = kore("module absent"), kore("module", path=module)
    go_absent = bench.started(TracedGo("go, pprof absent", work, "go-absent"))
    go = bench.started(TracedGo("go, pprof", work, "go-pprof"))
    waits = bench.started(TracedGo("go, block and mutex", work, "go-pprof",
                                   {"BENCH_WAITS": "1"}))
    tcmalloc = kore("tcmalloc", TCMALLOC)
    table = [
        ("CPU at 100 Hz, kore-pprof", absent, loaded, profiled, "/"),
        ("CPU at 100 Hz, perf record", absent, absent, perf_on, "/"),
        ("CPU at 100 Hz, Go", go_absent, go, profiled, "/"),
        ("heap, kore-pprof", absent, loaded, left_alone, "/concat"),
        ("heap, gperftools, sampled", tcmalloc,
         kore("tcmalloc, sampled", dict(TCMALLOC, **SAMPLED)), left_alone,
         "/concat"),
        ("heap, gperftools, HEAPPROFILE", tcmalloc,
         kore("tcmalloc, followed", dict(TCMALLOC, **FOLLOWED)), left_alone,
         "/concat"),
        ("heap, jemalloc", kore("jemalloc", dict(JEMALLOC, **JE_OFF)),
         kore("jemalloc, profiled", dict(JEMALLOC, **JE_ON)), left_alone,
         "/concat"),
        ("heap, Go", go_absent, go, left_alone, "/concat"),
        ("block and mutex at rate 1, kore-pprof", absent,
         kore("block and mutex", WAITS, module), left_alone, "/"),
        ("block and mutex at rate 1, Go", go_absent, waits, left_alone, "/"),
        ("trace, kore-pprof", absent, loaded, traced, "/"),
        ("trace, Go", go_absent, go, traced, "/"),
    ]
    found = [Pairs(1, name + ": on ÷ absent", a, b, state, None, path)
             for name, a, b, state, path in table
             if state is not perf_on or why_not is None]
    return found, (go_absent, go), (go, waits)


def measure(bench):
    work = bench.directory("rivals")
    malloc_pair.compile_all(work, bench.build)
    lock_pair.compile_all(work, bench.build)
    why_not = perf_works()
    found, go_heap, go_waits = kinds(bench, why_not)
    figures = allocations(bench, work, go_heap)
    figures += locks(bench, work, go_waits)
    for kind in found:
        wrk(kind.b, 1, kind.path)
    for turn in range(bench.few):
        bench.say("rivals, requests: pair %d of %d" % (turn + 1, bench.few))
        for kind in found:
            kind.once(turn % 2 == 1)
    figures += [figure for kind in found for figure in kind.figures()]
    if why_not is not None:
        figures.append(Figure("requests/s, CPU at 100 Hz, perf record", None,
                              spread=why_not))
    return figures
