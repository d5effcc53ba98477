"""What holds of all calls there can be, and the calls of which it does not."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from router.core.counterexamples import proof_as_scenarios
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.proof import QUICK, Counterexample, Finding, Proof, prove
from router.core.regexes import Regex
from router.core.remarks import RuleWarning
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.scenarios import play, read_scenarios
from router.core.times import Rate

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAST = "from: 2025-11-26, until: 2025-11-26"
LATER = "from: 2030-11-26, until: 2030-11-26"
SOMETIME = "from: 2026-11-26 12:00, until: 2026-11-26 13:00"
RULES = """\
client: fjord
name: Fjord
numbers: ["+4722334455", "+472233446x"]
timezone: Europe/Oslo
country: NO
hours:
  office: {week: {mon-fri: "08:00-16:00"}}
  night: {week: {mon-sun: "22:00-03:00"}}
exceptions:
  - {title: course, from: 2026-11-26, until: 2026-11-26, owner: kari, do: [{ring: kari, for: 30s}]}
  - {title: fair, from: 2030-11-26, until: 2030-11-26, owner: kari, say: {file: fair}}
people:
  kari: {rings: PJSIP/101, numbers: "+4722334461", hours: office}
  ola: {rings: PJSIP/102, hours: office}
  anne: {rings: PJSIP/103}
routes:
  - name: closed
    when: {closed: office}
    do: [{say: {file: closed}}, hangup]
  - name: direct
    when: {dialled: "+4722334460"}
    do: [{ring: PJSIP/100, for: 40s, on: {busy: {goto: again}}}]
  - {name: again, when: {dialled: "+4722334460"}, do: [{ring: anne}]}
  - name: main
    do: [{ring: [kari, ola], on: {busy: [{say: {file: busy}}]}}]
last_resort: {say: {file: sorry}}
"""


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


def rules(*changes: str) -> RuleSet:
    text = RULES
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    compiled = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def proved(checked: RuleSet) -> Proof:
    proof = prove(checked, START)
    assert proof is not None
    return proof


def found(proof: Proof) -> list[str]:
    return [f"{one.warning.line}: {one.warning.what}" for one in proof.findings]


def test_rules_of_which_all_holds() -> None:
    proof = proved(rules())
    assert proof.findings == ()
    assert proof.kinds > 10


NEVER = [
    (
        "hours that are never open when it is looked at",
        ("when: {closed: office}", "when: {closed: office, open: night, not: {closed: office}}"),
        ["17: route `closed` takes no call in the next 400 days"],
    ),
    (
        "a caller whom another route takes",
        ("name: direct\n    when: {dialled", "name: direct\n    when: {closed: office, dialled"),
        ["20: route `direct` takes no call in the next 400 days"],
    ),
    (
        "an exception that is past",
        (LATER, PAST),
        ["11: exception `fair` is past"],
    ),
    (
        "an exception that another one takes the calls of",
        (LATER, SOMETIME),
        ["11: exception `fair` meets no call while it lasts"],
    ),
    (
        "a branch of a ring that rings nobody",
        (
            "do: [{ring: [kari, ola], on: {",
            "do: [{ring: anne}, {ring: ola, on: {",
            "ola: {rings: PJSIP/102, hours: office",
            "ola: {rings: PJSIP/102, hours: night",
        ),
        [
            "14: `ola` is outside their hours whenever they would be rung",
            "25: `busy:` is never met, since nobody is there to ring",
        ],
    ),
    (
        "one of two who are rung together",
        (
            'kari: {rings: PJSIP/101, numbers: "+4722334461", hours: office',
            "kari: {rings: PJSIP/101, hours: night",
            "{ring: kari, for: 30s}",
            "hangup",
        ),
        ["13: `kari` is outside their hours whenever they would be rung"],
    ),
    (
        "a branch of a branch that is never met",
        (
            "do: [{ring: [kari, ola], on: {busy: [{say: {file: busy}}]}}]",
            "do: [{ring: anne}, {ring: ola, on: {busy: [\n    {ring: anne, on: {failed: hangup}}]}}]",
            "ola: {rings: PJSIP/102, hours: office",
            "ola: {rings: PJSIP/102, hours: night",
        ),
        [
            "14: `ola` is outside their hours whenever they would be rung",
            "25: `busy:` is never met, since nobody is there to ring",
        ],
    ),
    (
        "a number that the client does not have",
        ('again, when: {dialled: "+4722334460"}', 'again, when: {dialled: "+4722334470"}'),
        ["23: `fjord` has no number that `dialled: +4722334470` names"],
    ),
    (
        "a person's own number that is the client's as well",
        ('"+472233446x"]', '"+4722334461", "+4722334460"]'),
        ["13: no call comes to `kari` by their own numbers"],
    ),
    (
        "a branch of an exception",
        (
            "{ring: kari, for: 30s}",
            "{ring: kari, for: 30s, on: {busy: hangup}}",
            "2026-11-26, until: 2026-11-26",
            "2026-11-28, until: 2026-11-28",
        ),
        ["10: `busy:` is never met, since nobody is there to ring"],
    ),
]


SOON = "in the next 400 days"
IDLE = [
    ("one that refuses", '{name: a, numbers: "+46*"}', []),
    ("one in shadow", '{name: a, numbers: "+46*", shadow: true}, {name: b, numbers: "+46*"}', []),
    (
        "another takes them all",
        '{name: a, numbers: "+46*"}, {name: b, numbers: ["+4670*", "+4680*"]}',
        [f"block rule `b` refuses nobody {SOON}: `a` takes all its callers before"],
    ),
    (
        "two others take them all, and it is in shadow",
        '{name: a, numbers: "+4670*"}, {name: b, numbers: "+468*"}, '
        '{name: c, numbers: ["+4670*", "+4680*"], shadow: true}',
        [f"block rule `c` would refuse nobody {SOON}: `a` and `b` take all its callers before"],
    ),
    ("another takes some", '{name: a, numbers: "+4670*"}, {name: b, numbers: ["+4670*", "+4680*"]}', []),
    (
        "another takes them while it is open",
        '{name: a, numbers: "+46*", when: {open: office}}, {name: b, numbers: "+46*", when: {open: office}}',
        [f"block rule `b` refuses nobody {SOON}: `a` takes all its callers before"],
    ),
    ("another for a while", '{name: a, numbers: "+46*", until: 2027-01-01}, {name: b, numbers: "+46*"}', []),
    (
        "all are allowed",
        '{name: a, numbers: "+4722*"}, {name: b, when: {caller: "+4722*"}}',
        [
            f"block rule `a` refuses nobody {SOON}: `allow` takes all its callers before",
            f"block rule `b` refuses nobody {SOON}: `allow` takes all its callers before",
        ],
    ),
    ("over", '{name: a, numbers: "+46*", until: 2026-11-01}', ["block rule `a` is past its `until:`"]),
    (
        "never",
        '{name: a, numbers: "+46*", when: {caller: anonymous}}, '
        "{name: b, more_than: 3 calls in 1h, when: {caller: anonymous}}",
        [
            f"block rule `a` refuses nobody {SOON}: what it asks for never holds all at once",
            f"block rule `b` refuses nobody {SOON}: what it asks for never holds all at once",
        ],
    ),
    (
        "who calls more often is taken before",
        "{name: a, more_than: 3 calls in 1h}, {name: b, more_than: 4 calls in 10m}",
        [f"block rule `b` refuses nobody {SOON}: `allow` and `a` take all its callers before"],
    ),
    (
        "who called in the last hour, but not lately",
        "{name: a, more_than: 2 calls in 1h}, {name: b, more_than: 3 calls in 70m}",
        [],
    ),
    ("who called at all", "{name: a, more_than: 2 calls in 1h}, {name: b, numbers: '+46*'}", []),
    ("a variable", "{name: a, when: {variable: {RISK: high}}}, {name: b, numbers: '+46*'}", []),
    (
        "the same expressions",
        "{name: a, numbers: [{regex: '^\\+4681'}, {display: 'x'}]}, {name: b, numbers: {display: 'x'}}",
        [f"block rule `b` refuses nobody {SOON}: `allow` and `a` take all its callers before"],
    ),
    ("another expression", "{name: a, numbers: {regex: '8$'}}, {name: b, numbers: {regex: '9$'}}", []),
]  # fmt: skip


@by_name(IDLE, "block", "wanted")
def test_block_rules_that_refuse_nobody(block: str, wanted: list[str]) -> None:
    screening = f"screening: {{allow: '+4722*', block: [{block}]}}\nexceptions:"
    proof = proved(rules("exceptions:", screening))
    assert [one.warning.what for one in proof.findings] == wanted
    assert all(one.counterexample is None and one.warning.instead for one in proof.findings)


def test_a_block_rule_whose_lists_are_empty_is_told_of_by_the_lists() -> None:
    text = RULES + "screening: {block: [{name: a, numbers: {file: feed.csv}}]}\n"
    checked = compile_rules({"fjord.yaml": text}, Dialling("PJSIP/{number}@trunk"), {"feed.csv": "number\n"})
    assert isinstance(checked, RuleSet), checked
    assert [str(one).partition(": ")[0] for one in checked.warnings] == ["feed.csv"]
    assert proved(checked).findings == ()


@by_name(NEVER, "changes", "wanted")
def test_what_never_happens(changes: tuple[str, ...], wanted: list[str]) -> None:
    proof = proved(rules(*changes))
    assert found(proof) == wanted
    assert all(one.counterexample is None and one.warning.instead for one in proof.findings)


def test_what_the_text_alone_shows_is_not_said_again() -> None:
    checked = rules("last_resort", "  - {name: never, do: hangup}\nlast_resort")
    assert len(checked.warnings) == 1
    assert found(proved(checked)) == []


def test_a_client_that_no_call_reaches_is_not_looked_at() -> None:
    checked = rules('numbers: ["+4722334455", "+472233446x"]', "numbers: []", ', numbers: "+4722334461"', "")
    assert proved(checked) == Proof(0, proved(checked).until, ())


CUT_OFF = "a caller can be cut off here, with nobody reached and nothing said"
HARM = [
    (
        "nobody answers and nothing follows",
        ("last_resort: {say: {file: sorry}}", "last_resort: []"),
        [
            (f"10: {CUT_OFF}", {}, ["ring"]),
            (f"13: {CUT_OFF}", {}, ["ring"]),
            (f"22: {CUT_OFF}", None, ["ring"]),
            (f"23: {CUT_OFF}", None, None),
            (f"25: {CUT_OFF}", None, ["ring"]),
        ],
    ),
    (
        "nothing at all",
        (
            "last_resort: {say: {file: sorry}}",
            "last_resort: []",
            "do: [{say: {file: closed}}, hangup]",
            "do: []",
        ),
        [(f"17: {CUT_OFF}", {}, [])],
    ),
    (
        "an exception rings too long",
        ("{ring: kari, for: 30s}", "{ring: [kari, anne], order: in-turn, for: 61s}"),
        [
            (
                "10: exception `course` can ring for 2m2s, longer than 2m",
                {"kari": ("no_answer",), "anne": ("no_answer",)},
                ["ring", "say"],
            )
        ],
    ),
    (
        "the last resort does",
        (
            "last_resort: {say: {file: sorry}}",
            "last_resort: [{ring: anne, for: 150s}, {say: {file: sorry}}]",
            "do: [{ring: [kari, ola], on: {busy: [{say: {file: busy}}]}}]",
            "when: {closed: office}\n    do: hangup",
        ),
        [
            (
                "1: the last resort can ring for 2m30s, longer than 2m",
                {"anne": ("no_answer",)},
                ["ring", "say"],
            )
        ],
    ),
    (
        "somebody is rung twice and does two things",
        (
            "last_resort: {say: {file: sorry}}",
            "last_resort: []",
            "do: [{ring: [kari, ola], on: {busy: [{say: {file: busy}}]}}]",
            """do:
      - ring: anne
        on:
          no_answer:
            - ring: anne
              on: {no_answer: hangup, declined: hangup, unreachable: hangup, failed: hangup}""",
        ),
        [(f"29: {CUT_OFF}", {"anne": ("no_answer", "busy")}, ["ring", "ring"])],
    ),
]


@by_name(HARM, "changes", "wanted")
def test_harm_has_a_counterexample_that_can_be_played(
    changes: tuple[str, ...], wanted: list[tuple[str, dict[str, tuple[str, ...]] | None, list[str] | None]]
) -> None:
    checked = rules(*changes)
    proof = proved(checked)
    text = proof_as_scenarios(proof, checked)
    scenarios, errors = read_scenarios("harm.test.yaml", text, checked)
    assert errors == ()
    harmed = [one for one in proof.findings if one.counterexample]
    by_what = dict(zip(found(Proof(0, START, tuple(harmed))), scenarios, strict=True))
    for what, given, steps in wanted:
        played = play(by_what[what], checked)
        assert played.wrong == ()
        if given is not None:
            assert by_what[what].doc.given == given
        if steps is not None:
            assert list(played.supposed.steps) == steps


def test_what_else_is_known_of_a_counterexample_is_written() -> None:
    checked = rules()
    called = Rate.parse("5 calls in 10m")
    caller = CallerId.read("+4790000009", "Kari", "NO")
    number = PhoneNumber.parse("+4722334460")
    call = Facts(START, number.e164, number, caller, variables={"RISK": "high"},
                 calls_before=called.spread(START))  # fmt: skip
    finding = Finding(
        RuleWarning("fjord.yaml", 1, 1, "harm", "mend it"), Counterexample(call, "Europe/Oslo", ())
    )
    text = proof_as_scenarios(Proof(1, START, (finding,)), checked)
    [scenario], errors = read_scenarios("harm.test.yaml", text, checked)
    assert errors == ()
    assert (scenario.doc.call.variables, scenario.doc.call.called) == ({"RISK": "high"}, called)
    assert scenario.doc.call.display == "Kari"
    assert play(scenario, checked).wrong == ()


def test_of_a_caller_whom_nobody_knows_there_is_no_test() -> None:
    checked = rules()
    number, caller = PhoneNumber.parse("+4722334460"), CallerId.read("+4790000009", "", "NO")
    call = Facts(START, number.e164, number, caller, matches=(Regex.parse("regex", "7$"),))
    finding = Finding(RuleWarning("f.yaml", 1, 1, "harm", "mend it"), Counterexample(call, "Europe/Oslo", ()))
    text = proof_as_scenarios(Proof(1, START, (finding,)), checked)
    assert text.splitlines()[1:] == [
        "tests: []",
        "  # f.yaml:1:1: harm; mend it",
        "  # There is no test of it: the caller matches regex 7$, and no such number is at hand.",
    ]


def test_no_harm_makes_no_tests() -> None:
    checked = rules()
    assert proof_as_scenarios(proved(checked), checked).endswith("\ntests: []\n")


WORK = [("enough", QUICK, True), ("not to begin", 100, False), ("not to decide", 1310, False)]


@by_name(WORK, "most", "done")
def test_no_more_work_than_allowed(most: int, done: bool) -> None:
    assert (prove(rules(), START, most) is not None) is done
