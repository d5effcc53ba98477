"""What differs between two rule sets, held against every call of some days asked one by one."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router.core.arrival import Arriving, read_facts
from router.core.decide import decide
from router.core.dialling import Dialling
from router.core.difference import EVERYBODY, Comparison, compare
from router.core.facts import Facts
from router.core.numbers import PhoneNumber
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from tests.unit.telling import meant, told

RULES = """\
client: fjord
name: Fjord
numbers: ["+4722334455", "+472233446x"]
timezone: Europe/Oslo
country: NO
hours:
  office: {week: {mon-fri: "08:00-16:00"}, dates: {2026-10-27: "10:00-11:30"}}
  night: {week: {mon-sun: "22:00-03:00"}}
exceptions:
  - {title: course, from: 2026-10-26 12:00, until: 2026-10-26 15:30, owner: kari, say: {file: course}}
screening:
  allow: ["+4722*", "+4781549001"]
  block: [{name: sellers, numbers: ["+4781549xxx"]}]
people:
  kari: {rings: PJSIP/101, numbers: "+4722334461", hours: office}
  ola: {rings: PJSIP/102}
routes:
  - {name: abroad, when: {open: night, not: {caller: [anonymous, {country: [NO, SE]}]}}, do: {decline: busy}}
  - {name: closed, when: {closed: office}, do: [{say: {file: closed}}, hangup]}
  - {name: direct, when: {dialled: "+4722334460"}, do: [{ring: PJSIP/100, for: 40s}]}
  - name: main
    do:
      - ring: [kari, ola]
        on: {busy: [{say: {file: busy}}], declined: []}
      - {ring: [PJSIP/100, PJSIP/103], order: in-turn}
"""
SUND = """\
client: sund
name: Sund
numbers: "+4722330050"
timezone: Europe/Oslo
country: NO
routes: [{name: main, do: {ring: PJSIP/200}}]
"""
START = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
"""Before the night in which clocks go back."""
DAYS = 3
NUMBERS = ["+4722334455", "+4722334460", "+4722334461", "+4722334469", "+4722330050"]
CALLERS = [
    "",
    "17",
    "+4722999999",
    "+4781549001",
    "+4791234567",
    "+46701234567",
    "+4779123456",
    "+442079460123",
]


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


def rules(*texts: str) -> RuleSet:
    files = {f"{number}.yaml": text for number, text in enumerate(texts)}
    compiled = compile_rules(files, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def changed(old: str, new: str) -> RuleSet:
    assert RULES.count(old) == 1
    return rules(RULES.replace(old, new))


def compared(before: RuleSet, after: RuleSet) -> Comparison:
    return compare(before, after, START, START + timedelta(days=DAYS))


def every_call(before: RuleSet, after: RuleSet) -> Iterator[Facts]:
    """Every minute around those at which clocks strike, by whoever, to whatever number."""
    for minute in range(DAYS * 24 * 60):
        for to in NUMBERS if minute % 30 in (0, 1) or minute % 60 == 59 else ():
            for caller in CALLERS:
                now = START + timedelta(minutes=minute)
                known = after if after.numbers.find(PhoneNumber(to)) else before
                yield read_facts(Arriving(to, caller), known, now)


DIFFERENT = [
    ("an end of hours", '"22:00-03:00"', '"22:00-03:01"'),
    ("over the hour that comes twice", '"22:00-03:00"', '"22:00-02:15"'),
    ("a date", "2026-10-27", "2026-10-28"),
    ("an exception", "15:30", "16:30"),
    ("a blocked range", "+4781549xxx", "+478154xxxx"),
    ("one less allowed", ', "+4781549001"]', "]"),
    ("a country", "NO, SE", "SE"),
    ("a dialled pattern", 'dialled: "+4722334460"', 'dialled: "+472233446x"'),
    ("a person's own number", '"+4722334461"', '"+4722334469"'),
    ("a number less", '"+4722334455", ', ""),
    ("a length of time", "40s", "41s"),
    ("a branch", "declined: []", "declined: hangup"),
    ("music in place of ringing", "country: NO\n", "country: NO\nwhile_ringing: music\n"),
    ("somebody else in a round", "[kari, ola]", "[kari, PJSIP/103]"),
    ("the order of rounds", "[PJSIP/100, PJSIP/103]", "[PJSIP/103, PJSIP/100]"),
    ("a person's hours", ", hours: office}", ", hours: night}"),
    (
        "a route before another",
        "  - {name: closed, when: {closed: office}",
        "  - {name: closed, when: {open: night}",
    ),
]


@pytest.mark.brute
@by_name(DIFFERENT, "old", "new")
def test_exactly_what_differs_is_told(old: str, new: str) -> None:
    before, after = rules(RULES), changed(old, new)
    found = compared(before, after)
    assert not found.same
    for call in every_call(before, after):
        differs = meant(decide(before, call)) != meant(decide(after, call))
        tellings = sum(told(one, call) for one in found.differences if not one.only_names)
        assert tellings == differs, call


@by_name(DIFFERENT, "old", "new")
def test_an_example_is_one_of_what_it_is_an_example_of(old: str, new: str) -> None:
    before, after = rules(RULES), changed(old, new)
    for one in compared(before, after).differences:
        assert told(one, one.example)
        assert (one.before, one.after) == (decide(before, one.example), decide(after, one.example))
        assert meant(one.before) != meant(one.after)


def test_an_example_is_at_a_time_that_clocks_show_once_if_there_is_one() -> None:
    longer = changed('"22:00-03:00"', '"22:00-02:15"')
    found = compare(
        rules(RULES), longer, datetime(2026, 10, 25, 1, 0, tzinfo=UTC), START + timedelta(days=DAYS)
    )
    assert not found.same
    for one in found.differences:
        assert one.example.now.astimezone(ZoneInfo("Europe/Oslo")).fold == 0


SAME = [
    ("the same", "", ""),
    ("a comment", "client: fjord\n", "# new\nclient: fjord\n"),
    ("a block rule's name", "sellers", "vendors"),
    ("hours by another name", "office", "shop"),
    ("who rings together, in another order", "[kari, ola]", "[ola, kari]"),
    ("a person by another id", "ola", "olaf"),
    ("a number that is in a pattern", '"+472233446x"', '"+472233446x", "+4722334462"'),
    ("a branch to where it goes anyway", ", declined: []", ""),
    ("a list of one", "{decline: busy}}", "[{decline: busy}]}"),
    ("hours that say the same", '"22:00-03:00"', '"22:00-24:00 00:00-03:00"'),
]


@by_name(SAME, "old", "new")
def test_what_is_only_written_otherwise_is_the_same(old: str, new: str) -> None:
    before, after = rules(RULES), rules(RULES.replace(old, new) if old else RULES)
    found = compared(before, after)
    assert found.same, found.differences
    assert all(one.only_names for one in found.differences)


def test_only_the_name_of_a_route() -> None:
    found = compared(rules(RULES), changed("name: direct", "name: straight"))
    [one] = found.differences
    assert found.same
    assert one.only_names
    assert (one.before.route, one.after.route) == ("direct", "straight")
    assert [str(numbers) for numbers in one.dialled] == ["+4722334460"]


def test_rounds_that_rotate_differ_from_the_second_call_on() -> None:
    found = compared(rules(RULES), changed("order: in-turn", "order: rotate"))
    assert not found.same
    assert {one.example.turn for one in found.differences} == {1}


def test_clients_come_and_go() -> None:
    found = compared(rules(RULES), rules(SUND))
    assert (found.new, found.gone, found.same) == (("sund",), ("fjord",), False)
    whole = START, START + timedelta(days=DAYS)
    assert [one.clients for one in found.differences] == [("fjord", None), (None, "sund")]
    for one in found.differences:
        assert one.callers == EVERYBODY
        assert [(period.start, period.end) for period in one.periods] == [whole]


def test_a_number_that_moves_to_another_client() -> None:
    moved = SUND.replace('"+4722330050"', '["+4722330050", "+4722334455"]')
    found = compared(rules(RULES, SUND), rules(RULES.replace('"+4722334455", ', ""), moved))
    [one] = found.differences
    assert one.clients == ("fjord", "sund")
    assert [str(numbers) for numbers in one.dialled] == ["+4722334455"]
    assert str(one.callers) == "everybody"


KNOWN = [
    ("a variable", "when: {variable: {RISK: high}}", ["RISK is high"]),
    ("a rate", "more_than: 5 calls in 10m", ["5 calls in 10m before"]),
    ("both", "when: {variable: {RISK: high}}, more_than: 5 calls in 10m",
     ["RISK is high, 5 calls in 10m before"]),
    ("neither of them", "when: {not: {variable: {RISK: high}}}", ["nothing else"]),
    ("an attestation", "when: {not: {caller: {attestation: [A, B]}}}", ["nothing else"]),
    ("two rates", "when: {closed: never}, more_than: 5 calls in 10m}, {name: c, more_than: 9 calls in 1h",
     ["5 calls in 10m before", "9 calls in 1h before", "9 calls in 10m before"]),
    ("a regular expression", "numbers: {regex: '^\\+4781'}", ["the caller matches regex ^\\+4781"]),
    ("several", "numbers: [{regex: 1}, {regex: 2}, {regex: 3}, {regex: 4}, {display: a}]",
     ["the caller matches display a or regex 1 or regex 2 or 2 more"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "known"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_what_else_must_be_known_of_a_call_is_told(rule: str, known: list[str]) -> None:
    never = "hours: {never: {week: {}}}\n"
    screened = f"{never}screening: {{block: [{{name: b, {rule}}}]}}\n"
    found = compared(rules(SUND + never), rules(SUND + screened)).differences
    assert [str(one.known) for one in found] == known
    assert all(one.after.plan.blocked_by for one in found)


def test_another_regular_expression() -> None:
    block = "block: [{name: b, numbers: [{display: '^Spam'}, {regex: '^\\+47OF'}]}]"
    screening = f"screening: {{allow: {{regex: '^\\+4622'}}, {block}}}\n"
    before, after = (rules(SUND + screening.replace("OF", of)) for of in ("81", "82"))
    found = compared(before, after).differences
    blocked = [(one.before.plan.blocked_by, one.after.plan.blocked_by) for one in found]
    assert [str(one.known) for one in found] == [
        "the caller matches regex ^\\+4781",
        "the caller matches regex ^\\+4782",
    ]
    assert [one.example.caller.raw for one in found] == ["+4781000", "+4782000"]
    assert blocked == [("b", None), (None, "b")]


def test_what_differs_whatever_is_known_is_told_once() -> None:
    risk = "screening: {block: [{name: b, when: {variable: {RISK: high}}}]}\n"
    longer = SUND.replace("ring: PJSIP/200", "ring: PJSIP/201")
    told = [(one.known and str(one.known), bool(one.after.plan.blocked_by)) for one in
            compared(rules(SUND), rules(longer)).differences]  # fmt: skip
    assert told == [(None, False)]
    same_risk = compared(rules(SUND + risk), rules(longer + risk)).differences
    assert [str(one.known) for one in same_risk] == ["nothing else"]


def test_callers_in_words() -> None:
    found = compared(rules(RULES), changed("[anonymous, {country: [NO, SE]}]", "{country: [NO, SE]}"))
    assert {str(one.callers) for one in found.differences} == {"anonymous"}


def test_blocked_by_a_route_is_not_blocked() -> None:
    refused = rules(SUND.replace("do: {ring: PJSIP/200}", "do: decline"))
    screening = 'screening: {block: [{name: all, numbers: "+*"}]}\n'
    blocked = rules(SUND.replace("do: {ring: PJSIP/200}", "do: decline") + screening)
    [one] = compared(refused, blocked).differences
    assert [str(numbers) for numbers in one.callers.numbers] == ["+*"]
    assert not one.callers.anonymous
    assert [node.step for node in one.before.plan.nodes] == [node.step for node in one.after.plan.nodes]


AFTER = """\
follow_ups:
  - {name: missed, when: {disposition: no_answer, open: late}, do: {webhook: "https://crm.example/missed"}}
  - {name: owed, when: {not: {closed: late}}, do: {call_back: {by: desk}}}
"""
HOURS = """\
hours:
  late: {week: {mon-fri: "16:00-20:00"}}
  desk: {week: {mon-fri: "08:00-16:00"}}
"""
OWING = SUND + HOURS + AFTER
MISSED = "missed, when disposition: no_answer, open: late: post to https://crm.example/missed"
OWED = "owed, when not: closed: late: call back by the end of desk"
FOLLOW_UPS = [
    ("a condition", "disposition: no_answer", "disposition: busy",
     {"missed": (MISSED, MISSED.replace("no_answer", "busy"))}),
    ("an action", "/missed", "/calls", {"missed": (MISSED, MISSED.replace("/missed", "/calls"))}),
    ("one more", AFTER, f"{AFTER}  - {{name: told, do: {{mqtt: told}}}}\n",
     {"told": ("", "told, after every call: publish as told")}),
    ("none any more", AFTER, "", {"missed": (MISSED, ""), "owed": (OWED, "")}),
    ("hours they go by", "16:00-20:00", "16:00-21:00", {"missed": (MISSED, MISSED), "owed": (OWED, OWED)}),
    ("hours by whose end callers are called back", "08:00-16:00", "08:00-15:00", {"owed": (OWED, OWED)}),
    ("another order", "{disposition: no_answer, open: late}", "{open: late, disposition: no_answer}", {}),
    ("only where they are written", "hours:", "\n\nhours:", {}),
    ("something that has nothing to do with them", "name: Sund", "name: Sundet", {}),
]  # fmt: skip


@by_name(FOLLOW_UPS, "old", "new", "told")
def test_what_is_done_otherwise_after_calls(old: str, new: str, told: dict[str, tuple[str, str]]) -> None:
    assert OWING.count(old) == 1
    found = compared(rules(OWING), rules(OWING.replace(old, new)))
    assert {one.name: (one.before, one.after) for one in found.follow_ups} == told
    assert {one.client for one in found.follow_ups} <= {"sund"}
    assert found.same == (not told)


def test_what_hours_are_called_is_no_difference() -> None:
    assert compared(rules(OWING), rules(OWING.replace("late", "evening").replace("desk", "day"))).same


def test_nor_is_the_order_of_alternatives() -> None:
    several = OWING.replace(
        "disposition: no_answer", "disposition: [no_answer, busy], tag: [interested, callback]"
    )
    other = several.replace("[no_answer, busy]", "[busy, no_answer]").replace(
        "[interested, callback]", "[callback, interested]"
    )
    assert compared(rules(several), rules(other)).same


def test_the_language_of_mails_is_a_part_of_what_is_done() -> None:
    mailed = SUND + "language: nb\nfollow_ups: [{name: all, do: {mail: post@sund.example}}]\n"
    found = compared(rules(mailed), rules(mailed.replace("language: nb", "language: da")))
    assert [one.name for one in found.follow_ups] == ["all"]
