"""What is stored of a call, in words for people. Moments are shown in this machine's time zone."""

import getpass
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from router.core.events import (
    AgentOffered,
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentHungUp,
    AsteriskAgentLeft,
    AsteriskAgentMissed,
    AsteriskLost,
    AsteriskQueueAbandoned,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    AsteriskQueueLed,
    AsteriskQueueLeft,
    AsteriskQueueReturned,
    BridgeLost,
    CallerJoined,
    CallerReplaced,
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegLeft,
    LegLost,
    LegReady,
    LegReplaced,
    LegRinging,
    LegUnheld,
    NumberRead,
    OfferWithdrawn,
    PeopleFound,
    PersonChosen,
    PlaybackEnded,
    QueueEnded,
    QueueJoined,
    QueueTold,
    RecordingEnded,
    RouterReturned,
    Supervised,
    TalkFound,
    TimerFired,
    TransferAsked,
    TransferLed,
)
from router.core.record import Attempt
from router.core.supervision import Mode
from router.core.times import Duration

LEGS = {0: "the caller"}
"""Leg -> name, before anybody is rung."""

_SUPERVISES: Mapping[str, str] = {
    Mode.LISTEN: "listens in",
    Mode.WHISPER: "whispers to the agent",
    Mode.BARGE: "joins the talk, heard by both",
}
"""What a supervisor does."""


def event_in_words(event: CallEvent, legs: Mapping[int, str]) -> str:
    """One event; `legs` names the legs, and a leg without a name goes by its number."""
    match event:
        case LegReady(leg):
            return f"{_name(leg, legs)}: ready to be dialled"
        case LegRinging(leg):
            return f"{_name(leg, legs)}: rings"
        case LegAnswered(leg):
            return f"{_name(leg, legs)}: {'answered by us' if leg == 0 else 'answers'}"
        case HangupRequested(leg, cause, soft):
            whose = "Asterisk asks to hang up" if soft else "hangs up"
            return f"{_name(leg, legs)}: {whose}{_codes(cause, 0)}"
        case LegLeft(leg):
            return f"{_name(leg, legs)}: left"
        case LegEnded(leg, cause, tech_cause):
            return f"{_name(leg, legs)}: ended{_codes(cause, tech_cause)}"
        case LegLost(leg):
            return f"{_name(leg, legs)}: found gone, its end was not seen"
        case PlaybackEnded(playback, failed):
            return f"prompt {playback} {'could not be played' if failed else 'is over'}"
        case KeyPressed(leg, key):
            return f"{_name(leg, legs)}: presses {key}"
        case RecordingEnded(recording, seconds, failed):
            what = "could not be made" if failed else f"is over, {seconds:g} s of speech"
            return f"recording {recording} {what}"
        case NumberRead(_, number):
            return f"can be called back at {number}" if number else "no number to call back at"
        case PeopleFound(keys, people, more):
            names = ", ".join(one.id for one in people)
            return f"{keys} finds {'too many' if more else names or 'nobody'}"
        case PersonChosen(person):
            return f"goes on with {person}"
        case QueueJoined():
            return "waits in the queue"
        case QueueEnded(_, outcome, by):
            return f"queue: {outcome.replace('_', ' ')}{f' by {by}' if by else ''}"
        case AgentOffered(agent):
            return f"is offered to {agent}"
        case OfferWithdrawn(agent):
            return f"is not offered to {agent} any longer"
        case QueueTold(position, wait):
            return f"is number {position} in the queue{'' if wait is None else f', for some {wait:.0f} s'}"
        case AsteriskQueueJoined():
            return "waits in Asterisk's queue"
        case AsteriskAgentCalled(agent):
            return f"Asterisk's queue rings {agent}"
        case AsteriskAgentMissed(agent, _, rang):
            return f"{agent} {'does not answer' if rang else 'cannot be rung'}"
        case AsteriskAgentConnected(agent):
            return f"{agent} has the call"
        case AsteriskAgentLeft(by):
            return f"the talk with the agent is over, by {by or 'nobody knows whom'}"
        case AsteriskAgentHungUp():
            return "the agent hangs up"
        case AsteriskQueueAbandoned():
            return "waits in Asterisk's queue no longer, and had no agent"
        case AsteriskQueueLeft():
            return "waits in Asterisk's queue no longer"
        case AsteriskQueueFollowed(whole):
            return f"{'all' if whole else 'not all'} was seen of Asterisk's queue"
        case AsteriskQueueReturned(_, outcome):
            return f"is back from Asterisk's queue: {outcome.replace('_', ' ')}"
        case AsteriskQueueLed(to):
            return f"is led out of Asterisk's queue to {to}"
        case Supervised(who, mode):
            return f"{who} {_SUPERVISES.get(mode, mode)}"
        case TimerFired(timer):
            return f"timer `{timer}` ran out"
        case CommandFailed(command, leg, status, reason):
            why = f"{status} {reason}".strip() if status else reason or "no reply"
            return f"{_name(leg, legs)}: {command} failed ({why})"
        case TalkFound(leg):
            return f"{_name(leg, legs)}: found talking with the caller"
        case BridgeLost():
            return "the bridge between the two was found gone"
        case LegHeld(leg):
            return f"{_name(leg, legs)}: puts the other on hold"
        case LegUnheld(leg):
            return f"{_name(leg, legs)}: holds nobody"
        case TransferAsked(leg, to):
            return f"{_name(leg, legs)}: gives the caller to {to or 'a call of its own'}"
        case TransferLed(to, _, refused):
            return f"{to or 'nobody else'} is not rung: {refused}" if refused else f"goes on with {to}"
        case LegReplaced(leg, _, dial, name):
            return f"{_name(leg, legs)}: hands the talk over to {name or dial}"
        case CallerReplaced(_, dial):
            return f"the caller has put {dial} in their own place"
        case CallerJoined():
            return "the caller joins this call with another one"
        case RouterReturned():
            return "the router sees Asterisk again"
        case AsteriskLost():
            return "Asterisk went down, and the call with it"
        case _:
            assert_never(event)


def attempts_in_words(attempts: tuple[Attempt, ...]) -> str:
    """`kari busy, ola answered`."""
    return ", ".join(f"{attempt.target} {attempt.outcome.value.replace('_', ' ')}" for attempt in attempts)


def who_types() -> str:
    """Who types a command; behind sudo, who really does."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        return str(os.getuid())


def moment(at: datetime) -> str:
    """`2026-11-22 10:00:05`."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def ago(at: datetime, now: datetime) -> str:
    """`3m` or `2d4h`: how long before `now` something was, in its two largest units."""
    return str(rounded(max(int((now - at).total_seconds()), 0)))


def rounded(seconds: int) -> Duration:
    """A length of time as people tell it: of days whole hours, of hours whole minutes."""
    step = 3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1
    return Duration(seconds // step * step)


_DAYS = re.compile(r"([0-9]{1,4})d")


def days_of(text: str) -> int | None:
    """Of `30d`; None where the text is not so."""
    found = _DAYS.fullmatch(text)
    return int(found.group(1)) if found else None


def in_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A line for each row, whose cells stand below one another, for what is not a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def length(seconds: float) -> str:
    """`4 s`, `2:05`, `1:02:05`; empty for none."""
    whole = round(seconds)
    if seconds <= 0:
        return ""
    if whole < 60:
        return f"{whole} s" if whole else f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _name(leg: int, legs: Mapping[int, str]) -> str:
    return legs.get(leg, f"leg {leg}")


def _codes(cause: int, tech_cause: int) -> str:
    codes = [f"cause {cause}"] * bool(cause) + [f"SIP {tech_cause}"] * bool(tech_cause)
    return f" ({', '.join(codes)})" if codes else ""
