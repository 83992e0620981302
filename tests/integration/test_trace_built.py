#!/usr/bin/env python3
# needs: a core, 69 s
"""
Traces of a pprof.so that was built otherwise (`make variants`): with rings and
tables so small that they are full, and for a Kore with CURL=1.

Rule: what was lost is counted, and the file opens all the same.
"""
import http.server
import os
import re
import threading
import time
import unittest

import harness
import load
from case import Case, Later, main, note
from perfetto import Perfetto
from test_single import NO_TLS, ROUTES, Single
from traced import begun, parsed, TRACE, Traced

TINY = (os.path.join(harness.BUILD, "tiny", "pprof.so"), "pprof_load")
CURL = os.path.join(harness.BUILD, "curl", "pprof.so")
FLIGHTS = 64  # of `tiny`


class Tiny(Traced):
    pprof_so = TINY

    def test_full_rings_are_counted_and_the_file_opens(self):
        later = self.begun("seconds=3")
        served = load.Ab(self.kore, "/light", 20000, clients=16).wait()
        self.assertEqual(served["failed"], 0)
        trace = self.parse(later.result())
        told = [int(text.split()[0]) for name, text in trace.logs()
                if name == "lost" and "of this thread" in text]
        note("%d events lost, %d of them told where", trace.lost, sum(told))
        self.assertGreater(trace.lost, 100)
        self.assertGreater(sum(told), 0)
        self.assertGreaterEqual(trace.lost, sum(told))
        self.assertIn(("lost", "%d events in all of the trace" % trace.lost),
                      trace.logs())
        self.assertGreater(len(trace.named("GET /light")), 100)

    def test_the_other_form_says_what_was_lost(self):
        later = self.begun("seconds=3&format=perfetto")
        load.Ab(self.kore, "/light", 20000, clients=16).wait()
        answer = later.result()
        lost = int(answer.headers["x-pprof-lost"])
        told = [text for _, name, _, text in Perfetto(answer.body).moments
                if name == "lost"]
        note("%d events lost, %d times told", lost, len(told))
        self.assertGreater(lost, 100)
        self.assertIn("%d events in all of the trace" % lost, told)

    def test_a_request_without_a_place_is_two_and_both_end(self):
        with load.connection_to(self.kore, 1) as asks:
            asleep = [load.connection_to(self.kore, 1)
                      for _ in range(FLIGHTS)]
            for connection in asleep:
                connection.send("/leak")
            time.sleep(0.5)
            later = self.begun("seconds=2")
            for _ in range(5):
                self.assertEqual(asks.get("/nap?ms=20").status, 200)
            trace = self.parse(later.result())
            for connection in asleep:
                connection.close()
        naps = set(trace.named("GET /nap"))
        self.assertEqual(len(naps), 10)
        self.assertEqual({e.g for e in trace.of("GoEnd")} & naps, naps)
        self.assertGreaterEqual(trace.lost, 5)


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers after 50 ms, and not before somebody has seen who waits."""
    seen = threading.Event()

    def do_GET(self):
        time.sleep(0.05)
        self.seen.wait(10)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Curl(Case):
    @unittest.skipIf(harness.KORE_42, "without the profiler, too, a worker of "
                     "Kore 4.2.3 ends at its first request by libcurl 8.23: "
                     "\"curl_easy_getinfo: A libcurl function was given a bad "
                     "argument\"")
    def test_a_request_that_waits_for_libcurl_says_so(self):
        slow = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        try:
            self.ask(slow.server_port)
        finally:
            slow.shutdown()
            slow.server_close()

    def ask(self, port):
        source = os.path.join(harness.HERE, "modules", "fetches.c")
        with Single(source=source, pprof=CURL,
                    routes=["/ page", "/fetch page_fetch", ROUTES[-1]],
                    flavor=NO_TLS + " TASKS=1 PGSQL=1 CURL=1",
                    env={"PPROF_COLLECTOR": harness.COLLECTOR,
                         "PPROF_BLOCK_RATE": "1",
                         "TEST_URL": "http://127.0.0.1:%d/" % port}) as kore:
            later = begun(kore, kore.get, TRACE + "seconds=3")
            first = Later(kore.get, "/fetch")
            harness.wait_for("a request that waits", 8, lambda: "[curl wait" in
                             kore.get("/debug/pprof/goroutine?debug=2").text)
            Slow.seen.set()
            self.assertEqual(first.result().status, 200)
            for _ in range(4):
                self.assertEqual(kore.get("/fetch").status, 200)
            trace = parsed(later.result())
            block = kore.get("/debug/pprof/block?debug=1").text
        waits = [(end - begin) / 1e6
                 for g, did, begin, end, stack in trace.spans()
                 if did == "GoBlockNet" and
                 trace.stack(stack)[0] == "[curl wait]"]
        note("asleep for libcurl: %s ms",
             " ".join("%.1f" % wait for wait in waits))
        self.assertEqual(len(waits), 5)
        self.assertGreaterEqual(min(waits), 50)
        self.assertTrue(re.search("curl", block), block[:500])


if __name__ == "__main__":
    main()
