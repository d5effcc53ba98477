"""Follow-ups in the database: written in the transaction that writes the end of a call, or a tag on it.

What is to be done has a key of call and follow-up, and what is there stays as it is. So nothing is done
twice, whoever writes, and what was decided is never without what comes of it. By the same transaction it is
done with: a call that is answered closes the obligations to call that number back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, or_, select, update

from router.core import notices
from router.core.donotcontact import DoNotContact, Spared
from router.core.followups import Due, Ended, call_back_number, due, is_followed, tags_by_rules
from router.core.record import CallRecord, Disposition
from router.core.ruleset import ClientRules, RuleSet
from router.core.tags import CallTag
from router.edge.store.donotcontact import spared_among
from router.edge.store.operations import MAIL, WEBHOOK, Reached, Row
from router.edge.store.outbox import outbox_rows
from router.edge.store.queries import record_of
from router.edge.store.tables import CALLS, FOLLOW_UPS, MESSAGES, OBLIGATIONS, TAGS, to_micros

COLUMNS = {
    "follow_ups": ("call_id", "name", "client", "place", "why", "tag", "at"),
    "jobs": (
        "call_id", "follow_up", "number", "client", "language", "way", "address", "body", "made_at", "since",
        "tries", "next_at",
    ),
    "obligations": (
        "call_id", "follow_up", "client", "number", "caller", "owner", "why", "made_at", "due_at",
    ),
    "do_not_contact": ("number", "client", "until", "who", "why", "made_at", "call_id"),
}  # fmt: skip
"""Of what is written, by table."""

BY_RULES = "rules"
"""Who made an entry that a follow-up made."""

BY_DIALPLAN = "dialplan"
"""Who called back, where a dialplan has told of it."""

_ENCODER = msgspec.json.Encoder()
_LOG = structlog.get_logger("router.store")


class _Found(NamedTuple):
    """A follow-up that is due after a call."""

    client: ClientRules
    record: CallRecord
    tags: frozenset[str]
    due: Due
    at: datetime
    tag: str
    """Which made it due later."""
    call_back_by: datetime | None
    """Until when somebody is to call back, if anybody is."""

    @property
    def key(self) -> tuple[str, str]:
        """It is due once: call and name."""
        return self.record.info.id, self.due.follow_up.name


class FollowingUp:
    """What writes them, by the rules in use."""

    def __init__(self) -> None:
        self.news = False
        """Set where something was written that others may wait for; they take it off."""
        self.spares = False
        """Set where it has numbers that nobody is to call."""
        self._clients: Mapping[str, ClientRules] = {}
        """Those that have follow-ups."""

    def use(self, rules: RuleSet) -> None:
        """Decide by these from now on; from any thread."""
        self._clients = {one.id: one for one in rules.clients.values() if one.follow_ups.all}

    def rows(
        self, connection: Connection, ended: Sequence[CallRecord], tags: Sequence[CallTag]
    ) -> dict[str, list[Row]]:
        """What is to be done after these calls and tags, which are written already: rows by table, in the
        order of COLUMNS or of the outbox."""
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        clients = self._clients
        found = list(_found(connection, clients, ended, tags)) if clients else []
        known = _known(connection, found) if found else set()
        new: dict[tuple[str, str], _Found] = {}
        for one in found:
            if one.key not in known:
                new.setdefault(one.key, one)
        now = datetime.now(UTC)
        spared = _spared(connection, new.values(), now)
        for one in new.values():
            never = spared.find(call_back_number(one.record), one.client.id, now) is not None
            for table, row in _rows(one, now, never=never):
                rows[table].append(row)
            rows["outbox"] += _told(one, never=never)
        self.news |= bool(rows)
        self.spares |= "do_not_contact" in rows
        return rows

    def close(self, connection: Connection, talks: Sequence[CallRecord], ids: Collection[int]) -> None:
        """Who was talked with in these calls need not be called back, as one of these obligations may say."""
        self.news |= _close(connection, talks, ids)

    def reached(self, connection: Connection, reached: Reached) -> None:
        """Nor need be who was reached by a call that the router does not see."""
        count = reach(connection, reached.number, reached.client, BY_DIALPLAN, reached.at)
        self.news |= count > 0


def _found(
    connection: Connection,
    clients: Mapping[str, ClientRules],
    ended: Sequence[CallRecord],
    tags: Sequence[CallTag],
) -> Iterator[_Found]:
    """All that is due; of a call that was over before, what the new tags on it make due."""
    records = {record.info.id: record for record in ended if record.info.client in clients}
    put = [tag for tag in tags if not tag.removed and tag.call_id not in records]
    before = {record.info.id: record for record in _over(connection, clients, {tag.call_id for tag in put})}
    have = _tags_of(connection, [*records, *before])
    for id, record in records.items():
        yield from _due(clients, record, have[id], record.ended_at, "")
    for tag in put:
        if tag.call_id in before:
            yield from _due(clients, before[tag.call_id], have[tag.call_id], tag.at, tag.tag)


def _due(
    clients: Mapping[str, ClientRules], record: CallRecord, tags: Mapping[str, bool], at: datetime, tag: str
) -> Iterator[_Found]:
    """An error here must not keep the call's end from being written."""
    if not is_followed(record):
        return
    client = clients[record.info.client or ""]
    hours = client.hours
    every = [one for one in client.follow_ups.all if not tag or tag in one.tags]
    has = tags_by_rules(record) | {name for name, on in tags.items() if on}
    has -= {name for name, on in tags.items() if not on}
    try:
        for one in due(every, Ended(record, has, hours)):
            back = one.follow_up.call_back
            yield _Found(client, record, has, one, at, tag, back.due(at, hours) if back else None)
    except Exception:
        _LOG.exception("follow-ups of a call not decided", call_id=record.info.id)


def _over(
    connection: Connection, clients: Mapping[str, ClientRules], ids: Collection[str]
) -> Iterator[CallRecord]:
    """The records of those of these calls that are over, and whose client has follow-ups."""
    if ids:
        wanted = CALLS.c.id.in_(ids) & CALLS.c.client.in_(list(clients))
        for row in connection.execute(select(CALLS).where(wanted)).all():
            record = record_of(row)
            if record is not None:
                yield record


def _tags_of(connection: Connection, ids: Collection[str]) -> defaultdict[str, dict[str, bool]]:
    """By call: the tags that people have put on it (True), or taken off."""
    found: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    if ids:
        columns = (TAGS.c.call_id, TAGS.c.tag, TAGS.c.removed)
        in_order = select(*columns).where(TAGS.c.call_id.in_(ids)).order_by(TAGS.c.at)
        for call_id, tag, removed in connection.execute(in_order):
            found[call_id][tag] = not removed
    return found


def _known(connection: Connection, found: Sequence[_Found]) -> set[tuple[str, str]]:
    """What was due before, of those calls: call and name."""
    columns = (FOLLOW_UPS.c.call_id, FOLLOW_UPS.c.name)
    of_calls = FOLLOW_UPS.c.call_id.in_({one.record.info.id for one in found})
    return {(row.call_id, row.name) for row in connection.execute(select(*columns).where(of_calls))}


def _spared(connection: Connection, due: Collection[_Found], now: datetime) -> Spared:
    """Whom nobody is to call, of those who could be called back after these calls; also where it is one of
    these that says so."""
    said = filter(None, map(_do_not_contact, due))
    return spared_among(connection, {call_back_number(one.record) for one in due}, now, *said)


def _do_not_contact(one: _Found) -> DoNotContact | None:
    """By which nobody is to call the caller, where that is to be done."""
    seconds, caller = one.due.follow_up.do_not_contact, one.record.info.caller
    if seconds is None or not caller.startswith("+"):
        return None
    why = f"{one.due.follow_up.name}: {one.due.why}"
    until = one.at + timedelta(seconds=seconds)
    return DoNotContact(0, caller, one.client.id, until, BY_RULES, why, one.at, one.record.info.id)


def _rows(one: _Found, now: datetime, *, never: bool) -> Iterator[tuple[str, Row]]:
    """All that is to be written of it: tables, and rows in the order of their COLUMNS. What is sent has its
    whole time from `now` on, even if the call ended long before it could be written. `never`: nobody is to
    call the caller back."""
    follow_up, info, at = one.due.follow_up, one.record.info, to_micros(one.at)
    place, why = follow_up.place, one.due.why
    yield "follow_ups", (info.id, follow_up.name, one.client.id, place, why, one.tag, at)
    ways = [(WEBHOOK, url) for url in follow_up.webhooks] + [(MAIL, to) for to in follow_up.mails]
    body = _ENCODER.encode(_notice(one, never=never)).decode() if ways else ""
    head = (one.client.id, one.client.follow_ups.language)
    for number, to in enumerate(ways, start=1):
        yield "jobs", (info.id, follow_up.name, number, *head, *to, body, at, to_micros(now), 0, at)
    number_back = call_back_number(one.record)
    if one.call_back_by is not None and follow_up.call_back is not None and number_back:
        owed = (number_back, info.caller, follow_up.call_back.owner, why, at, to_micros(one.call_back_by))
        yield "obligations", (info.id, follow_up.name, one.client.id, *owed)
    entry = _do_not_contact(one)
    if entry is not None and entry.until is not None:
        until = to_micros(entry.until)
        yield "do_not_contact", (entry.number, entry.client, until, entry.who, entry.why, at, info.id)


def _told(one: _Found, *, never: bool) -> Iterator[Row]:
    for topic in one.due.follow_up.topics:
        yield from outbox_rows(one.record.info.asterisk_id, (_notice(one, topic, never=never),))


def _notice(one: _Found, topic: str = "", *, never: bool) -> notices.Notice:
    return notices.of_follow_up(one.due, one.record, one.tags, one.at, topic, do_not_contact=never)


def talks_of(ended: Sequence[CallRecord]) -> list[CallRecord]:
    """Those of these calls in which somebody was talked with whose number is known."""
    return [one for one in ended if one.disposition is Disposition.ANSWERED and one.info.caller]


def _close(connection: Connection, talks: Sequence[CallRecord], ids: Collection[int]) -> bool:
    """Whether anybody was to be called back who has talked with the client now."""
    count = 0
    for row in connection.execute(select(OBLIGATIONS).where(OBLIGATIONS.c.id.in_(ids))).all():
        record = next((one for one in talks if _settles(one, row)), None)
        if record is not None:
            by = record.answered_by or ""
            count += closed(connection, [row.id], record.ended_at, by, record.info.id)
    return count > 0


def _settles(record: CallRecord, owed: Any) -> bool:
    """Whether this call makes calling back needless. A talk that began before somebody was to call does
    not, even if it ended after."""
    info = record.info
    same = info.client == owed.client and info.caller in (owed.number, owed.caller)
    began = record.answered_at or info.arrived_at
    return same and info.id != owed.call_id and began >= owed.made_at


def reach(connection: Connection, number: str, client: str, who: str, at: datetime) -> int:
    """Note that somebody of a client has talked with who has that number; how many obligations that does."""
    theirs = or_(OBLIGATIONS.c.number == number, OBLIGATIONS.c.caller == number)
    before = OBLIGATIONS.c.closed_at.is_(None) & (OBLIGATIONS.c.made_at <= at)
    wanted = select(OBLIGATIONS.c.id).where(before, OBLIGATIONS.c.client == client, theirs)
    return closed(connection, connection.scalars(wanted).all(), at, who)


def closed(
    connection: Connection, ids: Collection[int], at: datetime, who: str, call_id: str | None = None
) -> int:
    """Note of obligations that they are done, and of the callers' own wishes to be called back; how many were
    open."""
    done = {"closed_at": at, "closed_by": who, "closed_call": call_id}
    still = OBLIGATIONS.c.id.in_(ids) & OBLIGATIONS.c.closed_at.is_(None)
    calls = connection.execute(
        update(OBLIGATIONS).where(still).values(done).returning(OBLIGATIONS.c.call_id)
    ).all()
    wish = MESSAGES.c.call_id.in_([row.call_id for row in calls]) & MESSAGES.c.recording.is_(None)
    undone = wish & MESSAGES.c.done_at.is_(None)
    connection.execute(update(MESSAGES).where(undone).values(done_at=at, done_by=who))
    return len(calls)
