"""Files of 1 MB that are as hard to read as we know to write them: rules, what is shared, tables, tests.

To add one: a row in `RULES`, `SHARED`, `TESTS` or `TABLES`, or, if it is none of them, in `FOLDERS`.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from holidays import list_supported_countries

from router.core.icaltext import MOST_EVENTS
from router.core.yamltext import LOADER, MAX_VALUES

SIZE = 1_000_000
"""Bytes; also what YAML may have in characters."""

SAMPLE = 20_000
"""Characters by which the rest is judged."""

Folder = Mapping[str, str | bytes]
"""A folder of rules: name -> content."""
Each = str | Callable[[int], str]
"""What is written again and again, or what is the so-and-so-manieth time."""

EXAMPLES = Path(__file__).parents[2] / "rules"
HEAD = "client: fjord\nname: F\ntimezone: Europe/Oslo\ncountry: NO\n"
NUMBERS = HEAD + 'numbers: "+4722334455"\n'
OFFICE = NUMBERS + "hours: {office: {week: {mon: 08:00-16:00}}}\n"
BLOCK = NUMBERS + "screening: {block: [{name: b, "
SHARED_LIST = "lists: {a: {numbers: ["
COUNTRY = "defaults: {timezone: Europe/Oslo, country: NO}\n"
TEST = "tests:\n"
ROUTE = NUMBERS + "routes: [{name: main, "


class Row(NamedTuple):
    """A file: its beginning, what is written again and again, its end."""

    before: str
    each: Each
    after: str = ""

    def text(self, size: int = SIZE) -> str:
        """As many of `each` as `size` characters hold."""
        room = size - len(self.before) - len(self.after)
        return "".join((self.before, *self._parts(room), self.after))

    def may_be_too_many(self) -> bool:
        """Whether SIZE characters have more keys and values than a document may have, by a sample."""
        sample = self.text(SAMPLE)
        return _too_many(sample, MAX_VALUES * len(sample) // SIZE) is not None

    def whole(self) -> str:
        """As many of `each` as a document may have, and comments up to SIZE characters."""
        end = _too_many(self.text(), MAX_VALUES - 10)
        if end is None:
            return self.text()
        parts = [*self._parts(end - len(self.before))][:-1]
        text = "".join((self.before, *parts, self.after))
        return f"{text}\n{'#' * (SIZE - len(text) - 1)}"

    def _parts(self, room: int) -> Iterator[str]:
        if isinstance(self.each, str):
            yield from [self.each] * (room // len(self.each))
            return
        for number in range(room):
            part = self.each(number)
            room -= len(part)
            if room < 0:
                break
            yield part


def _too_many(text: str, most: int) -> int | None:
    """Where a document comes to have more than so many keys and values; None where it has not, or is none."""
    nodes = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            nodes += isinstance(event, yaml.NodeEvent)
            if nodes > most:
                assert event.start_mark is not None
                return int(event.start_mark.index)
    except yaml.YAMLError:
        pass
    return None


def _calendars() -> Iterator[str]:
    """Codes of all public holidays there are."""
    for country, parts in sorted(list_supported_countries(include_aliases=False).items()):
        yield country
        yield from (f"{country}-{part}" for part in parts if part.isalnum())


def _nested(depth: int, before: str, after: str, inner: str) -> str:
    return before * depth + inner + after * depth


def _staircase(number: int) -> str:
    return f"{' ' * number}a:\n"


def _letters(number: int) -> str:
    """A short word of letters, another one for each number."""
    word = ""
    while True:
        number, letter = divmod(number, 26)
        word += chr(ord("a") + letter)
        if not number:
            return word


def _wild(number: int, digits: int = 7) -> str:
    """`+47x0000123`: patterns that all have one literal part, and no number in common."""
    return f"+47x{number:0{digits}d}"


def _masked(number: int) -> str:
    """Patterns with x in all sorts of places."""
    mask, digits = number % 255, f"{number:08d}"
    return "+47" + "".join("x" if mask >> at & 1 else digit for at, digit in enumerate(digits))


def _event(number: int, more: str = "") -> str:
    """An hour of a calendar."""
    day = f"2026{number // 28 % 12 + 1:02d}{number % 28 + 1:02d}"
    return f"BEGIN:VEVENT\nUID:{number}\nDTSTART:{day}T100000\nDTEND:{day}T110000\n{more}END:VEVENT\n"


def _person(number: int, more: str) -> str:
    return f"p{number}: {{{more}}}, "


RULES: Mapping[str, Row] = {
    # YAML itself.
    "lists in lists": Row("", "["),
    "lists in lists, by lines": Row("", "- "),
    "mappings in mappings": Row("", "{a: "),
    "keys that are mappings": Row("", "? "),
    "ever deeper lines": Row("", _staircase),
    "many lists as deep as can be": Row("[", _nested(38, "[", "]", "a") + ","),
    "many mappings as deep as can be": Row("[", _nested(38, "{a: ", "}", "a") + ",", "]"),
    "many branches as deep as can be": Row(
        ROUTE + "do: [", _nested(11, "{ring: a, on: {busy: [", "]}}", "a") + ", ", "]}]"
    ),
    "one plain text": Row("client: ", "a"),
    "one plain text of many words": Row("client: ", "a "),
    "one plain text of many lines": Row("client:\n", " a\n"),
    "one quoted text": Row('client: "', "a", '"'),
    "one quoted text of escapes": Row('client: "', "\\n", '"'),
    "one quoted text of unicode escapes": Row('client: "', "\\u00e5", '"'),
    "one block of text": Row("client: |\n", " a\n"),
    "one folded text": Row("client: >\n", " a\n\n"),
    "a quote that nobody closes": Row('client: "', "a b\n"),
    "one long key": Row("", "a", ": 1"),
    "one long unknown key among others": Row(HEAD, "timezon", ": 1"),
    "entries of one letter": Row("[", "a,", "]"),
    "entries of nothing": Row("[", "~,", "]"),
    "entries by lines": Row("", "- a\n"),
    "empty entries by lines": Row("", "-\n"),
    "entries that are lists": Row("[", "[],", "]"),
    "entries that are mappings": Row("[", "{},", "]"),
    "entries that are pairs": Row("[", "a: b,", "]"),
    "keys of nothing": Row("{", lambda number: f"{_letters(number)},", "}"),
    "keys by lines": Row("", lambda number: f"{_letters(number)}: \n"),
    "keys that are known elsewhere": Row(HEAD, lambda number: f"route{number}: 1\n"),
    "one key again and again": Row("{", "a,", "}"),
    "one known key again and again": Row("", "client: fjord\n"),
    "keys that are lists": Row("{", "[],", "}"),
    "aliases": Row("[&a a,", "*a,", "]"),
    "aliases of nothing": Row("[", "*a,", "]"),
    "anchors": Row("[", "&a a,", "]"),
    "anchored lists": Row("[", "&a [],", "]"),
    "tags": Row("[", "!a a,", "]"),
    "wrong tags": Row("[", "!<", "]"),
    "directives": Row("", "%A a\n", "--- a\n"),
    "directives of tags": Row("", lambda number: f"%TAG !{_letters(number)}! a\n", "--- a\n"),
    "comments": Row(HEAD, "#\n"),
    "one comment": Row(HEAD + "#", "a"),
    "empty lines": Row(HEAD, "\n"),
    "blanks": Row(HEAD, " "),
    "lines that end with CRLF": Row("\ufeff" + HEAD.replace("\n", "\r\n"), "#\r\n"),
    "lines that end with CR": Row("", "- a\r"),
    "lines that end with NEL": Row("", "- a\u0085"),
    "tabs": Row(HEAD, "\t"),
    "tabs that indent": Row("people:\n", "\ta: b\n"),
    "NUL at the end": Row(HEAD, "#\n", "\x00"),
    "NUL": Row("", "\x00"),
    "byte order marks": Row("", "\ufeff"),
    "emoji": Row("client: ", "\U0001f600"),
    "documents": Row("", "---\n"),
    "ended documents": Row("", "...\n"),
    "dashes": Row("client: ", "-"),
    "colons": Row("", ":"),
    "colons and blanks": Row("", ": "),
    "question marks": Row("[", "?,"),
    "exclamation marks": Row("", "!"),
    "braces, open and closed": Row("", "{}"),
    # What stands where many can stand.
    "numbers": Row(HEAD + "numbers: [", lambda number: f'"+4722{number:06d}",', "]\n"),
    "national numbers": Row(HEAD + "numbers: [", lambda number: f"22{number:06d},", "]\n"),
    "national numbers with a trunk prefix": Row(
        HEAD.replace("NO", "DE") + "numbers: [", lambda number: f'"0301{number:06d}",', "]\n"
    ),
    "one number again and again": Row(HEAD + "numbers: [", "22334455,", "]\n"),
    "patterns with one beginning": Row(HEAD + "numbers: [", lambda number: f'"{_wild(number)}",', "]\n"),
    "patterns with x anywhere": Row(HEAD + "numbers: [", lambda number: f'"{_masked(number)}",', "]\n"),
    "patterns with x only": Row(HEAD + "numbers: [", '"xxxxxxxx",', "]\n"),
    "patterns with any rest": Row(HEAD + "numbers: [", lambda number: f'"+47{number}*",', "]\n"),
    "wrong numbers": Row(HEAD + "numbers: [", lambda number: f"{number},", "]\n"),
    "numbers that are no text": Row(HEAD + "numbers: [", "[],", "]\n"),
    "rung endpoints": Row(ROUTE + "do: {ring: [", lambda number: f"PJSIP/{number},", "]}}]\n"),
    "rung numbers": Row(ROUTE + "do: {ring: [", lambda number: f'"+4790{number:06d}",', "]}}]\n"),
    "rung numbers in turn": Row(
        ROUTE + "do: {order: in-turn, ring: [", lambda number: f"90{number:06d},", "]}}]\n"
    ),
    "rung people who are not there": Row(
        NUMBERS + "people: {kari: {}}\nroutes: [{name: main, do: {ring: [",
        lambda number: f"kar{_letters(number)},",
        "]}}]\n",
    ),
    "rung people who are not there, of many who are": Row(
        Row(NUMBERS + "people: {", lambda number: f"kari{number}: ,", "}\n").text(SIZE // 2)
        + "routes: [{name: main, do: {ring: [",
        lambda number: f"kari{number}x,",
        "]}}]\n",
    ),
    "rung numbers that come back": Row(
        Row(HEAD + "numbers: [", lambda number: f'"{_wild(number)}",', "]\n").text(SIZE // 2)
        + "routes: [{name: main, do: {ring: [",
        lambda number: f"90{number:06d},",
        "]}}]\n",
    ),
    "steps": Row(ROUTE + "do: [", "decline,", "]}]\n"),
    "steps that say": Row(ROUTE + "do: [", "{say: {file: a}},", "]}]\n"),
    "steps that are none": Row(ROUTE + "do: [", lambda number: f"rin{_letters(number)},", "]}]\n"),
    "steps of a thousand phones each": Row(
        ROUTE + "do: [",
        f"{{ring: [{','.join(f'PJSIP/{number}' for number in range(1000))}]}},",
        "]}]\n",
    ),
    "steps that ring one with a thousand phones": Row(
        NUMBERS
        + f"people: {{p: {{rings: [{','.join(f'PJSIP/{number}' for number in range(1000))}]}}}}\n"
        + "routes: [{name: a, do: {ring: [",
        "p,",
        "]}}]\n",
    ),
    "steps of the last resort": Row(NUMBERS + "last_resort: [", "{say: {file: a}},", "]\n"),
    "routes": Row(
        NUMBERS + "routes: [", lambda number: f"{{name: {_letters(number)}, do: decline}},", "]\n"
    ),
    "routes that each ring": Row(
        NUMBERS + "routes: [", lambda number: f"{{name: {_letters(number)}, do: {{ring: PJSIP/1}}}},", "]\n"
    ),
    "routes with the longest last resort": Row(
        NUMBERS + f"last_resort: [{'{say: {file: a}},' * 990}]\nroutes: [",
        lambda number: f"{{name: {_letters(number)}, do: []}},",
        "]\n",
    ),
    "people with the longest last resort": Row(
        NUMBERS + f"last_resort: [{'{say: {file: a}},' * 990}]\npeople: {{",
        lambda number: _person(number, f"numbers: 23{number:06d}"),
        "}\n",
    ),
    "routes that each ring everybody": Row(
        NUMBERS
        + "people: {"
        + "".join(_person(number, f"rings: PJSIP/{number}") for number in range(1000))
        + f"}}\nlast_resort: {{ring: [{','.join(f'p{number}' for number in range(1000))}]}}\nroutes: [",
        lambda number: f"{{name: {_letters(number)}, do: []}},",
        "]\n",
    ),
    "routes of one name": Row(NUMBERS + "routes: [", "{name: a, do: []},", "]\n"),
    "routes that are none": Row(NUMBERS + "routes: [", "a,", "]\n"),
    "routes with nothing in them": Row(NUMBERS + "routes: [", "{},", "]\n"),
    "routes of which each leads to the next": Row(
        NUMBERS + "routes: [", lambda number: f"{{name: r{number}, do: {{goto: r{number + 1}}}}},", "]\n"
    ),
    "routes of which each leads to the one before": Row(
        NUMBERS + "routes: [{name: r0, do: decline},",
        lambda number: f"{{name: r{number + 1}, do: {{goto: r{number}}}}},",
        "]\n",
    ),
    "routes that lead on and back": Row(
        NUMBERS + "routes: [{name: r0, do: decline},",
        lambda number: (
            f"{{name: r{number + 1}, do: {{ring: PJSIP/1, on: {{busy: {{goto: r{number + 2}}},"
            f" failed: {{goto: r1}}}}}}}},"
        ),
        "]\n",
    ),
    "routes that all lead to the first": Row(
        NUMBERS + f"routes: [{{name: r, do: [{'{say: {file: a}},' * 900}]}},",
        lambda number: f"{{name: {_letters(number)}0, do: {{goto: r}}}},",
        "]\n",
    ),
    "one route that leads to all": Row(
        Row(NUMBERS + "routes: [", lambda number: f"{{name: r{number}, do: []}},").text(SIZE // 2)
        + "{name: main, do: [{ring: PJSIP/1, on: {busy: [",
        lambda number: f"{{goto: r{number}}},",
        "]}}]}]\n",
    ),
    "routes that lead to routes that are not there": Row(
        NUMBERS + "routes: [", lambda number: f"{{name: r{number}, do: {{goto: r{number}x}}}},", "]\n"
    ),
    "a person of people": Row(
        NUMBERS + "people: {",
        lambda number: _person(number, f"do: [{{person: p{number + 1}}}, {{person: p{number + 2}}}]"),
        "}\n",
    ),
    "people who multiply": Row(
        NUMBERS
        + "people: {p0: {rings: PJSIP/1}, "
        + "".join(
            _person(number + 1, f"do: [{{person: p{number}}}, {{person: p{number}}}]") for number in range(9)
        )
        + "}\nroutes: [",
        lambda number: f"{{name: {_letters(number)}, do: {{person: p9}}}},",
        "]\n",
    ),
    "people who multiply without a step": Row(
        NUMBERS
        + "people: {p0: {do: []}, "
        + "".join(
            _person(number + 1, f"do: [{', '.join([f'{{person: p{number}}}'] * 9)}]") for number in range(30)
        )
        + "}\nroutes: [",
        lambda number: f"{{name: {_letters(number)}, do: {{person: p30}}}},",
        "]\n",
    ),
    "people who multiply after a greeting, without a step": Row(
        NUMBERS
        + "greeting: Hello\npeople: {p0: {do: []}, "
        + "".join(
            _person(number + 1, f"do: [{', '.join([f'{{person: p{number}}}'] * 9)}]") for number in range(30)
        )
        + "}\nroutes: [",
        lambda number: f"{{name: {_letters(number)}, do: {{person: p30}}}},",
        "]\n",
    ),
    "menus in menus": Row(
        ROUTE + "do: [", _nested(8, "{menu: {choices: {1: [", "]}}}", "hangup") + ", ", "]}]"
    ),
    "menus of all keys": Row(
        ROUTE + "do: [",
        "{menu: {say: Hello, choices: {"
        + ", ".join(f"{key}: [{{say: {{file: a}}}}]" for key in range(10))
        + "}}},",
        "]}]\n",
    ),
    "spoken texts": Row(ROUTE + "do: [", f"{{say: {'a' * 1900}}},", "]}]\n"),
    "queues": Row(
        NUMBERS + "people: {kari: {rings: PJSIP/1}}\nqueues: {",
        lambda number: f"q{number}: {{agents: [kari]}}, ",
        "}\n",
    ),
    "agents": Row(
        NUMBERS + "people: {kari: {hours: office}}\nhours: {office: {}}\nqueues: {q: {agents: [",
        "kari,",
        "]}}\nroutes: [{name: a, do: {queue: q}}, {name: b, do: {queue: q}}]\n",
    ),
    "queues of many agents that all routes lead to": Row(
        NUMBERS
        + "people: {kari: {hours: office}}\nhours: {office: {}}\n"
        + f"queues: {{q: {{agents: [{'kari,' * 5000}]}}}}\nroutes: [",
        lambda number: f"{{name: {_letters(number)}, do: {{queue: q}}}},",
        "]\n",
    ),
    "queues that are not there": Row(ROUTE + "do: [", lambda number: f"{{queue: q{number}}},", "]}]\n"),
    "tags of a client": Row(NUMBERS + "tags: {", lambda number: f"t{number}: {{label: {{en: A}}}}, ", "}\n"),
    "tags that are not there": Row(ROUTE + "do: {tag: [", lambda number: f"book{number},", "]}}]\n"),
    "variables that are set": Row(ROUTE + "do: {set: {", lambda number: f"{_letters(number)}: a,", "}}}]\n"),
    "regular expressions": Row(
        NUMBERS + "screening: {allow: [",
        lambda number: f"{{regex: '^\\+4781{number:04d}[0-9]{{4}}$'}},",
        "]}\n",
    ),
    "long regular expressions": Row(
        NUMBERS + "screening: {allow: [", f"{{display: '{'[a-z0-9]{8}x' * 15}'}},", "]}\n"
    ),
    "regular expressions that are none": Row(
        NUMBERS + "screening: {allow: [", lambda number: f"{{regex: '({number}'}},", "]}\n"
    ),
    "display names": Row(
        NUMBERS + "screening: {allow: [", lambda number: f"{{display: {_letters(number)}}},", "]}\n"
    ),
    "contacts of a condition": Row(
        ROUTE + "do: decline, when: {caller: {contact: [", lambda number: f"{_letters(number)},", "]}}}]\n"
    ),
    "calendars of the web": Row(
        NUMBERS + "hours: {office: {calendar: [",
        lambda number: f"{{url: 'https://a.example/{number}'}},",
        "]}}\n",
    ),
    "calendars that are not there": Row(
        NUMBERS + "hours: {office: {calendar: [", lambda number: f"{{file: {number}.ics}},", "]}}\n"
    ),
    "people": Row(NUMBERS + "people: {", lambda number: f"{_letters(number)}_: {{}},", "}\n"),
    "people with a number each": Row(
        NUMBERS + "people: {", lambda number: _person(number, f"numbers: 23{number:06d}"), "}\n"
    ),
    "people of one number": Row(
        NUMBERS + "people: {", lambda number: _person(number, "numbers: 23334455"), "}\n"
    ),
    "people with patterns of one beginning": Row(
        NUMBERS + "people: {", lambda number: _person(number, f'numbers: "{_wild(number)}"'), "}\n"
    ),
    "people with patterns with x anywhere": Row(
        NUMBERS + "people: {", lambda number: _person(number, f'numbers: "{_masked(number)}"'), "}\n"
    ),
    "people of one extension": Row(
        NUMBERS + "people: {", lambda number: _person(number, "extension: 1"), "}\n"
    ),
    "people who are text": Row(NUMBERS + "people: {", lambda number: f"p{number}: a,", "}\n"),
    "people whose ids are wrong": Row(NUMBERS + "people: {", lambda number: f"{number}: ,", "}\n"),
    "people with phones": Row(
        NUMBERS + "people: {kari: {rings: [", lambda number: f"PJSIP/{number},", "]}}\n"
    ),
    "hours": Row(NUMBERS + "hours: {", lambda number: f"h{number}: {{holidays: NO}},", "}\n"),
    "hours with a year each": Row(
        NUMBERS + "hours: {", lambda number: f"h{number}: {{dates: {{01-01..12-31: closed}}}},", "}\n"
    ),
    "days with hours": Row(
        NUMBERS + "hours: {office: {dates: {",
        lambda number: (
            f"{1970 + number // 336}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}: 08:00-16:00,"
        ),
        "}}}\n",
    ),
    "years with hours": Row(
        NUMBERS + "hours: {office: {dates: {",
        lambda number: (
            f"{1971 + number // 336}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}"
            f"..{1972 + number // 336}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}: closed,"
        ),
        "}}}\n",
    ),
    "days that are none": Row(
        NUMBERS + "hours: {office: {dates: {", lambda number: f"2026-13-{number}: closed,", "}}}\n"
    ),
    "spans of hours": Row(NUMBERS + 'hours: {office: {week: {mon: "', "08:00-16:00 ", '"}}}\n'),
    "one span of many days": Row(NUMBERS + "hours: {office: {week: {", "mon: 08:00-16:00,", "}}}\n"),
    "weeks that are wrong": Row(
        NUMBERS + "hours: {office: {week: {", lambda number: f"{_letters(number)}: 08:00-16:00,", "}}}\n"
    ),
    "holidays": Row(NUMBERS + "hours: {office: {holidays: [", "NO,", "]}}\n"),
    "holidays that are none": Row(
        NUMBERS + "hours: {office: {holidays: [", lambda number: f"NO-{number},", "]}}\n"
    ),
    "holidays of countries that are none": Row(
        NUMBERS + "hours: {office: {holidays: [", lambda number: f"{_letters(number).upper()},", "]}}\n"
    ),
    "exceptions": Row(
        NUMBERS + "exceptions: [",
        lambda number: (
            f"{{title: {_letters(number)}, from: 2026-12-02, until: 2026-12-03, owner: a, do: decline}},"
        ),
        "]\n",
    ),
    "exceptions that end before they begin": Row(
        NUMBERS + "exceptions: [", "{title: a, from: 2026-12-02, until: 2026-12-01, owner: a},", "]\n"
    ),
    "exceptions with nothing in them": Row(NUMBERS + "exceptions: [", "{},", "]\n"),
    "block rules": Row(
        NUMBERS + "screening: {block: [",
        lambda number: f"{{name: {_letters(number)}, numbers: 22334455}},",
        "]}\n",
    ),
    "block rules that count": Row(
        NUMBERS + "screening: {block: [",
        lambda number: f"{{name: {_letters(number)}, more_than: 5 calls in 10m}},",
        "]}\n",
    ),
    "block rules of everybody": Row(NUMBERS + "screening: {block: [", "{name: a},", "]}\n"),
    "block rules of one list": Row(
        NUMBERS + "screening: {block: [",
        lambda number: f"{{name: {_letters(number)}, numbers: {{file: lists/telemarketers.csv}}}},",
        "]}\n",
    ),
    "blocked numbers": Row(BLOCK + "numbers: [", lambda number: f"22{number:06d},", "]}]}\n"),
    "blocked patterns with one beginning": Row(
        BLOCK + "numbers: [", lambda number: f'"{_wild(number)}",', "]}]}\n"
    ),
    "allowed numbers": Row(NUMBERS + "screening: {allow: [", lambda number: f"22{number:06d},", "]}\n"),
    "tables that are not there": Row(
        BLOCK + "numbers: [", lambda number: f"{{file: {_letters(number)}.csv}},", "]}]}\n"
    ),
    "lists that are not there": Row(
        BLOCK + "numbers: [", lambda number: f"{{list: {_letters(number)}}},", "]}]}\n"
    ),
    "conditions": Row(OFFICE + "routes: [{name: a, do: decline, when: [", "{open: office},", "]}]\n"),
    "conditions that are empty": Row(ROUTE + "do: decline, when: [", "{},", "]}]\n"),
    "hours of a condition": Row(
        OFFICE + "routes: [{name: a, do: decline, when: {open: [", "office,", "]}}]\n"
    ),
    "hours that are not there": Row(
        OFFICE + "routes: [{name: a, do: decline, when: {open: [",
        lambda number: f"offic{_letters(number)},",
        "]}}]\n",
    ),
    "callers": Row(
        ROUTE + "do: decline, when: {caller: [", lambda number: f"22{number:06d},", "]}}]\n"
    ),
    "callers' countries": Row(ROUTE + "do: decline, when: {caller: {country: [", "NO,", "]}}}]\n"),
    "countries that are none": Row(
        ROUTE + "do: decline, when: {caller: {country: [", lambda number: f"{_letters(number)},", "]}}}]\n"
    ),
    "variables": Row(
        ROUTE + "do: decline, when: {variable: {", lambda number: f"{_letters(number)}: a,", "}}}]\n"
    ),
    "values of a variable": Row(
        ROUTE + "do: decline, when: {variable: {a: [", lambda number: f"{_letters(number)},", "]}}}]\n"
    ),
    "conditions that are turned again and again": Row(
        ROUTE + "do: decline, when: [", _nested(16, "{not: ", "}", "{caller: anonymous}") + ",", "]}]\n"
    ),
    "time zones that are none": Row(HEAD.replace("Oslo", "Osl"), "#\n"),
    "one long time zone": Row("client: fjord\ntimezone: ", "Europe/"),
    "unknown keys of routes": Row(
        NUMBERS + "routes: [", lambda number: f"{{nam{_letters(number)}: a}},", "]\n"
    ),
    "unknown keys of one route": Row(ROUTE, lambda number: f"nam{_letters(number)}: ,", "}]\n"),
}  # fmt: skip
"""One client's file -> how it is made."""

SHARED: Mapping[str, Row] = {
    "shared lists": Row(
        COUNTRY + "lists: {", lambda number: f"{_letters(number)}_: {{numbers: 22334455}},", "}\n"
    ),
    "shared numbers": Row(COUNTRY + SHARED_LIST, lambda number: f"22{number:06d},", "]}}\n"),
    "shared patterns with one beginning": Row(
        COUNTRY + SHARED_LIST, lambda number: f'"{_wild(number)}",', "]}}\n"
    ),
    "unknown keys of shared screening": Row(
        "defaults: {screening: {", lambda number: f"{_letters(number)},", "}}\n"
    ),
    "shared keys that are unknown": Row("{", lambda number: f"{_letters(number)},", "}\n"),
    "a default of many steps": Row(
        "defaults: {timezone: Europe/Oslo, country: NO, last_resort: [", "{say: {file: a}},", "]}\n"
    ),
    "defaults that are wrong": Row("defaults: {last_resort: [", "rin,", "]}\n"),
    "nothing but comments is shared": Row("", "#\n"),
}
"""shared.yaml -> how it is made."""

TESTS: Mapping[str, Row] = {
    "tests": Row(
        TEST,
        lambda number: (
            f'- {{name: t{number}, call: {{to: "+4722334455", at: 2026-12-01 10:00}}, expect: {{}}}}\n'
        ),
    ),
    "tests that are wrong": Row(TEST, lambda number: f"- {{nam{_letters(number)}: a}}\n"),
    "tests that are text": Row(TEST, "- a\n"),
    "nobody in tests": Row(
        TEST + '- {name: a, call: {to: "+4722334455", at: 2026-12-01 10:00}, expect: {}, given: {',
        lambda number: f"kar{_letters(number)}: busy,",
        "}}\n",
    ),
    "outcomes that are none": Row(
        TEST + '- {name: a, call: {to: "+4722334455", at: 2026-12-01 10:00}, expect: {}, given: {',
        lambda number: f"{_letters(number)}: bus,",
        "}}\n",
    ),
    "expected steps": Row(
        TEST + '- {name: a, call: {to: "+4722334455", at: 2026-12-01 10:00}, expect: {steps: [',
        "say,",
        "]}}\n",
    ),
}
"""NAME.test.yaml -> how it is made."""

_CALENDAR = NUMBERS + "hours: {office: {week: {mon: closed}, calendar: {file: t.%s}}}\n"
_RECURRING = {
    "events": "",
    "events without end": "RRULE:FREQ=WEEKLY\n",
    "what is left out and added": "EXDATE:20270101T100000\n" * 3 + "RDATE:20270102T100000\n" * 2,
    "what never happens": "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n",
    "changed events": "RRULE:FREQ=YEARLY;COUNT=3\nEXDATE:20270101T100000\nRDATE:20270102T100000\n",
}
"""What the events of a calendar are -> what is written of each."""
_LISTED = BLOCK + "numbers: {file: t.%s}}]}\n"
_VOTED = BLOCK + "numbers: {file: t.%s, min_votes: 5}}]}\n"
_STAFF = NUMBERS + "people_from: t.csv\n"
_TITLES = "id,name,extension,numbers,rings,hours\n"

TABLES: Mapping[str, tuple[str, str, Row]] = {
    "a list of numbers": (_LISTED, "csv", Row("", lambda number: f"+4722{number:06d}\n")),
    "a list of national numbers": (_LISTED, "csv", Row("", lambda number: f"22{number:06d}\n")),
    "a list of national numbers with a trunk prefix": (
        _LISTED.replace("NO", "DE"), "csv", Row("", lambda number: f"0301{number:06d}\n"),
    ),
    "a list of patterns with one beginning": (
        _LISTED, "csv", Row("", lambda number: f"+478x{number:06d}\n"),
    ),
    "a list of digits": (_LISTED, "csv", Row("", "1\n")),
    "a list of words": (_LISTED, "csv", Row("", "a\n")),
    "a list of empty lines": (_LISTED, "csv", Row("", "\n")),
    "a list of comments": (_LISTED, "csv", Row("", "#\n")),
    "a list of delimiters": (_LISTED, "csv", Row("", ",")),
    "a list of rows of delimiters": (_LISTED, "csv", Row("", ",,\n")),
    "a list of one line": (_LISTED, "csv", Row("", "1")),
    "a list of quotes": (_LISTED, "csv", Row("", '"')),
    "a list of quotes by lines": (_LISTED, "csv", Row("", '"\n')),
    "a list of quoted rows": (_LISTED, "csv", Row("", lambda number: f'"+4722{number:06d}"\n')),
    "a list of quotes that nobody closes": (_LISTED, "csv", Row("", '"a\n')),
    "a list of CR": (_LISTED, "csv", Row("", "1\r")),
    "a list of many columns": (_LISTED, "csv", Row("number", lambda number: f",{_letters(number)}")),
    "a list of too few votes": (_VOTED, "csv", Row("phone,votes\n", "1,2\n")),
    "PhoneBlock's export": (
        _VOTED, "json",
        Row('{"numbers": [', lambda number: f'{{"phone":"+4722{number:06d}","votes":9}},', "{}]}"),
    ),
    "PhoneBlock's export of nothing": (_VOTED, "json", Row('{"numbers": [', "{},", "{}]}")),
    "PhoneBlock's export of digits": (_VOTED, "json", Row('{"numbers": [', "1,", "{}]}")),
    "PhoneBlock's export in lists": (_VOTED, "json", Row('{"numbers": ', "[", "}")),
    "PhoneBlock's export in deep entries": (
        _VOTED, "json", Row('{"numbers": [', _nested(500, "[", "]", "") + ",", "{}]}"),
    ),
    "a calendar of events": (
        _CALENDAR, "ics", Row("BEGIN:VCALENDAR\n", _event, "END:VCALENDAR\n"),
    ),
    "a calendar of events without end": (
        _CALENDAR, "ics",
        Row(
            "BEGIN:VCALENDAR\n",
            lambda number: _event(number, "RRULE:FREQ=DAILY\n"),
            "END:VCALENDAR\n",
        ),
    ),
    "a calendar of what never happens": (
        _CALENDAR, "ics",
        Row(
            "BEGIN:VCALENDAR\n",
            lambda number: _event(number, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n"),
            "END:VCALENDAR\n",
        ),
    ),
    "a calendar of parts in parts": (_CALENDAR, "ics", Row("", "BEGIN:VCALENDAR\n")),
    "a calendar of one long line": (_CALENDAR, "ics", Row("BEGIN:VCALENDAR\nX:", "a", "\nEND:VCALENDAR\n")),
    "a calendar of folded lines": (_CALENDAR, "ics", Row("BEGIN:VCALENDAR\nX:a\n", " a\n")),
    "a calendar of empty events": (
        _CALENDAR, "ics", Row("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nEND:VEVENT\n", "END:VCALENDAR\n"),
    ),
    "a calendar of dates that are left out, in one line": (
        _CALENDAR, "ics",
        Row(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101T100000\nRRULE:FREQ=DAILY\n"
            "EXDATE:20260101T100000",
            ",20260101T100000",
            "\nEND:VEVENT\nEND:VCALENDAR\n",
        ),
    ),
    "a calendar of dates that are left out": (
        _CALENDAR, "ics",
        Row(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101T100000\nRRULE:FREQ=DAILY\n",
            "EXDATE:20260101T100000\n",
            "END:VEVENT\nEND:VCALENDAR\n",
        ),
    ),
    "people of a table": (_STAFF, "csv", Row(_TITLES, lambda number: f"p{number}\n")),
    "people of a table, complete": (
        _STAFF, "csv",
        Row(_TITLES, lambda number: f"p{number},A,{number},23{number:06d},PJSIP/{number}\n"),
    ),
    "people of a table, with do": (
        _STAFF + f"last_resort: [{'{say: {file: a}},' * 900}]\n", "csv",
        Row(_TITLES, lambda number: f"p{number},,,23{number:06d}\n"),
    ),
    "people of a table, each with numbers": (
        _STAFF, "csv", Row(_TITLES + "p,,,", lambda number: f"22{number:06d};"),
    ),
    "people of a table whose ids are wrong": (_STAFF, "csv", Row("id\n", lambda number: f"{number}\n")),
    "people of a table with one id": (_STAFF, "csv", Row("id\n", "a\n")),
    "people of a table whose values are wrong": (
        _STAFF, "csv", Row("id,hours\n", lambda number: f"p{number},a\n"),
    ),
    "people of a table with too many values": (_STAFF, "csv", Row("id\n", "a,b\n")),
    "people of a table with many columns": (
        _STAFF, "csv", Row("id", lambda number: f",nam{_letters(number)}"),
    ),
    "people of a table with one column": (_STAFF, "csv", Row("id", ",name")),
}  # fmt: skip
"""A table -> the client's rules, how its name ends, and how it is made."""


def _mutated(seed: int) -> Folder:
    """The example rules, blown up to SIZE by writing parts of them again and again, and then damaged."""
    chance = random.Random(seed)
    name = chance.choice(sorted(EXAMPLES.glob("**/*.yaml"))).name
    folder = next(EXAMPLES.glob(f"**/{name}")).parent
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("**/*"))
        if path.suffix in (".yaml", ".csv") and "examples" not in path.relative_to(folder).parts
    }
    target = chance.choice([*files, *([name] * 4)])
    lines = files[target].splitlines(keepends=True)
    start = chance.randrange(len(lines))
    part = lines[start : start + chance.choice((1, 1, 2, 5, 20))] or lines
    count = SIZE // max(len("".join(part)), 1)
    numbered = chance.random() < 0.5
    again = [
        line.replace(": ", f"{number}: ", 1) if numbered else line for number in range(count) for line in part
    ]
    lines[start:start] = again
    for _ in range(chance.choice((0, 1, 5, 50, 5000))):
        at = chance.randrange(len(lines))
        cut = chance.randrange(len(lines[at]) + 1)
        piece = chance.choice((" ", "\n", "[", "]", "{", "}", ": ", "- ", '"', "&a ", "*a", "\t", "+", "x"))
        lines[at] = lines[at][:cut] + piece + lines[at][cut + chance.randrange(3) :]
    return {**files, target: "".join(lines)[:SIZE]}


MUTATIONS = 20

FOLDERS: Mapping[str, Callable[[], Folder]] = {
    "not UTF-8 at the end": lambda: {"a.yaml": Row(HEAD, "#\n").text().encode() + b"\xff"},
    "not UTF-8": lambda: {"a.yaml": b"\xe5" * SIZE},
    "UTF-16": lambda: {"a.yaml": Row(HEAD, "#\n").text(SIZE // 2).encode("utf-16")},
    "a character too many": lambda: {"a.yaml": Row(HEAD, "#").text() + "#"},
    "a list with ever other votes": lambda: {
        "a.yaml": Row(
            BLOCK + "numbers: [", lambda number: f"{{file: t.csv, min_votes: {number}}},", "]}]}\n"
        ).text(),
        "t.csv": "phone,votes\n" + "".join(f"+4722{number:06d},9\n" for number in range(1000)),
    },
    "lists of lists": lambda: {
        "a.yaml": Row(BLOCK + "numbers: [", lambda number: "{list: a},", "]}]}\n").text(),
        "shared.yaml": Row(SHARED_LIST, lambda number: "{file: t.csv},", "]}}\n").text(),
        "t.csv": "".join(f"+4722{number:06d}\n" for number in range(1000)),
    },
    **{
        f"a calendar of {what}, no more than may be": lambda rule=rule: {  # type: ignore[misc]
            "a.yaml": _CALENDAR % "ics",
            "t.ics": "BEGIN:VCALENDAR\n"
            + "".join(_event(number, rule) for number in range(MOST_EVENTS))
            + "END:VCALENDAR\n",
        }
        for what, rule in _RECURRING.items()
    },
    "holidays of everywhere": lambda: {
        "a.yaml": NUMBERS + f"hours: {{office: {{holidays: [{', '.join(_calendars())}]}}}}\n"
    },
    "two clients of the same numbers": lambda: {
        f"{name}.yaml": Row(
            HEAD.replace("fjord", name) + "numbers: [", lambda number: f'"+4722{number:06d}",', "]\n"
        ).text()
        for name in ("a", "b")
    },
    "numbers of one, a pattern of another": lambda: {
        "a.yaml": RULES["numbers"].text(),
        "b.yaml": HEAD.replace("fjord", "b") + 'numbers: "+47*"\n',
    },
    **{
        f"table: {name}": lambda row=row, rules=rules, suffix=suffix: {  # type: ignore[misc]
            f"t.{suffix}": row.text(),
            "a.yaml": rules % suffix if "%s" in rules else rules,
        }
        for name, (rules, suffix, row) in TABLES.items()
    },
    **{f"mutation {seed}": lambda seed=seed: _mutated(seed) for seed in range(MUTATIONS)},  # type: ignore[misc]
}
"""Folders with more than one file of rules."""


_BESIDE: Mapping[str, tuple[str, Folder, Mapping[str, Row]]] = {
    "": ("a.yaml", {"lists/telemarketers.csv": "+4781500000\n"}, RULES),
    "shared: ": ("shared.yaml", {"a.yaml": "client: a\nname: A\nnumbers: 22334455\n"}, SHARED),
    "tests: ": (
        "a.test.yaml",
        {"a.yaml": NUMBERS + "people: {kari: {}}\nroutes: [{name: a, do: {ring: kari}}]\n"},
        TESTS,
    ),
}
"""What one file of a row is called, and what is beside it."""


def folders() -> Iterator[tuple[str, Callable[[], Folder]]]:
    """All of them, by name. Of one file that has more than a document may have there is one more that has as
    much as it may."""
    for kind, (file, others, rows) in _BESIDE.items():
        for name, row in rows.items():
            yield kind + name, lambda file=file, others=others, row=row: {**others, file: row.text()}  # type: ignore[misc]
            if row.may_be_too_many():
                yield (
                    f"{kind}{name}, no more than may be",
                    lambda file=file, others=others, row=row: {**others, file: row.whole()},  # type: ignore[misc]
                )
    yield from FOLDERS.items()
