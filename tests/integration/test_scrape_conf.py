#!/usr/bin/env python3
# needs: a core, 12 s
"""
The scrape configurations of docs/operations.md: each can be read, and a real
service has what each of them asks for.

They are read as much as it takes: Alloy's blocks and assignments, YAML of
blocks and plain values, JSON. The programs themselves are not here.
"""
import json
import os
import re

import harness
import workload
from case import Case, main

DOCUMENT = os.path.join(harness.TOP, "docs", "operations.md")
CHAPTER = "## Continuous profiling"
PATH = re.compile(r"/debug/pprof/[a-z_]+")
# What a scraper made for Go asks for.
WANTED = {"profile", "allocs", "block", "mutex", "goroutine"}
ALLOY = [re.compile(p) for p in (
    r'[a-z_]+(\.[a-z_]+)*( "[a-z_]+")? \{$', r"\}$",
    r'[a-z_]+ += (true|false|"[^"]*"|\[[^\]]*\]|[a-z_]+(\.[a-z_]+)+)$')]
YAML = re.compile(r'^( *)(- )?([a-z_]+):(?: (.+))?$')
SCALAR = re.compile(r'^([\w./-]+|\[("[^"]*"(, )?)+\])$')


def blocks():
    """The indented blocks of the chapter, blank lines within them kept."""
    with open(DOCUMENT) as file:
        chapter = file.read().split(CHAPTER + "\n", 1)[1].split("\n## ")[0]
    found, lines = [], []
    for line in chapter.splitlines() + ["end"]:
        if line.startswith("    ") or (lines and not line):
            lines.append(line[4:])
        elif lines:
            found.append("\n".join(lines).rstrip())
            lines = []
    return found


def read_alloy(text):
    depth = 0
    for line in text.splitlines():
        line = line.strip()
        if not line:
            continue
        if not any(p.match(line) for p in ALLOY):
            raise ValueError("not Alloy: %r" % line)
        depth += line.endswith("{") - (line == "}")
        if depth < 0:
            raise ValueError("a brace too many")
    if depth:
        raise ValueError("a brace is missing")


def read_yaml(text):
    """Mappings and lists of them: what is deeper follows a key of no value."""
    columns, opened = [0], True
    for line in text.splitlines():
        found = YAML.match(line)
        if not found:
            raise ValueError("not YAML: %r" % line)
        column = len(found[1]) + len(found[2] or "")
        if found[4] and not SCALAR.match(found[4]):
            raise ValueError("not a value: %r" % found[4])
        if column > columns[-1]:
            if not opened:
                raise ValueError("deeper without a reason: %r" % line)
            columns.append(column)
        while column < columns[-1]:
            columns.pop()
        if column != columns[-1]:
            raise ValueError("between two columns: %r" % line)
        opened = not found[4]


def reader_of(text):
    if text.startswith("["):
        return json.loads
    return read_alloy if "{" in text.splitlines()[0] else read_yaml


class ScrapeConf(Case):
    def test_each_can_be_read(self):
        readers = [reader_of(text) for text in blocks()]
        for text, reader in zip(blocks(), readers):
            reader(text)
        self.assertEqual(set(readers), {json.loads, read_alloy, read_yaml})

    def test_what_is_broken_is_seen(self):
        for text in blocks():
            reader = reader_of(text)
            spoilt = text.replace("\n", "\n   ", 1) if reader is read_yaml \
                else text[:-1]
            if reader is read_yaml:
                spoilt += "\n\tfile: x"
            self.assertRaises(ValueError, reader, spoilt)

    def test_a_service_has_what_they_ask_for(self):
        asked = [set(PATH.findall(text)) for text in blocks()
                 if PATH.search(text)]
        self.assertEqual(len(asked), 2)
        with workload.service() as kore:
            for paths in asked:
                self.assertEqual({p.rsplit("/", 1)[1] for p in paths}, WANTED)
                for path in paths:
                    query = "?seconds=1" if path.endswith("/profile") else ""
                    answer = kore.get(path + query)
                    self.assertEqual(answer.status, 200, path)
                    self.pprof.raw(answer.body)


if __name__ == "__main__":
    main()
