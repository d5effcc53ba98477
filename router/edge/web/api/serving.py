"""The API over HTTP: who may ask is judged, requests are read, answers are sent, by what the routes say.

The only thing that lets anybody in is a token in a header, which no browser adds by itself, and no page of
another origin is allowed to (there is no CORS); there are no cookies. What comes from an API that was not
asked for is of no use to a browser either: it may neither frame, guess the type of, nor keep an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from router.core.access import Role, Token, hash_of
from router.edge.records import UnreachableError
from router.edge.web.api import openapi
from router.edge.web.api.figures import ApiFigures
from router.edge.web.api.powers import Powers
from router.edge.web.api.problems import (
    BAD_REQUEST,
    BUSY,
    FAULT,
    FORBIDDEN,
    NO_TOKEN,
    NOT_ALLOWED,
    NOT_FOUND,
    RETRY,
    ProblemError,
    respond,
)
from router.edge.web.api.reading import read_body, read_parameters
from router.edge.web.api.resources import RESOURCES
from router.edge.web.api.routes import Asking, Route
from router.edge.web.health import API as PATH

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "callrouter",
    "X-Content-Type-Options": "nosniff",
}

_SHOW_ONE = (
    "send the header `Authorization: Bearer TOKEN`; `callrouter token create NAME --role reader` makes one"
)
_CHALLENGE = (("WWW-Authenticate", 'Bearer realm="callrouter"'),)

_LOGGED = ("client", "id", "kind", "number", "person", "reason", "tag")
"""What is logged of a change; a number goes by a name by which it is masked."""

_Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


@cache
def document() -> bytes:
    """The OpenAPI document, JSON."""
    return msgspec.json.encode(openapi.document(RESOURCES, PATH))


def api_app(powers: Powers) -> web.Application:
    """The application to be put below PATH."""
    app = web.Application(middlewares=[_counted(powers.figures)])
    app.on_response_prepare.append(_add_headers)
    for resource in RESOURCES:
        for route in resource.routes:
            name = route.handle.__name__
            app.router.add_route(route.method, route.path, _responder(route, powers), name=name)

    async def show_document(request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(document), content_type="application/json")

    app.router.add_route("GET", openapi.PATH, show_document, name="openapi")

    async def let_listeners_go(app: web.Application) -> None:
        powers.notices.close()

    app.on_shutdown.append(let_listeners_go)
    return app


def _responder(route: Route, powers: Powers) -> _Respond:
    async def respond_to(request: web.Request) -> web.StreamResponse:
        who = await _identify(request, powers)
        if not who.role.covers(route.role):
            needed = f"this takes a token with the role {route.role}; `{who.name}` has the role {who.role}"
            raise ProblemError(FORBIDDEN, needed)
        asked = read_parameters(route, request)
        asking = Asking(powers, who, asked, await read_body(route, request), request)
        answer = await route.handle(asking)
        if route.role is not Role.READER:
            _log(route, asking)
        if isinstance(answer, web.StreamResponse):
            return answer
        body = b"" if route.status == 204 else msgspec.json.encode(answer)
        return web.Response(body=body, status=route.status, content_type="application/json")

    return respond_to


def _log(route: Route, asking: Asking[Any, Any]) -> None:
    """Who changed what: for those who ask later."""
    parts = msgspec.to_builtins(asking.asked) | msgspec.to_builtins(asking.body)
    told = {name: parts[name] for name in _LOGGED if parts.get(name) is not None}
    log.info("changed by api", what=route.handle.__name__, token=asking.who.name, **told)


async def _identify(request: web.Request, powers: Powers) -> Token:
    """Who asks."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown.strip():
        raise ProblemError(NO_TOKEN, _SHOW_ONE, headers=_CHALLENGE)
    token = await powers.token(hash_of(shown.strip()))
    if token is None:
        why = "that token is unknown, revoked or over; `callrouter token list --all` shows which there are"
        raise ProblemError(NO_TOKEN, why, headers=_CHALLENGE)
    return token


def _counted(figures: ApiFigures) -> Middleware:
    """Each answer is counted, also where it refuses."""

    @web.middleware
    async def count(request: web.Request, handler: _Respond) -> web.StreamResponse:
        response = await _answer(request, handler)
        figures.answered(request.match_info.route.name or "nothing", response.status)
        return response

    return count


async def _answer(request: web.Request, handler: _Respond) -> web.StreamResponse:
    """Whatever is refused is told in one form."""
    try:
        return await handler(request)
    except ProblemError as error:
        return respond(error)
    except UnreachableError as error:
        return respond(ProblemError(BUSY, str(error), headers=RETRY))
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        text = f"{request.method} is not for this; it takes {allowed}"
        return respond(ProblemError(NOT_ALLOWED, text, headers=(("Allow", allowed),)))
    except web.HTTPNotFound:
        text = f"the API has nothing at that path; {PATH}{openapi.PATH} says what it has"
        return respond(ProblemError(NOT_FOUND, text))
    except web.HTTPException as error:
        return respond(ProblemError(BAD_REQUEST, error.reason))
    except ConnectionResetError:
        raise  # Nobody is there to be told anything.
    except Exception:
        log.exception("request to the api not answered", what=request.match_info.route.name)
        return respond(ProblemError(FAULT, "this is a fault of callrouter's own; its log has more"))


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
