#!/usr/bin/env python3
# needs: a core, 17 s
"""
The sample application, without the profiler: what it answers, and that it
outlives bad input, clients that hang up, reloads and its own end.
"""
import os
import random
import shutil
import signal
import socket
import struct
import threading
import time
import unittest
import urllib.parse

import harness
from case import main, note

APP = (os.path.join(harness.TOP, "kore_app", "kore_app.so"), "kore_app_load")
ROUTES = ["/ page_index", "/fib/ page_fib", "/concat/ page_concat"]
RECURSIVE = "/fib/?n=50&type=recursive"
MIB = 1024 * 1024
NUMBER = "give a whole number from 0 to 93"

BAD = [
    ("/fib/", "n is missing: " + NUMBER),
    ("/fib/?", "n is missing"),
    ("/fib/?nn=5&type=recursive", "n is missing"),
    ("/fib/?n", "n is missing"),
    ("/fib/?n=", "n= is not allowed: " + NUMBER),
    ("/fib/?n=x", "n=x is not allowed"),
    ("/fib/?n=5x", "n=5x is not allowed"),
    ("/fib/?n=1e1", "n=1e1 is not allowed"),
    ("/fib/?n=-1", "n=-1 is not allowed"),
    ("/fib/?n=94", "n=94 is not allowed"),
    ("/fib/?n=18446744073709551617", "n=18446744073709551617 is not"),
    ("/fib/?n=" + "9" * 500, "n=" + "9" * 32 + "... is not allowed"),
    ("/fib/?n=%ff%c3%28", "n=??( is not allowed"),
    ("/fib/?n=%0a", "n has a broken %xx escape or a control character"),
    ("/fib/?n=5%2", "n has a broken %xx escape"),
    ("/fib/?n=5&type=fast", "type=fast is not allowed: give recursive or"),
    ("/fib/?n=5&type=", "type= is not allowed"),
    ("/fib/?n=5&type=recursive%00", "type has a broken"),
    ("/concat/", "str is missing"),
    ("/concat/?count=3", "str is missing"),
    ("/concat/?str=&count=3", "str is empty"),
    ("/concat/?str=a", "count is missing: give a whole number from 1 to"),
    ("/concat/?str=a&count=x", "count=x is not allowed"),
    ("/concat/?str=a&count=0", "count=0 is not allowed"),
    ("/concat/?str=a&count=1048577", "count=1048577 is not allowed"),
    ("/concat/?str=abc&count=349526", "the result would have 1048578 bytes"),
]


def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def thread_seconds(pid, tid):
    with open("/proc/%s/task/%s/stat" % (pid, tid)) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / harness.TICK


def service(**more):
    return harness.Service([APP], routes=ROUTES, **more)


def ask_and_hang_up(kore, path, wait):
    with socket.create_connection((kore.host, kore.port)) as client:
        # Closed by a reset, as a client that dies.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
        client.sendall(b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % path.encode())
        time.sleep(wait)


class Askers:
    """Threads that ask for one path over and over and count the answers."""

    def __init__(self, kore, path, count=4):
        self.kore, self.path = kore, path
        self.good, self.bad, self.done = 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(30)

    def run(self):
        while not self.done.is_set():
            try:
                answer = self.kore.get(self.path, timeout=20)
            except OSError as error:
                if not self.done.is_set():
                    self.bad.append(repr(error))
                return
            if answer.status == 200:
                self.good += 1
            else:
                self.bad.append(repr(answer))


class Answers(unittest.TestCase):
    def test_numbers_and_strings_are_right(self):
        with service() as kore:
            for n in (0, 1, 2, 50, 93):
                for kind in ("&type=recursive", "&type=iterative", ""):
                    answer = kore.get("/fib/?n=%d%s" % (n, kind))
                    self.assertEqual((answer.status, answer.text),
                                     (200, "%d\n" % fib(n)))
            for text, count in (("ab", 3), ("a b&c=\u00e9", 7), ("xyz", 1)):
                answer = kore.get("/concat/?" + urllib.parse.urlencode(
                    {"str": text, "count": count}))
                self.assertEqual((answer.status, answer.text),
                                 (200, text * count))

    def test_the_largest_result_is_whole(self):
        with service(settings=["seccomp_tracing yes"]) as kore:
            piece = "0123456789abcdef" * 64
            answer = kore.get("/concat/?str=%s&count=1024" % piece)
            self.assertEqual(answer.status, 200)
            self.assertEqual(len(answer.body), MIB)
            self.assertEqual(answer.text, piece * 1024)

    def test_bad_input_gets_400_and_one_sentence_that_names_it(self):
        with service() as kore:
            for path, text in BAD:
                answer = kore.get(path)
                with self.subTest(path=path[:60]):
                    self.assertEqual(answer.status, 400)
                    self.assertIn(text, answer.text)
                    self.assertRegex(answer.text, r"\A[ -~]+\.\n\Z")
                    self.assertEqual(answer.headers["content-type"],
                                     "text/plain; charset=utf-8")

    def test_the_first_page_names_urls_that_work(self):
        with service() as kore:
            urls = [line.split()[0] for line in kore.get("/").text.split("\n")
                    if line.startswith("/")]
            self.assertEqual(len(urls), 3)
            for url in urls:
                self.assertEqual(kore.get(url).status, 200, url)


class Life(unittest.TestCase):
    def test_tasks_break_no_sandbox_rule(self):
        with service(settings=["seccomp_tracing yes"]) as kore:
            with Askers(kore, RECURSIVE) as askers:
                time.sleep(1)
            self.assertEqual(askers.bad, [])
            self.assertGreater(askers.good, 100)

    def test_recursion_burns_the_task_threads_not_the_event_loop(self):
        with service(workers=1) as kore:
            with Askers(kore, "/fib/?n=93&type=recursive") as askers:
                time.sleep(3)
            self.assertEqual(askers.bad, [])
            pid = kore.worker_pids()[1]
            spent = {int(tid): thread_seconds(pid, tid)
                     for tid in os.listdir("/proc/%d/task" % pid)}
            loop, tasks = spent.pop(pid), list(spent.values())
            note("%d answers; event loop %.2f s, task threads %s s",
                 askers.good, loop, tasks)
            self.assertEqual(len(tasks), 2)  # Kore's default of task_threads
            self.assertGreater(sum(tasks), askers.good * 100e-6)
            self.assertLess(loop, sum(tasks))

    def test_clients_that_hang_up_while_their_task_runs(self):
        with service() as kore:
            chance = random.Random(1)
            with Askers(kore, RECURSIVE) as askers:
                for _ in range(2000):
                    ask_and_hang_up(kore, "/fib/?n=93&type=recursive",
                                    chance.random() * 0.0005)
            self.assertEqual(askers.bad, [])
            self.assertEqual(kore.get(RECURSIVE).status, 200)
            harness.wait_for("descriptors to be closed", 10, lambda: all(
                len(os.listdir("/proc/%d/fd" % pid)) < 40
                for pid in kore.worker_pids().values()))

    def test_reloads_while_tasks_run(self):
        # Without a chroot: Kore looks for the module inside of it.
        with service(production=False) as kore:
            with Askers(kore, "/fib/?n=93&type=recursive", 8) as askers:
                for round in range(1, 11):
                    kore.process.send_signal(signal.SIGHUP)
                    # The parent and two workers, each says so; and forgets
                    # a signal that comes before it is back in its loop.
                    harness.wait_for("reload %d" % round, 20, lambda: len(
                        kore.log("reloaded '%s'" % APP[0])) >= 3 * round)
                    time.sleep(0.2)
            self.assertEqual(askers.bad, [])
            note("%d answers during 10 reloads", askers.good)

    def test_the_end_while_tasks_run(self):
        # Kore does not say how the workers that it ends have ended.
        self.waited = os.path.join(harness.new_dir(), "waited.so")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.waited))
        harness.compile_module("waited.c", self.waited)
        ends = [end for _ in range(10) for end in self.end_under_load()]
        self.assertEqual(ends, [0] * 20)

    def end_under_load(self):
        kore = service(preload=self.waited).start()
        try:
            with Askers(kore, "/fib/?n=93&type=recursive", 8) as askers:
                time.sleep(0.3)
                askers.done.set()  # errors from here on are the end's
                kore.finish()
            workers = kore.worker_pids().values()
            ends = [line.split()[1:] for line in kore.log("waited:")]
            return [int(status) for pid, status in ends if int(pid) in workers]
        finally:
            kore.destroy()


if __name__ == "__main__":
    main()
