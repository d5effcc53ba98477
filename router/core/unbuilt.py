"""What rules may say and calls do not do yet: read, planned, tested and explained, but not carried out.

Each thing is warned of where it is written first, by name, with what happens instead. What gets built loses
its row here.
"""

from collections.abc import Iterator

from router.core.conditiondocs import ConditionDoc, ContactDoc
from router.core.layout import PathedSteps
from router.core.plan import Queue
from router.core.reading import CONTACTS
from router.core.schema import ClientDoc
from router.core.stepdocs import QueueStep
from router.core.written import Shape
from router.core.yamltext import Path

INSTEAD = {
    "queue": "calls go on with the next step",
    "contact": "no caller is a contact",
    "contacts": "no caller is a contact",
    "queue or agents": "a queue has nobody in it, neither waiting nor to answer",
}
"""What is not built -> what happens for now."""

PLANNED = (Queue,)
"""The same steps in a plan; each is called by its tag."""

_STEPS: dict[type[Shape], str] = {
    QueueStep: "queue",
}


def not_built(doc: ClientDoc, steps: PathedSteps) -> Iterator[tuple[Path, str]]:
    """Warnings on a client's document with all its `steps`: where in it, and `what; what happens instead`."""
    found: dict[str, list[Path]] = {}
    for path, what in _written(doc, steps):
        found.setdefault(what, []).append(path)
    for what, (first, *others) in found.items():
        more = f" (here and at {len(others)} more places)" if others else ""
        yield first, f"`{what}`{more} is not carried out by this version yet; {INSTEAD[what]}"


def _written(doc: ClientDoc, steps: PathedSteps) -> Iterator[tuple[Path, str]]:
    yield from _in_screening(doc)
    for path, step in steps:
        if type(step) in _STEPS:
            yield path, _STEPS[type(step)]
    for number, route in enumerate(doc.routes):
        for at, condition in enumerate(route.when):
            yield from ((("routes", number, "when", at), what) for what in _in_condition(condition))


def _in_screening(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    screening = doc.screening
    if CONTACTS in screening.entries:
        yield ("screening",), "contacts"
    for number, rule in enumerate(screening.block):
        for at, condition in enumerate(rule.when):
            path = ("screening", "block", number, "when", at)
            yield from ((path, what) for what in _in_condition(condition))


def _in_condition(condition: ConditionDoc) -> Iterator[str]:
    if any(isinstance(caller, ContactDoc) for caller in condition.caller or ()):
        yield "contact"
    if condition.queue is not None or condition.agents is not None:
        yield "queue or agents"
    for other in condition.not_ or ():
        yield from _in_condition(other)
