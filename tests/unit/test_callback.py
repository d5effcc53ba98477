"""Who keeps a place in a queue, and how they are called back."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from router.core.acd import Acd
from router.core.agents import AgentId, QueueId
from router.core.answers import answer
from router.core.call import CALLER, CallingBack, LegState, Messaging, Queueing, Settled, Talking
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CreateLeg,
    DestroyLegBridge,
    DialLeg,
    HangUpLeg,
    HangupReason,
    JoinQueue,
    LeaveQueue,
    LiftDeadMan,
    OfferFailed,
    OfferTaken,
    PlayToLeg,
    ReadNumber,
    SetTimer,
    StopPlayback,
)
from router.core.dialling import Dialling
from router.core.donotcontact import DoNotContact, Spared
from router.core.events import (
    AgentOffered,
    AsteriskLost,
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegReady,
    NumberRead,
    PlaybackEnded,
    QueueEnded,
    QueueJoined,
    RouterReturned,
    TimerFired,
)
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import (
    Callback,
    CallPlan,
    KeptPlace,
    PlanNode,
    Queue,
    QueueRules,
    Return,
    Speak,
    Target,
    Whisper,
)
from router.core.record import AttemptOutcome, Disposition, Party, Phase
from router.core.returning import MOST_ATTEMPTS, return_call, wants_return
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.steps import callback, question, queue
from router.core.transferring import Ways
from router.core.waiting import Caller, Offer
from tests.unit.story import ANNA, ARRIVAL, CALLER_BYE, GOODBYE, INFO, Story, gone, plan, rings, story

WHISPER = Whisper("You call {caller}.", "en", "NO")
KEPT = QueueRules(keeps=KeptPlace("1", Callback(tone="informal"), WHISPER, 7200))
FORMAL = QueueRules(keeps=KeptPlace("1", Callback(), WHISPER, 7200))
DISPLAY = NumberRead(INFO.caller, INFO.caller, INFO.caller)
DISPLAY_READ = NumberRead("+4790000001", "+4790000001", "90000001")
MOBILE = Target(INFO.caller, f"PJSIP/{INFO.caller}@trunk", outside=True, number=INFO.caller)
NOT_REACHED = Speak("Nobody answers.", "en")
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
people: {anna: {rings: PJSIP/anna}}
queues: {desk: {agents: anna, callback_key: 1, callback_within: 2h}}
routes: [{name: main, do: [{queue: desk}]}]
"""


def desk(rules: QueueRules = KEPT) -> Queue:
    return Queue("desk", ("anna",), 60.0, phones={"anna": (ANNA,)}, rules=rules)


def waiting(rules: QueueRules = KEPT) -> Story:
    """A caller waits for anna, and may be called back."""
    return story(plan(desk(rules), GOODBYE), QueueJoined(), DISPLAY)


def called_back() -> Story:
    """Nobody is on the line, and anna has taken the call to somebody who came half an hour before."""
    step = Queue("desk", ("anna",), 7200.0, phones={"anna": (ANNA,)}, rules=KEPT, calls_back=WHISPER)
    returns = Return("bbbbbbbbbbbbb", ARRIVAL, MOBILE, NOT_REACHED)
    return Story(CallPlan((PlanNode(step),), returns=returns)).then(
        QueueJoined(), AgentOffered("anna"), LegReady(1), LegAnswered(1), PlaybackEnded(1)
    )


def reached() -> Story:
    return called_back().then(rings(CALLER), LegAnswered(CALLER))


# Keeping the place


def test_by_the_key_an_informal_client_takes_the_number_from_the_display() -> None:
    told = waiting().then(KeyPressed(CALLER, "1"))
    assert LeaveQueue(queue.KEPT) in told.last
    assert told.call.settled == Settled(Disposition.CALLBACK_REQUESTED)
    told.then(PlaybackEnded(1), gone())
    assert told.record.disposition is Disposition.CALLBACK_REQUESTED
    assert told.record.message
    assert told.record.message.callback == INFO.caller
    assert wants_return(told.call, told.record)


def test_a_formal_client_reads_the_number_back() -> None:
    told = waiting(FORMAL).then(KeyPressed(CALLER, "1"))
    assert isinstance(told.call.state, Messaging)
    assert told.call.settled is None
    told.then(KeyPressed(CALLER, "1"))
    assert told.call.settled == Settled(Disposition.CALLBACK_REQUESTED)


def test_who_does_not_say_where_waits_on_at_the_same_place() -> None:
    told = waiting(FORMAL)
    since = told.call.state.since if isinstance(told.call.state, Queueing) else None
    told.then(KeyPressed(CALLER, "1"), KeyPressed(CALLER, "2"))  # another number
    for playback in (2, 3):
        told.then(PlaybackEnded(playback), TimerFired(question.TIMER))
    assert told.doing == [JoinQueue(0, desk(FORMAL), kept=True)]
    assert isinstance(told.call.state, Queueing)
    assert told.call.state.since == since
    told.then(QueueJoined())
    timer = next(one for one in told.last if isinstance(one, SetTimer) and one.timer == queue.TIMER)
    assert timer.seconds < 60.0, "what has been waited counts"


def test_who_is_rung_for_the_caller_is_let_go_meanwhile() -> None:
    told = waiting().then(AgentOffered("anna"), rings(), KeyPressed(CALLER, "1"))
    assert HangUpLeg(1, HangupReason.WITHDRAWN) in told.last


def test_where_an_agent_is_asked_the_key_comes_too_late() -> None:
    asks = Queue("desk", ("anna",), 60.0, phones={"anna": (ANNA,)}, rules=KEPT, announce=NOT_REACHED)
    told = story(plan(asks), QueueJoined(), DISPLAY, AgentOffered("anna"), LegReady(1), LegAnswered(1))
    assert told.then(KeyPressed(CALLER, "1")).last == ()


def test_where_the_key_means_nothing_nothing_comes_of_it() -> None:
    assert waiting(QueueRules()).then(KeyPressed(CALLER, "1")).last == ()


def test_the_display_is_read_only_where_somebody_may_be_called_back() -> None:
    assert ReadNumber(INFO.caller) in story(plan(desk()), QueueJoined()).last
    assert not any(isinstance(one, ReadNumber) for one in story(plan(desk(QueueRules())), QueueJoined()).last)


def test_who_hangs_up_while_being_asked_has_abandoned_the_call() -> None:
    told = waiting(FORMAL).then(KeyPressed(CALLER, "1"), CALLER_BYE, gone())
    assert (told.record.disposition, told.record.phase) == (Disposition.ABANDONED, Phase.QUEUE)
    assert not wants_return(told.call, told.record)


# The call that the router makes


def compiled(trunk: str) -> RuleSet:
    rules = compile_rules({"fjord.yaml": RULES}, Dialling(trunk))
    assert isinstance(rules, RuleSet)
    return rules


def wished() -> Story:
    return waiting().then(KeyPressed(CALLER, "1"), PlaybackEnded(1), gone())


def test_the_call_waits_from_where_its_caller_came_and_shows_the_number_dialled() -> None:
    ended = wished()
    made = return_call(ended.call, compiled("PJSIP/{number}@trunk"), ("a", "b"), ended.now)
    assert not isinstance(made, str)
    info, plan_of_it = made
    assert info.channel == f"{INFO.id}-l0"
    assert (info.caller, info.dialled, info.route) == (INFO.caller, INFO.dialled, "callback")
    assert plan_of_it.returns
    assert plan_of_it.returns.target == MOBILE
    assert plan_of_it.returns.since == ARRIVAL
    assert Story(plan_of_it, info).commanded[0] == JoinQueue(0, plan_of_it.nodes[0].step, kept=True)  # type: ignore[arg-type]
    assert made == return_call(ended.call, compiled("PJSIP/{number}@trunk"), ("a", "b"), ended.now)


def test_nobody_is_called_where_the_rules_may_not_dial() -> None:
    ended = wished()
    made = return_call(ended.call, compiled(""), ("a", "b"), ended.now)
    assert isinstance(made, str)
    assert "needs a trunk" in made


def test_nobody_is_promised_a_call_to_where_the_rules_may_not_dial() -> None:
    call = waiting().call
    ways = Ways(compiled("PJSIP/{number}@trunk"), ARRIVAL)
    assert answer(call, ReadNumber("+4790000001"), ways) == DISPLAY_READ
    assert answer(call, ReadNumber("+4520123456"), ways) == NumberRead("+4520123456"), "abroad"
    assert answer(call, ReadNumber("+4790000001"), Ways(compiled(""), ARRIVAL)) == NumberRead("+4790000001")


def test_whom_nobody_is_to_call_is_neither_promised_a_call_nor_called() -> None:
    call, rules = waiting().call, compiled("PJSIP/{number}@trunk")
    until = ARRIVAL + timedelta(days=90)
    entry = DoNotContact(1, "+4790000001", "fjord", until, "root", "asked", ARRIVAL)
    asked, spared = ReadNumber("+4790000001"), Spared([entry])
    assert answer(call, asked, Ways(rules, ARRIVAL, spared=spared)) == NumberRead("+4790000001")
    assert answer(call, asked, Ways(rules, until, spared=spared)) == DISPLAY_READ
    ended = wished()
    made = return_call(ended.call, rules, ("a", "b"), ended.now, spared)
    assert made == "nobody is to call this number; see `callrouter dnc`"


SPARED = [
    ("the client's", "fjord", "fjord", True),
    ("another's", "sund", "fjord", False),
    ("everybody's", None, "fjord", True),
    ("for nobody in particular", "fjord", None, True),
]


@pytest.mark.parametrize(("of", "to", "holds"), [row[1:] for row in SPARED], ids=[row[0] for row in SPARED])
def test_of_whom_it_is_that_nobody_is_to_call(of: str | None, to: str | None, holds: bool) -> None:
    entry = DoNotContact(1, "+4790000001", of, None, "root", "", ARRIVAL)
    assert (Spared([entry]).find("+4790000001", to, ARRIVAL) is entry) is holds
    assert Spared([entry]).find("+4790000002", to, ARRIVAL) is None


def test_a_client_without_a_trunk_is_told() -> None:
    told = [str(one) for one in compiled("").warnings]
    assert any("nobody can be called back without a trunk" in one for one in told)
    assert not compiled("PJSIP/{number}@trunk").warnings


# Calling


def test_nothing_is_heard_by_nobody() -> None:
    step = desk()
    told = Story(CallPlan((PlanNode(step),), returns=Return("b", ARRIVAL, MOBILE, NOT_REACHED)))
    told.then(QueueJoined())
    assert [type(one) for one in told.doing] == [SetTimer]
    assert told.call.outlives_us


def test_the_agent_hears_whom_and_then_ringing() -> None:
    told = called_back()
    assert isinstance(told.call.state, CallingBack)
    assert told.doing == [
        StopPlayback(1),
        OfferTaken("anna"),
        CreateLeg(CALLER, MOBILE),
        PlayToLeg(2, 1, (callback.RINGING,)),
        SetTimer(callback.TIMER, callback.RING_FOR),
    ]
    assert told.then(LegReady(CALLER)).doing == [DialLeg(CALLER, callback.RING_FOR + 5.0)]


def test_the_two_talk_and_the_caller_is_who_was_called() -> None:
    told = reached()
    assert told.call.state == Talking(1)
    assert told.doing == [StopPlayback(2), Bridge(1), LiftDeadMan(1), DestroyLegBridge(1)]
    told.then(CALLER_BYE, gone(), gone(1))
    record = told.record
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.CALLER)
    assert (record.answered_by, record.answers) == ("anna", "bbbbbbbbbbbbb")
    assert [(one.number, one.outcome) for one in record.attempts] == [
        (0, AttemptOutcome.ANSWERED),
        (1, AttemptOutcome.ANSWERED),
    ]


UNREACHED: list[tuple[str, tuple[CallEvent, ...], Disposition, str, Party]] = [
    ("busy", (LegReady(CALLER), *gone(CALLER, 17, 486)), Disposition.BUSY, "", Party.CALLER),
    ("declines", (*rings(CALLER), *gone(CALLER, 21, 603)), Disposition.NO_ANSWER, "declined", Party.CALLER),
    (
        "is not answered",
        (*rings(CALLER), TimerFired(callback.TIMER), *gone(CALLER, 16, 487)),
        Disposition.NO_ANSWER,
        "",
        Party.ROUTER,
    ),
    ("is no number", gone(CALLER, 1, 404), Disposition.FAILED, "unallocated", Party.NETWORK),
    (
        "trunk is down",
        (CommandFailed("CreateLeg", CALLER, 500),),
        Disposition.FAILED,
        "offline",
        Party.NETWORK,
    ),
]


@pytest.mark.parametrize(
    ("events", "disposition", "reason", "party"),
    [row[1:] for row in UNREACHED],
    ids=[row[0] for row in UNREACHED],
)
def test_an_agent_hears_that_nobody_answers(
    events: tuple[CallEvent, ...], disposition: Disposition, reason: str, party: Party
) -> None:
    told = called_back().then(events)
    assert PlayToLeg(3, 1, (NOT_REACHED,)) in told.commanded
    told.then(PlaybackEnded(3), gone(1))
    assert (told.record.disposition, told.record.reason) == (disposition, reason)
    assert told.record.hung_up_by is party
    assert LeaveQueue(agent="anna") in told.commanded, "the agent's talk is over"


def test_an_agent_who_hangs_up_meanwhile_ends_it() -> None:
    told = called_back().then(rings(CALLER), HangupRequested(1, 16), gone(1), gone(CALLER))
    assert (CALLER, HangupReason.NORMAL) in told.hung_up
    assert (told.record.disposition, told.record.reason) == (Disposition.NO_ANSWER, "callee_left")


def test_who_was_given_no_chance_to_answer_is_called_again_from_the_same_place() -> None:
    told = called_back().then(rings(CALLER), HangupRequested(1, 16), gone(1), gone(CALLER))
    assert wants_return(told.call, told.record)
    made = return_call(told.call, compiled("PJSIP/{number}@trunk"), ("a", "b"), told.now)
    assert not isinstance(made, str)
    info, again = made
    assert again.returns == Return(
        "bbbbbbbbbbbbb", ARRIVAL, MOBILE, phrase("en", "formal", Phrase.NOT_REACHED), 2
    )
    assert (info.id != INFO.id, info.channel) == (True, f"{INFO.id}-l0")
    last = replace(told.call.plan, returns=replace(again.returns, attempt=MOST_ATTEMPTS))
    assert not wants_return(replace(told.call, plan=last), told.record), "not for ever"
    busy = called_back().then(gone(CALLER, 17, 486), PlaybackEnded(3), gone(1))
    assert not wants_return(busy.call, busy.record), "whose line is busy has had a chance"


def test_a_queue_without_agents_or_time_leaves_the_wish_to_people() -> None:
    returns = Return("b", ARRIVAL, MOBILE, NOT_REACHED)
    told = Story(CallPlan((PlanNode(desk()),), returns=returns)).then(QueueJoined(), TimerFired(queue.TIMER))
    assert (told.record.disposition, told.record.reason) == (Disposition.NO_ANSWER, "queue_timeout")
    assert told.record.attempts == ()
    told = Story(CallPlan((PlanNode(desk()),), returns=returns)).then(QueueEnded(0, "full"))
    assert told.record.reason == "queue_full"


def test_after_a_gap_the_ringing_goes_on_and_ends() -> None:
    told = called_back().then(LegReady(CALLER), RouterReturned())
    timer = next(one for one in told.last if isinstance(one, SetTimer) and one.timer == callback.TIMER)
    assert timer.seconds == callback.RING_FOR - 2.0


def test_after_a_gap_an_agent_who_has_been_told_is_let_go() -> None:
    told = called_back().then(gone(CALLER, 17, 486), RouterReturned())
    assert not any(isinstance(one, SetTimer) and one.timer == callback.TIMER for one in told.last)
    told.then(CommandFailed("PlayToLeg", 1, 500), gone(1))
    assert told.record.disposition is Disposition.BUSY


def test_after_a_gap_nobody_answers_for_who_is_called() -> None:
    told = called_back().then(LegReady(CALLER), RouterReturned())
    assert not any(isinstance(one, AnswerCaller) for one in told.last)


def test_whose_phone_is_let_go_has_neither_declined_nor_failed() -> None:
    told = called_back().then(rings(CALLER), HangupRequested(1, 16), gone(1), gone(CALLER, 21, 603))
    assert told.outcomes[0] is AttemptOutcome.CANCELLED


def test_a_caller_who_was_reached_waits_elsewhere_as_anybody_does() -> None:
    told = reached()
    entered = queue.enter(told.call, desk(), told.now)
    assert isinstance(entered.call.state, Queueing)
    assert (entered.call.state.since, entered.call.state.kept) == (told.now, False)


def test_an_agent_who_hangs_up_while_hearing_whom_it_is_about_has_not_taken_the_call() -> None:
    step = Queue("desk", ("anna",), 60.0, phones={"anna": (ANNA,)}, announce=NOT_REACHED)
    told = story(plan(step), QueueJoined(), AgentOffered("anna"), LegReady(1), LegAnswered(1))
    told.then(PlaybackEnded(1, failed=True))
    assert isinstance(told.call.state, Queueing)
    told.then(HangupRequested(1, 16), gone(1))
    assert OfferFailed("anna", "no_answer") in told.last
    assert isinstance(told.call.state, Queueing), "the caller waits on"


def test_asterisks_end_ends_what_was_going_on() -> None:
    told = called_back().then(AsteriskLost())
    assert told.record.disposition is Disposition.DROPPED
    assert told.call.legs[CALLER].state is LegState.ENDED


def test_who_keeps_the_place_waits_though_the_queue_is_full_or_nobody_is_at_work() -> None:
    id, agent = QueueId("fjord", "desk"), AgentId("fjord", "anna")
    rules = QueueRules(max_waiting=1)

    def caller(name: str, *, kept: bool) -> Caller:
        return Caller(name, id, ARRIVAL, rules, {agent: 0.0}, kept=kept)

    acd = Acd()
    acd.log_out(agent, ARRIVAL)
    assert acd.enter(caller("a", kept=True), ARRIVAL) == []
    assert acd.enter(caller("b", kept=True), ARRIVAL) == []
    assert acd.log_in(agent, ARRIVAL) == [Offer("a", agent)]


def test_what_is_said_is_told_of_before_a_call_needs_it() -> None:
    told = phrase("en", "formal", Phrase.CALLS_BACK, client="Fjord", caller="{caller}")
    keeps = compiled("").clients["fjord"].queues["desk"].keeps
    assert keeps
    assert keeps.within == 7200
    assert keeps.calls_back == Whisper(told.text, "en", "NO")


def test_who_waits_for_their_call_needs_no_router_until_an_agent_is_rung() -> None:
    step = Queue("desk", ("anna",), 7200.0, phones={"anna": (ANNA,)}, rules=KEPT, calls_back=WHISPER)
    returns = Return("bbbbbbbbbbbbb", ARRIVAL, MOBILE, NOT_REACHED)
    kept = Story(CallPlan((PlanNode(step),), returns=returns)).then(QueueJoined())
    assert kept.call.outlives_us
    assert not kept.then(AgentOffered("anna")).call.outlives_us
    assert not waiting().call.outlives_us
    assert reached().call.outlives_us, "two people talk"
    assert not story(plan(GOODBYE)).call.outlives_us


def test_while_the_caller_is_rung_what_the_agent_hears_is_waited_for() -> None:
    rung = called_back()
    assert isinstance(rung.call.state, CallingBack)
    assert rung.call.playing == (rung.call.state.playback,)
