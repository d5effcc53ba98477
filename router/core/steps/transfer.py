"""A person who talks with the caller gives the call to somebody else (REFER, by the phone's own key).

A phone may do so unseen (blind): Asterisk takes it out of the talk and puts a channel in its place that
leads to the context callrouter-transfer of the dialplan, where nothing is dialled. That channel is removed;
what was dialled is told by the edge as a plan, by the rules of this moment (FindTransfer, transferring.py),
whose steps are put after all others of the call's plan. The caller waits again, under a dead man, and the
person who asked is let go. So no phone ever says whom Asterisk dials.

Or it calls somebody first, by Asterisk's own dialplan, and then joins the two calls (attended). The channel
in its place is then that talk, and is taken for a further leg of this call: the talk goes on, with somebody
else. What it is made of is none of ours, and it ends as a whole.

Whoever called from a phone of the house may be the one who joins, having asked somebody by a number of ours.
Then the caller's own channel is that talk from now on, and nothing else changes.
"""

from datetime import datetime

from msgspec.structs import replace

from router.core import talks
from router.core.call import (
    CALLER,
    Call,
    CallingBack,
    Commands,
    Ending,
    InAsteriskQueue,
    LedTo,
    Leg,
    LegState,
    Talking,
    Transferring,
    Turn,
    with_evidence,
    with_flag,
    with_leg,
)
from router.core.commands import FindTransfer, HangUpLeg, HangupReason, LeaveQueue, RemoveChannel
from router.core.events import (
    CallerReplaced,
    CallEvent,
    LegReplaced,
    RouterReturned,
    TransferAsked,
    TransferLed,
)
from router.core.plan import Target, extended
from router.core.record import Evidence, TalkEnd

ASKED, REFUSED, HANDED_OVER = "transfer_asked", "transfer_refused", "handed_over"
"""What evidence calls a wish for a transfer, one that is not granted, and a talk that went to somebody else.
"""

TRANSFERRED = "transferred"
"""Flag of a call in which somebody wanted to give it to somebody else."""


ByAnother = TransferAsked | LegReplaced | CallerReplaced
"""Events in which a channel of somebody else's is in the place of one of the call's."""


def gives_nothing(call: Call, event: ByAnother) -> bool:
    """True where who asked has no talk to give away, or has none any more."""
    if isinstance(event, CallerReplaced):
        return isinstance(call.state, Ending | InAsteriskQueue | CallingBack)  # in no bridge of ours
    return not isinstance(call.state, Talking) or call.state.leg != event.leg


def undone(call: Call, event: ByAnother) -> Commands:
    """What ends the channel of such; not that of a talk that was handed over before, and told of twice."""
    known = any(leg.channel == event.channel for leg in call.legs)
    return () if known else (RemoveChannel(event.channel),)


def asked(call: Call, event: TransferAsked, now: datetime) -> tuple[Call, Commands]:
    """The talk is over; the caller waits for somebody else."""
    call, commands = _let_go(call, event.leg, TalkEnd.BLIND_TRANSFER, now)
    call = with_evidence(call, Evidence(now, ASKED, event.leg, detail=event.to))
    find = FindTransfer(event.to, event.leg)
    return replace(call, state=Transferring(event.to, event.leg)), (
        RemoveChannel(event.channel),
        *commands,
        find,
    )


def advance(call: Call, state: Transferring, event: CallEvent, now: datetime) -> Turn:
    """Take one event while it is looked up whom the caller is to have."""
    match event:
        case TransferLed(to, plan, refused) if to == state.to:
            if refused:
                call = with_evidence(call, Evidence(now, REFUSED, state.leg, detail=f"{to}: {refused}"))
            first = LedTo(len(call.plan.nodes))
            return Turn(replace(call, plan=extended(call.plan, plan)), outcome=first)
        case RouterReturned():
            return Turn(call, (FindTransfer(state.to, state.leg),))
        case _:
            # Ends of legs that were let go; keys, holds, timers and prompts of what was before.
            return Turn(call)


def replaced(call: Call, event: LegReplaced, now: datetime) -> tuple[Call, Commands]:
    """The talk goes on with somebody else, on a leg that we have not made."""
    began = call.talk_began
    call, commands = _let_go(call, event.leg, TalkEnd.ATTENDED_TRANSFER, now)
    number, target = len(call.legs), Target(event.name or event.dial, event.dial)
    leg = Leg(number, now, target, LegState.UP, answered_at=now, channel=event.channel)
    call = with_evidence(call, Evidence(now, HANDED_OVER, event.leg, detail=target.name))
    call = replace(call, legs=(*call.legs, leg), state=Talking(number), partner=number)
    return replace(call, talk_began=now if began else None), commands


def caller_replaced(call: Call, event: CallerReplaced, now: datetime) -> Call:
    """The call goes on with whom the caller has put in their own place, who is there already."""
    answered = call.caller.answered_at or now
    caller = replace(call.caller, channel=event.channel, state=LegState.UP, answered_at=answered)
    call = with_flag(with_leg(call, caller), TRANSFERRED)
    return with_evidence(call, Evidence(now, HANDED_OVER, CALLER, detail=event.dial))


def _let_go(call: Call, leg: int, end: TalkEnd, now: datetime) -> tuple[Call, Commands]:
    """Who talked on a leg is free, the phone and, of a queue's agent, the person."""
    freed = (LeaveQueue(agent=call.agent),) if call.agent else ()
    call = with_flag(replace(talks.over(call, end, now), agent="", bridged=True), TRANSFERRED)
    call = with_leg(call, replace(call.legs[leg], intent=HangupReason.TRANSFERRED))
    return call, (HangUpLeg(leg, HangupReason.TRANSFERRED), *freed)
