"""Rules about queues, contacts and challenges: decided, told, proved and compared."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from router.core.asteriskqueues import not_followed
from router.core.contacts import in_groups
from router.core.counterexamples import proof_as_scenarios
from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.difference import compare
from router.core.explain import explain
from router.core.facts import Facts, QueueLoad
from router.core.numbers import CallerId, PhoneNumber
from router.core.plan import AsteriskQueue, Menu, Queue, ways_on
from router.core.proof import prove
from router.core.reach import Way, reach
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.scenarios import play, read_scenarios
from router.core.show import step_in_words, tree, way_in_words
from router.core.space import knowns
from router.core.spoken import nodes

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
END = datetime(2026, 12, 23, 9, 0, tzinfo=UTC)
HEAD = """\
client: f
name: F
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours: {day: {week: {mon-sun: "08:00-16:00"}}}
people:
  kari: {rings: PJSIP/1, hours: day, extension: 101}
  ola: {rings: PJSIP/2}
  eva: {rings: PJSIP/3, extension: 103}
"""
RULES = f"""\
{HEAD}queues:
  desk:
    agents: [kari, ola]
    wrap_up: 20s
    max_waiting: 5
    announce: {{position: true, wait: true, every: 1m}}
    callback_key: 1
  night: {{agents: ola, strategy: random, supervisors: eva}}
tags: {{viewing: {{label: {{en: Viewing}}}}}}
screening:
  allow: [contacts]
  block:
    - {{name: ads, numbers: "+4781549xxx"}}
    - {{name: on trial, numbers: "+46*", shadow: true}}
  treatment: {{challenge: Press the key}}
routes:
  - {{name: nobody, when: {{agents: {{desk: 0}}}}, do: [{{say: {{file: a}}}}]}}
  - {{name: vip, when: {{caller: {{contact: [vip, press]}}}}, do: [{{queue: desk, front: true}}]}}
  - {{name: many, when: {{queue: {{desk: {{waiting: ">3"}}}}}}, do: [callback]}}
  - name: main
    do:
      - menu:
          choices:
            1: [{{queue: desk, on: {{full: [{{queue: night, for: 1m}}], timeout: [{{ring: eva}}]}}}}]
            2: [directory]
      - message: {{to: [kari, ola]}}
"""


def compiled(text: str = RULES) -> RuleSet:
    rules = compile_rules({"f.yaml": text}, Dialling())
    assert isinstance(rules, RuleSet), rules
    return rules


def called(
    number: str = "+4790000001",
    contact: frozenset[str] | None = None,
    desk: QueueLoad = QueueLoad(0, 2),  # noqa: B008 - frozen
) -> Decision:
    caller = CallerId(PhoneNumber(number), number)
    did = PhoneNumber("+4722334455")
    facts = Facts(START, did.e164, did, caller, contact=in_groups(contact), queues={"desk": desk})
    return decide(compiled(), facts)


ROUTED = [
    ("nobody is there", {"desk": QueueLoad(0, 0)}, "nobody"),
    ("a few wait", {"desk": QueueLoad(3, 2)}, "main"),
    ("many wait", {"desk": QueueLoad(4, 2)}, "many"),
    ("a contact of no group", {"contact": frozenset[str]()}, "main"),
    ("one of the press", {"contact": frozenset({"press", "old"})}, "vip"),
    ("one of another group", {"contact": frozenset({"old"})}, "main"),
]


@pytest.mark.parametrize(("known", "route"), [row[1:] for row in ROUTED], ids=[row[0] for row in ROUTED])
def test_which_route_takes_the_call(known: Mapping[str, object], route: str) -> None:
    assert called(**known).route == route  # type: ignore[arg-type]


def test_what_failed_is_said() -> None:
    lines = explain(called())
    assert "f.yaml:27: route nobody: passed over; agents: desk 0 \u2014 other than so many are there" in lines
    assert (
        "f.yaml:29: route many: passed over; queue: desk waiting >3 \u2014 other than so many wait" in lines
    )
    vip = "route vip: passed over; caller: contact vip or contact press"
    assert any(vip in line for line in lines)


def test_a_blocked_caller_is_challenged_and_then_meets_what_others_meet() -> None:
    decision = called("+4781549001")
    steps = [step_in_words(node.step) for node in decision.plan.nodes[:3]]
    assert steps == ['challenge: "Press the key"', "decline", "menu"]
    assert [(node.then, node.on) for node in decision.plan.nodes[:2]] == [(2, {"failed": 1}), (None, {})]
    assert decision.route == "main"
    assert any("block ads: the caller" in line and "must press a key" in line for line in explain(decision))
    allowed = called("+4781549001", contact=frozenset())
    assert [row.kind for row in allowed.trace][:2] == ["client", "allow"]
    assert step_in_words(allowed.plan.nodes[0].step) == "menu"


def test_a_challenge_before_no_steps_ends_with_it() -> None:
    text = RULES.partition("routes:")[0] + "last_resort: []\nroutes: [{name: r, do: []}]\n"
    number = PhoneNumber("+4781549001")
    did = PhoneNumber("+4722334455")
    decision = decide(compiled(text), Facts(START, did.e164, did, CallerId(number, number.e164)))
    assert decision.plan.nodes[0].then is None


def test_everything_is_told() -> None:
    rules = compiled()

    def words(entry: object) -> list[str]:
        inside = [line for one in entry.inside for line in words(one)]  # type: ignore[attr-defined]
        return [entry.words, *inside]  # type: ignore[attr-defined]

    told = words(tree(rules, rules.clients["f"]))
    for line in (
        "queue desk: kari (open: day) and ola; longest-idle, each rung for 15s, then left alone for 20s,"
        " at most 5 waiting, told their position and the wait every 1m, called back by key 1, music default",
        "queue night: ola; random, each rung for 15s, music default, supervised by eva",
        "tag viewing",
        "allow contacts: whatever is blocked",
        'challenge: "Press the key"',
        "on failed",
        "on key 1",
        "on key 2",
        "on full",
        "on timeout",
        "directory",
        "queue desk (kari (open: day) and ola), 10m",
        "the front of queue desk (kari (open: day) and ola), 10m",
        "message for kari and ola",
        "callback",
    ):
        assert line in told
    assert not any("never rung" in line for line in told), "everybody is in the directory"


def test_agents_are_rung_and_others_not() -> None:
    text = f"{HEAD}queues: {{desk: {{agents: ola}}}}\nroutes: [{{name: r, do: [{{queue: desk}}]}}]"
    rules = compiled(text)
    people = [one.words for one in tree(rules, rules.clients["f"]).inside if one.kind == "person"]
    assert people == [
        "person kari, rung only if open: day, never rung",
        "person ola",
        "person eva, never rung",
    ]


FULL = "by key 1, if queue desk is full: queue night"
WHO = [
    (
        "an agent",
        "ola",
        ["at once: queue desk", "by key 1: queue desk", "by key 1, if queue desk is full: queue night"],
    ),
    ("a queue", "night", ["by key 1, if queue desk is full: queue night"]),
    (
        "after a queue",
        "eva",
        ["by key 1, if queue desk takes too long: PJSIP/3", "by key 2, as eva in the directory: PJSIP/3"],
    ),
]


@pytest.mark.parametrize(("who", "ways"), [row[1:] for row in WHO], ids=[row[0] for row in WHO])
def test_who_can_ring_whom(who: str, ways: list[str]) -> None:
    found = reach(compiled(), who, START)
    assert isinstance(found, tuple)

    def told(way: Way) -> str:
        return f"{', '.join(way.rings.through) or 'at once'}: {way.rings.phone}"

    told_of = [told(way) for way in found]
    assert [line for line in ways if line not in told_of] == []


def test_what_is_after_and_before_a_queue() -> None:
    steps = "[{queue: desk, on: {empty: [{ring: eva}]}}, {ring: eva}]"
    text = f"{HEAD}queues: {{desk: {{agents: ola}}}}\nroutes: [{{name: r, do: {steps}}}]"
    found = reach(compiled(text), "eva", START)
    assert isinstance(found, tuple)
    assert [way.rings.through for way in found] == [("after queue desk",), ("if queue desk has no agents",)]


def test_all_that_can_be_known_of_a_call_is_looked_at() -> None:
    found = knowns(compiled().clients.values())
    both = frozenset({"vip", "press"})
    groups = {None, frozenset(), frozenset({"vip"}), frozenset({"press"}), both}
    assert {one.contact for one in found} == groups
    loads = {(one.queues["desk"].waiting, one.queues["desk"].agents) for one in found}
    assert loads == {(0, 0), (0, 1), (4, 0), (4, 1)}
    told = {str(one) for one in found}
    assert "the caller is a contact, queue desk has 0 waiting and 0 agents" in told
    assert "the caller is a contact in vip, queue desk has 4 waiting and 1 agents" in told


def test_the_proof_finds_ways_through_menus_and_queues() -> None:
    text = RULES + "last_resort: []\n"
    proof = prove(compiled(text), START)
    assert proof is not None
    cut_off = {one.warning.line: one.counterexample for one in proof.findings if one.counterexample}
    [kari, eva, vip, many, main] = [cut_off[line] for line in sorted(cut_off)]
    assert dict(eva.given) == {"menu": ("2",), "directory": ("eva",), "eva": ("busy",)}
    assert dict(kari.given)["directory"] == ("kari",)
    assert vip.given == (("desk", ("full",)),)
    assert vip.call.contact == in_groups({"press"})
    assert many.given == (("callback", ("otherwise",)),)
    assert main.given == (("menu", ("otherwise",)), ("message", ("otherwise",)))
    written = proof_as_scenarios(proof, compiled(text))
    scenarios, errors = read_scenarios("f.test.yaml", written, compiled(text))
    assert errors == ()
    assert [play(one, compiled(text)).wrong for one in scenarios] == [()] * len(cut_off)


def test_the_proof_looks_at_the_treatment_of_everybody_in_a_directory() -> None:
    kari = "kari: {name: Kari, rings: PJSIP/1, do: [{ring: self, for: 3m}, {ring: self}]}"
    routes = "routes: [{name: r, do: [directory]}]"
    text = f"{HEAD[: HEAD.index('people:')]}people: {{{kari}}}\n{routes}\n"
    proof = prove(compiled(text), START)
    assert proof is not None
    [long] = proof.findings
    assert long.warning.what == "`kari`, chosen in a directory, can ring for 3m25s, longer than 2m"
    assert long.counterexample is not None
    assert long.counterexample.given == (("directory", ("kari",)), ("kari", ("no_answer",)))


def test_branches_that_nobody_can_come_to_are_told() -> None:
    text = f"""\
{HEAD}queues: {{day: {{agents: kari}}}}
routes:
  - name: closed
    when: {{closed: day}}
    do: [{{queue: day, on: {{timeout: [{{ring: ola}}], empty: [message]}}}}]
  - {{name: main, do: [{{ring: eva}}]}}
"""
    proof = prove(compiled(text), START)
    assert proof is not None
    told = [one.warning.what for one in proof.findings]
    assert "`timeout:` is never met, since nobody is there to ring" in told


CHANGES = [
    ("how long agents rest", "wrap_up: 20s", "wrap_up: 30s", 1),
    ("who the agents are", "agents: [kari, ola]", "agents: [kari, eva]", 1),
    ("what is asked of who is blocked", "Press the key", "Press a key", 1),
    ("which key", "2: [directory]", "3: [directory]", 1),
    ("an agent's phone", "ola: {rings: PJSIP/2}", "ola: {rings: PJSIP/9}", 1),
    ("an extension in the directory", "extension: 103", "extension: 104", 1),
    ("how a name is said", "extension: 103", "extension: 103, name: Eva", 1),
    ("what somebody in the directory has", "extension: 103", "extension: 103, do: message", 1),
    ("a phone of somebody in it", "PJSIP/3", "PJSIP/4", 1),
    ("who is in it at night", "hours: day, extension: 101", "extension: 101", 1),
    ("the order of choices", "choices:\n            1:", "choices:\n            9: []\n            1:", 1),
    ("a queue's place in the file", "tags:", "\n\ntags:", 0),
]


@pytest.mark.parametrize(
    ("before", "after", "least"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_what_differs(before: str, after: str, least: int) -> None:
    assert before in RULES
    differences = [*compare(compiled(), compiled(RULES.replace(before, after)), START, END).differences]
    assert bool(differences) is bool(least)


def test_hours_that_are_told_count_and_the_order_of_choices_does_not() -> None:
    def differ(before: str, after: str) -> bool:
        one, other = (compiled(f"{HEAD}{routes}") for routes in (before, after))
        return bool(compare(one, other, START, END).differences)

    menu = "routes: [{{name: r, do: [{{menu: {{choices: {{{}}}}}}}]}}]".format
    assert not differ(menu("1: [{ring: ola}], 2: []"), menu("2: [], 1: [{ring: ola}]"))
    hours = "last_resort: [{say: hours}]"
    other = HEAD.replace("08:00-16:00", "08:00-17:00")
    found = compare(compiled(HEAD + hours), compiled(other + hours), START, END)
    assert found.differences


def test_of_too_much_that_can_be_known_each_thing_is_looked_at_by_itself() -> None:
    queues = ", ".join(f"q{number}: {{agents: ola}}" for number in range(12))
    routes = "\n".join(
        f"  - {{name: r{number}, when: {{queue: {{q{number}: {{waiting: '>1'}}}}}}, do: hangup}}"
        for number in range(12)
    )
    found = knowns(compiled(f"{HEAD}queues: {{{queues}}}\nroutes:\n{routes}\n").clients.values())
    assert len(found) == 13
    assert [sum(load.waiting for load in one.queues.values()) for one in found] == [0, *[2] * 12]


def test_what_a_test_may_suppose() -> None:
    rules = compiled()
    written = """\
tests:
  - name: a
    call: {to: "22334455", from: "90000001", at: 2026-11-23 10:00, contact: vip}
    expect: {route: vip}
  - name: b
    call: {to: "22334455", at: 2026-11-23 10:00, queues: {desk: {waiting: 9}}}
    expect: {route: many}
  - name: c
    call: {to: "22334455", at: 2026-11-23 10:00, queues: {desk: {agents: 0}}}
    expect: {route: nobody}
  - name: without a number there is no contact
    call: {to: "22334455", at: 2026-11-23 10:00, contact: vip}
    expect: {route: main}
"""
    scenarios, errors = read_scenarios("f.test.yaml", written, rules)
    assert errors == ()
    assert [play(one, rules).wrong for one in scenarios] == [()] * 4


def test_what_a_test_may_not_suppose() -> None:
    written = """\
tests:
  - {name: a, call: {to: "22334455", at: 2026-11-23 10:00, queues: {desc: {}}}, expect: {}}
  - {name: b, call: {to: "22334455", at: 2026-11-23 10:00, queues: {desk: {waiting: many}}}, expect: {}}
"""
    rules = compiled()
    assert [str(one) for one in read_scenarios("f.test.yaml", written.replace("many", "1"), rules)[1]] == [
        "f.test.yaml:2:69: no queue is called `desc`; did you mean `desk`?"
    ]
    assert [str(one) for one in read_scenarios("f.test.yaml", written, rules)[1]] == [
        "f.test.yaml:3:85: `many` is no whole number; write digits, as in waiting: 6"
    ]


def test_a_queue_that_nothing_leads_to_is_told_of() -> None:
    rules = compiled(
        HEAD + "queues: {desk: {agents: [kari, ola, eva]}}\nroutes: [{name: r, do: [{ring: kari}]}]"
    )
    told = [one.what for one in rules.warnings]
    assert "no step leads to queue `desk`" in told


def test_who_has_a_name_or_an_extension_can_be_found_in_a_directory() -> None:
    rules = compiled(HEAD + "routes: [{name: r, do: [directory]}]")
    assert [one.what for one in rules.warnings if "nothing rings" in one.what] == ["nothing rings `ola`"]


def test_a_way_without_a_choice_is_told_as_such() -> None:
    menu = Menu(None, ("1",))
    assert [way_in_words(menu, way) for way in ways_on(menu)] == ["on key 1", "otherwise"]


def test_contacts_are_the_clients_own() -> None:
    shared = "lists: {l: {numbers: [contacts]}}"
    found = compile_rules({"shared.yaml": shared, "f.yaml": HEAD}, Dialling())
    assert isinstance(found, RuleErrors)
    assert replace(found.errors[0], instead="").what == "`contacts` is not a number or a pattern"


def test_an_agent_of_several_tiers_is_rung_after_the_shortest_time() -> None:
    tiers = "tiers: [{after: 30s, agents: [ola, kari]}, {after: 60s, agents: [ola, eva]}]"
    rules = compiled(f"{HEAD}queues: {{desk: {{agents: kari, {tiers}}}}}\nlast_resort: [{{queue: desk}}]\n")
    [step, *_] = (node.step for node in nodes(rules.clients["f"]) if isinstance(node.step, Queue))
    assert step.agents == ("kari", "ola", "eva")
    assert step.later == {"ola": 30.0, "eva": 60.0}


def test_a_need_that_no_agent_meets_is_told_of() -> None:
    people = HEAD.replace("extension: 101}", "extension: 101, skills: {language: [vi, en]}}")
    queue = "queues: {desk: {agents: [kari, ola], pause_after: 3}}\n"
    needs = "routes: [{name: r, do: [{queue: desk, needs: {language: vi, languge: vi}, relax: 1m}]}]\n"
    rules = compiled(people + queue + needs)
    assert [str(one) for one in rules.warnings if "skill" in one.what] == [
        "f.yaml:12:70: no agent of queue `desk` has the skill `languge: vi`; "
        "add it to somebody's `skills`, or correct it"
    ]
    step = rules.clients["f"].routes[0].layout.plan.nodes[0].step
    said = "queue desk (kari and ola), 10m, for those with language vi and languge vi, the last of it for 1m"
    assert step_in_words(step, {}) == said


OF_ASTERISK = f"""\
{HEAD}routes:
  - name: r
    do:
      - queue: {{asterisk: support, answer: false}}
        for: 90s
        on: {{full: [{{ring: eva}}], left: [decline]}}
      - ring: ola
"""
IN_ASTERISK = [
    ("answered", {}, "answered", ["queue"]),
    ("nobody is there", {"support": ("empty",)}, "answered", ["queue", "ring"]),
    ("full", {"support": ("full",)}, "answered", ["queue", "ring"]),
    ("left by a key", {"support": ("left",)}, "no_answer", ["queue", "decline"]),
    (
        "too long, and then nobody",
        {"support": ("timeout",), "ola": ("busy",)},
        "busy",
        ["queue", "ring", "say"],
    ),
]


def test_a_queue_of_asterisks_is_told() -> None:
    rules = compiled(OF_ASTERISK)
    step = next(node.step for node in nodes(rules.clients["f"]) if isinstance(node.step, AsteriskQueue))
    assert step == AsteriskQueue("support", 90.0, answer=False)
    assert ways_on(step) == ("full", "empty", "timeout", "left", "withdrawn", "failed")
    assert step_in_words(step) == "queue support of Asterisk, 1m30s, unanswered until an agent is there"
    [way] = reach(rules, "support", START)  # type: ignore[misc]  # it is known
    assert way.rings.phone == "queue support of Asterisk"
    found = reach(rules, "eva", START)
    assert isinstance(found, tuple)
    assert found[0].rings.through == ("if queue support of Asterisk ends in full",)


@pytest.mark.parametrize(
    ("given", "disposition", "steps"), [row[1:] for row in IN_ASTERISK], ids=[row[0] for row in IN_ASTERISK]
)
def test_a_queue_of_asterisks_is_rehearsed(
    given: Mapping[str, tuple[str, ...]], disposition: str, steps: list[str]
) -> None:
    text = f"""\
tests:
  - name: t
    call: {{to: "+4722334455", from: "+4790000001", at: 2026-11-23 10:00}}
    given: {{{", ".join(f"{name}: {done[0]}" for name, done in given.items())}}}
    expect: {{disposition: {disposition}, steps: [{", ".join(steps)}]}}
"""
    rules = compiled(OF_ASTERISK)
    [scenario], errors = read_scenarios("f.test.yaml", text, rules)
    assert errors == ()
    assert play(scenario, rules).wrong == ()


def test_a_queue_of_asterisks_is_followed_by_ami_only() -> None:
    [warning] = not_followed(compiled(OF_ASTERISK))
    assert str(warning) == (
        "f.yaml:14:1: without AMI nobody knows whether callers in Asterisk's queue `support` are answered; "
        "set `ami:` in the settings"
    )
    assert not_followed(compiled()) == ()
