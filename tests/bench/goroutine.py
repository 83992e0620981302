"""
What goroutine costs while 10,000 requests sleep in two workers: the
collector's time for it, and how long a light request waits because of it.

The collector's time is of its own CPU accounts, around one answer. A light
request is asked in a closed loop by one client, with dumps one after the other
and without, in turn, on the same service.
"""
import re
import threading
import time
import urllib.request

from event_loop import MS, latency
from figures import of_values
from growth import Many, Sleepers
from servers import Broken, sched_ns

HOW = """\
10,000 requests that sleep in two workers. The collector's CPU is that of its
own accounts around one answer, names included; the wait is that of one client
that asks for the smallest page in a closed loop, the longest of each run, with
dumps 0.1 s apart and without, in turn, on the same service.
"""

ASLEEP = 10000
SECONDS = 2
QUERIES = ("", "?debug=1", "?debug=2")


def dump(server, query):
    """(seconds, body)"""
    start = time.monotonic()
    with urllib.request.urlopen(
            "http://127.0.0.1:%d/debug/pprof/goroutine%s"
            % (server.port, query)) as answer:
        body = answer.read()
    return time.monotonic() - start, body


class Dumping:
    """One dump after the other."""

    def __init__(self, server, query):
        self.server, self.query, self.stopping = server, query, False
        self.count = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(30)

    def run(self):
        while not self.stopping:
            dump(self.server, self.query)
            self.count += 1
            time.sleep(0.1)


def collector_ms(server, query, times):
    """CPU time of the collector and the whole answer's, of each."""
    ran, took = [], []
    for _ in range(times):
        before = sched_ns(server.collector())[0]
        took.append(dump(server, query)[0] * MS)
        ran.append((sched_ns(server.collector())[0] - before) / 1e6)
    return ran, took


def longest_ms(bench, server):
    return latency(bench.work, server, SECONDS, "/")["max"] / MS


def added_ms(bench, server, query):
    """The longest wait of a run with dumps, less that of one without."""
    added = []
    for turn in range(bench.pairs):
        if turn % 2 == 0:
            without = longest_ms(bench, server)
        with Dumping(server, query):
            during = longest_ms(bench, server)
        if turn % 2 == 1:
            without = longest_ms(bench, server)
        added.append(during - without)
    return added


def figures(bench, server, query):
    ran, took = collector_ms(server, query, 5 * bench.pairs)
    return [
        of_values("goroutine%s of 10,000 asleep, the collector's CPU" % query,
                  ran, unit="ms", target=("<=", 50) if not query else None,
                  digits=1),
        of_values("  from the request to the last byte", took, unit="ms",
                  digits=1),
        of_values("  longest wait of %d s of a light request, added" % SECONDS,
                  added_ms(bench, server, query), unit="ms",
                  target=("<=", 5), digits=2)]


def measure(bench):
    server = Many("kore, %d asleep" % ASLEEP, bench.work, bench.module)
    opened = None
    found = []
    try:
        opened = Sleepers(server, ASLEEP)
        time.sleep(1)
        text = dump(server, "?debug=1")[1].decode()
        total = int(re.match(r"goroutine profile: total (\d+)", text)[1])
        if total < ASLEEP:
            raise Broken("only %d are in progress" % total)
        for query in QUERIES:
            bench.say("goroutine%s: %d asleep" % (query, ASLEEP))
            found += figures(bench, server, query)
    finally:
        if opened:
            opened.close()
        server.stop()
    return found
