"""The alerts that ship, as Prometheus' own program works them out: when each is told, and when it is not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from router.edge.queuemetrics import IN_TIME
from tests.edge.alerts import CASES, DAYS, Row, always
from tests.edge.exported import exported, unknown
from tests.harness.prometheus import FOLDER, RULES, promtool, rule_groups


def of_router(name: str, router: str) -> str:
    """A series with the labels of a target."""
    bare, _, labels = name.partition("{")
    own = labels.rstrip("}") + "," if labels else ""
    return f'{bare}{{{own}instance="{router}",job="callrouter"}}'


def as_test(row: Row, severity: str, interval: str = "1m") -> dict[str, Any]:
    """A row as promtool has it."""
    routers = {"ill": row.ill} | {f"well{number}": series for number, series in enumerate(row.well)}
    told = {"severity": severity, "instance": "ill", "job": "callrouter", **row.labels}
    return {
        "name": row.alert,
        "interval": interval,
        "input_series": [
            {"series": of_router(name, router), "values": values}
            for router, series in routers.items()
            for name, values in series.items()
        ],
        "alert_rule_test": [
            {"eval_time": row.early, "alertname": row.alert, "exp_alerts": []},
            {"eval_time": row.at, "alertname": row.alert, "exp_alerts": [{"exp_labels": told}]},
        ],
    }


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in rule_groups() for rule in group["rules"] if "alert" in rule}


def run_tests(folder: Path, tests: list[dict[str, Any]], every: str) -> None:
    """Have promtool do them, on what is recorded and the alerts asked for, these without their texts:
    it would compare them word by word."""
    wanted_alerts = {told["alertname"] for test in tests for told in test["alert_rule_test"]}
    groups = rule_groups()
    for group in groups:
        group["rules"] = [
            {name: value for name, value in rule.items() if name != "annotations"}
            for rule in group["rules"]
            if rule.get("alert", "") in {"", *wanted_alerts}
        ]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    wanted = {"rule_files": ["rules.yml"], "evaluation_interval": every, "tests": tests}
    (folder / "tests.yml").write_text(yaml.safe_dump(wanted), encoding="utf-8")
    promtool("test", "rules", str(folder / "tests.yml"))


def test_prometheus_takes_configuration_and_rules() -> None:
    promtool("check", "config", str(FOLDER / "prometheus.yml"))
    promtool("check", "rules", str(RULES))


def test_each_alert_is_told_when_it_must_be_and_not_before(tmp_path: Path) -> None:
    severities = {name: rule["labels"]["severity"] for name, rule in alerts().items()}
    run_tests(tmp_path, [as_test(row, severities[row.alert]) for row in CASES], "1m")


def test_no_calls_are_told_of_where_there_were_some_a_week_ago(tmp_path: Path) -> None:
    run_tests(tmp_path, [as_test(row, "critical", "15m") for row in DAYS], "15m")


def test_a_prometheus_that_asks_no_router_is_told_of(tmp_path: Path) -> None:
    told = {"severity": "critical", "job": "callrouter"}
    rows = [("other", [{"exp_labels": told}]), ("callrouter", [])]
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": f'up{{job="{job}",instance="ill"}}', "values": always(1)}],
            "alert_rule_test": [
                {"eval_time": "4m", "alertname": "CallrouterNotScraped", "exp_alerts": []},
                {"eval_time": "6m", "alertname": "CallrouterNotScraped", "exp_alerts": expected},
            ],
        }
        for job, expected in rows
    ]
    run_tests(tmp_path, tests, "1m")


def test_a_fault_in_the_rules_fails_the_tests(tmp_path: Path) -> None:
    row = next(row for row in CASES if row.alert == "CallrouterWriteQueueGrowing")
    calm = row._replace(ill={"callrouter_write_queue": always(4999)})
    with pytest.raises(AssertionError, match="CallrouterWriteQueueGrowing"):
        run_tests(tmp_path, [as_test(calm, "warning")], "1m")


def test_every_alert_is_tested() -> None:
    tested = [row.alert for row in (*CASES, *DAYS)]
    assert sorted([*tested, "CallrouterNotScraped"]) == sorted(alerts())


def test_a_text_says_where_and_how_much(tmp_path: Path) -> None:
    (rule,) = [rule for name, rule in alerts().items() if name == "CallrouterQueueAbandonment"]
    row = next(row for row in CASES if row.alert == "CallrouterQueueAbandonment")
    test = as_test(row, "warning")
    (told,) = test["alert_rule_test"][1]["exp_alerts"]
    told["exp_annotations"] = {
        "summary": "25% of the callers in reception of fjord give up",
        "description": rule["annotations"]["description"],
    }
    wanted = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(wanted), encoding="utf-8")
    promtool("test", "rules", str(tmp_path / "tests.yml"))


def test_every_alert_says_what_it_is_and_what_to_do() -> None:
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        assert set(rule["annotations"]) == {"summary", "description"}, name
        assert "{{" in rule["annotations"]["summary"] or name == "CallrouterNotScraped"


def test_the_service_level_is_told_as_it_is_counted() -> None:
    summary = alerts()["CallrouterQueueServiceLevel"]["annotations"]["summary"]
    assert summary.endswith(f"answered in {IN_TIME:g} s")


def test_rules_read_only_what_a_router_shows() -> None:
    rules = [rule for group in rule_groups() for rule in group["rules"]]
    known = exported() | {"up": set()}
    known |= {rule["record"]: set() for rule in rules if "record" in rule}
    assert {expr: wrong for rule in rules if (wrong := unknown(expr := rule["expr"], known))} == {}


def test_a_series_that_no_router_shows_is_found() -> None:
    known = {"callrouter_calls_total": {"client"}}
    assert unknown('sum by (client) (rate(callrouter_calls_total{client="a"}[5m]))', known) == []
    assert unknown("rate(callrouter_call_total[5m]) > 1e9", known) == ["callrouter_call_total"]
    assert unknown('callrouter_calls_total{queue="a"} or vector(0)', known) == [
        "callrouter_calls_total{queue}"
    ]
    assert unknown("sum by (queue) (callrouter_calls_total) offset 1w", known) == ["queue"]
