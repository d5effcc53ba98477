"""`callrouter show`, as an administrator types it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from tests.edge.test_cli_scenarios import by_name

FJORD = """\
client: fjord
name: Fjord <Legesenter>
numbers: ["+47 22 33 44 55"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-sun: "02:30-05:00"}}}
exceptions:
  - {title: "a [bold] <b>course</b>", from: 2026-10-25, until: 2026-10-25, owner: kari, say: {file: course}}
people:
  kari: {rings: PJSIP/101, hours: office}
routes:
  - {name: closed, when: {closed: office}, do: [{say: {file: closed}}, hangup]}
  - name: main
    do:
      - {ring: kari, for: 90s, on: {busy: hangup}}
      - {ring: [PJSIP/100, PJSIP/101], order: rotate, for: 20s}
"""
SUND = "client: sund\nname: Sund\ntimezone: Europe/Oslo\ncountry: NO\npeople: {ola: {rings: PJSIP/1}}\n"

TREE = """\
fjord: Fjord <Legesenter>                                                       rules/fjord.yaml:1
  clocks of Europe/Oslo; national numbers as in NO                              rules/fjord.yaml:1
  number +4722334455                                                            rules/fjord.yaml:3
"""
WAYS = """\
number client by when after rings for place
+4722334455 fjord route main open: office, unless taken by closed at once PJSIP/101 1m30s rules/fjord.yaml:15
+4722334455 fjord route main always, unless taken by closed after kari PJSIP/101, round 2 of 2, rotating 20s
"""
DAYS = """\
fjord: Fjord <Legesenter>, by the clocks of Europe/Oslo; routes of a call from +4721234567 to +4722334455
day                    office
Sun 2026-10-25 (25 h)  02:30-02:00 again, 02:30 again-05:00
Mon 2026-10-26         02:30-05:00
"""

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(autouse=True)
def rules(alone: None) -> None:
    Path("rules").mkdir()
    Path("rules/fjord.yaml").write_text(FJORD)
    Path("rules/sund.yaml").write_text(SUND)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output goes to a terminal of 250 columns, as far as rich can tell."""
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "250"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)


def show(*arguments: str, exit_code: int = 0) -> Result:
    found = CliRunner().invoke(app, ["show", *arguments])
    assert found.exit_code == exit_code, found.output
    return found


def words(text: str) -> list[list[str]]:
    """Without how wide the columns are."""
    return [line.split() for line in text.splitlines()]


# The tree


def test_the_tree_of_every_client() -> None:
    fjord, _, sund = show().stdout.partition("\n\n")
    assert words(fjord)[:3] == words(TREE)
    assert sund.startswith("sund: Sund ")


def test_the_tree_of_one_client_with_places_in_a_column() -> None:
    lines = show("fjord").stdout.splitlines()
    assert len({line.index("rules/fjord.yaml") for line in lines if "rules/" in line}) == 1
    assert not any("sund" in line for line in lines)


def test_a_tree_on_a_terminal(terminal: None) -> None:
    said = show("fjord").stdout
    assert "\u251c\u2500\u2500 number +4722334455" in said
    assert "a [bold] <b>course</b>" in said


def test_a_tree_as_json() -> None:
    fjord, sund = (json.loads(line) for line in show("--json").stdout.splitlines())
    assert (fjord["kind"], fjord["words"], sund["words"]) == (
        "client",
        "fjord: Fjord <Legesenter>",
        "sund: Sund",
    )
    main = fjord["inside"][-2]
    assert (main["kind"], main["words"], main["place"]) == (
        "route",
        "route main, always",
        "rules/fjord.yaml:13",
    )
    assert main["inside"][0]["inside"][0]["words"] == "on busy"


# The calendar

CALENDAR = ("--calendar", "2d", "--from", "2026-10-25")


def test_a_calendar_as_lines() -> None:
    said = words(show("fjord", *CALENDAR).stdout)
    expected = words(DAYS)
    assert said[0] == expected[0]
    assert [line[: len(wanted)] for line, wanted in zip(said[1:], expected[1:], strict=False)] == expected[1:]
    assert "05:00-24:00 closed" in " ".join(said[3])


def test_a_calendar_on_a_terminal(terminal: None) -> None:
    said = show("fjord", *CALENDAR).stdout
    assert "02:30 again-05:00" in said
    assert "00:00-24:00 a [bold] <b>course</b>" in said


def test_a_calendar_as_json() -> None:
    (line,) = show("fjord", *CALENDAR, "--json").stdout.splitlines()
    sunday = json.loads(line)["days"][0]
    assert [one["start"] for one in sunday["open"]["office"]] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    ]
    assert sunday["routes"][0] == {
        "start": "2026-10-25T00:00:00+02:00",
        "end": "2026-10-25T02:30:00+02:00",
        "what": "closed",
        "place": "rules/fjord.yaml:12",
    }


def test_a_calendar_begins_today_unless_told_otherwise() -> None:
    first, second = (json.loads(line) for line in show("--calendar", "1d", "--json").stdout.splitlines())
    assert (len(first["days"]), second["number"]) == (1, None)


def test_a_page_says_the_same_escaped_and_asks_nothing_of_the_network() -> None:
    show(*CALENDAR, "--html", "page.html")
    page = Path("page.html").read_text()
    assert "<b>course</b>" not in page
    assert "&lt;b&gt;course&lt;/b&gt;" in page
    assert not any(word in page for word in ("http", "//", "src=", "@import", "url(", "<script"))
    html = ET.fromstring(page.partition("\n")[2].replace('<meta charset="utf-8">', ""))
    intervals = [(div.text, div.get("title")) for div in html.iter("div")]
    assert ("05:00-24:00 closed", "rules/fjord.yaml:12") in intervals
    assert ("02:30-02:00 again", "rules/fjord.yaml:6") in intervals
    assert [title.text for title in html.iter("h2")] == ["fjord", "sund"]


def test_a_page_that_cannot_be_written() -> None:
    said = show(*CALENDAR, "--html", "no/where.html", exit_code=1).stderr
    assert said == "no/where.html cannot be written (No such file or directory)\n"


# Who can ring


def test_who_can_ring() -> None:
    said = words(show("--reach", "PJSIP/101").stdout)
    assert said[:2] == words(WAYS)[:2]
    assert said[2] == [*words(WAYS)[2], "rules/fjord.yaml:16"]


def test_who_can_ring_on_a_terminal(terminal: None) -> None:
    assert "after kari" in show("--reach", "PJSIP/101").stdout


def test_who_can_ring_as_json() -> None:
    first, _ = (json.loads(line) for line in show("--reach", "PJSIP/101", "--json").stdout.splitlines())
    assert (first["name"], first["during"], first["rings"]["ring_for"]) == ("main", "office", 90.0)


def test_routes_that_may_take_the_call_before_are_named_up_to_three() -> None:
    more = "".join(f"  - {{name: r{number}, when: {{open: office}}, do: hangup}}\n" for number in range(4))
    Path("rules/fjord.yaml").write_text(FJORD.replace("  - name: main", f"{more}  - name: main"))
    assert "unless taken by closed, r0, r1 or 2 more" in show("--reach", "kari").stdout


def test_nobody_can_ring() -> None:
    assert show("--reach", "ola").stdout == "nothing rings ola\n"
    assert show("--reach", "ola", "--json").stdout == ""


UNKNOWN = [
    ("a client", ["fjort"], "there is no client `fjort`; did you mean `fjord`?\n"),
    ("somebody", ["--reach", "kary"], "no rule knows `kary`; did you mean `kari`?\n"),
    (
        "somebody of another client",
        ["sund", "--reach", "kari"],
        "no rule knows `kari`; write the id of a person or queue, PJSIP/ENDPOINT or a number\n",
    ),
]


@by_name(UNKNOWN, "arguments", "said")
def test_what_is_not_known(arguments: list[str], said: str) -> None:
    found = show(*arguments, exit_code=1)
    assert (found.stdout, found.stderr) == ("", said)


MISUSED = [
    ("no days", ["--calendar", "30"], "write a number of days, from 1d to 400d"),
    ("too many days", ["--calendar", "401d"], "write a number of days, from 1d to 400d"),
    ("no date", ["--calendar", "30d", "--from", "monday"], "`monday` is not a date"),
    ("a page of a tree", ["--html", "page.html"], "give --calendar as well"),
    ("a tree from a date", ["--from", "2026-10-25"], "give --calendar as well"),
    ("both", ["--calendar", "1d", "--reach", "kari"], "not both"),
]


@by_name(MISUSED, "arguments", "said")
def test_what_was_typed_wrongly_is_said(arguments: list[str], said: str) -> None:
    found = show(*arguments, exit_code=2)
    assert said in " ".join(found.stderr.replace("\u2502", "").split())


def test_rules_with_errors_are_not_shown() -> None:
    Path("rules/fjord.yaml").write_text("client: fjord\n")
    assert show(exit_code=1).stderr.startswith("rules/fjord.yaml:1:1: `country` is missing")
