"""What is decided of single numbers: refused, or let past all block rules."""

from typing import Literal

import msgspec

from router.core.access import Role
from router.core.verdict import Verdict
from router.edge.store.verdicts import Verdicts
from router.edge.web.api.problems import NOT_FOUND, NOT_MEANT, ProblemError
from router.edge.web.api.routes import Asking, ClientId, Nothing, Resource, Route, Why, plain
from router.edge.web.api.typed import Length, Number, number_of, until


class NumbersQuery(msgspec.Struct, frozen=True):
    """Which decisions."""

    client: ClientId | None = None
    """Only those that count for this client."""


class NumberPath(msgspec.Struct, frozen=True):
    """One number, and for whom it is decided."""

    number: Number
    """E.164 (`+` may be written as %2B), or as it is dialled within the client's country."""
    client: ClientId | None = None
    """Only what is decided for this client; else for whomever."""


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"length": "for"}):
    """What is to be done with calls of a number."""

    number: Number
    """E.164, or as it is dialled within the client's country."""
    kind: Literal["block", "allow"]
    """block: refuse them. allow: let them past all block rules."""
    client: ClientId | None = None
    """For whose calls; null: all that the token is for."""
    length: Length | None = None
    """How long, as in 30d or 12h; null: until it is undone."""
    why: Why = ""
    """For those who ask later."""


class NumberVerdicts(msgspec.Struct, frozen=True):
    """What is decided of numbers."""

    items: tuple[Verdict, ...]
    """In the order it was decided; of several on one number, the latest counts."""


async def list_numbers(asking: Asking[NumbersQuery, Nothing]) -> NumberVerdicts:
    """What is decided of single numbers by command and by API, and holds."""
    client, now = asking.client(asking.asked.client), asking.now
    found = await asking.powers.records.ask(Verdicts, lambda verdicts: verdicts.standing(now))
    return NumberVerdicts(tuple(one for one in found if client is None or one.client in (None, client)))


async def decide_number(asking: Asking[Nothing, Decision]) -> Verdict:
    """Refuse a number, or let it past all block rules, from its next call on."""
    body, now = asking.body, asking.now
    client = asking.client(body.client)
    number = number_of(asking, body.number, client)
    ends = until(body.length, now)
    verdict = Verdict(0, body.kind, number, client, plain(body.why), asking.name, now, ends)
    powers = asking.powers
    made: Verdict = await powers.records.ask(Verdicts, lambda verdicts: verdicts.add(verdict))
    await powers.records.within(powers.read_verdicts())
    return made


async def undo_number(asking: Asking[NumberPath, Nothing]) -> NumberVerdicts:
    """Undo what is decided of a number: the rules alone count for it again."""
    client, who, now = asking.client(asking.asked.client), asking.name, asking.now
    number = number_of(asking, asking.asked.number, client)
    powers = asking.powers
    undone = await powers.records.ask(Verdicts, lambda verdicts: verdicts.undo(number, client, who, now))
    if not undone:
        what = f"nothing is decided of {number}" + (f" for {client} alone" if client else "")
        raise ProblemError(NOT_FOUND, f"{what}; GET /numbers lists what is")
    await powers.records.within(powers.read_verdicts())
    return NumberVerdicts(tuple(undone))


RESOURCE = Resource(
    "numbers",
    "What is decided of single callers' numbers.",
    (
        Route(
            method="GET",
            path="/numbers",
            summary="List decisions on numbers",
            role=Role.READER,
            handle=list_numbers,
            asked=NumbersQuery,
            answer=NumberVerdicts,
        ),
        Route(
            method="POST",
            path="/numbers",
            summary="Refuse or admit a number",
            role=Role.SUPERVISOR,
            handle=decide_number,
            body=Decision,
            answer=Verdict,
            status=201,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="DELETE",
            path="/numbers/{number}",
            summary="Undo decisions on a number",
            role=Role.SUPERVISOR,
            handle=undo_number,
            asked=NumberPath,
            answer=NumberVerdicts,
            refusals=(NOT_MEANT,),
        ),
    ),
)
