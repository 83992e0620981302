"""
What a running execution trace costs: requests per second of the sample
application with one and without, the collector's CPU, the file's bytes.

The pairs are throughput.py's: the same server, asked in turn AB and BA.

Rule: a trace that lost an event, or that does not reach over all of wrk's
run, ends the benchmark.
"""
import contextlib
import http.client
import os
import threading
import time

from figures import of_values
from servers import TOP, Broken, Kore, cpu_ns
from throughput import Pairs, wrk

HOW = """\
The sample application's `/fib/?n=20&type=iterative`, `wrk` as above, the same
server with a trace of all of wrk's run and without, in turn. The collector's
CPU is that of the run, without the writing of names at the end of a trace; an
event's and a request's bytes are those of the last file.
"""

FIB = "/fib/?n=20&type=iterative"
UNTIMED = (1, 2, 3, 37)  # batch, frequency, stack, string
END, LOG = 15, 48


class Sample(Kore):
    """The sample application instead of the benchmark's own."""

    def conf(self, work):
        text = super().conf(work)
        text = text.replace("load %s/app.so" % work,
                            "load %s kore_app_load" % os.path.join(
                                TOP, "kore_app", "kore_app.so"))
        text = text.replace("  route /concat page_concat\n", "")
        text = text.replace("  route /walk page_walk\n",
                            "  route /fib/ page_fib\n")
        return text.replace("page_small", "page_index")


def count_events(data):
    """(events, Gs that ended) in the file."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7f) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                return value, at
    at, events, ended = 16, 0, 0
    while at < len(data):
        kind, code = data[at] & 0x3f, data[at] >> 6
        at += 1
        if kind == 37:
            _, at = varint(at)
            length, at = varint(at)
            at += length
        elif code == 3:
            length, at = varint(at)
            at += length
        else:
            for _ in range(code + 1):
                _, at = varint(at)
        if kind == LOG:
            length, at = varint(at)
            at += length
        events += kind not in UNTIMED
        ended += kind == END
    return events, ended


class Taken(threading.Thread):
    """One trace of the server, taken beside the load."""

    def __init__(self, server, seconds):
        super().__init__(daemon=True)
        self.server, self.seconds = server, seconds
        self.body, self.lost, self.failure = b"", None, None
        self.start()

    def run(self):
        try:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.server.port, timeout=60)
            connection.request("GET", "/debug/pprof/trace?max=1000000000&"
                               "seconds=%g" % self.seconds)
            answer = connection.getresponse()
            self.body = answer.read()
            self.lost = int(answer.headers["x-pprof-lost"])
            connection.close()
        except (OSError, http.client.HTTPException, TypeError) as error:
            self.failure = error


@contextlib.contextmanager
def tracing(pair):
    """A trace that begins before wrk does and ends after it."""
    collector = pair.b.collector()
    taken = Taken(pair.b, pair.seconds + 3)
    time.sleep(0.5)
    before, since = cpu_ns(collector), time.monotonic()
    yield
    passed = time.monotonic() - since
    used = (cpu_ns(collector) - before) / 1e9
    taken.join(90)
    if taken.failure or not taken.body:
        raise Broken("a trace beside %.1f s of load: %s, %d bytes" % (
            passed, taken.failure, len(taken.body)))
    if passed > pair.seconds + 2.5:
        raise Late()
    pair.cores.append(used / passed)
    pair.lost += taken.lost
    pair.last = taken.body


class Late(Exception):
    """wrk was begun so often that the trace had ended before it."""


class Traced(Pairs):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.cores, self.lost, self.last = [], 0, b""

    def once(self, turned):
        for _ in range(5):
            try:
                return super().once(turned)
            except Late:
                continue
        raise Broken("%s: five traces ended before wrk did" % self.name)


def measure(bench):
    server = Sample("kore, sample application", bench.work, bench.module)
    try:
        kind = Traced(bench.seconds, "a trace runs ÷ module idle", server, server,
                      tracing, (">=", 0.95), FIB)
        wrk(server, 1, FIB)
        for turn in range(bench.pairs):
            bench.say("tracing: pair %d of %d" % (turn + 1, bench.pairs))
            kind.once(turn % 2 == 1)
        events, ended = count_events(kind.last)
    finally:
        server.stop()
    return kind.figures() + [
        of_values("collector while it traces", kind.cores, unit="cores",
                  target=("<=", 0.25), digits=3),
        of_values("bytes of the file for an event",
                  [len(kind.last) / events], target=("<=", 8), digits=2),
        of_values("  for a request", [len(kind.last) / ended],
                  target=("<=", 200), digits=1),
        of_values("events lost", [kind.lost], target=("<=", 0))]
