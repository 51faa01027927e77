"""A webhook receiver: keeps what it is sent, answers what it is told to."""

import contextlib
import dataclasses
import http.server
import threading
import time


@dataclasses.dataclass
class Received:
    path: str
    headers: dict  # names in lower case
    body: bytes
    status: int  # what it was answered


class Receiver:
    """On 127.0.0.1, port 0 takes a free one. Safe to read from other threads."""

    def __init__(self, port=0, statuses=(), tolerance_seconds=None):
        self._tolerance_seconds = tolerance_seconds
        self._lock = threading.Lock()
        self._received = []
        self._statuses = list(statuses)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = receiver._keep(self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def _keep(self, path, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            status = self._statuses.pop(0) if self._statuses else 204
            if self._tolerance_seconds is not None:
                away = abs(time.time() - int(headers["webhook-timestamp"]))
                status = status if away <= self._tolerance_seconds else 400
            self._received.append(Received(path, headers, body, status))
            return status

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def received(self):
        with self._lock:
            return list(self._received)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextlib.contextmanager
def running_receiver(port=0, statuses=(), tolerance_seconds=None):
    """The first requests are answered with `statuses`, the others with 204; but 400 when their time stamp is further from
    ours than is tolerated."""
    receiver = Receiver(port, statuses, tolerance_seconds).start()
    try:
        yield receiver
    finally:
        receiver.stop()
