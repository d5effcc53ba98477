"""How calls begin: a channel that no call knows has entered our application.

The arguments with which the dialplan let it in say what it has come for (ari/wire.py). A caller gets a call,
with the plan that the rules decide, and so does an agent's phone that dialled a feature code, to be told what
came of it. Supervisors, and channels that take the place of another, are handed to what knows of them. What
is left is nobody's, and is only said.

One kind of call begins without a channel: that to somebody who kept a place in a queue and is called back.

A call is in the journal and among the live ones before any command of it is carried out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from msgspec.structs import replace

from router.core import machine, openings
from router.core.arrival import Arriving, call_id, make_info, read_facts
from router.core.call import CALLER, Call, Commands
from router.core.callerlanguage import spoken_to
from router.core.decide import Decision, decide
from router.core.events import CallEvent, LegAnswered
from router.core.facts import Facts
from router.core.featurecodes import Keyed, agents_at, confirmation
from router.core.keyedin import route_of
from router.core.phrases import named
from router.core.plan import CallPlan, Dialplan, PlanNode
from router.core.record import CallInfo
from router.core.returning import return_call
from router.core.ruleset import RuleSet
from router.core.trace import TraceRow
from router.edge import queuewire
from router.edge.ari import models, wire
from router.edge.callers import Callers
from router.edge.livecall import LiveCall, LiveCalls
from router.edge.metrics import Metrics
from router.edge.ports import Journal, SpeakNames, Wire
from router.edge.queues import Queues
from router.edge.supervision import Supervisions
from router.edge.transfers import Transfers

log = structlog.get_logger()

_TO_BREAK_GLASS = CallPlan((PlanNode(Dialplan(queuewire.BREAK_GLASS, "s", "draining")),))
"""What a caller meets who arrives while the router is about to stop."""

_ENTRANCE = "have the dialplan enter the context callrouter (callrouter.conf), not Stasis() itself"


def _lag(sent: str, now: datetime) -> float:
    """Seconds since Asterisk sent an event; `sent` is Asterisk's text, `2026-11-22T14:31:16.154+0000`."""
    return (now - datetime.fromisoformat(sent)).total_seconds()


class Arrivals:
    """All ways in which a call begins."""

    def __init__(
        self,
        rules: RuleSet,
        calls: LiveCalls,
        queues: Queues,
        supervisions: Supervisions,
        transfers: Transfers,
        callers: Callers,
        journal: Journal,
        metrics: Metrics,
        carry_out: Callable[[LiveCall, Commands], None],
        tell: Callable[[LiveCall, CallEvent, datetime], None],
        clock: Callable[[], datetime],
        speak: SpeakNames,
    ) -> None:
        """`carry_out` does what a call commands, `tell` has it take an event."""
        self.asterisk = ("", "")
        """The first half of every call key: the id of the Asterisk that we are, or were last, in touch with,
        and its startup time."""
        self.turn = 0
        """How many calls have arrived."""
        self._rules = rules
        self._draining = False
        self._calls = calls
        self._queues = queues
        self._supervisions = supervisions
        self._transfers = transfers
        self._callers = callers
        self._journal = journal
        self._metrics = metrics
        self._carry_out = carry_out
        self._tell = tell
        self._clock = clock
        self._speak = speak
        self._wire: Wire | None = None
        self._log = log.bind()  # for the line that every call has: binding costs as much as writing one

    def attach(self, connection: Wire) -> None:
        """Name the connection that carries the commands."""
        self._wire = connection

    def use(self, rules: RuleSet) -> None:
        """Decide by these from now on."""
        self._rules = rules

    def drain(self) -> None:
        """From now on callers go to the break-glass branch of the dialplan."""
        self._draining = True

    def take(self, event: models.StasisStart) -> None:
        """A channel that no call knows has entered."""
        entrance = wire.read_entrance(event.args)
        if entrance is not None:
            self.arrive(event.channel, entrance)
            self._metrics.event_handled(_lag(event.timestamp, self._clock()))
        elif (keyed := wire.read_agent_code(event.args)) is not None:
            self._on_agent(event.channel, keyed)
        elif self._supervisions.enter(event, self._rules, self.asterisk, draining=self._draining):
            pass
        elif event.replace_channel is not None:
            self._transfers.replaced(event.replace_channel, event.channel)
        elif queuewire.read_return(event.args) is not None:
            self._to_break_glass(event.channel)
        elif event.args[:1] != (wire.LEG,):  # A leg of a call that is over is gone soon.
            log.error("channel left alone", channel=event.channel.name, remedy=_ENTRANCE)

    def arrive(self, channel: models.Channel, entrance: wire.Entrance) -> None:
        """A caller is there: begin the call."""
        plan = _TO_BREAK_GLASS if self._draining else None
        now = self._clock()
        live, commands = self.enter(channel, entrance, now, plan)
        self._carry_out(live, commands)
        if channel.state == "Up":  # The dialplan has answered before us, and Asterisk will tell of no answer.
            self._tell(live, LegAnswered(CALLER), now)

    def enter(
        self, channel: models.Channel, entrance: wire.Entrance, arrived: datetime, plan: CallPlan | None
    ) -> tuple[LiveCall, Commands]:
        """A call is ours from now on, with the plan that the rules decide unless it is given another one.

        Its commands are returned and not carried out.
        """
        caller = channel.caller
        arriving = Arriving(entrance.dialled, caller.number, caller.name, entrance.variables)
        facts, decision = self.decide(arriving, arrived, channel.id)
        info = make_info((*self.asterisk, channel.id), facts, decision)
        live, commands = self._begin(info, decision.plan if plan is None else plan, decision.trace)
        live.names[CALLER] = channel.name
        return live, commands

    def decide(self, arriving: Arriving, now: datetime, channel: str) -> tuple[Facts, Decision]:
        """What the rules say of who comes in by that channel, with a plan in the caller's language, and hours
        put into words. Nothing else is done: it need not become a call."""
        rules, known = self._rules, self._callers.known_by(channel)
        facts = read_facts(arriving, rules, now, self.turn, known, self._queues.loads)
        self.turn += 1
        decision = decide(rules, facts)
        self._metrics.screened(decision.client, decision.trace)
        if decision.client is not None:
            language = self._callers.spoken(facts.contact.language) if facts.contact else ""
            plan = spoken_to(decision.plan, language)
            plan = openings.told(plan, rules.clients[decision.client].hours, now)
            if plan is not decision.plan:
                decision = replace(decision, plan=plan)
        return facts, decision

    def advise(self, arriving: Arriving, now: datetime, channel: str) -> tuple[Facts, Decision]:
        """Decide of who is in a dialplan of the administrator's own. They may come in later."""
        decided = self.decide(arriving, now, channel)
        self._callers.advised(channel)
        return decided

    def call_back(self, call: Call) -> None:
        """Begin the call to somebody who keeps a place in a queue, unless that was done."""
        made = return_call(call, self._rules, self.asterisk, self._clock(), self._callers.spared)
        if isinstance(made, str):
            log.warning("caller cannot be called back", call_id=call.info.id, reason=made)
            return
        info, plan = made
        if info.id not in self._calls.by_id:
            self._carry_out(*self._begin(info, plan, ()))

    def _begin(self, info: CallInfo, plan: CallPlan, trace: Sequence[TraceRow]) -> tuple[LiveCall, Commands]:
        call, commands = machine.begin(info, plan, info.arrived_at)
        self._journal.arrived(info, call.plan, trace)
        self._metrics.call_entered(info, call.phase)
        if info.name:
            self._speak(named(plan, info.name))
        self._log.debug("call arrived", call_id=info.id, client=info.client, route=info.route,
                        caller=info.caller, dialled=info.dialled)  # fmt: skip
        return self._calls.keep(LiveCall(call)), commands

    def _on_agent(self, channel: models.Channel, keyed: Keyed) -> None:
        """An agent's phone dialled a feature code: do it, and say so."""
        endpoint = wire.endpoint_of(channel.name)
        agents = agents_at(self._rules, endpoint)
        reply = self._queues.key_in(agents, keyed, endpoint)
        self._metrics.feature_code(reply.phrase)
        key, exten = (*self.asterisk, channel.id), channel.dialplan.exten
        client = agents[0].client if agents else None
        route, version = route_of(reply.phrase), self._rules.version
        info = CallInfo(
            call_id(*key), *key, exten, channel.caller.number, client, route, version, self._clock()
        )
        live, commands = self._begin(info, confirmation(self._rules, agents, reply), ())
        live.names[CALLER] = channel.name
        self._carry_out(live, commands)

    def _to_break_glass(self, channel: models.Channel) -> None:
        """A caller is back from a queue of Asterisk's own, of whose call nothing is known any more."""
        assert self._wire
        log.error("call of a caller back from a queue is unknown", channel=channel.name)
        there = {"context": queuewire.BREAK_GLASS, "extension": "s", "priority": "1"}
        self._wire.send("POST", f"channels/{channel.id}/continue", there)
