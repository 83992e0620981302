"""
HTTP as the tests need it: one request, one answer, nothing hidden.

Not a client library: no redirects, no decoding, no retries, so that a test
sees what was on the wire.
"""
import http.client
import socket


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.reason = response.reason
        self.headers = {}
        self.repeated = []
        for name, value in response.getheaders():
            if name.lower() in self.headers:
                self.repeated.append(name.lower())
            self.headers[name.lower()] = value
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return "%d %s %r" % (self.status, self.headers, self.body[:200])


class Connection:
    """A kept connection: Kore serves all of it by the worker that accepted
    it."""

    def __init__(self, host, port, timeout=60):
        self.http = http.client.HTTPConnection(host, port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, method, path, body=None, headers=None):
        self.http.request(method, path, body=body, headers=headers or {})
        response = self.http.getresponse()
        return Answer(response, response.read())

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def send(self, path, method="GET", body=None):
        """Ask, and do not wait for the answer."""
        self.http.request(method, path, body=body)

    def receive(self):
        response = self.http.getresponse()
        return Answer(response, response.read())

    def close(self):
        self.http.close()


def ask(host, port, method, path, body=None, headers=None, timeout=60):
    with Connection(host, port, timeout) as connection:
        return connection.ask(method, path, body, headers)


def get(host, port, path, timeout=60):
    return ask(host, port, "GET", path, timeout=timeout)


class UnixConnection(http.client.HTTPConnection):
    """To a unix socket: the collector's own listener."""

    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def unix_get(path, what, timeout=30):
    connection = UnixConnection(path, timeout)
    try:
        connection.request("GET", what)
        response = connection.getresponse()
        return Answer(response, response.read())
    finally:
        connection.close()
