"""Contacts: what may be written of them, whom a client knows by a number, and how they are looked for."""

from collections.abc import Callable

import pytest

from router.core.contacts import (
    Contact,
    Entry,
    fits,
    in_groups,
    known_as,
    read_groups,
    read_name,
    read_notes,
    read_spoken,
)

KARI = "+4790000001"
ENTRIES = [
    Entry(KARI, None, "Kari", ("vip",), "nb"),
    Entry(KARI, "fjord", "Kari of Fjord", ("press", "old")),
    Entry("+4790000002", "lund", "Lund's"),
]

KNOWN = [
    ("the client's own outranks what all have", KARI, "fjord", "Kari of Fjord"),
    ("what all have", KARI, "lund", "Kari"),
    ("the client's own alone", "+4790000002", "lund", "Lund's"),
    ("another client's", "+4790000002", "fjord", None),
    ("a stranger", "+4790000003", "fjord", None),
]


@pytest.mark.parametrize(
    ("number", "client", "name"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN]
)
def test_whom_a_client_knows_by_a_number(number: str, client: str, name: str | None) -> None:
    found = known_as(ENTRIES, number, client)
    assert (found.name if found else None) == name


def test_what_a_call_needs_to_know() -> None:
    assert known_as(ENTRIES, KARI, "lund") == Contact("Kari", frozenset({"vip"}), "nb")
    assert in_groups(["vip"]) == Contact(groups=frozenset({"vip"}))
    assert in_groups([]) == Contact()
    assert in_groups(None) is None


READ: list[tuple[str, Callable[[], object], object]] = [
    ("a name", lambda: read_name(" Kari\t Nordmann\x00 "), "Kari Nordmann"),
    ("no name", lambda: read_name(""), ""),
    ("groups", lambda: read_groups(["vip, press;vip", "old  friends"]), ("vip", "press", "old friends")),
    ("no groups", lambda: read_groups([""]), ()),
    ("a language", lambda: read_spoken(" nb "), "nb"),
    ("no language", lambda: read_spoken(" "), ""),
    ("notes", lambda: read_notes(" one \r\ntwo\rthree\x1b \n"), "one\ntwo\nthree"),
]


@pytest.mark.parametrize(("read", "found"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_what_is_read(read: Callable[[], object], found: object) -> None:
    assert read() == found


WRONG: list[tuple[str, Callable[[], object], str]] = [
    ("a long name", lambda: read_name("x" * 81), "this name has 81 characters; write at most 80"),
    ("a long group", lambda: read_groups(["x" * 41]), "has 41 characters; write at most 40"),
    ("many groups", lambda: read_groups(map(str, range(21))), "21 groups are too many; write at most 20"),
    ("no code", lambda: read_spoken("norsk"), "`norsk` is not a language; write its code"),
    ("long notes", lambda: read_notes("x" * 2001), "these notes have 2001 characters"),
    ("many lines", lambda: read_notes("x\n" * 16), "these notes have 16 lines; write at most 15"),
]


@pytest.mark.parametrize(("read", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_used_is_told(read: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read()


FOUND = [
    ("all", "", True),
    ("a number as people write it", "900 00 001", True),
    ("a number in E.164", KARI, True),
    ("other digits", "900 00 002", False),
    ("part of the name, in another case", "ØSTBY", True),
    ("a group", "vip", True),
    ("notes", "wednesdays", True),
    ("digits in the notes", "room 7", True),
    ("digits of the notes alone", "77", True),
    ("other words", "kari", False),
]


@pytest.mark.parametrize(("wanted", "found"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_how_they_are_looked_for(wanted: str, found: bool) -> None:
    entry = Entry(KARI, None, "Ola Østby", ("vip",), "", "Calls on Wednesdays, from room 77")
    assert fits(entry, wanted) is found
