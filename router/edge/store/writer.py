"""The writer: one thread that commits what the call path hands over, in groups.

Theory of operation. The event loop appends to one queue, which cannot fail or wait; so operations of one
call stay in order. The thread wakes at the first one, collects for LINGER seconds, and until PAUSE seconds
have passed since the commit before, or up to BATCH operations, and commits them in one transaction. Three
things can go wrong, and each has its own answer:

- the database is in trouble (locked, full, gone): the batch is kept and tried again with back-off, for ever.
  The queue is bounded: at its limit new timeline rows are shed, so that the timeline of a call stays a
  prefix that can be replayed (`queries` stops at a gap), and what dialplans were told. Arrivals and ends are
  always kept;
- a row is at fault (it cannot be stored at all): the batch is written again row by row, and only that row is
  refused;
- an end finds its call already ended: the first disposition stays, and the second is counted as a conflict.

A crash loses at most what was collected in the last PAUSE seconds, and of a router with little to do, in the
last LINGER seconds. Recovery finds calls that are lost so among Asterisk's channels.

What the database has not taken when the router stops is kept in a file (unwritten.py), and the next router's
thread writes that before anything else.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat

import structlog
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from router.core.agents import WrapUp
from router.core.events import CallEvent
from router.core.plan import CallPlan
from router.core.record import CallInfo, CallRecord
from router.core.ruleset import RuleSet
from router.core.supervision import Stretch
from router.core.tags import CallTag
from router.core.trace import TraceRow
from router.edge.store.bulk import BulkStatements, Written, write_alone, write_together
from router.edge.store.database import WriterConnection, parse_url
from router.edge.store.errors import StoreError
from router.edge.store.operations import (
    Advised,
    Arrival,
    End,
    Happening,
    Operation,
    Reached,
    Tagging,
    WrappedUp,
    call_of,
)
from router.edge.store.outbox import Noticed
from router.edge.store.supervisions import Supervised, Unseen
from router.edge.store.unwritten import Unwritten, ended, over

LINGER = 0.020
"""Seconds that the first operation of a group waits for others."""

PAUSE = 0.200
"""Seconds between two commits, at least. A commit costs a millisecond of CPU or two, waking and flushing,
whatever is in it: at 40 calls a second one every 20 ms would cost as much as all the rest of a call, and one
every 100 ms a twentieth of it more than this.
"""

BATCH = 500
"""Operations that end the waiting, and the most in one transaction."""

_BACK_OFF = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between tries while the database is in trouble; the last is repeated."""

LOOK_AGAIN = 600.0
"""Seconds between two looks for files of routers that stopped after this one had started."""

_LOG = structlog.get_logger("router.store")


class Writer:
    """Writes arrivals, events and ends of calls, and who supervised them, in its own thread.

    `arrived`, `happened`, `ended` and the like return at once and never raise, from any thread. The counters
    below only grow, are set by one thread, and may be read from any.
    """

    def __init__(self, url: str, *, queue_limit: int, unwritten: Unwritten | None = None) -> None:
        """`url` as SQLAlchemy writes it; `queue_limit` in operations; `unwritten` keeps what cannot be
        written at the end. StoreError if the URL is of no use."""
        parsed = parse_url(url)
        self.commits = 0
        self.commit_seconds = 0.0
        """Spent in all commits so far, statements included."""
        self.written = 0
        """Operations committed, repeated ones included."""
        self.shed = 0
        """Rows dropped because the queue was full, of timelines and of what dialplans were told, and all that
        came after `close`."""
        self.conflicts = 0
        self.refused = 0
        """Operations that can never be stored."""
        self.failing_since: datetime | None = None
        """Since when the database takes nothing; None while it does."""
        self.ended_before: frozenset[str] = frozenset()
        """Calls whose end a router before us could not write, or not yet: they are not live."""
        self._queue_limit = queue_limit
        self._unwritten = unwritten
        self._queue: deque[Operation] = deque()
        self._in_hand: Sequence[Operation] = ()
        self._taking = threading.Lock()
        """Held while operations go from the queue into the thread's hand."""
        self._given_up = False
        """The time to close ran out: what is left is no longer the thread's."""
        self._awake = False
        """Whether the thread has been woken since it looked last. Cheaper to ask than the event itself."""
        self._wake = threading.Event()
        self._group_full = threading.Event()
        self._closing = threading.Event()
        self._caught_up = threading.Event()
        self._goes_on = False
        """Calls are taken over: what was kept of those that were live comes too late."""
        self._look_at = 0.0
        """When files of routers before us are looked for, by the clock that never goes back."""
        self._deadline = float("inf")
        self._on_told: Callable[[], None] = lambda: None
        self._on_follow_up: Callable[[bool], None] = lambda spares: None
        self._shedding = False
        self._connection = WriterConnection(parsed)
        self._bulk = BulkStatements(self._connection.dialect)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(
        self,
        on_told: Callable[[], None] = lambda: None,
        on_follow_up: Callable[[bool], None] = lambda spares: None,
    ) -> None:
        """Start the thread. It opens the database itself, and goes on trying while that fails. It calls
        `on_told` whenever there may be more in the outbox, `on_follow_up` when there is more to be done, and
        with True when there are more whom nobody is to call."""
        self._on_told = on_told
        self._on_follow_up = on_follow_up
        self._thread.start()

    def catch_up(self, timeout: float) -> None:
        """Wait until what a router before us could not write is written, or the database turns out to take
        nothing; up to `timeout` seconds, so not for the event loop. From then on calls may be taken over."""
        self._caught_up.wait(timeout)
        self._goes_on = True

    def use(self, rules: RuleSet) -> None:
        """What is to be done after calls is what these rules say, from the next commit on."""
        self._bulk.following.use(rules)

    @property
    def queued(self) -> int:
        """Operations not yet committed."""
        return len(self._queue) + len(self._in_hand)

    def arrived(self, info: CallInfo, plan: CallPlan, trace: Sequence[TraceRow]) -> None:
        """A call arrived, with its plan and the trace of its decision. A second time changes nothing."""
        self._put(Arrival(info, plan, trace))

    def happened(
        self, call_id: str, seq: int, at: datetime, event: CallEvent, told: Noticed | None = None
    ) -> None:
        """An event of a call; `seq` counts 1, 2, ... within the call; `told` is what other systems
        are told of it. Shed while the queue is full."""
        self._put_if_room(Happening(call_id, seq, at, event, told))

    def ended(self, record: CallRecord) -> None:
        """A call is over: its disposition and attempts are committed together, once."""
        self._put(End(record))

    def advised(self, info: CallInfo, treatment: str, trace: Sequence[TraceRow]) -> None:
        """A dialplan was told what the rules say of a caller, with the trace. Shed while the queue is
        full."""
        self._put_if_room(Advised(info, treatment, trace))

    def tagged(self, tag: CallTag, told: Noticed | None = None) -> None:
        """The rules, or somebody, tagged a call; `told` is what other systems are told of it, where the call
        is at hand."""
        self._put(Tagging(tag, told))

    def wrapped_up(self, wrap_up: WrapUp) -> None:
        """An agent is there again after a call."""
        self._put(WrappedUp(wrap_up))

    def supervised(self, router: str, stretch: Stretch) -> None:
        """A stretch of supervision by that router began, ended or was refused."""
        self._put(Supervised(router, stretch))

    def unseen(self, router: str, at: datetime) -> None:
        """What supervision by that router lasted at that moment has ended, and nobody saw how."""
        self._put(Unseen(router, at))

    def reached(self, client: str, number: str, at: datetime) -> None:
        """Somebody of a client has talked with who has that number (E.164), by a call that is not ours."""
        self._put(Reached(client, number, at))

    def close(self, timeout: float) -> int:
        """Write what is queued, and stop; waits up to `timeout` seconds, so not for the event loop.

        Returns the number of operations that could neither be written in that time nor kept for the next
        start: 0 is a clean end.
        """
        self._deadline = time.monotonic() + timeout
        self._closing.set()
        self._group_full.set()
        self._wake.set()
        self._thread.join(timeout)
        with self._taking:
            left = [] if self._given_up else [*self._in_hand, *self._queue]
            self._given_up = True
            self._queue.clear()
        # The thread may yet write what it has in hand, where the database is slow: twice does no harm.
        try:
            if not left or (self._unwritten is not None and self._unwritten.keep(left)):
                return 0
        except Exception:  # whatever it is, the router comes to its end
            _LOG.exception("records lost at stop", operations=len(left))
        else:
            if self._unwritten is None:
                _LOG.error("records lost at stop", operations=len(left))
        return len(left)

    def _put_if_room(self, operation: Operation) -> None:
        if len(self._queue) >= self._queue_limit:
            self.shed += 1
            self._log_shedding()
        else:
            self._put(operation)

    def _put(self, operation: Operation) -> None:
        if self._closing.is_set():
            self.shed += 1
            return
        self._queue.append(operation)
        if not self._awake:
            self._awake = True
            self._wake.set()
        if len(self._queue) >= BATCH:
            self._group_full.set()

    def _log_shedding(self) -> None:
        if not self._shedding:
            self._shedding = True
            _LOG.error("write queue full, timeline rows are shed", limit=self._queue_limit)

    def _run(self) -> None:
        next_commit = 0.0
        self._write_what_was_left()
        self._caught_up.set()
        while not (self._closing.is_set() and not self._queue):
            self._wake.wait()
            if len(self._queue) < BATCH:
                self._group_full.clear()
                if not self._closing.is_set():
                    self._group_full.wait(max(LINGER, next_commit - time.monotonic()))
            self._wake.clear()
            self._awake = False  # before the queue is looked at: what comes later wakes again
            self._take()
            if self._in_hand and not self._commit_until_done(self._in_hand):
                break
            self._in_hand = ()
            if time.monotonic() >= self._look_at:
                self._write_what_was_left()
            next_commit = time.monotonic() + PAUSE
            if self._queue or self._closing.is_set():
                self._wake.set()
        self._connection.drop()

    def _write_what_was_left(self) -> None:
        """Write what routers before us could not. While the database is away all waits for it, in order."""
        self._look_at = time.monotonic() + LOOK_AGAIN
        if self._unwritten is None:
            return
        try:
            files = self._unwritten.found()
            self.ended_before = self.ended_before.union(*(ended(found.operations) for found in files))
            for found in files:
                if not self._write_all(found.operations):
                    return
                self._unwritten.written(found)
        except Exception:  # whatever it is, the calls to come are written
            _LOG.exception("records of before are not written")

    def _write_all(self, operations: Sequence[Operation]) -> bool:
        """Commit them in batches. False if the time to close ran out first."""
        batches = (operations[first : first + BATCH] for first in range(0, len(operations), BATCH))
        return all(self._commit_until_done(batch, self._in_time) for batch in batches)

    def _in_time(self, kept: Sequence[Operation]) -> Sequence[Operation]:
        """What is still to be written of that; it may be less from one try to the next."""
        return over(kept, self.ended_before) if self._goes_on else kept

    def _take(self) -> None:
        with self._taking:
            if not self._given_up:
                self._in_hand = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]

    def _commit_until_done(
        self,
        batch: Sequence[Operation],
        still: Callable[[Sequence[Operation]], Sequence[Operation]] = lambda batch: batch,
    ) -> bool:
        """Commit what is `still` wanted of a batch, however long it takes. False if the time to close ran out
        first."""
        pauses = chain(_BACK_OFF, repeat(_BACK_OFF[-1]))
        while not self._try_to_commit(still(batch)):
            if time.monotonic() >= self._deadline:
                return False
            if self._closing.wait(next(pauses)):
                time.sleep(_BACK_OFF[0])
        return True

    def _try_to_commit(self, batch: Sequence[Operation]) -> bool:
        try:
            self._commit(batch)
        except Exception as error:  # a thread that dies would lose every call to come
            self._note_trouble(error)
            return False
        self._note_health()
        return True

    def _commit(self, batch: Sequence[Operation]) -> None:
        """One transaction for the batch. Raises only where the database, not a row, is at fault."""
        started = time.perf_counter()
        connection = self._connection.get()
        try:
            with connection.begin() as transaction:
                together = write_together(connection, self._bulk, batch)
                if not together:
                    transaction.rollback()
        except Exception as error:
            if not is_rows_fault(error):
                raise
            together = False
        if not together:
            self._commit_one_by_one(batch)
        self.commit_seconds += time.perf_counter() - started
        self.commits += 1
        self.written += len(batch)
        self._on_told()
        following = self._bulk.following
        if following.news:
            spares, following.news, following.spares = following.spares, False, False
            self._on_follow_up(spares)

    def _commit_one_by_one(self, batch: Sequence[Operation]) -> None:
        connection = self._connection.get()
        conflicts: list[End] = []
        refused: list[tuple[Operation, Exception]] = []
        for operation in batch:  # each in a transaction of its own, as `take_turn` wants it
            try:
                with connection.begin() as transaction:
                    written = write_alone(connection, self._bulk, operation)
                    if written is Written.CONFLICT:
                        transaction.rollback()
            except Exception as error:
                if not is_rows_fault(error):
                    raise
                refused.append((operation, error))
            else:
                if written is Written.CONFLICT and isinstance(operation, End):
                    conflicts.append(operation)
        # Counted only now: where the database fails on the way, all are written again.
        for end in conflicts:
            self.conflicts += 1
            record = end.record
            _LOG.error(
                "second disposition not written", call_id=record.info.id, disposition=record.disposition.value
            )
        for operation, fault in refused:
            self.refused += 1
            what = type(operation).__name__.lower()
            _LOG.error("row refused", call_id=call_of(operation), what=what, error=_text_of(fault))
        self.written -= len(refused)

    def _note_trouble(self, error: Exception) -> None:
        self._connection.drop()
        self._caught_up.set()
        if self.failing_since is None:
            self.failing_since = datetime.now(UTC)
            _LOG.error("database takes nothing, will try again", error=_text_of(error), queued=self.queued)

    def _note_health(self) -> None:
        if self.failing_since is not None:
            _LOG.info(
                "database takes records again", since=self.failing_since.isoformat(), queued=len(self._queue)
            )
            self.failing_since = None
        if self._shedding and len(self._queue) < self._queue_limit:
            self._shedding = False
            _LOG.warning("write queue has room again", shed=self.shed)


def is_rows_fault(error: Exception) -> bool:
    """True if a row can never be stored; False if the database is in trouble, and the row may be stored
    later."""
    if isinstance(error, DBAPIError):
        sqlstate = getattr(error.orig, "sqlstate", None) or ""
        # PostgreSQL's class 42: a missing table or right. No row causes it, and all rows would be refused
        # for it.
        if error.connection_invalidated or sqlstate.startswith("42"):
            return False
        return isinstance(error, (DataError, IntegrityError, InterfaceError, ProgrammingError))
    if isinstance(error, StatementError):
        return True
    return not isinstance(error, (SQLAlchemyError, StoreError, OSError, MemoryError))


def _text_of(error: Exception) -> str:
    """What went wrong, without values: PostgreSQL tells these in further lines."""
    text = str(error.orig) if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
    return text.partition("\n")[0]
