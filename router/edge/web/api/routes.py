"""The form that every resource of the API has: a table of routes.

What a route says of itself is all there is: requests are read against it (reading.py), who may ask is judged
by it (serving.py), and the OpenAPI document is made from it (openapi.py), so none can say other than another.
A new resource is a module with such a table, and a line in resources.py.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from router.core.access import Role, Token
from router.edge.web.api.powers import Powers
from router.edge.web.api.problems import FORBIDDEN, Kind, ProblemError

ID = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
WRITE = "write"
"""In `extra` of whatever has a pattern: what to write, for those who wrote something else."""
AN_ID = {WRITE: "an id, as in the rules: a letter first, then letters, digits, _ . -"}
A_PAGE = {WRITE: "`next` of the page before"}
CallId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]{1,32}$",
        description="The call's id.",
        extra={WRITE: "a call's id, as /calls has it"},
    ),
]
ClientId = Annotated[str, Meta(pattern=ID, description="The client's id, as in rules.", extra=AN_ID)]
PersonId = Annotated[str, Meta(pattern=ID, description="The person's id, as in rules.", extra=AN_ID)]
Moment = Annotated[datetime, Meta(tz=True)]
MOST_LISTED = 100
"""A page of so many takes 15 to 20 ms of CPU."""
Limit = Annotated[int, Meta(ge=1, le=MOST_LISTED, description="At most so many.")]
Why = Annotated[str, Meta(max_length=200)]


class Nothing(msgspec.Struct, frozen=True):
    """A route without parameters, or without a body."""


Asked = TypeVar("Asked", bound=msgspec.Struct)
Body = TypeVar("Body", bound=msgspec.Struct)


@dataclass(frozen=True)
class Asking(Generic[Asked, Body]):
    """One request, read and allowed."""

    powers: Powers
    who: Token
    asked: Asked
    body: Body
    request: web.Request

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.powers.now()

    @property
    def name(self) -> str:
        """Who asks, as it is written down with what was changed."""
        return f"api:{self.who.name}"

    def client(self, wanted: str | None) -> str | None:
        """Whose records to look at: `wanted`, or the only client that the token is for."""
        if wanted is None:
            return self.who.client
        self.may_see(wanted)
        return wanted

    def may_see(self, client: str) -> None:
        """ProblemError where the token is not for that client."""
        if not self.who.sees(client):
            raise ProblemError(FORBIDDEN, f"the token `{self.who.name}` is for {self.who.client} only")


@dataclass(frozen=True, kw_only=True)
class Route:
    """What can be asked for in one way."""

    method: str
    path: str
    """Below /api/v1; `{name}` is a field of `asked`."""
    summary: str
    role: Role
    """What a token needs at least."""
    handle: Callable[[Asking[Any, Any]], Awaitable[Any]]
    """Its docstring says the rest. It gives what is sent, or a whole response where `media` is not JSON."""
    asked: type[msgspec.Struct] = Nothing
    """The parameters of path, query and headers."""
    headers: tuple[str, ...] = ()
    """Which of them come as headers."""
    body: type[msgspec.Struct] = Nothing
    answer: Any
    """Type of what is sent."""
    status: int = 200
    media: str = "application/json"
    refusals: tuple[Kind, ...] = ()
    """Besides those that every route has."""


@dataclass(frozen=True)
class Resource:
    """What belongs together."""

    name: str
    about: str
    routes: tuple[Route, ...]


def plain(text: str) -> str:
    """Without what cannot be printed."""
    return "".join(filter(str.isprintable, text))
