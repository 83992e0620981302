"""
A service with the collector's own listener (PPROF_LISTEN), and how to ask there.

Not a test.
"""
import os
import socket

import harness
import web
import workload

INDEX = "/debug/pprof/"
STALL_SOURCE = os.path.join(harness.HERE, "modules", "stall.c")
STALL = [("stall.c", "stall_load"), "workload.c", harness.PPROF]
ROUTES = workload.ROUTES + [
    "/forever page_forever", "/hold page_hold", "/doze page_doze"]


class Listener:
    """A service with a listener, on a free port of `host`, or with `unix` on a
    socket of its own."""

    def __init__(self, host="127.0.0.1", unix=False, env=None, **more):
        self.host, self.port = host, harness.free_port()
        at = "[%s]:%d" if ":" in host else "%s:%d"
        env = dict(env or {}, PPROF_LISTEN=at % (host, self.port))
        more.setdefault("modules", STALL)
        more.setdefault("routes", ROUTES)
        self.kore = workload.service(env=env, **more)
        self.path = os.path.join(self.kore.dir, "door.sock") if unix else None
        if unix:
            self.kore.env["PPROF_LISTEN"] = "unix:" + self.path

    def __enter__(self):
        self.kore.__enter__()
        return self

    def __exit__(self, *why):
        return self.kore.__exit__(*why)

    def ask(self, method, path, **more):
        return web.ask(self.host, self.port, method, path, **more)

    def get(self, path, **more):
        if self.path:
            return web.unix_get(self.path, path, **more)
        return self.ask("GET", path, **more)

    def socket(self, source=None):
        sock = socket.create_connection(
            (self.host, self.port), 20,
            (source, 0) if source else None)
        return sock
