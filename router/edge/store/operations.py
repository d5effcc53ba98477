"""What the call path hands to the writer, and the rows each becomes.

A row is a plain tuple in the order of its columns, times as microseconds, ready to be one line of a JSON
array (see `bulk`). Making rows is the writer thread's work; the call path only makes these small structs.

What cannot be written before a router stops is kept as JSON (see `unwritten`), by the name of the struct: a
name never changes its meaning, and new fields have a default.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from router.core.agents import WrapUp
from router.core.events import CallEvent
from router.core.plan import CallPlan
from router.core.record import Attempt, CallInfo, CallRecord, LeftMessage
from router.core.tags import CallTag
from router.core.trace import TraceRow
from router.edge.store.outbox import Noticed
from router.edge.store.supervisions import Supervised, Unseen
from router.edge.store.tables import to_micros


class Arrival(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A call arrived: what is known of it, the plan it was given, and why."""

    info: CallInfo
    plan: CallPlan
    trace: Sequence[TraceRow]


class Happening(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One event of a call."""

    call_id: str
    seq: int
    at: datetime
    event: CallEvent
    told: Noticed | None = None
    """What other systems are told of it."""


class End(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A call is over."""

    record: CallRecord


class Tagging(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The rules, or somebody, tagged a call."""

    tag: CallTag
    told: Noticed | None = None
    """What other systems are told of it; None where only the database knows the call."""


class Advised(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A dialplan of the administrator's own was told what the rules say of a caller, and why."""

    info: CallInfo
    treatment: str
    trace: Sequence[TraceRow]


class WrappedUp(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An agent is there again after a call."""

    wrap_up: WrapUp


class Reached(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Somebody of a client has talked with who has that number (E.164), by a call that is none of ours."""

    client: str
    number: str
    at: datetime


Operation = Arrival | Happening | End | Tagging | WrappedUp | Supervised | Unseen | Advised | Reached

Value = str | int | float | None
Row = tuple[Value, ...]

INFO_COLUMNS = (
    "id",
    "asterisk_id",
    "asterisk_started",
    "channel",
    "dialled",
    "caller",
    "client",
    "route",
    "rules_version",
    "arrived_at",
)
NAME_COLUMNS = ("name", "display")
"""What is kept with calls of who called, beside the number."""
ARRIVAL_COLUMNS = (*INFO_COLUMNS, *NAME_COLUMNS, "plan", "trace")
DECISION_COLUMNS = (*INFO_COLUMNS, "treatment", "trace")
OUTCOME_COLUMNS = (
    "disposition",
    "reason",
    "phase",
    "hung_up_by",
    "answered_by",
    "answered_at",
    "ended_at",
    "ring_seconds",
    "wait_seconds",
    "talk_seconds",
    "hold_seconds",
    "talks",
    "evidence",
    "flags",
    "classifier",
    "queues",
)
END_COLUMNS = (*INFO_COLUMNS, *NAME_COLUMNS, *OUTCOME_COLUMNS)
ATTEMPT_COLUMNS = (
    "call_id",
    "number",
    "target",
    "dial",
    "outcome",
    "started_at",
    "ended_at",
    "ringing_at",
    "answered_at",
    "cause",
    "tech_cause",
    "reason",
)
TIMELINE_COLUMNS = ("call_id", "seq", "at", "event")
MESSAGE_COLUMNS = (
    "call_id",
    "addressees",
    "language",
    "callback",
    "recording",
    "seconds",
    "left_at",
    "keep_until",
)
WRAP_UP_COLUMNS = ("call_id", "person", "began_at", "client", "queue", "ended_at")
TAG_COLUMNS = ("call_id", "tag", "removed", "who", "way", "at", "place", "note")
DELIVERY_COLUMNS = ("call_id", "way", "address", "tries", "next_at")

MAIL, WEBHOOK = "mail", "webhook"
"""Ways that messages go."""

_ENCODER = msgspec.json.Encoder()


def call_of(operation: Operation) -> str:
    """The id of the call an operation belongs to; empty of one that is no call's."""
    match operation:
        case Arrival() | Advised():
            return operation.info.id
        case Happening():
            return operation.call_id
        case End():
            return operation.record.info.id
        case Tagging():
            return operation.tag.call_id
        case WrappedUp():
            return operation.wrap_up.call_id
        case Supervised():
            return operation.stretch.call_id
        case Unseen() | Reached():
            return ""


def _text(value: object) -> str:
    """As JSON."""
    return _ENCODER.encode(value).decode()


def arrival_row(arrival: Arrival) -> Row:
    """In the order of ARRIVAL_COLUMNS."""
    return (*_info_row(arrival.info), *_names(arrival.info), _text(arrival.plan), _text(arrival.trace))


def decision_row(advised: Advised) -> Row:
    """In the order of DECISION_COLUMNS."""
    return (*_info_row(advised.info), advised.treatment, _text(advised.trace))


def timeline_row(happening: Happening) -> Row:
    """In the order of TIMELINE_COLUMNS."""
    return happening.call_id, happening.seq, to_micros(happening.at), _text(happening.event)


def end_row(record: CallRecord) -> Row:
    """In the order of END_COLUMNS."""
    return (
        *_info_row(record.info),
        *_names(record.info),
        record.disposition.value,
        record.reason,
        record.phase.value,
        record.hung_up_by.value if record.hung_up_by else None,
        record.answered_by,
        _micros(record.answered_at),
        to_micros(record.ended_at),
        record.ring_seconds,
        record.wait_seconds,
        record.talk_seconds,
        record.hold_seconds,
        _ENCODER.encode(record.talks).decode(),
        _ENCODER.encode(record.evidence).decode(),
        _ENCODER.encode(record.flags).decode(),
        record.classifier,
        _ENCODER.encode(record.queues).decode(),
    )


def attempt_row(call_id: str, attempt: Attempt) -> Row:
    """In the order of ATTEMPT_COLUMNS."""
    return (
        call_id,
        attempt.number,
        attempt.target,
        attempt.dial,
        attempt.outcome.value,
        to_micros(attempt.started_at),
        to_micros(attempt.ended_at),
        _micros(attempt.ringing_at),
        _micros(attempt.answered_at),
        attempt.cause,
        attempt.tech_cause,
        attempt.reason,
    )


def message_row(record: CallRecord, message: LeftMessage) -> Row:
    """In the order of MESSAGE_COLUMNS."""
    return (
        record.info.id,
        _ENCODER.encode(message.to).decode(),
        message.language,
        message.callback,
        message.recording,
        message.seconds,
        to_micros(record.ended_at),
        to_micros(record.ended_at + timedelta(days=message.delivery.keep_days)),
    )


def delivery_rows(record: CallRecord, message: LeftMessage) -> Iterator[Row]:
    """In the order of DELIVERY_COLUMNS: one for each address, to be tried at once."""
    ways = [(MAIL, address) for address in message.delivery.mail]
    if message.delivery.webhook:
        ways.append((WEBHOOK, message.delivery.webhook))
    for way, address in ways:
        yield record.info.id, way, address, 0, to_micros(record.ended_at)


def tag_row(tag: CallTag) -> Row:
    """In the order of TAG_COLUMNS."""
    who = tag.who, tag.way.value, to_micros(tag.at), tag.place, tag.note
    return tag.call_id, tag.tag, int(tag.removed), *who


def wrap_up_row(one: WrapUp) -> Row:
    """In the order of WRAP_UP_COLUMNS."""
    return one.call_id, one.person, to_micros(one.began_at), one.client, one.queue, to_micros(one.ended_at)


def as_document(rows: Sequence[Row]) -> str:
    """Rows as the one JSON text a bulk statement takes."""
    return _ENCODER.encode(rows).decode()


def _info_row(info: CallInfo) -> Row:
    return (
        info.id,
        info.asterisk_id,
        info.asterisk_started,
        info.channel,
        info.dialled,
        info.caller,
        info.client,
        info.route,
        info.rules_version,
        to_micros(info.arrived_at),
    )


def _names(info: CallInfo) -> Row:
    return info.name, info.display


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)
