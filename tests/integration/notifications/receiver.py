"""Somebody's receiver of webhooks, on loopback: it keeps what came and answers as it is told."""

import json
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True)
class Message:
    """One request that came in."""

    headers: dict
    body: bytes

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def type(self):
        return json.loads(self.body)["type"]

    @property
    def data(self):
        return json.loads(self.body)["data"]

    def verified_by(self, secret):
        """The body, once the official library believes it."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """`says` is a list of answers: a status, (status, headers), "reset" or "slow"; when it is used up, 200."""

    def __init__(self):
        self.messages = []
        self.says = []
        self.let_go = threading.Event()
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.messages.append(Message(headers, body))
                receiver._answer(self, receiver.says.pop(0) if receiver.says else 200)

            def do_GET(self):
                receiver.messages.append(Message(dict(self.headers), b"{}"))
                receiver._answer(self, 200)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def types(self):
        return [message.type for message in self.messages]

    def close(self):
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, door, word):
        if word == "reset":
            linger = struct.pack("ii", 1, 0)
            door.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            door.connection.close()
            door.close_connection = True
            return
        if word == "slow":
            self.let_go.wait(30)
            word = 200
        status, headers = word if isinstance(word, tuple) else (word, {})
        door.send_response(status)
        for name, value in headers.items():
            door.send_header(name, value)
        door.send_header("content-length", "0")
        door.end_headers()
