"""What other systems may have the router do. Each order is checked by the rules in use, and holds at once."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import assert_never

import structlog

from router.core.agents import AgentChange, Weighed
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
        ask: Callable[[AgentChange], Weighed],
        agent_log: AgentLog,
        journal: Journal,
        reloader: Reloader,
        database_url: str,
    ) -> None:
        """`ask` has an agent come or go, if they can."""
        self._rules = rules
        self._ask = ask
        self._agent_log = agent_log
        self._journal = journal
        self._reloader = reloader
        self._database_url = database_url

    async def obey(self, order: Order) -> str:
        """Do it; comes back with what there is to say of it, mostly nothing. Raises NoOrderError where it
        cannot be done."""
        remark = ""
        match order:
            case OrderAgent():
                remark = self._agent(order)
            case OrderTag():
                await self._tag(order)
            case OrderReload():
                outcome = await self._reloader.reload()
                if isinstance(outcome, RuleErrors):
                    raise NoOrderError("\n".join(map(str, outcome.errors)))
            case _:
                assert_never(order)
        log.info("order obeyed", order=type(order).__name__, who=order.who)
        return remark

    def _agent(self, order: OrderAgent) -> str:
        client = self._rules().clients.get(order.client)
        agents = {agent for queue in client.queues.values() for agent in queue.agents} if client else set()
        if order.person not in agents:
            hint = did_you_mean(order.person, sorted(agents), "`callrouter agents` lists them")
            raise NoOrderError(f"`{order.client}` has no agent `{order.person}`; {hint}")
        now = datetime.now(UTC)
        change = AgentChange(0, order.client, order.person, order.change, order.reason, order.who, now)
        weighed = self.change_agent(change)
        if weighed.refused:
            raise NoOrderError(weighed.refused)
        return weighed.remark

    def change_agent(self, change: AgentChange) -> Weighed:
        """Have an agent come or go, at once and for good, if they can; there must be one."""
        weighed = self._ask(change)
        if weighed.made:
            self._agent_log.note(change)
        return weighed

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
