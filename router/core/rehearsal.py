"""A rehearsal: a plan lived through by the call machine itself, and everybody does as the cast has it.

Nothing here knows what a call comes to. Each command is answered with the events that Asterisk would send,
and what the machine makes of them is what it would make of a real call: steps, attempts, disposition.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

from router.core import machine
from router.core.call import (
    CALLER,
    Asking,
    InAsteriskQueue,
    Messaging,
    Searching,
    SearchStage,
    Stage,
    Talking,
)
from router.core.cast import REQUESTED, Cast
from router.core.commands import (
    AnswerCaller,
    CallCommand,
    CancelTimer,
    CancelTimers,
    ChoosePerson,
    CreateLeg,
    DialLeg,
    EnterAsteriskQueue,
    FindPeople,
    Finish,
    HangUpLeg,
    JoinQueue,
    Play,
    PlayToLeg,
    ReadNumber,
    Record,
    ReturnToDialplan,
    SetTimer,
)
from router.core.events import (
    AsteriskAgentConnected,
    AsteriskAgentLeft,
    AsteriskQueueReturned,
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegReady,
    LegRinging,
    NumberRead,
    PlaybackEnded,
    QueueEnded,
    RecordingEnded,
    TimerFired,
)
from router.core.finding import choose_person, find_people, keys_to
from router.core.plan import FAILED, OTHERWISE, PASSED, CallPlan, Message, RingOutcome
from router.core.record import CallInfo, CallRecord
from router.core.ruleset import RuleSet
from router.core.steps import ask, message, offering, question
from router.core.steps.queue import ANSWERED

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
    """The nodes that the caller came to, in order,"""
    plan: CallPlan
    """of this plan: the one it began with and, after it, that of who was chosen in a directory."""


def rehearse(info: CallInfo, plan: CallPlan, cast: Cast, rules: RuleSet) -> Rehearsed:
    """One call from its arrival to its record, with the directories of these rules. Who is answered talks
    for a minute and hangs up."""
    return _Stage(info, plan, cast, rules).play()


class _Stage:
    def __init__(self, info: CallInfo, plan: CallPlan, cast: Cast, rules: RuleSet) -> None:
        self._cast = cast
        self._rules = rules
        self._wanted = ""
        """Whom the caller looks for in a directory."""
        self._now = info.arrived_at
        self._due: deque[CallEvent] = deque()
        self._timers: dict[str, datetime] = {}
        self._outcomes: dict[int, str] = {}
        """What the phone of each leg does."""
        self._record: CallRecord | None = None
        self._call, commands = machine.begin(info, plan, self._now)
        self._carry_out(commands)

    def play(self) -> Rehearsed:
        """Until the record is written. Plans go forward only, and every wait has its end."""
        while self._record is None:
            self._call, commands = machine.step(self._call, self._next(), self._now)
            self._carry_out(commands)
        return Rehearsed(self._record, self._call.met, self._call.plan)

    def _next(self) -> CallEvent:
        """What happens next: what was commanded, else the caller hangs up, or a timer runs out."""
        if self._due:
            self._now += _MOMENT
            return self._due.popleft()
        if isinstance(self._call.state, Talking):
            self._now += _TALK
            self._due += [LegLeft(CALLER), LegEnded(CALLER, 16)]
            return HangupRequested(CALLER, 16)
        if isinstance(self._call.state, InAsteriskQueue):
            self._now += _TALK
            self._due += [AsteriskAgentLeft("caller"), LegEnded(CALLER, 16)]
            return HangupRequested(CALLER, 16)
        name = min(self._timers, key=self._timers.__getitem__)
        self._now = max(self._now, self._timers.pop(name))
        return TimerFired(name)

    def _carry_out(self, commands: tuple[CallCommand, ...]) -> None:
        # The legs of a round are created together.
        created = [command for command in commands if isinstance(command, CreateLeg)]
        done = self._cast.ring(command.target for command in created)
        self._outcomes |= {command.leg: outcome for command, outcome in zip(created, done, strict=True)}
        for command in commands:
            match command:
                case AnswerCaller():
                    self._due.append(LegAnswered(CALLER))
                case Play() if self._leaves_none():
                    self._due.append(KeyPressed(CALLER, message.LEAVE))
                case Play(playback):
                    self._due.append(PlaybackEnded(playback))
                case JoinQueue(position, step):
                    self._due.append(QueueEnded(position, *self._cast.perform(step)))
                case EnterAsteriskQueue(position, asterisk_queue):
                    self._due += self._sent(position, *self._cast.perform(asterisk_queue))
                case CreateLeg(leg):
                    self._due.append(self._created(leg))
                case DialLeg(leg):
                    self._due += self._dialled(leg)
                case Record(recording):
                    self._due.append(self._spoken(recording))
                case ReadNumber(text):
                    self._due.append(NumberRead(text, number=text, said=text))
                case FindPeople(keys):
                    self._due.append(find_people(keys, self._call.info.client, self._rules))
                case ChoosePerson(person):
                    client, turn = self._call.info.client, 0
                    self._due.append(choose_person(person, client, self._rules, self._now, turn))
                case HangUpLeg(leg):
                    self._due.append(LegEnded(leg, 16))
                case ReturnToDialplan():
                    self._due.append(LegLeft(CALLER))
                case PlayToLeg(playback, leg):
                    self._due += [PlaybackEnded(playback), KeyPressed(leg, offering.TAKE)]
                case SetTimer(question.TIMER) if (key := self._key()) is not None:
                    self._due.append(KeyPressed(CALLER, key))
                case SetTimer(name, seconds):
                    self._timers[name] = self._now + timedelta(seconds=seconds)
                case CancelTimer(name):
                    self._timers.pop(name, None)
                case CancelTimers():
                    self._timers.clear()
                case Finish(record):
                    self._record = record
                case _:
                    pass  # Bridges, ringing tone and dead-man timers: nothing comes of them that a plan sees.

    def _key(self) -> str | None:
        """What the caller presses who is asked for a key; None for nothing, also when asked again."""
        call = self._call
        if isinstance(call.state, Messaging):
            return self._key_of_message(call.state)
        if isinstance(call.state, Searching):
            return self._key_of_search(call.state)
        if not isinstance(call.state, Asking) or call.state.tries > 1:
            return None
        way, _ = self._cast.perform(call.step)
        if way in (OTHERWISE, FAILED):
            return None
        return ask.key_of(call) if way == PASSED else way

    def _key_of_message(self, state: Messaging) -> str | None:
        """Of who is offered to be called back, or leaves a number; all else needs no key."""
        match state.stage:
            case Stage.OFFERED if state.asking.tries == 1:
                way, _ = self._cast.perform(self._call.step)
                return message.WANTED if way == REQUESTED else None
            case Stage.KEYING:
                return question.ROW_ENDS if state.asking.row else "1"
            case _:
                return None

    def _key_of_search(self, state: Searching) -> str | None:
        """Of who looks for somebody, keying in all there is to the name, and chooses that person if found."""
        if state.stage is SearchStage.CHOOSING:
            keys = {one.id: str(number) for number, one in enumerate(state.found, start=1)}
            return keys.get(self._wanted) if state.asking.tries == 1 else None
        if not state.asking.row:
            if state.asking.tries > 1:
                return None
            self._wanted, _ = self._cast.perform(self._call.step)
        row = self._keys_to(self._wanted)
        return (row + question.ROW_ENDS)[len(state.asking.row)] if row else None

    def _keys_to(self, wanted: str) -> str:
        client = self._rules.clients.get(self._call.info.client or "")
        person = client.people.get(wanted) if client else None
        return keys_to(person)[: question.LONGEST_ROW] if person else ""

    def _leaves_none(self) -> bool:
        """Whether the caller who is invited to leave a message does not want to."""
        state = self._call.state
        if not isinstance(state, Messaging) or state.stage is not Stage.INVITED:
            return False
        way, _ = self._cast.perform(self._call.step)
        return way == OTHERWISE

    def _spoken(self, recording: int) -> RecordingEnded:
        step = self._call.step
        assert isinstance(step, Message)
        return RecordingEnded(recording, step.shortest)

    def _sent(self, position: int, way: str, by: str) -> list[CallEvent]:
        """What comes of a queue of Asterisk's own, whose agents nobody here knows."""
        if way == ANSWERED:
            return [LegLeft(CALLER), LegAnswered(CALLER), AsteriskAgentConnected(by, "")]
        return [LegLeft(CALLER), AsteriskQueueReturned(position, way)]

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
