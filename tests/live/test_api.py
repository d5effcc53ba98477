"""Other programs ask the router, listen to it and give it orders, while real calls are under way."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from router.core.record import AttemptOutcome, Disposition
from tests.harness.asker import Asker
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import ANSWERED, CALLED, HUNG_UP_ON, INVITE, PICK_UP, RINGING, bye, pause
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import Switchboard, talks

pytestmark = pytest.mark.live

KARIS, DESK = "+4722334450", "+4722334451"
FJORD = """\
client: fjord
name: Fjord
numbers: "+47 22 33 44 5x"
timezone: Europe/Oslo
country: NO
people: {kari: {rings: PJSIP/100}, ola: {rings: PJSIP/101}}
queues: {desk: {agents: [kari, ola], strategy: in-order}}
last_resort: [hangup]
routes:
  - {name: karis, when: {dialled: "+47 22 33 44 50"}, do: [{ring: kari}]}
  - {name: desk, do: [{queue: desk, for: 1m}]}
"""


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": FJORD})


@pytest.fixture
def board(running: tuple[Sandbox, RouterProcess]) -> Iterator[Switchboard]:
    with ExitStack() as stack:
        yield Switchboard(*running, stack, {"kari": 100, "ola": 101})
    wait_until(lambda: running[0].left_behind() == [], "nothing is left in Asterisk")


def test_a_call_is_seen_and_told_while_it_lasts(board: Switchboard) -> None:
    asker = Asker(board.router.port)
    shown = board.typed("token", "create", "crm", "--role", "reader", "--client", "fjord").strip()
    count = board.next_record(KARIS)
    board.agent("kari", CALLED, RINGING, pause(2.0), PICK_UP, HUNG_UP_ON)

    def live() -> list[tuple[str, str | None, list[str]]]:
        return [
            (call["phase"], call["talks_with"], [phone["target"] for phone in call["phones"]])
            for call in asker.ask("/live", shown).body["items"]
        ]

    with asker.listening(token=shown) as listener:
        assert listener.status == 200
        board.caller(KARIS, INVITE, ANSWERED, pause(3.0), bye())
        assert [one.type for one in listener.events(3)] == ["call.arrived", "call.routed", "call.ringing"]
        assert live() == [("ringing", None, ["kari"])]
        (answered,) = listener.events(1)
        assert (answered.type, answered.data["by"]) == ("call.answered", "kari")
        assert live() == [("talking", "kari", ["kari"])]
    record = board.records_of(KARIS, count)[-1]
    with asker.listening(token=shown, Last_Event_ID=str(listener.last)) as again:
        (ended,) = again.events(1)
    assert (ended.type, ended.data["disposition"]) == ("call.ended", "answered")
    assert ended.data["call"]["id"] == record.info.id
    assert live() == []
    written = asker.ask(f"/calls/{record.info.id}", shown).body
    assert (written["disposition"], written["hung_up_by"], written["answered_by"]) == (
        "answered", "caller", "kari",
    )  # fmt: skip
    assert written["timeline"][0]["event"]["event"]


def test_an_agent_who_is_paused_by_another_program_is_not_rung(board: Switchboard) -> None:
    asker = Asker(board.router.port)
    made = board.typed("token", "create", "kari", "--role", "agent", "--client", "fjord", "--person", "kari")
    count = board.next_record(DESK)
    board.agent("kari", *talks(0.5))
    board.agent("ola", *talks(0.5))
    paused = asker.ask("/agents/fjord/kari/pause", made.strip(), method="POST", body={"reason": "lunch"})
    assert (paused.body["state"], paused.body["reason"]) == ("paused", "lunch")
    assert asker.ask("/agents/fjord/ola/pause", made.strip(), method="POST", body={}).status == 403
    board.caller(DESK)
    record = board.records_of(DESK, count)[-1]
    assert record.disposition is Disposition.ANSWERED
    assert [(one.target, one.outcome) for one in record.attempts] == [("ola", AttemptOutcome.ANSWERED)]
    assert "paused (lunch)" in board.typed("agents")
    assert asker.ask("/agents/fjord/kari/resume", made.strip(), method="POST").body["state"] == "idle"
    board.caller(DESK)
    assert board.records_of(DESK, count + 1)[-1].answered_by == "kari"
