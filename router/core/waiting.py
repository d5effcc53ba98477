"""Callers who wait for agents, and what is to be done about them (acd.py)."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from router.core.agents import Agent, AgentId, QueueId, WrapUp
from router.core.plan import QueueRules


class Caller(msgspec.Struct, frozen=True):
    """Somebody who comes to wait."""

    call_id: str
    queue: QueueId
    entered: datetime
    rules: QueueRules
    """As they were when the call came."""
    agents: Mapping[AgentId, float]
    """Who may be rung, in the order written, each with after how many seconds."""
    front: bool = False
    needs: tuple[tuple[str, str], ...] = ()
    """Skills that an agent must have, each with a value; the most important first."""
    relax: float | None = None
    """Seconds after which the last of these is dropped, each time."""
    kept: bool = False
    """Who has waited before and kept the place waits on, however many do and though nobody is at work."""


Staff = tuple[tuple[Agent, float], ...]
"""Agents, in the order written, each with after how many seconds of waiting they may be rung."""


class Waiting:
    """A caller who waits."""

    __slots__ = ("caller", "key", "needs", "offers", "serving", "staff")

    def __init__(self, caller: Caller, number: int, staff: Staff) -> None:
        self.caller = caller
        self.key = (not caller.front, caller.entered, number)
        """By which callers are ordered."""
        self.needs = caller.needs
        """Those that still hold."""
        self.staff = staff
        self.serving: Mapping[Agent, None] = {}
        """Who may be rung by now."""
        self.offers: list[Agent] = []
        """Who is being rung."""

    @property
    def is_lost(self) -> bool:
        """Nobody is rung who may be, and nobody is at work; who keeps the place waits for better times."""
        if self.offers or self.caller.kept:
            return False
        return not any(agent.at_work for agent, _ in self.staff)


class Offer(msgspec.Struct, frozen=True):
    """Ring this agent for this caller."""

    call_id: str
    agent: AgentId


class Withdraw(msgspec.Struct, frozen=True):
    """Ring this agent no longer: the caller has left, somebody else has taken the call, or the agent is not
    to be rung any more."""

    call_id: str
    agent: AgentId


class Dismiss(msgspec.Struct, frozen=True):
    """The caller does not wait any longer, and goes on: the queue is `full` or `empty`."""

    call_id: str
    outcome: str


class Paused(msgspec.Struct, frozen=True):
    """This agent did not answer too often, and is not rung until they say so."""

    agent: AgentId
    reason: str


Action = Offer | Withdraw | Dismiss | Paused | WrapUp
Actions = list[Action]

NOT_ANSWERING = "not answering"
"""The reason of Paused."""
