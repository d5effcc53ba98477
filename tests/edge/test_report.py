"""`callrouter report` as it is typed: tables, CSV, JSON, and what is wrong."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console
from typer.testing import CliRunner

from router.cli import report as report_command
from router.cli.main import app
from router.cli.reportforms import cell
from router.core.agents import WrapUp
from router.core.record import CallRecord, Disposition, Evidence, TalkEnd
from router.edge.store.database import prepare
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TEN, TRACE, a_call, abandoned, talked

pytestmark = pytest.mark.usefixtures("alone")

RULES = """
client: fjord
name: Fjord Legesenter
numbers: ["+47 22 33 44 55"]
timezone: Europe/Oslo
country: NO
people:
  kari: {name: Kari Nordmann, rings: PJSIP/kari}
  ola: {name: Ola Nordmann, rings: PJSIP/ola}
  per: {name: "=HYPERLINK(1)", rings: PJSIP/per}
queues:
  desk: {agents: [kari, ola]}
routes:
  - {name: main, do: [{queue: desk}]}
"""


class Router:
    """A router's folder, and what is typed beside it."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules").mkdir()
        self.rules = folder / "rules" / "fjord.yaml"
        self.rules.write_text(RULES)
        (folder / "callrouter.yaml").write_text("state: state\n")
        self.url = f"sqlite:///{folder / 'state' / 'callrouter.db'}"
        prepare(self.url)

    def write(self, *records: CallRecord) -> None:
        writer = Writer(self.url, queue_limit=1000)
        for record in records:
            writer.arrived(record.info, PLAN, TRACE)
            writer.ended(record)
        writer.start()
        assert writer.close(20) == 0

    def type(self, *words: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, ["report", *words])
        assert done.exit_code == exit_code, done.output
        return done.output


@pytest.fixture
def router(tmp_path: Path) -> Router:
    return Router(tmp_path)


def queued(id: str) -> CallRecord:
    call = talked(a_call(id))
    joined = Evidence(call.info.arrived_at + timedelta(seconds=1), "queue_joined", detail="desk")
    return replace(call, evidence=(joined, *call.evidence))


def hours_later(hours: float) -> CallRecord:
    call = abandoned(a_call(f"later-{hours}", at=TEN + timedelta(hours=hours)))
    return replace(call, disposition=Disposition.NO_ANSWER, reason="")


def test_an_overview(router: Router) -> None:
    router.write(queued("c1"), hours_later(24))
    assert router.type().splitlines() == [
        "Calls from 2026-11-22 until 2026-11-23",
        "  calls           2",
        "  offered         2      somebody was to answer",
        "  answered        1",
        "  within 20s      1      service level 50.0 %",
        "  abandoned       0",
        "  short abandons  0      hung up within 5s; in neither share",
        "  unanswered      1      busy, nobody there, a message after waiting ...",
        "  wait            6.0 s  on average; nine in ten up to 6.0 s, the longest 6.0 s",
        "  talk            1:05   on average; nine in ten up to 1:05, the longest 1:05",
        "",
        "disposition  calls    share   wait    p90  talk   p90",
        "answered         1   50.0 %  6.0 s  6.0 s  1:05  1:05",
        "no answer        1   50.0 %",
        "all              2  100.0 %  6.0 s  6.0 s  1:05  1:05",
        "",
        "within 20s: answered within 20s, of those that were offered (somebody was to answer), but for "
        "callers who hung up within 5s (short)",
        "wait: from arrival to answer, of those answered; talk: hold included; handling: talk and wrap-up",
    ]


def test_groups(router: Router) -> None:
    router.write(queued("c1"))
    told = router.type("queue", "person", "--within", "1m", "--short", "0s").splitlines()
    assert told[:8] == [
        "Calls on 2026-11-22",
        "",
        "queue  calls    share  offered  answered  within 1m   wait    p90   talk    p90",
        "desk       1  100.0 %        1         1    100.0 %  5.0 s  5.0 s  5.0 s  5.0 s",
        "",
        "person         calls    share  offered  answered  within 1m   wait    p90   talk    p90",
        "Kari Nordmann      1  100.0 %        1                0.0 %",
        "Ola Nordmann       1  100.0 %        1         1    100.0 %  4.0 s  4.0 s  5.0 s  5.0 s",
    ]
    assert told[-2].startswith("by queue:")
    assert told[-1].startswith("by person:")


def test_lines_of_several_clients_say_whose_they_are(router: Router) -> None:
    other = queued("c2")
    router.write(queued("c1"), replace(other, info=replace(other.info, client="acme")))
    told = router.type("queue").splitlines()
    assert [line.split("  ")[0] for line in told[2:5]] == ["client", "acme", "Fjord Legesenter"]


def test_a_terminal_gets_a_table(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    router.write(queued("c1"))
    out = io.StringIO()
    monkeypatch.setattr(report_command, "Console", lambda: Console(file=out, force_terminal=True, width=200))
    router.type("weekday", "person")
    assert "\N{BOX DRAWINGS LIGHT VERTICAL}" in out.getvalue()
    assert "Sunday" in out.getvalue()


def test_hours_are_by_the_clients_clocks(router: Router) -> None:
    router.write(queued("c1"), hours_later(2))
    told = router.type("hour").splitlines()
    assert [line.split()[0] for line in told[3:7]] == ["11:00-12:00", "12:00-13:00", "13:00-14:00", "all"]


WINDOWS = [
    ("a day, whole", ["--from", "2026-11-22", "--until", "2026-11-22"], 2,
     "from 2026-11-22 until 2026-11-22"),
    ("hours", ["--from", "2026-11-22 11:00", "--until", "2026-11-22 12:00"], 1,
     "from 2026-11-22 11:00 until 2026-11-22 12:00"),
    ("since a day", ["--since", "2026-11-23"], 1, "from 2026-11-23 until 2026-11-23"),
    ("since a length of time", ["--since", "9999d"], 3, "since "),
    ("one client", ["--client", "fjord"], 3, "of Fjord Legesenter from 2026-11-22 until 2026-11-23"),
    ("one queue", ["--queue", "desk"], 1, "in queue desk on 2026-11-22"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "calls", "heading"), [row[1:] for row in WINDOWS],
                         ids=[row[0] for row in WINDOWS])  # fmt: skip
def test_which_calls(router: Router, words: list[str], calls: int, heading: str) -> None:
    router.write(queued("c1"), hours_later(6), hours_later(24))
    told = router.type(*words).splitlines()
    assert told[0].startswith(f"Calls {heading}")
    assert told[1].split() == ["calls", str(calls)]


def test_json_has_all_groups_and_what_was_asked_for(router: Router) -> None:
    router.write(queued("c1"))
    first, *lines = map(json.loads, router.type("--json").splitlines())
    assert (first["by"], first["calls"], first["within"], first["live"]) == ("all", 1, 20.0, 0)
    assert first["first"] == "2026-11-22T11:00:00.123456"
    assert {line["by"] for line in lines} == {
        "client", "queue", "person", "day", "hour", "weekday", "disposition", "tag",
    }  # fmt: skip
    (kari,) = (line for line in lines if line["key"] == "kari")
    assert (kari["name"], kari["client"], kari["offered"], kari["service_level"]) == (
        "Kari Nordmann", "fjord", 1, 0.0,
    )  # fmt: skip


def test_csv_is_read_as_it_was_meant_by_programs_and_spreadsheets(router: Router, tmp_path: Path) -> None:
    call = queued("c1")
    phone = replace(call.attempts[0], target="+4790000001")
    router.write(replace(call, attempts=(phone, *call.attempts[1:])))
    file = tmp_path / "report.csv"
    assert router.type("person", "--csv", str(file)) == f"{file} is written\n"
    assert file.read_bytes().startswith("\ufeffby,client,key,name,calls,".encode())
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))}
    assert rows["per"]["name"] == "'=HYPERLINK(1)"
    assert rows["+4790000001"]["name"] == "+4790000001"
    assert (rows["ola"]["wait_average"], rows["ola"]["service_level"]) == ("4.0", "1.0")
    assert (rows[""]["by"], rows[""]["answered"], rows[""]["disposition_busy"]) == ("all", "1", "0")


def test_csv_and_json_tell_the_same(router: Router) -> None:
    """Of each person, too, whose calls may have become something else than what they themselves did."""
    router.write(queued("c1"), hours_later(6), hours_later(24))
    told = list(map(json.loads, router.type("--json").splitlines()))
    rows = list(csv.DictReader(io.StringIO(router.type("--csv", "-"))))
    assert len(rows) == len(told) > 8
    for row, line in zip(rows, told, strict=True):
        assert {name: cell for name, cell in row.items() if name != "name"} == as_cells(line)


def as_cells(line: dict[str, Any]) -> dict[str, str]:
    """A line as JSON tells it, as CSV should."""
    flat = {"by": line["by"], "client": line["client"], "key": line["key"]}
    flat |= {name: value for name, value in line.items() if isinstance(value, int | float)}
    flat |= {name: line[name] for name in ("share", "service_level", "abandonment")}
    for spread in ("wait", "left_after", "talk", "wrap_up", "handling"):
        flat |= {f"{spread}_{what}": value for what, value in line[spread].items() if what != "count"}
    flat |= {f"disposition_{one.value}": line["dispositions"].get(one.value, 0) for one in Disposition}
    asked = ("within", "short", "live")
    return {name: "" if value is None else str(value) for name, value in flat.items() if name not in asked}


def test_csv_to_standard_output(router: Router) -> None:
    router.write(queued("c1"))
    assert router.type("queue", "--csv", "-").splitlines()[2].startswith("queue,fjord,desk,desk,1,1.0,")


CELLS = [
    ("a name", "Kari", "Kari"),
    ("a formula", "=1+1", "'=1+1"),
    ("an addition", "+1+cmd", "'+1+cmd"),
    ("a telephone number", "+4790000001", "+4790000001"),
    ("one with more behind it", "+4790000001\n=1", "'+4790000001\n=1"),
    ("a subtraction", "-2+3", "'-2+3"),
    ("a function", "@SUM(A1)", "'@SUM(A1)"),
    ("a tab before a formula", "\t=1", "'\t=1"),
    ("a line end before a formula", "\r=1", "'\r=1"),
    ("an apostrophe", "'s-Hertogenbosch", "'s-Hertogenbosch"),
    ("nothing", "", ""),
]


@pytest.mark.parametrize(("text", "written"), [row[1:] for row in CELLS], ids=[row[0] for row in CELLS])
def test_a_cell_is_no_formula(text: str, written: str) -> None:
    assert cell(text) == written


def test_a_page_has_wrap_ups_where_they_are_known(router: Router, tmp_path: Path) -> None:
    call = queued("c1")
    router.write(call)
    writer = Writer(router.url, queue_limit=1000)
    over = call.talks[0].ended_at
    writer.wrapped_up(WrapUp("c1", "fjord", "ola", "desk", over, over + timedelta(seconds=15)))
    writer.start()
    assert writer.close(20) == 0
    file = tmp_path / "report.html"
    assert router.type("person", "--html", str(file)) == f"{file} is written\n"
    text = file.read_text("utf-8")
    assert '<th scope="col">wrap-up</th>' in text
    assert "<td>15 s</td>" in text
    assert text.count("<svg") == 1
    assert "wrap-up         15 s" in router.type()


def test_names_in_another_language(router: Router) -> None:
    tagged = Evidence(TEN, "tagged", detail="not_interested")
    call = queued("c1")
    router.write(replace(call, evidence=(tagged, *call.evidence)))
    told = router.type("disposition", "tag", "--language", "nb")
    assert [line.split("  ")[0] for line in told.splitlines()[3:8:4]] == ["Besvart", "Ikke interessert"]
    assert "nothing has a name in `xx`" in router.type("--language", "xx", exit_code=2)


def test_live_calls_are_told_and_not_counted(router: Router) -> None:
    router.write(queued("c1"))
    writer = Writer(router.url, queue_limit=1000)
    writer.arrived(a_call("live"), PLAN, TRACE)
    writer.start()
    assert writer.close(20) == 0
    told = router.type().splitlines()
    assert told[1].split() == ["calls", "1"]
    assert told[-1] == "1 call is not over yet, and not counted"


def test_who_gave_up_and_who_was_called_back(router: Router) -> None:
    kept = replace(talked(a_call("back")), talks=talked(a_call("back")).talks[:1])
    back = replace(kept, info=replace(kept.info, route="callback", channel="c1-l0"))
    gone = replace(
        abandoned(a_call("gone")),
        evidence=(Evidence(TEN, "queue_joined", detail="desk"),),
        wait_seconds=40.0,
    )
    assert back.talks[0].end is TalkEnd.BLIND_TRANSFER
    router.write(queued("c1"), gone, back)
    told = router.type("client")
    assert "called back" in told
    told = router.type()
    assert "abandoned       1      50.0 %, after 40 s on average" in told
    assert "called back     1      by the router; in none of the numbers above" in told


# What is missing or wrong

WRONG = [
    ("no such group", ["month"], "'month' is not one of"),
    ("no length of time", ["--within", "20"], "has no unit; write 20s"),
    ("no date", ["--from", "yesterday"], "is not a date; write 2026-12-23"),
    ("no such date", ["--until", "2026-02-30"], "there is no such moment"),
    ("neither", ["--since", "yesterday"], "write 1h, 7d, 2026-11-22"),
    ("two beginnings", ["--since", "1d", "--from", "2026-11-22"], "either --from or --since"),
    ("backwards", ["--from", "2026-11-22", "--until", "2026-11-21"], "is not after"),
]


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_understood(router: Router, words: list[str], told: str) -> None:
    assert told in " ".join(router.type(*words, exit_code=2).replace("\u2502", " ").split())


NOTHING = [
    ("no calls at all", [], "there are no calls"),
    ("in that time", ["--from", "2026-01-01", "--until", "2026-01-31"],
     "there are no calls from 2026-01-01 until 2026-01-31"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in NOTHING], ids=[row[0] for row in NOTHING])
def test_nothing_to_count(router: Router, words: list[str], told: str) -> None:
    assert router.type(*words) == f"{told}\n"


NOBODYS = [
    ("client", ["--client", "fjrod"], "no client is called `fjrod`; did you mean `fjord`?"),
    ("queue", ["--queue", "deks"],
     "no calls came to a queue `deks`, and rules have none; did you mean `desk`?"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in NOBODYS], ids=[row[0] for row in NOBODYS])
def test_a_name_that_is_nobodys(router: Router, words: list[str], told: str) -> None:
    assert router.type(*words, exit_code=1) == f"{told}\n"


def test_calls_that_are_not_over_are_told_where_there_are_no_others(router: Router) -> None:
    writer = Writer(router.url, queue_limit=1000)
    writer.arrived(a_call("live"), PLAN, TRACE)
    writer.start()
    assert writer.close(20) == 0
    assert router.type() == "there are no calls; 1 call is not over yet\n"


def test_rules_that_cannot_be_used_cost_names_only(router: Router) -> None:
    router.write(queued("c1"))
    router.rules.write_text("client: [")
    told = router.type("person")
    assert told.startswith("the rules cannot be used (`callrouter check` tells why)")
    assert "kari" in told
    assert "Kari Nordmann" not in told


def test_a_file_that_cannot_be_written(router: Router, tmp_path: Path) -> None:
    router.write(queued("c1"))
    file = tmp_path / "no" / "report.csv"
    assert router.type("--csv", str(file), exit_code=1) == (
        f"{file} cannot be written (No such file or directory)\n"
    )


def test_no_database(tmp_path: Path) -> None:
    (tmp_path / "callrouter.yaml").write_text("state: nowhere\n")
    done = CliRunner().invoke(app, ["report"])
    assert done.exit_code == 1
    assert "there is no database at" in done.output
