"""`callrouter schema`, as an administrator types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.cli.schema import Of, shipped
from router.core.jsonschema import DOCUMENTS

RULES = Path(__file__).resolve().parents[2] / "rules"


def schema(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["schema", *arguments])


PRINTED = [
    ("a client's file", [], "Client"),
    ("the same, named", ["--of", "client"], "Client"),
    ("what clients share", ["--of", "shared"], "Shared"),
    ("tests", ["--of", "tests"], "Scenarios"),
]


@pytest.mark.parametrize(
    ("arguments", "title"), [row[1:] for row in PRINTED], ids=[row[0] for row in PRINTED]
)
def test_the_schema_of_each_kind_of_file(arguments: list[str], title: str) -> None:
    found = schema(*arguments)
    assert (found.exit_code, found.stderr) == (0, "")
    assert json.loads(found.stdout)["title"] == title


def test_every_document_can_be_named() -> None:
    assert list(Of) == list(DOCUMENTS)


def test_an_unknown_document_is_told() -> None:
    found = schema("--of", "queues")
    assert found.exit_code == 2
    assert "queues" in found.stderr


def test_what_is_shipped_is_what_this_version_gives() -> None:
    assert schema("--check", str(RULES)).exit_code == 0


def test_written_files_hold_until_they_differ(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert schema("--write", folder).exit_code == 0
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == shipped()
    assert schema("--check", folder).exit_code == 0
    (tmp_path / "REFERENCE.md").write_text("mine")
    (tmp_path / "callrouter.schema.json").unlink()
    found = schema("--check", folder)
    assert found.exit_code == 1
    assert found.stderr.splitlines() == [
        f"{tmp_path / name}: not what this version gives; run `callrouter schema --write {folder}`"
        for name in ("callrouter.schema.json", "REFERENCE.md")
    ]


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    found = schema("--write", str(tmp_path / "nowhere"))
    assert found.exit_code == 1
    place = tmp_path / "nowhere" / "callrouter.schema.json"
    assert found.stderr == f"{place}: cannot be written (No such file or directory); name a folder\n"
