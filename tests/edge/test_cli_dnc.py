"""`callrouter dnc`, as typed: whom nobody is to call."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli import dnc
from router.cli.main import app
from router.edge.store.database import prepare

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
routes: [{name: main, do: hangup}]
"""

Typed = Callable[..., Result]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """`callrouter dnc` beside a router that is not running."""
    monkeypatch.setattr(dnc, "who_types", lambda: "root")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "fjord.yaml").write_text(RULES)
    config = tmp_path / "callrouter.yaml"
    config.write_text(
        json.dumps({"state": str(tmp_path), "rules": str(tmp_path / "rules"), "web": {"port": 1}})
    )
    prepare(f"sqlite:///{tmp_path}/callrouter.db")
    return lambda *words: CliRunner().invoke(app, ["dnc", *words, "--config", str(config)])


def test_a_number_is_entered_checked_and_removed(typed: Typed) -> None:
    assert typed().stdout == "there is no number that nobody is to call\n"
    assert (typed("check", "90000001").exit_code, typed("check", "90000001").stdout) == (
        0,
        "+4790000001 may be called\n",
    )
    added = typed("add", "90000001", "--why", "asked\nfor it", "--client", "fjord")
    assert added.exit_code == 0
    assert (
        added.stdout == "nobody is to call +4790000001 for fjord by root (askedfor it), until it is removed\n"
    )
    assert added.stderr.startswith("written down; the router minds it from its next start: ")
    checked = typed("check", "+47 90 00 00 01")
    assert (checked.exit_code, checked.stdout[:30]) == (1, "nobody is to call +4790000001 ")
    head, row = typed().stdout.splitlines()
    assert head.split() == ["number", "client", "until", "by", "since", "why"]
    assert "  for ever  " in row
    assert row.split()[:2] == ["+4790000001", "fjord"]
    assert typed("remove", "90000001").stdout == "removed: +4790000001 for fjord by root (askedfor it)\n"
    assert typed("check", "90000001").exit_code == 0
    again = typed("remove", "90000001", "--client", "fjord")
    assert (again.exit_code, again.stderr) == (
        1,
        "+4790000001 may be called for fjord; `callrouter dnc` lists whom nobody is to call\n",
    )


def test_what_holds_for_all_clients_is_told_when_one_is_let_call(typed: Typed) -> None:
    typed("add", "90000001", "--why", "asked")
    still = "nobody is to call +4790000001 for any client by root (asked), until it is removed; "
    still += "`callrouter dnc remove +4790000001` ends that\n"
    one = typed("remove", "90000001", "--client", "fjord")
    assert (one.exit_code, one.stdout, one.stderr) == (1, "", still)
    typed("add", "90000001", "--client", "fjord")
    one = typed("remove", "90000001", "--client", "fjord")
    assert (one.exit_code, one.stdout[:30]) == (1, "removed: +4790000001 for fjord")
    assert one.stderr.endswith(still)
    assert typed("remove", "90000001").exit_code == 0
    assert typed("check", "90000001", "--client", "fjord").exit_code == 0


def test_it_ends_by_itself(typed: Typed) -> None:
    added = json.loads(typed("add", "90000001", "--for", "90d", "--json").stdout)
    assert (added["number"], added["client"]) == ("+4790000001", None)
    assert added["until"] > added["made_at"]
    checked = json.loads(typed("check", "90000001", "--client", "fjord", "--json").stdout)
    assert (checked["may_be_called"], checked["entry"]["id"]) == (False, added["id"])
    assert json.loads(typed("--json").stdout) == added
    assert json.loads(typed("remove", "90000001", "--json").stdout)["id"] == added["id"]


LASTING = [
    ("for a time and for ever", ("1d", ""), None),
    ("for ever and for a time", ("", "1d"), None),
    ("for two times", ("1h", "30d"), 1),
    ("for two times, the longer first", ("30d", "1h"), 0),
]


@pytest.mark.parametrize(("lengths", "last"), [row[1:] for row in LASTING], ids=[row[0] for row in LASTING])
def test_of_several_entries_the_one_that_lasts_longest_is_told(
    typed: Typed, lengths: tuple[str, ...], last: int | None
) -> None:
    added = [typed("add", "90000001", *(("--for", one) if one else ()), "--json") for one in lengths]
    untils = [json.loads(one.stdout)["until"] for one in added]
    checked = json.loads(typed("check", "90000001", "--json").stdout)
    assert checked["entry"]["until"] == (None if last is None else untils[last])


WRONG = [
    ("no number", ("add", "x"), "is not a phone number"),
    ("no time", ("add", "90000001", "--for", "soon"), "is not a length of time"),
    ("no time at all", ("add", "90000001", "--for", "0s"), "is no time at all"),
    ("no client", ("check", "90000001", "--client", "fjor"), "did you mean `fjord`?"),
    ("no client to list", ("--client", "fjor"), "did you mean `fjord`?"),
]


@pytest.mark.parametrize(("words", "why"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_typed(typed: Typed, words: tuple[str, ...], why: str) -> None:
    refused = typed(*words)
    assert refused.exit_code == 2
    assert why in " ".join(refused.stderr.replace("│", "").split())


def test_diallers_read_a_table(typed: Typed) -> None:
    typed("add", "90000001", "--why", "=HYPERLINK(1)", "--client", "fjord")
    typed("add", "+46701234567", "--for", "1d", "--why", 'said "no", twice')
    rows = list(csv.DictReader(io.StringIO(typed("export").stdout)))
    assert [(row["number"], row["client"], row["why"]) for row in rows] == [
        ("+4790000001", "fjord", "'=HYPERLINK(1)"),
        ("+46701234567", "", 'said "no", twice'),
    ]
    assert rows[0]["until"] == ""
    assert rows[1]["until"] > rows[1]["since"] > "2026"
    assert len(typed("export", "--client", "fjord").stdout.splitlines()) == 3


def test_without_a_database_it_is_told(tmp_path: Path) -> None:
    config = tmp_path / "callrouter.yaml"
    config.write_text(json.dumps({"state": str(tmp_path)}))
    for words in (["dnc"], ["todo"], ["outbox"]):
        found = CliRunner().invoke(app, [*words, "--config", str(config)])
        assert (found.exit_code, "no router has run yet" in found.stderr) == (1, True)
