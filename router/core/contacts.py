"""Contacts: whom a client knows by number.

An entry of the address book is one client's, or all clients have it. For a call the client's own counts, and
else the one that all have; nothing is put together of the two. One person with two numbers is two entries.
"""

from collections.abc import Iterable

import msgspec

from router.core.reading import read_language

MOST_CONTACTS = 500_000
"""Entries that a table may have."""
LONGEST_NAME = 80
LONGEST_GROUP = 40
MOST_GROUPS = 20
LONGEST_NOTES = 2000
MOST_NOTE_LINES = 15
"""A table has them in one cell, and reads no longer ones (tables.MOST_LINES)."""
BETWEEN = ",;"
"""What stands between groups that are written in one text."""


class Contact(msgspec.Struct, frozen=True, gc=False):
    """What a call needs to know of one. A router has a hundred thousand of them in memory."""

    name: str = ""
    groups: frozenset[str] = frozenset()
    language: str = ""
    """Its code, as in `nb`; empty where nothing is known of it."""


class Entry(msgspec.Struct, frozen=True):
    """One, as the address book has it."""

    number: str
    """E.164."""
    client: str | None = None
    """None: all clients have it."""
    name: str = ""
    groups: tuple[str, ...] = ()
    language: str = ""
    notes: str = ""


def in_groups(groups: Iterable[str] | None) -> Contact | None:
    """A contact of whom only the groups are known; None for a stranger."""
    return None if groups is None else Contact(groups=frozenset(groups))


def known_as(entries: Iterable[Entry], number: str, client: str) -> Contact | None:
    """Whom a client knows by a number (E.164)."""
    found = {entry.client: entry for entry in entries if entry.number == number}
    entry = found.get(client) or found.get(None)
    return Contact(entry.name, frozenset(entry.groups), entry.language) if entry else None


def with_name(number: str, name: str) -> str:
    """A caller for people: with the name where there is one; empty of who withholds the number."""
    return f"{name} ({number})" if name else number


def read_name(text: str) -> str:
    """A name, without what cannot be printed. ValueError says what is wrong, here and below, as `what; what
    to write instead`."""
    name = " ".join(_printed(text).split())
    if len(name) > LONGEST_NAME:
        raise ValueError(f"this name has {len(name)} characters; write at most {LONGEST_NAME}")
    return name


def read_groups(texts: Iterable[str]) -> tuple[str, ...]:
    """Groups, of texts that each name one or several; each once, in the order written."""
    separated = (text.translate(str.maketrans(BETWEEN, "\n" * len(BETWEEN))) for text in texts)
    written = (" ".join(_printed(one).split()) for text in separated for one in text.split("\n"))
    groups = tuple(dict.fromkeys(filter(None, written)))
    for group in groups:
        if len(group) > LONGEST_GROUP:
            raise ValueError(
                f"the name of a group has {len(group)} characters; write at most {LONGEST_GROUP}"
            )
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"{len(groups)} groups are too many; write at most {MOST_GROUPS}")
    return groups


def read_spoken(text: str) -> str:
    """The code of a language, or nothing."""
    text = text.strip()
    return read_language(text) if text else ""


def read_notes(text: str) -> str:
    """Lines of notes, without what cannot be printed."""
    lines = [_printed(line).rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    notes = "\n".join(lines).strip()
    if len(notes) > LONGEST_NOTES:
        raise ValueError(f"these notes have {len(notes)} characters; write at most {LONGEST_NOTES}")
    if notes.count("\n") >= MOST_NOTE_LINES:
        raise ValueError(
            f"these notes have {notes.count(chr(10)) + 1} lines; write at most {MOST_NOTE_LINES}"
        )
    return notes


def fits(entry: Entry, wanted: str) -> bool:
    """Whether what somebody looks for is in it: in its number, however that is written, or in its words,
    whatever the case."""
    digits = "".join(filter(str.isdigit, wanted))
    if digits and not any(map(str.isalpha, wanted)) and digits in entry.number:
        return True
    words = "\n".join((entry.name, *entry.groups, entry.notes, entry.number))
    return wanted.casefold() in words.casefold()


def _printed(text: str) -> str:
    """The text with blanks for what is none, and without what else cannot be printed."""
    return "".join(one if one.isprintable() else " " for one in text if one.isprintable() or one.isspace())
