"""Scenarios: the administrators' own tests of their rules, `*.test.yaml`.

A scenario places one call in mind: who calls whom, when, and what the phones do (those not named answer). The
call is decided by the same `decide` and lived through by the same call machine as a real one (rehearsal.py),
and what came of it is held against what was expected.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from pydantic import BeforeValidator, Field

from router.core import reading, rehearsal, times
from router.core.arrival import Arriving, Known, make_info, read_did, read_facts
from router.core.cast import Cast, Given, Roles
from router.core.contacts import Contact, Entry, in_groups, known_as
from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.facts import QueueLoad as Load
from router.core.followups import Due, Ended, due, tags_by_rules
from router.core.layout import Layout
from router.core.numbers import PhoneNumber
from router.core.plan import (
    AsteriskQueue,
    Callback,
    CallPlan,
    Challenge,
    Dialplan,
    Directory,
    HangUp,
    Menu,
    Message,
    PlanNode,
    Queue,
    Refuse,
    Ring,
    Say,
    SayHours,
    SetTags,
    SetVariables,
    Speak,
    Step,
)
from router.core.reading import Reading, listed, reader
from router.core.record import CallRecord, Disposition
from router.core.remarks import MOST_TOLD, RuleError, UnknownNameError, told, words_of
from router.core.ruleset import ClientRules, RuleSet
from router.core.shapes import check
from router.core.show import way_in_words
from router.core.verdict import Verdict
from router.core.written import OneOrMore, Shape, Text, VariableName, as_text
from router.core.yamltext import YamlText, read_yaml

STEP_NAMES: dict[type[Step], str] = {
    Say: "say",
    Speak: "say",
    SayHours: "say",
    Menu: "menu",
    Directory: "directory",
    Ring: "ring",
    Queue: "queue",
    AsteriskQueue: "queue",
    Message: "message",
    Callback: "callback",
    Challenge: "challenge",
    SetTags: "tag",
    SetVariables: "set",
    Refuse: "decline",
    HangUp: "hangup",
    Dialplan: "dialplan",
}
"""A plan's step -> its name in the rules. `person` and `goto` stand for other steps: a call meets those."""

StepName = Literal[
    "say", "menu", "directory", "ring", "queue", "message", "callback", "challenge", "tag", "set",
    "decline", "hangup", "dialplan",
]  # fmt: skip


class LoadDoc(Shape):
    """How a queue stands, as in `{waiting: 6, agents: 2}`."""

    waiting: Annotated[int, as_text(reading.read_number)] = 0
    """So many callers wait."""
    agents: Annotated[int, as_text(reading.read_number)] | None = None
    """So many agents are there; without it, all."""


class CallDoc(Shape):
    """The call that is placed."""

    to: Text
    """The number that is called."""
    from_: Text = Field("anonymous", alias="from")
    """Who calls."""
    display: Text | None = None
    """The name that is shown with the call."""
    at: Annotated[datetime, as_text(reader(times.read_from))]
    """As the client's clocks show it."""
    variables: dict[VariableName, Text] = Field(default_factory=dict)
    """What the dialplan knows of the call."""
    called: Annotated[times.Rate, as_text(reader(times.Rate.parse))] | None = None
    """How often the caller has called lately, this call not included: `5 calls in 10m`."""
    contact: Annotated[tuple[Text, ...], BeforeValidator(listed)] | None = None
    """The groups of the contact that the caller is, `[]` for one in no group; without it, a stranger."""
    queues: dict[Text, LoadDoc] = Field(default_factory=dict)
    """How queues stand; of those not named all agents are there, and nobody waits."""


class ExpectDoc(Shape):
    """What must come of it; what is left out may be anything."""

    client: Text | None = None
    """The id of the client that has the number, or `none`."""
    route: Text | None = None
    """The route's name, `exception TITLE`, or `none`."""
    steps: Annotated[tuple[StepName, ...], BeforeValidator(listed)] | None = None
    """The steps that the call comes to, in order."""
    disposition: Disposition | None = None
    """What becomes of the call."""
    reason: Text | None = None
    """The reason written down with it, or `none`."""
    answered_by: Text | None = None
    """The person's id, or the phone; or `nobody`."""
    tags: Annotated[tuple[Text, ...], BeforeValidator(listed)] | None = None
    """The tags that it gets by the rules, in order; `[]` for none."""
    follow_ups: Annotated[tuple[Text, ...], BeforeValidator(listed)] | None = None
    """The names of the follow-ups that are due then, in the order of the rules; `[]` for none."""


class ScenarioDoc(Shape):
    """One test: a call, and what must come of it.

    ```yaml
    - name: kari is talking, so ola gets it
      call: {to: "+4722334455", from: "+4790000009", at: 2026-11-23 10:00}
      given: {kari: busy}
      expect: {route: main, disposition: answered, answered_by: ola}
    ```
    """

    name: Text
    """What is tested, in your words."""
    call: CallDoc
    """The call that is placed in mind."""
    given: dict[Text, Annotated[tuple[Text, ...], *OneOrMore]] = Field(default_factory=dict)
    """Who does what: the phones of a person, an endpoint or a number (answered, busy, no_answer, declined,
    unreachable, failed), a queue (answered, full, empty, timeout, left), the caller at a `menu` (a key, or
    otherwise), a `directory` (a person's id, or otherwise), a `message` (left, or otherwise), a `callback`
    (requested, or otherwise) and a `challenge` (passed, or failed). Phones not named answer. A list has what
    is done each time, and the last stays: `kari: [no_answer, busy]`."""
    tagged: Annotated[tuple[Text, ...], BeforeValidator(listed)] = ()
    """The tags that people put on the call."""
    expect: ExpectDoc
    """What must come of it."""


class ScenariosDoc(Shape):
    """Tests of the rules beside them, which `callrouter test` plays."""

    tests: tuple[ScenarioDoc, ...]
    """The tests, each by itself."""


class Scenario(NamedTuple):
    """One scenario, and where it is written."""

    doc: ScenarioDoc
    place: str


class Supposed(NamedTuple):
    """A call that nobody places: what would be decided, and what would become of it."""

    decision: Decision
    record: CallRecord
    met: tuple[int, ...]
    """The nodes that it comes to, in order,"""
    plan: CallPlan
    """of this plan: the decision's and, after it, that of who was chosen in a directory."""

    @property
    def steps(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(STEP_NAMES[type(self.plan.nodes[position].step)] for position in self.met)


class Part(NamedTuple):
    """Something of the rules that a call can meet."""

    place: str
    what: str


class Played(NamedTuple):
    """What came of a scenario."""

    scenario: Scenario
    supposed: Supposed
    follow_ups: tuple[Due, ...]
    """What is due then."""
    wrong: tuple[str, ...]
    """How it differs from what was expected, a line each; empty where it does not."""
    met: frozenset[Part]
    """What it met of what `all_parts` lists, and other things."""


def read_scenarios(
    file: str, written: str, rules: RuleSet
) -> tuple[tuple[Scenario, ...], tuple[RuleError, ...]]:
    """The scenarios of one file and, where there are any, its errors."""
    text = read_yaml(file, written)
    if text.errors:
        return (), told(text.errors)
    doc = check(text, ScenariosDoc, Reading.of(None, Dialling()))
    if isinstance(doc, tuple):
        return (), told(doc)
    scenarios = tuple(Scenario(one, text.place(("tests", at))) for at, one in enumerate(doc.tests))
    return scenarios, told(_unknown_names(text, doc, rules))


def _unknown_names(text: YamlText, doc: ScenariosDoc, rules: RuleSet) -> Iterator[RuleError]:
    roles = Roles(rules)
    tags = dict.fromkeys((*rules.tags, *(tag for one in rules.clients.values() for tag in one.tags)))
    found: list[tuple[tuple[str, int, int], ValueError]] = []
    for at, scenario in enumerate(doc.tests):
        for name, done in scenario.given.items():
            wrong = roles.what_is_wrong(name, done)
            if wrong is not None:
                found.append((text.mark(("tests", at, "given", name), wrong.in_name), wrong.error))
        for name in scenario.call.queues:
            if name not in roles.queues:
                otherwise = "write one of the clients' `queues`"
                error = UnknownNameError.among(f"no queue is called `{name}`", name, roles.queues, otherwise)
                found.append((text.mark(("tests", at, "call", "queues", name), at_key=True), error))
        for path, named in ((("expect", "tags"), scenario.expect.tags or ()), (("tagged",), scenario.tagged)):
            for number, tag in enumerate(named):
                if tag not in tags:
                    otherwise = "write one that ships, or one of `tags` in the rules"
                    error = UnknownNameError.among(f"no tag is called `{tag}`", tag, tags, otherwise)
                    found.append((text.mark(("tests", at, *path, number)), error))
    found.sort(key=lambda one: one[0])
    for number, (mark, why) in enumerate(found):
        yield RuleError.of(mark, words_of(why) if number < MOST_TOLD else "")


def play(scenario: Scenario, rules: RuleSet) -> Played:
    """Place the call of a scenario, and judge what came of it."""
    doc = scenario.doc
    call = doc.call
    arriving = Arriving(call.to, call.from_, call.display or "", call.variables)
    at = call.at.replace(tzinfo=ZoneInfo(zone_of(arriving, rules)))
    loads = {name: QueueLoad(load.waiting, load.agents) for name, load in call.queues.items()}
    known = Supposing(call.called, in_groups(call.contact), loads)
    supposed = suppose(arriving, at, rules, doc.given, known)
    met = {Part(row.place, f"{row.kind} {row.name}") for row in supposed.decision.trace if row.matched}
    met |= set(_branches_taken(supposed.plan, supposed.met))
    follow_ups = due_after(supposed, rules, doc.tagged)
    wrong = tuple(_wrong(doc.expect, supposed, follow_ups))
    return Played(scenario, supposed, follow_ups, wrong, frozenset(met))


def zone_of(arriving: Arriving, rules: RuleSet) -> str:
    """By whose clock a call is decided: its client's, which the number dialled alone says."""
    did = read_did(arriving.dialled, rules)
    owner = rules.numbers.find(did) if did else None
    return rules.clients[owner.client].timezone if owner else "UTC"


class QueueLoad(NamedTuple):
    """How a queue is supposed to stand."""

    waiting: int = 0
    agents: int | None = None
    """None: all of them are there."""


class Supposing(NamedTuple):
    """What else is supposed of a call."""

    called: times.Rate | None = None
    """How often the caller has called."""
    contact: Contact | None = None
    """Whom the client knows the caller as; None: as `contacts` have it."""
    queues: Mapping[str, QueueLoad] = {}
    verdicts: Sequence[Verdict] = ()
    """What is decided of numbers by command, in the order it was."""
    contacts: Sequence[Entry] = ()
    """Entries of the address book."""


NOTHING_ELSE = Supposing()


def suppose(
    arriving: Arriving,
    now: datetime,
    rules: RuleSet,
    given: Given,
    known: Supposing = NOTHING_ELSE,
) -> Supposed:
    """Decide a call and live it through. `given` is what everybody does (cast.py)."""
    before = known.called.spread(now) if known.called else ()

    def remembered(client: ClientRules, number: PhoneNumber, now: datetime) -> Known:
        decided = (one for one in reversed(known.verdicts) if one.number == number.e164)
        verdict = next((one for one in decided if one.holds(client.id, now)), None)
        return Known(before, verdict, known.contact or known_as(known.contacts, number.e164, client.id))

    facts = read_facts(arriving, rules, now, remember=remembered)
    owner = rules.numbers.find(facts.did) if facts.did else None
    client = rules.clients[owner.client] if owner else None
    facts = replace(facts, queues=_loads(client, known.queues))
    decision = decide(rules, facts)
    info = make_info(("", "", "supposed"), facts, decision)
    cast = Cast(given, client.country if client else None)
    return Supposed(decision, *rehearsal.rehearse(info, decision.plan, cast, rules))


def _loads(client: ClientRules | None, supposed: Mapping[str, QueueLoad]) -> dict[str, Load]:
    found: dict[str, Load] = {}
    for name, queue in client.queues.items() if client else ():
        waiting, agents = supposed.get(name, QueueLoad())
        found[name] = Load(waiting, len(queue.agents) if agents is None else agents)
    return found


def due_after(supposed: Supposed, rules: RuleSet, tagged: Iterable[str] = ()) -> tuple[Due, ...]:
    """The follow-ups that are due after it, where people have `tagged` it so."""
    record = supposed.record
    client = rules.clients.get(supposed.decision.client or "")
    if client is None:
        return ()
    tags = tags_by_rules(record).union(tagged)
    return tuple(due(client.follow_ups.all, Ended(record, tags, client.hours)))


def _wrong(expect: ExpectDoc, supposed: Supposed, follow_ups: tuple[Due, ...]) -> Iterator[str]:
    decision, record = supposed.decision, supposed.record
    found = {
        "client": decision.client or "none",
        "route": decision.route or "none",
        "steps": supposed.steps,
        "disposition": record.disposition,
        "reason": record.reason or "none",
        "answered_by": record.answered_by or "nobody",
        "tags": tuple(one.tag for one in record.tags),
        "follow_ups": tuple(one.follow_up.name for one in follow_ups),
    }
    for what, value in found.items():
        wanted = getattr(expect, what)
        if wanted is not None and wanted != value:
            yield f"{what} is {_shown(value)}, not {_shown(wanted)}"


def _shown(value: object) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)


# Coverage


def all_parts(rules: RuleSet) -> Iterator[Part]:
    """Every block rule, exception, own number and route, and every branch in them and in what a directory
    leads to."""
    for client in rules.clients.values():
        for rule in client.screening.block:
            yield Part(rule.place, f"{rule.kind} {rule.name}")
        for exception in client.exceptions:
            yield Part(exception.place, f"exception {exception.title}")
            if exception.layout is not None:
                yield from _branches(exception.layout)
        for person in client.people.values():
            if person.own is not None:
                yield Part(person.own.place, f"own number {person.own.name}")
            if person.treatment is not None:
                yield from _branches(person.treatment)
        for route in client.routes:
            yield Part(route.place, f"route {route.name}")
            yield from _branches(route.layout)


def _branches(layout: Layout) -> Iterator[Part]:
    """Those that lead to other steps: of the others a caller notices nothing."""
    for node in layout.plan.nodes:
        others = (way for way, at in node.on.items() if at not in (None, node.then))
        yield from (branch(node, way) for way in others)


def _branches_taken(plan: CallPlan, met: tuple[int, ...]) -> Iterator[Part]:
    for here, there in pairwise(met):
        node = plan.nodes[here]
        yield from (branch(node, way) for way, at in node.on.items() if at == there != node.then)


def branch(node: PlanNode, way: str) -> Part:
    """A way on from a step."""
    return Part(node.place, way_in_words(node.step, way))
