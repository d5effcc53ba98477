"""A call as reports count it: what is stored of it, and what of that one line of a report takes.

A line counts units: of most groups a unit is a call; by queue it is a visit, so who comes to wait twice
counts twice; by person it is the call as that person had it. Each unit is

- *offered* where somebody was to answer it, and it is known what came of it. A call: a phone was rung, or a
  queue was come to, or the call ended as `busy`, `no_answer` or `failed` (but for `no_route`: the number is
  nobody's). Not: who hung up in a greeting or menu, was informed, refused, or left a message straight away;
  who was handed to the dialplan, or ended unobserved, without a talk. A person: a phone of theirs was rung,
  and nobody else who was rung with them took the call;
- *answered* where a talk began;
- *abandoned* where the caller hung up before, while waiting.

It waits: a call from its arrival, with all that its caller heard; a visit from when the caller came to the
queue; a person's unit from when the phone rang. The wait ends with the talk, or with the waiting.

A call that the router makes to who asked to be called back is a unit that *returns*: it is no call of its own
(that in which they asked is), but the talk is work like any other.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from router.core.agents import WrapUp
from router.core.record import AttemptOutcome, Disposition, Talk
from router.core.visits import ABANDONED, UNOBSERVED, Visit

NO_ROUTE = "no_route"
WITHDRAWN = "withdrawn"

_UNKNOWN = (Disposition.UNOBSERVED, Disposition.TRANSFERRED, Disposition.ANSWERED)
"""Without a talk these do not say whether, or when, somebody answered."""
_WANTED_SOMEBODY = (Disposition.BUSY, Disposition.NO_ANSWER, Disposition.FAILED)


_NOT_THEIRS = frozenset(
    {
        AttemptOutcome.ANSWERED_ELSEWHERE,
        AttemptOutcome.UNOBSERVED,
        AttemptOutcome.UNREACHABLE,
        AttemptOutcome.INVALID_NUMBER,
        AttemptOutcome.CONGESTION,
        AttemptOutcome.MEDIA,
        AttemptOutcome.REDIRECTED,
        AttemptOutcome.FAILED,
    }
)


class Rung(msgspec.Struct, frozen=True):
    """A phone that was rung for a call."""

    who: str
    """A person's id, or the number or endpoint as written in the rules."""
    outcome: AttemptOutcome
    reason: str = ""
    seconds: float = 0.0
    """How long it rang."""

    @property
    def for_others(self) -> bool:
        """It was given up through no act of theirs, or could not be rung, or nobody saw what came of it."""
        withdrawn = self.outcome is AttemptOutcome.NO_ANSWER and self.reason == WITHDRAWN
        return withdrawn or self.outcome in _NOT_THEIRS


class CountedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What reports need of one call that is over."""

    client: str | None
    arrived_at: datetime
    disposition: Disposition
    """As it was derived."""
    corrected: Disposition | None = None
    """What somebody says it is after all."""
    reason: str = ""
    wait_seconds: float = 0.0
    """From arrival to the first talk, or to the end where there was none."""
    talks: tuple[Talk, ...] = ()
    visits: tuple[Visit, ...] = ()
    rung: tuple[Rung, ...] = ()
    wrap_ups: tuple[WrapUp, ...] = ()
    tags: tuple[str, ...] = ()
    returns: bool = False
    """The router made it, to call somebody back."""

    @property
    def became(self) -> Disposition:
        """What counts as its disposition. Whether it was offered and answered follows from what was seen."""
        return self.corrected or self.disposition


class Unit(NamedTuple):
    """What one line of a report takes of a call."""

    offered: bool
    answered: bool
    abandoned: bool
    waited: float
    """Seconds, as all times here."""
    talked: float | None
    """None where there was no talk."""
    wrapped_up: float | None
    """None where no wrap-up is known."""
    returns: bool

    @property
    def handled(self) -> float | None:
        """The talk, hold included, and the wrap-up behind it."""
        return None if self.talked is None else self.talked + (self.wrapped_up or 0.0)


def unit_of(call: CountedCall) -> Unit:
    """The call as a whole."""
    wanted = call.disposition in _WANTED_SOMEBODY and call.reason != NO_ROUTE
    asked = bool(call.rung or call.visits) or wanted
    answered = bool(call.talks)
    offered = answered or (asked and call.disposition not in _UNKNOWN)
    abandoned = offered and not answered and call.disposition is Disposition.ABANDONED
    return Unit(offered, answered, abandoned, call.wait_seconds, *_work(call, call.talks), call.returns)


def unit_of_visit(call: CountedCall, visit: Visit) -> Unit:
    """One visit of the call to a queue."""
    offered = visit.outcome not in (UNOBSERVED, Disposition.TRANSFERRED)
    talks = () if visit.talk is None else (visit.talk,)
    abandoned = visit.outcome == ABANDONED
    return Unit(offered, bool(talks), abandoned, visit.seconds, *_work(call, talks), call.returns)


def units_of_people(call: CountedCall) -> Iterator[tuple[str, Unit]]:
    """The call as each had it who was rung for it, or talked."""
    for who in dict.fromkeys([*(one.who for one in call.rung), *(talk.who for talk in call.talks)]):
        talks = tuple(talk for talk in call.talks if talk.who == who)
        rung = [one for one in call.rung if one.who == who and not one.for_others]
        answered = bool(talks and rung)
        abandoned = not answered and any(one.outcome is AttemptOutcome.CANCELLED for one in rung)
        took = [one for one in rung if one.outcome is AttemptOutcome.ANSWERED] or rung
        waited = max((one.seconds for one in took), default=0.0)
        yield who, Unit(bool(rung), answered, abandoned, waited, *_work(call, talks), returns=False)


def _work(call: CountedCall, talks: Sequence[Talk]) -> tuple[float | None, float | None]:
    """How long these talks were, and the wrap-ups behind them."""
    if not talks:
        return None, None
    wrap_ups = [one.seconds for talk in talks for one in _after(call, talk)]
    return sum(talk.seconds for talk in talks), sum(wrap_ups) if wrap_ups else None


def _after(call: CountedCall, talk: Talk) -> Iterator[WrapUp]:
    """The wrap-ups after a talk and before the next that this person had with the caller."""
    again = (one.began_at for one in call.talks if one.who == talk.who and one.began_at > talk.began_at)
    until = min(again, default=None)
    for one in call.wrap_ups:
        later = one.began_at >= talk.began_at and (until is None or one.began_at < until)
        if one.person == talk.who and later:
            yield one
