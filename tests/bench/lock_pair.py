"""
Figures of loop_pair.c: what the profiler of waits adds to a lock and unlock
that nobody disturbs.

Rule: with and without the hooks are measured by turns, compared by the turn.
"""
import os
import subprocess

import figures
import servers

HOW = """\
A lock taken and let go by one thread, by the thread's CPU clock, each variant
in a process of its own: without the hooks, with them, and with block and mutex
at rate 1. The C library takes a lock without an atomic operation while a
process has one thread; a worker has more once a task has run.
"""

NAMES = {"mutex": "mutex, lock + unlock",
         "mutex_alone": "  the same, one thread in the process",
         "rwlock": "rwlock, wrlock + unlock",
         "sem": "semaphore, post + wait"}
TARGETS = {("mutex", "off"): 2.0, ("mutex", "on"): 5.0,
           ("mutex_alone", "off"): 2.0, ("mutex_alone", "on"): 5.0}


def compile_all(work, build, library="lock_loop"):
    def cc(*args):
        subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-O2", "-g",
                        "-D_GNU_SOURCE", *args], check=True, cwd=servers.HERE)

    cc("-shared", "-fPIC", "-o", os.path.join(work, library + ".so"),
       library + ".c")
    cc("-I", os.path.join(servers.TOP, "middleware/core"),
       "-o", os.path.join(work, "loop_pair"), "loop_pair.c",
       os.path.join(build, "libhot.a"), "-lpthread")


def figure(words):
    loop, name = words["loop"], words["name"]
    if name == "bare":
        return figures.Figure(
            NAMES[loop] + ", bare", float(words["pair"]), "ns", digits=2,
            spread=(float(words["low"]), float(words["high"])))
    target = TARGETS.get((loop, name))
    return figures.Figure(
        "  added, measuring is " + name, float(words["added"]), "ns", digits=2,
        target=target and ("<=", target),
        spread=(float(words["added_low"]), float(words["added_high"])))


def run(work, pairs, library="lock_loop"):
    """[{key: text}], one for each loop and variant."""
    text = subprocess.run([os.path.join(work, "loop_pair"),
                           os.path.join(work, library + ".so"), str(pairs)],
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    return [dict(word.split("=") for word in line.split())
            for line in text.splitlines()]


def measure(bench):
    bench.say("pairs of lock and unlock: 15 turns of four kinds")
    compile_all(bench.work, bench.build)
    return [figure(words) for words in run(
        bench.work, 1000000 if bench.quick else 5000000)]
