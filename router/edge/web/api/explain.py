"""Calls that nobody places: where each would go, and why. One that has been is explained by calls.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from router.core.access import Role
from router.core.arrival import Arriving, read_did, read_facts
from router.core.cast import Roles
from router.core.contacts import Entry, in_groups
from router.core.explain import explain
from router.core.record import Attempt, Disposition
from router.core.remarks import words_of
from router.core.ruleset import RuleSet
from router.core.scenarios import QueueLoad, Supposed, Supposing, suppose, zone_of
from router.core.times import Rate
from router.core.trace import TraceRow
from router.core.verdict import Verdict
from router.edge.store.contacts import Contacts
from router.edge.store.verdicts import Verdicts
from router.edge.web.api.problems import FORBIDDEN, NOT_MEANT, ProblemError
from router.edge.web.api.routes import Asking, Nothing, Resource, Route

_SANE = (1970, 9000)
"""Years: of later ones not all days can be shown by all clocks."""

Text = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=0, le=999_999)]


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a queue is supposed to stand."""

    waiting: Count = 0
    """So many callers wait."""
    agents: Count | None = None
    """So many agents are there; null: all."""


class Question(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"caller": "from"}
):
    """A call to be supposed."""

    to: Annotated[str, Meta(min_length=1, max_length=100)]
    """The number that is called."""
    caller: Text = "anonymous"
    """Who calls: a number, or anonymous."""
    display: Text = ""
    """The name that is shown with the call."""
    at: datetime | None = None
    """When; without a zone, by the client's clock; null: now."""
    given: Annotated[dict[Text, list[Text]], Meta(max_length=100)] = {}
    """Who does what, each time: `{"kari": ["no_answer", "busy"], "menu": ["1"]}`. Phones not named answer."""
    variables: Annotated[dict[Text, Text], Meta(max_length=100)] = {}
    """What the dialplan hands over."""
    called: Text | None = None
    """How often the caller called lately, as in `5 calls in 10m`."""
    contact: Annotated[list[Text], Meta(max_length=100)] | None = None
    """The groups of the contact that the caller is; null: what the contacts say."""
    queues: Annotated[dict[Text, Load], Meta(max_length=100)] = {}
    """How queues stand; in those not named nobody waits, and all agents are there."""


class Answer(msgspec.Struct, frozen=True):
    """Where a call would go, and why."""

    client: str | None
    route: str | None
    rules_version: str
    at: datetime
    lines: tuple[str, ...]
    """Why, in words: one for each rule that was looked at."""
    trace: tuple[TraceRow, ...]
    """The same in parts."""
    steps: tuple[str, ...]
    """What the caller would meet, in order."""
    disposition: Disposition
    """What would become of it."""
    reason: str
    answered_by: str | None
    attempts: tuple[Attempt, ...]


async def suppose_call(asking: Asking[Nothing, Question]) -> Answer:
    """Where a call would go by the rules in use, what the caller would meet, and what would become of it.
    Nothing happens, and nobody is called. What is decided of single numbers counts."""
    now, powers, who = asking.now, asking.powers, asking.who
    rules = powers.rules()
    did = read_did(asking.body.to, rules)
    owner = rules.numbers.find(did) if did else None
    if not who.sees(owner.client if owner else None):
        raise ProblemError(
            FORBIDDEN, f"`{who.name}` is for {who.client} only, and that is no number of theirs"
        )

    standing: Sequence[Verdict] = await powers.records.ask(Verdicts, lambda kept: kept.standing(now))
    caller = read_facts(_arriving(asking.body), rules, now).caller.number
    entries: Sequence[Entry] = ()
    if caller is not None and asking.body.contact is None:
        kept = await powers.records.ask(Contacts, lambda contacts: contacts.of(caller.e164))
        entries = [one.entry for one in kept]

    def answer(verdicts: Verdicts) -> Answer:
        return _answer(asking.body, rules, who.client, now, standing, entries)

    return await powers.records.ask(Verdicts, answer)  # There, since it takes time.


def _arriving(asked: Question) -> Arriving:
    return Arriving(asked.to, asked.caller or "anonymous", asked.display, asked.variables)


def _answer(
    asked: Question,
    rules: RuleSet,
    client: str | None,
    now: datetime,
    verdicts: Sequence[Verdict],
    entries: Sequence[Entry],
) -> Answer:
    given = {name: tuple(done) for name, done in asked.given.items()}
    known_to_asker = rules.clients if client is None else {client: rules.clients[client]}
    roles = Roles(replace(rules, clients=known_to_asker))
    for name, done in given.items():
        wrong = roles.what_is_wrong(name, done)
        if wrong is not None:
            raise ProblemError(NOT_MEANT, f"`given.{name}`: {words_of(wrong.error)}")
    for name in asked.queues:
        if name not in roles.queues:
            raise ProblemError(NOT_MEANT, f"`queues`: no queue is called `{name}`; GET /queues lists them")
    arriving = _arriving(asked)
    known = Supposing(
        _rate(asked.called),
        in_groups(asked.contact),
        {name: QueueLoad(load.waiting, load.agents) for name, load in asked.queues.items()},
        verdicts,
        entries,
    )
    at = asked.at or now
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone_of(arriving, rules)))
    if not _SANE[0] <= at.year <= _SANE[1]:
        raise ProblemError(NOT_MEANT, f"`at`: {at.year} is no year to call in; write one of our time")
    return _shown(suppose(arriving, at, rules, given, known))


def _rate(text: str | None) -> Rate | None:
    try:
        return None if text is None else Rate.parse(text)
    except ValueError as error:
        raise ProblemError(NOT_MEANT, f"`called`: {error}") from error


def _shown(supposed: Supposed) -> Answer:
    decision, record = supposed.decision, supposed.record
    return Answer(
        decision.client,
        decision.route,
        decision.version,
        decision.now,
        explain(decision),
        decision.trace,
        supposed.steps,
        record.disposition,
        record.reason,
        record.answered_by,
        record.attempts,
    )


RESOURCE = Resource(
    "explain",
    "Where a call would go, and why.",
    (
        Route(
            method="POST",
            path="/explain",
            summary="Explain a call that nobody places",
            role=Role.READER,
            handle=suppose_call,
            body=Question,
            answer=Answer,
            refusals=(NOT_MEANT,),
        ),
    ),
)
