"""Server-sent events: notices of calls and agents, as they happen.

Whoever is cut off, or was too slow and is let go, comes back with `Last-Event-ID` and misses nothing, as long
as the outbox keeps what was told. A listener costs no more than what its connection buffers: it is given the
next notices once it has taken those before (noticefeed.py).
"""

import asyncio
import socket
import time
from typing import Annotated, get_args

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from router.core.access import Role
from router.core.notices import Notice
from router.edge.noticefeed import NoticeFeed
from router.edge.records import UnreachableError
from router.edge.store.outbox import Outgoing
from router.edge.web.api.problems import BUSY, RETRY, ProblemError
from router.edge.web.api.routes import WRITE, Asking, ClientId, Nothing, Resource, Route

MOST_LISTENERS = 50
MOST_OF_A_TOKEN = 20
HEARTBEAT = 15.0
STALLED = 20.0
"""Seconds in which a listener takes nothing, and is let go."""
LOOK_EVERY = 1.0
BUFFER = 65_536
"""Bytes."""
TOGETHER = 100
"""Notices that are sent together."""
RETRY_AFTER = "retry: 2000\n"
"""Milliseconds after which a browser comes back."""

GAP = "stream.gap"
"""Told first where notices behind Last-Event-ID may be kept no more."""

LAST_ID = "Last-Event-ID"

TYPES = tuple(str(notice.__struct_config__.tag) for notice in get_args(Notice))
Type = Annotated[
    str,
    Meta(pattern=f"^({'|'.join(TYPES).replace('.', '[.]')})$", extra={WRITE: f"one of {', '.join(TYPES)}"}),
]
EventId = Annotated[int, Meta(ge=0, le=2**63 - 1)]

_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
"""The latter keeps nginx from holding back what is sent."""

log = structlog.get_logger()


class EventsQuery(msgspec.Struct, frozen=True):
    """Which notices."""

    client: ClientId | None = None
    """Only those of this client's calls and agents."""
    type: tuple[Type, ...] = ()
    """Only these types; give it several times for several. Without it, all."""
    last: EventId | None = msgspec.field(default=None, name=LAST_ID)
    """The id of the event that came here last: first comes what was missed since."""
    after: EventId | None = None
    """In place of the header `Last-Event-ID`, for those who cannot set it."""


async def stream_events(asking: Asking[EventsQuery, Nothing]) -> web.StreamResponse:
    """Notices of calls and agents as they happen, each as `id`, `event` (its type) and `data` (a Notice as
    JSON). Whoever comes back with the header `Last-Event-ID` is told first what was missed; `stream.gap` says
    that some of that may be kept no more. A comment comes every 15 seconds, as a sign of life."""
    feed = asking.powers.notices
    if feed.listeners >= MOST_LISTENERS:
        many = f"{MOST_LISTENERS} listen already, and more would cost calls; end one of them"
        raise ProblemError(BUSY, many, headers=RETRY)
    if feed.listeners_by(asking.who.name) >= MOST_OF_A_TOKEN:
        many = f"{MOST_OF_A_TOKEN} listen by the token `{asking.who.name}` already; end one of them"
        raise ProblemError(BUSY, many, headers=RETRY)
    asked, client = asking.asked, asking.client(asking.asked.client)
    last = asked.after if asked.last is None else asked.last
    with feed.listening(asking.who.name):
        place, gap = await feed.begin_behind(last) if last is not None else (await feed.begin(), False)
        response = web.StreamResponse(headers=_HEADERS)
        listener = _Listener(asking, client, response, feed, place)
        try:
            await response.prepare(asking.request)
            _bound(asking.request)
            await listener.greet(last if gap else None)
            await listener.tell()
        except TimeoutError:
            log.warning("listener too slow, let go", token=asking.who.name)
            if asking.request.transport is not None:
                asking.request.transport.abort()
        except ConnectionResetError:
            pass  # It has gone.
    return response


def _bound(request: web.Request) -> None:
    """Have the kernel, too, keep little of what is not taken, and not for long: it would keep megabytes, and
    wait a quarter of an hour for one who has gone without a word."""
    connection = request.transport.get_extra_info("socket") if request.transport else None
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(STALLED * 1000))


class _Listener:
    """One who listens."""

    def __init__(
        self,
        asking: Asking[EventsQuery, Nothing],
        client: str | None,
        response: web.StreamResponse,
        feed: NoticeFeed,
        place: int,
    ) -> None:
        self._asking = asking
        self._client = client
        self._response = response
        self._feed = feed
        self._place = place
        """The last notice that was looked at for it."""
        self._judged = time.monotonic()
        """When it was last looked at whether the token still holds."""

    async def greet(self, missed_after: int | None) -> None:
        """Begin; where that is set, some of what came after it may be missing."""
        text = RETRY_AFTER
        if missed_after is not None:
            told = msgspec.json.encode({"type": GAP, "after": missed_after}).decode()
            text += f"event: {GAP}\ndata: {told}\n"
        await self._send(f"{text}id: {self._place}\n\n")

    async def tell(self) -> None:
        """Go on until it has gone, or may hear no more. TimeoutError where it takes nothing any more."""
        while self._connected:
            rung = self._feed.rung
            if time.monotonic() - self._judged >= HEARTBEAT and not await self._still_may():
                return
            told = await self._more()
            if told:
                self._place = told[-1].id
                await self._send("".join(map(_frame, filter(self._wants, told))))
            else:
                await self._feed.wait(rung, LOOK_EVERY)

    @property
    def _connected(self) -> bool:
        transport = self._asking.request.transport
        return not self._feed.closed and transport is not None and not transport.is_closing()

    async def _more(self) -> list[Outgoing]:
        try:
            return list(await self._feed.after(self._place))[:TOGETHER]
        except UnreachableError:
            await asyncio.sleep(LOOK_EVERY)
            return []

    async def _still_may(self) -> bool:
        """A sign of life, which also tells how far it has come; whether the token still holds."""
        self._judged = time.monotonic()
        try:
            holds = await self._asking.powers.token(self._asking.who.hash) is not None
        except UnreachableError:
            holds = True
        await self._send(f": still here\nid: {self._place}\n\n" if holds else ": the token holds no more\n\n")
        return holds

    def _wants(self, notice: Outgoing) -> bool:
        types = self._asking.asked.type
        return self._client in (None, notice.client) and (not types or notice.type in types)

    async def _send(self, text: str) -> None:
        if text:
            async with asyncio.timeout(STALLED):
                await self._response.write(text.encode())


def _frame(notice: Outgoing) -> str:
    return f"id: {notice.id}\nevent: {notice.type}\ndata: {notice.body}\n\n"


RESOURCE = Resource(
    "events",
    "What happens to calls and agents, as it happens.",
    (
        Route(
            method="GET",
            path="/events",
            summary="Listen to events",
            role=Role.READER,
            handle=stream_events,
            asked=EventsQuery,
            headers=(LAST_ID,),
            answer=str,
            media="text/event-stream",
        ),
    ),
)
