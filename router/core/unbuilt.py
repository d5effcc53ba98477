"""What rules may say and calls do not do yet: read, planned, tested and explained, but not carried out.

Each thing is warned of where it is written first, by name, with what happens instead. What gets built loses
its row here.
"""

from collections.abc import Iterator

from router.core.conditiondocs import ConditionDoc, ContactDoc
from router.core.reading import CONTACTS
from router.core.schema import ClientDoc
from router.core.yamltext import Path

INSTEAD = {
    "contact": "no caller is a contact",
    "contacts": "no caller is a contact",
}
"""What is not built -> what happens for now."""


def not_built(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    """Warnings on a client's document: where in it, and `what; what happens instead`."""
    found: dict[str, list[Path]] = {}
    for path, what in _written(doc):
        found.setdefault(what, []).append(path)
    for what, (first, *others) in found.items():
        more = f" (here and at {len(others)} more places)" if others else ""
        yield first, f"`{what}`{more} is not carried out by this version yet; {INSTEAD[what]}"


def _written(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    yield from _in_screening(doc)
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
    for other in condition.not_ or ():
        yield from _in_condition(other)
