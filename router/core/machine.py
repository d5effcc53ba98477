"""The call machine: `step(call, event, now) -> (call, commands)`, the whole life of one call.

Theory of operation
-------------------
A call is always in one of the states of call.py, and there is one function for each: those of the plan's
steps live in steps/, as does Transferring, which adds steps to it; Ending is in ending.py, Talking and Over
are here. Every event is first *observed* (observe.py): what it says of a leg is written into that leg, and
kept as evidence, whatever the state. Then comes what all states share:

- The caller may leave at any moment. Whatever rings is cancelled at once, and the call is Ending.
- While a caller waits, the dead-man timer of the caller and of each unanswered leg is set anew every REFRESH
  seconds (deadman.py). If we die, Asterisk takes the caller back to the dialplan and ends the legs. It is
  lifted once two people talk.
- A command that failed may be told again, or be done without, or end the call (failing.py); and after a gap
  Asterisk is told again what it may not have got (retelling.py).

Only then the state's own function sees the event. A step that is over says how, and the machine walks on
along the plan; when nothing is left of it, the call is ended.

Ending waits until every channel is gone, because the cause that tells a network failure from a goodbye comes
last, with ChannelDestroyed; and until a recording has ended, which tells whether the caller left a message.
It cannot wait for ever: overdue ends are demanded again, and after MAX_CHECKS the record is written with the
flag `unclean`. So every call ends in exactly one Finish.

The machine is deterministic: replaying the journalled events gives the same state, which is how a new process
takes over the calls of one that died. TimerFired(deadman.TIMER) changes nothing and need not be journalled.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from router.core import deadman, ending, failing, retelling
from router.core.call import (
    CALLER,
    NOBODY_KNOWS,
    THE_CALLER,
    Asking,
    Call,
    CallerGone,
    CallingBack,
    Commands,
    Connected,
    Done,
    Ending,
    InAsteriskQueue,
    LedTo,
    Leg,
    LegState,
    Messaging,
    Over,
    Queueing,
    Ringing,
    Saying,
    Searching,
    Settled,
    Talking,
    Transferring,
    Turn,
)
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CancelTimers,
    DestroyLegBridge,
    HangupReason,
    ReturnToDialplan,
    SetChannelVariables,
    SetTimer,
    StopRinging,
)
from router.core.events import (
    AsteriskLost,
    BridgeLost,
    CallerJoined,
    CallerReplaced,
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegLost,
    LegReplaced,
    RouterReturned,
    TalkFound,
    TimerFired,
    TransferAsked,
)
from router.core.observe import observe
from router.core.plan import (
    AsteriskQueue,
    Callback,
    CallPlan,
    Challenge,
    Dialplan,
    Directory,
    HangUp,
    Menu,
    Message,
    Queue,
    Refuse,
    Ring,
    Say,
    SayHours,
    SetTags,
    SetVariables,
    Speak,
    Step,
    Target,
    leads_to_somebody,
)
from router.core.record import CallInfo, Phase
from router.core.steps import (
    ask,
    asteriskqueue,
    callback,
    directory,
    message,
    offering,
    queue,
    ring,
    say,
    tag,
    transfer,
)

UnderWay = (
    Saying
    | Asking
    | Messaging
    | Searching
    | Ringing
    | Queueing
    | InAsteriskQueue
    | CallingBack
    | Transferring
    | Talking
)
"""The states of a call that is not about to end."""

_WITHOUT_CALLER = (InAsteriskQueue, CallingBack)
"""States in which an end of the caller's channel does not end the call by itself."""

_ENDS = (HangupRequested, LegLeft, LegEnded, LegLost)

_REFUSAL = {
    "decline": HangupReason.DECLINE,
    "busy": HangupReason.BUSY,
    "unknown_number": HangupReason.UNKNOWN_NUMBER,
}


def begin(info: CallInfo, plan: CallPlan, now: datetime) -> tuple[Call, Commands]:
    """The first state of a call that has just arrived, and what to do first."""
    here = LegState.CREATED if plan.returns is None else LegState.ABSENT
    not_begun = Call(info=info, plan=plan, legs=(Leg(CALLER, now, THE_CALLER, here),))
    call, commands = _walk(not_begun, 0 if plan.nodes else None, now)
    if isinstance(call.state, Ending):
        return call, commands
    return call, (*commands, SetTimer(deadman.TIMER, deadman.REFRESH))


def step(call: Call, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    """The next state of a call after one event, and what to do."""
    seen = observe(call, event, now)
    match seen.state:
        case Over():
            return call, ()  # A late event of a call whose record is written changes nothing.
        case _ if isinstance(event, AsteriskLost):
            return ending.lost(seen, now)
        case _ if isinstance(event, transfer.ByAnother) and transfer.gives_nothing(seen, event):
            return seen, transfer.undone(seen, event)
        case Ending() as state:
            return ending.advance(seen, state, event, now)
        case state:
            return _under_way(seen, state, event, now)


def _under_way(call: Call, state: UnderWay, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    """What all states share while the call goes on, before the state's own function."""
    leaves = _asks_to_end(event, CALLER) and not isinstance(state, _WITHOUT_CALLER)
    if leaves or isinstance(event, CallerJoined):
        return ending.end(call, Ending(), now, going=CALLER)
    if isinstance(event, CallerReplaced):
        return transfer.caller_replaced(call, event, now), ()
    if isinstance(event, TalkFound):
        return _found_talking(call, event), (CancelTimers(), *deadman.lift(event.leg))
    if isinstance(event, CommandFailed) and event.command not in offering.COMMANDS:
        return _command_failed(call, state, event, now)
    call, commands = _in_state(call, state, event, now)
    if isinstance(event, RouterReturned):
        commands += retelling.told_again(call)
    back = isinstance(state, InAsteriskQueue)  # where no dead-man timer runs
    if back or isinstance(event, RouterReturned) or event == TimerFired(deadman.TIMER):
        commands += deadman.set_anew(call)
    return call, commands


def _command_failed(
    call: Call, state: UnderWay, event: CommandFailed, now: datetime
) -> tuple[Call, Commands]:
    """A step is told of what it wanted itself; the rest concerns the whole call."""
    if failing.means_nothing(event):
        return call, ()
    told = failing.as_event(call, event)
    return failing.failed(call, event, now) if told is None else _in_state(call, state, told, now)


def _in_state(call: Call, state: UnderWay, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    match state:
        case Saying():
            return _after(say.advance(call, state, event, now), now)
        case Asking():
            return _after(ask.advance(call, state, event, now), now)
        case Messaging() if isinstance(call.step, Queue):
            return _after(queue.asked(call, state, event, now), now)
        case Messaging():
            return _after(message.advance(call, state, event, now), now)
        case Searching():
            return _after(directory.advance(call, state, event, now), now)
        case Ringing():
            return _after(ring.advance(call, state, event, now), now)
        case Queueing():
            return _after(queue.advance(call, state, event, now), now)
        case CallingBack():
            return _after(callback.advance(call, state, event, now), now)
        case InAsteriskQueue():
            return _after(asteriskqueue.advance(call, state, event, now), now)
        case Transferring():
            return _after(transfer.advance(call, state, event, now), now)
        case Talking():
            return _talking(call, state, event, now)
        case _:
            assert_never(state)


def _asks_to_end(event: CallEvent, leg: int) -> bool:
    return isinstance(event, _ENDS) and event.leg == leg


def _after(turn: Turn, now: datetime) -> tuple[Call, Commands]:
    """What follows a turn of a step: nothing yet, the talk, or the next step."""
    if turn.outcome is None:
        return turn.call, turn.commands
    if isinstance(turn.outcome, CallerGone):
        call, commands = ending.end(turn.call, Ending(), now, going=CALLER)
    elif isinstance(turn.outcome, Connected):
        call, commands = _connect(turn.call, turn.outcome.leg, now)
    elif isinstance(turn.outcome, Settled):
        settled = replace(turn.call, settled=turn.outcome)
        call, commands = ending.end(settled, Ending(HangupReason.NORMAL), now)
    else:
        call, commands = _walk(turn.call, _next(turn.call, turn.outcome), now)
    return call, turn.commands + commands


def _next(call: Call, outcome: str | Done | LedTo) -> int | None:
    if isinstance(outcome, LedTo):
        return outcome.position
    assert call.position is not None
    node = call.plan.nodes[call.position]
    return node.then if isinstance(outcome, Done) else node.on.get(outcome, node.then)


def _walk(call: Call, position: int | None, now: datetime) -> tuple[Call, Commands]:
    """Go on along the plan from `position` until a step takes its time, or the plan is over."""
    commands: Commands = ()
    steps_left = len(call.plan.nodes)
    while position is not None and steps_left:
        steps_left -= 1
        call = replace(call, position=position, met=(*call.met, position))
        turn = _enter(call, call.plan.nodes[position].step, now)
        call, commands = turn.call, commands + turn.commands
        if turn.outcome is None:
            return call, commands
        assert not isinstance(turn.outcome, Connected | Settled | CallerGone)
        position = _next(call, turn.outcome)
    call, last = ending.end(replace(call, position=None), Ending(HangupReason.NORMAL), now)
    return call, commands + last


def _enter(call: Call, step: Step, now: datetime) -> Turn:
    call = replace(call, phase=_phase(call, step))
    match step:
        case Say() | Speak() | SayHours():
            return say.enter(call, step, now)
        case Menu() | Challenge():
            return ask.enter(call, now)
        case Ring():
            return ring.enter(call, step, now)
        case Message() | Callback():
            return message.enter(call, step, now)
        case Directory():
            return directory.enter(call, now)
        case Queue():
            return queue.enter(call, step, now)
        case AsteriskQueue():
            return asteriskqueue.enter(call, step, now)
        case SetTags():
            return tag.enter(call, step, now)
        case SetVariables(variables):
            return Turn(call, (SetChannelVariables(variables),), Done())
        case Refuse(treatment, blocked_by):
            return Turn(*ending.end(replace(call, refused_by=blocked_by), Ending(_REFUSAL[treatment]), now))
        case HangUp():
            return Turn(*ending.end(call, Ending(HangupReason.NORMAL), now))
        case Dialplan(context, extension, reason):
            call, commands = ending.end(call, Ending(dialplan=reason), now, going=CALLER)
            return Turn(call, (ReturnToDialplan(context, extension), *commands))
        case _:
            assert_never(step)


def _phase(call: Call, step: Step) -> Phase:
    """Where the caller is while in a step; steps that take no time leave that as it is."""
    match step:
        case Say() | Speak() | SayHours() | Challenge():
            return Phase.GREETING if leads_to_somebody(call.plan, call.position) else Phase.CLOSING
        case Ring():
            return Phase.RINGING
        case Menu() | Directory():
            return Phase.MENU
        case Queue() | AsteriskQueue():
            return Phase.QUEUE
        case Message() | Callback():
            return Phase.MESSAGE
        case _:
            return call.phase


def _connect(call: Call, partner: int, now: datetime) -> tuple[Call, Commands]:
    """Give the call to the leg that answered first, and cancel the others."""
    call, connecting = _put_through(replace(call, partner=partner), partner, now)
    others = (leg.number for leg in call.legs[1:] if leg.number != partner)
    call, cancels = offering.cancel(call, others, HangupReason.ANSWERED_ELSEWHERE)
    return call, connecting + cancels


def _put_through(call: Call, partner: int, now: datetime) -> tuple[Call, Commands]:
    """Let the caller and this leg talk; a caller who is not there is called first."""
    if call.caller.state is LegState.ABSENT:
        return callback.begin(replace(call, answering=True, phase=Phase.RINGING), partner, now)
    answer = () if call.answering else (AnswerCaller(),)
    hears_ringing = call.bridged and isinstance(call.state, Ringing) and not ring.plays_music(call)
    silence = (StopRinging(),) if hears_ringing else ()
    own = (DestroyLegBridge(partner),) if call.legs[partner].asked else ()
    call = replace(call, state=Talking(partner), answering=True)
    talk = (Bridge(partner), *deadman.lift(partner))
    return _if_both_up(call, now), (*answer, *talk, *silence, *own)


def _found_talking(call: Call, event: TalkFound) -> Call:
    """The call with that talk under way, and nothing known of the attempts before it."""
    began, partner = event.since, event.leg
    before = (
        Leg(number, began, NOBODY_KNOWS, LegState.ENDED, ended_at=began, lost=True)
        for number in range(CALLER + 1, partner)
    )
    phone = Target(event.dial, event.dial)
    talker = Leg(partner, began, phone, LegState.UP, answered_at=began)
    caller = replace(call.caller, state=LegState.UP, answered_at=began)
    return replace(
        call,
        legs=(caller, *before, talker),
        state=Talking(partner),
        phase=Phase.TALKING,
        answering=True,
        partner=partner,
        talk_began=began,
    )


def _if_both_up(call: Call, now: datetime) -> Call:
    if call.talk_began or call.caller.state is not LegState.UP:
        return call
    return replace(call, talk_began=now, phase=Phase.TALKING)


def _talking(call: Call, state: Talking, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    if _asks_to_end(event, state.leg):
        return ending.end(call, Ending(), now, going=state.leg)
    match event:
        case LegAnswered(leg) if leg == CALLER:
            return _if_both_up(call, now), ()
        case TransferAsked():
            call, commands = transfer.asked(call, event, now)
            return call, (*commands, *deadman.set_anew(call))
        case LegReplaced():
            return transfer.replaced(call, event, now)
        case BridgeLost():
            return call, (Bridge(state.leg),)
        case RouterReturned():
            return call, deadman.lift(state.leg)
        case _:
            # Losing legs that end, or answer too late: observed. Old playbacks and timers: nothing.
            return call, ()
