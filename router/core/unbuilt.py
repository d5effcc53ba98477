"""What rules may say and calls do not do yet: read, planned, tested and explained, but not carried out.

Each thing is warned of where it is written first, by name, with what happens instead. What gets built loses
its row here.
"""

from collections.abc import Iterator

from router.core.conditiondocs import ConditionDoc, ContactDoc
from router.core.layout import all_steps
from router.core.reading import CONTACTS
from router.core.schema import ClientDoc
from router.core.screeningdocs import ChallengeTreatment, SayTreatment
from router.core.stepdocs import (
    CallbackStep,
    DirectoryStep,
    MenuStep,
    MessageStep,
    NumberDoc,
    QueueStep,
    RingStep,
    SayStep,
)
from router.core.written import Shape
from router.core.yamltext import Path

INSTEAD = {
    "menu": "calls go on as if no key were pressed",
    "directory": "calls go on as if nobody were found",
    "queue": "calls go on with the next step",
    "message": "calls go on with the next step",
    "callback": "calls go on with the next step",
    "say": "calls go on without it; give a recorded file, `{file: NAME}`",
    "greeting": "calls go on without it; give a recorded file, `{file: NAME}`",
    "challenge": "these callers are declined",
    "confirm": "whoever answers has the call at once",
    "announce": "whoever answers has the call at once",
    "contact": "no caller is a contact",
    "contacts": "no caller is a contact",
    "queue or agents": "a queue has nobody in it, neither waiting nor to answer",
}
"""What is not built -> what happens for now."""

_STEPS: dict[type[Shape], str] = {
    MenuStep: "menu",
    DirectoryStep: "directory",
    QueueStep: "queue",
    MessageStep: "message",
    CallbackStep: "callback",
}


def not_built(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    """Warnings: where in the client's document, and `what; what happens instead`."""
    found: dict[str, list[Path]] = {}
    for path, what in _written(doc):
        found.setdefault(what, []).append(path)
    for what, (first, *others) in found.items():
        more = f" (here and at {len(others)} more places)" if others else ""
        yield first, f"`{what}`{more} is not carried out by this version yet; {INSTEAD[what]}"


def _written(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    if isinstance(doc.greeting, str):
        yield ("greeting",), "greeting"
    yield from _in_screening(doc)
    for number, exception in enumerate(doc.exceptions):
        if isinstance(exception.say, str):
            yield ("exceptions", number, "say"), "say"
    for name, person in doc.people.items():
        if any(isinstance(one, NumberDoc) and one.confirm for one in person.rings):
            yield ("people", name, "rings"), "confirm"
    for path, step in all_steps(doc):
        yield from ((path, what) for what in _in_step(step))
    for number, route in enumerate(doc.routes):
        for at, condition in enumerate(route.when):
            yield from ((("routes", number, "when", at), what) for what in _in_condition(condition))


def _in_screening(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    screening = doc.screening
    match screening.treatment:
        case SayTreatment(say=str()):
            yield ("screening", "treatment", "say"), "say"
        case ChallengeTreatment():
            yield ("screening", "treatment"), "challenge"
        case _:
            pass
    if CONTACTS in screening.entries:
        yield ("screening",), "contacts"
    for number, rule in enumerate(screening.block):
        for at, condition in enumerate(rule.when):
            path = ("screening", "block", number, "when", at)
            yield from ((path, what) for what in _in_condition(condition))


def _in_step(step: Shape) -> Iterator[str]:
    if type(step) in _STEPS:
        yield _STEPS[type(step)]
    match step:
        case SayStep(say=str()):
            yield "say"
        case RingStep(confirm=confirm, announce=announce, ring=targets):
            if confirm or any(isinstance(one, NumberDoc) and one.confirm for one in targets):
                yield "confirm"
            if announce is not None:
                yield "announce"
        case _:
            pass


def _in_condition(condition: ConditionDoc) -> Iterator[str]:
    if any(isinstance(caller, ContactDoc) for caller in condition.caller or ()):
        yield "contact"
    if condition.queue is not None or condition.agents is not None:
        yield "queue or agents"
    for other in condition.not_ or ():
        yield from _in_condition(other)
