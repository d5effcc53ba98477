"""What is done otherwise after calls, by other rules.

Follow-ups are compared by what they come to, wherever and in whichever order that is written, and whatever
the hours are called that they go by.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import msgspec

from router.core.conditions import Condition, Not, OpenIs, When
from router.core.followups import FollowUp, in_words
from router.core.numbers import NumberIndex
from router.core.regexes import RegexIndex
from router.core.ruleset import ClientRules, RuleSet


class OtherFollowUp(msgspec.Struct, frozen=True):
    """What is to be done otherwise after calls."""

    client: str
    name: str
    before: str
    """In words; empty where there is none. So is `after`."""
    after: str


def other_follow_ups(before: RuleSet, after: RuleSet) -> Iterator[OtherFollowUp]:
    """Of clients that both know, in the order of their ids."""
    for id in sorted(before.clients.keys() & after.clients.keys()):
        sides = [rules.clients[id] for rules in (before, after)]
        old, new = ({one.name: one for one in client.follow_ups.all} for client in sides)
        for name in {**old, **new}:
            found = [named.get(name) for named in (old, new)]
            meant = [one and _meaning(one, client) for one, client in zip(found, sides, strict=True)]
            if meant[0] != meant[1]:
                yield OtherFollowUp(id, name, *("" if one is None else in_words(one) for one in found))


def _meaning(follow_up: FollowUp, client: ClientRules) -> Hashable:
    back = follow_up.call_back
    by = client.hours[back.by].meaning if back and back.by else None
    return (
        _condition_meaning(follow_up.when, client),
        (follow_up.webhooks, follow_up.mails, follow_up.topics, follow_up.do_not_contact),
        back and (back.owner, by or back.within),
        client.follow_ups.language if follow_up.mails else "",
    )


def _condition_meaning(when: When, client: ClientRules) -> Hashable:
    return frozenset(frozenset(_one(condition, client) for condition in all_of) for all_of in when)


def _one(condition: Condition, client: ClientRules) -> Hashable:
    match condition:
        case OpenIs(names, wanted):
            return ("open", wanted, frozenset(client.hours[name].meaning for name in names))
        case Not(when):
            return ("not", _condition_meaning(when, client))
        case _:
            found: Hashable = without_places(condition, but="failure")
            return found


def without_places(value: Any, but: str = "") -> Any:
    """Rules for comparing: the same, wherever they are written; nor does the field `but` count."""
    if isinstance(value, msgspec.Struct):
        names = (name for name in value.__struct_fields__ if name not in ("place", but))
        return (type(value), *(without_places(getattr(value, name), but) for name in names))
    if isinstance(value, NumberIndex):
        return without_places(tuple(value.rows()), but)
    if isinstance(value, RegexIndex):
        return value.regexes
    if isinstance(value, Mapping):
        return without_places(tuple(value.items()), but)
    return tuple(without_places(one, but) for one in value) if isinstance(value, tuple) else value
