"""A prompt is recorded by phone, and heard by the next caller. A phone is rung, speaks and presses keys."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from router.core.record import Disposition
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    HUNG_UP_ON,
    INVITE_HEARING,
    PICK_UP_HEARING,
    RINGING,
    hang_up,
    pause,
    reject,
)
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room

pytestmark = pytest.mark.live

DID = "+4722334455"
NAME = "away"
FJORD = f"""\
client: fjord
name: Fjord
numbers: "{DID}"
timezone: Europe/Oslo
country: NO
last_resort: [hangup]
routes: [{{name: main, do: [{{say: {{file: recorded/{NAME}}}}}]}}]
"""
PICKS_UP = (CALLED, RINGING, PICK_UP_HEARING)


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("dictation", "--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": FJORD})


@pytest.fixture
def room(running: tuple[Sandbox, RouterProcess]) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(*running, stack)
    wait_until(lambda: running[0].left_behind() == [], "nothing is left in Asterisk")
    assert "prompt-" not in str(running[0].ari("GET", "recordings/stored"))


def told(which: Phrase) -> Speak:
    return phrase("en", "informal", which)


def hears(room: Room, phone: Media, which: Phrase) -> None:
    """Wait until that is heard; the command makes its own prompts before it rings."""
    file = room.prompt(told(which))
    wait_until(file.exists, f"{which} is made", within=20)
    phone.wait_for(file, within=20)


def recording(room: Room, phone: str = "") -> "subprocess.Popen[str]":
    """The command, which rings the softphone P0."""
    ring = phone or room.sandbox.phones[0].endpoint
    program = [str(Path(sys.executable).with_name("callrouter")), "prompts", "record", NAME, "--ring", ring]
    return subprocess.Popen(
        [*program, "--json", "--config", str(room.router.config)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_what_is_kept_is_what_callers_hear(room: Room) -> None:
    assert "nobody has recorded" in room.router.log.read_text(), "the rules name it before it is there"
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    hears(room, phone, Phrase.SPEAK_PROMPT)
    time.sleep(3.5)
    phone.press("#")
    hears(room, phone, Phrase.NOT_HEARD)
    phone.frames.clear()
    for keys in ("73", "1"):  # 7 means nothing here, 3 once more
        hears(room, phone, Phrase.SPEAK_PROMPT)
        time.sleep(3.5)
        phone.speak(room.prompt(told(Phrase.SPEAK_PROMPT)), 4.0)
        phone.frames.clear()
        phone.press("#")
        phone.wait_for_speech(room.prompt(told(Phrase.SPEAK_PROMPT)))
        hears(room, phone, Phrase.KEEP_PROMPT)
        phone.press(keys)
    hears(room, phone, Phrase.PROMPT_KEPT)
    out, err = command.communicate(timeout=10)
    assert command.returncode == 0, err
    kept = json.loads(out)
    assert kept["seconds"] == pytest.approx(4.0, abs=0.5)
    caller = room.calls(DID, INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    record = room.record(DID, 1)
    assert (record.disposition, record.flags) == (Disposition.INFORMED, ())
    assert caller.heard(Path(kept["file"]))


PUT_DOWN = {
    "declined": ((CALLED, reject(603)), "was not answered, or put down"),
    "busy": ((CALLED, reject(486)), "was not answered, or put down"),
    "put down in the instruction": ((*PICKS_UP, pause(1.5), hang_up()), "put down"),
    "put down in the recording": ((*PICKS_UP, pause(6.0), hang_up()), "put down"),
}


@pytest.mark.parametrize(("moves", "why"), PUT_DOWN.values(), ids=PUT_DOWN)
def test_a_phone_that_is_put_down_keeps_nothing(room: Room, moves: tuple[str, ...], why: str) -> None:
    file = Path(room.sandbox.facts["speech"]["folder"], "recorded", f"{NAME}.wav")
    before = file.read_bytes() if file.exists() else b""
    room.phone(*moves)
    out, err = recording(room).communicate(timeout=30)
    assert out == ""
    assert why in err
    assert "Traceback" not in err
    assert (file.read_bytes() if file.exists() else b"") == before


def test_who_cannot_be_rung_is_told_at_once(room: Room) -> None:
    command = recording(room, "PJSIP/nobody")
    _, err = command.communicate(timeout=10)
    assert command.returncode == 1
    assert "PJSIP/nobody cannot be rung" in err


def test_an_interrupted_command_leaves_nothing(room: Room) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    hears(room, phone, Phrase.SPEAK_PROMPT)
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=10)
    assert command.returncode != 0
