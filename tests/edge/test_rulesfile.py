"""Rules from files: what is read, and what cannot be."""

import gc
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from router.core.dialling import Dialling
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.edge import rulesfile
from router.edge.rulesfile import LARGEST_FILE, LARGEST_TABLE, RulesFile

CLIENT = "client: {id}\nname: F\nnumbers: '{number}'\ntimezone: Europe/Oslo\ncountry: NO\n"
NOBODY = 65534
"""The user of that name, of whom nothing is."""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory `rules`, named relative to where we are."""
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    return Path("rules")


def errors(path: Path) -> list[str]:
    outcome = RulesFile(path, Dialling()).load()
    assert isinstance(outcome, RuleErrors)
    return [str(error) for error in outcome.errors]


def clients(path: Path) -> list[str]:
    outcome = RulesFile(path, Dialling()).load()
    assert isinstance(outcome, RuleSet), outcome
    return list(outcome.clients)


def test_all_clients_of_a_directory_are_loaded_and_tests_are_not(rules: Path) -> None:
    (rules / "a.yaml").write_text(CLIENT.format(id="a", number="+4722334455"))
    (rules / "b.yaml").write_text(CLIENT.format(id="b", number="+4722334456"))
    (rules / "shared.yaml").write_text("")
    (rules / "a.test.yaml").write_text("tests: []")
    (rules / "notes.txt").write_text("not rules")
    assert clients(rules) == ["a", "b"]
    assert clients(rules / "b.yaml") == ["b"]


@pytest.mark.parametrize("collects", [True, False], ids=["collecting", "not collecting"])
def test_garbage_is_collected_as_before(rules: Path, collects: bool) -> None:
    (gc.enable if collects else gc.disable)()
    try:
        clients_or_errors = RulesFile(rules, Dialling()).load()
        assert isinstance(clients_or_errors, RuleErrors)
        assert gc.isenabled() is collects
    finally:
        gc.enable()


def test_an_empty_directory_says_what_to_write(rules: Path) -> None:
    hint = "write one file a client, NAME.yaml, beginning with `client: NAME`"
    assert errors(rules) == [f"rules: no rules here; {hint}"]
    assert errors(Path("nowhere")) == [f"nowhere: no such file or directory; {hint}"]


def test_a_directory_that_may_not_be_read_is_not_taken_for_an_empty_one() -> None:
    with TemporaryDirectory() as folder:
        rules = Path(folder) / "rules"
        rules.mkdir(0o700)
        Path(folder).chmod(0o755)
        (rules / "acme.yaml").write_text(CLIENT.format(id="acme", number="+4722334455"))
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
        else:
            rules.chmod(0)
        try:
            [told] = errors(rules)
        finally:
            os.seteuid(os.getuid())
            rules.chmod(0o700)
        hint = "let the router's user read it and what is in it"
        assert told == f"{rules}: this folder cannot be read; {hint}"


def test_errors_name_files_as_given_and_come_all_at_once(rules: Path) -> None:
    (rules / "a.yaml").write_text(CLIENT.format(id="a", number="+4722334455") + "tone: rude\n")
    (rules / "latin.yaml").write_bytes(b"# x\nname: K\xe5re")
    (rules / "large.yaml").write_bytes(b"#" * (LARGEST_FILE + 1))
    (rules / "dir.yaml").mkdir()
    assert errors(rules) == [
        "rules/a.yaml:6:7: `rude` cannot stand here; write 'formal' or 'informal'",
        "rules/dir.yaml: cannot be read (Is a directory); make it readable for the daemon",
        f"rules/large.yaml: larger than {LARGEST_FILE} bytes; split it into more files",
        "rules/latin.yaml:2:8: this is not UTF-8; save the file as UTF-8",
    ]


SCREENED = """\
screening: {block: [{name: ads, numbers: [{file: %s}]}]}
"""


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("named", ["", "a.yaml"], ids=["in a directory", "beside one file"])
def test_tables_beside_the_rules_are_read(rules: Path, named: str) -> None:
    write(rules / "a.yaml", CLIENT.format(id="a", number="+4722334455") + SCREENED % "lists/ads.csv")
    write(rules / "shared.yaml", "defaults: {tone: informal}")
    write(rules / "lists/ads.csv", "\ufeffnumber\n+4781500000\n")
    source = RulesFile(rules / named, Dialling())
    assert dict(source.tables()) == {"lists/ads.csv": "number\n+4781500000\n"}
    before, first = source.state(), source.load()
    assert isinstance(first, RuleSet)
    assert len(first.clients["a"].screening.block) == 1
    write(rules / "lists/ads.csv", "number\n+4781500001\n+4781500002\n")
    second = source.load()
    assert isinstance(second, RuleSet)
    assert (source.state() != before, second.version != first.version) == (True, True)


def test_what_is_shared_counts_beside_one_file(rules: Path) -> None:
    bare = "client: a\nname: A\nnumbers: '+4722334455'\n"
    write(rules / "a.yaml", bare)
    write(rules / "shared.yaml", "defaults: {timezone: Europe/Oslo, country: NO}")
    assert clients(rules / "a.yaml") == ["a"]


def test_some_files_are_no_tables(rules: Path) -> None:
    for name in ("client.schema.json", ".git/x.csv", ".x.csv", "notes.md", "a/b/c/d/e/f/x.csv"):
        write(rules / name, "x")
    (rules / "again").symlink_to(rules.resolve())
    assert dict(RulesFile(rules, Dialling()).tables()) == {}


def test_an_editor_s_own_files_are_no_rules(rules: Path) -> None:
    write(rules / "a.yaml", CLIENT.format(id="a", number="+4722334455"))
    (rules / ".#a.yaml").symlink_to("somebody@somewhere.1234")
    write(rules / ".a.yaml.swp.yaml", "not: rules")
    write(rules / ".a.test.yaml", "not: tests")
    assert clients(rules) == ["a"]
    assert RulesFile(rules, Dialling()).scenarios() == ({}, [])


def test_a_device_is_not_read(rules: Path) -> None:
    (rules / "b.yaml").symlink_to("/dev/zero")
    assert errors(rules) == [
        "rules/b.yaml: cannot be read (it is a pipe or a device); make it readable for the daemon"
    ]


UNREADABLE = [
    ("not UTF-8", b"number\nK\xe5re", "`x.csv:2:2`: this is not UTF-8; save the file as UTF-8"),
    ("huge", None, f"`x.csv`: larger than {LARGEST_TABLE} bytes; split it into more files"),
    ("a folder", "folder", "`x.csv`: cannot be read (Is a directory); make it readable for the daemon"),
    ("gone", "link", "`x.csv`: cannot be read (No such file or directory); make it readable for the daemon"),
    ("a pipe", "pipe", "`x.csv`: cannot be read (it is a pipe or a device); make it readable for the daemon"),
]


@pytest.mark.parametrize(
    ("content", "expected"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE]
)
def test_an_unreadable_table_is_an_error_where_a_rule_wants_it(
    rules: Path, content: bytes | str | None, expected: str
) -> None:
    table = rules / "x.csv"
    match content:
        case "folder":
            table.mkdir()
        case "pipe":
            os.mkfifo(table)
        case "link":
            table.symlink_to("nowhere.csv")
        case bytes():
            table.write_bytes(content)
        case _:
            table.touch()
            os.truncate(table, LARGEST_TABLE + 1)
    text = CLIENT.format(id="a", number="+4722334455")
    write(rules / "a.yaml", text)
    assert clients(rules) == ["a"]
    write(rules / "a.yaml", text + SCREENED % "x.csv")
    assert errors(rules) == [f"rules/a.yaml:6:50: {expected}"]


def test_tables_that_no_rule_names_are_not_read(rules: Path) -> None:
    write(rules / "a.yaml", CLIENT.format(id="a", number="+4722334455") + SCREENED % "x.csv")
    write(rules / "x.csv", "+4781500000\n")
    before = RulesFile(rules, Dialling()).load()
    for name in ("y.csv", "lists/z.csv"):
        write(rules / name, b"\xff" * 100)
    after = RulesFile(rules, Dialling()).load()
    assert isinstance(before, RuleSet)
    assert isinstance(after, RuleSet)
    assert before.version == after.version


def test_tables_in_use_are_bounded_together(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulesfile, "LARGEST_TABLES", 20)
    files = ", ".join(f"{{file: {name}.csv}}" for name in "xy")
    write(
        rules / "a.yaml",
        CLIENT.format(id="a", number="+4722334455")
        + f"screening: {{block: [{{name: ads, numbers: [{files}]}}]}}\n",
    )
    for name in "xyz":
        write(rules / f"{name}.csv", "+4781500000\n")
    what = "with this one, the tables that rules name have more than 20 characters"
    instead = "let rules use fewer, or smaller ones"
    assert errors(rules) == [f"rules/a.yaml:6:65: `y.csv`: {what}; {instead}"]


def test_what_is_shared_cannot_be_read(rules: Path) -> None:
    write(rules / "a.yaml", "client: a\nname: A\n")
    write(rules / "shared.yaml", b"\xff")
    assert errors(rules) == ["rules/shared.yaml:1:1: this is not UTF-8; save the file as UTF-8"]


def test_one_unreadable_file_keeps_all_rules_from_being_used(rules: Path) -> None:
    (rules / "a.yaml").write_text(CLIENT.format(id="a", number="+4722334455"))
    (rules / "b.yaml").write_bytes(b"\xff")
    assert errors(rules) == ["rules/b.yaml:1:1: this is not UTF-8; save the file as UTF-8"]
