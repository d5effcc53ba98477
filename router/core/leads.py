"""Where steps lead: rules in which a caller would go round in a circle, or `self` is nobody."""

from collections.abc import Iterator, Mapping, Sequence

from router.core.layout import PathedSteps
from router.core.reading import SELF, PersonRef
from router.core.schema import ClientDoc
from router.core.stepdocs import GotoStep, PersonStep, RingStep
from router.core.written import Shape
from router.core.yamltext import Path

Misled = tuple[Path, str]
"""Where in the client's document, and `what is wrong; what to write instead`."""

LONGEST_WAY = 35
"""So many routes and people may lead on to one another: laying them out, each inside the one before, must not
outgrow Python's stack (yamltext.MAX_DEPTH bounds what each is itself)."""

MOST_NAMED = 5
"""Routes and people that are named of a circle."""

_Treatment = tuple[type[Shape], str]
"""What leads to some steps: `goto` and a route's name, or `person` and an id."""
_Lead = tuple[Path, _Treatment]
"""Where in the document something leads to it."""


def misled(doc: ClientDoc, steps: PathedSteps) -> Iterator[Misled]:
    """All of one client, among all `steps` of its document. What follows them can rely on plans to go
    forward only."""
    yield from _circles(_leads(doc, steps))
    if SELF in doc.people:
        yield ("people", SELF), f"`{SELF}` is whoever a treatment is of; give this person another id"
    for path, step in steps:
        if isinstance(step, RingStep) and PersonRef(SELF) in step.ring and path[0] != "people":
            what = f"`{SELF}` is nobody here, outside a person's own `do:`"
            yield (*path, "ring"), f"{what}; write the person's id"


def _circles(leads: Mapping[_Treatment, Sequence[_Lead]]) -> Iterator[Misled]:
    """Ways that never end, and those that are longer than anybody meant."""
    cleared: dict[_Treatment, int] = {}
    """How many treatments lie on the longest way from each, itself included."""
    for start in leads:
        way, onward = [start], [iter(leads[start])]
        passed = {start: 0}
        """Where in the way."""
        while way and start not in cleared:
            path, there = next(onward[-1], ((), None))
            if there is None:
                done = way.pop()
                onward.pop()
                del passed[done]
                cleared[done] = 1 + max((cleared.get(there, 0) for _, there in leads[done]), default=0)
                if cleared[done] == LONGEST_WAY:
                    what = f"more than {LONGEST_WAY} routes and people follow one another from here"
                    yield leads[done][0][0], f"{what}; shorten the way"
            elif there in passed:
                names = _names(way, passed[there])
                yield path, f"this leads in a circle, from {names}; let one of them end elsewhere"
            elif there not in cleared:
                passed[there] = len(way)
                way.append(there)
                onward.append(iter(leads[there]))


def _names(way: Sequence[_Treatment], first: int) -> str:
    """`a to b to a`: the circle that a way has come to, which begins at its place `first`."""
    names = [f"`{name}`" for _, name in way[first : first + MOST_NAMED]]
    more = len(way) - first - len(names)
    return " to ".join((*names, *[f"{more} more"] * (more > 0), names[0]))


def _leads(doc: ClientDoc, steps: PathedSteps) -> dict[_Treatment, list[_Lead]]:
    """Where each treatment leads. Of routes with the same name, which are refused later, it is the last's."""
    numbers = {route.name: number for number, route in enumerate(doc.routes)}
    whose: dict[Path, _Treatment] = {("routes", number): (GotoStep, name) for name, number in numbers.items()}
    whose |= {("people", person): (PersonStep, person) for person in doc.people}
    leads: dict[_Treatment, list[_Lead]] = {treatment: [] for treatment in whose.values()}
    for path, step in steps:
        treatment = whose.get(path[:2])
        if treatment is None:
            continue
        if isinstance(step, GotoStep):
            leads[treatment].append(((*path, "goto"), (GotoStep, step.goto)))
        elif isinstance(step, PersonStep):
            leads[treatment].append(((*path, "person"), (PersonStep, step.person)))
    return leads
