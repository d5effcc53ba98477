"""Who is to call whom back, as follow-ups of the rules have it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from router.core.access import Role
from router.edge.store.obligations import Obligation, Obligations
from router.edge.web.api.problems import CONFLICT, FORBIDDEN, NOT_FOUND, NOT_MEANT, ProblemError
from router.edge.web.api.routes import A_PAGE, Asking, ClientId, Limit, Nothing, PersonId, Resource, Route
from router.edge.web.api.typed import Number, number_of

Place = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}(,done)?$", extra=A_PAGE)]
"""An obligation's id, and whether it was done when it was listed."""
_WAS_DONE = ",done"


class ObligationsQuery(msgspec.Struct, frozen=True):
    """Which obligations."""

    client: ClientId | None = None
    """Only this client's."""
    owner: PersonId | None = None
    """Only this person's, and everybody's."""
    number: Number | None = None
    """Only those to call this number."""
    done: bool = False
    """Also those that are done."""
    after: Place | None = None
    """Go on behind this one: `next` of the page before."""
    limit: Limit = 50


class ObligationPath(msgspec.Struct, frozen=True):
    """One obligation."""

    id: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class ObligationsPage(msgspec.Struct, frozen=True):
    """Obligations, the most urgent first; those that are done after all others, the latest first."""

    items: tuple[Obligation, ...]
    next: str | None
    """What to give as `after` for those behind them; null where there are none."""


async def list_obligations(asking: Asking[ObligationsQuery, Nothing]) -> ObligationsPage:
    """The callers who are to be called back, the most urgent first; who has called several times may be there
    as often. One is done by itself once the caller calls again, or is called back by a queue, and somebody
    talks with them."""
    asked = asking.asked
    client = asking.client(asked.client)
    number = None if asked.number is None else number_of(asking, asked.number, client)
    after = None if asked.after is None else await _at(asking, asked.after)

    def read(obligations: Obligations) -> list[Obligation]:
        return obligations.listed(
            client=client,
            owner=asked.owner,
            number=number,
            done=asked.done,
            after=after,
            limit=asked.limit + 1,
        )

    found: list[Obligation] = await asking.powers.records.ask(Obligations, read)
    items = tuple(found[: asked.limit])
    return ObligationsPage(items, _place(items[-1]) if len(found) > asked.limit else None)


def _place(one: Obligation) -> str:
    return f"{one.id}{_WAS_DONE if one.closed_at else ''}"


async def _at(asking: Asking[ObligationsQuery, Nothing], place: str) -> Obligation:
    """The obligation at that place, open if it was when it was listed. ProblemError where there is none."""
    id = int(place.removesuffix(_WAS_DONE))
    one: Obligation | None = await asking.powers.records.ask(Obligations, lambda kept: kept.find(id))
    was_done = place.endswith(_WAS_DONE)
    if one is None or not asking.who.sees(one.client) or (was_done and one.closed_at is None):
        raise ProblemError(NOT_MEANT, f"`after` is no obligation: `{place}`; give `next` of a page")
    return one if was_done else msgspec.structs.replace(one, closed_at=None)


async def set_obligation_done(asking: Asking[ObligationPath, Nothing]) -> Obligation:
    """Somebody has called back, or need not; all that the same follow-up asks of the same person for that
    number is done with it. An agent's token does so for its person, and where everybody is to."""
    id, who, now = asking.asked.id, asking.who, asking.now
    records = asking.powers.records
    one: Obligation | None = await records.ask(Obligations, lambda kept: kept.find(id))
    if one is None or not who.sees(one.client):
        raise ProblemError(NOT_FOUND, f"there is no obligation {id}; GET /obligations lists those that are")
    if one.owner and not who.may_change(one.client, one.owner):
        raise ProblemError(FORBIDDEN, f"the token `{who.name}` is not for {one.owner}")
    name = asking.name
    if not await records.ask(Obligations, lambda kept: kept.done(id, name, now)):
        raise ProblemError(CONFLICT, f"the obligation {id} was done before")
    return msgspec.structs.replace(one, closed_at=now, closed_by=name)


RESOURCE = Resource(
    "obligations",
    "Who is to call whom back.",
    (
        Route(
            method="GET",
            path="/obligations",
            summary="List obligations",
            role=Role.READER,
            handle=list_obligations,
            asked=ObligationsQuery,
            answer=ObligationsPage,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="POST",
            path="/obligations/{id}/done",
            summary="Mark an obligation as done",
            role=Role.AGENT,
            handle=set_obligation_done,
            asked=ObligationPath,
            answer=Obligation,
            refusals=(CONFLICT,),
        ),
    ),
)
