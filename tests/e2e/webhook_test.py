"""Events out: CloudEvents with a valid signature, each at least once and in order per run, whatever happens to the
receiver and to the daemon."""

import base64
import hashlib
import hmac
import json
import os
import signal
import time
import unittest

from harness import run
from harness.daemon import Daemon, closed_window, free_port
from harness.mounts import damage_mount, temporary_directory
from harness.receiver import running_receiver
from harness.waiting import wait_until

SECRET = "3f1c-a secret of this test"
REQUIRED = {"specversion", "id", "source", "type"}  # CloudEvents 1.0, 2.1
PENDING = "writecanary_webhook_pending"


def signature(request):
    text = b".".join([request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.body])
    return "v1," + base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()


class Webhook(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(temporary_directory())
        self.damage = self.enterContext(damage_mount(self.directory))
        self.port = free_port()
        with open(os.path.join(self.directory, "secret"), "w", encoding="utf-8") as file:
            file.write(SECRET + "\n")
        self.daemon = Daemon(self.directory, [("data", self.damage.mount_point, {})], window=closed_window(),
                             profiles=["append"])
        self.set_webhook()
        self.addCleanup(self.daemon.stop)

    def set_webhook(self):
        with open(self.daemon.config_path, "a", encoding="utf-8") as file:
            file.write(f'[webhook]\nurl = "http://127.0.0.1:{self.port}/events?from=test"\n'
                       f'secret_file = "{self.directory}/secret"\n')

    def corrupt_run(self):
        self.damage.set_rule(kind="duplicate", at=5, file="file-")
        done = self.daemon.run("data", "append", writes=40)
        self.assertEqual(done["verdict"], "corrupt")
        return done

    def expected(self):
        """Ids of the events that have to go out, per run, in order."""
        events = {}
        for incident in self.daemon.api("/incidents?limit=500")["items"]:
            first = self.daemon.api(f"/incidents/{incident['id']}")["kept_findings"][0]["run_id"]
            events.setdefault(first, []).insert(0, ("writecanary.incident.opened", incident["id"]))
        for finished in self.daemon.api("/runs?limit=500")["items"]:
            events.setdefault(finished["id"], []).append(("writecanary.run.finished", finished["id"]))
        return events

    def check_request(self, request):
        self.assertEqual(request.path, "/events?from=test")
        self.assertEqual(request.headers["content-type"], "application/cloudevents+json")
        self.assertEqual(request.headers["webhook-signature"], signature(request))
        self.assertLess(abs(time.time() - int(request.headers["webhook-timestamp"])), 600)
        event = json.loads(request.body)
        self.assertLessEqual(REQUIRED, set(event))
        self.assertEqual((event["specversion"], event["id"]), ("1.0", request.headers["webhook-id"]))
        return event

    def test_each_event_arrives_in_order_over_an_outage_a_crash_and_errors(self):
        self.daemon.start()
        first = self.corrupt_run()
        wait_until(lambda: self.daemon.metric(PENDING) >= 2, 20, "events that wait")  # nobody listens
        wait_until(lambda: "could not be delivered" in self.daemon.log(), 20, "an attempt")
        self.assertNotIn("from=test", self.daemon.log(), "what stands behind the host may be a secret")
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        self.assertGreaterEqual(self.daemon.metric(PENDING), 0)
        second = self.corrupt_run()
        expected = self.expected()
        self.assertEqual(set(expected), {first["id"], second["id"]})

        with running_receiver(self.port, statuses=[500, 500]) as receiver:
            wanted = sum(len(events) for events in expected.values())
            taken = lambda: [request for request in receiver.received() if request.status == 204]  # noqa: E731
            wait_until(lambda: len(taken()) >= wanted, 90, f"{wanted} events")
            requests = receiver.received()
            self.assertEqual([request.status for request in requests[:3]], [500, 500, 204])
            self.assertEqual(len({request.headers["webhook-id"] for request in requests[:3]}), 1, "it was tried again")
            for request in requests:
                self.check_request(request)
            events = [json.loads(request.body) for request in taken()]
            for run_id, of_run in expected.items():
                got = [(event["type"], event["data"]["id"]) for event in events if event.get("partitionkey") == str(run_id)]
                self.assertEqual(list(dict.fromkeys(got)), of_run)
            self.assertEqual([event["sequence"] for event in events], sorted(event["sequence"] for event in events))
            wait_until(lambda: self.daemon.metric(PENDING) == 0, 20, "an empty outbox")

            incident = expected[first["id"]][0][1]
            self.daemon.post(f"/incidents/{incident}/ack", {"note": "seen"})
            acknowledged = wait_until(lambda: [json.loads(request.body) for request in receiver.received()
                                               if b"incident.acknowledged" in request.body], 20, "the acknowledgement")
            self.assertEqual(acknowledged[0]["data"]["incident_id"], incident)
            self.assertEqual(acknowledged[0]["data"]["known"]["note"], "seen")
            self.assertEqual(acknowledged[0]["subject"], f"targets/data/incidents/{incident}")

    def test_an_event_that_is_never_taken_does_not_hold_up_the_others(self):
        with running_receiver(self.port, statuses=[422]) as receiver:
            self.daemon.start()
            self.corrupt_run()
            wanted = sum(len(events) for events in self.expected().values())
            wait_until(lambda: len(receiver.received()) >= wanted, 60, "all events")
            wait_until(lambda: self.daemon.metric(PENDING) == 0, 20, "an empty outbox")
            self.assertEqual(len({request.headers["webhook-id"] for request in receiver.received()}), wanted)

    def test_without_a_secret_it_does_not_start_and_a_reload_keeps_what_runs(self):
        self.daemon.start()
        os.unlink(os.path.join(self.directory, "secret"))
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.metric("writecanary_config_reload_successful") == 0, 20, "the reload to fail")
        self.assertIn("secret", self.daemon.api("/status")["config"]["reload_error"])
        self.daemon.stop()
        with self.assertRaisesRegex(AssertionError, "secret"):
            self.daemon.start()


if __name__ == "__main__":
    run.main()
