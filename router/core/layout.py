"""Steps as written -> CallPlan: a tree laid out flat.

The steps of a list take neighbouring positions, each going on to the next. The branches of a ring's `on:`
follow after them, and the last step of a branch goes on to the step after that ring, so a branch is a detour
and not an end. Where the steps run out, a call for which somebody could be rung, or which has heard nothing,
goes on to the client's last resort; one that was only told something has what it was meant to have, and ends.

To add a step: its row in `_COMPILE`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from router.core.plan import CallPlan, HangUp, PlanNode, Refuse, Ring, RingOutcome, Say, Step, Target
from router.core.reading import PersonRef
from router.core.schema import DeclineStep, HangupStep, NumberDoc, RingStep, SayStep, Shape
from router.core.yamltext import Path

Rounds = tuple[tuple[Target, ...], ...]
Phones = Mapping[str, tuple[Target, ...]]
"""Person's id -> what rings."""
Written = tuple[tuple[Shape, ...], Path]
"""Steps as written, and their path in the document."""
_AFTER = -1
"""Stands for what comes after the steps, while they are laid out."""


class Layout(msgspec.Struct, frozen=True):
    """A plan in which everybody is rung, and what is needed to leave people out."""

    plan: CallPlan
    timed: tuple[tuple[int, Rounds], ...] = ()
    """Positions whose ring step has people with hours, with their rounds before doubles were taken out."""
    people: tuple[str, ...] = ()
    """Those people."""

    def without(self, absent: set[str]) -> CallPlan:
        """The plan with `absent` people not rung; a round that loses everybody is left out."""
        if not absent:
            return self.plan
        nodes = list(self.plan.nodes)
        for position, rounds in self.timed:
            left = tuple(tuple(one for one in targets if one.name not in absent) for targets in rounds)
            step = msgspec.structs.replace(nodes[position].step, rounds=distinct(left))
            nodes[position] = msgspec.structs.replace(nodes[position], step=step)
        return msgspec.structs.replace(self.plan, nodes=tuple(nodes))


def distinct(rounds: Rounds) -> Rounds:
    """Each phone at most once a round, and no round without a phone."""
    return tuple(tuple(_by_phone(targets).values()) for targets in rounds if targets)


def _by_phone(targets: tuple[Target, ...]) -> dict[str, Target]:
    first: dict[str, Target] = {}
    for target in targets:
        first.setdefault(target.dial, target)
    return first


def walk(steps: tuple[Shape, ...], path: Path) -> Iterator[tuple[Path, Shape]]:
    """Every step with its path in the document, branches included."""
    for number, step in enumerate(steps):
        here = (*path, number)
        yield here, step
        if isinstance(step, RingStep):
            for outcome, branch in step.on.items():
                yield from walk(branch, (*here, "on", outcome.value))


def rounds_of(step: RingStep, phones: Phones) -> Rounds:
    entries = tuple(_targets(target, phones) for target in step.ring)
    return entries if step.order == "in-turn" else (tuple(one for targets in entries for one in targets),)


def _targets(target: Target | PersonRef | NumberDoc, phones: Phones) -> tuple[Target, ...]:
    if isinstance(target, PersonRef):
        return phones[target.id]
    return (target.number if isinstance(target, NumberDoc) else target,)


def _say(step: SayStep, phones: Phones) -> Step:
    return Say(step.say.file)


def _ring(step: RingStep, phones: Phones) -> Step:
    return Ring(distinct(rounds_of(step, phones)), float(step.ring_for.seconds))


def _decline(step: DeclineStep, phones: Phones) -> Step:
    return Refuse(step.treatment)


def _hangup(step: HangupStep, phones: Phones) -> Step:
    return HangUp()


_COMPILE: dict[type[Shape], Callable[[Any, Phones], Step]] = {
    SayStep: _say,
    RingStep: _ring,
    DeclineStep: _decline,
    HangupStep: _hangup,
}
ENDS = (Refuse, HangUp)
"""Steps after which there is no call."""


class _Paper:
    """The positions laid out so far."""

    def __init__(self, phones: Phones, timed: frozenset[str], place: Callable[[Path], str]) -> None:
        self.phones = phones
        self.timed_people = timed
        self.place = place
        self.nodes: list[PlanNode] = []
        self.timed: list[tuple[int, Rounds]] = []

    def lay(self, steps: tuple[Shape, ...], path: Path, after: int) -> int:
        """Lay out `steps`, going on to `after`; where they begin."""
        if not steps:
            return after
        first = len(self.nodes)
        self.nodes += [PlanNode(HangUp())] * len(steps)
        for number, step in enumerate(steps):
            position = first + number
            follows = position + 1 if number + 1 < len(steps) else after
            self.nodes[position] = self.node(step, (*path, number), position, follows)
        return first

    def node(self, step: Shape, path: Path, position: int, follows: int) -> PlanNode:
        made = _COMPILE[type(step)](step, self.phones)
        if isinstance(made, ENDS):
            return PlanNode(made, None, {}, self.place(path))
        on: dict[RingOutcome, int] = {}
        if isinstance(step, RingStep):
            for outcome, branch in step.on.items():
                on[outcome] = self.lay(branch, (*path, "on", outcome.value), follows)
            rounds = rounds_of(step, self.phones)
            if any(target.name in self.timed_people for targets in rounds for target in targets):
                self.timed.append((position, rounds))
        return PlanNode(made, follows, on, self.place(path))

    def join(self, end: int | None) -> list[PlanNode]:
        """The nodes, with what ran out of steps going on to `end`; a branch to nowhere is no branch."""
        real = {_AFTER: end}
        return [
            PlanNode(
                node.step,
                real.get(node.then, node.then) if node.then is not None else None,
                {key: there for key, at in node.on.items() if (there := real.get(at, at)) is not None},
                node.place,
            )
            for node in self.nodes
        ]


def lay_out(
    own: Written,
    last_resort: Written,
    phones: Phones,
    timed: frozenset[str],
    place: Callable[[Path], str],
) -> Layout:
    """Lay out a route's steps and, where a call may come to it, the last resort.

    `timed` are the people who have hours; `place` gives `file:line` of a path.
    """
    paper = _Paper(phones, timed, place)
    paper.lay(*own, _AFTER)
    kinds = {type(node.step) for node in paper.nodes}
    runs_out = not paper.nodes or any(_AFTER in (node.then, *node.on.values()) for node in paper.nodes)
    if runs_out and (Ring in kinds or Say not in kinds):
        paper.nodes = paper.join(len(paper.nodes) if last_resort[0] else None)
        paper.lay(*last_resort, _AFTER)
    nodes = tuple(paper.join(None))
    people = {one.name for _, rounds in paper.timed for targets in rounds for one in targets} & timed
    return Layout(CallPlan(nodes), tuple(paper.timed), tuple(sorted(people)))
