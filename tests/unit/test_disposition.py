"""From evidence to disposition: one row for each row of the two tables of evidence."""

from datetime import timedelta

import pytest

from router.core.call import CALLER
from router.core.events import (
    AsteriskLost,
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegLost,
    LegReady,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.plan import CallPlan, Dialplan, HangUp, Refuse, Ring, Step
from router.core.record import AttemptOutcome, Disposition, Evidence, Party, Phase
from tests.unit.story import (
    ANNA,
    ARRIVAL,
    BO,
    CALLER_BYE,
    CALLER_CANCELS,
    CALLER_UP,
    GOODBYE,
    HELLO,
    OVERDUE,
    RING_ANNA,
    RING_BOTH,
    Later,
    Story,
    after,
    gone,
    let_go,
    plan,
    rings,
    story,
    talk,
)

Events = tuple[CallEvent | Later, ...]

# What became of a leg

DIALLED = (LegReady(1),)


def ended(cause: int, tech_cause: int = 0) -> Events:
    return (LegEnded(1, cause, tech_cause),)


LEGS: list[tuple[str, Events, AttemptOutcome, str]] = [
    ("busy", (*rings(), *ended(17, 486)), AttemptOutcome.BUSY, ""),
    ("busy everywhere", (*rings(), *ended(17, 600)), AttemptOutcome.BUSY, ""),
    ("busy, by the cause", (*rings(), *ended(17)), AttemptOutcome.BUSY, ""),
    ("declined", (*rings(), *ended(21, 603)), AttemptOutcome.DECLINED, ""),
    ("declined: forbidden", (*DIALLED, *ended(21, 403)), AttemptOutcome.DECLINED, "forbidden"),
    (
        "declined: unwanted, though the cause is 127",
        (*rings(), *ended(127, 607)),
        AttemptOutcome.DECLINED,
        "unwanted",
    ),
    ("declined, by the cause", (*rings(), *ended(21)), AttemptOutcome.DECLINED, ""),
    ("no answer: our timer", (*rings(), TimerFired("ring"), *let_go(1)), AttemptOutcome.NO_ANSWER, ""),
    (
        "no answer: our timer, 480",
        (*rings(), TimerFired("ring"), *ended(19, 480)),
        AttemptOutcome.NO_ANSWER,
        "",
    ),
    ("no answer: Asterisk's timer", (*rings(), *ended(19)), AttemptOutcome.NO_ANSWER, ""),
    ("no answer: it rang and gave up", (*rings(), *ended(19, 480)), AttemptOutcome.NO_ANSWER, "unavailable"),
    (
        "unavailable: 480 without ringing",
        (*DIALLED, *ended(19, 480)),
        AttemptOutcome.UNREACHABLE,
        "unavailable",
    ),
    ("unreachable: a silent host", (*DIALLED, *ended(18, 408)), AttemptOutcome.UNREACHABLE, "no_response"),
    ("unreachable: silent, by the cause", (*DIALLED, *ended(18)), AttemptOutcome.UNREACHABLE, "no_response"),
    (
        "unreachable: not registered",
        (CommandFailed("CreateLeg", 1, 500),),
        AttemptOutcome.UNREACHABLE,
        "offline",
    ),
    ("unreachable: absent", (*DIALLED, *ended(20)), AttemptOutcome.UNREACHABLE, "offline"),
    ("invalid: unallocated", (*DIALLED, *ended(1, 404)), AttemptOutcome.INVALID_NUMBER, "unallocated"),
    ("invalid: not anywhere", (*DIALLED, *ended(1, 604)), AttemptOutcome.INVALID_NUMBER, "unallocated"),
    ("invalid: incomplete", (*DIALLED, *ended(28, 484)), AttemptOutcome.INVALID_NUMBER, "incomplete"),
    ("invalid: changed", (*DIALLED, *ended(22, 410)), AttemptOutcome.INVALID_NUMBER, "number_changed"),
    (
        "congestion: unavailable",
        (*DIALLED, *ended(34, 503)),
        AttemptOutcome.CONGESTION,
        "service_unavailable",
    ),
    ("congestion: server error", (*DIALLED, *ended(38, 500)), AttemptOutcome.CONGESTION, "server_error"),
    ("congestion: bad gateway", (*DIALLED, *ended(27, 502)), AttemptOutcome.CONGESTION, "bad_gateway"),
    ("congestion: time-out", (*DIALLED, *ended(102, 504)), AttemptOutcome.CONGESTION, "gateway_timeout"),
    ("media", (*DIALLED, *ended(58, 488)), AttemptOutcome.MEDIA, ""),
    ("redirected, never followed", (*DIALLED, *ended(23, 302)), AttemptOutcome.REDIRECTED, ""),
    ("a cause without a meaning", (*rings(), *ended(111)), AttemptOutcome.FAILED, "cause_111"),
    (
        "the create had no reply",
        (CommandFailed("CreateLeg", 1, 0), *let_go(1)),
        AttemptOutcome.FAILED,
        "no_reply",
    ),
    (
        "the dial was refused",
        (*DIALLED, CommandFailed("DialLeg", 1, 409), *let_go(1)),
        AttemptOutcome.FAILED,
        "refused",
    ),
    ("its end was not seen", (*rings(), LegLost(1)), AttemptOutcome.UNOBSERVED, ""),
    ("the caller left first", (*rings(), CALLER_CANCELS, *gone(1)), AttemptOutcome.CANCELLED, ""),
    ("it got the call", (*talk(), HangupRequested(1, 16), *gone(1)), AttemptOutcome.ANSWERED, ""),
]


@pytest.mark.parametrize(
    ("events", "outcome", "reason"), [row[1:] for row in LEGS], ids=[row[0] for row in LEGS]
)
def test_what_became_of_a_leg(events: Events, outcome: AttemptOutcome, reason: str) -> None:
    call = story(plan(RING_ANNA), events, *gone())
    assert (call.attempt.outcome, call.attempt.reason) == (outcome, reason)


def test_a_leg_that_we_cancelled_for_another_was_answered_elsewhere() -> None:
    # 26 is what we asked for, 486 what the phone made of it: our own intent decides.
    call = story(plan(RING_BOTH), rings(2), talk(1), LegEnded(2, 26, 486), CALLER_BYE, gone(), gone(1))
    assert call.outcomes == [AttemptOutcome.ANSWERED, AttemptOutcome.ANSWERED_ELSEWHERE]


# What became of a call

D, P = Disposition, Party
SOFT = True
Verdict = tuple[Disposition, str, Party | None]
Row = tuple[str, CallPlan, Events, Verdict]
RINGS = plan(RING_ANNA)
THEN_GONE = (*gone(), *gone(1))

CALLS: list[Row] = [
    (
        "the caller left unanswered",
        RINGS,
        (*rings(), CALLER_CANCELS, *THEN_GONE),
        (D.ABANDONED, "", P.CALLER),
    ),
    (
        "the caller left unanswered, by the status",
        RINGS,
        (*rings(), LegLeft(CALLER), LegEnded(CALLER, 127, 487), *gone(1)),
        (D.ABANDONED, "", P.CALLER),
    ),
    ("the caller left a talk", RINGS, (*talk(), CALLER_BYE, *THEN_GONE), (D.ANSWERED, "", P.CALLER)),
    (
        "the callee ended the talk",
        RINGS,
        (*talk(), HangupRequested(1, 16), *gone(1), *let_go()),
        (D.ANSWERED, "", P.CALLEE),
    ),
    (
        "both at once, the callee first",
        RINGS,
        (*talk(), HangupRequested(1, 16), CALLER_BYE, *THEN_GONE),
        (D.ANSWERED, "", P.CALLEE),
    ),
    ("we ended", plan(HELLO), (CALLER_UP, PlaybackEnded(1), *let_go()), (D.INFORMED, "", P.ROUTER)),
    (
        "the caller's RTP stopped",
        RINGS,
        (*talk(), HangupRequested(CALLER, 1, SOFT), *gone(CALLER, 44), *gone(1)),
        (D.DROPPED, "rtp_timeout", P.NETWORK),
    ),
    (
        "the callee's RTP stopped",
        RINGS,
        (*talk(), HangupRequested(1, 1, SOFT), *gone(1, 44), *let_go()),
        (D.DROPPED, "rtp_timeout", P.NETWORK),
    ),
    (
        "RTP stopped, by the cause alone",
        RINGS,
        (*talk(), LegEnded(1, 44), *let_go()),
        (D.DROPPED, "rtp_timeout", P.NETWORK),
    ),
    (
        "RTP stopped in a greeting",
        plan(HELLO, RING_ANNA),
        (CALLER_UP, HangupRequested(CALLER, 1, SOFT), *gone(CALLER, 44)),
        (D.DROPPED, "rtp_timeout", P.NETWORK),
    ),
    (
        "no ACK, or the session timer",
        RINGS,
        (*talk(), *gone(1, 18, 408)[1:], *let_go()),
        (D.DROPPED, "session_timer", P.NETWORK),
    ),
    (
        "the peer's Reason header: 38",
        RINGS,
        (*talk(), HangupRequested(1, 38), *gone(1, 38), *let_go()),
        (D.DROPPED, "network", P.NETWORK),
    ),
    (
        "the peer's Reason header: 41",
        RINGS,
        (*talk(), HangupRequested(CALLER, 41), *THEN_GONE),
        (D.DROPPED, "network", P.NETWORK),
    ),
    (
        "the caller's dead-man timer fired",
        RINGS,
        (*rings(), LegLeft(CALLER), *gone(1), OVERDUE),
        (D.TRANSFERRED, "dead_man", P.ROUTER),
    ),
    (
        "the callee's dead-man timer fired",
        RINGS,
        (*talk(), *gone(1), *let_go()),
        (D.DROPPED, "dead_man", P.ROUTER),
    ),
    ("Asterisk lost in a talk", RINGS, (*talk(), AsteriskLost()), (D.DROPPED, "asterisk_lost", P.NETWORK)),
    ("Asterisk lost while waiting", RINGS, (AsteriskLost(),), (D.DROPPED, "asterisk_lost", P.NETWORK)),
    (
        "absent when we came back",
        RINGS,
        (*talk(), LegLost(CALLER, ARRIVAL), LegLost(1), RouterReturned()),
        (D.UNOBSERVED, "router_away", None),
    ),
    (
        "ended at Asterisk's console",
        RINGS,
        (*talk(), HangupRequested(1, 32, SOFT), *gone(1), *let_go()),
        (D.DROPPED, "soft_hangup", None),
    ),
    (
        "the callee went before the caller was connected",
        RINGS,
        (*rings(), LegAnswered(1), HangupRequested(1, 16), *gone(1), *let_go()),
        (D.NO_ANSWER, "callee_left", P.CALLEE),
    ),
    (
        "the caller went before being connected",
        RINGS,
        (*rings(), LegAnswered(1), CALLER_CANCELS, *THEN_GONE),
        (D.ABANDONED, "", P.CALLER),
    ),
    (
        "our answer failed because the caller was leaving",
        RINGS,
        (*rings(), LegAnswered(1), CommandFailed("AnswerCaller", 0, 409), CALLER_CANCELS, *THEN_GONE),
        (D.ABANDONED, "", P.CALLER),
    ),
    (
        "a talk that we cut off: its bridge was lost and could not be made again",
        RINGS,
        (*talk(), CommandFailed("Bridge", 1, 500), *let_go(), *let_go(1)),
        (D.DROPPED, "command_failed", P.ROUTER),
    ),
    (
        "handed to the dialplan",
        plan(Dialplan("fallback", "s", "draining")),
        (LegLeft(CALLER),),
        (D.TRANSFERRED, "draining", P.ROUTER),
    ),
    (
        "the caller left while being handed over",
        plan(Dialplan("fallback", "s")),
        (CALLER_CANCELS, *gone()),
        (D.ABANDONED, "", P.CALLER),
    ),
    (
        "lost while being handed over",
        plan(Dialplan("fallback", "s")),
        (LegLost(CALLER),),
        (D.UNOBSERVED, "router_away", None),
    ),
    (
        "blocked, whatever came after",
        plan(Refuse("decline"), blocked_by="spam"),
        (CALLER_CANCELS, *gone()),
        (D.BLOCKED, "spam", P.ROUTER),
    ),
    ("a route that only refuses", plan(Refuse("busy")), let_go(), (D.BLOCKED, "route sales", P.ROUTER)),
    ("an empty plan", plan(), let_go(), (D.BLOCKED, "route sales", P.ROUTER)),
    ("no route", plan(HangUp(), no_route=True), let_go(), (D.FAILED, "no_route", P.ROUTER)),
    ("nobody to ring", plan(Ring((), 20.0)), let_go(), (D.FAILED, "nobody_available", P.ROUTER)),
    (
        "asked to be hung up and nothing ever came",
        plan(HangUp(), no_route=True),
        (OVERDUE, OVERDUE, OVERDUE),
        (D.FAILED, "no_route", P.ROUTER),
    ),
]


@pytest.mark.parametrize(
    ("the_plan", "events", "verdict"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS]
)
def test_what_became_of_a_call(the_plan: CallPlan, events: Events, verdict: Verdict) -> None:
    record = story(the_plan, events).record
    assert (record.disposition, record.reason, record.hung_up_by) == verdict


BUSY, DECLINED, ABSENT = (17, 486), (21, 603), (20, 480)
CONGESTED, RANG_OUT, FORWARD = (34, 503), (19, 0), (23, 302)
Cause = tuple[int, int]
MIXED: list[tuple[str, Cause, Cause, tuple[int, ...], Disposition, str]] = [
    ("both busy", BUSY, BUSY, (), D.BUSY, ""),
    ("busy and unreachable", BUSY, ABSENT, (), D.BUSY, ""),
    ("busy and congested", CONGESTED, BUSY, (), D.BUSY, ""),
    ("busy, and one rang", RANG_OUT, BUSY, (1,), D.NO_ANSWER, ""),
    ("both busy after ringing", BUSY, BUSY, (1,), D.NO_ANSWER, "busy"),
    ("declined and busy", DECLINED, BUSY, (), D.NO_ANSWER, "declined"),
    ("both unreachable", ABSENT, ABSENT, (), D.FAILED, "unreachable"),
    ("both congested", CONGESTED, CONGESTED, (), D.FAILED, "congestion"),
    ("both redirected", FORWARD, FORWARD, (), D.FAILED, "redirected"),
]


@pytest.mark.parametrize(
    ("anna", "bo", "ringing", "disposition", "reason"),
    [row[1:] for row in MIXED],
    ids=[row[0] for row in MIXED],
)
def test_mixed_failures_with_nobody_answering(
    anna: Cause, bo: Cause, ringing: tuple[int, ...], disposition: Disposition, reason: str
) -> None:
    call = story(plan(RING_BOTH), *(rings(leg) for leg in ringing), LegReady(1), LegReady(2))
    record = call.then(LegEnded(1, *anna), LegEnded(2, *bo), let_go()).record
    assert (record.disposition, record.reason) == (disposition, reason)


# The rest of the record


def test_glare_is_flagged_even_after_a_losing_leg_left() -> None:
    both = (HangupRequested(1, 16), CALLER_BYE, *gone(1), *gone())
    call = story(plan(RING_BOTH), rings(2), talk(1), gone(2), both)
    assert call.record.flags == ("glare",)


NO_GLARE: list[tuple[str, Events]] = [
    ("the caller answers our hangup with a BYE", (HangupRequested(1, 16), *gone(1), CALLER_BYE, *gone())),
    ("only our own hangup was asked of the caller", (HangupRequested(1, 16), *let_go(), *gone(1))),
]


@pytest.mark.parametrize("events", [row[1] for row in NO_GLARE], ids=[row[0] for row in NO_GLARE])
def test_no_glare(events: Events) -> None:
    assert story(plan(RING_ANNA), talk(), events).record.flags == ()


RINGING: list[tuple[str, tuple[Step, ...], Events, float]] = [
    ("nobody rang", (RING_ANNA,), (*ended(17, 486), *let_go()), 0.0),
    ("until the answer", (RING_ANNA,), (*rings(), after(9, LegAnswered(1)), CALLER_UP, CALLER_BYE), 9.0),
    ("until the caller left", (RING_ANNA,), (*rings(), after(7, CALLER_CANCELS)), 7.0),
    (
        "one within the other",
        (RING_BOTH,),
        (*rings(1), *rings(2), after(6, LegEnded(2, 17)), CALLER_BYE),
        9.0,
    ),
    ("one after the other", (RING_BOTH,), (*rings(1), *ended(17), *rings(2), after(4, CALLER_BYE)), 5.0),
    ("one into the other", (RING_BOTH,), (*rings(1), *rings(2), after(3, LegEnded(1, 17)), CALLER_BYE), 6.0),
]


@pytest.mark.parametrize(
    ("steps", "events", "seconds"), [row[1:] for row in RINGING], ids=[row[0] for row in RINGING]
)
def test_how_long_phones_rang(steps: tuple[Step, ...], events: Events, seconds: float) -> None:
    call = story(plan(*steps), events)
    legs = [gone(leg.number) for leg in call.call.legs if not leg.gone]
    at_once = [after(0, event) for events in legs for event in events]
    assert call.then(at_once).record.ring_seconds == seconds


def test_times_are_never_negative_though_the_clock_was_set_back() -> None:
    record = story(plan(RING_ANNA), talk(), after(-3600, CALLER_BYE), THEN_GONE).record
    assert (record.talk_seconds, record.wait_seconds, record.ring_seconds) == (0.0, 4.0, 1.0)


def test_an_attempt_is_told_with_its_times_and_causes() -> None:
    call = story(plan(RING_ANNA), rings(), LegEnded(1, 17, 486), let_go())
    attempt = call.attempt
    seconds = [(at - ARRIVAL) / timedelta(seconds=1) for at in (attempt.started_at, attempt.ended_at)]
    assert (attempt.number, attempt.target, attempt.dial) == (1, ANNA.name, ANNA.dial)
    assert (seconds, attempt.cause, attempt.tech_cause) == ([0.0, 3.0], 17, 486)
    assert (attempt.ringing_at, attempt.answered_at) == (ARRIVAL + timedelta(seconds=2), None)


def test_a_leg_whose_end_was_never_confirmed_ends_with_the_record() -> None:
    call = story(plan(RING_ANNA), CALLER_CANCELS, gone(), OVERDUE, OVERDUE, OVERDUE)
    assert (call.attempt.ended_at, call.record.flags) == (call.now, ("unclean",))


def test_the_evidence_is_kept_in_its_order() -> None:
    record = story(plan(HELLO, RING_ANNA), CALLER_UP, CALLER_BYE, LegLeft(0), LegEnded(0, 16, 200)).record
    at = [ARRIVAL + timedelta(seconds=second) for second in (2, 3, 4)]
    assert record.evidence == (
        Evidence(at[0], "hangup_requested", cause=16),
        Evidence(at[1], "left"),
        Evidence(at[2], "ended", cause=16, tech_cause=200),
    )
    assert (record.phase, record.ended_at, record.classifier) == (Phase.GREETING, at[0], 4)


def test_a_caller_who_hears_a_closing_after_nobody_answered_was_not_informed() -> None:
    call: Story = story(plan(RING_BOTH, GOODBYE), rings(1), TimerFired("ring"), gone(1), gone(2), CALLER_BYE)
    record = call.then(gone()).record
    assert (record.disposition, record.phase) == (D.NO_ANSWER, Phase.CLOSING)
    assert [attempt.target for attempt in record.attempts] == ["anna", BO.name]
