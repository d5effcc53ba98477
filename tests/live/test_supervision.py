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
    Callee,
    Caller,
    Move,
    Sipp,
    bye,
    hang_up,
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
FOR_LONG = pause(120)
CALLS = (INVITE_HEARING, ANSWERED, FOR_LONG, bye())
PICKS_UP = (CALLED, RINGING, pause(0.2), PICK_UP_HEARING, HUNG_UP_ON)


class Floor(Room):
    """A sandbox with its router, and three people in a talk."""

    def talk(self, did: str = DESK, phone: int = KARI, *moves: Move) -> tuple[Media, Media, Caller]:
        """A caller talks with an agent; both can be told by their sound."""
        agent, caller = self.media(), self.media()
        rung = Callee(*(moves or PICKS_UP), calls=1, keys={"ear": agent.port})
        self.at_end(rung.stop)
        rung.listening()
        register(self.sandbox, [(self.sandbox.phones[phone], rung.port)])
        calling = Caller(self.sandbox, did, *CALLS, keys={"ear": caller.port}, limit=180)
        self.at_end(calling.stop)
        caller.hum(CALLER)
        agent.hum(AGENT)
        wait_until(lambda: agent.hears(CALLER) and caller.hears(AGENT), "they talk")
        return caller, agent, calling

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

    def audit(self) -> list[dict[str, Any]]:
        """What the command tells, the latest first."""
        program = str(Path(sys.executable).with_name("callrouter"))
        command = [program, "agents", "audit", "--json", "--config", str(self.router.config)]
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=30, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def told(self, count: int) -> list[tuple[str, str, str | None]]:
        """Of the latest so many: who, how, and how it ended; the first of them first."""
        rows = self.audit()[:count][::-1]
        return [(row["supervisor"], row["mode"], row["outcome"]) for row in rows]

    def ended(self, calling: Caller, did: str = DESK) -> CallRecord:
        """The caller hangs up: the record of the call."""
        count = self.next_record(did)
        calling.stop()  # without a word, so its media ends the call
        return self.router.records(did, within=20, count=count - 1)[0]


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("live-supervision", "--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": FJORD})


@pytest.fixture
def floor(running: tuple[Sandbox, RouterProcess]) -> Iterator[Floor]:
    with ExitStack() as stack:
        yield Floor(*running, stack)


def heard(floor: Floor, caller: Media, agent: Media, *, by_agent: bool, by_caller: bool) -> None:
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


def test_listening_whispering_barging_and_leaving_by_keys(floor: Floor) -> None:
    caller, agent, calling = floor.talk()
    supervisor, phone = floor.supervises("*85100")
    floor.says(supervisor, Phrase.YOU_LISTEN)
    wait_until(lambda: supervisor.hears(CALLER) and supervisor.hears(AGENT), "both are heard")
    heard(floor, caller, agent, by_agent=False, by_caller=False)
    for key, said, by_agent, by_caller in (
        ("5", Phrase.YOU_WHISPER, True, False),
        ("6", Phrase.YOU_BARGE, True, True),
        ("4", Phrase.YOU_LISTEN, False, False),
    ):
        supervisor.press(key)
        floor.says(supervisor, said)
        wait_until(lambda: supervisor.hears(CALLER) and supervisor.hears(AGENT), "both are heard")
        heard(floor, caller, agent, by_agent=by_agent, by_caller=by_caller)
    supervisor.press("#")
    assert phone.wait(10) == (0, "")
    heard(floor, caller, agent, by_agent=False, by_caller=False)
