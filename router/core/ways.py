"""Ways through a plan: what everybody does, one time after the other, so that a call goes that way.

A plan is walked from step to step; all phones of a ring do what the whole ring comes to. Who is rung again
further on may do something else then.
"""

from collections.abc import Iterator
from itertools import chain

from router.core.cast import name_of
from router.core.plan import Ring, Step

Way = tuple[tuple[Step, str], ...]
"""The steps that are met, and what comes of each (plan.ways_on)."""
Given = tuple[tuple[str, tuple[str, ...]], ...]
"""Who does what, as in a test's `given`: each time that they are asked, of which the last stays."""


def given_on(way: Way) -> Given:
    """What everybody does on a way. A person is named, unless the phones of that person do different
    things."""
    attempts: dict[str, list[str]] = {}
    names: dict[str, set[str]] = {}
    phones: dict[str, str] = {}
    """By what is dialled: each outcome, the names that it is rung by, and its own name."""
    others: dict[str, list[str]] = {}
    """The same of what is no phone."""
    for step, outcome in way:
        name = name_of(step)
        if name is not None:
            others.setdefault(name, []).append(outcome)
        for target in chain.from_iterable(step.rounds) if isinstance(step, Ring) else ():
            attempts.setdefault(target.dial, []).append(outcome)
            names.setdefault(target.dial, set()).add(target.name)
            phones[target.dial] = target.number or target.dial
    told = {name: _as_far_as_they_differ(outcomes) for name, outcomes in others.items()}
    return tuple((dict(_named(attempts, names, phones)) | told).items())


def _named(
    attempts: dict[str, list[str]], names: dict[str, set[str]], phones: dict[str, str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    whose = {dial: next(iter(those)) for dial, those in names.items() if len(those) == 1}
    for dial, outcomes in attempts.items():
        same = [other for other, name in whose.items() if name == whose.get(dial)]
        alike = bool(same) and all(attempts[other] == outcomes for other in same)
        yield whose[dial] if alike else phones[dial], _as_far_as_they_differ(outcomes)


def _as_far_as_they_differ(outcomes: list[str]) -> tuple[str, ...]:
    """Without those at the end that are what the one before them is."""
    last = max((at for at in range(1, len(outcomes)) if outcomes[at] != outcomes[at - 1]), default=0)
    return tuple(outcomes[: last + 1])
