"""Sixty calls a second for half a minute: nothing fails, nothing is lost, nothing is counted twice.

The router of this test runs without coverage measurement, which would cost more CPU than the router itself:
two cores are shared with Asterisk and both SIPps.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from router.core.record import Disposition
from tests.bench.load import Callee, Load
from tests.bench.peers import DIALLED, RULES
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.live.conftest import BringUp, RunRouter

pytestmark = pytest.mark.live

RATE = 60
"""Calls a second."""

SECONDS = 30
CALLS = RATE * SECONDS
COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
"""What has a process of ours measured, if it is in the environment."""


@pytest.fixture(scope="module")
def sandbox(bring_up: BringUp) -> Sandbox:
    return bring_up("load", "--rtp-timeout", "0", "--log", "quiet")


@pytest.fixture(scope="module")
def router(sandbox: Sandbox, run_router: RunRouter) -> Iterator[RouterProcess]:
    with pytest.MonkeyPatch.context() as environment:
        for variable in COVERAGE:
            environment.delenv(variable, raising=False)
        yield run_router(sandbox, {"load.yaml": RULES})


def test_every_call_is_answered_and_written_down_once(sandbox: Sandbox, router: RouterProcess) -> None:
    callee = Callee(sandbox)
    try:
        placed = Load(sandbox, DIALLED, CALLS, RATE).wait()
    finally:
        callee.stop()
    assert placed.failures == 0
    assert sandbox.left_behind() == []

    records = router.records(count=CALLS, within=20)
    assert Counter(record.disposition for record in records) == {Disposition.ANSWERED: CALLS}
    assert len({record.info.channel for record in records}) == CALLS

    figures = router.metrics()
    assert figures["callrouter_calls_entered_total"] == CALLS
    assert _sum(figures, "callrouter_calls_total") == CALLS
    assert _sum(figures, "callrouter_live_calls") == 0
    assert figures["callrouter_disposition_conflicts_total"] == 0
    assert figures["callrouter_writes_shed_total"] == 0


def _sum(figures: dict[str, float], name: str) -> float:
    """All samples of a metric with labels."""
    return sum(value for sample, value in figures.items() if sample.startswith(f"{name}{{"))
