"""REST over the websocket: the request as Asterisk reads it, and the requests that still await their reply.

Asterisk serves the requests of one socket one after the other and answers in that order, so the oldest
request is always the first one in the table: expiring costs one look at its head, and no request needs a
timer, task or future.
"""

from collections.abc import Callable, Mapping

import msgspec

from router.edge.ari.models import RESTQueryStringParameter, RESTRequest, RESTResponse

LARGEST_FRAME = 60_000
"""Bytes. Asterisk closes the socket with 1009 beyond 65,535, and answers 413 to HTTP bodies over 40,960."""


CONNECTION_LOST = "connection lost"
NOT_CONNECTED = "not connected"
FENCED = "fenced"


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a request. `status` is the HTTP status; 0 when none came, and `reason` says why."""

    status: int
    reason: str
    body: bytes = b""

    @property
    def connection_lost(self) -> bool:
        """No reply can come any more, so whether Asterisk did it is unknown until it is looked at."""
        return self.status == 0 and self.reason in (CONNECTION_LOST, NOT_CONNECTED, FENCED)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


OnReply = Callable[[Reply], None]
Tell = Callable[[OnReply, Reply], None]
Observe = Callable[[float], None]
"""Takes seconds from sending to reply, or to the moment when none was expected any more."""

encode = msgspec.json.Encoder().encode


def request_frame(
    request_id: str,
    method: str,
    path: str,
    query: Mapping[str, str] | None,
    body: Mapping[str, object] | None,
) -> bytes:
    """One request as JSON. Raises TypeError for a body that JSON cannot hold."""
    request = RESTRequest(
        transaction_id="",
        request_id=request_id,
        method=method,
        uri=path,
        query_strings=tuple(RESTQueryStringParameter(name=n, value=v) for n, v in query.items())
        if query
        else None,
        content_type="application/json" if body is not None else None,
        message_body=encode(body).decode() if body is not None else None,
    )
    return encode(request)


class Unanswered:
    """Requests without a reply, oldest first. Times are monotonic, in seconds."""

    def __init__(self, observe: Observe, tell: Tell) -> None:
        """`tell` calls who waits for a reply."""
        self._observe = observe
        self._tell = tell
        self._requests: dict[str, tuple[float, OnReply | None, bool]] = {}
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._requests)

    def next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    def add(self, request_id: str, now: float, on_reply: OnReply | None, unless_ok: bool) -> None:
        """`on_reply` waits for the reply; where `unless_ok`, only to hear that it was not done."""
        self._requests[request_id] = (now, on_reply, unless_ok)

    def settle(self, response: RESTResponse, now: float) -> bool:
        """Tell who waits for that reply; False of one to nothing (late, or to a frame without an id)."""
        waiting = self._requests.pop(response.request_id, None)
        if waiting is None:
            return False
        sent_at, on_reply, unless_ok = waiting
        self._observe(now - sent_at)
        status = response.status_code
        if on_reply is not None and not (unless_ok and 200 <= status < 300):
            body = response.message_body
            self._tell(on_reply, Reply(status, response.reason_phrase, body.encode() if body else b""))
        return True

    def fail_older(self, than: float, now: float, reason: str) -> int:
        """Tell who waits for what was sent at `than` or before that no reply comes, and why; how many that
        were."""
        count = 0
        while self._requests:
            request_id = next(iter(self._requests))
            sent_at, on_reply, _ = self._requests[request_id]
            if sent_at > than:
                break
            del self._requests[request_id]
            self._observe(now - sent_at)
            count += 1
            if on_reply is not None:
                self._tell(on_reply, Reply(0, reason))
        return count
