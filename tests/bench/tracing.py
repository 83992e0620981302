"""
What a running execution trace costs: requests per second of the sample
application with one and without, beside those of an equal Go server; the
collector's CPU, the file's bytes. And what is left of it while nobody traces.

The pairs are throughput.py's, asked in turn AB and BA.

Rule: a trace that lost an event, or that does not reach over all of wrk's
run, ends the benchmark.
"""
import contextlib
import http.client
import os
import subprocess
import threading
import time

from figures import of_values
from servers import HERE, TOP, Broken, Go, Kore, Profiling, cpu_ns
from throughput import Pairs, wrk

HOW = """\
The sample application's `/fib/?n=20&type=iterative`, `wrk` as above, the same
server with a trace of all of wrk's run and without, in turn; Go's page is
traced by net/http/pprof. "Never traced" is a second server of which no trace
was asked. A hook that is off is measured by itself (`trace_off.c`), and counted
as often as a request makes events. An event's and a request's bytes are those
of the last file.
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
            self.lost = int(answer.headers.get("x-pprof-lost", 0))
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
    pair.ends.append((cpu_ns(collector) - before) / 1e9 /
                     (time.monotonic() - since))
    if taken.failure or not taken.body:
        raise Broken("a trace beside %.1f s of load: %s, %d bytes" % (
            passed, taken.failure, len(taken.body)))
    if passed > pair.seconds + 2.5:
        raise Late()
    pair.cores.append(used / passed)
    pair.lost += taken.lost
    pair.last = taken.body


@contextlib.contextmanager
def go_tracing(pair):
    taken = Taken(pair.b, pair.seconds + 3)
    time.sleep(0.5)
    yield
    taken.join(90)
    if taken.failure or not taken.body:
        raise Broken("Go's trace: %s" % taken.failure)


class Late(Exception):
    """wrk was begun so often that the trace had ended before it."""


class Traced(Pairs):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.cores, self.ends, self.lost, self.last = [], [], 0, b""

    def once(self, turned):
        for _ in range(5):
            try:
                return super().once(turned)
            except Late:
                continue
        raise Broken("%s: five traces ended before wrk did" % self.name)


def off_ns(work):
    """Of one hook, while nobody traces."""
    program = os.path.join(work, "trace_off")
    # Beside the module that is measured.
    subprocess.run(
        ["cc", "-std=c11", "-O2", "-D_GNU_SOURCE",
         "-I", os.path.join(TOP, "middleware/core"), "-o", program,
         "trace_off.c", os.path.join(
             TOP, os.environ.get("B", "build"), "libhot.a")],
        check=True, cwd=HERE)
    text = subprocess.run([program], stdout=subprocess.PIPE,
                          check=True).stdout.decode()
    return float(text.partition("=")[2])


def beside_a_profile(work, module, seconds):
    """Events lost while the first profile of a service is made."""
    server = Sample("kore, a profile beside a trace", work, module)
    try:
        load = subprocess.Popen(
            ["wrk", "-t2", "-c32", "-d%ds" % (seconds + 2),
             "http://127.0.0.1:%d%s" % (server.port, FIB)],
            stdout=subprocess.DEVNULL)
        taken = Taken(server, seconds)
        time.sleep(0.5)
        with Profiling(server, seconds=1):
            time.sleep(2.5)
        taken.join(90)
        load.wait(60)
        if taken.failure or not taken.body:
            raise Broken("a trace beside a profile: %s" % taken.failure)
        return taken.lost
    finally:
        server.stop()


def measure(bench):
    work, module, seconds = bench.work, bench.module, bench.seconds
    with contextlib.ExitStack() as stack:
        def started(server):
            stack.callback(server.stop)
            return server
        server = started(Sample("kore, sample application", work, module))
        never = started(Sample("kore, never traced", work, module))
        go = started(Go("go, pprof", work, "go-pprof"))
        kind = Traced(seconds, "a trace runs ÷ module idle", server, server,
                      tracing, (">=", 0.95), FIB)
        off = Pairs(seconds, "trace off again ÷ never traced", never, server,
                    target=(">=", 0.995), path=FIB)
        equal = Pairs(seconds, "Go, a trace runs ÷ net/http/pprof idle", go,
                      go, go_tracing)
        for each in server, never:
            wrk(each, 1, FIB)
        wrk(go, 1)
        for turn in range(bench.pairs):
            bench.say("tracing: pair %d of %d" % (turn + 1, bench.pairs))
            for each in kind, off, equal:
                each.once(turn % 2 == 1)
        cost = wrk(never, seconds, FIB)[1]
    events, ended = count_events(kind.last)
    hooks = off_ns(work) * events / ended
    return kind.figures() + equal.figures() + off.figures() + [
        of_values("hooks while nobody traces, for a request", [hooks],
                  unit="ns", digits=1),
        of_values("  of its CPU time", [hooks / cost],
                  target=("<=", 0.005), digits=5),
        of_values("collector while it traces", kind.cores, unit="cores",
                  target=("<=", 0.25), digits=3),
        of_values("  and until the file is there", kind.ends, unit="cores",
                  target=("<=", 0.25), digits=3),
        of_values("bytes of the file for an event",
                  [len(kind.last) / events], target=("<=", 8), digits=2),
        of_values("  for a request", [len(kind.last) / ended],
                  target=("<=", 200), digits=1),
        of_values("events lost", [kind.lost], target=("<=", 0)),
        of_values("  with the first profile beside it",
                  [beside_a_profile(work, module, 4)], target=("<=", 0))]
