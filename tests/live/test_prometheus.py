"""A real Prometheus asks a running router: it answers what the dashboard shows, and tells when the router is
gone."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.dashboard import expressions, filled_in
from tests.harness.prometheus import Prometheus
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import Switchboard, talks

pytestmark = pytest.mark.live

DID = "+4722000900"
RULES = """\
client: fjord
name: Fjord
numbers: "+47 22 00 09 00"
timezone: Europe/Oslo
country: NO
people: {kari: {rings: PJSIP/100}}
queues: {desk: {agents: kari}}
routes: [{name: main, do: [{queue: desk, for: 1m}]}]
"""

NOTHING_YET = {
    "Block rules that held",
    "Calendars of the web: age",
    "Calendars of the web: not fetched",
    "Commands refused",
    "Connections",  # AMI and MQTT, which are not used here
    "Feature codes",
    "Keys pressed in menus, in the time shown",
    "Notices and the broker",
    "Notices that wait for the broker",
    "Requests by FastAGI",
    "Requests to the API",
    "Restarts",
    "Rules",
    "Supervision",
    "The oldest of them waits",
    "Trouble",  # events of unknown types
}
"""Panels, and marks in them, with something of which one call that was answered shows nothing."""


def test_the_dashboard_shows_a_call_and_alerts_tell_of_a_router_that_is_gone(
    bring_up: BringUp, run_router: RunRouter, tmp_path: Path
) -> None:
    sandbox = bring_up("--rtp-timeout=0")
    router = run_router(sandbox, {"fjord.yaml": RULES})
    with ExitStack() as stack:
        prometheus = Prometheus(tmp_path, router.port)
        stack.callback(prometheus.stop)
        board = Switchboard(sandbox, router, stack, {"kari": 100})
        prometheus.until("up", [1.0])
        board.agent("kari", *talks(4), calls=1)
        board.caller(DID)
        prometheus.until('callrouter_live_calls{phase="talking"}', [1.0])
        board.records_of(DID, 1)
        prometheus.until('callrouter_calls_total{client="fjord",disposition="answered"}', [1.0])
        prometheus.until("callrouter:calls_ended:total", [1.0])
        assert prometheus.values("callrouter:calls_unaccounted") == [0.0]
        prometheus.until('increase(callrouter_calls_total{disposition="answered"}[1m])', [0.0])  # seen twice
        shown = [(title, prometheus.values(filled_in(expr))) for title, expr in expressions()]
        assert {title for title, values in shown if not values} == NOTHING_YET
        groups = prometheus.ask("rules")["groups"]
        assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
        assert prometheus.values("ALERTS") == []
        router.kill()
        prometheus.until('ALERTS{alertname="CallrouterDown",alertstate="pending"}', [1.0])
