"""
The workload module (modules/workload.c) as a service, and its truth.

Not a test.
"""
import os
import re

import harness

SOURCE = os.path.join(harness.HERE, "modules", "workload.c")
ROUTES = ["/burn/a burn_a", "/burn/b burn_b", "/light page_light",
          "/who page_who", "/truth page_truth", "/task page_task",
          "/sleep page_sleep", "/stuck page_stuck",
          "/calls page_calls",
          "^/re/([a-z]+)$ page_pattern"]


def service(modules=None, routes=None, background=False, **more):
    """Kore with the workload and the product. `background`: with the timer
    and the thread that work outside of requests."""
    load = ("workload.c", "workload_background") if background else "workload.c"
    more.setdefault("settings", ["worker_accept_threshold 1"])
    return harness.Service(modules or [load, harness.PPROF],
                           routes or ROUTES, **more)


class Truth:
    """What the workload says of itself: CPU by worker, route, function."""

    def __init__(self, text):
        self.ns, self.chunks = {}, {}
        for line in text.splitlines():
            worker, route, function, chunks, ns = line.split()
            key = (int(worker), "/burn/" + route, function)
            self.ns[key], self.chunks[key] = int(ns), int(chunks)

    def share(self, part, whole):
        """Part of the nanoseconds; both are called with (worker, route,
        function)."""
        total = sum(ns for key, ns in self.ns.items() if whole(*key))
        return sum(ns for key, ns in self.ns.items()
                   if whole(*key) and part(*key)) / total

    def counted(self, part, whole):
        """The same of the exact counts of chunks."""
        total = sum(n for key, n in self.chunks.items() if whole(*key))
        return sum(n for key, n in self.chunks.items()
                   if whole(*key) and part(*key)) / total


def truth(kore):
    return Truth(kore.get("/truth").text)


def function_lines(name, source=SOURCE):
    """First and last line of a C function's definition in `source`."""
    with open(source) as file:
        lines = file.read().splitlines()
    for start, line in enumerate(lines):
        if re.match(r"^%s\(" % re.escape(name), line):
            end = next(i for i in range(start, len(lines))
                       if lines[i] == "}")
            return start + 1, end + 1
    raise AssertionError("no function %s in %s" % (name, source))
