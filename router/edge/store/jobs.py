"""Jobs of follow-ups in the database: what waits to be posted or mailed, was taken, or is given up.

Of one call, what goes to the same address goes in the order in which it became due.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Update, and_, delete, func, or_, select, update

from router.edge.store.database import Access, begin
from router.edge.store.donotcontact import spared_among
from router.edge.store.tables import CALLS, JOBS

LEASE = timedelta(minutes=2)
"""How long jobs are left to the router that tries them; longer than any try may take."""

FIRST_LOOK = 500
"""Among so many of those that wait the first due ones are looked for first."""

FORGET_AT_ONCE = 1000
"""Rows; a larger statement would keep the writer waiting."""


class Address(NamedTuple):
    """Where jobs go."""

    way: str
    """`mail` or `webhook`."""
    address: str


class Job(msgspec.Struct, frozen=True):
    """Something to be posted or mailed."""

    id: int
    call_id: str
    follow_up: str
    client: str
    way: str
    """As in `Address`, here and below."""
    address: str
    language: str
    body: str
    """JSON."""
    made_at: datetime
    since: datetime
    """From when on it is tried, until it is given up."""
    tries: int
    next_at: datetime | None
    """Of one that was claimed: until when nobody else is given it."""
    done_at: datetime | None
    dead_at: datetime | None
    error: str | None
    """Why the last try failed."""


class Caller(NamedTuple):
    """Whom a job is about, as it is when the job is sent."""

    name: str = ""
    """By which the client knew who called; empty of a stranger. It is not kept with jobs, where nobody would
    look for it who is to forget it."""
    spared: bool = False
    """Nobody is to call the number at which they could be called back."""


class Tried(NamedTuple):
    """What came of a try."""

    job: Job
    error: str | None = None
    """Why it was not taken."""
    again: datetime | None = None
    """When it is tried again; None where it is given up."""


class Standing(msgspec.Struct, frozen=True):
    """What waits to go to one address."""

    way: str
    address: str
    waiting: int
    oldest: datetime
    error: str | None
    """Why the last try failed, of one of those that wait."""


class _Body(msgspec.Struct):
    callback: str = ""


_COLUMNS = tuple(JOBS.c[name] for name in Job.__struct_fields__)
_WAITS = JOBS.c.next_at.is_not(None)
_DEAD = JOBS.c.dead_at.is_not(None)


class Jobs(Access):
    """Those of one database."""

    def due_at(self, now: datetime, without: Collection[Address] = ()) -> list[Address]:
        """Where something is to go now, but for some addresses."""
        with begin(self._reading) as connection:
            found = select(JOBS.c.way, JOBS.c.address).where(JOBS.c.next_at <= now).distinct()
            addresses = [Address(*row) for row in connection.execute(found)]
            return [to for to in addresses if to not in without and _due(connection, to, now, 1)]

    def claim(self, to: Address, now: datetime, limit: int) -> list[Job]:
        """What is to go there now, at most one of each call, what was tried least often first: one that is
        never taken must not stand before all others. For the time of LEASE nobody else is given it."""
        with begin(self._reading) as connection:  # Of many it takes a while, in which calls are written down.
            ids = _due(connection, to, now, limit, among_all=limit == 1)
        if not ids:
            return []
        leased = update(JOBS).where(JOBS.c.id.in_(ids), JOBS.c.next_at <= now).values(next_at=now + LEASE)
        with begin(self._writing) as connection:
            jobs = [_job(row) for row in connection.execute(leased.returning(*_COLUMNS))]
        return sorted(jobs, key=lambda job: (job.tries, job.id))

    def settle(self, tried: Sequence[Tried], now: datetime) -> None:
        """Note what came of tries."""
        taken = [job.id for job, error, _ in tried if error is None]
        over = {"next_at": None, "done_at": now, "dead_at": None, "error": None}
        with begin(self._writing) as connection:
            if taken:
                connection.execute(_once_more(JOBS.c.id.in_(taken)).values(over))
            for job, error, again in tried:
                if error is not None:
                    failed = {"next_at": again, "dead_at": None if again else now, "error": error}
                    # Unless another tries it by now, since ours took too long.
                    still_ours = and_(JOBS.c.id == job.id, JOBS.c.next_at == job.next_at)
                    connection.execute(_once_more(still_ours).values(failed))

    def standing(self) -> list[Standing]:
        """What waits, by where it goes; the oldest first."""
        oldest = func.min(JOBS.c.made_at)
        columns = (JOBS.c.way, JOBS.c.address, func.count(), oldest, func.max(JOBS.c.error))
        of_each = select(*columns).where(_WAITS).group_by(JOBS.c.way, JOBS.c.address).order_by(oldest)
        with begin(self._reading) as connection:
            return [Standing(*row) for row in connection.execute(of_each)]

    def waiting(self, limit: int) -> list[Job]:
        """What waits, the oldest first."""
        return self._listed(_WAITS, limit)

    def dead(self, limit: int) -> list[Job]:
        """What is given up, the oldest first."""
        return self._listed(_DEAD, limit)

    def of_call(self, call_id: str) -> list[Job]:
        """All of one call."""
        return self._listed(JOBS.c.call_id == call_id, 1000)

    def callers(self, jobs: Collection[Job], now: datetime) -> dict[int, Caller]:
        """Whom each job is about, by its id."""
        numbers = {job.id: _number(job) for job in jobs}
        named = select(CALLS.c.id, CALLS.c.name).where(CALLS.c.id.in_({job.call_id for job in jobs}))
        with begin(self._reading) as connection:
            spared = spared_among(connection, set(numbers.values()), now)
            names = {row.id: row.name for row in connection.execute(named)}
        return {
            job.id: Caller(
                names.get(job.call_id, ""), spared.find(numbers[job.id], job.client, now) is not None
            )
            for job in jobs
        }

    def again(self, now: datetime, id: int | None = None) -> int:
        """Have what waits, and what is given up, tried at once, all or one; how many that are. What is given
        up gets its whole time once more."""
        undone = or_(_WAITS, _DEAD)
        which = undone if id is None else and_(undone, JOBS.c.id == id)
        revived = {"since": now, "tries": 0, "dead_at": None, "next_at": now}
        with begin(self._writing) as connection:
            count: int = connection.execute(select(func.count()).select_from(JOBS).where(which)).scalar_one()
            connection.execute(update(JOBS).where(which, _WAITS).values(next_at=now))
            connection.execute(update(JOBS).where(which, _DEAD).values(revived))
        return count

    def figures(self) -> tuple[int, int, datetime | None]:
        """How many wait, how many are given up, and since when the oldest of those waits that do."""
        with begin(self._reading) as connection:
            of_waiting = select(func.count(), func.min(JOBS.c.made_at)).where(_WAITS)
            waiting, oldest = connection.execute(of_waiting).one()
            dead = connection.execute(select(func.count()).select_from(JOBS).where(_DEAD)).scalar_one()
        return waiting, dead, oldest

    def forget(self, done_before: datetime, dead_before: datetime) -> int:
        """Remove FORGET_AT_ONCE of what was taken, or given up, before then; how many that were."""
        old = or_(JOBS.c.done_at < done_before, JOBS.c.dead_at < dead_before)
        with begin(self._reading) as connection:
            some = connection.scalars(select(JOBS.c.id).where(old).limit(FORGET_AT_ONCE)).all()
        with begin(self._writing) as connection:
            return connection.execute(delete(JOBS).where(JOBS.c.id.in_(some), old)).rowcount

    def _listed(self, which: ColumnElement[bool], limit: int) -> list[Job]:
        with begin(self._reading) as connection:
            rows = connection.execute(select(*_COLUMNS).where(which).order_by(JOBS.c.id).limit(limit))
            return [_job(row) for row in rows]


def _number(job: Job) -> str:
    """At which to call back; empty where that, or the job, cannot be read."""
    try:
        return msgspec.json.decode(job.body, type=_Body).callback
    except msgspec.DecodeError:
        return ""


def _due(
    connection: Connection, to: Address, now: datetime, limit: int, *, among_all: bool = False
) -> Sequence[int]:
    """The ids of what is to go there now: of each call, if at all, the first that waits.

    Mostly enough is found among the first few that wait. Where these rest all are looked through, and where
    it matters that of all nothing was tried less often (`among_all`).
    """
    there = (JOBS.c.way == to.way, JOBS.c.address == to.address, _WAITS)
    waiting = select(JOBS.c.id, JOBS.c.call_id, JOBS.c.next_at, JOBS.c.tries).where(*there)
    for among in (waiting.order_by(JOBS.c.id).limit(FIRST_LOOK), waiting)[among_all:]:
        some = among.cte("some")
        firsts = select(func.min(some.c.id)).group_by(some.c.call_id)
        due = select(some.c.id).where(some.c.id.in_(firsts), some.c.next_at <= now)
        ids = connection.scalars(due.order_by(some.c.tries, some.c.id).limit(limit)).all()
        if len(ids) == limit:
            break
    return ids


def _once_more(which: ColumnElement[bool]) -> Update:
    """A try of jobs is over. What was taken meanwhile, by another who tried, stays so."""
    return update(JOBS).where(which, JOBS.c.done_at.is_(None)).values(tries=JOBS.c.tries + 1)


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(**row._mapping)
