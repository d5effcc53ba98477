"""Reads: for the CLI, and for recovery after a restart. Nothing here can write, or make the writer wait."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, true

from router.core.corrections import Correction, corrected
from router.core.handout import Treatment
from router.core.keyedin import ROUTE
from router.core.record import (
    Attempt,
    AttemptOutcome,
    CallInfo,
    CallRecord,
    Disposition,
    Evidence,
    Party,
    Phase,
    Talk,
)
from router.core.tags import CallTag, Way, standing
from router.edge.store.database import parse_url, reading_engine, trouble_told
from router.edge.store.operations import INFO_COLUMNS, NAME_COLUMNS
from router.edge.store.tables import (
    ATTEMPTS,
    CALLS,
    CORRECTIONS,
    DECISIONS,
    FOLLOW_UPS,
    TAGS,
    TIMELINE,
)

_AFTER_ALL_IDS = "\U0010ffff"

IS_CALLERS = or_(
    CALLS.c.route.is_(None),
    func.substr(CALLS.c.route, 1, len(ROUTE)) != ROUTE,
    func.substr(CALLS.c.dialled, 1, 1) == "+",
)
"""True of rows that are no `is_feature_code` (core/keyedin.py)."""


class Saved(msgspec.Struct, frozen=True):
    """One timeline row: an event as it was encoded."""

    seq: int
    at: datetime
    event: bytes


class OpenCall(msgspec.Struct, frozen=True):
    """A call without a disposition: all that is needed to resume it."""

    info: CallInfo
    plan: bytes
    timeline: tuple[Saved, ...]
    """In order, up to the first gap (rows are shed under overload): always a prefix of what happened."""
    next_seq: int
    """The number for the next event (the first is 1): after every row there is, also those behind a gap."""


class ListedCall(msgspec.Struct, frozen=True):
    """A call and, once it is over, its record, with what was said of it."""

    info: CallInfo
    record: CallRecord | None
    tags: tuple[CallTag, ...] = ()
    """All that was set and taken off, in order."""
    corrections: tuple[Correction, ...] = ()
    """In order."""

    @property
    def tagged(self) -> tuple[CallTag, ...]:
        """What it is tagged with now."""
        return standing(self.tags)

    @property
    def corrected(self) -> Disposition | None:
        """What became of it, if that is not what its record says."""
        return corrected(self.record.disposition, self.corrections) if self.record else None


class FollowedUp(msgspec.Struct, frozen=True):
    """A follow-up that was due after a call."""

    name: str
    place: str
    """`file:line`."""
    why: str
    """The condition that held."""
    tag: str
    """Which made it due later; empty where the call's end did."""
    at: datetime


class CallStory(ListedCall, frozen=True, kw_only=True):
    """All that is stored of one call."""

    plan: bytes | None
    """JSON; None where the arrival was never written."""
    trace: bytes | None
    timeline: tuple[Saved, ...]
    follow_ups: tuple[FollowedUp, ...] = ()
    """In the order in which they became due."""


class Screened(msgspec.Struct, frozen=True):
    """A call with the trace of its decision, JSON."""

    info: CallInfo
    trace: bytes


class StoredDecision(msgspec.Struct, frozen=True):
    """What a dialplan of the administrator's own was told of a caller."""

    info: CallInfo
    """As of a call; `id` is the decision's own."""
    treatment: str
    trace: bytes
    """JSON."""


class NoSuchCall(msgspec.Struct, frozen=True):
    """No call's id begins so."""

    prefix: str


class SeveralCalls(msgspec.Struct, frozen=True):
    """More than one call's id begins so."""

    prefix: str
    ids: tuple[str, ...]
    """The first ten."""


class CallFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are wanted; None leaves a condition out."""

    client: str | None = None
    disposition: Disposition | None = None
    """As it was corrected last, or else as it was derived."""
    tag: str | None = None
    """Has this tag now."""
    caller: str | None = None
    """As it is stored: E.164."""
    dialled: str | None = None
    since: datetime | None = None
    """Arrived at or after this moment."""
    before: datetime | None = None
    """Arrived before this moment."""
    ended_since: datetime | None = None
    """Ended at or after this moment; open calls are left out."""
    after: str | None = None
    """A call's id: only calls that come after it in the list, which is the latest first."""
    codes: bool = False
    """With the feature codes that agents' phones have dialled, which are no calls."""
    limit: int = 50


class Counts(msgspec.Struct, frozen=True):
    """How many calls there are."""

    open: int
    ended: dict[Disposition, int]


class Queries:
    """Reads of one database. StoreError when made, if there is none or it is not of our version."""

    def __init__(self, url: str) -> None:
        self._engine = reading_engine(parse_url(url))

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    def open_calls(self, asterisk_id: str | None = None) -> list[OpenCall]:
        """Every call without a disposition (of one Asterisk, if given), in order of arrival.

        UnusableDatabaseError where the database opens, but cannot be read through.
        """
        is_open: ColumnElement[bool] = CALLS.c.disposition.is_(None)
        if asterisk_id is not None:
            is_open = and_(is_open, CALLS.c.asterisk_id == asterisk_id)
        in_order = select(CALLS).where(is_open).order_by(CALLS.c.arrived_at, CALLS.c.id)
        with trouble_told(self._engine.url), self._engine.begin() as connection:
            rows = connection.execute(in_order).all()
            timelines = _timelines(connection, select(CALLS.c.id).where(is_open))
        return [_open_call(row, timelines[row.id]) for row in rows]

    def calls(self, wanted: CallFilter) -> list[ListedCall]:
        """The latest calls first, at most `wanted.limit`."""
        statement = select(CALLS).where(*_conditions(wanted))
        latest = statement.order_by(CALLS.c.arrived_at.desc(), CALLS.c.id.desc()).limit(wanted.limit)
        with self._engine.begin() as connection:
            rows = connection.execute(latest).all()
            ids = [row.id for row in rows]
            attempts = _attempts(connection, ids)
            tags, corrections = tags_of(connection, ids), _corrections(connection, ids)
        return [
            ListedCall(
                _info(row),
                record_of(row, attempts[row.id], tags[row.id]),
                tuple(tags[row.id]),
                tuple(corrections[row.id]),
            )
            for row in rows
        ]

    def tags_used(self) -> list[str]:
        """All tags that any call has or had."""
        with self._engine.begin() as connection:
            return list(connection.execute(select(TAGS.c.tag).distinct().order_by(TAGS.c.tag)).scalars())

    def who_called(
        self, clients: Iterable[str], since: datetime, before: datetime, limit: int
    ) -> list[tuple[str, str, datetime]]:
        """Client, caller's number and arrival of these clients' calls from `since` on, in order; of more than
        `limit`, the latest. Of whom only a dialplan has asked counts, too.

        UnusableDatabaseError as above.
        """
        asked = list(clients)
        with trouble_told(self._engine.url), self._engine.begin() as connection:
            found: dict[tuple[str, str, str], tuple[str, str, datetime]] = {}
            for table, of_callers in ((DECISIONS, true()), (CALLS, IS_CALLERS)):
                columns = (table.c.client, table.c.caller, table.c.arrived_at, table.c.channel)
                wanted = (table.c.client.in_(asked), table.c.arrived_at >= since, table.c.arrived_at < before)
                latest = (
                    select(*columns)
                    .where(*wanted, of_callers)
                    .order_by(table.c.arrived_at.desc())
                    .limit(limit)
                )
                for client, caller, at, channel in connection.execute(latest):
                    found[client, caller, channel] = (client, caller, at)  # A call may have been both.
        return sorted(found.values(), key=lambda row: row[2])[-limit:]

    def screened(self, client: str | None, since: datetime, limit: int) -> list[Screened]:
        """The latest calls that a block rule or a command hit, in shadow too, the latest first; also those of
        which only a dialplan was told."""
        found: list[Screened] = []
        with self._engine.begin() as connection:
            for table, blocked in (
                (CALLS, CALLS.c.disposition == Disposition.BLOCKED.value),
                (DECISIONS, DECISIONS.c.treatment == Treatment.BLOCKED.value),
            ):
                hit = or_(blocked, table.c.trace.contains('"kind":"shadow"'))
                wanted = [table.c.arrived_at >= since, table.c.trace.is_not(None), hit]
                if client is not None:
                    wanted.append(table.c.client == client)
                latest = select(table).where(*wanted).order_by(table.c.arrived_at.desc()).limit(limit)
                found += [Screened(_info(row), row.trace.encode()) for row in connection.execute(latest)]
        return sorted(found, key=lambda one: one.info.arrived_at, reverse=True)[:limit]

    def decision(self, id: str) -> StoredDecision | None:
        """What a dialplan was told, by the decision's id or the beginning of it, if that is of one only."""
        range_of_ids = and_(DECISIONS.c.id >= id, DECISIONS.c.id < id + _AFTER_ALL_IDS)
        with self._engine.begin() as connection:
            rows = connection.execute(select(DECISIONS).where(range_of_ids).limit(2)).all()
        if len(rows) != 1:
            return None
        return StoredDecision(_info(rows[0]), rows[0].treatment, rows[0].trace.encode())

    def call(self, id_or_prefix: str) -> CallStory | NoSuchCall | SeveralCalls:
        """One call, by its id or by the beginning of it."""
        range_of_ids = and_(CALLS.c.id >= id_or_prefix, CALLS.c.id < id_or_prefix + _AFTER_ALL_IDS)
        with self._engine.begin() as connection:
            found = connection.execute(select(CALLS).where(range_of_ids).order_by(CALLS.c.id).limit(10)).all()
            exact = [row for row in found if row.id == id_or_prefix] or found
            if not exact:
                return NoSuchCall(id_or_prefix)
            if len(exact) > 1:
                return SeveralCalls(id_or_prefix, tuple(row.id for row in exact))
            row = exact[0]
            attempts = _attempts(connection, [row.id])
            timelines = _timelines(connection, select(CALLS.c.id).where(CALLS.c.id == row.id))
            tags, corrections = tags_of(connection, [row.id]), _corrections(connection, [row.id])
            follow_ups = _follow_ups(connection, row.id)
        return CallStory(
            info=_info(row),
            record=record_of(row, attempts[row.id], tags[row.id]),
            plan=None if row.plan is None else row.plan.encode(),
            trace=None if row.trace is None else row.trace.encode(),
            timeline=tuple(timelines[row.id]),
            tags=tuple(tags[row.id]),
            corrections=tuple(corrections[row.id]),
            follow_ups=follow_ups,
        )

    def counts(self, since: datetime | None = None) -> Counts:
        """How many calls (that arrived since a moment) are open, and how many ended in which way; no
        feature codes."""
        every = select(CALLS.c.disposition, func.count()).where(IS_CALLERS)
        statement = every.group_by(CALLS.c.disposition)
        if since is not None:
            statement = statement.where(CALLS.c.arrived_at >= since)
        with self._engine.begin() as connection:
            found: dict[str | None, int] = {row[0]: row[1] for row in connection.execute(statement)}
        return Counts(
            found.pop(None, 0),
            {disposition: found[disposition] for disposition in Disposition if disposition in found},
        )


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [] if wanted.codes else [IS_CALLERS]
    if wanted.client is not None:
        conditions.append(CALLS.c.client == wanted.client)
    if wanted.disposition is not None:
        said = select(CORRECTIONS.c.disposition).where(CORRECTIONS.c.call_id == CALLS.c.id)
        latest = said.order_by(CORRECTIONS.c.at.desc()).limit(1).scalar_subquery()
        conditions.append(func.coalesce(latest, CALLS.c.disposition) == wanted.disposition.value)
    if wanted.tag is not None:
        rows = select(TAGS.c.removed).where(TAGS.c.call_id == CALLS.c.id, TAGS.c.tag == wanted.tag)
        removed = rows.order_by(TAGS.c.at.desc()).limit(1).scalar_subquery()
        ever = select(TAGS.c.call_id).where(TAGS.c.tag == wanted.tag)
        conditions += [CALLS.c.id.in_(ever), removed == 0]
    if wanted.caller is not None:
        conditions.append(CALLS.c.caller == wanted.caller)
    if wanted.dialled is not None:
        conditions.append(CALLS.c.dialled == wanted.dialled)
    if wanted.since is not None:
        conditions.append(CALLS.c.arrived_at >= wanted.since)
    if wanted.before is not None:
        conditions.append(CALLS.c.arrived_at < wanted.before)
    if wanted.ended_since is not None:
        conditions.append(CALLS.c.ended_at >= wanted.ended_since)
    if wanted.after is not None:
        arrival = select(CALLS.c.arrived_at).where(CALLS.c.id == wanted.after).scalar_subquery()
        earlier = and_(CALLS.c.arrived_at == arrival, CALLS.c.id < wanted.after)
        conditions.append(or_(CALLS.c.arrived_at < arrival, earlier))
    return conditions


def _timelines(connection: Connection, ids: Select[tuple[str]]) -> defaultdict[str, list[Saved]]:
    in_order = (
        select(TIMELINE).where(TIMELINE.c.call_id.in_(ids)).order_by(TIMELINE.c.call_id, TIMELINE.c.seq)
    )
    found: defaultdict[str, list[Saved]] = defaultdict(list)
    for row in connection.execute(in_order):
        found[row.call_id].append(Saved(row.seq, row.at, row.event.encode()))
    return found


def _attempts(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[Attempt]]:
    in_order = (
        select(ATTEMPTS).where(ATTEMPTS.c.call_id.in_(ids)).order_by(ATTEMPTS.c.call_id, ATTEMPTS.c.number)
    )
    found: defaultdict[str, list[Attempt]] = defaultdict(list)
    for row in connection.execute(in_order):
        fields: dict[str, Any] = dict(row._mapping)
        fields["outcome"] = AttemptOutcome(row.outcome)
        found[fields.pop("call_id")].append(Attempt(**fields))
    return found


def tags_of(connection: Connection, ids: Collection[str]) -> defaultdict[str, list[CallTag]]:
    """What was said of these calls by tags, in order, by call."""
    in_order = select(TAGS).where(TAGS.c.call_id.in_(ids)).order_by(TAGS.c.at, TAGS.c.tag)
    found: defaultdict[str, list[CallTag]] = defaultdict(list)
    for row in connection.execute(in_order):
        read = {"way": Way(row.way), "removed": bool(row.removed)}
        found[row.call_id].append(CallTag(**(dict(row._mapping) | read)))
    return found


def _corrections(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[Correction]]:
    in_order = select(CORRECTIONS).where(CORRECTIONS.c.call_id.in_(ids)).order_by(CORRECTIONS.c.at)
    found: defaultdict[str, list[Correction]] = defaultdict(list)
    for row in connection.execute(in_order):
        read = {"way": Way(row.way), "disposition": Disposition(row.disposition)}
        found[row.call_id].append(Correction(**(dict(row._mapping) | read)))
    return found


def _follow_ups(connection: Connection, call_id: str) -> tuple[FollowedUp, ...]:
    columns = [FOLLOW_UPS.c[name] for name in FollowedUp.__struct_fields__]
    of_call = select(*columns).where(FOLLOW_UPS.c.call_id == call_id)
    rows = connection.execute(of_call.order_by(FOLLOW_UPS.c.at, FOLLOW_UPS.c.place))
    return tuple(FollowedUp(*row) for row in rows)


def _open_call(row: Row[Any], saved: Sequence[Saved]) -> OpenCall:
    return OpenCall(
        info=_info(row),
        plan=row.plan.encode(),
        timeline=tuple(_up_to_gap(saved)),
        next_seq=saved[-1].seq + 1 if saved else 1,
    )


def _up_to_gap(saved: Iterable[Saved]) -> Iterable[Saved]:
    for expected, row in enumerate(saved, start=1):
        if row.seq != expected:
            return
        yield row


def _info(row: Row[Any]) -> CallInfo:
    """Names are kept with calls alone, not with decisions."""
    kept = (*INFO_COLUMNS, *(name for name in NAME_COLUMNS if name in row._mapping))
    return CallInfo(**{name: row._mapping[name] for name in kept})


def record_of(
    row: Row[Any], attempts: Sequence[Attempt] = (), tags: Sequence[CallTag] = ()
) -> CallRecord | None:
    """The record in a row of the calls; None while the call is open."""
    if row.disposition is None:
        return None
    return CallRecord(
        info=_info(row),
        disposition=Disposition(row.disposition),
        phase=Phase(row.phase),
        hung_up_by=None if row.hung_up_by is None else Party(row.hung_up_by),
        ended_at=row.ended_at,
        reason=row.reason,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        ring_seconds=row.ring_seconds,
        wait_seconds=row.wait_seconds,
        talk_seconds=row.talk_seconds,
        hold_seconds=row.hold_seconds,
        talks=() if row.talks is None else msgspec.json.decode(row.talks, type=tuple[Talk, ...]),
        attempts=tuple(attempts),
        evidence=msgspec.json.decode(row.evidence, type=tuple[Evidence, ...]),
        flags=msgspec.json.decode(row.flags, type=tuple[str, ...]),
        classifier=row.classifier,
        tags=tuple(tag for tag in tags if tag.way is Way.RULE),
        queues=() if row.queues is None else msgspec.json.decode(row.queues, type=tuple[str, ...]),
    )
