"""`callrouter doctor`, as an administrator types it, where there is no Asterisk at all."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.core.findings import Severity
from router.edge.doctor.checks import CHECKS

pytestmark = pytest.mark.usefixtures("alone")

GOOD = """\
client: fjord
name: Fjord
numbers: ["+47 22 33 44 55"]
timezone: Europe/Oslo
country: NO
routes:
  - {name: main, do: [{ring: PJSIP/100}]}
"""
SETTINGS = 'ari: {url: "http://127.0.0.1:1/ari", password: a-long-random-one}\nstate: state\nweb: {port: 1}\n'


def doctor(*arguments: str) -> Result:
    Path("rules").mkdir(exist_ok=True)
    Path("rules/fjord.yaml").write_text(GOOD)
    if not Path("callrouter.yaml").exists():
        Path("callrouter.yaml").write_text(SETTINGS)
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_a_table_for_people() -> None:
    found = doctor()
    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("error ") and " ari " in line]
    said = " ".join(line.strip() for line in lines[at : at + 7])
    assert "ARI does not answer as it should: cannot connect" in said
    assert "-> Is Asterisk running, and do bindaddr and bindport in http.conf" in said
    assert "[http://127.0.0.1:1/ari]" in said
    assert all(len(line) <= 120 for line in lines if "http" not in line)
    assert lines[-1].startswith("1 error, ")


def test_a_row_each_for_programs() -> None:
    found = doctor("--json")
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert found.exit_code == 1
    assert all([*row] == ["check", "severity", "what", "where", "remedy"] for row in rows)
    severities = {row["check"]: row["severity"] for row in rows}
    assert severities["ari"] == "error"
    assert severities["modules"] == "not checked"
    assert severities["rules"] == "ok"


STATUSES: list[tuple[str, tuple[str, ...], int]] = [
    ("an error", (), 1),
    ("an error, strictly", ("--strict",), 1),
    ("a console that is not there", ("--console", "no-such-program -rx"), 1),
    ("checks in which nothing is wrong", ("rules", "zones"), 0),
    ("a check that there is not", ("dailplan",), 2),
    ("settings that are not there", ("--config", "nowhere.yaml"), 2),
    ("a console of no word", ("--console", ""), 2),
    ("a console that cannot be read", ("--console", "'ssh pbx"), 2),
]


@pytest.mark.parametrize(
    ("arguments", "status"), [row[1:] for row in STATUSES], ids=[row[0] for row in STATUSES]
)
def test_the_exit_status(arguments: tuple[str, ...], status: int) -> None:
    found = doctor(*arguments)
    assert found.exit_code == status
    assert bool(found.stderr) is (status == 2)


def test_only_the_checks_that_are_named() -> None:
    rows = [json.loads(line) for line in doctor("zones", "rules", "--json").stdout.splitlines()]
    assert [row["check"] for row in rows] == ["zones", "rules"]
    assert "did you mean `dialplan`?" in doctor("dailplan").stderr


def test_nothing_is_made_by_it() -> None:
    doctor()
    assert sorted(path.name for path in Path().iterdir()) == ["callrouter.yaml", "rules"]


def test_every_check_is_described() -> None:
    page = (Path(__file__).resolve().parents[2] / "deploy" / "DOCTOR.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^\| `([a-z-]+)` \|", page.partition("## The checks")[2]) == [
        one.name for one in CHECKS
    ]
    assert re.findall(r"(?m)^\| `([a-z ]+)` \|", page.partition("## The checks")[0]) == [*Severity]
