"""Screening: is this caller to be refused, and by which rule?

Whoever is allowed by the rules is not screened at all. Else what was decided of the number by command counts.
Else each block rule is looked at in file order, and the first that holds refuses the call; one in shadow only
says that it would have. Every rule that holds is a *hit*, and has a row in the trace, which is stored with
the call.
"""

import msgspec

from router.core.conditions import Failure, Moment, When, failures
from router.core.numbers import NumberIndex, PhoneNumber
from router.core.plan import CallPlan, PlanNode
from router.core.times import Rate
from router.core.trace import TraceRow

Numbers = tuple[NumberIndex[str], ...]
"""Those written in a rule, and each of its lists, which clients share. Values are the patterns in E.164."""


class BlockRule(msgspec.Struct, frozen=True):
    """All of it must hold for a caller to be refused."""

    name: str
    place: str
    numbers: Numbers
    """Empty: whoever calls."""
    when: When
    plan: CallPlan
    """What a blocked caller meets."""
    shadow: bool = False
    """Count the hits, and let the caller pass."""


class Screening(msgspec.Struct, frozen=True):
    """One client's."""

    place: str
    allow: Numbers
    allow_place: str
    block: tuple[BlockRule, ...]
    refusal: tuple[PlanNode, ...]
    """What a blocked caller meets."""
    counted: Rate | None
    """The most calls and the longest time that any rule counts; None where none does."""


NOT_LISTED = (Failure("numbers", ()),)


def screen(screening: Screening, moment: Moment, trace: list[TraceRow]) -> CallPlan | None:
    """The plan for a caller who is refused; None for one who may pass. What was looked at goes to `trace`."""
    number, verdict = moment.facts.caller.number, moment.facts.verdict
    allowed = find(screening.allow, number)
    if allowed is not None:
        trace.append(TraceRow("allow", allowed, screening.allow_place, True))
        return None
    if verdict is not None:
        trace.append(TraceRow(verdict.kind, verdict.name, "", True, entry=verdict.why))
        return CallPlan(screening.refusal, verdict.name) if verdict.kind == "block" else None
    for rule in screening.block:
        entry = find(rule.numbers, number)
        if rule.numbers and entry is None:
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


def find(numbers: Numbers, number: PhoneNumber | None) -> str | None:
    """The pattern that a caller's number matches; None also where there is no number."""
    if number is None:
        return None
    for index in numbers:
        entry = index.find(number)
        if entry is not None:
            return entry
    return None
