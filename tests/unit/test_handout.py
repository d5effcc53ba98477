"""What a dialplan of the administrator's own is handed: rules in, variables out."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from router.core import openings
from router.core.arrival import Arriving, read_facts
from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.handout import LONGEST_LIST, MOST_STEPS, handed_out
from router.core.numbers import CallerId
from router.core.plan import (
    CallPlan,
    HangUp,
    PlanNode,
    Queue,
    Ring,
    Say,
    SetTags,
    SetVariables,
    Speak,
    Step,
    Target,
)
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Europe/Oslo"))
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: en
hours: {office: {week: {mon-fri: "08:00-11:00"}}}
screening:
  block:
    - {name: telemarketers, numbers: "+4781549xxx"}
  treatment: TREATMENT
people:
  kari: {name: Kari, extension: 101, rings: [PJSIP/kari, "+47 900 00 001"]}
  ola: {name: Ola, extension: 102, rings: PJSIP/ola}
queues: {desk: {agents: [ola]}}
last_resort: {say: {file: sorry}}
ROUTES"""
OURS, SALES = "+4790000009", "+4781549312"
KARIS = "PJSIP/kari&PJSIP/+4790000001@trunk"


def media(prompt: Say | Speak) -> str:
    """A file by its name, and a text by how it begins."""
    return prompt.media if isinstance(prompt, Say) else f"sound:said/{prompt.text[:4]}"


def decided(steps: str, caller: str = OURS, treatment: str = "decline") -> Decision:
    routes = f"routes: [{{name: main, do: [{steps}]}}]\n" if steps else "routes: []\n"
    text = RULES.replace("TREATMENT", treatment).replace("ROUTES", routes)
    rules = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    decision = decide(rules, read_facts(Arriving("+4722334455", caller), rules, NOON))
    plan = openings.told(decision.plan, rules.clients["fjord"].hours, NOON)
    return replace(decision, plan=plan)


def told(decision: Decision, caller: str = OURS) -> dict[str, str]:
    """All that has a value, without callrouter's own beginning."""
    who = CallerId.read(caller, "", "NO")
    variables = handed_out(decision, "traceid", who, media)
    assert len(dict(variables)) == len(variables), "each once"
    values = {name.removeprefix("CALLROUTER_"): value for name, value in variables if value}
    assert (values.pop("TRACE"), values.pop("CLIENT")) == ("traceid", "fjord")
    return values


MAIN = {"ROUTE": "main", "STEPS": "1"}
SORRY = {"TREATMENT2": "say", "PROMPTS2": "sorry", "CAUSE2": "16"}
CASES: list[tuple[str, str, Mapping[str, str]]] = [
    (
        "somebody rings",
        "{ring: ola, for: 25s}",
        {"STEPS": "2", "TREATMENT": "ring", "TARGETS": "PJSIP/ola", "RING_FOR": "25"} | SORRY,
    ),
    (
        "two ring together, one of them outside",
        "{ring: [kari], for: 25s}",
        {"STEPS": "2", "TREATMENT": "ring", "TARGETS": KARIS, "RING_FOR": "25", "CONFIRM": "said/A ca"}
        | SORRY,
    ),
    (
        "in turn, after a greeting, and whoever answers hears for whom",
        "{say: Hello.}, {ring: [ola, PJSIP/201], order: in-turn, for: 10s, announce: For us.}, message",
        {
            "STEPS": "3", "TREATMENT": "ring", "PROMPTS": "said/Hell", "TARGETS": "PJSIP/ola",
            "RING_FOR": "10", "ANNOUNCE": "said/For ", "TREATMENT2": "ring", "TARGETS2": "PJSIP/201",
            "RING_FOR2": "10", "ANNOUNCE2": "said/For ", "TREATMENT3": "message",
        },
    ),
    (
        "whoever answers hears who calls",
        '{ring: ola, announce: "It is {caller} of here."}, hangup',
        {
            "STEPS": "2", "TREATMENT": "ring", "TARGETS": "PJSIP/ola", "RING_FOR": "25",
            "ANNOUNCE": "&".join(["said/It i", *(f"said/{digit}" for digit in OURS[3:]), "said/of h"]),
            "TREATMENT2": "hangup", "CAUSE2": "16",
        },
    ),
    (
        "whoever answers hears a file",
        "{ring: ola, announce: {file: beep}}, hangup",
        {
            "STEPS": "2", "TREATMENT": "ring", "TARGETS": "PJSIP/ola", "RING_FOR": "25", "ANNOUNCE": "beep",
            "TREATMENT2": "hangup", "CAUSE2": "16",
        },
    ),
    (
        "a branch for nobody answers",
        "{ring: ola, for: 5s, on: {no_answer: [{decline: busy}]}}, {ring: PJSIP/300}",
        {
            "STEPS": "2", "TREATMENT": "ring", "TARGETS": "PJSIP/ola", "RING_FOR": "5",
            "TREATMENT2": "hangup", "CAUSE2": "17",
        },
    ),
    (
        "a queue of Asterisk's own",
        "{queue: {asterisk: support}, for: 90s}, hangup",
        {
            "STEPS": "2", "TREATMENT": "asterisk_queue", "DETAIL": "support", "RING_FOR": "90",
            "TREATMENT2": "hangup", "CAUSE2": "16",
        },
    ),
    (
        "a queue of ours, then a menu, then the directory",
        "{queue: desk}, {menu: {say: Well?, choices: {1: [hangup]}}}, directory, "
        "{dialplan: {context: old, extension: s}}",
        {
            "STEPS": "4", "TREATMENT": "queue", "TREATMENT2": "menu", "TREATMENT3": "directory",
            "TREATMENT4": "dialplan", "DETAIL4": "old,s,1",
        },
    ),
    ("a wish to be called back", "callback", {"TREATMENT": "callback"}),
    (
        "only something to hear",
        "{say: hours}, {say: {file: bye}}, hangup",
        {"TREATMENT": "hangup", "PROMPTS": "said/We a&bye", "CAUSE": "16", "DISPOSITION": "informed"},
    ),
    (
        "refused by the route",
        "{decline: busy}",
        {"TREATMENT": "hangup", "CAUSE": "17", "DISPOSITION": "blocked", "REASON": "route main"},
    ),
    (
        "the dialplan has it",
        "{set: {ACCOUNT: fjord}}, {tag: demo_booked}, {dialplan: {context: old, extension: s}}",
        {"TREATMENT": "dialplan", "DETAIL": "old,s,1", "DISPOSITION": "transferred", "ACCOUNT": "fjord"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "values"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_the_steps_of_a_route(steps: str, values: Mapping[str, str]) -> None:
    assert told(decided(steps)) == {**MAIN, **values}


BLOCKED = {"STEPS": "1", "TREATMENT": "blocked", "DISPOSITION": "blocked", "REASON": "telemarketers"}
REFUSALS: list[tuple[str, str, Mapping[str, str]]] = [
    ("declined", "decline", {"CAUSE": "21"}),
    ("busy", "busy", {"CAUSE": "17"}),
    ("told why", "{say: No adverts.}", {"CAUSE": "16", "PROMPTS": "said/No a"}),
]


@pytest.mark.parametrize(("treatment", "values"), [row[1:] for row in REFUSALS], ids=[r[0] for r in REFUSALS])
def test_who_is_blocked(treatment: str, values: Mapping[str, str]) -> None:
    assert told(decided("{ring: ola}", SALES, treatment), SALES) == {**BLOCKED, **values}


def test_who_is_challenged_comes_no_further() -> None:
    challenged = told(decided("{ring: ola}", SALES, "{challenge: Press 5.}"), SALES)
    assert challenged == {"STEPS": "1", "TREATMENT": "challenge", "ROUTE": "main"}


def test_who_meets_no_route_hears_the_last_resort() -> None:
    assert told(decided("")) == {
        "STEPS": "1", "TREATMENT": "say", "PROMPTS": "sorry", "CAUSE": "16", "DISPOSITION": "failed",
        "REASON": "no_route",
    }  # fmt: skip


def test_a_number_of_nobody() -> None:
    rules = compile_rules({}, Dialling())
    assert isinstance(rules, RuleSet), rules
    decision = decide(rules, read_facts(Arriving("4799", OURS), rules, NOON))
    assert dict(handed_out(decision, "traceid", CallerId.read(OURS, "", None), media)) == {
        f"CALLROUTER_{name}": value
        for name, value in {
            "TRACE": "traceid", "CLIENT": "", "ROUTE": "", "DISPOSITION": "failed", "REASON": "no_route",
            "ERROR": "", "STEPS": "1", "TARGETS": "", "TREATMENT": "unknown_number", "PROMPTS": "",
            "CAUSE": "1",
        }.items()
    }  # fmt: skip


def of_plan(*steps: Step, circle: bool = False) -> dict[str, str]:
    """The variables of these steps one after the other."""
    after = [number if number < len(steps) else 0 if circle else None for number in range(1, len(steps) + 1)]
    plan = CallPlan(tuple(map(PlanNode, steps, after)))
    return told(replace(decided("hangup"), plan=plan))


OLA = Target("ola", "PJSIP/ola")
REFUSED = {"TREATMENT": "hangup", "CAUSE": "16", "DISPOSITION": "blocked", "REASON": "route main"}
PLANS: list[tuple[str, tuple[Step, ...], Mapping[str, str]]] = [
    ("an empty plan", (), REFUSED),
    ("nobody is there to ring", (Ring((), 5.0), HangUp()), REFUSED),
    (
        "a round without anybody",
        (Ring(((), (OLA,)), 4.2),),
        {"TREATMENT": "ring", "TARGETS": "PJSIP/ola", "RING_FOR": "5"},
    ),
    ("tags only", (SetTags(("sale",)),), REFUSED),
    (
        "variables after the first step",
        (Ring(((OLA,),), 5.0), SetVariables((("LATER", "1"),))),
        {"TREATMENT": "ring", "TARGETS": "PJSIP/ola", "RING_FOR": "5"},
    ),
]


@pytest.mark.parametrize(("steps", "values"), [row[1:] for row in PLANS], ids=[row[0] for row in PLANS])
def test_plans_as_rules_rarely_make_them(steps: tuple[Step, ...], values: Mapping[str, str]) -> None:
    assert of_plan(*steps) == {**MAIN, **values}


def test_a_queue_whose_agents_are_away_is_passed() -> None:
    steps = "{queue: desk, on: {empty: [hangup]}}"
    there = decided(steps).plan.nodes[0].step
    assert told(decided(steps)) == {**MAIN, "STEPS": "2", "TREATMENT": "queue", **SORRY}
    assert isinstance(there, Queue)
    assert of_plan(replace(there, agents=()), HangUp())["TREATMENT"] == "hangup"


def test_phones_that_are_too_many_for_one_command_ring_in_turn() -> None:
    many = tuple(Target(str(n), f"PJSIP/+47900000{n:02d}@trunk", outside=n == 99) for n in range(100))
    confirm = Speak("Press 1.", "en")
    values = of_plan(Ring((many,), 20.0, confirm=confirm))
    lists = [values["TARGETS"], values["TARGETS2"]]
    assert "&".join(lists).split("&") == [target.dial for target in many]
    assert [len(text) <= LONGEST_LIST for text in lists] == [True, True]
    assert (values.get("CONFIRM"), values["CONFIRM2"], values["STEPS"]) == (None, "said/Pres", "2")


def test_no_more_steps_than_that() -> None:
    values = of_plan(*[Ring(((OLA,), (OLA,)), 5.0)] * 20)
    assert (values["STEPS"], values[f"TREATMENT{MOST_STEPS}"]) == (str(MOST_STEPS), "ring")
    assert f"TREATMENT{MOST_STEPS + 1}" not in values


def test_a_circle_has_an_end() -> None:
    assert of_plan(Say("sound:a"), Say("sound:b"), circle=True)["PROMPTS"] == "a&b"


def test_files_that_are_too_many_for_one_command_are_left_out_whole() -> None:
    files = of_plan(*(Say(f"sound:{n:0100d}") for n in range(30)), HangUp())["PROMPTS"].split("&")
    assert files == [f"{n:0100d}" for n in range(17)]


def test_nothing_that_the_caller_sent_is_handed_back() -> None:
    text = RULES.replace("TREATMENT", "decline").replace(
        "ROUTES", "routes: [{name: main, do: [{ring: ola}]}]"
    )
    rules = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    evil = Arriving("+4722334455", "evil&PJSIP/1", "evil${SHELL(x)}", {"evil": "evil"})
    facts = read_facts(evil, rules, NOON)
    variables = handed_out(decide(rules, facts), "traceid", facts.caller, media)
    assert [name for name, value in variables if "evil" in name + value] == []
