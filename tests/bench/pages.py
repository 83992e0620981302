"""
The pages: how fast they are in a real browser, and what a page that is left
open costs the service. What is measured in the browser is in
tests/browser/speed.mjs.
"""
import http.client
import json
import os
import subprocess
import time

from figures import Figure, of_values
from growth import Many
from servers import Broken, TOP, children, cpu_ns

HOW = """\
Headless Chromium, which draws by software here, on the same machine as the
service; by the page's own clock. The index from the request to the end of its
scripts; a file from its choice to the frame after its flame graph. A frame is
the time between two calls of requestAnimationFrame, which is 16.7 ms when
nothing is late. The profiles are made by `tests/browser/made.mjs`. Polling is
what the live view asks, once a second, by the CPU time of all processes of the
service with and without it.
"""

PAGES = os.path.join(TOP, "tests", "browser")
POLL_S = 20
ROUTES = 200


def node(work, module, server, *args):
    """Standard output of one of our scripts."""
    env = dict(os.environ, SITE="http://127.0.0.1:%d/debug/pprof/"
               % server.port, BROWSER_DEPS=os.path.join(
                   os.path.dirname(module), "browser"))
    done = subprocess.run(["node", *args], cwd=PAGES, env=env, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Broken("node %s: %s" % (
            args[0], done.stderr.decode(errors="replace")))
    return done.stdout.decode()


def used_ns(server):
    return sum(cpu_ns(pid) for pid, _ in children(server.process.pid))


def polling(server):
    """Part of a core for one question a second, with 200 routes that have
    all been asked for; and how long an answer is."""
    def spent(ask):
        before = used_ns(server)
        for _ in range(POLL_S):
            ask()
            time.sleep(1)
        return used_ns(server) - before

    connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def ask():
        connection.request("GET", "/debug/pprof/routes")
        return connection.getresponse().read()

    routes = ["/r/%d" % number for number in range(1, ROUTES + 1)]
    for path in routes * 4:
        server.get(path)
    told = {route["route"] for route in json.loads(ask())["routes"]}
    if not told >= set(routes):
        raise Broken("/routes tells of %d routes" % len(told))
    idle = spent(lambda: None)
    return 100 * (spent(ask) - idle) / (POLL_S * 1e9), len(ask())


def measure(bench):
    work, module = bench.work, bench.module
    server = Many("kore", work, module, routes=ROUTES)
    try:
        made = {}
        for kind in ("many", "broad"):
            made[kind] = os.path.join(work, kind + ".pb.gz")
            node(work, module, server, "made.mjs", kind, made[kind])
        bench.say("pages: in the browser")
        found = json.loads(node(work, module, server, "run.mjs", "speed",
                                json.dumps(made)).splitlines()[-1])
        bench.say("pages: polling")
        polled, length = polling(server)
    finally:
        server.stop()
    frames = sorted(found["frames"])
    return [
        of_values("index page ready", found["index"], unit="ms",
                  target=("<=", 100)),
        of_values("20,000 samples, from click to drawn", found["many"],
                  unit="ms", target=("<=", 1000)),
        Figure("  longest frame of moving, zooming, searching", frames[-1],
               "ms", target=("<=", 50), digits=1,
               spread="of %d" % len(frames)),
        of_values("668,000 nodes, from click to drawn", found["broad"],
                  unit="ms", target=("<=", 4000)),
        Figure("  boxes to be seen then", found["boxes"], "",
               target=(">=", 50)),
        Figure("polling of the live view, %d routes, part of a core" % ROUTES,
               polled, "%", target=("<=", 0.5), digits=2,
               spread="%d bytes" % length)]
