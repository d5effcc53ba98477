"""The dashboard that ships: Prometheus understands what it asks, and routers show that."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from tests.edge.exported import asked, exported, unknown
from tests.harness.dashboard import (
    BUILT_IN,
    DASHBOARD,
    FOLDER,
    PANELS,
    SHOWING,
    VARIABLE,
    expressions,
    filled_in,
)
from tests.harness.prometheus import promtool, rule_groups
from tests.harness.sandbox import ROOT

VARIABLES = {one["name"]: one for one in DASHBOARD["templating"]["list"]}

ROWS = ["Now", "What became of calls", "Queues", "Agents", "After the call", "Asterisk", "The router"]
WIDTH = 24

ON_NO_PANEL = ("process_virtual_memory_bytes",)
"""Metrics that nobody needs to see: an address space is large where nothing is wrong, and memory in use is
shown."""

_OF_SERIES = re.compile(r"_(?:total|bucket|count|sum)$")
_METRIC = re.compile(r'"(callrouter_\w+)"')


def metrics(series: Iterable[str]) -> set[str]:
    """What counters and histograms are called in the code, whose series have endings."""
    return {_OF_SERIES.sub("", name) for name in series}


def on_panels() -> set[str]:
    """The metrics that panels ask for."""
    asked_for = [target["expr"] for panel in SHOWING for target in panel["targets"]]
    return metrics(one.name for expr in asked_for for one in asked(filled_in(expr)))


def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": filled_in(expr)}
        for number, (_, expr) in enumerate(expressions())
    ]
    file = tmp_path / "expressions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", str(file))


def test_routers_show_what_it_asks_for() -> None:
    known = exported() | {"ALERTS": {"alertname", "alertstate"}}
    known |= {rule["record"]: set() for group in rule_groups() for rule in group["rules"] if "record" in rule}
    wrong = {title: found for title, expr in expressions() if (found := unknown(filled_in(expr), known))}
    assert wrong == {}


def test_every_metric_is_on_a_panel() -> None:
    assert sorted(metrics(exported()) - on_panels() - set(ON_NO_PANEL)) == []


def test_what_is_on_no_panel_is_a_metric_and_really_on_none() -> None:
    assert set(ON_NO_PANEL) <= metrics(exported()) - on_panels()


def test_every_metric_that_the_code_names_is_known_here() -> None:
    code = [file.read_text(encoding="utf-8") for file in (ROOT / "router").rglob("*.py")]
    named = {name for text in code for name in _METRIC.findall(text)}
    assert sorted(named - metrics(exported())) == []


def test_what_it_asks_variables_for_is_shown_as_well() -> None:
    known = exported()
    for name, one in VARIABLES.items():
        if one["type"] == "query":
            found = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", one["query"]["query"])
            assert found is not None, name
            assert found.group(2) in known[found.group(1)] | {"instance"}, name


def test_every_variable_that_is_used_is_there() -> None:
    used = {name for name in VARIABLE.findall(json.dumps(DASHBOARD)) if name not in BUILT_IN}
    assert used == set(VARIABLES)


def test_its_rows_are_those_of_a_day_at_the_telephone() -> None:
    assert [panel["title"] for panel in PANELS if panel["type"] == "row"] == ROWS


def test_every_panel_has_its_own_number_and_title_and_a_unit() -> None:
    assert [n for n, times in Counter(panel["id"] for panel in PANELS).items() if times > 1] == []
    assert [t for t, times in Counter(panel["title"] for panel in PANELS).items() if times > 1] == []
    assert [panel["title"] for panel in SHOWING if not panel["fieldConfig"]["defaults"]["unit"]] == []


def test_thresholds_go_up() -> None:
    for panel in SHOWING:
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        values = [step["value"] for step in steps]
        assert values[0] is None, panel["title"]
        assert values[1:] == sorted(values[1:]), panel["title"]


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """Where it stands: columns and lines."""
    at = panel["gridPos"]
    return {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}


def test_no_panel_stands_on_another_or_beyond_the_edge() -> None:
    assert [panel["title"] for panel in PANELS if panel["gridPos"]["x"] + panel["gridPos"]["w"] > WIDTH] == []
    places = [(panel["title"], cells(panel)) for panel in PANELS]
    assert [(one, other) for (one, here), (other, there) in combinations(places, 2) if here & there] == []


def test_grafana_is_told_where_both_are() -> None:
    (source,) = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/callrouter.yml").read_text())["providers"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
