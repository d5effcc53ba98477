"""Metrics and health over HTTP: `/metrics` for Prometheus, `/healthz` and `/readyz` for what keeps the
daemon running; `POST /reload`, `/verdicts`, `/contacts`, `/agents`, `/tokens`, `/follow-ups` and `/outbox`
for commands, which have it read again what has changed; `/queues` for those who look on.

What commands use asks for no token, so it is for this machine alone, wherever the router listens. What a
proxy passes on comes from elsewhere. Everything of use to others is in the API (api/serving.py).

Alive is not ready: a router without Asterisk must not be restarted for it, only get no calls.

A web page that an administrator looks at can have the browser post here; TOLD_HEADER is what it cannot add
without being asked first whether it may (CORS). Where its own name comes to mean our address, nobody asks;
but then the browser says that name for ours (Host), which no command does.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any

from aiohttp import web

from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.core.speechtexts import RECORDING_NAME
from router.edge.prompts import RECORDED

RELOAD = "/reload"
VERDICTS = "/verdicts"
AGENTS = "/agents"
CONTACTS = "/contacts"
QUEUES = "/queues"
TOKENS = "/tokens"
OUTBOX = "/outbox"
FOLLOW_UPS = "/follow-ups"
PROMPTS = "/prompts"
API = "/api/v1"
TOLD_HEADER = {"X-Callrouter": "reload"}

_SPOKEN = re.compile(r"[A-Za-z-]{2,20}/[0-9a-f]{24}\.wav(16)?")
_KEPT = {"Content-Type": "audio/x-wav", "Cache-Control": "public, max-age=31536000, immutable"}
"""What is under the name of a spoken text never changes, and Asterisk's media cache need not ask again."""
_RECORDED = re.compile(rf"{RECORDED}/{RECORDING_NAME.pattern}\.wav(16)?")
_ASKED_AGAIN = {"Content-Type": "audio/x-wav", "Cache-Control": "no-cache"}
"""What somebody recorded may be recorded anew by the same name."""

_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%.*)?")
_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")

_TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class AddressTakenError(Exception):
    """The address cannot be listened on; the text says why and what to set."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """What is asked whether calls may be sent here. Each is called at every request, so must be cheap."""

    ari_up: Callable[[], bool]
    rules_loaded: Callable[[], bool]
    draining: Callable[[], bool]

    def reasons_against(self) -> list[str]:
        """Why no calls should come; empty if they may."""
        reasons = []
        if not self.ari_up():
            reasons.append("no connection to Asterisk")
        if not self.rules_loaded():
            reasons.append("no rules are loaded")
        if self.draining():
            reasons.append("the router is stopping")
        return reasons


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What commands may have the daemon do."""

    reload: Callable[[], Awaitable[RuleSet | RuleErrors]]
    read_verdicts: Callable[[], Awaitable[int]]
    """Reads what was decided of numbers; how many such there are."""
    read_contacts: Callable[[str], Awaitable[int]]
    """Reads what is known of one number (E.164; empty: of all); how many contacts that is."""
    read_agents: Callable[[], Awaitable[int]]
    """Reads which agents have come or gone; how many such changes were new."""
    read_follow_ups: Callable[[], Awaitable[int]]
    """Reads which numbers nobody is to call, and looks what is to be sent; how many such numbers there are.
    """
    send_again: Callable[[], None]
    """Tries at once what follow-ups send."""
    queues: Callable[[], bytes]
    """How all queues stand, as JSON."""
    read_tokens: Callable[[], Awaitable[int]]
    """Reads which tokens open the API; how many there are."""


def health_app(
    metrics: Callable[[], bytes], readiness: Readiness, orders: Orders, prompts: Path, host: str
) -> web.Application:
    """The application; `metrics` gives Prometheus' text format. `prompts` is the folder from which an
    Asterisk elsewhere fetches them, `host` what the settings call the address that is listened on."""

    async def show_metrics(request: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": _TEXT_FORMAT})

    async def show_alive(request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def show_ready(request: web.Request) -> web.Response:
        reasons = readiness.reasons_against()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    def check_sender(request: web.Request) -> None:
        check_local(request, host)
        if any(request.headers.get(name) != value for name, value in TOLD_HEADER.items()):
            raise web.HTTPForbidden(text=f"this needs the header {TOLD_HEADER}")

    async def read_verdicts(request: web.Request) -> web.Response:
        check_sender(request)
        return web.json_response({"verdicts": await orders.read_verdicts()})

    async def read_contacts(request: web.Request) -> web.Response:
        check_sender(request)
        return web.json_response({"contacts": await orders.read_contacts(request.query.get("number", ""))})

    async def read_agents(request: web.Request) -> web.Response:
        check_sender(request)
        return web.json_response({"changes": await orders.read_agents()})

    async def read_tokens(request: web.Request) -> web.Response:
        check_sender(request)
        return web.json_response({"tokens": await orders.read_tokens()})

    async def read_follow_ups(request: web.Request) -> web.Response:
        check_sender(request)
        return web.json_response({"numbers": await orders.read_follow_ups()})

    async def send_again(request: web.Request) -> web.Response:
        check_sender(request)
        orders.send_again()
        return web.json_response({"told": True})

    async def show_queues(request: web.Request) -> web.Response:
        check_local(request, host)
        return web.Response(body=orders.queues(), content_type="application/json")

    async def reload_rules(request: web.Request) -> web.Response:
        check_sender(request)
        outcome = await orders.reload()
        if isinstance(outcome, RuleErrors):
            refused = {"loaded": False, "errors": list(map(str, outcome.errors))}
            return web.json_response(refused, status=422)
        loaded = {"loaded": True, "version": outcome.version, "clients": len(outcome.clients)}
        return web.json_response(loaded | {"warnings": list(map(str, outcome.warnings))})

    async def send_prompt(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if _RECORDED.fullmatch(name):  # first: such a name may look like a text's
            return web.FileResponse(prompts / name, headers=_ASKED_AGAIN)
        if _SPOKEN.fullmatch(name):
            return web.FileResponse(prompts / name, headers=_KEPT)
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_post(RELOAD, reload_rules)
    app.router.add_post(VERDICTS, read_verdicts)
    app.router.add_post(CONTACTS, read_contacts)
    app.router.add_post(AGENTS, read_agents)
    app.router.add_post(TOKENS, read_tokens)
    app.router.add_post(FOLLOW_UPS, read_follow_ups)
    app.router.add_post(OUTBOX, send_again)
    app.router.add_get(QUEUES, show_queues)
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/healthz", show_alive)
    app.router.add_get("/readyz", show_ready)
    app.router.add_get(f"{PROMPTS}/{{name:.+}}", send_prompt)
    return app


def check_local(request: web.Request, host: str) -> None:
    """HTTPForbidden unless it comes from this machine, by no proxy, and by no strange name for us."""
    local = request.transport.get_extra_info("sockname") if request.transport else None
    if any(name in request.headers for name in _OF_PROXIES) or not is_here(request.remote, local):
        raise web.HTTPForbidden(
            text=f"this is for commands on the router's own machine; see {API}/openapi.json"
        )
    named = request.url.host or ""
    if named not in ("localhost", host.lower()) and not _ADDRESS.fullmatch(named):
        text = f"`{named[:60]}` is no name of the router's; ask for localhost, or `web.host`"
        raise web.HTTPForbidden(text=text)


def is_here(peer: str | None, local: Sequence[Any] | None) -> bool:
    """Whoever asks from an address that we listen on is on this machine, too."""
    if not peer or not local:
        return False
    address = ip_address(peer.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback or peer == local[0]


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Start serving, and return what stops it (`await runner.cleanup()`). AddressTakenError if the port is
    busy.

    Port 0 takes a free one; `runner.addresses` has it.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        why = error.strerror or str(error)
        text = f"cannot listen on {host} port {port}: {why}; set `web.host` and `web.port` to a free address"
        raise AddressTakenError(text) from error
    return runner
