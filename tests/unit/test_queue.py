"""A caller waits for an agent: what the call machine makes of what the queue tells it."""

import pytest

from router.core.call import CALLER, Queueing, Settled
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CancelTimer,
    CancelTimers,
    CreateLeg,
    DestroyLegBridge,
    DialLeg,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    JoinQueue,
    LeaveQueue,
    OfferFailed,
    OfferTaken,
    OpenBridge,
    Play,
    PlayToLeg,
    SetDeadMan,
    SetTimer,
    StartMusic,
    StopMusic,
    StopPlayback,
    TellPosition,
)
from router.core.events import (
    AgentOffered,
    AsteriskLost,
    CommandFailed,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegReady,
    OfferWithdrawn,
    PlaybackEnded,
    QueueEnded,
    QueueJoined,
    QueueTold,
    RouterReturned,
    TimerFired,
)
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase, whispers
from router.core.plan import Queue, QueueRules, Speak, Target, Whisper
from router.core.record import Disposition, Evidence, Phase
from router.core.steps import offering, queue
from tests.unit.story import (
    ANNA,
    BO,
    CALLER_CANCELS,
    GOODBYE,
    HELLO,
    RING_ANNA,
    Story,
    after,
    gone,
    let_go,
    plan,
    story,
)

BO_OUTSIDE = Target("bo", "PJSIP/bo", confirm=True)
DESK = Queue("desk", ("anna", "bo"), 60.0, phones={"anna": (ANNA,), "bo": (BO,)})
TOLD = Queue("desk", ("anna",), 60.0, phones={"anna": (ANNA,)}, rules=QueueRules(position=True, wait=True))
ASKS = Queue("desk", ("anna", "bo"), 60.0, phones={"anna": (ANNA,), "bo": (BO,)}, announce=HELLO)
TIME_IS_UP = TimerFired("queue")


def waiting(step: Queue = DESK) -> Story:
    """A caller who waits, with another number to ring after it."""
    return story(plan(step, RING_ANNA), QueueJoined())


def offered(step: Queue = DESK) -> Story:
    """... and anna is rung."""
    return waiting(step).then(AgentOffered("anna"), LegReady(1))


def test_nothing_is_answered_before_the_caller_waits() -> None:
    call = story(plan(DESK))
    assert call.doing[0] == JoinQueue(0, DESK)
    assert not call.call.answering
    call.then(QueueJoined())
    assert call.doing == [AnswerCaller(), OpenBridge(), StartMusic("default"), SetTimer("queue", 59.0)]
    assert call.call.phase is Phase.QUEUE
    assert call.then(QueueJoined()).doing == [], "told twice"


def test_a_full_queue_goes_on_with_nothing_done() -> None:
    call = story(plan(DESK, RING_ANNA), QueueEnded(0, "full"))
    assert call.rung == ["anna"]
    assert call.call.evidence == (
        Evidence(call.now, "queue_refused", detail=DESK.queue),
        Evidence(call.now, "queue_ended", detail="full"),
    )
    assert call.then(QueueEnded(0, "full")).doing == [], "of another step"


def test_an_agent_who_is_offered_the_caller_is_rung_and_talks() -> None:
    call = waiting().then(AgentOffered("anna"))
    assert call.doing == [CreateLeg(1, ANNA), SetTimer("offer_anna", 15)]
    assert call.then(AgentOffered("anna")).doing == [], "told twice"
    assert call.then(LegReady(1)).doing == [DialLeg(1, 20.0)]
    call.then(LegAnswered(1))
    assert call.doing[:2] == [OfferTaken("anna"), StopMusic()]
    assert Bridge(1) in call.doing
    assert call.call.agent == "anna"
    call.then(LegAnswered(CALLER), after(60, LegEnded(1, 16)), let_go())
    assert LeaveQueue(agent="anna") in call.commanded
    assert (call.record.disposition, call.record.answered_by) == (Disposition.ANSWERED, "anna")


def test_who_does_not_answer_is_let_go_and_the_caller_waits_on() -> None:
    call = offered().then(TimerFired("offer_anna"))
    assert call.last == (
        HangUpLeg(1, HangupReason.NO_ANSWER), CancelTimer("offer_anna"), OfferFailed("anna", "no_answer"),
    )  # fmt: skip
    assert call.then(AgentOffered("bo")).doing == [CreateLeg(2, BO), SetTimer("offer_bo", 15)]
    assert call.then(LegEnded(2, 21, 603)).doing == [OfferFailed("bo", "declined")]
    assert call.then(AgentOffered("anna"), CommandFailed("CreateLeg", 3, 500)).doing == [
        OfferFailed("anna", "unreachable")
    ]
    assert isinstance(call.call.state, Queueing)


def test_who_has_no_phone_is_unreachable_at_once() -> None:
    assert waiting().then(AgentOffered("cai")).doing == [OfferFailed("cai", "unreachable")]


def test_who_is_not_to_be_rung_any_more_is_hung_up() -> None:
    call = offered().then(OfferWithdrawn("anna"))
    assert call.last == (CancelTimer("offer_anna"), HangUpLeg(1, HangupReason.WITHDRAWN))
    assert call.then(OfferWithdrawn("anna"), LegEnded(1, 16)).last == (), "told twice, and seen to end"


def test_whoever_takes_the_call_first_has_it() -> None:
    call = offered().then(AgentOffered("bo"), LegReady(2), LegAnswered(2))
    assert OfferTaken("bo") in call.doing
    assert (1, HangupReason.ANSWERED_ELSEWHERE) in call.hung_up
    other = offered().then(AgentOffered("bo"), LegReady(2), LegEnded(2, 17, 486))
    assert other.doing == [OfferFailed("bo", "busy")], "anna is rung on"


def test_a_caller_who_has_waited_long_enough_goes_on() -> None:
    call = offered().then(TIME_IS_UP)
    assert HangUpLeg(1, HangupReason.WITHDRAWN) in call.doing
    assert {StopMusic(), LeaveQueue("timeout")} <= set(call.doing)
    assert call.rung == ["anna", "anna"], "by the queue, and by the step after it"
    record = story(plan(DESK), QueueJoined(), TIME_IS_UP, let_go()).record
    assert (record.disposition, record.reason) == (Disposition.NO_ANSWER, "queue_timeout")


def test_who_is_just_asked_may_still_take_the_call() -> None:
    call = offered(ASKS).then(LegAnswered(1))
    assert call.doing == [PlayToLeg(1, 1, (HELLO,))]
    assert call.then(TIME_IS_UP).doing == []
    assert OfferTaken("anna") in call.then(PlaybackEnded(1)).doing
    late = offered(ASKS).then(LegAnswered(1), TIME_IS_UP, LegEnded(1, 16))
    assert late.doing[:2] == [DestroyLegBridge(1), OfferFailed("anna", "no_answer")]
    assert late.call.evidence[-1].detail == "timeout"


def test_the_caller_may_go_on_by_a_key() -> None:
    assert waiting().then(KeyPressed(CALLER, "5")).doing == []
    call = waiting().then(KeyPressed(CALLER, "0"))
    assert LeaveQueue("left") in call.doing
    assert call.call.evidence[-1].detail == "left"
    early = story(plan(DESK)).then(KeyPressed(CALLER, "0"))
    assert early.doing == [], "not before the caller waits"


def test_a_caller_who_leaves_has_abandoned_the_call_in_the_queue() -> None:
    call = offered()
    assert call.then(TimerFired("dead_man")).last[0] == SetDeadMan((1,)), "who waits is looked after"
    call.then(CALLER_CANCELS)
    assert {
        CancelTimers(),
        LeaveQueue("abandoned"),
        HangUpLeg(1, HangupReason.CALLER_LEFT),
    } <= set(call.last)
    record = call.then(LegEnded(1, 16), gone()).record
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.QUEUE)


def said(which: Phrase, **values: str) -> Speak:
    return phrase("en", "formal", which, **values)


STANDINGS: list[tuple[QueueTold, tuple[Speak, ...]]] = [
    (QueueTold(1), (said(Phrase.QUEUE_NEXT),)),
    (QueueTold(3, 61.0), (said(Phrase.QUEUE_PLACE, number="3"), said(Phrase.QUEUE_WAIT, minutes="2"))),
    (QueueTold(99, 5.0), (said(Phrase.QUEUE_FAR, number="20"), said(Phrase.QUEUE_SOON))),
    (QueueTold(1, 1e6), (said(Phrase.QUEUE_NEXT), said(Phrase.QUEUE_WAIT, minutes="60"))),
]


def test_callers_are_told_how_they_stand_and_the_music_goes_on() -> None:
    call = waiting(TOLD)
    assert call.doing[-1] == TellPosition()
    assert {text for _, texts in STANDINGS for text in texts} <= set(queue.announcements(TOLD, "en"))
    assert list(queue.announcements(DESK, "en")) == []
    for number, (standing, texts) in enumerate(STANDINGS, start=1):
        call.then(standing)
        assert call.doing == [StopMusic(), Play(number, (*texts, said(Phrase.QUEUE_LEAVE)))]
        assert call.call.playing == (number,)
        assert call.then(standing).doing == [], "while one is heard"
        call.then(PlaybackEnded(number))
        assert call.doing == [StartMusic("default"), SetTimer("announce", 45)]
        assert call.then(TimerFired("announce")).doing == [TellPosition()]


def test_an_announcement_that_is_heard_ends_with_the_waiting() -> None:
    call = waiting(TOLD).then(QueueTold(1), AgentOffered("anna"), LegReady(1), LegAnswered(1))
    assert StopPlayback(1) in call.doing
    assert StopMusic() not in call.doing, "it has stopped already"


def test_where_nothing_is_known_of_the_wait_nothing_is_said() -> None:
    only_wait = Queue("desk", ("anna",), 60.0, rules=QueueRules(wait=True))
    call = waiting(only_wait).then(QueueTold(3))
    assert call.doing == [SetTimer("announce", 45)]


def test_an_announcement_that_cannot_be_played_is_passed_over() -> None:
    call = waiting(TOLD).then(QueueTold(1), CommandFailed("Play", CALLER, 500))
    assert call.doing == [StartMusic("default"), SetTimer("announce", 45)]


def test_after_a_gap_the_caller_joins_again() -> None:
    assert story(plan(DESK), RouterReturned()).doing[0] == JoinQueue(0, DESK)
    call = waiting(TOLD).then(AgentOffered("anna"), after(4, RouterReturned()))
    assert call.doing[:4] == [
        JoinQueue(0, TOLD), SetTimer("queue", 54.0), SetTimer("offer_anna", 11.0), SetTimer("announce", 45),
    ]  # fmt: skip
    assert StartMusic("default") in call.doing
    talk = offered().then(LegAnswered(1), RouterReturned())
    assert StopMusic() in talk.doing, "nobody hears music in a talk"


def test_an_agent_outside_presses_the_key_that_takes_the_call() -> None:
    mobile = Queue("desk", ("bo",), 60.0, phones={"bo": (BO_OUTSIDE,)}, confirm=HELLO)
    asked = (QueueJoined(), AgentOffered("bo"), LegReady(1), LegAnswered(1), PlaybackEnded(1))
    call = story(plan(mobile), asked)
    assert call.doing == [SetTimer("key_1", offering.WAIT)]
    assert SetTimer("key_1", offering.WAIT) in call.then(RouterReturned()).doing
    assert OfferTaken("bo") in call.then(KeyPressed(1, "1")).doing
    declined = story(plan(mobile), asked, KeyPressed(1, "2"))
    assert declined.doing[-1] == OfferFailed("bo", "declined")


def test_in_a_rehearsal_an_agent_may_have_answered() -> None:
    call = story(plan(DESK, GOODBYE), QueueEnded(0, "answered", "anna"))
    assert call.call.settled == Settled(Disposition.ANSWERED, "anna")
    assert call.then(let_go()).record.answered_by == "anna"


def test_an_agent_who_is_paused_in_the_whisper_has_nothing_to_take() -> None:
    call = offered(ASKS).then(LegAnswered(1), OfferWithdrawn("anna"))
    assert call.last == (
        CancelTimer("offer_anna"), StopPlayback(1), HangUpLeg(1, HangupReason.WITHDRAWN), DestroyLegBridge(1),
    )  # fmt: skip
    assert call.then(PlaybackEnded(1), KeyPressed(1, "1"), LegEnded(1, 16)).doing == []
    assert (
        OfferTaken("bo") in call.then(AgentOffered("bo"), LegReady(2), LegAnswered(2), PlaybackEnded(2)).doing
    )
    late = offered(ASKS).then(LegAnswered(1), TIME_IS_UP, OfferWithdrawn("anna"))
    assert LeaveQueue("timeout") in late.doing, "and nobody else could"


def test_a_queue_hears_of_asterisks_end() -> None:
    assert LeaveQueue("abandoned") in offered().then(AsteriskLost()).last
    assert (
        LeaveQueue(agent="anna") in offered().then(LegAnswered(1), LegAnswered(CALLER), AsteriskLost()).last
    )


def test_who_cannot_hear_music_hears_ringing() -> None:
    assert waiting().then(CommandFailed("StartMusic", CALLER, 500)).doing == [IndicateRinging()]


def test_what_came_after_the_queue_tells_what_became_of_the_call() -> None:
    full = story(plan(DESK, RING_ANNA), QueueEnded(0, "full"), LegEnded(1, 17, 486), let_go())
    assert (full.record.disposition, full.record.reason) == (Disposition.BUSY, "")


WAITED = [
    ("for seconds", 59.0, "less than a minute"),
    ("for a minute", 61.0, "a minute"),
    ("for some minutes", 179.0, "2 minutes"),
    ("between two that are said", 11 * 60.0, "10 minutes"),
    ("for hours", 5 * 3600.0, "60 minutes"),
]


@pytest.mark.parametrize(("seconds", "said"), [row[1:] for row in WAITED], ids=[row[0] for row in WAITED])
def test_an_agent_hears_how_long_the_caller_has_waited(seconds: float, said: str) -> None:
    whisper = Whisper("From {caller}, waited {waited}.", "en", "NO")
    step = Queue("desk", ("anna",), 9e9, phones={"anna": (ANNA,)}, announce=whisper)
    told = waiting(step).then(after(seconds - 3.0, AgentOffered("anna")), LegReady(1), LegAnswered(1))
    (heard,) = (command for command in told.doing if isinstance(command, PlayToLeg))
    texts = [prompt.text for prompt in heard.prompts if isinstance(prompt, Speak)]
    assert (texts[0], texts[-2:]) == ("From", [", waited", said])
    assert set(heard.prompts) <= set(whispers(whisper)), "made before a call needs it"
