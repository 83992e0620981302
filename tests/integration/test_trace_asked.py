#!/usr/bin/env python3
# needs: a core, 220 s
"""
How a trace is asked for: values good and bad, more than there may be at once,
clients that go, by a worker and by the listener; and the heap's line, which has to
be switched for it.
"""
import socket
import time

import harness
import load
import web
from case import Later, main, note
from perfetto import Perfetto
from traced import begun, parsed, running, TRACE, Traced

MOST = 8  # PP_TRACES_MAX
TAKEN = 20 << 20  # by /take


class Asked(Traced):
    def test_seconds_as_go_reads_them(self):
        for query, seconds in (("", 1), ("seconds=0.2", 0.2),
                               ("seconds=3e-1", 0.3), ("seconds=abc", 1),
                               ("seconds=-1", 1), ("seconds=0", 1),
                               ("seconds=NaN", 0)):
            with self.subTest(query=query):
                since = time.monotonic()
                answer = self.answer(query)
                took = time.monotonic() - since
                self.parse(answer, opened=query == "seconds=NaN")
                self.assertGreaterEqual(took, seconds)
                self.assertLess(took, seconds + 1)

    def test_bad_values_are_named(self):
        for query, said in (
                ("seconds=3601", 'invalid value "3601" for "seconds" - must '
                 "be at most 3600"),
                ("seconds=inf", 'invalid value "inf" for "seconds"'),
                ("max=1", 'invalid value "1" for "max" - must be a whole '
                 "number of bytes from 65536 to 1073741824"),
                ("max=1M", 'invalid value "1M" for "max"'),
                ("format=svg", 'invalid value "svg" for "format" of a trace '
                 "- must be one of go, perfetto")):
            answer = self.kore.get(TRACE + query)
            self.assertEqual(answer.status, 400, query)
            self.assertIn(said, answer.text)

    def test_more_than_there_may_be_at_once(self):
        traces = [Later(self.answer, "seconds=4") for _ in range(MOST)]
        harness.wait_for("all of them", 3,
                         lambda: running(self.kore) == MOST)
        answer = self.kore.get(TRACE + "seconds=1")
        self.assertEqual(answer.status, 503)
        self.assertIn("Could not enable tracing: 8 traces are in progress, "
                      "which is the most at once", answer.text)
        for each in traces:
            self.parse(each.result(), opened=each is traces[-1])
        self.parse(self.answer("seconds=0.2"), opened=False)

    def test_the_other_form_is_not_larger_than_asked_either(self):
        """And says in the file that it ended early."""
        ab = load.Ab(self.kore, "/light", 2000000, clients=16)
        try:
            time.sleep(0.3)
            answer = self.answer("seconds=30&format=perfetto&max=100000")
        finally:
            ab.process.kill()
            ab.process.communicate()
        self.assertIn("x-pprof-ended-early", answer.headers)
        note("%d bytes", len(answer.body))
        self.assertLessEqual(len(answer.body), 100000)
        self.assertGreater(len(answer.body), 50000)
        trace = Perfetto(answer.body)
        self.assertTrue([text for _, _, _, text in trace.moments
                         if text and text.startswith("ended early")])


class Gone(Traced):
    """A client that goes ends its trace; then nobody records any more."""
    service = {}

    @classmethod
    def setUpClass(cls):
        cls.listener = harness.free_port()
        cls.service = {"env": {"PPROF_LISTEN": "127.0.0.1:%d" % cls.listener}}
        super().setUpClass()

    def records(self):
        """Whether workers do, by what the application is told."""
        return {self.kore.get("/mine").text for _ in range(10)}

    def goes(self, port):
        self.assertEqual(running(self.kore), 0)
        self.assertEqual(self.records(), {"no\n"})
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET " + TRACE.encode() + b"seconds=60 HTTP/1.1\r\n"
                       b"Host: localhost\r\n\r\n")
        harness.wait_for("the trace", 10, lambda: running(self.kore) == 1)
        harness.wait_for("recording", 10,
                         lambda: self.records() == {"traced\n"})
        client.close()
        harness.wait_for("its end", 10, lambda: running(self.kore) == 0)
        harness.wait_for("nothing more", 10,
                         lambda: self.records() == {"no\n"})

    def test_by_a_worker(self):
        self.goes(self.kore.port)

    def test_by_the_door(self):
        self.goes(self.listener)

    def test_under_load(self):
        ab = load.Ab(self.kore, "/light", 2000000, clients=4)
        try:
            self.goes(self.kore.port)
            self.goes(self.listener)
        finally:
            ab.process.kill()
            ab.process.communicate()

    def test_a_trace_by_the_door(self):
        later = begun(self.kore, web.get, "127.0.0.1", self.listener,
                      TRACE + "seconds=1")
        self.kore.get("/light")
        self.assertEqual(len(parsed(later.result()).named("GET /light")), 1)


class HeapLine(Traced):
    """By samples so many that there is no chance in them."""
    service = {"env": {"PPROF_HEAP_RATE": "4096"}}

    def line(self, trace):
        return [e.bytes for e in trace.of("HeapAlloc")]

    def test_it_rises_by_what_is_taken(self):
        later = self.begun("seconds=2")
        self.assertEqual(self.kore.get("/take").status, 200)
        line = self.line(self.parse(later.result()))
        note("heap line: %d to %d bytes", line[0], line[-1])
        self.assertGreater(line[-1] - line[0], TAKEN * 0.97)
        self.assertLess(line[-1] - line[0], TAKEN * 1.05)

    def test_an_idle_server_has_one(self):
        trace = self.parse(self.answer("seconds=0.5"))
        line = trace.of("HeapAlloc")
        self.assertGreaterEqual(len(line), 2)
        self.assertGreater((line[-1].ts - line[0].ts) / 1e9, 0.45)


class HeapLineWithoutSamples(HeapLine):
    """What the workers have in memory: it was written to."""
    service = {"env": {"PPROF_HEAP_RATE": "0"}}

    def test_it_rises_by_what_is_taken(self):
        line = self.line(self.parse(self.answer("seconds=1")))
        resident = 0
        for pid in self.kore.worker_pids().values():
            with open("/proc/%d/statm" % pid) as file:
                resident += int(file.read().split()[1]) * 4096
        note("heap line: %d bytes, resident by the kernel: %d", line[-1],
             resident)
        self.assertNear(line[-1], resident, 0.1, "resident")


if __name__ == "__main__":
    main()
