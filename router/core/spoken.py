"""Every text that a client's callers may hear: what has to be made into prompts before a call needs it."""

from collections.abc import Iterator
from datetime import datetime

from router.core import featurecodes, supervising
from router.core.callerlanguage import in_language
from router.core.languages.catalogue import Phrase, Tone
from router.core.layout import Layout
from router.core.openings import sentences
from router.core.phrases import DIGITS, phrase, spelled, whispers
from router.core.plan import (
    OWN_RECORDINGS,
    Callback,
    Challenge,
    Directory,
    Menu,
    Message,
    PlanNode,
    Prompt,
    Queue,
    Ring,
    Say,
    SayHours,
    Speak,
    Step,
    Whisper,
    prompts_of,
)
from router.core.ruleset import ClientRules, RuleSet
from router.core.steps import directory, message
from router.core.steps.queue import announcements


def texts(rules: RuleSet) -> dict[Speak, str]:
    """All texts but those of hours, each with where in the rules it is first written."""
    found: dict[Speak, str] = {}
    for client in rules.clients.values():
        for prompt, place in _written(client):
            if isinstance(prompt, Speak):
                found.setdefault(prompt, place)
        for node in nodes(client):
            for text in _said_by(node):
                found.setdefault(text, node.place)
        if client.take is not None:
            found.setdefault(client.take, client.place)
        for queue in client.queues.values():
            for text in featurecodes.texts(client, queue):
                found.setdefault(text, queue.place)
        for name, queue in client.queues.items():
            supervised = name in client.supervisors
            for text in supervising.texts(queue.language, queue.tone, supervised=supervised):
                found.setdefault(text, queue.place)
    return found


def recordings(rules: RuleSet) -> dict[str, str]:
    """The names of all files that were recorded for the router, each with where it is first written."""
    found: dict[str, str] = {}
    for client in rules.clients.values():
        for prompt, place in _written(client):
            if isinstance(prompt, Say) and prompt.media.startswith(OWN_RECORDINGS):
                found.setdefault(prompt.media.removeprefix(OWN_RECORDINGS), place)
    return found


def of_hours(rules: RuleSet, start: datetime, end: datetime, language: str = "") -> dict[Speak, str]:
    """What is said of clients' hours from `start` on and before `end` (aware), with where that is written; in
    the clients' languages, or in the one that is given."""
    found: dict[Speak, str] = {}
    for client in rules.clients.values():
        told: dict[tuple[str, str, Tone], str] = {}
        for prompt, place in _written(client):
            if isinstance(prompt, SayHours):
                told.setdefault((prompt.hours, language or prompt.language, prompt.tone), place)
        for (hours, spoken, tone), place in told.items():
            for text in sentences(client.hours[hours], start, end, spoken, tone):
                found.setdefault(text, place)
    return found


def _written(client: ClientRules) -> Iterator[tuple[Prompt, str]]:
    """Every prompt that stands in the client's rules, with where."""
    for node in nodes(client):
        yield from ((prompt, node.place) for prompt in prompts_of(node.step))
    for person in client.people.values():
        yield from ((prompt, person.place) for prompt in person.said)


def nodes(client: ClientRules) -> Iterator[PlanNode]:
    """Every step that any call to the client may come to."""
    yield from client.screening.refusal
    for rule in client.screening.block:
        yield from rule.plan.nodes
    for exception in client.exceptions:
        if exception.say is not None:
            yield exception.say
    for layout in _layouts(client):
        yield from layout.plan.nodes


def _layouts(client: ClientRules) -> Iterator[Layout]:
    yield from (one.layout for one in client.exceptions if one.layout is not None)
    yield from (person.treatment for person in client.people.values() if person.treatment is not None)
    yield from (person.by_transfer for person in client.people.values() if person.by_transfer is not None)
    yield from (route.layout for route in client.routes)
    yield client.no_route


def _said_by(node: PlanNode) -> Iterator[Speak]:
    """What the step says beside what is written in it."""
    yield from _said_to_callers(node.step)
    if isinstance(node.step, Ring | Queue):
        for whisper in (one for one in node.step.texts if isinstance(one, Whisper)):
            yield from whispers(whisper)
    if isinstance(node.step, Queue) and node.step.rules.keeps is not None:
        queue = node.step.rules
        yield phrase(queue.language, queue.tone, Phrase.NOT_REACHED)
        yield from whispers(node.step.rules.keeps.calls_back)


def _said_to_callers(step: Step, language: str = "") -> Iterator[Speak]:
    """What callers hear in a step of the product's own; in its own language, or in the one that is given."""
    match step:
        case Queue():
            own, tone = language or step.rules.language, step.rules.tone
            yield from announcements(step, own)
            if step.rules.keeps is not None:
                yield phrase(own, tone, Phrase.PLACE_KEPT)
                yield from _said_of_numbers(own, tone)
        case Menu(language=own, tone=tone):
            yield phrase(language or own, tone, Phrase.NO_SUCH_KEY)
        case Challenge(language=own, tone=tone):
            yield phrase(language or own, tone, Phrase.NO_SUCH_KEY)
            yield from (phrase(language or own, tone, Phrase.PRESS_KEY, key=key) for key in DIGITS)
        case Message(language=own, tone=tone) | Callback(language=own, tone=tone):
            yield from (phrase(language or own, tone, which) for which in message.PHRASES[type(step)])
            yield from _said_of_numbers(language or own, tone)
        case Directory(own, tone):
            yield from (phrase(language or own, tone, which) for which in directory.PHRASES)
            for which, keys in directory.OF_KEYS.items():
                yield from (phrase(language or own, tone, which, key=key) for key in keys)
        case _:
            pass


def in_other_language(rules: RuleSet, language: str, start: datetime, end: datetime) -> set[Speak]:
    """All that callers hear of the product's own who are spoken to in that language; of hours, what is said
    from `start` on and before `end` (aware)."""
    found = set(of_hours(rules, start, end, language))
    for client in rules.clients.values():
        for node in nodes(client):
            found.update(_said_to_callers(node.step, language))
            if isinstance(node.step, Speak) and (said := in_language(node.step, language)) != node.step:
                found.add(said)
    return found


def _said_of_numbers(language: str, tone: Tone) -> Iterator[Speak]:
    """To who says at which number to call back."""
    yield from (phrase(language, tone, which) for which in message.OF_NUMBERS)
    yield from spelled(language, f"+{DIGITS}")
