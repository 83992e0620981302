"""
One request at the door, a unix socket: for when the routes may not answer.
"""
import http.client
import json
import socket


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("x", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask_door(path, what, timeout):
    """(status, the body; read, if it is JSON)"""
    connection = UnixConnection(path, timeout)
    try:
        connection.request("GET", what)
        answer = connection.getresponse()
        body = answer.read()
        if answer.headers.get("content-type") == "application/json":
            body = json.loads(body)
        return answer.status, body
    finally:
        connection.close()
