"""What follow-ups send: posted and mailed until it is taken, or given up.

Theory of operation. What is to be sent is in the database (store/jobs.py), written with what it follows, so
nothing is lost when the router ends. Each address has a lane of its own, so one that is slow or away holds
up no other. A lane takes what is due there, of each call one at a time, so that what follows a call arrives
in order. Where nobody answers the address rests, longer each time, and then one job alone tries whether
somebody is there again, each time another; the first that is taken lets all others follow at once. What
somebody answered, but did not want or failed with, is tried again by itself and holds up no other call's.

A job that was not taken in GIVE_UP is dead: it is kept, shown and can be sent again by command.

Calls come first. After an outage thousands may wait, and each try takes its part of the event loop: all
lanes together begin tries at a certain pace, few threads ask the database and rest in between (records.py),
and what comes within LINGER is looked for together.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from router.core.tags import Tag
from router.edge import mail, webhook
from router.edge.followupmetrics import Figures
from router.edge.letters import follow_up_mail
from router.edge.pace import Pace
from router.edge.records import Records, UnreachableError
from router.edge.store.jobs import FORGET_AT_ONCE, LEASE, Address, Caller, Job, Jobs, Tried
from router.edge.store.obligations import Obligations
from router.edge.store.operations import MAIL
from router.edge.undelivered import RefusedError, UndeliveredError
from router.settings import Settings

EVERY = 15.0
"""Seconds between two looks without news."""

LINGER = 0.2
"""Seconds for which news gathers."""

SETTLE_AGAIN = 5.0
"""Seconds until the database is told again of what was sent."""

COUNT_EVERY = 5.0
"""Seconds between two counts of what waits."""

GAP = 0.0075
"""Seconds between the beginnings of two tries, of whatever lanes: at most 133 a second."""

AT_ONCE = 16
"""Jobs that one lane tries together."""

MOST_LANES = 50
"""Each asks the database for one thing at a time: fewer than may wait for it (records.MOST_WAITING)."""

PATIENCE = LEASE.total_seconds() / 2
"""Seconds that the database may take; after a LEASE another may try the same."""

AGAIN = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900))
"""How long an address rests, and a job that was refused; the last is repeated."""

JITTER = 0.2
"""By so much of it that time is longer or shorter, at random: routers that failed together part."""

GIVE_UP = timedelta(days=3)
"""A job that was not taken for so long is dead: more than from a Friday to the Monday after."""

KEPT = timedelta(days=30)
"""How long jobs are kept that were taken,"""
KEPT_DEAD = timedelta(days=90)
"""and those that were given up."""

FORGET_EVERY = timedelta(hours=1)

log = structlog.get_logger()


class Dispatch:
    """All jobs of one router."""

    def __init__(
        self,
        settings: Settings,
        zone: Callable[[str], str],
        tags: Callable[[str], Mapping[str, Tag]],
        tell: Callable[[Figures], None],
        rng: random.Random,
    ) -> None:
        """`zone` is whose clocks a client goes by, `tags` are those that it has; `tell` hears how things
        stand."""
        self._settings = settings
        self._zone = zone
        self._tags = tags
        self._tell = tell
        self._rng = rng
        self._records = Records(settings.database_url, limit=PATIENCE)
        self._pace = Pace()
        self._poster = webhook.Poster(settings.webhooks.allow)
        self._news = asyncio.Event()
        self._lanes: set[Address] = set()
        self._failed: dict[Address, int] = {}
        """How often in a row nobody answered there."""
        self._rests: dict[Address, datetime] = {}
        """Until when nothing is tried there."""
        self._forgot = datetime.min.replace(tzinfo=UTC)

    def look(self) -> None:
        """There is something to be sent."""
        self._news.set()

    def again(self) -> None:
        """Somebody wants everything tried at once."""
        self._rests.clear()
        self.look()

    async def run(self) -> None:
        """Until cancelled. Trouble is logged, and passes: no call waits for it, and none must end by it."""
        try:
            async with self._poster, asyncio.TaskGroup() as lanes:
                lanes.create_task(self._count())
                while True:
                    self._news.clear()
                    await self._in_spite_of_trouble(self._open_lanes(lanes))
                    with suppress(TimeoutError):
                        # Not wait_for, which forgets to be cancelled where there is news at that moment.
                        async with asyncio.timeout(self._pause()):
                            await self._news.wait()
                    await asyncio.sleep(LINGER)
        finally:
            self._records.close()

    async def _in_spite_of_trouble(self, work: Awaitable[None]) -> bool:
        """Whether it was done."""
        try:
            await work
        except UnreachableError:
            pass  # It is told of (records.py).
        except Exception:
            log.exception("follow-ups are left as they are for now")
        else:
            return True
        return False

    def _pause(self) -> float:
        """Seconds until there may be something to do."""
        rests = [(until - _now()).total_seconds() for until in self._rests.values()]
        return max(min([EVERY, *rests]), 0.0)

    async def _open_lanes(self, lanes: asyncio.TaskGroup) -> None:
        """A lane for each address that has something due, does not rest, and has none."""
        now = _now()
        self._rests = {to: until for to, until in self._rests.items() if until > now}
        without = {*self._lanes, *self._rests}
        for to in await self._records.ask(Jobs, lambda jobs: jobs.due_at(now, without)):
            if to not in self._lanes and to not in self._rests and len(self._lanes) < MOST_LANES:
                self._lanes.add(to)
                lanes.create_task(self._serve(to))

    async def _count(self) -> None:
        """Tell how things stand, and remove what is over for long, again and again."""
        while True:
            await self._in_spite_of_trouble(self._count_once())
            await asyncio.sleep(COUNT_EVERY)

    async def _count_once(self) -> None:
        now = _now()
        of_jobs = await self._records.ask(Jobs, lambda jobs: jobs.figures())
        of_obligations = await self._records.ask(Obligations, lambda obligations: obligations.figures(now))
        self._tell(Figures(*of_jobs, *of_obligations))
        if now - self._forgot >= FORGET_EVERY:
            self._forgot = now
            count = FORGET_AT_ONCE
            while count == FORGET_AT_ONCE:
                count = await self._records.ask(Jobs, lambda jobs: jobs.forget(now - KEPT, now - KEPT_DEAD))

    async def _serve(self, to: Address) -> None:
        """One lane, until no more is due there than it has taken, or nobody answers."""
        try:
            if not await self._in_spite_of_trouble(self._work_off(to)):
                self._rests[to] = _now() + AGAIN[0]
        finally:
            self._lanes.discard(to)
            self.look()

    async def _work_off(self, to: Address) -> None:
        while to not in self._rests and await self._batch(to):
            pass

    async def _batch(self, to: Address) -> bool:
        """Try what is due there, one alone where nobody answered last time; whether there may be more."""
        limit = 1 if to in self._failed else AT_ONCE
        claimed = await self._records.ask(Jobs, lambda jobs: jobs.claim(to, _now(), limit))
        callers = await self._callers(to, claimed)
        errors = await asyncio.gather(*(self._try(job, callers.get(job.id, Caller())) for job in claimed))
        if any(error is not None and not isinstance(error, RefusedError) for error in errors):
            self._rest(to)
        elif claimed:
            self._failed.pop(to, None)
        tried = [self._judged(to, job, error) for job, error in zip(claimed, errors, strict=True)]
        if tried:
            await self._settle(tried)
        return len(claimed) == limit

    async def _settle(self, tried: Sequence[Tried]) -> None:
        """Note what came of tries: again and again until others may try them, or these would go out twice."""
        until = min(one.job.next_at or _now() for one in tried)
        while True:
            try:
                return await self._records.ask(Jobs, lambda jobs: jobs.settle(tried, _now()))
            except UnreachableError:
                if _now() > until:
                    raise
                await asyncio.sleep(SETTLE_AGAIN)

    def _rest(self, to: Address) -> None:
        failed = self._failed[to] = self._failed.get(to, 0) + 1
        self._rests[to] = _now() + self._later(failed - 1)

    def _later(self, tries: int) -> timedelta:
        return AGAIN[min(tries, len(AGAIN) - 1)] * self._rng.uniform(1 - JITTER, 1 + JITTER)

    def _judged(self, to: Address, job: Job, error: UndeliveredError | None) -> Tried:
        """What becomes of a job by what came of the try."""
        if error is None:
            return Tried(job)
        now = _now()
        dead = now - job.since >= GIVE_UP
        told = log.error if dead else log.warning
        told("follow-up not sent", call_id=job.call_id, way=job.way, tries=job.tries + 1, dead=dead,
             error=str(error))  # fmt: skip
        alone = isinstance(error, RefusedError) or to not in self._rests
        again = now + self._later(job.tries) if alone else self._rests[to]
        return Tried(job, str(error), None if dead else again)

    async def _callers(self, to: Address, claimed: Sequence[Job]) -> Mapping[int, Caller]:
        """Whom these are about, by their ids, as far as what is sent tells it as it is now."""
        if to.way != MAIL or not claimed:
            return {}
        return await self._records.ask(Jobs, lambda jobs: jobs.callers(claimed, _now()))

    async def _try(self, job: Job, caller: Caller) -> UndeliveredError | None:
        """Send once; None, or why it was not taken."""
        settings = self._settings
        await self._pace.turn(GAP)
        try:
            if job.way == MAIL:
                letter = await asyncio.to_thread(self._letter, job, caller)
                await mail.send(letter, job.address, settings.mail)
            else:
                secret = await asyncio.to_thread(lambda: settings.webhooks.secret)
                signed = webhook.Signed.sealed(job.body.encode(), _now(), secret)
                await self._poster.post(job.address, signed)
        except UndeliveredError as error:
            return error
        except Exception as error:  # whatever it is, other jobs and all calls go on
            return RefusedError(f"{type(error).__name__}: {error}")
        return None

    def _letter(self, job: Job, caller: Caller) -> bytes:
        """The whole mail. Not for the loop: there are many at once."""
        zone, tags = self._zone(job.client), self._tags(job.client)
        return follow_up_mail(job, caller, self._settings.mail.sender, zone, tags).as_bytes()


def _now() -> datetime:
    return datetime.now(UTC)
