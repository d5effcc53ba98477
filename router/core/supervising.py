"""Somebody listens to an agent's talk, whispers to the agent, or barges in: a machine of its own,
`step(supervision, event, talks, now) -> (supervision, commands)`.

Theory of operation
-------------------
The talk itself is left alone: a snoop channel is put on the agent's channel, and shares a bridge with the
supervisor's phone (edge/ari/snooping.py). What the talk is made of stays as it is, so nothing here can end
it, and without the snoop it is as before.

A supervisor is told how they are heard, and only then is the snoop made: nobody whispers before they know it.
The direction of a snoop cannot be changed, so each change of mode is a new one. Whoever goes on to another
talk begins it as a listener, however they were heard in the one before: to be heard always takes a key.

Which talks there are that this supervisor may hear is an argument of every step, so a talk that is over, or a
permission that the rules no longer give, ends the same way.
"""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec.structs import replace

from router.core.languages.catalogue import Phrase, Tone
from router.core.phrases import DIGITS, phrase, spelled
from router.core.plan import Speak
from router.core.supervision import (
    Began,
    Close,
    Commands,
    Ended,
    EndSnoop,
    Event,
    HangUp,
    Hearing,
    Join,
    Joined,
    KeyPressed,
    Mode,
    Open,
    Opening,
    Outcome,
    Over,
    Play,
    PlaybackEnded,
    Refusal,
    Snoop,
    SnoopEnded,
    SnoopReady,
    StartMusic,
    StopMusic,
    StopPlayback,
    Stretch,
    Supervision,
    SupervisorLeft,
    Talk,
    Talks,
    TalksLooked,
    Waiting,
)

PATIENCE = timedelta(minutes=30)
"""How long a supervisor waits for a talk; a phone that was forgotten must not listen all day."""

MODES = {"4": Mode.LISTEN, "5": Mode.WHISPER, "6": Mode.BARGE}
"""By key, as of Asterisk's own ChanSpy."""
NEXT, END = "*", "#"

_SAID = {Mode.LISTEN: Phrase.YOU_LISTEN, Mode.WHISPER: Phrase.YOU_WHISPER, Mode.BARGE: Phrase.YOU_BARGE}
_REFUSED = {
    Refusal.NOT_PERMITTED: Phrase.NOT_SUPERVISOR,
    Refusal.NO_SUCH_AGENT: Phrase.NO_SUCH_AGENT,
}


def texts(language: str, tone: Tone, *, supervised: bool) -> list[Speak]:
    """All that may be said so by a client's rules; where nobody is `supervised`, it is refused."""
    said = (*_SAID.values(), Phrase.NO_TALK, Phrase.TALK_OVER) if supervised else ()
    digits = spelled(language, DIGITS) if supervised else ()
    return [*(phrase(language, tone, one) for one in (*_REFUSED.values(), *said)), *digits]


def refuse(supervision: Supervision, refusal: Refusal, tried: Stretch) -> tuple[Supervision, Commands]:
    """Say that it may not be, and write down that it was `tried`."""
    refused = replace(tried, ended=tried.began, outcome=Outcome.REFUSED, reason=refusal.value)
    supervision, commands = _say(supervision, (_text(supervision, _REFUSED[refusal]),), last=True)
    return supervision, (Open(), Ended(refused), *commands)


def begin(supervision: Supervision, talks: Talks) -> tuple[Supervision, Commands]:
    """Somebody who may supervise has dialled the code."""
    talk = _following(supervision, talks)
    if talk is not None:
        supervision, commands = _approach(supervision, talk, supervision.mode)
    else:
        supervision, commands = _say(supervision, (_text(supervision, Phrase.NO_TALK),))
    return supervision, (Open(), *commands)


def step(supervision: Supervision, event: Event, talks: Talks, now: datetime) -> tuple[Supervision, Commands]:
    """The next state after one event, and what to do."""
    state = supervision.state
    if isinstance(state, Over):
        return supervision, ()  # What comes late changes nothing.
    match event:
        case SupervisorLeft():
            return _over(supervision, now)
        case KeyPressed(key):
            return _pressed(supervision, key, talks, now)
        case PlaybackEnded(playback):
            heard = isinstance(state, Hearing) and state.playback == playback
            return _heard(supervision, talks, now) if heard else (supervision, ())
        case SnoopReady(snoop):
            if isinstance(state, Opening) and state.snoop == snoop:
                return _join(supervision, state, now)
            return supervision, (EndSnoop(snoop),)  # It was given up meanwhile.
        case SnoopEnded(snoop):
            if isinstance(state, Opening | Joined) and state.snoop == snoop:
                return _talk_over(supervision, state.talk, now)
            return supervision, ()
        case TalksLooked():
            return _look(supervision, talks, now)
        case _:
            assert_never(event)


def _text(supervision: Supervision, which: Phrase) -> Speak:
    return phrase(supervision.language, supervision.tone, which)


def _say(
    supervision: Supervision, prompts: tuple[Speak, ...], talk: Talk | None = None, *, last: bool = False
) -> tuple[Supervision, Commands]:
    number = supervision.playbacks + 1
    state = Hearing(number, talk, last)
    return replace(supervision, state=state, playbacks=number), (Play(number, prompts),)


def _approach(supervision: Supervision, talk: Talk, mode: Mode) -> tuple[Supervision, Commands]:
    """Tell the supervisor whom they will hear, and how they will be heard."""
    supervision = replace(supervision, mode=mode, latest=talk)
    prompts = (_text(supervision, _SAID[mode]), *spelled(supervision.language, talk.number))
    return _say(supervision, prompts, talk)


def _heard(supervision: Supervision, talks: Talks, now: datetime) -> tuple[Supervision, Commands]:
    """A sentence is over."""
    state = supervision.state
    assert isinstance(state, Hearing)
    if state.last:
        return _hang_up(supervision, now)
    talk = state.talk
    if talk is None or not _goes_on(talk, talks):
        return _seek(supervision, talks, now)
    number = supervision.snoops + 1
    opening = replace(supervision, state=Opening(talk, number), snoops=number)
    return opening, (Snoop(number, talk.channel, supervision.mode),)


def _join(supervision: Supervision, state: Opening, now: datetime) -> tuple[Supervision, Commands]:
    stretch = _stretch(supervision, state.talk, now)
    joined = Joined(state.talk, state.snoop, stretch)
    supervision = replace(supervision, state=joined, stretches=stretch.number)
    return supervision, (Join(state.snoop), Began(stretch))


def _stretch(supervision: Supervision, talk: Talk, now: datetime) -> Stretch:
    return Stretch(
        supervision.id,
        supervision.stretches + 1,
        talk.agent.client,
        talk.supervisor,
        supervision.endpoint,
        talk.agent.person,
        talk.call_id,
        supervision.mode,
        now,
    )


def _pressed(supervision: Supervision, key: str, talks: Talks, now: datetime) -> tuple[Supervision, Commands]:
    state = supervision.state
    talk = state.talk if isinstance(state, Hearing | Opening | Joined) else None
    if key == END:
        return _hang_up(supervision, now)
    if isinstance(state, Hearing) and state.last:
        return supervision, ()
    if key == NEXT:
        anybody = replace(supervision, only=frozenset())
        following = _following(anybody, talks)
        if following is None or (talk is not None and following.call_id == talk.call_id):
            return supervision, ()  # There is no other.
        return _turn(anybody, following, Mode.LISTEN, Outcome.NEXT, now)
    mode = MODES.get(key)
    if mode is None or talk is None or mode is supervision.mode:
        return supervision, ()
    return _turn(supervision, talk, mode, Outcome.CHANGED, now)


def _turn(
    supervision: Supervision, talk: Talk, mode: Mode, outcome: Outcome, now: datetime
) -> tuple[Supervision, Commands]:
    """From whatever is heard now to a talk."""
    left = _left(supervision, outcome, now)
    supervision, commands = _approach(supervision, talk, mode)
    return supervision, (*left, *commands)


def _left(supervision: Supervision, outcome: Outcome, now: datetime) -> Commands:
    """End what is heard now."""
    state = supervision.state
    assert not isinstance(state, Over)
    match state:
        case Hearing(playback):
            return (StopPlayback(playback),)
        case Opening(_, snoop):
            return (EndSnoop(snoop),)
        case Joined(_, snoop, stretch):
            return (EndSnoop(snoop), Ended(replace(stretch, ended=now, outcome=outcome)))
        case Waiting():
            return (StopMusic(),)
        case _:
            assert_never(state)


def _look(supervision: Supervision, talks: Talks, now: datetime) -> tuple[Supervision, Commands]:
    match supervision.state:
        case Opening(talk) | Joined(talk) if not _goes_on(talk, talks):
            return _talk_over(supervision, talk, now)
        case Waiting(since):
            following = _following(supervision, talks)
            if following is not None:
                mode = Mode.LISTEN if supervision.latest else supervision.mode
                return _turn(supervision, following, mode, Outcome.NEXT, now)
            return _hang_up(supervision, now) if now - since >= PATIENCE else (supervision, ())
        case _:
            return supervision, ()  # When the sentence is over, talks are looked at anyway.


def _talk_over(supervision: Supervision, talk: Talk, now: datetime) -> tuple[Supervision, Commands]:
    """The talk has ended, or cannot be heard; there may be another one once that is said."""
    left = _left(supervision, Outcome.TALK_OVER, now)
    if isinstance(supervision.state, Opening):
        tried = _stretch(supervision, talk, now)
        left += (Ended(replace(tried, ended=now, outcome=Outcome.FAILED)),)
        supervision = replace(supervision, stretches=tried.number)
    supervision = replace(supervision, failed=supervision.failed | {talk.channel})
    supervision, commands = _say(supervision, (_text(supervision, Phrase.TALK_OVER),))
    return supervision, (*left, *commands)


def _seek(supervision: Supervision, talks: Talks, now: datetime) -> tuple[Supervision, Commands]:
    """The next talk there is, or music until there is one."""
    following = _following(supervision, talks)
    if following is None:
        return replace(supervision, state=Waiting(now)), (StartMusic(),)
    return _approach(supervision, following, Mode.LISTEN if supervision.latest else supervision.mode)


def _following(supervision: Supervision, talks: Talks) -> Talk | None:
    """The talk after the latest, in turn."""
    wanted = [
        talk
        for talk in talks
        if talk.channel not in supervision.failed and (not supervision.only or talk.agent in supervision.only)
    ]
    latest = supervision.latest
    if latest is None:
        return wanted[0] if wanted else None
    later = [talk for talk in wanted if (talk.since, talk.call_id) > (latest.since, latest.call_id)]
    return next(iter((*later, *wanted)), None)


def _goes_on(talk: Talk, talks: Talks) -> bool:
    return any(one.channel == talk.channel for one in talks)


def _hang_up(supervision: Supervision, now: datetime) -> tuple[Supervision, Commands]:
    supervision, commands = _over(supervision, now)
    return supervision, (*commands, HangUp())


def _over(supervision: Supervision, now: datetime) -> tuple[Supervision, Commands]:
    left = _left(supervision, Outcome.LEFT, now)
    return replace(supervision, state=Over()), (*left, Close())
