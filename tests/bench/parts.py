"""
What the benchmark has: one line for each part. A part is a module with

    HOW             how it is measured, for docs/bench.md
    measure(bench)  its figures; `bench` is a Bench
    begin(bench)    if there is one: called before the first part is measured

Rule: this table is the order of measuring, of printing and of the document.
"""
import contextlib
import os
import sys

import call_pair
import event_loop
import goroutine
import growth
import lock_pair
import malloc_pair
import memory
import pages
import recorder
import rivals
import sample_cost
import throughput
import tracing

PARTS = [
    ("handler", "The signal handler", sample_cost),
    ("heap", "Allocations", malloc_pair),
    ("locks", "Locks", lock_pair),
    ("calls", "Calls", call_pair),
    ("throughput", "Requests per second", throughput),
    ("tracing", "Traces", tracing),
    ("rivals", "Beside other profilers", rivals),
    ("loop", "The event loop", event_loop),
    ("goroutine", "What is in progress", goroutine),
    ("recorder", "The flight recorder", recorder),
    ("growth", "How costs grow", growth),
    ("pages", "The pages", pages),
    ("memory", "Memory", memory),
]

NAMES = [name for name, _, _ in PARTS]


class Bench(contextlib.ExitStack):
    """One run: where things are, how often everything is measured. What is
    given to callback() is done at its end."""

    def __init__(self, work, module, quick):
        super().__init__()
        self.work, self.module, self.quick = work, module, quick
        self.build = os.path.dirname(module)
        self.samples = 20000 if quick else 100000
        self.pairs = 3 if quick else 15
        self.seconds = 1 if quick else 2
        self.loop_pairs = 2 if quick else 10
        self.few = 2 if quick else 5
        self.memory_turns = 1 if quick else 5

    @staticmethod
    def say(text):
        print("# " + text, file=sys.stderr, flush=True)

    def directory(self, name):
        """One that no other part writes to; workers can read it."""
        path = os.path.join(self.work, name)
        os.makedirs(path, 0o755, exist_ok=True)
        return path

    def started(self, server):
        self.callback(server.stop)
        return server

    def measure(self, only):
        """{part: [Figure]}"""
        asked = [(name, module) for name, _, module in PARTS if name in only]
        with self:
            for _, module in asked:
                getattr(module, "begin", lambda _: None)(self)
            return {name: module.measure(self) for name, module in asked}
