"""Contacts meet their own route, are named, and hear their language: by real calls and commands."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    INVITE,
    INVITE_HEARING,
    PICK_UP_HEARING,
    RINGING,
    Caller,
    bye,
    called,
    hang_up,
    pause,
    refused,
)
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import WAITS, Switchboard

pytestmark = pytest.mark.live

DID, BOX = "+4722000600", "+4722000601"
KARI, OLA, LINH, SELLER = "+4790000001", "+4790000002", "+4790000003", "+4781549001"
RULES = f"""\
client: fjord
name: Fjord
numbers: ["{DID}", "{BOX}"]
timezone: Europe/Oslo
country: NO
language: nb
screening: {{allow: contacts, block: [{{name: ads, numbers: "+4781549*"}}]}}
routes:
  - {{name: box, when: {{dialled: "{BOX}"}}, do: [message]}}
  - {{name: vip, when: {{caller: {{contact: vip}}}}, do: [{{ring: P0, announce: "{{name}}"}}]}}
  - {{name: main, do: {{decline: busy}}}}
"""
TABLE = f"number;name;groups;language\n{KARI};Kari Nordmann;vip;nb\n{LINH};Linh;;vi\n"
STRANGER, BLOCKED = 486, 403
NAME = Speak("Kari Nordmann", "nb")


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": RULES.replace("P0", sandbox.phones[0].endpoint)})


@pytest.fixture
def board(running: tuple[Sandbox, RouterProcess]) -> Iterator[Switchboard]:
    with ExitStack() as stack:
        yield Switchboard(*running, stack, {"phone": 100})
    assert running[0].left_behind() == []


def is_refused(board: Switchboard, user: str, status: int) -> bool:
    """Whether a caller is refused with just this SIP status."""
    caller = Caller(board.sandbox, DID, INVITE, refused(status), user=user)
    board.at_end(caller.stop)
    return caller.wait().as_written


def is_named_and_put_through(board: Switchboard) -> None:
    """Kari calls: her name is on the phone's display, and spoken when it is answered."""
    count = board.next_record(DID)
    named = called(caller=r'"Kari Nordmann" <sip:\+4790000001@.*')
    phone = board.phone(named, RINGING, pause(1), PICK_UP_HEARING, pause(2), hang_up())
    caller = board.caller(DID, *WAITS, user=KARI)
    wait_until(board.prompt(NAME).exists, "the name is made into a prompt while the phone rings")
    phone.wait_for(board.prompt(NAME))
    assert caller.wait().as_written
    record = board.record(DID, count)
    assert (record.info.route, record.info.name, record.disposition.value) == (
        "vip", "Kari Nordmann", "answered",
    )  # fmt: skip


def has_made(router: RouterProcess, language: str) -> bool:
    """Whether all is there that is said in a language, by the router's own word."""
    said = [json.loads(line) for line in router.log.read_text().splitlines() if '"languages"' in line]
    return any(language in line["languages"] for line in said)


def test_contacts_count_from_the_next_call_on(board: Switchboard) -> None:
    assert is_refused(board, KARI, STRANGER)
    assert is_refused(board, SELLER, BLOCKED)
    board.prompt(NAME).unlink(missing_ok=True)
    book = board.router.directory / "book.csv"
    book.write_text(TABLE)
    assert "imported: 2 new" in board.typed("contacts", "import", str(book))
    is_named_and_put_through(board)
    assert is_refused(board, OLA, STRANGER), "who is not in the table"
    board.typed("contacts", "add", SELLER, "--name", "Sells what we buy")
    assert is_refused(board, SELLER, STRANGER), "no block rule counts any more"
    assert "Kari Nordmann" in board.typed("calls")
    assert "so the call is answered" in board.typed("explain", "--to", DID, "--from", KARI)


def test_contacts_are_known_after_a_restart_until_they_are_forgotten(board: Switchboard) -> None:
    board.router.kill()
    board.router.start()
    is_named_and_put_through(board)
    board.typed("contacts", "forget", KARI)
    assert is_refused(board, KARI, STRANGER)
    assert not board.prompt(NAME).exists()
    assert "Nordmann" not in board.typed("calls")


def test_a_contact_hears_what_the_product_says_in_their_language(board: Switchboard) -> None:
    wait_until(lambda: has_made(board.router, "vi"), "the prompts are made")
    for user, language in ((LINH, "vi"), (OLA, "nb")):
        count = board.next_record(BOX)
        caller = board.calls(BOX, INVITE_HEARING, ANSWERED, pause(2), bye(), user=user)
        caller.wait_for(board.prompt(phrase(language, "formal", Phrase.LEAVE_MESSAGE)))
        board.record(BOX, count)


def test_neither_names_nor_numbers_are_logged(board: Switchboard) -> None:
    log = board.router.log.read_text()
    assert "call ended" in log
    for secret in ("Nordmann", "Linh", KARI, KARI[1:], LINH, SELLER):
        assert secret not in log
