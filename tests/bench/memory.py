"""
Memory, as the kernel counts it: what a worker has more with the module, and
what the collector has, idle, at work and a minute later.

Pss is used for workers, since the module's code, the arena and what a worker
has from its parent are shared; services are measured one at a time.

Rule: every service has answered the same requests before it is measured.
"""
import re
import time

from figures import Figure, of_values
from servers import Kore, Profiling, read_text
from throughput import wrk

HOW = """\
A worker: Pss with the module less Pss without it, after the same requests.
The collector: VmRSS and VmHWM, worked by three profiles at 1000 Hz.
"""

MIB = 1024.0
IDLE_S = 75  # the collector gives back after 60


def kib(path, field):
    return int(re.search(r"^%s:\s+(\d+) kB" % field, read_text(path),
                         re.M)[1])


def pss(pid):
    return kib("/proc/%d/smaps_rollup" % pid, "Pss")


def worker_pss(server):
    """KiB of a worker, on average."""
    pids = server.serving()
    return sum(map(pss, pids)) / len(pids)


def warm(server):
    wrk(server, 1)
    time.sleep(0.5)


def added_per_worker(work, module, turns, say):
    """MiB a worker, one number a turn."""
    added = []
    for turn in range(turns):
        say("memory: pair %d of %d" % (turn + 1, turns))
        found = []
        for path in (None, module):
            server = Kore("kore", work, path)
            try:
                warm(server)
                found.append(worker_pss(server))
            finally:
                server.stop()
        added.append((found[1] - found[0]) / MIB)
    return added


class Collector:
    """A service whose collector is watched while other things are measured:
    work() works it, end() looks again when it has been idle long enough."""

    def __init__(self, work, module):
        self.server = Kore("kore, watched", work, module)
        self.path = "/proc/%d/status" % self.server.collector()

    def now(self, field="VmRSS"):
        return kib(self.path, field) / MIB

    def work(self):
        warm(self.server)
        self.idle = self.now()
        self.worker_idle = worker_pss(self.server)
        with Profiling(self.server, seconds=1, query="&hz=1000") as profiling:
            while len(profiling.ended) < 3 and profiling.is_alive():
                for _ in range(50):
                    self.server.get("/walk")
        self.peak = self.now("VmHWM")
        self.after = self.now()
        self.done_at = time.monotonic()

    def end(self, wait, say):
        """The figures. Without `wait`, those that need a minute's idleness
        are left out."""
        found = [
            Figure("collector, idle", self.idle, "MiB", ("<=", 16),
                   digits=1),
            Figure("  at most while it symbolizes", self.peak, "MiB",
                   ("<=", 64), digits=1),
            Figure("  just after", self.after, "MiB", digits=1)]
        left = self.done_at + IDLE_S - time.monotonic()
        if left > 0 and not wait:
            found.append(Figure("  a minute idle after that", None,
                                spread="only in the full run"))
            return found
        if left > 0:
            say("memory: idle for %d s" % left)
            time.sleep(left)
        grown = (worker_pss(self.server) - self.worker_idle) / MIB
        return found + [
            Figure("  a minute idle after that", self.now(), "MiB",
                   ("<=", 16), digits=1),
            Figure("a worker, grown since before the profiles", grown,
                   "MiB", digits=2)]


def begin(bench):
    """Ahead of the other parts: these give the collector its idle minute."""
    bench.added = added_per_worker(bench.work, bench.module,
                                   bench.memory_turns, bench.say)
    bench.watched = Collector(bench.work, bench.module)
    bench.started(bench.watched.server)
    bench.watched.work()


def measure(bench):
    added = of_values("added to a worker by the module, idle", bench.added,
                      unit="MiB", target=("<=", 1), digits=2)
    return [added] + bench.watched.end(not bench.quick, bench.say)
