"""
What the tests of the pages share: the sample application under ab, and a real
Chromium that does what a script of tests/browser says.

Not a test.
"""
import json
import os
import subprocess
import threading
import time

import harness
from case import Case
from load import Ab

APP = (os.path.join(harness.TOP, "kore_app", "kore_app.so"), "kore_app_load")
ROUTES = ["/ page_index", "/fib/ page_fib", "/concat/ page_concat"]
PAGES = os.path.join(harness.TOP, "tests", "browser")
DEPS = os.path.join(harness.BUILD, "browser")
LOAD = (("/fib/?n=50&type=recursive", 2), ("/concat/?str=kore&count=300", 1))


class Busy:
    """ab again and again until the end of the block. In between, each client
    rests twice as long as it worked, for the cores are the browser's, too; but
    never so long that a profile of a second has nothing in it."""
    REST_S = 0.25

    def __init__(self, service, paths=LOAD):
        self.service, self.done = service, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=pair)
                        for pair in paths]

    def run(self, path, clients):
        while not self.done.is_set():
            begun = time.monotonic()
            Ab(self.service, path, 50, clients).wait()
            self.done.wait(min(2 * (time.monotonic() - begun), self.REST_S))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(120)


class Pages(Case):
    """One service for all tests of a class."""
    modules, routes, env, workers = [APP], ROUTES, {}, 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kore = harness.Service(
            [*cls.modules, harness.PPROF], cls.routes, env={
                "PPROF_BLOCK_RATE": "1000", "PPROF_MUTEX_FRACTION": "1",
                **cls.env}, workers=cls.workers,
            settings=["worker_accept_threshold 1",
                      "worker_max_connections 512",
                      "worker_rlimit_nofiles 4096"]).start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.kore.finish()
        finally:
            cls.kore.destroy()
            super().tearDownClass()

    def browse(self, name, **given):
        """What tests/browser/NAME.mjs returns."""
        env = dict(os.environ, BROWSER_DEPS=DEPS,
                   SITE=self.kore.url("/debug/pprof/"))
        done = subprocess.run(
            ["node", os.path.join(PAGES, "run.mjs"), name, json.dumps(given)],
            env=env, timeout=120, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        return json.loads(text.splitlines()[-1])

    def made(self, kind):
        path = os.path.join(self.pprof.dir.name, kind + ".pb.gz")
        subprocess.run(["node", os.path.join(PAGES, "made.mjs"), kind, path],
                       check=True, timeout=60)
        return path
