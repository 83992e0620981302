"""
docs/bench.md: the figures of one full run, the machine that they were
measured on, and how.

Rule: the words here say how it is measured; every number comes from the run.
"""
import os
import platform
import re
import subprocess
import time

from figures import markdown
from servers import TOP, read_text

INTRO = """# Speed

Written by `tests/bench/run --write docs/bench.md`, which is `make bench` with
a place to put its result. Every figure is a ratio or a difference of things
measured next to each other in the same run; a missed target is shown and
fails nothing.

*spread* is the first and third quartile of the repetitions where two numbers
stand. *~* after a verdict: the target lies between the quartiles, another run
may come to the other verdict.
"""

SECTIONS = [
    ("handler", "The signal handler", """
`handler.c` links the hot side as it is in `pprof.so` and measures the
handler from its first to its last instruction by the monotonic clock, less
the clock's own cost, on a stack of 30 frames of different functions. "One
after the other" finds the caches as the sample before left them. A real
timer finds what a few milliseconds of the application, the kernel and the
other processes have left of them, and on a virtual machine also what the
host does at a timer tick. A return address that no sample has met yet makes
libunwind read its unwind tables once; it then is in a cache of the thread.
malloc is counted by a wrapper, system calls by the kernel's user dispatch.
"""),
    ("heap", "Allocations", """
A pair of malloc and free, or of kore_malloc and kore_free, of 16 to 271 bytes
with 1,024 blocks alive, by the thread's CPU clock: `malloc_pair.c` alone and
`malloc_loop.c` in a handler of a real worker. Absent and present take turns and
are compared turn by turn. "Off" is PPROF_HEAP_RATE=0.
"""),
    ("locks", "Locks", """
A lock taken and let go by one thread, by the thread's CPU clock, each variant
in a process of its own: without the hooks, with them, and with block and mutex
at rate 1. The C library takes a lock without an atomic operation while a
process has one thread; a worker has more once a task has run.
"""),
    ("throughput", "Requests per second", """
`wrk -t2 -c32` on kept connections against two pinned workers in production
mode (chroot, nobody, seccomp), a page of 25 bytes: the smallest request there
is, so what the module adds to each weighs most. Two runs make a pair, in turn
AB and BA. "Profiling" is `profile?seconds=2` one after the other all the
time: one profile is written, symbolized and sent in each run, five times more
often than a scraper with windows of ten seconds asks for. "Absent ÷ absent"
is the same server twice: how far a ratio strays by itself. Runs in which one
worker got less than four fifths of its part of the connections are begun
again, since Kore's accept lock spreads few connections by chance. CPU time
per request is that of the serving processes by the kernel's accounts; it
depends less on what else runs.

gperftools: `LD_PRELOAD=libprofiler.so.0`, switched on and off in the workers
by `CPUPROFILESIGNAL`. Started by `CPUPROFILE` alone it is of no use here: in
a try of two seconds of load, its three processes counted 1, 2 and 4 timer
interrupts. The application must add rules to Kore's sandbox for it (without
them both workers died of violations when it was switched on), and both
workers write to the same file name, where the last one wins. Go:
`tests/bench/go`, the same page, built with and without `net/http/pprof`.
"""),
    ("tracing", "Traces", """
The sample application's `/fib/?n=20&type=iterative`, `wrk` as above, the same
server with a trace of all of wrk's run and without, in turn. The collector's
CPU is that of the run, without the writing of names at the end of a trace; an
event's and a request's bytes are those of the last file.
"""),
    ("loop", "The event loop", """
One worker; one client in a closed loop asks for a page whose stacks are many, with and without profiles of one second, one after the other,
on the same port. Each pair has a fresh service. The second figure is the
time from the request to the last byte, less the window; on a machine that
does more than two cores can, the first one is mostly the wait for a CPU that
is shown below it.
"""),
    ("memory", "Memory", """
A worker: Pss with the module less Pss without it, after the same requests.
The collector: VmRSS and VmHWM, worked by three profiles at 1000 Hz.
"""),
    ("recorder", "The flight recorder", """
`recorder.c`, the collector's own code over an arena that it fills: 90 slices of
1,000 stacks of 40 frames, and `profile?since=300`, from the question to the
compressed answer. "No stack twice" has all frames by chance, so that nothing is
shared and nothing compresses.
"""),
    ("pages", "The pages", """
Headless Chromium, which draws by software here, on the same machine as the
service; by the page's own clock. The index from the request to the end of its
scripts; a file from its choice to the frame after its flame graph. A frame is
the time between two calls of requestAnimationFrame, which is 16.7 ms when
nothing is late. The profiles are made by `tests/browser/made.mjs`. Polling is
what the live view asks, once a second, by the CPU time of all processes of the
service with and without it.
"""),
]


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.stdout.decode(errors="replace").strip().split("\n")[0]
    except FileNotFoundError:
        return "not installed"


def kernel_hz():
    for command in (["zcat", "/proc/config.gz"],
                    ["cat", "/boot/config-" + platform.release()]):
        try:
            text = subprocess.run(command, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL,
                                  check=False).stdout.decode()
        except FileNotFoundError:
            continue
        found = re.search(r"^CONFIG_HZ=(\d+)", text, re.M)
        if found:
            return found[1]
    tick = time.clock_getres(6)  # CLOCK_MONOTONIC_COARSE
    return "%.0f, by the coarse clock" % (1 / tick)


def package(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def machine():
    """[(what, value)], before anything is measured."""
    cpu = re.search(r"model name\s*: (.*)", read_text("/proc/cpuinfo"))
    system = re.search(r'PRETTY_NAME="(.*)"', read_text("/etc/os-release"))
    return [
        ("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("revision", first_line("git", "-C", TOP, "describe", "--always",
                                "--dirty")),
        ("cpu", "%d x %s" % (os.cpu_count(), cpu[1] if cpu else "?")),
        ("virtual", first_line("systemd-detect-virt", "-v")
         if " hypervisor" in read_text("/proc/cpuinfo") else "no"),
        ("kernel", platform.release()),
        ("CONFIG_HZ", kernel_hz()),
        ("system", system[1] if system else "?"),
        ("kore", package("kore")),
        ("libunwind", package("libunwind8")),
        ("gperftools", package("libgoogle-perftools4")),
        ("go", first_line("go", "version").replace("go version ", "")),
        ("load before", "%.2f, average of the last minute"
         % os.getloadavg()[0])]


def text(machine_facts, found):
    lines = [INTRO, "## Machine\n"]
    lines += ["| | |", "| --- | --- |"]
    lines += ["| %s | %s |" % fact for fact in machine_facts]
    for part, title, how in SECTIONS:
        lines += ["", "## " + title, how, markdown(found[part])]
    return "\n".join(lines) + "\n"
