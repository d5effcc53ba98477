"""Dead-man timers set and lifted for all calls together."""

import asyncio
import re
import time
from collections.abc import Sequence

import pytest
from annotated_types import Ge

from router.core import deadman
from router.core.call import (
    CALLER,
    THE_CALLER,
    Call,
    CallState,
    Ending,
    Leg,
    LegState,
    Over,
    Ringing,
    Saying,
    Talking,
)
from router.core.commands import HangupReason, LiftDeadMan, SetDeadMan
from router.core.plan import CallPlan, Target
from router.edge import deadmen
from router.edge.ari import wire
from router.edge.deadmen import DeadManCommand, DeadMen, Told
from router.edge.livecall import LiveCall
from router.settings import Settings
from tests.edge.stories import TEN, a_call

KARI = Target("kari", "PJSIP/kari")


def a_live_call(number: int, *legs: Leg, state: CallState | None = None) -> LiveCall:
    """One whose channels are `ID-l1` and so on, and `in.NUMBER` the caller's."""
    info = a_call(f"call-{number}", channel=f"in.{number}")
    caller = Leg(CALLER, TEN, THE_CALLER)
    others = legs or (Leg(1, TEN, KARI),)
    return LiveCall(Call(info=info, plan=CallPlan(()), legs=(caller, *others), state=state or Saying(0)))


class Asterisk:
    """What it is sent: for each request the channels and their seconds, and who is to be told."""

    def __init__(self) -> None:
        self.set: list[dict[str, int]] = []
        self.told: list[list[tuple[str, DeadManCommand]]] = []
        self.dead_men = DeadMen(9, self.send)

    def send(self, request: wire.Request, told: Sequence[Told]) -> None:
        assert (request.method, request.path, request.done) == ("POST", "asterisk/variable", ())
        channels = re.findall(r"EXPORT\(([^,]+),TIMEOUT\(absolute\)\)", request.query["variable"])
        seconds = map(int, request.query["value"].split(","))
        self.set.append(dict(zip(channels, seconds, strict=True)))
        self.told.append([(live.call.info.id, command) for live, command in told])


@pytest.fixture
def asterisk(monkeypatch: pytest.MonkeyPatch) -> Asterisk:
    monkeypatch.setattr(deadmen, "BATCH", 0.02)
    return Asterisk()


async def later() -> None:
    await asyncio.sleep(0.06)


async def test_what_calls_want_goes_in_one_request(asterisk: Asterisk) -> None:
    waits, talks = a_live_call(1, Leg(1, TEN, KARI), Leg(2, TEN, KARI)), a_live_call(2)
    asterisk.dead_men.take(waits, SetDeadMan((1, 2)))
    asterisk.dead_men.take(talks, LiftDeadMan(1))
    assert asterisk.set == []
    await later()
    assert asterisk.set == [
        {"in.1": 9, "call-1-l1": 9, "call-1-l2": 9, "in.2": wire.NEVER, "call-2-l1": wire.NEVER}
    ]
    assert asterisk.told == [[("call-1", SetDeadMan((1, 2))), ("call-2", LiftDeadMan(1))]]
    asterisk.dead_men.take(talks, LiftDeadMan(1))
    await later()
    assert len(asterisk.set) == 2


async def test_more_than_asterisk_takes_goes_in_several(asterisk: Asterisk) -> None:
    calls = [a_live_call(number) for number in range(60)]
    for call in calls:
        asterisk.dead_men.take(call, LiftDeadMan(1))
    await later()
    assert [len(channels) for channels in asterisk.set] == [50, 50, 20]
    assert len({channel for channels in asterisk.set for channel in channels}) == 120
    assert [len(told) for told in asterisk.told] == [25, 25, 10]


async def test_channels_are_found_by_name_once_it_is_known(asterisk: Asterisk) -> None:
    call = a_live_call(1)
    asterisk.dead_men.take(call, SetDeadMan((1,)))
    call.names[1] = "PJSIP/kari-00000002"
    await later()
    assert asterisk.set == [{"in.1": 9, "PJSIP/kari-00000002": 9}]


OVERTAKEN: list[tuple[str, DeadManCommand, DeadManCommand, dict[str, int]]] = [
    ("a setting by a lift", SetDeadMan((1,)), LiftDeadMan(1), {"in.1": wire.NEVER, "call-1-l1": wire.NEVER}),
    ("a lift by a setting", LiftDeadMan(1), SetDeadMan((1,)), {"in.1": 9, "call-1-l1": 9}),
    ("in part", SetDeadMan((1,)), SetDeadMan(()), {"in.1": 9, "call-1-l1": 9}),
]


@pytest.mark.parametrize(
    ("first", "then", "sent"), [row[1:] for row in OVERTAKEN], ids=[row[0] for row in OVERTAKEN]
)
async def test_the_later_setting_of_a_channel_counts(
    asterisk: Asterisk, first: DeadManCommand, then: DeadManCommand, sent: dict[str, int]
) -> None:
    call = a_live_call(1)
    asterisk.dead_men.take(call, first)
    asterisk.dead_men.take(call, then)
    await later()
    assert asterisk.set == [sent]


LEG = Leg(1, TEN, KARI)
ENDED = Leg(1, TEN, KARI, LegState.ENDED)
GIVEN_UP = Leg(1, TEN, KARI, LegState.RINGING, intent=HangupReason.ANSWERED_ELSEWHERE)
RINGING = Ringing(0, TEN, (1,))

COUNTING: list[tuple[str, LiveCall, list[str]]] = [
    ("who waits", a_live_call(1, LEG, state=RINGING), ["in.1", "call-1-l1"]),
    ("who talks", a_live_call(1, LEG, state=Talking(1)), ["in.1", "call-1-l1"]),
    ("a phone that hung up", a_live_call(1, ENDED, state=RINGING), ["in.1"]),
    ("a phone that was given up", a_live_call(1, GIVEN_UP, state=RINGING), ["in.1"]),
    ("a call that ends", a_live_call(1, LEG, state=Ending()), []),
    ("a call in the dialplan", a_live_call(1, LEG, state=Ending(dialplan="closed")), []),
    ("a call that is over", a_live_call(1, LEG, state=Over()), []),
]


@pytest.mark.parametrize(("then", "sent"), [row[1:] for row in COUNTING], ids=[row[0] for row in COUNTING])
async def test_who_has_come_to_an_end_meanwhile_is_left_alone(
    asterisk: Asterisk, then: LiveCall, sent: list[str]
) -> None:
    call = a_live_call(1)
    asterisk.dead_men.take(call, SetDeadMan((1,)))
    call.call = then.call
    await later()
    assert [list(channels) for channels in asterisk.set] == ([sent] if sent else [])


async def test_before_the_end_nothing_waits(asterisk: Asterisk) -> None:
    asterisk.dead_men.take(a_live_call(1), LiftDeadMan(1))
    asterisk.dead_men.hurry()
    asterisk.dead_men.take(a_live_call(2), LiftDeadMan(1))
    assert [[*channels] for channels in asterisk.set] == [["in.1", "call-1-l1"], ["in.2", "call-2-l1"]]
    await later()
    assert len(asterisk.set) == 2


async def test_what_is_forgotten_is_not_sent(asterisk: Asterisk) -> None:
    asterisk.dead_men.take(a_live_call(1), LiftDeadMan(1))
    asterisk.dead_men.forget()
    asterisk.dead_men.take(a_live_call(2), LiftDeadMan(1))
    await later()
    assert [[*channels] for channels in asterisk.set] == [["in.2", "call-2-l1"]]


async def test_a_router_that_stood_still_reads_first(
    asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have stood still for so long that the dead man took the caller to the dialplan."""
    monkeypatch.setattr(deadmen, "STOOD_STILL", 0.05)
    fell, waits = a_live_call(1), a_live_call(2)
    for call in (fell, waits):
        asterisk.dead_men.take(call, SetDeadMan(()))
    time.sleep(0.1)
    await asyncio.sleep(0)
    assert asterisk.set == []
    fell.call = a_live_call(1, state=Ending()).call
    await later()
    assert asterisk.set == [{"in.2": 9}]


def test_one_lost_setting_does_no_harm() -> None:
    [shortest] = [rule.ge for rule in Settings.model_fields["dead_man"].metadata if isinstance(rule, Ge)]
    assert isinstance(shortest, int)
    assert shortest / 2 >= deadman.REFRESH + deadmen.BATCH
