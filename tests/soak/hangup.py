"""
Hangup: clients that hang up, by FIN and by RST, before their request is whole,
while it waits, and in the middle of the answer; of every endpoint, by the routes
and at the listener.

Truth: how many CPU profiles can be in progress at once is the same as before,
one by one; descriptors of workers and collector are back where they were.
"""
import os
import random
import re
import select
import socket
import struct
import time

import harness
import workload
from scenario import DEBUG, Repeat, expect, measure, processes

SESSIONS_MAX = 256  # PP_SESSIONS_MAX
TABLE = os.path.join(harness.TOP, "middleware", "core", "service",
                     "endpoints.c")
QUERIES = ["", "?seconds=3", "?debug=1", "?debug=2", "?format=svg",
           "?seconds=86400&hz=1000", "?since=60"]
WHEN = ("before", "during", "after")
LONG, SHORT = 1000, 200


def endpoints():
    """Of the const table, so that a new one is among them."""
    with open(TABLE) as file:
        names = re.findall(r'^\t\{ \.name = "([^"]*)"', file.read(), re.M)
    expect(len(names) > 10, "found %d endpoints in %s", len(names), TABLE)
    return names


def dial(kore, listener):
    if listener:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        sock.connect(listener)
        return sock
    return socket.create_connection((kore.host, kore.port), timeout=30)


def hang_up(sock, reset):
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    sock.close()


def request(name, query):
    return ("GET %s/%s%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (
        DEBUG, name, query)).encode()


def client(kore, listener, name, query, when, reset):
    sock = dial(kore, listener)
    data = request(name, query)
    if when == "before":
        sock.sendall(data[:random.randrange(1, len(data))])
    else:
        sock.sendall(data)
    if when == "during":
        time.sleep(random.choice((0, 0.001, 0.02)))
    if when == "after":
        sock.settimeout(0.2)
        try:
            sock.recv(random.choice((1, 100, 5000)))
        except TimeoutError:
            pass  # one that takes seconds; it is hung up all the same
    hang_up(sock, reset)


def most_at_once(kore):
    """How many profiles are taken when more are asked for than can be."""
    asked = SESSIONS_MAX + 8
    held = [kore.connect(timeout=30) for _ in range(asked)]
    try:
        for connection in held:
            connection.send(DEBUG + "/profile?seconds=3600&hz=10")
        socks = [connection.http.sock for connection in held]
        refused, last = [], -1
        while not refused or len(refused) > last:
            last = len(refused)
            time.sleep(1)
            refused = select.select(socks, [], [], 10)[0]
        for connection in held:
            if connection.http.sock in refused:
                answer = connection.receive()
                expect(answer.status == 503 and "at once" in answer.text,
                       "a profile too many: %r", answer)
        return asked - len(refused)
    finally:
        for connection in held:
            connection.close()


def descriptors(kore):
    return {name: measure(pid)["fds"]
            for name, pid in processes(kore).items()}


def settled(kore, wanted):
    """Descriptors are at most as many as they were."""
    harness.wait_for("descriptors %s, there are %s" % (
        wanted, descriptors(kore)), 30, lambda: all(
            now <= wanted[name] for name, now in descriptors(kore).items()))


def run(seconds, short):
    count = SHORT if short else LONG
    folder = harness.new_dir()
    listener = os.path.join(folder, "listener")
    kore = workload.service(env={"PPROF_LISTEN": "unix:" + listener})
    names, hung = endpoints(), 0
    with kore:
        for path in ("/light", DEBUG + "/", DEBUG + "/goroutine"):
            expect(kore.get(path).status == 200, "%s", path)
        before = descriptors(kore)
        most = most_at_once(kore)
        settled(kore, before)
        asking = Repeat(lambda: expect(kore.get("/light").status == 200,
                                       "a request was lost"), 0.01)
        begun = time.monotonic()
        while hung < count:
            name = names[hung % len(names)]
            client(kore, listener if hung % 3 == 2 else None, name,
                   random.choice(QUERIES), random.choice(WHEN),
                   random.random() < 0.5)
            hung += 1
        took = time.monotonic() - begun
        asking.finish()
        settled(kore, before)
        after = most_at_once(kore)
        settled(kore, before)
        expect(after == most, "%d profiles can be taken at once, %d before",
               after, most)
        told = ", ".join("%s %d" % one for one in sorted(before.items()))
    os.rmdir(folder)
    return "%d clients of %d endpoints hung up in %.0f s beside %d whole " \
        "requests; %d profiles at once as before; descriptors as before: " \
        "%s" % (hung, len(names), took, asking.count, after, told)
