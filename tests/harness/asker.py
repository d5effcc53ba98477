"""Whoever asks the API over real HTTP, and listens to its events."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

PATH = "/api/v1"


class Answered(NamedTuple):
    """What the API answered."""

    status: int
    headers: http.client.HTTPMessage
    body: Any


class Asker:
    """One who asks the API of a router on this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self,
        path: str,
        token: str | None = "reader",
        *,
        method: str = "GET",
        body: object = None,
        **headers: str,
    ) -> Answered:
        """One request; `body` is sent as JSON, if there is one."""
        shown = {} if token is None else {"Authorization": f"Bearer {token}"}
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if sent is not None:
            shown["Content-Type"] = "application/json"
        shown |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, PATH + path, sent, shown)
            reply = connection.getresponse()
            text = reply.read()
            is_json = "json" in (reply.headers["Content-Type"] or "")
            return Answered(reply.status, reply.headers, json.loads(text) if is_json else text)
        finally:
            connection.close()

    @contextmanager
    def listening(self, query: str = "", token: str = "reader", **headers: str) -> "Iterator[Listener]":
        """Somebody listens to events."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        shown = {"Authorization": f"Bearer {token}"}
        shown |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", f"{PATH}/events{query}", headers=shown)
        try:
            yield Listener(connection.getresponse())
        finally:
            connection.close()


class Event(NamedTuple):
    """What a listener hears."""

    id: int | None
    type: str
    data: Any


class Listener:
    """One who listens."""

    def __init__(self, reply: http.client.HTTPResponse) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self._reply = reply
        self.last = 0
        """The last id that was heard."""

    def hears(self) -> Event | None:
        """The next that comes; a comment, or an id alone, is without a type. None at the end."""
        id, kind, data = None, "", ""
        while line := self._reply.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            match name:
                case "id":
                    self.last = id = int(value)
                case "event":
                    kind = value
                case "data":
                    data = value
                case "":
                    if not value:
                        return Event(id, kind, json.loads(data) if data else None)
        return None

    def events(self, count: int, within: float = 45.0) -> list[Event]:
        """The next so many that have a type. Comments come all the while, so time is looked at at each."""
        found: list[Event] = []
        until = time.monotonic() + within
        while len(found) < count:
            heard = self.hears()
            assert heard is not None, found
            assert heard.type or time.monotonic() < until, f"not within {within:g} s: {found}"
            found += [heard] if heard.type else []
        return found
