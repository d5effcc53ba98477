"""What other systems may have the router do. Each order is checked by the rules in use, and holds at once."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import assert_never

import structlog

from router.core.agents import AgentChange
from router.core.remarks import RuleErrors, did_you_mean
from router.core.ruleset import RuleSet
from router.core.tagging import not_offered
from router.core.tags import CallTag, Way
from router.edge.agentlog import AgentLog
from router.edge.mqttwords import NoOrderError, Order, OrderAgent, OrderReload, OrderTag
from router.edge.ports import Journal
from router.edge.reload import Reloader
from router.edge.store.errors import StoreError
from router.edge.store.queries import CallStory, Queries

log = structlog.get_logger()


class Remote:
    """Of one router."""

    def __init__(
        self,
        rules: Callable[[], RuleSet],
        change: Callable[[AgentChange], None],
        agent_log: AgentLog,
        journal: Journal,
        reloader: Reloader,
        database_url: str,
    ) -> None:
        """`change` has an agent come or go."""
        self._rules = rules
        self._change = change
        self._agent_log = agent_log
        self._journal = journal
        self._reloader = reloader
        self._database_url = database_url

    async def obey(self, order: Order) -> None:
        """Do it. Raises NoOrderError where that cannot be."""
        match order:
            case OrderAgent():
                self._agent(order)
            case OrderTag():
                await self._tag(order)
            case OrderReload():
                outcome = await self._reloader.reload()
                if isinstance(outcome, RuleErrors):
                    raise NoOrderError("\n".join(map(str, outcome.errors)))
            case _:
                assert_never(order)
        log.info("order obeyed", order=type(order).__name__, who=order.who)

    def _agent(self, order: OrderAgent) -> None:
        client = self._rules().clients.get(order.client)
        agents = {agent for queue in client.queues.values() for agent in queue.agents} if client else set()
        if order.person not in agents:
            hint = did_you_mean(order.person, sorted(agents), "`callrouter agents` lists them")
            raise NoOrderError(f"`{order.client}` has no agent `{order.person}`; {hint}")
        now = datetime.now(UTC)
        change = AgentChange(0, order.client, order.person, order.change, order.reason, order.who, now)
        self.change_agent(change)

    def change_agent(self, change: AgentChange) -> None:
        """Have an agent come or go, at once and for good; there must be one."""
        self._change(change)
        self._agent_log.note(change)

    async def _tag(self, order: OrderTag) -> None:
        try:
            story = await asyncio.to_thread(self._call, order.call_id)
        except StoreError as error:
            raise NoOrderError(f"the database cannot be read: {error}") from error
        if not isinstance(story, CallStory) or story.info.id != order.call_id:
            raise NoOrderError(f"no call has the id `{order.call_id}`")
        client = story.info.client
        if order.removed:
            there = order.tag in {tag.tag for tag in story.tagged}
            why_not = None if there else f"the call is not tagged with `{order.tag[:80]}`"
        else:
            why_not = not_offered(self._rules().tags_of(client), client, order.tag)
        if why_not is not None:
            raise NoOrderError(why_not)
        self._journal.tagged(
            CallTag(story.info.id, order.tag, order.who, Way.MQTT, datetime.now(UTC), order.removed)
        )

    def _call(self, id: str) -> object:
        with closing(Queries(self._database_url)) as queries:
            return queries.call(id)
