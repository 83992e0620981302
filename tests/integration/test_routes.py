#!/usr/bin/env python3
# needs: a core, 26 s
"""
Where the routes are: every domain, ahead of a catch-all; or one domain,
another prefix, behind a login, chosen in the conf or from C.
"""
import os
import signal
import time
import unittest

import harness
from case import Case, main

BASE = "/debug/pprof"
CATCH_ALL = "^/.*$ page_light"
MANUAL = (harness.PPROF[0], None)
AUTH = ["validator t_token regex ^sesame$", "authentication ops {",
        "  authentication_type header", "  authentication_value x-token",
        "  authentication_validator t_token", "}"]
TOKEN = {"x-token": "sesame"}


# Names that are asked for here: by TCP only those are served.
HOSTS = ",".join(["a.test", "b.test", "other.test",
                  *("d%d.test" % i for i in range(15))])


class Routes(Case):
    def service(self, modules=None, domains=None, **more):
        more.setdefault("env", {"PPROF_HOSTS": HOSTS})
        return harness.Service(modules or ["workload.c", harness.PPROF],
                               domains=domains, **more)

    def check_group(self, kore, prefix=BASE, headers=None):
        """The whole group answers below the prefix."""
        def ask(path):
            return kore.get(prefix + path, headers=headers)
        self.assertEqual(ask("/").headers["content-type"],
                         "text/html; charset=utf-8")
        self.assertIn("profile", ask("/").text)
        self.assertEqual(ask("/symbol").text, "num_symbols: 1\n")
        self.assertEqual(ask("/nonesuch").status, 404)
        answer = ask("")
        self.assertIn(answer.status, (301, 307))
        self.assertEqual(answer.headers["location"], prefix + "/")
        answer = ask("/profile?seconds=1")
        self.assertEqual(answer.status, 200)
        self.pprof.raw(answer.body)

    def test_ahead_of_a_catch_all_route(self):
        with self.service(domains={"*": [CATCH_ALL]}) as kore:
            self.check_group(kore)
            for path in ("/", "/anything", "/debug/pprofile", "/debug/"):
                self.assertEqual(kore.get(path).text, "light\n", path)

    def test_ahead_of_whatever_may_match(self):
        """And behind what cannot, which answers as before."""
        routes = ["^/debug/.*$", "^.*$", "/debug/pprof/cmdline", "/[a-z/]*",
                  "^/deb", "^/debug/pprof$", "^/debug/pprof/.*$",
                  "^/d?ebug/.*$", "^/debux?g*/pprof/cmdline$", "^/x|^/.*$",
                  "^/(debug|x)/.*$", "^/x{0,1}debug/.*$", "^[/]debug/.*$",
                  "^/\\w+/.*$", "^\\/debug/.*$"]
        domains = {"d%d.test" % i: ["/light page_light",
                                    "^/debux/.*$ page_light",
                                    route + " page_who"]
                   for i, route in enumerate(routes)}
        domains["*"] = ["/light page_light"]
        with self.service(domains=domains) as kore:
            for i, route in enumerate(routes):
                headers = {"Host": "d%d.test" % i}
                for path in ("", "/", "/cmdline"):
                    answer = kore.get(BASE + path, headers=headers)
                    self.assertIn(answer.status, (200, 301, 307), route)
                self.assertIn("kore", kore.get(BASE + "/cmdline",
                                               headers=headers).text, route)
                for path in ("/light", "/debux/pprof"):
                    self.assertEqual(
                        kore.get(path, headers=headers).text,
                        "light\n", route + " " + path)

    def test_on_every_domain(self):
        domains = {"a.test": ["/who page_who", CATCH_ALL],
                   "b.test": [CATCH_ALL], "*": ["/light page_light"]}
        with self.service(domains=domains) as kore:
            for host in ("a.test", "b.test", "b.test:8080", "other.test"):
                self.check_group(kore, headers={"Host": host})

    def test_after_a_reload_there_is_one_of_it(self):
        with self.service(domains={"*": [CATCH_ALL]},
                          production=False) as kore:
            for times in (1, 2, 3):
                kore.process.send_signal(signal.SIGHUP)
                # The parent and two workers each say so.
                harness.wait_for("reload %d" % times, 10, lambda: len(
                    kore.log("reloaded '%s'" % harness.PPROF[0]))
                    == 3 * times)
                # Kore forgets a signal that comes before it has done with
                # the last one.
                time.sleep(0.5)
            self.check_group(kore)

    def test_included_in_one_domain(self):
        conf = os.path.join(
            harness.TOP, "conf",
            "pprof42.conf" if harness.KORE_42 else "pprof.conf")
        domains = {"a.test": ["include " + conf, CATCH_ALL],
                   "*": [CATCH_ALL]}
        with self.service(["workload.c", MANUAL], domains) as kore:
            self.check_group(kore, headers={"Host": "a.test"})
            self.assertEqual(kore.get(BASE + "/").text, "light\n")

    @unittest.skipUnless(harness.KORE_42, "Kore 4.1 has no on_free")
    def test_an_on_free_of_the_operator_is_called_as_well(self):
        kore = self.service(["freed.c", MANUAL], workers=1)
        conf = os.path.join(kore.dir, "freed.conf")
        with open(conf, "w") as file:
            file.write("route ^/debug/pprof(/.*)?$ {\n"
                       "  handler pprof_handler\n"
                       "  on_free count_freed\n}\n")
        kore.domains = {"*": ["include " + conf, "/ page_freed"]}
        with kore:
            folder = "/proc/%d/fd" % kore.worker_pids()[1]
            for _ in range(3):
                self.assertEqual(kore.get(BASE + "/cmdline").status, 200)
            before = len(os.listdir(folder))
            for _ in range(5):
                with kore.connect() as connection:
                    connection.send(BASE + "/profile?seconds=60")
                    time.sleep(0.2)
            # Ours is called: it closes the socket of the answer.
            harness.wait_for("the ends of five requests", 10, lambda: (
                kore.get("/").text, len(os.listdir(folder)))
                == ("8\n", before))

    def test_another_prefix_behind_a_login(self):
        route = "^/internal/prof(/.*)?$ pprof_handler ops"
        with self.service(["workload.c", MANUAL],
                          {"*": [route, CATCH_ALL]}, blocks=AUTH) as kore:
            self.check_group(kore, "/internal/prof", TOKEN)
            for headers in ({}, {"x-token": "wrong"}):
                answer = kore.get("/internal/prof/", headers=headers)
                self.assertEqual(answer.status, 403)
                self.assertNotIn(b"profile", answer.body)
            self.assertEqual(kore.get(BASE + "/").text, "light\n")

    def test_registered_from_c(self):
        flags = ["-I" + os.path.join(harness.TOP, "middleware", "include")]
        kore = self.service(
            [MANUAL, "workload.c"],
            {"a.test": [CATCH_ALL], "*": [CATCH_ALL]}, blocks=AUTH)
        path = harness.compile_module(
            "register.c", os.path.join(kore.dir, "register.so"), flags)
        kore.modules.append((path, "register_load"))
        with kore:
            self.check_group(kore, "/c.test/pp",
                             dict(TOKEN, Host="a.test"))
            answer = kore.get("/c.test/pp/", headers={"Host": "a.test"})
            self.assertEqual(answer.status, 403)
            self.assertEqual(kore.get("/c.test/pp/").text, "light\n")
            self.assertEqual(kore.get("/cXtest/pp/", headers=dict(
                TOKEN, Host="a.test")).text, "light\n")
            # Each refused registration has said why.
            results = kore.get("/registered", headers={
                "Host": "a.test"}).text
            self.assertEqual(results, "0 0 EINVAL EINVAL EINVAL ENOENT "
                             "ENOENT\n")
            for word in ("no-slash", "/ends/", "nosuch.test", "nobody"):
                self.assertTrue(any(word in line and "pprof" in line
                                    for line in kore.lines), word)

    def test_without_the_collector_the_service_serves(self):
        with self.service(["workload.c", harness.PPROF], {"*": [CATCH_ALL]},
                          env={"PPROF_COLLECTOR": "/nonexistent"},
                          collector_missing=True) as kore:
            answer = kore.get(BASE + "/")
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.text.count("\n"), 1)
            self.assertIn("pprof-collector", answer.text)
            self.assertEqual(kore.get("/x").text, "light\n")
            self.assertTrue(kore.log("/nonexistent"))


if __name__ == "__main__":
    main()
