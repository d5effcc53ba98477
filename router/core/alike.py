"""Number patterns compared with many others at once.

Patterns that begin alike, `+47x0000001` and `+47x0000002`, can only be told apart one by one, and with ten
thousand of them that would take a decision milliseconds and a load minutes. Here each pattern is a bit. For
each place in a number, and each digit, one integer has the bits of all patterns that can have it there; what
is left when these are and-ed along a pattern's text overlaps it. So a comparison with all costs some fifteen
operations on integers, however many wildcards there are and wherever they stand.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

LONGEST = 21
"""Characters of a pattern's text, a plus and what phonenumbers knows of longest numbers; and one more, to see
that it ends."""

_SOME, _END = "some", "end"
"""What stands for any digit, and for the end of a number, at a place; beside digits, and `x` for those that
take any digit there."""


class Alike:
    """Patterns in order, as E.164 text."""

    __slots__ = ("_places",)

    def __init__(self, texts: Sequence[str]) -> None:
        found: dict[tuple[int, str], bytearray] = defaultdict(lambda: bytearray(len(texts) // 8 + 1))
        for number, text in enumerate(texts):
            byte, bit = number >> 3, 1 << (number & 7)
            for at in _kept(text):
                found[at][byte] |= bit
        self._places: tuple[dict[str, int], ...] = tuple({} for _ in range(LONGEST))
        for (place, char), bits in found.items():
            self._places[place][char] = int.from_bytes(bits, "little")

    def overlapping(self, text: str, among: int = -1) -> int:
        """The bits, `among` those given, of the patterns that have a number in common with this one."""
        left = among
        body = text.removesuffix("*")
        for place, char in zip(self._places, body, strict=False):
            if char == "x":
                left &= place.get(_SOME, 0)
            else:
                left &= place.get(char, 0) | place.get("x", 0)
            if not left:
                return 0
        return left if body != text else left & self._places[len(body)].get(_END, 0)


def _kept(text: str) -> Iterator[tuple[int, str]]:
    """The places, and what is at each, under which a pattern is kept."""
    body = text.removesuffix("*")
    for at, char in enumerate(body):
        yield at, char
        yield at, _SOME
    yield len(body), _END
    for at in range(len(body), LONGEST) if body != text else ():
        yield from ((at, "x"), (at, _SOME), (at, _END))


def first_of(bits: int) -> int:
    """The place in order of the first bit; `bits` is not 0."""
    return (bits & -bits).bit_length() - 1
