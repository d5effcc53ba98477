"""What commands tell of hours that go by calendars, without a router."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.edge.feedcopies import FeedCopies
from router.edge.rulesfile import LARGEST_CALENDAR

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-sun: "08:00-16:00"}, calendar: CALENDAR}}
routes:
  - {name: closed, when: {closed: office}, do: hangup}
  - {name: main, do: {ring: PJSIP/100}}
"""
SCENARIO = """\
tests:
  - name: closed in May
    call: {to: "+4722334455", from: "+4790000050", at: 2027-05-04 10:00}
    expect: {route: closed}
"""
MAY = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20270504\nEND:VEVENT\nEND:VCALENDAR\n"
URL = "https://user.example/secret/c.ics"

pytestmark = pytest.mark.usefixtures("alone")


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def beside(alone: None) -> None:
    """Rules with a calendar beside them, and a state of their own."""
    Path("rules/calendars").mkdir(parents=True)
    Path("rules/calendars/closed.ics").write_text(MAY)
    Path("rules/fjord.test.yaml").write_text(SCENARIO)
    Path("callrouter.yaml").write_text("state: state\n")
    write("{file: calendars/closed.ics}")


def write(calendar: str) -> None:
    Path("rules/fjord.yaml").write_text(RULES.replace("CALENDAR", calendar))


EXPLAIN = ("explain", "--to", "+4722334455", "--at", "2027-05-04 10:00")
TOLD = [
    ("check", ("check",), "1 client(s), 1 number(s), 0 warning(s); no errors"),
    ("show", ("show",), "mon-sun 08:00-16:00; closed by calendars/closed.ics"),
    ("show --calendar", ("show", "--calendar", "1d", "--from", "2027-05-04"), "00:00-24:00 closed"),
    ("explain", EXPLAIN, "closed"),
    ("test", ("test",), "1 passed, 0 failed"),
]


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
@pytest.mark.parametrize("source", ["a file", "a copy"])
def test_commands_go_by_calendars(words: tuple[str, ...], told: str, source: str) -> None:
    if source == "a copy":
        FeedCopies(Path("state/calendars")).keep(URL, MAY)
        write(f"{{url: '{URL}'}}")
        told = told.replace("calendars/closed.ics", "user.example")
    found = command(*words)
    assert (found.exit_code, found.stderr) == (0, "")
    assert told in found.stdout


@pytest.mark.parametrize("words", [row[1] for row in TOLD], ids=[row[0] for row in TOLD])
def test_commands_warn_of_a_calendar_that_was_never_fetched(words: tuple[str, ...]) -> None:
    write(f"{{url: '{URL}'}}")
    never = "the calendar at user.example was never fetched, so these hours are as without it"
    found = command(*words)
    assert found.stderr.startswith(f"warning: rules/fjord.yaml:6:66: {never}; ")
    assert found.exit_code == (1 if words == ("test",) else 0)


def test_a_calendar_that_is_too_large_is_an_error_where_it_is_named() -> None:
    Path("rules/calendars/closed.ics").write_text(MAY + " " * LARGEST_CALENDAR)
    found = command("check")
    assert found.exit_code == 1
    too_large = f"larger than {LARGEST_CALENDAR} bytes; split it into more files"
    assert found.stderr == f"rules/fjord.yaml:6:67: `calendars/closed.ics`: {too_large}\n"


def test_a_revision_has_its_own_calendars() -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *words], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "rules")
    git("commit", "-q", "-m", "May")
    assert command("diff", "HEAD").exit_code == 0
    Path("rules/calendars/closed.ics").write_text(MAY.replace("0504", "0505"))
    found = command("diff", "HEAD")
    assert found.exit_code == 1
    assert "2027-05-04 08:00 until 16:00" in found.stdout
    assert "2027-05-05 08:00 until 16:00" in found.stdout


def test_a_revision_goes_by_the_same_copies() -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *words], check=True, capture_output=True)

    FeedCopies(Path("state/calendars")).keep(URL, MAY)
    write(f"{{url: '{URL}'}}")
    git("init", "-q", "-b", "main")
    git("add", "rules")
    git("commit", "-q", "-m", "May")
    found = command("diff", "HEAD")
    assert (found.exit_code, found.stderr) == (0, "")
