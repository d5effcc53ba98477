"""Calls as reports count them: read a page at a time, so neither memory nor the writer notices how many.

Feature codes that agents' phones have dialled are left out: nobody called.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, or_, select

from router.core.agents import WrapUp
from router.core.call import CALLER
from router.core.counted import CountedCall, Rung
from router.core.record import AttemptOutcome, Disposition, Evidence, Talk, TalkEnd
from router.core.returning import is_return
from router.core.steps.tag import TAGGED
from router.core.visits import visits_of
from router.edge.store.database import begin, parse_url, reading_engine
from router.edge.store.queries import IS_CALLERS
from router.edge.store.tables import ATTEMPTS, CALLS, CORRECTIONS, TAGS, WRAP_UPS

PAGE = 500
"""Calls read at once."""

_EVIDENCE = msgspec.json.Decoder(tuple[Evidence, ...])
_TALKS = msgspec.json.Decoder(tuple[Talk, ...])

_COLUMNS = tuple(
    CALLS.c[name]
    for name in (
        "id",
        "channel",
        "client",
        "route",
        "arrived_at",
        "disposition",
        "reason",
        "answered_by",
        "answered_at",
        "ended_at",
        "wait_seconds",
        "talk_seconds",
        "talks",
        "evidence",
    )
)


class CallsForReports:
    """Reads of one database. StoreError when made, if there is none or it is not of our version;
    UnusableDatabaseError while it cannot be read."""

    def __init__(self, url: str) -> None:
        self._engine = reading_engine(parse_url(url))

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    def calls(
        self, client: str | None, since: datetime | None, before: datetime | None
    ) -> Iterator[CountedCall]:
        """All calls that are over and arrived then, in order of arrival; of one client, if given."""
        wanted = [*_arrived(client, since, before), CALLS.c.disposition.is_not(None)]
        after: tuple[datetime, str] | None = None
        while True:
            page = select(*_COLUMNS).where(*wanted, *_behind(after))
            with begin(self._engine) as connection:
                rows = connection.execute(page.order_by(CALLS.c.arrived_at, CALLS.c.id).limit(PAGE)).all()
                counted = _counted(connection, rows)
            yield from counted
            if len(rows) < PAGE:
                return
            after = rows[-1].arrived_at, rows[-1].id

    def live(
        self, client: str | None, since: datetime | None, before: datetime | None
    ) -> Sequence[tuple[str | None, datetime]]:
        """Client and arrival of calls that arrived then and are not over."""
        wanted = [*_arrived(client, since, before), CALLS.c.disposition.is_(None)]
        with begin(self._engine) as connection:
            rows = connection.execute(select(CALLS.c.client, CALLS.c.arrived_at).where(*wanted)).all()
        return [(row.client, row.arrived_at) for row in rows]

    def clients(self) -> Sequence[str]:
        """All of whom there are calls."""
        with begin(self._engine) as connection:
            known = select(CALLS.c.client).where(CALLS.c.client.is_not(None)).distinct()
            return sorted(connection.execute(known).scalars())

    def zone_of(self, client: str) -> str:
        """The time zone by which the client's latest call was decided; empty where that is not known."""
        known = (CALLS.c.client == client, CALLS.c.trace.is_not(None))
        latest = select(CALLS.c.trace).where(IS_CALLERS, *known)
        with begin(self._engine) as connection:
            trace = connection.execute(latest.order_by(CALLS.c.arrived_at.desc()).limit(1)).scalar()
        rows = msgspec.json.decode(trace) if trace else ()
        return next((row["timezone"] for row in rows if row.get("timezone")), "")


def _arrived(
    client: str | None, since: datetime | None, before: datetime | None
) -> Iterator[ColumnElement[bool]]:
    yield IS_CALLERS
    if client is not None:
        yield CALLS.c.client == client
    if since is not None:
        yield CALLS.c.arrived_at >= since
    if before is not None:
        yield CALLS.c.arrived_at < before


def _behind(last: tuple[datetime, str] | None) -> Iterator[ColumnElement[bool]]:
    """What comes after the last call of the page before; said as a range, too, where an index can begin."""
    if last is not None:
        at, id = last
        yield CALLS.c.arrived_at >= at
        yield or_(CALLS.c.arrived_at > at, CALLS.c.id > id)


def _counted(connection: Connection, rows: Sequence[Row[Any]]) -> list[CountedCall]:
    ids = [row.id for row in rows]
    rung, tags, wrap_ups = _rung(connection, ids), _tags(connection, ids), _wrap_ups(connection, ids)
    corrected = _corrections(connection, ids)
    return [_call(row, rung[row.id], tags[row.id], wrap_ups[row.id], corrected.get(row.id)) for row in rows]


def _call(
    row: Row[Any],
    rung: Sequence[Rung],
    said: Sequence[tuple[str, bool]],
    wrap_ups: Sequence[WrapUp],
    corrected: Disposition | None,
) -> CountedCall:
    evidence, disposition = _EVIDENCE.decode(row.evidence), Disposition(row.disposition)
    talks = _talks(row)
    # Those of rules, which older versions have told nowhere else.
    tags = {seen.detail: None for seen in evidence if seen.what == TAGGED}
    for tag, removed in said:
        if removed:
            tags.pop(tag, None)
        else:
            tags[tag] = None
    return CountedCall(
        client=row.client,
        arrived_at=row.arrived_at,
        disposition=disposition,
        corrected=corrected,
        reason=row.reason,
        wait_seconds=row.wait_seconds,
        talks=talks,
        visits=visits_of(evidence, talks, disposition, row.ended_at),
        rung=tuple(rung),
        wrap_ups=tuple(wrap_ups),
        tags=tuple(tags),
        returns=is_return(row.route, row.channel),
    )


def _talks(row: Row[Any]) -> tuple[Talk, ...]:
    if row.talks is not None:
        return _TALKS.decode(row.talks)
    if row.answered_at is None:
        return ()
    # Written before talks were told one by one: all is told as of the first.
    end = row.answered_at + timedelta(seconds=row.talk_seconds)
    return (Talk(0, row.answered_by or "", row.answered_at, end, TalkEnd.HUNG_UP),)


_RUNG = tuple(
    ATTEMPTS.c[name]
    for name in (
        "call_id",
        "target",
        "outcome",
        "reason",
        "started_at",
        "ended_at",
        "ringing_at",
        "answered_at",
    )
)


def _rung(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[Rung]]:
    """Phones of people; not that of a caller who is called back."""
    found: defaultdict[str, list[Rung]] = defaultdict(list)
    chosen = select(*_RUNG).where(ATTEMPTS.c.call_id.in_(ids), ATTEMPTS.c.number > CALLER)
    for call_id, who, outcome, reason, started, ended, ringing, answered in connection.execute(
        chosen.order_by(ATTEMPTS.c.call_id, ATTEMPTS.c.number)
    ):
        # A phone that was answered has rung, whether Asterisk told of it or not.
        since = ringing or (started if answered else ended)
        rang = max(((answered or ended) - since).total_seconds(), 0.0)
        found[call_id].append(Rung(who, AttemptOutcome(outcome), reason, rang))
    return found


def _tags(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[tuple[str, bool]]]:
    """What was said of calls, in order: tags, and whether they were taken off."""
    found: defaultdict[str, list[tuple[str, bool]]] = defaultdict(list)
    chosen = select(TAGS.c.call_id, TAGS.c.tag, TAGS.c.removed).where(TAGS.c.call_id.in_(ids))
    for call_id, tag, removed in connection.execute(chosen.order_by(TAGS.c.at, TAGS.c.tag)):
        found[call_id].append((tag, bool(removed)))
    return found


def _corrections(connection: Connection, ids: Sequence[str]) -> dict[str, Disposition]:
    """What somebody said last that became of calls."""
    columns = CORRECTIONS.c.call_id, CORRECTIONS.c.disposition
    chosen = select(*columns).where(CORRECTIONS.c.call_id.in_(ids)).order_by(CORRECTIONS.c.at)
    return {row.call_id: Disposition(row.disposition) for row in connection.execute(chosen)}


def _wrap_ups(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[WrapUp]]:
    found: defaultdict[str, list[WrapUp]] = defaultdict(list)
    columns = [WRAP_UPS.c[name] for name in WrapUp.__struct_fields__]
    chosen = select(*columns).where(WRAP_UPS.c.call_id.in_(ids)).order_by(WRAP_UPS.c.began_at)
    for row in connection.execute(chosen):
        found[row.call_id].append(WrapUp(*row))
    return found
