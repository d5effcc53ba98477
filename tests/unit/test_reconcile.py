"""After a gap: what a call missed, by what Asterisk shows."""

from collections.abc import Mapping, Set

import pytest

from router.core.events import (
    BridgeLost,
    CallEvent,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegLost,
    LegReady,
    LegReplaced,
    LegRinging,
    PlaybackEnded,
    RouterReturned,
    TransferAsked,
)
from router.core.reconcile import InPlace, Sighting, missed
from tests.unit.story import ARRIVAL, CALLER_UP, HELLO, RING_ANNA, Story, plan, rings, story, talk

SAYING = (HELLO,)
RINGING = (RING_ANNA,)
Before = tuple[CallEvent, ...]
Legs = Mapping[int, str | None]

LEGS: list[tuple[str, Before, Legs, list[CallEvent]]] = [
    ("nothing new", (), {0: "Ring", 1: "Down"}, [LegReady(1)]),
    ("dialled, no answer yet", (LegReady(1),), {0: "Ring", 1: "Down"}, []),
    ("it rings", (LegReady(1),), {0: "Ring", 1: "Ringing"}, [LegRinging(1)]),
    ("it rings, and we knew", rings(), {0: "Ring", 1: "Ringing"}, []),
    ("it was answered", rings(), {0: "Ring", 1: "Up"}, [LegAnswered(1)]),
    ("it is gone", rings(), {0: "Ring", 1: None}, [LegLost(1, ARRIVAL)]),
    ("it was gone before", (*rings(), LegEnded(1, 17, 486)), {0: "Ring", 1: None, 2: None}, []),
    ("the caller is gone", rings(), {0: None, 1: "Ringing"}, [LegLost(0, ARRIVAL)]),
    ("the caller was answered", rings(), {0: "Up", 1: "Ringing"}, [LegAnswered(0)]),
    ("both were answered, and we knew", talk(), {0: "Up", 1: "Up"}, []),
    ("nothing could be read", rings(), {}, []),
]


@pytest.mark.parametrize(
    ("before", "legs", "events"), [row[1:] for row in LEGS], ids=[row[0] for row in LEGS]
)
def test_what_the_legs_missed(before: Before, legs: Legs, events: list[CallEvent]) -> None:
    call = story(plan(*RINGING), before).call
    assert list(missed(call, Sighting(legs), ARRIVAL)) == [*events, RouterReturned()]


def sighted(call: Story, sighting: Sighting) -> list[CallEvent]:
    *events, last = missed(call.call, sighting, None)
    assert last == RouterReturned()
    return events


def test_a_caller_in_the_dialplan_has_left() -> None:
    call = story(plan(*RINGING), rings())
    seen = Sighting({0: "Up", 1: "Ringing"}, caller_departed=True)
    assert sighted(call, seen) == [LegLeft(0)]
    assert sighted(call.then(LegLeft(0)), seen) == [], "told once, and not answered by us"


PROMPTS = [("plays on", set(), []), ("is over", {1}, [PlaybackEnded(1)]), ("an earlier one", {7}, [])]


@pytest.mark.parametrize(("ended", "events"), [row[1:] for row in PROMPTS], ids=[row[0] for row in PROMPTS])
def test_what_a_prompt_missed(ended: set[int], events: list[CallEvent]) -> None:
    call = story(plan(*SAYING), CALLER_UP)
    assert sighted(call, Sighting({0: "Up"}, ended_playbacks=ended)) == events


BRIDGES = [
    ("they talk", {0, 1}, []),
    ("the bridge is gone", set(), [BridgeLost()]),
    ("only the caller is in it", {0}, [BridgeLost()]),
    ("it could not be read", None, []),
]


@pytest.mark.parametrize(("bridged", "events"), [row[1:] for row in BRIDGES], ids=[row[0] for row in BRIDGES])
def test_what_a_talk_missed(bridged: Set[int] | None, events: list[CallEvent]) -> None:
    call = story(plan(*RINGING), talk())
    assert sighted(call, Sighting({0: "Up", 1: "Up"}, bridged=bridged)) == events


GIVEN_AWAY: list[tuple[str, InPlace, CallEvent]] = [
    ("to somebody who talks", InPlace("x.1", "PJSIP/bo"), LegReplaced(1, "x.1", "PJSIP/bo")),
    ("to whom is yet to be found", InPlace("x.1", "Local/1@x", "101"), TransferAsked(1, "101", "x.1")),
]


@pytest.mark.parametrize(
    ("in_place", "event"), [row[1:] for row in GIVEN_AWAY], ids=[row[0] for row in GIVEN_AWAY]
)
def test_a_caller_who_was_given_away(in_place: InPlace, event: CallEvent) -> None:
    call = story(plan(*RINGING), talk())
    seen = Sighting({0: "Up", 1: None}, bridged={0}, in_place=in_place)
    assert sighted(call, seen) == [event, LegLost(1)], "its end comes after, and ends no talk"
