"""Scenarios: the administrators' own tests of their rules, `*.test.yaml`.

A scenario places one call in mind: who calls whom, when, and what the phones do (those not named answer). The
call is decided by the same `decide` and lived through by the same call machine as a real one (rehearsal.py),
and what came of it is held against what was expected.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from router.core import rehearsal, times
from router.core.arrival import Arriving, Known, make_info, read_did, read_facts
from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.layout import Layout
from router.core.numbers import PhoneNumber
from router.core.plan import CallPlan, Dialplan, HangUp, Refuse, Ring, Say, Step, Target
from router.core.reading import Reading, listed, reader
from router.core.record import CallRecord, Disposition
from router.core.remarks import MOST_TOLD, RuleError, did_you_mean, told
from router.core.ruleset import RuleSet
from router.core.shapes import check
from router.core.written import Shape, Text, VariableName, as_text
from router.core.yamltext import YamlText, read_yaml

STEP_NAMES: dict[type[Step], str] = {
    Say: "say",
    Ring: "ring",
    Refuse: "decline",
    HangUp: "hangup",
    Dialplan: "dialplan",
}
"""A plan's step -> its name in the rules. `person` and `goto` stand for other steps: a call meets those."""

Outcome = Literal["answered", "busy", "no_answer", "declined", "unreachable", "failed"]
"""What a phone can be told to do: rehearsal.OUTCOMES."""

StepName = Literal["say", "ring", "decline", "hangup", "dialplan"]


class CallDoc(Shape):
    """The call that is placed."""

    to: Text
    """The number that is called."""
    from_: Text = Field("anonymous", alias="from")
    """Who calls."""
    at: Annotated[datetime, as_text(reader(times.read_from))]
    """As the client's clocks show it."""
    variables: dict[VariableName, Text] = Field(default_factory=dict)
    """What the dialplan knows of the call."""
    called: Annotated[times.Rate, as_text(reader(times.Rate.parse))] | None = None
    """How often the caller has called lately, this call not included: `5 calls in 10m`."""


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
    given: dict[Text, Outcome] = Field(default_factory=dict)
    """What the phones of a person, an endpoint or a number do; those not named answer."""
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
    """The plan's nodes that it comes to, in order."""

    @property
    def steps(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(STEP_NAMES[type(self.decision.plan.nodes[position].step)] for position in self.met)


class Part(NamedTuple):
    """Something of the rules that a call can meet."""

    place: str
    what: str


class Played(NamedTuple):
    """What came of a scenario."""

    scenario: Scenario
    supposed: Supposed
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
    """Names in `given` that are nobody's: a misspelt one would answer, and prove nothing."""
    people = {person for client in rules.clients.values() for person in client.people}
    unknown = (
        (text.mark(("tests", at, "given", name), at_key=True), name)
        for at, scenario in enumerate(doc.tests)
        for name in scenario.given
        if name not in people and not name.startswith(("PJSIP/", "+")) and not name[0].isdigit()
    )
    for number, (mark, name) in enumerate(sorted(unknown)):
        otherwise = "write a person's id, PJSIP/ENDPOINT, or a number"
        instead = did_you_mean(name, people, otherwise) if number < MOST_TOLD else otherwise
        yield RuleError(*mark, f"nobody is called `{name}`", instead)


def play(scenario: Scenario, rules: RuleSet) -> Played:
    """Place the call of a scenario, and judge what came of it."""
    doc = scenario.doc
    arriving = Arriving(doc.call.to, doc.call.from_, variables=doc.call.variables)
    at = doc.call.at.replace(tzinfo=ZoneInfo(zone_of(arriving, rules)))
    supposed = suppose(arriving, at, rules, doc.given, doc.call.called)
    met = {Part(row.place, f"{row.kind} {row.name}") for row in supposed.decision.trace if row.matched}
    met |= set(_branches_taken(supposed.decision.plan, supposed.met))
    return Played(scenario, supposed, tuple(_wrong(doc.expect, supposed)), frozenset(met))


def zone_of(arriving: Arriving, rules: RuleSet) -> str:
    """By whose clock a call is decided: its client's, which the number dialled alone says."""
    did = read_did(arriving.dialled, rules)
    owner = rules.numbers.find(did) if did else None
    return rules.clients[owner.client].timezone if owner else "UTC"


def suppose(
    arriving: Arriving,
    now: datetime,
    rules: RuleSet,
    given: Mapping[str, str],
    called: times.Rate | None = None,
) -> Supposed:
    """Decide a call and live it through. `given` is what the phones of a person, an endpoint or a number do,
    each one of rehearsal.OUTCOMES; those not named answer. `called` is how often the caller has called."""
    known = Known(called.spread(now) if called else ())
    facts = read_facts(arriving, rules, now, remember=lambda *_: known)
    decision = decide(rules, facts)
    country = rules.clients[decision.client].country if decision.client else None
    does = {_canonical(name, country): outcome for name, outcome in given.items()}

    def outcome_of(target: Target) -> str:
        names = (target.number, target.dial, target.name)
        return next((does[name] for name in names if name in does), rehearsal.ANSWERED)

    info = make_info(("", "", "supposed"), facts, decision)
    record, met = rehearsal.rehearse(info, decision.plan, outcome_of)
    return Supposed(decision, record, met)


def _canonical(name: str, country: str | None) -> str:
    try:
        return PhoneNumber.parse(name, country).e164
    except ValueError:
        return name


def _wrong(expect: ExpectDoc, supposed: Supposed) -> Iterator[str]:
    decision, record = supposed.decision, supposed.record
    found = {
        "client": decision.client or "none",
        "route": decision.route or "none",
        "steps": supposed.steps,
        "disposition": record.disposition,
        "reason": record.reason or "none",
        "answered_by": record.answered_by or "nobody",
    }
    for what, value in found.items():
        wanted = getattr(expect, what)
        if wanted is not None and wanted != value:
            yield f"{what} is {_shown(value)}, not {_shown(wanted)}"


def _shown(value: object) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)


# Coverage


def all_parts(rules: RuleSet) -> Iterator[Part]:
    """Every block rule, exception, own number and route, and every branch in them."""
    for client in rules.clients.values():
        for rule in client.screening.block:
            yield Part(rule.place, f"{'shadow' if rule.shadow else 'block'} {rule.name}")
        for exception in client.exceptions:
            yield Part(exception.place, f"exception {exception.title}")
            if exception.layout is not None:
                yield from _branches(exception.layout)
        for person in client.people.values():
            if person.own is not None:
                yield Part(person.own.place, f"own number {person.own.name}")
                yield from _branches(person.own.layout)
        for route in client.routes:
            yield Part(route.place, f"route {route.name}")
            yield from _branches(route.layout)


def _branches(layout: Layout) -> Iterator[Part]:
    """Those that lead to other steps: of the others a caller notices nothing."""
    for node in layout.plan.nodes:
        others = (outcome for outcome, at in node.on.items() if at not in (None, node.then))
        yield from (Part(node.place, f"on {outcome}") for outcome in others)


def _branches_taken(plan: CallPlan, met: tuple[int, ...]) -> Iterator[Part]:
    for here, there in pairwise(met):
        node = plan.nodes[here]
        yield from (Part(node.place, f"on {key}") for key, at in node.on.items() if at == there != node.then)
