"""Agents: what each of them does, and what of that outlives a process."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec


class QueueId(NamedTuple):
    """A queue of a client."""

    client: str
    name: str


class AgentId(NamedTuple):
    """One of a client's people."""

    client: str
    person: str


class Activity(StrEnum):
    """What an agent does."""

    IDLE = "idle"
    OFFERED = "offered"
    """a phone rings"""
    TALKING = "talking"
    WRAPPING = "wrapping"
    """is left alone after a call"""


class Change(StrEnum):
    """What changes of an agent's work."""

    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"
    PAUSED = "paused"
    RESUMED = "resumed"


class AgentChange(msgspec.Struct, frozen=True):
    """What somebody has changed of an agent's work, and when. It holds until the next."""

    id: int
    client: str
    person: str
    change: Change
    reason: str
    """Of a pause."""
    who: str
    """Who did it: a user of the machine, the agent's own phone, or the router."""
    at: datetime

    @property
    def agent(self) -> AgentId:
        """Whose work it is."""
        return AgentId(self.client, self.person)


class WrapUp(msgspec.Struct, frozen=True):
    """An agent was left alone after a call of a queue, until they were there again."""

    call_id: str
    client: str
    person: str
    queue: str
    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> float:
        """Never negative, even where the clock was set back meanwhile."""
        return max((self.ended_at - self.began_at).total_seconds(), 0.0)


class Standing(msgspec.Struct):
    """What an agent has said of their work."""

    logged_in: bool = True
    paused: str | None = None
    """Why, while they are."""
    calls: int = 0
    """Taken since logging in."""


def standing_after(changes: Iterable[AgentChange]) -> Standing:
    """How an agent stands after all of these changes, in their order."""
    standing = Standing()
    for one in changes:
        match one.change:
            case Change.LOGGED_IN | Change.LOGGED_OUT:
                standing.logged_in, standing.paused = one.change is Change.LOGGED_IN, None
            case Change.PAUSED:
                standing.paused = one.reason
            case _:
                standing.paused = None
    return standing


class Weighed(msgspec.Struct, frozen=True):
    """What comes of a change that somebody asks for."""

    made: bool = True
    refused: str = ""
    """Why it cannot be made, and what to do; empty where it can."""
    remark: str = ""
    """What else there is to say of one that is not refused."""


def weigh(change: AgentChange, standing: Standing) -> Weighed:
    """What comes of a change, as the agent stands. Who is logged out cannot pause. Who is not paused may
    resume: it ends a wrap-up, and a rest after calls that were not answered; but nobody comes back by it who
    is logged out."""
    out = f"{change.person} is logged out; `callrouter agents login {change.person}`"
    match change.change:
        case Change.PAUSED if not standing.logged_in:
            return Weighed(made=False, refused=out)
        case Change.RESUMED if not standing.logged_in:
            return Weighed(made=False, remark=out)
        case Change.RESUMED if standing.paused is None:
            return Weighed(remark=f"{change.person} was not paused")
        case _:
            return Weighed()


class Agent:
    """One agent."""

    __slots__ = (
        "activity",
        "call_id",
        "failed",
        "id",
        "idle_since",
        "last_call",
        "last_call_at",
        "missed",
        "offered",
        "queue",
        "queues",
        "rests_until",
        "since",
        "standing",
        "wrap_up",
        "wraps_until",
    )  # fmt: skip

    def __init__(self, id: AgentId, now: datetime) -> None:
        self.id = id
        self.standing = Standing()
        self.activity = Activity.IDLE
        self.since = now
        """When that began."""
        self.idle_since = now
        self.call_id = ""
        """Whom they are rung for, or talk with,"""
        self.last_call = ""
        """and whom they talked with last, or do now,"""
        self.last_call_at = now
        """and since when."""
        self.queue: QueueId | None = None
        """Where that caller waited."""
        self.queues: dict[QueueId, None] = {}
        """Where callers wait, or waited, for them."""
        self.offered = 0
        """When they were last offered somebody, as a count of all offers."""
        self.missed = 0
        """Offers not answered, in a row;"""
        self.failed = 0
        """offers that failed for whatever reason, in a row."""
        self.rests_until: datetime | None = None
        self.wraps_until: datetime | None = None
        self.wrap_up = 0
        """Seconds that a wrap-up takes, and by which it is extended."""

    @property
    def at_work(self) -> bool:
        """Logged in and not paused: sooner or later there for callers."""
        return self.standing.logged_in and self.standing.paused is None

    @property
    def free(self) -> bool:
        """Could be rung now."""
        return self.activity is Activity.IDLE and self.at_work and self.rests_until is None
