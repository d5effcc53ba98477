"""Who is refused, by which rule, and what the trace says of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from router.core.decide import decide
from router.core.dialling import Dialling
from router.core.explain import explain
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.plan import Refuse
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.times import Rate
from router.core.verdict import Verdict

OSLO = ZoneInfo("Europe/Oslo")
RULES = """\
client: fjord
name: Fjord Legesenter
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
screening:
  allow: ["+47815495*"]
  block:
    - {name: tried out, numbers: ["+4781*", "+4790000007"], shadow: true}
    - {name: until March, numbers: "+4781549xxx", until: 2027-03-01}
    - {name: withheld when closed, when: {caller: anonymous, closed: office}}
    - {name: hammering, more_than: 5 calls in 10m}
    - {name: not vouched for, when: {caller: "+49*", not: {caller: {attestation: [A, B]}}}}
    - {name: by the dialplan, when: {variable: {RISK: [high, extreme], TRUNK: two}}}
    - {name: nights abroad, numbers: "+46*", when: [{closed: office}, {between: [2026-12-24, 2026-12-26]}]}
  treatment: busy
routes: [{name: main, do: [{ring: PJSIP/100}]}]
"""
MONDAY, SUNDAY, MARCH = "2026-11-16 10:00", "2026-11-22 10:00", "2027-03-02 10:00"
ORDINARY = "+4790000009"


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules({"fjord.yaml": RULES}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def facts(
    caller: str,
    at: str,
    calls_before: tuple[float, ...] = (),
    verdict: Verdict | None = None,
    variables: Mapping[str, str] | None = None,
) -> Facts:
    """`calls_before` are minutes before this call."""
    now = datetime.fromisoformat(at).replace(tzinfo=OSLO)
    number = PhoneNumber.parse("+4722334455")
    before = tuple(now - timedelta(minutes=minutes) for minutes in calls_before)
    who = CallerId.read(caller, "", "NO")
    return Facts(
        now, number.e164, number, who, calls_before=before, verdict=verdict, variables=variables or {}
    )


REFUSED: list[tuple[str, str, str, tuple[float, ...], str | None]] = [
    ("an ordinary caller", ORDINARY, MONDAY, (), None),
    ("allow outranks", "+4781549512", MONDAY, (), None),
    ("listed", "+4781549123", MONDAY, (), "until March"),
    ("listed, on its last day", "+4781549123", "2027-03-01 23:59", (), "until March"),
    ("listed, over", "+4781549123", MARCH, (), None),
    ("only in shadow", "+4790000007", MONDAY, (), None),
    ("withheld, open", "anonymous", MONDAY, (), None),
    ("withheld, closed", "anonymous", SUNDAY, (), "withheld when closed"),
    ("the fifth call", ORDINARY, MONDAY, (9, 8, 2, 1), None),
    ("the sixth call", ORDINARY, MONDAY, (9, 8, 2, 1, 0.5), "hammering"),
    ("the sixth, the clock was set back since", ORDINARY, MONDAY, (9, 8, -60, -61, -62), None),
    ("the sixth, the first ten minutes ago", ORDINARY, MONDAY, (10, 8, 2, 1, 0.5), None),
    ("a number and a time, but open", "+46701234567", MONDAY, (), None),
    ("a number and a time", "+46701234567", SUNDAY, (), "nights abroad"),
    ("a number and another time", "+46701234567", "2026-12-24 12:00", (), "nights abroad"),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_who_is_refused(rules: RuleSet, row: tuple[str, str, str, tuple[float, ...], str | None]) -> None:
    _, caller, at, before, blocked_by = row
    decision = decide(rules, facts(caller, at, before))
    assert decision.plan.blocked_by == blocked_by
    assert (decision.route is None) is (blocked_by is not None)


def test_each_hit_and_each_rule_passed_over_is_told_with_its_place(rules: RuleSet) -> None:
    decision = decide(rules, facts("+4781549123", MARCH))
    told = [(row.kind, row.name, row.place, row.matched, row.entry) for row in decision.trace[1:-1]]
    assert told == [
        ("shadow", "tried out", "fjord.yaml:10", True, "+4781*"),
        ("block", "until March", "fjord.yaml:11", False, ""),
        ("block", "withheld when closed", "fjord.yaml:12", False, ""),
        ("block", "hammering", "fjord.yaml:13", False, ""),
        ("block", "not vouched for", "fjord.yaml:14", False, ""),
        ("block", "by the dialplan", "fjord.yaml:15", False, ""),
        ("block", "nights abroad", "fjord.yaml:16", False, ""),
    ]
    failed = [row.failed[0].condition for row in decision.trace[2:-1]]
    assert failed == ["until", "closed", "more_than", "caller", "variable", "numbers"]


GERMAN = "+4930123456"
TOLD: list[tuple[str, str, dict[str, str], str | None]] = [
    ("vouched for", GERMAN, {"attestation": "A"}, None),
    ("only the gateway", GERMAN, {"attestation": "C"}, "not vouched for"),
    ("nothing is known", GERMAN, {}, "not vouched for"),
    ("both variables", ORDINARY, {"RISK": "extreme", "TRUNK": "two"}, "by the dialplan"),
    ("one of them", ORDINARY, {"RISK": "high", "TRUNK": "one"}, None),
]


@pytest.mark.parametrize(
    ("caller", "variables", "blocked_by"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD]
)
def test_what_the_dialplan_knows_counts(
    rules: RuleSet, caller: str, variables: dict[str, str], blocked_by: str | None
) -> None:
    assert decide(rules, facts(caller, MONDAY, variables=variables or {})).plan.blocked_by == blocked_by


def command(kind: Literal["allow", "block"], number: str) -> Verdict:
    return Verdict(7, kind, number, None, "by hand", "ann", datetime(2026, 11, 1, tzinfo=OSLO), None)


COMMANDS: list[tuple[str, str, Literal["allow", "block"], str | None]] = [
    ("blocked by command", ORDINARY, "block", "command 7"),
    ("what the rules allow outranks it", "+4781549512", "block", None),
    ("allowed by command, though listed", "+4781549123", "allow", None),
]


@pytest.mark.parametrize(
    ("caller", "kind", "blocked_by"), [row[1:] for row in COMMANDS], ids=[row[0] for row in COMMANDS]
)
def test_a_command_counts_after_what_the_rules_allow(
    rules: RuleSet, caller: str, kind: Literal["allow", "block"], blocked_by: str | None
) -> None:
    decision = decide(rules, facts(caller, MONDAY, verdict=command(kind, caller)))
    assert decision.plan.blocked_by == blocked_by
    if blocked_by:
        assert [node.step for node in decision.plan.nodes] == [Refuse("busy")]


def test_the_words_for_hits(rules: RuleSet) -> None:
    told = explain(decide(rules, facts("+4781549123", MARCH, (1, 1), variables={"RISK": "low"})))
    assert list(told[1:-1]) == [
        "fjord.yaml:10: block tried out: in shadow, or the caller +47815***23 were refused (+4781*)",
        "fjord.yaml:11: block until March: passed over; until: 2027-03-02 00:00 \u2014 it is "
        "2027-03-02 10:00",
        "fjord.yaml:12: block withheld when closed: passed over; closed: office \u2014 it is open "
        "(Tue 10:00 Europe/Oslo)",
        "fjord.yaml:13: block hammering: passed over; more_than: 5 calls in 10m \u2014 the caller has called "
        "less often",
        "fjord.yaml:14: block not vouched for: passed over; caller: +49* \u2014 the caller is +47815***23",
        "fjord.yaml:15: block by the dialplan: passed over; variable: RISK high or extreme and TRUNK two "
        "\u2014 the dialplan says otherwise",
        "fjord.yaml:16: block nights abroad: passed over; the caller +47815***23 is none of its numbers",
    ]
    by_command = explain(decide(rules, facts(ORDINARY, MONDAY, verdict=command("block", ORDINARY))))
    assert by_command[1] == "block command 7: the caller +47900***09 is refused (by hand)"


def test_what_is_counted_is_the_most_that_any_rule_asks(rules: RuleSet) -> None:
    assert rules.clients["fjord"].screening.counted == Rate.parse("5 calls in 10m")
    text = RULES.replace("more_than: 5 calls in 10m", "numbers: '+45*'")
    compiled = compile_rules({"fjord.yaml": text}, Dialling())
    assert isinstance(compiled, RuleSet)
    assert compiled.clients["fjord"].screening.counted is None


WRONG = [
    (
        "everybody",
        "{name: b}",
        "10:7: this refuses every caller; give it `numbers:`, `when:` or `more_than:`",
    ),
    ("everybody, for a while", "{name: b, until: 2027-01-01}", "10:7: this refuses every caller"),
    ("no rate", "{name: b, more_than: often}", "`often` is no number of calls in a time"),
    ("no calls", "{name: b, more_than: 0 calls in 10m}", "cannot be counted; write at least 1 call in 1s to"),
    ("no time", "{name: b, more_than: 3 calls in 0m}", "cannot be counted"),
    ("too long", "{name: b, more_than: 3 calls in 48h}", "1s to 1d"),
    ("no date", "{name: b, numbers: '+45*', until: soon}", "`soon` is not a date"),
    ("half in shadow", "{name: b, numbers: '+45*', shadow: half}", "`half` cannot stand here"),
    (
        "no level",
        "{name: b, when: {caller: {attestation: D}}}",
        "`D` cannot stand here; write 'A', 'B' or 'C'",
    ),
    ("no variable", "{name: b, when: {variable: {}}}", "at least one entry"),
    ("no name", "{name: b, when: {variable: {a-b: c}}}", "`a-b` is not the name of a variable"),
    ("a misspelt key", "{name: b, numbers: '+45*', shaddow: true}", "did you mean `shadow`"),
]


@pytest.mark.parametrize(("rule", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_rule_is_told_with_its_place(rule: str, told: str) -> None:
    head, _, tail = RULES.partition("    - {name: tried")
    text = f"{head}    - {rule}\n{tail.partition(chr(10))[2]}"
    compiled = compile_rules({"fjord.yaml": text}, Dialling())
    assert isinstance(compiled, RuleErrors)
    [error] = compiled.errors
    assert told in str(error)
