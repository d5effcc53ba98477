"""Calls that have been, and those that are, as they are written down."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from router.core.access import Role
from router.core.corrections import Correction
from router.core.explain import explain_stored
from router.core.record import (
    Attempt,
    Disposition,
    Evidence,
    Party,
    Phase,
    Talk,
)
from router.core.tags import CallTag
from router.edge.store.queries import CallFilter, CallStory, ListedCall, Queries
from router.edge.web.api.problems import NOT_FOUND, NOT_MEANT, ProblemError
from router.edge.web.api.routes import (
    AN_ID,
    ID,
    WRITE,
    Asking,
    CallId,
    ClientId,
    Limit,
    Moment,
    Nothing,
    Resource,
    Route,
)

Number = Annotated[
    str, Meta(pattern=r"^[^\u0000-\u001f]{1,40}$", extra={WRITE: "a number, as in +4722334455"})
]


class CallsQuery(msgspec.Struct, frozen=True):
    """Which calls."""

    client: ClientId | None = None
    """Only this client's."""
    disposition: Disposition | None = None
    """Only those of which this became, as it was corrected last."""
    tag: Annotated[str, Meta(pattern=ID, extra=AN_ID)] | None = None
    """Only those that have this tag now."""
    caller: Number | None = None
    """Only those of this caller: E.164."""
    dialled: Number | None = None
    """Only those to this number: E.164."""
    since: Moment | None = None
    """Only those that arrived at that moment or later."""
    before: Moment | None = None
    """Only those that arrived before that moment."""
    after: CallId | None = None
    """Go on behind this call: `next` of the page before."""
    codes: bool = False
    """Also feature codes that agents' phones have dialled, which are no calls."""
    limit: Limit = 50


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call. While it is live, `disposition` and all that its end brings are null or empty."""

    id: str
    client: str | None
    """Null where nobody has the number that was called."""
    route: str | None
    dialled: str
    """E.164 where it could be read, else as dialled."""
    caller: str
    """E.164 where it could be read, else as sent; empty if withheld."""
    arrived_at: datetime
    rules_version: str
    disposition: Disposition | None = None
    """What became of it; final."""
    corrected: Disposition | None = None
    """What became of it after all, as somebody said later; null where that is no other."""
    reason: str = ""
    """The finer reason; empty where the disposition says all."""
    phase: Phase | None = None
    """Where the caller was when it ended."""
    hung_up_by: Party | None = None
    """Null where nobody saw who."""
    ended_at: datetime | None = None
    answered_by: str | None = None
    """Who talked with the caller first."""
    answered_at: datetime | None = None
    ring_seconds: float = 0.0
    wait_seconds: float = 0.0
    """From arrival to the talk, or to the end where there was none."""
    talk_seconds: float = 0.0
    hold_seconds: float = 0.0
    talks: tuple[Talk, ...] = ()
    """With each person in turn."""
    attempts: tuple[Attempt, ...] = ()
    """To reach phones, in the order of dialling."""
    flags: tuple[str, ...] = ()
    tagged: tuple[str, ...] = ()
    """The tags that it has now."""


class CallsPage(msgspec.Struct, frozen=True):
    """Calls, the latest first."""

    items: tuple[Call, ...]
    next: str | None
    """What to give as `after` for those before them; null where there are none."""


class Happened(msgspec.Struct, frozen=True):
    """Something that happened to a call."""

    seq: int
    """Counts 1, 2, ... within the call; a number may be missing after an overload."""
    at: datetime
    event: Any
    """An object whose `event` says what happened, as the router journals it; versions bring further ones."""


class WholeCall(Call, frozen=True, kw_only=True):
    """A call, and all that is written down of it."""

    asterisk_id: str
    asterisk_started: str
    """Asterisk's startup time, as Asterisk writes it."""
    channel: str
    """Asterisk's id of the caller's channel."""
    tags: tuple[CallTag, ...]
    """All that was set and taken off, in order."""
    corrections: tuple[Correction, ...]
    """In order."""
    evidence: tuple[Evidence, ...] = ()
    """What the disposition was derived from."""
    classifier: int | None = None
    """Version of the rules by which it was."""
    timeline: tuple[Happened, ...]
    explanation: tuple[str, ...]
    """Why it was routed so, in words."""


class CallPath(msgspec.Struct, frozen=True):
    """One call."""

    id: CallId


class Explanation(msgspec.Struct, frozen=True):
    """Why a call was routed so, as it was written down when that was decided."""

    id: str
    client: str | None
    route: str | None
    rules_version: str
    lines: tuple[str, ...]
    """In words, one for each rule that was looked at; empty where it is not stored."""
    trace: Any
    """The same in parts; null where it is not stored."""


async def list_calls(asking: Asking[CallsQuery, Nothing]) -> CallsPage:
    """Calls that have been and those that are, the latest first. Give `next` of one page as `after` for the
    one behind it: calls that arrive meanwhile change nothing there."""
    asked = asking.asked
    wanted = CallFilter(
        client=asking.client(asked.client),
        disposition=asked.disposition,
        tag=asked.tag,
        caller=asked.caller,
        dialled=asked.dialled,
        since=asked.since,
        before=asked.before,
        after=asked.after,
        codes=asked.codes,
        limit=asked.limit + 1,
    )

    def read(queries: Queries) -> tuple[Call, ...]:
        return tuple(map(as_call, queries.calls(wanted)))

    found = await asking.powers.records.ask(Queries, read)
    if not found and asked.after is not None:
        await find_call(asking, asked.after, f"`after` is no call: `{asked.after}`; give `next` of a page")
    items = found[: asked.limit]
    return CallsPage(items, items[-1].id if len(found) > asked.limit else None)


async def show_call(asking: Asking[CallPath, Nothing]) -> WholeCall:
    """One call: what became of it and by which evidence, why it went where it went, and what happened."""
    story = await find_call(asking, asking.asked.id)
    info, record = story.info, story.record
    return WholeCall(
        **_parts(story),
        asterisk_id=info.asterisk_id,
        asterisk_started=info.asterisk_started,
        channel=info.channel,
        tags=story.tags,
        corrections=story.corrections,
        evidence=record.evidence if record else (),
        classifier=record.classifier if record else None,
        timeline=tuple(Happened(row.seq, row.at, msgspec.Raw(row.event)) for row in story.timeline),
        explanation=explain_stored(story.trace, info),
    )


async def explain_call(asking: Asking[CallPath, Nothing]) -> Explanation:
    """Why a call went where it went: what took it and, of each rule passed over, what failed. Also what a
    dialplan was told that asked by FastAGI, by the id of that."""
    id = asking.asked.id
    told = await asking.powers.records.ask(Queries, lambda queries: queries.decision(id))
    theirs = told is not None and told.info.id == id and asking.who.sees(told.info.client)
    story = told if told is not None and theirs else await find_call(asking, id)
    info = story.info
    lines = explain_stored(story.trace, info)
    trace = None if story.trace is None else msgspec.Raw(story.trace)
    return Explanation(info.id, info.client, info.route, info.rules_version, lines, trace)


async def find_call(asking: Asking[Any, Any], id: str, otherwise: str = "") -> CallStory:
    """That call, if the token is for its client."""
    found = await asking.powers.records.ask(Queries, lambda queries: queries.call(id))
    if isinstance(found, CallStory) and found.info.id == id and asking.who.sees(found.info.client):
        return found
    if otherwise:
        raise ProblemError(NOT_MEANT, otherwise)
    raise ProblemError(NOT_FOUND, f"there is no call `{id}`; GET /calls lists them")


def as_call(call: ListedCall) -> Call:
    return Call(**_parts(call))


def _parts(call: ListedCall) -> dict[str, Any]:
    """The fields of a Call."""
    sources = (call.info,) if call.record is None else (call.info, call.record)
    found = {
        name: getattr(source, name)
        for name in Call.__struct_fields__
        for source in sources
        if hasattr(source, name)
    }
    return found | {"corrected": call.corrected, "tagged": tuple(tag.tag for tag in call.tagged)}


RESOURCE = Resource(
    "calls",
    "Calls, as they are written down.",
    (
        Route(
            method="GET",
            path="/calls",
            summary="List calls",
            role=Role.READER,
            handle=list_calls,
            asked=CallsQuery,
            answer=CallsPage,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="GET",
            path="/calls/{id}",
            summary="Show a call",
            role=Role.READER,
            handle=show_call,
            asked=CallPath,
            answer=WholeCall,
        ),
        Route(
            method="GET",
            path="/calls/{id}/explanation",
            summary="Explain a call",
            role=Role.READER,
            handle=explain_call,
            asked=CallPath,
            answer=Explanation,
        ),
    ),
)
