"""Calls from the first ring to the record, with nothing going wrong but people: see asterisk.py."""

from collections.abc import Callable

import pytest

from router.core import deadman
from router.core.record import AttemptOutcome
from router.edge import deadmen
from tests.sim import phones
from tests.sim.asterisk import BREAK_GLASS, FakeAsterisk
from tests.sim.channels import Channel
from tests.sim.phones import ANSWERS, BUSY, DECLINES, RINGS_ON, SILENT, Phone
from tests.sim.router import (
    ALL,
    BRANCHES,
    CLOSED,
    GREETING,
    IN_TURN,
    MARKED,
    MUSIC,
    ONE,
    OUTSIDE,
    Router,
    until,
)
from tests.sim.stories import hears, outcomes, playing, rings, talk, talking, told


async def test_whom_the_dialplan_has_answered_before_us_has_talked(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones["PJSIP/kari"] = ANSWERS
    caller = asterisk.call(ONE, state="Up")
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "caller")
    assert len(record.talks) == 1


@pytest.mark.parametrize("start_late", [False, True], ids=["StasisStart first", "the reply first"])
async def test_a_call_is_put_through_and_the_caller_ends_it(
    asterisk: FakeAsterisk, router: Router, start_late: bool
) -> None:
    asterisk.start_late = start_late
    caller = await talk(asterisk)
    [kari] = asterisk.legs("PJSIP/kari")
    assert (caller.state, kari.originator) == ("Up", caller.id)
    caller.hang_up()
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "caller")
    assert (record.answered_by, record.info.caller, record.flags) == ("PJSIP/kari", "+4790000009", ())
    assert kari.ended == (16, 0)
    await router.all_over(1)
    asked = [words for words in asterisk.commands() if "variable" not in words]
    assert asked == [
        "POST channels/create",
        "POST channels/l1/dial",
        "POST channels//ring",
        "POST channels//answer",
        "POST bridges",
        "POST bridges/b/addChannel",
        "DELETE channels/l1",
        "DELETE bridges/b",
    ]


async def test_music_plays_until_two_people_talk(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones["PJSIP/kari"] = Phone(rings=0.01, answers=0.3)
    caller = asterisk.call(MUSIC)
    await until(lambda: playing(asterisk) == ["jazz"], what="the music")
    assert caller.state == "Up"
    await until(lambda: talking(asterisk), what="the talk")
    assert playing(asterisk) == [""]
    caller.hang_up()
    assert told(await router.record(MUSIC)) == ("answered", "talking", "caller")
    await router.all_over(1)
    assert not [words for words in asterisk.commands() if words.endswith("/ring")]


async def test_music_ends_before_the_next_step(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones["PJSIP/kari"] = BUSY
    asterisk.call(MUSIC)
    await router.record(MUSIC)
    asked = [words for words in asterisk.commands(about="-b/") if not words.endswith("addChannel")]
    assert asked == ["POST bridges/b/moh", "DELETE bridges/b/moh", "POST bridges/b/play"]
    await router.all_over(1)


async def test_the_phone_ends_the_talk(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones["PJSIP/kari"] = Phone(answers=0.02, hangs_up=0.1)
    caller = asterisk.call(ONE)
    assert told(await router.record(ONE)) == ("answered", "talking", "callee")
    await until(lambda: caller.ended == (16, 0))
    await router.all_over(1)


async def test_the_first_to_answer_gets_the_call_and_the_others_are_cancelled(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {
        "PJSIP/kari": RINGS_ON,
        "PJSIP/ola": Phone(answers=0.1),
        "PJSIP/anne": Phone(refuses=0.02),
    }
    caller = asterisk.call(ALL)
    await until(lambda: talking(asterisk), what="the talk")
    await until(lambda: not asterisk.legs("PJSIP/kari"))
    caller.hang_up()
    record = await router.record(ALL)
    assert outcomes(record) == {
        "PJSIP/kari": "answered_elsewhere",
        "PJSIP/ola": "answered",
        "PJSIP/anne": "busy",
    }
    cancelled = [query for method, path, query in asterisk.requests if path.endswith("-l1") and query]
    assert cancelled == [{"reason_code": "26"}]  # the phone shows no missed call
    await router.all_over(1)


async def test_two_who_answer_at_once(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones = dict.fromkeys(("PJSIP/kari", "PJSIP/ola", "PJSIP/anne"), phones.ANSWERS_AT_ONCE)
    caller = asterisk.call(ALL)
    await until(lambda: talking(asterisk) and len(asterisk.channels) == 2, what="the talk of two")
    caller.hang_up()
    answers = [attempt.outcome for attempt in (await router.record(ALL)).attempts]
    assert sorted(answers) == ["answered", "answered_elsewhere", "answered_elsewhere"]
    await router.all_over(1)


async def test_in_turn_the_second_is_rung_when_the_first_did_not_answer(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {"PJSIP/kari": RINGS_ON, "PJSIP/ola": ANSWERS}
    caller = asterisk.call(IN_TURN)
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    assert outcomes(await router.record(IN_TURN)) == {"PJSIP/kari": "no_answer", "PJSIP/ola": "answered"}
    await router.all_over(1)


BRANCHED = [
    ("busy", BUSY, "sound:they-talk", ("busy", "greeting", "router")),
    ("declined", DECLINES, "sound:they-refuse", ("no_answer", "declined", "router")),
    ("not registered", None, "sound:not-there", ("failed", "unreachable", "router")),
    ("congestion", phones.CONGESTED, "sound:trouble", ("failed", "congestion", "router")),
    ("nobody answers", RINGS_ON, "sound:nobody", ("no_answer", "closing", "router")),
    ("a silent host", SILENT, "sound:nobody", ("no_answer", "closing", "router")),
]


@pytest.mark.parametrize(
    ("phone", "heard", "disposition"), [row[1:] for row in BRANCHED], ids=[row[0] for row in BRANCHED]
)
async def test_what_the_caller_hears_when_the_phone_is_not_answered(
    asterisk: FakeAsterisk,
    router: Router,
    phone: Phone | None,
    heard: str,
    disposition: tuple[str, str, str],
) -> None:
    if phone:
        asterisk.phones["PJSIP/kari"] = phone
    caller = asterisk.call(BRANCHES)
    record = await router.record(BRANCHES)
    assert caller.heard == [heard]
    assert (record.disposition.value, record.hung_up_by) == (disposition[0], "router")
    assert record.reason == (disposition[1] if disposition[1] not in ("greeting", "closing") else "")
    await router.all_over(1)


async def test_a_prompt_and_then_the_phone(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk, GREETING)
    assert caller.heard == ["sound:hello"]
    caller.hang_up()
    assert told(await router.record(GREETING)) == ("answered", "talking", "caller")


async def test_a_prompt_that_is_not_there_keeps_nobody_waiting(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.sounds = {}
    caller = await talk(asterisk, GREETING)
    caller.hang_up()
    assert (await router.record(GREETING)).flags == ("prompt_failed",)
    await router.counts("callrouter_prompt_failures_total", 1)


async def test_an_announcement_is_heard_to_its_end(asterisk: FakeAsterisk, router: Router) -> None:
    caller = asterisk.call(CLOSED)
    assert told(await router.record(CLOSED)) == ("informed", "closing", "router")
    assert (caller.heard, caller.ended) == (["sound:closed"], (16, 0))
    await router.all_over(1)


LEAVING = [
    ("in the greeting", GREETING, hears, ("abandoned", "greeting", "caller")),
    ("before a phone rings", ONE, rings("Down"), ("abandoned", "ringing", "caller")),
    ("while phones ring", ALL, rings("Ringing", "Ringing", "Ringing"), ("abandoned", "ringing", "caller")),
    ("in the announcement", CLOSED, hears, ("informed", "closing", "caller")),
]


@pytest.mark.parametrize(
    ("dialled", "there", "disposition"), [row[1:] for row in LEAVING], ids=[row[0] for row in LEAVING]
)
async def test_the_caller_leaves(
    asterisk: FakeAsterisk,
    router: Router,
    dialled: str,
    there: Callable[[FakeAsterisk], bool],
    disposition: tuple[str, str, str],
) -> None:
    asterisk.phones = dict.fromkeys(("PJSIP/kari", "PJSIP/ola", "PJSIP/anne"), RINGS_ON)
    asterisk.sounds = dict.fromkeys(asterisk.sounds, 30.0)
    caller = asterisk.call(dialled)
    await until(lambda: there(asterisk))
    caller.hang_up()
    await until(lambda: not asterisk.channels, within=1.0, what="the end of every leg")
    record = await router.record(dialled)
    assert told(record) == disposition
    assert {attempt.outcome for attempt in record.attempts} <= {AttemptOutcome.CANCELLED}
    await router.all_over(1)


async def test_a_blocked_caller_is_declined(asterisk: FakeAsterisk, router: Router) -> None:
    caller = asterisk.call(ONE, caller="+4781549123")
    assert told(await router.record(ONE)) == ("blocked", "telemarketers", "router")
    assert (caller.ended, asterisk.commands()) == ((21, 0), ["DELETE channels/"])
    await router.all_over(1)


async def test_a_number_that_is_nobodys(asterisk: FakeAsterisk, router: Router) -> None:
    caller = asterisk.call("+4755555555")
    assert told(await router.record("+4755555555"))[:2] == ("failed", "no_route")
    await until(lambda: caller.ended == (1, 0))
    await router.all_over(1)


async def test_calls_of_others_are_not_touched(asterisk: FakeAsterisk, router: Router) -> None:
    other = asterisk.call(ONE)
    await until(lambda: asterisk.commands())
    before = len(asterisk.requests)
    stranger = Channel(asterisk.hang_up, "other.1", "PJSIP/other", "Up")
    asterisk._put(stranger)
    asterisk._enter(stranger, "callrouter", "callrouter,leg", ("leg",))
    stranger.hang_up()
    other.hang_up()
    await router.record(ONE)
    assert not [path for _, path, _ in asterisk.requests[before:] if "other.1" in path]


async def test_the_caller_is_shown_to_a_phone_outside(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones["PJSIP/+4790000001@trunk"] = RINGS_ON
    caller = asterisk.call(OUTSIDE)
    await until(lambda: asterisk.legs("PJSIP/+4790000001@trunk"))
    [leg] = asterisk.legs("PJSIP/+4790000001@trunk")
    assert leg.variables == {
        "TIMEOUT(absolute)": "12",
        "TRANSFER_CONTEXT": "callrouter-no-transfer",
        "CONNECTEDLINE(num,i)": "+4790000009",
    }
    caller.hang_up()
    await router.all_over(1)


async def test_whoever_waits_is_kept_from_the_dead_man(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadman, "REFRESH", 0.05)
    asterisk.phones["PJSIP/kari"] = RINGS_ON
    caller = asterisk.call(ONE)

    await until(lambda: bool(asterisk.legs("PJSIP/kari")))
    [leg] = asterisk.legs("PJSIP/kari")
    await until(lambda: min(caller.dead_man_set, leg.dead_man_set) > 3)
    caller.hang_up()
    assert told(await router.record(ONE)) == ("abandoned", "ringing", "caller")


async def test_one_request_lifts_the_dead_men_of_all_who_begin_to_talk(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadmen, "BATCH", 0.4)
    asterisk.phones["PJSIP/kari"] = ANSWERS
    callers = [asterisk.call(ONE, caller=f"+479000000{number}") for number in range(9)]
    await until(lambda: len(asterisk.bridges) == len(callers))
    left = asterisk.call(ONE)
    await until(lambda: left.state == "Up")
    left.hang_up()
    await until(lambda: not any(one.waits_under_a_dead_man for one in asterisk.channels.values()))
    assert asterisk.commands(about="variable") == ["POST asterisk/variable"]
    assert asterisk.asked_of(left).count("asterisk/variable") == 0, "it is over"
    for caller in callers:
        caller.hang_up()
    await router.all_over(len(callers) + 1)


async def test_the_dead_man_strikes_a_caller_whom_nobody_answered(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones["PJSIP/kari"] = RINGS_ON
    caller = asterisk.call(ONE)
    await until(lambda: asterisk.legs("PJSIP/kari"))
    asterisk.dead_man_strikes(caller)
    assert told(await router.record(ONE)) == ("transferred", "dead_man", "router")
    assert not asterisk.legs("PJSIP/kari")
    assert caller.context == BREAK_GLASS


async def test_a_call_is_marked_and_goes_on(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk, MARKED)
    assert caller.variables["ACCOUNT"] == "fjord"
    await until(lambda: router.tags(MARKED), what="the tag, while they talk")
    await router.die()
    await router.start()
    caller.hang_up()
    record = await router.record(MARKED)
    [tag] = router.tags(MARKED)
    assert (tag.tag, tag.who, tag.way.value) == ("interested", "marked", "rule")
    assert tag.place == f"{router.rules}/fjord.yaml:35"
    assert tag.at == record.info.arrived_at
    assert told(record) == ("answered", "talking", "caller")
    assert record.flags == ()
    assert [(seen.what, seen.detail) for seen in record.evidence[:1]] == [("tagged", "interested")]
