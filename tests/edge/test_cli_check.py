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
