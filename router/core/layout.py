"""Steps as written -> CallPlan: a tree laid out flat.

The steps of a list take neighbouring positions, each going on to the next. The branches of a ring's `on:`
follow after them, and the last step of a branch goes on to the step after that ring, so a branch is a detour
and not an end. Where the steps run out, a call for which somebody could be rung, or which has heard nothing,
goes on to the client's last resort; one that was only told something has what it was meant to have, and ends.

`person` stands for the steps of that person's own treatment, in its place. `goto` leads to the steps of a
route, which are laid out once in a plan, however many lead there; a plan goes forward only, since rules that
lead in a circle are refused (rules.py).

To add a step: its row in `_COMPILE`.
"""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from router.core.plan import (
    CallPlan,
    Dialplan,
    HangUp,
    PlanNode,
    Refuse,
    Ring,
    RingOutcome,
    Say,
    Step,
    Target,
)
from router.core.reading import SELF, PersonRef
from router.core.schema import ClientDoc
from router.core.stepdocs import (
    DeclineStep,
    DialplanStep,
    GotoStep,
    HangupStep,
    NumberDoc,
    PersonStep,
    RingStep,
    SayStep,
)
from router.core.written import Shape
from router.core.yamltext import Path

Rounds = tuple[tuple[Target, ...], ...]
Phones = Mapping[str, tuple[Target, ...]]
"""Person's id -> what rings."""
Written = tuple[tuple[Shape, ...], Path]
"""Steps as written, and their path in the document."""
_RING_SELF = RingStep.model_construct(ring=(PersonRef(SELF),))
_AFTER = -1
"""Stands for what comes after the steps, while they are laid out."""


class Layout(msgspec.Struct, frozen=True):
    """A plan in which everybody is rung, and what is needed to leave people out."""

    plan: CallPlan
    timed: tuple[tuple[int, Rounds], ...] = ()
    """Positions whose ring step has people with hours, with their rounds before doubles were taken out."""
    people: tuple[str, ...] = ()
    """Those people."""
    rotating: tuple[int, ...] = ()
    """Positions whose rounds begin one further on with each call."""

    def present(self, absent: set[str], turn: int) -> CallPlan:
        """The plan with `absent` people not rung; a round that loses everybody is left out. `turn` says where
        rotating rounds begin."""
        if not absent and not self.rotating:
            return self.plan
        nodes = list(self.plan.nodes)
        for position, rounds in self.timed if absent else ():
            left = tuple(tuple(one for one in targets if one.name not in absent) for targets in rounds)
            nodes[position] = _with_rounds(nodes[position], distinct(left))
        for position in self.rotating:
            rounds = _ring_at(nodes[position]).rounds
            first = turn % len(rounds) if rounds else 0
            nodes[position] = _with_rounds(nodes[position], rounds[first:] + rounds[:first])
        return msgspec.structs.replace(self.plan, nodes=tuple(nodes))


def _ring_at(node: PlanNode) -> Ring:
    assert isinstance(node.step, Ring)
    return node.step


def _with_rounds(node: PlanNode, rounds: Rounds) -> PlanNode:
    return msgspec.structs.replace(node, step=msgspec.structs.replace(_ring_at(node), rounds=rounds))


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


def all_steps(doc: ClientDoc) -> Iterator[tuple[Path, Shape]]:
    """Every step that a client's document has, with its path."""
    for number, exception in enumerate(doc.exceptions):
        yield from walk(exception.do or (), ("exceptions", number, "do"))
    for name, person in doc.people.items():
        yield from walk(person.do or (), ("people", name, "do"))
    for number, route in enumerate(doc.routes):
        yield from walk(route.do, ("routes", number, "do"))
    yield from walk(doc.last_resort, ("last_resort",))


def own_treatment(doc: ClientDoc, person: str) -> Written:
    """What a call to one of the client's people meets."""
    written = doc.people[person].do
    if written is None:
        return (_RING_SELF,), ("people", person)
    return written, ("people", person, "do")


def rounds_of(step: RingStep, phones: Phones) -> Rounds:
    """Who is rung, round after round; ValueError where that is more than MOST_PHONES."""
    entries = tuple(_targets(target, phones) for target in step.ring)
    if sum(map(len, entries)) > MOST_PHONES:
        raise ValueError(f"this step would ring more than {MOST_PHONES} phones; name fewer")
    return (tuple(chain.from_iterable(entries)),) if step.order == "all" else entries


def _targets(target: Target | PersonRef | NumberDoc, phones: Phones) -> tuple[Target, ...]:
    if isinstance(target, PersonRef):
        return phones[target.id]
    return (target.number if isinstance(target, NumberDoc) else target,)


def _say(step: SayStep, rounds: Rounds) -> Step:
    return Say(step.say.file)


def _ring(step: RingStep, rounds: Rounds) -> Step:
    return Ring(distinct(rounds), float(step.ring_for.seconds))


def _decline(step: DeclineStep, rounds: Rounds) -> Step:
    return Refuse(step.treatment)


def _hangup(step: HangupStep, rounds: Rounds) -> Step:
    return HangUp()


def _dialplan(step: DialplanStep, rounds: Rounds) -> Step:
    return Dialplan(step.dialplan.context, step.dialplan.extension)


_COMPILE: dict[type[Shape], Callable[[Any, Rounds], Step]] = {
    SayStep: _say,
    RingStep: _ring,
    DeclineStep: _decline,
    HangupStep: _hangup,
    DialplanStep: _dialplan,
}
"""Steps that are positions of their own; `person` and `goto` only lead to others."""

MOST_STEPS = 1000
"""A plan may not have more: `person` steps that lead to several others multiply."""
MOST_PHONES = 500
"""Phones that one step may ring, all rounds together."""
MOST_LAID_OUT = 50_000
"""Steps, and phones that they ring, of all plans of one client: each route has a last resort of its own."""


class TooManyStepsError(Exception):
    """A plan would have more than MOST_STEPS, or more of something else that is bounded."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(path, text)
        self.path = path
        """Where in the document that became clear."""
        self.text = text
        """`what is wrong; what to write instead`."""


ENDS = (Refuse, HangUp, Dialplan)
"""Steps after which there is no call of ours."""
ENDING_STEPS = (DeclineStep, HangupStep, DialplanStep, GotoStep)
"""What is written after one of these in a list is never reached."""


class Sheet:
    """One client's document, and what laying out its steps needs of it."""

    def __init__(
        self, doc: ClientDoc, phones: dict[str, tuple[Target, ...]], place: Callable[[Path], str]
    ) -> None:
        """`place` is `file:line` of a path."""
        self.doc = doc
        self.phones = phones
        self.place = place
        self.routes = {route.name: number for number, route in enumerate(doc.routes)}
        self._laid_out = 0

    def count(self, laid: int, path: Path) -> None:
        """Of so many more steps or phones, at `path`. Raises TooManyStepsError."""
        self._laid_out += laid
        if self._laid_out > MOST_LAID_OUT:
            what = f"the steps of this client's calls, and phones, are more than {MOST_LAID_OUT} up to here"
            instead = "let fewer lead to others, shorten `last_resort`, or make it several clients"
            raise TooManyStepsError(path, f"{what}; {instead}")

    def phones_of(self, person: str) -> Phones:
        """All phones, with that person's as SELF's."""
        return ChainMap({SELF: self.phones[person]}, self.phones)

    def is_timed(self, name: str) -> bool:
        """True if `name` is a person who has hours."""
        person = self.doc.people.get(name)
        return person is not None and person.hours is not None


class _Laid(NamedTuple):
    """A step on its way to its position."""

    step: Shape
    path: Path
    phones: Phones


class _Paper:
    """The positions laid out so far."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.nodes: list[PlanNode] = []
        self.timed: list[tuple[int, Rounds]] = []
        self.rotating: list[int] = []
        self.routes: dict[str, int] = {}
        """Where the routes that a `goto` leads to begin; each is laid out once."""

    def lay(self, steps: tuple[Shape, ...], path: Path, after: int, phones: Phones) -> int:
        """Lay out `steps`, going on to `after`; where they begin."""
        row: list[_Laid] = []
        leads_to: str | None = None
        for laid in self.in_a_row(steps, path, phones):
            if isinstance(laid.step, GotoStep):
                leads_to = laid.step.goto
                break
            row.append(laid)
            self.check_length(len(self.nodes) + len(row), path)
        self.sheet.count(len(row), path)
        first = len(self.nodes)
        self.nodes += [PlanNode(HangUp())] * len(row)
        if leads_to is not None:
            after = self.route(leads_to)
        if not row:
            return after
        for number, laid in enumerate(row):
            position = first + number
            follows = position + 1 if number + 1 < len(row) else after
            self.nodes[position] = self.node(laid, position, follows)
        return first

    def check_length(self, steps: int, path: Path) -> None:
        if steps > MOST_STEPS:
            what = f"a call could meet more than {MOST_STEPS} steps from here"
            raise TooManyStepsError(path, f"{what}; let fewer `person` steps lead to others")

    def rounds(self, laid: _Laid) -> Rounds:
        """Of a ring step; of any other, none."""
        if not isinstance(laid.step, RingStep):
            return ()
        try:
            rounds = rounds_of(laid.step, laid.phones)
        except ValueError as error:
            raise TooManyStepsError(laid.path, str(error)) from None
        self.sheet.count(sum(map(len, rounds)), laid.path)
        return rounds

    def in_a_row(self, steps: tuple[Shape, ...], path: Path, phones: Phones) -> Iterator[_Laid]:
        """The steps with those of people's own treatments among them."""
        for number, step in enumerate(steps):
            if isinstance(step, PersonStep):
                self.sheet.count(1, path)
                own = own_treatment(self.sheet.doc, step.person)
                yield from self.in_a_row(*own, self.sheet.phones_of(step.person))
            else:
                yield _Laid(step, (*path, number), phones)

    def route(self, name: str) -> int:
        if name not in self.routes:
            number = self.sheet.routes[name]
            steps = self.sheet.doc.routes[number].do
            self.routes[name] = self.lay(steps, ("routes", number, "do"), _AFTER, self.sheet.phones)
        return self.routes[name]

    def node(self, laid: _Laid, position: int, follows: int) -> PlanNode:
        step, path, phones = laid
        rounds = self.rounds(laid)
        made = _COMPILE[type(step)](step, rounds)
        if isinstance(made, ENDS):
            return PlanNode(made, None, {}, self.sheet.place(path))
        on: dict[RingOutcome, int | None] = {}
        if isinstance(step, RingStep):
            for outcome, branch in step.on.items():
                on[outcome] = self.lay(branch, (*path, "on", outcome.value), follows, phones)
            if any(self.sheet.is_timed(target.name) for targets in rounds for target in targets):
                self.timed.append((position, rounds))
            if step.order == "rotate":
                self.rotating.append(position)
        return PlanNode(made, follows, on, self.sheet.place(path))

    def join(self, first: int, end: int | None) -> None:
        """Let what runs out of steps, from position `first` on, go on to `end`."""
        real = {_AFTER: end}
        for position in range(first, len(self.nodes)):
            node = self.nodes[position]
            then = real.get(node.then, node.then) if node.then is not None else None
            on = {key: real.get(at, at) if at is not None else None for key, at in node.on.items()}
            # A branch that ends where the step itself does is no branch.
            on = {key: at for key, at in on.items() if at is not None or then is not None}
            self.nodes[position] = PlanNode(node.step, then, on, node.place)


def lay_out(own: Written, sheet: Sheet, person: str | None = None, *, told: bool = False) -> Layout:
    """Lay out a treatment's steps and, where a call may come to it, the last resort.

    `person` is whose own treatment it is, if it is one's; `told` that something is said before it. Raises
    TooManyStepsError.
    """
    paper = _Paper(sheet)
    phones = sheet.phones if person is None else sheet.phones_of(person)
    paper.lay(*own, _AFTER, phones)
    kinds = {type(node.step) for node in paper.nodes}
    runs_out = not paper.nodes or any(_AFTER in (node.then, *node.on.values()) for node in paper.nodes)
    if runs_out and (Ring in kinds or not (told or Say in kinds)):
        before = len(paper.nodes)
        paper.routes = {}  # A route that leads to the last resort must not be where that leads to.
        start = paper.lay(sheet.doc.last_resort, ("last_resort",), _AFTER, sheet.phones)
        paper.join(before, None)
        paper.join(0, None if start == _AFTER else start)
    else:
        paper.join(0, None)
    people = {one.name for _, rounds in paper.timed for targets in rounds for one in targets}
    timed_people = tuple(sorted(filter(sheet.is_timed, people)))
    return Layout(CallPlan(tuple(paper.nodes)), tuple(paper.timed), timed_people, tuple(paper.rotating))
