"""Queues and agents: who is rung for which caller, and when.

Theory of operation
-------------------
`Acd` knows who waits and who works. Each of its methods says what happened, at `now`, and returns what is to
be done about it: Offer (ring an agent for a caller), Withdraw (ring no longer), Dismiss (send the caller on),
Paused, WrapUp (write down that one is over).

One rule holds after each of them: *nobody waits while somebody is free who would suit*. So a caller who comes
is compared with the agents only, and an agent who becomes free with the callers only; never all with all.
What makes suitable with time alone (a further tier joins, a need is dropped, a rest or a wrap-up is over) has
a moment, and `due` tells the next: whoever keeps the clock calls `pass_time` then.

The order is strict: who is in front first, then who came first; an agent of several queues takes the first of
all whom they suit. A caller is overtaken only by those in front, or where nobody free suits them, so nobody
starves: of callers of one rank with the same needs the first is always served first.

An agent is offered one caller at a time, and a caller to one agent, unless the queue rings all. An offer that
failed goes on at once to the next agent; who failed rests for a moment, or a caller would be offered the same
deserted phone again and again. Who does not answer several times in a row is paused.

Nothing here is copied for each change, as the call machine's state is: there may be a thousand who wait. But
it depends on nothing but what it is told, in that order; not on clocks, and `random` is a checksum.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from zlib import crc32

from router.core.agents import Activity, Agent, AgentId, QueueId, WrapUp
from router.core.facts import QueueLoad
from router.core.plan import QueueRules
from router.core.waiting import (
    NOT_ANSWERING,
    Actions,
    Caller,
    Dismiss,
    Offer,
    Paused,
    Staff,
    Waiting,
    Withdraw,
)

REST = timedelta(seconds=5)
"""How long an agent is not rung again after an offer that failed; twice as long after each that follows,"""
LONGEST_REST = timedelta(seconds=60)
"""but not longer: phones that are not there would be called for ever, and each call is written down."""

TOLD_AFTER = 3
"""Calls of a queue of which the length is known, before callers are told how long they will wait;"""

REMEMBERED = 30
"""and how many calls count, the older ones less and less."""


class Failure(StrEnum):
    """Why an agent who was rung did not take the caller."""

    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    IN_USE = "in_use"
    """nothing rang: the phone is in use by something else"""


_key = attrgetter("key")


class _Handling:
    """How long a queue's calls last, wrap-up included."""

    __slots__ = ("calls", "mean")

    def __init__(self) -> None:
        self.calls = 0
        self.mean = 0.0
        """Seconds."""

    def add(self, seconds: float) -> None:
        self.calls += 1
        self.mean += (seconds - self.mean) / min(self.calls, REMEMBERED)


class Acd:
    """All queues and agents of one router."""

    def __init__(self) -> None:
        self._agents: dict[AgentId, Agent] = {}
        self._skills: Mapping[AgentId, Mapping[str, tuple[str, ...]]] = {}
        self._staff: dict[QueueId, tuple[Mapping[AgentId, float], Staff]] = {}
        """Of the caller who came last."""
        self._waiting: dict[QueueId, list[Waiting]] = {}
        self._by_call: dict[str, Waiting] = {}
        self._talks: dict[AgentId, QueueRules] = {}
        self._handling: dict[QueueId, _Handling] = {}
        self._moments: list[tuple[datetime, int, str | AgentId]] = []
        """When time alone may change something, and for whom."""
        self._numbers = 0
        self._offers = 0

    def use(self, skills: Mapping[AgentId, Mapping[str, tuple[str, ...]]], now: datetime) -> Actions:
        """From now on agents have these skills, also for those who wait."""
        self._skills = skills
        waiting = sorted(self._by_call.values(), key=_key)
        for one in waiting:
            self._grow(one, now)
        return [action for one in waiting for action in self._serve_caller(one, now)]

    # Callers

    def enter(self, caller: Caller, now: datetime) -> Actions:
        """Somebody comes to wait; or, with all agents gone or the queue full, is sent on at once."""
        most = caller.rules.max_waiting
        if most is not None and len(self._waiting.get(caller.queue, ())) >= most and not caller.kept:
            return [Dismiss(caller.call_id, "full")]
        waiting = self._admit(caller, now)
        return self._without_staff([waiting]) or self._serve_caller(waiting, now)

    def leave(self, call_id: str, now: datetime) -> Actions:
        """A caller waits no longer: has hung up, pressed a key, or waited long enough."""
        waiting = self._by_call.get(call_id)
        if waiting is None:
            return []
        self._remove(waiting)
        actions: Actions = [Withdraw(call_id, agent.id) for agent in waiting.offers]
        for agent in waiting.offers:
            actions += self._freed(agent, now)
        return actions

    def fail(self, call_id: str, id: AgentId, why: Failure, now: datetime) -> Actions:
        """An agent who was rung did not take the caller."""
        waiting, agent = self._by_call.get(call_id), self._agents.get(id)
        if waiting is None or agent is None or agent not in waiting.offers:
            return []
        waiting.offers.remove(agent)
        agent.activity, agent.since, agent.call_id = Activity.IDLE, now, ""
        actions: Actions = []
        if why is Failure.NO_ANSWER:
            agent.missed += 1
            after = waiting.caller.rules.pause_after
            if after is not None and agent.missed >= after and agent.standing.paused is None:
                agent.standing.paused = NOT_ANSWERING
                actions.append(Paused(id, NOT_ANSWERING))
        agent.failed += why is not Failure.IN_USE
        agent.rests_until = now + min(REST * 2 ** max(min(agent.failed - 1, 10), 0), LONGEST_REST)
        self._remind(agent.rests_until, id)
        if actions:
            actions += self._deserted(agent)
        return actions + self._serve_caller(waiting, now)

    def take(self, call_id: str, id: AgentId, now: datetime) -> Actions:
        """An agent talks with a caller; others who were rung for the same are rung no longer. Nor is the
        agent for another caller, whom an answer in the last moment has outrun."""
        waiting, taker = self._by_call.get(call_id), self._agent(id, now)
        if waiting is None:
            return []
        outrun = self._by_call.get(taker.call_id) if taker not in waiting.offers else None
        self._remove(waiting)
        self._talk(taker, waiting.caller, now)
        others = [agent for agent in waiting.offers if agent is not taker]
        actions: Actions = [Withdraw(call_id, agent.id) for agent in others]
        if outrun is not None:
            outrun.offers.remove(taker)
            actions.append(Withdraw(outrun.caller.call_id, id))
            actions += self._serve_caller(outrun, now)
        for agent in others:
            actions += self._freed(agent, now)
        return actions

    def restore(
        self,
        waiting: Iterable[tuple[Caller, Sequence[AgentId]]],
        talks: Iterable[tuple[Caller, AgentId, datetime]],
        now: datetime,
    ) -> Actions:
        """After a restart: those who wait, each with who is being rung for them, and who talks with an agent
        since when."""
        for caller, id, since in talks:
            self._talk(self._agent(id, now), caller, since)
        for caller, offers in waiting:
            here = self._admit(caller, now)
            for agent in (self._agent(id, now) for id in offers):
                if agent.free:
                    self._offer(here, agent, now)
        actions: Actions = []
        for agent in list(self._agents.values()):
            actions += self._serve_agent(agent, now)
        return actions + self._without_staff(list(self._by_call.values()))

    # Agents

    def done(self, call_id: str, id: AgentId, now: datetime) -> Actions:
        """An agent's talk is over: the wrap-up begins."""
        agent = self._agents.get(id)
        if agent is None or agent.activity is not Activity.TALKING or agent.call_id != call_id:
            return []
        rules = self._talks.pop(id)
        assert agent.queue is not None
        handling = self._handling.setdefault(agent.queue, _Handling())
        handling.add((now - agent.since).total_seconds() + rules.wrap_up)
        agent.call_id = ""
        if not rules.wrap_up:
            return self._freed(agent, now)
        agent.activity, agent.since, agent.wrap_up = Activity.WRAPPING, now, rules.wrap_up
        self.extend(id, now)
        return []

    def extend(self, id: AgentId, now: datetime) -> bool:
        """An agent has a whole wrap-up before them, from now on; False of one who is in none."""
        agent = self._agents.get(id)
        if agent is None or agent.activity is not Activity.WRAPPING:
            return False
        agent.wraps_until = now + timedelta(seconds=agent.wrap_up)
        self._remind(agent.wraps_until, id)
        return True

    def log_in(self, id: AgentId, now: datetime) -> Actions:
        """An agent begins to work."""
        agent = self._agent(id, now)
        if not agent.standing.logged_in:
            agent.standing.logged_in, agent.standing.calls = True, 0
        agent.idle_since = now
        return self.resume(id, now)

    def log_out(self, id: AgentId, now: datetime) -> Actions:
        """An agent works no longer; a talk goes on."""
        agent = self._agent(id, now)
        agent.standing.logged_in, agent.standing.paused = False, None
        return self._left_alone(agent, now)

    def pause(self, id: AgentId, reason: str, now: datetime) -> Actions:
        """An agent is rung no more until they resume; a talk goes on."""
        agent = self._agent(id, now)
        agent.standing.paused = reason
        return self._left_alone(agent, now)

    def resume(self, id: AgentId, now: datetime) -> Actions:
        """An agent who was paused, or wrapped up a call, is there again."""
        agent = self._agent(id, now)
        agent.standing.paused, agent.missed, agent.failed, agent.rests_until = None, 0, 0, None
        return self._wrapped_up(agent, now, now) + self._serve_agent(agent, now)

    # Time

    def due(self) -> datetime | None:
        """When time alone may change something next."""
        return self._moments[0][0] if self._moments else None

    def pass_time(self, now: datetime) -> Actions:
        """Do what is due by `now`; offers come last, so that nobody is overtaken by who was due before."""
        agents: list[Agent] = []
        callers: list[Waiting] = []
        actions: Actions = []
        while self._moments and self._moments[0][0] <= now:
            _, _, whom = heapq.heappop(self._moments)
            if isinstance(whom, AgentId):
                agents.append(self._agents[whom])
                actions += self._rested(self._agents[whom], now)
            elif (waiting := self._by_call.get(whom)) is not None:
                callers.append(waiting)
                self._grow(waiting, now)
        for agent in agents:
            actions += self._serve_agent(agent, now)
        for waiting in sorted(callers, key=_key):
            actions += self._serve_caller(waiting, now)
        return actions

    def _rested(self, agent: Agent, now: datetime) -> Actions:
        """A rest or a wrap-up may be over."""
        if agent.rests_until is not None and agent.rests_until <= now:
            agent.rests_until = None
        if agent.wraps_until is not None and agent.wraps_until <= now:
            return self._wrapped_up(agent, agent.wraps_until, now)
        return []

    # Seen

    def agent(self, id: AgentId) -> Agent | None:
        """Who that is, if anything was heard of them."""
        return self._agents.get(id)

    def offered(self, call_id: str) -> Sequence[Agent]:
        """Who is rung for a caller."""
        waiting = self._by_call.get(call_id)
        return () if waiting is None else waiting.offers

    def agents(self) -> Iterator[Agent]:
        """All who are known."""
        return iter(self._agents.values())

    def callers(self) -> Iterator[Waiting]:
        """All who wait, queue by queue, in order."""
        for queue in self._waiting.values():
            yield from queue

    def position(self, call_id: str) -> int | None:
        """Which in the queue a caller is, from 1."""
        waiting = self._by_call.get(call_id)
        if waiting is None:
            return None
        return bisect_left(self._waiting[waiting.caller.queue], waiting.key, key=_key) + 1

    def expected_wait(self, call_id: str) -> float | None:
        """Seconds that a caller will probably go on waiting; None while too little is known to say.

        With n agents, all of them at work on calls of mean length a, one becomes free every a/n seconds, so
        the caller at position p waits p a/n.
        """
        waiting, position = self._by_call.get(call_id), self.position(call_id)
        if waiting is None or position is None:
            return None
        handling = self._handling.get(waiting.caller.queue)
        staff = sum(agent.at_work for agent in waiting.serving)
        if handling is None or handling.calls < TOLD_AFTER or not staff:
            return None
        return position * handling.mean / staff

    def expected_waits(self, queue: QueueId) -> list[float | None]:
        """The same of all who wait in a queue, in order, by all agents who may ever be rung for them."""
        waiting = self._waiting.get(queue, [])
        handling = self._handling.get(queue)
        if handling is None or handling.calls < TOLD_AFTER:
            return [None] * len(waiting)
        at_work = {id(one.staff): one.staff for one in waiting}
        counts = {key: sum(agent.at_work for agent, _ in staff) for key, staff in at_work.items()}
        return [
            place * handling.mean / counts[id(one.staff)] if counts[id(one.staff)] else None
            for place, one in enumerate(waiting, start=1)
        ]

    def load(self, queue: QueueId, agents: Iterable[AgentId], now: datetime) -> QueueLoad:
        """How many wait, and how many of these agents are at work."""
        known = (self._agents.get(id) or self._agent(id, now) for id in agents)
        return QueueLoad(len(self._waiting.get(queue, ())), sum(agent.at_work for agent in known))

    # Within

    def _admit(self, caller: Caller, now: datetime) -> Waiting:
        self._numbers += 1
        waiting = Waiting(caller, self._numbers, self._staff_of(caller, now))
        self._by_call[caller.call_id] = waiting
        insort(self._waiting.setdefault(caller.queue, []), waiting, key=_key)
        self._grow(waiting, now)
        return waiting

    def _staff_of(self, caller: Caller, now: datetime) -> Staff:
        """Who may be rung for a caller; for the next one of the queue mostly the same."""
        known = self._staff.get(caller.queue)
        if known is not None and known[0] == caller.agents:
            return known[1]
        staff = tuple((self._agent(id, now), after) for id, after in caller.agents.items())
        for agent, _ in staff:
            agent.queues[caller.queue] = None
        self._staff[caller.queue] = (caller.agents, staff)
        return staff

    def _remove(self, waiting: Waiting) -> None:
        del self._by_call[waiting.caller.call_id]
        queue = self._waiting[waiting.caller.queue]
        del queue[bisect_left(queue, waiting.key, key=_key)]

    def _grow(self, waiting: Waiting, now: datetime) -> None:
        """Who may be rung by now, and which needs still hold; and when that is to be looked at next."""
        caller = waiting.caller
        waited = (now - caller.entered).total_seconds()
        if caller.relax is not None:
            dropped = int(waited / caller.relax)
            waiting.needs = caller.needs[: max(len(caller.needs) - dropped, 0)]
        needs = waiting.needs
        waiting.serving = dict.fromkeys(
            agent
            for agent, after in waiting.staff
            if after <= waited and (not needs or self._has(agent.id, needs))
        )
        later = [after for _, after in waiting.staff if after > waited]
        if caller.relax is not None and needs:
            later.append((int(waited / caller.relax) + 1) * caller.relax)
        if later:
            self._remind(caller.entered + timedelta(seconds=min(later)), caller.call_id)

    def _has(self, id: AgentId, needs: tuple[tuple[str, str], ...]) -> bool:
        skills = self._skills.get(id, {})
        return all(value in skills.get(skill, ()) for skill, value in needs)

    def _agent(self, id: AgentId, now: datetime) -> Agent:
        agent = self._agents.get(id)
        if agent is None:
            agent = self._agents[id] = Agent(id, now)
        return agent

    def _remind(self, at: datetime, whom: str | AgentId) -> None:
        self._numbers += 1
        heapq.heappush(self._moments, (at, self._numbers, whom))

    def _serve_caller(self, waiting: Waiting, now: datetime) -> Actions:
        """Offer a caller to who is free."""
        rings_all = waiting.caller.rules.strategy == "ring-all"
        if waiting.offers and not rings_all:
            return []
        free = [agent for agent in waiting.serving if agent.free]
        if not free:
            return []
        chosen = free if rings_all else [self._choose(waiting, free)]
        return [self._offer(waiting, agent, now) for agent in chosen]

    def _serve_agent(self, agent: Agent, now: datetime) -> Actions:
        """Offer an agent, if free, the first caller whom they suit."""
        if not agent.free:
            return []
        first: Waiting | None = None
        for queue in agent.queues:
            for waiting in self._waiting.get(queue, ()):
                if first is not None and first.key < waiting.key:
                    break
                if agent in waiting.serving and (
                    not waiting.offers or waiting.caller.rules.strategy == "ring-all"
                ):
                    first = waiting
                    break
        return [] if first is None else [self._offer(first, agent, now)]

    def _offer(self, waiting: Waiting, agent: Agent, now: datetime) -> Offer:
        self._offers += 1
        waiting.offers.append(agent)
        agent.activity, agent.since, agent.offered = Activity.OFFERED, now, self._offers
        agent.call_id, agent.queue = waiting.caller.call_id, waiting.caller.queue
        return Offer(waiting.caller.call_id, agent.id)

    def _choose(self, waiting: Waiting, free: Sequence[Agent]) -> Agent:
        match waiting.caller.rules.strategy:
            case "in-order":
                return free[0]
            case "round-robin":
                return min(free, key=lambda agent: agent.offered)
            case "fewest-calls":
                return min(free, key=lambda agent: (agent.standing.calls, agent.idle_since))
            case "random":
                drawn = crc32(f"{waiting.caller.call_id} {self._offers}".encode())
                return free[drawn % len(free)]
            case _:
                return min(free, key=lambda agent: agent.idle_since)

    def _talk(self, agent: Agent, caller: Caller, since: datetime) -> None:
        agent.activity, agent.since, agent.missed, agent.failed = Activity.TALKING, since, 0, 0
        agent.call_id = agent.last_call = caller.call_id
        agent.queue, agent.last_call_at = caller.queue, since
        agent.standing.calls += 1
        self._talks[agent.id] = caller.rules

    def _freed(self, agent: Agent, now: datetime) -> Actions:
        """Whatever an agent did is over, so somebody else may be offered."""
        self._idle(agent, now)
        return self._serve_agent(agent, now)

    def _wrapped_up(self, agent: Agent, until: datetime, now: datetime) -> Actions:
        """A wrap-up, if there is one, was over then."""
        if agent.activity is not Activity.WRAPPING:
            return []
        assert agent.queue is not None
        queue = agent.queue
        over = WrapUp(agent.last_call, queue.client, agent.id.person, queue.name, agent.since, until)
        self._idle(agent, now)
        return [over]

    def _idle(self, agent: Agent, now: datetime) -> None:
        """Whatever an agent did is over."""
        if agent.activity in (Activity.TALKING, Activity.WRAPPING):
            agent.idle_since = now
        agent.activity, agent.since, agent.call_id, agent.wraps_until = Activity.IDLE, now, "", None

    def _left_alone(self, agent: Agent, now: datetime) -> Actions:
        """An agent is not to be rung any more."""
        actions: Actions = []
        if agent.activity is Activity.OFFERED:
            waiting = self._by_call[agent.call_id]
            waiting.offers.remove(agent)
            actions.append(Withdraw(agent.call_id, agent.id))
            agent.activity, agent.since, agent.call_id = Activity.IDLE, now, ""
            actions += self._serve_caller(waiting, now)
        return actions + self._deserted(agent)

    def _deserted(self, agent: Agent) -> Actions:
        """Who works no longer may have been the last for some."""
        return self._without_staff(
            waiting for queue in agent.queues for waiting in self._waiting.get(queue, ())
        )

    def _without_staff(self, some: Iterable[Waiting]) -> Actions:
        """Send on those for whom nobody is at work any more."""
        lost = [one for one in some if one.is_lost]
        for waiting in lost:
            self._remove(waiting)
        return [Dismiss(waiting.caller.call_id, "empty") for waiting in lost]
