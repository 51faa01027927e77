"""The API as its description says: the description is valid OpenAPI, and every call answers as described (which the
harness compares); pages, keys and event streams hold what they promise over arrivals, retries and restarts."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import unittest

from harness import run
from harness.daemon import running_daemon
from harness.mounts import damage_mount, temporary_directory

LINT = os.path.join(os.environ.get("WRITECANARY_SOURCE", os.getcwd()), "tests/contract")


def events(daemon, path, last_id=None, count=1):
    """The first so many events with an id, as (id, type)."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    found, kind = [], None
    try:
        connection.request("GET", path, headers={} if last_id is None else {"Last-Event-ID": str(last_id)})
        response = connection.getresponse()
        assert response.status == 200, response.status
        number = None
        while len(found) < count:
            line = response.readline().decode()
            assert line, f"the stream ended after {found}"
            line = line.rstrip("\n")
            field, _, value = line.partition(": ")
            if field == "id":
                number = int(value)
            elif field == "event":
                kind = value
            elif not line and number is not None:
                found.append((number, kind))
                number = None
    finally:
        connection.close()
    return found


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.require_root("damagefs")
        state = cls.enterClassContext(temporary_directory())
        mount = cls.enterClassContext(damage_mount(cls.enterClassContext(temporary_directory())))
        mount.set_rule(kind="duplicate", every=3)
        cls.daemon = cls.enterClassContext(running_daemon(state, [("data", mount.mount_point, {})]))
        cls.corrupt = cls.daemon.run("data", "append", writes=30)
        assert len(cls.corrupt["findings"]) > 1, cls.corrupt

    def test_the_description_is_valid(self):
        if not shutil.which("npm"):
            self.skipTest("npm is not installed")
        if not os.path.isdir(os.path.join(LINT, "node_modules")):
            installed = subprocess.run(["npm", "ci", "--silent"], cwd=LINT, capture_output=True, text=True, check=False)
            if installed.returncode != 0:
                self.skipTest(f"npm ci: {installed.stderr.strip()}")
        directory = self.enterContext(temporary_directory())
        path = os.path.join(directory, "openapi.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.daemon.api("/openapi.json"), file)
        lint = subprocess.run(["node", "lint.js", path], cwd=LINT, capture_output=True, text=True, check=False)
        self.assertEqual(lint.returncode, 0, lint.stderr[:4000])

    def test_every_call_answers_as_described(self):
        finding = self.corrupt["findings"][0]["id"]
        number = {"/api/v1/runs/{id}": self.corrupt["id"], "/api/v1/findings/{id}": finding,
                  "/api/v1/incidents/{id}": self.corrupt["findings"][0]["incident_id"]}
        tried = 0
        for template, methods in self.daemon.api("/openapi.json")["paths"].items():
            if "get" not in methods or template.endswith("/events"):
                continue
            path = template.replace("{name}", "data").replace("{type}", "target-busy")
            for prefix, value in number.items():
                path = path.replace(prefix, prefix.replace("{id}", str(value)))
            if path.endswith("/evidence"):
                continue  # an archive, not text
            self.assertEqual(self.daemon.get(path)[0], 200, path)
            missing = template.replace("{name}", "none").replace("{id}", "999999").replace("{type}", "none")
            self.assertEqual(self.daemon.get(missing)[0], 200 if missing == template else 404, missing)
            tried += 1
        self.assertGreater(tried, 12)
        for path, body in (("/targets/data/pause", {"note": "x"}), ("/targets/data/resume", {}),
                           (f"/findings/{finding}/ack", {"note": "x"}), ("/incidents/1/ack", {"note": "x", "until": "rate"}),
                           ("/incidents/ack", {"ids": [1], "note": "x"}), ("/incidents/ack", {"filter": {}}),
                           ("/targets/none/pause", {}),
                           ("/findings/999999/ack", {"note": "x"}), ("/runs/999999/stop", {}),
                           (f"/runs/{self.corrupt['id']}/stop", {}), ("/runs", {"target": 5})):
            self.daemon.post(path, body)

    def test_a_key_is_one_callers_and_holds_for_one_request(self):
        body = {"target": "data", "profile": "append-sync", "writes": 2, "queue": True}
        key = {"Idempotency-Key": "weekly-1"}
        first = self.daemon.request("POST", "/api/v1/runs", body, key)
        again = self.daemon.request("POST", "/api/v1/runs", dict(reversed(body.items())), key)
        self.assertEqual((again[0], again[1]["Location"]), (202, first[1]["Location"]), "the order of fields says nothing")
        status, _, text = self.daemon.request("POST", "/api/v1/runs", {**body, "profile": "append"}, key)
        self.assertEqual((status, json.loads(text)["type"]), (422, "/problems/idempotency-key-reused"))
        self.assertIn(first[1]["Location"].rpartition("/")[2], json.loads(text)["detail"])

    def test_a_seed_keeps_all_of_its_digits(self):
        seed = "9787312608855416831"  # a double has 9787312608855416832
        started = self.daemon.start_run("data", "append-sync", writes=2, queue=True, seed=seed)
        done = self.daemon.wait_for_state(started, "finished")
        self.assertEqual((done["seed"], done["spec"]["seed"]), (seed, seed))
        numbered = self.daemon.start_run("data", "append-sync", writes=2, queue=True, seed=int(seed))
        again = self.daemon.wait_for_state(numbered, "finished")
        self.assertEqual((again["seed"], again["spec"]["seed"]), (seed, seed), "an older client's number")
        drawn = self.daemon.run("data", "append-sync", writes=2)["seed"]
        self.assertEqual(str(int(float(drawn))), drawn, "what is drawn survives a client that makes it a number")

    def test_the_type_of_a_problem_leads_to_what_it_means(self):
        status, _, problem = self.daemon.post("/runs", {"target": "none", "profile": "append-sync"})
        self.assertEqual(status, 422)
        status, text = self.daemon.get(problem["type"])
        self.assertEqual((status, json.loads(text)["title"]), (200, problem["title"]))
        self.assertEqual(self.daemon.get("/problems/none")[0], 404)
        listed = json.loads(self.daemon.get("/problems")[1])["items"]
        self.assertIn(problem["type"], [item["type"] for item in listed])

    def test_pages_do_not_shift_when_runs_arrive(self):
        for _ in range(4):
            self.daemon.run("data", "append-sync", writes=2)
        first = self.daemon.api("/runs?limit=2")
        self.daemon.run("data", "append-sync", writes=2)
        second = self.daemon.api(f"/runs?limit=2&cursor={first['next_cursor']}")
        ids = [item["id"] for item in first["items"] + second["items"]]
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertEqual(ids, list(range(ids[0], ids[0] - 4, -1)), "no run is left out and none comes twice")
        status, _ = self.daemon.get(f"/api/v1/findings?cursor={first['next_cursor']}")
        self.assertEqual(status, 400, "a cursor of another listing")

    def test_a_key_starts_one_run_even_over_a_restart(self):
        body = {"target": "data", "profile": "append-sync", "writes": 2, "queue": True}
        key = {"Idempotency-Key": "nightly-1"}
        first = json.loads(self.daemon.request("POST", "/api/v1/runs", body, key)[2])["id"]
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        status, headers, text = self.daemon.request("POST", "/api/v1/runs", body, key)
        self.assertEqual((status, json.loads(text)["id"], headers["Idempotency-Replayed"]), (202, first, "true"))

    def test_an_order_of_several_is_answered_when_all_have_ended(self):
        body = {"target": "data", "profiles": ["append-sync", "offset"], "writes": 20, "queue": True}
        headers = {"Idempotency-Key": "several-1", "Prefer": "wait=120"}
        status, answered, text = self.daemon.request("POST", "/api/v1/runs", body, headers)
        self.assertEqual((status, answered["Preference-Applied"]), (200, "wait=120"), text)
        answer = json.loads(text)
        self.assertEqual([(each["profile"], each["state"]) for each in answer["items"]],
                         [("append-sync", "finished"), ("offset", "finished")])
        self.assertEqual((answer["items"][0]["verdict"], answer["verdict"]), ("corrupt", "corrupt"))
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        status, answered, text = self.daemon.request("POST", "/api/v1/runs", body, headers)
        self.assertEqual((status, answered["Idempotency-Replayed"]), (200, "true"))
        self.assertEqual([each["id"] for each in json.loads(text)["items"]], [each["id"] for each in answer["items"]])

    def test_what_does_not_end_in_time_is_202(self):
        body = {"target": "data", "profile": "append-sync", "duration_seconds": 60, "queue": True}
        status, answered, text = self.daemon.request("POST", "/api/v1/runs", body, {"Prefer": "wait=1"})
        self.assertEqual((status, answered["Preference-Applied"]), (202, "wait=1"), text)
        run_id = json.loads(text)["id"]
        self.assertEqual(answered["Location"], f"/api/v1/runs/{run_id}")
        self.daemon.post(f"/runs/{run_id}/stop", {})
        self.daemon.wait_for_state(run_id, "finished")

    def test_a_stream_goes_on_after_a_restart(self):
        run_id = self.corrupt["id"]
        path = f"/api/v1/runs/{run_id}/events"
        everything = events(self.daemon, path, count=4)
        self.assertEqual([kind for _, kind in everything], ["run.queued", "run.started", "incident.opened", "run.finished"])
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(events(self.daemon, path, last_id=everything[1][0], count=2), everything[2:])
        self.assertEqual(events(self.daemon, "/api/v1/events", last_id=everything[1][0], count=2), everything[2:])

    def test_what_does_not_change_is_not_sent_again(self):
        status, headers, _ = self.daemon.request("GET", "/")
        self.assertEqual(status, 200)
        again = self.daemon.request("GET", "/", headers={"If-None-Match": headers["ETag"]})
        self.assertEqual((again[0], again[2]), (304, ""))


if __name__ == "__main__":
    run.main()
