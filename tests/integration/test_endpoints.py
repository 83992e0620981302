#!/usr/bin/env python3
# needs: a core, 5 s
"""
One request for each endpoint, to a real Kore: each answers with what it is
for. The endpoints are those of the collector's table, so a new one has its
line here, too.

Rule: quick, and with nothing installed, since `make quick` runs it. Whether
an answer is true, the endpoints' own tests say.
"""
import glob
import gzip
import os
import re

import harness
import load
import workload
from case import Case, main

TABLE = os.path.join(harness.TOP, "middleware", "core", "**", "endpoints.c")
# The endpoint's query, and what its answer has somewhere.
ASKED = {
    "": ("", "<title>"),
    "allocs": ("?debug=1", "heap profile: "),
    "assets/": ("", ""),
    "block": ("?debug=1", "--- contention:\n"),
    "cmdline": ("", "kore\0"),
    "doctor": ("?format=json", '"name":"workers"'),
    "goroutine": ("?debug=1", "goroutine profile: total "),
    "heap": ("?debug=1", "heap profile: "),
    "mutex": ("?debug=1", "--- mutex:\n"),
    "profile": ("?seconds=1&format=folded", "burn_a"),
    "routes": ("", '"/burn/a"'),
    "settings": ("", '"heap_rate": '),
    "stalls": ("?debug=1", "stalls profile: total "),
    "symbol": ("?0x1", "num_symbols: 1\n"),
    "threadcreate": ("?debug=1", "threadcreate profile: total "),
    "trace": ("?seconds=1", "go 1."),
}


def endpoints():
    with open(glob.glob(TABLE, recursive=True)[0]) as file:
        return re.findall(r'\{ \.name = "([^"]*)"', file.read())


class Endpoints(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kore = workload.service()
        cls.kore.start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.kore.finish()
        finally:
            cls.kore.destroy()
            super().tearDownClass()

    def answer(self, name, query):
        path = "/debug/pprof/" + name
        if name == "assets/":
            page = self.kore.get("/debug/pprof/").text
            path += re.search(r'assets/([^"]+)"', page)[1]
        answer = self.kore.get(path + query)
        self.assertEqual(answer.status, 200, answer)
        body = answer.body
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        return body.decode("utf-8", "replace")

    def test_each_endpoint_has_its_line(self):
        self.assertEqual(endpoints(), list(ASKED))


def asks(name):
    def test(self):
        with load.Driver(self.kore, ["/burn/a"]):
            query, text = ASKED[name]
            self.assertIn(text, self.answer(name, query))
    return test


for each in ASKED:
    setattr(Endpoints, "test_" + (each.strip("/") or "index"), asks(each))

if __name__ == "__main__":
    main()
