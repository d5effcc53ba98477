"""The reference page: every document, key and value, in words."""

import re

import pytest

from router.core.jsonschema import DOCUMENTS, json_schema
from router.core.reference import reference_page

PAGE = reference_page()

ROWS = [
    ("a value that is needed", "| `client` | [id](#values) | *required* |"),
    ("a default", "| `language` | [language](#values) | `en` |"),
    ("a choice", "| `order` | `all`, `in-turn` or `rotate` | `all` |"),
    ("a choice, or something else", "| `treatment` | `decline`, `busy`, [say treatment](#say-treatment) or "),
    ("one or several", "| `dialled` | [number pattern](#values), or a list of them |  |"),
    ("a list", "| `routes` | a list: [route](#route) |  |"),
    ("a fixed list", "| `between` | [[moment](#values), [last moment](#values)] |  |"),
    ("names of one's own", "| `people` | a mapping: [id](#values) to [person](#person) |  |"),
    (
        "names that are given",
        "| `on` | a mapping: `busy`, `no_answer`, `declined`, `unreachable` or `failed` to ",
    ),
    ("nothing", "| `hangup` | nothing | *required* |"),
    ("words of a closed list elsewhere", "| `disposition` | `blocked`, `answered`, "),
    ("how a value is written", "\n| time to ring | As in `25s` or `1m30s`, "),
    ("a name alone", "\n- `directory`, `message`, `callback`, `decline` or `hangup`\n"),
]


@pytest.mark.parametrize("row", [row[1] for row in ROWS], ids=[row[0] for row in ROWS])
def test_keys_and_values_are_told_in_words(row: str) -> None:
    assert row in PAGE


def test_every_key_is_there() -> None:
    for document in DOCUMENTS.values():
        schema = json_schema(document)
        for part in (schema, *schema.get("$defs", {}).values()):
            assert [key for key in part.get("properties", ()) if f"\n| `{key}` | " not in PAGE] == []


def test_links_lead_somewhere_and_headings_come_once() -> None:
    headings = [line.lstrip("# ").lower().replace(" ", "-") for line in re.findall("^##+ .*$", PAGE, re.M)]
    assert sorted(set(headings)) == sorted(headings)
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= set(headings)


def test_files_come_in_order() -> None:
    files = re.findall("^## `(.*)`$", PAGE, re.M)
    assert files == [document.files for document in DOCUMENTS.values()]
