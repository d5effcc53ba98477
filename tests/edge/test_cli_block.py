"""`callrouter block`, `allow`, `unblock`, `blocked`, as they are typed."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.core.record import Disposition
from router.core.trace import TraceRow
from router.edge.store.database import prepare
from router.edge.store.verdicts import Verdicts
from router.edge.store.writer import Writer
from tests.edge.daemon import Daemon, running_daemon
from tests.edge.stories import PLAN, TEN, a_call, abandoned
from tests.harness.ports import free_port

pytestmark = pytest.mark.usefixtures("alone")

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
screening: {allow: "+4722*"}
routes: [{name: main, do: [{ring: PJSIP/100}]}]
"""
SPAMMER = "+4790000001"


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with running_daemon() as server:
        yield server


class Place:
    """A router's folder, and what was typed in it."""

    def __init__(self, folder: Path, port: int) -> None:
        (folder / "rules").mkdir()
        (folder / "rules" / "fjord.yaml").write_text(RULES)
        (folder / "callrouter.yaml").write_text(f"state: state\nrules: rules\nweb: {{port: {port}}}\n")
        self.url = f"sqlite:///{folder / 'state' / 'callrouter.db'}"
        prepare(self.url)

    def type(self, *words: str) -> Result:
        return CliRunner().invoke(app, words)

    def standing(self) -> list[tuple[str, str, str | None, str]]:
        verdicts = Verdicts(self.url)
        found = verdicts.standing(datetime.now(UTC))
        verdicts.close()
        return [(one.kind, one.number, one.client, one.why) for one in found]


@pytest.fixture
def place(tmp_path: Path, daemon: Daemon) -> Place:
    return Place(tmp_path, daemon.server_port)


def test_a_number_is_blocked_and_the_router_told(place: Place, daemon: Daemon) -> None:
    done = place.type("block", "90 00 00 01", "--for", "30d", "--why", "sells windows", "--json")
    assert done.exit_code == 0, done.output
    verdict = json.loads(done.stdout)
    length = datetime.fromisoformat(verdict["until"]) - datetime.fromisoformat(verdict["made_at"])
    assert (verdict["id"], verdict["number"], length) == (1, SPAMMER, timedelta(days=30))
    assert place.standing() == [("block", SPAMMER, None, "sells windows")]
    assert daemon.told == ["/verdicts"]


def test_a_number_is_allowed_for_one_client(place: Place) -> None:
    done = place.type("allow", SPAMMER, "--client", "fjord")
    assert "command 1: allow +4790000001 for fjord until undone by" in done.stdout
    assert place.standing() == [("allow", SPAMMER, "fjord", "")]


def test_a_national_number_is_read_in_the_clients_country(place: Place, tmp_path: Path) -> None:
    other = RULES.replace("fjord", "lund").replace("+4722334455", "+46812345678").replace("NO", "SE")
    (tmp_path / "rules" / "lund.yaml").write_text(other)
    assert "has no calling code" in place.type("block", "90 00 00 01").stderr
    place.type("block", "90 00 00 01", "--client", "fjord")
    place.type("block", "08-123 456 79", "--client", "lund")
    assert [number for _, number, _, _ in place.standing()] == [SPAMMER, "+46812345679"]


def test_what_the_rules_allow_outranks_a_command(place: Place) -> None:
    done = place.type("block", "+4722000000", "--why", "rude")
    assert done.exit_code == 0
    assert "warning: fjord allows +4722* (rules/fjord.yaml:6), which outranks this" in done.stderr


def test_a_command_is_undone(place: Place, daemon: Daemon) -> None:
    place.type("block", SPAMMER)
    place.type("block", SPAMMER, "--client", "fjord")
    assert "undone: command 2" in place.type("unblock", SPAMMER, "--client", "fjord").stdout
    assert place.standing() == [("block", SPAMMER, None, "")]
    assert json.loads(place.type("unblock", SPAMMER, "--json").stdout)["id"] == 1
    assert place.standing() == []
    assert daemon.told == ["/verdicts"] * 4
    again = place.type("unblock", SPAMMER)
    assert (again.exit_code, again.stderr.partition(";")[0]) == (
        1,
        f"nothing was decided of {SPAMMER} by command",
    )


def test_a_locked_database_is_told_in_words_and_can_be_read(place: Place) -> None:
    place.type("block", SPAMMER)
    locked = sqlite3.connect(place.url.removeprefix("sqlite:///"), isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    try:
        for words in (("block", SPAMMER), ("allow", SPAMMER), ("unblock", SPAMMER)):
            done = place.type(*words)
            assert (done.exit_code, "cannot be used: database is locked" in done.stderr) == (1, True), words
        assert "command 1: block" in place.type("blocked").stdout
    finally:
        locked.close()


def test_a_reason_is_what_can_be_printed(place: Place) -> None:
    place.type("block", SPAMMER, "--why", "sells \udcff\x1b[31mwindows\n")
    assert place.standing() == [("block", SPAMMER, None, "sells [31mwindows")]


def test_without_a_running_router_it_counts_later(tmp_path: Path) -> None:
    place = Place(tmp_path, free_port())
    done = place.type("block", SPAMMER)
    assert done.exit_code == 0
    assert "written down; it counts from the router's next start: no router at" in done.stderr
    assert len(place.standing()) == 1


WRONG = [
    ("no number", ["block", "nobody"], "write it as in +4722334455"),
    ("no time", ["block", SPAMMER, "--for", "long"], "`long` is not a length of time"),
    ("no length", ["block", SPAMMER, "--for", "0s"], "`0s` is no time at all; write it as in 30d or 12h"),
    ("a misspelt client", ["block", SPAMMER, "--client", "fjrd"], "did you mean `fjord`"),
]


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_used_is_told_and_nothing_written(
    place: Place, daemon: Daemon, words: list[str], told: str
) -> None:
    done = place.type(*words)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert (place.standing(), daemon.told) == ([], [])


def test_national_numbers_need_rules_that_can_be_read(place: Place, tmp_path: Path) -> None:
    (tmp_path / "rules" / "fjord.yaml").write_text("client: [\n")
    assert place.type("block", "90000001").exit_code == 2
    assert place.type("block", SPAMMER, "--client", "anybody").exit_code == 0


def test_without_a_database_nothing_can_be_decided(tmp_path: Path) -> None:
    (tmp_path / "callrouter.yaml").write_text("state: nowhere\n")
    done = CliRunner().invoke(app, ["block", SPAMMER])
    assert (done.exit_code, "nowhere" in done.stderr) == (1, True)


TRACES = {
    "hit": TraceRow("block", "telemarketers", "fjord.yaml:9", True, entry="+4790*"),
    "tried": TraceRow("shadow", "new feed", "fjord.yaml:12", True),
    "passed": TraceRow("block", "telemarketers", "fjord.yaml:9", False),
}


def store(place: Place, *calls: str) -> None:
    writer = Writer(place.url, queue_limit=100)
    now = datetime.now(UTC)
    for number, name in enumerate(calls):
        call = a_call(name, at=now - timedelta(minutes=10 - number))
        writer.arrived(call, PLAN, (TRACES[name],))
        record = abandoned(call)
        blocked = msgspec.structs.replace(record, disposition=Disposition.BLOCKED, reason="telemarketers")
        writer.ended(blocked if name == "hit" else record)
    writer.arrived(a_call("old", at=TEN - timedelta(days=4000)), PLAN, (TRACES["hit"],))
    writer.start()
    assert writer.close(20) == 0


def test_hits_and_commands_are_listed(place: Place) -> None:
    place.type("block", SPAMMER, "--why", "rude")
    store(place, "hit", "passed", "tried")
    lines = place.type("blocked").stdout.splitlines()
    assert lines[0].startswith("command 1: block +4790000001 for all clients until undone by")
    assert lines[0].endswith("(rude)")
    assert [line.split("  ")[4:] for line in lines[1:3]] == [
        ["telemarketers", "+4790*", "block"],
        ["new feed", "-", "shadow"],
    ]
    assert lines[3].startswith("a caller who was hit wrongly: callrouter allow NUMBER")


def test_hits_as_json(place: Place) -> None:
    store(place, "tried")
    [hit] = map(json.loads, place.type("blocked", "--json", "--client", "fjord").stdout.splitlines())
    assert (hit["call"], hit["rule"], hit["kind"], hit["client"]) == ("tried", "new feed", "shadow", "fjord")


def test_nothing_was_hit(place: Place) -> None:
    assert "no call was hit by a block rule" in place.type("blocked", "--since", "1h").stdout


def test_what_is_decided_for_all_clients_is_told_of_each(place: Place) -> None:
    place.type("block", SPAMMER)
    assert "command 1: block" in place.type("blocked", "--client", "fjord").stdout
    undone = place.type("unblock", SPAMMER, "--client", "fjord")
    assert (undone.exit_code, undone.stderr) == (
        1,
        f"{SPAMMER} is decided for all clients, by command 1; `callrouter unblock {SPAMMER}` undoes that\n",
    )
    assert place.standing() == [("block", SPAMMER, None, "")]


def test_a_client_of_another_name_is_told(place: Place) -> None:
    assert "no client is called `fjort`" in place.type("blocked", "--client", "fjort").stderr


def test_explaining_counts_what_was_decided_by_command(place: Place) -> None:
    asked = ("explain", "--to", "+4722334455", "--from", SPAMMER)
    assert "command 1" not in place.type(*asked).stdout
    place.type("block", SPAMMER)
    assert "command 1" in place.type(*asked).stdout
    place.type("allow", SPAMMER, "--client", "fjord")
    assert "command 2" in place.type(*asked).stdout, "the latest counts"
    assert "command" not in place.type(*asked[:-1], "+4790000002").stdout


TYPED = [
    ("a number beyond all databases", ("calls", "--limit", "9" * 30), "--limit"),
    ("the same for hits", ("blocked", "--limit", "9" * 30), "--limit"),
]


@pytest.mark.parametrize(("words", "told"), [row[1:] for row in TYPED], ids=[row[0] for row in TYPED])
def test_what_no_command_can_use_is_told(place: Place, words: tuple[str, ...], told: str) -> None:
    done = place.type(*words)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.parametrize("words", [("calls", "--client", "\udcff"), ("call", "x\udcff")], ids=" ".join)
def test_bytes_that_are_no_text_break_no_command(place: Place, words: tuple[str, ...]) -> None:
    done = place.type(*words)
    assert done.exception is None or isinstance(done.exception, SystemExit)
