"""The administrators' own tests: what is placed, what comes of it, what they meet."""

from collections.abc import Sequence
from typing import Any

import pytest

from router.core.dialling import Dialling
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.scenarios import Part, Played, all_parts, play, read_scenarios

RULES = """\
client: fjord
name: Fjord
numbers: ["+4722334455", "+472233446x"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
exceptions:
  - {title: course, from: 2026-11-25, until: 2026-11-25, owner: kari, say: {file: course}}
  - {title: moving, from: 2026-11-26, until: 2026-11-26, owner: kari, do: [{ring: ola, on: {busy: hangup}}]}
  - {title: twice, from: 2026-11-24, until: 2026-11-24, owner: kari, do: [{ring: kari}, {ring: kari}]}
people:
  kari: {rings: [PJSIP/101, "+4790000001"], numbers: "+4722334461"}
  ola: {rings: PJSIP/102}
routes:
  - {name: closed, when: {closed: office}, do: [{say: {file: closed}}, hangup]}
  - name: main
    do:
      - ring: [kari, ola]
        on:
          busy: [{say: {file: busy}}, {dialplan: {context: fax, extension: "1"}}]
          declined: [{say: {file: declined}}]
last_resort: [{tag: [vip, callback]}, {say: {file: sorry}}]
screening:
  block:
    - {name: tried out, numbers: "+4781*", shadow: true}
    - {name: hammering, more_than: 2 calls in 1h}
tags: {vip: {}}
"""


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules({"fjord.yaml": RULES}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def written(call: str, expect: str = "{}", given: str = "{}") -> str:
    return f"tests:\n  - {{name: t, call: {call}, given: {given}, expect: {expect}}}\n"


def played(rules: RuleSet, text: str) -> Played:
    [scenario], errors = read_scenarios("fjord.test.yaml", text, rules)
    assert errors == ()
    return play(scenario, rules)


OPEN = '{to: "+4722334455", from: "+4790000009", at: 2026-11-23 15:59}'
EVENING = '{to: 22334455, at: "2026-11-23 16:00"}'
TWICE = '{to: "+4722334455", at: 2026-11-24 10:00}'
NOBODY = "{to: 99999999, at: 2026-11-23}"

RIGHT = [
    ("by the client's clock", OPEN, "{}", "{client: fjord, route: main, steps: ring, disposition: answered}"),
    ("a minute later", EVENING, "{}", "{route: closed, steps: [say, hangup], disposition: informed}"),
    ("a person by the id", OPEN, "{kari: busy}", "{answered_by: ola}"),
    ("a phone by its endpoint", OPEN, "{PJSIP/101: busy, PJSIP/102: busy}", "{answered_by: kari}"),
    ("a phone by its number", OPEN, '{PJSIP/101: busy, "90 00 00 01": busy}', "{answered_by: ola}"),
    (
        "a branch to the dialplan",
        OPEN,
        "{kari: busy, ola: busy}",
        "{steps: [ring, say, dialplan], disposition: transferred, reason: none, answered_by: nobody}",
    ),
    (
        "a branch and on",
        OPEN,
        "{kari: declined, ola: busy}",
        "{steps: [ring, say, tag, say]}",
    ),
    (
        "round by round",
        TWICE,
        "{kari: [no_answer, busy]}",
        "{steps: [ring, ring, tag, say], disposition: no_answer}",
    ),
    (
        "the second time",
        TWICE,
        "{kari: [no_answer, answered]}",
        "{steps: [ring, ring], answered_by: kari}",
    ),
    ("the last outcome stays", TWICE, "{kari: [no_answer]}", "{steps: [ring, ring, tag, say]}"),
    ("a phone among them", TWICE, "{kari: busy, PJSIP/101: [busy, answered]}", "{answered_by: kari}"),
    ("an own number", '{to: "+4722334461", at: 2026-11-23}', "{}", "{route: none, answered_by: kari}"),
    ("nobody's number", NOBODY, "{}", "{client: none, route: none, disposition: failed, reason: no_route}"),
    ("an exception", '{to: "+4722334455", at: 2026-11-26 10:00}', "{}", "{route: exception moving}"),
    ("its tags", TWICE, "{kari: busy}", "{tags: [vip, callback]}"),
    ("no tags", OPEN, "{}", "{tags: []}"),
]


@by_name(RIGHT, "call", "given", "expect")
def test_what_comes_of_a_call(rules: RuleSet, call: str, given: str, expect: str) -> None:
    assert played(rules, written(call, expect, given)).wrong == ()


WRONG = [
    ("the route", "{route: closed}", "route is main, not closed"),
    ("the client", "{client: sund}", "client is fjord, not sund"),
    ("the steps", "{steps: [say, ring]}", "steps is [ring], not [say, ring]"),
    ("the disposition", "{disposition: busy}", "disposition is answered, not busy"),
    ("the reason", "{reason: unreachable}", "reason is none, not unreachable"),
    ("who answered", "{answered_by: ola}", "answered_by is kari, not ola"),
    ("the tags", "{tags: vip}", "tags is [], not [vip]"),
]


@by_name(WRONG, "expect", "wrong")
def test_what_is_not_as_expected_is_named(rules: RuleSet, expect: str, wrong: str) -> None:
    assert played(rules, written(OPEN, expect)).wrong == (wrong,)


ERRORS = [
    ("nothing", "", "t.yaml:1:1: a mapping is needed here"),
    ("no YAML", "tests: [", "t.yaml:"),
    ("an unknown key", written(OPEN, "{rout: main}"), "t.yaml:2:"),
    ("an unknown outcome", written(OPEN, given="{kari: asleep}"), "t.yaml:2:"),
    ("a step that is none", written(OPEN, "{steps: sing}"), "t.yaml:2:"),
    (
        "nobody",
        written(OPEN, given="{karl: busy}"),
        "t.yaml:2:93: nobody is called `karl`; did you mean ",
    ),
    (
        "a tag that is none",
        written(OPEN, "{tags: [vip, calback]}"),
        "t.yaml:2:117: no tag is called `calback`; did you mean `callback`?",
    ),
    ("no such moment", written("{to: 1, at: 2026-02-30}"), "t.yaml:2:"),
]


@by_name(ERRORS, "text", "error")
def test_errors_have_their_place(rules: RuleSet, text: str, error: str) -> None:
    _, [found] = read_scenarios("t.yaml", text, rules)
    assert str(found).startswith(error)


def test_what_tests_can_meet(rules: RuleSet) -> None:
    assert set(all_parts(rules)) == {
        Part("fjord.yaml:25", "shadow tried out"),
        Part("fjord.yaml:26", "block hammering"),
        Part("fjord.yaml:8", "exception course"),
        Part("fjord.yaml:9", "exception moving"),
        Part("fjord.yaml:9", "on busy"),
        Part("fjord.yaml:10", "exception twice"),
        Part("fjord.yaml:12", "own number kari"),
        Part("fjord.yaml:15", "route closed"),
        Part("fjord.yaml:16", "route main"),
        Part("fjord.yaml:18", "on busy"),
        Part("fjord.yaml:18", "on declined"),
    }


MEETS = [
    ("a route", OPEN, "{}", {Part("fjord.yaml:16", "route main")}),
    ("a branch", OPEN, "{kari: busy, ola: busy}",
     {Part("fjord.yaml:16", "route main"), Part("fjord.yaml:18", "on busy")}),
    ("no branch", OPEN, "{kari: no_answer, ola: no_answer}", {Part("fjord.yaml:16", "route main")}),
    ("two at once", '{to: "+4722334455", at: 2026-11-25 10:00}', "{}",
     {Part("fjord.yaml:8", "exception course"), Part("fjord.yaml:16", "route main")}),
]  # fmt: skip


@by_name(MEETS, "call", "given", "meets")
def test_what_a_test_meets(rules: RuleSet, call: str, given: str, meets: set[Part]) -> None:
    assert played(rules, written(call, given=given)).met & set(all_parts(rules)) == meets
