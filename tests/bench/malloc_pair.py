"""
What the heap profiler adds to a pair of malloc() and free(), and to one of
kore_malloc() and kore_free() in a worker of a real Kore; 16 to 271 bytes.

Rule: absent and present are measured by turns, and compared turn by turn.
"""
import os
import subprocess

import figures
import servers

HOW = """\
A pair of malloc and free, or of kore_malloc and kore_free, of 16 to 271 bytes,
one pair after the other, by the thread's CPU clock: `malloc_pair.c` alone and
`malloc_loop.c` in a handler of a real worker. Absent and present take turns and
are compared turn by turn. "Off" is PPROF_HEAP_RATE=0.
"""

TURNS = 15
DEFAULT = 512 * 1024


def compile_all(work, build):
    def cc(*args):
        subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-O2", "-g",
                        *args], check=True, cwd=servers.HERE)

    cc("-shared", "-fPIC", "-o", os.path.join(work, "malloc_loop.so"),
       "malloc_loop.c")
    cc("-shared", "-fPIC", "-DKORE", "-I/usr/include/postgresql",
       "-DKORE_USE_PGSQL", "-DKORE_USE_TASKS",
       "-o", os.path.join(work, "app.so"), "malloc_loop.c")
    cc("-I", os.path.join(servers.TOP, "middleware/core"),
       "-o", os.path.join(work, "malloc_pair"), "malloc_pair.c",
       os.path.join(build, "libhot.a"), "-lpthread")


class Kore(servers.Kore):
    """One worker, and nothing but the loop. `rate`: PPROF_HEAP_RATE."""

    def __init__(self, name, work, module=None, rate=DEFAULT):
        self.rate = rate
        super().__init__(name, work, module, workers=1)

    def launch(self, command, cwd, env=None):
        super().launch(command, cwd, dict(env, PPROF_HEAP_RATE=str(self.rate)))

    def conf(self, work):
        return super().conf(work).replace(
            "page_small", "page_pairs").replace(
                "  route /walk page_walk\n",
                "  route /pairs page_pairs\n").replace(
                    "  route /concat page_concat\n", "")

    def pair(self, own, pairs):
        return float(self.body("/pairs?kore=%d&pairs=%d" % (own, pairs))[1])


def added(name, values, bare, target=None):
    """`values` and `bare` are the same turns'."""
    differences = [v - b for v, b in zip(values, bare)]
    return figures.of_values(name, differences, unit="ns", target=target,
                             digits=2)


def in_kore(work, module, quick, say):
    pairs = 1000000 if quick else 10000000
    kinds = [("absent", None, DEFAULT, 1), ("off", module, 0, 1),
             ("default", module, DEFAULT, 1), ("rate 1", module, 1, 100)]
    found = {(name, own): [] for name, *_ in kinds for own in (0, 1)}
    running = []
    try:
        for name, path, rate, _ in kinds:
            running.append(Kore("kore, " + name, work, path, rate))
        for turn in range(TURNS):
            say("pairs in kore: turn %d of %d" % (turn + 1, TURNS))
            for (name, _, _, less), server in zip(kinds, running):
                for own in (0, 1):
                    server.pair(own, pairs // less // 10)
                    found[name, own].append(server.pair(own, pairs // less))
    finally:
        for server in running:
            server.stop()
    rows = []
    for own, what in ((1, "kore_malloc + kore_free"),
                      (0, "malloc + free in a handler")):
        bare = found["absent", own]
        rows.append(figures.of_values(what + ", module absent", bare,
                                      unit="ns", digits=2))
        rows.append(added("  added with sampling off", found["off", own],
                          bare))
        rows.append(added("  added at the default rate",
                          found["default", own], bare,
                          ("<=", 3.0 if own else 2.5)))
        rows.append(added("  added at rate 1", found["rate 1", own], bare))
    return rows


def alone(work, quick, say):
    say("pairs of malloc and free: %d turns" % TURNS)
    text = subprocess.run([os.path.join(work, "malloc_pair"),
                           os.path.join(work, "malloc_loop.so"),
                           "1000000" if quick else "10000000"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    rows = []
    for line in text.splitlines():
        words = dict(word.split("=") for word in line.split())
        if words["name"] == "bare":
            rows.append(figures.Figure(
                "malloc + free, bare", float(words["pair"]), "ns", digits=2,
                spread=(float(words["low"]), float(words["high"]))))
            continue
        names = {"off": "  added with sampling off",
                 "default": "  added at the default rate",
                 "rate_1": "  added at rate 1"}
        rows.append(figures.Figure(
            names[words["name"]], float(words["added"]), "ns", digits=2,
            target=("<=", 2.5) if words["name"] == "default" else None,
            spread=(float(words["added_low"]), float(words["added_high"]))))
    return rows


def measure(bench):
    work = bench.directory("heap")
    compile_all(work, bench.build)
    return alone(work, bench.quick, bench.say) + in_kore(
        work, bench.module, bench.quick, bench.say)
