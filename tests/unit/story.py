"""Calls told as stories: a plan, then what happens, each event a second after the one before.

`story(plan, LegReady(1), after(2, LegRinging(1)), ...)` lives the call through; the Story then knows the call
as it stands, what was commanded last and in all, and the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from router.core import ending, machine
from router.core.call import CALLER, Call
from router.core.commands import (
    CallCommand,
    CancelTimer,
    CancelTimers,
    CreateLeg,
    Finish,
    HangUpLeg,
    HangupReason,
)
from router.core.events import (
    CallEvent,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegReady,
    LegRinging,
    TimerFired,
)
from router.core.plan import CallPlan, PlanNode, Ring, RingOutcome, Say, Step, Target
from router.core.record import Attempt, AttemptOutcome, CallInfo, CallRecord

ARRIVAL = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

_NOTHING_DONE = (CancelTimer, CancelTimers, Finish)

INFO = CallInfo(
    id="aaaaaaaaaaaaa",
    asterisk_id="00:00:00:00:00:01",
    asterisk_started="2026-11-23T08:00:00.000+0000",
    channel="1763888400.1",
    dialled="+4721000000",
    caller="+4790000001",
    client="fjord",
    route="sales",
    rules_version="1",
    arrived_at=ARRIVAL,
)

ANNA, BO = Target("anna", "PJSIP/anna"), Target("bo", "PJSIP/bo")
HELLO = Say("sound:hello-world")
GOODBYE = Say("sound:vm-goodbye")
RING_ANNA = Ring(((ANNA,),), 20.0)
RING_BOTH = Ring(((ANNA, BO),), 20.0)
IN_TURN = Ring(((ANNA,), (BO,)), 20.0)
OVERDUE = TimerFired(ending.CLEAN_UP)


def plan(
    *steps: Step,
    on: Mapping[RingOutcome, int | None] | None = None,
    blocked_by: str | None = None,
    no_route: bool = False,
) -> CallPlan:
    """Steps one after the other; `on` are the branches of every ring step among them."""
    branches: dict[str, int | None] = {str(way): at for way, at in (on or {}).items()}
    nodes = [
        PlanNode(step, n + 1 if n + 1 < len(steps) else None, branches if isinstance(step, Ring) else {})
        for n, step in enumerate(steps)
    ]
    return CallPlan(tuple(nodes), blocked_by, no_route)


@dataclass(frozen=True)
class Later:
    """An event that comes so many seconds after the one before."""

    seconds: float
    event: CallEvent


def after(seconds: float, event: CallEvent) -> Later:
    return Later(seconds, event)


class Story:
    """A call lived through."""

    def __init__(self, the_plan: CallPlan, info: CallInfo = INFO) -> None:
        self.now = ARRIVAL
        self.call: Call
        self.call, self.last = machine.begin(info, the_plan, ARRIVAL)
        """`last`: what was commanded after the last event."""
        self.commanded: list[CallCommand] = list(self.last)

    def then(self, *events: CallEvent | Later | Sequence[CallEvent | Later]) -> "Story":
        """Go on."""
        for event in events:
            if isinstance(event, Later):
                self._happens(event.seconds, event.event)
            elif isinstance(event, Sequence):
                self.then(*event)
            else:
                self._happens(1.0, event)
        return self

    def _happens(self, seconds: float, event: CallEvent) -> None:
        self.now += timedelta(seconds=seconds)
        self.call, self.last = machine.step(self.call, event, self.now)
        self.commanded += self.last

    @property
    def doing(self) -> list[CallCommand]:
        """What was commanded last, but for timers cancelled."""
        return [command for command in self.last if not isinstance(command, _NOTHING_DONE)]

    @property
    def rung(self) -> list[str]:
        """Who was rung, in order."""
        return [command.target.name for command in self.commanded if isinstance(command, CreateLeg)]

    @property
    def hung_up(self) -> list[tuple[int, HangupReason]]:
        """The legs that we ended, in order, and why."""
        return [(c.leg, c.reason) for c in self.commanded if isinstance(c, HangUpLeg)]

    @property
    def records(self) -> list[CallRecord]:
        return [command.record for command in self.commanded if isinstance(command, Finish)]

    @property
    def record(self) -> CallRecord:
        """The one record of a call that is over."""
        (record,) = self.records
        return record

    @property
    def outcomes(self) -> list[AttemptOutcome]:
        return [attempt.outcome for attempt in self.record.attempts]

    @property
    def attempt(self) -> Attempt:
        """The one attempt of a call that is over."""
        (attempt,) = self.record.attempts
        return attempt


def story(the_plan: CallPlan, *events: CallEvent | Later | Sequence[CallEvent | Later]) -> Story:
    return Story(the_plan).then(*events)


# What often happens

CALLER_UP = LegAnswered(CALLER)
CALLER_BYE = HangupRequested(CALLER, 16)
CALLER_CANCELS = HangupRequested(CALLER, 127)


def gone(leg: int = CALLER, cause: int = 16, tech_cause: int = 0) -> tuple[CallEvent, ...]:
    """A channel's last two events."""
    return LegLeft(leg), LegEnded(leg, cause, tech_cause)


def let_go(leg: int = CALLER) -> tuple[CallEvent, ...]:
    """The events of a channel that we hung up."""
    return HangupRequested(leg, 32, soft=True), *gone(leg)


def rings(leg: int = 1) -> tuple[CallEvent, ...]:
    """A phone is dialled, and rings."""
    return LegReady(leg), LegRinging(leg)


def talk(leg: int = 1) -> tuple[CallEvent, ...]:
    """A phone rings and is answered, and the caller is connected."""
    return *rings(leg), LegAnswered(leg), CALLER_UP
