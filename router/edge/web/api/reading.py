"""Requests, read against what their route says. Nothing is passed over: who misspells something hears so."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple, get_args, get_origin

import msgspec
from aiohttp import web

from router.core.remarks import did_you_mean
from router.edge.web.api.problems import BAD_REQUEST, NOT_JSON, TOO_LARGE, TOO_SLOW, ProblemError
from router.edge.web.api.routes import Moment, Nothing, Route
from router.edge.web.api.wording import words

LARGEST = 65_536
"""Bytes of a body."""
LIMIT = 10.0
"""Seconds that one may take."""

_PLUS_AS_SPACE = re.compile(r" (\d\d:\d\d)$")
"""The zone of a moment: in a query, `+` that was not written as %2B stands for a space."""
_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")


class Parameter(NamedTuple):
    """What can be given in path, query and headers."""

    field: str
    several: bool
    """May be given several times."""
    moment: bool


@cache
def parameters(asked: type[msgspec.Struct]) -> dict[str, Parameter]:
    """Those of a route, by name."""
    return {
        field.encode_name: Parameter(field.name, _is(field.type, (list, tuple)), _is(field.type, (datetime,)))
        for field in msgspec.structs.fields(asked)
    }


def read_parameters(route: Route, request: web.Request) -> msgspec.Struct:
    """Path, query and headers. ProblemError says what is wrong with them."""
    known = parameters(route.asked)
    in_query = [name for name in known if f"{{{name}}}" not in route.path and name not in route.headers]
    given: dict[str, Any] = dict(request.match_info)
    given |= {name: request.headers[name] for name in route.headers if request.headers.get(name)}
    for name in dict.fromkeys(request.query):
        values = [_PLUS_AS_SPACE.sub(r"+\1", value) for value in request.query.getall(name)]
        if name not in in_query:
            there = f"there are: {', '.join(in_query)}" if in_query else "leave all out"
            hint = did_you_mean(name, in_query, there)
            raise ProblemError(BAD_REQUEST, f"`{name[:60]}` is no parameter here; {hint}")
        if len(values) > 1 and not known[name].several:
            raise ProblemError(BAD_REQUEST, f"`{name}` is given {len(values)} times; give it once")
        given[name] = values if known[name].several else values[0]
        if known[name].moment:  # Else seconds since 1970 would do.
            given[name] = _convert(partial(msgspec.convert, values[0], Moment), route.asked, name)
    read: msgspec.Struct = _convert(partial(msgspec.convert, given, route.asked, strict=False), route.asked)
    for name in given:
        # `null` is read as nothing; who means that leaves it out.
        if getattr(read, known[name].field) is None:
            raise ProblemError(BAD_REQUEST, f"`{name}` has no value; leave it out instead")
    return read


async def read_body(route: Route, request: web.Request) -> msgspec.Struct:
    """What was sent. ProblemError says what is wrong with it."""
    if route.body is Nothing:
        return Nothing()
    if request.content_type != "application/json":
        raise ProblemError(NOT_JSON, "send JSON, with the header `Content-Type: application/json`")
    try:
        async with asyncio.timeout(LIMIT):
            text = await _read(request)
    except TimeoutError as error:
        raise ProblemError(TOO_SLOW, f"send the whole request within {LIMIT:g} seconds") from error
    body: msgspec.Struct = _convert(partial(_decode, text, route.body), route.body)
    return body


def _decode(text: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        # To JSON Schema 5.0 is an integer.
        return msgspec.convert(_whole(msgspec.json.decode(text)), kind)


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _whole(one) for key, one in value.items()}
        case list():
            return list(map(_whole, value))
    return value


async def _read(request: web.Request) -> bytes:
    text = bytearray()
    async for chunk in request.content.iter_any():
        text += chunk
        if len(text) > LARGEST:
            raise ProblemError(TOO_LARGE, f"a request may have {LARGEST} bytes; send less at once")
    return bytes(text)


def _convert(read: Callable[[], Any], kind: type[msgspec.Struct], name: str = "") -> Any:
    """What is read, of that parameter of such a thing or of the whole."""
    try:
        return read()
    except RecursionError as error:
        raise ProblemError(BAD_REQUEST, "the JSON is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = str(error)
        found = _PLACE.search(text)
        place = found["place"] if found else name
        why = words(text[: found.start()] if found else text, place, kind)
        raise ProblemError(BAD_REQUEST, f"`{place}`: {why}" if place else why) from error


def _is(kind: Any, wanted: tuple[type, ...]) -> bool:
    """Whether a type is one of those, or may be."""
    if kind in wanted or get_origin(kind) in wanted:
        return True
    return any(_is(one, wanted) for one in get_args(kind))
