"""Names as they are keyed in: letters -> keys, and people found by them.

A name is found by any of its words, first or last name, and by as few letters of it as tell people apart.
Who knows more may go on with the words that follow, in the name's order and round again: of twenty Hansens,
`hansenkari` is one. Marks are left out, and letters that have none to leave out go to the keys of those that
stand for them; Cyrillic ones to the keys where Bulgarian phones have them.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

_KEYS = {
    "2": "abcабвг",
    "3": "defдежз",
    "4": "ghiийкл",
    "5": "jklмно",
    "6": "mnoпрс",
    "7": "pqrsтуф",
    "8": "tuvхцч",
    "9": "wxyzшщъыьэюя",
}
_INSTEAD = {"æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
"""Letters that are no others with a mark, and those that stand for them."""
_KEY_OF = {letter: key for key, letters in _KEYS.items() for letter in letters}
_TABLE = str.maketrans(
    _KEY_OF | {letter: "".join(map(_KEY_OF.__getitem__, others)) for letter, others in _INSTEAD.items()}
)
_ROW = re.compile("[0-9]+")
_WITHIN_WORDS = "'’"
_AFTER = ":"
"""Sorts after all digits."""


def words(name: str) -> tuple[str, ...]:
    """The words of a name, each as keys."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(
        letter for letter in letters if not unicodedata.combining(letter) and letter not in _WITHIN_WORDS
    )
    return tuple(_ROW.findall(plain.translate(_TABLE)))


class Matches(NamedTuple):
    """Who goes by some keys."""

    people: tuple[str, ...]
    """Their ids; nobody's, where there are"""
    more: bool
    """more than were wanted."""


class Index(msgspec.Struct, frozen=True):
    """People by what is keyed in, sorted once, so that five thousand are found as fast as five."""

    rows: tuple[str, ...] = ()
    """Names from each of their words on, as keys, sorted;"""
    first: tuple[int, ...] = ()
    """how long the first word of each is,"""
    people: tuple[str, ...] = ()
    """and whose it is."""
    extensions: Mapping[str, str] = {}

    @classmethod
    def of(cls, people: Iterable[tuple[str, str, str]]) -> "Index":
        """Of ids, names and extensions; either may be empty."""
        found = list(people)
        rows = sorted(row for who, name, _ in found for row in _rows(who, words(name)))
        extensions = {extension: who for who, _, extension in found if extension}
        return cls(
            tuple(row for row, _, _ in rows),
            tuple(first for _, first, _ in rows),
            tuple(who for _, _, who in rows),
            extensions,
        )

    def find(self, keys: str, most: int) -> Matches:
        """Who has this extension; else those a word of whose name begins so, else those whose name goes on
        so from a word of it."""
        if keys in self.extensions:
            return Matches((self.extensions[keys],), more=False)
        rows = range(bisect_left(self.rows, keys), bisect_left(self.rows, keys + _AFTER))
        by_word = (at for at in rows if self.first[at] >= len(keys))
        found = self._people(by_word, most) or self._people(rows, most)
        return Matches((), more=True) if len(found) > most else Matches(tuple(found), more=False)

    def _people(self, rows: Iterable[int], most: int) -> dict[str, None]:
        """Each once; one more than `most` is enough."""
        found: dict[str, None] = {}
        for at in rows:
            found[self.people[at]] = None
            if len(found) > most:
                break
        return found


def _rows(who: str, name: tuple[str, ...]) -> Iterable[tuple[str, int, str]]:
    for at, word in enumerate(name):
        yield "".join(name[at:] + name[:at]), len(word), who
