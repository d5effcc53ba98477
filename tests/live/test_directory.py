"""Callers find somebody by keys: real prompts, real keys, real phones."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from router.core.record import CallRecord, Disposition, Party, Phase
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    HUNG_UP_ON,
    INVITE_HEARING,
    PICK_UP,
    RINGING,
    SPEAK,
    bye,
    hang_up,
    pause,
)
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room, keys_pressed

pytestmark = pytest.mark.live

DID = "+4722334455"
AWAY = "Bjørn er på ferie."
SORRY = "Da kan ingen ta imot samtalen."
FJORD = f"""\
client: fjord
name: Fjord
numbers: "{DID}"
timezone: Europe/Oslo
country: NO
language: nb
hours: {{never: {{week: {{}}}}}}
people:
  kari: {{name: Kari Nordmann, extension: 101, rings: P0}}
  ola:
    name: Ola Hansen
    spoken: Ola Hannsen
    rings: P0
    hours: never
    do: [{{ring: self}}, {{say: hours}}, hangup]
  oline: {{name: Oline Hansen, rings: P0}}
  bjorn: {{name: Bjørn Ås, extension: 103, do: [{{say: {AWAY}}}, hangup]}}
last_resort: [{{say: {SORRY}}}]
routes: [{{name: main, do: [directory]}}]
"""
HEARS = (INVITE_HEARING, ANSWERED)
PICKS_UP = (CALLED, RINGING, pause(0.3), PICK_UP)


def said(which: Phrase, **values: str) -> Speak:
    return phrase("nb", "formal", which, **values)


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    rules = {"fjord.yaml": FJORD.replace("P0", sandbox.phones[0].endpoint)}
    return sandbox, run_router(sandbox, rules)


@pytest.fixture
def room(running: tuple[Sandbox, RouterProcess]) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(*running, stack)
    assert running[0].left_behind() == []


def keys_in(room: Room, caller: Media, keys: str) -> None:
    """Answer the question whom the caller wants, in the midst of it."""
    caller.wait_for(room.prompt(said(Phrase.FIND_PERSON)))
    caller.press(f"{keys}#")


def chosen(record: CallRecord) -> list[str]:
    return [seen.detail for seen in record.evidence if seen.what == "chosen"]


@pytest.mark.parametrize(
    "keys", ["101", "5274", "66736"], ids=["by extension", "by first name", "by last name"]
)
def test_somebody_is_found_and_answers(room: Room, keys: str) -> None:
    count = room.next_record(DID)
    room.phone(*PICKS_UP, SPEAK, hang_up())
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    keys_in(room, caller, keys)
    caller.wait_for(room.prompt(said(Phrase.PRESS_FOR, key="1")))
    caller.wait_for(room.prompt("Kari Nordmann"))
    caller.press("1")
    record = room.record(DID, count)
    assert (record.disposition, record.answered_by, record.hung_up_by) == (
        Disposition.ANSWERED,
        "kari",
        Party.CALLEE,
    )
    assert (keys_pressed(record), chosen(record), record.flags) == (f"{keys}#1", ["kari"], ())


def test_one_of_several_is_chosen_and_rung(room: Room) -> None:
    count = room.next_record(DID)
    room.phone(*PICKS_UP, SPEAK, hang_up())
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    keys_in(room, caller, "42673")
    caller.wait_for(room.prompt("Ola Hannsen"))
    caller.wait_for(room.prompt(said(Phrase.PRESS_FOR, key="2")))
    caller.wait_for(room.prompt("Oline Hansen"))
    caller.wait_for(room.prompt(said(Phrase.SEARCH_AGAIN, key="0")))
    caller.press("2")
    record = room.record(DID, count)
    assert (record.disposition, record.answered_by) == (Disposition.ANSWERED, "oline")


def test_who_is_outside_their_hours_is_not_rung_and_the_hours_are_told(room: Room) -> None:
    count = room.next_record(DID)
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    keys_in(room, caller, "652")
    caller.wait_for(room.prompt("Ola Hannsen"))
    caller.press("1")
    caller.wait_for(room.prompt("Vi har stengt."))
    record = room.record(DID, count)
    assert (record.attempts, record.hung_up_by, chosen(record)) == ((), Party.ROUTER, ["ola"])
    assert record.disposition is Disposition.FAILED, "nobody could be rung"


def test_who_finds_nobody_searches_again(room: Room) -> None:
    count = room.next_record(DID)
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    keys_in(room, caller, "999")
    caller.wait_for(room.prompt(said(Phrase.NOBODY_FOUND)))
    caller.press("103#")
    caller.wait_for(room.prompt("Bjørn Ås"))
    caller.press("1")
    caller.wait_for(room.prompt(AWAY))
    record = room.record(DID, count)
    assert (record.disposition, chosen(record)) == (Disposition.INFORMED, ["bjorn"])
    assert record.hung_up_by is Party.ROUTER


def test_who_wants_nobody_goes_on(room: Room) -> None:
    count = room.next_record(DID)
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    keys_in(room, caller, "0")
    caller.wait_for(room.prompt(SORRY))
    record = room.record(DID, count)
    assert (record.disposition, chosen(record)) == (Disposition.INFORMED, [])


def test_leaving_in_it(room: Room) -> None:
    for keys, after in (("", 2.0), ("10", 2.0), ("42673#", 3.0)):
        count = room.next_record(DID)
        caller = room.calls(DID, *HEARS, pause(after), bye())
        caller.wait_for(room.prompt(said(Phrase.FIND_PERSON)))
        caller.press(keys)
        record = room.record(DID, count)
        assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.MENU)


def test_a_router_that_dies_meanwhile_goes_on_where_the_caller_is(room: Room) -> None:
    count = room.next_record(DID)
    room.phone(*PICKS_UP, SPEAK, hang_up())
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    keys_in(room, caller, "101")
    caller.wait_for(room.prompt("Kari Nordmann"))
    time.sleep(0.3)
    room.router.kill()
    room.router.start()
    caller.press("1")
    record = room.router.records(DID, within=30, count=count)[0]
    assert (record.disposition, record.answered_by, chosen(record)) == (
        Disposition.ANSWERED,
        "kari",
        ["kari"],
    )
