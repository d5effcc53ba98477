"""A rehearsal: a plan lived through by the call machine itself, with phones that do as they are told.

Nothing here knows what a call comes to. Each command is answered with the events that Asterisk would send,
and what the machine makes of them is what it would make of a real call: steps, attempts, disposition.
"""

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from router.core import machine
from router.core.call import CALLER, Talking
from router.core.commands import (
    AnswerCaller,
    CallCommand,
    CancelTimer,
    CreateLeg,
    DialLeg,
    Finish,
    HangUpLeg,
    Play,
    ReturnToDialplan,
    SetTimer,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegReady,
    LegRinging,
    PlaybackEnded,
    TimerFired,
)
from router.core.plan import CallPlan, RingOutcome, Target
from router.core.record import CallInfo, CallRecord

ANSWERED = "answered"
OUTCOMES = (ANSWERED, *(outcome.value for outcome in RingOutcome))
"""What a phone can be told to do."""

_ENDS = {
    RingOutcome.BUSY: (17, 486),
    RingOutcome.DECLINED: (21, 603),
    RingOutcome.FAILED: (34, 503),
}
"""Hangup cause and SIP status with which a phone refuses (disposition.py has them from real Asterisk)."""

_MOMENT = timedelta(milliseconds=10)
"""From a command to what comes of it."""

_TALK = timedelta(seconds=60)


class Rehearsed(NamedTuple):
    """What came of it."""

    record: CallRecord
    met: tuple[int, ...]
    """The plan's nodes that the caller came to, in order."""


Does = Callable[[Target, Counter[str]], str]
"""What a phone does, one of OUTCOMES, given in how many rounds before each of `names_of` has been rung."""


def names_of(target: Target) -> tuple[str, ...]:
    """What a phone goes by; the first says the most of it."""
    return target.number, target.dial, target.name


def rehearse(info: CallInfo, plan: CallPlan, does: Does) -> Rehearsed:
    """One call from its arrival to its record. Who is answered talks for a minute and hangs up."""
    return _Stage(info, plan, does).play()


class _Stage:
    def __init__(self, info: CallInfo, plan: CallPlan, does: Does) -> None:
        self._does = does
        self._now = info.arrived_at
        self._due: deque[CallEvent] = deque()
        self._timers: dict[str, datetime] = {}
        self._outcomes: dict[int, str] = {}
        """What the phone of each leg does."""
        self._rounds: Counter[str] = Counter()
        """In how many so far somebody has been rung."""
        self._record: CallRecord | None = None
        self._call, commands = machine.begin(info, plan, self._now)
        self._carry_out(commands)

    def play(self) -> Rehearsed:
        """Until the record is written. Plans go forward only, and every wait has its end."""
        while self._record is None:
            self._call, commands = machine.step(self._call, self._next(), self._now)
            self._carry_out(commands)
        return Rehearsed(self._record, self._call.met)

    def _next(self) -> CallEvent:
        """What happens next: what was commanded, else the caller hangs up, or a timer runs out."""
        if self._due:
            self._now += _MOMENT
            return self._due.popleft()
        if isinstance(self._call.state, Talking):
            self._now += _TALK
            self._due += [LegLeft(CALLER), LegEnded(CALLER, 16)]
            return HangupRequested(CALLER, 16)
        name = min(self._timers, key=self._timers.__getitem__)
        self._now = max(self._now, self._timers.pop(name))
        return TimerFired(name)

    def _carry_out(self, commands: tuple[CallCommand, ...]) -> None:
        for command in commands:
            match command:
                case AnswerCaller():
                    self._due.append(LegAnswered(CALLER))
                case Play(playback):
                    self._due.append(PlaybackEnded(playback))
                case CreateLeg(leg, target):
                    self._outcomes[leg] = self._does(target, self._rounds)
                    self._due.append(self._created(leg))
                case DialLeg(leg):
                    self._due += self._dialled(leg)
                case HangUpLeg(leg):
                    self._due.append(LegEnded(leg, 16))
                case ReturnToDialplan():
                    self._due.append(LegLeft(CALLER))
                case SetTimer(name, seconds):
                    self._timers[name] = self._now + timedelta(seconds=seconds)
                case CancelTimer(name):
                    self._timers.pop(name, None)
                case Finish(record):
                    self._record = record
                case _:
                    pass  # Bridges, ringing tone and dead-man timers: nothing comes of them that a plan sees.
        # The legs of a round are created together.
        rung = (names_of(command.target) for command in commands if isinstance(command, CreateLeg))
        self._rounds.update({name for names in rung for name in names})

    def _created(self, leg: int) -> CallEvent:
        if self._outcomes[leg] == RingOutcome.UNREACHABLE:
            return CommandFailed("CreateLeg", leg, 500)  # how Asterisk says that an endpoint is offline
        return LegReady(leg)

    def _dialled(self, leg: int) -> list[CallEvent]:
        outcome = self._outcomes[leg]
        if outcome == ANSWERED:
            return [LegRinging(leg), LegAnswered(leg)]
        if outcome == RingOutcome.NO_ANSWER:
            return [LegRinging(leg)]
        return [LegEnded(leg, *_ENDS[RingOutcome(outcome)])]
