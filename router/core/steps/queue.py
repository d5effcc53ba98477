"""`queue`: the caller waits for an agent; acd.py decides who is rung, and when.

The machine has the caller join (JoinQueue), and is told what becomes of it: that the caller waits
(QueueJoined), that an agent is to be rung (AgentOffered) or no longer (OfferWithdrawn), or that the caller is
not to wait (QueueEnded). It says what came of each offer (OfferFailed, OfferTaken), and that the caller is
gone (LeaveQueue). So only the ACD knows the order, and only the call its channels.

Until the caller waits nothing is answered: a full queue, or one without agents, costs nobody a call. Then
there is music, and now and then an announcement, during which the music stops. All phones of an agent ring
together. A caller whose time is up goes on, unless somebody who has answered is just asked whether to take
the call.

A caller who would rather not wait on the line presses the queue's callback key. Asked where, if that is not
known, they wait no longer but keep the place: the call ends, and the router makes another one, of nobody yet,
that waits from where this one came to wait (core/returning.py) and, once an agent has it, calls the caller
(callback.py). Who does not say where waits on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from msgspec.structs import replace

from router.core import visits
from router.core.call import (
    CALLER,
    Call,
    Commands,
    Connected,
    Messaging,
    Offer,
    Queueing,
    Settled,
    Turn,
    with_evidence,
)
from router.core.commands import (
    CancelTimer,
    DestroyLegBridge,
    HangupReason,
    JoinQueue,
    LeaveQueue,
    OfferFailed,
    OfferTaken,
    ReadNumber,
    SetTimer,
    StartMusic,
    StopMusic,
    StopPlayback,
    TellPosition,
)
from router.core.disposition import ring_outcome
from router.core.events import (
    AgentOffered,
    CallEvent,
    KeyPressed,
    LegEnded,
    LegLost,
    NumberRead,
    OfferWithdrawn,
    PlaybackEnded,
    QueueEnded,
    QueueJoined,
    QueueTold,
    RouterReturned,
    TimerFired,
)
from router.core.languages.catalogue import Phrase
from router.core.phrases import MINUTES, phrase
from router.core.plan import OTHERWISE, Queue, QueueOutcome, Speak
from router.core.record import Disposition, Evidence
from router.core.steps import message, offering, question, say

TIMER = "queue"
ANNOUNCE = "announce"
CANCEL_TIMERS = (CancelTimer(TIMER), CancelTimer(ANNOUNCE))

FARTHEST = 20
"""Who is behind this place in the queue is told no number."""

LEAVE = "0"
"""The key by which a caller waits no longer and goes on."""

ANSWERED = visits.ANSWERED
"""Outcome of a queue, by which the caller reached somebody and talked."""
ABANDONED = visits.ABANDONED
"""... by which the caller hung up."""
KEPT = visits.KEPT
"""... by which the caller waits no longer, but keeps the place, or is just asked for that."""


def enter(call: Call, step: Queue, now: datetime) -> Turn:
    """Come to wait; from where the place was kept, if it was."""
    returns = call.plan.returns if call.caller.gone else None  # Once reached, they wait as anybody does.
    kept = returns.since if returns else call.queued_since
    state = Queueing(kept or now, kept=kept is not None)
    return Turn(replace(call, state=state, queued_since=None), (_join(call, state, step),))


def advance(call: Call, state: Queueing, event: CallEvent, now: datetime) -> Turn:
    """Take one event of a caller who waits."""
    step = _step(call)
    legs = tuple(chain.from_iterable(offer.legs for offer in state.offers))
    moved = offering.advance(call, state, step, step.rules.ring_for, legs, event, now)
    if moved is not None:
        return _moved(moved, step, now)
    match event:
        case QueueJoined() if not state.joined:
            return _joined(call, replace(state, joined=True), step, now)
        case QueueEnded(position, outcome, by) if position == call.position:
            return _ended(call, state, outcome, by, now)
        case AgentOffered(agent) if state.joined and _offer_to(state, agent) is None:
            return _offer(call, state, step, agent, now)
        case OfferWithdrawn(agent) if (offer := _offer_to(state, agent)) is not None:
            call, left, commands = _give_up(call, state, offer)
            return _failed_if_all(call, left, step, commands, now)
        case TimerFired(timer) if (offer := _timed(state, timer)) is not None:
            unanswered = (leg for leg in offer.legs if offering.asked_of(state, leg) is None)
            call, cancels = offering.cancel(call, unanswered, HangupReason.NO_ANSWER)
            return _failed_if_all(call, state, step, cancels, now)
        case LegEnded(leg) | LegLost(leg):
            own = (DestroyLegBridge(leg),) if offering.asked_of(state, leg) is not None else ()
            return _failed_if_all(call, offering.without(state, leg), step, own, now)
        case TimerFired(timer) if timer == TIMER:
            return _time_is_up(call, state, now)
        case KeyPressed(leg, key) if leg == CALLER and key == LEAVE and state.joined:
            return _ended(call, state, QueueOutcome.LEFT, "", now)
        case KeyPressed(leg, key) if leg == CALLER and _keeps(state, step, key):
            return _keep(question.pressed(call, key, now), state, now)
        case NumberRead():
            return Turn(message.displayed(call, event))
        case TimerFired(timer) if timer == ANNOUNCE:
            return Turn(call, (TellPosition(),))
        case QueueTold() if state.joined and state.playback is None:
            return _announce(call, state, step, event)
        case PlaybackEnded(playback) if playback == state.playback:
            call = replace(say.heard(call, event, now), state=replace(state, playback=None))
            return Turn(call, (StartMusic(step.rules.music), SetTimer(ANNOUNCE, step.rules.every)))
        case RouterReturned():
            return Turn(call, _again(call, state, step, now))
        case _:
            # HangupRequested, LegLeft, LegRinging: noted by the call machine; QueueJoined, AgentOffered and
            # OfferWithdrawn once more, or of a queue before; other keys of the caller; PlaybackEnded of an
            # earlier prompt.
            return Turn(call)


def asked(call: Call, state: Messaging, event: CallEvent, now: datetime) -> Turn:
    """Take one event of a caller who is asked where to call back; who does not say it waits on."""
    turn = message.advance(call, state, event, now)
    if turn.outcome != OTHERWISE:
        return turn
    again = enter(turn.call, _step(call), now)
    return Turn(again.call, turn.commands + again.commands)


def over(call: Call, state: Queueing) -> Commands:
    """What ends with the waiting, whatever came of it."""
    offers = tuple(CancelTimer(offer_timer(offer.agent)) for offer in state.offers)
    playing = () if state.playback is None else (StopPlayback(state.playback),)
    music = (StopMusic(),) if state.joined and state.playback is None and not call.caller.gone else ()
    return (*CANCEL_TIMERS, *offers, *playing, *music)


def offer_timer(agent: str) -> str:
    """The timer after which an agent has not answered."""
    return f"offer_{agent}"


def _step(call: Call) -> Queue:
    step = call.step
    assert isinstance(step, Queue)
    return step


def _join(call: Call, state: Queueing, step: Queue) -> JoinQueue:
    assert call.position is not None
    return JoinQueue(call.position, step, state.kept)


def _joined(call: Call, state: Queueing, step: Queue, now: datetime) -> Turn:
    call = with_evidence(replace(call, state=state), Evidence(now, visits.JOINED, detail=step.queue))
    timer = SetTimer(TIMER, _left(step.wait_for, state.since, now))
    if call.caller.gone:  # Nobody is on the line who would hear anything.
        return Turn(call, (timer,))
    call, commands = say.in_bridge(call)
    told: Commands = (TellPosition(),) if step.rules.tells else ()
    look = () if step.rules.keeps is None else (ReadNumber(call.info.caller),)
    return Turn(call, (*commands, StartMusic(step.rules.music), timer, *told, *look))


def _keeps(state: Queueing, step: Queue, key: str) -> bool:
    """Whether by this key the place is kept; not while an agent who has answered may take the call."""
    keeps = step.rules.keeps
    return keeps is not None and key == keeps.key and state.joined and not state.asked


def _keep(call: Call, state: Queueing, now: datetime) -> Turn:
    """The caller is to be called back: nobody is rung for them until it is known where."""
    call, commands = _out(call, state, KEPT)
    call = with_evidence(replace(call, queued_since=state.since), Evidence(now, visits.ENDED, detail=KEPT))
    turn = message.ask_number(call)
    return Turn(turn.call, commands + turn.commands, turn.outcome)


def _offer(call: Call, state: Queueing, step: Queue, agent: str, now: datetime) -> Turn:
    targets = step.phones.get(agent, ())
    if not targets:
        return Turn(call, (OfferFailed(agent, "unreachable"),))
    call, legs, create = offering.new_legs(call, targets, now)
    state = replace(state, offers=(*state.offers, Offer(agent, legs, now)))
    timer = SetTimer(offer_timer(agent), step.rules.ring_for)
    return Turn(replace(call, state=state), (*create, timer))


def _moved(moved: offering.Moved, step: Queue, now: datetime) -> Turn:
    state = moved.call.state
    assert isinstance(state, Queueing)
    if moved.taken_by is not None:
        leg = moved.taken_by
        agent = next(offer.agent for offer in state.offers if leg in offer.legs)
        commands = (*moved.commands, OfferTaken(agent), *over(moved.call, state))
        return Turn(replace(moved.call, agent=agent), commands, Connected(leg))
    if moved.given_up is not None:
        return _failed_if_all(moved.call, state, step, moved.commands, now)
    return Turn(moved.call, moved.commands)


def _failed_if_all(call: Call, state: Queueing, step: Queue, commands: Commands, now: datetime) -> Turn:
    """What follows these commands: an offer of which all legs have failed is over."""
    for offer in state.offers:
        if offering.all_failed(call, offer.legs):
            outcome = ring_outcome([call.legs[leg] for leg in offer.legs])
            commands += (CancelTimer(offer_timer(offer.agent)), OfferFailed(offer.agent, outcome))
            state = _without(state, offer)
    call = replace(call, state=state)
    if state.late and not state.asked:
        turn = _ended(call, state, QueueOutcome.TIMEOUT, "", now)
        return Turn(turn.call, commands + turn.commands, turn.outcome)
    return Turn(call, commands)


def _time_is_up(call: Call, state: Queueing, now: datetime) -> Turn:
    if state.asked:
        return Turn(replace(call, state=replace(state, late=True)))
    return _ended(call, state, QueueOutcome.TIMEOUT, "", now)


def _out(call: Call, state: Queueing, outcome: str) -> tuple[Call, Commands]:
    """The caller waits no longer."""
    commands: Commands = over(call, state) if state.joined else ()
    for offer in state.offers:
        call, state, cancels = _give_up(call, state, offer)
        commands += cancels
    if state.joined:
        commands += (LeaveQueue(outcome),)
    return call, commands


def _ended(call: Call, state: Queueing, outcome: str, by: str, now: datetime) -> Turn:
    call, commands = _out(call, state, outcome)
    if outcome == ANSWERED:
        return Turn(call, commands, Settled(Disposition.ANSWERED, by))
    if not state.joined:
        call = with_evidence(call, Evidence(now, visits.REFUSED, detail=_step(call).queue))
    ended = with_evidence(call, Evidence(now, visits.ENDED, detail=outcome))
    return Turn(ended, commands, outcome)


def _give_up(call: Call, state: Queueing, offer: Offer) -> tuple[Call, Queueing, Commands]:
    """An agent is rung, or asked, no longer."""
    stopped: Commands = (CancelTimer(offer_timer(offer.agent)),)
    for asked in (one for one in state.asked if one.leg in offer.legs):
        stopped += offering.stop(asked)
        state = offering.without(state, asked.leg)
    call, cancels = offering.cancel(call, offer.legs, HangupReason.WITHDRAWN)
    return call, _without(state, offer), (*stopped, *cancels)


def _announce(call: Call, state: Queueing, step: Queue, told: QueueTold) -> Turn:
    """Say how it stands, if there is anything to say."""
    prompts = _announcement(step, told, call.hears_in(step.rules.language))
    if not prompts:
        return Turn(call, (SetTimer(ANNOUNCE, step.rules.every),))
    call, commands = say.play(call, prompts)
    state = replace(state, playback=call.playbacks)
    return Turn(replace(call, state=state), (StopMusic(), *commands))


def _announcement(step: Queue, told: QueueTold, language: str) -> tuple[Speak, ...]:
    say = partial(phrase, language, step.rules.tone)
    said = []
    if step.rules.position:
        if told.position == 1:
            said.append(say(Phrase.QUEUE_NEXT))
        elif told.position <= FARTHEST:
            said.append(say(Phrase.QUEUE_PLACE, number=str(told.position)))
        else:
            said.append(say(Phrase.QUEUE_FAR, number=str(FARTHEST)))
    if step.rules.wait and told.wait is not None:
        minutes = next((most for most in MINUTES if told.wait <= most * 60), MINUTES[-1])
        said.append(say(Phrase.QUEUE_WAIT, minutes=str(minutes)) if minutes > 1 else say(Phrase.QUEUE_SOON))
    if step.rules.keeps is not None:
        said.append(say(Phrase.QUEUE_CALLBACK, key=step.rules.keeps.key))
    return (*said, say(Phrase.QUEUE_LEAVE)) if said else ()


def announcements(step: Queue, language: str) -> Iterator[Speak]:
    """All that callers of the queue may hear who are spoken to in that language."""
    if step.rules.tells:
        for position in range(1, FARTHEST + 2):
            yield from _announcement(step, QueueTold(position), language)
        for minutes in MINUTES:
            yield from _announcement(step, QueueTold(1, minutes * 60.0), language)


def _again(call: Call, state: Queueing, step: Queue, now: datetime) -> Commands:
    """After a gap: join again, which does nothing to who waits still, and all timers."""
    join = _join(call, state, step)
    if not state.joined:
        return (join,)
    offers = (
        SetTimer(offer_timer(offer.agent), _left(step.rules.ring_for, offer.since, now))
        for offer in state.offers
    )
    hears = step.rules.tells and state.playback is None and not call.caller.gone
    announce = (SetTimer(ANNOUNCE, step.rules.every),) if hears else ()
    return (
        join,
        SetTimer(TIMER, _left(step.wait_for, state.since, now)),
        *offers,
        *announce,
        *offering.waits_again(state),
    )


def _left(seconds: float, since: datetime, now: datetime) -> float:
    """How many of so many seconds are left; all where the clock was set back meanwhile."""
    return max(seconds - max((now - since) / timedelta(seconds=1), 0.0), 0.0)


def _offer_to(state: Queueing, agent: str) -> Offer | None:
    return next((offer for offer in state.offers if offer.agent == agent), None)


def _timed(state: Queueing, timer: str) -> Offer | None:
    return next((offer for offer in state.offers if offer_timer(offer.agent) == timer), None)


def _without(state: Queueing, offer: Offer) -> Queueing:
    return replace(state, offers=tuple(one for one in state.offers if one is not offer))
