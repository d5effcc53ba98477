"""Agents: what each does, and how they come and go."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec

from router.core.access import Role
from router.core.agents import AgentChange, Change
from router.core.remarks import did_you_mean
from router.edge.queueviews import SeenAgent
from router.edge.web.api.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Kind, ProblemError
from router.edge.web.api.routes import Asking, ClientId, Nothing, PersonId, Resource, Route, Why, plain


class AgentsQuery(msgspec.Struct, frozen=True):
    """Which of them."""

    client: ClientId | None = None
    """Only this client's."""


class AgentPath(msgspec.Struct, frozen=True):
    """One of them."""

    client: ClientId
    person: PersonId


class Agent(msgspec.Struct, frozen=True):
    """An agent, and what they do now."""

    client: str
    person: str
    state: str
    """logged_out, paused, idle, offered (a phone rings), talking, or wrapping (left alone after a call)."""
    since: datetime | None
    reason: str
    """Of a pause."""
    calls: int
    """Taken since logging in."""
    call_id: str
    """Whom they are rung for, or talk with; empty else."""
    queues: tuple[str, ...]


class ChangedAgent(Agent, frozen=True):
    """An agent who was asked to come or go, and what they do now."""

    remark: str = ""
    """What there is to say of that: that they were not paused, or are logged out; mostly empty."""


class Agents(msgspec.Struct, frozen=True):
    """All agents."""

    items: tuple[Agent, ...]


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an agent pauses."""

    reason: Why = "pause"
    """As others see it."""


async def list_agents(asking: Asking[AgentsQuery, Nothing]) -> Agents:
    """What the agents of all queues do now. Needs no database."""
    client = asking.client(asking.asked.client)
    return Agents(tuple(agent for agent in _agents(asking) if client in (None, agent.client)))


async def show_agent(asking: Asking[AgentPath, Nothing]) -> Agent:
    """What an agent does now."""
    asking.may_see(asking.asked.client)
    return _one(asking)


async def log_agent_in(asking: Asking[AgentPath, Nothing]) -> ChangedAgent:
    """The agent begins to work: is rung by queues from the next caller on."""
    return _change(asking, Change.LOGGED_IN)


async def log_agent_out(asking: Asking[AgentPath, Nothing]) -> ChangedAgent:
    """The agent works no longer, and is not rung by queues; a talk goes on."""
    return _change(asking, Change.LOGGED_OUT)


async def pause_agent(asking: Asking[AgentPath, Pause]) -> ChangedAgent:
    """The agent is not rung by queues until they resume; a talk goes on. Who is logged out cannot pause."""
    return _change(asking, Change.PAUSED, plain(asking.body.reason) or "pause")


async def resume_agent(asking: Asking[AgentPath, Nothing]) -> ChangedAgent:
    """The agent who was paused is there again. It also ends a wrap-up; `remark` says where there was no
    pause, or the agent is logged out and stays so."""
    return _change(asking, Change.RESUMED)


def _change(asking: Asking[AgentPath, Any], change: Change, reason: str = "") -> ChangedAgent:
    client, person = asking.asked.client, asking.asked.person
    asking.may_see(client)
    if not asking.who.may_change(client, person):
        raise ProblemError(FORBIDDEN, f"the token `{asking.who.name}` is for {asking.who.person} only")
    _one(asking)
    made = AgentChange(0, client, person, change, reason, asking.name, asking.now)
    weighed = asking.powers.change_agent(made)
    if weighed.refused:
        raise ProblemError(CONFLICT, weighed.refused)
    return ChangedAgent(**msgspec.structs.asdict(_one(asking)), remark=weighed.remark)


def _agents(asking: Asking[Any, Any]) -> list[Agent]:
    """All of them, in the order of the rules."""
    found: dict[tuple[str, str], tuple[SeenAgent, list[str]]] = {}
    for queue in asking.powers.queues():
        for agent in queue.agents:
            found.setdefault((queue.client, agent.person), (agent, []))[1].append(queue.queue)
    return [
        Agent(client=client, queues=tuple(queues), **msgspec.structs.asdict(agent))
        for (client, _), (agent, queues) in found.items()
    ]


def _one(asking: Asking[AgentPath, Any]) -> Agent:
    agents = {agent.person: agent for agent in _agents(asking) if agent.client == asking.asked.client}
    person = asking.asked.person
    if person not in agents:
        hint = did_you_mean(person, agents, "GET /agents lists all")
        raise ProblemError(NOT_FOUND, f"{asking.asked.client} has no agent `{person}`; {hint}")
    return agents[person]


def _changing(
    what: str,
    summary: str,
    handle: Callable[..., Awaitable[ChangedAgent]],
    body: Any = Nothing,
    refusals: tuple[Kind, ...] = (),
) -> Route:
    """A route by which an agent comes or goes."""
    return Route(
        method="POST",
        path=f"/agents/{{client}}/{{person}}/{what}",
        summary=summary,
        role=Role.AGENT,
        handle=handle,
        asked=AgentPath,
        body=body,
        answer=ChangedAgent,
        refusals=refusals,
    )


RESOURCE = Resource(
    "agents",
    "Agents of queues, who come and go.",
    (
        Route(
            method="GET",
            path="/agents",
            summary="List agents",
            role=Role.READER,
            handle=list_agents,
            asked=AgentsQuery,
            answer=Agents,
        ),
        Route(
            method="GET",
            path="/agents/{client}/{person}",
            summary="Show an agent",
            role=Role.READER,
            handle=show_agent,
            asked=AgentPath,
            answer=Agent,
        ),
        _changing("login", "Log an agent in", log_agent_in),
        _changing("logout", "Log an agent out", log_agent_out),
        _changing("pause", "Pause an agent", pause_agent, Pause, (CONFLICT,)),
        _changing("resume", "End an agent's pause", resume_agent),
    ),
)
