"""
The real `go tool trace`: its pages and its four profiles of one file.

Not a test.
"""
import concurrent.futures
import contextlib
import html
import os
import re
import shutil
import signal
import subprocess
import tempfile

import harness
import web

PAGES = ["/", "/trace", "/jsontrace", "/goroutines", "/usertasks",
         "/userregions", "/io", "/block", "/syscall", "/sched", "/mmu"]
# Drawn by graphviz.
DRAWN = {"/io": "net", "/block": "sync", "/syscall": "syscall",
         "/sched": "sched"}
LISTS = ["/goroutines", "/usertasks", "/userregions"]
LINKS = 8  # that are followed of each list


class GoTrace:
    """with GoTrace(data) as go: go.get("/goroutines")"""

    def __init__(self, data):
        self.dir = tempfile.mkdtemp(prefix="kore-pprof-gotrace-")
        self.file = os.path.join(self.dir, "trace")
        with open(self.file, "wb") as file:
            file.write(data)
        self.env = dict(os.environ, **harness.GO_CACHE, HOME=self.dir,
                        BROWSER="true")

    def __enter__(self):
        self.port = harness.free_port()
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.server = subprocess.Popen(
            [*harness.go_tool("trace"), "-http=127.0.0.1:%d" % self.port,
             self.file], env=self.env, stdout=self.log, stderr=self.log,
            start_new_session=True)
        try:
            harness.wait_for("go tool trace", 60, self._up)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):  # it has ended itself
            os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.log.close()
        shutil.rmtree(self.dir)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def _up(self):
        if self.server.poll() is not None:
            raise AssertionError("go tool trace ended:\n" + self.said())
        try:
            return web.get("127.0.0.1", self.port, "/", timeout=5).status == 200
        except OSError:
            return False

    def get(self, page):
        answer = web.get("127.0.0.1", self.port, page, timeout=60)
        if self.server.poll() is not None:
            raise AssertionError("go tool trace died of %s:\n%s" % (
                page, self.said()))
        return answer

    def all_pages(self):
        """Text by page; each must be answered well."""
        texts = {}
        for page in PAGES:
            answer = self.get(page)
            if answer.status != 200 or not answer.body:
                raise AssertionError("%s: %s %s\n%s" % (
                    page, answer.status, answer.text[:300], self.said()))
            texts[page] = answer.text
        return texts

    def linked(self):
        """The same of what the lists link to: one goroutine's, one task's,
        one region's."""
        sizes = {}
        for page in LISTS:
            links = re.findall(r"""href=["']?(/[^"'> ]+)""",
                               self.get(page).text)
            for link in dict.fromkeys(map(html.unescape, links[:LINKS])):
                answer = self.get(link)
                if answer.status != 200 or not answer.body:
                    raise AssertionError("%s: %s %s" % (
                        link, answer.status, answer.text[:300]))
                sizes[link] = len(answer.text)
        return sizes

    def everything(self):
        """All pages, and the four profiles as files."""
        texts = self.all_pages()
        sizes = {page: len(text) for page, text in texts.items()}
        sizes.update(self.linked())
        with concurrent.futures.ThreadPoolExecutor(len(DRAWN)) as pool:
            profiles = dict(zip(DRAWN, pool.map(self.profile, DRAWN.values())))
        for page, sums in profiles.items():
            self.drawn(page, html.unescape(texts[page]), sums)
        return sizes

    def drawn(self, page, text, sums):
        """The page of a profile has a graph, in which what took longest is
        named."""
        if not sums:
            return
        longest = max(sums, key=lambda leaf: sums[leaf][1])
        if "<svg" not in text or longest not in text:
            raise AssertionError("%s has no %s: %s" % (
                page, longest, text[:300]))

    def goroutines(self):
        """{name: how many}: a list in Go 1.19, a table in 1.27."""
        return {name.strip(): int(count) for name, count in re.findall(
            r"<a[^>]*>\s*([^<]*?)\s*</a>"
            r"(?:\s*N=|</code></td>\s*<td>)(\d+)",
            self.get("/goroutines").text)}

    def tasks(self):
        """{type: how many}, of user tasks."""
        text = re.sub(r"<[^>]*>", " ", self.get("/usertasks").text)
        found = {}
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        for name, count in zip(lines, lines[1:]):
            if count.isdigit() and not name[0].isdigit():
                found[name] = int(count)
        return found

    def profile(self, kind):
        """What the profile of that kind holds, as `pprof -raw` says it:
        {leaf function: (count, ns)}"""
        path = os.path.join(self.dir, kind)
        with open(path, "wb") as file:
            subprocess.run([*harness.go_tool("trace"), "-pprof=" + kind,
                            self.file], env=self.env, stdout=file, check=True,
                           timeout=120)
        raw = subprocess.run(
            [*harness.go_tool("pprof"), "-symbolize=none", "-raw", path],
            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            check=True, timeout=120).stdout.decode()
        names = {int(i): name for i, name in re.findall(
            r"^ +(\d+): 0x[0-9a-f]+ M=\d+ (.*?) [^ ]*:-?\d+ s=", raw, re.M)}
        sums = {}
        for count, ns, stack in re.findall(
                r"^ +(\d+) +(\d+): ([\d ]+)$", raw, re.M):
            leaf = names[int(stack.split()[0])]
            before = sums.get(leaf, (0, 0))
            sums[leaf] = (before[0] + int(count), before[1] + int(ns))
        return sums
