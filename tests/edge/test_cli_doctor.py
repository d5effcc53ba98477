"""`callrouter doctor`, as an administrator types it, where there is no Asterisk at all."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app

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


def test_nothing_is_made_by_it() -> None:
    doctor()
    assert sorted(path.name for path in Path().iterdir()) == ["callrouter.yaml", "rules"]
