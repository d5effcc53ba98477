"""A caller in a queue of Asterisk's own: what the call machine makes of what ARI and AMI tell, and when they
do not."""

from collections.abc import Sequence

import pytest

from router.core.call import CALLER, InAsteriskQueue
from router.core.commands import (
    AskIfFollowed,
    CreateLeg,
    DestroyBridge,
    EnterAsteriskQueue,
    OpenBridge,
    SetDeadMan,
    SetTimer,
)
from router.core.events import (
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentHungUp,
    AsteriskAgentLeft,
    AsteriskAgentMissed,
    AsteriskLost,
    AsteriskQueueAbandoned,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    AsteriskQueueLeft,
    AsteriskQueueReturned,
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegLost,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.plan import AsteriskQueue
from router.core.reconcile import Sighting, missed
from router.core.record import AttemptOutcome, Disposition, Party, Phase
from router.core.steps import asteriskqueue
from router.core.visits import visits_of
from tests.unit.story import (
    ARRIVAL,
    CALLER_BYE,
    CALLER_CANCELS,
    CALLER_UP,
    GOODBYE,
    HELLO,
    RING_ANNA,
    Later,
    Story,
    after,
    plan,
    story,
)

DESK = AsteriskQueue("desk", 60.0)
KARI = ("Kari", "PJSIP/160")
OLA = ("Ola", "PJSIP/161")
AWAY = LegLeft(CALLER)
GONE = LegEnded(CALLER, 16)
PBX_ENDS = HangupRequested(CALLER, 16, soft=True)
AGENT_BYE = AsteriskAgentHungUp()
WHOLE, NOT_WHOLE = AsteriskQueueFollowed(True), AsteriskQueueFollowed(False)
NO_CHANNEL = LegLost(CALLER, ARRIVAL)

Events = Sequence[CallEvent | Later]


def sent() -> Story:
    """A caller who is to wait in the queue, with a phone to ring after it."""
    return story(plan(DESK, RING_ANNA))


def waiting(*more: CallEvent | Later) -> Story:
    """... and waits there, answered."""
    return sent().then(AWAY, CALLER_UP, AsteriskQueueJoined(), *more)


def talking(*more: CallEvent | Later) -> Story:
    """... and talks."""
    connected = (AsteriskAgentCalled(*KARI), AsteriskQueueLeft(), AsteriskAgentConnected(*KARI))
    return waiting(*connected, *more)


def comes(call: Story) -> tuple[Disposition, str, Party | None]:
    return call.record.disposition, call.record.reason, call.record.hung_up_by


def test_the_caller_goes_there_out_of_the_bridge_of_prompts() -> None:
    call = story(plan(HELLO, DESK), PlaybackEnded(1))
    assert call.doing == [EnterAsteriskQueue(1, DESK), DestroyBridge()]
    assert call.then(AWAY).doing == []
    assert (call.call.phase, call.records) == (Phase.QUEUE, [])


def test_there_is_no_dead_man_until_the_caller_is_back() -> None:
    call = waiting(TimerFired("dead_man"))
    assert call.doing == []
    call.then(AsteriskQueueReturned(0, "timeout"))
    assert SetDeadMan((1,)) in call.doing
    assert call.rung == ["anna"]


def test_who_is_back_hears_prompts_in_a_bridge_again() -> None:
    call = story(plan(HELLO, DESK, GOODBYE), PlaybackEnded(1), AWAY, AsteriskQueueReturned(1, "full"))
    assert OpenBridge() in call.doing


def test_what_came_back_of_another_queue_is_not_this_ones() -> None:
    call = waiting(AsteriskQueueReturned(7, "timeout"))
    assert isinstance(call.call.state, InAsteriskQueue)


ENDS: list[tuple[str, Story, tuple[Disposition, str, Party | None]]] = [
    ("abandoned, as AMI says after the end",
     waiting(CALLER_BYE, GONE, AsteriskQueueAbandoned()), (Disposition.ABANDONED, "", Party.CALLER)),
    ("abandoned, as AMI says before",
     waiting(CALLER_BYE, AsteriskQueueAbandoned(), AsteriskQueueLeft(), GONE),
     (Disposition.ABANDONED, "", Party.CALLER)),
    ("hung up before waiting, all seen",
     sent().then(AWAY, CALLER_UP, CALLER_BYE, GONE, WHOLE), (Disposition.ABANDONED, "", Party.CALLER)),
    ("hung up before leaving us",
     sent().then(CALLER_CANCELS, GONE, NOT_WHOLE), (Disposition.ABANDONED, "", Party.CALLER)),
    ("hung up while waiting, not all seen",
     waiting(CALLER_BYE, GONE, NOT_WHOLE), (Disposition.UNOBSERVED, "not_followed", Party.CALLER)),
    ("... and nobody answers whether it was",
     waiting(CALLER_BYE, GONE, TimerFired("asterisk_queue")),
     (Disposition.UNOBSERVED, "not_followed", Party.CALLER)),
    ("the end of a call that nobody followed, by no request of the caller's",
     waiting(PBX_ENDS, GONE, NOT_WHOLE), (Disposition.UNOBSERVED, "not_followed", None)),
    ("never answered, so nobody talked, followed or not",
     sent().then(AWAY, CALLER_CANCELS, LegEnded(CALLER, 127, 487), NOT_WHOLE),
     (Disposition.ABANDONED, "", Party.CALLER)),
    ("the agent hangs up",
     talking(PBX_ENDS, AsteriskAgentLeft("agent"), GONE), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("the agent hangs up, as AMI says after the end",
     talking(PBX_ENDS, GONE, AsteriskAgentLeft("agent")), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("the agent hangs up, as AMI says after it answered a ping",
     talking(PBX_ENDS, GONE, WHOLE, AsteriskAgentLeft("agent")), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("the agent hangs up, which AMI never says",
     talking(AGENT_BYE, PBX_ENDS, GONE, WHOLE), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("the agent hangs up, and AMI is away",
     talking(AGENT_BYE, PBX_ENDS, GONE, NOT_WHOLE), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("the agent's channel is hung up after the caller's",
     talking(CALLER_BYE, AGENT_BYE, GONE, WHOLE), (Disposition.ANSWERED, "", Party.CALLER)),
    ("who hung up while waiting had no agent",
     waiting(AGENT_BYE, CALLER_BYE, AsteriskQueueAbandoned(), GONE),
     (Disposition.ABANDONED, "", Party.CALLER)),
    ("AMI is there, and never says who ended the talk",
     talking(PBX_ENDS, GONE, WHOLE, TimerFired("asterisk_queue")), (Disposition.ANSWERED, "", None)),
    ("the caller hangs up a talk, and AMI has not said so",
     talking(CALLER_BYE, GONE, WHOLE), (Disposition.ANSWERED, "", Party.CALLER)),
    ("the caller hangs up a talk",
     talking(CALLER_BYE, AsteriskAgentLeft("caller"), GONE), (Disposition.ANSWERED, "", Party.CALLER)),
    ("the caller hangs up a talk, and AMI is away",
     talking(CALLER_BYE, GONE, NOT_WHOLE), (Disposition.ANSWERED, "", Party.CALLER)),
    ("a talk ends, and AMI is away", talking(PBX_ENDS, GONE, NOT_WHOLE), (Disposition.ANSWERED, "", None)),
    ("the agent transfers the caller",
     talking(AsteriskAgentLeft("transfer"), after(60, CALLER_BYE), GONE),
     (Disposition.ANSWERED, "transferred_by_agent", None)),
    ("a talk of which only the end is told",
     waiting(AsteriskAgentLeft("agent", "Kari", 5.0), GONE), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("the media of a talk is lost",
     talking(HangupRequested(CALLER, 1, soft=True), AsteriskAgentLeft("caller"), LegEnded(CALLER, 44)),
     (Disposition.DROPPED, "rtp_timeout", Party.NETWORK)),
    ("hung up at Asterisk's console",
     waiting(HangupRequested(CALLER, 32, soft=True), AsteriskQueueAbandoned(), GONE),
     (Disposition.DROPPED, "soft_hangup", None)),
    ("a key leads elsewhere",
     waiting(AsteriskQueueLeft(), after(9, CALLER_BYE), GONE, WHOLE),
     (Disposition.TRANSFERRED, "left_queue", Party.CALLER)),
    ("waits no longer, and what then came was not seen",
     waiting(AsteriskQueueLeft(), after(9, CALLER_BYE), GONE, NOT_WHOLE),
     (Disposition.UNOBSERVED, "not_followed", Party.CALLER)),
    ("gone while no router was there",
     waiting(NO_CHANNEL, NOT_WHOLE), (Disposition.UNOBSERVED, "router_away", None)),
    ("gone from a talk while no router was there",
     talking(NO_CHANNEL, NOT_WHOLE), (Disposition.UNOBSERVED, "router_away", None)),
    ("gone from a talk while only ARI was away",
     talking(AsteriskAgentLeft("agent"), NO_CHANNEL), (Disposition.ANSWERED, "", Party.CALLEE)),
    ("Asterisk dies", talking(AsteriskLost()), (Disposition.DROPPED, "asterisk_lost", Party.NETWORK)),
    ("back while there is no router", waiting(AWAY, after(9, GONE)),
     (Disposition.TRANSFERRED, "dead_man", Party.ROUTER)),
    ("the dialplan goes on with the caller after a talk",
     talking(AsteriskAgentLeft("agent"), AsteriskQueueReturned(0, "answered"), PBX_ENDS, *(AWAY, GONE)),
     (Disposition.ANSWERED, "", Party.ROUTER)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "end"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_what_became_of_the_call(call: Story, end: tuple[Disposition, str, Party | None]) -> None:
    assert comes(call) == end
    assert call.record.flags == ()


VISITS: list[tuple[str, Story, tuple[str, bool]]] = [
    ("given up", waiting(CALLER_BYE, GONE, AsteriskQueueAbandoned()), ("abandoned", False)),
    ("given up before AMI told of it", sent().then(AWAY, CALLER_UP, CALLER_BYE, GONE, WHOLE),
     ("abandoned", False)),
    ("answered", talking(PBX_ENDS, AsteriskAgentLeft("agent"), GONE), ("answered", True)),
    ("full", sent().then(AWAY, AsteriskQueueReturned(0, "full"), CALLER_BYE, GONE, LegEnded(1, 16)),
     ("full", False)),
    ("not followed", waiting(CALLER_BYE, GONE, NOT_WHOLE), ("unobserved", False)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "told"), [row[1:] for row in VISITS], ids=[row[0] for row in VISITS])
def test_reports_know_which_queue_that_was(call: Story, told: tuple[str, bool]) -> None:
    record = call.record
    (visit,) = visits_of(record.evidence, record.talks, record.disposition, record.ended_at)
    assert (visit.queue, visit.outcome, visit.talk is not None) == (DESK.queue, *told)


def test_nobody_waits_for_ever_for_what_ami_tells() -> None:
    call = waiting(CALLER_BYE, GONE)
    joined = call.now.replace(second=3)
    assert call.doing == [AskIfFollowed(joined), SetTimer("asterisk_queue", asteriskqueue.PATIENCE)]
    assert call.records == []


def test_what_was_missed_before_a_talk_does_not_count_at_its_end() -> None:
    call = talking(PBX_ENDS, GONE)
    assert call.doing == [AskIfFollowed(call.now), SetTimer("asterisk_queue", asteriskqueue.PATIENCE)]


def test_the_talk_and_the_wait_are_the_agents() -> None:
    call = talking(after(30, PBX_ENDS), AsteriskAgentLeft("agent"), GONE)
    record = call.record
    assert (record.answered_by, record.phase) == ("Kari", Phase.TALKING)
    assert (record.wait_seconds, record.talk_seconds, record.ring_seconds) == (6.0, 30.0, 2.0)


def test_who_is_transferred_has_talked_until_then() -> None:
    call = talking(after(20, AsteriskAgentLeft("transfer")), after(60, CALLER_BYE), GONE)
    assert call.record.talk_seconds == 20.0


def test_a_talk_found_in_a_bridge_has_the_phones_name_until_ami_tells_the_agents() -> None:
    since = ARRIVAL.replace(second=5)
    found = AsteriskAgentConnected("PJSIP/160", "PJSIP/160", since)
    call = waiting(after(10, found), AsteriskAgentConnected("Kari", "PJSIP/160", since))
    call.then(AsteriskAgentLeft("agent"), GONE)
    assert (call.record.answered_by, call.record.answered_at) == ("Kari", since)


ATTEMPTS: list[tuple[str, Events, list[tuple[str, AttemptOutcome]]]] = [
    ("one after the other",
     [AsteriskAgentCalled(*KARI), AsteriskAgentMissed(*KARI), AsteriskAgentCalled(*OLA),
      AsteriskAgentConnected(*OLA), AsteriskAgentLeft("agent"), GONE],
     [("Kari", AttemptOutcome.NO_ANSWER), ("Ola", AttemptOutcome.ANSWERED)]),
    ("together",
     [AsteriskAgentCalled(*KARI), AsteriskAgentCalled(*OLA), AsteriskAgentConnected(*OLA),
      AsteriskAgentLeft("agent"), GONE],
     [("Kari", AttemptOutcome.ANSWERED_ELSEWHERE), ("Ola", AttemptOutcome.ANSWERED)]),
    ("the same again and again",
     [AsteriskAgentCalled(*KARI), AsteriskAgentMissed(*KARI, rang=False), AsteriskAgentCalled(*KARI),
      AsteriskQueueAbandoned(), CALLER_BYE, GONE],
     [("Kari", AttemptOutcome.FAILED), ("Kari", AttemptOutcome.CANCELLED)]),
    ("of which the beginning was missed",
     [AsteriskAgentMissed(*KARI), AsteriskAgentConnected(*OLA), AsteriskAgentLeft("agent"), GONE],
     [("Kari", AttemptOutcome.NO_ANSWER), ("Ola", AttemptOutcome.ANSWERED)]),
    ("of which the end was missed",
     [AsteriskAgentCalled(*KARI), CALLER_BYE, GONE, NOT_WHOLE], [("Kari", AttemptOutcome.UNOBSERVED)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "outcomes"), [row[1:] for row in ATTEMPTS], ids=[row[0] for row in ATTEMPTS]
)
def test_who_was_rung(events: Events, outcomes: list[tuple[str, AttemptOutcome]]) -> None:
    record = waiting(*events).record
    assert [(one.target, one.outcome) for one in record.attempts] == outcomes
    assert [one.number for one in record.attempts] == [*range(1, len(outcomes) + 1)]


def test_a_queue_that_tries_for_hours_fills_no_memory() -> None:
    call = waiting()
    for _ in range(asteriskqueue.MOST_RUNG + 5):
        call.then(AsteriskAgentCalled(*KARI), AsteriskAgentMissed(*KARI))
    assert len(call.call.rung) == asteriskqueue.MOST_RUNG


def test_who_is_told_of_twice_waits_once() -> None:
    call = waiting(after(3, AsteriskQueueJoined())).call
    assert [seen.what for seen in call.evidence].count("queue_joined") == 1


IGNORED: list[tuple[str, Story, CallEvent]] = [
    ("waits, once a talk began", talking(), AsteriskQueueJoined()),
    ("abandoned, once a talk began", talking(), AsteriskQueueAbandoned()),
    ("connected once more", talking(), AsteriskAgentConnected(*OLA)),
    ("connected, once the talk is over", talking(AsteriskAgentLeft("agent")), AsteriskAgentConnected(*OLA)),
    ("the end of the talk, twice", talking(AsteriskAgentLeft("agent")), AsteriskAgentLeft("caller")),
    ("an answer to no question", waiting(), WHOLE),
    ("an old timer", waiting(), TimerFired("asterisk_queue")),
]


@pytest.mark.parametrize(("call", "event"), [row[1:] for row in IGNORED], ids=[row[0] for row in IGNORED])
def test_what_is_told_too_late_says_nothing(call: Story, event: CallEvent) -> None:
    before = call.call
    assert call.then(event).call == before
    assert call.last == ()


REFUSED: list[tuple[str, CommandFailed, list[str]]] = [
    ("refused", CommandFailed("EnterAsteriskQueue", CALLER, 500), ["CreateLeg"]),
    ("on the way by now", CommandFailed("EnterAsteriskQueue", CALLER, 409), []),
    ("a channel that is going", CommandFailed("EnterAsteriskQueue", CALLER, 404), []),
    ("no reply", CommandFailed("EnterAsteriskQueue", CALLER, 0), ["EnterAsteriskQueue"]),
]


@pytest.mark.parametrize(("failed", "done"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_command_that_failed(failed: CommandFailed, done: list[str]) -> None:
    call = sent().then(failed)
    kinds = (EnterAsteriskQueue, CreateLeg)
    assert [type(command).__name__ for command in call.doing if isinstance(command, kinds)] == done


def test_without_a_reply_it_is_told_a_second_time_and_not_for_ever() -> None:
    no_reply = CommandFailed("EnterAsteriskQueue", CALLER, 0)
    assert sent().then(no_reply, no_reply).last == ()
    assert waiting(no_reply).last == (), "what it was to do is done"


def there(**more: object) -> Sighting:
    """A caller's channel that is up in the dialplan."""
    return Sighting(legs={CALLER: "Up"}, caller_departed=True, **more)  # type: ignore[arg-type]


GAPS: list[tuple[str, Story, Sighting, list[CallEvent]]] = [
    ("waits still", waiting(), there(), []),
    ("has gone there meanwhile", sent(), there(), [AWAY, LegAnswered(CALLER)]),
    ("is still with us", sent(), Sighting(legs={CALLER: "Ring"}), []),
    ("is back", waiting(), Sighting(legs={CALLER: "Up"}, returned=AsteriskQueueReturned(0, "timeout")),
     [AsteriskQueueReturned(0, "timeout")]),
    ("was there and is back", sent(),
     Sighting(legs={CALLER: "Up"}, returned=AsteriskQueueReturned(0, "full")),
     [AWAY, LegAnswered(CALLER), AsteriskQueueReturned(0, "full")]),
    ("is with us, back from a queue before", sent(),
     Sighting(legs={CALLER: "Ring"}, returned=AsteriskQueueReturned(9, "full")), []),
    ("has come back to nobody", waiting(), there(in_breakglass=True), [AWAY]),
    ("has gone", waiting(), Sighting(legs={CALLER: None}), [LegLost(CALLER, None)]),
    ("cannot be looked at", waiting(), Sighting(legs={}), []),
]  # fmt: skip


@pytest.mark.parametrize(("call", "seen", "told"), [row[1:] for row in GAPS], ids=[row[0] for row in GAPS])
def test_after_a_gap_the_caller(call: Story, seen: Sighting, told: list[CallEvent]) -> None:
    assert list(missed(call.call, seen, None)) == [*told, RouterReturned()]


def test_after_a_gap_what_was_not_done_is_done_again() -> None:
    assert EnterAsteriskQueue(0, DESK) in sent().then(RouterReturned()).doing
    assert not any(isinstance(one, EnterAsteriskQueue) for one in waiting(RouterReturned()).last)
    asked = waiting(CALLER_BYE, GONE, RouterReturned()).doing
    assert any(isinstance(one, AskIfFollowed) for one in asked)
