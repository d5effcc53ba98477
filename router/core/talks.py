"""The talks of one call, one after the other, and how long somebody was on hold in each."""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import CALLER, Call, with_evidence
from router.core.record import Evidence, Talk, TalkEnd

HELD, UNHELD = "held", "unheld"
"""What evidence calls a hold, and its end."""


def hold(call: Call, leg: int, now: datetime) -> Call:
    """A party of the talk has put the other on hold."""
    if call.talk_began is None or leg not in (CALLER, call.partner) or leg in call.holding:
        return call
    held = replace(call, holding=(*call.holding, leg), held_since=call.held_since or now)
    return with_evidence(held, Evidence(now, HELD, leg))


def unhold(call: Call, leg: int, now: datetime) -> Call:
    """... and taken it back."""
    if leg not in call.holding:
        return call
    left = tuple(one for one in call.holding if one != leg)
    seconds, since = (call.held_seconds, call.held_since) if left else (_held(call, now), None)
    call = replace(call, holding=left, held_since=since, held_seconds=seconds)
    return with_evidence(call, Evidence(now, UNHELD, leg))


def unseen(call: Call) -> Call:
    """After a gap nobody knows whether it is still so: what was seen counts, up to nobody knows when."""
    return replace(call, holding=(), held_since=None) if call.holding else call


def _held(call: Call, until: datetime) -> float:
    """How long one has had the other on hold, in the talk that goes on `until` then."""
    now = (until - call.held_since).total_seconds() if call.held_since else 0.0
    return call.held_seconds + max(now, 0.0)


def under_way(call: Call, ended_at: datetime, end: TalkEnd) -> tuple[Talk, ...]:
    """The talk under way, if one is, as it ends then."""
    if call.talk_began is None:
        return ()
    if call.partner is None:
        who = call.settled.by if call.settled else ""
        if call.talk_ended is not None:
            ended_at, end = call.talk_ended, TalkEnd.BLIND_TRANSFER
        return (Talk(CALLER, who, call.talk_began, ended_at, end),)
    who = call.legs[call.partner].target.name
    talk = Talk(call.partner, who, call.talk_began, ended_at, end)
    # What is told after an end that nobody saw counts no more.
    return (replace(talk, hold_seconds=min(_held(call, ended_at), talk.seconds)),)


def numbered(call: Call, talk: Talk) -> Talk:
    """A talk that a queue of Asterisk's own has made, with the number of its attempt: those come behind all
    legs of the call, and so are known by their numbers once it is over."""
    if talk.leg != CALLER:
        return talk
    attempts = enumerate(call.rung, len(call.legs))
    return replace(talk, leg=next((at for at, one in attempts if one.answered_at == talk.began_at), CALLER))


def over(call: Call, end: TalkEnd, now: datetime) -> Call:
    """The call with that talk behind it, and nobody who talks with the caller."""
    talks = (*call.talks, *under_way(call, now, end))
    return replace(
        call,
        talks=talks,
        talk_began=None,
        talk_ended=None,
        partner=None,
        holding=(),
        held_since=None,
        held_seconds=0.0,
    )
