"""
The figures of handler.c: what one CPU sample costs the thread that it
interrupts, at a depth of 30 frames.

Rule: what handler.c did not measure is not shown as a number.
"""
import os
import subprocess

from figures import Figure

HOW = """\
`handler.c` links the hot side as it is in `pprof.so` and measures the
handler from its first to its last instruction by the monotonic clock, less
the clock's own cost, on a stack of 30 frames of different functions; the
change to the thread's own stack and back is in it. "One after the other" finds the caches as the sample before left them. A real
timer finds what a few milliseconds of the application, the kernel and the
other processes have left of them, and on a virtual machine also what the
host does at a timer tick. A return address that no sample has met yet makes
libunwind read its unwind tables once; it then is in a cache of the thread.
malloc is counted by a wrapper, system calls by the kernel's user dispatch. A
timer's sample makes two: it reads the thread's CPU clock, and sets the timer to
its next tick, at a distance that is random ([sampling.md](sampling.md)).
"""

DEPTH = 30


def run(work, samples):
    """{case: {key: number}}"""
    text = subprocess.run([os.path.join(work, "handler"), str(samples)],
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    cases = {}
    for line in text.splitlines():
        words = dict(word.split("=") for word in line.split())
        name = words.pop("name")
        cases[name] = {key: float(value) for key, value in words.items()}
    return cases


def timed(name, case, target=None):
    return Figure(name, case["median"], "ns", target,
                  "p99 %.0f ns, %d samples" % (case["p99"], case["samples"]))


def counted(name, case, key, target):
    if case[key] < 0:
        return Figure(name, None, target=target,
                      spread="the kernel does not offer the counting")
    return Figure(name, case[key] / case["samples"], "a sample", target,
                  "%d in %d samples" % (case[key], case["samples"]),
                  digits=2)


def measure(bench):
    bench.say("handler: %d samples" % bench.samples)
    cases = run(bench.work, bench.samples)
    mallocs = sum(case["mallocs"] for case in cases.values()
                  if case["mallocs"] >= 0)
    counts = sum(case["samples"] for case in cases.values()
                 if case["mallocs"] >= 0)
    return [
        timed("handler, depth %d, one after the other" % DEPTH,
              cases["in_a_row"], ("<=", 1000)),
        timed("  from a real timer at 250 Hz", cases["timer"]),
        timed("  the same, caches emptied in between", cases["timer_cold"]),
        timed("  above the tick, at 1000 Hz", cases["perf_1000hz"]),
        timed("  with a return address never seen before", cases["new_pc"]),
        Figure("malloc calls in it", mallocs, target=("<=", 0),
               spread="%d samples, all cases" % counts),
        counted("system calls in it", cases["in_a_row_calls"], "syscalls",
                ("<=", 0)),
        counted("  with a return address never seen before",
                cases["new_pc_calls"], "syscalls", ("<=", 0)),
        # Two are the timer's: the thread's clock, and arming it again.
        counted("  above the tick, at 1000 Hz",
                cases["perf_1000hz_calls"], "syscalls", None)]
