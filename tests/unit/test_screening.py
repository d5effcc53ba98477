"""Who is refused, by which rule, and what the trace says of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from router.core.decide import decide
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.times import Rate

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


def facts(caller: str, at: str, calls_before: tuple[float, ...] = ()) -> Facts:
    """`calls_before` are minutes before this call."""
    now = datetime.fromisoformat(at).replace(tzinfo=OSLO)
    number = PhoneNumber.parse("+4722334455")
    before = tuple(now - timedelta(minutes=minutes) for minutes in calls_before)
    return Facts(now, number.e164, number, CallerId.read(caller, "", "NO"), calls_before=before)


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
        ("block", "nights abroad", "fjord.yaml:14", False, ""),
    ]
    failed = [row.failed[0].condition for row in decision.trace[2:-1]]
    assert failed == ["until", "closed", "more_than", "numbers"]


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
