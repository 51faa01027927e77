"""How long a daemon takes to answer, measured as a client sees it: a new connection for each request."""

import http.client
import threading
import time


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ask(port, path, timeout=10):
    """Seconds until the whole answer was there; it must be a 200."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == 200, f"GET {path}: {response.status}"
        return time.monotonic() - began
    finally:
        connection.close()


class Watch:
    """Asks the path every `interval` seconds while the block runs. `seconds` holds every answer's time."""

    def __init__(self, port, path, interval=0.01):
        self.port, self.path, self.interval = port, path, interval
        self.seconds = []
        self.errors = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._done.wait(self.interval):
            try:
                self.seconds.append(ask(self.port, self.path))
            except (OSError, AssertionError, http.client.HTTPException) as error:
                self.errors.append(error)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def p99(self):
        return percentile(self.seconds, 0.99)
