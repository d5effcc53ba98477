"""Block rules that no call meets, and why: for proof.py, which has seen all calls there can be.

A rule of which something else is always true first is only said to be idle if that is so however often a
caller has called: of two rules that count calls, the calls looked at show just some of what can be.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from router.core.conditions import Moment, MoreThan, Until
from router.core.facts import Facts
from router.core.ruleset import ClientRules
from router.core.screening import BlockRule, find, screen
from router.core.times import Rate
from router.core.trace import TraceRow

ALLOW = ""
"""In place of a rule's name."""


def idle(
    client: ClientRules, rules: Sequence[BlockRule], calls: Iterable[Facts], start: datetime, soon: str
) -> Iterator[tuple[BlockRule, str]]:
    """What to say of those of a client's block rules that none of `calls`, all from `start` on, has met."""
    past = {rule.name for rule in rules if _is_past(rule, start)}
    waiting = [rule for rule in rules if rule.name not in past and not _is_empty(rule)]
    takers = _takers(client, waiting, calls) if waiting else {}
    by_name = {rule.name: rule for rule in client.screening.block}
    for rule in rules:
        what = f"block rule `{rule.name}`"
        if rule.name in past:
            yield rule, f"{what} is past its `until:`; remove it"
        elif rule in waiting and all(_always(rule, by_name.get(name)) for name in takers[rule.name]):
            refuses = "would refuse" if rule.shadow else "refuses"
            before = [name for name in (ALLOW, *by_name) if name in takers[rule.name]]
            yield rule, f"{what} {refuses} nobody {soon}{_why(before)}"


def _why(takers: Sequence[str]) -> str:
    if not takers:
        return ": what it asks for never holds all at once; change it, or remove it"
    named = " and ".join(f"`{name or 'allow'}`" for name in takers)
    take = "takes" if len(takers) == 1 else "take"
    return f": {named} {take} all its callers before; move it up, or remove it"


def _takers(
    client: ClientRules, rules: Sequence[BlockRule], calls: Iterable[Facts]
) -> Mapping[str, set[str]]:
    """By the name of each rule, what takes the calls that it would refuse by itself: names of
    rules, or ALLOW."""
    found: dict[str, set[str]] = {rule.name: set() for rule in rules}
    for call in calls:
        moment = Moment(call, client.hours)
        held = [rule for rule in rules if _holds(rule, moment)]
        if held:
            trace: list[TraceRow] = []
            screen(client.screening, moment, trace)
            taker = trace[-1].name if trace[-1].kind in ("block", "challenge") else ALLOW
            for rule in held:
                found[rule.name].add(taker)
    return found


def _holds(rule: BlockRule, moment: Moment) -> bool:
    facts, listed = moment.facts, rule.numbers
    contact = facts.contact is not None
    if listed is not None and find(listed, facts.caller.number, facts.matches, contact=contact) is None:
        return False
    return any(all(one.holds(moment) for one in alternative) for alternative in rule.when)


def _is_past(rule: BlockRule, start: datetime) -> bool:
    return any(isinstance(one, Until) and one.end <= start for one in rule.when[0])


def _is_empty(rule: BlockRule) -> bool:
    """True where it has only lists in which there is no number, each of which is told of already."""
    numbers = rule.numbers
    if numbers is None or numbers.regexes or numbers.contacts:
        return False
    return not any(map(len, numbers.numbers))


def _always(rule: BlockRule, taker: BlockRule | None) -> bool:
    """True if whoever has called as often as `rule` asks for has done so as often as `taker` does, which is
    None for `allow`."""
    asked, first = _rate(rule), _rate(taker) if taker else None
    if first is None:
        return True
    return asked is not None and first.calls <= asked.calls and first.within.seconds >= asked.within.seconds


def _rate(rule: BlockRule) -> Rate | None:
    return next((one.rate for one in rule.when[0] if isinstance(one, MoreThan)), None)
