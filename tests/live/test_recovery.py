"""What survives what: the router killed, deaf, stopped, replaced; Asterisk restarted. By real calls."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.core.record import CallRecord, Disposition, Party
from tests.harness.proxy import Line
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCEL,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    PICK_UP,
    RINGING,
    RINGS,
    Callee,
    Caller,
    bye,
    pause,
    register,
)
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.live

RULES = """
client: recovery
name: Recovery
numbers: ["+47 22 00 02 xx"]
timezone: Europe/Oslo
country: NO
routes:
  - name: talk
    when: {dialled: "+47 22 00 02 01"}
    do: [{ring: PJSIP/101, for: 60s}]
  - name: slow phone
    when: {dialled: "+47 22 00 02 02"}
    do: [{ring: PJSIP/102, for: 60s}]
  - name: prompt, then a phone
    when: {dialled: "+47 22 00 02 03"}
    do: [{say: {file: conf-adminmenu-18}}, {ring: PJSIP/103, for: 60s}]
  - name: nobody picks up
    do: [{ring: PJSIP/104, for: 60s}]
"""
TALK, SLOW, PROMPT, UNANSWERED = (f"+472200020{digit}" for digit in range(1, 5))
BREAK_GLASS = 119
DEAD_MAN = 15.0
"""Seconds within which a waiting caller must be somewhere else after the router died."""


A_DAY = 24 * 3600.0


class Stage:
    """A sandbox, a router beside it, phones and callers; all ended at the end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sandbox = Sandbox("recovery", "--rtp-timeout", "0", "--breakglass", f"PJSIP/{BREAK_GLASS}")
        self.sipps: list[Caller | Callee] = []
        self.routers: list[RouterProcess] = []

    def router(self, **settings: object) -> RouterProcess:
        """A router that is ready; all on one stage share the state directory."""
        router = RouterProcess(self.sandbox, self.directory, {"recovery.yaml": RULES}, **settings)
        self.routers.append(router)
        router.start()
        return router

    def phone(self, number: int, *moves: str) -> Callee:
        """Softphone `number`, registered, behaving as its moves say."""
        phone = Callee(*moves)
        self.sipps.append(phone)
        register(self.sandbox, [(self.sandbox.phones[number - 100], phone.port)])
        return phone

    def caller(self, dialled: str, *moves: str) -> Caller:
        """A caller, under way."""
        caller = Caller(self.sandbox, dialled, *moves, limit=90)
        self.sipps.append(caller)
        return caller

    def states(self) -> dict[str, str]:
        """The state of every channel, by id."""
        return {channel["id"]: channel["state"] for channel in self.sandbox.ari("GET", "channels")}

    def in_break_glass(self) -> int:
        """How many callers are in the break-glass branch of the dialplan."""
        channels = self.sandbox.ari("GET", "channels")
        return sum(channel["dialplan"]["context"] == "callrouter-breakglass" for channel in channels)

    def ringing(self) -> int:
        """How many phones ring."""
        return sum(state == "Ringing" for state in self.states().values())

    def talks(self) -> int:
        """How many bridges hold two channels."""
        return sum(len(bridge["channels"]) == 2 for bridge in self.sandbox.ari("GET", "bridges"))

    def timers(self) -> list[float]:
        """Seconds until the dead man strikes, of every channel."""
        path = "channels/{}/variable?variable=TIMEOUT(absolute)"
        return [float(self.sandbox.ari("GET", path.format(id))["value"]) for id in self.states()]

    def outliving(self) -> int:
        """How many channels the dead man spares."""
        return sum(seconds > A_DAY for seconds in self.timers())

    def prompts(self) -> int:
        """How many callers hear a prompt: channels in a bridge of Asterisk's own or answered alone."""
        return sum(state == "Up" for state in self.states().values()) - 2 * self.talks()

    def close(self) -> None:
        for sipp in self.sipps:
            sipp.stop()
        for router in self.routers:
            if router.process is not None and router.process.poll() is None:
                router.kill()
        self.sandbox.down()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def only(router: RouterProcess, dialled: str, within: float = 10.0) -> CallRecord:
    """The record of the one call to a number."""
    records = router.records(dialled, within)
    assert len(records) == 1, f"{len(records)} dispositions for one call to {dialled}"
    return records[0]


def test_router_killed_and_back_within_seconds_loses_no_call(stage: Stage) -> None:
    router = stage.router()
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    stage.phone(102, CALLED, RINGING, pause(9), PICK_UP, HUNG_UP_ON)
    stage.phone(103, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    stage.phone(104, CALLED, RINGING, CANCELLED)
    talk = stage.caller(TALK, INVITE, ANSWERED, pause(12), bye())
    rings = stage.caller(SLOW, INVITE, ANSWERED, pause(2), bye())
    prompt = stage.caller(PROMPT, INVITE, ANSWERED, pause(26), bye())
    leaves = stage.caller(UNANSWERED, INVITE, RINGS, pause(3.5), CANCEL)
    wait_until(lambda: stage.talks() == 1 and stage.ringing() == 2 and stage.prompts() == 1, "all under way")
    # A call whose first moments are not yet written (writer.PAUSE), and that ends unseen, leaves no trace.
    wait_until(lambda: len(router.stories()) == 4, "all written down")
    wait_until(lambda: stage.outliving() == 2, "the talk outlives the router")

    router.kill()
    assert leaves.wait().as_written
    router.start()

    assert talk.wait().as_written, "the talk was disturbed"
    assert rings.wait().as_written
    assert prompt.wait().as_written
    assert only(router, TALK).disposition is Disposition.ANSWERED
    assert only(router, TALK).hung_up_by is Party.CALLER
    assert only(router, TALK).talk_seconds == pytest.approx(12, abs=1)
    assert only(router, SLOW).disposition is Disposition.ANSWERED
    assert only(router, PROMPT).disposition is Disposition.ANSWERED
    assert only(router, PROMPT).answered_by == "PJSIP/103"
    assert only(router, UNANSWERED).disposition is Disposition.UNOBSERVED
    assert stage.sandbox.left_behind() == []


def test_router_killed_for_good_leaves_nobody_waiting(stage: Stage) -> None:
    router = stage.router()
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    stage.phone(102, CALLED, RINGING, CANCELLED)
    stage.phone(104, CALLED, RINGING, CANCELLED)
    stage.phone(BREAK_GLASS, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    talk = stage.caller(TALK, INVITE, ANSWERED, pause(27), bye())
    rings = stage.caller(SLOW, INVITE, ANSWERED, pause(12), bye())
    prompt = stage.caller(PROMPT, INVITE, ANSWERED, pause(26), bye())
    leaves = stage.caller(UNANSWERED, INVITE, RINGS, pause(6), CANCEL)
    wait_until(lambda: stage.talks() == 1 and stage.ringing() == 2 and stage.prompts() == 1, "all under way")
    wait_until(lambda: stage.outliving() == 2, "the talk outlives the router")

    router.kill()
    wait_until(lambda: stage.in_break_glass() == 2, "both waiting callers in break-glass", DEAD_MAN)
    wait_until(lambda: leaves.process.poll() is not None, "the third caller has left", 3)
    # The phone of that caller stopped ringing with the others, 15 s after the router's death at the latest.
    wait_until(lambda: not any(name.endswith("-l1") for name in ringing_legs(stage)), "no phone rings", 3)
    assert stage.talks() >= 1

    assert rings.wait().as_written
    assert prompt.wait().as_written
    assert talk.wait().as_written, "the talk was disturbed"

    # The callee of that talk is still there, alone: nobody told its phone. The next process does.
    router.start()
    assert stage.sandbox.left_behind() == []
    for dialled in (TALK, SLOW, PROMPT, UNANSWERED):
        assert only(router, dialled).disposition is Disposition.UNOBSERVED


def ringing_legs(stage: Stage) -> list[str]:
    return [name for name, state in stage.states().items() if state == "Ringing"]


@pytest.mark.parametrize("fault", ["reset", "silent partition"])
def test_connection_lost_and_back(stage: Stage, fault: str) -> None:
    port = int(stage.sandbox.facts["ari"]["url"].split(":")[2].split("/")[0])
    line = Line(port)
    ari = stage.sandbox.facts["ari"] | {"url": f"http://127.0.0.1:{line.port}/ari"}
    settings = {"url": ari["url"], "password_file": ari["password_file"], "app": ari["app"]}
    router = stage.router(ari=settings)
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    stage.phone(102, CALLED, RINGING, pause(8), PICK_UP, HUNG_UP_ON)
    talk = stage.caller(TALK, INVITE, ANSWERED, pause(10), bye())
    rings = stage.caller(SLOW, INVITE, ANSWERED, pause(2), bye())
    wait_until(lambda: stage.talks() == 1 and stage.ringing() == 1, "both under way")

    if fault == "reset":
        line.cut()
    else:
        line.silence()
        wait_until(lambda: not router.ready(), "the router notices", 3.5)
        line.restore()
    wait_until(router.ready, "the router is back", 6)

    assert talk.wait().as_written
    assert rings.wait().as_written
    assert only(router, TALK).disposition is Disposition.ANSWERED
    assert only(router, SLOW).disposition is Disposition.ANSWERED
    assert router.metrics()["callrouter_ari_reconnects_total"] == 1
    assert stage.sandbox.left_behind() == []
    line.close()


def test_a_dead_man_is_kept_away_while_somebody_waits_and_lifted_from_a_talk(stage: Stage) -> None:
    stage.router()
    stage.phone(102, CALLED, RINGING, pause(9), PICK_UP, HUNG_UP_ON)
    call = stage.caller(SLOW, INVITE, ANSWERED, pause(5), bye())
    wait_until(lambda: stage.ringing() == 1, "the phone rings")
    seen = []
    while not stage.talks():
        seen += stage.timers()
        time.sleep(0.1)
    assert min(seen) > 7.5, "a timer of 12 s is set anew every 4 s"
    wait_until(lambda: stage.outliving() == 2, "the timers are lifted", 1)
    assert call.wait().as_written
    assert stage.sandbox.left_behind() == []


def test_a_talk_that_has_just_begun_outlives_a_router_that_stops(stage: Stage) -> None:
    router = stage.router()
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    talk = stage.caller(TALK, INVITE, ANSWERED, pause(5), bye())
    wait_until(lambda: stage.talks() == 1, "two people talk")
    router.send(signal.SIGTERM)
    assert router.wait() == 0
    assert stage.outliving() == 2
    router.start()
    assert talk.wait().as_written
    assert only(router, TALK).disposition is Disposition.ANSWERED
    assert stage.sandbox.left_behind() == []


def test_stop_drains_and_the_next_process_takes_over(stage: Stage) -> None:
    router = stage.router()
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    stage.phone(102, CALLED, RINGING, pause(3), PICK_UP, HUNG_UP_ON)
    stage.phone(BREAK_GLASS, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    talk = stage.caller(TALK, INVITE, ANSWERED, pause(14), bye())
    rings = stage.caller(SLOW, INVITE, ANSWERED, pause(8), bye())
    wait_until(lambda: stage.talks() == 1 and stage.ringing() == 1, "both under way")

    router.send(signal.SIGTERM)
    wait_until(lambda: not router.ready(), "the router takes no more calls", 2)
    late = stage.caller(UNANSWERED, INVITE, ANSWERED, pause(4), bye())
    wait_until(lambda: stage.in_break_glass() == 1, "the late caller is in break-glass", 5)
    assert router.wait() == 0, "it waits for the ringing call only"
    assert stage.talks() >= 2

    router.start()
    assert [sipp.wait().as_written for sipp in (talk, rings, late)] == [True, True, True]
    assert only(router, TALK).disposition is Disposition.ANSWERED
    assert only(router, SLOW).disposition is Disposition.ANSWERED
    drained = only(router, UNANSWERED)
    assert (drained.disposition, drained.reason) == (Disposition.TRANSFERRED, "draining")
    assert stage.sandbox.left_behind() == []


def test_second_router_on_one_name_takes_over_and_the_first_stops(stage: Stage) -> None:
    first = stage.router()
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    talk = stage.caller(TALK, INVITE, ANSWERED, pause(4), bye())
    wait_until(lambda: stage.talks() == 1, "two people talk")

    second = stage.router()
    assert first.wait() == 1
    assert talk.wait().as_written
    assert only(second, TALK).disposition is Disposition.ANSWERED
    assert stage.sandbox.left_behind() == []


def test_asterisk_dies_and_comes_back(stage: Stage) -> None:
    facts = stage.sandbox.facts
    router = stage.router()
    stage.phone(101, CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    stage.caller(TALK, INVITE, ANSWERED, pause(30), bye())
    wait_until(lambda: stage.talks() == 1, "two people talk")

    os.kill(int(facts["pid"]), signal.SIGKILL)
    wait_until(lambda: not router.ready(), "the router notices", 4)
    http = facts["ari"]["url"].split(":")[2].split("/")[0]
    stage.sandbox = Sandbox("recovery", "--http-port", http)
    wait_until(router.ready, "the router is back", 15)

    lost = only(router, TALK)
    assert (lost.disposition, lost.reason, lost.hung_up_by) == (
        Disposition.DROPPED, "asterisk_lost", Party.NETWORK,
    )  # fmt: skip
