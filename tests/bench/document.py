"""
docs/bench.md: the figures of one run of all parts, the machine that they were
measured on, and how.

Rule: the words here say how it is measured; every number comes from the run.
"""
import os
import platform
import re
import subprocess
import time

import long_runs
from figures import markdown
from parts import PARTS
from servers import TOP, read_text

INTRO = """# Speed

Written by `make bench`, from one run. Every figure is a ratio or a difference of things
measured next to each other in the same run; a missed target is shown and
fails nothing.

*spread* is the first and third quartile of the repetitions where two numbers
stand. *~* after a verdict: the target lies between the quartiles, another run
may come to the other verdict.
"""


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


def revision():
    """With "-dirty" when something else than the document has changed."""
    if not first_line("git", "-C", TOP, "rev-parse", "HEAD").isalnum():
        return "?"
    changed = first_line("git", "-C", TOP, "status", "--porcelain", "--", ".",
                         ":!docs/bench.md")
    return first_line("git", "-C", TOP, "describe", "--always") + (
        "-dirty" if changed else "")


def machine():
    """[(what, value)], before anything is measured."""
    cpu = re.search(r"model name\s*: (.*)", read_text("/proc/cpuinfo"))
    system = re.search(r'PRETTY_NAME="(.*)"', read_text("/etc/os-release"))
    return [
        ("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("revision", revision()),
        ("cpu", "%d x %s" % (os.cpu_count(), cpu[1] if cpu else "?")),
        ("virtual", first_line("systemd-detect-virt", "-v")
         if " hypervisor" in read_text("/proc/cpuinfo") else "no"),
        ("kernel", platform.release()),
        ("CONFIG_HZ", kernel_hz()),
        ("system", system[1] if system else "?"),
        ("kore", package("kore")),
        ("libunwind", package("libunwind8")),
        ("gperftools", package("libgoogle-perftools4")),
        ("jemalloc", package("libjemalloc2")),
        ("perf", first_line("perf", "--version")),
        ("go", first_line("go", "version").replace("go version ", "")),
        ("load before", "%.2f, average of the last minute"
         % os.getloadavg()[0])]


def text(machine_facts, found, build, written):
    lines = [INTRO, "## Machine\n"]
    lines += ["| | |", "| --- | --- |"]
    lines += ["| %s | %s |" % fact for fact in machine_facts]
    for part, title, module in PARTS:
        lines += ["", "## " + title, "", module.HOW, markdown(found[part])]
    return "\n".join(lines) + "\n\n" + long_runs.section(build, written)
