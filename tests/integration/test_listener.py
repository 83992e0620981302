#!/usr/bin/env python3
# needs: a core, 85 s
"""
The collector's own listener, PPROF_LISTEN: what it serves, to whom, and that it
does when no worker can serve anything.

Runs in a network namespace of its own where there can be one, so that remote
peers exist; see test_access.py.
"""
import ctypes
import errno
import os
import signal
import socket
import stat
import subprocess
import time
import unittest

import harness
import load
import web
import workload
from case import Case, main, note
from listeners import Listener, INDEX

CLONE_NEWNET = 0x40000000
# In the index page: one CPU profile is in progress.
RUNNING = '<td class="number">1</td><td><a href="profile?'
NEAR, FAR = "192.0.2.7", "198.51.100.9"


def own_network():
    """A network of this process's own; what is missing, or ''."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return os.strerror(ctypes.get_errno())
    try:
        for command in (["link", "set", "lo", "up"],
                        ["addr", "add", NEAR + "/32", "dev", "lo"],
                        ["addr", "add", FAR + "/32", "dev", "lo"]):
            subprocess.run(["ip", *command], check=True,
                           stderr=subprocess.PIPE)
        # Otherwise the kernel of a client that has gone answers for a minute.
        with open("/proc/sys/net/ipv4/tcp_fin_timeout", "w") as file:
            file.write("5")
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return ""


def listening(pid):
    """Listening sockets that the process has open."""
    inodes = set()
    for file in ("tcp", "tcp6", "unix"):
        with open("/proc/%d/net/%s" % (pid, file)) as table:
            for line in list(table)[1:]:
                fields = line.split()
                if file == "unix" and fields[3] == "00010000":
                    inodes.add(fields[6])
                elif file != "unix" and fields[3] == "0A":
                    inodes.add(fields[9])
    folder, found = "/proc/%d/fd" % pid, []
    for fd in os.listdir(folder):
        link = os.readlink(os.path.join(folder, fd))
        if link.startswith("socket:[") and link[8:-1] in inodes:
            found.append(link)
    return found


def connect_as(uid, path):
    """The errno of a child of that user that connects; 0: it could."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os._exit(socket.socket(socket.AF_UNIX).connect_ex(path))
        finally:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Serves(Case):
    def test_it_stays_shut_by_default(self):
        with workload.service() as kore:
            self.assertEqual(listening(kore.find_collector()), [])

    def test_the_same_answers_as_at_the_routes(self):
        with Listener() as listener:
            for path in ("cmdline", "symbol", "settings", "nope",
                         "heap?seconds=x", "profile?hz=0",
                         "assets/pprof.css", "", "allocs?debug=1"):
                here, there = listener.get(INDEX + path), listener.kore.get(
                    INDEX + path)
                self.assertEqual(here.status, there.status, path)
                for name in ("content-type", "x-go-pprof", "etag",
                             "content-security-policy",
                             "x-content-type-options"):
                    self.assertEqual(here.headers.get(name),
                                     there.headers.get(name), path + name)
                if path not in ("", "allocs?debug=1"):
                    self.assertEqual(here.body, there.body, path)
            self.assertIn("workers running", listener.get(INDEX).text)
            answer = listener.get("/")
            self.assertEqual((answer.status, answer.headers["location"]),
                             (302, INDEX))
            answer = listener.get(INDEX[:-1])
            self.assertEqual((answer.status, answer.headers["location"]),
                             (301, INDEX))
            for path in ("/light", "/debug/pprofx", "//debug/pprof/"):
                self.assertEqual(listener.get(path).status, 404)

    def test_methods_bodies_and_marks(self):
        with Listener() as listener:
            css = INDEX + "assets/pprof.css"
            answer = listener.ask("HEAD", css)
            whole = listener.get(css)
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.body, b"")
            self.assertEqual(int(answer.headers["content-length"]),
                             len(whole.body))
            tag = whole.headers["etag"]
            answer = listener.get(css, headers={"If-None-Match": tag})
            self.assertEqual((answer.status, answer.body), (304, b""))
            for method in ("PUT", "DELETE", "POST"):
                self.assertEqual(
                    listener.ask(method, INDEX + "cmdline").status, 405)
            most = 4 << 20
            answer = listener.ask("POST", INDEX + "symbol", body=b"+" * most)
            self.assertEqual(answer.status, 200)
            answer = listener.ask("POST", INDEX + "symbol",
                              body=b"+" * (most + 1))
            self.assertEqual(answer.status, 413)
            self.assertIn(str(most), answer.text)
            self.check_larger(listener, most)
            rate = {"body": "block_rate=12345"}
            self.assertEqual(
                listener.ask("POST", INDEX + "settings", **rate).status, 403)
            answer = listener.ask("POST", INDEX + "settings",
                              headers={"X-Pprof": "1"}, **rate)
            self.assertEqual(answer.status, 200, answer)
            self.assertIn("12345", listener.get(INDEX + "settings").text)

    def check_larger(self, listener, most):
        """Told before it has come, or cut off; never read to its end."""
        head = b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\n"
        with listener.socket() as raw:
            raw.sendall(head + b"Content-Length: %d\r\n\r\n" % (1 << 40))
            self.assertIn(b" 413 ", raw.recv(65536))
        with listener.socket() as raw:
            raw.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            sent, piece = 0, b"10000\r\n" + b"+" * 65536 + b"\r\n"
            try:
                while sent < 64 << 20:
                    raw.sendall(piece)
                    sent += 65536
            except OSError:
                pass
            note("cut off after %.1f MiB", sent / 2**20)
            self.assertGreater(sent, most)
            # What lies in the sockets' buffers has been sent as well.
            self.assertLess(sent, 24 << 20)

    def test_one_connection_and_many_requests(self):
        with Listener() as listener:
            with web.Connection(listener.host, listener.port) as kept:
                for i in range(200):
                    self.assertEqual(kept.get(INDEX + "cmdline").status, 200)
                self.assertEqual(
                    kept.get(INDEX + "profile?seconds=1").status, 200)
                self.assertEqual(kept.get(INDEX + "cmdline").status, 200)
            raw = listener.socket()
            raw.sendall(b"GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\n\r\n"
                        * 5)
            got = b""
            while got.count(b"kore.conf") < 5:
                data = raw.recv(65536)
                self.assertTrue(data, got)
                got += data
            raw.close()

    def test_go_tool_pprof_at_the_door(self):
        with Listener() as listener:
            with load.Driver(listener.kore, ["/burn/a"]):
                text = self.pprof.run(
                    "-top", "http://%s:%d%sprofile?seconds=1"
                    % (listener.host, listener.port, INDEX))
            self.assertIn("workload_alpha", text)

    def test_a_client_that_hangs_up_ends_its_profile(self):
        with Listener() as listener:
            raw = listener.socket()
            raw.sendall(b"GET /debug/pprof/profile?seconds=600 HTTP/1.1\r\n"
                        b"Host: localhost\r\n\r\n")
            harness.wait_for("the profile", 5, lambda: RUNNING in listener.get(
                INDEX).text)
            raw.close()
            harness.wait_for("its end", 5, lambda: RUNNING not in listener.get(
                INDEX).text)

    def test_a_client_that_only_stops_sending(self):
        """It has asked, and reads: also what it has to wait for."""
        hosts = {"1.0": b"", "1.1": b"Host: localhost\r\n"
                 b"Connection: close\r\n"}
        for unix in (True, False):
            with Listener(unix=unix) as listener:
                for version, host in hosts.items():
                    for path, times in (("cmdline", 5), ("goroutine", 30),
                                        ("heap?gc=1", 5), ("doctor", 5),
                                        ("profile?seconds=2", 2),
                                        ("heap?seconds=2", 1)):
                        ask = b"GET %s HTTP/%s\r\n%s\r\n" % (
                            (INDEX + path).encode(), version.encode(), host)
                        for _ in range(times):
                            got = self.half_closed(listener, ask)
                            last = got.rindex(b"HTTP/1.1 ")
                            self.assertEqual(got[last:last + 15],
                                             b"HTTP/1.1 200 OK", got)
                            # What tells those who have gone comes before.
                            self.assertIn(got[:last], (
                                b"", b"HTTP/1.1 100 Continue\r\n\r\n"))
                            if version == "1.0":
                                self.assertEqual(last, 0)

    def half_closed(self, listener, ask):
        with socket.socket(socket.AF_UNIX if listener.path else
                           socket.AF_INET) as raw:
            raw.settimeout(20)
            raw.connect(listener.path or (listener.host, listener.port))
            raw.sendall(ask)
            raw.shutdown(socket.SHUT_WR)
            got = b""
            while data := raw.recv(65536):
                got += data
            return got

    def test_a_client_that_stops_sending_and_then_goes(self):
        """Its profile ends: at once where it can be told at once."""
        ask = b"GET %sprofile?seconds=600 HTTP/%s\r\nHost: localhost\r\n\r\n"
        for unix, version, most in ((True, b"1.0", 5), (True, b"1.1", 5),
                                    (False, b"1.1", 5), (False, b"1.0", 40)):
            with Listener(unix=unix) as listener:
                raw = socket.socket(socket.AF_UNIX if unix
                                    else socket.AF_INET)
                raw.connect(listener.path or (listener.host, listener.port))
                raw.sendall(ask % (INDEX.encode(), version))
                raw.shutdown(socket.SHUT_WR)
                harness.wait_for("the profile", 5,
                                 lambda: RUNNING in listener.get(INDEX).text)
                time.sleep(1.5)
                self.assertIn(RUNNING, listener.get(INDEX).text)
                raw.close()
                begun = time.monotonic()
                harness.wait_for("its end", most,
                                 lambda: RUNNING not in listener.get(INDEX).text)
                note("unix %s, HTTP/%s: gone after %.1f s", unix,
                     version.decode(), time.monotonic() - begun)

    def test_a_restarted_collector_opens_it_again(self):
        with Listener(collector_replaced=True) as listener:
            os.kill(listener.kore.find_collector(), signal.SIGKILL)
            begun = time.monotonic()
            # Nobody is refused meanwhile: the socket is the parent's.
            self.assertEqual(listener.get(INDEX + "cmdline", timeout=10).status,
                             200)
            note("an answer %.2f s after the collector was killed",
                 time.monotonic() - begun)


class Places(Case):
    def path(self, kore):
        return os.path.join(kore.dir, "door.sock")

    def make(self, **more):
        kore = workload.service(**more)
        kore.env["PPROF_LISTEN"] = "unix:" + self.path(kore)
        return kore

    def test_a_unix_socket_is_private_and_is_gone_at_the_end(self):
        folder = harness.new_dir()
        path = os.path.join(folder, "door.sock")
        with workload.service(env={"PPROF_LISTEN": "unix:" + path},
                              collector_replaced=True) as kore:
            mode = os.stat(path).st_mode
            self.assertTrue(stat.S_ISSOCK(mode))
            self.assertEqual(stat.S_IMODE(mode), 0o600)
            self.assertEqual(web.unix_get(path, INDEX + "cmdline").status, 200)
            # Others are kept out by the kernel.
            self.assertEqual(connect_as(65534, path), errno.EACCES)
            self.assertEqual(connect_as(os.getuid(), path), 0)
            # The next collector is nobody, in a chroot.
            os.kill(kore.find_collector(), signal.SIGKILL)
            self.assertEqual(web.unix_get(path, INDEX + "cmdline").status, 200)
        self.assertEqual(os.listdir(folder), [])
        os.rmdir(folder)

    def test_a_stale_socket_is_replaced(self):
        kore = self.make()
        path = self.path(kore)
        old = socket.socket(socket.AF_UNIX)
        old.bind(path)
        old.listen()
        old.close()
        with kore:
            self.assertEqual(web.unix_get(path, INDEX).status, 200)
            self.assertEqual(kore.log("PPROF_LISTEN"), [])

    def refused(self, kore, *words):
        """The listener is shut, in one line; the rest goes on."""
        with kore:
            said = kore.log("PPROF_LISTEN")
            self.assertEqual(len(said), 1, kore.log_tail())
            for word in words:
                self.assertIn(word, said[0])
            self.assertEqual(listening(kore.find_collector()), [])
            self.assertEqual(kore.get(INDEX).status, 200)

    def test_a_socket_that_is_alive_is_left_alone(self):
        kore = self.make()
        with socket.socket(socket.AF_UNIX) as alive:
            alive.bind(self.path(kore))
            alive.listen()
            self.refused(kore, "in use", self.path(kore))
        kore = self.make()
        with open(self.path(kore), "w") as file:
            file.write("not a socket")
        self.refused(kore, "in use")

    def test_a_port_that_is_taken(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            at = "127.0.0.1:%d" % other.getsockname()[1]
            self.refused(workload.service(env={"PPROF_LISTEN": at}), at,
                         "in use")

    def test_what_is_no_place(self):
        for value in ("6061", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536",
                      "example.org:80", "unix:relative", "::1:80"):
            with self.subTest(value=value):
                self.refused(
                    workload.service(env={"PPROF_LISTEN": value}),
                    '"%s"' % value)

    def test_ipv4_as_ipv6_writes_it(self):
        port = harness.free_port()
        with workload.service(env={"PPROF_LISTEN": "[::ffff:127.0.0.1]:%d"
                                   % port}) as kore:
            self.assertEqual(kore.log("PPROF_LISTEN"), [])
            self.assertEqual(web.get("127.0.0.1", port, INDEX).status, 200)

    def test_ipv6(self):
        try:
            harness.free_port("::1")
        except OSError as error:
            self.skipTest("no IPv6 here: %s" % error)
        with Listener(host="::1") as listener:
            self.assertEqual(listener.get(INDEX).status, 200)


class Remote(Case):
    def test_not_without_a_rule(self):
        for host in ("0.0.0.0", NEAR):
            at = "%s:%d" % (host, harness.free_port())
            with workload.service(env={"PPROF_LISTEN": at}) as kore:
                said = kore.log("PPROF_LISTEN")
                self.assertEqual(len(said), 1, kore.log_tail())
                self.assertIn("PPROF_ALLOW", said[0])
                self.assertEqual(listening(kore.find_collector()), [])
                self.assertEqual(kore.get(INDEX).status, 200)

    def status(self, listener, source, headers=None):
        connection = web.Connection(listener.host, listener.port)
        connection.http.source_address = (source, 0)
        with connection:
            return connection.get(INDEX, headers=headers).status

    def test_the_rule_is_that_of_the_routes(self):
        with Listener(host=NEAR, env={"PPROF_ALLOW": NEAR}) as listener:
            self.assertEqual(self.status(listener, NEAR), 200)
            self.assertEqual(self.status(listener, FAR), 403)
            for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
                self.assertEqual(self.status(listener, NEAR, {name: NEAR}), 403)
        with Listener(host=NEAR, env={"PPROF_ALLOW": "loopback"}) as listener:
            self.assertEqual(self.status(listener, NEAR), 403)
        with Listener(host=NEAR, env={"PPROF_ALLOW": "any"}) as listener:
            self.assertEqual(self.status(listener, FAR), 200)


if __name__ == "__main__":
    missing = own_network()
    if missing:
        note("SKIPPED, no remote peer can be made here: %s", missing)
        Remote = unittest.skip("no network namespace: " + missing)(Remote)
    main()
