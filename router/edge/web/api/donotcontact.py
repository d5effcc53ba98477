"""Numbers that nobody is to call."""

from typing import Annotated

import msgspec
from msgspec import Meta

from router.core.access import Role
from router.core.donotcontact import DoNotContact
from router.edge.store.donotcontact import DoNotContacts
from router.edge.web.api.problems import NOT_FOUND, NOT_MEANT, ProblemError
from router.edge.web.api.routes import Asking, ClientId, Limit, Nothing, Resource, Route, Why, plain
from router.edge.web.api.typed import Length, Number, number_of, until


class EntriesQuery(msgspec.Struct, frozen=True):
    """Which entries."""

    client: ClientId | None = None
    """Only those that count for this client."""
    number: Number | None = None
    """Only those of this number."""
    after: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """Go on behind this one: `next` of the page before."""
    limit: Limit = 50


class EntryPath(msgspec.Struct, frozen=True):
    """One number, and for whom it is entered."""

    number: Number
    """E.164 (`+` may be written as %2B), or as it is dialled within the client's country."""
    client: ClientId | None = None
    """Only what is entered for this client; else for whomever."""


class Entering(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"length": "for"}):
    """Nobody is to call a number."""

    number: Number
    """E.164, or as it is dialled within the client's country."""
    client: ClientId | None = None
    """For which client; null: for all that the token is for."""
    length: Length | None = None
    """How long, as in 90d; null: until it is removed."""
    why: Why = ""
    """For those who ask later."""


class Entries(msgspec.Struct, frozen=True):
    """Numbers that nobody is to call."""

    items: tuple[DoNotContact, ...]
    """In the order in which they were entered."""


class EntriesPage(msgspec.Struct, frozen=True):
    """Numbers that nobody is to call, a page of them."""

    items: tuple[DoNotContact, ...]
    """In the order in which they were entered."""
    next: int | None
    """What to give as `after` for those behind them; null where there are none."""


async def list_entries(asking: Asking[EntriesQuery, Nothing]) -> EntriesPage:
    """The numbers that nobody is to call now."""
    asked, now = asking.asked, asking.now
    client = asking.client(asked.client)
    number = None if asked.number is None else number_of(asking, asked.number, client)

    def read(kept: DoNotContacts) -> tuple[DoNotContact, ...]:
        return tuple(kept.standing(now, client, number=number, after=asked.after or 0, limit=asked.limit + 1))

    found: tuple[DoNotContact, ...] = await asking.powers.records.ask(DoNotContacts, read)
    items = found[: asked.limit]
    return EntriesPage(items, items[-1].id if len(found) > asked.limit else None)


async def enter(asking: Asking[Nothing, Entering]) -> DoNotContact:
    """Nobody is to call the number: callrouter itself does not, from now on."""
    body, now = asking.body, asking.now
    client = asking.client(body.client)
    number, ends = number_of(asking, body.number, client), until(body.length, now)
    entry = DoNotContact(0, number, client, ends, asking.name, plain(body.why), now)
    made: DoNotContact = await asking.powers.records.ask(DoNotContacts, lambda kept: kept.add(entry))
    await _mind(asking)
    return made


async def remove(asking: Asking[EntryPath, Nothing]) -> Entries:
    """The number may be called again."""
    client, who, now = asking.client(asking.asked.client), asking.name, asking.now
    number = number_of(asking, asking.asked.number, client)

    def end(kept: DoNotContacts) -> tuple[DoNotContact, ...]:
        return tuple(kept.remove(number, client, who, now))

    removed = await asking.powers.records.ask(DoNotContacts, end)
    if not removed:
        what = f"{number} may be called" + (f" for {client} alone" if client else "")
        raise ProblemError(NOT_FOUND, f"{what}; GET /do-not-contact lists which may not")
    await _mind(asking)
    return Entries(removed)


async def _mind(asking: Asking[Nothing, Entering] | Asking[EntryPath, Nothing]) -> None:
    await asking.powers.records.within(asking.powers.read_follow_ups())


RESOURCE = Resource(
    "do-not-contact",
    "Numbers that nobody is to call.",
    (
        Route(
            method="GET",
            path="/do-not-contact",
            summary="List numbers that nobody is to call",
            role=Role.READER,
            handle=list_entries,
            asked=EntriesQuery,
            answer=EntriesPage,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="POST",
            path="/do-not-contact",
            summary="Have nobody call a number",
            role=Role.SUPERVISOR,
            handle=enter,
            body=Entering,
            answer=DoNotContact,
            status=201,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="DELETE",
            path="/do-not-contact/{number}",
            summary="Let a number be called again",
            role=Role.SUPERVISOR,
            handle=remove,
            asked=EntryPath,
            answer=Entries,
            refusals=(NOT_MEANT,),
        ),
    ),
)
