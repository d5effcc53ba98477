"""CallPlan: the steps a caller will meet, each with where it goes on.

Rules and calls meet only here. `decide` makes a plan out of rules and facts; the call machine walks it and
knows nothing of rules. A plan is a small graph kept as a table: a position is an index, so a call can be
saved, resumed and explained by one number, and a branch is an index too. A plan is whole when the call
starts; only whom a caller chooses in a directory adds to it, and all that was there stays where it is.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Literal, get_args

import msgspec
from msgspec.structs import replace

from router.core.languages.catalogue import Tone


class RingOutcome(StrEnum):
    """What became of a whole `ring` step in which nobody answered: the names that `on:` branches by."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class QueueOutcome(StrEnum):
    """Why a queue did not put a caller through."""

    FULL = "full"
    EMPTY = "empty"
    """no agent is there"""
    TIMEOUT = "timeout"
    LEFT = "left"
    """the caller pressed 0 and waits no longer"""


class AsteriskQueueOutcome(StrEnum):
    """Why a queue of Asterisk's own did not put a caller through."""

    FULL = "full"
    EMPTY = "empty"
    """no agent is there, or can be rung"""
    TIMEOUT = "timeout"
    LEFT = "left"
    """the caller pressed a key that leads out of it"""
    WITHDRAWN = "withdrawn"
    """somebody took the caller out of it"""
    FAILED = "failed"
    """there is no queue of that name, or the caller could not be handed to it"""


OTHERWISE = "otherwise"
"""The way on from a step in which the caller chose nothing, and from steps that have only one."""
PASSED = "passed"
"""The way on from a challenge that the caller met."""
FAILED = "failed"
"""The way on from one that the caller did not meet."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """One phone to ring. `dial` is built from rules only, never from what a caller sent."""

    name: str
    """Who it is for people: a person's id, or the number or endpoint as written in the rules."""
    dial: str
    """Asterisk's dial string, such as `PJSIP/100` or `PJSIP/+4790000001@trunk`."""
    outside: bool = False
    """True where the call leaves through the trunk."""
    number: str = ""
    """The E.164 number of a phone outside."""
    confirm: "bool | Speak | Whisper | None" = None
    """Whether who answers presses 1 to take the call, after hearing this; None where the rules leave it open.
    """

    @property
    def asks(self) -> bool:
        """True if who answers presses 1 to take the call: a mailbox outside answers, too."""
        return self.outside if self.confirm is None else self.confirm is not False


OWN_RECORDINGS = "sound:recorded/"
"""How the media URIs of files begin that were recorded for the router, not for Asterisk."""


class Say(msgspec.Struct, frozen=True, tag="say"):
    """Answer the call if it is not yet answered, and play one file."""

    media: str
    """An Asterisk media URI, such as `sound:hello-world`."""


class Speak(msgspec.Struct, frozen=True, tag="speak"):
    """Answer the call if it is not yet answered, and speak a text."""

    text: str
    language: str


class SayHours(msgspec.Struct, frozen=True, tag="say_hours"):
    """Answer the call if it is not yet answered, and tell when these hours are open next."""

    hours: str
    language: str
    tone: Tone = "formal"


Prompt = Say | Speak | SayHours
"""What a caller, or who is rung, can hear."""

CALLER, WAITED, NAME = "{caller}", "{waited}", "{name}"
"""The places, in a text for who is rung, of the caller's number, of how long the caller has waited, and of
the name by which the client knows the caller."""


class SpeakName(msgspec.Struct, frozen=True, tag="speak_name"):
    """Speak a name, whose prompt is made only when its caller is there."""

    said: Speak
    otherwise: tuple[Speak, ...]
    """What is spoken in its place where it is not made, or not yet."""


class Whisper(msgspec.Struct, frozen=True, tag="whisper"):
    """Speak a text to who answered a phone, with what is known of the caller in CALLER, WAITED and NAME."""

    text: str
    language: str
    country: str
    """The number is said as people there say it; ISO 3166."""


class Menu(msgspec.Struct, frozen=True, tag="menu"):
    """Let the caller choose by a key: the node's `on` has the way on by key, and OTHERWISE."""

    prompt: Prompt | None
    keys: tuple[str, ...]
    language: str = "en"
    """Of what the product itself says here."""
    tone: Tone = "formal"


class Directory(msgspec.Struct, frozen=True, tag="directory"):
    """Let the caller find somebody of the client's, with whose own treatment the call goes on."""

    language: str = "en"
    """As in `Menu`."""
    tone: Tone = "formal"


_PROMPTS = get_args(Prompt)
_TEXTS = (*_PROMPTS, Whisper)
"""Named once: a union that is made anew at each look costs a call more than the look."""


class _Offering(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever answers a phone hears before the caller."""

    calls_back: Whisper | None = None
    """That it is they who call, and whom."""
    confirm: Prompt | Whisper | None = None
    """What they hear who are to press 1, unless their target has another text; None where nobody is."""
    announce: Prompt | Whisper | None = None
    """What everybody hears before that, and after `calls_back`."""

    def taking(self, target: Target) -> Prompt | Whisper | None:
        """What who answers there hears who is to press 1 to take the call; None where nobody is."""
        if not target.asks:
            return None
        return target.confirm if isinstance(target.confirm, Speak | Whisper) else self.confirm

    def heard_by(self, target: Target) -> tuple[Prompt | Whisper, ...]:
        """What is played to who answers there before the caller is put through."""
        heard = (self.calls_back, self.announce, self.taking(target))
        return tuple(one for one in heard if one is not None)

    def _texts(self, targets: Iterable[Target]) -> tuple[Prompt | Whisper, ...]:
        """All that anybody may hear who answers one of these."""
        all_of_them = (self.announce, self.confirm, *[target.confirm for target in targets])
        return tuple([one for one in all_of_them if isinstance(one, _TEXTS)])


class Ring(_Offering, frozen=True, gc=False, tag="ring"):
    """Ring round after round; the targets of one round ring together. The first to answer gets the call."""

    rounds: tuple[tuple[Target, ...], ...]
    """May be empty: nobody is to be rung now (all outside their hours), which is `unreachable` at once."""
    ring_for: float
    """How long each round may ring, in seconds."""
    music: str = ""
    """The class of music on hold that the caller hears meanwhile; empty where that is ringing."""

    @property
    def texts(self) -> tuple[Prompt | Whisper, ...]:
        """All that anybody may hear who answers."""
        return self._texts(chain.from_iterable(self.rounds))


class Delivery(msgspec.Struct, frozen=True):
    """Where messages go."""

    mail: tuple[str, ...] = ()
    """Addresses."""
    webhook: str = ""
    """Its URL; empty for none."""
    keep_days: int = 90
    """Until they are removed."""


class Callback(msgspec.Struct, frozen=True, tag="callback"):
    """Take down a wish to be called back, which settles the call."""

    to: tuple[str, ...] = ()
    """Ids of people; the client, where it is empty."""
    language: str = "en"
    """As in `Menu`, here and below."""
    tone: Tone = "formal"
    delivery: Delivery = Delivery()


class KeptPlace(msgspec.Struct, frozen=True):
    """A caller who presses `key` waits no longer on the line, but keeps the place and is called back."""

    key: str
    wish: Callback
    """What is taken down."""
    calls_back: Whisper
    """What the agent hears whose turn it is."""
    within: int
    """Seconds after which nobody is called back any more."""


class QueueRules(msgspec.Struct, frozen=True):
    """Where callers wait for an agent. Times are seconds."""

    place: str = ""
    agents: tuple[str, ...] = ()
    """Ids of people, in the order written."""
    strategy: str = "longest-idle"
    ring_for: int = 15
    wrap_up: int = 0
    pause_after: int | None = None
    """Offers in a row that an agent leaves unanswered, and is paused."""
    max_waiting: int | None = None
    position: bool = False
    """Callers hear which they are,"""
    wait: bool = False
    """and how long it will probably take,"""
    every: int = 45
    """so often."""
    music: str = "default"
    language: str = "en"
    """Of what callers and agents are told."""
    tone: Tone = "formal"
    keeps: KeptPlace | None = None
    """How callers keep their place without waiting, if they can."""

    @property
    def tells(self) -> bool:
        """Whether callers hear anything while they wait, besides music."""
        return self.position or self.wait or self.keeps is not None


class Queue(_Offering, frozen=True, tag="queue"):
    """Let the caller wait for one of the agents; which, and when, the queue itself decides (core/acd.py)."""

    queue: str
    agents: tuple[str, ...]
    """Ids of people. May be empty: all are outside their hours, and the queue is `empty`."""
    wait_for: float
    """Seconds."""
    front: bool = False
    phones: dict[str, tuple[Target, ...]] = {}
    """Of agents, whether they are here or not; they ring together."""
    rules: QueueRules = QueueRules()
    later: dict[str, float] = {}
    """Agents who are rung only after so many seconds."""
    needs: tuple[tuple[str, str], ...] = ()
    """Skills that an agent must have, each with a value; the most important first."""
    relax: float | None = None
    """Seconds after which the last of these is dropped, each time."""

    @property
    def texts(self) -> tuple[Prompt | Whisper, ...]:
        """All that any agent may hear who answers."""
        return self._texts(chain.from_iterable(self.phones.values()))


class AsteriskQueue(msgspec.Struct, frozen=True, tag="asterisk_queue"):
    """Let the caller wait in a queue of Asterisk's own (app_queue), which rings whom it likes."""

    queue: str
    """Its name in queues.conf."""
    wait_for: float
    """Seconds."""
    answer: bool = True
    """Whether the caller is answered first; else Asterisk answers when an agent does."""


class Message(msgspec.Struct, frozen=True, tag="message"):
    """Record a message, which settles the call."""

    to: tuple[str, ...] = ()
    """As in `Callback`."""
    say: Prompt | None = None
    """What the caller hears first."""
    language: str = "en"
    """As in `Menu`."""
    tone: Tone = "formal"
    longest: float = 180.0
    """Seconds that it may last,"""
    shortest: float = 2.0
    """and that somebody must speak in it."""
    delivery: Delivery = Delivery()


class Challenge(msgspec.Struct, frozen=True, tag="challenge"):
    """Let a caller go on who presses the key that the prompt asks for; else the way on is FAILED."""

    prompt: Prompt
    language: str = "en"
    """As in `Menu`."""
    tone: Tone = "formal"


class SetTags(msgspec.Struct, frozen=True, tag="set_tags"):
    """Put tags on the call."""

    tags: tuple[str, ...]


class SetVariables(msgspec.Struct, frozen=True, tag="set_variables"):
    """Set variables of the dialplan on the caller's channel."""

    variables: tuple[tuple[str, str], ...]


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    """End the call with a hangup cause; unanswered, the caller's side hears just that."""

    treatment: Literal["decline", "busy", "unknown_number"]
    blocked_by: str = ""
    """The name of the screening rule whose challenge the caller did not meet."""


class HangUp(msgspec.Struct, frozen=True, tag="hangup"):
    """End the call normally."""


class Dialplan(msgspec.Struct, frozen=True, tag="dialplan"):
    """Hand the call to Asterisk's dialplan, which keeps it."""

    context: str
    extension: str
    reason: str = ""
    """Why, where it is not the rules that say so: `draining`."""


Step = (
    Say
    | Speak
    | SayHours
    | Menu
    | Directory
    | Ring
    | Queue
    | AsteriskQueue
    | Message
    | Callback
    | Challenge
    | SetTags
    | SetVariables
    | Refuse
    | HangUp
    | Dialplan
)

ENDS = (Refuse, HangUp, Dialplan)
"""Steps after which there is no call of ours."""
TELLS = (Say, Speak, SayHours)
"""Steps in which a caller is told something."""
ASKS = (Menu, Directory, Message, Callback)
"""Steps in which a caller is asked for something."""
CALLS_SOMEBODY = (Ring, Queue, AsteriskQueue)
"""Steps in which somebody is asked to answer,"""
TO_SOMEBODY = (*CALLS_SOMEBODY, Directory)
"""and with those that can lead to such, whatever the plan has."""
SETTLES = (*TO_SOMEBODY, Message, Callback)
"""Steps that settle a call, if all goes well."""


def prompts_of(step: Step) -> tuple[Prompt, ...]:
    """What is heard in a step, by the rules; whispers are among a ring step's `texts`."""
    match step:
        case Say() | Speak() | SayHours():
            return (step,)
        case Menu(prompt) | Message(_, prompt):
            return () if prompt is None else (prompt,)
        case Ring() | Queue():
            return tuple([prompt for prompt in step.texts if isinstance(prompt, _PROMPTS)])
        case Challenge(prompt):
            return (prompt,)
        case _:
            return ()


def with_prompt(step: Step, prompt: Prompt) -> Step:
    """The step with another prompt in the place of its own; of a ring step, of what is announced."""
    match step:
        case Menu() | Challenge():
            return replace(step, prompt=prompt)
        case Message():
            return replace(step, say=prompt)
        case Ring() | Queue():
            return replace(step, announce=prompt)
        case _:
            return prompt


def ways_on(step: Step) -> tuple[str, ...]:
    """What can come of a step that does not settle the call, where it matters for where the call goes on."""
    match step:
        case Ring(rounds):
            return tuple(RingOutcome) if any(rounds) else (RingOutcome.UNREACHABLE,)
        case Queue(_, agents):
            return tuple(QueueOutcome) if agents else (QueueOutcome.EMPTY,)
        case AsteriskQueue():
            return tuple(AsteriskQueueOutcome)
        case Menu(_, keys):
            return (*keys, OTHERWISE)
        case Challenge():
            return (FAILED, PASSED)
        case _:
            return (OTHERWISE,)


class PlanNode(msgspec.Struct, frozen=True, gc=False):
    """One step and where it goes on: to `on[way]` where that is given (ways_on), else to `then`; None ends
    the plan."""

    step: Step
    then: int | None = None
    on: dict[str, int | None] = {}
    place: str = ""
    """Where in the rules it is written: `fjord.yaml:31`."""


class Return(msgspec.Struct, frozen=True):
    """Somebody is called back who has kept a place in a queue."""

    call_id: str
    """The call in which they asked for it."""
    since: datetime
    """When they came to wait."""
    target: Target
    """Their phone."""
    not_reached: Speak
    """What the agent hears where they do not answer."""
    attempt: int = 1


class CallPlan(msgspec.Struct, frozen=True, gc=False):
    """The steps of one call. It starts at node 0; an empty plan ends at once."""

    nodes: tuple[PlanNode, ...]
    blocked_by: str | None = None
    """The name of the screening rule that refused this call, if one did."""
    no_route: bool = False
    """True where no client has this number, or none of the client's routes took the call."""
    greeted: bool = False
    """True if the first step is the client's greeting."""
    language: str = ""
    """In which the caller hears what the product itself says; empty where that is in the client's."""
    returns: Return | None = None
    """Of a call that the router itself makes, for a caller who is called back."""


def told_first(said: tuple[PlanNode, ...], plan: CallPlan) -> CallPlan:
    """The plan with `said`, one after the other, before all of it but the greeting."""
    by = len(said)
    if not by:
        return plan
    greeting, rest = plan.nodes[: int(plan.greeted)], plan.nodes[int(plan.greeted) :]
    first = [replace(node, then=number) for number, node in enumerate((*greeting, *said), start=1)]
    goes_on = greeting[0].then if greeting else 0
    first[-1] = replace(first[-1], then=_later(goes_on, by) if rest else None)
    return replace(plan, nodes=(*first, *moved(rest, by)))


def _later(there: int | None, by: int) -> int | None:
    return None if there is None else there + by


def moved(nodes: tuple[PlanNode, ...], by: int) -> list[PlanNode]:
    """The same steps at positions further on, or, where `by` is negative, further back."""
    return [
        replace(
            node, then=_later(node.then, by), on={way: _later(there, by) for way, there in node.on.items()}
        )
        for node in nodes
    ]


def after_challenge(challenge: CallPlan, plan: CallPlan) -> CallPlan:
    """`plan` for a caller who meets the challenge, which leads nowhere itself but to a refusal."""
    by = len(challenge.nodes)
    first = replace(challenge.nodes[0], then=by if plan.nodes else None)
    nodes = (first, *challenge.nodes[1:], *moved(plan.nodes, by))
    return replace(plan, nodes=nodes, greeted=False)


def ungreeted(plan: CallPlan) -> CallPlan:
    """The plan without the client's greeting."""
    return CallPlan(tuple(moved(plan.nodes[1:], -1))) if plan.greeted else plan


def extended(plan: CallPlan, more: CallPlan) -> CallPlan:
    """The plan with the steps of another one after its own; these begin where those end."""
    return replace(plan, nodes=(*plan.nodes, *moved(more.nodes, len(plan.nodes))))


def leads_to_somebody(plan: CallPlan, position: int | None) -> bool:
    """True if a caller standing at `position` can still be put through to somebody, there or later."""
    seen: set[int] = set()
    waiting = [position]
    while waiting:
        here = waiting.pop()
        if here is None or here in seen:
            continue
        seen.add(here)
        node = plan.nodes[here]
        if isinstance(node.step, TO_SOMEBODY):
            return True
        waiting += [node.then, *node.on.values()]
    return False
