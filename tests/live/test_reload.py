"""Rules are read again while people talk and wait: by real calls."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.core.record import Disposition
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    PICK_UP,
    RINGING,
    Callee,
    Caller,
    bye,
    pause,
    register,
)
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.live

OLD = """\
client: reload
name: Reload
numbers: "+47 22 00 03 01"
timezone: Europe/Oslo
country: NO
routes:
  - name: old
    do: [{ring: PJSIP/101, for: 2s}, {ring: PJSIP/102, for: 60s}]
"""
NEW = OLD.replace("name: old", "name: new").replace("PJSIP/101", "PJSIP/103")
WRONG = OLD.replace("PJSIP/101", "kari")
DIALLED = "+4722000301"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox("reload", "--rtp-timeout", "0")
    yield sandbox
    sandbox.down()


def test_a_call_in_flight_keeps_the_rules_it_began_with(sandbox: Sandbox, tmp_path: Path) -> None:
    router = RouterProcess(sandbox, tmp_path, {"reload.yaml": OLD})
    router.start()
    first = Callee(CALLED, RINGING, CANCELLED)
    second = Callee(CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    third = Callee(CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    sipps: list[Caller | Callee] = [first, second, third]
    try:
        for number, phone in ((101, first), (102, second), (103, third)):
            register(sandbox, [(sandbox.phones[number - 100], phone.port)])
        before = Caller(sandbox, DIALLED, INVITE, ANSWERED, pause(1), bye(), limit=60)
        sipps.append(before)
        wait_until(lambda: "Ringing" in _states(sandbox), "the first phone rings")

        write(router, WRONG)
        assert reload(router) == (1, f"{router.rules}/reload.yaml:8:17: nobody here is `kari`")
        write(router, NEW)
        assert reload(router)[0] == 0
        after = Caller(sandbox, DIALLED, INVITE, ANSWERED, pause(1), bye(), limit=60)
        sipps.append(after)

        assert (after.wait().as_written, before.wait().as_written) == (True, True)
        calls = {record.info.route: record for record in router.records(DIALLED, count=2)}
    finally:
        for sipp in sipps:
            sipp.stop()
        router.stop()
    assert {route: record.answered_by for route, record in calls.items()} == {
        "old": "PJSIP/102",
        "new": "PJSIP/103",
    }
    assert {record.disposition for record in calls.values()} == {Disposition.ANSWERED}
    assert calls["old"].info.rules_version != calls["new"].info.rules_version
    assert explained(router, calls["old"].info.id).endswith("reload.yaml:7: route old: taken")


def write(router: RouterProcess, text: str) -> None:
    (router.rules / "reload.yaml").write_text(text, encoding="utf-8")


def reload(router: RouterProcess) -> tuple[int, str]:
    """`callrouter reload`: its exit status, and the beginning of what it complains of."""
    done = _callrouter("reload", router)
    return done.returncode, done.stderr.partition(";")[0]


def explained(router: RouterProcess, call: str) -> str:
    return _callrouter("explain", router, call).stdout.rstrip()


def _callrouter(command: str, router: RouterProcess, *words: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("callrouter")
    typed = [str(program), command, *words, "--config", str(router.config)]
    return subprocess.run(typed, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def _states(sandbox: Sandbox) -> list[str]:
    return [channel["state"] for channel in sandbox.ari("GET", "channels")]
