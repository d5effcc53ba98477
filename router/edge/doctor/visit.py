"""What checks are given: settings, rules, and ways to ask Asterisk. Nothing that is asked changes anything.

What cannot be asked is no fault: a check then raises CannotTellError, and what it would have found counts as
not checked.
"""

import asyncio
import random
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from router.core.remarks import RuleError, RuleErrors
from router.core.ruleset import RuleSet
from router.edge.ami import Ami, AmiLostError
from router.edge.ari.backoff import Backoff
from router.edge.ari.errors import SetupError
from router.edge.ari.lane import HttpLane
from router.edge.ari.models import AsteriskInfo
from router.edge.ari.opening import accepted
from router.edge.ari.rest import Reply
from router.edge.doctor.console import HERE, Console, ConsoleError
from router.edge.prompts import Prompts
from router.settings import Settings, is_loopback

ARI_LIMIT = 5.0
"""Seconds in which Asterisk must have answered a request."""
RULES_LIMIT = 60.0
"""Seconds in which the rules must have been read."""

T = TypeVar("T")
Read = TypeVar("Read")


class CannotTellError(Exception):
    """It cannot be asked; the text says why, and `remedy` what would let it be."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True)
class Doctored:
    """What is looked at, as the command line has it."""

    settings: Settings
    load: Callable[[], RuleSet | RuleErrors]
    """Reads the rules; it blocks."""
    rules_folder: Path
    prompts: Prompts
    console: tuple[str, ...] | None = None
    """How Asterisk's console is asked, a command of it behind this; None: `asterisk -rx`, where Asterisk is
    on this machine."""
    contexts: tuple[str, ...] = ()
    """In which calls come in; empty: that of the trunk's endpoint."""
    etc: Path | None = None
    """Asterisk's folder of configuration; None: as its console says, or else /etc/asterisk."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Tells the time, aware."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One look at everything."""

    of: Doctored
    loaded: RuleSet | RuleErrors
    info: AsteriskInfo | SetupError
    """Why Asterisk does not answer, if it does not."""
    lane: HttpLane
    ami: Ami | str
    """Why there is no AMI, if there is none."""
    console: Console | str
    """Likewise."""
    etc: Path

    @property
    def settings(self) -> Settings:
        return self.of.settings

    def now(self) -> datetime:
        """The time by our clock."""
        return self.of.clock()

    @property
    def rules(self) -> RuleSet:
        """Raises CannotTellError where they have errors."""
        if isinstance(self.loaded, RuleErrors):
            raise CannotTellError("the rules have errors", "correct them first: callrouter check")
        return self.loaded

    @property
    def asterisk_is_here(self) -> bool:
        """Whether ARI's address is one of this machine alone."""
        return is_loopback(urlsplit(self.settings.ari.url).hostname or "")

    @property
    def asterisk_id(self) -> str:
        """Asterisk's own name for itself; empty where it does not answer."""
        system = None if isinstance(self.info, SetupError) else self.info.system
        return system.entity_id if system else ""

    @property
    def ari_port(self) -> int:
        url = urlsplit(self.settings.ari.url)
        return url.port or (443 if url.scheme == "https" else 80)

    async def reply(self, path: str) -> Reply:
        """What ARI answers, whatever that is. Raises CannotTellError where ARI is not there."""
        if isinstance(self.info, SetupError):
            raise CannotTellError("ARI does not answer", "callrouter doctor ari")
        return await self.lane.request("GET", path)

    async def get(self, path: str, kind: type[Read]) -> Read | None:
        """What ARI answers; None where it answers 404. Raises CannotTellError."""
        reply = await self.reply(path)
        if reply.status == 404:
            return None
        if not reply.ok:
            raise CannotTellError(f"ARI answers {reply.status} {reply.reason} to {path}")
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise CannotTellError(f"ARI's answer to {path} cannot be read: {problem}") from problem

    async def ask_ami(self, action: str, *, listed: bool = False) -> list[dict[str, str]]:
        """What AMI answers, as headers by name. Raises CannotTellError."""
        if not isinstance(self.ami, Ami):
            raise CannotTellError(f"no AMI: {self.ami}")
        try:
            rows = await self.ami.ask({"Action": action}, listed=listed)
        except AmiLostError as problem:
            raise CannotTellError(f"AMI: {problem}") from problem
        return [dict(row.items()) for row in rows]

    async def ask_console(self, command: str) -> str:
        """What the console prints. Raises CannotTellError."""
        if isinstance(self.console, str):
            raise CannotTellError(self.console)
        try:
            return await self.console.ask(command)
        except ConsoleError as error:
            raise CannotTellError(str(error)) from error


@asynccontextmanager
async def visit(of: Doctored) -> AsyncIterator[Visit]:
    """Ask for what several checks need, all at once, and keep the connections while the visit lasts."""
    ari = of.settings.ari
    lane = HttpLane(ari.url, ari.username, ari.password.get_secret_value(), ARI_LIMIT)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lane.close)
        info, loaded, ami = await asyncio.gather(_info(lane, ari.url), _rules(of), _ami(of.settings, stack))
        console, shown = await _console(of, info)
        found = _ETC.search(shown)
        etc = of.etc or Path(found[1] if found else "/etc/asterisk")
        yield Visit(of=of, loaded=loaded, info=info, lane=lane, ami=ami, console=console, etc=etc)


_ETC = re.compile(r"Configuration directory:\s*(\S+)")


async def _rules(of: Doctored) -> RuleSet | RuleErrors:
    try:
        async with asyncio.timeout(RULES_LIMIT):
            return await aside(of.load)
    except TimeoutError:
        what = f"they could not be read within {RULES_LIMIT:g} s"
        return RuleErrors((RuleError(str(of.rules_folder), 0, 0, what, "look whether its disk answers"),))


async def _info(lane: HttpLane, url: str) -> AsteriskInfo | SetupError:
    try:
        return accepted(url, await lane.request("GET", "asterisk/info"), AsteriskInfo)
    except SetupError as error:
        return error


async def _ami(settings: Settings, stack: AsyncExitStack) -> Ami | str:
    connection = settings.ami.connection("off")
    if connection is None:
        return "no `ami.user` is set"
    ami = Ami(connection, Backoff(random.Random()), lambda event: None, lambda: None, lambda: None)
    try:
        await stack.enter_async_context(ami.once())
    except TimeoutError:
        return f"nothing at {connection.host}:{connection.port} has answered in time"
    except (OSError, AmiLostError) as error:
        return str(error) or type(error).__name__
    return ami


async def _console(of: Doctored, info: AsteriskInfo | SetupError) -> tuple[Console | str, str]:
    """The console and what `core show settings` prints there. Another Asterisk's, or one of which that is not
    sure, is none."""
    host = urlsplit(of.settings.ari.url).hostname or ""
    program = of.console or (HERE if is_loopback(host) else None)
    if program is None:
        return f"Asterisk is at {host}, and nothing says how its console is asked", ""
    console = Console(program)
    try:
        shown = await console.ask("core show settings")
    except ConsoleError as error:
        return str(error), ""
    if isinstance(info, AsteriskInfo):
        if info.system is None or info.system.entity_id not in shown:
            what = f"the Asterisk that `{console}` speaks with is another one than that of"
            return f"{what} {of.settings.ari.url}", ""
    elif of.console is None:
        return f"nothing tells whether `{console}` speaks with the right Asterisk", ""
    return console, shown


async def aside(function: Callable[[], T]) -> T:
    """What a function gives that blocks, done by a thread of its own, which keeps nobody from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None is a result only where T has it

    def run() -> None:
        try:
            outcome, error = function(), None
        except BaseException as problem:
            outcome, error = None, problem
        with suppress(RuntimeError):  # Nobody waits any more, and the loop is closed.
            loop.call_soon_threadsafe(settle, outcome, error)

    threading.Thread(target=run, daemon=True).start()
    return await done
