"""
Whether requests wait for profiles: one worker, one client in a closed loop,
with profiles taken, symbolized and sent by the same worker, and without.

Each pair has a service of its own, so that the first profile of each finds
nothing read and cached. The profiles give the second figure too: from the
end of their window to their last byte.

Rule: what is compared was measured on the same service, seconds apart.
"""
import os
import subprocess
import time

from figures import Figure, of_values
from servers import Broken, Kore, Profiling

HOW = """\
One worker; one client in a closed loop asks for a page whose stacks are many,
with and without profiles of one second, one after the other, on the same port.
Each pair has a fresh service. The second figure is the time from the request to
the last byte, less the window; on a machine that does more than two cores can,
the first one is mostly the wait for a CPU that is shown below it.
"""

SECONDS = 3.5
MS = 1000.0


def latency(work, server, seconds, path="/walk"):
    """Microseconds by name: p50, p99, p999, max."""
    text = subprocess.run(
        [os.path.join(work, "latency"), str(server.port), path,
         str(seconds)], check=True, stdout=subprocess.PIPE).stdout.decode()
    return {key: float(value) for key, value in
            (word.split("=") for word in text.split())}


def with_profiles(work, server, first, costs, later):
    """The same while profiles of one second come one after the other."""
    with Profiling(server, seconds=1, watch=server.collector()) as profiling:
        found = latency(work, server, SECONDS)
    if len(profiling.ended) < 2:
        raise Broken("only %d profiles in %g s" % (len(profiling.ended),
                                                   SECONDS))
    first.append(profiling.ended[0] * MS)
    costs.append([ns / 1e6 for ns in profiling.costs[0]])
    later += [took * MS for took in profiling.ended[1:]]
    return found


def measure(bench):
    without, during = [], []
    first, costs, later = [], [], []
    for turn in range(bench.loop_pairs):
        bench.say("event loop: pair %d of %d" % (turn + 1,
                                                  bench.loop_pairs))
        server = Kore("kore, one worker", bench.work, bench.module, workers=1)
        try:
            time.sleep(0.3)
            if turn % 2 == 0:
                without.append(latency(bench.work, server, SECONDS))
            during.append(with_profiles(bench.work, server, first,
                                        costs, later))
            if turn % 2 == 1:
                time.sleep(0.3)
                without.append(latency(bench.work, server, SECONDS))
        finally:
            server.stop()

    def added(key):
        return [(b[key] - a[key]) / MS for a, b in zip(without, during)]

    def worst(runs):
        return max(run["max"] for run in runs) / MS
    return [
        of_values("request's wait, p99.9, added by profiles", added("p999"),
                  unit="ms", digits=2),
        of_values("request's wait, longest of %g s, added by profiles"
                  % SECONDS, added("max"), unit="ms", digits=2,
                  target=("<=", 5)),
        Figure("  longest of all runs, with profiles", worst(during), "ms",
               spread="%.2f ms without" % worst(without), digits=2),
        of_values("end of the window to the last byte, first profile", first,
                  unit="ms", target=("<=", 300)),
        of_values("  CPU time of the collector for it",
                  [ran for ran, _ in costs], unit="ms"),
        of_values("  the collector's wait for a CPU meanwhile",
                  [waited for _, waited in costs], unit="ms"),
        of_values("  later profiles", later, unit="ms", target=("<=", 100)),
        Figure("  longest of the later ones", max(later), "ms")]
