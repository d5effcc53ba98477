"""A dialplan of the administrator's own (dialplan/route.conf) asks the router and does the rest."""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from router.core.plan import Speak
from tests.harness.ports import free_port
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    PICK_UP,
    PICK_UP_HEARING,
    RINGING,
    Callee,
    Caller,
    Move,
    bye,
    pause,
    refused,
    register,
)
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room

pytestmark = pytest.mark.live

RULES = """\
client: own
name: Own
numbers: "+47 22 00 05 xx"
timezone: Europe/Oslo
country: NO
language: en
hours: {never: {week: {mon-sun: closed}}}
screening:
  block: [{name: telemarketers, numbers: "+4781549xxx"}]
routes:
  - {name: closed, when: {dialled: "+4722000501", closed: never}, do: [{say: Closed.}, hangup]}
  - name: mobile
    when: {dialled: "+4722000502"}
    do: [{ring: {number: "+4790000001", confirm: Take it?}, for: 20s}, {ring: PJSIP/102, for: 20s}]
  - name: old
    when: {dialled: "+4722000503"}
    do: [{set: {ACCOUNT: "42"}}, {dialplan: {context: own-old, extension: s}}]
  - name: asterisks
    when: {dialled: "+4722000504"}
    do: [{queue: {asterisk: none}, for: 5s}, {decline: busy}]
  - {name: message, when: {dialled: "+4722000505"}, do: [message]}
  - {name: late, when: {dialled: "+4722000506"}, do: [{ring: PJSIP/109}, message]}
  - {name: main, do: [{ring: PJSIP/101, for: 1s}, {ring: PJSIP/102, for: 20s}]}
"""
MAIN, CLOSED, MOBILE, OLD, ASTERISKS, MESSAGE, LATE = (f"+472200050{n}" for n in range(7))
NOBODYS, UNGUARDED, ROUTERS = "+4722000600", "+4722000601", "+4722000510"

DIALPLAN = """
#include route.conf

[from-trunk](+)
exten => _+472200050X,1,Goto(callrouter-route,${FILTER(+0-9,${EXTEN})},1)
exten => +4722000600,1,Goto(callrouter-route,${FILTER(+0-9,${EXTEN})},1)
; As nobody should write it: the caller's bytes go to AGI as they are.
exten => +4722000601,1,AGI(agi://${CALLROUTER_AGI}/route)
 same => n,Verbose(1,unguarded: ${AGISTATUS} ${CALLROUTER_TREATMENT})
 same => n,Hangup(17)

[own-old]
exten => s,1,Verbose(1,own-old: account ${ACCOUNT})
 same => n,Hangup(21)
"""


LIMIT = 15
"""Seconds that a party stays, whatever happens."""


class Own(Room):
    """The sandbox with that dialplan, and its router."""

    def asked(self, outcome: str = "answered") -> float:
        """How many requests have come to that."""
        return self.router.metrics().get(f'callrouter_agi_requests_total{{outcome="{outcome}"}}', 0.0)

    def caller(self, did: str, *moves: Move, user: str = "+4790000009") -> Caller:
        caller = Caller(self.sandbox, did, *moves, user=user, limit=LIMIT)
        self.at_end(caller.stop)
        return caller

    def rings(self, number: int, *moves: Move) -> Callee:
        """The softphone of that number does this to one call."""
        phone = Callee(CALLED, *moves, calls=1, limit=LIMIT)
        self.at_end(phone.stop)
        phone.listening()
        register(self.sandbox, [(self.sandbox.phones[number - 100], phone.port)])
        return phone

    def said(self, pattern: str) -> str:
        """What the dialplan has said at last, once it has."""
        log = Path(self.sandbox.facts["full_log"])
        found: list[str] = []

        def look() -> list[str]:
            found[:] = re.findall(pattern, log.read_text(errors="replace"))
            return found

        wait_until(look, f"the dialplan says {pattern}")
        return found[-1]

    def explained(self, trace: str) -> str:
        program = str(Path(sys.executable).with_name("callrouter"))
        command = [program, "explain", trace, "--config", str(self.router.config)]
        return subprocess.run(
            command, cwd=ROOT, text=True, capture_output=True, timeout=30, check=True
        ).stdout


@pytest.fixture(scope="module")
def sandbox(bring_up: BringUp) -> Sandbox:
    sandbox = bring_up("--rtp-timeout", "0")
    etc = Path(sandbox.facts["directories"]["etc"])
    shutil.copyfile(ROOT / "dialplan" / "route.conf", etc / "route.conf")
    with (etc / "extensions.conf").open("a") as dialplan:
        dialplan.write(DIALPLAN)
    sandbox.cli("dialplan reload")
    return sandbox


@pytest.fixture(scope="module")
def router(sandbox: Sandbox, run_router: RunRouter) -> RouterProcess:
    port = free_port(socket.SOCK_STREAM)
    sandbox.cli(f"dialplan set global CALLROUTER_AGI 127.0.0.1:{port}")
    sandbox.cli("dialplan set global CALLROUTER_AGI_FOR 2")
    sandbox.cli("dialplan set global CALLROUTER_BREAKGLASS PJSIP/105")
    return run_router(sandbox, {"own.yaml": RULES}, agi={"port": port})


@pytest.fixture
def own(sandbox: Sandbox, router: RouterProcess) -> Iterator[Own]:
    with ExitStack() as stack:
        yield Own(sandbox, router, stack)
    assert sandbox.left_behind() == []


def test_a_phone_rings_by_rule_then_the_next_and_it_is_no_call(own: Own) -> None:
    first, second = own.rings(101, RINGING, CANCELLED), own.rings(102, RINGING, PICK_UP, HUNG_UP_ON)
    caller = own.caller(MAIN, INVITE, ANSWERED, pause(0.3), bye())
    assert [sipp.wait().as_written for sipp in (caller, first, second)] == [True] * 3
    trace = own.said(rf"for \{MAIN}: ring, by ([a-z2-7]{{13}})")
    assert own.explained(trace).splitlines()[-1].endswith(": route main: taken")
    assert own.asked() == 1
    assert own.router.metrics()["callrouter_calls_entered_total"] == 0
    assert own.router.stories() == []


KEYS = [("1", True), ("2", False)]


@pytest.mark.parametrize(("key", "takes"), KEYS)
def test_a_phone_outside_takes_the_call_by_a_key(own: Own, key: str, takes: bool) -> None:
    mobile = own.phone(CALLED, RINGING, PICK_UP_HEARING, HUNG_UP_ON, port=own.sandbox.trunk_port)
    phone = own.rings(102, RINGING, PICK_UP, HUNG_UP_ON)
    caller = own.caller(MOBILE, INVITE, ANSWERED, pause(0.3), bye())
    mobile.wait_for(own.prompt(Speak("Take it?", "en")))
    mobile.press(key)
    assert caller.wait().as_written
    if takes:
        assert phone.process.poll() is None, "the next phone does not ring"
    else:
        assert phone.wait().as_written


REFUSED = [
    ("blocked", MAIN, "+4781549312", 403, "blocked"),
    ("a number of nobody", NOBODYS, "+4790000009", 404, "unknown_number"),
    ("handed to another context, with a variable", OLD, "+4790000009", 403, "dialplan"),
    ("a queue that Asterisk has not, and then busy", ASTERISKS, "+4790000009", 486, "asterisk_queue"),
]


@pytest.mark.parametrize(
    ("did", "user", "status", "treatment"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_who_is_refused(own: Own, did: str, user: str, status: int, treatment: str) -> None:
    assert own.caller(did, INVITE, refused(status), user=user).wait().as_written
    assert own.said(rf"for \{did}: (\w+), by") == treatment
    if did == OLD:
        assert own.said(r"own-old: account (\d+)") == "42"


def test_who_calls_when_it_is_closed_is_told_so(own: Own) -> None:
    assert own.caller(CLOSED, INVITE, ANSWERED, HUNG_UP_ON).wait().as_written
    assert own.said(rf"for \{CLOSED}: (\w+), by") == "hangup"


def test_what_only_the_router_can_do_becomes_a_call(own: Own) -> None:
    assert own.caller(MESSAGE, INVITE, ANSWERED, pause(0.3), bye()).wait().as_written
    [record] = own.router.records(MESSAGE)
    assert record.info.route == "message"


def test_what_only_the_router_can_do_does_not_begin_anew_after_a_phone_was_tried(own: Own) -> None:
    assert own.caller(LATE, INVITE, ANSWERED, bye()).wait().as_written
    assert (
        own.said(rf'\{LATE}@callrouter-route:\d+\] Playback\("\S+", "(\S+)"\)')
        == "im-sorry&please-try-call-later"
    )
    assert [story for story in own.router.stories() if story.info.dialled == LATE] == []


EVIL = ("1%0Aagi_extension%3A%20999", f"1%0Aagi_arg_1%3A%20{OLD}")
"""Numbers of callers with a line of AGI's in them."""


@pytest.mark.parametrize("evil", EVIL)
def test_lines_of_a_callers_own_reach_nobody(own: Own, evil: str) -> None:
    before = own.asked()
    assert own.caller(MAIN, INVITE, refused(484), user=evil).wait().as_written
    assert own.asked() == before


def test_a_line_that_comes_twice_is_refused(own: Own) -> None:
    """Where a dialplan hands on the caller's bytes as they are."""
    assert own.caller(UNGUARDED, INVITE, refused(486), user=EVIL[0]).wait().as_written
    assert own.said(r"unguarded: (\w+ \w*)") == "SUCCESS "
    assert own.asked("malformed") == 1


ASTERISKS_OWN = ("BRIDGE", "RTPAUDIOQOS", "SIPDOMAIN", "STASISSTATUS")
"""How the variables begin that Asterisk sets itself, in any call."""


async def test_a_call_of_the_routers_sets_no_more_variables_than_it_must(own: Own) -> None:
    # Asterisk tells the world of each, which is a fiftieth of all that it tells of a call.
    phone = own.rings(101, PICK_UP, HUNG_UP_ON)
    ari = own.sandbox.facts["ari"]
    header = {"Authorization": aiohttp.encode_basic_auth(ari["username"], ari["password"])}
    every = {"app": "looks-on", "subscribeAll": "true"}
    variables, channels = [], 2
    async with (
        aiohttp.ClientSession(headers=header) as session,
        session.ws_connect(f"{ari['url']}/events", params=every) as told,
        asyncio.timeout(LIMIT),
    ):
        caller = own.caller(ROUTERS, INVITE, ANSWERED, pause(0.3), bye())
        while channels:
            event = await told.receive_json()
            channels -= event["type"] == "ChannelDestroyed"
            if event["type"] == "ChannelVarset" and not event["variable"].startswith(ASTERISKS_OWN):
                variables.append(event["variable"])
    assert (caller.wait().as_written, phone.wait().as_written) == (True, True)
    assert variables == ["CALLROUTER_DID", "TRANSFER_CONTEXT"]


def test_the_dialplan_goes_on_while_the_router_stands_still(own: Own) -> None:
    own.router.send(signal.SIGSTOP)
    own.at_end(lambda: own.router.send(signal.SIGCONT))
    phone = own.rings(105, RINGING, PICK_UP, HUNG_UP_ON)
    began = time.monotonic()
    caller = own.caller(MAIN, INVITE, ANSWERED, pause(0.3), bye())
    assert [sipp.wait().as_written for sipp in (caller, phone)] == [True, True]
    assert time.monotonic() - began > 2.0


def test_the_dialplan_goes_on_without_the_router(own: Own) -> None:
    own.router.kill()
    phone = own.rings(105, RINGING, PICK_UP, HUNG_UP_ON)
    caller = own.caller(MAIN, INVITE, ANSWERED, pause(0.3), bye())
    assert [sipp.wait().as_written for sipp in (caller, phone)] == [True, True]
    assert own.said(rf"for \{MAIN} is not routed: AGI (\w+)") == "FAILURE"
    own.router.start()
    own.rings(101, RINGING, PICK_UP, HUNG_UP_ON)
    assert own.caller(MAIN, INVITE, ANSWERED, pause(0.3), bye()).wait().as_written
