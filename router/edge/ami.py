"""AMI, Asterisk's manager interface: one connection that only listens and asks. By panoramisk, corrected.

What panoramisk 1.4 does otherwise, and is not done here (tests/edge/test_ami.py has a row for each):
 - it connects again by itself, for ever, every two seconds, even when closed meanwhile: `run` has a loop of
   its own, with back-off;
 - actions without a reply are sent once more after the next connect: here whoever waits is told
   (AmiLostError), and asks again if that still matters;
 - a character whose bytes come in two packets is lost;
 - a line break in a value begins a header of its own: refused here;
 - nobody looks whether its pings are answered: a line that is silent is given up here;
 - it logs an action that it cannot send, the login with its secret too: here it logs nothing.

Callbacks are no coroutines, since those would run in no order. Nothing on the way of a call waits for AMI.
"""

import asyncio
import codecs
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from router.edge.amilink import AmiSettings
from router.edge.ari.backoff import Backoff

log = structlog.get_logger()

CONNECT_LIMIT = 5.0
"""Seconds until a connection must be made, and logged in."""
REPLY_LIMIT = 5.0
"""Seconds until a reply must have come."""
PING_EVERY = 10.0
"""Seconds."""

logging.getLogger("panoramisk").setLevel(logging.CRITICAL + 1)

_REMEDY = "look at `ami:` in the settings, and at manager.conf: enabled, bindaddr, the user, `read = agent`"


class AmiLostError(Exception):
    """There is no connection, or it ended before the reply came."""


class _Protocol(AMIProtocol):
    """The protocol, with whole characters, and without actions that are sent later."""

    def __init__(self, manager: "Ami") -> None:
        self._manager = manager

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.factory = self._manager
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def data_received(self, data: bytes) -> None:
        super().data_received(self._decode(data).encode())

    def close(self) -> None:
        unanswered = {id(action): action for action in self.responses.values()}
        self.responses.clear()
        super().close()
        for action in unanswered.values():
            if not action.future.done():
                action.future.set_exception(AmiLostError("the connection ended"))
                action.future.exception()  # Whether anybody still waits for it is theirs to know.


class Ami(Manager):
    """The connection. `run` keeps it up until cancelled."""

    def __init__(
        self,
        settings: AmiSettings,
        backoff: Backoff,
        on_event: Callable[[Mapping[str, str]], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
    ) -> None:
        """`on_up` hears of each login, and `on_down` once of each end after one."""
        super().__init__(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            secret=settings.secret,
            events=settings.events,
        )
        self._settings = settings
        self._backoff = backoff
        self._on_up = on_up
        self._on_down = on_down
        self._lost: asyncio.Future[None] | None = None
        """Of the connection there is; done once it is lost."""
        self.register_event("*", lambda manager, event: on_event(event))

    @property
    def is_up(self) -> bool:
        """True from a login until the connection ends."""
        return bool(self.authenticated) and self._lost is not None and not self._lost.done()

    async def run(self) -> None:
        """Connect, and again whenever that ends."""
        self.loop = asyncio.get_running_loop()
        told = ""
        while True:
            try:
                await self._log_in()
                told = ""
                self._backoff.reset()
                log.info("in touch with AMI", host=self._settings.host, port=self._settings.port)
                await self._stay()
            except (OSError, AmiLostError, TimeoutError) as problem:
                reason = str(problem) or type(problem).__name__
                if reason != told:  # Said once, and not at each attempt.
                    log.warning("AMI out of sight", reason=reason, remedy=_REMEDY)
                told = reason
            except Exception:  # Whatever it was: calls go on without AMI, and so does the router.
                log.exception("AMI failed")
            finally:
                self._end()
            await asyncio.sleep(self._backoff.delay())

    @asynccontextmanager
    async def once(self) -> AsyncIterator[None]:
        """One connection while the block lasts, in place of `run`. Raises OSError, AmiLostError or
        TimeoutError where none is to be had."""
        self.loop = asyncio.get_running_loop()
        try:
            await self._log_in()
            yield
        finally:
            self._end()

    async def ask(self, action: Mapping[str, str], *, listed: bool = False) -> list[Message]:
        """Send an action, and wait for its reply or, where that is `listed`, for the whole list. Raises
        AmiLostError."""
        if any("\n" in text or "\r" in text for pair in action.items() for text in pair):
            raise ValueError("a line break in an action of AMI would begin another header")
        if not self.is_up:
            raise AmiLostError("there is no connection")
        try:
            async with asyncio.timeout(REPLY_LIMIT):
                reply = await self.send_action(dict(action), as_list=listed)
        except TimeoutError:
            raise AmiLostError(f"no reply to {action['Action']} in {REPLY_LIMIT:g} s") from None
        return reply if isinstance(reply, list) else [reply]

    async def _log_in(self) -> None:
        host, port = self._settings.host, self._settings.port
        self._lost = self.loop.create_future()
        async with asyncio.timeout(CONNECT_LIMIT):
            made = asyncio.ensure_future(self.loop.create_connection(lambda: _Protocol(self), host, port))
            await made
            self.connection_made(made)  # It sends the login.
            reply = await self.authenticated_future
        if not reply.success:
            raise AmiLostError(f"AMI refuses the login: {reply.message}")
        self.authenticated = True
        self._on_up()

    async def _stay(self) -> None:
        assert self._lost is not None
        while True:
            await asyncio.wait([self._lost], timeout=PING_EVERY)
            if self._lost.done():
                raise AmiLostError("the connection ended")
            await self.ask({"Action": "Ping"})

    def _end(self) -> None:
        was_up, self.authenticated = self.authenticated, False
        self.close()
        if was_up:
            self._on_down()

    def login(self, future: "asyncio.Future[Message]") -> None:
        """Nothing: `run` looks at the reply itself."""

    def ping(self) -> None:
        """Nothing: `run` does, and looks for the reply."""

    def connection_lost(self, exc: object) -> None:
        """The connection has ended: `run` goes on from there."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
