"""
What the scenarios share: a service's processes measured, load that is counted,
and the rule by which something has stopped growing.

Not a scenario. Rule: every check says what it saw and what would have been
right.
"""
import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import harness  # noqa: E402
import load  # noqa: E402

DEBUG = "/debug/pprof"
# So much more than a third of the time before may be in use, for each kind,
# and still count as no growth.
ROOM = {"fds": 8, "maps": 64, "rss_kb": 4096}


def module(name):
    return os.path.join(HERE, "modules", name)


def expect(true, text, *values):
    if not true:
        raise AssertionError(text % values if values else text)


def near(value, wanted, part, what):
    expect(abs(value - wanted) <= part * abs(wanted),
           "%s: %.6g, expected %.6g within %g%%", what, value, wanted,
           part * 100)


def measure(pid):
    """What a process has: descriptors, mappings, memory. {} when gone."""
    try:
        with open("/proc/%d/maps" % pid) as file:
            maps = sum(1 for _ in file)
        with open("/proc/%d/status" % pid) as file:
            rss = [int(line.split()[1]) for line in file
                   if line.startswith("VmRSS:")]
        return {"fds": len(os.listdir("/proc/%d/fd" % pid)), "maps": maps,
                "rss_kb": rss[0]}
    except (OSError, IndexError):
        return {}


def findings(kore):
    """Name -> (verdict, sentence), of the doctor."""
    answer = kore.get(DEBUG + "/doctor?format=json")
    expect(answer.status == 200, "the doctor: %r", answer)
    return {f["name"]: (f["verdict"], f["sentence"])
            for f in json.loads(answer.text)["findings"]}


def processes(kore):
    """Name -> pid: parent, worker 1.., collector."""
    found = {"parent": kore.process.pid, "collector": kore.find_collector()}
    for number, pid in kore.worker_pids().items():
        found["worker %d" % number] = pid
    return {name: pid for name, pid in found.items() if pid}


class Growth:
    """Readings over the time of a scenario, and whether they go on growing.
    Where processes are replaced, readings of their names are compared."""

    def __init__(self, kore):
        self.kore, self.readings = kore, []

    def look(self, times=1):
        """More than once where a turn is all there is to see."""
        for _ in range(times):
            self.one()

    def one(self):
        self.readings.append({name: measure(pid) for name, pid
                              in processes(self.kore).items()})

    def highest(self, name, kind, readings):
        return max((r[name][kind] for r in readings
                    if r.get(name, {}).get(kind) is not None), default=None)

    def judge(self):
        """Of three thirds, the last may not be above the second."""
        expect(len(self.readings) >= 6, "only %d readings",
               len(self.readings))
        third = len(self.readings) // 3
        before = self.readings[third:2 * third]
        after = self.readings[2 * third:]
        told = []
        for name in sorted(self.readings[-1]):
            for kind, room in ROOM.items():
                was = self.highest(name, kind, before)
                now = self.highest(name, kind, after)
                if was is None or now is None:
                    continue
                expect(now <= was + room,
                       "%s: %s grow without end: at most %d in the second "
                       "third of the time, %d in the last; all: %s", name,
                       kind, was, now,
                       [r.get(name, {}).get(kind) for r in self.readings])
                told.append("%d" % now)
            told[-3:] = ["%s %s" % (name.replace("worker ", "w"),
                                    "/".join(told[-3:]))]
        return "fds/maps/KiB: " + ", ".join(told)


class Batches(threading.Thread):
    """ab again and again until told to stop: how many were answered. One that
    ends otherwise than by 200 is lost."""

    def __init__(self, kore, path, requests=200, clients=4, patient=False):
        super().__init__(daemon=True)
        self.kore, self.path = kore, path
        self.requests, self.clients = requests, clients
        self.answered = self.lost = 0
        self.patient = patient  # connections may break: counted, no failure
        self.failure = None
        self.stopping = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.batch()
        except BaseException as error:  # raised again in finish()
            self.failure = error

    def batch(self):
        try:
            result = load.Ab(self.kore, self.path, self.requests,
                             self.clients).wait()
        except AssertionError:
            if not self.patient:
                raise
            self.lost += 1
            time.sleep(0.05)
            return
        lost = result["failed"] + result["non2xx"] + result["write errors"]
        self.answered += result["complete"] - lost
        self.lost += lost

    def finish(self):
        self.stopping.set()
        self.join(180)
        expect(not self.is_alive(), "the load on %s does not end", self.path)
        if self.failure:
            raise self.failure
        return self


class Repeat(threading.Thread):
    """A call again and again until told to stop; its failure is raised in
    finish()."""

    def __init__(self, call, pause=0.0):
        super().__init__(daemon=True)
        self.call, self.pause = call, pause
        self.count, self.failure = 0, None
        self.stopping = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.call()
                self.count += 1
                self.stopping.wait(self.pause)
        except BaseException as error:  # raised again in finish()
            self.failure = error

    def finish(self):
        self.stopping.set()
        self.join(180)
        expect(not self.is_alive(), "a call does not end")
        if self.failure:
            raise self.failure
        return self


def inside(kore, path):
    """Where a file of the service's folder lies for its workers."""
    return kore.root + path


def both_places(kore, built, path):
    """Install a file where the parent and where the workers find it."""
    for place in (path, inside(kore, path)):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(built, "rb") as source, open(place + ".next", "wb") as out:
            out.write(source.read())
        os.chmod(place + ".next", 0o755)
        os.replace(place + ".next", place)
