"""A worker of flows that does nothing but talk: it claims, waits, heartbeats and reports, until somebody kills it.

    python flow_hand.py ADDRESS JOURNAL SEED

What it asks and what it is answered it writes to JOURNAL, a line each, before it asks and after it was answered. The
key is read from ZAP_TOKEN. Nothing of ours is imported, so that one begins in no time.
"""

import http.client
import json
import os
import random
import sys
import time
from urllib.parse import urlsplit

LEASE_S = 10.0  # the shortest that there is


class Hand:
    """One worker. `dice` decides what becomes of each run."""

    def __init__(self, address, journal, seed):
        self.where, self.dice = urlsplit(address), random.Random(seed)
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.name = f"hand-{os.getpid()}"

    def work(self):
        """Claim and carry out, one run after the other, for ever."""
        while True:
            body = {"workerId": self.name, "count": self.dice.choice([1, 1, 3]), "leaseMs": LEASE_S * 1000}
            claimed = self.ask("claims", {**body, "runners": ["shell"], "waitMs": 2000})
            for claim in (claimed or {}).get("claims", ()):
                self.carry_out(claim)

    def carry_out(self, claim):
        """Heartbeat, write, and end it in one way or another; now and then so late that the lease is over."""
        attempt, held = claim["attemptId"], {"leaseToken": claim["leaseToken"]}
        time.sleep(self.dice.uniform(0, 0.2))
        if self.dice.random() < 0.3:
            self.tell(attempt, "heartbeat", held)
            self.tell(attempt, "output", {**held, "output": [{"seq": 1, "kind": "stdout", "text": attempt}]})
        fate = self.dice.random()
        if fate < 0.06:
            time.sleep(LEASE_S + 0.5)
        if fate > 0.97:
            self.tell(attempt, "release", held)
        elif fate > 0.93:
            self.tell(attempt, "fail", {**held, "error": "not this time", "retry": True})
        else:
            self.tell(attempt, "complete", {**held, "result": {"status": "completed", "by": attempt}})

    def tell(self, attempt, verb, body):
        """Report until somebody answers."""
        self.note(attempt=attempt, verb=verb)
        while (answer := self.ask(f"attempts/{attempt}/{verb}", body)) is None:
            time.sleep(0.2)
        self.note(attempt=attempt, verb=verb, status=answer["httpStatus"], code=answer.get("code", ""))

    def ask(self, path, body):
        """The answer with its status; None where there is no server, or it is in trouble."""
        headers = {"Authorization": f"Bearer {os.environ['ZAP_TOKEN']}", "Content-Type": "application/json"}
        line = http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=30)
        try:
            line.request("POST", f"/api/flows/{path}", json.dumps(body), headers)
            answer = line.getresponse()
            document = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.2)
            return None
        finally:
            line.close()
        if answer.status >= 500:
            self.note(trouble=answer.status)
            return None
        return {**document, "httpStatus": answer.status}

    def note(self, **line):
        """One write, so that a line is there whole or not at all."""
        os.write(self.journal, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    Hand(*sys.argv[1:]).work()
