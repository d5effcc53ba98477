"""How many: `0`, `>5`, `<=2`, as conditions ask it."""

import re
from collections.abc import Callable

import msgspec

_COUNT = re.compile(r"(>=|<=|>|<|)\s*([0-9]{1,6})")


class Count(msgspec.Struct, frozen=True):
    """A range of whole numbers. Build it with `parse`."""

    least: int
    most: int | None
    text: str

    @classmethod
    def parse(cls, text: str) -> "Count":
        """Count: a whole number, alone or after `>`, `>=`, `<` or `<=`.

        ValueError says what to write.
        """
        found = _COUNT.fullmatch(text)
        if found is None:
            raise ValueError(f'`{text[:80]}` is no count; write it as in 0, ">5" or "<=2"')
        least, most = _RANGES[found.group(1)](int(found.group(2)))
        if most is not None and most < 0:
            raise ValueError(f"nothing is `{text}`; write 0")
        return cls(least, most, text)

    def holds(self, number: int) -> bool:
        return self.least <= number and (self.most is None or number <= self.most)

    def __str__(self) -> str:
        return self.text


_RANGES: dict[str, Callable[[int], tuple[int, int | None]]] = {
    "": lambda number: (number, number),
    ">": lambda number: (number + 1, None),
    ">=": lambda number: (number, None),
    "<": lambda number: (0, number - 1),
    "<=": lambda number: (0, number),
}

LOOKS = {Count.parse: _COUNT}
"""Reader -> what the texts that it takes look like (jsonschema.LOOKS)."""
