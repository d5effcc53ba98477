"""The rules in use, and how others come into use."""

import msgspec

from router.core.access import Role
from router.core.remarks import RuleErrors
from router.edge.web.api.problems import NOT_MEANT, ProblemError
from router.edge.web.api.routes import Asking, Nothing, Resource, Route


class Client(msgspec.Struct, frozen=True):
    """A client of the rules."""

    id: str
    name: str
    timezone: str
    country: str
    """ISO 3166 code."""


class Rules(msgspec.Struct, frozen=True):
    """The rules that calls are decided by which arrive now."""

    version: str
    """Changes with every change of their texts."""
    clients: tuple[Client, ...]


class Loaded(msgspec.Struct, frozen=True):
    """Rules that were read."""

    version: str
    clients: int
    """How many."""
    warnings: tuple[str, ...]
    """What is probably not meant: file:line:col, what, and what to write."""


async def show_rules(asking: Asking[Nothing, Nothing]) -> Rules:
    """Which rules are in use, and whose they are."""
    rules = asking.powers.rules()
    return Rules(
        rules.version,
        tuple(
            Client(one.id, one.name, one.timezone, one.country)
            for one in rules.clients.values()
            if asking.who.sees(one.id)
        ),
    )


async def reload_rules(asking: Asking[Nothing, Nothing]) -> Loaded:
    """Read the rules again: all or nothing, and calls in flight keep theirs. Where there are errors, they are
    told in `errors`, and the old rules stay in use."""
    outcome = await asking.powers.reload()
    if isinstance(outcome, RuleErrors):
        errors = tuple(map(str, outcome.errors))
        raise ProblemError(NOT_MEANT, "the rules have errors, and the old ones stay in use", errors)
    return Loaded(outcome.version, len(outcome.clients), tuple(map(str, outcome.warnings)))


RESOURCE = Resource(
    "rules",
    "The rules in use.",
    (
        Route(
            method="GET",
            path="/rules",
            summary="Show the rules in use",
            role=Role.READER,
            handle=show_rules,
            answer=Rules,
        ),
        Route(
            method="POST",
            path="/rules/reload",
            summary="Read the rules again",
            role=Role.ADMIN,
            handle=reload_rules,
            answer=Loaded,
            refusals=(NOT_MEANT,),
        ),
    ),
)
