"""`queue: {asterisk: ...}`: the caller waits in a queue of Asterisk's own (app_queue), and may talk there.

The caller leaves our application for the dialplan (EnterAsteriskQueue), and so is out of our hands until
they are back by themselves (AsteriskQueueReturned), or gone. No dead-man timer runs meanwhile: the queue is
Asterisk's, and needs no router. What happens there AMI tells, over a connection of its own: it may come
before or after what ARI tells of the same moment, and not at all while AMI is away.

So nothing follows from what was not told. When the caller's channel is gone, and that does not decide what
became of the call, we ask whether AMI was there all the while (AskIfFollowed); the answer comes behind all
that AMI told before, but for the end of a talk, which is waited for. Only then does nobody told of mean
nobody. Else who may have talked is `unobserved`; but who was never answered has talked with nobody.

What AMI tells (22.10.1): AgentCalled for each phone rung; AgentRingNoAnswer for each that did not take the
call, whether it rang or refused; QueueCallerAbandon for who hangs up, and as well for whose time is over;
QueueCallerLeave also before AgentConnect; AgentComplete with who ended the talk, before the caller's channel
is gone, but not always: a busy machine may have forgotten the channels by then (handle_hangup, app_queue.c).
A caller whose agent hangs up is hung up by Asterisk, with a soft request, which says nothing of who; ARI
tells of the agent's own request.

An agent may give the caller to a number of ours, and a key of the queue may lead to one: the caller's
channel then enters our application anew, as one who dials it (AsteriskQueueLed). It is the same call, which
goes on as after a transfer by a phone of ours (transfer.py). That no talk came before is only known once we
have asked; until then, and without that answer, the call has the flag NOT_FOLLOWED.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from router.core import talks, visits
from router.core.call import (
    CALLER,
    AgentRung,
    AsteriskStage,
    Call,
    CallerGone,
    Commands,
    InAsteriskQueue,
    Settled,
    Transferring,
    Turn,
    Verdict,
    with_evidence,
    with_flag,
)
from router.core.commands import (
    AskIfFollowed,
    CancelTimer,
    DestroyBridge,
    EnterAsteriskQueue,
    FindTransfer,
    SetTimer,
)
from router.core.events import (
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentHungUp,
    AsteriskAgentLeft,
    AsteriskAgentMissed,
    AsteriskQueueAbandoned,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    AsteriskQueueLed,
    AsteriskQueueLeft,
    AsteriskQueueReturned,
    CallEvent,
    CommandFailed,
    LegEnded,
    LegLeft,
    LegLost,
    RouterReturned,
    TimerFired,
)
from router.core.plan import AsteriskQueue, AsteriskQueueOutcome
from router.core.record import Disposition, Evidence, Party, Phase, TalkEnd
from router.core.steps.queue import ANSWERED
from router.core.steps.transfer import TRANSFERRED

TIMER = "asterisk_queue"

LED = "led_out_of_queue"
"""What evidence calls it that a caller is led to a number of ours."""

AGENT_HUNG_UP = "agent_hung_up"
"""What evidence calls it that the agent's side asked to end."""

NOT_FOLLOWED = "not_followed"
"""Flag of a call whose caller was led there, and may have talked before."""

PATIENCE = 5.0
"""Seconds to wait for what AMI may still tell of a caller who is gone."""

MOST_RUNG = 100
"""Agents rung that a call remembers, the latest: a queue may try those who refuse each second."""

_ENDED_BY = {"caller": Party.CALLER, "agent": Party.CALLEE}
"""AMI's words; of a transfer, neither."""

_PUT_THROUGH = (AsteriskStage.TALKING, AsteriskStage.DONE)
_DECIDED = (AsteriskStage.ABANDONED, AsteriskStage.DONE)
"""Stages after which nothing more is to be told."""
_NOT_LEFT = (AsteriskStage.SENT, AsteriskStage.WAITING)


def enter(call: Call, step: AsteriskQueue, now: datetime) -> Turn:
    """Go there, out of the call's bridge."""
    bridge = (DestroyBridge(),) if call.bridged else ()
    call = replace(call, state=InAsteriskQueue(now), bridged=False)
    return Turn(call, (*again(call), *bridge))


def again(call: Call) -> Commands:
    """Have the caller go there."""
    step = call.step
    assert isinstance(step, AsteriskQueue)
    assert call.position is not None
    return (EnterAsteriskQueue(call.position, step),)


def advance(call: Call, state: InAsteriskQueue, event: CallEvent, now: datetime) -> Turn:
    """Take one event of a caller who is there, or was."""
    match event:
        case LegLeft(leg) if leg == CALLER and not state.away:
            return Turn(replace(call, state=replace(state, away=True)))
        case LegLeft(leg) if leg == CALLER:
            return Turn(call, outcome=CallerGone())  # found elsewhere in the dialplan
        case LegEnded(leg) | LegLost(leg) if leg == CALLER:
            return _judged_or_asked(call, replace(state, over=True), now)
        case AsteriskQueueReturned(position, outcome) if position == call.position:
            return _returned(call, outcome, now)
        case AsteriskQueueLed(to) if state.away and not state.over:
            return _led(call, state, to, now)
        case AsteriskQueueFollowed(True) if state.over and _is_to_be_told_who(call, state):
            return Turn(call)
        case AsteriskQueueFollowed(whole) if state.over:
            return _judged(call, state, whole)
        case TimerFired(timer) if timer == TIMER and state.over:
            return _judged(call, state, whole=False)
        case CommandFailed("EnterAsteriskQueue", _, status) if not state.away and status != 409:
            return _returned(call, AsteriskQueueOutcome.FAILED, now)
        case RouterReturned() if state.over:
            return _judged_or_asked(call, state, now)
        case RouterReturned() if not state.away:
            return Turn(call, again(call))
        case _:
            # Requests to hang up: the end of the channel follows. What AMI tells: below. Old timers, keys and
            # playbacks, legs that were given up: nothing. 409: the caller is on the way by now.
            told, heard = _told(call, state, event, now)
            over = heard.over and heard.stage in _DECIDED
            return _judged(told, heard, whole=True) if over else Turn(replace(told, state=heard))


def _told(
    call: Call, state: InAsteriskQueue, event: CallEvent, now: datetime
) -> tuple[Call, InAsteriskQueue]:
    """What AMI tells, or what a look at Asterisk showed."""
    match event:
        case AsteriskAgentLeft() | AsteriskQueueLeft() | AsteriskQueueAbandoned() if _has_yet_to_go(state):
            return call, state  # the last that is told of a queue before
        case AsteriskQueueJoined() if state.stage in _NOT_LEFT:
            if state.stage is not AsteriskStage.WAITING:
                call = with_evidence(call, Evidence(now, visits.JOINED, detail=_name(call)))
            return call, replace(state, stage=AsteriskStage.WAITING, waiting_at=now)
        case AsteriskAgentCalled(agent, dial):
            rung = (*call.rung, AgentRung(agent, dial, now))
            return replace(call, rung=rung[-MOST_RUNG:]), state
        case AsteriskAgentMissed(agent, dial, rang):
            return _last_rung(call, agent, dial, now, rang=rang, missed_at=now), state
        case AsteriskAgentConnected(agent, dial, since):
            return _connected(call, state, event, since or now)
        case AsteriskAgentLeft(by, agent, talk) if state.stage is not AsteriskStage.DONE:
            if state.stage is not AsteriskStage.TALKING:
                began = now - timedelta(seconds=talk)
                call, state = _connected(call, state, AsteriskAgentConnected(agent, ""), began)
            # Who was transferred stays, and talks with somebody who is no agent of this queue.
            ended = None if by in _ENDED_BY else now
            call = with_evidence(replace(call, talk_ended=ended), Evidence(now, "agent_left", detail=by))
            return call, replace(state, stage=AsteriskStage.DONE, ended_by=by)
        case AsteriskAgentHungUp() if state.stage is AsteriskStage.TALKING:
            return with_evidence(call, Evidence(now, AGENT_HUNG_UP)), state
        case AsteriskQueueLeft() if state.stage in _NOT_LEFT:
            return call, replace(state, stage=AsteriskStage.GONE)
        case AsteriskQueueAbandoned() if state.stage not in _PUT_THROUGH:
            return call, replace(state, stage=AsteriskStage.ABANDONED)
        case _:
            # Told once more, or too late to say anything new.
            return call, state


def _has_yet_to_go(state: InAsteriskQueue) -> bool:
    return not state.away and state.stage is AsteriskStage.SENT


def _connected(
    call: Call, state: InAsteriskQueue, event: AsteriskAgentConnected, began: datetime
) -> tuple[Call, InAsteriskQueue]:
    """An agent has the call. Who was found in a bridge first goes by the phone, until AMI tells the name."""
    if state.stage in _PUT_THROUGH:
        if call.settled is not None and call.settled.by == event.dial:
            call = replace(call, settled=Settled(Disposition.ANSWERED, event.agent))
        return call, state
    call = with_evidence(call, Evidence(began, "agent_connected", detail=event.agent))
    if event.dial:
        call = _last_rung(call, event.agent, event.dial, began, answered_at=began)
    call = replace(
        call, talk_began=began, phase=Phase.TALKING, settled=Settled(Disposition.ANSWERED, event.agent)
    )
    return call, replace(state, stage=AsteriskStage.TALKING)


def _last_rung(call: Call, agent: str, dial: str, now: datetime, **what: object) -> Call:
    """The call with what came of the last time that an agent was rung, told of or not."""
    latest = next((one for one in reversed(call.rung) if one.dial == dial), None)
    if latest is None or latest.missed_at or latest.answered_at:
        rung = (*call.rung, replace(AgentRung(agent, dial, now), **what))[-MOST_RUNG:]
    else:
        rung = tuple(replace(one, **what) if one is latest else one for one in call.rung)
    return replace(call, rung=rung)


def _returned(call: Call, outcome: str, now: datetime) -> Turn:
    """The caller is ours again."""
    call = _left_untalked(call, outcome, now)
    if outcome == ANSWERED:
        by = call.settled.by if call.settled else ""
        return Turn(call, outcome=Settled(Disposition.ANSWERED, by))
    return Turn(call, outcome=outcome)


def _left_untalked(call: Call, outcome: str, now: datetime) -> Call:
    """The caller waits there no longer, and has not talked as far as is known."""
    call = with_evidence(call, Evidence(now, visits.ENDED, detail=outcome))
    given_up = (one if one.answered_at or one.missed_at else replace(one, missed_at=now) for one in call.rung)
    return replace(call, rung=tuple(given_up))


def _led(call: Call, state: InAsteriskQueue, to: str, now: datetime) -> Turn:
    """The caller is ours again, for another number. A talk that AMI has not told the end of was given away:
    it is over, and the caller still there."""
    asked: Commands = ()
    if call.talk_began is None:
        call = _left_untalked(call, AsteriskQueueOutcome.LEFT, now)
        if state.stage not in _DECIDED:
            call, asked = with_flag(call, NOT_FOLLOWED), (AskIfFollowed(state.waiting_at),)
    elif state.ended_by in _ENDED_BY:
        call = talks.over(call, TalkEnd.HUNG_UP, now)
    else:
        call = with_flag(talks.over(call, TalkEnd.BLIND_TRANSFER, now), TRANSFERRED)
    call = with_evidence(replace(call, settled=None), Evidence(now, LED, detail=to))
    return Turn(replace(call, state=Transferring(to, CALLER)), (FindTransfer(to, CALLER), *asked))


def followed(call: Call) -> Call:
    """The call once it is known that nothing was missed."""
    return replace(call, flags=tuple(flag for flag in call.flags if flag != NOT_FOLLOWED))


def _judged_or_asked(call: Call, state: InAsteriskQueue, now: datetime) -> Turn:
    """The caller is gone."""
    if state.stage in _DECIDED:
        return _judged(call, state, whole=True)
    since = now if state.stage is AsteriskStage.TALKING else state.waiting_at
    return Turn(replace(call, state=state), (AskIfFollowed(since), SetTimer(TIMER, PATIENCE)))


def _is_to_be_told_who(call: Call, state: InAsteriskQueue) -> bool:
    """Whether AMI has yet to tell who ended a talk: if the machine is busy, an answer to us comes before."""
    return state.stage is AsteriskStage.TALKING and not call.caller.lost and _who_hung_up(call) is None


def _judged(call: Call, state: InAsteriskQueue, whole: bool) -> Turn:
    verdict = _verdict(call, state, whole)
    return Turn(replace(call, state=state, verdict=verdict), (CancelTimer(TIMER),), CallerGone())


def _verdict(call: Call, state: InAsteriskQueue, whole: bool) -> Verdict | None:
    """What became of the call; None where what was seen of the caller's channel says it all
    (disposition.py). `whole`: nothing that AMI tells was missed."""
    who = _who_hung_up(call)
    by_caller = Party.CALLER if who is Party.CALLER else None
    match state.stage:
        case AsteriskStage.DONE:
            reason = "" if state.ended_by in _ENDED_BY else "transferred_by_agent"
            return Verdict(Disposition.ANSWERED, reason, _ENDED_BY.get(state.ended_by))
        case AsteriskStage.TALKING:
            return None if call.caller.lost else Verdict(Disposition.ANSWERED, "", who)
        case AsteriskStage.GONE if whole:
            return Verdict(Disposition.TRANSFERRED, "left_queue", by_caller)
        case AsteriskStage.ABANDONED:
            return None
    if whole or not state.away or call.caller.answered_at is None or call.caller.lost:
        return None
    return Verdict(Disposition.UNOBSERVED, "not_followed", by_caller)


def _who_hung_up(call: Call) -> Party | None:
    """Whose side asked to end first; None where nobody's was seen to."""
    for seen in call.evidence:
        if seen.what == "hangup_requested" and seen.leg == CALLER and not seen.soft:
            return Party.CALLER
        if seen.what == AGENT_HUNG_UP:
            return Party.CALLEE
    return None


def _name(call: Call) -> str:
    step = call.step
    assert isinstance(step, AsteriskQueue)
    return step.queue
