"""Who waits for whom: the ACD of one router, its clock, and how callers hear of what it decides.

Calls tell it by commands, and are told by events, never before the step that they take now is over. What is
told during a gap in sight of Asterisk is lost; when it is over each caller who waits joins again, and is told
how things stand.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, assert_never

import structlog

from router.core.acd import Acd, Failure
from router.core.agents import AgentChange, AgentId, Change, QueueId, Standing, Weighed, WrapUp, weigh
from router.core.call import Call, CallingBack, Queueing, Talking
from router.core.commands import JoinQueue, LeaveQueue, OfferFailed, OfferTaken, TellPosition
from router.core.events import (
    AgentOffered,
    CallEvent,
    OfferWithdrawn,
    QueueEnded,
    QueueJoined,
    QueueTold,
)
from router.core.facts import QueueLoad
from router.core.featurecodes import BY_PHONE, CONFIRMED, Keyed, MoreTime, Reply, WrapUpCode
from router.core.languages.catalogue import Phrase
from router.core.plan import Queue
from router.core.ruleset import ClientRules, RuleSet
from router.core.steps.queue import ANSWERED
from router.core.tags import CallTag, Way
from router.core.waiting import Action, Caller, Dismiss, Offer, Paused, Withdraw
from router.edge.queuemetrics import QueueMetrics
from router.edge.queueviews import SeenQueue, seen

QueueCommand = JoinQueue | LeaveQueue | OfferFailed | OfferTaken | TellPosition

Tell = Callable[[str, CallEvent], None]
"""Tells a call, by its id, as soon as it takes no step."""

Note = Callable[[AgentChange], None]
"""Has it written down what changed of an agent here, not by a command."""

TagCall = Callable[[CallTag], None]
"""Has it written down that an agent tagged a call."""

WrappedUp = Callable[[WrapUp], None]
"""Has a wrap-up written down that is over."""

InUse = Callable[[str, Callable[[bool], None]], None]
"""Asks Asterisk whether a phone (`PJSIP/100`) is in use, and tells, never before it returns."""


log = structlog.get_logger()


class _Place(NamedTuple):
    """Where a caller waits."""

    position: int
    """In the call's plan."""
    queue: QueueId
    since: datetime
    step: Queue


class Queues:
    """The queues of all clients."""

    def __init__(
        self,
        tell: Tell,
        clock: Callable[[], datetime],
        note: Note,
        in_use: InUse,
        tag: TagCall,
        wrapped_up: WrappedUp,
    ) -> None:
        self.acd = Acd()
        self.metrics = QueueMetrics(self.seen, clock)
        self._rules: RuleSet | None = None
        self._tell = tell
        self._note = note
        self._tag = tag
        self._wrapped_up = wrapped_up
        self._in_use = in_use
        self._clock = clock
        self._alarm: asyncio.TimerHandle | None = None
        self._places: dict[str, _Place] = {}
        """Of callers who wait."""

    def use(self, rules: RuleSet) -> None:
        """From now on queues are those of these rules, and agents have the skills that they give them."""
        self._rules = rules
        actions = self.acd.use(
            {
                AgentId(client.id, name): person.skills
                for client in rules.clients.values()
                if client.queues
                for name, person in client.people.items()
                if person.skills
            },
            self._clock(),
        )
        self._do(actions)

    def change(self, change: AgentChange) -> None:
        """An agent comes or goes, or did so before we were there."""
        now = self._clock()
        match change.change:
            case Change.LOGGED_IN:
                actions = self.acd.log_in(change.agent, now)
            case Change.LOGGED_OUT:
                actions = self.acd.log_out(change.agent, now)
            case Change.PAUSED:
                actions = self.acd.pause(change.agent, change.reason, now)
            case Change.RESUMED:
                actions = self.acd.resume(change.agent, now)
        self._do(actions)

    def ask(self, change: AgentChange) -> Weighed:
        """Have an agent come or go, if they can as they stand."""
        known = self.acd.agent(change.agent)
        weighed = weigh(change, known.standing if known else Standing())
        if weighed.made:
            self.change(change)
        return weighed

    def key_in(self, agents: Sequence[AgentId], keyed: Keyed, endpoint: str) -> Reply:
        """A code was dialled at the phone of these agents; what is to be heard there."""
        if not agents:
            return Reply(Phrase.NO_AGENT)
        match keyed:
            case Change():
                reason = BY_PHONE if keyed is Change.PAUSED else ""
                asked = [AgentChange(0, *one, keyed, reason, endpoint, self._clock()) for one in agents]
                made = [change for change in asked if self.ask(change).made]
                for change in made:
                    self._note(change)
                # Who neither pauses nor comes back is logged out.
                return Reply(CONFIRMED[keyed] if made else Phrase.AGENT_OUT)
            case MoreTime():
                extended = [self.acd.extend(agent, self._clock()) for agent in agents]
                self._set_alarm()
                return Reply(Phrase.MORE_TIME if any(extended) else Phrase.NO_WRAP_UP)
            case WrapUpCode(digits):
                return self._code(agents, digits, endpoint)
            case _:
                assert_never(keyed)

    def _code(self, agents: Sequence[AgentId], digits: str, endpoint: str) -> Reply:
        """Tag the call that the agent had last, of several the one who had one last."""
        had_calls = [agent for agent in map(self.acd.agent, agents) if agent is not None and agent.last_call]
        if not had_calls:
            return Reply(Phrase.NO_CALL)
        agent = max(had_calls, key=lambda one: one.last_call_at)
        client = self._rules.clients.get(agent.id.client) if self._rules else None
        code = client.codes.get(digits) if client else None
        if code is None:
            return Reply(Phrase.NO_CODE)
        who, now = agent.id.person, self._clock()
        self._tag(CallTag(agent.last_call, code.tag, who, Way.PHONE, now, place=endpoint))
        return Reply(Phrase.CODE_KEPT, {"tag": code.label})

    def seen(self) -> list[SeenQueue]:
        """All queues, as they stand."""
        return [] if self._rules is None else seen(self.acd, self._rules)

    def loads(self, client: ClientRules) -> Mapping[str, QueueLoad]:
        """How each of a client's queues stands, looked at when it is asked for."""
        return _Loads(self.acd, client, self._clock())

    def take(self, call: Call, command: QueueCommand) -> None:
        """Do what a call commands."""
        call_id, client, now = call.info.id, call.info.client or "", self._clock()
        match command:
            case JoinQueue():
                self._join(call, command, now)
            case LeaveQueue(outcome, agent):
                self._gone(call_id, outcome, now)
                self._do(self.acd.leave(call_id, now))
                if agent:
                    self._do(self.acd.done(call_id, AgentId(client, agent), now))
            case OfferFailed(agent, outcome):
                why = Failure(outcome) if outcome in set(Failure) else Failure.UNREACHABLE
                self._offer_over(AgentId(client, agent), why)
                self._do(self.acd.fail(call_id, AgentId(client, agent), why, now))
            case OfferTaken(agent):
                self._offer_over(AgentId(client, agent), "taken")
                self._gone(call_id, ANSWERED, now)
                self._do(self.acd.take(call_id, AgentId(client, agent), now))
            case TellPosition():
                position_now = self.acd.position(call_id)
                if position_now is not None:
                    self._tell(call_id, QueueTold(position_now, self.acd.expected_wait(call_id)))

    def restore(self, calls: Iterable[Call]) -> None:
        """Take in those who wait, or talk with an agent, and are not known: a process before us had them."""
        waiting, talks = [], []
        for call in calls:
            match call.state:
                case Queueing(joined=True) as state if self.acd.position(call.info.id) is None:
                    step = call.step
                    assert isinstance(step, Queue)
                    assert call.position is not None
                    caller = _caller(call, step, state.since, kept=state.kept)
                    offers = [AgentId(caller.queue.client, offer.agent) for offer in state.offers]
                    waiting.append((caller, offers))
                    self._places[call.info.id] = _Place(call.position, caller.queue, state.since, step)
                case Talking() | CallingBack() if call.agent and not self._talks_with(call):
                    step = next(
                        one.step
                        for one in map(call.plan.nodes.__getitem__, reversed(call.met))
                        if isinstance(one.step, Queue)
                    )
                    since = call.talk_began or self._clock()
                    talks.append(
                        (_caller(call, step, since), AgentId(call.info.client or "", call.agent), since)
                    )
                case _:
                    pass
        self._do(self.acd.restore(waiting, talks, self._clock()))

    def _talks_with(self, call: Call) -> bool:
        agent = self.acd.agent(AgentId(call.info.client or "", call.agent))
        return agent is not None and agent.call_id == call.info.id

    def _gone(self, call_id: str, outcome: str, now: datetime) -> None:
        """A caller waits no longer."""
        place = self._places.pop(call_id, None)
        if place is not None:
            self.metrics.caller_gone(place.queue, outcome, (now - place.since).total_seconds())

    def _offer_over(self, id: AgentId, outcome: str) -> None:
        agent = self.acd.agent(id)
        if agent is not None and agent.queue is not None:
            self.metrics.offer_over(agent.queue, outcome)

    def _join(self, call: Call, command: JoinQueue, now: datetime) -> None:
        call_id = call.info.id
        if self.acd.position(call_id) is not None:
            self._tell_again(call)
            return
        assert isinstance(call.state, Queueing)
        step = command.step
        caller = _caller(call, step, call.state.since, kept=command.kept)
        self._places[call_id] = _Place(command.position, caller.queue, caller.entered, step)
        actions = self.acd.enter(caller, now)
        if self.acd.position(call_id) is not None:
            self._tell(call_id, QueueJoined())
        self._do(actions)

    def _tell_again(self, call: Call) -> None:
        """Who is rung for a caller who waits, and who not, as far as the call has not heard of it."""
        call_id = call.info.id
        rung = {agent.id.person for agent in self.acd.offered(call_id)}
        heard = {offer.agent for offer in call.state.offers} if isinstance(call.state, Queueing) else set()
        if isinstance(call.state, Queueing) and not call.state.joined:
            self._tell(call_id, QueueJoined())
        for agent in sorted(rung - heard):
            self._tell(call_id, AgentOffered(agent))
        for agent in sorted(heard - rung):
            self._tell(call_id, OfferWithdrawn(agent))

    def _do(self, actions: Collection[Action]) -> None:
        for action in actions:
            match action:
                case Offer(call_id, agent):
                    self._look_first(call_id, agent)
                case Withdraw(call_id, agent):
                    self._offer_over(agent, "withdrawn")
                    self._tell(call_id, OfferWithdrawn(agent.person))
                case Dismiss(call_id, outcome):
                    position = self._places[call_id].position
                    self._gone(call_id, outcome, self._clock())
                    self._tell(call_id, QueueEnded(position, outcome))
                case WrapUp():
                    self._wrapped_up(action)
                case Paused(agent, reason):
                    log.warning("agent paused", client=agent.client, agent=agent.person, reason=reason)
                    self._note(AgentChange(0, *agent, Change.PAUSED, reason, "callrouter", self._clock()))
        self._set_alarm()

    def _look_first(self, call_id: str, id: AgentId) -> None:
        """Have an agent rung, unless one of their phones here is in use: it would ring in a talk."""
        targets = self._places[call_id].step.phones.get(id.person, ())
        phones = [target.dial for target in targets if not target.outside]
        left = len(phones)

        def looked(in_use: bool) -> None:
            nonlocal left
            left -= 1
            if all(agent.id != id for agent in self.acd.offered(call_id)):
                return  # withdrawn meanwhile
            if in_use:
                self._offer_over(id, Failure.IN_USE)
                self._do(self.acd.fail(call_id, id, Failure.IN_USE, self._clock()))
            elif left <= 0:
                self._tell(call_id, AgentOffered(id.person))

        for phone in phones:
            self._in_use(phone, looked)
        if not phones:
            self._tell(call_id, AgentOffered(id.person))

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self.acd.due()
        if due is not None:
            seconds = max((due - self._clock()).total_seconds(), 0.0)
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._pass_time)

    def _pass_time(self) -> None:
        self._alarm = None
        self._do(self.acd.pass_time(self._clock()))


class _Loads(Mapping[str, QueueLoad]):
    """How a client's queues stand. Few rules ask, and counting takes time."""

    def __init__(self, acd: Acd, client: ClientRules, now: datetime) -> None:
        self._acd = acd
        self._client = client
        self._now = now

    def __getitem__(self, name: str) -> QueueLoad:
        agents = filter(self._is_within_hours, self._client.queues[name].agents)
        ids = [AgentId(self._client.id, agent) for agent in agents]
        return self._acd.load(QueueId(self._client.id, name), ids, self._now)

    def __iter__(self) -> Iterator[str]:
        return iter(self._client.queues)

    def __len__(self) -> int:
        return len(self._client.queues)

    def _is_within_hours(self, agent: str) -> bool:
        hours = self._client.people[agent].hours
        return hours is None or self._client.hours[hours].is_open(self._now)


def _caller(call: Call, step: Queue, entered: datetime, *, kept: bool = False) -> Caller:
    client = call.info.client or ""
    return Caller(
        call.info.id,
        QueueId(client, step.queue),
        entered,
        step.rules,
        {AgentId(client, agent): step.later.get(agent, 0.0) for agent in step.agents},
        step.front,
        step.needs,
        step.relax,
        kept,
    )
