"""Is a router running, and is it the one that Asterisk has?"""

import platform
import re
import sqlite3
from collections.abc import AsyncIterator
from importlib.metadata import version
from importlib.util import find_spec

import aiohttp
import msgspec

from router.core.findings import Finding, error, note, ok, warning
from router.edge.doctor.visit import Visit
from router.edge.store.database import parse_url, sqlite_file
from router.edge.store.database import where as location
from router.edge.store.errors import StoreError
from router.settings import Web, is_loopback

LIMIT = aiohttp.ClientTimeout(total=3)
_NOTHING = "the running router's database takes nothing: records wait in memory, and are lost if it is killed"
_SEE_LOG = "the router's log says why, and it goes on by itself: do not restart it before"


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


async def metric(web: Web, name: str) -> float | None:
    """Of the router that runs there, without labels; None where none does, or has it not."""
    status, text = await _status(web, "/metrics")
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE) if status == 200 else None
    return float(found[1]) if found else None


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
    if await metric(web, "callrouter_store_failing"):
        yield _takes_nothing(visit.settings.database_url)
    if not is_loopback(web.host):
        # As edge/web/health.py has it: what commands use is refused to other machines.
        what = (
            "the API, metrics, health and prompts can be reached from other machines (commands cannot), and "
            "the API's tokens cross the net unencrypted"
        )
        remedy = (
            "set `web.host: 127.0.0.1` and put a proxy with TLS before it (deploy/API.md), or see that only "
            "an inner net can"
        )
        yield note(what, remedy, where)


def _takes_nothing(url: str) -> Finding:
    """Of a router that runs; by our own look the database may be in order, as where another has it locked."""
    try:
        parsed = parse_url(url)
    except StoreError:
        return error(_NOTHING, _SEE_LOG)
    file = sqlite_file(parsed)
    held = (
        "see that its server runs, has space and is no standby"
        if file is None
        else f"df {file.parent}; see who has it open and keeps it: fuser -v {file}"
    )
    return error(_NOTHING, f"{held}; {_SEE_LOG}", location(parsed))
