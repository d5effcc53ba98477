"""Steps as written -> plans, where they have branches, a greeting, and ends of different kinds."""

import pytest

from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.languages.catalogue import Phrase, Tone
from router.core.numbers import CallerId, PhoneNumber
from router.core.phrases import phrase
from router.core.plan import CallPlan, Delivery, Message, Queue
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.show import step_in_words
from router.core.times import read_from

HEAD = """\
client: f
name: F
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours: {day: {week: {mon-sun: "08:00-16:00"}}}
people:
  kari: {rings: PJSIP/1, hours: day}
  ola: {rings: PJSIP/2}
  nobody: {do: []}
queues: {desk: {agents: [kari, ola]}}
last_resort: {say: {file: sorry}}
"""


def decided(text: str, at: str = "2026-11-23 10:00", head: str = HEAD) -> Decision:
    rules = compile_rules({"f.yaml": head + text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    now = read_from(at).astimezone()
    return decide(rules, Facts(now, "+4722334455", PhoneNumber("+4722334455"), CallerId(None, "")))


def told(plan: CallPlan) -> list[str]:
    """Each position: its step, where it goes on, and its branches."""

    def at(there: int | None) -> str:
        return "end" if there is None else str(there)

    lines = []
    for node in plan.nodes:
        branches = "".join(f" {way}:{at(there)}" for way, there in node.on.items())
        lines.append(f"{step_in_words(node.step).partition(',')[0]} >{at(node.then)}{branches}")
    return lines


SAID, SORRY = "say sound:a", "say sound:sorry >end"
ROWS = [
    (
        "a menu",
        "[{menu: {say: Hi, choices: {1: {ring: ola}, 2: {say: {file: a}}}, otherwise: [{ring: PJSIP/9}]}}]",
        [
            'menu: "Hi" >4 1:1 2:2 otherwise:3',
            "ring ola >4",
            f"{SAID} >end",
            "ring PJSIP/9 >4",
            SORRY,
        ],
    ),
    (
        "a menu that goes on",
        "[{menu: {choices: {1: []}}}, {ring: ola}]",
        ["menu >1 1:1 otherwise:1", "ring ola >2", SORRY],
    ),
    (
        "a menu within a menu",
        "[{menu: {choices: {1: {menu: {choices: {2: {goto: r2}}}}}}}]",
        ["menu >3 1:1 otherwise:3", "menu >3 2:2 otherwise:3", f"{SAID} >end", SORRY],
    ),
    (
        "a queue and its branches",
        "[{queue: desk, on: {full: [callback], empty: []}}]",
        ["queue desk (kari and ola) >2 full:1 empty:2", "callback >2", SORRY],
    ),
    ("a message", "[{say: {file: a}}, message]", [f"{SAID} >1", "message >2", SORRY]),
    ("told only", "[{say: hours}]", ["say when day is open next >end"]),
    ("told, then rung", "[{say: Hi}, {ring: ola}]", ['say "Hi" >1', "ring ola >2", SORRY]),
    ("rung, then told", "[{ring: ola}, {say: {file: a}}]", ["ring ola >1", f"{SAID} >2", SORRY]),
    ("marked only", "[{tag: interested}, {set: {A: b}}]", ["tag interested >1", "set A=b >2", SORRY]),
    ("a directory", "[directory]", ["directory >1", SORRY]),
]


@pytest.mark.parametrize(("do", "plan"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_how_steps_are_laid_out(do: str, plan: list[str]) -> None:
    routes = f"routes: [{{name: r, do: {do}}}, {{name: r2, do: {{say: {{file: a}}}}}}]\n"
    assert told(decided(routes).plan) == plan


GREETED = [
    ("before the first step", "[{ring: ola}]", ['say "Welcome" >1', "ring ola >2", SORRY]),
    ("before the last resort", "[]", ['say "Welcome" >1', SORRY]),
    ("before what a route leads to", "[{goto: r2}]", ['say "Welcome" >1', f"{SAID} >end"]),
    ("before a person's own treatment", "[{person: ola}]", ['say "Welcome" >1', "ring ola >2", SORRY]),
    ("not where the call is refused", "[decline]", ["decline >end"]),
    ("not where it ends at once", "[{person: nobody}, hangup]", ["hangup >end"]),
    (
        "not where it is handed on unanswered",
        "[{dialplan: {context: a, extension: 1}}]",
        ["dialplan 1@a >end"],
    ),
    ("not where a route leads to that", "[{goto: r3}]", ["hangup >end"]),
]


@pytest.mark.parametrize(("do", "plan"), [row[1:] for row in GREETED], ids=[row[0] for row in GREETED])
def test_when_a_caller_is_greeted(do: str, plan: list[str]) -> None:
    text = f"""\
greeting: Welcome
routes:
  - {{name: r, do: {do}}}
  - {{name: r2, do: {{say: {{file: a}}}}}}
  - {{name: r3, do: hangup}}
"""
    assert told(decided(text).plan) == plan


def test_a_greeting_before_the_same_persons_treatment_in_two_routes() -> None:
    routes = "{name: a, do: {person: kari}}, {name: b, when: {caller: anonymous}, do: {person: kari}}"
    plan = decided(f"greeting: {{file: welcome}}\nroutes: [{routes}]\n").plan
    assert told(plan)[:2] == ["say sound:welcome >1", "ring kari >2"]


def test_a_greeting_is_left_out_where_the_call_is_only_marked_before_it_ends() -> None:
    marked = "[{tag: interested}, {set: {A: 1}}"
    assert decided(f"greeting: Hi\nroutes: [{{name: r, do: {marked}, decline]}}]\n").plan.greeted is False
    assert decided(f"greeting: Hi\nroutes: [{{name: r, do: {marked}, {{say: Hi}}]}}]\n").plan.greeted is True


def test_how_long_messages_may_be_and_where_they_go() -> None:
    text = (
        "messages: {mail: post@fjord.example, longest: 2m, shortest: 3s, keep: 30d}\n"
        "routes: [{name: r, do: [{message: {say: Hi}}]}]\n"
    )
    step = decided(text).plan.nodes[0].step
    assert isinstance(step, Message)
    assert (step.longest, step.shortest) == (120.0, 3.0)
    assert step.delivery == Delivery(("post@fjord.example",), "", 30)


def test_an_exception_says_its_text_after_the_greeting() -> None:
    text = """\
greeting: Welcome
exceptions: [{title: t, from: 2026-11-23, until: 2026-11-24, owner: o, say: Away}]
routes: [{name: r, do: [{ring: ola}]}]
"""
    assert told(decided(text).plan) == ['say "Welcome" >1', 'say "Away" >2', "ring ola >3", SORRY]
    only = "last_resort: []\nroutes: [{name: r, do: []}]\n"
    head, _, _ = HEAD.partition("last_resort")
    nothing = decided(text.partition("routes")[0] + only, head=head)
    assert told(nothing.plan) == ['say "Welcome" >1', 'say "Away" >end']


WAITING = [
    ("", ""),
    ("music: jazz\n", ""),
    ("while_ringing: music\n", ", with music default"),
    ("while_ringing: music\nmusic: jazz\n", ", with music jazz"),
]


@pytest.mark.parametrize(("written", "heard"), WAITING, ids=[row[0] for row in WAITING])
def test_what_a_caller_hears_while_phones_ring(written: str, heard: str) -> None:
    step = decided(f"{written}routes: [{{name: r, do: [{{ring: ola}}]}}]\n").plan.nodes[0].step
    assert step_in_words(step) == f"ring ola, 25 s each round{heard}"


UNWRITTEN = [
    ("en", "formal", "en"),
    ("nb", "formal", "nb"),
    ("bg", "informal", "bg"),
    ("ja", "formal", "en"),
]


@pytest.mark.parametrize(("language", "tone", "spoken_in"), UNWRITTEN, ids=[row[0] for row in UNWRITTEN])
def test_an_unwritten_last_resort_regrets_in_the_clients_language(
    language: str, tone: Tone, spoken_in: str
) -> None:
    head = HEAD.replace("last_resort: {say: {file: sorry}}", f"language: {language}\ntone: {tone}")
    plan = decided("routes: [{name: r, do: [{ring: ola}]}]\n", head=head).plan
    said = phrase(language, tone, Phrase.NOBODY)
    assert [node.step for node in plan.nodes][1:] == [said]
    assert said.language == spoken_in
    assert (plan.nodes[0].then, plan.nodes[1].then) == (1, None)


def test_agents_outside_their_hours_are_none() -> None:
    text = "routes: [{name: r, do: [{queue: desk}]}]\n"

    def agents(at: str) -> tuple[str, ...]:
        step = decided(text, at).plan.nodes[0].step
        assert isinstance(step, Queue)
        return step.agents

    assert agents("2026-11-23 10:00") == ("kari", "ola")
    assert agents("2026-11-23 20:00") == ("ola",)


def test_what_a_ring_says_of_confirming_outranks_what_a_phone_says() -> None:
    text = """\
routes:
  - name: r
    do:
      - {ring: [{number: "+4790000001", confirm: true}, {number: "+4790000002"}, PJSIP/1]}
      - {ring: [{number: "+4790000001", confirm: true}, PJSIP/1], confirm: false}
      - {ring: [PJSIP/1], confirm: Press 1, announce: A call}
"""
    steps = [step_in_words(node.step) for node in decided(text).plan.nodes]
    assert steps[:3] == [
        "ring +4790000001 and +4790000002 and PJSIP/1, 25 s each round, who press 1",
        "ring +4790000001 and PJSIP/1, 25 s each round",
        'ring PJSIP/1, 25 s each round, who press 1, told "A call"',
    ]


def test_nobody_is_greeted_whom_the_last_resort_refuses() -> None:
    head = HEAD.replace("last_resort: {say: {file: sorry}}", "last_resort: decline")
    assert told(decided("greeting: Welcome\nroutes: [{name: r, do: []}]\n", head=head).plan) == [
        "decline >end"
    ]
