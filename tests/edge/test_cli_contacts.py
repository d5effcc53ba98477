"""`callrouter contacts`, as it is typed."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.core.plan import Delivery
from router.core.record import Disposition, LeftMessage
from router.edge.store.database import prepare
from router.edge.store.writer import Writer
from tests.edge.daemon import Daemon, running_daemon
from tests.edge.stories import PLAN, TRACE, a_call, abandoned, owe
from tests.harness.ports import free_port

pytestmark = pytest.mark.usefixtures("alone")

RULES = """\
client: CLIENT
name: Name
numbers: "NUMBER"
timezone: Europe/Oslo
country: NO
screening: {allow: [contacts]}
routes:
  - {name: vip, when: {caller: {contact: vip}}, do: [{ring: PJSIP/100}]}
  - {name: main, do: hangup}
"""
FJORD = RULES.replace("CLIENT", "fjord").replace("NUMBER", "+4722334455")
LUND = RULES.replace("CLIENT", "lund").replace("NUMBER", "+4722334466")
KARI, OLA = "+4790000001", "+4790000002"


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with running_daemon() as server:
        yield server


class Place:
    """A router's folder, and what was typed in it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        (folder / "rules").mkdir()
        (folder / "rules" / "fjord.yaml").write_text(FJORD)
        (folder / "rules" / "lund.yaml").write_text(LUND)
        (folder / "callrouter.yaml").write_text(f"state: state\nrules: rules\nweb: {{port: {port}}}\n")
        self.url = f"sqlite:///{folder / 'state' / 'callrouter.db'}"
        prepare(self.url)

    def type(self, *words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=text)

    def contacts(self, *words: str, text: str | None = None) -> str:
        """What a command on contacts prints, which must not complain."""
        done = self.type("contacts", *words, text=text)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return done.stdout

    def listed(self, *words: str) -> list[tuple[str, str | None, str]]:
        rows = map(json.loads, self.contacts(*words, "--json").splitlines())
        return [(row["number"], row["client"], row["name"]) for row in rows]

    def refused(self, *words: str, status: int = 1, text: str | None = None) -> str:
        """What a command that cannot be done says."""
        done = self.type("contacts", *words, text=text)
        assert done.exit_code == status, done.output
        return " ".join(done.stderr.replace("\u2502", " ").split())


@pytest.fixture
def place(tmp_path: Path, daemon: Daemon) -> Place:
    return Place(tmp_path, daemon.server_port)


def test_a_contact_is_added_and_the_router_told(place: Place, daemon: Daemon) -> None:
    told = place.contacts("add", "90 00 00 01", "--name", "Kari N", "--group", "vip", "--group", "press;old")
    assert told == f"added: {KARI}  Kari N  vip, press, old  -  (all)\n"
    assert daemon.told == ["/contacts?number=%2B4790000001"]
    [row] = map(json.loads, place.contacts("--json").splitlines())
    assert row == {
        "number": KARI,
        "client": None,
        "name": "Kari N",
        "groups": ["vip", "press", "old"],
        "language": "",
        "notes": "",
    }


def test_one_who_is_there_is_not_added_again(place: Place) -> None:
    place.contacts("add", KARI, "--name", "Kari")
    told = f"{KARI} is a contact for all clients already; change it: callrouter contacts edit {KARI}"
    assert place.refused("add", KARI) == told
    place.contacts("add", KARI, "--client", "fjord", "--name", "Our Kari")
    assert place.listed() == [(KARI, None, "Kari"), (KARI, "fjord", "Our Kari")]


def test_a_contact_is_changed_and_what_is_not_given_stays(place: Place) -> None:
    place.contacts("add", KARI, "--name", "Kari", "--group", "vip", "--notes", "rings on Fridays")
    place.contacts("edit", KARI, "--name", "Kari N", "--notes", "")
    [row] = map(json.loads, place.contacts("--json").splitlines())
    assert (row["name"], row["groups"], row["notes"]) == ("Kari N", ["vip"], "")
    changed = json.loads(place.contacts("edit", KARI, "--group", "", "--json"))
    assert changed["groups"] == []
    assert "say what to change" in place.refused("edit", KARI, status=2)


def test_the_one_that_is_meant_is_taken(place: Place) -> None:
    place.contacts("add", KARI, "--client", "fjord")
    place.contacts("edit", KARI, "--name", "the only one")
    place.contacts("add", KARI, "--client", "lund")
    told = f"{KARI} is a contact of fjord, lund; name one: --client ID"
    assert place.refused("edit", KARI, "--name", "x") == told
    place.contacts("remove", KARI, "--client", "lund")
    assert place.listed() == [(KARI, "fjord", "the only one")]
    told = f"{KARI} is no contact for lund; `callrouter contacts` lists them"
    assert place.refused("remove", KARI, "--client", "lund") == told


def test_they_are_listed_and_looked_for(place: Place) -> None:
    assert place.contacts() == "no contacts yet: `callrouter contacts add`, or `import`\n"
    place.contacts("add", OLA, "--name", "Ola Østby", "--group", "vip", "--client", "fjord")
    place.contacts("add", KARI, "--name", "Kari", "--notes", "one\ntwo")
    assert [line.split() for line in place.contacts().splitlines()] == [
        ["number", "name", "groups", "language", "client", "notes"],
        [KARI, "Kari", "-", "-", "(all)", "one", "..."],
        [OLA, "Ola", "Østby", "vip", "-", "fjord"],
    ]
    assert place.listed("--search", "østby") == [(OLA, "fjord", "Ola Østby")]
    assert place.listed("--search", "900 00 001") == [(KARI, None, "Kari")]
    assert place.listed("--group", "vip") == [(OLA, "fjord", "Ola Østby")]
    assert place.listed("--client", "fjord") == [(OLA, "fjord", "Ola Østby")]
    assert place.contacts("--search", "nobody") == "no contact fits\n"
    done = place.type("contacts", "--limit", "1")
    assert (len(done.stdout.splitlines()), done.stderr) == (2, "there are more than these 1; see --limit\n")


def store_calls(place: Place) -> None:
    writer = Writer(place.url, queue_limit=100)
    for id, caller in (("c1", KARI), ("c2", OLA), ("c3", KARI)):
        info = a_call(id, at=datetime.now(UTC) - timedelta(hours=1), caller=caller, name="Kari", display="K")
        writer.arrived(info, PLAN, TRACE)
        left = LeftMessage((), "nb", Delivery(), callback=caller)
        record = abandoned(info)
        if id == "c3":
            record = msgspec.structs.replace(record, message=left, disposition=Disposition.CALLBACK_REQUESTED)
        writer.ended(record)
    writer.start()
    assert writer.close(20) == 0


def test_all_that_is_known_of_a_number_is_shown(place: Place) -> None:
    store_calls(place)
    place.contacts("add", KARI, "--name", "Kari", "--group", "vip", "--language", "nb", "--notes", "one")
    place.contacts("add", KARI, "--client", "lund", "--name", "Of Lund")
    id = owe(place.url, "c1", "kari", number=KARI)
    lines = place.contacts("show", "90000001").splitlines()
    assert lines[0] == f"{KARI}  Kari, for all clients"
    assert lines[1:4] == ["  groups    vip", "  language  nb", "  notes     one"]
    assert f"{KARI}  Of Lund, for lund" in lines
    done = "when that is done: callrouter messages done c3"
    assert any(f"wants to be called back at {KARI}; {done}" in line for line in lines)
    owed = (
        f"kari of fjord is to call back by 2026-11-22 11:00:00; when that is done: callrouter todo done {id}"
    )
    assert any(line.endswith(owed) for line in lines)
    assert [line.split()[2] for line in lines[lines.index("Last calls") + 2 :]] == ["c3", "c1"]
    shown = json.loads(place.contacts("show", KARI, "--json", "--calls", "1"))
    assert [one["name"] for one in shown["contacts"]] == ["Kari", "Of Lund"]
    assert ([one["id"] for one in shown["calls"]], [one["call_id"] for one in shown["messages"]]) == (
        ["c3"],
        ["c3"],
    )
    assert [one["id"] for one in shown["obligations"]] == [id]
    own = json.loads(place.contacts("show", KARI, "--json", "--client", "lund"))
    assert (len(own["contacts"]), own["calls"]) == (2, [])


def test_calls_of_a_stranger_are_shown_too(place: Place) -> None:
    store_calls(place)
    assert place.contacts("show", OLA).startswith(f"{OLA} is no contact\n\nLast calls\n  time")
    nobody = place.type("contacts", "show", "+4790000003")
    assert (nobody.exit_code, nobody.stdout) == (1, "+4790000003 is no contact\n\nLast calls\n  none\n")


def test_names_are_shown_with_calls(place: Place) -> None:
    store_calls(place)
    assert "+4790000001  Kari  main" in place.type("calls").stdout
    assert "from +4790000001 (Kari, shown as K) to" in place.type("call", "c1").stdout


def test_all_that_is_known_of_who_has_a_number_is_erased(place: Place, daemon: Daemon) -> None:
    store_calls(place)
    place.contacts("add", KARI, "--name", "Kari")
    place.contacts("add", KARI, "--client", "fjord")
    assert place.contacts("forget", KARI) == f"forgotten: 2 contacts of {KARI}, and the names of 2 calls\n"
    assert daemon.told[-1] == "/contacts?number=%2B4790000001"
    assert "from +4790000001 to" in place.type("call", "c1").stdout
    assert json.loads(place.contacts("forget", KARI, "--json"))["calls"] == 0


TABLE = "number;name;groups;client\n90 00 00 01;Kari;vip;\n90000002;Ola;;fjord\n"


def test_a_table_is_imported_all_or_nothing(place: Place, daemon: Daemon) -> None:
    book = place.folder / "book.csv"
    book.write_text(TABLE)
    assert place.contacts("import", "book.csv", "--dry-run") == (
        "would be imported: 2 new, 0 changed, 0 as before, 0 removed\n"
    )
    assert (place.listed(), daemon.told) == ([], [])
    assert place.contacts("import", "book.csv") == "imported: 2 new, 0 changed, 0 as before, 0 removed\n"
    assert place.listed() == [(KARI, None, "Kari"), (OLA, "fjord", "Ola")]
    assert daemon.told == ["/contacts"]
    wrong = place.refused("import", "-", text=f"{TABLE}90000003;Eva;;fjrd\nEva;Eva;;\n")
    assert wrong == (
        "standard input:4:1: column `client`: no client is called `fjrd`; did you mean `fjord`? "
        "standard input:5:1: column `number`: `Eva` is not a phone number; write it as in +4722334455 "
        "nothing is imported"
    )
    assert len(place.listed()) == 2
    changed = json.loads(place.contacts("import", "-", "--json", text=TABLE.replace("Ola", "Ola N")))
    assert changed == {"new": 0, "changed": 1, "same": 1, "removed": 0, "dry_run": False}


def test_a_table_may_be_all_of_a_client(place: Place) -> None:
    place.contacts("import", "-", text=TABLE)
    text = "number,name\n90000003,Eva\n"
    assert place.contacts("import", "-", "--client", "fjord", "--replace", text=text) == (
        "imported: 1 new, 0 changed, 0 as before, 1 removed\n"
    )
    assert place.listed() == [(KARI, None, "Kari"), ("+4790000003", "fjord", "Eva")]


def test_an_empty_table_is_not_all_of_a_client(place: Place) -> None:
    place.contacts("import", "-", text=TABLE)
    told = place.refused("import", "-", "--client", "fjord", "--replace", text="number,name\n")
    assert told == "the table has no contacts, so all would be removed; leave --replace out"
    assert len(place.listed()) == 2


def test_what_a_table_does_not_tell_stays(place: Place) -> None:
    place.contacts("add", KARI, "--name", "K", "--group", "vip", "--notes", "one", "--language", "nb")
    assert place.contacts("import", "-", text="number,name,notes\n90000001,Kari,\n") == (
        "imported: 0 new, 1 changed, 0 as before, 0 removed\n"
    )
    assert place.contacts("export").splitlines()[1] == f"{KARI},Kari,vip,nb,,"


def test_what_is_exported_is_imported_as_it_was(place: Place) -> None:
    place.contacts("import", "-", text=TABLE)
    place.contacts("add", "+4790000003", "--name", "=1+1", "--notes", 'says "no"\ntwice', "--language", "nb")
    text = place.contacts("export")
    assert text.splitlines()[:2] == ["number,name,groups,language,notes,client", f"{KARI},Kari,vip,,,"]
    assert "'=1+1" in text
    assert place.contacts("export", "book.csv", "--delimiter", "semicolon") == ""
    assert stat.filemode((place.folder / "book.csv").stat().st_mode) == "-rw-------"
    assert place.contacts("import", "book.csv", "--replace") == (
        "imported: 0 new, 0 changed, 3 as before, 0 removed\n"
    )
    assert place.contacts("export", "--client", "fjord").count("\n") == 2
    assert place.contacts("export", "--group", "vip").count("\n") == 2


CANNOT = [
    ("no file", ("import", "none.csv"), 2, "`none.csv` cannot be read: No such file or directory"),
    ("no text", ("import", "state/callrouter.db"), 1, "state/callrouter.db: line 1 is not UTF-8"),
    ("no folder", ("export", "none/book.csv"), 2, "`none/book.csv` cannot be written: No such file"),
    ("no number", ("add", "nobody"), 2, "write it as in +4722334455"),
    ("a misspelt client", ("add", KARI, "--client", "fjrd"), 2, "did you mean `fjord`"),
    ("no language", ("add", KARI, "--language", "norsk"), 2, "for --language: `norsk` is not a"),
    ("a long group", ("add", KARI, "--group", "x" * 41), 2, "for --group: the name of a group"),
    ("nobody to change", ("edit", KARI, "--name", "x"), 1, f"{KARI} is no contact for all clients"),
]


@pytest.mark.parametrize(
    ("words", "status", "told"), [row[1:] for row in CANNOT], ids=[row[0] for row in CANNOT]
)
def test_what_cannot_be_done_is_told(
    place: Place, daemon: Daemon, words: tuple[str, ...], status: int, told: str
) -> None:
    assert told in place.refused(*words, status=status)
    assert (place.listed(), daemon.told) == ([], [])


def test_a_table_that_is_too_large_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.cli.contacttables.LARGEST", 10)
    assert "it is larger than" in place.refused("import", "-", text=TABLE)


def test_a_language_that_nobody_here_speaks_is_kept_and_told(place: Place) -> None:
    done = place.type("contacts", "add", KARI, "--language", "fr")
    assert (done.exit_code, done.stderr) == (
        0,
        "warning: callrouter itself speaks no fr, so this contact hears what all callers hear\n",
    )
    assert place.type("contacts", "add", OLA, "--language", "en-GB").stderr == ""
    table = f"number,language\n{KARI},xx\n{OLA},nb\n+4790000003,fr\n+4790000004,fr\n"
    told = place.type("contacts", "import", "-", text=table)
    assert (told.exit_code, told.stderr.splitlines()) == (
        0,
        [
            "warning: callrouter itself speaks no xx, so this contact hears what all callers hear",
            "warning: callrouter itself speaks no fr, so 2 contacts hear what all callers hear",
        ],
    )


def test_of_several_countries_a_number_tells_its_own(place: Place) -> None:
    (place.folder / "rules" / "lund.yaml").write_text(
        LUND.replace("+4722334466", "+46812345678").replace("NO", "SE")
    )
    several = "`90000001` has no calling code, and clients are in several countries (NO, SE); write it with +"
    assert f"{several}, or say whose country: --client ID" in place.refused("add", "90000001", status=2)
    told = place.refused("forget", "90000001", status=2)
    assert (several in told, "--client" in told) == (True, False)
    assert place.contacts("add", "90000001", "--client", "fjord").startswith(f"added: {KARI}")


def test_rules_that_cannot_be_read_say_no_country(place: Place) -> None:
    (place.folder / "rules" / "lund.yaml").write_text("client: lund\n")
    told = place.refused("add", "90000001", "--client", "fjord", status=2)
    assert "the rules, which cannot be read (`callrouter check`), say no country; write it with +" in told


def test_without_clients_a_number_has_a_calling_code(place: Place) -> None:
    for rules in (place.folder / "rules").iterdir():
        rules.unlink()
    (place.folder / "rules" / "shared.yaml").write_text("lists: {}\n")
    assert "has no calling code" in place.refused("add", "90000001", status=2)


def test_without_a_running_router_it_counts_later(tmp_path: Path) -> None:
    place = Place(tmp_path, free_port())
    done = place.type("contacts", "add", KARI)
    assert done.exit_code == 0
    assert "written down; it counts from the router's next start: no router at" in done.stderr


def test_without_a_database_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "callrouter.yaml").write_text("state: nowhere\n")
    done = CliRunner().invoke(app, ["contacts", "add", KARI])
    assert (done.exit_code, "nowhere" in done.stderr) == (1, True)


def test_explaining_counts_contacts(place: Place) -> None:
    asked = ("explain", "--to", "+4722334455", "--from", "90000001")
    assert "route main" in place.type(*asked).stdout
    place.contacts("add", KARI, "--group", "vip")
    assert "route vip" in place.type(*asked).stdout.replace("route vip: passed over", "")
    place.contacts("add", KARI, "--client", "fjord")
    assert "route vip: passed over" in place.type(*asked).stdout, "the client's own counts"
    assert "route vip: passed over" not in place.type(*asked, "--contact", "vip").stdout


def test_blocking_a_contact_whom_the_rules_allow_is_told(place: Place) -> None:
    place.contacts("add", KARI, "--client", "fjord")
    assert place.type("block", KARI).stderr == (
        "warning: fjord allows contacts (rules/fjord.yaml:6), which outranks this\n"
    )
