"""FastAGI: `agi://HOST:PORT/route` tells dialplans of the administrator's own what rules say of a caller, and
by `agi://HOST:PORT/reached` they tell whom somebody has talked with.

The server is our own. Of panoramisk's (1.4, fast_agi.py), whose AMI is used here, mending would have left
nothing but the names (tests/edge/test_agi.py has a row for each):
 - a client that closes before the empty line has its loop read nothing for ever, and no call is answered;
 - a client that says nothing, or never ends its lines, stays, and is kept whole in memory;
 - bytes that are no UTF-8 end in an exception: the connection stays open, and the caller with it;
 - who asks for another script is told nothing;
 - a command waits for its reply without limit, and a line break in a value begins another command;
 - it takes what is in the socket for the reply, so lines that a caller has put there, too.

Every connection has `within` for all of it. Of more than `most_at_once` the oldest gives way: a request takes
milliseconds, so what has been there for long says nothing. Whatever becomes of one, the dialplan goes on once
it is closed, and looks whether it was told anything (`dialplan/route.conf`).
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum

import structlog

from router.core.handout import PREFIX, Variables
from router.edge.agiwire import (
    DONE,
    HUNG_UP,
    Asked,
    MalformedError,
    question,
    read_answer,
    read_request,
    setting,
)
from router.edge.web.health import AddressTakenError
from router.settings import Agi, is_loopback

log = structlog.get_logger()

MOST_BYTES = 16_384
"""Of the variables of a request; Asterisk sends one or two thousand."""
LONGEST_LINE = 4_096
BACKLOG = 256
"""Connections that wait to be taken, and that are taken in one go before any gives way."""

Answer = Callable[[Asked, str], Variables]
"""What a request is told; the text is CALLROUTER_VARIABLES."""


class Outcome(StrEnum):
    """What became of a connection."""

    ANSWERED = "answered"
    UNKNOWN_SCRIPT = "unknown_script"
    """It asked for something else, and was told so."""
    HUNG_UP = "hung_up"
    """The caller left meanwhile."""
    SLOW = "slow"
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    GONE = "gone"
    """It was closed before it was answered."""
    GAVE_WAY = "gave_way"
    FAULT = "fault"
    """Ours, logged with its traceback."""


class _HungUpError(Exception):
    """The caller has left."""


class _TooLongError(Exception):
    """The request has more than MOST_BYTES."""


_MEANS: dict[type[Exception], Outcome] = {
    _HungUpError: Outcome.HUNG_UP,
    _TooLongError: Outcome.TOO_LONG,
    asyncio.LimitOverrunError: Outcome.TOO_LONG,
    MalformedError: Outcome.MALFORMED,
    TimeoutError: Outcome.SLOW,
    asyncio.IncompleteReadError: Outcome.GONE,
}


class FastAgi:
    """The server, between `open` and `close`."""

    def __init__(self, settings: Agi, answers: Mapping[str, Answer], over: Callable[[Outcome], None]) -> None:
        """`answers` by what is asked for; `over` hears what became of each connection."""
        self._settings = settings
        self._answers = answers
        self._over = over
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, None] = {}
        """Those there are, the oldest first,"""
        self._gave_way: set[asyncio.StreamWriter] = set()
        """and those that are about to be gone."""

    async def open(self) -> None:
        """Listen, if a port is set. Raises AddressTakenError."""
        host, port = self._settings.host, self._settings.port
        if not port:
            return
        try:
            self._server = await asyncio.start_server(
                self._serve, host, port, limit=LONGEST_LINE, backlog=BACKLOG
            )
        except OSError as error:
            why = error.strerror or str(error)
            text = (
                f"cannot listen on {host} port {port}: {why}; set `agi.host` and `agi.port` to a free address"
            )
            raise AddressTakenError(text) from error
        log.info("FastAGI is served", host=host, port=port)
        if not is_loopback(host):
            log.warning(
                "whoever reaches this port can ask where calls go, and say who was called back; let only "
                "Asterisk through",
                port=port,
            )

    async def close(self) -> None:
        """Listen no more, and end all connections."""
        if self._server is not None:
            self._server.close()
        for writer in self._connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._make_room()
        self._connections[writer] = None
        outcome = Outcome.FAULT
        try:
            async with asyncio.timeout(self._settings.within):
                outcome = await self._talk(reader, writer)
        except tuple(_MEANS) as problem:
            outcome = _MEANS[type(problem)]
        except OSError:
            outcome = Outcome.GONE
        finally:
            self._connections.pop(writer, None)
            if outcome in (Outcome.ANSWERED, Outcome.UNKNOWN_SCRIPT):
                writer.close()  # All that we said was read.
            else:
                writer.transport.abort()  # Else what nobody reads would be kept until they do.
            if writer in self._gave_way:
                self._gave_way.discard(writer)
                outcome = Outcome.GAVE_WAY
            self._over(outcome)

    def _make_room(self) -> None:
        """Have the oldest give way, unless there is room."""
        if len(self._connections) >= self._settings.most_at_once:
            oldest = next(iter(self._connections))
            del self._connections[oldest]
            self._gave_way.add(oldest)
            oldest.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
        asked = read_request(await _request(reader))
        word = secrets.token_hex(8)
        writer.write(question(word).encode())
        told, outcome = self._told(asked, read_answer(await _reply(reader), word))
        for name, value in told:  # One by one: Asterisk 22.10.1 looks at a second command only after a third.
            writer.write(setting(name, value).encode())
            if await _reply(reader) != DONE:
                raise MalformedError("a variable could not be set")
        return outcome

    def _told(self, asked: Asked, variables: str) -> tuple[Variables, Outcome]:
        answer = self._answers.get(asked.script)
        if answer is None:
            known = " or ".join(self._answers)
            return _error(f"there is no script {asked.script[:40]}, ask for {known}"), Outcome.UNKNOWN_SCRIPT
        try:
            return answer(asked, variables), Outcome.ANSWERED
        except Exception:
            log.exception("a request by AGI could not be decided", channel=asked.channel)
            return _error("the router failed; its log says how"), Outcome.FAULT


def _error(text: str) -> Variables:
    return ((f"{PREFIX}ERROR", text), (f"{PREFIX}TREATMENT", ""))


async def _request(reader: asyncio.StreamReader) -> list[str]:
    """The lines before the empty one."""
    lines: list[str] = []
    left = MOST_BYTES
    while (line := await reader.readuntil(b"\n")) != b"\n":
        left -= len(line)
        if left < 0:
            raise _TooLongError
        lines.append(line.decode(errors="replace").removesuffix("\n"))
    return lines


async def _reply(reader: asyncio.StreamReader) -> str:
    line = (await reader.readuntil(b"\n")).decode(errors="replace").removesuffix("\n")
    if line == HUNG_UP:
        raise _HungUpError
    return line
