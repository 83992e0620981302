#!/usr/bin/env python3
# needs: sleeps, 99 s
"""
Clients of the collector's own listener who are slow, silent, many, or send
garbage: they cost a bounded time and nobody else's answer.
"""
import os
import socket
import struct
import time

import harness
from case import Case, Later, main, note
from listeners import Listener, INDEX


def rss_kb(pid):
    with open("/proc/%d/status" % pid) as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


class Slow(Case):
    HALF = b"GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\nX-Slow: "

    def test_a_thousand_half_open_clients_cost_nothing(self):
        with Listener() as listener:
            pid = listener.kore.find_collector()
            listener.get(INDEX)
            profile = Later(listener.get, INDEX + "profile?seconds=6")
            time.sleep(1)
            memory, slow = rss_kb(pid), []
            for i in range(1000):
                sock = listener.socket()
                if i % 3 != 0:
                    sock.send(self.HALF[:1 + i % len(self.HALF)])
                slow.append(sock)
            begun = time.monotonic()
            self.assertEqual(listener.get(INDEX + "cmdline", timeout=5).status,
                             200)
            took = time.monotonic() - begun
            used = harness.cpu_seconds(pid)
            for _ in range(15):
                for sock in slow[-60:]:
                    try:
                        sock.send(b"a")
                    except OSError:
                        pass
                time.sleep(0.2)
            used = harness.cpu_seconds(pid) - used
            grown = rss_kb(pid) - memory
            files = len(os.listdir("/proc/%d/fd" % pid))
            note("behind 1000 half-open clients: %.3f s; %.2f s of CPU in 3 s,"
                 " %d kB more, %d files", took, used, grown, files)
            # What was under way is not sent off by them.
            self.assertEqual(profile.result().status, 200)
            self.assertLess(took, 0.5)
            self.assertLess(used, 0.1)
            # 64 places of some 45 KiB, and what malloc makes of it; a
            # sanitizer's keeps what was freed.
            if not harness.SANITIZER:
                self.assertLess(grown, 4096)
            # Two for each place, and its own: nobody's is left open.
            self.assertLess(files, 2 * 64 + 2 * len(listener.kore.modules) + 80)
            self.assertEqual(listener.kore.get("/light").text, "light\n")
            for sock in slow:
                sock.close()

    def ends_after_ten_seconds(self, name, begun, ended):
        self.assertIn(name, ended, ended)
        took = ended[name] - begun
        note("%s: ended after %.2f s", name, took)
        self.assertGreater(took, 9.5)
        self.assertLess(took, 12)

    def test_an_idle_client_has_ten_seconds(self):
        """Also when nothing else wakes the collector: the second one comes
        so much later that the end of the first is none of its own."""
        with Listener(env={"PPROF_STALL_MS": "0",
                       "PPROF_RECORDER_HZ": "0"}) as listener:
            silent, begun = listener.socket(), time.monotonic()
            time.sleep(3)
            served, since = listener.socket(), time.monotonic()
            served.sendall(b"GET /debug/pprof/cmdline HTTP/1.1\r\n"
                           b"Host: localhost\r\n\r\n")
            self.assertIn(b"200 OK", served.recv(65536))
            ended = {}
            for name, sock in (("silent", silent), ("served", served)):
                sock.settimeout(15)
                self.assertEqual(sock.recv(100), b"")
                ended[name] = time.monotonic()
                sock.close()
            self.ends_after_ten_seconds("silent", begun, ended)
            self.ends_after_ten_seconds("served", since, ended)

    def test_a_request_has_ten_seconds_to_arrive(self):
        """However busily its bytes go; a body as well."""
        body = (b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: 1000\r\n\r\n")
        with Listener() as listener:
            begun = time.monotonic()
            sent = {"headers": (self.HALF, b"a"), "body": (body, b"+"),
                    "nothing": (b"", b"")}
            socks, ended = {name: listener.socket() for name in sent}, {}
            for name, (first, _) in sent.items():
                socks[name].sendall(first)
                socks[name].settimeout(0.1)
            while len(ended) < len(sent) and time.monotonic() - begun < 15:
                for name in set(sent) - set(ended):
                    try:
                        socks[name].send(sent[name][1])
                        over = socks[name].recv(100) == b""
                    except socket.timeout:
                        continue
                    except OSError:
                        over = True
                    if over:
                        ended[name] = time.monotonic()
            for name, sock in socks.items():
                sock.close()
                self.ends_after_ten_seconds(name, begun, ended)

    def test_one_who_does_not_take_its_answer_costs_nothing(self):
        with Listener() as listener:
            pid = listener.kore.find_collector()
            lazy = []
            for _ in range(50):
                sock = socket.socket()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.connect((listener.host, listener.port))
                sock.sendall(b"GET /debug/pprof/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
                             * 20)
                lazy.append(sock)
            # Until all is written that their sockets take.
            def busy(seconds):
                used = harness.cpu_seconds(pid)
                time.sleep(seconds)
                return harness.cpu_seconds(pid) - used

            harness.wait_for("quiet", 15, lambda: busy(0.3) < 0.02)
            used = busy(2)
            self.assertEqual(listener.get(INDEX + "cmdline", timeout=5).status,
                             200)
            note("50 clients that do not read: %.2f s of CPU in 2 s", used)
            self.assertLess(used, 0.05)
            for sock in lazy:
                sock.close()

    def test_many_long_profiles_leave_room_for_short_questions(self):
        ask = (b"GET /debug/pprof/profile?seconds=86400 HTTP/1.1\r\n"
               b"Host: localhost\r\n\r\n")
        with Listener() as listener:
            waiting = []
            for _ in range(48):
                waiting.append(listener.socket())
                waiting[-1].sendall(ask)
            harness.wait_for("48 profiles", 5, lambda: 'class="number">48<'
                             in listener.get(INDEX).text)
            for _ in range(30):
                answer = listener.get(INDEX + "profile?seconds=86400")
                self.assertEqual(answer.status, 503)
                self.assertIn("48 clients wait here", answer.text)
                self.assertEqual(answer.text.count("\n"), 1)
            self.assertEqual(listener.get(INDEX + "goroutine").status, 200)
            self.assertEqual(listener.get(INDEX + "profile?seconds=1").status,
                             200)
            for sock in waiting[:3]:
                sock.close()
            harness.wait_for("three places", 5, lambda: 'class="number">45<'
                             in listener.get(INDEX).text)
            again = listener.socket()
            again.sendall(ask)
            harness.wait_for("one more", 5, lambda: 'class="number">46<'
                             in listener.get(INDEX).text)
            for sock in waiting[3:] + [again]:
                sock.close()

    def test_profiles_of_every_length_leave_room_for_short_questions(self):
        """And who finds no room is told so."""
        ask = (b"GET /debug/pprof/profile?seconds=%d HTTP/1.1\r\n"
               b"Host: localhost\r\n\r\n")
        with Listener() as listener:
            waiting, said = [], {}
            for seconds, count in ((86400, 48), (5, 16), (1, 16)):
                for _ in range(count):
                    sock = listener.socket()
                    sock.sendall(ask % seconds)
                    waiting.append(sock)
                    key = (seconds, self.at_once(sock))
                    said[key] = said.get(key, 0) + 1
            # Eight are for those who wait a while.
            self.assertEqual(said, {(86400, None): 48, (5, None): 8,
                                    (5, 503): 8, (1, 503): 16})
            begun = time.monotonic()
            for _ in range(10):
                for path in ("cmdline", "", "goroutine?debug=1", "doctor",
                             "heap", "settings"):
                    self.assertEqual(
                        listener.get(INDEX + path, timeout=5).status, 200, path)
            note("60 short questions took %.2f s", time.monotonic() - begun)
            for sock in waiting:
                sock.close()

    def at_once(self, sock):
        """The status that is there at once; None: it has to wait."""
        sock.settimeout(0.1)
        try:
            got = sock.recv(65536)
        except TimeoutError:
            return None
        self.assertIn(b"clients wait here", got)
        return int(got[9:12])

    def test_a_crowd_that_comes_at_once_does_not_shut_it(self):
        """Whoever comes last has a place, also in the same moment."""
        with Listener() as listener:
            for _ in range(20):
                crowd = [listener.socket() for _ in range(90)]
                for sock in crowd:
                    sock.sendall(b"GET /debug/pprof/profile?seconds=5 "
                                 b"HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(
                    listener.get(INDEX + "cmdline", timeout=5).status, 200)
                for sock in crowd:
                    sock.close()

    def test_garbage(self):
        with Listener() as listener:
            for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"\0" * 5000,
                         b"GET " + b"/a" * 20000 + b" HTTP/1.1\r\n\r\n",
                         b"GET /debug/pprof/ HTTP/1.1\r\n" + b"A: b\r\n" * 9999,
                         b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: -5\r\n\r\n",
                         b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n"):
                sock = listener.socket()
                try:
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):
                        pass
                except OSError:
                    pass
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
                sock.close()
                self.assertEqual(listener.get(INDEX + "cmdline").status, 200)


if __name__ == "__main__":
    main()
