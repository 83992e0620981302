"""
The servers that are compared: Kore with and without the module, Kore under
gperftools, and an equal Go server. Not the tests' harness: a service is not
judged at its end, only ended.

Rule: every process started here is ended here, by its pid.
"""
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PERFTOOLS = "libprofiler.so.0"
PERFTOOLS_SWITCH = signal.SIGUSR2
START_S = 20


class Broken(Exception):
    """A server that did not do what the measurement needs."""


class Ports:
    """Ports from a range, those in use left out."""

    def __init__(self, first=6200, last=6299):
        self.left = iter(range(first, last + 1))

    def take(self):
        for port in self.left:
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    sock.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
        self.__init__()
        return self.take()


PORTS = Ports()


def build(build_dir, work):
    """Bring the product up to date, compile what it is measured with."""
    def out(name):
        return os.path.join(work, name)

    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    for name in ("pprof.so", "pprof-collector", "libhot.a", "libcold.a"):
        subprocess.run(["make", "-s", "-C", TOP, "B=" + build_dir,
                        os.path.join(build_dir, name)], check=True, env=env)

    def cc(*args):
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-O2", "-g",
                        "-D_GNU_SOURCE", *args], check=True, cwd=HERE)

    cc("-fomit-frame-pointer", "-I", os.path.join(TOP, "middleware/core"),
       "-I.", "-o", out("handler"), "handler.c",
       os.path.join(TOP, build_dir, "libhot.a"))
    cc("-o", out("latency"), "latency.c")
    cc("-shared", "-fPIC", "-I/usr/include/postgresql", "-DKORE_USE_PGSQL",
       "-DKORE_USE_TASKS", "-o", out("app.so"), "app.c")
    env = dict(os.environ, GO111MODULE="off", GOCACHE=out("go-cache"))
    for name, files in (("go-absent", ["main.go", "absent.go"]),
                        ("go-pprof", ["main.go", "pprof.go"])):
        subprocess.run(["go", "build", "-o", out(name), *files], check=True,
                       cwd=os.path.join(HERE, "go"), env=env)


def read_text(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(parent):
    """[(pid, command line)] of the living children."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        stat = read_text("/proc/%s/stat" % name).rpartition(")")[2].split()
        if stat and stat[0] not in "ZX" and int(stat[1]) == parent:
            line = read_text("/proc/%s/cmdline" % name).replace("\0", " ")
            found.append((int(name), line))
    return found


def sched_ns(pid):
    """(CPU time, time of waiting for a CPU) of all threads of the process."""
    ran = waited = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        words = read_text("/proc/%d/task/%s/schedstat" % (pid, tid)).split()
        ran, waited = ran + int(words[0]), waited + int(words[1])
    return ran, waited


def cpu_ns(pid):
    return sched_ns(pid)[0]


class Server:
    """One server process and its children."""

    def __init__(self, name):
        self.name = name
        self.port = PORTS.take()
        self.process = None

    def launch(self, command, cwd, env=None):
        with open(os.path.join(cwd, "log"), "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        self.cwd = cwd
        self.wait_for("an answer", self.answers)

    def wait_for(self, what, condition):
        end = time.monotonic() + START_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Broken("%s: no %s; its log:\n%s" % (
                    self.name, what,
                    read_text(os.path.join(self.cwd, "log"))))
            time.sleep(0.02)

    def answers(self):
        try:
            return self.get("/")[0] == 200
        except OSError:
            return False

    def body(self, path, timeout=60):
        """(status, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path, timeout=60):
        """(status, length of the body)"""
        status, body = self.body(path, timeout)
        return status, len(body)

    def serving(self):
        """pids of the processes that serve requests."""
        return [self.process.pid]

    def stop(self):
        if self.process is None:
            return
        family = [pid for pid, _ in children(self.process.pid)]
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            for pid in family:
                if os.path.exists("/proc/%d" % pid):
                    os.kill(pid, signal.SIGKILL)
        self.process = None


class Go(Server):
    """The equal server in Go; `binary` with or without net/http/pprof.
    `extra`: more of the environment."""

    def __init__(self, name, work, binary, extra=()):
        super().__init__(name)
        directory = tempfile.mkdtemp(prefix="go-", dir=work)
        self.launch([os.path.join(work, binary), "127.0.0.1:%d" % self.port],
                    directory, dict(os.environ, **dict(extra)))


class Kore(Server):
    """Debian's kore as in production: chroot, nobody, seccomp, pinned
    workers. `module`: path of pprof.so, or None. `extra`: more of the
    environment."""

    def __init__(self, name, work, module=None, perftools=False, workers=2,
                 extra=()):
        super().__init__(name)
        self.directory = tempfile.mkdtemp(prefix="kore-", dir=work)
        self.root = os.path.join(self.directory, "root")
        os.chmod(self.directory, 0o755)
        os.mkdir(self.root)
        os.chmod(self.root, 0o777)  # gperftools writes there as nobody
        self.module, self.workers_wanted = module, workers
        path = os.path.join(self.directory, "kore.conf")
        with open(path, "w") as file:
            file.write(self.conf(work))
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("PPROF_", "CPUPROFILE"))}
        if perftools:
            env.update(LD_PRELOAD=PERFTOOLS, CPUPROFILE="cpu.prof",
                       CPUPROFILESIGNAL=str(int(PERFTOOLS_SWITCH)),
                       CPUPROFILE_FREQUENCY="100", BENCH_RULES="1")
        env.update(extra)
        command = ["kore", "-f", "-c", path]
        if os.getuid() != 0:
            command += ["-n", "-r"]
        self.launch(command, self.directory, env)
        self.wait_for("%d workers" % workers,
                      lambda: len(self.serving()) == workers)
        if module:
            self.wait_for("collector", self.collector)

    def conf(self, work):
        lines = ["server main {", "  bind 127.0.0.1 %d" % self.port,
                 "  tls no", "}", "workers %d" % self.workers_wanted,
                 "root " + self.root, "runas nobody",
                 "pidfile %s/kore.pid" % self.directory,
                 # One connection a turn: else one worker takes them all.
                 "worker_accept_threshold 1",
                 "http_keepalive_time 120",
                 "load %s/app.so" % work]
        if self.module:
            lines.append("load %s pprof_load" % self.module)
        lines += ["domain * {", "  attach main", "  route / page_small",
                  "  route /walk page_walk",
                  "  route /concat page_concat", "}"]
        return "\n".join(lines) + "\n"

    def serving(self):
        return [pid for pid, line in children(self.process.pid)
                if line.startswith("kore [wrk")]

    def collector(self):
        for pid, line in children(self.process.pid):
            if "pprof-collector" in line.split(" ")[0]:
                return pid
        return None

    def perftools_switch(self):
        for pid in self.serving():
            os.kill(pid, PERFTOOLS_SWITCH)

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Profiling(threading.Thread):
    """Takes CPU profiles of a server one after the other until it is left;
    the last one ends by hanging up. `watch`: pid of the collector; `what`:
    another endpoint that takes seconds."""

    def __init__(self, server, seconds=2, query="", watch=None,
                 what="profile"):
        super().__init__(daemon=True)
        self.server, self.seconds, self.query = server, seconds, query
        self.what = what
        self.watch = watch
        self.ended = []  # seconds from the window's end to the last byte
        self.costs = []  # sched_ns() of `watch` for each
        self.stopping = False
        self.connection = None
        self.failure = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping = True
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            pass  # between two profiles
        self.join(30)
        if self.failure and kind is None:
            raise self.failure

    def once(self):
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=60)
        before = sched_ns(self.watch) if self.watch else (0, 0)
        start = time.monotonic()
        self.connection.request("GET", "/debug/pprof/%s?seconds=%d%s"
                                % (self.what, self.seconds, self.query))
        answer = self.connection.getresponse()
        body = answer.read()
        took = time.monotonic() - start - self.seconds
        self.connection.close()
        if answer.status != 200:
            raise Broken("%s: a profile was answered by %d: %s" % (
                self.server.name, answer.status, body[:200]))
        self.ended.append(took)
        after = sched_ns(self.watch) if self.watch else (0, 0)
        self.costs.append([b - a for a, b in zip(before, after)])

    def run(self):
        while not self.stopping:
            try:
                self.once()
            except (OSError, http.client.HTTPException, Broken) as error:
                if not self.stopping:
                    self.failure = error
                return
