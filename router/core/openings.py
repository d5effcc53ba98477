"""When a client is open next, as a sentence that a caller hears."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from router.core.hours import Hours, beginning
from router.core.languages import catalogue_of
from router.core.languages.catalogue import Catalogue, Phrase, Tone
from router.core.phrases import phrase
from router.core.plan import CallPlan, PlanNode, SayHours, Speak, prompts_of, with_prompt

LOOKS = (timedelta(days=8), timedelta(days=60))
"""How far ahead the next change is looked for: first near by, where it mostly is."""


def sentence(hours: Hours, now: datetime, language: str, tone: Tone) -> Speak:
    """What is said of the hours at the instant `now` (aware)."""
    change = next_change(hours, now)
    is_open = hours.is_open(now)
    if change is None:
        return phrase(language, tone, Phrase.ALWAYS_OPEN if is_open else Phrase.CLOSED)
    here, then = now.astimezone(hours.zone), change.astimezone(hours.zone)
    catalogue = catalogue_of(language)
    time = catalogue.clock.say(then.hour, then.minute)
    if is_open and here.date() == then.date():
        return phrase(language, tone, Phrase.OPEN_UNTIL, time=time)
    which = Phrase.OPEN_UNTIL_DAY if is_open else Phrase.OPENS
    return phrase(language, tone, which, day=_day(here, then, catalogue), time=time)


def sentences(hours: Hours, start: datetime, end: datetime, language: str, tone: Tone) -> Iterator[Speak]:
    """All that is said of the hours from `start` on and before `end` (aware)."""
    day = start.astimezone(hours.zone).date()
    while (midnight := beginning(day := day + timedelta(days=1), hours.zone)) < end:
        yield sentence(hours, midnight, language, tone)
    for moment in (start, *hours.changes(start, end)):
        yield sentence(hours, moment, language, tone)


def told(plan: CallPlan, hours: Mapping[str, Hours], now: datetime) -> CallPlan:
    """The plan with what is said of the client's `hours` put into words of its language, as they are at the
    instant `now`."""
    if not any(isinstance(prompt, SayHours) for node in plan.nodes for prompt in prompts_of(node.step)):
        return plan
    return replace(plan, nodes=tuple(_told(node, hours, now, plan.language) for node in plan.nodes))


def _told(node: PlanNode, hours: Mapping[str, Hours], now: datetime, language: str) -> PlanNode:
    for prompt in prompts_of(node.step):
        if isinstance(prompt, SayHours):
            said = sentence(hours[prompt.hours], now, language or prompt.language, prompt.tone)
            return replace(node, step=with_prompt(node.step, said))
    return node


def next_change(hours: Hours, now: datetime) -> datetime | None:
    """When these hours change next after the instant `now` (aware); None where nobody knows."""
    for ahead in LOOKS:
        changes = hours.changes(now, now + ahead)
        if changes:
            return changes[0]
    return None


def _day(here: datetime, then: datetime, catalogue: Catalogue) -> str:
    days = (then.date() - here.date()).days
    if days < 2:
        return catalogue.tomorrow if days else catalogue.today
    weekday = catalogue.weekdays[then.weekday()]
    if days < 7:
        return weekday
    return catalogue.date.format(weekday=weekday, day=then.day, month=catalogue.months[then.month - 1])
