"""
A real Kore for one test: made from a conf, started, watched, ended, judged.

Not a test, and no stand-in for any part of the product: what runs is
Debian's `kore` with build/pprof.so and the program that it starts.

    with Service(["workload.c", PPROF], routes=["/burn burn"]) as kore:
        answer = kore.get("/burn")

Rule: every service is judged at its end. A sandbox violation, a restart that
the test did not announce, a collector that was replaced or left behind, a
parent that does not end by itself: each fails the test that ran it.
"""
import contextlib
import errno
import functools
import hashlib
import os
import pty
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import web

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, os.environ.get("B", "build"))
PPROF = (os.path.join(BUILD, "pprof.so"), "pprof_load")
COLLECTOR = os.path.join(BUILD, "pprof-collector")
# Of tests/sanitize.mk: what a Kore whose pprof.so has a sanitizer in it must
# have loaded before.
SANITIZER = os.environ.get("PPROF_TEST_PRELOAD", "")
TICK = os.sysconf("SC_CLK_TCK")
# Newer toolchains build `go tool pprof` when it is first run: once for all
# tests, whatever home directory each gives it.
GO_CACHE = {"GOCACHE": os.path.join(BUILD, "go-cache")}
START_S = 20
STOP_S = 20


@functools.lru_cache(None)
def go_tool(name):
    """The command of the program that `go tool NAME` starts. The tests start it
    thousands of times, and `go` itself would look through its build cache each
    time, for half a second of CPU."""
    env = dict(os.environ, **GO_CACHE)
    said = [subprocess.run(["go", *args], env=env, stdout=subprocess.PIPE,
                           text=True, check=True).stdout.strip()
            for args in (["env", "GOROOT"], ["tool", "-n", name])]
    return ["env", "GOROOT=" + said[0], said[1]]


def _kore_42():
    """Kore 4.2 and later have routes and rights of their own grammar."""
    with open("/usr/include/kore/kore.h") as file:
        return "kore_route_create" in file.read()


KORE_42 = _kore_42()


class Broken(AssertionError):
    """The service did not do what every service must do."""


def wait_for(what, seconds, condition):
    """The condition's first true value, or Broken after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Broken("waited %d s in vain for %s" % (seconds, what))
        time.sleep(0.01)


def stat_fields(pid):
    """/proc/PID/stat as [comm, state, ppid, ...], or None when gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            text = file.read().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    comm, rest = text[text.index("(") + 1:].rsplit(")", 1)
    return [comm] + rest.split()


def alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[1] not in "ZX"


def cpu_seconds(pid):
    """utime + stime by the kernel's accounts; 0 for a process that is gone."""
    fields = stat_fields(pid)
    return (int(fields[12]) + int(fields[13])) / TICK if fields else 0.0


def processes(which):
    """(pid, name) of all that live, by their fields."""
    found = []
    for name in os.listdir("/proc"):
        fields = stat_fields(int(name)) if name.isdigit() else None
        if fields and fields[1] not in "ZX" and which(fields):
            found.append((int(name), fields[0]))
    return found


def children(parent):
    return processes(lambda fields: int(fields[2]) == parent)


def session(leader):
    """Processes of the session that it has begun."""
    return [pid for pid, _ in processes(
        lambda fields: int(fields[4]) == leader)]


def title(pid):
    """The command line, which for Kore's processes says what they are."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def free_port(host="127.0.0.1"):
    """Not of those that the kernel gives to clients: before it is used, a
    client of another test could have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket(family) as sock:
            try:
                sock.bind((host, port))
                return port
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise


@functools.lru_cache(None)
def _module_sources():
    """A hash of all that a module may include."""
    sums = hashlib.sha256()
    for top in ("middleware", "tests/integration/modules", "tests/soak"):
        for folder, _, names in sorted(os.walk(os.path.join(TOP, top))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    with open(os.path.join(folder, name), "rb") as file:
                        sums.update(name.encode() + b"\0" + file.read())
    return sums.digest()


def compile_module(source, out, flags=()):
    """Build a Kore module as an application's own Makefile would: once for
    each source and flags, for it is loaded hundreds of times."""
    path = source if "/" in source else os.path.join(HERE, "modules", source)
    command = ["c++" if path.endswith(".cc") else "cc", "-shared", "-fPIC",
               "-g", "-O1", "-Wall", "-Werror", "-I/usr/include",
               "-I/usr/include/postgresql", "-DKORE_USE_PGSQL",
               "-DKORE_USE_TASKS", *(["-DKORE_42"] if KORE_42 else []),
               *flags, path, "-lpthread"]
    with open(path, "rb") as file:
        name = hashlib.sha256(_module_sources() + repr(command).encode()
                              + file.read()).hexdigest()
    kept = os.path.join(BUILD, "modules", name + ".so")
    if not os.path.exists(kept):
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        making = "%s.%d" % (kept, threading.get_native_id())
        subprocess.run([*command, "-o", making], check=True)
        os.rename(making, kept)
    shutil.copy(kept, out)
    return out


def preloaded(path=None, with_ours=True):
    """What is loaded before kore, as a part of its environment."""
    paths = [each for each in (SANITIZER if with_ours else "", path) if each]
    return {"LD_PRELOAD": ":".join(paths)} if paths else {}


def new_dir():
    path = tempfile.mkdtemp(prefix="kore-pprof-test-")
    os.chmod(path, 0o755)
    return path


def rights_lines(root, process="worker"):
    """Where workers or the keymgr run, and as whom, as lines of a
    kore.conf."""
    if KORE_42:
        return ["privsep %s {" % process, "root " + root, "runas nobody", "}"]
    if process != "worker":
        return ["%s_root %s" % (process, root)]
    return ["root " + root, "runas nobody"]


def route_lines(route):
    """A route as Kore 4.1 writes it, as lines of a kore.conf."""
    if re.match("(restrict|include)", route):
        return [route]
    path, handler, *auth = route.removeprefix("route ").split()
    if not KORE_42:
        return ["route " + " ".join([path, handler, *auth])]
    return ["route %s {" % path, "  handler " + handler,
            *("  authenticate " + name for name in auth), "}"]


class Service:
    """One Kore service. Modules are sources in modules/, (path, onload)
    pairs, or paths; they are loaded in the order given."""

    def __init__(self, modules, routes=(), production=True, workers=2,
                 settings=(), blocks=(), domains=None, env=None,
                 host="127.0.0.1", restarts=0, collector_replaced=False,
                 collector_missing=False, binds=(), preload=None):
        self.dir = new_dir()
        self.root = os.path.join(self.dir, "root")
        os.mkdir(self.root)
        self.production = production
        self.workers_wanted = workers
        self.host = host
        self.restarts_wanted = restarts
        self.collector_replaced = collector_replaced
        self.binds = list(binds)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("PPROF_")}
        self.env.update(env or {})
        self.settings = list(settings)
        self.blocks = list(blocks)
        self.domains = domains or {"*": routes}
        self.modules = [self._module(m) for m in modules]
        self.profiled = not collector_missing and self._ours()
        self.env.update(preloaded(preload, self._ours(preload)))
        self.lines = []
        self.process = None
        self.collector = None
        self.exit_status = None

    def _ours(self, preload=None):
        """Whether the product is loaded."""
        return any("pprof.so" in path for path in [preload or ""] + [
            m[0] for m in self.modules])

    def _module(self, module):
        if isinstance(module, tuple):
            return (self._module(module[0])[0], module[1])
        if module.endswith((".c", ".cc")):
            name = os.path.splitext(os.path.basename(module))[0]
            out = os.path.join(self.dir, name + ".so")
            if not os.path.exists(out):
                compile_module(module, out)
            return (out, None)
        return (module, None)

    # Life.

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.destroy()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.finish()
            else:
                print(self.log_tail())
        finally:
            self.destroy()
        return False

    def conf(self):
        lines = ["server main {", "  bind %s %d" % (self.host, self.port),
                 *self.binds, "  tls no", "}",
                 "workers %d" % self.workers_wanted,
                 *rights_lines(self.root),
                 "pidfile %s/kore.pid" % self.dir,
                 "http_request_limit 2000",
                 # Kore stops to serve what waits after 10 ms in one turn of
                 # its loop, and serves the newest first: beside a client
                 # whose requests take longer, others wait for ever.
                 "http_request_ms 1000"]
        lines += self.settings
        lines += ["load %s %s" % (path, onload or "")
                  for path, onload in self.modules]
        lines += self.blocks
        for name, routes in self.domains.items():
            lines += ["domain %s {" % name, "  attach main"]
            lines += ["  " + line for r in routes for line in route_lines(r)]
            lines += ["}"]
        return "\n".join(lines) + "\n"

    def command(self, conf):
        """What is started for the conf file that was written."""
        return ["kore", "-f", "-c", conf]

    def launch(self):
        """Write the conf and start Kore, without waiting for anything."""
        self.port = free_port(self.host)
        path = os.path.join(self.dir, "kore.conf")
        with open(path, "w", errors="surrogateescape") as file:
            file.write(self.conf())
        # A terminal, since Kore's log is line by line only on one.
        master, slave = pty.openpty()
        command = self.command(path)
        command += [] if self.production else ["-n", "-r"]
        self.process = subprocess.Popen(
            command, cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL,
            stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.reader = threading.Thread(target=self._read, args=(master,))
        self.reader.start()
        return self

    def start(self):
        if self.profiled and not os.path.exists(PPROF[0]):
            raise Broken("%s is missing: run make" % PPROF[0])
        self.launch()
        wait_for("%d workers" % self.workers_wanted, START_S, self._started)
        wait_for("an answer", START_S, self._answers)
        if self.profiled:
            self.collector = wait_for("the collector", START_S,
                                      self.find_collector)
        return self

    def _started(self):
        if self.process.poll() is not None:
            self.reader.join(5)
            raise Broken("kore did not start:\n" + self.log_tail())
        return len(self.worker_pids()) == self.workers_wanted

    def _answers(self):
        try:
            return web.get(self.host, self.port, "/", timeout=5).status
        except OSError:
            return None

    def _read(self, master):
        rest = b""
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            self.lines += [line.decode(errors="replace").rstrip("\r")
                           for line in lines]
            if not data:
                break
        os.close(master)

    def stop(self, how=signal.SIGTERM):
        """Ask the parent to end, and say how it ended."""
        self.process.send_signal(how)
        try:
            self.exit_status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise Broken("kore still runs %d s after signal %d:\n%s"
                         % (STOP_S, how, self.log_tail()))
        return self.exit_status

    def finish(self):
        """End the service and judge its life."""
        if self.process.poll() is not None:
            raise Broken("kore ended early, status %s:\n%s"
                         % (self.process.returncode, self.log_tail()))
        family = children(self.process.pid)
        replaced = self.profiled and self.find_collector() != self.collector
        self.stop()
        wait_for("the end of %s" % family, STOP_S,
                 lambda: not any(alive(pid) for pid, _ in family))
        self.reader.join(5)
        problems = self.violations()
        if self.exit_status != 0:
            problems.append("exit status %s" % self.exit_status)
        if len(self.log("restarting worker")) != self.restarts_wanted:
            problems.append("restarts: %d, expected %d" % (
                len(self.log("restarting worker")), self.restarts_wanted))
        if replaced != self.collector_replaced:
            problems.append("collector replaced: %s, expected %s"
                            % (replaced, self.collector_replaced))
        if problems:
            raise Broken("; ".join(problems) + "\n" + self.log_tail())

    def violations(self):
        """Of the sandbox, and of the protocol between our processes."""
        return self.log("sandbox violation") + self.log(
            "seccomp violation") + self.log("no message of this build")

    def destroy(self):
        """Leave nothing behind, whatever happened."""
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            # Also a worker that was started a moment ago.
            for pid in session(self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    # What it is made of.

    def log(self, text):
        return [line for line in self.lines if text in line]

    def log_tail(self, count=60):
        return "\n".join(["--- log"] + self.lines[-count:] + ["---"])

    def worker_pids(self):
        """Number of the worker -> pid, of those last started."""
        pids = {}
        for line in list(self.lines):
            found = re.search(r"worker (\d+) started \(cpu#\d+, pid#(\d+)\)"
                              if not KORE_42 else
                              r"wrk (\d+)\]?: started \(#(\d+) ", line)
            if found:
                pids[int(found[1])] = int(found[2])
        return pids

    def find_collector(self):
        for pid, comm in children(self.process.pid):
            if comm == "pprof-collector":
                return pid
        return None

    def cpu(self):
        """CPU seconds of all workers by the kernel's accounts."""
        return sum(cpu_seconds(pid) for pid in self.worker_pids().values())

    # Talking to it.

    def url(self, path):
        host = "[%s]" % self.host if ":" in self.host else self.host
        return "http://%s:%d%s" % (host, self.port, path)

    def ask(self, method, path, **more):
        return web.ask(self.host, self.port, method, path, **more)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def connect(self, timeout=60):
        return web.Connection(self.host, self.port, timeout)

    def profile(self, seconds, hz=None, timeout=None):
        """A CPU profile as a web.Answer; its body is the file."""
        query = "seconds=%d" % seconds + ("&hz=%d" % hz if hz else "")
        return self.get("/debug/pprof/profile?" + query,
                        timeout=timeout or seconds + 30)
