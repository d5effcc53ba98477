"""The one connection to Asterisk: events in, requests out, over one websocket.

Theory of operation. `run()` looks at Asterisk over HTTP first (`GET /asterisk/info`):
wrong credentials or a wrong version are found before the websocket takes the application's name away from
whoever has it. Then it opens the websocket with subscribeAll, sets the event filter and reads the info
again over the websocket itself, which proves that replies pass the filter and that entity and start time
are those of the process we talk to. Then the engine is told `on_up`.

What is set up again at every connect, and why (22.10.1):
- The filter lives as long as Asterisk's application object, and a filter without RESTResponse swallows every
  reply, so it is set over HTTP.
- An object created with subscribeAll goes away with its websocket even while channels are inside; a new one
  is made. One created without (another program used our name) lingers while channels are inside and ignores
  our subscribeAll, so channels and bridges are then subscribed by hand. In that state each event of a
  channel comes twice, byte for byte; the second is dropped, or a digit would count twice.

Events that arrive before `on_up` are held and delivered after it, in order; unwanted types are expected
until the filter is set and are not counted then.

The reader never waits: near 500 queued messages Asterisk stops taking calls. It decodes and calls `Link`,
whose methods return at once. A frame that does not decode is counted and ignored.

Sending is synchronous (outgoing.py); no request has a task, timer or future (rest.py).

Asterisk serves the requests of a socket, and answers its pings, in one thread, in order. One task looks
four times within the shortest limit: requests older than `reply_limit` get `Reply(0, ...)` and a ping is
sent; a connection that brought nothing for `silence_limit`, or events but no reply or pong for
`stuck_limit`, is dropped. Time in which this process did not run (stopped, starved) is not held against
Asterisk.

ApplicationReplaced means that another router has our name. Asterisk would still obey us, so from that frame
on nothing is sent: every request gets `Reply(0, "fenced")` and `run()` returns.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TypeVar

import msgspec
import structlog
from aiohttp import WSMsgType

from router.edge.ari import models
from router.edge.ari.backoff import Backoff
from router.edge.ari.errors import NoAnswerError, SetupError
from router.edge.ari.lane import HttpLane
from router.edge.ari.link import AriSettings, Counters, Link
from router.edge.ari.opening import accepted, check_version, look, open_socket, set_filter
from router.edge.ari.outgoing import Outgoing, Socket
from router.edge.ari.rest import (
    CONNECTION_LOST,
    FENCED,
    LARGEST_FRAME,
    NOT_CONNECTED,
    Observe,
    OnReply,
    Reply,
    Unanswered,
    request_frame,
)

log = structlog.get_logger()

REPEATS_WITHIN = 64  # frames; both copies of an event arrive close together
STOPPED_SECONDS = 1.0  # a look later than this means that we did not run

Argument = TypeVar("Argument")


class _AnyFrame(msgspec.Struct):
    type: str = "unreadable"


_decode = msgspec.json.Decoder(models.Frame).decode
_decode_type = msgspec.json.Decoder(_AnyFrame).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _unobserved(seconds: float) -> None:
    """Where nobody measures replies."""


def _uncounted(event_type: str) -> None:
    """Where nobody counts ignored types."""


class AriConnection:
    """Keeps one connection to Asterisk up.

    `observe_reply` gets the seconds that every reply took, or that none came; `on_unknown` the type of every
    frame that was ignored, `unreadable` for one that has none.
    """

    def __init__(
        self,
        settings: AriSettings,
        link: Link,
        *,
        rng: random.Random,
        observe_reply: Observe = _unobserved,
        on_unknown: Callable[[str], None] = _uncounted,
    ) -> None:
        self.settings = settings
        self.counters = Counters()
        self._link = link
        self._backoff = Backoff(rng)
        self._on_unknown = on_unknown
        self._unanswered = Unanswered(observe_reply, self._tell)
        self._lane: HttpLane | None = None
        self._outgoing: Outgoing | None = None
        self._up_since: float | None = None
        self._ups = 0
        self._fenced = False
        self._held: list[models.Event] | None = None
        self._recent: deque[bytes] | None = None
        self._heard = self._answered = self._pinged = 0.0

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        on_reply: OnReply | None = None,
        *,
        unless_ok: bool = False,
    ) -> None:
        """Sends one request over the websocket and returns at once. To be called in the event loop.

        `path` is relative to /ari, without a slash in front, percent-encoded where needed. `on_reply` is
        called exactly once, never before `send` has returned; where `unless_ok`, only if it was not done
        (any status but 2xx). Raises TypeError for a body that JSON cannot hold.
        """
        if self._up_since is None:
            self._refuse(on_reply, FENCED if self._fenced else NOT_CONNECTED)
        else:
            self._send(method, path, query, body, on_reply, unless_ok)

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Reply:
        """Like `send`, and waits for the reply, which takes little more than `reply_limit`."""
        answer, settle = _awaited()
        self.send(method, path, query, body, settle)
        return await answer

    async def http(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Reply:
        """One request over HTTP: for bulk reads, and for recordings, which the websocket answers with 406."""
        if self._fenced:
            return Reply(0, FENCED)
        if self._lane is None:
            return Reply(0, NOT_CONNECTED)
        return await self._lane.request(method, path, query, body)

    async def run(self) -> None:
        """Connects, and connects again, until cancelled or replaced."""
        s = self.settings
        self._lane = lane = HttpLane(s.url, s.username, s.password, s.http_limit)
        try:
            while True:
                await self._attempt(lane)
                if self._fenced:
                    return
                await asyncio.sleep(self._backoff.delay())
        finally:
            self._lane = None
            await lane.close()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, object] | None,
        on_reply: OnReply | None,
        unless_ok: bool = False,
    ) -> None:
        if self._outgoing is None:
            return self._refuse(on_reply, NOT_CONNECTED)
        if len(self._unanswered) >= self.settings.unanswered_limit:
            return self._refuse(on_reply, "too many unanswered requests")
        request_id = self._unanswered.next_id()
        frame = request_frame(request_id, method, path, query, body)
        if len(frame) > LARGEST_FRAME:
            return self._refuse(on_reply, f"request of {len(frame)} bytes; {LARGEST_FRAME} is the most")
        if not self._outgoing.push(frame, WSMsgType.TEXT):
            return self._refuse(on_reply, FENCED if self._fenced else CONNECTION_LOST)
        return self._unanswered.add(request_id, monotonic(), on_reply, unless_ok)

    def _refuse(self, on_reply: OnReply | None, reason: str) -> None:
        if on_reply is not None:
            asyncio.get_running_loop().call_soon(self._tell, on_reply, Reply(0, reason))

    def _tell(self, callback: Callable[[Argument], None], argument: Argument) -> None:
        """Calls the engine; what it raises is its own fault and must not end the connection."""
        try:
            callback(argument)
        except Exception:
            self.counters.link_errors += 1
            log.exception("ari_link_error", argument=type(argument).__name__)

    async def _attempt(self, lane: HttpLane) -> None:
        """One connection, from the first look at Asterisk to its end."""
        s = self.settings
        try:
            async with asyncio.timeout(s.connect_limit):
                await look(lane, s)
                opened = await open_socket(lane, s)
            log.warning("ari_down", reason=await self._serve(opened, lane))
        except SetupError as error:
            self._refused(error)
        except TimeoutError:
            self._refused(NoAnswerError(s.url, "no answer in time"))

    def _refused(self, error: SetupError) -> None:
        self.counters.refusals += 1
        log.error("ari_refused", reason=error.reason, text=str(error))

    async def _serve(self, opened: Socket, lane: HttpLane) -> str:
        """Serves one websocket until it ends; the reason."""
        outgoing = Outgoing(opened)
        self._outgoing, self._held = outgoing, list[models.Event]()
        self._heard = self._answered = self._pinged = monotonic()
        reader = asyncio.create_task(self._read(opened, outgoing))
        watch = asyncio.create_task(self._watch(outgoing))
        prepare = asyncio.create_task(self._prepare(lane))
        tasks = (reader, watch, prepare)
        reason = "stopped"
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not (reader.done() or watch.done()):
                prepare.result()
                await asyncio.wait((reader, watch), return_when=asyncio.FIRST_COMPLETED)
            reason = reader.result() if reader.done() else watch.result()
            return reason
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._outgoing = self._held = self._recent = None
            self._end(FENCED if self._fenced else reason)
            await opened.close()

    def _end(self, reason: str) -> None:
        """Every request gets its reply before the engine hears that the connection is gone."""
        up_since, self._up_since = self._up_since, None
        now = monotonic()
        self._unanswered.fail_older(now, now, FENCED if self._fenced else CONNECTION_LOST)
        if up_since is None:
            return
        if now - up_since >= self.settings.steady_after:
            self._backoff.reset()
        if not self._fenced:
            self._tell(self._link.on_down, reason)

    async def _prepare(self, lane: HttpLane) -> None:
        """From an open websocket to `on_up`. Raises SetupError."""
        s = self.settings
        async with asyncio.timeout(s.connect_limit):
            if await set_filter(lane, s):
                self._recent = deque(maxlen=REPEATS_WITHIN)
                log.warning("ari_application_lingers", app=s.app, until="its last channel has left")
            answer, settle = _awaited()
            self._send("GET", "asterisk/info", None, None, settle)
            info = accepted(s.url, await answer, models.AsteriskInfo)
        check_version(s.url, info)
        if self._fenced:
            return
        self._up_since = monotonic()
        self.counters.reconnects += 1 if self._ups else 0
        self._ups += 1
        log.info("ari_up", app=s.app, version=info.system.version if info.system else "")
        self._tell(self._link.on_up, info)
        held, self._held = self._held or [], None
        for event in held:
            self._tell(self._link.on_event, event)

    async def _read(self, opened: Socket, outgoing: Outgoing) -> str:
        """Hands over what comes until the connection ends; the reason."""
        while True:
            message = await opened.receive()
            self._heard = monotonic()
            if message.type is WSMsgType.TEXT:
                outgoing.hold()
                try:
                    self._take(message.data)
                finally:
                    outgoing.release()
                if self._fenced:
                    return "replaced"
                if self._held is not None and len(self._held) > self.settings.held_limit:
                    return "too many events before the connection was ready"
            elif message.type is WSMsgType.PONG:
                self._answered = self._heard
            elif message.type is WSMsgType.PING:
                outgoing.push(message.data, WSMsgType.PONG)
            elif message.type is not WSMsgType.BINARY:
                return f"closed by Asterisk ({opened.close_code})"

    def _take(self, data: bytes) -> None:
        """One frame."""
        try:
            frame = _decode(data)
        except _UNDECODABLE:
            self._ignore(data)
            return
        if type(frame) is models.RESTResponse:
            self._settle(frame)
        elif type(frame) is models.ApplicationReplaced:
            self._fence()
        elif self._recent is not None and data in self._recent:
            self.counters.repeated_events += 1
        else:
            if self._recent is not None:
                self._recent.append(data)
            if self._held is None:
                self._tell(self._link.on_event, frame)
            else:
                self._held.append(frame)

    def _ignore(self, data: bytes) -> None:
        if self._held is not None:
            return  # not filtered yet
        try:
            event_type = _decode_type(data).type
        except _UNDECODABLE:
            event_type = "unreadable"
        self.counters.unknown_events += 1
        self._on_unknown(event_type)

    def _settle(self, response: models.RESTResponse) -> None:
        self._answered = self._heard
        if not self._unanswered.settle(response, self._heard):
            self.counters.late_replies += 1

    def _fence(self) -> None:
        self._fenced = True
        self._up_since = None
        if self._outgoing is not None:
            self._outgoing.stop()
        log.error(
            "ari_replaced", app=self.settings.app, text="another router has taken this application's name"
        )
        now = monotonic()
        self._unanswered.fail_older(now, now, FENCED)
        try:
            self._link.on_replaced()
        except Exception:
            self.counters.link_errors += 1
            log.exception("ari_link_error", argument="replaced")

    async def _watch(self, outgoing: Outgoing) -> str:
        """Looks at what is overdue until the connection has to end; the reason."""
        s = self.settings
        interval = min(s.ping_every, s.reply_limit, s.silence_limit) / 4
        looked = monotonic()
        while True:
            await asyncio.sleep(interval)
            now, before = monotonic(), looked
            looked = now
            if now - before > interval + STOPPED_SECONDS:
                self._heard = self._answered = now  # the reader goes first
                continue
            late = self._unanswered.fail_older(now - s.reply_limit, now, f"no reply in {s.reply_limit:g} s")
            self.counters.timeouts += late
            if now - self._heard >= s.silence_limit:
                return f"nothing came for {s.silence_limit:g} s"
            if now - self._answered >= s.stuck_limit:
                return f"no request was answered for {s.stuck_limit:g} s"
            if late or now - max(self._answered, self._pinged) >= s.ping_every:
                self._pinged = now
                outgoing.push(b"", WSMsgType.PING)


def _awaited() -> tuple[asyncio.Future[Reply], OnReply]:
    """A future, and the callback that settles it unless its waiter has gone."""
    answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def settle(reply: Reply) -> None:
        if not answer.done():
            answer.set_result(reply)

    return answer, settle
