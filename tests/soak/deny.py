"""
Deny: each system call that the product can do without is refused in turn, in
workers, in the collector, or everywhere from the start.

Which: the rules of middleware/kore/start/sandbox_rules.h, the table of
middleware/core/collector/confine.c, and START_MORE, so that a new row is here
by itself. Truth, for each: the application answers and nobody crashes; what the
product can no longer do is told by the doctor or in the log, and all else
works. Where Kore alone does not start either, the call is none of ours.
"""
import concurrent.futures
import errno
import http.client
import json
import os
import re
import shutil
import subprocess

import harness
import load
import web
from case import Later
from limits import INCLUDE
from profiles import Pprof
from scenario import DEBUG, expect, module

CORE = os.path.join(harness.TOP, "middleware")
RULES = os.path.join(CORE, "kore", "start", "sandbox_rules.h")
TABLE = os.path.join(CORE, "core", "collector", "sandbox.c")
# Used before the first worker and by nobody later; ":4" means PROT_EXEC only.
START_MORE = ("memfd_create", "ftruncate", "close_range", "execve", "getppid",
              "readlink", "dup2", "clock_getres", "mprotect:4")
# The end of a program is no ability; glibc ends one whose first thread had rseq
# and whose next is refused it.
NOT_OPTIONAL = ("exit", "exit_group", "rseq")
# The dynamic linker ends by SIGSEGV without it, before our first line: refused
# from the collector's sandbox on.
LOADER = ("mmap", "mmap+brk")
# Its answer is an address, never an error: glibc takes 0 for a refusal, and an
# error for a very high end of the heap.
NO_ERROR = ("brk",)
# In the collector: log lines are written by it, so that only answers can tell.
SILENT = ("write",)
# Kore makes a socket pair for each task's thread, and ends without.
TASKLESS = ("socketpair",)
ROUTES = ["/ page_index", "/work page_work", "/write page_write",
          "/burn burn_a", "/task page_task", "/who page_who"]
# Findings of a busy machine, which say nothing of a refusal.
EVERYWHERE = ("symbols", "handler", "rate_above_tick", "cpu_accounts",
              "samples_stackless", "timer_overruns", "collector_cpu")
AT_ONCE = 4
PATIENCE_S = 5


def rules():
    with open(RULES) as file:
        names = re.findall(r"^\tX\((\w+), ALWAYS", file.read(), re.M)
    expect(len(names) > 15, "found %d rules in %s", len(names), RULES)
    return [name for name in names if name not in NOT_OPTIONAL]


def table():
    with open(TABLE) as file:
        text = re.sub(r"#ifdef PP_SANITIZED.*?#endif", "", file.read(),
                      flags=re.S)
    names = re.findall(r"^\t\{ SYS_(\w+),", text, re.M)
    expect(len(names) > 30, "found %d calls in %s", len(names), TABLE)
    return [name for name in names if name not in NOT_OPTIONAL]


def numbers():
    """Name -> number, by the compiler."""
    text = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h",
                           "-x", "c", os.devnull], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    return {name: int(number) for name, number in
            re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.M)}


class Tools:
    """Compiled once."""

    def __init__(self):
        self.dir = harness.new_dir()
        self.preload = harness.compile_module(
            module("deny.c"), os.path.join(self.dir, "deny.so"))
        self.program = os.path.join(self.dir, "deny")
        subprocess.run(["cc", "-Wall", "-Werror", "-DPROGRAM", "-o",
                        self.program, module("deny.c")], check=True)
        self.limits = harness.compile_module(
            module("limits.c"), os.path.join(self.dir, "limits.so"),
            [INCLUDE, "-D_GNU_SOURCE", '-DDISK="/dev/null"'])
        self.workload = harness.compile_module(
            "workload.c", os.path.join(self.dir, "workload.so"))
        self.numbers, self.pprof = numbers(), Pprof()

    def close(self):
        self.pprof.close()
        shutil.rmtree(self.dir)


class Refused(harness.Service):
    """Where stat is refused, a descriptor is not known to be what it is."""

    def violations(self):
        return self.log("sandbox violation") + self.log("seccomp violation")


class Refusal:
    """One call, or several joined by "+", refused in one place."""

    def __init__(self, tools, place, call, error):
        self.tools, self.place, self.call = tools, place, call
        self.error = error
        self.deny = " ".join(self.one(each) for each in call.split("+"))

    def one(self, call):
        name, _, bits = call.partition(":")
        return "%d:%d:%s" % (
            self.tools.numbers[name],
            0 if name in NO_ERROR else getattr(errno, self.error), bits or "0")

    def __str__(self):
        return "%s %s in %s" % (self.call, self.error, self.place)

    def service(self, profiled=True):
        env = {"PPROF_HEAP_RATE": "1", "PPROF_SOAK_DENY": self.deny,
               "PPROF_SOAK_AT": self.place,
               "PPROF_LISTEN": "unix:%s/%s.listener" % (self.tools.dir,
                                                    id(self))}
        self.listener = env["PPROF_LISTEN"][5:]
        preload = self.tools.preload
        if self.place == "collector":
            env["PPROF_SOAK_PROGRAM"] = harness.COLLECTOR
            env["PPROF_COLLECTOR"] = self.tools.program
            if self.call in LOADER:
                env["PPROF_SOAK_PRELOAD"] = preload
            preload = None
        modules = [self.tools.limits, self.tools.workload]
        return Refused(
            modules + ([harness.PPROF] if profiled else []), ROUTES, env=env,
            workers=1, preload=preload, collector_missing=True)

    def kore_alone_fails(self):
        """Whether Kore does not start under this either."""
        kore = self.service(False)
        try:
            kore.launch()
            harness.wait_for("it", 5, lambda: kore.process.poll() is not None
                             or kore.worker_pids())
            return kore.process.poll() is not None
        finally:
            kore.destroy()

    def run(self):
        """(what does not work, what was told)"""
        kore = self.service()
        try:
            kore.start()
        except harness.Broken as broken:
            kore.destroy()
            expect(self.place == "start" and self.kore_alone_fails(),
                   "%s: the service does not start: %s", self, broken)
            return None, None
        with Entered(kore):
            broken = self.abilities(kore)
            told = self.told(kore)
            if broken and not told:
                told = self.told_later(kore)
            expect(kore.get("/work").status == 200, "%s: /work", self)
            crash = kore.log("collector gone (signal")
            expect(not crash, "%s: the collector crashed: %s", self, crash)
        return broken, told

    def abilities(self, kore):
        """Those that do not work, and how they failed."""
        failed = {}
        taskless = self.call in TASKLESS
        if not taskless:
            expect(kore.get("/task").status == 200, "%s: /task", self)
        with load.Driver(kore, ["/burn"], seconds=20):
            # Alone: a rate above the tick would be everybody's clock.
            failed["cpu"] = self.able("cpu", kore)
            slow = {name: Later(self.able, name, kore)
                    for name in ("fast", "trace")}
            for name in ("allocs", "symbol", "write", "goroutine"):
                if name != "goroutine" or not taskless:
                    failed[name] = self.able(name, kore)
            for name, later in slow.items():
                failed[name] = later.result()
        failed["listener"] = self.able("listener", kore)
        return {name: why for name, why in failed.items() if why}

    def excused(self, broken):
        if self.place != "collector" or self.call not in SILENT:
            return False
        return all("the collector has no room" in why or name in
                   ("listener", "write") for name, why in broken.items())

    def able(self, name, kore):
        """None, or why not."""
        try:
            return getattr(self, "able_" + name)(kore)
        except (OSError, http.client.HTTPException, AssertionError) as error:
            return repr(error)[:200]

    def profile(self, kore, query):
        answer = kore.get(DEBUG + "/profile?seconds=1&" + query,
                          timeout=PATIENCE_S)
        if answer.status != 200:
            return "%d %s" % (answer.status, answer.text)
        raw = self.tools.pprof.raw(answer.body)
        burnt = [s for s in raw.samples if s.has("workload_alpha")]
        if not any(s.has("http_process") for s in burnt):
            return "%d samples of the handler, none with its callers" % len(
                burnt)
        return None

    def able_cpu(self, kore):
        return self.profile(kore, "hz=100")

    def able_fast(self, kore):
        return self.profile(kore, "hz=1000")

    def able_trace(self, kore):
        answer = kore.get(DEBUG + "/trace?seconds=1", timeout=PATIENCE_S)
        return None if answer.status == 200 and len(answer.body) > 1000 else \
            repr(answer)

    def able_goroutine(self, kore):
        # Threads are asked for theirs by a signal each; task threads wait.
        for _ in range(3):  # one that got no core in 100 ms is not there
            answer = kore.get(DEBUG + "/goroutine?debug=2",
                              timeout=PATIENCE_S)
            if answer.status == 200 and "pp_kore_task_cond_wait" in answer.text:
                return None
            if "not answering" not in answer.text:
                break
        return repr(answer)

    def able_allocs(self, kore):
        for _ in range(3):
            kore.get("/work")
        answer = kore.get(DEBUG + "/allocs", timeout=PATIENCE_S)
        if answer.status != 200:
            return "%d %s" % (answer.status, answer.text)
        raw = self.tools.pprof.raw(answer.body)
        seen = sum(s.values[0] for s in raw.samples
                   if s.has("limits_allocates") and s.route == "/work")
        return None if seen == 30 else "%d objects of 30" % seen

    def able_symbol(self, kore):
        answer = kore.ask("POST", DEBUG + "/symbol", body=b"0x10",
                          timeout=PATIENCE_S)
        return None if answer.status == 200 and "num_symbols" in \
            answer.text else repr(answer)

    def able_write(self, kore):
        text = kore.get("/write?disk", timeout=20).text
        return None if text == "0" else text

    def able_listener(self, kore):
        answer = web.unix_get(self.listener, DEBUG + "/heap", PATIENCE_S)
        return None if answer.status == 200 else repr(answer)

    def told_later(self, kore):
        """The answer may be here before the line."""
        try:
            return harness.wait_for("a line", 1, lambda: self.told(kore))
        except harness.Broken:
            return []

    def told(self, kore):
        """Lines of the log, and findings that are not ok."""
        lines = [line for line in kore.lines if "pprof" in line
                 and "event loop" not in line]  # a stall, of a busy machine
        try:
            answer = web.unix_get(self.listener, DEBUG + "/doctor?format=json",
                                  PATIENCE_S)
        except (OSError, http.client.HTTPException):
            return lines
        if answer.status == 200:
            lines += ["doctor: %s: %s" % (f["name"], f["sentence"])
                      for f in json.loads(answer.text)["findings"]
                      if f["verdict"] != "ok"
                      and f["name"] not in EVERYWHERE]
        return lines


class Entered:
    """A service that was started already."""

    def __init__(self, kore):
        self.kore = kore

    def __enter__(self):
        return self.kore

    def __exit__(self, *error):
        return self.kore.__exit__(*error)


def cases(tools, short):
    """The short form: rules in workers, and what is used at the start."""
    for call in rules():
        yield Refusal(tools, "worker", call, "EPERM")
    for call in START_MORE:
        yield Refusal(tools, "start", call, "EPERM")
    if short:
        return
    for call in rules():
        yield Refusal(tools, "worker", call, "ENOSYS")
        yield Refusal(tools, "start", call, "EPERM")
    for call in table():
        yield Refusal(tools, "collector", call, "EPERM")
    # malloc() lives by either; without both it returns NULL.
    yield Refusal(tools, "collector", "mmap+brk", "ENOMEM")


def run(seconds, short):
    tools = Tools()
    whole = degraded = foreign = 0
    silent = []
    try:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            asked = list(cases(tools, short))
            for case, (broken, told) in zip(asked, pool.map(
                    lambda case: case.run(), asked)):
                if os.environ.get("SOAK_TELL"):
                    print("   ", case, broken, told, flush=True)
                if broken is None:
                    foreign += 1
                    continue
                if broken and not told and not case.excused(broken):
                    silent.append("%s: %s" % (case, broken))
                degraded += bool(broken)
                whole += not broken
        expect(not silent, "nobody is told of %s", "; ".join(silent))
        return "%d refusals: %d cost nothing, %d cost something and are " \
            "told, in %d Kore itself does not start" % (
                len(asked), whole, degraded, foreign)
    finally:
        tools.close()
