"""The call machine: `step(call, event, now) -> (call, commands)`, the whole life of one call.

Theory of operation
-------------------
A call is always in one of the states of call.py, and there is one function for each: those of the plan's
steps live in steps/, as does Transferring, which adds steps to it; Talking, Ending and Over are here. Every
event is first *observed*: what it says of a
leg is written into that leg, and kept as evidence, whatever the state. Then comes what all states share:

- The caller may leave at any moment. Whatever rings is cancelled at once, and the call is Ending.
- While a caller waits, the dead-man timer of the caller and of each unanswered leg is set anew every REFRESH
  seconds. If we die, Asterisk takes the caller back to the dialplan and ends the legs. It is lifted once two
  people talk.

Only then the state's own function sees the event. A step that is over says how, and the machine walks on
along the plan; when nothing is left of it, the call is ended.

Ending waits until every channel is gone, because the cause that tells a network failure from a goodbye comes
last, with ChannelDestroyed; and until a recording has ended, which tells whether the caller left a message.
It cannot wait for ever: overdue ends are demanded again, and after MAX_CHECKS the record is written with the
flag `unclean`. So every call ends in exactly one Finish.

The machine is deterministic: replaying the journalled events gives the same state, which is how a new process
takes over the calls of one that died. TimerFired(DEAD_MAN) changes nothing and need not be journalled.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

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
    with_evidence,
    with_flag,
    with_leg,
)
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CallCommand,
    CancelTimer,
    DestroyBridge,
    DestroyLegBridge,
    DiscardRecording,
    Finish,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    LeaveQueue,
    LiftDeadMan,
    OpenBridge,
    ReturnToDialplan,
    SetChannelVariables,
    SetDeadMan,
    SetTimer,
    StopRecording,
    StopRinging,
)
from router.core.disposition import make_record
from router.core.events import (
    AsteriskLost,
    BridgeLost,
    CallerJoined,
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegLost,
    LegReplaced,
    PlaybackEnded,
    RecordingEnded,
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
from router.core.record import CallInfo, Evidence, Phase
from router.core.steps import (
    ask,
    asteriskqueue,
    callback,
    directory,
    message,
    offering,
    question,
    queue,
    ring,
    say,
    transfer,
)

DEAD_MAN = "dead_man"
"""The timer that has the dead-man timers in Asterisk set anew."""

REFRESH = 3.8
"""Seconds between two settings of a dead-man timer: with those that a setting may wait (edge/deadmen.py) at
most half the length of the shortest timer that can be chosen, so that one lost command does no harm."""

CLEAN_UP = "clean_up"
"""The timer that looks after the ends we wait for."""

OVERDUE = 5.0
"""Seconds after which a channel that should be gone is told again."""

DEPARTURE = 1.0
"""Seconds we wait for the end of a caller who left our application without a hangup request. A channel that
died is gone at once; one that the dead-man timer took to the dialplan stays."""

MAX_CHECKS = 3

TAGGED = "tagged"
"""What evidence calls a tag that the rules put on the call."""

UNCLEAN = "unclean"
"""Flag of a call whose channels' ends were never all confirmed."""

LIFT_FAILED = "lift_failed"
"""Flag of a call whose dead-man timer did not come off at once: it is tried a second time, not for ever."""

NO_REPLY = "no_reply"
"""Flag of a call for which Asterisk once did not reply in time: it is told a second time, not for ever."""

_WAITING = Saying | Asking | Messaging | Searching | Ringing | Queueing | CallingBack | Transferring
"""The states in which a caller waits for somebody or something."""

_HEARING = Saying | Asking | Messaging | Searching
"""Those in which something is played to the caller."""

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

_CANCEL_TIMERS = (
    *ring.CANCEL_TIMERS,
    *queue.CANCEL_TIMERS,
    *message.CANCEL_TIMERS,
    *callback.CANCEL_TIMERS,
    CancelTimer(question.TIMER),
)
"""Of all steps that have timers."""

_IN_BRIDGES = ("Play", "PlayToLeg", "Record", "StartMusic")
"""Commands that need a bridge."""

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
    return call, (*commands, SetTimer(DEAD_MAN, REFRESH))


def step(call: Call, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    """The next state of a call after one event, and what to do."""
    seen = observe(call, event, now)
    match seen.state:
        case Over():
            return call, ()  # A late event of a call whose record is written changes nothing.
        case _ if isinstance(event, AsteriskLost):
            call, finish = _finish(seen, now)
            return call, (*_queue_left(seen), *finish)
        case _ if isinstance(event, TransferAsked | LegReplaced) and transfer.gives_nothing(seen, event):
            return seen, transfer.undone(seen, event)
        case Ending() as ending:
            return _ending(seen, ending, event, now)
        case state:
            return _under_way(seen, state, event, now)


def _under_way(call: Call, state: UnderWay, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    """What all states share while the call goes on, before the state's own function."""
    leaves = _asks_to_end(event, CALLER) and not isinstance(state, InAsteriskQueue | CallingBack)
    if leaves or isinstance(event, CallerJoined):
        return _end(call, Ending(), now, going=CALLER)
    if isinstance(event, TalkFound):
        return _found_talking(call, event), (*_CANCEL_TIMERS, *_talk_outlives_us(event.leg))
    if isinstance(event, CommandFailed) and event.command not in offering.COMMANDS:
        return _command_failed(call, event, now)
    call, commands = _in_state(call, state, event, now)
    if isinstance(event, RouterReturned):
        commands += _told_again(call)
    back = isinstance(state, InAsteriskQueue)  # where no dead-man timer runs
    if back or isinstance(event, RouterReturned) or event == TimerFired(DEAD_MAN):
        commands += _dead_man_again(call)
    return call, commands


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
    return isinstance(event, HangupRequested | LegLeft | LegEnded | LegLost) and event.leg == leg


def _after(turn: Turn, now: datetime) -> tuple[Call, Commands]:
    """What follows a turn of a step: nothing yet, the talk, or the next step."""
    if turn.outcome is None:
        return turn.call, turn.commands
    if isinstance(turn.outcome, CallerGone):
        call, commands = _end(turn.call, Ending(), now, going=CALLER)
    elif isinstance(turn.outcome, Connected):
        call, commands = _connect(turn.call, turn.outcome.leg, now)
    elif isinstance(turn.outcome, Settled):
        settled = replace(turn.call, settled=turn.outcome)
        call, commands = _end(settled, Ending(HangupReason.NORMAL), now)
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
    call, last = _end(replace(call, position=None), Ending(HangupReason.NORMAL), now)
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
        case SetTags(tags):
            for tag in tags:
                call = with_evidence(call, Evidence(now, TAGGED, detail=tag))
            return Turn(call, outcome=Done())
        case SetVariables(variables):
            return Turn(call, (SetChannelVariables(variables),), Done())
        case Refuse(treatment, blocked_by):
            return Turn(*_end(replace(call, refused_by=blocked_by), Ending(_REFUSAL[treatment]), now))
        case HangUp():
            return Turn(*_end(call, Ending(HangupReason.NORMAL), now))
        case Dialplan(context, extension, reason):
            call, commands = _end(call, Ending(dialplan=reason), now, going=CALLER)
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
    talk = (Bridge(partner), *_talk_outlives_us(partner))
    return _if_both_up(call, now), (*answer, *talk, *silence, *own)


def _talk_outlives_us(partner: int) -> Commands:
    return (CancelTimer(DEAD_MAN), LiftDeadMan(partner))


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
        return _end(call, Ending(), now, going=state.leg)
    match event:
        case LegAnswered(leg) if leg == CALLER:
            return _if_both_up(call, now), ()
        case TransferAsked():
            call, commands = transfer.asked(call, event, now)
            return call, (*commands, *_dead_man_again(call))
        case LegReplaced():
            return transfer.replaced(call, event, now)
        case BridgeLost():
            return call, (Bridge(state.leg),)
        case RouterReturned():
            return call, _talk_outlives_us(state.leg)
        case _:
            # Losing legs that end, or answer too late: observed. Old playbacks and timers: nothing.
            return call, ()


def _command_failed(call: Call, event: CommandFailed, now: datetime) -> tuple[Call, Commands]:
    """A command for the caller or the talk failed. 404 means that a channel is going, and its own events say
    more; but of what is done in a bridge, that there is none."""
    if event.status == 404 and event.command not in _IN_BRIDGES:
        return call, ()
    match event.command:
        case "AnswerCaller" if call.caller.state is LegState.UP:
            return call, ()  # The reply was lost, not the answer.
        case "AnswerCaller" | "OpenBridge" | "Bridge" if event.status == 0:
            # Asterisk may have done it, or stands still for a moment, and then several have no reply at once.
            # Told twice they do no harm; whether it helped, the channels' own events will show.
            if NO_REPLY in call.flags:
                return call, ()
            bridge = Bridge(call.partner) if call.partner is not None else OpenBridge()
            answer = () if call.caller.state is LegState.UP else (AnswerCaller(),)
            return with_flag(call, NO_REPLY), (*answer, bridge)
        case "AnswerCaller" | "OpenBridge" | "Bridge":
            return _end(call, Ending(HangupReason.COMMAND_FAILED), now)
        case "Play" if isinstance(call.state, Queueing) and call.state.playback is not None:
            return _in_state(call, call.state, PlaybackEnded(call.state.playback, failed=True), now)
        case "Play" if isinstance(call.state, _HEARING) and call.playing:
            return _in_state(call, call.state, PlaybackEnded(call.playing[0], failed=True), now)
        case "PlayToLeg" if isinstance(call.state, CallingBack):
            return _in_state(call, call.state, PlaybackEnded(call.state.playback, failed=True), now)
        case "PlayToLeg" if isinstance(call.state, Ringing | Queueing):
            hearing = (one.playback for one in call.state.asked if one.leg == event.leg)
            playback = next((number for number in hearing if number is not None), None)
            if playback is None:
                return call, ()
            return _in_state(call, call.state, PlaybackEnded(playback, failed=True), now)
        case "Record" if isinstance(call.state, Messaging) and event.status:
            ended = RecordingEnded(call.recordings, failed=True)
            return _in_state(call, call.state, ended, now)
        case "StartMusic" if isinstance(call.state, Ringing | Queueing):
            return call, (IndicateRinging(),)
        case "StopMusic" if event.status == 0 and NO_REPLY not in call.flags:
            return with_flag(call, NO_REPLY), say.music_again(call)
        case "EnterAsteriskQueue" if isinstance(call.state, InAsteriskQueue):
            if event.status:
                return _in_state(call, call.state, event, now)
            if call.state.away or NO_REPLY in call.flags:
                return call, ()
            return with_flag(call, NO_REPLY), asteriskqueue.again(call)
        case "LiftDeadMan" if LIFT_FAILED not in call.flags and isinstance(call.state, Talking):
            return with_flag(call, LIFT_FAILED), _talk_outlives_us(call.state.leg)
        case _:
            # Ringing tone, dead-man timers (set anew soon), hangups of lost legs (checked at the end).
            return call, ()


def _told_again(call: Call) -> Commands:
    """What a gap may have swallowed: our answer, the bridge that prompts need, music, the end of legs that
    were given up and may ring on, and variables."""
    answer = (AnswerCaller(),) if call.answering and call.caller.state is not LegState.UP else ()
    bridge = (OpenBridge(),) if call.bridged and isinstance(call.state, _WAITING) else ()
    given_up = (HangUpLeg(leg.number, leg.intent) for leg in call.legs if leg.intent and not leg.gone)
    steps = (call.plan.nodes[at].step for at in call.met)
    variables = (SetChannelVariables(one.variables) for one in steps if isinstance(one, SetVariables))
    return (*answer, *bridge, *say.music_again(call), *given_up, *variables)


def _dead_man_again(call: Call) -> Commands:
    """Set the dead-man timers anew while the caller waits."""
    if not isinstance(call.state, _WAITING):
        return ()
    legs = tuple(leg.number for leg in call.legs[1:] if not leg.gone and leg.intent is None)
    return SetDeadMan(legs), SetTimer(DEAD_MAN, REFRESH)


def _end(call: Call, ending: Ending, now: datetime, going: int | None = None) -> tuple[Call, Commands]:
    """Have everything hung up that is not gone, or `going` by itself; the record waits for the ends."""
    commands: list[CallCommand] = [*_CANCEL_TIMERS, CancelTimer(DEAD_MAN)]
    reason = ending.reason or (HangupReason.CALLER_LEFT if going == CALLER else HangupReason.CALL_OVER)
    if call.caller.gone and ending.reason is not None:
        call = with_evidence(call, Evidence(now, "router_hung_up", detail=reason))
    for leg in call.legs:
        if not leg.gone and leg.intent is None and leg.number != going:
            call = _intend(call, leg, reason, now)
            commands.append(HangUpLeg(leg.number, reason))
    commands += [*_queue_left(call), *_made_gone(call)]
    call = replace(call, state=ending)
    if not _waits(call, ending):
        call, finish = _finish(call, now)
        return call, (*commands, *finish)
    departing = call.caller.state is LegState.LEFT
    return call, (*commands, SetTimer(CLEAN_UP, DEPARTURE if departing else OVERDUE))


def _queue_left(call: Call) -> Commands:
    """The caller waits no longer, and an agent's talk is over."""
    if isinstance(call.state, Queueing):
        timers = (CancelTimer(queue.offer_timer(offer.agent)) for offer in call.state.offers)
        return (*timers, LeaveQueue(queue.ABANDONED))
    return (LeaveQueue(agent=call.agent),) if call.agent else ()


def _made_gone(call: Call) -> Commands:
    """End and remove all that the call has made; what is gone already does no harm."""
    recording = () if call.recording is None else (StopRecording(call.recording),)
    own = (DestroyLegBridge(leg.number) for leg in call.legs if leg.asked)
    return (*recording, *own, *((DestroyBridge(),) if call.has_bridge else ()))


def _intend(call: Call, leg: Leg, reason: HangupReason, now: datetime) -> Call:
    """Write down that we end a leg: our own intent outranks any cause that comes back."""
    call = with_leg(call, replace(leg, intent=reason))
    if leg.number == CALLER:
        call = with_evidence(call, Evidence(now, "router_hung_up", detail=reason))
    return call


def _ending(call: Call, state: Ending, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    handing_over = state.dialplan is not None and call.caller.state not in (LegState.LEFT, LegState.ENDED)
    match event:
        case CommandFailed("ReturnToDialplan", _, status) if handing_over and status != 404:
            return _end(call, Ending(HangupReason.COMMAND_FAILED), now)
        case TimerFired(timer) if timer == CLEAN_UP and handing_over:
            return _end(call, Ending(HangupReason.COMMAND_FAILED), now)
        case RouterReturned() if handing_over:
            return call, (*_told_again(call), _to_dialplan(call), SetTimer(CLEAN_UP, OVERDUE))
        case TimerFired(timer) if timer == CLEAN_UP:
            return _overdue(call, state, now)
        case RouterReturned():
            return _overdue(call, state, now)
        case RecordingEnded(recording, failed=False) if call.recorded is None:
            call, finish = (call, ()) if _waits(call, state) else _finish(call, now)
            return call, (DiscardRecording(recording), *finish)
        case _:
            # Only the ends count now, and those are observed; our commands may well fail.
            return (call, ()) if _waits(call, state) else _finish(call, now)


def _to_dialplan(call: Call) -> ReturnToDialplan:
    step = call.step
    assert isinstance(step, Dialplan)
    return ReturnToDialplan(step.context, step.extension)


def _overdue(call: Call, state: Ending, now: datetime) -> tuple[Call, Commands]:
    """Demand again the ends that have not come; after MAX_CHECKS write the record without them."""
    state = replace(state, checks=state.checks + 1)
    call = replace(call, state=state)
    commands: list[CallCommand] = [*_made_gone(call)]
    for leg in _still_there(call, state):
        reason = leg.intent or HangupReason.NORMAL
        if leg.intent is None:
            call = _intend(call, leg, reason, now)
        commands.append(HangUpLeg(leg.number, reason))
    waits = _waits(call, state)
    if waits and state.checks < MAX_CHECKS:
        return call, (*commands, SetTimer(CLEAN_UP, OVERDUE))
    call, finish = _finish(with_flag(call, UNCLEAN) if waits else call, now)
    return call, (*commands, *finish)


def _waits(call: Call, state: Ending) -> bool:
    """Whether the record must wait for something that has not ended."""
    return call.recording is not None or bool(_still_there(call, state))


def _still_there(call: Call, state: Ending) -> list[Leg]:
    """The legs whose end is still to come. A caller in the dialplan is no longer ours to wait for."""
    kept = state.dialplan is not None or state.checks > 0
    return [leg for leg in call.legs if not leg.gone and not (kept and leg.state is LegState.LEFT)]


def _finish(call: Call, now: datetime) -> tuple[Call, Commands]:
    record = make_record(call, now)
    cancel = (*_CANCEL_TIMERS, CancelTimer(DEAD_MAN), CancelTimer(CLEAN_UP))
    return replace(call, state=Over()), (*cancel, Finish(record))
