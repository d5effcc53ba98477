"""The queues that a caller came to wait in, read out of the evidence of a call that is over.

A visit begins when the caller comes to wait, or is sent on at once, and ends with a talk, with what the queue
says, or with the call. Who asks to be called back, and then waits on, is still on the same visit.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from router.core.record import Disposition, Evidence, Talk

JOINED, ENDED = "queue_joined", "queue_ended"
"""What evidence calls it that a caller comes to wait (`detail`: the queue), and waits no longer (why),"""
REFUSED = "queue_refused"
"""that a caller is sent on at once by a queue,"""
HANDED = "in_asterisk_queue"
"""and that one is handed to a queue of Asterisk's own."""

ANSWERED = "answered"
ABANDONED = "abandoned"
KEPT = "callback"
"""The caller is to be called back, and keeps the place."""
UNOBSERVED = "unobserved"
"""Nobody saw what came of it."""


class Visit(msgspec.Struct, frozen=True):
    """One time that a caller waited in a queue, or would have."""

    queue: str
    began_at: datetime
    ended_at: datetime
    outcome: str
    """ANSWERED, ABANDONED, KEPT, UNOBSERVED; a way on from queues (plan.QueueOutcome,
    plan.AsteriskQueueOutcome); or the disposition of a call that ended otherwise."""
    talk: Talk | None = None
    """What the waiting led to."""

    @property
    def seconds(self) -> float:
        """Never negative, even where the clock was set back meanwhile."""
        return max((self.ended_at - self.began_at).total_seconds(), 0.0)


def visits_of(
    evidence: Iterable[Evidence], talks: Sequence[Talk], disposition: Disposition, ended_at: datetime
) -> tuple[Visit, ...]:
    """All visits of a call, in order."""
    found: list[Visit] = []
    waits: Visit | None = None
    for seen in evidence:
        if seen.what in (JOINED, HANDED, REFUSED) and seen.detail:
            over = waits and _over(waits, talks, seen.at)
            if waits is not None and over is None and waits.queue == seen.detail:
                continue  # handed to it before
            if waits is not None:
                found.append(over or replace(waits, ended_at=seen.at, outcome=UNOBSERVED))
            waits = _begun(found, seen)
        elif seen.what == ENDED and waits is not None:
            # That somebody answered, of a talk nobody saw, does not say when.
            outcome = UNOBSERVED if seen.detail == ANSWERED else seen.detail
            over = _over(waits, talks, seen.at)
            found.append(over or replace(waits, ended_at=seen.at, outcome=outcome))
            waits = None
    if waits is not None:
        over = _over(waits, talks, ended_at)
        # A call that was answered before, and whose caller was given back to a queue, ended in waiting.
        in_vain = disposition is Disposition.ANSWERED and talks
        outcome = ABANDONED if in_vain else disposition.value
        found.append(over or replace(waits, ended_at=ended_at, outcome=outcome))
    return tuple(found)


def _begun(found: list[Visit], seen: Evidence) -> Visit:
    """The visit that begins; or that goes on, where the caller had only asked to be called back."""
    if found and found[-1].outcome == KEPT and found[-1].queue == seen.detail:
        return found.pop()
    return Visit(seen.detail, seen.at, seen.at, UNOBSERVED)


def _over(visit: Visit, talks: Sequence[Talk], until: datetime) -> Visit | None:
    """The visit with the talk that it has led to by then; None where there was none."""
    talk = next((talk for talk in talks if visit.began_at <= talk.began_at <= until), None)
    return None if talk is None else replace(visit, ended_at=talk.began_at, outcome=ANSWERED, talk=talk)
