"""Ways through a plan: what each phone does, one attempt after the other, so that a call goes that way.

A plan is walked from ring to ring; all phones of a ring do what the whole ring comes to. Who is rung again
further on may do something else then.
"""

from collections.abc import Iterator

from router.core.plan import Ring, RingOutcome

Way = tuple[tuple[Ring, RingOutcome], ...]
"""The rings that are met, and what comes of each."""
Given = tuple[tuple[str, tuple[RingOutcome, ...]], ...]
"""What phones do, as in a test's `given`: by a person's id, an endpoint or a number; an outcome for each
round in which they are rung, of which the last stays."""


def given_on(way: Way) -> Given:
    """What phones do on a way. A person is named, unless the phones of that person do different things."""
    attempts: dict[str, list[RingOutcome]] = {}
    names: dict[str, set[str]] = {}
    phones: dict[str, str] = {}
    """By what is dialled: each outcome, the names that it is rung by, and its own name."""
    for ring, outcome in way:
        for target in (target for targets in ring.rounds for target in targets):
            attempts.setdefault(target.dial, []).append(outcome)
            names.setdefault(target.dial, set()).add(target.name)
            phones[target.dial] = target.number or target.dial
    return tuple(dict(_named(attempts, names, phones)).items())


def _named(
    attempts: dict[str, list[RingOutcome]], names: dict[str, set[str]], phones: dict[str, str]
) -> Iterator[tuple[str, tuple[RingOutcome, ...]]]:
    whose = {dial: next(iter(those)) for dial, those in names.items() if len(those) == 1}
    for dial, outcomes in attempts.items():
        same = [other for other, name in whose.items() if name == whose.get(dial)]
        alike = bool(same) and all(attempts[other] == outcomes for other in same)
        yield whose[dial] if alike else phones[dial], _as_far_as_they_differ(outcomes)


def _as_far_as_they_differ(outcomes: list[RingOutcome]) -> tuple[RingOutcome, ...]:
    """Without those at the end that are what the one before them is."""
    last = max((at for at in range(1, len(outcomes)) if outcomes[at] != outcomes[at - 1]), default=0)
    return tuple(outcomes[: last + 1])
