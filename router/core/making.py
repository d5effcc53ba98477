"""Single steps as written -> as they are in a plan; where each goes on is layout.py's.

To add a step: its row in `MAKERS`.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from router.core.languages.catalogue import Phrase
from router.core.lengths import DAY
from router.core.phrases import phrase
from router.core.plan import (
    CALLER,
    NAME,
    WAITED,
    AsteriskQueue,
    Callback,
    Delivery,
    Dialplan,
    Directory,
    HangUp,
    KeptPlace,
    Menu,
    Message,
    Prompt,
    Queue,
    QueueRules,
    Refuse,
    Ring,
    Say,
    SayHours,
    SetTags,
    SetVariables,
    Speak,
    Step,
    Target,
    Whisper,
)
from router.core.reading import PersonRef
from router.core.schema import ClientDoc, QueueDoc, agents_of
from router.core.speechtexts import CLIENT, HOURS
from router.core.stepdocs import (
    AsteriskQueueStep,
    CallbackStep,
    DeclineStep,
    DialplanStep,
    DirectoryStep,
    HangupStep,
    MenuStep,
    MessageDoc,
    MessageStep,
    NumberDoc,
    QueueStep,
    RingStep,
    SayFile,
    SayStep,
    SetStep,
    TagStep,
)
from router.core.written import Shape

Rounds = tuple[tuple[Target, ...], ...]
Phones = Mapping[str, tuple[Target, ...]]
"""Person's id -> what rings."""

MOST_PHONES = 500
"""Phones that one step may ring, all rounds together."""


class Given(NamedTuple):
    """What a step is made with, beside what is written of it."""

    doc: ClientDoc
    phones: Phones
    rounds: Rounds
    """Of a ring step, who is rung; of any other, none."""


def distinct(rounds: Rounds) -> Rounds:
    """Each phone at most once a round, and no round without a phone."""
    return tuple(tuple(_by_phone(targets).values()) for targets in rounds if targets)


def _by_phone(targets: tuple[Target, ...]) -> dict[str, Target]:
    first: dict[str, Target] = {}
    for target in targets:
        first.setdefault(target.dial, target)
    return first


def rounds_of(step: RingStep, phones: Phones, doc: ClientDoc) -> Rounds:
    """Who is rung, round after round; ValueError where that is more than MOST_PHONES."""
    asks = None if step.confirm is None else step.confirm is not False
    entries = tuple(_targets(target, phones, doc) for target in step.ring)
    if sum(map(len, entries)) > MOST_PHONES:
        raise ValueError(f"this step would ring more than {MOST_PHONES} phones; name fewer")
    entries = tuple(_asking(targets, asks) for targets in entries)
    return (tuple(chain.from_iterable(entries)),) if step.order == "all" else entries


def _targets(target: Target | PersonRef | NumberDoc, phones: Phones, doc: ClientDoc) -> tuple[Target, ...]:
    return phones[target.id] if isinstance(target, PersonRef) else (phone(target, doc),)


def _asking(targets: tuple[Target, ...], confirm: bool | None) -> tuple[Target, ...]:
    """What a ring step says of `confirm` outranks what is said of each phone."""
    if confirm is None:
        return targets
    return tuple(msgspec.structs.replace(target, confirm=confirm) for target in targets)


def phone(written: Target | NumberDoc, doc: ClientDoc) -> Target:
    """One phone, by what is written."""
    if isinstance(written, Target):
        return written
    asks = whisper(written.confirm, doc) if isinstance(written.confirm, str) else written.confirm
    return msgspec.structs.replace(written.number, confirm=asks)


def prompt(spoken: str | SayFile, doc: ClientDoc) -> Prompt:
    """What is heard, by what is written. Of several hours the first are told."""
    if isinstance(spoken, SayFile):
        return Say(spoken.file)
    if spoken == HOURS:
        return SayHours(next(iter(doc.hours)), doc.language, doc.tone)
    return Speak(spoken, doc.language)


def whisper(text: str, doc: ClientDoc) -> Speak | Whisper:
    """What who is rung hears, by what is written."""
    text = text.replace(CLIENT, doc.name)
    told = any(place in text for place in (CALLER, WAITED, NAME))
    return Whisper(text, doc.language, doc.country) if told else Speak(text, doc.language)


def _say(step: SayStep, given: Given) -> Step:
    return prompt(step.say, given.doc)


def _menu(step: MenuStep, given: Given) -> Step:
    doc = given.doc
    said = step.menu.say
    asked = None if said is None else prompt(said, doc)
    return Menu(asked, tuple(step.menu.choices), doc.language, doc.tone)


def _directory(step: DirectoryStep, given: Given) -> Step:
    return Directory(given.doc.language, given.doc.tone)


def _ring(step: RingStep, given: Given) -> Step:
    doc, rounds = given.doc, given.rounds
    announce = _announced(step.announce, doc)
    take = _taken(step.confirm, chain.from_iterable(rounds), doc)
    music = doc.music if doc.while_ringing == "music" else ""
    ring_for = float(step.ring_for.seconds)
    return Ring(distinct(rounds), ring_for, music, confirm=take, announce=announce)


def _announced(spoken: str | SayFile | None, doc: ClientDoc) -> Prompt | Whisper | None:
    """What whoever answers hears first, by what is written."""
    heard = None if spoken is None else prompt(spoken, doc)
    return whisper(heard.text, doc) if isinstance(heard, Speak) else heard


def _taken(confirm: object, targets: Iterable[Target], doc: ClientDoc) -> Prompt | Whisper | None:
    """What who is to press 1 hears, if anybody is."""
    if not any(target.asks for target in targets):
        return None
    if isinstance(confirm, str):
        return whisper(confirm, doc)
    return taking(doc)


def taking(doc: ClientDoc) -> Speak:
    """What who is to press 1 hears, where nothing else is written."""
    return phrase(doc.language, doc.tone, Phrase.TAKE_CALL, client=doc.name)


def _queue(step: QueueStep, given: Given) -> Step:
    doc, rules = given.doc, queue_rules(step.queue, given.doc)
    written = doc.queues[step.queue]
    phones = {agent: tuple(_by_phone(given.phones[agent]).values()) for agent in rules.agents}
    return Queue(
        step.queue,
        rules.agents,
        float(step.wait_for.seconds),
        step.front,
        phones,
        rules,
        _later(written),
        tuple(step.needs.items()),
        None if step.relax is None else float(step.relax.seconds),
        confirm=_taken(None, chain.from_iterable(phones.values()), doc),
        announce=_announced(written.whisper, doc),
    )


def _kept(queue: QueueDoc, doc: ClientDoc) -> KeptPlace | None:
    """How callers of a queue keep their place, if they can."""
    if queue.callback_key is None:
        return None
    told = phrase(doc.language, doc.tone, Phrase.CALLS_BACK, client=doc.name, caller=CALLER)
    wish = Callback((), doc.language, doc.tone, _delivery((), doc))
    whisper = Whisper(told.text, told.language, doc.country)
    return KeptPlace(queue.callback_key, wish, whisper, queue.callback_within.seconds)


def _asterisk_queue(step: AsteriskQueueStep, given: Given) -> Step:
    return AsteriskQueue(step.queue.asterisk, float(step.wait_for.seconds), step.queue.answer)


def _later(queue: QueueDoc) -> dict[str, float]:
    """The agents of tiers, each with the shortest time; who is an agent anyway needs none."""
    tiers = sorted(queue.tiers, key=lambda tier: -tier.after.seconds)
    after = {agent: float(tier.after.seconds) for tier in tiers for agent in tier.agents}
    return {agent: seconds for agent, seconds in after.items() if agent not in queue.agents}


def queue_rules(name: str, doc: ClientDoc, place: str = "") -> QueueRules:
    """How a client's queue is served, by what is written."""
    written = doc.queues[name]
    return QueueRules(
        place,
        agents_of(written),
        written.strategy,
        written.ring_for.seconds,
        written.wrap_up.seconds,
        written.pause_after,
        written.max_waiting,
        written.announce.position,
        written.announce.wait,
        written.announce.every.seconds,
        written.music,
        doc.language,
        doc.tone,
        _kept(written, doc),
    )


def _message(step: MessageStep, given: Given) -> Step:
    doc = given.doc
    written = step.message or MessageDoc()
    say = None if written.say is None else prompt(written.say, doc)
    longest, shortest = (float(one.seconds) for one in (doc.messages.longest, doc.messages.shortest))
    return Message(written.to, say, doc.language, doc.tone, longest, shortest, _delivery(written.to, doc))


def _callback(step: CallbackStep, given: Given) -> Step:
    doc = given.doc
    to = step.callback.to if step.callback else ()
    return Callback(to, doc.language, doc.tone, _delivery(to, doc))


def _delivery(to: tuple[str, ...], doc: ClientDoc) -> Delivery:
    """To those whom it is for, as far as they have addresses; else to the client's."""
    theirs = tuple(dict.fromkeys(chain.from_iterable(doc.people[person].mail for person in to)))
    keep = doc.messages.keep.seconds // DAY
    return Delivery(theirs or doc.messages.mail, doc.messages.webhook or "", keep)


def _tag(step: TagStep, given: Given) -> Step:
    return SetTags(step.tag)


def _set(step: SetStep, given: Given) -> Step:
    return SetVariables(tuple(step.set.items()))


def _decline(step: DeclineStep, given: Given) -> Step:
    return Refuse(step.treatment)


def _hangup(step: HangupStep, given: Given) -> Step:
    return HangUp()


def _dialplan(step: DialplanStep, given: Given) -> Step:
    return Dialplan(step.dialplan.context, step.dialplan.extension)


MAKERS: dict[type[Shape], Callable[[Any, Given], Step]] = {
    SayStep: _say,
    MenuStep: _menu,
    DirectoryStep: _directory,
    RingStep: _ring,
    QueueStep: _queue,
    AsteriskQueueStep: _asterisk_queue,
    MessageStep: _message,
    CallbackStep: _callback,
    TagStep: _tag,
    SetStep: _set,
    DeclineStep: _decline,
    HangupStep: _hangup,
    DialplanStep: _dialplan,
}
"""Steps that are positions of their own; `person` and `goto` only lead to others."""
