"""Whom clients know by number."""

from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from router.core.access import Role
from router.core.contacts import (
    LONGEST_NAME,
    LONGEST_NOTES,
    MOST_GROUPS,
    Entry,
    fits,
    read_groups,
    read_name,
    read_notes,
    read_spoken,
)
from router.edge.store.contacts import Contacts
from router.edge.store.obligations import Obligation, Obligations
from router.edge.store.queries import CallFilter, Queries
from router.edge.web.api.calls import Call, as_call
from router.edge.web.api.problems import NOT_FOUND, NOT_MEANT, ProblemError
from router.edge.web.api.routes import A_PAGE, Asking, ClientId, Limit, Nothing, Resource, Route
from router.edge.web.api.typed import Number, number_of

LAST_CALLS = 10
"""So many of a number are shown with it."""

Place = Annotated[str, Meta(pattern=r"^\+[0-9]{3,15},[A-Za-z0-9_.-]{0,64}$", extra=A_PAGE)]


class ContactsQuery(msgspec.Struct, frozen=True):
    """Which contacts."""

    client: ClientId | None = None
    """Only this client's own."""
    group: Annotated[str, Meta(max_length=40)] | None = None
    """Only those in this group."""
    search: Annotated[str, Meta(max_length=80)] = ""
    """Only those with this in the number, name, groups or notes."""
    after: Place | None = None
    """Go on behind this one: `next` of the page before."""
    limit: Limit = 50


class ContactPath(msgspec.Struct, frozen=True):
    """One number."""

    number: Number
    """E.164 (`+` may be written as %2B), or as it is dialled within the client's country."""
    client: ClientId | None = None
    """Whose contact; else the one that all clients have, or the token's only client."""


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a number."""

    name: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""
    groups: Annotated[tuple[Annotated[str, Meta(max_length=80)], ...], Meta(max_length=MOST_GROUPS)] = ()
    """Rules ask for them: `caller: {contact: vip}`."""
    language: Annotated[str, Meta(max_length=20)] = ""
    """In which callrouter speaks to them, as in nb."""
    notes: Annotated[str, Meta(max_length=LONGEST_NOTES)] = ""


class ContactsPage(msgspec.Struct, frozen=True):
    """Contacts, in the order of their numbers."""

    items: tuple[Entry, ...]
    next: str | None
    """What to give as `after` for those behind them; null where there are none."""


class KnownAs(msgspec.Struct, frozen=True):
    """What is known of one number."""

    items: tuple[Entry, ...]
    """What all clients know first; for a call, a client's own counts instead. Empty for a stranger."""
    calls: tuple[Call, ...]
    """The last ten from it, the latest first."""
    obligations: tuple[Obligation, ...]
    """That somebody is to call it back, the most urgent first."""


async def list_contacts(asking: Asking[ContactsQuery, Nothing]) -> ContactsPage:
    """Contacts, in the order of their numbers."""
    asked = asking.asked
    client = asking.client(asked.client)
    number, _, whose = (asked.after or "").partition(",")

    def read(contacts: Contacts) -> list[Entry]:
        every = contacts.every(client, after=(number, whose))
        fitting = (one for one in every if fits(one, asked.search) and asked.group in (None, *one.groups))
        return list(islice(fitting, asked.limit + 1))

    found: list[Entry] = await asking.powers.records.ask(Contacts, read)
    items = tuple(found[: asked.limit])
    last = items[-1] if len(found) > asked.limit else None
    return ContactsPage(items, None if last is None else f"{last.number},{last.client or ''}")


async def show_contact(asking: Asking[ContactPath, Nothing]) -> KnownAs:
    """Who a number is, to all clients and to each that the token is for; the last calls from it, and who is
    to call it back."""
    client = asking.client(asking.asked.client)
    number = number_of(asking, asking.asked.number, client)
    ask = asking.powers.records.ask
    kept = await ask(Contacts, lambda contacts: contacts.of(number))
    latest = CallFilter(client=client, caller=number, limit=LAST_CALLS)
    calls = await ask(Queries, lambda queries: tuple(map(as_call, queries.calls(latest))))
    owed = await ask(Obligations, lambda obligations: tuple(obligations.of_number(number, client)))
    known = tuple(one.entry for one in kept if client is None or one.entry.client in (None, client))
    if not (known or calls or owed):
        raise ProblemError(NOT_FOUND, f"nothing is known of {number}; GET /contacts lists contacts")
    return KnownAs(known, calls, owed)


async def write_contact(asking: Asking[ContactPath, Writing]) -> Entry:
    """Write down who a number is, in the place of what was known; it counts from the next call on."""
    body, who, now = asking.body, asking.name, asking.now
    client = asking.client(asking.asked.client)
    number = number_of(asking, asking.asked.number, client)
    try:
        entry = Entry(
            number,
            client,
            read_name(body.name),
            read_groups(body.groups),
            read_spoken(body.language),
            read_notes(body.notes),
        )
    except ValueError as error:
        raise ProblemError(NOT_MEANT, str(error)) from error
    await asking.powers.records.ask(Contacts, lambda contacts: contacts.put(entry, who, now))
    await _mind(asking, number)
    return entry


async def remove_contact(asking: Asking[ContactPath, Nothing]) -> Entry:
    """The number is a contact no longer. Names that are kept with calls stay."""
    client = asking.client(asking.asked.client)
    number = number_of(asking, asking.asked.number, client)

    def remove(contacts: Contacts) -> Entry | None:
        there = next((one.entry for one in contacts.of(number) if one.entry.client == client), None)
        return there if there is not None and contacts.remove(there) else None

    removed: Entry | None = await asking.powers.records.ask(Contacts, remove)
    if removed is None:
        whose = f"of {client} alone" if client else "of all clients"
        raise ProblemError(NOT_FOUND, f"{number} is no contact {whose}; GET /contacts lists those that are")
    await _mind(asking, number)
    return removed


async def _mind(asking: Asking[ContactPath, Any], number: str) -> None:
    await asking.powers.records.within(asking.powers.read_contacts(number))


RESOURCE = Resource(
    "contacts",
    "Whom clients know by number.",
    (
        Route(
            method="GET",
            path="/contacts",
            summary="List contacts",
            role=Role.READER,
            handle=list_contacts,
            asked=ContactsQuery,
            answer=ContactsPage,
        ),
        Route(
            method="GET",
            path="/contacts/{number}",
            summary="Show a contact",
            role=Role.READER,
            handle=show_contact,
            asked=ContactPath,
            answer=KnownAs,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="PUT",
            path="/contacts/{number}",
            summary="Write a contact",
            role=Role.SUPERVISOR,
            handle=write_contact,
            asked=ContactPath,
            body=Writing,
            answer=Entry,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="DELETE",
            path="/contacts/{number}",
            summary="Remove a contact",
            role=Role.SUPERVISOR,
            handle=remove_contact,
            asked=ContactPath,
            answer=Entry,
            refusals=(NOT_MEANT,),
        ),
    ),
)
