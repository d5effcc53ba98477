"""Metrics, read as Prometheus reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from router.core.record import Phase
from router.core.trace import TraceRow
from router.edge.metrics import (
    MOST_BLOCK_RULES,
    MOST_CLIENTS,
    MOST_COMMAND_FAILURES,
    MOST_EVENT_TYPES,
    Metrics,
)
from tests.edge.stories import TEN, a_call, a_code, abandoned, informed, talked


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3", clock=lambda: 1_795_341_600.0)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def series(metrics: Metrics, name: str) -> int:
    return sum(len(family.samples) for family in metrics.registry.collect() if family.name == name)


def test_every_call_that_entered_is_disposed_of_or_live(metrics: Metrics) -> None:
    for _ in range(3):
        metrics.call_entered(a_call(), Phase.GREETING)
    metrics.phase_changed(a_call(), Phase.GREETING, Phase.RINGING)
    metrics.phase_changed(a_call(), Phase.RINGING, Phase.TALKING)
    metrics.call_ended(talked(a_call()))
    metrics.call_ended(abandoned(a_call()))
    live = {phase: value(metrics, "callrouter_live_calls", phase=phase.value) for phase in Phase}
    assert live == dict.fromkeys(Phase, 0) | {Phase.GREETING: 1}
    assert value(metrics, "callrouter_calls_entered_total") == 3
    assert value(metrics, "callrouter_calls_total", client="fjord", disposition="answered") == 1
    assert value(metrics, "callrouter_calls_total", client="fjord", disposition="abandoned") == 1


def test_a_feature_code_is_no_call(metrics: Metrics) -> None:
    before = (series(metrics, "callrouter_calls"), series(metrics, "callrouter_live_calls"))
    metrics.feature_code("no_call")
    metrics.feature_code("code_kept")
    metrics.feature_code("code_kept")
    metrics.call_entered(a_code(), Phase.CLOSING)
    metrics.phase_changed(a_code(), Phase.CLOSING, Phase.GREETING)
    assert all(value(metrics, "callrouter_live_calls", phase=phase.value) == 0 for phase in Phase)
    metrics.call_ended(informed(a_code()))
    assert all(value(metrics, "callrouter_live_calls", phase=phase.value) == 0 for phase in Phase)
    assert value(metrics, "callrouter_calls_entered_total") == 0
    assert (series(metrics, "callrouter_calls"), series(metrics, "callrouter_live_calls")) == before
    assert value(metrics, "callrouter_feature_codes_total", said="code_kept") == 2
    assert value(metrics, "callrouter_feature_codes_total", said="no_call") == 1


def test_supervision_is_counted_by_how_it_was_and_how_it_ended(metrics: Metrics) -> None:
    for mode, outcome in (("listen", "left"), ("listen", "left"), ("barge", "refused")):
        metrics.supervision_over(mode, outcome)
    assert value(metrics, "callrouter_supervisions_total", mode="listen", outcome="left") == 2
    assert value(metrics, "callrouter_supervisions_total", mode="barge", outcome="refused") == 1


def test_a_talk_is_measured(metrics: Metrics) -> None:
    metrics.call_entered(a_call(), Phase.TALKING)
    metrics.call_ended(talked(a_call(), seconds=65))
    assert value(metrics, "callrouter_setup_seconds_sum") == 6
    assert value(metrics, "callrouter_setup_seconds_bucket", le="5.0") == 0
    assert value(metrics, "callrouter_setup_seconds_bucket", le="10.0") == 1
    assert value(metrics, "callrouter_talk_seconds_bucket", le="60.0") == 0
    assert value(metrics, "callrouter_talk_seconds_bucket", le="+Inf") == 1
    assert value(metrics, "callrouter_talk_seconds_count") == 1
    assert value(metrics, "callrouter_attempts_total", outcome="busy") == 1
    assert value(metrics, "callrouter_attempts_total", outcome="answered") == 1


def test_a_call_without_a_talk_has_no_setup_time(metrics: Metrics) -> None:
    metrics.call_entered(a_call(), Phase.GREETING)
    metrics.call_ended(abandoned(a_call()))
    assert value(metrics, "callrouter_setup_seconds_count") == 0


def test_a_value_on_a_bound_is_within_it(metrics: Metrics) -> None:
    metrics.command_replied(0.005)
    assert value(metrics, "callrouter_command_seconds_bucket", le="0.005") == 1
    assert value(metrics, "callrouter_command_seconds_bucket", le="0.0025") == 0


def test_clients_past_the_limit_share_a_label(metrics: Metrics) -> None:
    record = abandoned(a_call())
    for number in range(MOST_CLIENTS + 5):
        metrics.call_ended(msgspec.structs.replace(record, info=a_call(client=f"client{number}")))
    metrics.call_ended(msgspec.structs.replace(record, info=a_call(client="client0")))
    assert value(metrics, "callrouter_calls_total", client="other", disposition="abandoned") == 5
    assert value(metrics, "callrouter_calls_total", client="client0", disposition="abandoned") == 2
    assert series(metrics, "callrouter_calls") == MOST_CLIENTS + 1


def test_a_call_without_a_client_has_a_label_of_its_own(metrics: Metrics) -> None:
    metrics.call_ended(abandoned(a_call(client=None)))
    assert value(metrics, "callrouter_calls_total", client="none", disposition="abandoned") == 1


def test_the_hits_of_block_rules_are_counted_those_in_shadow_too(metrics: Metrics) -> None:
    told = [
        TraceRow("client", "fjord", "f.yaml:1", True),
        TraceRow("shadow", "new feed", "f.yaml:9", True),
        TraceRow("block", "passed over", "f.yaml:10", False),
        TraceRow("block", "telemarketers", "f.yaml:11", True),
    ]
    for number in range(MOST_BLOCK_RULES):
        metrics.screened("fjord", [TraceRow("block", f"command {number}", "", True)])
    metrics.screened("fjord", told)
    metrics.screened("fjord", told[:3])
    hits = "callrouter_screening_hits_total"
    assert value(metrics, hits, client="fjord", rule="new feed", kind="shadow") == 2
    assert value(metrics, hits, client="fjord", rule="telemarketers", kind="block") == 1
    assert value(metrics, hits, client="fjord", rule="command", kind="block") == MOST_BLOCK_RULES
    assert value(metrics, hits, client="fjord", rule="passed over", kind="block") is None


def test_what_asterisk_says_is_bounded_too(metrics: Metrics) -> None:
    for number in range(MOST_EVENT_TYPES + 3):
        metrics.unknown_event(f"Type{number}")
    for status in range(MOST_COMMAND_FAILURES + 2):
        metrics.command_failed("DialLeg", status)
    assert value(metrics, "callrouter_events_unknown_total", type="other") == 3
    assert value(metrics, "callrouter_events_unknown_total", type="Type0") == 1
    assert value(metrics, "callrouter_command_failures_total", command="other", status="other") == 2
    assert value(metrics, "callrouter_command_failures_total", command="DialLeg", status="0") == 1


def test_the_connection_to_asterisk(metrics: Metrics) -> None:
    told = []
    turns: list[Callable[[], None]] = [
        lambda: None, metrics.ari_connected, metrics.ari_lost, metrics.ari_connected
    ]  # fmt: skip
    for happens in turns:
        happens()
        told.append((value(metrics, "callrouter_ari_up"), value(metrics, "callrouter_ari_reconnects_total")))
    assert told == [(0, 0), (1, 0), (0, 0), (1, 1)]


def test_rules_prompts_events_and_faults(metrics: Metrics) -> None:
    metrics.rules_loaded()
    metrics.rules_refused()
    metrics.prompt_failed()
    metrics.engine_error()
    metrics.event_handled(0.004)
    assert value(metrics, "callrouter_rules_loaded_timestamp_seconds") == 1_795_341_600
    assert value(metrics, "callrouter_rules_refused_total") == 1
    assert value(metrics, "callrouter_prompt_failures_total") == 1
    assert value(metrics, "callrouter_engine_errors_total") == 1
    assert value(metrics, "callrouter_event_lag_seconds_sum") == pytest.approx(0.004)


@dataclass
class Figures:
    """What a writer tells."""

    queued: int = 7
    shed: int = 2
    conflicts: int = 1
    refused: int = 3
    commits: int = 40
    commit_seconds: float = 0.5
    failing_since: datetime | None = None


def test_the_store_is_read_at_every_scrape(metrics: Metrics) -> None:
    assert value(metrics, "callrouter_write_queue") is None
    figures = Figures()
    metrics.watch_store(figures)
    assert value(metrics, "callrouter_write_queue") == 7
    assert value(metrics, "callrouter_writes_shed_total") == 2
    assert value(metrics, "callrouter_writes_refused_total") == 3
    assert value(metrics, "callrouter_disposition_conflicts_total") == 1
    assert value(metrics, "callrouter_commits_total") == 40
    assert value(metrics, "callrouter_store_failing") == 0
    figures.failing_since = TEN + timedelta(seconds=1)
    assert value(metrics, "callrouter_store_failing") == 1


def test_the_room_on_the_disk_is_looked_at_every_scrape(metrics: Metrics, tmp_path: Path) -> None:
    assert value(metrics, "callrouter_state_free_bytes") is None
    state = tmp_path / "state"
    metrics.watch_state(state)
    for made in (False, True):  # With PostgreSQL the router makes it only once it needs it.
        assert state.exists() is made
        free, size = (value(metrics, f"callrouter_state_{what}_bytes") for what in ("free", "size"))
        assert free is not None
        assert size is not None
        assert 0 < free <= size
        state.mkdir(exist_ok=True)


def test_prometheus_can_read_the_text(metrics: Metrics) -> None:
    metrics.call_entered(a_call(), Phase.GREETING)
    metrics.call_ended(talked(a_call(client='quoted "å"\n')))
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    assert families["callrouter_calls"].samples[0].labels["client"] == 'quoted "å"\n'
    assert families["callrouter_build_info"].samples[0].labels["version"] == "1.2.3"
    assert families["callrouter_setup_seconds"].type == "histogram"
    assert "process_cpu_seconds" in families
