#!/usr/bin/env python3
# needs: a core, 9 s
"""
What docs/operations.md and conf/production.conf tell an operator to write, as it
stands there: only ports and paths are put in.
"""
import os
import re
import shutil
import signal
import subprocess
import unittest

import harness
import web
import workload
from case import Case, main

TOKEN = {"x-pprof-token": "long-random-secret"}


def example(heading, first):
    """The indented text below `heading` that begins with `first`."""
    with open(os.path.join(harness.TOP, "docs/operations.md")) as file:
        text = file.read().split("\n" + heading, 1)[1]
    found = [block for block in re.findall(r"(?:^(?:    .*)?\n)+", text, re.M)
             if block.strip().startswith(first)]
    return re.sub(r"^    ", "", found[0], flags=re.M).strip() + "\n"


class Production(harness.Service):
    """conf/production.conf, or another text with the same names."""

    def __init__(self, text, names, **more):
        super().__init__(["workload.c", harness.PPROF], **more)
        self.text, self.names = text, names

    def conf(self):
        text = re.sub(r"^#.*\n", "", self.text, flags=re.M)
        for name, value in self.names(self).items():
            if text.count(name) != 1:
                raise harness.Broken("%s stands there %d times" % (
                    name, text.count(name)))
            text = text.replace(name, value)
        return text


def production_names(kore):
    return {"0.0.0.0 8080": "127.0.0.1 %d" % kore.port,
            "root /chroot": "root " + kore.root,
            "/run/kore.pid": kore.dir + "/kore.pid",
            "/usr/lib/kore/service.so": kore.modules[0][0],
            "/usr/lib/kore/pprof.so": harness.PPROF[0],
            "page_index": "page_light"}


class ProductionConf(Case):
    @unittest.skipIf(os.getuid() != 0, "production is started by root")
    def test_it_serves_and_is_profiled(self):
        name = "production%s.conf" % ("42" if harness.KORE_42 else "")
        with open(os.path.join(harness.TOP, "conf", name)) as file:
            text = file.read()
        # What the file says of the environment.
        env = dict(re.findall(r"(PPROF_[A-Z]+)=(\S+)", text))
        self.assertEqual(env, {
            "PPROF_LISTEN": "unix:/run/service-pprof.sock",
            "PPROF_SETTINGS": "0"})
        kore = Production(text, production_names, workers=os.cpu_count(),
                          env=env)
        path = os.path.join(kore.dir, "pprof.sock")
        kore.env["PPROF_LISTEN"] = "unix:" + path
        with kore:
            self.assertEqual(kore.get("/").text, "light\n")
            # No client of the service reaches it.
            self.assertEqual(kore.get("/debug/pprof/").status, 404)
            answer = web.unix_get(path, "/debug/pprof/profile?seconds=1")
            self.assertEqual(answer.status, 200)
            self.pprof.raw(answer.body)
            self.assertIn("PPROF_SETTINGS=0", web.unix_get(
                path, "/debug/pprof/settings").text)
            for pid in kore.worker_pids().values():
                self.assertEqual(os.readlink("/proc/%d/root" % pid), kore.root)


class Unit(Case):
    @unittest.skipIf(shutil.which("systemd-analyze") is None,
                     "there is no systemd-analyze")
    def test_systemd_has_nothing_to_say(self):
        work = harness.new_dir()
        try:
            path = os.path.join(work, "service.service")
            with open(path, "w") as file:
                file.write(example("## systemd", "[Unit]"))
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", path],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said = [line for line in done.stdout.decode().splitlines()
                    if "service.service" in line]
            self.assertEqual((said, done.returncode), ([], 0))
        finally:
            shutil.rmtree(work)


class Nginx:
    """Debian's nginx with one server, whose block is `text`."""

    def __init__(self, text, port):
        self.dir, self.port = harness.new_dir(), port
        path = os.path.join(self.dir, "nginx.conf")
        with open(path, "w") as file:
            file.write("daemon off; pid %s/pid; error_log stderr;\n"
                       "events { }\nhttp { access_log off;\n" % self.dir)
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
                file.write("%s_temp_path %s/%s;\n" % (kind, self.dir, kind))
            file.write(text + "}\n")
        os.chmod(self.dir, 0o755)
        self.process = subprocess.Popen(
            ["nginx", "-p", self.dir, "-c", path], stdin=subprocess.DEVNULL)

    def __enter__(self):
        try:
            harness.wait_for("nginx", 10, self.answers)
        except BaseException:
            self.__exit__()
            raise
        return self

    def answers(self):
        try:
            return web.get("127.0.0.1", self.port, "/").status
        except OSError:
            return None

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(10)
        shutil.rmtree(self.dir)


@unittest.skipIf(shutil.which("nginx") is None, "there is no nginx")
class Proxy(Case):
    """Clients of the proxy are strangers, though it is on this machine."""

    def proxy(self, kore):
        port = harness.free_port("127.0.0.1")
        text = example("**Behind a reverse proxy.**", "server {")
        for name, value in (("listen 80;", "listen 127.0.0.1:%d;" % port),
                            ("127.0.0.1:8080", "127.0.0.1:%d" % kore.port)):
            self.assertEqual(text.count(name), 2 if ":" in name else 1)
            text = text.replace(name, value)
        return Nginx(text, port)

    def get(self, nginx, path, headers=None):
        return web.ask("127.0.0.1", nginx.port, "GET", path, headers=headers)

    def test_strangers_are_kept_out(self):
        with workload.service() as kore, self.proxy(kore) as nginx:
            self.assertEqual(self.get(nginx, "/light").text, "light\n")
            for path in ("/debug/pprof/", "/debug/pprof/heap"):
                self.assertEqual(self.get(nginx, path).status, 403, path)
            for path in ("//debug/pprof/heap", "/x/../debug/pprof/heap",
                         "/debug%2fpprof/heap", "/debug/./pprof/heap"):
                self.assertIn(self.get(nginx, path).status, (403, 404), path)
            self.assertEqual(kore.get("/debug/pprof/heap").status, 200)

    def test_with_a_login_it_passes(self):
        login = example("**With a login.**", "validator")
        text = ("server main {\nbind 127.0.0.1 PORT\ntls no\n}\nworkers 2\n"
                "root ROOT\nrunas nobody\npidfile PID\nload APP\n"
                + login.replace(
                    "attach main", "attach main\n    route / page_light"))
        names = {"PORT": lambda k: str(k.port), "ROOT": lambda k: k.root,
                 "PID": lambda k: k.dir + "/kore.pid",
                 "APP": lambda k: k.modules[0][0],
                 "/usr/lib/kore/pprof.so": lambda k: harness.PPROF[0],
                 "domain service.example.org": lambda k: "domain *"}
        with Production(
                text, lambda kore: {k: v(kore) for k, v in names.items()},
                env={"PPROF_ALLOW": "any"}) as kore, \
                self.proxy(kore) as nginx:
            path = "/debug/pprof/profile?seconds=1"
            self.assertEqual(self.get(nginx, path).status, 403)
            answer = self.get(nginx, path, TOKEN)
            self.assertEqual(answer.status, 200)
            self.pprof.raw(answer.body)


if __name__ == "__main__":
    main()
