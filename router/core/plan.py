"""CallPlan: the steps a caller will meet, each with where it goes on.

Rules and calls meet only here. `decide` makes a plan out of rules and facts; the call machine walks it and
knows nothing of rules. A plan is a small graph kept as a table: a position is an index, so a call can be
saved, resumed and explained by one number, and a branch is an index too. A plan is whole when the call starts
and never changes.
"""

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec.structs import replace


class RingOutcome(StrEnum):
    """What became of a whole `ring` step in which nobody answered: the names that `on:` branches by."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class Target(msgspec.Struct, frozen=True):
    """One phone to ring. `dial` is built from rules only, never from what a caller sent."""

    name: str
    """Who it is for people: a person's id, or the number or endpoint as written in the rules."""
    dial: str
    """Asterisk's dial string, such as `PJSIP/100` or `PJSIP/+4790000001@trunk`."""
    outside: bool = False
    """True where the call leaves through the trunk."""
    number: str = ""
    """The E.164 number of a phone outside."""


class Say(msgspec.Struct, frozen=True, tag="say"):
    """Answer the call if it is not yet answered, and play one file."""

    media: str
    """An Asterisk media URI, such as `sound:hello-world`."""


class Ring(msgspec.Struct, frozen=True, tag="ring"):
    """Ring round after round; the targets of one round ring together. The first to answer gets the call."""

    rounds: tuple[tuple[Target, ...], ...]
    """May be empty: nobody is to be rung now (all outside their hours), which is `unreachable` at once."""
    ring_for: float
    """How long each round may ring, in seconds."""


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    """End the call with a hangup cause; unanswered, the caller's side hears just that."""

    treatment: Literal["decline", "busy", "unknown_number"]


class HangUp(msgspec.Struct, frozen=True, tag="hangup"):
    """End the call normally."""


class Dialplan(msgspec.Struct, frozen=True, tag="dialplan"):
    """Hand the call to Asterisk's dialplan, which keeps it."""

    context: str
    extension: str
    reason: str = ""
    """Why, where it is not the rules that say so: `draining`."""


Step = Say | Ring | Refuse | HangUp | Dialplan


class PlanNode(msgspec.Struct, frozen=True):
    """One step and where it goes on: to `on[outcome]` where that is given, else to `then`; None ends the
    plan."""

    step: Step
    then: int | None = None
    on: dict[RingOutcome, int | None] = {}
    place: str = ""
    """Where in the rules it is written: `fjord.yaml:31`."""


class CallPlan(msgspec.Struct, frozen=True):
    """The steps of one call. It starts at node 0; an empty plan ends at once."""

    nodes: tuple[PlanNode, ...]
    blocked_by: str | None = None
    """The name of the screening rule that refused this call, if one did."""
    no_route: bool = False
    """True where no client has this number, or none of the client's routes took the call."""


def told_first(said: tuple[PlanNode, ...], plan: CallPlan) -> CallPlan:
    """The plan after `said`, one after the other."""
    by = len(said)

    def later(there: int | None) -> int | None:
        return None if there is None else there + by

    before = [replace(node, then=number) for number, node in enumerate(said, start=1)]
    if before and not plan.nodes:
        before[-1] = replace(before[-1], then=None)
    after = [
        replace(node, then=later(node.then), on={key: later(there) for key, there in node.on.items()})
        for node in plan.nodes
    ]
    return replace(plan, nodes=(*before, *after))


def rings_from(plan: CallPlan, position: int | None) -> bool:
    """True if a caller standing at `position` can still meet a `ring` step, there or later."""
    seen: set[int] = set()
    waiting = [position]
    while waiting:
        here = waiting.pop()
        if here is None or here in seen:
            continue
        seen.add(here)
        node = plan.nodes[here]
        if isinstance(node.step, Ring):
            return True
        waiting += [node.then, *node.on.values()]
    return False
