"""Callers leave messages: spoken as RTP, recorded by Asterisk, fetched, and delivered to real sinks."""

import base64
import hashlib
import hmac
import io
import json
import subprocess
import sys
import time
import urllib.error
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import Message
from pathlib import Path

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from router.core.record import Disposition, Party, Phase
from router.edge.webhook import SIGNATURE, TIMESTAMP
from tests.edge.sinks import Sinks
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import ANSWERED, HUNG_UP_ON, INVITE_HEARING, bye, pause
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room

pytestmark = pytest.mark.live

FORMAL, INFORMAL, CALLBACK = "+4722334455", "+4722334456", "+4722334457"
CALLER = "+4790000009"
AWAY = "Kari er på ferie."
SECRET = "signed-by-us"
FJORD = """\
client: fjord
name: Fjord
numbers: ["+4722334455", "+4722334457"]
timezone: Europe/Oslo
country: NO
language: nb
people:
  kari: {{mail: kari@fjord.example, rings: PJSIP/100}}
messages: {{mail: post@fjord.example, webhook: "http://localhost:{port}/calls"}}
last_resort: [hangup]
routes:
  - {{name: kari, when: {{dialled: "+4722334455"}}, do: [{{message: {{to: kari, say: {away}}}}}]}}
  - {{name: callback, do: [callback]}}
"""
SUND = """\
client: sund
name: Sund
numbers: "+4722334456"
timezone: Europe/Oslo
country: NO
language: nb
tone: informal
messages: {{mail: post@sund.example, webhook: "http://localhost:{port}/calls"}}
last_resort: [hangup]
routes: [{{name: all, do: [message]}}]
"""
HEARS = (INVITE_HEARING, ANSWERED)


def said(which: Phrase) -> Speak:
    return phrase("nb", "formal", which)


def informally(which: Phrase) -> Speak:
    return phrase("nb", "informal", which)


@pytest.fixture(scope="module")
def sinks() -> Iterator[Sinks]:
    with Sinks() as sinks:
        yield sinks


@pytest.fixture(scope="module")
def running(
    bring_up: BringUp, run_router: RunRouter, sinks: Sinks, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    secret = tmp_path_factory.mktemp("secret") / "webhook"
    secret.write_text(SECRET)
    settings = {
        "mail": {"host": "127.0.0.1", "port": sinks.smtp.port, "tls": "none", "sender": "pbx@fjord.example"},
        "webhooks": {"allow": ["localhost"], "secret_file": str(secret)},
    }
    port = sinks.web.server_port
    texts = {"fjord.yaml": FJORD.format(port=port, away=AWAY), "sund.yaml": SUND.format(port=port)}
    return sandbox, run_router(sandbox, texts, **settings)


@pytest.fixture
def room(running: tuple[Sandbox, RouterProcess], sinks: Sinks) -> Iterator[Room]:
    sinks.mails.clear()
    sinks.posts.clear()
    with ExitStack() as stack:
        yield Room(*running, stack)
    assert running[0].left_behind() == []


def spoken(room: Room, caller: Media, seconds: float, say: Callable[[Phrase], Speak] = informally) -> None:
    """Skip the invitation, and speak after the tone."""
    caller.wait_for(room.prompt(say(Phrase.LEAVE_MESSAGE)))
    caller.press("#")
    time.sleep(0.8)
    caller.speak(room.prompt(AWAY), seconds)


def seconds_attached(mail: Message) -> float:
    """How long the recording is that comes with a mail: 8 kHz, one channel, 16 bits."""
    [attached] = [part for part in mail.walk() if part.get_content_type() == "audio/x-wav"]
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    with wave.open(io.BytesIO(content)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (8000, 1, 2)
        return float(wav.getnframes() / wav.getframerate())


def test_a_message_of_five_seconds_is_recorded_heard_and_delivered(room: Room, sinks: Sinks) -> None:
    count = room.next_record(FORMAL)
    sinks.refuse = 1
    caller = room.calls(FORMAL, *HEARS, HUNG_UP_ON)
    first = caller.wait_for(room.prompt(AWAY))
    invited = caller.wait_for(room.prompt(said(Phrase.LEAVE_MESSAGE)))
    assert caller.longest_silence(first, invited + 0.5) <= 2.3
    spoken(room, caller, 5.0, said)
    caller.press("#")
    caller.wait_for(room.prompt(said(Phrase.SEND_MESSAGE)))
    caller.press("1")
    caller.wait_for(room.prompt(said(Phrase.NUMBER_IS)))
    for digit in dict.fromkeys("90000009"):
        caller.wait_for(room.prompt(digit))
    caller.wait_for(room.prompt(said(Phrase.NUMBER_RIGHT)))
    caller.press("1")
    caller.wait_for(room.prompt(said(Phrase.MESSAGE_LEFT)))
    record = room.record(FORMAL, count)
    assert (record.disposition, record.hung_up_by, record.phase) == (
        Disposition.MESSAGE_LEFT,
        Party.ROUTER,
        Phase.MESSAGE,
    )
    sinks.wait(mails=1, posts=1)
    [mail] = sinks.mails
    assert (mail["To"], mail["Subject"]) == ("kari@fjord.example", f"Beskjed fra {CALLER} til kari")
    assert 4.5 <= seconds_attached(mail) <= 5.5
    [(headers, body)] = sinks.posts
    signature = hmac.new(SECRET.encode(), f"{headers[TIMESTAMP]}.".encode() + body, hashlib.sha256)
    assert headers[SIGNATURE] == signature.hexdigest()
    posted = json.loads(body)
    assert (posted["event"], posted["callback"], posted["to"]) == ("message_left", CALLER, ["kari"])
    assert base64.b64decode(posted["recording"]["base64"])[:4] == b"RIFF"
    stored = f"recordings/stored/{record.info.id}-r1"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        room.sandbox.ari("GET", stored)


def test_who_hangs_up_after_speaking_has_left_a_message(room: Room, sinks: Sinks) -> None:
    count = room.next_record(INFORMAL)
    caller = room.calls(INFORMAL, *HEARS, pause(8.5), bye())
    spoken(room, caller, 7.0)
    record = room.record(INFORMAL, count)
    assert (record.disposition, record.hung_up_by) == (Disposition.MESSAGE_LEFT, Party.CALLER)
    sinks.wait(mails=1, posts=1)
    assert sinks.mails[0]["To"] == "post@sund.example"
    assert json.loads(sinks.posts[0][1])["callback"] == CALLER, "taken from the display"
    assert seconds_attached(sinks.mails[0]) > 2


def test_silence_is_no_message(room: Room, sinks: Sinks) -> None:
    count = room.next_record(INFORMAL)
    caller = room.calls(INFORMAL, *HEARS, HUNG_UP_ON)
    caller.wait_for(room.prompt(informally(Phrase.LEAVE_MESSAGE)))
    caller.press("#")
    caller.keep_silent(7)
    caller.wait_for(room.prompt(informally(Phrase.NOT_HEARD)))
    caller.keep_silent(10)
    record = room.record(INFORMAL, count)
    assert (record.disposition, record.message) == (Disposition.INFORMED, None)
    assert (sinks.mails, sinks.posts) == ([], [])


def test_a_message_can_be_heard_and_spoken_again(room: Room, sinks: Sinks) -> None:
    count = room.next_record(INFORMAL)
    caller = room.calls(INFORMAL, *HEARS, HUNG_UP_ON)
    spoken(room, caller, 4.0)
    caller.press("#")
    caller.wait_for(room.prompt(informally(Phrase.SEND_MESSAGE)))
    caller.press("2")
    caller.wait_for_speech(room.prompt(AWAY))
    caller.press("3")
    time.sleep(0.8)
    caller.speak(room.prompt(AWAY), 3.0)
    caller.press("#")
    time.sleep(0.5)
    caller.press("1")
    record = room.record(INFORMAL, count)
    assert record.disposition is Disposition.MESSAGE_LEFT
    assert record.flags == ()
    sinks.wait(mails=1, posts=1)
    assert json.loads(sinks.posts[0][1])["seconds"] <= 3


def test_a_number_of_the_clients_own_is_refused_with_an_explanation(room: Room, sinks: Sinks) -> None:
    count = room.next_record(CALLBACK)
    caller = room.calls(CALLBACK, *HEARS, HUNG_UP_ON, user="anonymous")
    caller.wait_for(room.prompt(said(Phrase.OFFER_CALLBACK)))
    caller.press("1")
    caller.wait_for(room.prompt(said(Phrase.KEY_IN_NUMBER)))
    caller.press("22334455#")
    caller.wait_for(room.prompt(said(Phrase.OWN_NUMBER)))
    caller.press("90000007#")
    caller.wait_for(room.prompt(said(Phrase.NUMBER_IS)))
    caller.wait_for(room.prompt("7"))
    caller.press("1")
    caller.wait_for(room.prompt(said(Phrase.CALLBACK_TAKEN)))
    record = room.record(CALLBACK, count)
    assert record.disposition is Disposition.CALLBACK_REQUESTED
    sinks.wait(mails=1, posts=1)
    posted = json.loads(sinks.posts[0][1])
    assert (posted["event"], posted["callback"], posted["recording"]) == (
        "callback_requested",
        "+4790000007",
        None,
    )


LEAVES: list[tuple[str, str, float, Disposition]] = [
    ("in the invitation", FORMAL, 1.0, Disposition.ABANDONED),
    ("at the tone", INFORMAL, 0.0, Disposition.ABANDONED),
    ("in an offer", CALLBACK, 1.0, Disposition.ABANDONED),
]


@pytest.mark.parametrize(
    ("did", "after", "disposition"), [row[1:] for row in LEAVES], ids=[row[0] for row in LEAVES]
)
def test_who_leaves_before_that_has_abandoned_the_call(
    room: Room, did: str, after: float, disposition: Disposition
) -> None:
    count = room.next_record(did)
    room.calls(did, *HEARS, pause(after), bye())
    record = room.record(did, count)
    assert (record.disposition, record.phase) == (disposition, Phase.MESSAGE)


def test_who_leaves_in_the_review_or_before_the_thanks_has_left_the_message(room: Room, sinks: Sinks) -> None:
    count = room.next_record(FORMAL)
    caller = room.calls(FORMAL, *HEARS, pause(14), bye())
    spoken(room, caller, 4.0, said)
    caller.press("#")
    caller.wait_for(room.prompt(said(Phrase.SEND_MESSAGE)))
    caller.press("1")
    caller.wait_for(room.prompt(said(Phrase.NUMBER_IS)))
    record = room.record(FORMAL, count)
    assert (record.disposition, record.hung_up_by) == (Disposition.MESSAGE_LEFT, Party.CALLER)
    sinks.wait(mails=1, posts=1)


def test_who_leaves_while_keying_in_a_number_wants_no_call(room: Room, sinks: Sinks) -> None:
    count = room.next_record(CALLBACK)
    caller = room.calls(CALLBACK, *HEARS, pause(6), bye(), user="anonymous")
    caller.wait_for(room.prompt(said(Phrase.OFFER_CALLBACK)))
    caller.press("1")
    caller.wait_for(room.prompt(said(Phrase.KEY_IN_NUMBER)))
    caller.press("9000")
    record = room.record(CALLBACK, count)
    assert (record.disposition, record.message) == (Disposition.ABANDONED, None)
    assert (sinks.mails, sinks.posts) == ([], [])


def test_a_router_that_dies_meanwhile_loses_no_message(room: Room, sinks: Sinks) -> None:
    count = room.next_record(INFORMAL)
    caller = room.calls(INFORMAL, *HEARS, pause(12), bye())
    spoken(room, caller, 3.0)
    room.router.kill()
    caller.speak(room.prompt(AWAY), 1.0)
    room.router.start()
    record = room.router.records(INFORMAL, within=30, count=count)[0]
    assert record.disposition is Disposition.MESSAGE_LEFT
    sinks.wait(mails=1, posts=1)
    assert seconds_attached(sinks.mails[0]) >= 3


def test_messages_are_listed_saved_and_done(room: Room, tmp_path: Path) -> None:
    listed = command(room, "messages", "--json").splitlines()
    first = json.loads(listed[0])
    file = tmp_path / "message.wav"
    command(room, "messages", "save", first["call_id"], str(file))
    with wave.open(str(file)) as wav:
        assert wav.getnframes() > 0
    command(room, "messages", "done", first["call_id"])
    assert len(command(room, "messages", "--json").splitlines()) == len(listed) - 1
    assert len(command(room, "messages", "--all", "--json").splitlines()) == len(listed)


def command(room: Room, *words: str) -> str:
    """What `callrouter` says, as typed beside this router."""
    program = Path(sys.executable).with_name("callrouter")
    run = subprocess.run(
        [str(program), *words, "--config", str(room.router.config)],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return run.stdout
