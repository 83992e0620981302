"""
What the scenarios of limits share: the service that is brought to them, and
what has to be true while they last and when they are lifted.

Not a scenario. Rule: at a limit an answer is 200, or an error with a sentence;
the application's own requests are answered all along; nothing that was counted
before is lost after.
"""
import http.client
import os
import subprocess
import time

import harness
from case import Later
from scenario import DEBUG, expect, module

OBJECTS = 10  # of limits.c
INCLUDE = "-I" + os.path.join(harness.TOP, "middleware", "include")
ROUTES = ["/ page_index", "/work page_work", "/write page_write"]
# As prlimit(1) and as /proc/PID/limits call them.
LIMITS = {"nofile": "Max open files", "as": "Max address space",
          "fsize": "Max file size"}
REASONS = ("memory", "descriptor", "socket", "the collector ended",
           "handed over: File too large")
ENDPOINTS = ("heap", "allocs?format=svg", "goroutine?debug=2",
             "profile?seconds=1", "profile?seconds=1&hz=1000",
             "trace?seconds=1", "routes", "doctor", "")


def service(disk=None, **more):
    kore = harness.Service([harness.PPROF], ROUTES,
                           env={"PPROF_HEAP_RATE": "1"}, **more)
    out = os.path.join(kore.dir, "limits.so")
    harness.compile_module(module("limits.c"), out, [
        INCLUDE, "-D_GNU_SOURCE",
        '-DDISK="%s"' % (disk or os.path.join(kore.dir, "disk"))])
    kore.modules.insert(0, (out, None))
    return kore


def turns(seconds):
    """Two in the short form; a turn takes some four seconds."""
    return max(2, int(seconds / 4))


def work(kore, count):
    with kore.connect() as connection:
        for _ in range(count):
            expect(connection.get("/work").status == 200, "/work is lost")
    return count


def check_counted(kore, pprof, requests):
    seen = counted(kore, pprof)
    expect(seen == requests * OBJECTS, "%d objects allocated by %d requests",
           seen, requests)
    return seen


def counted(kore, pprof):
    """Objects that allocs has of the application."""
    answer = kore.get(DEBUG + "/allocs")
    expect(answer.status == 200, "allocs: %r", answer)
    return sum(s.values[0] for s in pprof.raw(answer.body).samples
               if s.has("limits_allocates"))


def ask(kore, path):
    try:
        return kore.get(DEBUG + "/" + path)
    except (OSError, http.client.HTTPException) as error:
        raise AssertionError("%s: no answer: %r" % (path, error))


def everything(kore):
    """Every endpoint once, those that take a second at the same time."""
    slow = {path: Later(ask, kore, path) for path in ENDPOINTS
            if "seconds" in path}
    found = {path: ask(kore, path) for path in ENDPOINTS if path not in slow}
    found.update((path, later.result()) for path, later in slow.items())
    return found


def ask_all(kore, answers):
    """Each is 200, or an error with a sentence."""
    for path, answer in everything(kore).items():
        sentence = ""
        if answer.status != 200:
            sentence = answer.body.decode(errors="replace").strip()
            expect(answer.status in (500, 502, 503) and any(
                word in sentence for word in REASONS),
                   "%s: %d without a reason: %r", path, answer.status,
                   sentence)
        key = (answer.status, sentence)
        answers[key] = answers.get(key, 0) + 1
    return answers


def told(answers):
    good = answers.get((200, ""), 0)
    bad = ["%d \"%s\"" % key for key in sorted(answers) if key[0] != 200]
    return "%d answers, %d errors (%s)" % (
        good, sum(answers.values()) - good, "; ".join(bad))


def wait_well(kore, seconds=30):
    """Every endpoint is 200 again."""
    def well():
        try:
            return all(answer.status == 200
                       for answer in everything(kore).values())
        except AssertionError:
            return False

    begun = time.monotonic()
    harness.wait_for("every endpoint", seconds, well)
    return time.monotonic() - begun


def limit(pid, what):
    """The soft one, as text."""
    with open("/proc/%d/limits" % pid) as file:
        row = next(line for line in file if line.startswith(LIMITS[what]))
    return row[len(LIMITS[what]):].split()[0]


class Limited:
    """A limit of another process, for a while: soft only. Set as its user,
    which needs no right that a container may lack."""

    def __init__(self, pid, what, value):
        self.pid, self.what, self.value = pid, what, value

    def set(self, value, check=True):
        facts = os.stat("/proc/%d" % self.pid)
        done = subprocess.run(
            ["prlimit", "--pid", str(self.pid), "--%s=%s:" % (
                self.what, value)], user=facts.st_uid, group=facts.st_gid,
            extra_groups=[], stderr=subprocess.PIPE)
        expect(done.returncode == 0 or not check, "prlimit: %s",
               done.stderr.decode())

    def __enter__(self):
        self.was = limit(self.pid, self.what)
        self.set(self.value)
        return self

    def __exit__(self, *_):
        if harness.alive(self.pid):
            self.set(self.was, check=False)


class SmallDisk:
    """A tmpfs of 64 KiB; .path is None where nothing may be mounted."""

    def __init__(self):
        self.dir = harness.new_dir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k",
                               "tmpfs", self.dir], stderr=subprocess.PIPE)
        self.path = os.path.join(self.dir, "f") if not done.returncode \
            else None

    def close(self):
        if self.path:
            subprocess.run(["umount", "-l", self.dir], check=True)
        os.rmdir(self.dir)
