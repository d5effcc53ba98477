"""`ring` where the caller hears music meanwhile."""

import pytest

from router.core.call import CALLER
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CallCommand,
    CreateLeg,
    DestroyBridge,
    IndicateRinging,
    OpenBridge,
    Play,
    PlayToLeg,
    SetTimer,
    StartMusic,
    StopMusic,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegReady,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.plan import CallPlan, Ring, Target
from tests.unit.story import (
    ANNA,
    BO,
    CALLER_BYE,
    CALLER_UP,
    GOODBYE,
    HELLO,
    RING_ANNA,
    Story,
    plan,
    rings,
    story,
)

JAZZ = StartMusic("jazz")
MUSIC = Ring(((ANNA,),), 20.0, music="jazz")
ABOUT_MUSIC = (StartMusic, StopMusic, IndicateRinging, Bridge, Play)


def heard(call: Story) -> list[CallCommand]:
    """What was commanded last of what the caller hears."""
    return [command for command in call.last if isinstance(command, ABOUT_MUSIC)]


def test_the_caller_is_answered_and_hears_music_in_place_of_ringing() -> None:
    call = story(plan(MUSIC))
    ring = SetTimer("ring", 20.0)
    assert call.last[:5] == (AnswerCaller(), OpenBridge(), JAZZ, CreateLeg(1, ANNA), ring)
    call.then(CALLER_UP, rings(), TimerFired("ringback"))
    assert IndicateRinging() not in call.commanded


def test_who_was_answered_before_is_not_answered_again() -> None:
    call = story(plan(HELLO, MUSIC), CALLER_UP, PlaybackEnded(1))
    assert call.last[0] == JAZZ


def test_the_music_ends_before_two_people_talk() -> None:
    call = story(plan(MUSIC), CALLER_UP, rings(), LegAnswered(1))
    assert heard(call) == [StopMusic(), Bridge(1)]
    assert call.call.talk_began == call.now


def test_it_goes_on_while_somebody_is_asked() -> None:
    asks = Ring(((Target("anna", "PJSIP/anna", confirm=True),),), 20.0, "jazz", confirm=HELLO)
    call = story(plan(asks), CALLER_UP, rings(), LegAnswered(1))
    assert call.last == (PlayToLeg(1, 1, (HELLO,)),)
    assert heard(call.then(KeyPressed(1, "1"))) == [StopMusic(), Bridge(1)]


def test_it_goes_on_from_round_to_round_and_ends_before_the_next_step() -> None:
    call = story(plan(Ring(((ANNA,), (BO,)), 20.0, music="jazz"), GOODBYE), LegEnded(1, 17, 486))
    assert heard(call) == []
    assert heard(call.then(LegEnded(2, 17, 486))) == [StopMusic(), Play(1, (GOODBYE,))]


def test_there_is_none_where_nobody_is_rung() -> None:
    assert heard(story(plan(Ring((), 20.0, music="jazz"), GOODBYE))) == [Play(1, (GOODBYE,))]


def test_a_caller_who_leaves_takes_it_along() -> None:
    assert DestroyBridge() in story(plan(MUSIC), CALLER_UP, CALLER_BYE).last


RINGING = (CALLER_UP, LegReady(1))
TALKING = (*RINGING, LegAnswered(1))
SAYING = (CALLER_UP, LegEnded(1, 17, 486))
AFTER_A_GAP: list[tuple[str, CallPlan, tuple[CallEvent, ...], list[CallCommand]]] = [
    ("while it plays", plan(MUSIC), RINGING, [JAZZ]),
    ("in a talk", plan(MUSIC), TALKING, [StopMusic()]),
    ("in a prompt after it", plan(MUSIC, GOODBYE), SAYING, [StopMusic()]),
    ("where there is none", plan(RING_ANNA), RINGING, [IndicateRinging()]),
]


@pytest.mark.parametrize(
    ("the_plan", "before", "again"), [row[1:] for row in AFTER_A_GAP], ids=[row[0] for row in AFTER_A_GAP]
)
def test_what_a_gap_may_have_swallowed_is_told_again(
    the_plan: CallPlan, before: tuple[CallEvent, ...], again: list[CallCommand]
) -> None:
    call = story(the_plan, before, RouterReturned())
    assert heard(call) == again
    if again == [JAZZ]:
        assert call.last.index(JAZZ) > call.last.index(OpenBridge()), "music needs its bridge"


@pytest.mark.parametrize("status", [404, 409, 500, 0])
def test_without_music_the_caller_hears_ringing(status: int) -> None:
    call = story(plan(MUSIC), CALLER_UP, CommandFailed("StartMusic", CALLER, status))
    assert call.last == (IndicateRinging(),)
    late = story(plan(MUSIC), TALKING, CommandFailed("StartMusic", CALLER, status))
    assert late.last == ()


def test_an_end_without_a_reply_is_told_once_more() -> None:
    lost = CommandFailed("StopMusic", CALLER, 0)
    call = story(plan(MUSIC), TALKING, lost)
    assert call.last == (StopMusic(),)
    assert call.then(lost).last == ()
    assert story(plan(MUSIC), TALKING, CommandFailed("StopMusic", CALLER, 500)).last == ()
