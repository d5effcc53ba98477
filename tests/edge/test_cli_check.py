"""`callrouter check`, as an administrator types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app

GOOD = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47 22 33 44 55"]
timezone: Europe/Oslo
country: NO
routes:
  - {name: main, do: [{ring: PJSIP/100}]}
"""
OUTSIDE = GOOD.replace("PJSIP/100", '"+46 8 12 34 56 78"')
SHADOWED = GOOD + "  - {name: never, do: hangup}\n"


pytestmark = pytest.mark.usefixtures("alone")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def write(text: str, name: str = "rules/fjord.yaml") -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)


def test_good_rules() -> None:
    write(GOOD)
    found = check()
    assert found.exit_code == 0
    assert found.stdout == "rules: 1 client(s), 1 number(s), 0 warning(s); no errors\n"
    assert found.stderr == ""


NAMED = [("an argument", ["other"]), ("an option", ["--rules", "other"]), ("a file", ["other/sund.yaml"])]


@pytest.mark.parametrize("arguments", [row[1] for row in NAMED], ids=[row[0] for row in NAMED])
def test_rules_elsewhere(arguments: list[str]) -> None:
    write("nonsense: here")
    write(GOOD.replace("fjord", "sund"), "other/sund.yaml")
    found = check(*arguments)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.startswith(arguments[-1])


def test_every_error_has_its_place_and_says_what_to_write() -> None:
    write(GOOD.replace("Oslo", "Olso").replace("country: NO", "country: XX"))
    found = check()
    assert (found.exit_code, found.stdout) == (1, "")
    first, second = found.stderr.splitlines()
    assert first.startswith("rules/fjord.yaml:4:11: `Europe/Olso` is not a time zone; write Europe/Oslo")
    assert second.startswith("rules/fjord.yaml:5:10: ")


def test_a_warning_does_not_fail() -> None:
    write(SHADOWED)
    found = check()
    assert found.exit_code == 0
    assert found.stderr.startswith("warning: rules/fjord.yaml:8:")
    assert found.stdout == "rules: 1 client(s), 1 number(s), 1 warning(s); no errors\n"


def test_no_rules_at_all() -> None:
    found = check("nowhere")
    assert found.exit_code == 1
    assert found.stderr.startswith("nowhere: no such file or directory; write one file a client")


REPORTS = [("good", GOOD, 0, 0, 0), ("a warning", SHADOWED, 0, 0, 1), ("an error", OUTSIDE, 1, 1, 0)]


@pytest.mark.parametrize(
    ("text", "status", "errors", "warnings"), [row[1:] for row in REPORTS], ids=[row[0] for row in REPORTS]
)
def test_a_report_for_programs(text: str, status: int, errors: int, warnings: int) -> None:
    write(text)
    found = check("--json")
    report = json.loads(found.stdout)
    assert (found.exit_code, found.stderr) == (status, "")
    assert (len(report["errors"]), len(report["warnings"])) == (errors, warnings)
    for remark in report["errors"] + report["warnings"]:
        assert remark["file"] == "rules/fjord.yaml"
        assert min(remark["line"], remark["col"]) >= 1
        assert remark["what"]


def test_the_settings_bound_what_may_be_dialled() -> None:
    write(OUTSIDE)
    assert check().exit_code == 1
    write('destinations: ["+46*"]\n', "allowing.yaml")
    assert check("--config", "allowing.yaml").exit_code == 0


def test_settings_that_are_wrong_are_told_first() -> None:
    write(GOOD)
    write("dead_mam: 12s\n", "wrong.yaml")
    found = check("--config", "wrong.yaml")
    assert found.exit_code == 2
    assert found.stderr == "wrong.yaml:1:1: dead_mam: there is no such setting; did you mean `dead_man`?\n"


HARM = GOOD + "last_resort: []\n"
PEOPLE = GOOD.replace("PJSIP/100}]}", "kari}]}") + (
    "hours: {office: {week: {mon: closed}}}\npeople: {kari: {rings: PJSIP/100, hours: office}}\n"
)


def test_every_call_is_looked_at_where_that_is_quick() -> None:
    write(HARM)
    found = check()
    assert found.exit_code == 0
    assert found.stderr.startswith("warning: rules/fjord.yaml:7:1: a caller can be cut off here, ")


def test_every_call_is_looked_at_where_that_is_wanted() -> None:
    for text, status, counts in (
        (GOOD, 0, "0 finding(s)"),
        (HARM, 1, "1 finding(s)"),
        (PEOPLE, 0, "1 finding(s)"),
    ):
        write(text)
        found = check("--prove")
        assert found.exit_code == status
        assert "rules: looked at every call: " in found.stdout
        assert found.stdout.endswith(f", {counts}\n")


def test_many_clients_are_looked_at_only_where_that_is_wanted() -> None:
    for number in range(60):
        text = HARM.replace("client: fjord", f"client: c{number}").replace("44 55", f"{number + 10} 55")
        write(text, f"rules/c{number}.yaml")
    assert check().stderr == ""
    assert len(check("--prove").stderr.splitlines()) == 60


def test_what_was_proved_for_programs() -> None:
    write(HARM)
    report = json.loads(check("--json").stdout)
    [finding] = report["proof"]["findings"]
    assert finding["warning"] == report["warnings"][0]
    assert finding["counterexample"]["given"] == [["PJSIP/100", ["busy"]]]


def test_calls_that_come_to_harm_are_written_as_tests() -> None:
    write(HARM)
    found = check("--write-test", "rules/harm.test.yaml")
    assert found.exit_code == 0
    played = CliRunner().invoke(app, ["test"])
    assert (played.exit_code, played.stdout.splitlines()[-1]) == (
        0,
        "1 passed, 0 failed; 100 % of routes and branches met",
    )


def test_tests_are_not_written_where_they_are_lost_or_in_the_way() -> None:
    write(HARM)
    write("tests: []\n", "rules/mine.test.yaml")
    rows = [
        ("harm.yaml", "`harm.yaml` is not where `callrouter test` looks; write NAME.test.yaml"),
        ("rules/mine.test.yaml", "`rules/mine.test.yaml` is there already; name a new file"),
        ("none/harm.test.yaml", "`none/harm.test.yaml` cannot be written (No such file or directory)"),
    ]
    for name, said in rows:
        found = check("--write-test", name)
        assert found.exit_code == 2
        assert found.stderr.splitlines()[-1].startswith(said)
    assert Path("rules/mine.test.yaml").read_text() == "tests: []\n"


def test_rules_with_errors_are_not_proved() -> None:
    write(OUTSIDE)
    found = check("--prove", "--write-test", "rules/harm.test.yaml", "--json")
    assert (found.exit_code, json.loads(found.stdout)["proof"]) == (1, None)
    assert not Path("rules/harm.test.yaml").exists()


FOLLOWED = [
    ("without AMI", "", True),
    ("with AMI", "ami: {user: callrouter, secret: a-long-random-one}\n", False),
]


@pytest.mark.parametrize(
    ("settings", "warned"), [row[1:] for row in FOLLOWED], ids=[row[0] for row in FOLLOWED]
)
def test_a_queue_of_asterisks_needs_ami(settings: str, warned: bool) -> None:
    write(GOOD.replace("{ring: PJSIP/100}", "{queue: {asterisk: support}}"))
    write(settings, "callrouter.yaml")
    found = check()
    assert found.exit_code == 0
    told = "warning: rules/fjord.yaml:7:1: without AMI nobody knows whether callers in Asterisk's queue"
    assert found.stderr.startswith(told) == warned
    assert (found.stderr == "") != warned
