"""Rules from files: what is read, and what cannot be."""

from pathlib import Path

import pytest

from router.core.dialling import Dialling
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.edge.rulesfile import LARGEST_FILE, RulesFile

CLIENT = "client: {id}\nname: F\nnumbers: '{number}'\ntimezone: Europe/Oslo\ncountry: NO\n"


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


def test_an_empty_directory_says_what_to_write(rules: Path) -> None:
    hint = "write one file a client, NAME.yaml, beginning with `client: NAME`"
    assert errors(rules) == [f"rules: no rules here; {hint}"]
    assert errors(Path("nowhere")) == [f"nowhere: no such file or directory; {hint}"]


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


def test_one_unreadable_file_keeps_all_rules_from_being_used(rules: Path) -> None:
    (rules / "a.yaml").write_text(CLIENT.format(id="a", number="+4722334455"))
    (rules / "b.yaml").write_bytes(b"\xff")
    assert errors(rules) == ["rules/b.yaml:1:1: this is not UTF-8; save the file as UTF-8"]
