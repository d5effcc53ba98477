"""From evidence to disposition: what became of each leg, and of the call.

A leg's outcome follows from our own intent first (a channel that we cancelled ends with any cause), then from
the SIP status, then from the Q.850 cause, as measured on Asterisk 22.10.1: 607 arrives as cause 127 and 480
as 19 with or without a timer of ours, so the SIP status says more. The call's disposition follows from the
first true cause of its end; a soft cause, a 204 or a missing event proves nothing and is never used to guess.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from router.core import talks, visits
from router.core.call import CALLER, AgentRung, Call, Ending, Leg, LegState
from router.core.commands import HangupReason
from router.core.plan import ASKS, CALLS_SOMEBODY, TELLS, Callback, Message, Queue, RingOutcome
from router.core.record import (
    Attempt,
    AttemptOutcome,
    CallRecord,
    Disposition,
    Evidence,
    LeftMessage,
    Party,
    Phase,
    Talk,
    TalkEnd,
)

CLASSIFIER = 4
"""Raised with every change of meaning here, so that history can be classified again."""


AGENT_LEFT = "callee_left"
"""The reason of a call in which who had it hung up before the two could talk."""


class LegVerdict(NamedTuple):
    """What became of one leg, with the finer reason (empty if the outcome says all)."""

    outcome: AttemptOutcome
    reason: str = ""


_BY_SIP_STATUS = {
    302: LegVerdict(AttemptOutcome.REDIRECTED),
    403: LegVerdict(AttemptOutcome.DECLINED, "forbidden"),
    404: LegVerdict(AttemptOutcome.INVALID_NUMBER, "unallocated"),
    408: LegVerdict(AttemptOutcome.UNREACHABLE, "no_response"),
    410: LegVerdict(AttemptOutcome.INVALID_NUMBER, "number_changed"),
    415: LegVerdict(AttemptOutcome.MEDIA),
    480: LegVerdict(AttemptOutcome.UNREACHABLE, "unavailable"),
    484: LegVerdict(AttemptOutcome.INVALID_NUMBER, "incomplete"),
    486: LegVerdict(AttemptOutcome.BUSY),
    488: LegVerdict(AttemptOutcome.MEDIA),
    500: LegVerdict(AttemptOutcome.CONGESTION, "server_error"),
    502: LegVerdict(AttemptOutcome.CONGESTION, "bad_gateway"),
    503: LegVerdict(AttemptOutcome.CONGESTION, "service_unavailable"),
    504: LegVerdict(AttemptOutcome.CONGESTION, "gateway_timeout"),
    600: LegVerdict(AttemptOutcome.BUSY),
    603: LegVerdict(AttemptOutcome.DECLINED),
    604: LegVerdict(AttemptOutcome.INVALID_NUMBER, "unallocated"),
    606: LegVerdict(AttemptOutcome.MEDIA),
    607: LegVerdict(AttemptOutcome.DECLINED, "unwanted"),
}

_BY_Q850_CAUSE = {
    1: LegVerdict(AttemptOutcome.INVALID_NUMBER, "unallocated"),
    17: LegVerdict(AttemptOutcome.BUSY),
    18: LegVerdict(AttemptOutcome.UNREACHABLE, "no_response"),
    19: LegVerdict(AttemptOutcome.NO_ANSWER),
    20: LegVerdict(AttemptOutcome.UNREACHABLE, "offline"),
    21: LegVerdict(AttemptOutcome.DECLINED),
    22: LegVerdict(AttemptOutcome.INVALID_NUMBER, "number_changed"),
    23: LegVerdict(AttemptOutcome.REDIRECTED),
    27: LegVerdict(AttemptOutcome.CONGESTION, "bad_gateway"),
    28: LegVerdict(AttemptOutcome.INVALID_NUMBER, "incomplete"),
    34: LegVerdict(AttemptOutcome.CONGESTION, "service_unavailable"),
    38: LegVerdict(AttemptOutcome.CONGESTION, "server_error"),
    41: LegVerdict(AttemptOutcome.CONGESTION, "service_unavailable"),
    42: LegVerdict(AttemptOutcome.CONGESTION, "service_unavailable"),
    58: LegVerdict(AttemptOutcome.MEDIA),
    102: LegVerdict(AttemptOutcome.CONGESTION, "gateway_timeout"),
}

_BY_INTENT = {
    HangupReason.NO_ANSWER: LegVerdict(AttemptOutcome.NO_ANSWER),
    HangupReason.ANSWERED_ELSEWHERE: LegVerdict(AttemptOutcome.ANSWERED_ELSEWHERE),
    HangupReason.CALLER_LEFT: LegVerdict(AttemptOutcome.CANCELLED),
    HangupReason.NORMAL: LegVerdict(AttemptOutcome.CANCELLED),
    HangupReason.CALL_OVER: LegVerdict(AttemptOutcome.CANCELLED),
    HangupReason.DECLINED_BY_KEY: LegVerdict(AttemptOutcome.DECLINED, "key"),
    HangupReason.WITHDRAWN: LegVerdict(AttemptOutcome.NO_ANSWER, "withdrawn"),
    HangupReason.NOT_TAKEN: LegVerdict(AttemptOutcome.NO_ANSWER, "not_confirmed"),
    HangupReason.TRANSFERRED: LegVerdict(AttemptOutcome.ANSWERED, "transferred"),
}

_OFFLINE = LegVerdict(AttemptOutcome.UNREACHABLE, "offline")
"""Asterisk answers 500 to `create` for an endpoint that is unknown or has no registered contact."""

_REFUSED = LegVerdict(AttemptOutcome.FAILED, "refused")

_NO_REPLY = LegVerdict(AttemptOutcome.FAILED, "no_reply")

_RING_OUTCOME = {
    AttemptOutcome.BUSY: RingOutcome.BUSY,
    AttemptOutcome.DECLINED: RingOutcome.DECLINED,
    AttemptOutcome.NO_ANSWER: RingOutcome.NO_ANSWER,
    AttemptOutcome.UNREACHABLE: RingOutcome.UNREACHABLE,
}
"""Every other outcome of a leg is `failed`."""

_TELLING = (
    RingOutcome.NO_ANSWER,
    RingOutcome.DECLINED,
    RingOutcome.BUSY,
    RingOutcome.UNREACHABLE,
    RingOutcome.FAILED,
)
"""Of several legs, the one that says most about the people: somebody was rung, refused, was busy, was not
there."""


def leg_verdict(leg: Leg, *, partner: bool) -> LegVerdict:
    """What became of an attempt; `partner` where this leg got the call last."""
    if partner and leg.answered_at:
        return LegVerdict(AttemptOutcome.ANSWERED)
    if leg.intent in _BY_INTENT:
        return _BY_INTENT[leg.intent]
    if leg.refusal is not None:
        return (_OFFLINE if leg.refusal >= 500 else _REFUSED) if leg.refusal else _NO_REPLY
    if leg.lost:
        return LegVerdict(AttemptOutcome.UNOBSERVED)
    if leg.asked:
        return _BY_INTENT[HangupReason.NOT_TAKEN]  # Who answered hung up before taking the call.
    verdict = _BY_SIP_STATUS.get(leg.tech_cause) or _BY_Q850_CAUSE.get(leg.cause)
    if leg.ringing_at and leg.tech_cause == 480:
        # The phone rang and gave up by itself: nobody answered. Without ringing it is the phone that is not
        # there.
        return LegVerdict(AttemptOutcome.NO_ANSWER, "unavailable")
    return verdict or LegVerdict(AttemptOutcome.FAILED, f"cause_{leg.cause}")


def _as_ring_outcome(verdict: LegVerdict) -> RingOutcome:
    return _RING_OUTCOME.get(verdict.outcome, RingOutcome.FAILED)


def ring_outcome(legs: list[Leg]) -> RingOutcome:
    """What `on:` branches by after a ring step in which nobody answered; no legs at all is `unreachable`."""
    seen = {_as_ring_outcome(leg_verdict(leg, partner=False)) for leg in legs}
    return next((outcome for outcome in _TELLING if outcome in seen), RingOutcome.UNREACHABLE)


class CallVerdict(NamedTuple):
    """The disposition and who ended the call; `hung_up_by` None where nobody saw."""

    disposition: Disposition
    reason: str
    hung_up_by: Party | None


class _End(NamedTuple):
    """How a call came to its end: by one of the parties, or by something that is no party's act."""

    party: Party | None
    cut_off: tuple[Disposition, str] | None = None
    """The disposition and reason of an end that was neither party's."""


JOINED = "joined"
"""What evidence calls it that the caller joined two calls, whatever is seen of the channel that
Asterisk ends then."""

_ENDS = ("hangup_requested", "left", "ended", "lost")
"""What is observed of a leg that ends."""

_SOFT_DEVICE = 1
"""Asterisk's own soft hangup of a channel whose device failed (AST_SOFTHANGUP_DEV): the RTP timeout."""

_CANCELLED = 487
"""SIP status of an inbound channel whose caller gave up before the answer."""

_NETWORK_CAUSES = {38: "network", 41: "network", 44: "rtp_timeout"}
"""Q.850 causes that neither party brings about: 38 and 41 in a peer's Reason header, 44 after an RTP timeout.
"""


def _network_reason(seen: Evidence) -> str | None:
    """Why this observation of a connected leg means that the network cut it off; None if it does not."""
    if seen.soft:
        return "rtp_timeout" if seen.cause == _SOFT_DEVICE else None
    if seen.cause in _NETWORK_CAUSES:
        return _NETWORK_CAUSES[seen.cause]
    # No ACK to our 200, or the session timer ran out: 18 with SIP 408.
    return "session_timer" if seen.cause == 18 or seen.tech_cause == 408 else None


def _first_end(call: Call) -> Evidence:
    """The first observation that one of the connected parties, we, or something else ended the call.

    No call is over without one. That we gave up because a command failed does not count where a party itself
    asked to end: it failed because that party was leaving.
    """
    parties = (CALLER, call.partner)
    asked = any(_asked(seen) and seen.leg in parties for seen in call.evidence)
    joined = next((seen for seen in call.evidence if seen.what == JOINED), None)
    if joined is not None:
        return joined

    def counts(seen: Evidence) -> bool:
        if seen.what == "router_hung_up":
            return not (asked and seen.detail == HangupReason.COMMAND_FAILED)
        return seen.what == "asterisk_lost" or (seen.leg in parties and seen.what in _ENDS)

    return next(filter(counts, call.evidence))


def _asked(seen: Evidence) -> bool:
    """True of a hangup request that came from the far end: a BYE or a CANCEL."""
    return seen.what == "hangup_requested" and not seen.soft


def _end(call: Call) -> _End:
    """Who or what ended a call."""
    first = _first_end(call)
    if first.what == "router_hung_up":
        return _End(Party.ROUTER)
    if first.what == JOINED:
        return _End(Party.CALLER)
    if first.what == "asterisk_lost":
        return _End(Party.NETWORK, (Disposition.DROPPED, "asterisk_lost"))
    if first.what == "lost":
        return _End(None, (Disposition.UNOBSERVED, "router_away"))
    if call.legs[first.leg].answered_at is not None:
        for seen in call.evidence:
            reason = _network_reason(seen) if seen.leg == first.leg else None
            if reason:
                return _End(Party.NETWORK, (Disposition.DROPPED, reason))
    called = first.leg != CALLER or call.plan.returns is not None
    if first.what == "left" and called and call.legs[first.leg].answered_at:
        return _End(Party.ROUTER, (Disposition.DROPPED, "dead_man"))
    if first.what == "left" and not called and call.caller.tech_cause != _CANCELLED:
        return _End(Party.ROUTER, (Disposition.TRANSFERRED, "dead_man"))
    if first.soft:
        # Somebody at Asterisk's console or another application: neither party, and not the network either.
        return _End(None, (Disposition.DROPPED, "soft_hangup"))
    return _End(Party.CALLER if first.leg == CALLER else Party.CALLEE)


def glare(call: Call) -> bool:
    """True if both parties asked to end before either had left: the first wins, and the call is flagged."""
    asked: set[int] = set()
    for seen in call.evidence:
        if seen.what == "left" and seen.leg in (CALLER, call.partner):
            break
        if _asked(seen):
            asked.add(seen.leg)
    return CALLER in asked and call.partner in asked


def _not_reached(call: Call, party: Party | None) -> CallVerdict:
    """What became of a call to somebody who was to be called back, and did not answer."""
    if party is Party.CALLEE:
        return CallVerdict(Disposition.NO_ANSWER, AGENT_LEFT, party)
    outcome, reason = leg_verdict(call.caller, partner=False)
    match _as_ring_outcome(LegVerdict(outcome)):
        case RingOutcome.BUSY:
            return CallVerdict(Disposition.BUSY, reason, party)
        case RingOutcome.DECLINED:
            return CallVerdict(Disposition.NO_ANSWER, outcome.value, party)
        case RingOutcome.NO_ANSWER:
            return CallVerdict(Disposition.NO_ANSWER, reason, Party.ROUTER)
        case _:
            return CallVerdict(Disposition.FAILED, reason or outcome.value, Party.NETWORK)


def _treatment_ran_out(call: Call) -> tuple[Disposition, str]:
    """The disposition and reason of a call whose plan has nobody left to ring."""
    if call.plan.no_route:
        return Disposition.FAILED, "no_route"
    met = [call.plan.nodes[at].step for at in call.met]
    told = any(isinstance(step, TELLS) for step in met)
    if not any(isinstance(step, CALLS_SOMEBODY) for step in met):
        # Who was asked something, and chose nothing, was not refused.
        told = told or any(isinstance(step, ASKS) for step in met)
        return (Disposition.INFORMED, "") if told else (Disposition.BLOCKED, f"route {call.info.route}")
    queue = next((seen for seen in reversed(call.evidence) if seen.what == visits.ENDED), None)
    if queue is not None and not any(leg.started_at >= queue.at for leg in call.legs[1:]):
        return Disposition.NO_ANSWER, f"queue_{queue.detail}"
    if call.partner is not None:
        return Disposition.NO_ANSWER, AGENT_LEFT
    verdicts = [leg_verdict(leg, partner=False) for leg in call.legs[1:]]
    if not verdicts:
        return Disposition.FAILED, "nobody_available"
    telling = min(verdicts, key=lambda verdict: _TELLING.index(_as_ring_outcome(verdict)))
    rang = any(leg.ringing_at for leg in call.legs[1:])
    if rang or telling.outcome in (AttemptOutcome.NO_ANSWER, AttemptOutcome.DECLINED):
        disposition = Disposition.NO_ANSWER
    elif telling.outcome is AttemptOutcome.BUSY:
        disposition = Disposition.BUSY
    else:
        disposition = Disposition.FAILED
    return disposition, "" if telling.outcome.value == disposition.value else telling.outcome.value


def classify(call: Call) -> CallVerdict:
    """The one disposition of a call that is over, by the precedence of the closed list."""
    end = _end(call)
    ending = call.state if isinstance(call.state, Ending) else Ending()
    blocked_by = call.plan.blocked_by or call.refused_by
    if blocked_by:
        return CallVerdict(Disposition.BLOCKED, blocked_by, end.party)
    if call.talks:
        return _after_transfer(call, end, ending)
    if ending.dialplan is not None and _first_end(call).what == "left":
        return CallVerdict(Disposition.TRANSFERRED, ending.dialplan, Party.ROUTER)
    left = left_message(call)
    if left is not None:
        # However the call ended: what was said, or wished, is there.
        wish = left.recording is None
        return CallVerdict(
            Disposition.CALLBACK_REQUESTED if wish else Disposition.MESSAGE_LEFT, "", end.party
        )
    if call.verdict is not None and end.party is not Party.NETWORK:
        return CallVerdict(call.verdict.disposition, call.verdict.reason, call.verdict.hung_up_by)
    if end.cut_off:
        return CallVerdict(*end.cut_off, end.party)
    if ending.reason is HangupReason.COMMAND_FAILED and end.party is Party.ROUTER:
        cut_off = Disposition.DROPPED if call.talk_began else Disposition.FAILED
        return CallVerdict(cut_off, "command_failed", Party.ROUTER)
    if call.talk_began:
        return CallVerdict(Disposition.ANSWERED, "", end.party)
    if call.settled is not None:
        return CallVerdict(call.settled.disposition, "", end.party)
    if call.plan.returns is not None and call.partner is not None:
        return _not_reached(call, end.party)
    if end.party is Party.CALLER and call.phase is not Phase.CLOSING:
        return CallVerdict(Disposition.ABANDONED, "", end.party)
    return CallVerdict(*_treatment_ran_out(call), end.party)


def _after_transfer(call: Call, end: _End, ending: Ending) -> CallVerdict:
    """The caller has talked with a person; whatever came after that is told beside it."""
    seen = call.verdict
    if seen is not None and end.party is not Party.NETWORK:
        # In a queue of Asterisk's own, after that talk.
        reason = seen.reason if seen.disposition is Disposition.ANSWERED else ""
        return CallVerdict(Disposition.ANSWERED, reason, seen.hung_up_by)
    if end.cut_off and ending.dialplan is None:
        return CallVerdict(*end.cut_off, end.party)
    if ending.reason is HangupReason.COMMAND_FAILED and end.party is Party.ROUTER:
        return CallVerdict(Disposition.DROPPED, "command_failed", Party.ROUTER)
    return CallVerdict(Disposition.ANSWERED, "", end.party)


def _talks(call: Call, verdict: CallVerdict, ended_at: datetime) -> tuple[Talk, ...]:
    """All talks, the one that the call ended with included."""
    hung_up = verdict.hung_up_by in (Party.CALLER, Party.CALLEE)
    end = TalkEnd.HUNG_UP if hung_up else TalkEnd.CUT_OFF
    had = (*call.talks, *talks.under_way(call, ended_at, end))
    return tuple(talks.numbered(call, talk) for talk in had)


def left_message(call: Call) -> LeftMessage | None:
    """The message, or the wish to be called back, that the caller left."""
    spoken, settled = call.recorded, call.settled
    wish = settled is not None and settled.disposition is Disposition.CALLBACK_REQUESTED
    if spoken is None and not wish:
        return None
    step = call.wish or call.step
    assert isinstance(step, Message | Callback)
    return LeftMessage(
        to=step.to,
        language=step.language,
        delivery=step.delivery,
        callback=call.callback.number if call.callback else "",
        recording=spoken.recording if spoken else None,
        seconds=spoken.seconds if spoken else 0.0,
    )


def attempt(leg: Leg, call: Call, now: datetime) -> Attempt:
    """The attempt that a leg was, for the record."""
    outcome, reason = leg_verdict(leg, partner=leg.number in (CALLER, call.partner))
    return Attempt(
        number=leg.number,
        target=leg.target.name,
        dial=leg.target.dial,
        outcome=outcome,
        reason=reason,
        started_at=leg.started_at,
        ended_at=leg.ended_at or now,
        ringing_at=leg.ringing_at,
        answered_at=leg.answered_at,
        cause=leg.cause,
        tech_cause=leg.tech_cause,
    )


def _attempt_in_queue(number: int, rung: AgentRung, call: Call, now: datetime) -> Attempt:
    """The attempt of a queue of Asterisk's own to reach an agent, for the record."""
    if rung.answered_at:
        outcome, reason = AttemptOutcome.ANSWERED, ""
    elif rung.missed_at:
        # Whether a phone that did not ring was busy, declined or is not there, AMI does not tell.
        outcome, reason = (AttemptOutcome.NO_ANSWER, "") if rung.rang else (AttemptOutcome.FAILED, "not_rung")
    elif call.verdict is not None and call.verdict.disposition is Disposition.UNOBSERVED:
        outcome, reason = AttemptOutcome.UNOBSERVED, ""
    else:
        elsewhere = call.talk_began or any(one.answered_at for one in call.rung)
        outcome = AttemptOutcome.ANSWERED_ELSEWHERE if elsewhere else AttemptOutcome.CANCELLED
        reason = ""
    return Attempt(
        number=number,
        target=rung.agent,
        dial=rung.dial,
        outcome=outcome,
        reason=reason,
        started_at=rung.since,
        ended_at=rung.missed_at or now,
        ringing_at=rung.since if rung.rang else None,
        answered_at=rung.answered_at,
    )


def _ring_seconds(call: Call, now: datetime) -> float:
    """How long at least one phone rang for the caller: the union of their ringing times."""
    legs = call.legs[1:]
    ours = [(leg.ringing_at, leg.answered_at or leg.ended_at or now) for leg in legs if leg.ringing_at]
    rung = [(one.since, one.answered_at or one.missed_at or now) for one in call.rung if one.rang]
    spans = sorted([*ours, *rung])
    total, until = timedelta(), None
    for start, stop in spans:
        begin = start if until is None or start > until else until
        total += max(stop - begin, timedelta())
        until = stop if until is None or stop > until else until
    return total.total_seconds()


def _seconds(begin: datetime, end: datetime) -> float:
    """How long something lasted; never negative, even where the clock was set back meanwhile."""
    return max((end - begin).total_seconds(), 0.0)


def make_record(call: Call, now: datetime) -> CallRecord:
    """The record of a call that is over. `now` is when its last channel went, or when we stopped waiting for
    it."""
    verdict = classify(call)
    ended_at = _first_end(call).at
    attempts = (
        *(attempt(leg, call, now) for leg in _rung(call)),
        *(_attempt_in_queue(at, rung, call, ended_at) for at, rung in enumerate(call.rung, len(call.legs))),
    )
    had = _talks(call, verdict, ended_at)
    began = had[0].began_at if had else None
    return CallRecord(
        info=call.info,
        disposition=verdict.disposition,
        phase=call.phase,
        hung_up_by=verdict.hung_up_by,
        ended_at=ended_at,
        reason=verdict.reason,
        answered_by=had[0].who if had else (call.settled and call.settled.by) or None,
        answered_at=began,
        ring_seconds=_ring_seconds(call, ended_at),
        wait_seconds=_seconds(call.info.arrived_at, began or ended_at),
        talk_seconds=sum(talk.seconds for talk in had),
        hold_seconds=sum(talk.hold_seconds for talk in had),
        talks=had,
        attempts=attempts,
        message=left_message(call),
        evidence=call.evidence,
        flags=(*call.flags, "glare") if glare(call) else call.flags,
        classifier=CLASSIFIER,
        queues=_queues(call),
        answers=call.plan.returns.call_id if call.plan.returns else "",
        tags=call.tags,
    )


def _queues(call: Call) -> tuple[str, ...]:
    """The client's queues that the caller came to."""
    met = (call.plan.nodes[at].step for at in call.met)
    return tuple(dict.fromkeys(step.queue for step in met if isinstance(step, Queue)))


def _rung(call: Call) -> tuple[Leg, ...]:
    """The legs whose phones we rang: the caller's, too, where it was they who were called back."""
    begin = 0 if call.plan.returns and call.caller.state is not LegState.ABSENT else 1
    return call.legs[begin:]
