#!/usr/bin/env python3
# needs: sleeps, 36 s
"""
The HTTP surface: Go's statuses and headers, replayed. One row of TABLE is one
request and all that is known of its answer; what needs more than a row has a
test of its own below.

Not here: who may ask (test_access.py), where the routes are
(test_routes.py), what a profile says (test_profile.py).
"""
import time

import load
import workload
import wire
from case import Case, Later, main, note

BASE = "/debug/pprof"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
BINARY = "application/octet-stream"
UNKNOWN = "Unknown profile\n"

# path, status, content-type, content-disposition, body (None: any)
TABLE = [
    ("/", 200, HTML, None, None),
    ("/?any=thing", 200, HTML, None, None),
    ("/cmdline", 200, TEXT, None, None),
    ("/cmdline?debug=1", 200, TEXT, None, None),
    ("/symbol", 200, TEXT, None, "num_symbols: 1\n"),
    ("/symbol?0x1", 200, TEXT, None, "num_symbols: 1\n"),
    ("/symbol?0", 200, TEXT, None, "num_symbols: 1\n"),
    ("/symbol?banana+-1++0x", 200, TEXT, None, "num_symbols: 1\n"),
    ("/profile?seconds=1", 200, BINARY, 'attachment; filename="profile"',
     None),
    ("/profile?seconds=1&debug=1", 200, BINARY,
     'attachment; filename="profile"', None),
    ("/profile?seconds=1&seconds=60", 200, BINARY,
     'attachment; filename="profile"', None),
    ("/nonesuch", 404, TEXT, None, UNKNOWN),
    ("/nonesuch?seconds=1", 404, TEXT, None, UNKNOWN),
    ("/cmdline/", 404, TEXT, None, UNKNOWN),
    ("/profile/", 404, TEXT, None, UNKNOWN),
    ("/Profile", 404, TEXT, None, UNKNOWN),
    ("/%00", 404, TEXT, None, UNKNOWN),
    ("/profile?seconds=1&hz=0", 400, TEXT, None, None),
    ("/profile?seconds=1&hz=10001", 400, TEXT, None, None),
    ("/profile?seconds=1&hz=-5", 400, TEXT, None, None),
    ("/profile?seconds=1&hz=banana", 400, TEXT, None, None),
    ("/profile?seconds=1&hz=99999999999999999999", 400, TEXT, None, None),
    ("/profile?seconds=99999999999", 400, TEXT, None, None),
]
# method, path, Allow
REFUSED = [(method, path, "GET, HEAD")
           for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH")
           for path in ("/", "/cmdline", "/profile?seconds=1")]
REFUSED += [(method, "/symbol", "GET, HEAD, POST")
            for method in ("PUT", "DELETE", "PATCH")]
# Go takes these for "not given", which is 30 seconds.
DEFAULTED = ("", "seconds=", "seconds=abc", "seconds=0", "seconds=-1",
             "seconds=1.5", "seconds=0x1")


class Http(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kore = workload.service()
        cls.kore.start()
        cls.began = time.monotonic()
        cls.defaulted = [Later(cls.timed, cls.kore, query)
                         for query in DEFAULTED]

    @classmethod
    def tearDownClass(cls):
        try:
            cls.kore.finish()
        finally:
            cls.kore.destroy()
            super().tearDownClass()

    @staticmethod
    def timed(kore, query):
        start = time.monotonic()
        answer = kore.get(BASE + "/profile?" + query, timeout=60)
        return answer, time.monotonic() - start

    def check_row(self, answer, row, head=False):
        path, status, kind, disposition, body = row
        self.assertEqual(answer.status, status, answer)
        headers = answer.headers
        self.assertEqual(headers.get("content-type"), kind, answer)
        self.assertEqual(headers.get("x-content-type-options"), "nosniff")
        self.assertEqual(headers.get("content-disposition"), disposition)
        self.assertEqual(headers.get("x-go-pprof"),
                         "1" if status >= 400 else None)
        self.assertNotIn("content-encoding", headers)
        self.assertEqual(answer.repeated, [])
        if head:
            self.assertEqual(answer.body, b"")
            return
        self.assertEqual(headers.get("content-length"),
                         str(len(answer.body)))
        if body is not None:
            self.assertEqual(answer.text, body)
        if status >= 400:
            self.assertTrue(answer.text.endswith("\n"))
            self.assertEqual(answer.text.count("\n"), 1, answer.text)

    def test_the_table_by_get(self):
        for row in TABLE:
            with self.subTest(path=row[0]):
                self.check_row(self.kore.get(BASE + row[0]), row)

    def test_the_table_by_head(self):
        for row in TABLE:
            with self.subTest(path=row[0]):
                start = time.monotonic()
                answer = self.kore.ask("HEAD", BASE + row[0])
                self.check_row(answer, row, head=True)
                if row[2] == BINARY:
                    self.assertGreaterEqual(time.monotonic() - start, 1,
                                            "HEAD must take its time, too")

    def test_other_methods_are_refused(self):
        for method, path, allow in REFUSED:
            with self.subTest(method=method, path=path):
                answer = self.kore.ask(
                    method, BASE + path,
                    body=b"x" if method in ("POST", "PUT", "PATCH") else None)
                self.assertEqual(answer.status, 405, answer)
                self.assertEqual(answer.headers.get("allow"), allow)
                self.assertEqual(answer.headers.get("content-type"), TEXT)
                self.assertEqual(answer.headers.get(
                    "x-content-type-options"), "nosniff")
                self.assertNotIn("x-go-pprof", answer.headers)
                self.assertEqual(answer.text, "Method Not Allowed\n")

    def test_without_its_slash_the_index_redirects(self):
        for query in ("", "?a=b"):
            answer = self.kore.get(BASE + query)
            self.assertIn(answer.status, (301, 307), answer)
            self.assertEqual(answer.headers["location"],
                             BASE + "/" + query)

    def test_errors_name_the_bad_value_and_what_is_allowed(self):
        for query, words in (("hz=0", ('"0"', "hz", "10000")),
                             ("hz=banana", ('"banana"', "hz", "10000")),
                             ("seconds=9999999", ('"9999999"', "seconds",
                                                  "86400"))):
            answer = self.kore.get(BASE + "/profile?seconds=1&" + query
                                   if "hz" in query
                                   else BASE + "/profile?" + query)
            self.assertEqual(answer.status, 400)
            for word in words:
                self.assertIn(word, answer.text)

    def test_an_error_reaches_the_user_of_pprof(self):
        with self.assertRaises(AssertionError) as caught:
            self.pprof.run("-raw", self.kore.url(
                BASE + "/profile?seconds=1&hz=70000"))
        self.assertIn("70000", str(caught.exception))

    def test_cmdline(self):
        answer = self.kore.get(BASE + "/cmdline")
        self.assertEqual(answer.body.split(b"\0"), [
            b"kore", b"-f", b"-c", self.kore.dir.encode() + b"/kore.conf"])

    def test_the_index_page(self):
        page = self.kore.get(BASE + "/").text
        for name in ("cmdline", "profile", "symbol"):
            self.assertRegex(page, r'href="[^"]*%s' % name)
        for pid in self.kore.worker_pids().values():
            self.assertIn(str(pid), page)
        self.assertNotIn("{{", page)
        self.assertTrue(page.rstrip().endswith("</html>"))
        for link in set(__import__("re").findall(
                r'(?:href|src)="(%s/assets/[^"]+|assets/[^"]+)"' % BASE,
                page)):
            path = link if link.startswith("/") else BASE + "/" + link
            answer = self.kore.get(path)
            self.assertEqual(answer.status, 200, path)
            self.assertEqual(answer.headers["x-content-type-options"],
                             "nosniff")

    def test_symbol_names_what_a_profile_shows(self):
        with load.Driver(self.kore, ["/burn/a"]):
            raw = self.pprof.raw(self.kore.profile(1, 1000).body)
        known = {}
        for location in raw.locations.values():
            if location.frames:
                known[location.address] = {f.function
                                           for f in location.frames}
        address = next(a for a, names in known.items()
                       if "workload_alpha" in names)
        for text in ("0x%x" % address, "0X%X" % address, "%d" % address,
                     "0%o" % address, "nonsense+0x%x+" % address):
            for answer in (self.kore.get(BASE + "/symbol?" + text),
                           self.kore.ask("POST", BASE + "/symbol",
                                         body=text.encode())):
                self.assertEqual(answer.status, 200)
                lines = answer.text.splitlines()
                self.assertEqual(lines[0], "num_symbols: 1")
                self.assertEqual(len(lines), 2, answer.text)
                found, name = lines[1].split(" ", 1)
                self.assertEqual(int(found, 16), address)
                self.assertIn(name, known[address])
        body = "+".join("0x%x" % a for a in known).encode()
        lines = self.kore.ask("POST", BASE + "/symbol",
                              body=body).text.splitlines()[1:]
        agreed = 0
        for line in lines:
            found, name = line.split(" ", 1)
            self.assertIn(name, known[int(found, 16)])
            agreed += 1
        note("symbol agrees with the profile on %d of %d addresses", agreed,
             len(known))
        self.assertGreater(agreed, len(known) * 0.8)

    def test_a_large_symbol_request(self):
        body = b"+".join(b"0x%x" % (0x400000 + i) for i in range(50000))
        answer = self.kore.ask("POST", BASE + "/symbol", body=body)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.text.startswith("num_symbols: 1\n"))

    def test_a_long_query_and_a_long_path(self):
        for path in ("/profile?seconds=1&x=" + "y" * 1500,
                     "/" + "n" * 1500, "/symbol?" + "1+" * 800):
            answer = self.kore.get(BASE + path)
            self.assertIn(answer.status, (200, 400, 404, 414), answer)
            self.assertEqual(self.kore.get(BASE + "/").status, 200)

    def test_one_connection_serves_many(self):
        with self.kore.connect() as connection:
            for path in ("/", "/cmdline", "/profile?seconds=1", "/nonesuch",
                         "/symbol", "/"):
                connection.get(BASE + path)
            self.assertEqual(connection.get("/light").text, "light\n")

    def test_zz_bad_seconds_are_thirty(self):
        for query, later in zip(DEFAULTED, self.defaulted):
            answer, took = later.result()
            note("profile?%-12s %d after %.2f s", query, answer.status, took)
            self.assertEqual(answer.status, 200, answer)
            self.assertTrue(29.5 <= took < 34, took)
            length = wire.read(answer.body).one("duration_nanos") / 1e9
            self.assertTrue(29.5 <= length < 31, length)


if __name__ == "__main__":
    main()
