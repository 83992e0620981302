#!/usr/bin/env python3
# needs: a core, 14 s
"""
Who may ask: local peers, and what PPROF_ALLOW says.

Runs in a network namespace of its own, where the loopback device has
addresses that are not loopback addresses: a connection from one of them comes
from a remote peer, for all that the service can see.
"""
import ctypes
import http.client
import os
import socket
import subprocess
import unittest

import web
import workload
from case import Case, main, note

CLONE_NEWNET = 0x40000000
NEAR, FAR = "192.0.2.7", "198.51.100.9"
NEAR6 = "2001:db8::7"
INDEX = "/debug/pprof/"
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "x-forwarded-for")


def own_network():
    """Move this process into a network of its own; what is missing, or ''."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return os.strerror(ctypes.get_errno())
    try:
        for command in (["link", "set", "lo", "up"],
                        ["addr", "add", NEAR + "/32", "dev", "lo"],
                        ["addr", "add", FAR + "/32", "dev", "lo"],
                        ["addr", "add", NEAR6 + "/128", "dev", "lo"]):
            subprocess.run(["ip", *command], check=True,
                           stderr=subprocess.PIPE)
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return ""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask_from(source, host, port, path, headers=None, body=None):
    """A GET that comes from the given address; with a body a POST."""
    connection = web.Connection(host, port)
    connection.http.source_address = (source, 0)
    with connection:
        return connection.ask("POST" if body else "GET", path, body=body,
                              headers=headers)


class Access(Case):
    def service(self, allow, host="0.0.0.0", binds=()):
        env = {} if allow is None else {"PPROF_ALLOW": allow}
        return workload.service(host=host, env=env, binds=binds)

    def check(self, kore, host, source, allowed, headers=None):
        answer = ask_from(source, host, kore.port, INDEX, headers)
        what = "from %s %s" % (source, headers or "")
        self.assertEqual(answer.status, 200 if allowed else 403, what)
        if not allowed:
            self.assertEqual(answer.headers["content-type"],
                             "text/plain; charset=utf-8")
            self.assertEqual(answer.text.count("\n"), 1)
            self.assertNotIn("<", answer.text)
        # The application itself is nobody's business here.
        self.assertEqual(ask_from(source, host, kore.port, "/light",
                                  headers).text, "light\n")

    def test_local_peers_only_by_default(self):
        with self.service(None) as kore:
            self.check(kore, "127.0.0.1", "127.0.0.1", True)
            self.check(kore, "127.0.0.1", "127.9.8.7", True)
            self.check(kore, NEAR, NEAR, False)
            self.check(kore, FAR, FAR, False)
            for path in ("profile?seconds=1", "cmdline", "symbol", "x"):
                answer = ask_from(NEAR, NEAR, kore.port, INDEX + path)
                self.assertEqual(answer.status, 403)
            answer = ask_from(NEAR, NEAR, kore.port, INDEX[:-1])
            self.assertEqual(answer.status, 403)

    def test_settings_are_changed_by_whom_the_rule_lets_in(self):
        marked = {"X-Pprof": "1"}
        with self.service(None) as kore:
            def rate():
                return ask_from("127.0.0.1", "127.0.0.1", kore.port,
                                INDEX + "settings").text
            before = rate()
            answer = ask_from(NEAR, NEAR, kore.port, INDEX + "settings",
                              marked, b"block_rate=4321")
            self.assertEqual(answer.status, 403)
            for name in FORWARDED:
                answer = ask_from("127.0.0.1", "127.0.0.1", kore.port,
                                  INDEX + "settings",
                                  dict(marked, **{name: "127.0.0.1"}),
                                  b"block_rate=4321")
                self.assertEqual(answer.status, 403)
            self.assertEqual(rate(), before)
            answer = ask_from("127.0.0.1", "127.0.0.1", kore.port,
                              INDEX + "settings", marked, b"block_rate=4321")
            self.assertEqual(answer.status, 200)
            self.assertIn("4321", rate())

    def test_a_forwarded_request_counts_as_remote(self):
        for allow in (None, "loopback", "loopback,%s" % NEAR):
            with self.service(allow) as kore:
                for name in FORWARDED:
                    self.check(kore, "127.0.0.1", "127.0.0.1", False,
                               {name: "127.0.0.1"})
                self.check(kore, "127.0.0.1", "127.0.0.1", True,
                           {"X-Something": "127.0.0.1"})

    def test_any(self):
        with self.service("any") as kore:
            self.check(kore, "127.0.0.1", "127.0.0.1", True)
            self.check(kore, FAR, FAR, True)
            self.check(kore, "127.0.0.1", "127.0.0.1", True,
                       {"X-Forwarded-For": FAR})

    def test_a_list_of_networks(self):
        with self.service("loopback, 192.0.2.0/24") as kore:
            self.check(kore, "127.0.0.1", "127.0.0.1", True)
            self.check(kore, NEAR, NEAR, True)
            self.check(kore, FAR, FAR, False)
        with self.service("198.51.100.8/31") as kore:
            self.check(kore, FAR, FAR, True)
            self.check(kore, NEAR, NEAR, False)
            self.check(kore, "127.0.0.1", "127.0.0.1", False)

    def test_ipv6(self):
        with self.service(None, host="::1") as kore:
            self.check(kore, "::1", "::1", True)
        with self.service(None, host=NEAR6) as kore:
            self.check(kore, NEAR6, NEAR6, False)
        with self.service("2001:db8::/32", host=NEAR6) as kore:
            self.check(kore, NEAR6, NEAR6, True)

    def test_a_unix_socket_is_local(self):
        kore = self.service(None, host="127.0.0.1")
        path = os.path.join(kore.dir, "http.sock")
        kore.binds.append("  unix " + path)
        with kore:
            connection = UnixConnection(path)
            for headers, status in (({}, 200),
                                    ({"X-Forwarded-For": "10.0.0.1"}, 403)):
                connection.request("GET", INDEX, headers=headers)
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, status)
            connection.close()

    def test_a_malformed_value_stops_the_start(self):
        for value in ("banana", "10.0.0.0/33", "10.0.0/8", "::/129",
                      "loopback,,any", "10.0.0.0/-1", "1.2.3.4/8x",
                      "any;loopback"):
            with self.subTest(value=value):
                kore = self.service(value)
                try:
                    kore.launch()
                    status = kore.process.wait(10)
                    kore.reader.join(5)
                    text = "\n".join(kore.lines)
                    self.assertNotEqual(status, 0)
                    self.assertEqual(kore.worker_pids(), {})
                    said = [l for l in kore.lines if "PPROF_ALLOW" in l]
                    self.assertEqual(len(said), 1, text)
                    bad = next(v for v in value.split(",")
                               if v != "loopback")
                    self.assertIn('"%s"' % bad, said[0])
                    self.assertIn("loopback", said[0])
                finally:
                    kore.destroy()


if __name__ == "__main__":
    missing = own_network()
    if missing:
        note("SKIPPED, no remote peer can be made here: %s", missing)
        Access = unittest.skip("no network namespace: " + missing)(Access)
    main()
