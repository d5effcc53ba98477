"""Tables: which there are, and what their rows are."""

import pytest

from router.core.remarks import RuleError, words_of
from router.core.tables import MOST_LINES, Record, Table, find_table, is_table, records

ROWS = [
    ("nothing", "", []),
    ("a line", "+4722334455", [(1, ["+4722334455"], True)]),
    ("a byte order mark", "\ufeffid\nkari", [(1, ["id"], True), (2, ["kari"], True)]),
    ("Windows' and old Macs' ends of lines", "a\r\nb\rc\n", [(n, [c], True) for n, c in enumerate("abc", 1)]),
    ("comments, blank lines and blank rows", "# a\n\n  # b\n;;\n \t\na;b\n;;", [(6, ["a", "b"], True)]),
    ("commas", "a, b\nc,d;e", [(1, ["a", "b"], True), (2, ["c", "d;e"], True)]),
    ("semicolons", "a;b,c", [(1, ["a", "b,c"], True)]),
    ("tabs", "a\tb;c,d", [(1, ["a", "b;c,d"], True)]),
    ("a semicolon in quotes", '"a;b",c', [(1, ["a;b", "c"], True)]),
    ("quotes", '"a ""b""", "c,d"\ne,f', [(1, ['a "b"', "c,d"], True), (2, ["e", "f"], True)]),
    ("a line break in quotes", 'a,"b\nc"\nd,e', [(1, ["a", "b\nc"], True), (3, ["d", "e"], True)]),
    ("a quote nobody closes", 'a,"b\nc,d', [(1, ["a", "b"], False), (2, ["c", "d"], True)]),
    (
        "a quote closed much later",
        'a,"b\n' + "c\n" * MOST_LINES + '"',
        [(1, ["a", "b"], False)] + [(line, ["c"], True) for line in range(2, MOST_LINES + 2)],
    ),
    ("stray quotes", 'a,5" x\nb,6" y', [(1, ["a", "5 x"], False), (2, ["b", "6 y"], False)]),
    ("text after a quote", '"a"b,c', [(1, ["ab", "c"], False)]),
    ("a very long value", "a" * 200_000, [(1, ["a" * 200_000], True)]),
    ("a very long value in quotes", f'"{"a" * 200_000}",b', [(1, ["a" * 200_000, "b"], False)]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_record_has_its_line(text: str, expected: list[tuple[int, list[str], bool]]) -> None:
    assert list(records(text)) == [Record(*row) for row in expected]


NAMES = [
    ("a table", "feed.csv", True),
    ("in capitals", "FEED.TXT", True),
    ("an export", "feed.json", True),
    ("a schema for editors", "client.schema.json", False),
    ("rules", "fjord.yaml", False),
]


@pytest.mark.parametrize(("name", "expected"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
def test_some_files_are_tables(name: str, expected: bool) -> None:
    assert is_table(name) is expected


TABLES: dict[str, Table] = {
    "lists/feed.csv": "a",
    "latin.csv": RuleError("rules/latin.csv", 2, 8, "this is not UTF-8", "save the file as UTF-8"),
    "dir.csv": RuleError("rules/dir.csv", 0, 0, "cannot be read (Is a directory)", "make it readable"),
    "binary.csv": "a\nb\x00",
}
OUT = "leads out of the rules' folder; write it as seen from there, as in lists/feed.csv"
REFUSED = [
    ("absolute", "/etc/feed.csv", f"`/etc/feed.csv` {OUT}"),
    ("upwards", "lists/../../feed.csv", f"`lists/../../feed.csv` {OUT}"),
    ("a backslash", "lists\\feed.csv", f"`lists\\feed.csv` {OUT}"),
    ("no table", "fjord.yaml", "`fjord.yaml` is not a table; write NAME.csv, NAME.txt or NAME.json"),
    (
        "misspelt",
        "lists/fed.csv",
        "there is no `lists/fed.csv` in the rules' folder; did you mean `lists/feed.csv`?",
    ),
    ("not there", "x.txt", "there is no `x.txt` in the rules' folder; add it"),
    ("not UTF-8", "latin.csv", "`latin.csv:2:8`: this is not UTF-8; save the file as UTF-8"),
    ("a folder", "dir.csv", "`dir.csv`: cannot be read (Is a directory); make it readable"),
    ("binary", "binary.csv", "`binary.csv:2` has a NUL byte, so it is no text; save the table as UTF-8"),
]


@pytest.mark.parametrize(("name", "expected"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_name_that_cannot_be_used_says_why(name: str, expected: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is compared whole
        find_table(name, TABLES)
    assert words_of(refused.value) == expected


@pytest.mark.parametrize("name", ["lists/feed.csv", "./lists//feed.csv"])
def test_a_name_is_a_path_from_the_rules_folder(name: str) -> None:
    assert find_table(name, TABLES) == ("lists/feed.csv", "a")
