"""Steps as written -> CallPlan: a tree laid out flat.

The steps of a list take neighbouring positions, each going on to the next. The branches of a step (`on:`, a
menu's choices) follow after them, and the last step of a branch goes on to the step after that one, so a
branch is a detour and not an end. Where the steps run out, a call that could have been settled on the way
there, or has heard nothing on it, goes on to the client's last resort; one that was only told something has
what it was meant to have, and ends.

`person` stands for the steps of that person's own treatment, in its place. `goto` leads to the steps of a
route, which are laid out once in a plan, however many lead there; a plan goes forward only, since rules that
lead in a circle are refused (rules.py).

To add a step: its row in making.py and, if it has branches, in `branches`.
"""

from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from router.core.languages.catalogue import Phrase
from router.core.making import MAKERS, Given, Phones, Rounds, distinct, prompt, rounds_of
from router.core.phrases import phrase
from router.core.plan import (
    ENDS,
    OTHERWISE,
    SETTLES,
    TELLS,
    CallPlan,
    HangUp,
    PlanNode,
    Queue,
    Ring,
    Step,
    Target,
    moved,
)
from router.core.reading import SELF, PersonRef
from router.core.schema import ClientDoc
from router.core.stepdocs import (
    AsteriskQueueStep,
    DeclineStep,
    DialplanStep,
    GotoStep,
    HangupStep,
    MenuStep,
    PersonStep,
    QueueStep,
    RingStep,
    SetStep,
    TagStep,
)
from router.core.written import Shape
from router.core.yamltext import Path

Written = tuple[tuple[Shape, ...], Path]
"""Steps as written, and their path in the document."""
PathedSteps = Sequence[tuple[Path, Shape]]
"""Steps as written, each with its path in the document."""
_RING_SELF = RingStep.model_construct(ring=(PersonRef(SELF),))
_AFTER = -1
"""Stands for what comes after the steps, while they are laid out."""


class Layout(msgspec.Struct, frozen=True, gc=False):
    """A plan in which everybody is rung, and what is needed to leave people out."""

    plan: CallPlan
    timed: tuple[tuple[int, Rounds], ...] = ()
    """Positions whose ring step has people with hours, with their rounds before doubles were taken out; and
    those whose queue has such agents, with no rounds."""
    people: tuple[str, ...] = ()
    """Those people."""
    rotating: tuple[int, ...] = ()
    """Positions whose rounds begin one further on with each call."""
    last_resort: int | None = None
    """Where the client's last resort begins; None where no call comes to it."""

    def present(self, absent: set[str], turn: int) -> CallPlan:
        """The plan with `absent` people neither rung nor agents; a round that loses everybody is left out.
        `turn` says where rotating rounds begin."""
        if not absent and not self.rotating:
            return self.plan
        nodes = list(self.plan.nodes)
        for position, rounds in self.timed if absent else ():
            step = nodes[position].step
            if isinstance(step, Queue):
                agents = tuple(agent for agent in step.agents if agent not in absent)
                nodes[position] = _with_step(nodes[position], msgspec.structs.replace(step, agents=agents))
                continue
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


def _with_step(node: PlanNode, step: Step) -> PlanNode:
    return msgspec.structs.replace(node, step=step)


def _with_rounds(node: PlanNode, rounds: Rounds) -> PlanNode:
    return _with_step(node, msgspec.structs.replace(_ring_at(node), rounds=rounds))


def walk(steps: tuple[Shape, ...], path: Path) -> Iterator[tuple[Path, Shape]]:
    """Every step with its path in the document, branches included."""
    for number, step in enumerate(steps):
        here = (*path, number)
        yield here, step
        for _, branch, below in branches(step):
            yield from walk(branch, (*here, *below))


def branches(step: Shape) -> Iterator[tuple[str, tuple[Shape, ...], Path]]:
    """What the ways on from a step are called in a plan, the steps written for each, and where below it."""
    match step:
        case RingStep() | QueueStep() | AsteriskQueueStep():
            for outcome, steps in step.on.items():
                yield outcome.value, steps, ("on", outcome.value)
        case MenuStep(menu=menu):
            for key, steps in menu.choices.items():
                yield key, steps, ("menu", "choices", key)
            yield OTHERWISE, menu.otherwise, ("menu", "otherwise")


def all_steps(doc: ClientDoc) -> Iterator[tuple[Path, Shape]]:
    """Every step that a client's document has, with its path."""
    for number, exception in enumerate(doc.exceptions):
        yield from walk(exception.do or (), ("exceptions", number, "do"))
    for name, person in doc.people.items():
        yield from walk(person.do or (), ("people", name, "do"))
    for number, route in enumerate(doc.routes):
        yield from walk(route.do, ("routes", number, "do"))
    yield from walk(doc.last_resort or (), ("last_resort",))


def own_treatment(doc: ClientDoc, person: str) -> Written:
    """What a call to one of the client's people meets."""
    written = doc.people[person].do
    if written is None:
        return (_RING_SELF,), ("people", person)
    return written, ("people", person, "do")


MOST_STEPS = 1000
"""A plan may not have more: `person` steps that lead to several others multiply."""
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
        self.last_resort: _LastResort | None = None
        """As it is in the plan laid out before: mostly it is at the same positions in the next."""
        self.laid_out = 0
        """Steps and phones."""
        self._first_steps: dict[str, Shape | None] = {}
        """That a person's own treatment begins with."""

    def count(self, laid: int, path: Path) -> None:
        """Of so many more steps or phones, at `path`. Raises TooManyStepsError."""
        self.laid_out += laid
        if self.laid_out > MOST_LAID_OUT:
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

    def first_step(self, steps: tuple[Shape, ...]) -> Shape | None:
        """The first step of `steps` in which something is done for the caller, wherever they lead; they lead
        in no circle."""
        for step in steps:
            if isinstance(step, TagStep | SetStep):
                continue
            if isinstance(step, PersonStep):
                if step.person not in self._first_steps:
                    own, _ = own_treatment(self.doc, step.person)
                    self._first_steps[step.person] = self.first_step(own)
                met = self._first_steps[step.person]
                if met is not None:
                    return met
            elif isinstance(step, GotoStep):
                return self.first_step(self.doc.routes[self.routes[step.goto]].do)
            else:
                return step
        return None


class _LastResort(NamedTuple):
    """A client's last resort at the end of a plan. In each it is the same but for its positions."""

    first: int
    """The position of its first step,"""
    start: int | None
    """and where a call comes to it; None where it is empty."""
    nodes: tuple[PlanNode, ...]
    timed: tuple[tuple[int, Rounds], ...]
    rotating: tuple[int, ...]
    counted: int
    """What it adds to what is laid out."""

    def at(self, first: int) -> "_LastResort":
        """The same from another position on."""
        by = first - self.first
        if not by:
            return self
        return _LastResort(
            first,
            None if self.start is None else self.start + by,
            tuple(moved(self.nodes, by)),
            tuple((position + by, rounds) for position, rounds in self.timed),
            tuple(position + by for position in self.rotating),
            self.counted,
        )


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

    def greet(self, own: Written) -> bool:
        """Begin with the client's greeting, unless there is none or the call is to go on unanswered."""
        greeting = self.sheet.doc.greeting
        if greeting is None:
            return False
        first = self.sheet.first_step(own[0]) or self.sheet.first_step(self.sheet.doc.last_resort or ())
        if isinstance(first, DeclineStep | HangupStep | DialplanStep):
            return False
        place = self.sheet.place(("greeting",))
        self.nodes.append(PlanNode(prompt(greeting, self.sheet.doc), _AFTER, {}, place))
        return True

    def lay(self, steps: tuple[Shape, ...], path: Path, after: int, phones: Phones) -> int:
        """Lay out `steps`, going on to `after`; where they begin."""
        row: list[_Laid] = []
        leads_to: str | None = None
        for laid in self.in_a_row(steps, path, phones):
            if type(laid.step) is GotoStep:  # isinstance takes ten times as long of pydantic's classes
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
            rounds = rounds_of(laid.step, laid.phones, self.sheet.doc)
        except ValueError as error:
            raise TooManyStepsError(laid.path, str(error)) from None
        self.sheet.count(sum(map(len, rounds)), laid.path)
        return rounds

    def in_a_row(self, steps: tuple[Shape, ...], path: Path, phones: Phones) -> Iterator[_Laid]:
        """The steps with those of people's own treatments among them."""
        for number, step in enumerate(steps):
            if type(step) is PersonStep:
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
        made = MAKERS[type(step)](step, Given(self.sheet.doc, phones, rounds))
        if isinstance(made, ENDS):
            return PlanNode(made, None, {}, self.sheet.place(path))
        on: dict[str, int | None] = {}
        for way, steps, below in branches(step):
            on[way] = self.lay(steps, (*path, *below), follows, phones)
        if isinstance(step, RingStep):
            if any(self.sheet.is_timed(target.name) for targets in rounds for target in targets):
                self.timed.append((position, rounds))
            if step.order == "rotate":
                self.rotating.append(position)
        elif isinstance(made, Queue):
            self.sheet.count(len(made.agents), path)
            if any(map(self.sheet.is_timed, made.agents)):
                self.timed.append((position, ()))
        return PlanNode(made, follows, on, self.sheet.place(path))

    def unsettled(self, first: int, told: bool) -> set[int]:
        """The positions, reached from `first`, at which the steps run out for a call that could have been
        settled on the way there or has heard nothing on it."""
        found: set[int] = set()
        seen: set[tuple[int, bool, bool]] = set()
        waiting = [(first, told, False)]
        while waiting:
            here, told, settling = at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            node = self.nodes[here]
            told = told or isinstance(node.step, TELLS)
            settling = settling or isinstance(node.step, SETTLES)
            for there in (node.then, *node.on.values()):
                if there == _AFTER and (settling or not told):
                    found.add(here)
                elif there is not None and there != _AFTER:
                    waiting.append((there, told, settling))
        return found

    def last_resort(self) -> int | None:
        """Lay out the client's last resort; where it begins, None where it is empty."""
        known = self.sheet.last_resort
        if known is None or not self.has_room_for(known):
            known = self.sheet.last_resort = self.lay_last_resort()
            return known.start
        self.sheet.count(known.counted, ("last_resort",))
        known = self.sheet.last_resort = known.at(len(self.nodes))
        self.nodes += known.nodes
        self.timed += known.timed
        self.rotating += known.rotating
        return known.start

    def has_room_for(self, known: _LastResort) -> bool:
        """False where it would be too much: where in it that becomes clear is told by laying it out."""
        steps = len(self.nodes) + len(known.nodes)
        return steps <= MOST_STEPS and self.sheet.laid_out + known.counted <= MOST_LAID_OUT

    def lay_last_resort(self) -> _LastResort:
        first, timed, rotating = len(self.nodes), len(self.timed), len(self.rotating)
        before = self.sheet.laid_out
        self.routes = {}  # A route that leads to the last resort must not be where that leads to.
        written, path = self.sheet.doc.last_resort, ("last_resort",)
        start = self.regret(path) if written is None else self.lay(written, path, _AFTER, self.sheet.phones)
        self.join(first, lambda position: None)
        return _LastResort(
            first,
            None if start == _AFTER else start,
            tuple(self.nodes[first:]),
            tuple(self.timed[timed:]),
            tuple(self.rotating[rotating:]),
            self.sheet.laid_out - before,
        )

    def people(self) -> set[str]:
        """All whom steps ring that ring somebody with hours, or who are agents beside such a one."""
        people = {one.name for _, rounds in self.timed for targets in rounds for one in targets}
        for position, _ in self.timed:
            step = self.nodes[position].step
            if isinstance(step, Queue):
                people |= {*step.agents}
        return people

    def regret(self, path: Path) -> int:
        """Say that nobody can take the call, which no client needs to write; where that is."""
        doc = self.sheet.doc
        self.sheet.count(1, path)
        said = phrase(doc.language, doc.tone, Phrase.NOBODY)
        self.nodes.append(PlanNode(said, _AFTER, {}, self.sheet.place(path)))
        return len(self.nodes) - 1

    def join(self, first: int, ends: Callable[[int], int | None]) -> None:
        """Let what runs out of steps, from position `first` on, go on to what `ends` has for its position."""
        for position in range(first, len(self.nodes)):
            node = self.nodes[position]
            if node.then != _AFTER and not node.on:
                continue
            end = ends(position)
            then = end if node.then == _AFTER else node.then
            on = {way: end if at == _AFTER else at for way, at in node.on.items()}
            # A branch that ends where the step itself does is no branch.
            on = {way: at for way, at in on.items() if at is not None or then is not None}
            self.nodes[position] = PlanNode(node.step, then, on, node.place)


def lay_out(own: Written, sheet: Sheet, person: str | None = None, *, told: bool = False) -> Layout:
    """Lay out a treatment's steps and, where a call may come to it, the last resort.

    `person` is whose own treatment it is, if it is one's; `told` that something is said before it. Raises
    TooManyStepsError.
    """
    paper = _Paper(sheet)
    phones = sheet.phones if person is None else sheet.phones_of(person)
    greeted = paper.greet(own)
    first = paper.lay(*own, _AFTER, phones)
    if greeted:
        paper.nodes[0] = msgspec.structs.replace(paper.nodes[0], then=first)
    at_once = set() if told else {0}
    unsettled = at_once if first == _AFTER else paper.unsettled(first, told)
    start = paper.last_resort() if unsettled else None
    paper.join(0, lambda position: start if position in unsettled else None)
    plan = CallPlan(tuple(paper.nodes), greeted=greeted)
    timed_people = tuple(sorted(filter(sheet.is_timed, paper.people()))) if paper.timed else ()
    return Layout(plan, tuple(paper.timed), timed_people, tuple(paper.rotating), start)
