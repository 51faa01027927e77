"""Clients that ask a daemon without pause, also while it is down, and remember everything that it ever said."""

import http.client
import json
import threading
import uuid


class Traffic:
    """What was seen, for comparing with the database in the end:

    findings   {id: document} from listings and single answers
    finished   {run id: verdict}
    accepted   {idempotency key: run id}
    noted      ids of findings whose acknowledgement was answered with 200
    backwards  descriptions of counters that were seen to go back"""

    def __init__(self, daemon, targets):
        self.daemon, self.targets = daemon, targets
        self.findings, self.finished, self.accepted, self.noted = {}, {}, {}, set()
        self.backwards, self.wrong = [], []
        self.answers = 0
        self._counters = {}
        self._last_event = None
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=(what,), daemon=True)
                         for what in (self._lists, self._metrics, self._changes, self._stream)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, step):
        while not self._done.wait(0.01):
            try:
                step()
                self.answers += 1
            except (OSError, http.client.HTTPException, json.JSONDecodeError, UnicodeDecodeError):
                pass  # it was killed in mid-answer
            except AssertionError as error:
                if "503" not in str(error):
                    self.wrong.append(str(error))

    def _see_finding(self, document):
        self.findings[document["id"]] = {**document, "acknowledged": None, "acknowledged_at": None,
                                         "acknowledged_by": None, "note": None}

    def _see_run(self, run):
        if run["state"] != "finished":
            return
        before = self.finished.setdefault(run["id"], run["verdict"])
        if before != run["verdict"]:
            self.wrong.append(f"run {run['id']} was {before} and is {run['verdict']}")

    def _lists(self):
        for finding in self.daemon.api("/findings?limit=50")["items"]:
            self._see_finding(finding)
        for run in self.daemon.api("/runs?limit=50")["items"]:
            self._see_run(run)

    def _metrics(self):
        for key, value in self.daemon.metrics().items():
            # Histograms begin anew with the process, as Prometheus expects of everything; the counters go on.
            if not key[0].startswith("writecanary_") or not key[0].endswith("_total"):
                continue
            if value < self._counters.get(key, 0):
                self.backwards.append(f"{key}: {self._counters[key]} -> {value}")
            self._counters[key] = value

    def _changes(self):
        self._done.wait(0.2)
        key = uuid.uuid4().hex
        body = {"target": self.targets[len(self.accepted) % len(self.targets)], "profile": "append-sync", "writes": 20,
                "queue": True}
        for _ in range(20):  # as a client does that got no answer
            try:
                status, _, text = self.daemon.request("POST", "/api/v1/runs", body, {"Idempotency-Key": key})
            except (OSError, http.client.HTTPException):
                if self._done.wait(0.1):
                    return
                continue
            if status == 202:
                run = json.loads(text)["id"]
                if self.accepted.setdefault(key, run) != run:
                    self.wrong.append(f"key {key} started {self.accepted[key]} and {run}")
                break
        unknown = [number for number in self.findings if number not in self.noted]
        if unknown and len(self.noted) * 2 < len(self.findings):
            status, _, _ = self.daemon.post(f"/findings/{unknown[0]}/ack", {"note": "seen"})
            if status == 200:
                self.noted.add(unknown[0])

    def _stream(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=5)
        headers = {} if self._last_event is None else {"Last-Event-ID": str(self._last_event)}
        try:
            connection.request("GET", "/api/v1/events", headers=headers)
            response = connection.getresponse()
            kind = number = None
            while not self._done.is_set():
                line = response.readline().decode().rstrip("\n")
                if not line and response.isclosed():
                    return
                field, _, value = line.partition(": ")
                if field == "event":
                    kind = value
                elif field == "id":
                    number = int(value)
                    if self._last_event is not None and number <= self._last_event:
                        self.wrong.append(f"event {number} came after {self._last_event}")
                elif field == "data" and kind == "run.finished":
                    self._see_run(json.loads(value))
                elif not line and number is not None:
                    self._last_event, number = number, None
        finally:
            connection.close()
