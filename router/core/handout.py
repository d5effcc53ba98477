"""What a dialplan of the administrator's own is handed of a decision, as variables of the caller's channel.

Such a dialplan rings, plays and hangs up by itself, and cannot walk a plan. It gets the steps that a caller
meets whom nobody answers and who presses no key, one after the other: each with its *treatment*, and what is
to be played before it. A ring step is one for each round. What only the router can do (a menu, a queue of its
own, a message) is named, so that the dialplan can do something else, or have the call enter callrouter.

Nothing that a caller sent is in any value: dial strings, files and names are those of the rules, and of a
caller's number comes at most which digits are spoken to whoever answers. What each variable holds is told to
administrators in `dialplan/route.conf`.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from math import ceil
from typing import NamedTuple, assert_never

from router.core.decide import Decision
from router.core.numbers import CallerId
from router.core.phrases import whispered
from router.core.plan import (
    OTHERWISE,
    AsteriskQueue,
    AsteriskQueueOutcome,
    Callback,
    CallPlan,
    Challenge,
    Dialplan,
    Directory,
    HangUp,
    Menu,
    Message,
    Prompt,
    Queue,
    QueueOutcome,
    Refuse,
    Ring,
    RingOutcome,
    Say,
    SayHours,
    SetTags,
    SetVariables,
    Speak,
    Step,
    Target,
    Whisper,
)
from router.core.record import Disposition

PREFIX = "CALLROUTER_"

MOST_STEPS = 9
"""Steps that are handed over. What comes after them is not."""

LONGEST_LIST = 1_800
"""Bytes of a list of phones or of files. Asterisk takes what is behind the 2,047th byte of a command for
another command (res_agi.c, AGI_BUF_LEN)."""

LONGEST_NAME = 200
"""Characters of a name."""

Variables = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are set."""

Media = Callable[[Say | Speak], str]
"""The media URI of a file, or of a text's prompt."""


class Treatment(StrEnum):
    """What is to be done with a caller."""

    RING = "ring"
    SAY = "say"
    """nothing but to play the prompts and to hang up"""
    BLOCKED = "blocked"
    """to hang up: screening refuses the caller"""
    UNKNOWN_NUMBER = "unknown_number"
    """to hang up: no client has the number"""
    HANGUP = "hangup"
    DIALPLAN = "dialplan"
    ASTERISK_QUEUE = "asterisk_queue"
    QUEUE = "queue"
    MENU = "menu"
    DIRECTORY = "directory"
    MESSAGE = "message"
    CALLBACK = "callback"
    CHALLENGE = "challenge"


CAUSES = {"decline": "21", "busy": "17", "unknown_number": "1"}
"""The hangup cause (Q.850) of a refusal."""
NORMAL = "16"


class Handed(NamedTuple):
    """One step as it is handed over."""

    treatment: Treatment
    details: Variables = ()
    """What belongs to the treatment."""
    prompts: tuple[str, ...] = ()
    """Files that are played before it."""


class _Does(NamedTuple):
    """What a step comes to for a dialplan, and how a caller goes on after it, if at all."""

    handed: tuple[Handed, ...]
    way: str | None = None


def handed_out(decision: Decision, trace: str, caller: CallerId, media: Media) -> Variables:
    """All variables. `trace` is the id by which the decision is explained later; hours are already put into
    words in the decision's plan (openings.told)."""
    plan = decision.plan
    variables, steps = _walk(plan, caller, media)
    disposition, reason = _settled(decision, steps[0])
    named: list[tuple[str, str]] = [
        ("TRACE", trace),
        ("CLIENT", decision.client or ""),
        ("ROUTE", (decision.route or "")[:LONGEST_NAME]),
        ("DISPOSITION", disposition.value if disposition else ""),
        ("REASON", reason[:LONGEST_NAME]),
        ("ERROR", ""),
        ("STEPS", str(len(steps))),
    ]
    if steps[0].treatment is not Treatment.RING:
        named.append(("TARGETS", ""))
    for number, step in enumerate(steps, start=1):
        suffix = str(number) if number > 1 else ""
        told = (("TREATMENT", step.treatment.value), ("PROMPTS", _joined(step.prompts)), *step.details)
        named += ((name + suffix, value) for name, value in told)
    return (*variables, *((PREFIX + name, value) for name, value in named))


def _settled(decision: Decision, first: Handed) -> tuple[Disposition | None, str]:
    """What became of the call if it ends in its first step, and why: as the call machine has it."""
    plan = decision.plan
    if plan.blocked_by is not None:
        return Disposition.BLOCKED, plan.blocked_by
    match first.treatment:
        case Treatment.SAY | Treatment.HANGUP | Treatment.UNKNOWN_NUMBER if plan.no_route:
            return Disposition.FAILED, "no_route"
        case Treatment.HANGUP if not first.prompts:
            return Disposition.BLOCKED, f"route {decision.route}"
        case Treatment.SAY | Treatment.HANGUP:
            return Disposition.INFORMED, ""
        case Treatment.DIALPLAN:
            return Disposition.TRANSFERRED, ""
        case _:
            return None, ""


def _walk(plan: CallPlan, caller: CallerId, media: Media) -> tuple[Variables, list[Handed]]:
    """The variables that rules set before the first step, and at least one step."""
    variables: list[tuple[str, str]] = []
    steps: list[Handed] = []
    said: list[str] = []
    position = 0 if plan.nodes else None
    left = len(plan.nodes)
    while position is not None and left and len(steps) < MOST_STEPS:
        left -= 1
        node = plan.nodes[position]
        match node.step:
            case Say() | Speak() as prompt:
                said.append(_file(prompt, media))
            case SetVariables(values) if not steps:
                variables += values
        does = _does(node.step, caller, media)
        for handed in does.handed[: MOST_STEPS - len(steps)]:
            steps.append(handed._replace(prompts=tuple(said)))
            said.clear()
        position = None if does.way is None else node.on.get(does.way, node.then)
    if said or not steps:
        treatment = Treatment.SAY if said else Treatment.HANGUP
        steps.append(Handed(treatment, (("CAUSE", NORMAL),), tuple(said)))
    if plan.blocked_by is not None:
        steps = [steps[-1]._replace(treatment=Treatment.BLOCKED)]
    return tuple(variables), steps


def _does(step: Step, caller: CallerId, media: Media) -> _Does:
    match step:
        case Say() | Speak() | SayHours() | SetTags() | SetVariables():
            return _Does((), OTHERWISE)
        case Ring():
            rung = tuple(_rung(step, caller, media))
            return _Does(rung, RingOutcome.NO_ANSWER if rung else RingOutcome.UNREACHABLE)
        case AsteriskQueue(queue, wait_for):
            details = (("DETAIL", queue), ("RING_FOR", str(ceil(wait_for))))
            return _Does((Handed(Treatment.ASTERISK_QUEUE, details),), AsteriskQueueOutcome.TIMEOUT)
        case Queue(_, agents):
            if not agents:
                return _Does((), QueueOutcome.EMPTY)
            return _Does((Handed(Treatment.QUEUE),), QueueOutcome.TIMEOUT)
        case Menu():
            return _Does((Handed(Treatment.MENU),), OTHERWISE)
        case Directory():
            return _Does((Handed(Treatment.DIRECTORY),), OTHERWISE)
        case Message():
            return _Does((Handed(Treatment.MESSAGE),))
        case Callback():
            return _Does((Handed(Treatment.CALLBACK),))
        case Challenge():
            return _Does((Handed(Treatment.CHALLENGE),))
        case Refuse(treatment):
            known = treatment != "unknown_number"
            todo = Treatment.HANGUP if known else Treatment.UNKNOWN_NUMBER
            return _Does((Handed(todo, (("CAUSE", CAUSES[treatment]),)),))
        case HangUp():
            return _Does((Handed(Treatment.HANGUP, (("CAUSE", NORMAL),)),))
        case Dialplan(context, extension):
            return _Does((Handed(Treatment.DIALPLAN, (("DETAIL", f"{context},{extension},1"),)),))
        case _:
            assert_never(step)


def _rung(step: Ring, caller: CallerId, media: Media) -> Iterator[Handed]:
    """A step for each round; the phones of one that has too many for one list ring one list after another."""
    for targets in filter(None, step.rounds):
        for phones in _lists(targets):
            asking = next((target for target in phones if target.asks), None)
            confirm = step.taking(asking) if asking else None
            yield Handed(
                Treatment.RING,
                (
                    ("TARGETS", "&".join(target.dial for target in phones)),
                    ("RING_FOR", str(ceil(step.ring_for))),
                    ("ANNOUNCE", _joined(_heard(step.announce, caller, media))),
                    ("CONFIRM", _joined(_heard(confirm, caller, media))),
                ),
            )


def _lists(targets: tuple[Target, ...]) -> Iterator[tuple[Target, ...]]:
    phones: list[Target] = []
    length = 0
    for target in targets:
        length += len(target.dial.encode()) + 1
        if length > LONGEST_LIST:
            yield tuple(phones)
            phones, length = [], len(target.dial.encode()) + 1
        phones.append(target)
    yield tuple(phones)


def _heard(prompt: Prompt | Whisper | None, caller: CallerId, media: Media) -> Iterator[str]:
    """The files of what whoever answers hears."""
    match prompt:
        case Whisper():
            # Names are made into prompts for calls of ours; here the number stands for them.
            spoken = whispered(prompt, caller.said_in(prompt.country), 0.0)
            yield from (_file(text, media) for text in spoken if isinstance(text, Speak))
        case Say() | Speak():
            yield _file(prompt, media)
        case SayHours() | None:
            return  # Nobody is told hours there, once they are put into words.
        case _:
            assert_never(prompt)


def _file(prompt: Say | Speak, media: Media) -> str:
    """As Playback() takes it."""
    return media(prompt).removeprefix("sound:")


def _joined(files: Iterable[str]) -> str:
    """As a list of files is written in the dialplan; as many as there is room for."""
    joined = ""
    for file in files:
        longer = f"{joined}&{file}" if joined else file
        if len(longer.encode()) > LONGEST_LIST:
            break
        joined = longer
    return joined
