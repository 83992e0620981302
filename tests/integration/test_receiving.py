#!/usr/bin/env python3
# needs: alone, 8 s
"""
Requests whose body still comes in: seen while they do, with what has come of
each, and gone when they end, whichever way that is.
"""
import json
import os
import re
import signal
import socket
import tempfile
import time

import harness
from case import Case, main, note

MANY = 40
WHOLE = 300000
STATE = "receiving"


class Upload:
    """A POST that is sent by pieces."""

    def __init__(self, kore, path, whole, first=b"", headers=""):
        self.sent, self.whole = 0, whole
        self.sock = socket.create_connection((kore.host, kore.port), 30)
        self.sock.sendall(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %d\r\n\r\n"
            % (path.encode(), headers.encode(), whole) + first)
        self.sent = len(first)

    def send(self, count):
        self.sock.sendall(b"x" * count)
        self.sent += count

    def finish(self):
        """The rest, and the answer's status."""
        self.send(self.whole - self.sent)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.sock.recv(65536)
            if not piece:
                break
            answer += piece
        return int(answer.split()[1])

    def close(self):
        self.sock.close()


class Receiving(Case):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile()

    def tearDown(self):
        self.file.close()

    def service(self, **more):
        more.setdefault("env", {})["SLOW_RUNS"] = self.file.name
        return harness.Service(
            ["slow.c", harness.PPROF], routes=["/slow page_slow",
                                               "/who page_who"],
            settings=["worker_accept_threshold 1"], **more)

    def row(self, kore, method="POST"):
        rows = json.loads(kore.get("/debug/pprof/routes").text)["routes"]
        for row in rows:
            if (row["route"], row["method"]) == ("/slow", method):
                return row
        return {"in_flight": 0, "requests": 0, "abandoned": 0, "ns": 0}

    def came(self, kore):
        """Bytes in of each that is received, as the dump says it."""
        dump = kore.get("/debug/pprof/goroutine?debug=2").text
        count = len(re.findall(r"^goroutine \d+ \[%s" % STATE, dump, re.M))
        bytes_in = [int(n) for n in re.findall(
            r"request POST /slow, .* (\d+) bytes in", dump)]
        self.assertEqual(len(bytes_in), count, dump)
        return sorted(bytes_in)

    def check(self, kore):
        begun = time.monotonic()
        # With the header, after it, in many pieces; none at all.
        uploads = [Upload(kore, "/slow?0", WHOLE, b"x" * (37 * i))
                   for i in range(MANY)]
        for i, upload in enumerate(uploads[MANY // 2:]):
            upload.send(1 + 5003 * i)
        wanted = sorted(upload.sent for upload in uploads)
        harness.wait_for("all that was sent", 10,
                         lambda: self.came(kore) == wanted)
        self.assertEqual(self.row(kore)["in_flight"], MANY)
        raw = self.pprof.raw(kore.get("/debug/pprof/goroutine").body)
        seen = [s for s in raw.samples if s.labels.get("state") == STATE]
        self.assertEqual(sum(s.count for s in seen), MANY)
        self.assertEqual({s.route for s in seen}, {"/slow"})
        for upload in uploads[::2]:
            self.assertEqual(upload.finish(), 200)
        lasted = time.monotonic() - begun
        for upload in uploads[1::2]:
            upload.close()
        harness.wait_for("the end", 10,
                         lambda: self.row(kore)["in_flight"] == 0)
        row = self.row(kore)
        self.assertEqual((row["requests"], row["abandoned"]),
                         (MANY // 2, MANY - MANY // 2))
        # From the first call of the handler, as any.
        note("%d uploads in %.1f s, in their handlers %.4f s", MANY, lasted,
             row["ns"] / 1e9)
        self.assertLess(row["ns"] / 1e9, lasted / 2)
        self.assertEqual(self.came(kore), [])
        for upload in uploads[::2]:
            upload.close()

    def test_slow_uploads(self):
        for production in (False, True):
            with self.subTest(production=production), \
                    self.service(production=production,
                                 env={"PPROF_BLOCK_RATE": "1"}) as kore:
                self.check(kore)
                raw = self.pprof.raw(kore.get("/debug/pprof/block").body)
                self.assertNotIn(STATE, {s.labels.get("wait")
                                         for s in raw.samples})

    def test_one_after_the_other_on_a_connection(self):
        """And a request of another kind between them."""
        with self.service(workers=1) as kore, kore.connect() as kept:
            for count in (1, 8192, 8193, WHOLE):
                answer = kept.ask("POST", "/slow?0", body=b"x" * count)
                self.assertEqual(answer.status, 200)
                self.assertEqual(kept.get("/who").status, 200)
            row = self.row(kore)
            self.assertEqual((row["requests"], row["in_flight"]), (4, 0))

    def test_those_that_a_death_ends(self):
        with self.service(workers=1, restarts=1) as kore:
            uploads = [Upload(kore, "/slow?0", 1000, b"x")
                       for _ in range(MANY)]
            harness.wait_for("all", 10, lambda: self.came(kore) == [1] * MANY)
            os.kill(kore.worker_pids()[1], signal.SIGKILL)
            harness.wait_for("a new worker", 20,
                             lambda: kore.log("restarting worker"))
            text = harness.wait_for(
                "its last words", 20, lambda: re.search(
                    r"\d+ in progress: .*",
                    kore.get("/debug/pprof/stalls?debug=1").text))[0]
            note("%s", text[:100])
            self.assertIn("%d in progress" % MANY, text)
            self.assertIn("receiving /slow for", text)
            for upload in uploads:
                upload.close()
            self.assertEqual(self.row(kore)["in_flight"], 0)

    def test_one_for_the_profiler(self):
        """In pieces, and what it asks is done when the last has come."""
        body = b"block_rate=4711"
        with self.service() as kore:
            upload = Upload(kore, "/debug/pprof/settings", len(body), body[:5],
                            "X-Pprof: 1\r\n")
            harness.wait_for("the first", 10, lambda: re.search(
                r"request POST /debug/pprof/settings, .* 5 bytes in",
                kore.get("/debug/pprof/goroutine?debug=2").text))
            upload.sock.sendall(body[5:])
            self.assertIn(b" 200 ", upload.sock.recv(65536).split(b"\r\n")[0])
            self.assertIn("4711", kore.get("/debug/pprof/settings").text)
            upload.close()


if __name__ == "__main__":
    main()
