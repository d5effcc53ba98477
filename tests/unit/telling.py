"""What a comparison tells, and what plans mean, each read in another way than the code has it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from router.core.cells import Numbers
from router.core.decide import Decision
from router.core.difference import Difference
from router.core.facts import Facts
from router.core.numbers import NumberPattern, PhoneNumber
from router.core.plan import Refuse, Ring

_pattern = cache(NumberPattern.parse)


def within(number: PhoneNumber, numbers: Sequence[Numbers]) -> bool:
    """Whether ranges have a number, read as an administrator would."""

    def matches(pattern: str) -> bool:
        return _pattern(pattern).matches(number)

    return any(
        all(map(matches, one.within))
        and not any(map(matches, one.but_not))
        and one.country in ("", number.country)
        and number.country not in one.not_countries
        for one in numbers
    )


def told(difference: Difference, call: Facts) -> bool:
    """Whether a call is among those that a difference tells of."""
    callers, caller = difference.callers, call.caller
    if caller.number is not None:
        calls = within(caller.number, callers.numbers)
    else:
        calls = callers.anonymous if caller.anonymous else callers.internal
    holds = sum(period.holds(call.now) for period in difference.periods)
    assert holds <= 1
    return bool(calls and holds and call.did and within(call.did, difference.dialled))


def meant(decision: Decision) -> Any:
    """What a caller meets, made another way: every way through the plan, spelt out."""
    plan = decision.plan

    def from_here(here: int | None) -> Any:
        if here is None:
            return "end"
        node = plan.nodes[here]
        step: Any = node.step
        if isinstance(step, Ring):
            rung = [sorted(target.dial for target in targets) for targets in step.rounds]
            step = rung, step.ring_for, step.music
        elif isinstance(step, Refuse):
            step = step.treatment
        then = from_here(node.then)
        on = {outcome: from_here(at) for outcome, at in node.on.items()}
        return step, then, {outcome: way for outcome, way in on.items() if way != then}

    kind = plan.blocked_by is None, plan.no_route, decision.client
    return from_here(0 if plan.nodes else None), kind
