"""Messages in the database: written with their calls' dispositions, fetched, delivered, and removed."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update

from router.core.contacts import with_name
from router.edge.store.database import Access, begin
from router.edge.store.donotcontact import spared_among
from router.edge.store.jobs import Standing
from router.edge.store.tables import CALLS, DELIVERIES, MESSAGES, OBLIGATIONS

LEASE = timedelta(minutes=2)
"""How long a delivery is left to the router that tries it; longer than any try may take."""

_JOINED = MESSAGES.join(CALLS, MESSAGES.c.call_id == CALLS.c.id)
_COLUMNS = (
    MESSAGES,
    CALLS.c.client,
    CALLS.c.caller,
    CALLS.c.name,
    CALLS.c.dialled,
    CALLS.c.arrived_at,
)


class StoredMessage(msgspec.Struct, frozen=True):
    """A message, or a wish to be called back, with what is known of its call."""

    call_id: str
    client: str
    caller: str
    """As in `CallInfo`."""
    dialled: str
    arrived_at: datetime
    addressees: tuple[str, ...]
    """Ids of people; the client, where there are none."""
    language: str
    callback: str
    """The number at which to call back, if there is one."""
    recording: int | None
    """Its number within the call; None where somebody only wishes to be called back."""
    seconds: float
    left_at: datetime
    fetched_at: datetime | None
    lost_at: datetime | None
    """When it became clear that there is no recording."""
    done_at: datetime | None
    done_by: str | None
    name: str = ""
    """By which the client knew the caller; empty of a stranger."""

    @property
    def who(self) -> str:
        """The caller, as `with_name` tells it."""
        return with_name(self.caller, self.name)


class Delivery(msgspec.Struct, frozen=True):
    """A message on its way to one address."""

    way: str
    """`mail` or `webhook`."""
    address: str
    tries: int
    """Before this one."""
    taken_at: datetime | None
    error: str | None
    """Why the last try failed."""


class Messages(Access):
    """Those of one database."""

    def listed(
        self, client: str | None, *, done: bool, limit: int, after: str | None = None
    ) -> list[tuple[StoredMessage, list[Delivery]]]:
        """The latest first, each with where it goes; `done` also those that are done with, `after` only those
        that come after that one."""
        wanted: list[ColumnElement[bool]] = [] if done else [MESSAGES.c.done_at.is_(None)]
        if client is not None:
            wanted.append(CALLS.c.client == client)
        if after is not None:
            left = select(MESSAGES.c.left_at).where(MESSAGES.c.call_id == after).scalar_subquery()
            same = and_(MESSAGES.c.left_at == left, MESSAGES.c.call_id < after)
            wanted.append(or_(MESSAGES.c.left_at < left, same))
        latest = select(*_COLUMNS).select_from(_JOINED).where(*wanted)
        in_order = latest.order_by(MESSAGES.c.left_at.desc(), MESSAGES.c.call_id.desc())
        with begin(self._reading) as connection:
            rows = connection.execute(in_order.limit(limit)).all()
            return [(_message(row), _deliveries(connection, row.call_id)) for row in rows]

    def deliveries(self, call_id: str) -> list[Delivery]:
        """Where one goes."""
        with begin(self._reading) as connection:
            return _deliveries(connection, call_id)

    def find(self, prefix: str) -> list[StoredMessage]:
        """Those whose call's id begins so; two at most."""
        begins = MESSAGES.c.call_id.startswith(prefix, autoescape=True)
        with begin(self._reading) as connection:
            found = connection.execute(select(*_COLUMNS).select_from(_JOINED).where(begins).limit(2)).all()
        return [_message(row) for row in found]

    def spared(self, message: StoredMessage, now: datetime) -> bool:
        """Whether nobody is to call the number now at which to call back."""
        with begin(self._reading) as connection:
            spared = spared_among(connection, {message.callback}, now)
        return spared.find(message.callback, message.client, now) is not None

    def unfetched(self, asterisk_id: str) -> list[StoredMessage]:
        """Those whose recording is still in that Asterisk."""
        wanted = and_(
            CALLS.c.asterisk_id == asterisk_id,
            MESSAGES.c.recording.is_not(None),
            MESSAGES.c.fetched_at.is_(None),
            MESSAGES.c.lost_at.is_(None),
        )
        with begin(self._reading) as connection:
            rows = connection.execute(select(*_COLUMNS).select_from(_JOINED).where(wanted)).all()
        return [_message(row) for row in rows]

    def fetched(self, call_id: str, now: datetime) -> None:
        """The recording is here."""
        self._set(call_id, fetched_at=now)

    def lost(self, call_id: str, now: datetime) -> None:
        """There is no recording; one that is here already stays."""
        self._set(call_id, MESSAGES.c.fetched_at.is_(None), lost_at=now)

    def done(self, call_id: str, who: str, now: datetime) -> None:
        """Somebody has dealt with it, and with the obligation to call back that follows the same call."""
        owed = OBLIGATIONS.c.call_id == call_id, OBLIGATIONS.c.closed_at.is_(None)
        with begin(self._writing) as connection:
            dealt = {"done_at": now, "done_by": who}
            left = MESSAGES.c.call_id == call_id, MESSAGES.c.done_at.is_(None)
            connection.execute(update(MESSAGES).where(*left).values(dealt))
            connection.execute(update(OBLIGATIONS).where(*owed).values(closed_at=now, closed_by=who))

    def claim(self, asterisk_id: str, now: datetime, limit: int) -> list[tuple[StoredMessage, Delivery]]:
        """What is to be delivered now, of that Asterisk's messages whose recording is here or never will be.
        For the time of LEASE nobody else is given it."""
        ready = or_(
            MESSAGES.c.recording.is_(None),
            MESSAGES.c.fetched_at.is_not(None),
            MESSAGES.c.lost_at.is_not(None),
        )
        ours = and_(CALLS.c.asterisk_id == asterisk_id, ready)
        due = select(MESSAGES.c.call_id).select_from(_JOINED).where(ours).scalar_subquery()
        mine = and_(DELIVERIES.c.next_at <= now, DELIVERIES.c.call_id.in_(due))
        with begin(self._writing) as connection:
            first = select(DELIVERIES).where(mine).order_by(DELIVERIES.c.next_at).limit(limit)
            rows = connection.execute(first.with_for_update(skip_locked=True)).all()
            for row in rows:
                connection.execute(_of(row.call_id, _delivery(row)).values(next_at=now + LEASE))
            calls = [row.call_id for row in rows]
            found = select(*_COLUMNS).select_from(_JOINED).where(MESSAGES.c.call_id.in_(calls))
            messages = {row.call_id: _message(row) for row in connection.execute(found)}
        return [(messages[row.call_id], _delivery(row)) for row in rows]

    def taken(self, call_id: str, delivery: Delivery, now: datetime) -> None:
        """It was delivered."""
        self._tried(call_id, delivery, next_at=None, taken_at=now, error=None)

    def refused(self, call_id: str, delivery: Delivery, again: datetime, error: str) -> None:
        """It was not, and is to be tried again at that moment."""
        self._tried(call_id, delivery, next_at=again, taken_at=None, error=error)

    def standing(self) -> list[Standing]:
        """What waits to be delivered, by where it goes; the oldest first."""
        oldest = func.min(MESSAGES.c.left_at)
        to = DELIVERIES.c.way, DELIVERIES.c.address
        of_each = select(*to, func.count(), oldest, func.max(DELIVERIES.c.error)).select_from(
            DELIVERIES.join(MESSAGES, DELIVERIES.c.call_id == MESSAGES.c.call_id)
        )
        waits = DELIVERIES.c.next_at.is_not(None)
        with begin(self._reading) as connection:
            rows = connection.execute(of_each.where(waits).group_by(*to).order_by(oldest))
            return [Standing(*row) for row in rows]

    def again(self, now: datetime) -> int:
        """Have all that waits tried at once; how many that are."""
        with begin(self._writing) as connection:
            waits = DELIVERIES.c.next_at.is_not(None)
            return connection.execute(update(DELIVERIES).where(waits).values(next_at=now)).rowcount

    def expired(self, asterisk_id: str, now: datetime) -> list[str]:
        """Ids of that Asterisk's calls whose messages have been kept as long as they may be."""
        over = and_(CALLS.c.asterisk_id == asterisk_id, MESSAGES.c.keep_until <= now)
        with begin(self._reading) as connection:
            found = connection.execute(select(MESSAGES.c.call_id).select_from(_JOINED).where(over))
            return list(found.scalars())

    def remove(self, call_id: str) -> None:
        """Forget a message, and where it went."""
        with begin(self._writing) as connection:
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.call_id == call_id))
            connection.execute(delete(MESSAGES).where(MESSAGES.c.call_id == call_id))

    def _set(self, call_id: str, *only: ColumnElement[bool], **values: object) -> None:
        with begin(self._writing) as connection:
            connection.execute(update(MESSAGES).where(MESSAGES.c.call_id == call_id, *only).values(values))

    def _tried(self, call_id: str, delivery: Delivery, **values: object) -> None:
        """What came of a try; what was taken meanwhile stays so."""
        tried = _of(call_id, delivery).where(DELIVERIES.c.taken_at.is_(None))
        with begin(self._writing) as connection:
            connection.execute(tried.values(tries=delivery.tries + 1, **values))


def _of(call_id: str, delivery: Delivery) -> Any:
    return update(DELIVERIES).where(
        DELIVERIES.c.call_id == call_id,
        DELIVERIES.c.way == delivery.way,
        DELIVERIES.c.address == delivery.address,
    )


def _message(row: Row[Any]) -> StoredMessage:
    fields = {name: row._mapping[name] for name in StoredMessage.__struct_fields__}
    fields["client"] = fields["client"] or ""
    fields["addressees"] = msgspec.json.decode(row.addressees, type=tuple[str, ...])
    return StoredMessage(**fields)


def _deliveries(connection: Connection, call_id: str) -> list[Delivery]:
    rows = connection.execute(select(DELIVERIES).where(DELIVERIES.c.call_id == call_id))
    return [_delivery(row) for row in rows]


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**{name: row._mapping[name] for name in Delivery.__struct_fields__})
