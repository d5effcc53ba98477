"""Supervisors hear talks of agents, whisper and barge in, by real phones and what each of them hears."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.record import CallRecord, Disposition, Party
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALL_AS_PHONE,
    CALLED,
    HUNG_UP_ON,
    INVITE_HEARING,
    PHONE_LEAVES,
    PICK_UP_HEARING,
    RINGING,
    UNTIL_TOLD,
    Callee,
    Caller,
    Move,
    Sipp,
    bye,
    pause,
    register,
)
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room

pytestmark = pytest.mark.live

DESK, BACK = "+4722334450", "+4722334451"
FJORD = """\
client: fjord
name: Fjord
numbers: "+47 22 33 44 5x"
timezone: Europe/Oslo
country: NO
language: nb
people:
  kari: {rings: PJSIP/100}
  ola: {rings: PJSIP/101, extension: 7}
  mia: {rings: PJSIP/103}
queues:
  desk: {agents: [kari, ola], strategy: in-order, supervisors: mia}
  back: {agents: ola}
last_resort: [hangup]
routes:
  - {name: back, when: {dialled: "+47 22 33 44 51"}, do: [{queue: back, for: 1m}]}
  - {name: desk, do: [{queue: desk, for: 1m}]}
"""
KARI, OLA, MIA, STRANGER = 0, 1, 3, 4
"""Places of phones in the sandbox."""
CALLER, AGENT, SUPERVISOR = 440, 700, 1060
"""What each of the three sounds like; hertz."""
PICKS_UP = (CALLED, RINGING, pause(0.2), PICK_UP_HEARING, HUNG_UP_ON)


class Floor(Room):
    """A sandbox with its router, and three people in a talk."""

    def __init__(self, sandbox: Sandbox, router: RouterProcess, stack: ExitStack) -> None:
        super().__init__(sandbox, router, stack)
        self._callers: list[Caller] = []

    def talk(self, did: str = DESK, phone: int = KARI) -> tuple[Media, Media]:
        """A caller talks with an agent until `record_of`; both are known by their sound."""
        agent, caller = self.media(), self.media()
        rung = Callee(*PICKS_UP, calls=1, keys={"ear": agent.port})
        self.at_end(rung.stop)
        rung.listening()
        register(self.sandbox, [(self.sandbox.phones[phone], rung.port)])
        moves = (INVITE_HEARING, ANSWERED, UNTIL_TOLD, bye())
        calling = Caller(self.sandbox, did, *moves, keys={"ear": caller.port})
        self.at_end(calling.stop)
        self._callers.append(calling)
        caller.hum(CALLER)
        agent.hum(AGENT)
        wait_until(lambda: agent.hears(CALLER) and caller.hears(AGENT), "they talk")
        return caller, agent

    def supervises(self, code: str, phone: int = MIA, *moves: Move) -> tuple[Media, Sipp]:
        """A phone dials a code."""
        account, media = self.sandbox.phones[phone], self.media()
        host, port = self.sandbox.registrar
        keys = ("-key", "user", account.username, "-key", "ear", str(media.port))
        who = ("-au", account.username, "-ap", account.password, "-m", "1")
        scenario = (CALL_AS_PHONE, *(moves or (HUNG_UP_ON,)))
        sipp = Sipp(scenario, [f"{host}:{port}", "-s", code, *keys, *who], limit=180)
        self.at_end(sipp.stop)
        media.hum(SUPERVISOR)
        return media, sipp

    def says(self, media: Media, said: Phrase) -> None:
        """Wait until that is heard."""
        media.wait_for(self.prompt(phrase("nb", "formal", said)))

    def typed(self, *words: str) -> str:
        """What a command prints."""
        program = str(Path(sys.executable).with_name("callrouter"))
        command = [program, *words, "--config", str(self.router.config)]
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=30, check=True)
        return done.stdout

    def audit(self) -> list[dict[str, Any]]:
        """What the command tells, the latest first."""
        return [json.loads(line) for line in self.typed("agents", "audit", "--json").splitlines()]

    def told(self, count: int) -> list[tuple[str, str, str | None]]:
        """Of the latest so many: who, how, and how it ended; the first of them first."""
        rows = self.audit()[:count][::-1]
        return [(row["supervisor"], row["mode"], row["outcome"]) for row in rows]

    def record_of(self, did: str, count: int) -> CallRecord:
        """The callers hang up; the latest of so many records of calls to a number, ended as a talk is."""
        while self._callers:
            self._callers.pop().go_on()
        record = self.router.records(did, within=40, count=count)[0]
        assert (record.disposition, record.hung_up_by, record.flags) == (
            Disposition.ANSWERED,
            Party.CALLER,
            (),
        )
        return record


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": FJORD})


@pytest.fixture
def floor(running: tuple[Sandbox, RouterProcess]) -> Iterator[Floor]:
    with ExitStack() as stack:
        yield Floor(*running, stack)
    sandbox = running[0]
    left = sandbox.left_behind()
    for channel in sandbox.channels():  # of a test that failed: it must not fail the next ones
        sandbox.ari("DELETE", f"channels/{channel}")
    assert left == []


def heard(caller: Media, agent: Media, *, by_agent: bool, by_caller: bool) -> None:
    """Who hears the supervisor, for a whole second."""
    wanted = (by_agent, by_caller)

    def now() -> bool:
        return (agent.hears(SUPERVISOR), caller.hears(SUPERVISOR)) == wanted

    wait_until(now, f"the agent and the caller hear the supervisor: {wanted}")
    time.sleep(0.4)
    for _ in range(10):
        assert now(), f"the agent and the caller hear the supervisor: not {wanted}"
        assert agent.hears(CALLER), "nothing comes between the two"
        assert caller.hears(AGENT), "nothing comes between the two"
        time.sleep(0.06)


def both_heard(supervisor: Media) -> None:
    wait_until(lambda: supervisor.hears(CALLER) and supervisor.hears(AGENT), "both are heard")


def test_listening_whispering_barging_and_leaving_by_keys(floor: Floor) -> None:
    count = floor.next_record(DESK)
    caller, agent = floor.talk()
    supervisor, phone = floor.supervises("*85100")
    floor.says(supervisor, Phrase.YOU_LISTEN)
    both_heard(supervisor)
    heard(caller, agent, by_agent=False, by_caller=False)
    for key, said, by_agent, by_caller in (
        ("5", Phrase.YOU_WHISPER, True, False),
        ("6", Phrase.YOU_BARGE, True, True),
        ("4", Phrase.YOU_LISTEN, False, False),
    ):
        supervisor.forget()
        supervisor.press(key)
        floor.says(supervisor, said)
        both_heard(supervisor)
        heard(caller, agent, by_agent=by_agent, by_caller=by_caller)
    supervisor.press("#")
    assert phone.wait(10) == (0, "")
    heard(caller, agent, by_agent=False, by_caller=False)
    record = floor.record_of(DESK, count)
    modes = ("listen", "whisper", "barge", "listen")
    assert [one.detail for one in record.evidence if one.what == "supervised"] == [
        f"mia: {mode}" for mode in modes
    ]
    assert floor.told(4) == [
        ("mia", mode, "left" if last else "changed") for mode, last in zip(modes, (0, 0, 0, 1), strict=True)
    ]
    assert {(row["agent"], row["call_id"], row["endpoint"]) for row in floor.audit()[:4]} == {
        ("kari", record.info.id, "PJSIP/103")
    }
    assert "mia whispers to the agent" in floor.typed("call", record.info.id)


def test_a_supervisor_hangs_up_and_the_talk_goes_on(floor: Floor) -> None:
    count = floor.next_record(DESK)
    caller, agent = floor.talk()
    supervisor, phone = floor.supervises("*87", MIA, pause(6.0), PHONE_LEAVES)
    both_heard(supervisor)
    heard(caller, agent, by_agent=True, by_caller=True)
    assert phone.wait(15) == (0, "")
    heard(caller, agent, by_agent=False, by_caller=False)
    wait_until(lambda: len(floor.sandbox.channels()) == 2, "only those who talk are there")
    assert len(floor.sandbox.bridges()) == 1
    floor.record_of(DESK, count)
    assert floor.told(1) == [("mia", "barge", "left")]


def test_the_caller_hangs_up_and_the_supervisor_hears_the_next_talk_as_a_listener(floor: Floor) -> None:
    count = floor.next_record(DESK)
    floor.talk()
    supervisor, phone = floor.supervises("*86100")
    floor.says(supervisor, Phrase.YOU_WHISPER)
    both_heard(supervisor)
    floor.record_of(DESK, count)
    floor.says(supervisor, Phrase.TALK_OVER)
    began = time.monotonic()
    supervisor.forget()
    time.sleep(3.0)
    assert supervisor.longest_silence(began, began + 3.0) <= 2.0, "music, until there is a talk"
    assert len(floor.sandbox.channels()) == 1, "the supervisor's own"
    caller, agent = floor.talk()
    floor.says(supervisor, Phrase.YOU_LISTEN)
    both_heard(supervisor)
    heard(caller, agent, by_agent=False, by_caller=False)
    supervisor.press("#")
    assert phone.wait(10) == (0, "")
    floor.record_of(DESK, count + 1)
    assert floor.told(2) == [("mia", "whisper", "talk_over"), ("mia", "listen", "left")]


def test_the_next_talk_in_turn(floor: Floor) -> None:
    count = floor.next_record(DESK)
    supervisor, phone = floor.supervises("*85")
    floor.says(supervisor, Phrase.NO_TALK)
    floor.talk()
    both_heard(supervisor)
    floor.talk(DESK, OLA)
    for _ in range(2):
        supervisor.press("*")
        time.sleep(3.0)
        both_heard(supervisor)
    supervisor.press("#")
    assert phone.wait(10) == (0, "")
    assert [row["agent"] for row in floor.audit()[:3]] == ["kari", "ola", "kari"]
    assert floor.told(3) == [("mia", "listen", "next")] * 2 + [("mia", "listen", "left")]
    floor.record_of(DESK, count + 1)


REFUSED = [
    ("a phone of nobody who supervises", "*85100", STRANGER, Phrase.NOT_SUPERVISOR, "", "not_permitted"),
    ("no agent of that number", "*86999", MIA, Phrase.NO_SUCH_AGENT, "mia", "no_such_agent"),
]


@pytest.mark.parametrize(
    ("code", "phone", "said", "who", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_who_may_not_is_refused_in_words_and_it_is_kept(
    floor: Floor, code: str, phone: int, said: Phrase, who: str, why: str
) -> None:
    count = floor.next_record(DESK)
    caller, agent = floor.talk()
    refused, calling = floor.supervises(code, phone)
    floor.says(refused, said)
    assert calling.wait(10) == (0, "")
    heard(caller, agent, by_agent=False, by_caller=False)
    assert not refused.hears(AGENT)
    [row] = floor.audit()[:1]
    assert (row["supervisor"], row["outcome"], row["reason"]) == (who, "refused", why)
    assert row["endpoint"] == f"PJSIP/{100 + phone}"
    floor.record_of(DESK, count)


def test_a_talk_of_another_queue_is_not_heard(floor: Floor) -> None:
    count = floor.next_record(BACK)
    floor.talk(BACK, OLA)
    supervisor, phone = floor.supervises("*857")
    floor.says(supervisor, Phrase.NO_TALK)
    time.sleep(2.0)
    assert not supervisor.hears(CALLER)
    supervisor.press("#")
    assert phone.wait(10) == (0, "")
    floor.record_of(BACK, count)


@pytest.mark.parametrize("back", [True, False], ids=["and comes back", "and stays away"])
def test_a_router_that_is_killed_harms_no_talk_and_leaves_no_ear(floor: Floor, back: bool) -> None:
    count = floor.next_record(DESK)
    caller, agent = floor.talk()
    supervisor, phone = floor.supervises("*87100")
    both_heard(supervisor)
    heard(caller, agent, by_agent=True, by_caller=True)
    time.sleep(0.2)  # What came in the last moment is not written down yet.
    floor.router.kill()
    try:
        if back:
            floor.router.start()
        assert phone.wait(25) == (0, ""), "the supervisor is hung up on"
        heard(caller, agent, by_agent=False, by_caller=False)
        wait_until(lambda: len(floor.sandbox.channels()) == 2, "only those who talk are there")
    finally:
        if not back:
            floor.router.start()
    wait_until(lambda: len(floor.sandbox.bridges()) == 1, "only their bridge")
    assert floor.told(1) == [("mia", "barge", "unobserved")]
    floor.record_of(DESK, count)
