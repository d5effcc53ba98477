"""Rules as text -> a RuleSet, or every error at its place."""

from pathlib import Path

import pytest

from router.core.dialling import Dialling
from router.core.layout import MOST_LAID_OUT
from router.core.leads import LONGEST_WAY
from router.core.reading import Reading
from router.core.remarks import MOST_TOLD, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.shapes import check
from router.core.written import Shape
from router.core.yamltext import read_yaml

DIALLING = Dialling("PJSIP/{number}@trunk")
RULES = Path(__file__).parents[2] / "rules"

HEAD = """\
client: fjord
name: Fjord Legesenter
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
"""
"""Five lines; a case's own text begins on line 6."""


def compiled(files: dict[str, str], dialling: Dialling = DIALLING) -> RuleSet:
    rules = compile_rules(files, dialling)
    assert isinstance(rules, RuleSet), rules
    return rules


def errors(files: dict[str, str], dialling: Dialling = DIALLING) -> list[str]:
    rules = compile_rules(files, dialling)
    assert isinstance(rules, RuleErrors)
    return [str(error) for error in rules.errors]


def route(do: str) -> str:
    return f"routes: [{{name: r, do: {do}}}]"


STEPS = (
    "say, menu, directory, person, ring, queue, message, callback, goto, dialplan, tag, set, decline, hangup"
)


def _twice(number: int) -> str:
    """Two branches to the same person."""
    return f"{{busy: {{person: p{number}}}, failed: {{person: p{number}}}}}"


TOO_MANY = "a call could meet more than 1000 steps from here; let fewer `person` steps lead to others"
TOO_LATE = "since the call has ended or gone elsewhere; remove it, or move it up"
CASES = [
    # shapes
    ("an unknown key", "xyzzy: hi", ["6:1: `xyzzy` is not a key that can stand here; remove it"]),
    (
        "a misspelt key",
        "rotes: []",
        ["6:1: `rotes` is not a key that can stand here; did you mean `routes`?"],
    ),
    # menus, queues, messages, tags and variables
    (
        "a menu without choices",
        route("[{menu: {say: Hi, choices: {}}}]"),
        ["6:51: at least one entry is needed here; write one, or leave the key out"],
    ),
    (
        "a key that phones have not",
        route("[{menu: {choices: {12: hangup}}}]"),
        ["6:43: `12` is no key of a phone; write 0 to 9, * or #"],
    ),
    (
        "a wrong step behind a key",
        route("[{menu: {choices: {1: [{ring: nobody}]}}}]"),
        ["6:54: nobody here is `nobody`; add it under `people:`"],
    ),
    (
        "a menu that leads in a circle",
        route("[{menu: {choices: {1: [{goto: r}]}}}]"),
        ["6:54: this leads in a circle, from `r` to `r`; let one of them end elsewhere"],
    ),
    ("an unknown queue", route("[{queue: x}]"), ["6:33: no queue is called `x`; add it under `queues:`"]),
    (
        "a queue of nobody",
        "queues: {q: {agents: []}}",
        ["6:22: at least one entry is needed here; write one, or leave the key out"],
    ),
    (
        "a queue of strangers",
        "queues: {q: {agents: [kari]}}",
        ["6:23: nobody here is `kari`; add it under `people:`"],
    ),
    (
        "a strategy of later",
        "people: {k: {}}\nqueues: {q: {agents: k, strategy: linear}}",
        [
            "7:35: `linear` cannot stand here; write 'ring-all', 'longest-idle', 'round-robin',"
            " 'fewest-calls', 'in-order' or 'random'"
        ],
    ),
    (
        "no place to wait",
        "people: {k: {}}\nqueues: {q: {agents: k, max_waiting: 0}}",
        ["7:38: `0` is no number of places; write digits, as in max_waiting: 20"],
    ),
    (
        "a pause after nothing",
        "people: {k: {}}\nqueues: {q: {agents: k, pause_after: 0}}",
        ["7:38: `0` is no number of calls; write digits, as in pause_after: 3"],
    ),
    (
        "announcing without a break",
        "people: {k: {}}\nqueues: {q: {agents: k, announce: {every: 2s}}}",
        ["7:43: `2s` is no interval; write 10s to 1h"],
    ),
    (
        "called back next month",
        "people: {k: {}}\nqueues: {q: {agents: k, callback_key: 1, callback_within: 30d}}",
        ["7:59: `30d` is no time to call back; write 1m to 7d"],
    ),
    (
        "resting for days",
        "people: {k: {}}\nqueues: {q: {agents: k, wrap_up: 2d}}",
        ["7:34: `2d` is too long a pause; write at most 1h"],
    ),
    (
        "waiting for ever",
        f"people: {{k: {{}}}}\nqueues: {{q: {{agents: k}}}}\n{route('[{queue: q, for: 1d}]')}",
        ["8:41: `1d` is no time to wait; write 1s to 2h"],
    ),
    (
        "a way on that queues have not",
        f"people: {{k: {{}}}}\nqueues: {{q: {{agents: k}}}}\n{route('[{queue: q, on: {busy: []}}]')}",
        ["8:41: `busy` cannot stand here; write 'full', 'empty', 'timeout' or 'left'"],
    ),
    (
        "a message for a stranger",
        route("[{message: {to: kari}}]"),
        ["6:40: nobody here is `kari`; add it under `people:`"],
    ),
    (
        "an unknown tag",
        route("[{tag: follow_up}]"),
        ["6:31: no tag is called `follow_up`; did you mean `follow_up_needed`?"],
    ),
    (
        "a variable of callrouter's own",
        route("[{set: {_Callrouter_DID: 1}}]"),
        ["6:32: `_Callrouter_DID` is callrouter's own; give the variable another name"],
    ),
    (
        "a value that is more to the dialplan",
        route("[{set: {A: '${EXTEN}'}}]"),
        [
            "6:35: `${EXTEN}` would mean something else to the dialplan; write at most 200 characters,"
            " without commas, brackets, quotes, $ and backslashes"
        ],
    ),
    (
        "hours that are not",
        route("[{say: hours}]"),
        ["6:31: there are no hours to tell; add some under `hours:`, or write a text"],
    ),
    (
        "a text of a page and more",
        f"greeting: {'x ' * 1001}x",
        ["6:11: the text is longer than 2000 characters; say it in several steps"],
    ),
    (
        "a text of dots",
        'greeting: "..."',
        ["6:11: `...` has nothing that can be spoken; write a text, or {file: NAME}"],
    ),
    (
        "a language by name",
        "language: Norwegian",
        ["6:11: `Norwegian` is not a language; write its code, as in nb or en-GB"],
    ),
    (
        "an agents' number",
        "people: {k: {}}\nqueues: {q: {agents: k}}\nroutes: [{name: r, when: {agents: {q: few}}, do: []}]",
        ['8:39: `few` is no count; write it as in 0, ">5" or "<=2"'],
    ),
    (
        "less than none",
        "people: {k: {}}\nqueues: {q: {agents: k}}\n"
        'routes: [{name: r, when: {queue: {q: {waiting: "<0"}}}, do: []}]',
        ["8:48: nothing is `<0`; write 0"],
    ),
    (
        "contacts, misspelt",
        "screening: {allow: [contact]}",
        [
            "6:21: `contact` is not a number or a pattern;"
            " write +4722334455, +472233446x (x is one digit) or +4722*"
        ],
    ),
    # where steps lead
    (
        "an unknown route",
        "routes: [{name: main, do: {goto: mian}}]",
        ["6:34: no route is called `mian`; did you mean `main`?"],
    ),
    (
        "an unknown person",
        "people: {kari: {}}\nroutes: [{name: r, do: {person: karl}}]",
        ["7:33: nobody here is `karl`; did you mean `kari`?"],
    ),
    (
        "a route that leads to itself",
        "routes: [{name: r, do: [{ring: PJSIP/1, on: {busy: {goto: r}}}]}]",
        ["6:59: this leads in a circle, from `r` to `r`; let one of them end elsewhere"],
    ),
    (
        "a circle of routes and people",
        "people: {kari: {rings: PJSIP/1, do: {goto: b}}}\n"
        "routes: [{name: a, do: {person: kari}}, {name: b, do: [{say: {file: x}}, {goto: a}]}]",
        ["7:81: this leads in a circle, from `a` to `kari` to `b` to `a`; let one of them end elsewhere"],
    ),
    (
        "a person called self",
        "people: {self: {rings: PJSIP/1}}",
        ["6:16: `self` is whoever a treatment is of; give this person another id"],
    ),
    (
        "persons that multiply",
        "people:\n"
        + "".join(f"  p{n}: {{do: [{{person: p{n + 1}}}, {{person: p{n + 1}}}]}}\n" for n in range(30))
        + "  p30: {rings: PJSIP/1}\n"
        + route("[{person: p0}]"),
        [f"38:24: {TOO_MANY}"],
    ),
    (
        "branches that multiply",
        "people:\n"
        + "".join(f"  p{n}: {{do: {{ring: PJSIP/1, on: {_twice(n + 1)}}}}}\n" for n in range(12))
        + "  p12: {rings: PJSIP/1}\n"
        + route("{person: p0}"),
        [f"18:63: {TOO_MANY}"],
    ),
    (
        "a way that is too long",
        "routes:\n"
        + "".join(f"  - {{name: r{n}, do: {{goto: r{n + 1}}}}}\n" for n in range(60))
        + "  - {name: r60, do: hangup}\n",
        ["33:28: more than 35 routes and people follow one another from here; shorten the way"],
    ),
    (
        "more steps than a client may have",
        f"last_resort: [{'{say: {file: a}}, ' * 990}]\n"
        "routes:\n" + "".join(f"  - {{name: r{n}, do: []}}\n" for n in range(60)),
        [
            f"6:14: the steps of this client's calls, and phones, are more than {MOST_LAID_OUT} up to here; "
            "let fewer lead to others, shorten `last_resort`, or make it several clients"
        ],
    ),
    (
        "a circle of many",
        "routes:\n" + "".join(f"  - {{name: r{n}, do: {{goto: r{(n + 1) % 9}}}}}\n" for n in range(9)),
        [
            "15:27: this leads in a circle, from `r0` to `r1` to `r2` to `r3` to `r4` to 4 more to `r0`; let "
            "one of them end elsewhere"
        ],
    ),
    (
        "self in a route",
        "routes: [{name: r, do: {ring: self}}]",
        ["6:31: `self` is nobody here, outside a person's own `do:`; write the person's id"],
    ),
    (
        "a context that is none",
        'routes: [{name: r, do: {dialplan: {context: "a,b", extension: "1"}}}]',
        ["6:45: `a,b` is not a context of the dialplan; use letters, digits, _ . -"],
    ),
    (
        "an extension that is none",
        'routes: [{name: r, do: {dialplan: {context: a, extension: "1,2"}}}]',
        ["6:59: `1,2` is not an extension of the dialplan; use letters, digits, + * # _ -"],
    ),
    # what lasts a while
    (
        "a moment that is none",
        "routes: [{name: r, when: {between: [2026-13-01, 24/12]}, do: []}]",
        [
            "6:37: `2026-13-01`: there is no such moment; write 2026-12-23 or 2026-12-23 15:30",
            "6:49: `24/12` is not a date; write 2026-12-23 or 2026-12-23 15:30",
        ],
    ),
    (
        "a year that is none",
        "routes: [{name: r, when: {between: [0001-01-01, 9999-12-31]}, do: []}]",
        [
            "6:37: `0001-01-01`: there is no such moment; write 2026-12-23 or 2026-12-23 15:30",
            "6:49: `9999-12-31`: there is no such moment; write 2026-12-23 or 2026-12-23 15:30",
        ],
    ),
    (
        "a period backwards",
        "routes: [{name: r, when: {between: [2026-12-24, 2026-12-23]}, do: []}]",
        ["6:36: this ends before it begins; write the earlier moment first"],
    ),
    (
        "an exception without an end or an owner",
        "exceptions: [{title: x, from: 2026-12-01, do: []}]",
        ["6:14: `owner` is missing; add `owner: ...`", "6:14: `until` is missing; add `until: ...`"],
    ),
    (
        "an exception backwards",
        "exceptions: [{title: x, from: 2026-12-01, until: 2026-11-01, owner: kari, do: []}]",
        ["6:50: this ends before it begins; write the earlier moment first"],
    ),
    (
        "an exception of nothing",
        "exceptions: [{title: x, from: 2026-12-01, until: 2026-12-01, owner: kari}]",
        ["6:14: this exception does nothing; give it `say:`, `do:` or both"],
    ),
    ("no name", "routes: [{do: []}]", ["6:10: `name` is missing; add `name: ...`"]),
    ("a list for a mapping", "hours: [office]", ["6:8: a mapping is needed here; write `key: value` lines"]),
    ("text for a mapping", "people: {kari: x}", ["6:16: a mapping is needed here; write `key: value` lines"]),
    ("text for a list", "routes: main", ["6:9: a list is needed here; write `- ` before each entry"]),
    ("a list for text", "language: [nb]", ["6:11: text is needed here, not a list; write one value"]),
    ("truth for text", "language: true", ["6:11: text is needed here, not true or false; write one value"]),
    ("nothing for text", "language:", ["6:10: text is needed here, not nothing; write one value"]),
    ("blanks for text", "language: '  '", ["6:11: the text is empty; write something or leave the key out"]),
    (
        "a line break in text",
        'language: "a\\nb"',
        ["6:11: the text has line breaks or control characters; write it on one line"],
    ),
    (
        "a long text",
        f"language: {'n' * 501}",
        ["6:11: the text is longer than 500 characters; shorten it"],
    ),
    ("not a choice", "tone: rude", ["6:7: `rude` cannot stand here; write 'formal' or 'informal'"]),
    (
        "a bad id",
        "hours: {24h: {}}",
        ["6:9: `24h` is not an id; begin with a letter and use letters, digits, _ . -"],
    ),
    # hours
    (
        "hours that are none",
        "hours: {office: {week: {mon: 8-16}}}",
        ["6:30: `8-16` is not a span of hours; write it as in 08:00-15:30"],
    ),
    (
        "a day that is none",
        "hours: {office: {week: {man: 08:00-16:00}}}",
        ["6:25: `man` is not a day of the week; write mon, mon-thu or mon,wed"],
    ),
    (
        "a day twice",
        "hours: {office: {week: {mon-wed: closed, tue: closed}}}",
        ["6:24: tue is in two entries; name each day once"],
    ),
    (
        "a date that is none",
        "hours: {office: {dates: {02-30: closed}}}",
        ["6:26: `02-30`: there is no such day; write year-month-day or month-day"],
    ),
    (
        "unknown holidays",
        "hours: {office: {holidays: [NO, NX]}}",
        ["6:33: no public holidays are known for `NX`; write "],
    ),
    # screening
    (
        "a pattern that is none",
        "screening: {allow: [vip]}",
        [
            "6:21: `vip` is not a number or a pattern; write +4722334455, +472233446x (x is one digit) "
            "or +4722*"
        ],
    ),
    (
        "nothing to block",
        "screening: {block: [{name: b, numbers: []}]}",
        ["6:40: at least one entry is needed here; write one, or leave the key out"],
    ),
    (
        "an unknown treatment",
        "screening: {treatment: shoot}",
        ["6:24: `shoot` cannot stand here; write 'decline' or 'busy'"],
    ),
    (
        "a block rule twice",
        "screening: {block: [{name: b, numbers: +4790000001}, {name: b, numbers: +4790000002}]}",
        ["6:61: block rule `b` is already at f.yaml:6; give each its own"],
    ),
    # people
    (
        "an extension that is none",
        "people: {kari: {extension: k1}}",
        ["6:28: `k1` is not an extension; write digits, at most 8"],
    ),
    (
        "an extension twice",
        "people: {kari: {extension: 1, numbers: 22000001}, ola: {extension: 1, numbers: 22000002}}",
        ["6:68: extension `1` is already at f.yaml:6; give each its own"],
    ),
    (
        "hours nobody defined",
        "hours: {office: {}}\npeople: {kari: {hours: offise}}",
        ["7:24: no hours are called `offise`; did you mean `office`?"],
    ),
    (
        "an endpoint with @",
        "people: {kari: {rings: [PJSIP/1@evil]}}",
        ["6:25: `PJSIP/1@evil` cannot be rung; write PJSIP/ENDPOINT or a number such as +4722334455"],
    ),
    (
        "an endpoint of another kind",
        "people: {kari: {rings: [Local/1]}}",
        ["6:25: `Local/1` cannot be rung; write PJSIP/ENDPOINT or a number such as +4722334455"],
    ),
    (
        "two endpoints in one",
        "people: {kari: {rings: ['PJSIP/1&PJSIP/2']}}",
        ["6:25: `PJSIP/1&PJSIP/2` cannot be rung; write PJSIP/ENDPOINT or a number such as +4722334455"],
    ),
    (
        "a number abroad",
        "people: {kari: {rings: +442079460000}}",
        [
            "6:24: `+442079460000` is not among the allowed destinations (numbers in NO); allow it in "
            "the daemon's settings"
        ],
    ),
    (
        "a premium number",
        "people: {kari: {rings: {number: +4782012345}}}",
        ["6:33: `+4782012345` is a premium-rate number; allow it in full in the daemon's settings"],
    ),
    (
        "a personal number",
        "people: {kari: {rings: +4788012345}}",
        ["6:24: `+4788012345` is a premium-rate number; allow it in full in the daemon's settings"],
    ),
    # steps
    ("an unknown step", route("[rign]"), ["6:25: `rign` is not a step; did you mean `ring`?"]),
    (
        "an unknown mapping step",
        route("[{xyz: 1}]"),
        [f"6:25: `xyz` is not a step; write one of {STEPS}"],
    ),
    (
        "an empty step",
        route("[{}]"),
        [f"6:25: `` is not a step; write one of {STEPS}"],
    ),
    (
        "a list as a step",
        route("[[hangup]]"),
        [f"6:25: a step is needed here, not a list; write one of {STEPS}"],
    ),
    (
        "two steps in one",
        route("[{say: {file: a}, ring: PJSIP/1}]"),
        ["6:25: two steps in one: say, ring; write each as its own entry, with `- `"],
    ),
    (
        "a path upwards",
        route("[{say: {file: ../../x}}]"),
        ["6:38: `../../x` is not a recorded file; write sound:NAME, as in sound:hello-world"],
    ),
    (
        "a file with its ending",
        route("[{say: {file: a/hello.wav}}]"),
        ["6:38: Asterisk finds the ending of `a/hello.wav` by itself; write a/hello"],
    ),
    (
        "a recording that cannot be made",
        route("[{say: {file: recorded/a.b}}]"),
        [
            "6:38: nothing is ever recorded as `recorded/a.b`; "
            "write recorded/NAME, in at most 64 letters, digits, - and _"
        ],
    ),
    (
        "another kind of media",
        route("[{say: {file: 'http://x/y'}}]"),
        ["6:38: `http://x/y` is not a recorded file; write sound:NAME, as in sound:hello-world"],
    ),
    (
        "nobody known",
        "people: {kari: {}}\n" + route("[{ring: [kori]}]"),
        ["7:33: nobody here is `kori`; did you mean `kari`?"],
    ),
    ("nobody at all", route("[{ring: kari}]"), ["6:32: nobody here is `kari`; add it under `people:`"]),
    (
        "a number that is none",
        route("[{ring: '22 33'}]"),
        ["6:32: `+472233` has 4 digits after +47; numbers there have 5 or 8"],
    ),
    (
        "a duration without unit",
        route("[{ring: PJSIP/1, for: 25}]"),
        ["6:46: `25` has no unit; write 25s (seconds) or 25m (minutes)"],
    ),
    (
        "ringing for long",
        route("[{ring: PJSIP/1, for: 11m}]"),
        ["6:46: `11m` is no time to ring; write 1s to 10m"],
    ),
    (
        "ringing for no time",
        route("[{ring: PJSIP/1, for: 0s}]"),
        ["6:46: `0s` is no time to ring; write 1s to 10m"],
    ),
    (
        "an order that is none",
        route("[{ring: PJSIP/1, order: random}]"),
        ["6:48: `random` cannot stand here; write 'all', 'in-turn' or 'rotate'"],
    ),
    (
        "a class of music that is none",
        "music: 'a b'",
        ["6:8: `a b` is not a class of music on hold; use letters, digits, _ . -"],
    ),
    (
        "a place of a whisper that is misspelt",
        route("[{ring: PJSIP/1, announce: 'From {callr}'}]"),
        ["6:51: `{callr}` stands for nothing here; did you mean `{caller}`?"],
    ),
    (
        "a place of a question that is none",
        route("[{ring: PJSIP/1, confirm: 'Take it, {mood}?'}]"),
        [
            "6:50: `{mood}` stands for nothing here; "
            "write {client}, {name}, {caller} or {waited}, or no braces"
        ],
    ),
    (
        "a brace alone",
        "people: {kari: {rings: [{number: 22334466, confirm: 'Take } it'}]}}",
        ["6:53: `}` stands for nothing here; write {client}, {name}, {caller} or {waited}, or no braces"],
    ),
    (
        "an outcome that is none",
        route("[{ring: PJSIP/1, on: {engaged: []}}]"),
        [
            "6:46: `engaged` cannot stand here; write 'busy', 'no_answer', 'declined', 'unreachable' or "
            "'failed'"
        ],
    ),
    (
        "wrong within a branch",
        route("[{ring: PJSIP/1, on: {busy: [{say: {file: a, b: c}}]}}]"),
        ["6:69: `b` is not a key that can stand here; remove it"],
    ),
    (
        "an unknown refusal",
        route("[{decline: rudely}]"),
        ["6:35: `rudely` cannot stand here; write 'decline' or 'busy'"],
    ),
    (
        "a value for hangup",
        route("[{hangup: now}]"),
        ["6:34: nothing is needed here; write the step alone, without a value"],
    ),
    # routes
    (
        "a route twice",
        "routes: [{name: r, when: {caller: anonymous}, do: []}, {name: r, do: []}]",
        ["6:63: route `r` is already at f.yaml:6; give each its own"],
    ),
    (
        "unknown hours",
        "routes: [{name: r, when: {closed: office}, do: []}]",
        ["6:35: no hours are called `office`; add it under `hours:`"],
    ),
    (
        "no alternative",
        "routes: [{name: r, when: [], do: []}]",
        ["6:26: at least one entry is needed here; write one, or leave the key out"],
    ),
    (
        "an unknown country",
        "routes: [{name: r, when: {not: {caller: {country: [NO, XQ]}}}, do: []}]",
        ["6:56: `XQ` is not a country; "],
    ),
    (
        "a caller that is none",
        "routes: [{name: r, when: {caller: [anon]}, do: []}]",
        ["6:36: `anon` is not a number or a pattern; "],
    ),
    # YAML
    ("a key twice", "name: F", ["6:1: `name` is here twice, first on line 2; write it once"]),
    (
        "several at once",
        "tone: x\nscreening: {allow: [y]}",
        ["6:7: `x` cannot stand here; ", "7:21: `y` is not a number or a pattern; "],
    ),
    ("a syntax error", "routes: [", ["7:1: this is not YAML: "]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_is_wrong_is_said_at_its_place(text: str, expected: list[str]) -> None:
    found = errors({"f.yaml": HEAD + text + "\n"})
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line == f"f.yaml:{beginning}" or (
            beginning[-1] in " -" and line.startswith(f"f.yaml:{beginning}")
        )


OR_SHARED = ", or let shared.yaml give it to all under `defaults:`"
WHOLE = [
    ("nothing", "", ["f.yaml: nothing is written here; begin with `client: ID`"]),
    ("a list", "- client", ["f.yaml:1:1: a mapping is needed here; write `key: value` lines"]),
    (
        "an unknown zone and country",
        "client: f\nname: F\ntimezone: Oslo\ncountry: Norway\n",
        [
            "f.yaml:3:11: `Oslo` is not a time zone; write Europe/Oslo",
            "f.yaml:4:10: `Norway` is not a country; write its two letters (ISO 3166), as in NO",
        ],
    ),
    (
        "keys missing",
        "# F\nclient: f\n",
        [
            f"f.yaml:2:1: `country` is missing; add `country: ...`{OR_SHARED}",
            "f.yaml:2:1: `name` is missing; add `name: ...`",
            f"f.yaml:2:1: `timezone` is missing; add `timezone: ...`{OR_SHARED}",
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE])
def test_whole_files_that_are_wrong(text: str, expected: list[str]) -> None:
    assert errors({"f.yaml": text}) == expected


def test_the_longest_and_deepest_way_can_be_laid_out() -> None:
    inside = "{goto: r%d}"
    for _ in range(10):
        inside = f"{{ring: PJSIP/1, on: {{busy: [{inside}]}}}}"
    last = LONGEST_WAY - 2
    routes = "".join(f"  - {{name: r{n}, do: [{inside % (n + 1)}]}}\n" for n in range(last))
    text = f"{HEAD}routes:\n{routes}  - {{name: r{last}, do: hangup}}\n"
    assert isinstance(compile_rules({"c.yaml": text}, Dialling()), RuleSet)


MANY = [
    ("as many as are told", MOST_TOLD, []),
    ("one more", MOST_TOLD + 1, ["1 more error from here on; correct those before first"]),
    ("many more", MOST_TOLD + 40, ["40 more errors from here on; correct those before first"]),
]


@pytest.mark.parametrize(("wrong", "more"), [row[1:] for row in MANY], ids=[row[0] for row in MANY])
def test_of_many_errors_the_first_are_told(wrong: int, more: list[str]) -> None:
    text = HEAD + "people:\n" + "".join(f"  p{n}: x\n" for n in range(wrong))
    found = errors({"f.yaml": text, "g.yaml": "{"})
    assert len(found) == min(wrong, MOST_TOLD) + len(more) + 1
    assert found[MOST_TOLD:-1] == [f"f.yaml:{7 + MOST_TOLD}:{len('  p100: ') + 1}: {text}" for text in more]


def test_errors_of_all_files_come_at_once_and_sorted() -> None:
    files = {"b.yaml": HEAD + "x: 1", "a.yaml": "{", "shared.yaml": "tag: {}"}
    assert [line.split(": ")[0] for line in errors(files)] == ["a.yaml:2:1", "b.yaml:6:1", "shared.yaml:1:1"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_the_shared_file_may_be_empty(text: str) -> None:
    assert len(compiled({"rules/shared.yaml": text, "rules/fjord.yaml": HEAD}).clients) == 1


def test_a_client_twice_is_refused() -> None:
    again = HEAD.replace("4455", "4466")
    what = "b.yaml:1:9: client `fjord` is already in a.yaml:1; give each client its own id"
    assert errors({"a.yaml": HEAD, "b.yaml": again}) == [what]


OWNERS = [
    (
        "the same number",
        '"+4722334455"',
        "",
        [
            "b.yaml:3:10: `+4722334455` is also `fjord`'s, by `+4722334455` at a.yaml:3; take it from "
            "one of them"
        ],
    ),
    (
        "a range around it",
        '["+4790*", "+472233445x"]',
        "",
        [
            "b.yaml:3:21: `+472233445x` is also `fjord`'s, by `+4722334455` at a.yaml:3; take it from "
            "one of them"
        ],
    ),
    (
        "a person of another client",
        '"+4790*"',
        "people: {ola: {numbers: 22334455}}",
        [
            "b.yaml:6:25: `+4722334455` is also `fjord`'s, by `+4722334455` at a.yaml:3; take it from "
            "one of them"
        ],
    ),
    (
        "two people",
        '"+4790*"',
        "people: {kari: {numbers: 90000001}, ola: {numbers: 90000001}}",
        [
            "b.yaml:6:52: `+4790000001` is also `kari`'s, by `+4790000001` at b.yaml:6; take it from one "
            "of them"
        ],
    ),
]


@pytest.mark.parametrize(
    ("numbers", "people", "expected"), [row[1:] for row in OWNERS], ids=[row[0] for row in OWNERS]
)
def test_a_number_has_one_owner(numbers: str, people: str, expected: list[str]) -> None:
    other = HEAD.replace("client: fjord", "client: other").replace('"+4722334455"', numbers) + people
    assert errors({"a.yaml": HEAD, "b.yaml": other}) == expected


def test_a_person_may_have_a_number_among_the_clients() -> None:
    rules = compiled(
        {
            "f.yaml": HEAD.replace('"+4722334455"', '["+47223344xx", "+472233*"]')
            + "people: {kari: {numbers: 22334461}}"
        }
    )
    assert len(rules.numbers) == 3


COMES_BACK = "so the call would come back as a new one; ring the person or the endpoint itself"
SUND = HEAD.replace("fjord", "sund").replace('"+4722334455"', '["+47223300xx", 22 33 01 00]')
LOOPS = [
    (
        "a route rings the client's number",
        route("['hangup', {ring: [PJSIP/1, 22 33 44 55]}]"),
        [f"6:52: `+4722334455` is `fjord`'s own, by `+4722334455` at f.yaml:3, {COMES_BACK}"],
    ),
    (
        "alone, not in a list",
        route("[{ring: '+4722334455'}]"),
        [f"6:32: `+4722334455` is `fjord`'s own, by `+4722334455` at f.yaml:3, {COMES_BACK}"],
    ),
    (
        "a branch rings a number as a mapping",
        route("[{ring: PJSIP/1, on: {busy: [{ring: {number: 22334455}}]}}]"),
        [f"6:69: `+4722334455` is `fjord`'s own, by `+4722334455` at f.yaml:3, {COMES_BACK}"],
    ),
    (
        "the last resort rings",
        "last_resort: [{ring: 22334455}]",
        [f"6:22: `+4722334455` is `fjord`'s own, by `+4722334455` at f.yaml:3, {COMES_BACK}"],
    ),
    (
        "a person's phone is the person's own number",
        "people: {kari: {numbers: 22334456, rings: [PJSIP/1, 22334456]}}",
        [f"6:53: `+4722334456` is `kari`'s own, by `+4722334456` at f.yaml:6, {COMES_BACK}"],
    ),
    (
        "a person's phone is a colleague's number",
        "people: {kari: {numbers: 22334456}, ola: {rings: {number: 22334456}}}",
        [f"6:59: `+4722334456` is `kari`'s own, by `+4722334456` at f.yaml:6, {COMES_BACK}"],
    ),
    (
        "a number of another client's range",
        route("[{ring: 22330042}]"),
        [f"6:32: `+4722330042` is `sund`'s own, by `+47223300xx` at sund.yaml:3, {COMES_BACK}"],
    ),
    ("beside the ranges", route("[{ring: [22330101, 22334456]}]"), []),
    ("the person who has the number", "people: {kari: {numbers: 22334456}}\n" + route("[{ring: kari}]"), []),
    ("an endpoint", route("[{ring: PJSIP/22334455}]"), []),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in LOOPS], ids=[row[0] for row in LOOPS])
def test_numbers_that_would_come_back_are_refused(text: str, expected: list[str]) -> None:
    files = {"f.yaml": HEAD + text, "sund.yaml": SUND}
    if expected:
        assert errors(files) == [f"f.yaml:{line}" for line in expected]
    else:
        compiled(files)


WARNINGS = [
    ("nothing to warn of", route("[{ring: PJSIP/1}]"), []),
    ("no route at all", "", []),
    (
        "a shadowed route",
        "routes: [{name: a, do: []}, {name: b, do: []}, {name: c, when: {caller: anonymous}, do: []}]",
        [
            "6:29: route `b` is never reached, since `a` takes every call; move it up, or give `a` a `when:`",
            "6:48: route `c` is never reached, since `a` takes every call; move it up, or give `a` a `when:`",
        ],
    ),
    (
        "an alternative that always holds",
        "routes: [{name: a, when: [{caller: anonymous}, {}], do: []}, {name: b, do: []}]",
        [
            "6:62: route `b` is never reached, since `a` takes every call; move it up, or give `a` a `when:`",
        ],
    ),
    (
        "somebody nobody rings",
        "people: {kari: {rings: PJSIP/1}}",
        ["6:16: nothing rings `kari`; name them in a `ring`, or add `numbers:`"],
    ),
    ("somebody with own numbers", "people: {kari: {rings: PJSIP/1, numbers: 22334456}}", []),
    (
        "nobody to ring",
        route("[{ring: []}]"),
        ["6:25: this step can ring nobody; name somebody who has `rings:`"],
    ),
    (
        "somebody without a phone",
        "people: {kari: {}}\n" + route("[{ring: kari}]"),
        ["7:25: this step can ring nobody; name somebody who has `rings:`"],
    ),
    (
        "steps after the end",
        route("[decline, {say: {file: a}}]"),
        [f"6:34: this step is never reached, {TOO_LATE}"],
    ),
    (
        "steps after the end of a branch",
        route("[{ring: PJSIP/1, on: {busy: [hangup, hangup]}}]"),
        [f"6:61: this step is never reached, {TOO_LATE}"],
    ),
    (
        "a long wait",
        route("[{ring: [PJSIP/1, PJSIP/2], order: in-turn, for: 50s}, {ring: PJSIP/3}]"),
        ["6:10: route `r` can ring for 2m5s, longer than 2m; shorten `for:`, or ring fewer in turn"],
    ),
    (
        "a long wait by a branch",
        route("[{ring: PJSIP/1, for: 1m, on: {busy: [{ring: PJSIP/2, for: 2m}]}}]"),
        ["6:10: route `r` can ring for 3m, longer than 2m; shorten `for:`, or ring fewer in turn"],
    ),
    ("two minutes", route("[{ring: PJSIP/1, for: 2m}]"), []),
    (
        "two minutes on each of two ways",
        route("[{menu: {choices: {1: [{ring: PJSIP/1, for: 2m}], 2: [{ring: PJSIP/2, for: 2m}]}}}]"),
        [],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS]
)
def test_what_is_probably_not_meant_is_warned_of(text: str, expected: list[str]) -> None:
    rules = compiled({"f.yaml": HEAD + text})
    assert [str(warning) for warning in rules.warnings] == [f"f.yaml:{line}" for line in expected]


def test_a_client_without_numbers_is_warned_of() -> None:
    rules = compiled({"f.yaml": HEAD.replace('"+4722334455"', "[]")})
    what = "f.yaml:1:9: no call can reach client `fjord`; give it `numbers:`"
    assert [str(warning) for warning in rules.warnings] == [what]


def test_the_example_has_nothing_to_warn_of() -> None:
    files, tables = (
        {str(path.relative_to(RULES)): path.read_text(encoding="utf-8") for path in RULES.glob(pattern)}
        for pattern in ("fjord.yaml", "lists/*.csv")
    )
    rules = compile_rules(files, DIALLING, tables)
    assert isinstance(rules, RuleSet), rules
    assert rules.warnings == ()


def test_the_version_follows_the_texts_and_not_the_directory() -> None:
    one, same, other = (
        compiled(files).version
        for files in ({"a/f.yaml": HEAD}, {"b/f.yaml": HEAD}, {"a/f.yaml": HEAD + "# x\n"})
    )
    assert one == same != other
    assert len(one) == 12


NUMBER = "people: {kari: {rings: '%s', numbers: 22000001}}"
DESTINATIONS = [
    (
        "no trunk",
        Dialling(),
        "+4790000001",
        "`+4790000001` needs a trunk; set one in the daemon's settings, or ring an endpoint",
    ),
    ("its own country", DIALLING, "90 00 00 01", None),
    ("a listed country", Dialling(DIALLING.trunk, ("+44*",)), "+442079460000", None),
    (
        "not listed",
        Dialling(DIALLING.trunk, ("+44*", "+46*")),
        "+4790000001",
        "`+4790000001` is not among the allowed destinations (+44*, +46*); allow it in the daemon's settings",
    ),
    (
        "premium by a wildcard",
        Dialling(DIALLING.trunk, ("+47*",)),
        "+4782012345",
        "`+4782012345` is a premium-rate number; allow it in full in the daemon's settings",
    ),
    (
        "a personal number by a wildcard",
        Dialling(DIALLING.trunk, ("+44*",)),
        "+447012345678",
        "`+447012345678` is a premium-rate number; allow it in full in the daemon's settings",
    ),
    ("a personal number in full", Dialling(DIALLING.trunk, ("+447012345678",)), "+447012345678", None),
    ("premium in full", Dialling(DIALLING.trunk, ("+4782012345",)), "+4782012345", None),
]


@pytest.mark.parametrize(
    ("dialling", "number", "refusal"), [row[1:] for row in DESTINATIONS], ids=[row[0] for row in DESTINATIONS]
)
def test_only_allowed_destinations_are_dialled(dialling: Dialling, number: str, refusal: str | None) -> None:
    files = {"f.yaml": HEAD + NUMBER % number}
    if refusal is None:
        compiled(files, dialling)
    else:
        assert errors(files, dialling) == [f"f.yaml:6:24: {refusal}"]


@pytest.mark.parametrize(
    ("trunk", "allow", "what"),
    [
        (
            "SIP/{number}@trunk",
            (),
            "trunk `SIP/{number}@trunk` is not a dial string; write it as in PJSIP/{number}@trunk",
        ),
        ("PJSIP/trunk", (), "trunk `PJSIP/trunk` is not a dial string; write it as in PJSIP/{number}@trunk"),
        ("", ("22*",), "`22*` has no calling code; write it with +"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(trunk: str, allow: tuple[str, ...], what: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is compared whole
        Dialling(trunk, allow)
    assert str(refused.value) == what


def test_an_error_that_pydantic_alone_knows_is_placed_too() -> None:
    class Doc(Shape):
        count: int

    text = read_yaml("f.yaml", "count: many")
    (error,) = check(text, Doc, Reading.of(text.data, DIALLING))
    assert str(error).startswith("f.yaml:1:8: `many` cannot stand here (Input should be a valid integer")
