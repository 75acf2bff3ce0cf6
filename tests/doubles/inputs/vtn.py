"""A virtual top node of OpenADR 3 on loopback: programs, events in pages, and tokens; or what a test wants instead."""

import json
import threading
from urllib.parse import parse_qs, urlsplit

from doubles.feeds.web import WebSource

CLIENT, SECRET = "site-7", "correct horse"
CREATED = "2026-12-01T00:00:00Z"


def event(number=1, values=(500.0,), *, kind="IMPORT_CAPACITY_LIMIT", units="KW", start="2026-12-01T08:00:00Z",
          duration="PT1H", program="p1", **more):  # fmt: skip
    """Return an event with one interval for each value."""
    described = [{"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": kind, "units": units}] if units else []
    return {
        "id": f"e{number}", "objectType": "EVENT", "programID": program, "eventName": "limit",
        "createdDateTime": CREATED, "modificationDateTime": CREATED, "payloadDescriptors": described,
        "intervalPeriod": {"start": start, "duration": duration},
        "intervals": [{"id": at, "payloads": [{"type": kind, "values": [each]}]} for at, each in enumerate(values)],
    } | more  # fmt: skip


class Vtn:
    """Serves `events` and `programs`; `instead` answers in their place."""

    def __init__(self, *, secret=None, tls=None):
        self.programs = [
            {"id": "p1", "programName": "limits", "createdDateTime": CREATED, "modificationDateTime": CREATED}
        ]
        self.events, self.instead, self.knows_skip = [], None, True
        self.secret, self.tokens, self.valid = secret, 0, set()
        self.blocked = threading.Event()
        self._web = WebSource(self._answer, tls)
        self.url = f"{self._web.url}/openadr3/3.1.0"

    @property
    def requests(self):
        return self._web.requests

    def close(self):
        self.blocked.set()
        self._web.close()

    def _answer(self, method, path, headers, body):
        if self.instead is not None:
            return self.instead(path)
        parts = urlsplit(path)
        name = parts.path.removeprefix("/openadr3/3.1.0")
        if (method, name) == ("POST", "/auth/token"):
            return self._issued(parse_qs(body.decode()))
        if self.secret and headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            return _json(401, {"title": "Unauthorized"})
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        rows = {"/events": self.events, "/programs": self.programs}.get(name)
        if rows is None:
            return _json(404, {"title": "Not Found", "detail": f"no {name}"})
        if "programID" in query:
            rows = [row for row in rows if row["programID"] == query["programID"]]
        first = int(query.get("skip", 0)) if self.knows_skip else 0
        return _json(200, rows[first : first + int(query.get("limit", 50))])

    def _issued(self, form):
        stated = {key: values[0] for key, values in form.items()}
        expected = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": self.secret}
        if stated != expected:
            return _json(401, {"error": "invalid_client"})
        self.tokens += 1
        self.valid = {f"token-{self.tokens}"}
        return _json(200, {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 3600})


def _json(status, content):
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
