"""`callrouter tag`, `tags` and `correct`, as they are typed, and what other commands show of it."""

import getpass
import json
import platform
import sqlite3
from datetime import timedelta
from pathlib import Path
from shutil import copy
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.core.tags import SHIPPED, CallTag, Way
from router.edge.store.database import prepare
from router.edge.store.outbox import Outbox
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TEN, TRACE, a_call, abandoned, talked

pytestmark = pytest.mark.usefixtures("alone")

FJORD = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
routes: [{name: main, do: [{ring: PJSIP/100}]}]
tags:
  viewing: {label: {en: Viewing booked, nb: Visning avtalt}, code: 12}
  fair_2025: {label: {en: Fair}, hidden: true}
  callback: {label: {nb: Ring opp}}
"""
FOLLOW_UPS = "follow_ups: [{name: ring them, when: {tag: callback}, do: {call_back: {within: 2h}}}]\n"
SHARED = "tags: {emergency: {code: 9}}\n"


class Place:
    """A router's folder, and what was typed in it."""

    def __init__(self, folder: Path, database: Path) -> None:
        """With a copy of a database."""
        (folder / "rules").mkdir()
        (folder / "rules" / "fjord.yaml").write_text(FJORD)
        (folder / "rules" / "shared.yaml").write_text(SHARED)
        (folder / "callrouter.yaml").write_text("state: state\nrules: rules\n")
        (folder / "state").mkdir()
        self.file = folder / "state" / "callrouter.db"
        copy(database, self.file)
        self.url = f"sqlite:///{self.file}"

    def type(self, *words: str, exit_code: int = 0) -> Result:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == exit_code, done.output
        return done

    def call(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.type("call", id, "--json").stdout)
        return found

    def told(self) -> list[dict[str, Any]]:
        """What other systems are told by commands."""
        outbox = Outbox(self.url)
        found = [one for one in outbox.since(0, 1000) if one.type in ("call.tagged", "call.corrected")]
        outbox.close()
        return [msgspec.json.decode(one.body) for one in found]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with calls, made once."""
    file = tmp_path_factory.mktemp("tags") / "callrouter.db"
    prepare(f"sqlite:///{file}")
    writer = Writer(f"sqlite:///{file}", queue_limit=1000)
    for number, (id, client) in enumerate((("c1", "fjord"), ("c2", "fjord"), ("other-3", None))):
        call = a_call(id, at=TEN + timedelta(hours=number), client=client)
        writer.arrived(call, PLAN, TRACE)
        writer.ended(talked(call) if id == "c1" else abandoned(call))
    writer.arrived(a_call("live-4", at=TEN + timedelta(hours=4)), PLAN, TRACE)
    writer.tagged(CallTag("c2", "interested", "main", Way.RULE, TEN, place="fjord.yaml:31"))
    writer.start()
    assert writer.close(20) == 0
    assert not file.with_name("callrouter.db-wal").exists(), "all is in the one file"
    return file


@pytest.fixture
def place(tmp_path: Path, database: Path) -> Place:
    return Place(tmp_path, database)


HERE = f"{getpass.getuser()}@{platform.node()}"


# tag


def test_a_call_is_tagged_and_the_tag_taken_off_again(place: Place) -> None:
    done = place.type("tag", "c1", "viewing", "--by", "kari", "--note", "on  Friday,\n at ten")
    assert done.stdout == f"c1: viewing, by kari (command, {HERE}): on Friday, at ten\n"
    assert place.call("c1")["tagged"] == ["viewing"]
    place.type("tag", "c1", "viewing", "--remove")
    story = place.call("c1")
    assert story["tagged"] == []
    first, second = story["tags"]
    assert (first["who"], first["way"], first["place"]) == ("kari", "command", HERE)
    assert (first["removed"], first["note"]) == (False, "on Friday, at ten")
    assert (second["who"], second["removed"], second["at"] > first["at"]) == (getpass.getuser(), True, True)


def test_other_systems_are_told_of_a_tag(place: Place) -> None:
    before = len(place.told())
    place.type("tag", "c1", "viewing", "--note", "at ten")
    place.type("tag", "c1", "viewing", "--remove")
    put, off = place.told()[before:]
    assert (put["tag"], put["removed"], put["note"], put["way"]) == ("viewing", False, "at ten", "command")
    assert (off["tag"], off["removed"]) == ("viewing", True)
    assert put["call"]["caller"] == "+4790000001"


def test_where_nothing_can_be_told_no_tag_is_written(place: Place) -> None:
    database = sqlite3.connect(place.file)
    database.execute("DROP TABLE outbox")
    database.commit()
    database.close()
    assert "no such table: outbox" in place.type("tag", "c1", "viewing", exit_code=1).stderr
    assert place.call("c1")["tags"] == []


def test_a_call_is_found_by_the_beginning_of_its_id(place: Place) -> None:
    assert json.loads(place.type("tag", "oth", "callback", "--json").stdout)["call_id"] == "other-3"
    assert "several calls' ids begin with c: c1, c2" in place.type("tag", "c", "callback", exit_code=1).stderr
    assert "no call's id begins with x" in place.type("tag", "x", "callback", exit_code=1).stderr


EMPTY = [("tag", "", "callback"), ("correct", " ", "busy", "--why", "x"), ("tags", "--call", "")]


@pytest.mark.parametrize("words", EMPTY, ids=[" ".join(words) for words in EMPTY])
def test_no_id_is_the_beginning_of_every_id(place: Place, words: tuple[str, ...]) -> None:
    assert "the id is empty; `callrouter calls`" in place.type(*words, exit_code=2).stderr
    assert place.call("c1")["tags"] == []


def test_a_call_that_lasts_is_tagged(place: Place) -> None:
    place.type("tag", "live-4", "callback")
    assert place.call("live-4")["tagged"] == ["callback"]


def test_who_says_it_again_writes_nothing_but_a_note(place: Place) -> None:
    place.type("tag", "c1", "viewing", "--by", "kari")
    again = place.type("tag", "c1", "viewing", "--by", "ola")
    assert again.stderr.startswith("it is so already, since ")
    assert again.stdout == f"c1: viewing, by kari (command, {HERE})\n"
    place.type("tag", "c1", "viewing", "--by", "ola", "--note", "at ten")
    assert [(one["who"], one["note"]) for one in place.call("c1")["tags"]] == [
        ("kari", ""),
        ("ola", "at ten"),
    ]
    assert place.call("c1")["tagged"] == ["viewing"]


def test_a_clock_that_is_behind_takes_a_tag_off_all_the_same(place: Place) -> None:
    writer = Writer(place.url, queue_limit=10)
    writer.tagged(CallTag("c1", "viewing", "kari", Way.PHONE, TEN + timedelta(days=36500)))
    writer.start()
    assert writer.close(20) == 0
    place.type("tag", "c1", "viewing", "--remove")
    assert place.call("c1")["tagged"] == []


WRONG = [
    (
        "a misspelt tag",
        ["tag", "c1", "viewng"],
        "no tag of fjord is called `viewng`; did you mean `viewing`?",
    ),
    ("no tag at all like it", ["tag", "c1", "x"], "`callrouter tags` lists what there is"),
    (
        "another client's",
        ["tag", "other-3", "viewing"],
        "no tag is called `viewing`; `callrouter tags` lists",
    ),
    (
        "a hidden one",
        ["tag", "c1", "fair_2025"],
        "the tag `fair_2025` of fjord is hidden (rules/fjord.yaml:10)",
    ),
    ("by nobody", ["tag", "c1", "viewing", "--by", " "], "say who it is"),
    ("a novel", ["tag", "c1", "viewing", "--note", "x" * 501], "at most 500 characters, not 501"),
    (
        "no disposition",
        ["correct", "c1", "busi", "--why", "x"],
        "`busi` is no disposition; did you mean `busy`?",
    ),
    (
        "no disposition at all",
        ["correct", "c1", "x", "--why", "x"],
        "write one of blocked, answered, dropped",
    ),
    ("no reason", ["correct", "c1", "busy", "--why", "\n"], "say why it is to be another one"),
    ("a misspelt client", ["tags", "--client", "fjrd"], "no client is called `fjrd`; did you mean `fjord`?"),
    (
        "a language of nobody",
        ["tags", "--language", "xx"],
        "nothing has a name in `xx`; there are bg, da, en, nb",
    ),
    ("a misspelt language", ["calls", "--language", "nbb"], "did you mean `nb`?"),
    ("a call and a client", ["tags", "--call", "c1", "--all"], "leave out --client, --all and --rules"),
]


@pytest.mark.parametrize(("words", "told"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_what_cannot_be_used_is_told_and_nothing_written(place: Place, words: list[str], told: str) -> None:
    done = place.type(*words, exit_code=2)
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert place.call("c1")["tags"] + place.call("c1")["corrections"] == []


NOT_THERE = [
    ("never put there", [], "c1 is not tagged `viewing`; it has no tags"),
    ("another is", ["callback"], "c1 is not tagged `viewing`; it has callback"),
    ("one like it is", ["viewing"], "c1 is not tagged `viewin`; did you mean `viewing`?"),
]


@pytest.mark.parametrize(("has", "told"), [one[1:] for one in NOT_THERE], ids=[one[0] for one in NOT_THERE])
def test_what_a_call_has_not_cannot_be_taken_off(place: Place, has: list[str], told: str) -> None:
    for tag in has:
        place.type("tag", "c1", tag)
    word = told.split("`")[1]
    assert place.type("tag", "c1", word, "--remove", exit_code=1).stderr == f"{told}\n"


def test_a_tag_that_the_rules_have_no_more_can_be_taken_off(place: Place) -> None:
    place.type("tag", "c1", "viewing")
    Path("rules/fjord.yaml").write_text(FJORD.replace("viewing", "visit"))
    place.type("tag", "c1", "viewing", "--remove")
    assert place.call("c1")["tagged"] == []


NO_RULES = {
    "they have errors": ("client: [\n", "the rules have errors, so nobody knows what is to be done after"),
    "there are none": (None, "there are no rules in rules, so nobody knows what is to be done after"),
}


@pytest.mark.parametrize(("text", "told"), NO_RULES.values(), ids=NO_RULES)
def test_without_rules_no_call_is_tagged_and_what_is_due_is_not_lost(
    place: Place, text: str | None, told: str
) -> None:
    place.type("tag", "c1", "interested")
    for file in Path("rules").iterdir():
        file.unlink()
    if text is not None:
        Path("rules/fjord.yaml").write_text(text)
    done = place.type("tag", "c1", "callback", exit_code=1)
    assert done.stderr.startswith(f"not tagged: {told}")
    assert "tag by the API of the running router" in done.stderr
    assert ("`callrouter check`" in done.stderr) is (text is not None)
    place.type("tag", "c1", "interested", "--note", "at ten", exit_code=1)
    place.type("tag", "c1", "interested", "--remove")
    assert [(one["tag"], one["removed"]) for one in place.call("c1")["tags"]] == [
        ("interested", False),
        ("interested", True),
    ]
    Path("rules/fjord.yaml").write_text(FJORD + FOLLOW_UPS)
    place.type("tag", "c1", "callback")
    assert "callback" in place.type("todo").stdout


def test_who_says_it_again_makes_due_what_was_not(place: Place) -> None:
    place.type("tag", "c1", "callback")
    assert "callback" not in place.type("todo").stdout
    Path("rules/fjord.yaml").write_text(FJORD + FOLLOW_UPS)
    again = place.type("tag", "c1", "callback")
    assert again.stderr.endswith("; what is to be done after it was not yet due, and is now\n")
    assert "callback" in place.type("todo").stdout
    again = place.type("tag", "c1", "callback")
    assert again.stderr.startswith("it is so already, since ")
    assert "due" not in again.stderr
    assert len(place.call("c1")["tags"]) == 1


def test_a_locked_database_is_told_in_words(place: Place) -> None:
    locked = sqlite3.connect(place.file, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    try:
        told = place.type("correct", "c1", "busy", "--why", "x", exit_code=1).stderr
        assert "cannot be used: database is locked" in told
    finally:
        locked.close()


# tags


def test_the_tags_there_are(place: Place) -> None:
    lines = [line.split("  ") for line in place.type("tags").stdout.splitlines()]
    rows = [[cell.strip() for cell in line if cell] for line in lines]
    assert rows[:2] == [
        ["client", "tag", "name", "code", "written"],
        ["all", "callback", "Call back", "-", "it ships"],
    ]
    assert [row[1] for row in rows[1:12]] == [*SHIPPED, "emergency"]
    assert rows[11:] == [
        ["all", "emergency", "emergency", "*9", "rules/shared.yaml:1"],
        ["fjord", "callback", "Ring opp", "-", "rules/fjord.yaml:11"],
        ["fjord", "viewing", "Visning avtalt", "*12", "rules/fjord.yaml:9"],
    ]


def test_all_the_tags_of_one_client_in_a_language(place: Place) -> None:
    listed = place.type("tags", "--client", "fjord", "--language", "en", "--all", "--json").stdout
    found = {one["tag"]: one for one in map(json.loads, listed.splitlines())}
    assert list(found) == [*SHIPPED, "emergency", "viewing", "fair_2025"]
    assert found["viewing"] == {
        "client": "fjord",
        "tag": "viewing",
        "name": "Viewing booked",
        "names": {"en": "Viewing booked", "nb": "Visning avtalt"},
        "code": "12",
        "hidden": False,
        "origin": "own",
        "place": "rules/fjord.yaml:9",
    }
    assert (found["fair_2025"]["hidden"], found["wrong_number"]["origin"]) == (True, "shipped")
    assert "rules/fjord.yaml:10, hidden" in place.type("tags", "--client", "fjord", "--all").stdout
    assert "fair_2025" not in place.type("tags", "--client", "fjord").stdout


def test_rules_with_errors_list_no_tags(place: Place) -> None:
    Path("rules/fjord.yaml").write_text("client: [\n")
    assert "rules/fjord.yaml:2:1: this is not YAML" in place.type("tags", exit_code=1).stderr


def test_what_one_call_was_tagged_with(place: Place) -> None:
    place.type("tag", "c2", "viewing", "--by", "kari")
    place.type("tag", "c2", "interested", "--remove", "--by", "ola")
    lines = place.type("tags", "--call", "c2", "--language", "nb").stdout.splitlines()
    assert [line.partition("  ")[2] for line in lines] == [
        "Interessert, by main (rule, fjord.yaml:31)",
        f"Visning avtalt, by kari (command, {HERE})",
        f"Interessert taken off, by ola (command, {HERE})",
    ]
    rows = place.type("tags", "--call", "c2", "--json").stdout.splitlines()
    assert [json.loads(row)["who"] for row in rows] == ["main", "kari", "ola"]
    assert (
        "call c1 was never tagged; `callrouter tag c1 TAG` does it"
        in place.type("tags", "--call", "c1").stdout
    )
    assert place.type("tags", "--call", "c1", "--json").stdout == ""


# correct


def test_a_correction_stands_beside_what_was_derived(place: Place) -> None:
    done = place.type("correct", "c1", "busy", "--why", "they rang the wrong desk", "--by", "kari")
    assert done.stdout == f"c1: to busy, by kari (command, {HERE}): they rang the wrong desk\n"
    story = place.call("c1")
    assert (story["disposition"], story["corrected"]) == ("answered", "busy")
    [row] = story["corrections"]
    assert (row["disposition"], row["why"], row["who"]) == ("busy", "they rang the wrong desk", "kari")
    shown = place.type("call", "c1").stdout
    assert "disposition  answered, while talking" in shown
    assert "corrected    to busy, by kari" in shown
    assert f"to busy, by kari (command, {HERE}): they rang the wrong desk" in shown.split("Corrections")[1]
    assert "  busy (not answered)  " in place.type("calls").stdout


def test_a_correction_is_taken_back_by_another(place: Place) -> None:
    place.type("correct", "c1", "busy", "--why", "the wrong desk")
    place.type("correct", "c1", "answered", "--why", "no, it was the right one")
    story = place.call("c1")
    assert (story["disposition"], story["corrected"], len(story["corrections"])) == ("answered", None, 2)
    assert "corrected  " not in place.type("call", "c1").stdout
    assert "(not answered)" not in place.type("calls").stdout


def test_other_systems_are_told_of_a_correction(place: Place) -> None:
    before = len(place.told())
    typed = json.loads(place.type("correct", "c1", "busy", "--why", "the wrong desk", "--json").stdout)
    [told] = place.told()[before:]
    assert (told["type"], told["disposition"], told["automatic"]) == ("call.corrected", "busy", "answered")
    assert (told["call"]["id"], told["at"], told["why"]) == ("c1", typed["at"], "the wrong desk")


def test_what_is_so_is_not_corrected(place: Place) -> None:
    assert place.type("correct", "c1", "answered", "--why", "x", exit_code=1).stderr == (
        "call c1 is answered already\n"
    )
    assert "call live-4 is live; correct it once it has ended" in (
        place.type("correct", "live-4", "busy", "--why", "x", exit_code=1).stderr
    )


# calls and call


def test_calls_are_chosen_by_tag_and_by_what_became_of_them_after_all(place: Place) -> None:
    def chosen(*words: str) -> list[str]:
        return [json.loads(line)["id"] for line in place.type("calls", "--json", *words).stdout.splitlines()]

    place.type("tag", "c1", "viewing")
    place.type("tag", "c2", "viewing")
    place.type("tag", "c2", "viewing", "--remove")
    place.type("correct", "c1", "busy", "--why", "the wrong desk")
    assert chosen("--tag", "viewing") == ["c1"]
    assert chosen("--tag", "interested") == ["c2"]
    assert chosen("--tag", "callback") == []
    assert (chosen("--disposition", "busy"), chosen("--disposition", "answered")) == (["c1"], [])
    assert chosen("--disposition", "abandoned") == ["c2", "other-3"]


def test_a_tag_that_no_call_has_is_told(place: Place) -> None:
    assert place.type("calls", "--tag", "interestd").stdout == (
        "no call has or had the tag `interestd`; did you mean `interested`?\n"
    )
    told = place.type("calls", "--tag", "interested", "--client", "acme").stdout
    assert told == "no calls match --client acme --tag interested; there are 4 in all\n"


def test_calls_are_shown_in_peoples_words(place: Place) -> None:
    place.type("tag", "c1", "viewing")
    place.type("tag", "c1", "callback")
    place.type("correct", "c1", "no_answer", "--why", "nobody was there")
    lines = place.type("calls", "--language", "nb").stdout.splitlines()
    assert "Ikke svar (not Besvart)" in lines[1]
    assert "Visning avtalt, Ring opp" in lines[1]
    assert "Innringeren la på" in lines[2]
    shown = place.type("call", "c1", "--language", "nb").stdout
    assert "disposition  Besvart, while talking" in shown
    assert "corrected    to Ikke svar, by" in shown
    assert "tags         Visning avtalt, Ring opp" in shown
    assert json.loads(place.type("calls", "--tag", "viewing", "--language", "nb", "--json").stdout)[
        "tagged"
    ] == ["viewing", "callback"]


def test_without_rules_the_products_own_names_are_shown(place: Place) -> None:
    place.type("tag", "c1", "callback")
    Path("rules/fjord.yaml").write_text("client: [\n")
    done = place.type("calls", "--language", "nb")
    assert "the rules have errors (`callrouter check`); names of their own are left out" in done.stderr
    assert "Ring tilbake" in done.stdout
