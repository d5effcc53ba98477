"""`callrouter test` and `callrouter explain`, as an administrator types them."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app

RULES = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47 22 33 44 55"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
routes:
  - {name: closed, when: {closed: office}, do: [{say: {file: closed}}, hangup]}
  - {name: main, do: [{ring: PJSIP/100, for: 20s, on: {busy: hangup}}]}
"""
TESTS = """\
tests:
  - name: somebody answers
    call: {to: "+4722334455", at: 2026-11-23 10:00}
    expect: {route: main, disposition: answered}
"""
MORE = """\
  - name: at night
    call: {to: "+4722334455", at: 2026-11-23 20:00}
    expect: {route: main, steps: ring}
"""
WHAT_IS_WRONG = """\
rules/fjord.test.yaml:5: at night: route is closed, not main
rules/fjord.test.yaml:5: at night: steps is [say, hangup], not [ring]
"""


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


@pytest.fixture(autouse=True)
def rules(alone: None) -> None:
    Path("rules").mkdir()
    Path("rules/fjord.yaml").write_text(RULES)


UNWRITABLE = "no/where.xml cannot be written (No such file or directory)\n"


def write_tests(text: str) -> None:
    Path("rules/fjord.test.yaml").write_text(text)


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_tests_that_pass() -> None:
    write_tests(TESTS)
    found = command("test")
    assert (found.exit_code, found.stdout) == (0, "1 passed, 0 failed; 33 % of routes and branches met\n")


def test_a_test_that_fails_says_how() -> None:
    write_tests(TESTS + MORE)
    found = command("test", "rules")
    assert found.exit_code == 1
    assert found.stdout == WHAT_IS_WRONG + "1 passed, 1 failed; 67 % of routes and branches met\n"


def test_coverage_names_what_no_test_meets() -> None:
    write_tests(TESTS)
    found = command("test", "--coverage")
    assert found.stdout.splitlines()[:2] == [
        "rules/fjord.yaml:8: route closed: no test meets it",
        "rules/fjord.yaml:9: on busy: no test meets it",
    ]


@pytest.mark.parametrize(("least", "status"), [(33, 0), (34, 1)])
def test_too_little_coverage_fails(least: int, status: int) -> None:
    write_tests(TESTS)
    assert command("test", "--fail-under", str(least)).exit_code == status


def test_no_tests_are_no_success() -> None:
    found = command("test")
    assert found.exit_code == 1
    assert found.stdout.startswith("there are no tests: write NAME.test.yaml")


def test_of_one_file_only_its_own_tests_are_played() -> None:
    write_tests(TESTS)
    text = RULES.replace("fjord", "sund").replace("22 33 44 55", "22 33 44 66")
    Path("rules/sund.yaml").write_text(text)
    Path("rules/sund.test.yaml").write_text(TESTS.replace("22334455", "22334466"))
    found = command("test", "rules/sund.yaml")
    assert (found.exit_code, found.stdout) == (0, "1 passed, 0 failed; 33 % of routes and branches met\n")
    Path("rules/sund.test.yaml").unlink()
    assert command("test", "rules/sund.yaml").stdout.startswith("there are no tests: write NAME.test.yaml")


def test_results_as_json() -> None:
    write_tests(TESTS + MORE)
    passed, failed, coverage = map(json.loads, command("test", "--json").stdout.splitlines())
    assert (passed["passed"], passed["disposition"], passed["answered_by"]) == (True, "answered", "PJSIP/100")
    assert (failed["passed"], failed["place"], len(failed["wrong"])) == (False, "rules/fjord.test.yaml:5", 2)
    assert coverage["missed"] == [{"place": "rules/fjord.yaml:9", "what": "on busy"}]


def test_results_as_junit() -> None:
    write_tests(TESTS + MORE)
    command("test", "--junit", "junit.xml")
    suite = ET.parse("junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["at night"]


def test_junit_that_cannot_be_written() -> None:
    write_tests(TESTS)
    found = command("test", "--junit", "no/where.xml")
    assert (found.exit_code, found.stderr) == (
        1,
        "no/where.xml cannot be written (No such file or directory)\n",
    )


BROKEN = [
    ("the rules", "rules/fjord.yaml", "client: fjord\n", "rules/fjord.yaml:1:1: `country` is missing"),
    ("the tests", "rules/fjord.test.yaml", "tests: [{nam: x}]", "rules/fjord.test.yaml:1:"),
]


@by_name(BROKEN, "file", "text", "error")
def test_errors_come_first(file: str, text: str, error: str) -> None:
    write_tests(TESTS)
    Path(file).write_text(text)
    found = command("test")
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr.startswith(error)


# explain

NIGHT = """\
rules/fjord.yaml:1: client fjord has +4722334455
rules/fjord.yaml:8: route closed: taken

rules/fjord.yaml:8: say sound:closed
rules/fjord.yaml:8: hangup
so the call is informed
"""
DAY = """\
rules/fjord.yaml:1: client fjord has +4722334455
rules/fjord.yaml:8: route closed: passed over; closed: office \u2014 it is open (Mon 10:00 Europe/Oslo)
rules/fjord.yaml:9: route main: taken

rules/fjord.yaml:9: ring PJSIP/100, 20 s each round
rules/fjord.yaml:9: hangup
so the call is busy; PJSIP/100 busy
"""
WHEN = [
    ("at night", ["--at", "2026-11-23 20:00"], NIGHT),
    (
        "round by round",
        ["--at", "2026-11-23 10:00", "--from", "+4790000009", "--given", "PJSIP/100=busy,answered"],
        DAY,
    ),
    ("by day", ["--at", "2026-11-23 10:00", "--from", "+4790000009", "--given", "PJSIP/100=busy"], DAY),
]


@by_name(WHEN, "options", "said")
def test_a_call_that_nobody_places_is_explained(options: list[str], said: str) -> None:
    found = command("explain", "--to", "+4722334455", *options)
    assert (found.exit_code, found.stdout) == (0, said)


def test_an_explanation_as_json() -> None:
    found = command("explain", "--to", "22334455", "--at", "2026-11-23", "--json")
    said = json.loads(found.stdout)
    assert (said["client"], said["route"], said["disposition"]) == ("fjord", "closed", "informed")
    assert said["at"] == "2026-11-23T00:00:00+01:00"
    assert [row["kind"] for row in said["trace"]] == ["client", "route"]


def test_now_is_the_time_unless_another_is_given() -> None:
    assert command("explain", "--to", "999").stdout.startswith("no client has 999\n")


SCREENED = RULES.replace(
    "routes:",
    "screening:\n  block:\n    - {name: often, more_than: 3 calls in 1h}\n"
    "    - {name: risk, when: {variable: {RISK: high}}}\nroutes:",
)


def test_what_is_known_of_the_caller_can_be_supposed() -> None:
    Path("rules/fjord.yaml").write_text(SCREENED)
    for known, rule in (("--called=3 calls in 1h", "often"), ("--variable=RISK=high", "risk")):
        found = command("explain", "--to", "+4722334455", "--from", "+4790000009", known, "--json")
        assert json.loads(found.stdout)["disposition"] == "blocked"
        assert json.loads(found.stdout)["reason"] == rule
    found = command(
        "explain", "--to", "+4722334455", "--from", "+4790000009", "--called=2 calls in 1h", "--json"
    )
    assert json.loads(found.stdout)["disposition"] != "blocked"


MISUSED = [
    ("no rate", ["--to", "1", "--called", "often"], "is no number of calls in a time"),
    ("no value", ["--to", "1", "--variable", "RISK"], "write NAME=VALUE"),
    ("nothing", [], "give the ID of a call"),
    ("both", ["abc", "--to", "1"], "give the ID of a call"),
    ("no moment", ["--to", "1", "--at", "noon"], "is not a date"),
    ("no outcome", ["--to", "1", "--given", "PJSIP/100=asleep"], "write one of answered"),
    ("an outcome that is none", ["--to", "1", "--given", "PJSIP/1=busy,asleep"], "write one of answered"),
    (
        "a misspelt name",
        ["--to", "1", "--given", "kary=busy"],
        "nobody is called `kary`; write a person's or queue's id",
    ),
    ("nobody", ["--to", "1", "--given", "busy"], "write WHO=OUTCOME"),
    ("no queue", ["--to", "1", "--queue", "reception=1/2"], "no queue is called `reception`"),
    ("no number of agents", ["--to", "1", "--queue", "reception=1"], "write QUEUE=WAITING/AGENTS"),
]


@by_name(MISUSED, "options", "said")
def test_what_was_typed_wrongly_is_said(options: list[str], said: str) -> None:
    found = command("explain", *options)
    assert found.exit_code == 2
    assert said in " ".join(found.stderr.replace("\u2502", "").split())
