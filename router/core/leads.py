"""Where steps lead: rules in which a caller would go round in a circle, or `self` is nobody."""

from collections.abc import Iterator, Sequence

from router.core.layout import Written, all_steps, own_treatment, walk
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


def misled(doc: ClientDoc) -> Iterator[Misled]:
    """All of one client. What follows them can rely on plans to go forward only."""
    yield from _circles(doc)
    if SELF in doc.people:
        yield ("people", SELF), f"`{SELF}` is whoever a treatment is of; give this person another id"
    for path, step in all_steps(doc):
        if isinstance(step, RingStep) and PersonRef(SELF) in step.ring and path[0] != "people":
            what = f"`{SELF}` is nobody here, outside a person's own `do:`"
            yield (*path, "ring"), f"{what}; write the person's id"


def _circles(doc: ClientDoc) -> Iterator[Misled]:
    """Ways that never end, and those that are longer than anybody meant."""
    leads = {treatment: list(_leads(written)) for treatment, written in _treatments(doc)}
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


def _treatments(doc: ClientDoc) -> Iterator[tuple[_Treatment, Written]]:
    for number, route in enumerate(doc.routes):
        yield (GotoStep, route.name), (route.do, ("routes", number, "do"))
    for person in doc.people:
        yield (PersonStep, person), own_treatment(doc, person)


def _leads(written: Written) -> Iterator[tuple[Path, _Treatment]]:
    for path, step in walk(*written):
        if isinstance(step, GotoStep):
            yield (*path, "goto"), (GotoStep, step.goto)
        elif isinstance(step, PersonStep):
            yield (*path, "person"), (PersonStep, step.person)
