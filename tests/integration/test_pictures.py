#!/usr/bin/env python3
# needs: a core, 38 s
"""
Profiles as pictures and tables, from the sample application under ab: what
`go tool pprof` prints, what flame graph tools read, what a browser draws.

Not here: single names and shapes (tests/unit/test_pictures.c, test_text_top.c).
"""
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
import xml.etree.ElementTree as xml

import harness
import load
from case import Case, Later, main, note
from test_trace_record import compiled

APP = (os.path.join(harness.TOP, "kore_app", "kore_app.so"), "kore_app_load")
ROUTES = ["/ page_index", "/fib/ page_fib", "/concat/ page_concat"]
HOLDING = ["^/take/[a-z_]+$ page_take", "/locked page_locked",
           "/own page_own", "/spin page_spin"]
# What is held is in heap, and what waited for a lock in mutex, whatever the
# sample application happened to do.
HELD = ["/take/%s?count=500&size=4096" % way for way in (
    "malloc", "calloc", "realloc", "kore", "kore_strdup", "buf", "leak")]
LOCKED = ["/locked?ms=20"] * 8
# A profile of the application's own, and a handler that holds its worker.
OWN = ["/own?add=3", "/spin?ms=400"]
FIB = "/fib/?n=50&type=recursive"
# A sanitizer looks at each byte again: /fib/ is to have its share.
CONCAT = "/concat/?str=abc&count=%d" % (200 if harness.SANITIZER else 2000)
NAMES = ("profile?seconds=1", "heap", "allocs", "block", "mutex", "goroutine",
         "threadcreate", "app.things", "stalls", "profile?since=60")
FORMATS = {"pprof": "application/octet-stream",
           "svg": "image/svg+xml; charset=utf-8",
           "folded": "text/plain; charset=utf-8",
           "speedscope": "application/json",
           "text": "text/plain; charset=utf-8"}
SVG = "{http://www.w3.org/2000/svg}"
SAME_TRIES = 10


def url_of(name, query):
    return "/debug/pprof/%s%s%s" % (name, "&" if "?" in name else "?", query)


def boxes(svg):
    """(name, share of all) of each box."""
    found = []
    for group in xml.fromstring(svg).iter(SVG + "g"):
        name, value = group.find(SVG + "title").text.split("\n")[:2]
        found.append((name, float(re.search(r"([\d.e-]+)% of all$",
                                            value)[1])))
    return found


def folded_rows(text):
    return [(line.rsplit(" ", 1)[0].split(";"), int(line.rsplit(" ", 1)[1]))
            for line in text.splitlines()]


class Pictures(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists(APP[0]):
            raise harness.Broken("%s is missing: run make app" % APP[0])
        cls.dir = harness.new_dir()
        cls.kore = harness.Service([
            APP, "memory.c", (compiled(cls.dir, "concurrency"),
                              "concurrency_load"), harness.PPROF],
            ROUTES + HOLDING, settings=["worker_accept_threshold 1"], env={
                "PPROF_BLOCK_RATE": "1000", "PPROF_MUTEX_FRACTION": "1",
                "PPROF_HEAP_RATE": "16384", "PPROF_STALL_MS": "100"}).start()
        try:
            # The first page is nearly all Kore's own time.
            loads = [load.Ab(cls.kore, path, requests) for path, requests in (
                (FIB, 10000), (CONCAT, 10000), ("/", 40000))]
            time.sleep(0.3)
            for each in [Later(cls.kore.get, url) for url in HELD + LOCKED + OWN]:
                each.result()
            asked = {(name, kind): Later(cls.kore.get, url_of(
                name, "format=" + kind)) for name in NAMES for kind in FORMATS}
            cls.answers = {key: each.result() for key, each in asked.items()}
            for ab in loads:
                result = ab.wait()
                if result["failed"] or result["non2xx"]:
                    raise harness.Broken("ab: %s" % result)
            # From now on nothing is added.
            off = cls.kore.ask("POST", "/debug/pprof/settings?heap_rate=0&"
                               "block_rate=0&mutex_fraction=0",
                               headers={"X-Pprof": "1"})
            if off.status != 200:
                raise harness.Broken(repr(off))
        except BaseException:
            cls.kore.destroy()
            shutil.rmtree(cls.dir)
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            cls.kore.finish()
        finally:
            cls.kore.destroy()
            shutil.rmtree(cls.dir)
        super().tearDownClass()

    def get(self, path):
        answer = self.kore.get(path)
        self.assertEqual(answer.status, 200, answer)
        return answer

    def test_every_profile_has_every_form(self):
        for (name, kind), answer in self.answers.items():
            self.assertEqual((answer.status, answer.headers["content-type"]),
                             (200, FORMATS[kind]), (name, kind))
        for name in NAMES:
            self.pprof.raw(self.answers[name, "pprof"].body)
            self.assertEqual(boxes(self.answers[name, "svg"].body)[0],
                             ("all", 100), name)
            self.assertIn("flat%", self.answers[name, "text"].text)
            self.assertTrue(json.loads(
                self.answers[name, "speedscope"].text)["profiles"])
            self.assertTrue(folded_rows(self.answers[name, "folded"].text))

    def test_they_show_where_the_time_goes(self):
        name = NAMES[0]
        drawn = dict(boxes(self.answers[name, "svg"].body))
        # Above the boxes: which colour is which file.
        svg = xml.fromstring(self.answers[name, "svg"].body)
        legend = {text.text for text in svg.findall(SVG + "text")}
        self.assertLessEqual({"kore", "kore_app.so", "libc.so.6"}, legend)
        for function in ("fib_recursive", "page_concat", "concat_slowly"):
            self.assertIn(function, drawn)
            self.assertTrue(any(function in stack for stack, _ in folded_rows(
                self.answers[name, "folded"].text)), function)
        # Of its own, so that it is among the first lines.
        self.assertIn("fib_recursive", self.answers[name, "text"].text)
        frames = json.loads(self.answers[name, "speedscope"].text)
        self.assertIn("fib_recursive",
                      [f["name"] for f in frames["shared"]["frames"]])
        note("profile: svg %d bytes, %d boxes; folded %d; speedscope %d; "
             "text %d", len(self.answers[name, "svg"].body), len(boxes(
                 self.answers[name, "svg"].body)),
             *(len(self.answers[name, kind].body)
               for kind in ("folded", "speedscope", "text")))

    def same(self, name, *queries):
        """Answers to several queries between which nothing has changed: the
        first asked for comes again, byte for byte."""
        for _ in range(SAME_TRIES):
            answers = [self.get(url_of(name, q)).body for q in queries]
            again = self.get(url_of(name, queries[0])).body
            if self.comparable(again) == self.comparable(answers[0]):
                return answers
        raise AssertionError("%s does not keep still" % name)

    @staticmethod
    def comparable(text):
        return re.sub(rb"(?m)^Time: .*$", b"", text)

    def test_the_table_is_go_tool_pprofs(self):
        rows = 0
        for name, types in (("heap", "alloc_space inuse_space "
                             "alloc_objects inuse_objects"),
                            ("allocs", "alloc_space"),
                            ("block", "contentions delay"),
                            ("mutex", "contentions delay")):
            for kind in types.split():
                index = "sample_index=" + kind
                text, binary = self.same(name, "format=text&" + index, index)
                go = self.pprof.run("-top", "-nodecount=50", "-sample_index",
                                    kind, self.pprof.save(binary))
                self.assertEqual(self.comparable(text).decode(),
                                 re.sub(r"(?m)^Time: .*$", "", go))
                rows += go.count("%") // 3
        note("%d lines are the same", rows)
        self.assertGreater(rows, 100)

    def test_the_parts_add_up_to_the_profile(self):
        for name, kind in (("heap", "alloc_space"), ("block", "delay"),
                           ("heap", "inuse_objects"), ("mutex", "delay")):
            index = "sample_index=" + kind
            folded, scope, svg, binary = self.same(
                name, "format=folded&" + index, "format=speedscope&" + index,
                "format=svg&" + index, index)
            raw = self.pprof.raw(binary)
            place = [t.split("/")[0] for t in raw.types].index(kind)
            total = sum(s.values[place] for s in raw.samples)
            self.assertGreater(total, 0)
            self.assertEqual(sum(v for _, v in folded_rows(folded.decode())),
                             total)
            scope = json.loads(scope)
            shown = scope["profiles"][scope["activeProfileIndex"]]
            self.assertEqual((sum(shown["weights"]), shown["endValue"]),
                             (total, total))
            self.assertEqual(shown["name"], "%s: %s" % (name, kind))
            functions = {f for s in raw.samples for f in s.functions()}
            self.assertLessEqual(
                {n for n, _ in boxes(svg) if not n.endswith("smaller frames")
                 and not n.endswith("smaller frame")} - {"all"}, functions)
            note("%s %s: %d", name, kind, total)

    def test_bad_questions_are_answered_by_a_sentence(self):
        for query, word in (("format=pdf", "pprof, svg, folded, speedscope"),
                            ("format=svg&debug=1", "incompatible"),
                            ("format=svg&sample_index=x", "inuse_space")):
            answer = self.kore.get("/debug/pprof/heap?" + query)
            self.assertEqual((answer.status, answer.text.count("\n")),
                             (400, 1))
            self.assertIn(word, answer.text)


class Browser(Case):
    """Chromium without a window: what it says, and whether it drew."""

    def chromium(self, page, picture):
        home = tempfile.mkdtemp(prefix="kore-pprof-chromium-")
        try:
            done = subprocess.run(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                 "--enable-logging=stderr", "--v=0", "--hide-scrollbars",
                 "--user-data-dir=" + home, "--window-size=1220,500",
                 "--screenshot=" + picture, page], timeout=60,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
        finally:
            shutil.rmtree(home, ignore_errors=True)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        return [line for line in text.splitlines() if "CONSOLE" in line]

    def size(self, picture):
        with open(picture, "rb") as file:
            head = file.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        return struct.unpack(">II", head[16:24]), os.path.getsize(picture)

    def test_a_browser_opens_it_without_a_word(self):
        with harness.Service([APP, harness.PPROF], ROUTES, env={
                "PPROF_HEAP_RATE": "16384"}) as kore, \
                tempfile.TemporaryDirectory() as folder:
            load.Ab(kore, CONCAT, 3000).wait()
            path = "/debug/pprof/allocs?format=svg"
            picture = os.path.join(folder, "shown.png")
            said = self.chromium(kore.url(path), picture)
            self.assertEqual(said, [])
            shown = self.size(picture)
            # As an image in a page of its own.
            page = os.path.join(folder, "page.html")
            with open(os.path.join(folder, "a.svg"), "wb") as file:
                file.write(kore.get(path).body)
            with open(page, "w") as file:
                file.write("<!doctype html><title>t</title>"
                           "<img src=a.svg onerror='console.log(\"broken\")' "
                           "onload='console.log(this.naturalWidth)'>")
            said = self.chromium("file://" + page, picture)
            self.assertEqual(len(said), 1, said)
            self.assertIn('"1200"', said[0])
            embedded = self.size(picture)
            # Nothing drawn would be some 3 kB of white.
            self.assertGreater(shown[1], 10000)
            self.assertGreater(embedded[1], 10000)
            note("screenshots: %s %s", shown, embedded)


if __name__ == "__main__":
    main()
