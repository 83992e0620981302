"""
A PostgreSQL of the test's own: a cluster in a directory that goes away, on a
free loopback port, under the user that Debian's package makes.

Not a test.
"""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

import harness


def program(name):
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name))
    if not found:
        raise AssertionError("no %s: apt-get install postgresql-15" % name)
    return found[-1]


class Postgres:
    """with Postgres() as database: ... database.url"""

    def __enter__(self):
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        self.dir = tempfile.mkdtemp(prefix="kore-pprof-postgres-")
        self.data = os.path.join(self.dir, "data")
        self.port = harness.free_port()
        self.process = None
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _run(self, call, *args, **more):
        if self.user:
            more.update(user=self.user.pw_uid, group=self.user.pw_gid,
                        extra_groups=[])
        return call(list(args), cwd=self.dir, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)

    def _start(self):
        made = self._run(subprocess.run, program("initdb"), "-D", self.data,
                         "-U", "test", "-A", "trust", "--no-sync",
                         "--no-instructions", "-E", "UTF8",
                         "--locale=C.UTF-8")
        if made.returncode != 0:
            raise AssertionError("initdb: " + made.stderr.decode())
        self.process = self._run(
            subprocess.Popen, program("postgres"), "-D", self.data,
            "-h", "127.0.0.1", "-p", str(self.port), "-k", self.dir,
            "-c", "fsync=off", "-c", "shared_buffers=4MB",
            "-c", "max_connections=60", "-c", "logging_collector=off")
        # Nobody reads what it logs, and it must not stop for that.
        self.process.stderr.close()
        harness.wait_for("PostgreSQL", 60, self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("postgres ended, status %d"
                                 % self.process.returncode)
        return subprocess.run(
            [program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL).returncode == 0

    @property
    def url(self):
        return ("host=127.0.0.1 port=%d user=test dbname=postgres "
                "sslmode=disable gssencmode=disable" % self.port)

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
