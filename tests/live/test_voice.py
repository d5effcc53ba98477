"""Callers and employees hear and press things: real prompts, real keys, by what came and went as RTP."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.record import AttemptOutcome, Disposition, Party, Phase
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCEL,
    HUNG_UP_ON,
    INVITE,
    INVITE_HEARING,
    PICK_UP,
    PICK_UP_HEARING,
    RINGING,
    RINGS,
    SPEAK,
    Move,
    bye,
    hang_up,
    pause,
    refused,
)
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room, keys_pressed

pytestmark = pytest.mark.live

WELCOME = "Velkommen til Fjord."
WHAT = "Tast 1 for kontoret, 2 for mer."
MORE = "Tast 2 for enda mer."
MOST = "Tast 3 for resepter."
RECIPES = "Resepter fornyes på nett."
BOT = "Vi kjenner ikke dette nummeret."
WHISPER = "En kunde."
FROM, FOR, QUESTION = "Fra", "til Tjern. Svar kort.", "Ta den, Tjern?"
LONG = "Dette er en lang melding, " * 8
DID, PHONES, OUTSIDE = "+4722334455", "+4722334456", "+4722334457"
OPEN, TOLD = "+4722334458", "+4722334459"
MUSIC, MUSIC_OUTSIDE, WHISPERED = "+4722334460", "+4722334461", "+4722334462"
SUSPECT = "+4781549001"
FJORD = f"""\
client: fjord
name: Fjord
numbers: "{DID}"
timezone: Europe/Oslo
country: NO
language: nb
greeting: {WELCOME}
screening:
  block: [{{name: ads, numbers: "{SUSPECT}"}}]
  treatment: {{challenge: {BOT}}}
last_resort: [hangup]
routes:
  - name: main
    do:
      - menu:
          say: {WHAT}
          choices:
            1: [{{ring: P0, for: 10s}}]
            2:
              - menu:
                  say: {MORE}
                  choices:
                    2: [{{menu: {{say: {MOST}, choices: {{3: [{{say: {RECIPES}}}, hangup]}}}}}}]
          otherwise: [{{ring: P0, for: 10s}}]
"""
SUND = f"""\
client: sund
name: Sund
numbers: ["{PHONES}", "{OUTSIDE}", "{OPEN}", "{TOLD}"]
timezone: Europe/Oslo
country: NO
language: nb
hours:
  always: {{week: {{mon-sun: "00:00-24:00"}}}}
last_resort: [hangup]
routes:
  - {{name: hours, when: {{dialled: "{OPEN}"}}, do: [{{say: hours}}, hangup]}}
  - {{name: long, when: {{dialled: "{TOLD}"}}, do: [{{say: "{LONG}"}}, hangup]}}
  - name: mobile
    when: {{dialled: "{OUTSIDE}"}}
    do: [{{ring: "+4790000001", for: 20s, on: {{declined: [decline], no_answer: [{{decline: busy}}]}}}}]
  - {{name: whispered, do: [{{ring: P0, for: 10s, announce: {WHISPER}}}]}}
"""
TJERN = f"""\
client: tjern
name: Tjern
numbers: ["{MUSIC}", "{MUSIC_OUTSIDE}", "{WHISPERED}"]
timezone: Europe/Oslo
country: NO
language: nb
while_ringing: music
routes:
  - {{name: mobile, when: {{dialled: "{MUSIC_OUTSIDE}"}}, do: [{{ring: "+4790000001", for: 20s}}]}}
  - name: whisper
    when: {{dialled: "{WHISPERED}"}}
    do:
      - ring: P0
        for: 10s
        announce: "Fra {{caller}} til {{client}}. Svar kort."
        confirm: "Ta den, {{client}}?"
  - {{name: desk, do: [{{ring: P0, for: 6s}}]}}
"""
NO_SUCH_KEY = phrase("nb", "formal", Phrase.NO_SUCH_KEY)
TAKE = phrase("nb", "formal", Phrase.TAKE_CALL, client="Sund")
HEARS = (INVITE_HEARING, ANSWERED)
PICKS_UP = (CALLED, RINGING, pause(0.3), PICK_UP)
STAYS = (*HEARS, pause(60))


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    texts = {"fjord.yaml": FJORD, "sund.yaml": SUND, "tjern.yaml": TJERN}
    rules = {name: text.replace("P0", sandbox.phones[0].endpoint) for name, text in texts.items()}
    return sandbox, run_router(sandbox, rules)


@pytest.fixture
def room(running: tuple[Sandbox, RouterProcess]) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(*running, stack)
    assert running[0].left_behind() == []


def test_a_caller_walks_through_menus_three_deep(room: Room) -> None:
    count = room.next_record(DID)
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    caller.wait_for(room.prompt(WELCOME))
    caller.wait_for(room.prompt(WHAT))
    caller.press("2")
    caller.wait_for(room.prompt(MORE))
    caller.press("2")
    caller.wait_for(room.prompt(MOST))
    caller.press("3")
    caller.wait_for(room.prompt(RECIPES))
    record = room.record(DID, count)
    assert (record.disposition, record.hung_up_by, keys_pressed(record)) == (
        Disposition.INFORMED,
        Party.ROUTER,
        "223",
    )
    assert caller.heard(room.prompt(WELCOME))
    assert caller.heard(room.prompt(RECIPES))
    assert not caller.heard(room.prompt(WHAT)), "a key stops the question"


def test_a_key_stops_the_question_at_once(room: Room) -> None:
    count = room.next_record(DID)
    caller = room.calls(DID, *HEARS, pause(6), bye())
    caller.wait_for(room.prompt(WHAT))
    caller.press("2")
    released = time.monotonic()
    assert caller.wait_for(room.prompt(MORE)) - released <= 0.2
    assert room.record(DID, count).phase is Phase.MENU


def test_wrong_keys_and_silence_lead_on_and_silence_is_short(room: Room) -> None:
    count = room.next_record(DID)
    room.phone(*PICKS_UP, SPEAK, hang_up())
    began = time.monotonic()
    caller = room.calls(DID, *HEARS, HUNG_UP_ON)
    first = caller.wait_for(room.prompt(WELCOME))
    caller.wait_for(room.prompt(WHAT))
    caller.press("9")
    caller.wait_for(room.prompt(NO_SUCH_KEY))
    record = room.record(DID, count)
    assert (record.disposition, record.answered_by) == (Disposition.ANSWERED, room.sandbox.phones[0].endpoint)
    assert record.answered_at
    waited = (record.answered_at - record.info.arrived_at).total_seconds()
    assert caller.longest_silence(first, began + waited - 0.5) <= 2.3, "two seconds for a key, and no more"


def test_whoever_presses_the_key_that_is_asked_for_is_no_robot(room: Room) -> None:
    count = room.next_record(DID)
    room.phone(*PICKS_UP, hang_up())
    caller = room.calls(DID, *HEARS, HUNG_UP_ON, user=SUSPECT)
    caller.wait_for(room.prompt(BOT))
    caller.press(_key_asked_for(room, caller))
    caller.wait_for(room.prompt(WELCOME))
    caller.wait_for(room.prompt(WHAT))
    caller.press("1")
    assert room.record(DID, count).disposition is Disposition.ANSWERED


def _key_asked_for(room: Room, caller: Media, within: float = 10.0) -> str:
    """The key that a caller under suspicion is told to press."""
    prompts = {key: room.prompt(phrase("nb", "formal", Phrase.PRESS_KEY, key=key)) for key in "0123456789"}
    until = time.monotonic() + within
    while not (heard := [key for key, prompt in prompts.items() if caller.heard(prompt)]):
        assert time.monotonic() < until, "no key is asked for"
        time.sleep(0.1)
    assert len(heard) == 1
    return heard[0]


def test_a_robot_is_refused(room: Room) -> None:
    count = room.next_record(DID)
    room.calls(DID, *HEARS, HUNG_UP_ON, user=SUSPECT)
    time.sleep(8)
    record = room.router.records(DID, within=20, count=count)[0]
    assert (record.disposition, record.reason) == (Disposition.BLOCKED, "ads")


CONFIRMED: list[tuple[str, str, tuple[Move, ...], Disposition, list[tuple[AttemptOutcome, str]]]] = [
    ("taken", "1", (*HEARS, pause(1), bye()), Disposition.ANSWERED, [(AttemptOutcome.ANSWERED, "")]),
    ("declined", "2", (INVITE, refused(403)), Disposition.NO_ANSWER, [(AttemptOutcome.DECLINED, "key")]),
    ("a mailbox", "", (INVITE, refused(486)), Disposition.NO_ANSWER,
     [(AttemptOutcome.NO_ANSWER, "not_confirmed")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "caller", "disposition", "tried"),
    [row[1:] for row in CONFIRMED],
    ids=[row[0] for row in CONFIRMED],
)
def test_who_answers_outside_takes_the_call_by_a_key(
    room: Room,
    keys: str,
    caller: Sequence[Move],
    disposition: Disposition,
    tried: list[tuple[AttemptOutcome, str]],
) -> None:
    count = room.next_record(OUTSIDE)
    mobile = room.phone(
        CALLED, RINGING, pause(0.3), PICK_UP_HEARING, HUNG_UP_ON, port=room.sandbox.trunk_port
    )
    room.calls(OUTSIDE, *caller)
    mobile.wait_for(room.prompt(TAKE))
    mobile.press(keys)
    record = room.router.records(OUTSIDE, within=30, count=count)[0]
    assert record.disposition is disposition
    assert [(one.outcome, one.reason) for one in record.attempts] == tried


def test_who_answers_hears_what_is_announced_and_then_the_caller(room: Room) -> None:
    count = room.next_record(PHONES)
    phone = room.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON)
    caller = room.calls(PHONES, *HEARS, SPEAK, pause(2), bye())
    phone.wait_for(room.prompt(WHISPER))
    record = room.record(PHONES, count)
    assert record.disposition is Disposition.ANSWERED
    assert phone.heard(room.prompt(WHISPER))
    assert not caller.heard(room.prompt(WHISPER)), "a whisper is for one"


def test_music_plays_until_somebody_answers(room: Room) -> None:
    count = room.next_record(MUSIC)
    room.phone(CALLED, RINGING, pause(5), PICK_UP, HUNG_UP_ON)
    began = time.monotonic()
    caller = room.calls(MUSIC, *HEARS, pause(9), bye())
    record = room.record(MUSIC, count)
    assert (record.disposition, record.flags) == (Disposition.ANSWERED, ())
    assert record.answered_at
    answered = began + (record.answered_at - record.info.arrived_at).total_seconds()
    assert caller.longest_silence(began, answered) <= 2.3, "a caller who hears nothing thinks the call dead"
    assert caller.longest_silence(answered + 0.5, answered + 2.5) >= 2, "nobody talks through music"
    assert "\n0 active channels" in room.sandbox.cli("core show channels"), "also none that ARI does not show"


def test_music_plays_while_somebody_is_asked_and_ends_before_the_last_resort(room: Room) -> None:
    count = room.next_record(MUSIC_OUTSIDE)
    mobile = room.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON, port=room.sandbox.trunk_port)
    began = time.monotonic()
    caller = room.calls(MUSIC_OUTSIDE, *HEARS, HUNG_UP_ON)
    mobile.wait_for(room.prompt(phrase("nb", "formal", Phrase.TAKE_CALL, client="Tjern")))
    time.sleep(3)
    mobile.press("2")
    sorry = room.prompt(phrase("nb", "formal", Phrase.NOBODY))
    apology = caller.wait_for(sorry)
    assert room.record(MUSIC_OUTSIDE, count).disposition is Disposition.NO_ANSWER
    assert caller.longest_silence(began, apology) <= 2.3
    assert caller.heard(sorry), "with no music in it"


def test_who_leaves_in_the_music_leaves_nothing(room: Room) -> None:
    count = room.next_record(MUSIC)
    room.phone(CALLED, RINGING)
    room.calls(MUSIC, *HEARS, pause(2), bye())
    record = room.record(MUSIC, count)
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.RINGING)
    assert "\n0 active channels" in room.sandbox.cli("core show channels")


WHO_CALLS = [
    ("a number of the country", "+4790000009", [*"90000009"]),
    ("one from abroad", "+4612345678", ["pluss", *"4612345678"]),
    ("nobody says", "anonymous", ["skjult nummer"]),
]


@pytest.mark.parametrize(("user", "said"), [row[1:] for row in WHO_CALLS], ids=[row[0] for row in WHO_CALLS])
def test_who_answers_hears_which_client_is_called_and_by_whom(room: Room, user: str, said: list[str]) -> None:
    count = room.next_record(WHISPERED)
    phone = room.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON)
    caller = room.calls(WHISPERED, *HEARS, pause(18), bye(), user=user)
    assert phone.wait_for(room.prompt(FOR)) < phone.wait_for(room.prompt(QUESTION)), "in this order"
    time.sleep(2)
    phone.press("1")
    record = room.record(WHISPERED, count)
    assert (record.disposition, record.flags) == (Disposition.ANSWERED, ())
    assert [word for word in (FROM, *said, FOR, QUESTION) if not phone.heard(room.prompt(word))] == []
    assert not caller.heard(room.prompt(FROM))


def test_hours_are_told_in_words(room: Room) -> None:
    caller = room.calls(OPEN, *HEARS, HUNG_UP_ON)
    caller.wait_for(room.prompt("Vi har åpent."))


def test_leaving_in_a_prompt(room: Room) -> None:
    count = room.next_record(TOLD)
    caller = room.calls(TOLD, *HEARS, pause(4), bye())
    caller.wait_for(room.prompt(LONG.strip()))
    record = room.record(TOLD, count)
    assert (record.disposition, record.phase) == (Disposition.INFORMED, Phase.CLOSING)


def test_leaving_in_a_menu_and_while_somebody_is_asked(room: Room) -> None:
    count = room.next_record(DID)
    room.calls(DID, *HEARS, pause(3.5), bye())
    record = room.record(DID, count)
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.MENU)
    count = room.next_record(OUTSIDE)
    mobile = room.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON, port=room.sandbox.trunk_port)
    room.calls(OUTSIDE, INVITE, RINGS, pause(1.5), CANCEL)
    mobile.wait_for(room.prompt(TAKE))
    record = room.record(OUTSIDE, count)
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.RINGING)
