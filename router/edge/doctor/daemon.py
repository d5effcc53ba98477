"""Is a router running, and is it the one that Asterisk has?"""

import platform
import sqlite3
from collections.abc import AsyncIterator
from importlib.metadata import version
from importlib.util import find_spec

import aiohttp
import msgspec

from router.core.findings import Finding, error, note, ok, warning
from router.edge.doctor.visit import Visit
from router.settings import Web, is_loopback

LIMIT = aiohttp.ClientTimeout(total=3)


class _NotReady(msgspec.Struct, frozen=True):
    reasons: tuple[str, ...]


class _Application(msgspec.Struct, frozen=True):
    name: str


async def versions(visit: Visit) -> AsyncIterator[Finding]:
    """Of what runs here."""
    python = platform.python_version()
    yield ok(f"callrouter {version('callrouter')}, Python {python}, SQLite {sqlite3.sqlite_version}")
    if visit.settings.loop != "asyncio" and find_spec("uvloop") is None:
        what = "uvloop is not installed; with it the router takes a fifth to a half less time for a call"
        yield note(what, "pip install 'callrouter[fast]'")


async def _status(web: Web, path: str) -> tuple[int, str]:
    """What a router answers; 0 where none does, and why."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    try:
        async with (
            aiohttp.ClientSession(timeout=LIMIT) as session,
            session.get(f"http://{host}:{web.port}{path}") as reply,
        ):
            return reply.status, await reply.text()
    except aiohttp.ClientConnectorError:
        return 0, "nothing listens there"
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
        return 0, str(problem) or type(problem).__name__


def _reasons(text: str) -> str:
    """Of `/readyz`; what it says where that is something else."""
    try:
        return ", ".join(msgspec.json.decode(text, type=_NotReady).reasons)
    except msgspec.DecodeError:
        return text.strip()


async def answers(web: Web) -> bool:
    """Whether a router runs there."""
    return (await _status(web, "/healthz"))[0] == 200


async def daemon(visit: Visit) -> AsyncIterator[Finding]:
    """Does it run, and take calls?"""
    web = visit.settings.web
    where = f"{web.host}:{web.port}"
    status, text = await _status(web, "/readyz")
    if status == 200:
        yield ok("the router runs, and takes calls", where)
    elif status == 503:
        yield error(f"the router runs, and takes no calls: {_reasons(text)}", "look at its log", where)
    elif status:
        what = f"another program than callrouter answers there ({status})"
        yield error(what, "set `web.port` to a port that is free", where)
    else:
        yield note(f"no router is running: {text}", "callrouter run", where)
        app = visit.settings.ari.app
        if await visit.get(f"applications/{app}", _Application):
            what = f"another program is connected to Asterisk as `{app}`; a router that starts ends that"
            yield warning(
                what, "end it, or set `ari.app` (and CALLROUTER_APP in extensions.conf) to another name"
            )
    if not is_loopback(web.host):
        what = "metrics and commands of the router can be reached from other machines"
        yield note(what, "see that only an inner net can, or set `web.host: 127.0.0.1`", where)
