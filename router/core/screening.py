"""Screening: is this caller to be refused, and by which rule?

Whoever is allowed by the rules is not screened at all. Else what was decided of the number by command counts.
Else each block rule is looked at in file order, and the first that holds refuses the call; one in shadow only
says that it would have. Every rule that holds is a *hit*, and has a row in the trace, which is stored with
the call.
"""

from collections.abc import Sequence

import msgspec

from router.core.conditions import Failure, Moment, When, failures
from router.core.numbers import CallerId, NumberIndex, PhoneNumber
from router.core.plan import CallPlan, PlanNode
from router.core.regexes import Regex, RegexIndex
from router.core.times import Rate
from router.core.trace import TraceRow


class Listed(msgspec.Struct, frozen=True):
    """Callers: those written in a rule, and each of its lists, which clients share."""

    numbers: tuple[NumberIndex[str], ...] = ()
    """Values are the patterns in E.164."""
    regexes: tuple[frozenset[Regex], ...] = ()


class BlockRule(msgspec.Struct, frozen=True):
    """All of it must hold for a caller to be refused."""

    name: str
    place: str
    numbers: Listed | None
    """None: whoever calls."""
    when: When
    plan: CallPlan
    """What a blocked caller meets."""
    shadow: bool = False
    """Count the hits, and let the caller pass."""


class Screening(msgspec.Struct, frozen=True):
    """One client's."""

    place: str
    allow: Listed
    allow_place: str
    block: tuple[BlockRule, ...]
    refusal: tuple[PlanNode, ...]
    """What a blocked caller meets."""
    counted: Rate | None
    """The most calls and the longest time that any rule counts; None where none does."""
    regexes: tuple[RegexIndex, ...] = ()
    """All that its lists have: those written in it, and those of each list that clients share."""


NOT_LISTED = (Failure("numbers", ()),)


def screen(screening: Screening, moment: Moment, trace: list[TraceRow]) -> CallPlan | None:
    """The plan for a caller who is refused; None for one who may pass. What was looked at goes to `trace`."""
    facts = moment.facts
    number, matches, verdict = facts.caller.number, facts.matches, facts.verdict
    allowed = find(screening.allow, number, matches)
    if allowed is not None:
        trace.append(TraceRow("allow", allowed, screening.allow_place, True))
        return None
    if verdict is not None:
        trace.append(TraceRow(verdict.kind, verdict.name, "", True, entry=verdict.why))
        return CallPlan(screening.refusal, verdict.name) if verdict.kind == "block" else None
    for rule in screening.block:
        entry = find(rule.numbers, number, matches) if rule.numbers is not None else None
        if entry is None and rule.numbers is not None:
            trace.append(TraceRow("block", rule.name, rule.place, False, NOT_LISTED))
            continue
        failed = failures(rule.when, moment)
        if failed:
            trace.append(TraceRow("block", rule.name, rule.place, False, failed))
            continue
        if not rule.shadow:
            trace.append(TraceRow("block", rule.name, rule.place, True, entry=entry or ""))
            return rule.plan
        trace.append(TraceRow("shadow", rule.name, rule.place, True, entry=entry or ""))
    return None


def find(listed: Listed, number: PhoneNumber | None, matches: Sequence[Regex] = ()) -> str | None:
    """The entry by which a caller with this number, whom these regular expressions match, is meant."""
    if number is not None:
        for index in listed.numbers:
            entry = index.find(number)
            if entry is not None:
                return entry
    for regex in matches:
        if any(regex in some for some in listed.regexes):
            return str(regex)
    return None


def matching(screening: Screening, caller: CallerId) -> tuple[Regex, ...]:
    """The regular expressions, of all that screening asks for, which match the caller."""
    if not screening.regexes:
        return ()
    return tuple(dict.fromkeys(one for index in screening.regexes for one in index.matching(caller)))
