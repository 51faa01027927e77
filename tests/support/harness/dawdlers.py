"""Clients that take a connection and their time: they keep `count` of them open, also when the server closes some."""

import contextlib
import os
import select
import socket
import threading

# What they have sent when they stop: nothing, a part of the head, a head without its body, requests whose answers
# they do not read.
MANNERS = (b"", b"GET /api/v1/ru", b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{",
           b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)


class Dawdlers:
    def __init__(self, port, count):
        self.port, self.count = port, count
        self.closed = 0  # by the server
        self._sockets = {}
        self._stop = threading.Event()
        self._full = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _connect(self):
        connection = socket.socket()
        # Answers that are not read shall wait at the server.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(MANNERS[len(self._sockets) % len(MANNERS)])
        return connection

    def _run(self):
        poller = select.poll()
        while not self._stop.is_set():
            while len(self._sockets) < self.count and not self._stop.is_set():
                with contextlib.suppress(OSError):
                    connection = self._connect()
                    self._sockets[connection.fileno()] = connection
                    poller.register(connection, select.POLLRDHUP)
            self._full.set()
            for number, _ in poller.poll(100):
                poller.unregister(number)
                self._sockets.pop(number).close()
                self.closed += 1
        for connection in self._sockets.values():
            connection.close()

    def __enter__(self):
        self._thread.start()
        assert self._full.wait(60), f"{self.count} connections could not be opened"
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def memory_bytes(pid):
    """Resident set of the process."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
