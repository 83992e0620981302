#!/usr/bin/env python3
# needs: a core, 65 s
"""
Who may ask, against the ways around it: one table of requests, what their
connection has carried before, and the fronts that they come to; then real
proxies with kept connections, whose clients try to reach what the proxy
denies; and the honest clients, who are all served.

Runs in a network of its own where there can be one, so that remote peers
exist; see test_access.py. What a peer's address means is tested there.
"""
import os
import re
import shutil
import socket
import subprocess
import time
import unittest

import harness
import web
import workload
from browser import Pages
from case import Case, main, note
from listeners import Listener, INDEX, ROUTES
from test_access import NEAR, ask_from, own_network
from test_operations import Nginx

PATH = INDEX + "cmdline"
# Of a page that a browser shows for a link from another site.
LINK = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Dest: document")
IMAGE = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors",
         "Sec-Fetch-Dest: image")
MARKED = ("X-Pprof: 1", "Content-Length: 14")
RATE = "block_rate=777"


def table():
    """The names of headers that a proxy adds, as the rule has them."""
    with open(os.path.join(harness.TOP, "middleware/core/base/allow.c")) as f:
        text = f.read()
    rows = re.search(r"pp_allow_proxies\[\] = \{(.*?)NULL", text, re.S)[1]
    return re.findall(r'"([^"]+)"', rows)


def request(*lines, path=PATH, method="GET", host="localhost", body="",
            version="1.1"):
    """The bytes of one. `host` None: no such line."""
    head = ["%s %s HTTP/%s" % (method, path, version)]
    head += [] if host is None else ["Host: " + host]
    return ("\r\n".join([*head, *lines]) + "\r\n\r\n" + body).encode()


def other(*lines, **more):
    """One that is not for the profiler."""
    return request(*lines, path=more.pop("path", "/light"), **more)


def many(count):
    return ["X-Line-%d: x" % i for i in range(count)]


# What it is; the requests of one connection; the status of the last one at
# the routes and at the listener, by TCP; and by a unix socket where it differs. None: it is hung
# up on, and gets nothing.
TABLE = [
    ("plain", [request()], 200, 200),
    ("kept", [request(), request(), request()], 200, 200),
    ("behind the application's", [other(), other(), request()], 200, None),
    # Names that a page can have pointed here.
    ("a name", [request(host="evil.example")], 403, 403, 200, 200),
    ("a name and port", [request(host="evil.example:8080")], 403, 403, 200,
     200),
    ("a name that begins well", [request(host="localhost.evil.example")], 403,
     403, 200, 200),
    ("an address in a name", [request(host="127.0.0.1.nip.io")], 403, 403,
     200, 200),
    ("two names", [request("Host: evil.example")], 403, 403, 200, 200),
    ("what begins as Host does",
     [request("Hostx: localhost", "Host: evil.example", host=None)],
     403, 403, 200, 200),
    ("an address", [request(host="127.0.0.1")], 200, 200),
    ("of another machine", [request(host="192.0.2.1:80")], 200, 200),
    ("a short one", [request(host="127.1:80")], 200, 200),
    ("a number", [request(host="2130706433")], 200, 200),
    ("IPv6", [request(host="[::1]:8080")], 200, 200),
    ("localhost and port", [request(host="LOCALHOST:80")], 200, 200),
    ("localhost with its dot", [request(host="localhost.")], 200, 200),
    ("a name of PPROF_HOSTS", [request(host="dev.example:80")], 200, 200),
    ("its subdomain", [request(host="x.dev.example")], 403, 403, 200, 200),
    ("no Host", [request(host=None, version="1.0")], 400, 200),
    # Pages of other sites.
    ("same origin", [request("Sec-Fetch-Site: same-origin")], 200, 200),
    ("typed", [request("Sec-Fetch-Site: none")], 200, 200),
    ("an image", [request(*IMAGE)], 403, 403),
    ("an image that is a heap",
     [request(*IMAGE, path=INDEX + "heap?gc=1")], 403, 403),
    ("an image that is the index", [request(*IMAGE, path=INDEX)], 403, 403),
    ("of the same site", [request("Sec-Fetch-Site: same-site")], 403, 403),
    ("of no site", [request("Sec-Fetch-Site: banana")], 403, 403),
    ("a link to the index", [request(*LINK, path=INDEX)], 200, 200),
    ("without its slash", [request(*LINK, path=INDEX[:-1])], 301, 301),
    ("a link to a profile", [request(*LINK)], 403, 403),
    ("a link to settings", [request(*LINK, path=INDEX + "settings")], 403,
     403),
    # POST.
    ("a form", [request(*MARKED, path=INDEX + "settings", method="POST",
                        body=RATE)], 200, 200),
    ("of its own page",
     [request(*MARKED, "Origin: http://localhost:80",
              "Sec-Fetch-Site: same-origin", path=INDEX + "settings",
              method="POST", host="localhost:80", body=RATE)], 200, 200),
    ("of another", [request(*MARKED, "Origin: http://evil.example",
                            path=INDEX + "settings", method="POST",
                            body=RATE)], 403, 403),
    ("of another port", [request(*MARKED, "Origin: http://localhost:81",
                                 path=INDEX + "settings", method="POST",
                                 host="localhost:80", body=RATE)], 403, 403),
    ("of none", [request(*MARKED, "Origin: null", path=INDEX + "settings",
                         method="POST", body=RATE)], 403, 403),
    ("of a name pointed here",
     [request(*MARKED, "Origin: http://evil.example",
              path=INDEX + "settings", method="POST", host="evil.example",
              body=RATE)], 403, 403, 200, 200),
    # Many lines: at the listener none is lost.
    ("20 lines", [request(*many(20))], 200, 200),
    ("21 lines", [request(*many(21))], 200, 200),
    ("22 lines, which Kore's list is full with", [request(*many(22))], 403,
     200),
    ("60 lines", [request(*many(60))], 403, 200),
    ("60 lines and a proxy's", [request(*many(60), "Via: x")], 403, 403),
    # What the connection has carried.
    ("behind a proxy's", [other("Via: 1.1 x"), request()], 403, None),
    ("long behind it", [other("X-Forwarded-For: 1.1.1.1"), other(), other(),
                        request()], 403, None),
    ("behind a full one", [other(*many(40)), request()], 403, None),
    ("behind one that is denied", [request("Via: x"), request()], 403, None),
    ("behind a GET with a body",
     [other("Content-Length: 5"), request()], 403, None),
    ("behind a HEAD", [other("Content-Length: 5", method="HEAD"), request()],
     403, None),
    ("behind a later one",
     [other(), other("Content-Length: 5"), other(), request()], 403, None),
    ("behind one in chunks",
     [other("Transfer-Encoding: chunked"), request()], 403, None),
    ("behind OPTIONS", [other("Content-Length: 5", method="OPTIONS"),
                        request()], 403, None),
    ("behind one with nothing", [other("Content-Length: 0"), request()], 200,
     None),
    ("behind a body that is read",
     [other("Content-Length: 5", method="POST", body="hello"), request()],
     200, None),
    ("with a body itself", [request("Content-Length: 5", body="hello")], 403,
     403),
    ("in chunks itself", [request("Transfer-Encoding: chunked",
                                  body="0\r\n\r\n")], 403, 403),
    ("behind what is not there", [other(path="/nope"), request()], None,
     None),
    ("behind a symbol", [request("Content-Length: 3", method="POST",
                                 path=INDEX + "symbol", body="0x1"),
                         request()], 200, 200),
    # A blank before the colon is no header.
    ("a blank", [request("X-Forwarded-For : 1.1.1.1")], 400, 400),
    ("a tab", [request("Via\t: 1.1.1.1")], 400, 400),
]


class Talk:
    """One connection, as bytes."""

    def __init__(self, place, timeout=5):
        unix = isinstance(place, str)
        self.sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        self.sock.settimeout(timeout)
        self.sock.connect(place)

    def ask(self, data):
        """The status and body of its answer; None: there is none."""
        try:
            self.sock.sendall(data)
            response = web.http.client.HTTPResponse(
                self.sock, method=data.split(b" ")[0].decode())
            response.begin()
            return response.status, response.read()
        except (OSError, web.http.client.HTTPException):
            return None, b""

    def close(self):
        self.sock.close()


def last_of(place, requests):
    talk = Talk(place)
    try:
        for data in requests:
            status, body = talk.ask(data)
        return status, body
    finally:
        talk.close()


class Fronts:
    """A service with both routes and listeners by TCP and by unix sockets: the
    latter of a second one, since a service has one listener."""

    def __init__(self, env=None, **more):
        more["env"] = dict(env or {}, PPROF_HOSTS="dev.example")
        self.tcp, self.unix = Listener(**more), Listener(unix=True, **more)
        self.path = os.path.join(self.unix.kore.dir, "http.sock")
        self.unix.kore.binds.append("  unix " + self.path)

    def __enter__(self):
        self.tcp.__enter__()
        self.unix.__enter__()
        return self

    def __exit__(self, *why):
        self.unix.__exit__(*why)
        return self.tcp.__exit__(*why)

    def places(self):
        """Name, where, and which column of TABLE has the answer."""
        return (("route, TCP", ("127.0.0.1", self.tcp.kore.port), 2),
                ("listener, TCP", ("127.0.0.1", self.tcp.port), 3),
                ("route, unix", self.path, 4),
                ("listener, unix", self.unix.path, 5))


class Gate(Case):
    def check_table(self, fronts, places):
        wrong, count = [], 0
        for row in TABLE:
            for name, place, column in places:
                wanted = (row + row[2:])[column] if len(row) == 4 else row[
                    column]
                status, body = last_of(place, row[1])
                count += 1
                # What Kore reads before it ends a connection it refuses
                # itself.
                if status != wanted and (wanted, status, body) != (
                        None, 400, b""):
                    wrong.append("%s, %s: %s, not %s %r" % (
                        row[0], name, status, wanted, body[:80]))
                if status == 403:
                    self.assertEqual(body.count(b"\n"), 1, body)
                    self.assertGreater(len(body), 40, body)
        note("%d requests", count)
        self.assertEqual(wrong, [])

    def test_the_table(self):
        for production in (True, False):
            with Fronts(production=production) as fronts:
                self.check_table(fronts, fronts.places())

    def test_the_table_where_kore_is_not_followed_inside(self):
        with Fronts({"PPROF_ENTRY_PATCH": "0"}) as fronts:
            self.check_table(fronts, fronts.places()[:3:2])

    def test_with_any_only_pages_are_kept_out(self):
        sites = ("an image", "an image that is a heap", "of the same site",
                 "an image that is the index", "of no site",
                 "a link to a profile", "a link to settings", "of another",
                 "of another port", "of none")
        with Fronts({"PPROF_ALLOW": "any"}) as fronts:
            for row in TABLE:
                for name, place, column in fronts.places():
                    wanted = (row + row[2:])[column] if len(
                        row) == 4 else row[column]
                    if wanted != 403:
                        continue
                    self.assertEqual(
                        last_of(place, row[1])[0],
                        403 if row[0] in sites else 200, (row[0], name))

    def test_each_header_of_a_proxy(self):
        names = table()
        self.assertGreater(len(names), 40)
        with Fronts() as fronts:
            for each in names:
                for name in (each.replace("*", "Any"), each.lower().replace(
                        "*", "any")):
                    for front, place, _ in fronts.places():
                        self.assertEqual(
                            last_of(place, [request(name + ": x")])[0], 403,
                            (name, front))
                        # And the first request decides.
                        if front.startswith("route"):
                            self.assertEqual(
                                last_of(place, [other(name + ": x"),
                                                request()])[0],
                                403, (name, front))

    def test_the_sentences_say_what_helps(self):
        with Fronts() as fronts:
            for data, words in (
                    (request(host="evil.example"), ("PPROF_HOSTS", "Host")),
                    (request("Via: x"), ("proxy", "PPROF_ALLOW")),
                    (request(*IMAGE), ("Sec-Fetch-Site", "index")),
                    (request("Content-Length: 1"), ("body", "connection"))):
                for name, place, _ in fronts.places()[:2]:
                    text = last_of(place, [data])[1].decode()
                    for word in words:
                        self.assertIn(word, text, name)

    def test_a_descriptor_that_comes_again_is_a_new_connection(self):
        with workload.service(workers=1) as kore:
            place = ("127.0.0.1", kore.port)
            for _ in range(20):
                self.assertEqual(
                    last_of(place, [other("Via: x"), request()])[0], 403)
                self.assertEqual(last_of(place, [request()])[0], 200)

    def test_a_remote_peer_that_is_allowed(self):
        """A phone on the LAN asks for the address; a page that was pointed
        there for its name."""
        with workload.service(env={"PPROF_ALLOW": "192.0.2.0/24"},
                              host="0.0.0.0") as kore:
            phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 14)",
                     "Accept": "text/html", "Connection": "keep-alive",
                     "Upgrade-Insecure-Requests": "1"}
            for path in (INDEX, PATH, INDEX + "heap?debug=1"):
                self.assertEqual(ask_from(NEAR, NEAR, kore.port, path,
                                          phone).status, 200)
            self.assertEqual(ask_from(NEAR, NEAR, kore.port, PATH, dict(
                phone, Host="evil.example")).status, 403)

    def test_bad_options_stop_the_start(self):
        for name, value in (("PPROF_HOSTS", "a b"), ("PPROF_HOSTS", "a:80"),
                            ("PPROF_HOSTS", "*"), ("PPROF_SETTINGS", "off"),
                            ("PPROF_SETTINGS", "2")):
            kore = workload.service(env={name: value})
            try:
                kore.launch()
                self.assertNotEqual(kore.process.wait(10), 0)
                kore.reader.join(5)
                said = [line for line in kore.lines if name in line]
                self.assertEqual(len(said), 1, kore.lines)
                self.assertIn('"%s"' % value, said[0])
            finally:
                kore.destroy()


class Settings(Case):
    def test_they_can_be_shut(self):
        with Listener(env={"PPROF_SETTINGS": "0"}) as listener:
            for ask, get in ((listener.ask, listener.get),
                             (listener.kore.ask, listener.kore.get)):
                before = get(INDEX + "settings")
                self.assertIn('"locked": "PPROF_SETTINGS=0"', before.text)
                self.assertIn("PPROF_SETTINGS=0", get(INDEX).text)
                answer = ask("POST", INDEX + "settings", body=RATE,
                             headers={"X-Pprof": "1"})
                self.assertEqual(answer.status, 403)
                self.assertIn("PPROF_SETTINGS=0", answer.text)
                self.assertEqual(get(INDEX + "settings").text, before.text)
        for value in ("1", ""):
            with workload.service(env={"PPROF_SETTINGS": value}) as kore:
                self.assertNotIn("locked", kore.get(INDEX + "settings").text)
                self.assertNotIn("PPROF_SETTINGS", kore.get(INDEX).text)
                self.assertEqual(kore.ask(
                    "POST", INDEX + "settings", body=RATE,
                    headers={"X-Pprof": "1"}).status, 200)


class HAProxy:
    """Debian's haproxy with one frontend, one kept server and `lines` about
    requests."""

    def __init__(self, kore, lines):
        self.dir, self.port = harness.new_dir(), harness.free_port()
        path = os.path.join(self.dir, "haproxy.cfg")
        with open(path, "w") as file:
            file.write("""
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  http-reuse always
frontend front
  bind 127.0.0.1:%d
  %s
  default_backend back
backend back
  server kore 127.0.0.1:%d
""" % (self.port, "\n  ".join(lines), kore.port))
        self.process = subprocess.Popen(["haproxy", "-db", "-f", path],
                                        stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        try:
            harness.wait_for("haproxy", 10, self.answers)
        except BaseException:
            self.__exit__()
            raise
        return self

    def answers(self):
        try:
            return web.get("127.0.0.1", self.port, "/light").status
        except OSError:
            return None

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.dir)


def nginx(kore, forwarded, denied="location /debug/ { deny all; }"):
    port = harness.free_port()
    text = """
upstream kore { server 127.0.0.1:%d; keepalive 1; }
server {
  listen 127.0.0.1:%d;
  location / {
    proxy_pass http://kore; proxy_http_version 1.1;
    proxy_set_header Connection ""; %s
  }
  %s
}
""" % (kore.port, port, "proxy_set_header X-Forwarded-For $remote_addr;"
       if forwarded else "", denied)
    return Nginx(text, port)


def haproxy(kore, forwarded):
    return HAProxy(kore, ["http-request deny if { path_beg /debug }",
                          *(["option forwardfor"] if forwarded else [])])


PROFILE = request(path=INDEX + "profile?seconds=1")
CHANGE = request(*MARKED, path=INDEX + "settings", method="POST", body=RATE)


@unittest.skipIf(not shutil.which("nginx") or not shutil.which("haproxy"),
                 "there is no nginx or no haproxy")
class Proxies(Case):
    """A client of the proxy hides a request for the profiler in the body of
    another: Kore reads no body of a GET."""

    def bodies(self):
        """Sent behind a head, at once and later; and so long that Kore, which
        reads 4096 bytes at first, goes on where the hidden one begins, for
        each length that the proxy's head may have."""
        for hidden in (PROFILE, CHANGE):
            yield hidden, 0
            yield hidden, 0.05
            for head in range(40, 200):
                yield b"x" * (4096 - head) + hidden, 0

    def attack(self, proxy, body, pause):
        talk = Talk(("127.0.0.1", proxy.port), timeout=0.3)
        head = ("GET /light HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Length: %d\r\n\r\n" % len(body)).encode()
        try:
            if pause:
                talk.sock.sendall(head)
                time.sleep(pause)
                return talk.ask(body)
            return talk.ask(head + body)
        finally:
            talk.close()

    def given_out(self, proxy, kore):
        """How many of what others got was no page of theirs."""
        strange = 0
        for body, pause in self.bodies():
            for status, got in [self.attack(proxy, body, pause)] + [
                    last_of(("127.0.0.1", proxy.port), [other()])
                    for _ in range(3)]:
                strange += b"light\n" != got and status == 200
        time.sleep(1.2)
        for _ in range(20):
            status, got = last_of(("127.0.0.1", proxy.port), [other()])
            strange += b"light\n" != got and status == 200
        return strange, RATE[-3:] in kore.get(INDEX + "settings").text

    def test_no_profile_is_given_out(self):
        for make in (nginx, haproxy):
            for forwarded in (True, False):
                with workload.service(restarts=0) as kore, make(
                        kore, forwarded) as proxy:
                    self.assertEqual(web.get("127.0.0.1", proxy.port,
                                             PATH).status, 403)
                    begun = time.monotonic()
                    given, changed = self.given_out(proxy, kore)
                    note("%s, forwarded %s: %d given out, in %.0f s",
                         make.__name__, forwarded, given,
                         time.monotonic() - begun)
                    self.assertEqual((given, changed), (0, False))
                    # Who asks directly is served as ever.
                    self.assertEqual(kore.get(PATH).status, 200)

    def test_where_everybody_may_ask_it_is(self):
        """The same attack, so that the test above can fail."""
        for make in (nginx, haproxy):
            with workload.service(env={"PPROF_ALLOW": "any"}) as kore, make(
                    kore, False) as proxy:
                given, changed = self.given_out(proxy, kore)
                note("%s: %d given out, rate changed: %s", make.__name__,
                     given, changed)
                self.assertTrue(given > 0 or changed)

    def test_lines_of_the_client_do_not_hide_the_proxys(self):
        """HAProxy adds its own last, and Kore keeps 24."""
        for make in (lambda kore: nginx(kore, True, ""),
                     lambda kore: HAProxy(kore, ["option forwardfor"])):
            with workload.service() as kore, make(kore) as proxy:
                for count in range(1, 61):
                    status, _ = last_of(("127.0.0.1", proxy.port), [
                        request(*many(count))])
                    self.assertEqual(status, 403, count)


@unittest.skipIf(not shutil.which("curl"), "there is no curl")
class Honest(Case):
    def curl(self, *args):
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w",
                               "%{http_code} ", *args],
                              stdout=subprocess.PIPE)
        return done.stdout.decode().split()

    def test_all_are_served(self):
        scrapers = {
            "alloy": ("User-Agent: Alloy/v1.5.0 (linux; docker)",
                      "Accept-Encoding: gzip"),
            "parca": ("User-Agent: parca/v0.22.0", "Accept-Encoding: gzip"),
            "go": ("User-Agent: Go-http-client/1.1",
                   "Accept-Encoding: gzip"),
            "python": ("User-Agent: python-requests/2.31", "Accept: */*",
                       "Connection: keep-alive"),
            "chromium": (
                "Connection: keep-alive", 'sec-ch-ua: "Chromium";v="120"',
                "sec-ch-ua-mobile: ?0", 'sec-ch-ua-platform: "Linux"',
                "Upgrade-Insecure-Requests: 1", "User-Agent: Mozilla/5.0",
                "Accept: text/html", "Sec-Fetch-Site: none",
                "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1",
                "Sec-Fetch-Dest: document", "Accept-Encoding: gzip, br",
                "Accept-Language: en-US,en;q=0.9", "Cookie: a=b",
                "Cache-Control: max-age=0", "Priority: u=0, i"),
        }
        with Fronts() as fronts:
            for name, lines in scrapers.items():
                for front, place, _ in fronts.places():
                    self.assertEqual(
                        last_of(place, [request(*lines), request(
                            *lines, path=INDEX + "heap")])[0], 200,
                        (name, front))
            at = "127.0.0.1:%d" % fronts.tcp.kore.port
            for url in ("http://%s%s" % (at, PATH),
                        "http://localhost:%d%s" % (fronts.tcp.kore.port,
                                                   PATH),
                        "http://127.1:%d%s" % (fronts.tcp.port, PATH)):
                self.assertEqual(self.curl(url), ["200"], url)
                self.assertEqual(self.curl("-0", url), ["200"], url)
                # One connection, the application's page first.
                self.assertEqual(self.curl(
                    "http://%s/light" % at, "-o", "/dev/null", url, "-o",
                    "/dev/null", url), ["200"] * 3)
            self.assertEqual(self.curl(
                "--unix-socket", fronts.unix.path, "http://x" + PATH),
                ["200"])

    def test_go_tool_pprof(self):
        with Listener() as listener:
            for port in (listener.kore.port, listener.port):
                self.assertIn("Type: inuse_space", self.pprof.run(
                    "-top", "http://127.0.0.1:%d%sheap" % (port, INDEX)))

    def test_a_half_closed_client_on_a_unix_socket(self):
        if shutil.which("socat") is None:
            self.skipTest("there is no socat")
        with Listener(unix=True) as listener:
            served = 0
            for _ in range(30):
                done = subprocess.run(
                    ["socat", "-", "unix:" + listener.path],
                    input=b"GET /debug/pprof/goroutine HTTP/1.0\r\n\r\n",
                    stdout=subprocess.PIPE)
                served += b" 200 OK" in done.stdout
            self.assertEqual(served, 30)


class Browser(Pages):
    def test_a_page_of_another_site(self):
        self.browse("linked")


if __name__ == "__main__":
    missing = own_network()
    if missing:
        note("SKIPPED, no remote peer can be made here: %s", missing)
        Gate.test_a_remote_peer_that_is_allowed = unittest.skip(
            "no network namespace: " + missing)(
                Gate.test_a_remote_peer_that_is_allowed)
    main()
