"""Rules and facts -> the plan a caller meets, and the trace of why."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.plan import HangUp, Refuse, Ring, RingOutcome, Say, Speak, Step, Target
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

OSLO = ZoneInfo("Europe/Oslo")
RULES = """\
client: fjord
name: Fjord Legesenter
numbers: ["+4722334455", "+472233446x"]
timezone: Europe/Oslo
country: NO
hours:
  office: {week: {mon-fri: "08:00-16:00"}}
  early: {week: {mon-fri: "07:00-12:00"}}
screening:
  allow: ["+47815495*"]
  block:
    - {name: telemarketers, numbers: ["+4781549xxx"]}
people:
  kari: {rings: [PJSIP/101, {number: "90 00 00 01"}], hours: office, numbers: 22334461}
  ola: {rings: PJSIP/102, hours: early}
  anne: {rings: PJSIP/103}
routes:
  - {name: withheld and closed, when: {caller: anonymous, closed: office}, do: decline}
  - {name: from abroad, when: {caller: [{country: [SE, DK]}, "+44*"]}, do: {decline: busy}}
  - name: weekend
    when: {closed: [office, early], not: {open: office}, dialled: "+4722334460"}
    do: {say: {file: hello}}
  - {name: quiet, when: [{dialled: "+4722334462"}, {dialled: ["+4722334463"]}], do: []}
  - name: direct
    when: {dialled: "+4722334464"}
    do: [{ring: [ola, anne, kari], order: in-turn, for: 10s}, hangup]
  - name: main
    when: {not: {dialled: "+4722334469"}}
    do:
      - ring: [kari, ola, PJSIP/103, anne]
        on: {busy: [{say: {file: a}}], declined: [], failed: hangup}
last_resort: {say: {file: sorry}}
"""
MORE = """\
client: sund
name: Sund
numbers: "+472233005x"
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
exceptions:
  - {title: course day, from: 2026-11-16 12:00, until: 2026-11-16 15:30, owner: kari, say: {file: course}}
  - {title: moving, from: 2026-11-18, until: 2026-11-19, owner: kari, say: {file: moving}, do: [{ring: anne}]}
  - {title: flu, from: 2026-11-18, until: 2026-11-21, owner: kari, do: hangup}
people:
  kari:
    rings: PJSIP/101
    numbers: "+4722330051"
    do: [{ring: self, for: 10s}, {person: ola}, {say: {file: k}}]
  ola: {rings: PJSIP/102, hours: office}
  anne: {rings: PJSIP/103}
routes:
  - {name: advent, when: {between: [2026-12-01, 2026-12-24]}, do: {say: {file: advent}}}
  - {name: hand over, when: {dialled: "+4722330052"}, do: {dialplan: {context: fax, extension: "100"}}}
  - {name: by name, when: {dialled: "+4722330053"}, do: [{person: kari}, {goto: main}]}
  - name: branches
    when: {dialled: "+4722330054"}
    do: [{ring: anne, on: {busy: {goto: main}, failed: {goto: main}}}, {say: {file: b}}]
  - {name: in turn, when: {dialled: "+4722330055"}, do: [{ring: [kari, ola, anne], order: rotate}]}
  - {name: main, do: [{ring: PJSIP/100}]}
last_resort: {say: {file: sorry}}
"""
MONDAY, NOON, SUNDAY = "2026-11-16 10:00", "2026-11-16 13:00", "2026-11-22 10:00"
LAST: list[Step] = [Say("sound:sorry")]


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules({"fjord.yaml": RULES, "sund.yaml": MORE}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def facts(to: str, caller: str = "+4790000009", at: str = MONDAY) -> Facts:
    did = PhoneNumber.parse(to) if to else None
    return Facts(datetime.fromisoformat(at).replace(tzinfo=OSLO), to, did, CallerId.read(caller, "", "NO"))


def steps(decision: Decision) -> list[Step]:
    return [node.step for node in decision.plan.nodes]


def rung(decision: Decision) -> list[list[str]]:
    """Names of those who are rung, by round."""
    return [
        [target.name for target in targets]
        for step in steps(decision)
        if isinstance(step, Ring)
        for targets in step.rounds
    ]


MAIN = "+4722334455"
ROUTES = [
    ("open", MAIN, "+4790000009", MONDAY, "main"),
    ("withheld, open", MAIN, "anonymous", MONDAY, "main"),
    ("withheld, closed", MAIN, "anonymous", SUNDAY, "withheld and closed"),
    ("an extension is not withheld", MAIN, "100", SUNDAY, "main"),
    ("from Sweden", MAIN, "+46701234567", MONDAY, "from abroad"),
    ("from Britain", MAIN, "+442079460000", MONDAY, "from abroad"),
    ("dialled and closed", "+4722334460", "+4790000009", SUNDAY, "weekend"),
    ("one of two is closed, one open", "+4722334460", "+4790000009", NOON, "main"),
    ("an alternative", "+4722334463", "+4790000009", MONDAY, "quiet"),
    ("no route", "+4722334469", "+4790000009", MONDAY, None),
]


@pytest.mark.parametrize(
    ("to", "caller", "at", "route"), [row[1:] for row in ROUTES], ids=[row[0] for row in ROUTES]
)
def test_the_first_route_that_matches_takes_the_call(
    rules: RuleSet, to: str, caller: str, at: str, route: str | None
) -> None:
    decision = decide(rules, facts(to, caller, at))
    assert (decision.client, decision.route, decision.plan.no_route) == ("fjord", route, route is None)


@pytest.mark.parametrize(("to", "name"), [("+4790000001", "a number no client has"), ("", "no number")])
def test_an_unknown_number_is_refused(rules: RuleSet, to: str, name: str) -> None:
    decision = decide(rules, facts(to))
    assert steps(decision) == [Refuse("unknown_number")]
    assert (decision.client, decision.plan.no_route, decision.version) == (None, True, rules.version)


@pytest.mark.parametrize(
    ("caller", "blocked_by"),
    [("+4781549123", "telemarketers"), ("+4781549512", None), ("+4790000009", None), ("anonymous", None)],
)
def test_allow_outranks_block(rules: RuleSet, caller: str, blocked_by: str | None) -> None:
    assert decide(rules, facts(MAIN, caller)).plan.blocked_by == blocked_by


@pytest.mark.parametrize(
    ("treatment", "meets"),
    [
        ("", [Refuse("decline")]),
        ("treatment: decline", [Refuse("decline")]),
        ("treatment: busy", [Refuse("busy")]),
        ("treatment: {say: {file: sound:go-away}}", [Say("sound:go-away"), HangUp()]),
    ],
)
def test_the_treatment_of_the_blocked(treatment: str, meets: list[Step]) -> None:
    text = RULES.replace("screening:\n", f"screening:\n  {treatment}\n" if treatment else "screening:\n")
    rules = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet)
    decision = decide(rules, facts(MAIN, "+4781549123"))
    assert (steps(decision), decision.route) == (meets, None)


RUNG = [
    ("all in hours", MAIN, MONDAY, [["kari", "kari", "ola", "PJSIP/103"]]),
    ("one outside", MAIN, NOON, [["kari", "kari", "PJSIP/103"]]),
    ("on Sunday, only who has no hours", MAIN, SUNDAY, [["PJSIP/103"]]),
    ("in turn", "+4722334464", MONDAY, [["ola"], ["anne"], ["kari", "kari"]]),
    ("in turn, one outside", "+4722334464", NOON, [["anne"], ["kari", "kari"]]),
    ("own number", "+4722334461", NOON, [["kari", "kari"]]),
    ("own number, outside hours", "+4722334461", SUNDAY, []),
    ("nobody's turn", "+4722334469", MONDAY, []),
]


@pytest.mark.parametrize(("to", "at", "names"), [row[1:] for row in RUNG], ids=[row[0] for row in RUNG])
def test_people_outside_their_hours_are_not_rung(
    rules: RuleSet, to: str, at: str, names: list[list[str]]
) -> None:
    assert rung(decide(rules, facts(to, at=at))) == names


TAKE = Speak("A call for Fjord Legesenter. Press 1 to take it, or 2 to decline.", "en")
"""What is heard outside."""


def test_targets_are_dialled_by_the_rules(rules: RuleSet) -> None:
    ring, *rest = steps(decide(rules, facts("+4722334461")))
    kari = (Target("kari", "PJSIP/101"), Target("kari", "PJSIP/+4790000001@trunk", True, "+4790000001"))
    assert ring == Ring((kari,), 25.0, confirm=TAKE)
    assert rest == LAST


def test_numbers_outside_are_dialled_through_the_trunk() -> None:
    step = '{ring: ["90 00 00 01", {number: +4790000002}, PJSIP/100], for: 1m}'
    text = RULES.replace("do: {say: {file: hello}}", f"do: {step}")
    rules = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    outside = (Target(to, f"PJSIP/{to}@trunk", True, to) for to in ("+4790000001", "+4790000002"))
    ring = Ring(((*outside, Target("PJSIP/100", "PJSIP/100")),), 60.0, confirm=TAKE)
    assert steps(decide(rules, facts("+4722334460", at=SUNDAY)))[0] == ring


def test_a_branch_goes_on_after_its_ring(rules: RuleSet) -> None:
    ring, busy, failed, sorry = decide(rules, facts(MAIN)).plan.nodes
    assert (ring.then, ring.on) == (3, {RingOutcome.BUSY: 1, RingOutcome.DECLINED: 3, RingOutcome.FAILED: 2})
    assert (busy.step, busy.then) == (Say("sound:a"), 3)
    assert (failed.step, failed.then) == (HangUp(), None)
    assert (sorry.step, sorry.then, sorry.place) == (Say("sound:sorry"), None, "fjord.yaml:32")


@pytest.mark.parametrize(
    ("to", "at", "meets"),
    [
        ("+4722334460", SUNDAY, [Say("sound:hello")]),
        ("+4722334463", MONDAY, LAST),
        ("+4722334469", MONDAY, LAST),
    ],
    ids=["only informed", "heard nothing", "no route"],
)
def test_who_met_nobody_gets_the_last_resort(rules: RuleSet, to: str, at: str, meets: list[Step]) -> None:
    assert steps(decide(rules, facts(to, at=at))) == meets


def test_a_client_without_block_rules_is_not_screened() -> None:
    text = RULES.replace('  block:\n    - {name: telemarketers, numbers: ["+4781549xxx"]}\n', "")
    rules = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    assert "block" not in [row.kind for row in decide(rules, facts(MAIN, "+4781549123")).trace]


def test_a_decision_encodes_to_json_and_back(rules: RuleSet) -> None:
    decision = decide(rules, facts(MAIN, at=SUNDAY))
    again = msgspec.json.decode(msgspec.json.encode(decision), type=Decision)
    assert again == decision
    assert "+4790000009" not in msgspec.json.encode(decision.trace).decode()


WAYS = [
    ("a plain route", "+4722330050", MONDAY, ["PJSIP/100", "sorry"]),
    ("an exception that only says", "+4722330050", NOON, ["course", "PJSIP/100", "sorry"]),
    ("its first minute", "+4722330050", "2026-11-16 12:00", ["course", "PJSIP/100", "sorry"]),
    ("its end", "+4722330050", "2026-11-16 15:30", ["PJSIP/100", "sorry"]),
    ("an exception that takes the call", "+4722330050", "2026-11-18 10:00", ["moving", "anne", "sorry"]),
    ("a day alone ends with the day", "+4722330050", "2026-11-19 23:59", ["moving", "anne", "sorry"]),
    ("the next one", "+4722330050", "2026-11-20 00:00", ["HangUp"]),
    ("own numbers know no exceptions", "+4722330051", "2026-11-20 10:00", ["kari", "ola", "k", "sorry"]),
    ("between", "+4722330050", "2026-12-24 23:59", ["advent"]),
    ("after it", "+4722330050", "2026-12-25 00:00", ["PJSIP/100", "sorry"]),
    ("to the dialplan", "+4722330052", MONDAY, ["Dialplan"]),
    ("a person, and on", "+4722330053", MONDAY, ["kari", "ola", "k", "PJSIP/100", "sorry"]),
    ("a person who is not there", "+4722330053", SUNDAY, ["kari", "", "k", "PJSIP/100", "sorry"]),
    ("branches that meet again", "+4722330054", MONDAY, ["anne", "b", "PJSIP/100", "sorry"]),
]


def met(step: Step) -> str:
    """A step in a word: what is played, who is rung."""
    match step:
        case Say(media):
            return media.removeprefix("sound:")
        case Ring(rounds):
            return " ".join(target.name for targets in rounds for target in targets)
        case _:
            return type(step).__name__


@pytest.mark.parametrize(("to", "at", "meets"), [row[1:] for row in WAYS], ids=[row[0] for row in WAYS])
def test_what_a_caller_meets(rules: RuleSet, to: str, at: str, meets: list[str]) -> None:
    assert list(map(met, steps(decide(rules, facts(to, at=at))))) == meets


LAST_RESORTS = [
    ("a route that leads to it", "[{goto: over}]", ["PJSIP/1", "PJSIP/2"]),
    ("a prompt and such a route", "[{say: {file: x}}, {goto: over}]", ["PJSIP/1", "x", "PJSIP/2"]),
    ("a route without steps", "[{goto: empty}]", ["PJSIP/1"]),
    ("a person who does nothing", "[{person: idle}]", ["PJSIP/1"]),
]
OVER = """\
client: c
name: C
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
people: {idle: {do: []}}
routes:
  - {name: main, do: [{ring: PJSIP/1}]}
  - {name: over, do: [{ring: PJSIP/2}]}
  - {name: empty, do: []}
"""


@pytest.mark.parametrize(
    ("last_resort", "meets"), [row[1:] for row in LAST_RESORTS], ids=[row[0] for row in LAST_RESORTS]
)
def test_a_last_resort_may_lead_anywhere_and_ends(last_resort: str, meets: list[str]) -> None:
    texts = {"c.yaml": f"{OVER}last_resort: {last_resort}\n"}
    compiled = compile_rules(texts, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    decision = decide(compiled, facts("+4722334455"))
    assert list(map(met, steps(decision))) == meets
    assert [node.then for node in decision.plan.nodes] == [*range(1, len(meets)), None]


def test_a_branch_to_nowhere_ends_the_call() -> None:
    branch = "[{ring: PJSIP/1, on: {busy: {goto: empty}}}, hangup]"
    text = OVER.replace("[{ring: PJSIP/1}]", branch) + "last_resort: []\n"
    compiled = compile_rules({"c.yaml": text}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    assert decide(compiled, facts("+4722334455")).plan.nodes[0].on == {RingOutcome.BUSY: None}


def test_two_branches_lead_to_one_place(rules: RuleSet) -> None:
    plan = decide(rules, facts("+4722330054")).plan
    assert plan.nodes[0].on == {RingOutcome.BUSY: 2, RingOutcome.FAILED: 2}
    assert (plan.nodes[1].then, plan.nodes[2].then) == (3, 3)


def test_rounds_that_rotate_begin_one_further_on_with_each_call(rules: RuleSet) -> None:
    turns = [msgspec.structs.replace(facts("+4722330055", at=at), turn=turn)
             for turn, at in ((0, MONDAY), (1, MONDAY), (5, MONDAY), (1, SUNDAY))]  # fmt: skip
    assert [rung(decide(rules, call)) for call in turns] == [
        [["kari"], ["ola"], ["anne"]],
        [["ola"], ["anne"], ["kari"]],
        [["anne"], ["kari"], ["ola"]],
        [["anne"], ["kari"]],
    ]


def test_the_trace_of_exceptions(rules: RuleSet) -> None:
    decision = decide(rules, facts("+4722330050", at="2026-11-18 10:00"))
    assert decision.route == "exception moving"
    assert [(row.kind, row.name, row.matched) for row in decision.trace[1:]] == [
        ("exception", "course day", False),
        ("exception", "moving", True),
    ]
