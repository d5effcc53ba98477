"""Queues as commands, metrics and pages show them."""

from datetime import datetime

import msgspec

from router.core.acd import Acd
from router.core.agents import Activity, AgentId, QueueId
from router.core.ruleset import RuleSet
from router.core.waiting import Waiting


class SeenCaller(msgspec.Struct, frozen=True):
    """A caller who waits, as commands show it."""

    call_id: str
    since: datetime
    front: bool
    offered_to: tuple[str, ...]
    expected_wait: float | None
    """Seconds more."""


class SeenAgent(msgspec.Struct, frozen=True):
    """An agent of a queue, as commands show it."""

    person: str
    state: str
    """logged_out, paused, or what the agent does (core/agents.py)."""
    since: datetime | None
    reason: str
    calls: int
    call_id: str


class SeenQueue(msgspec.Struct, frozen=True):
    """A queue, as commands show it."""

    client: str
    queue: str
    callers: tuple[SeenCaller, ...]
    agents: tuple[SeenAgent, ...]


def seen(acd: Acd, rules: RuleSet) -> list[SeenQueue]:
    """All queues of these rules, as they stand."""
    waiting: dict[QueueId, list[Waiting]] = {}
    for one in acd.callers():
        waiting.setdefault(one.caller.queue, []).append(one)
    return [
        SeenQueue(
            client.id,
            name,
            tuple(
                map(
                    _caller,
                    waiting.get(QueueId(client.id, name), ()),
                    acd.expected_waits(QueueId(client.id, name)),
                )
            ),
            tuple(_agent(acd, AgentId(client.id, agent)) for agent in queue.agents),
        )
        for client in rules.clients.values()
        for name, queue in client.queues.items()
    ]


def _caller(waiting: Waiting, wait: float | None) -> SeenCaller:
    caller = waiting.caller
    offered = tuple(agent.id.person for agent in waiting.offers)
    return SeenCaller(caller.call_id, caller.entered, caller.front, offered, wait)


def _agent(acd: Acd, id: AgentId) -> SeenAgent:
    agent = acd.agent(id)
    if agent is None:
        return SeenAgent(id.person, Activity.IDLE, None, "", 0, "")
    standing = agent.standing
    state = agent.activity.value
    if agent.activity is Activity.IDLE and not agent.at_work:
        state = "paused" if standing.logged_in else "logged_out"
    return SeenAgent(id.person, state, agent.since, standing.paused or "", standing.calls, agent.call_id)
