"""Who can ring whom."""

from datetime import UTC, datetime

import pytest

from router.core.dialling import Dialling
from router.core.reach import Nobody, Way, reach
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

FJORD = """\
client: fjord
name: Fjord
numbers: ["+4722334455"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
exceptions:
  - {title: past, from: 2026-11-01, until: 2026-11-02, owner: kari, do: [{ring: ola}]}
  - {title: flu, from: 2026-12-01, until: 2026-12-02, owner: kari, do: [{ring: ola}]}
  - {title: told, from: 2026-12-01, until: 2026-12-02, owner: kari, say: {file: told}}
people:
  kari: {rings: [PJSIP/101, "90000001"], hours: office, numbers: "22334461"}
  ola: {rings: PJSIP/102}
  anne: {rings: PJSIP/103}
  idle: {rings: PJSIP/104}
routes:
  - name: main
    when: [{open: office}, {not: {caller: anonymous}}]
    do:
      - ring: [kari, ola]
        order: in-turn
        for: 20s
        on: {busy: [{ring: anne, on: {busy: [{ring: PJSIP/9}]}}], no_answer: [{say: {file: a}}]}
      - ring: [anne, PJSIP/9]
        order: rotate
  - {name: all, do: [{ring: PJSIP/5}, hangup, {ring: PJSIP/8}]}
  - {name: never, do: [{ring: PJSIP/7}]}
last_resort: [{ring: PJSIP/6}]
"""
SUND = """\
client: sund
name: Sund
timezone: Europe/Oslo
country: NO
people: {ola: {rings: PJSIP/202, numbers: "22330050"}}
routes: [{name: lost, do: [{ring: ola}]}]
"""
PEOPLE = """\
people: {{kari: {{rings: PJSIP/101, hours: office}}}}
routes: [{{name: a, when: {{{when}}}, do: [{{ring: kari}}]}}]
"""
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules({"f.yaml": FJORD, "s.yaml": SUND}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def told(way: Way) -> str:
    rung = way.rings
    asked = " ".join(filter(None, (way.when, f"[{way.during}]" if way.during else "")))
    after = ", ".join(rung.through)
    turn = f"{rung.round}/{rung.rounds}{' rotating' if rung.rotating else ''}"
    return "; ".join(
        (way.client, f"{way.kind} {way.name}".strip(), asked, after, turn, rung.phone, rung.place)
    )


MAIN = "fjord; route main; open: office; or not: caller: anonymous"
DECEMBER = "between: 2026-12-01 00:00 until 2026-12-03 00:00"
OWN = "fjord; own number kari; [office]; ; 1/1; PJSIP"
OUTSIDE = "PJSIP/+4790000001@trunk; f.yaml"
WHO = [
    (
        "somebody with hours and two phones",
        "kari",
        [
            f"{OWN}/101; f.yaml:12",
            f"{OWN}/+4790000001@trunk; f.yaml:12",
            f"{MAIN} [office]; ; 1/2; PJSIP/101; f.yaml:20",
            f"{MAIN} [office]; ; 1/2; {OUTSIDE}:20",
        ],
    ),
    (
        "a number outside, as it is dialled there",
        "90 00 00 01",
        [f"{OWN}/+4790000001@trunk; f.yaml:12", f"{MAIN} [office]; ; 1/2; {OUTSIDE}:20"],
    ),
    ("an endpoint that is somebody's", "PJSIP/103", None),
    (
        "by a branch, and after it",
        "anne",
        [
            f"{MAIN}; after kari and ola; 1/2 rotating; PJSIP/103; f.yaml:24",
            f"{MAIN}; if kari and ola are busy; 1/1; PJSIP/103; f.yaml:23",
        ],
    ),
    (
        "by a branch of a branch",
        "PJSIP/9",
        [
            f"{MAIN}; after kari and ola; 2/2 rotating; PJSIP/9; f.yaml:24",
            f"{MAIN}; if kari and ola are busy, if anne is busy; 1/1; PJSIP/9; f.yaml:23",
        ],
    ),
    (
        "in an exception that is to come, and of two clients",
        "ola",
        [
            f"fjord; exception flu; {DECEMBER}; ; 1/1; PJSIP/102; f.yaml:9",
            f"{MAIN}; after kari; 2/2; PJSIP/102; f.yaml:20",
            "sund; own number ola; ; ; 1/1; PJSIP/202; s.yaml:5",
        ],
    ),
    (
        "in the last resort, by the ways that lead there",
        "PJSIP/6",
        [
            "fjord; own number kari; ; after kari; 1/1; PJSIP/6; f.yaml:28",
            f"fjord; exception flu; {DECEMBER}; after ola; 1/1; PJSIP/6; f.yaml:28",
            f"{MAIN}; after kari and ola, after anne and PJSIP/9; 1/1; PJSIP/6; f.yaml:28",
        ],
    ),
    ("nobody rings them", "idle", []),
]


@pytest.mark.parametrize(("who", "ways"), [row[1:] for row in WHO], ids=[row[0] for row in WHO])
def test_every_way_to_them(rules: RuleSet, who: str, ways: list[str] | None) -> None:
    found = reach(rules, who, NOW)
    assert not isinstance(found, Nobody)
    expected = ways if ways is not None else [told(way) for way in reach_all(rules, "anne")]
    assert [told(way) for way in found] == expected


def reach_all(rules: RuleSet, who: str) -> tuple[Way, ...]:
    found = reach(rules, who, NOW)
    assert not isinstance(found, Nobody)
    return found


def test_by_which_numbers(rules: RuleSet) -> None:
    assert [way.numbers for way in reach_all(rules, "kari")] == [("+4722334461",)] * 2 + [
        ("+4722334455",)
    ] * 2


def test_which_routes_may_take_the_call_before(rules: RuleSet) -> None:
    assert [way.before for way in reach_all(rules, "PJSIP/5")] == [("main",)]


def test_of_one_client_only(rules: RuleSet) -> None:
    found = reach(rules, "ola", NOW, "sund")
    assert not isinstance(found, Nobody)
    assert [way.client for way in found] == ["sund"]


NOT_MET = [
    ("after the end of a call", "PJSIP/8"),
    ("in a route that no call comes to", "PJSIP/7"),
]


@pytest.mark.parametrize("who", [row[1] for row in NOT_MET], ids=[row[0] for row in NOT_MET])
def test_what_is_written_but_never_met_rings_nobody(rules: RuleSet, who: str) -> None:
    assert reach(rules, who, NOW) == ()


HOURS = [
    ("open", "open: office", True),
    ("closed", "closed: office", False),
    ("not open", "not: {open: [late, office]}", False),
    ("other hours closed", "closed: late", True),
    ("one of two closed", "closed: [office, late]", True),
    ("not open, or something else", "not: [{open: office, caller: anonymous}]", True),
    ("not closed", "not: {closed: office}", True),
]


@pytest.mark.parametrize(("when", "rung"), [row[1:] for row in HOURS], ids=[row[0] for row in HOURS])
def test_nobody_is_rung_when_only_their_hours_are_over(when: str, rung: bool) -> None:
    text = FJORD.partition("exceptions:")[0] + PEOPLE.format(when=when)
    compiled = compile_rules({"f.yaml": text.replace("hours: {", "hours: {late: {}, ")}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    assert bool(reach(compiled, "kari", NOW)) is rung


UNKNOWN = [
    ("kary", "did you mean `kari`?"),
    ("PJSIP/1O2", "did you mean `PJSIP/102`?"),
    ("", "write the id of a person or queue, PJSIP/ENDPOINT or a number"),
]


@pytest.mark.parametrize(("who", "hint"), UNKNOWN, ids=[who or "nothing" for who, _ in UNKNOWN])
def test_whom_no_rule_knows(rules: RuleSet, who: str, hint: str) -> None:
    assert reach(rules, who, NOW) == Nobody(hint)
