"""Callers are refused by rules and by command: by real calls."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import INVITE, Caller, refused

pytestmark = pytest.mark.live

RULES = """\
client: screened
name: Screened
numbers: "+47 22 00 04 0x"
timezone: Europe/Oslo
country: NO
screening:
  block:
    - {name: tried out, numbers: "+*", shadow: true}
    - {name: hammering, more_than: 2 calls in 10m}
routes: [{name: main, do: {decline: busy}}]
"""
PASSES, IS_REFUSED = 486, 403
"""The route answers busy; whoever is blocked is declined."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox("screening")
    yield sandbox
    sandbox.down()


def test_rules_and_commands_refuse_callers_also_after_a_restart(sandbox: Sandbox, tmp_path: Path) -> None:
    router = RouterProcess(sandbox, tmp_path, {"screened.yaml": RULES})
    router.start()
    try:
        assert [call(sandbox, status) for status in (PASSES, PASSES, IS_REFUSED)] == [True] * 3
        router.records("+4722000400", count=3)
        router.kill()
        router.start()
        assert call(sandbox, IS_REFUSED), "who called before the restart is remembered"
        caller = router.records("+4722000400", count=4)[0].info.caller

        assert typed(router, "allow", caller, "--why", "our own test") == 0
        assert call(sandbox, PASSES)
        assert typed(router, "unblock", caller) == 0
        assert call(sandbox, IS_REFUSED)
        assert typed(router, "allow", caller) == 0
        assert typed(router, "block", caller, "--client", "screened") == 0
        assert call(sandbox, IS_REFUSED)
        records = router.records("+4722000400", count=7)
        hits = router.metrics()
    finally:
        router.stop()
    assert [record.reason for record in records] == [
        "command 3", "hammering", "route main", "hammering", "hammering", "route main", "route main",
    ]  # fmt: skip
    named = 'callrouter_screening_hits_total{client="screened",kind="%s",rule="%s"}'
    assert hits[named % ("block", "hammering")] == 2
    assert hits[named % ("shadow", "tried out")] == 2
    assert hits[named % ("block", "command")] == 1


VOUCHED = """\
client: vouched
name: Vouched
numbers: "+47 22 00 04 00"
timezone: Europe/Oslo
country: NO
routes:
  - {name: vouched for, when: {caller: {attestation: [A]}, variable: {branch: oslo}}, do: {decline: busy}}
  - {name: others, do: decline}
"""


def test_rules_may_ask_what_the_dialplan_knows(sandbox: Sandbox, tmp_path: Path) -> None:
    router = RouterProcess(sandbox, tmp_path, {"vouched.yaml": VOUCHED})
    router.start()
    try:
        assert call(sandbox, IS_REFUSED)
        sandbox.cli("dialplan set global CALLROUTER_VARIABLES attestation=A,branch=oslo")
        assert call(sandbox, PASSES)
        sandbox.cli("dialplan set global CALLROUTER_VARIABLES attestation=C,branch=oslo")
        assert call(sandbox, IS_REFUSED)
        records = router.records("+4722000400", count=3)
    finally:
        router.stop()
    assert [record.info.route for record in records] == ["others", "vouched for", "others"]


def call(sandbox: Sandbox, status: int) -> bool:
    """Whether a caller is refused with just this SIP status."""
    caller = Caller(sandbox, "+4722000400", INVITE, refused(status))
    try:
        return caller.wait().as_written
    finally:
        caller.stop()


def typed(router: RouterProcess, *words: str) -> int:
    """The exit status of a command, which must not complain."""
    program = Path(sys.executable).with_name("callrouter")
    command = [str(program), *words, "--config", str(router.config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.returncode
