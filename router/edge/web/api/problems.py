"""What the API refuses, and how it says so: `application/problem+json` (RFC 9457).

`detail` says what is wrong and what to do. `type` is for programs, and stays what it is.
"""

from typing import NamedTuple

import msgspec
from aiohttp import web

MEDIA = "application/problem+json"


class Kind(NamedTuple):
    """A kind of refusal."""

    name: str
    status: int
    title: str


BAD_REQUEST = Kind("bad-request", 400, "the request cannot be read")
NO_TOKEN = Kind("no-token", 401, "no token that holds was shown")
FORBIDDEN = Kind("forbidden", 403, "the token is not for this")
NOT_FOUND = Kind("not-found", 404, "there is no such thing")
NOT_ALLOWED = Kind("method-not-allowed", 405, "this cannot be done with that")
TOO_SLOW = Kind("too-slow", 408, "the request did not come in time")
CONFLICT = Kind("conflict", 409, "it does not fit how things stand")
TOO_LARGE = Kind("too-large", 413, "the request is too large")
NOT_JSON = Kind("not-json", 415, "the request is no JSON")
NOT_MEANT = Kind("not-meant", 422, "the request can be read, and cannot be meant")
FAULT = Kind("fault", 500, "callrouter has a fault")
BUSY = Kind("busy", 503, "it cannot be done just now")


RETRY = (("Retry-After", "5"),)
"""The header that goes with BUSY."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was refused."""

    type: str
    """For programs: one of a closed list, such as `urn:callrouter:problem:not-found`."""
    title: str
    """What kind of refusal that is."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong here, and what to do."""
    errors: tuple[str, ...] = ()
    """Where several things are wrong, each of them."""


class ProblemError(Exception):
    """The request is refused."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        errors: tuple[str, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = headers
        self.problem = Problem(f"urn:callrouter:problem:{kind.name}", kind.title, kind.status, detail, errors)


def respond(error: ProblemError) -> web.Response:
    """A refusal as it is sent."""
    body = msgspec.json.encode(error.problem)
    return web.Response(body=body, status=error.kind.status, content_type=MEDIA, headers=error.headers)
