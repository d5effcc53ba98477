"""Callers who keep their place in a queue without waiting, and are called back at their turn."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase, spelled
from router.core.plan import Speak
from router.core.record import AttemptOutcome, CallRecord, Disposition, Party
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCELLED,
    HUNG_UP_ON,
    INVITE_HEARING,
    PICK_UP,
    PICK_UP_HEARING,
    RINGING,
    Callee,
    called,
    hang_up,
    pause,
    reject,
)
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import Switchboard, talks

pytestmark = pytest.mark.live

DESK, FORMAL = "+4722334450", "+4722334451"
CLIENT = """\
client: {client}
name: Fjord
numbers: "{number}"
timezone: Europe/Oslo
country: NO
language: nb
tone: {tone}
people: {{kari: {{rings: {phone}}}}}
queues: {{{tone}: {{agents: kari, callback_key: 1, ring_for: 2s, wrap_up: 1s, announce: {{position: true}}}}}}
last_resort: [hangup]
routes: [{{name: all, do: [{{queue: {tone}, for: 1m}}]}}]
"""
FIRST, SECOND = "+4790000071", "+4790000072"


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    files = {
        f"{tone}.yaml": CLIENT.format(client=tone, tone=tone, number=number, phone=phone)
        for tone, number, phone in (("informal", DESK, "PJSIP/100"), ("formal", FORMAL, "PJSIP/101"))
    }
    return sandbox, run_router(sandbox, files)


@pytest.fixture
def board(running: tuple[Sandbox, RouterProcess]) -> Iterator[Switchboard]:
    with ExitStack() as stack:
        yield Switchboard(*running, stack, {"kari": 100, "formal kari": 101})
    wait_until(lambda: running[0].left_behind() == [], "nothing is left in Asterisk")


def said(which: Phrase, **values: str) -> Speak:
    return phrase("nb", "informal", which, **values)


def keeps_the_place(board: Switchboard, number: str) -> None:
    """Somebody calls who does not wait on the line."""
    media = board.calls(DESK, INVITE_HEARING, ANSWERED, HUNG_UP_ON, user=number)
    media.wait_for(board.prompt(said(Phrase.QUEUE_CALLBACK, key="1")))
    media.press("1")
    media.wait_for(board.prompt(said(Phrase.PLACE_KEPT)))


def latest(board: Switchboard, count: int) -> list[CallRecord]:
    """The records of so many calls, in the order in which they began, once all of them are over."""
    return board.records_of(DESK, count, within=60)


def wishes(board: Switchboard) -> dict[str, str | None]:
    """Who did what became of each wish to be called back, by the caller's number."""
    listed = map(json.loads, reversed(board.typed("messages", "--all", "--json").splitlines()))
    return {one["callback"]: one["done_by"] for one in listed}


def test_who_keeps_the_place_is_called_back_before_those_who_came_later(board: Switchboard) -> None:
    before = board.next_record(DESK) - 1
    board.agent("kari", CALLED, RINGING, CANCELLED, calls=1)
    keeps_the_place(board, FIRST)
    board.caller(DESK, user=SECOND)
    wait_until(lambda: len(board.queue("informal")["callers"]) == 2, "both wait")
    # The phone shows whose number was called, and rings for the caller's own number.
    mobile = board.phone(
        called(request=f"INVITE sip:[+]?{FIRST[1:]}@", caller=DESK[1:]),
        RINGING, pause(1.0), PICK_UP_HEARING, HUNG_UP_ON, port=board.sandbox.trunk_port,
    )  # fmt: skip
    agent = board.phone(CALLED, RINGING, pause(0.3), PICK_UP_HEARING, pause(22.0), hang_up())
    agent.wait_for(board.prompt("En som vil ringes opp, for Fjord. Du ringer"), within=30)
    for digit in spelled("nb", FIRST[3:]):
        agent.wait_for(board.prompt(digit))
    agent.speak(board.prompt(said(Phrase.QUEUE_NEXT)), 6.0)
    mobile.wait_for_speech(board.prompt(said(Phrase.QUEUE_NEXT)), since=0)
    board.agent("kari", *talks(0.5))
    asked, waited, back = latest(board, before + 3)[-3:]
    assert asked.disposition is Disposition.CALLBACK_REQUESTED
    assert (back.info.caller, back.info.route, back.answered_by) == (FIRST, "callback", "kari")
    assert (back.disposition, back.hung_up_by) == (Disposition.ANSWERED, Party.CALLEE)
    assert {(one.target, one.outcome) for one in back.attempts if one.number == 0} == {
        (FIRST, AttemptOutcome.ANSWERED)
    }
    assert waited.answered_at
    assert back.answered_at
    assert back.answered_at < waited.answered_at
    assert wishes(board)[FIRST] == "kari", "nobody has to call again"


def test_an_agent_is_told_that_nobody_answers(board: Switchboard) -> None:
    before = board.next_record(DESK) - 1
    board.agent("kari", CALLED, RINGING, CANCELLED, calls=1)
    keeps_the_place(board, SECOND)
    board.phone(CALLED, reject(486), port=board.sandbox.trunk_port)
    agent = board.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON)
    agent.wait_for(board.prompt(said(Phrase.NOT_REACHED)), within=40)
    back = latest(board, before + 2)[-1]
    assert (back.disposition, back.reason) == (Disposition.BUSY, "")
    assert wishes(board)[SECOND] is None, "somebody has to call again"


def test_a_place_is_kept_over_the_death_of_the_router(board: Switchboard) -> None:
    before = board.next_record(DESK) - 1
    deaf = board.agent("kari", CALLED, RINGING, CANCELLED)
    keeps_the_place(board, FIRST)
    wait_until(lambda: len(board.queue("informal")["callers"]) == 1, "somebody is to be called back")
    time.sleep(0.2)  # What came in the last moment is not written down yet.
    standing = [(one["call_id"], one["since"]) for one in board.queue("informal")["callers"]]
    board.router.kill()
    board.router.start()
    assert [(one["call_id"], one["since"]) for one in board.queue("informal")["callers"]] == standing
    mobile = Callee(CALLED, RINGING, PICK_UP, HUNG_UP_ON, port=board.sandbox.trunk_port)
    board.at_end(mobile.stop)
    mobile.listening()
    deaf.stop()
    board.agent("kari", *talks(14.0))
    back = latest(board, before + 2)[-1]
    assert (back.info.caller, back.disposition) == (FIRST, Disposition.ANSWERED)


def test_who_withholds_the_number_keys_it_in_or_waits_on(board: Switchboard) -> None:
    board.agent("formal kari", CALLED, RINGING, CANCELLED, calls=1)
    media = board.calls(FORMAL, INVITE_HEARING, ANSWERED, HUNG_UP_ON, user="anonymous")
    media.wait_for(board.prompt(phrase("nb", "formal", Phrase.QUEUE_CALLBACK, key="1")))
    media.press("1")
    began = media.wait_for(board.prompt(phrase("nb", "formal", Phrase.KEY_IN_NUMBER)))
    wait_until(lambda: len(board.queue("formal")["callers"]) == 1, "waits on, who says nothing", within=40)
    media.wait_for(board.prompt(phrase("nb", "formal", Phrase.QUEUE_NEXT)))
    assert media.longest_silence(began, time.monotonic()) < 8.0, "only while asked"
    media.press("1")
    media.wait_for(board.prompt(phrase("nb", "formal", Phrase.KEY_IN_NUMBER)))
    media.press("90000073#")
    media.wait_for(board.prompt(phrase("nb", "formal", Phrase.NUMBER_RIGHT)))
    media.press("1")
    media.wait_for(board.prompt(phrase("nb", "formal", Phrase.PLACE_KEPT)))
    wait_until(lambda: len(board.queue("formal")["callers"]) == 1, "the place is kept")
    board.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON, port=board.sandbox.trunk_port)
    board.agent("formal kari", *talks(12.0), calls=1)
    asked, back = board.records_of(FORMAL, 2, within=60)
    assert (asked.disposition, back.disposition) == (Disposition.CALLBACK_REQUESTED, Disposition.ANSWERED)
    assert back.info.caller == "+4790000073"
