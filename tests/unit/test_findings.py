"""What doctor finds: when all is well, and how it is counted."""

import pytest

from router.core.findings import (
    Finding,
    Report,
    counted,
    error,
    is_well,
    named,
    not_checked,
    note,
    ok,
    warning,
)

ERROR, WARNING, NOTE = error("bad", "mend it"), warning("odd", "look"), note("so it is")
UNKNOWN, GOOD = not_checked("dark"), ok("good")

CASES: list[tuple[str, tuple[Finding, ...], bool, bool, str]] = [
    ("nothing", (), True, True, ""),
    ("all is well", (GOOD, GOOD), True, True, "2 ok"),
    ("a note", (NOTE, GOOD), True, True, "1 note, 1 ok"),
    ("not checked", (UNKNOWN, UNKNOWN), True, True, "2 not checked"),
    ("a warning", (WARNING, GOOD), True, False, "1 warning, 1 ok"),
    ("errors", (GOOD, ERROR, WARNING, ERROR, WARNING), False, False, "2 errors, 2 warnings, 1 ok"),
]


@pytest.mark.parametrize(
    ("findings", "well", "strictly", "words"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_is_all_well(findings: tuple[Finding, ...], well: bool, strictly: bool, words: str) -> None:
    reports = [Report("one", findings[:1]), Report("two", findings[1:])]
    assert is_well(reports) is well
    assert is_well(reports, strict=True) is strictly
    assert counted(reports) == words


NAMES = [
    ("one", ["a"], "a"),
    ("as many as are named", list("abcde"), "a, b, c, d, e"),
    ("more", list("abcdefg"), "a, b, c, d, e and 2 more"),
]


@pytest.mark.parametrize(("names", "words"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
def test_many_of_a_kind(names: list[str], words: str) -> None:
    assert named(names) == words
