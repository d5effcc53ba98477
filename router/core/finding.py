"""Whom a caller finds in a directory, and what that person's own treatment is at this moment."""

from datetime import datetime

from router.core import keypad, openings
from router.core.callerlanguage import spoken_to
from router.core.decide import absent
from router.core.events import Found, PeopleFound, PersonChosen
from router.core.layout import Layout
from router.core.plan import CallPlan, ungreeted
from router.core.ruleset import ClientRules, PersonRules, RuleSet

MOST = 9
"""People that are told one by one, a key for each."""

NOBODY = CallPlan(())


def find_people(keys: str, client: str | None, rules: RuleSet) -> PeopleFound:
    """Who of the client's people goes by these keys, sorted by name."""
    known = rules.clients.get(client or "")
    if known is None:
        return PeopleFound(keys)
    matches = known.directory.find(keys, MOST)
    found = sorted(matches.people, key=lambda who: (known.people[who].name.casefold(), who))
    return PeopleFound(keys, tuple(Found(who, known.people[who].said) for who in found), matches.more)


def choose_person(
    person: str, client: str | None, rules: RuleSet, now: datetime, turn: int, language: str = ""
) -> PersonChosen:
    """What a call to the person's own number would meet at the instant `now` (aware), but for the client's
    greeting; nothing, where the rules have nobody of that id any more. `turn` says where rotating rounds
    begin, `language` how the caller is spoken to (callerlanguage.py)."""
    known = rules.clients.get(client or "")
    chosen = known.people.get(person) if known else None
    if known is None or chosen is None or chosen.treatment is None:
        return PersonChosen(person, NOBODY)
    return PersonChosen(person, met(chosen.treatment, known, now, turn, language))


def met(layout: Layout, client: ClientRules, now: datetime, turn: int, language: str = "") -> CallPlan:
    """What a caller meets who comes to it in the middle of a call."""
    away = absent(client, layout, lambda hours: client.hours[hours].is_open(now))
    plan = layout.present({name for name, _ in away}, turn)
    return openings.told(spoken_to(ungreeted(plan), language), client.hours, now)


def keys_to(person: PersonRules) -> str:
    """What a caller keys in who knows all of the person; empty where that finds nobody."""
    return person.extension or "".join(keypad.words(person.name))
