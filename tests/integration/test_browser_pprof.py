#!/usr/bin/env python3
# needs: a core, 41 s
"""
What the pages show in a real Chromium is what `go tool pprof` says of the same
bytes: tables, callers, lines, the graph's arrows, the search, comparisons.
"""
import os
import re

from browser import Busy, Pages
from case import main, note

ALL = ("-nodecount=100000", "-nodefraction=0", "-edgefraction=0", "-unit=ns")


def only(name):
    return "^%s$" % re.escape(name)


class Numbers(Pages):
    def same(self, shown, *args, delta=0):
        """The page's table and `go tool pprof -top` have the same rows."""
        wanted = self.pprof.top(*args)
        shown = {name: tuple(values[:2]) for name, values in shown}
        # pprof leaves rows out in which nothing has changed.
        for name in set(shown) | set(wanted):
            have, want = shown.get(name, (0, 0)), wanted.get(name, (0, 0))
            for value, expected in zip(have, want):
                self.assertLessEqual(abs(value - expected), delta,
                                     (name, have, want, args))
        return len(wanted)

    def test_numbers_are_those_of_pprof(self):
        with Busy(self.kore):
            found = self.browse("numbers", dir=self.pprof.dir.name,
                                route="/fib/")
        first = os.path.join(self.pprof.dir.name, "first.pb.gz")
        second = os.path.join(self.pprof.dir.name, "second.pb.gz")
        focus = "-tagfocus=http.route=^/fib/$"
        rows = self.same(found["all"], first, "-unit=ns")
        some = self.same(found["route"], first, "-unit=ns", focus)
        self.same(found["routeSamples"], first, "-sample_index=samples", focus)
        both = self.same(found["compared"], second, "-unit=ns",
                         "-diff_base=" + first)
        # pprof rounds each sample that it scales to a whole number.
        samples = len(self.pprof.raw(second).samples)
        self.same(found["normalised"], second, "-unit=ns",
                  "-diff_base=" + first, "-normalize", delta=samples)
        note("%d functions, %d of /fib/, %d compared: as pprof has them",
             rows, some, both)
        self.assertGreater(some, 3)
        self.assertEqual([name for name, _ in found["groups"]], ["/fib/"])

    def peek(self, path, name):
        """What -peek has above and below a function: name -> ns."""
        above, below, own = {}, {}, None
        for line in self.pprof.run("-peek", only(name), *ALL,
                                   path).splitlines():
            edge = re.match(r"^ +(\d+)ns? +\S+% \| +(.*)$", line)
            if edge:
                side = above if own is None else below
                side[edge[2].replace(" (inline)", "")] = int(edge[1])
            elif re.match(r"^ *\S+ +\S+% +\S+% +\S+ +\S+% +\| ", line):
                own = line
        self.assertIsNotNone(own, name)
        return above, below

    def lines(self, path, name):
        """FILE:LINE -> (flat ns, cum ns) of a function; ":0": not known."""
        rows = {}
        for key, values in self.pprof.top(path, "-lines", "-unit=ns").items():
            if key == name:
                rows[":0"] = values
            elif key.startswith(name + " "):
                rows[key[len(name) + 1:]] = values
        return rows

    def edges(self, path):
        text = self.pprof.run("-dot", *ALL, path)
        return {(a, b): int(ns) for a, b, ns in re.findall(
            r' tooltip="(.*?) (?:->|\.\.\.) (.*?) \((\d+)ns?\)"', text)}

    def check_functions(self, path, functions):
        for name, found in functions.items():
            above, below = self.peek(path, name)
            shown = {side: {n: v for n, v in found[side] if n is not None}
                     for side in ("callers", "callees")}
            self.assertEqual(shown["callers"], above, name)
            self.assertEqual(shown["callees"], below, name)
            self.assertEqual({line: tuple(values) for line, values
                              in found["lines"]}, self.lines(path, name))

    def test_callers_lines_graph_and_search(self):
        with Busy(self.kore):
            path = self.pprof.save(self.kore.profile(2).body)
        names = ["fib_recursive", "kore_msg_send", "concat_slowly"]
        names = [n for n in names if n in self.pprof.top(path)]
        self.assertIn("fib_recursive", names)
        found = self.browse("peek", file=path, names=names,
                            search="^fib_recursive$")
        self.check_functions(path, found["functions"])
        wanted = self.edges(path)
        self.assertGreater(len(found["edges"]), 10)
        for a, b, value in found["edges"]:
            # One that goes by way of functions left out is none of pprof's.
            self.assertEqual(wanted.get((a, b)), value, (a, b))
        total = sum(s.ns for s in self.pprof.raw(path).samples)
        focus = self.pprof.run("-top", "-focus=" + only("fib_recursive"),
                               *ALL, path)
        matched = re.search(r"accounting for (\d+)ns", focus)
        self.assertEqual(found["matched"], [int(matched[1]), total])
        note("%d functions, %d arrows, %.1f%% matched: as pprof has them",
             len(names), len(found["edges"]), 100 * found["matched"][0] / total)

    def test_functions_of_one_name_in_two_files(self):
        path = self.made("twins")
        found = self.browse("peek", file=path, names=["parse"],
                            search="parse")
        self.check_functions(path, found["functions"])
        self.assertEqual(sorted(line for line, _ in found["functions"]["parse"]
                                ["lines"]),
                         ["/srv/body.c:12", "/srv/header.c:11"])


class Growth(Pages):
    modules = ["memory.c"]
    routes = ["^/take/[a-z_]+$ page_take", "^/drop/[a-z_]+$ page_drop"]
    env = {"PPROF_HEAP_RATE": "4096"}
    workers = 1  # what is dropped is the answering worker's own

    def test_growth_since(self):
        self.kore.get("/take/malloc?count=500&size=4096")
        path = os.path.join(self.pprof.dir.name, "growth.pb.gz")
        during = ["/take/calloc?count=700&size=4096", "/drop/malloc"]
        found = self.browse("growth", file=path, during=during)
        shown = {name: tuple(values[:2]) for name, values in found["top"]}
        wanted = self.pprof.top(path, "-sample_index=inuse_objects")
        for name in set(shown) | set(wanted):
            self.assertEqual(shown.get(name, (0, 0)), wanted.get(name, (0, 0)),
                             name)
        self.assertLess(shown["take_malloc"][0], 0)
        self.assertGreater(shown["take_calloc"][0], 0)
        note("freed %d, grown %d objects", -shown["take_malloc"][0],
             shown["take_calloc"][0])


if __name__ == "__main__":
    main()
