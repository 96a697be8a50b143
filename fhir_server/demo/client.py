"""A small FHIR client over the standard library, for the story, the benchmarks and the tests.

It speaks real HTTP on a kept connection and shows what was said.
"""

import http.client
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: `body` decoded where it is JSON, else text."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Return the resources of a Bundle that matched (not the included ones)."""
        found = self.body.get("entry", []) if isinstance(self.body, dict) else []
        return [
            e["resource"]
            for e in found
            if e.get("search", {}).get("mode", "match") == "match" and "resource" in e
        ]


class Client:
    """One kept HTTP connection to a hub, with one bearer token."""

    def __init__(self, base: str, token: str = "", name: str = "") -> None:
        """Take the hub's address (`http://127.0.0.1:8080`), a token and a name to show."""
        self.base, self.token, self.name = base.rstrip("/"), token, name
        parts = urlsplit(self.base)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def get(self, path: str, **headers: str) -> Answer:
        """Send a GET; `path` is relative to the hub's root."""
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """Send a POST with a JSON body."""
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        """Send a PUT with a JSON body."""
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, operations: list[dict[str, Any]], **headers: str) -> Answer:
        """Send a JSON Patch."""
        headers.setdefault("Content_Type", "application/json-patch+json")
        return self.send("PATCH", path, operations, **headers)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        """Send a request; `_` in a header's name stands for `-`. A connection that was
        closed is opened again."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body, default=_plain).encode()
            sent.setdefault("Content-Type", "application/fhir+json")
        try:
            return self._exchange(method, path, data, sent)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            return self._exchange(method, path, data, sent)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> Answer:
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        raw = response.read()
        names = {name.lower(): value for name, value in response.getheaders()}
        is_json = "json" in names.get("content-type", "") and raw
        return Answer(response.status, names, json.loads(raw) if is_json else raw.decode())


def _plain(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{value!r} is not JSON")
