"""The tables: one row a call, a dialling attempt, an event, a decision on a number, a message, an address
that a message goes to, a notice to other systems, or a wrap-up.

Times are integer microseconds since 1970 UTC: they sort and compare alike on SQLite and PostgreSQL, cost no
parsing, and come back as aware datetimes. Structured values are JSON text written by msgspec, so no database
re-encodes them. There are no foreign keys: under overload timeline rows are shed and a call's arrival may
come late with its end, and neither may keep the other from being written.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA = "0014"
"""The newest migration: the only shape this version of callrouter reads and writes."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC. TypeError if `at` is not aware."""
    return (at - EPOCH) // _MICROSECOND


class UtcMicroseconds(TypeDecorator[datetime]):
    """An aware datetime, stored as `to_micros` and read back in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


def call_id_type() -> Text:
    """Call ids, and the keys of contacts, compare by their bytes on both databases, so a prefix of an id is a
    range of the index."""
    return Text().with_variant(Text(collation="C"), "postgresql")


METADATA = MetaData()

CALLS = Table(
    "calls",
    METADATA,
    Column("id", call_id_type(), primary_key=True),
    Column("asterisk_id", Text, nullable=False),
    Column("asterisk_started", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("client", Text),
    Column("route", Text),
    Column("rules_version", Text, nullable=False),
    Column("arrived_at", UtcMicroseconds, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("display", Text, nullable=False, server_default=""),
    # Null where the arrival was never written and the call's end brought the row.
    Column("plan", Text),
    Column("trace", Text),
    # From here on null while the call is open.
    Column("disposition", Text),
    Column("reason", Text),
    Column("phase", Text),
    Column("hung_up_by", Text),
    Column("answered_by", Text),
    Column("answered_at", UtcMicroseconds),
    Column("ended_at", UtcMicroseconds),
    Column("ring_seconds", Double),
    Column("wait_seconds", Double),
    Column("talk_seconds", Double),
    Column("hold_seconds", Double),
    # JSON; null of a call that was written before talks were told one by one.
    Column("talks", Text),
    Column("evidence", Text),
    Column("flags", Text),
    Column("classifier", Integer),
    # JSON; null of a call that was written before they were told.
    Column("queues", Text),
    UniqueConstraint("asterisk_id", "asterisk_started", "channel", name="calls_key"),
)

Index("calls_by_arrival", CALLS.c.arrived_at, CALLS.c.id)
Index("calls_by_client", CALLS.c.client, CALLS.c.arrived_at)
Index("calls_by_caller", CALLS.c.caller, CALLS.c.arrived_at)
Index("calls_by_end", CALLS.c.ended_at)
_OPEN = CALLS.c.disposition.is_(None)
Index("calls_open", CALLS.c.arrived_at, sqlite_where=_OPEN, postgresql_where=_OPEN)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("target", Text, nullable=False),
    Column("dial", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("started_at", UtcMicroseconds, nullable=False),
    Column("ended_at", UtcMicroseconds, nullable=False),
    Column("ringing_at", UtcMicroseconds),
    Column("answered_at", UtcMicroseconds),
    Column("cause", Integer, nullable=False),
    Column("tech_cause", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

TIMELINE = Table(
    "timeline",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcMicroseconds, nullable=False),
    Column("event", Text, nullable=False),
    sqlite_with_rowid=False,
)

VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("client", Text),
    Column("why", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("made_at", UtcMicroseconds, nullable=False),
    Column("until", UtcMicroseconds),
    Column("undone_at", UtcMicroseconds),
    Column("undone_by", Text),
)

Index("verdicts_by_number", VERDICTS.c.number)

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("number", call_id_type(), primary_key=True),
    # Empty where all clients have it.
    Column("client", call_id_type(), primary_key=True),
    Column("name", Text, nullable=False),
    # JSON.
    Column("groups", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("changed_at", UtcMicroseconds, nullable=False),
    Column("changed_by", Text, nullable=False),
)

AGENT_CHANGES = Table(
    "agent_changes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", UtcMicroseconds, nullable=False),
)

Index("agent_changes_by_agent", AGENT_CHANGES.c.client, AGENT_CHANGES.c.person)

SUPERVISIONS = Table(
    "supervisions",
    METADATA,
    Column("supervision", call_id_type(), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Which router did it: Asterisk's id and the application's name.
    Column("router", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("supervisor", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("call_id", call_id_type(), nullable=False),
    Column("mode", Text, nullable=False),
    Column("began_at", UtcMicroseconds, nullable=False),
    # Null while it lasts, and where nobody saw the end.
    Column("ended_at", UtcMicroseconds),
    # Null while it lasts.
    Column("outcome", Text),
    # Why it was refused.
    Column("reason", Text, nullable=False),
)

Index("supervisions_by_time", SUPERVISIONS.c.began_at)

MESSAGES = Table(
    "messages",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    # Ids of people, JSON; the client where there are none.
    Column("addressees", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("callback", Text, nullable=False),
    # The number of the recording within the call; null where somebody only wishes to be called back.
    Column("recording", Integer),
    Column("seconds", Double, nullable=False),
    Column("left_at", UtcMicroseconds, nullable=False),
    Column("keep_until", UtcMicroseconds, nullable=False),
    # The recording was fetched from Asterisk, or it will never be.
    Column("fetched_at", UtcMicroseconds),
    Column("lost_at", UtcMicroseconds),
    Column("done_at", UtcMicroseconds),
    Column("done_by", Text),
)

Index("messages_by_time", MESSAGES.c.left_at)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    # `mail` or `webhook`.
    Column("way", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("tries", Integer, nullable=False),
    # When it is tried next; null once it was taken.
    Column("next_at", UtcMicroseconds),
    Column("taken_at", UtcMicroseconds),
    # Why the last try failed.
    Column("error", Text),
)

Index("deliveries_by_turn", DELIVERIES.c.next_at)

TAGS = Table(
    "tags",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("at", UtcMicroseconds, primary_key=True),
    # 1 where it is taken off.
    Column("removed", Integer, nullable=False),
    Column("who", Text, nullable=False),
    # As in tags.Way.
    Column("way", Text, nullable=False),
    # A line of the rules, a phone, or who typed it at which machine.
    Column("place", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
)

Index("tags_by_tag", TAGS.c.tag, TAGS.c.call_id)

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    Column("at", UtcMicroseconds, primary_key=True),
    Column("disposition", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("place", Text, nullable=False),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    # Never given twice, so that whoever has read up to one can go on from there.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("notice", Text, nullable=False, unique=True),
    # Which router is to send it: the id of its Asterisk; empty: any.
    Column("router", Text, nullable=False),
    # Empty of an agent's.
    Column("call_id", call_id_type(), nullable=False),
    # Empty where nobody has the number that was called.
    Column("client", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", UtcMicroseconds, nullable=False),
    Column("body", Text, nullable=False),
    # Null while it was not taken.
    Column("sent_at", UtcMicroseconds),
    sqlite_autoincrement=True,
)

_UNSENT = OUTBOX.c.sent_at.is_(None)
Index("outbox_unsent", OUTBOX.c.router, OUTBOX.c.id, sqlite_where=_UNSENT, postgresql_where=_UNSENT)

# What a dialplan of the administrator's own was told of a caller: no call.
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", call_id_type(), primary_key=True),
    Column("asterisk_id", Text, nullable=False),
    Column("asterisk_started", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("client", Text),
    Column("route", Text),
    Column("rules_version", Text, nullable=False),
    Column("arrived_at", UtcMicroseconds, nullable=False),
    # The first thing that the dialplan was to do.
    Column("treatment", Text, nullable=False),
    Column("trace", Text, nullable=False),
)

Index("decisions_by_time", DECISIONS.c.arrived_at)

WRAP_UPS = Table(
    "wrap_ups",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    Column("person", Text, primary_key=True),
    Column("began_at", UtcMicroseconds, primary_key=True),
    Column("client", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("ended_at", UtcMicroseconds, nullable=False),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    # Null for all clients, and all people that the role may change.
    Column("client", Text),
    Column("person", Text),
    # The token itself is nowhere.
    Column("hash", Text, nullable=False, unique=True),
    Column("made_at", UtcMicroseconds, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("until", UtcMicroseconds),
    Column("revoked_at", UtcMicroseconds),
    Column("revoked_by", Text),
)

FOLLOW_UPS = Table(
    "follow_ups",
    METADATA,
    Column("call_id", call_id_type(), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("client", Text, nullable=False),
    # `file:line`.
    Column("place", Text, nullable=False),
    Column("why", Text, nullable=False),
    # The tag that made it due later; empty where the call's end did.
    Column("tag", Text, nullable=False),
    Column("at", UtcMicroseconds, nullable=False),
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("call_id", call_id_type(), nullable=False),
    Column("follow_up", Text, nullable=False),
    # 1, 2, ... within the follow-up.
    Column("number", Integer, nullable=False),
    Column("client", Text, nullable=False),
    # `mail` or `webhook`.
    Column("way", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("language", Text, nullable=False),
    # JSON, as it is posted.
    Column("body", Text, nullable=False),
    Column("made_at", UtcMicroseconds, nullable=False),
    # From when on it is tried, until it is given up.
    Column("since", UtcMicroseconds, nullable=False),
    Column("tries", Integer, nullable=False),
    # When it is tried next; null once it was taken, or given up.
    Column("next_at", UtcMicroseconds),
    Column("done_at", UtcMicroseconds),
    Column("dead_at", UtcMicroseconds),
    # Why the last try failed.
    Column("error", Text),
    UniqueConstraint("call_id", "follow_up", "number", name="jobs_once"),
    sqlite_autoincrement=True,
)

_WAITING = JOBS.c.next_at.is_not(None)
Index("jobs_waiting", JOBS.c.way, JOBS.c.address, JOBS.c.id, sqlite_where=_WAITING, postgresql_where=_WAITING)
_GIVEN_UP = JOBS.c.dead_at.is_not(None)
Index("jobs_dead", JOBS.c.dead_at, sqlite_where=_GIVEN_UP, postgresql_where=_GIVEN_UP)

OBLIGATIONS = Table(
    "obligations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("call_id", call_id_type(), nullable=False),
    Column("follow_up", Text, nullable=False),
    Column("client", Text, nullable=False),
    # Whom to call back, and the number that the call came from: E.164.
    Column("number", Text, nullable=False),
    Column("caller", Text, nullable=False),
    # A person's id; empty for everybody.
    Column("owner", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("made_at", UtcMicroseconds, nullable=False),
    Column("due_at", UtcMicroseconds, nullable=False),
    # Null while nobody has called back.
    Column("closed_at", UtcMicroseconds),
    # Who did, and by which call, if it was by one.
    Column("closed_by", Text),
    Column("closed_call", call_id_type()),
    UniqueConstraint("call_id", "follow_up", name="obligations_once"),
)

_OWED = OBLIGATIONS.c.closed_at.is_(None)
Index("obligations_open", OBLIGATIONS.c.due_at, sqlite_where=_OWED, postgresql_where=_OWED)

DO_NOT_CONTACT = Table(
    "do_not_contact",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("number", Text, nullable=False),
    # Null for all clients.
    Column("client", Text),
    # Null until somebody removes it.
    Column("until", UtcMicroseconds),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("made_at", UtcMicroseconds, nullable=False),
    # After which call, if it was after one.
    Column("call_id", call_id_type()),
    Column("removed_at", UtcMicroseconds),
    Column("removed_by", Text),
)

Index("do_not_contact_by_number", DO_NOT_CONTACT.c.number)
