"""
Load on a service: by Python threads where it matters which worker gets it, by
ab where it matters how much.

Rule: bounded in time or in count, and every failed request is counted.
"""
import http.client
import random
import re
import subprocess
import threading
import time

import web


# Tries in which one connection at a time is opened. Whether a worker or the
# other gets the accept lock is a race that can go the same way each time; of
# several at once, and at random times, it does not.
ALONE, TOGETHER, SPARE = 40, 8, 20


def connection_to(service, worker, tries=500):
    """A kept connection that the given worker has accepted. Needs
    `worker_accept_threshold 1`, else one worker takes them all."""
    spare, found = [], None
    try:
        for turn in range(tries):
            if turn % 20 == 19:
                time.sleep(0.05)  # the other worker may have to be scheduled
            if turn > ALONE:
                time.sleep(random.uniform(0, 0.01))
            opened = [service.connect()
                      for _ in range(1 if turn < ALONE else TOGETHER)]
            for connection in opened:
                connection.send("/who")
            for connection in opened:
                by = int(connection.receive().text.split()[0])
                if by == worker and found is None:
                    found = connection
                else:
                    spare.append(connection)
            if found:
                return found
            # Kept open for a while: the next one goes elsewhere sooner.
            while len(spare) > SPARE:
                spare.pop(0).close()
    finally:
        for connection in spare:
            connection.close()
    raise AssertionError("worker %d takes no connection" % worker)


class Driver(threading.Thread):
    """Asks for the paths in turn until told to stop. `duty` is the part of
    the time in which a request is under way. `worker`: on a connection to that
    worker; a lost connection is counted and made anew."""

    def __init__(self, service, paths, worker=None, duty=1.0, methods=("GET",),
                 seconds=60):
        super().__init__(daemon=True)
        self.service, self.paths, self.methods = service, paths, methods
        self.worker, self.duty = worker, duty
        self.done, self.bad, self.lost, self.slowest = 0, [], 0, 0.0
        self.why = []  # of those lost: path and error
        self.stopping = threading.Event()
        self.until = time.monotonic() + seconds
        self.failure = None
        self.connection = self.connect()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        self.stopping.set()
        self.join(60)
        self.connection.close()
        if self.failure:
            raise self.failure

    def connect(self):
        if self.worker is None:
            return self.service.connect()
        return connection_to(self.service, self.worker)

    def run(self):
        try:
            self.drive()
        except BaseException as error:  # raised again in finish()
            self.failure = error

    def drive(self):
        turn = 0
        while not self.stopping.is_set() and time.monotonic() < self.until:
            path = self.paths[turn % len(self.paths)]
            method = self.methods[turn % len(self.methods)]
            turn += 1
            start = time.monotonic()
            try:
                body = b"x" if method == "POST" else None
                answer = self.connection.ask(method, path, body=body)
            except (OSError, http.client.HTTPException) as error:
                self.lost += 1
                self.why.append((path, repr(error)))
                self.connection.close()
                self.again()
                continue
            took = time.monotonic() - start
            self.slowest = max(self.slowest, took)
            self.done += 1
            if answer.status != 200:
                self.bad.append(answer.status)
            if self.duty < 1:
                time.sleep(took * (1 / self.duty - 1))

    def again(self):
        """A new connection; the service may be restarting the worker."""
        for _ in range(200):
            try:
                self.connection = self.connect()
                return
            except (OSError, http.client.HTTPException, AssertionError):
                time.sleep(0.05)
        raise AssertionError("no connection any more")


class Ab:
    """ApacheBench: so many requests, no more."""

    def __init__(self, service, path, requests, clients=8, seconds=120):
        self.requests = requests
        self.seconds = seconds
        self.process = subprocess.Popen(
            ["ab", "-q", "-k", "-l", "-s", "60", "-c", str(clients),
             "-n", str(requests), service.url(path)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def wait(self):
        """{complete, failed, non2xx, rate}"""
        try:
            text = self.process.communicate(timeout=self.seconds)[0].decode()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("ab did not end in %d s:\n%s" % (
                self.seconds, self.process.communicate()[0].decode()))
        if self.process.returncode != 0:
            raise AssertionError("ab failed:\n" + text)

        def number(name, default=None):
            found = re.search(name + r": +([\d.]+)", text)
            return float(found[1]) if found else default
        return {"complete": int(number("Complete requests")),
                "failed": int(number("Failed requests")),
                "write errors": int(number("Write errors", 0)),
                "non2xx": int(number("Non-2xx responses", 0)),
                "rate": number("Requests per second")}


def wait_ready(service, path, seconds=10):
    """The first 200 from `path`, and how long it took."""
    start = time.monotonic()
    last = None
    while time.monotonic() < start + seconds:
        try:
            last = web.get(service.host, service.port, path)
            if last.status == 200:
                return last, time.monotonic() - start
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.02)
    raise AssertionError("%s did not come back: %r" % (path, last))
