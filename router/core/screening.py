"""Screening: is this caller to be refused, and by which rule?

Whoever is allowed by the rules is not screened at all. Else what was decided of the number by command counts.
Else each block rule is looked at in file order, and the first that holds refuses the call; one in shadow only
says that it would have. Every rule that holds is a *hit*, and has a row in the trace, which is stored with
the call.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from router.core.conditions import Failure, Moment, When, failures
from router.core.numbers import CallerId, NumberIndex, PhoneNumber
from router.core.numbertexts import CONTACTS
from router.core.plan import CallPlan, Challenge, PlanNode
from router.core.regexes import Regex, RegexIndex
from router.core.times import Rate
from router.core.trace import TraceRow


class Listed(msgspec.Struct, frozen=True):
    """Callers: those written in a rule, and each of its lists, which clients share."""

    numbers: tuple[NumberIndex[str], ...] = ()
    """Values are the patterns in E.164."""
    regexes: tuple[frozenset[Regex], ...] = ()
    contacts: bool = False
    """Everybody whom the client knows."""


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

    @property
    def kind(self) -> Literal["block", "challenge", "shadow"]:
        """What becomes of those for whom it holds."""
        if self.shadow:
            return "shadow"
        return "challenge" if is_challenge(self.plan) else "block"


class Screening(msgspec.Struct, frozen=True):
    """One client's."""

    place: str
    allow: Listed
    allow_place: str
    block: tuple[BlockRule, ...]
    refusal: tuple[PlanNode, ...]
    """What a caller meets who is blocked by command; nobody is challenged then."""
    counted: Rate | None
    """The most calls and the longest time that any rule counts; None where none does."""
    regexes: tuple[RegexIndex, ...] = ()
    """All that its lists have: those written in it, and those of each list that clients share."""


NOT_LISTED = (Failure("numbers", ()),)


def screen(screening: Screening, moment: Moment, trace: list[TraceRow]) -> CallPlan | None:
    """The plan for a caller who is refused, or challenged; None for one who may pass. What was looked at goes
    to `trace`."""
    facts = moment.facts
    number, matches, verdict = facts.caller.number, facts.matches, facts.verdict
    contact = facts.contact is not None
    allowed = find(screening.allow, number, matches, contact=contact)
    if allowed is not None:
        trace.append(TraceRow("allow", allowed, screening.allow_place, True))
        return None
    if verdict is not None:
        trace.append(TraceRow(verdict.kind, verdict.name, "", True, entry=verdict.why))
        return CallPlan(screening.refusal, verdict.name) if verdict.kind == "block" else None
    for rule in screening.block:
        listed = rule.numbers
        entry = None if listed is None else find(listed, number, matches, contact=contact)
        if entry is None and listed is not None:
            trace.append(TraceRow("block", rule.name, rule.place, False, NOT_LISTED))
            continue
        failed = failures(rule.when, moment)
        if failed:
            trace.append(TraceRow("block", rule.name, rule.place, False, failed))
            continue
        trace.append(TraceRow(rule.kind, rule.name, rule.place, True, entry=entry or ""))
        if not rule.shadow:
            return rule.plan
    return None


def find(
    listed: Listed, number: PhoneNumber | None, matches: Sequence[Regex] = (), *, contact: bool = False
) -> str | None:
    """The entry by which a caller with this number is meant, whom these regular expressions match, and who is
    a contact of the client or not."""
    if number is not None:
        for index in listed.numbers:
            entry = index.find(number)
            if entry is not None:
                return entry
    for regex in matches:
        if any(regex in some for some in listed.regexes):
            return str(regex)
    return CONTACTS if listed.contacts and contact else None


def is_challenge(plan: CallPlan) -> bool:
    """True if the caller may yet go on."""
    return isinstance(plan.nodes[0].step, Challenge)


def matching(screening: Screening, caller: CallerId) -> tuple[Regex, ...]:
    """The regular expressions, of all that screening asks for, which match the caller."""
    if not screening.regexes:
        return ()
    found = [one for index in screening.regexes for one in index.matching(caller)]
    return tuple(dict.fromkeys(found)) if found else ()
