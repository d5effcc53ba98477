"""Whether every client's numbers come from the dialplan to callrouter."""

import pytest

from router.core.asteriskdialplan import AsteriskDialplan, Context, Extension, Step
from router.core.dialling import Dialling
from router.core.findings import Severity
from router.core.hook import look_in
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

CLIENT = """\
client: {0}
name: A client
numbers: [{1}]
timezone: Europe/Oslo
country: NO
routes: [{{name: main, do: [hangup]}}]
"""
E, W, U, OK = Severity.ERROR, Severity.WARNING, Severity.NOT_CHECKED, Severity.OK
HOOKED = "include => callrouter"


def rules_of(**clients: str) -> RuleSet:
    texts = {f"{name}.yaml": CLIENT.format(name, numbers) for name, numbers in clients.items()}
    rules = compile_rules(texts, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    return rules


def dialplan(*lines: str) -> AsteriskDialplan:
    """Its trunk has these lines, each `pattern => Application(data)` or HOOKED."""
    extensions = []
    for number, line in enumerate(lines, start=1):
        pattern, _, step = line.partition(" => ")
        application, _, data = step.removesuffix(")").partition("(")
        if line != HOOKED:
            extensions.append(Extension(pattern, (Step(application, data),), f"extensions.conf:{number}"))
    ours = Context((Extension("_[+0-9]!", (Step("Stasis", "callrouter"),)),))
    return {
        "trunk": Context(tuple(extensions), ("callrouter",) * (HOOKED in lines)),
        "callrouter": ours,
    }


FJORD = rules_of(fjord='"+4722334455"')
BOTH = rules_of(fjord='"+4722334455"', sund='"+4722334466", "+472233447x"')
MANY = rules_of(fjord=", ".join(f'"+472233450{digit}"' for digit in range(8)) + ', "+4790000001"')
AS = "go elsewhere if the trunk writes it as"
IF = f"of fjord {AS}"
TAKES = "of [trunk] takes them"
ELSEWHERE = f"`_0.` {TAKES}"
NOTHING = "nothing in [trunk] takes them"
SAYS = "`_X.` of [trunk] says so as it runs"
HERE = "1 number(s) of 1 client(s) come to callrouter"
CASES: list[tuple[str, RuleSet, tuple[str, ...], list[tuple[Severity, str, str]]]] = [
    ("hooked", FJORD, (HOOKED,), [(OK, HERE, "context trunk")]),
    (
        "two clients",
        BOTH,
        (HOOKED,),
        [(OK, "3 number(s) of 2 client(s) come to callrouter", "context trunk")],
    ),
    ("as digits", FJORD, ("_X. => Goto(callrouter,${EXTEN},1)",), [(OK, HERE, "context trunk")]),
    (
        "not hooked",
        BOTH,
        ("100 => Hangup()",),
        [(E, "no number of any client comes from the context [trunk] to callrouter", "extensions.conf")],
    ),
    (
        "another T",
        FJORD,
        ("T => Hangup()", HOOKED),
        [
            (E, "[trunk] has an extension T, which is taken for callrouter's dead-man", "extensions.conf:1"),
            (OK, HERE, "context trunk"),
        ],
    ),
    (
        "one is not",
        MANY,
        (
            "_0. => Hangup()",
            "_+479. => Hangup()",
            "_9XXXXXXX => Hangup()",
            "_4722. => Goto(callrouter,${EXTEN},1)",
        ),
        [
            (
                E,
                f"calls to +4790000001 of fjord do not come to callrouter: `_+479.` {TAKES}",
                "extensions.conf:2",
            ),
            *(
                (
                    W,
                    f"calls to +472233450{digit} {IF} 00472233450{digit}: {ELSEWHERE}",
                    "extensions.conf:1",
                )
                for digit in range(5)
            ),
            (OK, "8 number(s) of 1 client(s) come to callrouter", "context trunk"),
        ],
    ),
    (
        "many are not",
        MANY,
        ("_479. => Goto(callrouter,${EXTEN},1)", "_x => NoOp()"),
        [
            *(
                (
                    E,
                    f"calls to +472233450{digit} of fjord do not come to callrouter: {NOTHING}",
                    "context trunk",
                )
                for digit in range(5)
            ),
            (E, "3 more numbers do not come to callrouter", ""),
            (OK, HERE, "context trunk"),
        ],
    ),
    (
        "taken in one form",
        BOTH,
        ("4722334466 => Hangup()", HOOKED),
        [
            (
                W,
                f"calls to +4722334466 of sund {AS} 4722334466: `4722334466` {TAKES}",
                "extensions.conf:1",
            ),
            (OK, "3 number(s) of 2 client(s) come to callrouter", "context trunk"),
        ],
    ),
    (
        "taken as it is written in E.164",
        BOTH,
        ("+4722334466 => Hangup(16)", HOOKED),
        [
            (
                E,
                "calls to +4722334466 of sund do not come to callrouter if the trunk writes +4722334466: "
                f"`+4722334466` {TAKES}",
                "extensions.conf:1",
            ),
            (OK, "2 number(s) of 2 client(s) come to callrouter", "context trunk"),
        ],
    ),
    (
        "one of a pattern is taken in E.164",
        BOTH,
        ("+4722334477 => Hangup()", "4722334470 => Hangup()", HOOKED),
        [
            (
                E,
                "calls to +472233447x of sund do not come to callrouter if the trunk writes +4722334477: "
                f"`+4722334477` {TAKES}",
                "extensions.conf:1",
            ),
            (OK, "2 number(s) of 2 client(s) come to callrouter", "context trunk"),
        ],
    ),
    (
        "for the dialplan to say, but in E.164",
        FJORD,
        ("_X. => Gosub(where,s,1)", "_+. => Hangup()"),
        [
            (
                E,
                "calls to +4722334455 of fjord do not come to callrouter if the trunk writes +4722334455: "
                f"`_+.` {TAKES}",
                "extensions.conf:2",
            ),
        ],
    ),
    (
        "one of a pattern is taken",
        BOTH,
        ("22334477 => NoOp()", HOOKED),
        [
            (W, f"calls to +472233447x of sund {AS} 22334477: `22334477` {TAKES}", "extensions.conf:1"),
            (OK, "3 number(s) of 2 client(s) come to callrouter", "context trunk"),
        ],
    ),
    (
        "for the dialplan to say",
        BOTH,
        ("_X. => Gosub(where,s,1)",),
        [
            (
                U,
                f"whether +4722334455 of fjord and 2 more numbers comes to callrouter: {SAYS}",
                "extensions.conf:1",
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("rules", "lines", "found"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_of_a_context(rules: RuleSet, lines: tuple[str, ...], found: list[tuple[Severity, str, str]]) -> None:
    told = look_in(dialplan(*lines), "trunk", rules, "callrouter")
    assert [(one.severity, one.what, one.where) for one in told] == found
    assert all(one.remedy for one in told if one.severity in (E, W))


def test_a_context_that_is_not_there() -> None:
    [found] = look_in(dialplan(HOOKED), "pstn", FJORD, "callrouter")
    assert (found.severity, found.what, found.where) == (E, "Asterisk has no such context", "context pstn")
