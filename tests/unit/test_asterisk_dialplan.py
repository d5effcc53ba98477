"""Asterisk's own dialplan as it shows it, and where numbers lead in it."""

import re
from pathlib import Path

import pytest

from router.core.asteriskdialplan import (
    OURS,
    AsteriskDialplan,
    Context,
    Extension,
    Lead,
    Step,
    dialplan_of,
    find,
    follow,
    read_ami,
    read_console,
)

SHOWN = """\
[ Context 'from-trunk' created by 'pbx_config' ]
  '_4722X.' (CID match '22334455') => 1. NoOp(first)                   [extensions.conf:11]
     [next]         2. Hangup()                                   [extensions.conf:12]
  'T' =>            hint: PJSIP/100                               [extensions.conf:13]
  '100' =>          hint: PJSIP/100                               [extensions.conf:13]
                    1. Dial(PJSIP/${EXTEN},30)                    [extensions.conf:14]
  Include =>        'callrouter'                                  [extensions.conf:7]
  Include =>        'late|9:00-17:00,mon-fri,*,*'                 [extensions.conf:8]
  Ignore pattern => '9'                                           [extensions.conf:9]

[ Context 'switched' created by 'pbx_config' ]
  Alt. Switch =>    'Realtime/here@extensions'                    [extensions.conf:20]

[ Context 'callrouter' created by 'pbx_config' ]
  '_[+0-9]!' =>     1. Stasis(${IF(1?callrouter)},in,(),1)        [callrouter.conf:63]

-= 4 extensions (5 priorities) in 3 contexts. =-
"""
ROWS = [
    {"Event": "ListDialplan", "Context": "from-trunk", "Extension": "_4722X.", "Priority": "1",
     "Application": "NoOp", "AppData": "first"},
    {"Event": "ListDialplan", "Context": "from-trunk", "Extension": "_4722X.", "ExtensionLabel": "next",
     "Priority": "2", "Application": "Hangup"},
    {"Event": "ListDialplan", "Context": "from-trunk", "Extension": "T", "Priority": "hint",
     "Application": "PJSIP/100"},
    {"Event": "ListDialplan", "Context": "from-trunk", "Extension": "100", "Priority": "1",
     "Application": "Dial", "AppData": "PJSIP/${EXTEN},30"},
    {"Event": "ListDialplan", "Context": "from-trunk", "IncludeContext": "callrouter"},
    {"Event": "ListDialplan", "Context": "from-trunk", "IncludeContext": "late|9:00-17:00,mon-fri,*,*"},
    {"Event": "ListDialplan", "Context": "switched", "Switch": "Realtime/here@extensions"},
    {"Event": "ListDialplan", "Context": "callrouter", "Extension": "_[+0-9]!", "Priority": "1",
     "Application": "Stasis", "AppData": "${IF(1?callrouter)},in,(),1"},
    {"Event": "ShowDialPlanComplete", "EventList": "Complete", "ListItems": "7"},
]  # fmt: skip


def test_the_console_and_ami_show_the_same() -> None:
    by_console = dialplan_of(read_console(SHOWN))
    by_ami = dialplan_of(read_ami(ROWS))
    placeless = {
        name: Context(
            tuple(Extension(one.pattern, one.steps) for one in context.extensions),
            context.includes,
            context.switched,
        )
        for name, context in by_console.items()
    }
    assert placeless == by_ami
    trunk = by_console["from-trunk"]
    assert [(one.pattern, one.place) for one in trunk.extensions] == [
        ("_4722X.", "extensions.conf:11"),
        ("100", "extensions.conf:14"),
    ]
    assert trunk.extensions[0].steps == (Step("NoOp", "first"), Step("Hangup", ""))
    assert trunk.includes == ("callrouter", "late")
    assert by_console["switched"].switched


def test_what_is_no_dialplan_has_none() -> None:
    assert dialplan_of(read_console("No such command 'dialplan show'\n  1. Hangup()\n")) == {}


PATTERNS: list[tuple[str, str, bool]] = [
    ("100", "100", True),
    ("100", "1000", False),
    ("10-0", "100", True),
    ("_X.", "47", True),
    ("_X.", "4", False),
    ("_X.", "+47", False),
    ("_x!", "4", True),
    ("_ZN", "12", True),
    ("_ZN", "02", False),
    ("_ZN", "11", False),
    ("_[+0-9]!", "+47", True),
    ("_[+0-9]!", "47", True),
    ("_[+0-9]!", "*8", False),
    ("_[-x]1", "-1", True),
    ("_[5-3]X", "41", False),
    ("_[]", "1", False),
    ("_[12", "1", False),
    ("_47 22-XX", "472211", True),
    ("_+47.", "+471", True),
    ("_.", "", False),
]


@pytest.mark.parametrize("row", PATTERNS, ids=[f"{row[0]} and {row[1]}" for row in PATTERNS])
def test_what_a_pattern_takes(row: tuple[str, str, bool]) -> None:
    pattern, dialled, takes = row
    dialplan = {"in": Context((Extension(pattern, ()),))}
    assert (find(dialplan, "in", dialled) is not None) is takes


def extension(pattern: str, *steps: str) -> Extension:
    """Each step is `Application(data)`."""
    read = (step.removesuffix(")").partition("(") for step in steps)
    return Extension(pattern, tuple(Step(name, data) for name, _, data in read))


OUR_PART = {"callrouter": Context((extension("_[+0-9]!", "Stasis(callrouter,in)"),))}


def plan(*extensions: Extension, includes: tuple[str, ...] = (), **others: Context) -> AsteriskDialplan:
    return {"in": Context(extensions, includes), **others, **OUR_PART}


GO_ON = Context((extension("_X.", "Goto(callrouter,${EXTEN},1)"),))
LEADS: list[tuple[str, AsteriskDialplan, Lead, str]] = [
    ("no such context", {}, Lead.NOWHERE, "in"),
    ("nothing takes it", plan(), Lead.NOWHERE, "in"),
    ("included", plan(includes=("callrouter",)), Lead.HERE, "callrouter"),
    (
        "included by what is included",
        plan(includes=("more", "callrouter"), more=Context((), ("in", "callrouter"))),
        Lead.HERE,
        "callrouter",
    ),
    ("sent on", plan(extension("_X.", "NoOp()", "Goto(callrouter,${EXTEN},1)")), Lead.HERE, "in"),
    ("its digits", plan(extension("_X.", "Goto(callrouter,${FILTER(+0-9,${EXTEN})},1)")), Lead.HERE, "in"),
    ("sent on if", plan(extension("_X.", "GotoIf($[1]?callrouter,${EXTEN},1:s,1)")), Lead.HERE, "in"),
    ("by hand", plan(extension("_X.", "Stasis(callrouter,in,${EXTEN})")), Lead.HERE, "in"),
    ("by the global", plan(extension("_X.", "Stasis(${CALLROUTER_APP},in)")), Lead.HERE, "in"),
    ("another application", plan(extension("_X.", "Stasis(ivr)")), Lead.ELSEWHERE, "in"),
    (
        "another name like ours",
        plan(extension("_X.", "Goto(my-callrouter2,s,1)")),
        Lead.NOWHERE,
        "my-callrouter2",
    ),
    (
        "taken before",
        plan(extension("_47X.", "Answer()", "Hangup()"), includes=("callrouter",)),
        Lead.ELSEWHERE,
        "in",
    ),
    ("by way of another", plan(extension("_X.", "Goto(other,${EXTEN},1)"), other=GO_ON), Lead.HERE, "other"),
    (
        "its digits by another",
        plan(extension("_X.", "Goto(other,${FILTER(0-9,${EXTEN})},1)"), other=GO_ON),
        Lead.HERE,
        "other",
    ),
    ("to one extension", plan(extension("_X.", "Goto(other,100,1)"), other=GO_ON), Lead.HERE, "other"),
    ("to a lost one", plan(extension("_X.", "Goto(other,s,1)"), other=GO_ON), Lead.NOWHERE, "other"),
    ("in a circle", plan(extension("_X.", "Goto(in,${EXTEN},1)")), Lead.UNCLEAR, "in"),
    ("by a variable", plan(extension("_X.", "Goto(other,${X},1)"), other=GO_ON), Lead.UNCLEAR, "in"),
    ("by a subroutine", plan(extension("_X.", "Gosub(sub,s,1)", "Hangup()")), Lead.UNCLEAR, "in"),
    ("by a program", plan(extension("_X.", "AGI(agi://here)", "Hangup()")), Lead.UNCLEAR, "in"),
    (
        "within the extension",
        plan(extension("_X.", "GotoIf($[${X}]?end)", "Goto(2)", "Hangup()")),
        Lead.ELSEWHERE,
        "in",
    ),
    ("asked elsewhere", plan(includes=("far",), far=Context((), ("in",), True)), Lead.UNCLEAR, "in"),
]


@pytest.mark.parametrize(
    ("dialplan", "lead", "context"), [row[1:] for row in LEADS], ids=[row[0] for row in LEADS]
)
def test_where_a_number_leads(dialplan: AsteriskDialplan, lead: Lead, context: str) -> None:
    led = follow(dialplan, "in", "4722334455", "callrouter")
    assert (led.lead, led.context) == (lead, context)


def test_who_sent_it_where_nothing_takes_it_is_told() -> None:
    sends = extension("_X.", "Goto(other,s,1)")
    assert follow(plan(sends, other=GO_ON), "in", "4722334455", "callrouter").extension == sends


def test_all_contexts_of_ours_are_known() -> None:
    file = Path(__file__).resolve().parents[2] / "dialplan" / "callrouter.conf"
    assert sorted(re.findall(r"(?m)^\[([\w-]+)\]", file.read_text())) == sorted(OURS)
