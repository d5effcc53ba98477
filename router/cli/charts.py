"""Stacked columns and bars as shapes on a grid, for a template to draw as SVG. All numbers are SVG's user
units, from the top left."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

WIDTH = 960.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 8.0, 22.0, 30.0
"""Margins of columns; labels are in those at the left and at the bottom."""
COLUMNS_HEIGHT = 260.0
LONGEST_NAME = 30
"""Letters of a name before a bar; what is longer is cut;"""
NUMBERS = 70.0
"""and how wide the numbers behind bars are."""
BAR = 30.0
"""How high a bar is, with the space to the next."""
LETTER, NAME_LETTER = 7.0, 8.0
"""How wide a letter is, at most on average; of the names before bars, which are larger."""
MOST_BARS = 20
GAP = 0.22
"""Of a column or bar, how much is the space to the next, at least."""
WIDEST = 60.0
"""How wide a column is, at most."""
MOST_TICKS = 5


class Part(NamedTuple):
    """One part of a column or bar."""

    series: int
    number: int


class Group(NamedTuple):
    """One column or bar."""

    name: str
    short: str
    """The name, where there is little room."""
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        return sum(part.number for part in self.parts)


class Rect(NamedTuple):
    """A part, drawn."""

    x: float
    y: float
    width: float
    height: float
    series: int
    number: int


class Label(NamedTuple):
    """A text at a place."""

    x: float
    y: float
    text: str


class Drawn(NamedTuple):
    """One column or bar, drawn."""

    name: str
    rects: tuple[Rect, ...]
    label: Label | None
    """Its name; None where there is no room."""
    total: Label | None
    """How much it is in all; None where there is no room."""


class Line(NamedTuple):
    """A line of the grid, and what it stands for."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: Label


class Chart(NamedTuple):
    """All that is drawn."""

    width: float
    height: float
    kind: str
    """`columns` or `bars`."""
    grid: tuple[Line, ...]
    drawn: tuple[Drawn, ...]


def columns(groups: Sequence[Group], width: float = WIDTH) -> Chart:
    """Standing, side by side."""
    base, inner = COLUMNS_HEIGHT - BOTTOM, COLUMNS_HEIGHT - TOP - BOTTOM
    ticks = _ticks(max((group.total for group in groups), default=0))
    scale = inner / ticks[-1]
    grid = []
    for tick in ticks:
        y = base - tick * scale
        grid.append(Line(LEFT, y, width - RIGHT, y, Label(LEFT - 8, y + 4, f"{tick:,}")))
    room = (width - LEFT - RIGHT) / max(len(groups), 1)
    thick, every = min(room * (1 - GAP), WIDEST), _every(groups, room)
    drawn = []
    for at, group in enumerate(groups):
        y, middle = base, LEFT + room * (at + 0.5)
        rects = []
        for part in group.parts:
            height = part.number * scale
            y -= height
            rects.append(Rect(middle - thick / 2, y, thick, height, *part))
        total = f"{group.total:,}"
        shows = group.total and room >= LETTER * len(total)
        drawn.append(
            Drawn(
                group.name,
                tuple(rect for rect in rects if rect.number),
                None if at % every else Label(middle, base + 18, group.short),
                Label(middle, y - 5, total) if shows else None,
            )
        )
    return Chart(width, COLUMNS_HEIGHT, "columns", tuple(grid), tuple(drawn))


def bars(groups: Sequence[Group], width: float = WIDTH) -> Chart:
    """Lying, one below the other; the first MOST_BARS."""
    groups = groups[:MOST_BARS]
    most = max((group.total for group in groups), default=0)
    longest = max((len(group.short) for group in groups), default=0)
    names = min(longest, LONGEST_NAME) * NAME_LETTER + 14
    scale = (width - names - NUMBERS) / max(most, 1)
    drawn = []
    for at, group in enumerate(groups):
        x, y = names, BAR * at
        rects = []
        for part in group.parts:
            length = part.number * scale
            rects.append(Rect(x, y + BAR * GAP / 2, length, BAR * (1 - GAP), *part))
            x += length
        text = y + BAR / 2 + 4
        drawn.append(
            Drawn(
                group.name,
                tuple(rect for rect in rects if rect.number),
                Label(names - 10, text, _cut(group.short)),
                Label(x + 8, text, f"{group.total:,}"),
            )
        )
    return Chart(width, BAR * max(len(groups), 1), "bars", (), tuple(drawn))


def _cut(text: str) -> str:
    too_long = len(text) > LONGEST_NAME
    return f"{text[: LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}" if too_long else text


def _every(groups: Sequence[Group], room: float) -> int:
    """Of how many columns one can have its name below it."""
    longest = max((len(group.short) for group in groups), default=0)
    return max(-(-int(longest * LETTER + 6) // max(int(room), 1)), 1)


def _ticks(most: int) -> list[int]:
    """Round numbers from 0 to one that is at least so much, and at least 1."""
    return next(ticks for step in _steps() if (ticks := _up_to(most, step)))


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _up_to(most: int, step: int) -> list[int]:
    count = max(-(-most // step), 1)
    return [step * number for number in range(count + 1)] if count <= MOST_TICKS else []
