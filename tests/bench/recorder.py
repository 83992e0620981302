"""
The flight recorder: its memory with 15 minutes of 1,000 stacks a slice, and the
time of an answer about the last five of them.

Rule: what is measured is recorder.c; here is only arithmetic.
"""
import os
import statistics
import subprocess

import figures
import servers

HOW = """\
`recorder.c`, the collector's own code over an arena that it fills: 90 slices of
1,000 stacks of 40 frames, and `profile?since=300`, from the question to the
compressed answer. "No stack twice" has all frames by chance, so that nothing is
shared and nothing compresses.
"""

RUNS = 3
LIBS = ["-ldw", "-lelf", "-lprotobuf-c", "-lz", "-lm", "-lpthread"]
KINDS = [("same", "the same stacks in each slice"),
         ("other", "no stack twice")]


def compile_it(work, build):
    program = os.path.join(work, "recorder")
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra",
                    "-O2", "-g", "-I",
                    os.path.join(servers.TOP, "middleware/core"),
                    "-o", program, "recorder.c",
                    os.path.join(build, "libcold.a"), *LIBS],
                   check=True, cwd=servers.HERE)
    return program


def run(program, kind):
    text = subprocess.run([program, kind], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return {line.split()[0]: float(line.split()[1])
            for line in text.splitlines()}


def measure(bench):
    program = compile_it(bench.work, bench.build)
    rows = []
    for kind, words in KINDS:
        bench.say("recorder, %s" % words)
        found = [run(program, kind) for _ in range(RUNS)]

        def median(name):
            return statistics.median(one[name] for one in found)

        assert all(one["slices"] == 90 and one["dropped"] == 0
                   for one in found), found
        rows += [
            figures.Figure("memory of it all, %s" % words,
                           median("rss_kb") / 1024, "MiB", ("<=", 64),
                           digits=1),
            figures.Figure("the most meanwhile, since=300 among it",
                           median("peak_kb") / 1024, "MiB", ("<=", 64),
                           digits=1),
            figures.Figure("and with since=900",
                           median("whole_peak_kb") / 1024, "MiB", digits=1),
            figures.Figure("of which slices", median("packed_kb") / 1024,
                           "MiB", digits=1),
            figures.Figure("since=300, %s" % words, median("answer_ms"), "ms",
                           ("<=", 200),
                           spread=(median("answer_low_ms"),
                                   median("answer_high_ms"))),
            figures.Figure("the first one after an idle minute",
                           median("answer_first_ms"), "ms", ("<=", 200)),
        ]
    return rows
