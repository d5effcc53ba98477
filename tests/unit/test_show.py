"""The rules in words: the tree a caller meets."""

from collections.abc import Iterator
from textwrap import dedent

import pytest

from router.core.dialling import Dialling
from router.core.plan import Dialplan, HangUp, Refuse, Ring, Say, Step, Target
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.show import DEEPEST, Entry, names_in_words, step_in_words, tree

HEAD = """\
client: fjord
name: Fjord Legesenter
numbers: ["+4722334455", "+472233446x"]
timezone: Europe/Oslo
country: NO
"""
WHOLE = f"""\
{HEAD}hours:
  office:
    week: {{mon-thu: "08:00-15:30", fri: "08:00-12:00 12:30-14:00"}}
    holidays: [NO, SE]
    dates: {{2026-12-23: "08:00-12:00", 12-24..12-26: closed, 02-29: "10:00-11:00"}}
  never: {{}}
screening:
  allow: "+4722*"
  block: [{{name: ad, numbers: [{", ".join(f'"+478154900{n}"' for n in range(1, 8))}]}}]
exceptions:
  - {{title: course, from: 2026-12-02 12:00, until: 2026-12-02 15:30, owner: kari, say: {{file: course}}}}
  - title: moving
    from: 2026-12-03
    until: 2026-12-04
    owner: ola
    say: {{file: moving}}
    do: [{{ring: ola}}]
people:
  kari: {{rings: [PJSIP/101, "90000001"], hours: office, numbers: "22334461"}}
  ola: {{rings: PJSIP/102}}
  anne: {{rings: PJSIP/103}}
routes:
  - {{name: night, when: [{{closed: office, caller: anonymous}}, {{dialled: "22334462"}}], do: [decline]}}
  - name: main
    do:
      - ring: [kari, ola]
        order: rotate
        on: {{busy: [{{say: {{file: busy}}}}], declined: hangup, failed: []}}
      - dialplan: {{context: fax, extension: "100"}}
  - {{name: after, do: hangup}}
last_resort: {{say: {{file: sorry}}}}
"""
TOLD = """\
fjord: Fjord Legesenter @1
  clocks of Europe/Oslo; national numbers as in NO @1
  number +4722334455 @3
  number +472233446x @3
  hours office: mon-thu 08:00-15:30, fri 08:00-12:00 12:30-14:00; closed on public holidays of NO and SE @8
    2026-12-23: 08:00-12:00 @8
    02-29 every year: 10:00-11:00 @8
    12-24..12-26 every year: closed @8
  hours never: closed @11
  allow +4722*: whatever is blocked @13
  block ad, when caller: +4781549001 or +4781549002 or +4781549003 or +4781549004 or +4781549005 or 2 more @14
    decline @13
  person kari, rung only if open: office @24
    phone PJSIP/101
    phone PJSIP/+4790000001@trunk
    own number +4722334461 @24
      ring kari (open: office), 25 s each round, who press 1 @24
      goes on with the last resort @36
  person ola @25
    phone PJSIP/102
  person anne, never rung @26
  exception course (kari), when between: 2026-12-02 12:00 until 2026-12-02 15:30 @16
    say sound:course @16
    goes on with the routes
  exception moving (ola), when between: 2026-12-03 00:00 until 2026-12-05 00:00 @17
    say sound:moving @21
    ring ola, 25 s each round @22
    goes on with the last resort @36
  route night, when closed: office, caller: anonymous; or dialled: +4722334462 @28
    decline @28
  route main, always @29
    ring kari (open: office), then ola, 25 s each round, who press 1, beginning one further on with each call @31
      on busy @31
        say sound:busy @33
        goes on with: dialplan 100@fax @34
      on declined @31
        hangup @33
    dialplan 100@fax @34
  route after, always (no call comes here) @35
    hangup @35
  last resort @1
    say sound:sorry @36
"""


def lines(entry: Entry, indent: str = "") -> Iterator[str]:
    """As TOLD has them: places without the file's name."""
    place = entry.place.replace("f.yaml:", " @")
    yield f"{indent}{entry.words}{place}\n"
    for inside in entry.inside:
        yield from lines(inside, f"{indent}  ")


def shown(text: str) -> Entry:
    rules = compile_rules({"f.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    return tree(rules, rules.clients["fjord"])


def test_everything_a_caller_can_meet_is_told_in_order() -> None:
    assert "".join(lines(shown(WHOLE))) == TOLD


FOLLOW_UPS = """\
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
people: {kari: {rings: PJSIP/101}}
tags: {visa: {do: {mail: visas@fjord.example}}}
follow_ups:
  - name: missed
    when: {disposition: [no_answer, abandoned], not: {closed: office}}
    do: [{webhook: "https://crm.example/calls"}, {mqtt: alarm/missed}, {call_back: {owner: kari, by: office}}]
  - {name: all of them, do: {call_back: {}}}
  - {name: unwanted, when: {tag: wrong_number}, do: {do_not_contact: 30d}}
routes: [{name: main, do: hangup}]
"""


def test_what_is_to_be_done_after_calls_is_told_last() -> None:
    told = "".join(lines(shown(HEAD + FOLLOW_UPS)))
    assert (
        told[told.index("  follow-up") :]
        == """\
  follow-up missed, when disposition: no_answer or abandoned, not: closed: office @10
    post to https://crm.example/calls
    publish as alarm/missed
    call back by kari by the end of office
  follow-up all of them, after every call @13
    call back within 1d
  follow-up unwanted, when tag: wrong_number @14
    do not contact for 30d
  follow-up tag visa, when tag: visa @8
    mail to visas@fjord.example
"""
    )


ROUTES = [
    (
        "two ways to one route, which is told once",
        """\
        routes:
          - {name: a, do: [{ring: PJSIP/1, for: 9s, on: {busy: {goto: b}, failed: {goto: b}}}]}
          - {name: b, do: [{say: {file: b}}]}
        last_resort: [hangup]
        """,
        """\
        route a, always
          ring PJSIP/1, 9 s each round
            on busy
              say sound:b
              goes on with the last resort
            on failed
              goes on with: say sound:b
          goes on with the last resort
        """,
    ),
    (
        "a branch at whose end there is nothing",
        """\
        routes: [{name: a, do: [{ring: PJSIP/1, on: {busy: []}}, {ring: PJSIP/2, on: {busy: hangup}}]}]
        last_resort: []
        """,
        """\
        route a, always
          ring PJSIP/1, 25 s each round
          ring PJSIP/2, 25 s each round
            on busy
              hangup
        """,
    ),
    (
        "no step of its own",
        "routes: [{name: a, do: []}]\nlast_resort: [hangup]\n",
        "route a, always\n  goes on with the last resort\n",
    ),
    (
        "no step at all",
        "routes: [{name: a, do: []}]\nlast_resort: []\n",
        "route a, always\n  the call ends\n",
    ),
]


@pytest.mark.parametrize(("written", "told"), [row[1:] for row in ROUTES], ids=[row[0] for row in ROUTES])
def test_the_steps_of_a_route(written: str, told: str) -> None:
    route = next(one for one in shown(HEAD + dedent(written)).inside if one.kind == "route")
    assert [line.partition(" @")[0].rstrip() for line in lines(route)] == dedent(told).splitlines()


def test_a_route_without_a_number_is_never_met() -> None:
    words = [
        one.words
        for one in shown(HEAD.replace("numbers:", "tone: formal #") + "routes: [{name: a, do: []}]").inside
    ]
    assert "route a, always (no call comes here)" in words


def test_a_number_that_is_the_clients_is_not_the_persons() -> None:
    twice = 'people: {kari: {rings: PJSIP/1, numbers: ["22334455", "22334460"]}}'
    (kari,) = (one for one in shown(HEAD + twice).inside if one.kind == "person")
    assert [one.words for one in kari.inside if one.kind == "number"] == ["own number +4722334460"]


def test_what_is_deeper_than_anybody_reads_is_named_only() -> None:
    routes = ""
    for number in range(12):
        do = f"[{{goto: r{number + 1}}}]" if number < 11 else "[hangup]"
        for _ in range(5):
            do = f"[{{ring: PJSIP/1, on: {{busy: {do}}}}}]"
        routes += f"  - {{name: r{number}, do: {do}}}\n"
    first = next(one for one in shown(f"{HEAD}routes:\n{routes}").inside if one.kind == "route")
    told = list(lines(first))
    assert max(len(line) - len(line.lstrip()) for line in told) <= 4 * (DEEPEST + 2)
    assert any("deeper than is told here" in line for line in told)


KARI, OLA = Target("kari", "PJSIP/1"), Target("ola", "PJSIP/2")
STEPS: list[tuple[Step, str]] = [
    (Say("sound:hello"), "say sound:hello"),
    (Ring(((KARI, Target("kari", "PJSIP/3"), OLA),), 20.0), "ring kari and ola, 20 s each round"),
    (Ring(((KARI,), (OLA,)), 20.0), "ring kari, then ola, 20 s each round"),
    (Ring((), 20.0), "ring nobody, 20 s each round"),
    (Refuse("decline"), "decline"),
    (Refuse("unknown_number"), "decline: unknown number"),
    (HangUp(), "hangup"),
    (Dialplan("fax", "100"), "dialplan 100@fax"),
]


@pytest.mark.parametrize(("step", "words"), STEPS, ids=[words for _, words in STEPS])
def test_a_step_in_words(step: Step, words: str) -> None:
    assert step_in_words(step) == words


def test_people_with_hours_are_named_with_them() -> None:
    assert names_in_words((KARI, OLA), {"kari": "office"}) == "kari (open: office) and ola"


BLOCKING = [
    ("numbers and hours", "numbers: '+4781*', when: {open: office}", "caller: +4781*, open: office"),
    ("how often", "more_than: 5 calls in 10m", "more_than: 5 calls in 10m"),
    ("in shadow", "numbers: '+4781*', shadow: true", "caller: +4781*, in shadow: the call goes on"),
]


@pytest.mark.parametrize(("rule", "told"), [row[1:] for row in BLOCKING], ids=[row[0] for row in BLOCKING])
def test_what_a_block_rule_asks_for(rule: str, told: str) -> None:
    office = "hours: {office: {week: {mon-fri: '08:00-16:00'}}}\n"
    client = shown(f"{HEAD}{office}screening: {{block: [{{name: b, {rule}}}]}}\n")
    (block,) = (one for one in client.inside if one.kind == "block")
    assert block.words == f"block b, when {told}"
