"""A prompt is recorded by phone, and heard by the next caller. A phone is rung, speaks and presses keys."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from router.core.record import Disposition
from router.edge.wav import seconds_of
from router.edge.web.health import RELOAD, TOLD_HEADER
from tests.harness.media import Media
from tests.harness.ports import free_port
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    HUNG_UP_ON,
    INVITE_HEARING,
    LETS_PASS,
    PICK_UP_HEARING,
    RINGING,
    hang_up,
    pause,
    refer,
    register,
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


def folder(sandbox: Sandbox) -> Path:
    """Where recordings are kept; it outlives a sandbox."""
    return Path(sandbox.facts["speech"]["folder"], "recorded")


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    shutil.rmtree(folder(sandbox), ignore_errors=True)
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


def recording(room: Room, phone: str = "", config: Path | None = None) -> "subprocess.Popen[str]":
    """The command, which rings the softphone P0."""
    ring = phone or room.sandbox.phones[0].endpoint
    program = [str(Path(sys.executable).with_name("callrouter")), "prompts", "record", NAME, "--ring", ring]
    command = subprocess.Popen(
        [*program, "--json", "--config", str(config or room.router.config)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    room.at_end(command.terminate)
    return command


def refused(command: "subprocess.Popen[str]", within: float = 30) -> str:
    """What a command that keeps nothing says."""
    out, err = command.communicate(timeout=within)
    assert (command.returncode, out) == (1, "")
    assert "Traceback" not in err
    return err


def speaks(room: Room, phone: Media) -> None:
    """For four seconds, after the tone."""
    hears(room, phone, Phrase.SPEAK_PROMPT)
    time.sleep(3.5)
    phone.speak(room.prompt(told(Phrase.SPEAK_PROMPT)), 4.0)
    phone.frames.clear()


def dictates(room: Room, phone: Media) -> None:
    """All that comes before a key decides."""
    speaks(room, phone)
    phone.press("#")
    hears(room, phone, Phrase.KEEP_PROMPT)


def warnings(room: Room) -> list[str]:
    """Of the rules, as the router reads them again."""
    url = f"http://127.0.0.1:{room.router.port}{RELOAD}"
    request = urllib.request.Request(url, method="POST", headers=TOLD_HEADER)
    with urllib.request.urlopen(request, timeout=10) as reply:
        told: list[str] = json.loads(reply.read())["warnings"]
        return told


def hang_up_now(room: Room) -> None:
    """As if the phone had been put down at this moment."""
    for channel in room.sandbox.channels():
        room.sandbox.ari("DELETE", f"channels/{channel}")


def test_what_is_kept_is_what_callers_hear(room: Room) -> None:
    assert room.router.log.read_text().count("nobody has recorded") == 1, "the rules name it"
    assert "nobody has recorded" in str(warnings(room))
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    hears(room, phone, Phrase.SPEAK_PROMPT)
    time.sleep(3.5)
    phone.press("#")
    hears(room, phone, Phrase.NOT_HEARD)
    phone.frames.clear()
    for keys in ("73", "1"):  # 7 means nothing here, 3 once more
        speaks(room, phone)
        phone.press("#")
        phone.wait_for_speech(room.prompt(told(Phrase.SPEAK_PROMPT)))
        hears(room, phone, Phrase.KEEP_PROMPT)
        phone.press(keys)
    hears(room, phone, Phrase.PROMPT_KEPT)
    out, err = command.communicate(timeout=10)
    assert command.returncode == 0, err
    told_length = re.search(r"([0-9.]+) s recorded", err)
    assert told_length is not None
    assert float(told_length[1]) == pytest.approx(4.0, abs=0.5)
    kept = json.loads(out)
    assert kept["seconds"] == pytest.approx(4.0, abs=0.5)
    assert warnings(room) == []
    caller = room.calls(DID, INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    record = room.record(DID, 1)
    assert (record.disposition, record.flags) == (Disposition.INFORMED, ())
    assert caller.heard(Path(kept["file"]))


@pytest.mark.parametrize("end", ["the phone is put down", "the command is ended"])
def test_what_is_wanted_is_kept_though(room: Room, end: str) -> None:
    shutil.rmtree(folder(room.sandbox), ignore_errors=True)
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    dictates(room, phone)
    phone.press("1")
    if end == "the phone is put down":
        hang_up_now(room)
    else:
        hears(room, phone, Phrase.PROMPT_KEPT)
        command.terminate()
    out, err = command.communicate(timeout=10)
    assert command.returncode == 0, err
    assert Path(json.loads(out)["file"]).exists()


def test_who_falls_silent_is_done(room: Room) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    speaks(room, phone)
    phone.keep_silent(7.0)
    hears(room, phone, Phrase.KEEP_PROMPT)
    phone.press("1")
    out, err = command.communicate(timeout=10)
    assert command.returncode == 0, err
    assert json.loads(out)["seconds"] == pytest.approx(4.2, abs=0.6), "the silence is no part of it"


def test_who_says_nothing_is_asked_three_times(room: Room) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    for _ in range(3):
        hears(room, phone, Phrase.SPEAK_PROMPT)
        phone.frames.clear()
        phone.keep_silent(12.0)
        hears(room, phone, Phrase.NOT_HEARD)
    assert "nothing was heard 3 times" in refused(command)


def test_what_cannot_be_kept_any_more_is_put_aside(room: Room) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    dictates(room, phone)
    shutil.rmtree(folder(room.sandbox))
    folder(room.sandbox).write_text("in the way")
    phone.press("1")
    said = refused(command)
    folder(room.sandbox).unlink()
    assert "recorded cannot be written (File exists); what was spoken is in " in said
    aside = Path(said.split()[-1])
    assert seconds_of(aside.read_bytes()) == pytest.approx(4.0, abs=0.5)
    aside.unlink()
    assert not phone.heard(room.prompt(told(Phrase.PROMPT_KEPT)))


PUT_DOWN = {
    "declined": ((CALLED, reject(603)), "was not answered, or put down"),
    "busy": ((CALLED, reject(486)), "was not answered, or put down"),
    "put down in the instruction": ((*PICKS_UP, pause(1.5), hang_up()), "put down"),
    "put down in the recording": ((*PICKS_UP, pause(6.0), hang_up()), "put down"),
}


@pytest.mark.parametrize(("moves", "why"), PUT_DOWN.values(), ids=PUT_DOWN)
def test_a_phone_that_is_put_down_keeps_nothing(room: Room, moves: tuple[str, ...], why: str) -> None:
    shutil.rmtree(folder(room.sandbox), ignore_errors=True)
    room.phone(*moves)
    assert why in refused(recording(room))
    assert list(folder(room.sandbox).iterdir()) == []


def test_a_phone_that_transfers_itself_leaves_no_talk(room: Room) -> None:
    second = room.sandbox.phones[1]
    port = free_port()
    room.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON, port=port)
    register(room.sandbox, [(second, port)])
    to = f"sip:{second.username}@127.0.0.1"
    room.phone(*PICKS_UP, pause(1.5), refer(to), HUNG_UP_ON, options=LETS_PASS)
    assert "wished to be transferred" in refused(recording(room))


def test_who_cannot_be_rung_is_told_at_once(room: Room) -> None:
    assert "PJSIP/nobody cannot be rung" in refused(recording(room, "PJSIP/nobody"), within=10)


def test_a_prompt_that_asterisk_cannot_fetch_is_told(room: Room, tmp_path: Path) -> None:
    settings = json.loads(room.router.config.read_text())
    settings["speech"]["seen_as"] = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}/prompts"
    config = tmp_path / "callrouter.yaml"
    config.write_text(json.dumps(settings))
    room.phone(*PICKS_UP, HUNG_UP_ON)
    said = refused(recording(room, config=config))
    assert "Asterisk cannot play sound:http://" in said
    assert "is the router running, and `speech.seen_as` right?" in said


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", SIGNALS, ids=[number.name for number in SIGNALS])
def test_an_interrupted_command_leaves_nothing(room: Room, number: signal.Signals) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    hears(room, phone, Phrase.SPEAK_PROMPT)
    for _ in range(3):
        command.send_signal(number)
        time.sleep(0.02)
    assert "told to end, so nothing was kept" in refused(command, within=5)


def test_what_a_killed_command_left_goes_with_the_next(room: Room) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    dictates(room, phone)
    command.kill()
    command.communicate()
    assert "cannot be rung" in refused(recording(room, "PJSIP/nobody"))
    assert len(room.sandbox.channels()) == 1, "the phone is not put down yet"
    hang_up_now(room)
    wait_until(lambda: room.sandbox.channels() == [], "the phone is put down")
    assert "prompt-" in str(room.sandbox.ari("GET", "recordings/stored"))
    assert "cannot be rung" in refused(recording(room, "PJSIP/nobody"))
    assert room.sandbox.left_behind(0) == []


@pytest.fixture
def frozen(room: Room) -> Iterator[Callable[[], None]]:
    """Freezes Asterisk until the end of the test."""
    asterisk = int(room.sandbox.facts["pid"])
    yield lambda: os.kill(asterisk, signal.SIGSTOP)
    os.kill(asterisk, signal.SIGCONT)


FROZEN = {
    "it is waited for, but not for ever": (None, 15.0, "Asterisk was silent for 10 s"),
    "the command is interrupted": (signal.SIGINT, 4.0, "told to end"),
}


@pytest.mark.parametrize(("number", "within", "why"), FROZEN.values(), ids=FROZEN)
def test_asterisk_freezes(
    room: Room, frozen: Callable[[], None], number: signal.Signals | None, within: float, why: str
) -> None:
    phone = room.phone(*PICKS_UP, HUNG_UP_ON)
    command = recording(room)
    hears(room, phone, Phrase.SPEAK_PROMPT)
    frozen()
    if number is not None:
        command.send_signal(number)
    assert why in refused(command, within)
