"""
How costs grow: with workers, routes, distinct stacks, and requests that sleep.

Servers with the module and without it take turns, as in throughput.py. With
64 workers on two cores no worker has its even part, so a row is the CPU time
per request, which does not need it.

Rule: of each step the same figures, one below the other.
"""
import gzip
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import time

from figures import Figure, of_values
from memory import kib
from servers import HERE, TOP, Broken, Kore, cpu_ns

HOW = """\
A step of each kind is measured like the one before it. *CPU time per request*:
of all workers, with the module divided by without it, pairs of one second of
`wrk -t1 -c64`. *Answer*: one question after that, to the last byte; a CPU
profile's without its window of one second. *Collector*: VmRSS after it.

Routes: each asked as often as any other; of more than 511 routes by method, the
rest is counted in one row of `/routes`, and in a loss. Stacks: `stacks.c`, the
collector's own code (`libcold.a`) over an arena that it fills with stacks of 40
frames; a profile keeps no more than 131,072 distinct samples or 6 Mi words of
stacks; the rest is counted as dropped. Sleeping requests: they
were asked for, have gone to sleep in a handler and stay so while `/` is asked.
"""

WORKERS = [1, 4, 16, 64]
ROUTES = [1, 10, 100, 1000]
STACKS = [10, 1000, 100000, 1000000]
SLEEPING = [0, 100, 1000, 10000]

ASK_ALL = """
local n = 0
request = function()
    n = n %% %d + 1
    return wrk.format("GET", "/r/" .. n)
end
"""


class Many(Kore):
    """`routes` more routes, /r/1 and so on; room for 12,000 clients."""

    def __init__(self, name, work, module=None, workers=2, routes=0):
        self.routes = routes
        super().__init__(name, work, module, workers=workers)

    def conf(self, work):
        lines = super().conf(work).split("\n")
        end = lines.index("}", lines.index("domain * {"))
        lines[end:end] = ["  route /r/%d page_small" % i
                          for i in range(1, self.routes + 1)]
        lines[end:end] = ["  route /sleep page_sleep"]
        return "\n".join(["worker_max_connections 12000",
                          "worker_rlimit_nofiles 13000",
                          "http_request_limit 12000"] + lines)


def cpu_per_request(server, work, routes):
    """ns, of one second's requests."""
    pids = server.serving()
    script = []
    if routes:
        path = os.path.join(work, "routes-%d.lua" % routes)
        with open(path, "w") as file:
            file.write(ASK_ALL % routes)
        script = ["-s", path]
    before = sum(map(cpu_ns, pids))
    text = subprocess.run(
        ["wrk", "-t1", "-c64", "-d1s", *script,
         "http://127.0.0.1:%d/" % server.port],
        stdout=subprocess.PIPE, check=True).stdout.decode()
    done = int(re.search(r"(\d+) requests in", text)[1])
    if done == 0 or "Non-2xx" in text or "Socket errors" in text:
        raise Broken("%s: failed requests:\n%s" % (server.name, text))
    return (sum(map(cpu_ns, pids)) - before) / done


def answer(server, path, less=0):
    """Seconds."""
    start = time.monotonic()
    status, body = server.body("/debug/pprof/" + path)
    took = time.monotonic() - start - less
    if status != 200 or not body:
        raise Broken("%s: %s was answered by %d: %s" % (
            server.name, path, status, body[:200]))
    return took


def step(bench, what, absent, loaded, asked, routes=0):
    """The figures of one step. `asked`: (name, path, its window)."""
    ratios = []
    for turn in range(bench.few):
        pair = [absent, loaded] if turn % 2 == 0 else [loaded, absent]
        took = {server: cpu_per_request(server, bench.work, routes)
                for server in pair}
        ratios.append(took[loaded] / took[absent])
    figures = [of_values(what + ": CPU time per request, ÷ absent", ratios,
                         digits=3)]
    for name, path, window in asked:
        figures.append(of_values(
            "  answer, " + name,
            [1000 * answer(loaded, path, window) for _ in range(bench.few)],
            unit="ms"))
    status = "/proc/%d/status" % loaded.collector()
    figures.append(Figure("  collector", kib(status, "VmRSS") / 1024, "MiB",
                          digits=1))
    return figures


PROFILE = ("profile", "profile?seconds=1", 1)


def servers(bench, **more):
    return (Many("kore, module absent", bench.work, **more),
            Many("kore, module loaded", bench.work, bench.module, **more))


def in_servers(bench, what, asked, routes=0, **more):
    pair = servers(bench, routes=routes, **more)
    try:
        return step(bench, what, *pair, asked, routes)
    finally:
        for server in pair:
            server.stop()


def workers(bench):
    figures = []
    for count in WORKERS:
        bench.say("growth: %d workers" % count)
        figures += in_servers(bench, "workers, %d" % count, [PROFILE],
                              workers=count)
    return figures


def routes(bench):
    figures = []
    for count in ROUTES:
        bench.say("growth: %d routes" % count)
        figures += in_servers(
            bench, "routes, %d" % count,
            [PROFILE, ("routes", "routes", 0)], routes=count)
    return figures


def fall_asleep(port, count, ready):
    """In a process of its own, for its descriptors."""
    held = []
    for _ in range(count):
        held.append(socket.create_connection(("127.0.0.1", port)))
        held[-1].sendall(b"GET /sleep HTTP/1.1\r\nHost: localhost\r\n\r\n")
    ready.send(len(held))
    ready.recv()


class Sleepers:
    """Connections whose requests sleep."""

    def __init__(self, server, count):
        self.ready, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=fall_asleep, args=(server.port, count, other))
        self.process.start()
        other.close()
        try:
            self.ready.recv()
        except EOFError:
            self.process.join()
            raise Broken("%s: no %d connections" % (server.name, count))

    def close(self):
        self.ready.send(None)
        self.process.join()


def sleeping(bench):
    figures = []
    for count in SLEEPING:
        bench.say("growth: %d requests that sleep" % count)
        pair = servers(bench)
        asleep = []
        try:
            for server in pair:
                asleep.append(Sleepers(server, count))
            time.sleep(1)
            seen = pair[1].body("/debug/pprof/goroutine?debug=1")[1]
            found = int(re.match(rb"goroutine profile: total (\d+)",
                                 seen)[1])
            if found < count:
                raise Broken("%d requests of %d are there" % (found, count))
            figures += step(
                bench, "sleeping, %s" % format(count, ","), *pair,
                [("goroutine?debug=1", "goroutine?debug=1", 0),
                 ("goroutine?debug=2", "goroutine?debug=2", 0)])
        finally:
            for one in asleep:
                one.close()
            for server in pair:
                server.stop()
    return figures


def comment(profile, key):
    """Its number. A text of the file stands behind a byte with its length."""
    at = profile.index(key)
    text = profile[at:at + profile[at - 1]]
    return float(text[len(key):])


def stacks(bench):
    program = os.path.join(bench.work, "stacks")
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra",
                    "-O2", "-g", "-I", os.path.join(TOP, "middleware/core"),
                    "-o", program, "stacks.c",
                    os.path.join(bench.build, "libcold.a"), "-ldw", "-lelf",
                    "-lprotobuf-c", "-lz", "-lm", "-lpthread"], check=True,
                   cwd=HERE)
    figures = []
    for count in STACKS:
        bench.say("growth: %d stacks" % count)
        runs = []
        for _ in range(1 if bench.quick else 3):
            made = program + ".pb.gz"
            text = subprocess.run([program, str(count), made], check=True,
                                  stdout=subprocess.PIPE).stdout.decode()
            runs.append({line.split()[0]: float(line.split()[1])
                         for line in text.splitlines()})
            with gzip.open(made) as file:
                runs[-1]["dropped"] = comment(
                    file.read(), b"session_samples_dropped=")

        def median(key):
            return statistics.median(run[key] for run in runs)
        figures += [
            Figure("stacks, %s: a sample, to the collector"
                   % format(count, ","), median("sample_ns"), "ns",
                   spread="%.0f samples dropped" % median("dropped")),
            Figure("  answer, profile", median("answer_ms"), "ms",
                   spread="%.0f bytes" % median("bytes")),
            Figure("  collector", median("rss_kb") / 1024, "MiB", digits=1)]
    return figures


def measure(bench):
    return (workers(bench) + routes(bench) + stacks(bench)
            + sleeping(bench))
