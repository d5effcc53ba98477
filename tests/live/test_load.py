"""Fifty calls a second for twenty seconds, while the MQTT broker goes and comes back and the server of the
follow-ups is away: nothing fails, nothing is lost, nothing is counted twice, and other systems hear of all.

The router of this test runs without coverage measurement, which would cost more CPU than the router itself:
two cores are shared with Asterisk and both SIPps.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from router.core.record import Disposition
from tests.bench.load import Callee, Load
from tests.bench.peers import DIALLED, FOLLOW_UPS, RULES, STORY
from tests.edge.sinks import ComingAndGoing
from tests.harness.broker import Broker, Reader
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter

pytestmark = pytest.mark.live

RATE = 50
"""Calls a second."""

SECONDS = 20
CALLS = RATE * SECONDS
COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
"""What has a process of ours measured, if it is in the environment."""


@pytest.fixture(scope="module")
def sandbox(bring_up: BringUp) -> Sandbox:
    return bring_up("--rtp-timeout", "0", "--log", "quiet")


@pytest.fixture
def server() -> Iterator[ComingAndGoing]:
    """Where follow-ups are posted to."""
    made = ComingAndGoing()
    yield made
    made.stop()


@pytest.fixture
def router(
    sandbox: Sandbox, run_router: RunRouter, broker: Broker, server: ComingAndGoing
) -> Iterator[RouterProcess]:
    with pytest.MonkeyPatch.context() as environment:
        for variable in COVERAGE:
            environment.delenv(variable, raising=False)
        rules = {"load.yaml": RULES + FOLLOW_UPS.format(url=server.url)}
        yield run_router(sandbox, rules, mqtt=broker.settings(), webhooks={"allow": ["localhost"]})


def test_every_call_is_answered_and_written_down_and_told_once(
    sandbox: Sandbox, router: RouterProcess, broker: Broker, server: ComingAndGoing
) -> None:
    callee = Callee(sandbox)
    with Reader(broker, "events/#") as reader:
        try:
            load = Load(sandbox, DIALLED, CALLS, RATE)
            wait_until(lambda: len(reader.events()) > CALLS / 3, "the broker takes events", 20)
            broker.stop()
            wait_until(lambda: router.metrics()["callrouter_outbox_waiting"] > CALLS, "events wait", 30)
            broker.start()
            placed = load.wait()
        finally:
            callee.stop()
        assert placed.failures == 0
        server.start()
        router.send_again()  # Else all wait for the end of the server's rest, minutes away.
        assert sandbox.left_behind() == []

        records = router.records(count=CALLS, within=20)
        assert Counter(record.disposition for record in records) == {Disposition.ANSWERED: CALLS}
        assert len({record.info.channel for record in records}) == CALLS

        wait_until(lambda: router.metrics()["callrouter_outbox_waiting"] == 0, "all is told", 60)
        wait_until(
            lambda: len({told["id"] for told in reader.events()}) == len(STORY) * CALLS, "all heard", 20
        )
        assert reader.stories() == dict.fromkeys((record.info.id for record in records), STORY)

    wait_until(lambda: len(server.posts) >= 2 * CALLS, "all is posted", 60)
    assert server.by_call() == {record.info.id: ["first", "second"] for record in records}

    figures = router.metrics()
    assert figures["callrouter_calls_entered_total"] == CALLS
    assert _sum(figures, "callrouter_calls_total") == CALLS
    assert _sum(figures, "callrouter_live_calls") == 0
    assert figures["callrouter_disposition_conflicts_total"] == 0
    assert figures["callrouter_writes_shed_total"] == 0


def _sum(figures: dict[str, float], name: str) -> float:
    """All samples of a metric with labels."""
    return sum(value for sample, value in figures.items() if sample.startswith(f"{name}{{"))
