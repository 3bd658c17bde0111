"""A server that says what a test tells it to, over real HTTP."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Played:
    """Answers each request with the next of `answers`, and keeps the requests as (method, path, headers)."""

    def __init__(self):
        self.answers, self.asked = [], []
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # an answer ends where its connection does: cut off or not

            def do_GET(self):
                played.asked.append((self.command, self.path, dict(self.headers)))
                status, body = played.answers.pop(0)
                self.send_response(status)
                self.end_headers()
                for part in [body] if isinstance(body, bytes) else body:
                    self.wfile.write(part)
                    self.wfile.flush()

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def event(number, **run):
    """The bytes of a snapshot, as the server writes them."""
    return f"id: {number}\nevent: snapshot\ndata: {json.dumps({'run': run})}\n\n".encode()
