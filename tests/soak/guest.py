"""
Guest: an application with everything at once that profilers have broken:
small stacks of each kind, threads that are many, short or asleep, plug-ins with
an allocator of their own, libraries that come and go while memory is mapped,
SIGPROF of its own, waits with each kind of limit. It runs twice at the same
time, with the module under profiles of 1000 Hz without a gap, dumps and traces,
and without it.

Truth: the same answers, no call that ends early, no worker that ends; neither
timers nor signals are left, nothing grows. What grows in the application by
itself grows in both.
"""
import collections
import os
import re
import shutil
import threading
import time

import harness
import web
from libraries import Libraries
from scenario import Growth, Repeat, expect, module
from test_guest_limits import NEAR_MS, SHORT
from test_guest_objects import FREESTANDING, LAZY, NOW
from test_guest_signals import CASES
from test_guest_stacks import CALLS, OURS
from test_guest_threads import signals_wait, threads, timers

MODULES = ("depths", "crowd", "guest_signals", "limits", "libraries")
ROUTES = ["/ page_ok", "/alternate page_alternate", "/thread page_thread",
          "/coroutine page_coroutine", "/sleepers page_sleepers",
          "/short page_short", "/kind page_kind", "/case page_case",
          "/begin page_begin", "/handler page_handler",
          "/result page_result", "/whole page_whole", "/call page_call",
          "/waiting page_begin_waiting", "/on page_on", "/off page_off"]
SLEEPERS = 100
# A process has other threads here, which may take what is sent to the process
# while its first thread has blocked it.
ALONE_ONLY = ("taken",)
# What another program's use of the processor can make of an answer.
TRIES = 3
# Between two turns of a client: two services share the machine.
PAUSE_S = 0.2
LONG_S, SHORT_S = 30, 5
# From so many rounds on, a call that was late or early each time is so, and
# what goes on growing can be told.
MANY = 6


def compiled(folder):
    """The modules, each with names of its own where all have the same."""
    paths = []
    for name in MODULES:
        flags = ["-Dkore_seccomp_hook=%s_rules" % name,
                 "-D_scfilt=%s_filter" % name]
        if name == "limits":  # crowd.c has one of this name, too
            flags.append("-Dpage_short=page_whole")
        paths.append(harness.compile_module(
            name + ".c", os.path.join(folder, name + ".so"), flags))
    paths.append(harness.compile_module(
        module("guest.c"), os.path.join(folder, "guest.so")))
    return paths


class Answers:
    """What was answered, by what was asked: how often each, and the least
    time of each call that has a limit."""

    def __init__(self):
        self.given = collections.defaultdict(collections.Counter)
        self.ms = {}

    def add(self, what, text):
        self.given[what][text] += 1

    def add_times(self, place, text):
        for line in text.splitlines():
            name, result, error, ms = line.split()
            key = "%s in a %s" % (name, place)
            self.add(key, result + " " + error)
            self.ms[key] = min(float(ms), self.ms.get(key, 1e9))

    def differs(self, alone, timed):
        """From the same application's without the module, as sentences.
        `timed`: the machine had time enough for each call, at least once."""
        found = []
        for what, given in self.given.items():
            wanted = alone.given[what]
            if set(given) - set(wanted):
                found.append("%s: %s, alone %s" % (
                    what, dict(given), dict(wanted)))
        for what, ms in self.ms.items():
            if timed and abs(ms - alone.ms[what]) > NEAR_MS:
                found.append("%s: %.1f ms, alone %.1f" % (
                    what, ms, alone.ms[what]))
        return found

    def count(self):
        return sum(sum(given.values()) for given in self.given.values())


class Application:
    """One of both, with a client that goes through all of it, round by
    round."""

    def __init__(self, paths, ours, short):
        self.port = harness.free_port()
        self.kore = Libraries(ours, modules=paths, settings=["task_threads 2"],
                              env={"PPROF_LISTEN":
                                   "127.0.0.1:%d" % self.port})
        self.kore.domains = {"*": ROUTES}
        self.short, self.answers, self.rounds = short, Answers(), 0
        self.growth = Growth(self.kore)

    def begin(self):
        kore = self.kore
        self.libraries = [
            (kore.library("plug.so", module("plug.c")), "M", "plug_twice")]
        for name, flags in (("lazy", LAZY), ("now", NOW)):
            path = kore.library("own_%s.so" % name, "own_malloc.c",
                                *FREESTANDING, *flags)
            self.libraries += [(path, how, "go") for how in (
                "d", "kd", "ld", "M")]
        self.ask("/sleepers?n=%d" % SLEEPERS, lambda text: "asleep")
        self.ask("/waiting")

    def get(self, path):
        answer = self.kore.get(path, timeout=120)
        expect(answer.status == 200, "%s: %r", path, answer)
        return answer.text

    def ask(self, path, said=str, wanted=None):
        """`said` makes of an answer what has to be the same."""
        for _ in range(TRIES):
            text = said(self.get(path))
            if wanted is None or re.match(wanted, text):
                break
        self.answers.add(path, text)

    def ask_libraries(self):
        for path, how, function in self.libraries:
            text = self.kore.call(path, how, function, n=21, times=20)
            self.answers.add("%s %s" % (os.path.basename(path), how), text)

    def ask_threads(self):
        self.ask("/short?n=100&us=300", lambda text: str(
            int(text) >= 100 * 300000))
        self.ask("/kind?c11.blocked.keyed&ms=5", lambda text: str(
            int(text) >= 3 * 5000000))

    def ask_stacks(self):
        def within(text):
            used, frame = map(int, re.match(
                r"used (\d+) frame (\d+)", text).groups())
            return "within" if used - frame <= OURS else text

        for path in ("/alternate", "/thread", "/coroutine"):
            self.ask(path + "?ms=100", within)
        for call in CALLS:
            self.ask("/coroutine?size=65536&ms=1&do=" + call,
                     lambda text: "done" if text.startswith("used") else text)

    def beside_limits(self):
        """A task and a thread make all calls that have a limit, while the
        handlers work."""
        self.ask("/begin")
        self.ask("/whole", wanted=SHORT)
        done = "wait\n"
        while done == "wait\n":
            self.ask_libraries()
            self.ask_threads()
            time.sleep(PAUSE_S)
            done = self.get("/result")
        for place, text in zip(("task", "thread"), done.split("--\n")):
            self.answers.add_times(place, text)

    def round(self):
        self.beside_limits()
        if not self.short:
            self.answers.add_times("handler", self.get("/handler"))
        self.ask("/on")
        self.ask_stacks()
        self.ask_libraries()
        self.ask_threads()
        self.ask("/off")
        for name in CASES:
            if name not in ALONE_ONLY:
                self.ask("/case?" + name, wanted=(
                    "many" if name in ("itimer", "timer") else None))
        self.growth.look()
        self.rounds += 1


class Disturbances:
    """Profiles of 1000 Hz, of which the next begins before one ends; a dump
    each second; a trace now and then. By the listener, which always answers."""

    def __init__(self, port, seconds):
        self.port, self.seconds = port, seconds
        self.running = [Repeat(self.profile)]
        time.sleep(seconds / 2)
        self.running += [Repeat(self.profile), Repeat(self.dump, 1),
                         Repeat(self.trace, seconds)]

    def get(self, path):
        answer = web.get("127.0.0.1", self.port, "/debug/pprof/" + path,
                         timeout=self.seconds + 60)
        expect(answer.status == 200, "%s: %r", path, answer)
        return answer

    def profile(self):
        self.get("profile?seconds=%d&hz=1000" % self.seconds)

    def dump(self):
        self.get("goroutine?debug=2")

    def trace(self):
        self.get("trace?seconds=3")

    def finish(self):
        for one in self.running:
            one.finish()
        first, second, dumps, traces = (one.count for one in self.running)
        return "%d profiles, %d dumps, %d traces" % (
            first + second, dumps, traces)


def left_behind(kore):
    pid = kore.worker_pids()[1]
    # A thread has at most two: by its CPU clock, and above the tick.
    expect(timers(pid) <= 2 * threads(pid), "%d timers of %d threads",
           timers(pid), threads(pid))
    expect(signals_wait(pid) == 0, "a signal waits to be taken")
    return "%d threads, %d timers" % (threads(pid), timers(pid))


def both(paths, seconds, short):
    alone, beside = (Application(paths, ours, short)
                     for ours in (False, True))
    end = time.monotonic() + (0 if short else seconds)

    def rounds(one, failed):
        try:
            one.begin()
            one.round()
            while time.monotonic() < end and not failed:
                one.round()
        except BaseException as error:  # raised again below
            failed.append(error)

    with alone.kore, beside.kore:
        disturbed = Disturbances(beside.port, SHORT_S if short else LONG_S)
        failed = []
        clients = [threading.Thread(target=rounds, args=(one, failed))
                   for one in (alone, beside)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        for error in failed:
            raise error
        told = disturbed.finish()
        many = min(alone.rounds, beside.rounds) >= MANY
        differ = beside.answers.differs(alone.answers, timed=many)
        expect(not differ, "answers differ: %s", "; ".join(differ))
        told += ", " + left_behind(beside.kore)
        if many:
            told += "; " + beside.growth.judge()
        return "%d answers in %d rounds (alone %d), %d calls with a limit, " \
            "all the same; %s" % (
                beside.answers.count(), beside.rounds, alone.rounds,
                len(beside.answers.ms), told)


def run(seconds, short):
    folder = harness.new_dir()
    try:
        return both(compiled(folder), seconds, short)
    finally:
        shutil.rmtree(folder)
