"""`say`: the caller hears one prompt."""

import pytest

from router.core.call import CALLER, Saying
from router.core.commands import AnswerCaller, CallCommand, HangUpLeg, HangupReason, OpenBridge, Play
from router.core.events import CallEvent, CommandFailed, LegRinging, PlaybackEnded, TimerFired
from router.core.record import Disposition, Phase
from tests.unit.story import CALLER_BYE, CALLER_UP, GOODBYE, HELLO, RING_ANNA, gone, let_go, plan, story


def test_the_first_prompt_answers_the_caller_the_second_does_not() -> None:
    call = story(plan(HELLO, GOODBYE))
    assert call.last[:3] == (AnswerCaller(), OpenBridge(), Play(1, (HELLO,)))
    assert call.then(CALLER_UP, PlaybackEnded(1)).last == (Play(2, (GOODBYE,)),)


HANG_UP = HangUpLeg(CALLER, HangupReason.NORMAL)
CASES: list[tuple[str, CallEvent, list[CallCommand]]] = [
    ("the prompt is over", PlaybackEnded(1), [HANG_UP]),
    ("it could not be played", PlaybackEnded(1, failed=True), [HANG_UP]),
    ("playing it was refused", CommandFailed("Play", CALLER, 500), [HANG_UP]),
    ("there is no bridge to play it in", CommandFailed("Play", CALLER, 404), [HANG_UP]),
    ("the caller is just leaving", CommandFailed("OpenBridge", CALLER, 404), []),
    ("another prompt is over", PlaybackEnded(7), []),
    ("a ring timer of before", TimerFired("ring"), []),
    ("the caller's channel is ringing", LegRinging(CALLER), []),
]


@pytest.mark.parametrize(("event", "then"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_ends_a_prompt(event: CallEvent, then: list[CallCommand]) -> None:
    call = story(plan(HELLO), CALLER_UP, event)
    assert [command for command in call.doing if isinstance(command, HangUpLeg | Play)] == then
    assert isinstance(call.call.state, Saying) == (not then)


@pytest.mark.parametrize(
    "failure", [PlaybackEnded(1, failed=True), CommandFailed("Play", CALLER, 500)], ids=["ended", "refused"]
)
def test_a_prompt_that_fails_is_noted_and_nobody_is_left_waiting(failure: CallEvent) -> None:
    record = story(plan(HELLO), CALLER_UP, failure, let_go()).record
    assert (record.disposition, record.flags) == (Disposition.INFORMED, ("prompt_failed",))
    assert "prompt_failed" in [seen.what for seen in record.evidence]


def test_a_play_that_fails_late_does_not_end_the_next_step() -> None:
    call = story(plan(HELLO, RING_ANNA), PlaybackEnded(1), CommandFailed("Play", CALLER, 0))
    assert (call.rung, call.doing) == (["anna"], [])


def test_hanging_up_in_a_greeting_and_in_a_closing_announcement() -> None:
    greeting = story(plan(HELLO, RING_ANNA), CALLER_UP, CALLER_BYE, gone()).record
    assert (greeting.disposition, greeting.phase) == (Disposition.ABANDONED, Phase.GREETING)
    closing = story(plan(HELLO), CALLER_UP, CALLER_BYE, gone()).record
    assert (closing.disposition, closing.phase) == (Disposition.INFORMED, Phase.CLOSING)
