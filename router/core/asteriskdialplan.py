"""Asterisk's own dialplan, as it shows it, and where in it a number leads: into callrouter, or elsewhere.

An extension is looked for as Asterisk does (`pbx_find_extension`, main/pbx.c): in the context itself, in the
order in which it is listed, which has the more specific pattern first; then in each context that this one
includes, in the order of the includes.

A dialplan is a program, and is not run here: what jumps by a variable or an expression is `UNCLEAR`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache

import msgspec
from msgspec.structs import replace

ENTRANCE = "callrouter"
"""The context by which calls enter."""
OURS = (
    ENTRANCE,
    "callrouter-refused",
    "callrouter-agents",
    "callrouter-agent-code",
    "callrouter-queue",
    "callrouter-queue-left",
    "callrouter-transfer",
    "callrouter-supervisors",
    "callrouter-supervise",
    "callrouter-breakglass",
)
"""All contexts of dialplan/callrouter.conf; tests look whether these are all."""

DEEPEST = 10
"""Jumps from context to context that are followed."""


class Step(msgspec.Struct, frozen=True):
    """One priority of an extension."""

    application: str
    data: str


class Extension(msgspec.Struct, frozen=True):
    """What is done where the pattern matches."""

    pattern: str
    steps: tuple[Step, ...]
    place: str = ""
    """`file:line`, where Asterisk tells it."""


class Context(msgspec.Struct, frozen=True):
    """Extensions, in the order in which they are looked at, and what is looked at after them."""

    extensions: tuple[Extension, ...]
    includes: tuple[str, ...] = ()
    switched: bool = False
    """Whether a database, or another Asterisk, is asked where it has no extension."""


AsteriskDialplan = Mapping[str, Context]
"""Its contexts, by name."""


class Row(msgspec.Struct, frozen=True):
    """One line of what Asterisk shows: a context as such, an include or a switch of it, or one step of an
    extension."""

    context: str
    pattern: str = ""
    step: Step | None = None
    include: str = ""
    switched: bool = False
    place: str = ""


def dialplan_of(rows: Iterable[Row]) -> AsteriskDialplan:
    """The whole, from its lines in order."""
    contexts: dict[str, dict[str, tuple[list[Step], str]]] = {}
    includes: dict[str, list[str]] = {}
    switched = set()
    for row in rows:
        extensions = contexts.setdefault(row.context, {})
        if row.include:
            includes.setdefault(row.context, []).append(row.include)
        elif row.switched:
            switched.add(row.context)
        elif row.step is not None:
            extensions.setdefault(row.pattern, ([], row.place))[0].append(row.step)
    return {
        name: Context(
            tuple(Extension(pattern, tuple(steps), place) for pattern, (steps, place) in extensions.items()),
            tuple(includes.get(name, ())),
            name in switched,
        )
        for name, extensions in contexts.items()
    }


_CONTEXT = re.compile(r"\[ (?:Included context|Context) '(?P<name>.*?)' created by ")
_INCLUDE = re.compile(r"\s+Include =>\s+'(?P<name>[^'|]+)[^']*'")
_SWITCH = re.compile(r"\s+Alt\. Switch =>")
_EXTENSION = re.compile(r"\s+'(?P<pattern>.*?)'(?: \(CID match '.*?'\))? =>\s+(?P<rest>.*)")
_STEP = re.compile(
    r"\s*(?:\[[^\]]*\]\s+)?(?P<priority>\d+|hint)[.:] (?P<application>[^(]*)\((?P<data>.*)\)"
    r"(?:\s+\[(?P<place>[^\]]+)\])?\s*$"
)


def read_console(text: str) -> Iterator[Row]:
    """From what `dialplan show` prints."""
    context = pattern = ""
    for line in text.splitlines():
        if found := _CONTEXT.match(line):
            context, pattern = found["name"], ""
            yield Row(context)
            continue
        if not context:
            continue
        if found := _INCLUDE.match(line):
            yield Row(context, include=found["name"])
            continue
        if _SWITCH.match(line):
            yield Row(context, switched=True)
            continue
        if found := _EXTENSION.match(line):
            pattern, line = found["pattern"], found["rest"]
        if pattern and (found := _STEP.match(line)) and found["priority"] != "hint":
            step = Step(found["application"].strip(), found["data"])
            yield Row(context, pattern, step, place=found["place"] or "")


def read_ami(rows: Iterable[Mapping[str, str]]) -> Iterator[Row]:
    """From the events ListDialplan of AMI's ShowDialPlan, as headers by name."""
    for row in rows:
        context = row.get("Context", "")
        if row.get("IncludeContext"):
            yield Row(context, include=row["IncludeContext"].partition("|")[0])
        elif row.get("Switch"):
            yield Row(context, switched=True)
        elif context and row.get("Priority", "hint") != "hint":
            step = Step(row.get("Application", ""), row.get("AppData", ""))
            yield Row(context, row.get("Extension", ""), step)


_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"}


@lru_cache(10_000)
def _pattern(text: str) -> "re.Pattern[str]":
    """What an extension matches, as a regular expression; what Asterisk cannot read matches nothing."""
    if not text.startswith("_"):
        return re.compile(re.escape(text.replace("-", "")))
    parts: list[str] = []
    at = 1
    while at < len(text):
        char = text[at]
        at += 1
        if char == "[":
            end = text.find("]", at)
            if end < 0:
                return re.compile(r"(?!)")
            parts.append(_set(text[at:end]))
            at = end + 1
        elif char in ".!":
            parts.append(".+" if char == "." else ".*")
            break
        elif char not in "- ":
            parts.append(_CLASSES.get(char.upper(), re.escape(char)))
    return re.compile("".join(parts), re.DOTALL)


def _set(text: str) -> str:
    """`+0-9` between brackets. A range that ends before it begins has nothing in it."""
    chars: set[str] = set()
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            chars |= set(map(chr, range(ord(text[at]), ord(text[at + 2]) + 1)))
            at += 3
        else:
            chars.add(text[at])
            at += 1
    return f"[{''.join(map(re.escape, sorted(chars)))}]" if chars else "(?!)"


def find(
    dialplan: AsteriskDialplan, context: str, dialled: str, passed: frozenset[str] = frozenset()
) -> tuple[str, Extension] | None:
    """The extension that takes what is dialled in a context, and the context it is in. `passed` are those
    that were looked at before."""
    here = dialplan.get(context)
    if here is None or context in passed:
        return None
    for extension in here.extensions:
        if _pattern(extension.pattern).fullmatch(dialled):
            return context, extension
    for include in here.includes:
        found = find(dialplan, include, dialled, passed | {context})
        if found is not None:
            return found
    return None


class Lead(Enum):
    """Whether a call comes to callrouter."""

    HERE = "here"
    NOWHERE = "nowhere"
    """No extension takes it."""
    ELSEWHERE = "elsewhere"
    """One takes it that does not lead here."""
    UNCLEAR = "unclear"
    """One takes it that may."""


class Led(msgspec.Struct, frozen=True):
    """Where a call leads that is dialled in a context."""

    lead: Lead
    context: str
    """In which it ends, or is lost from sight."""
    extension: Extension | None = None
    """That took it there, or as far as it came; None where none took it at all."""


_JUMPS = ("goto", "gosub", "macro", "execif", "exec", "tryexec", "agi", "return")
"""How the names of applications begin that may go on elsewhere."""
_OWN_NAME = re.compile(r"(?<![\w-])(?:callrouter(?:-[a-z-]+)?|\$\{CALLROUTER_APP\})(?![\w-])")
_WITHIN = re.compile(r"(?:.*\?)?[\w:()+-]*")
"""A jump to another priority of the same extension, by number or name, whatever it depends on."""
_PLAIN_GOTO = re.compile(r"(?P<context>[\w-]+),(?P<extension>[^,]*(?:\([^()]*\)[^,]*)?),(?P<priority>\w+)")
_AS_DIALLED = re.compile(r"\$\{(?:EXTEN|FILTER\([^,]*,\$\{EXTEN\}\))\}")


def follow(dialplan: AsteriskDialplan, context: str, dialled: str, app: str, deep: int = 0) -> Led:
    """Where a call leads; `app` is the name of callrouter's ARI application."""
    found = find(dialplan, context, dialled)
    if found is None:
        return Led(Lead.UNCLEAR if _switched(dialplan, context, frozenset()) else Lead.NOWHERE, context)
    there, extension = found
    if there in OURS:
        return Led(Lead.HERE, there, extension)
    unclear = False
    for step in extension.steps:
        name = step.application.lower()
        is_stasis = name == "stasis" and step.data.split(",")[0] in (app, "${CALLROUTER_APP}")
        if is_stasis or (name.startswith(_JUMPS) and _OWN_NAME.search(step.data)):
            return Led(Lead.HERE, there, extension)
        onward = _onward(step.data, dialled) if name == "goto" else None
        if onward is not None and deep < DEEPEST:
            led = follow(dialplan, *onward, app, deep + 1)
            return led if led.extension is not None else replace(led, extension=extension)
        unclear |= name.startswith(_JUMPS) and not (
            name.startswith("goto") and _WITHIN.fullmatch(step.data) is not None
        )
    return Led(Lead.UNCLEAR if unclear else Lead.ELSEWHERE, there, extension)


def _switched(dialplan: AsteriskDialplan, context: str, passed: frozenset[str]) -> bool:
    here = dialplan.get(context)
    if here is None or context in passed:
        return False
    return here.switched or any(_switched(dialplan, one, passed | {context}) for one in here.includes)


def _onward(data: str, dialled: str) -> tuple[str, str] | None:
    """Where a plain `Goto(context,extension,priority)` leads; None where that is not plain to see."""
    found = _PLAIN_GOTO.fullmatch(data)
    if found is None:
        return None
    extension = found["extension"]
    if _AS_DIALLED.fullmatch(extension):
        return found["context"], dialled
    return None if "$" in extension else (found["context"], extension)
