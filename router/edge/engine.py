"""The engine: one event in, one step of its call, journal, commands on the wire. Synchronous.

There is no task per call and none per command. The connection's reader calls `on_event`; the engine finds the
call by the channel's id, lets the call machine take the step, journals the event and sends the commands, and
returns. Only the reads after a (re)connect are awaited, in one task; what comes meanwhile is held.

After a gap (`on_up`) the held events are told first, because they are facts; then what `reconcile.missed`
makes of the reads, for the calls that were open before. A timer that runs out in a gap is forgotten, since a
command sent into the void would be a lie in the journal: RouterReturned sets all those anew that still count.
Last, orphans are removed, and callers in the application whom nobody knows are taken in as new.

An error in the handling of one call stays in that call: its dead-man timer is set anew no more, so unless
the call goes on by itself Asterisk takes the caller back to the dialplan.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from router.core import deadman, machine, openings
from router.core.arrival import Arriving, call_id, make_info, read_facts
from router.core.call import (
    CALLER,
    PROMPT_FAILED,
    Asking,
    Call,
    Commands,
    Ending,
    InAsteriskQueue,
    LegState,
    Over,
    Talking,
)
from router.core.commands import (
    AskIfFollowed,
    CallCommand,
    CancelTimer,
    ChoosePerson,
    CreateLeg,
    EnterAsteriskQueue,
    FindPeople,
    FindTransfer,
    Finish,
    JoinQueue,
    LeaveQueue,
    LiftDeadMan,
    OfferFailed,
    OfferTaken,
    ReadNumber,
    SetDeadMan,
    SetTimer,
    TellPosition,
)
from router.core.decide import Decision, decide
from router.core.events import (
    AsteriskLost,
    AsteriskQueueFollowed,
    CallEvent,
    CommandFailed,
    KeyPressed,
    LegReplaced,
    PlaybackEnded,
    TalkFound,
    TimerFired,
)
from router.core.featurecodes import Keyed, agents_at, confirmation
from router.core.finding import choose_person, find_people
from router.core.plan import CallPlan, Dialplan, PlanNode, Ring, Target
from router.core.reconcile import missed
from router.core.record import CallInfo, CallRecord
from router.core.returning import read_number, return_call, wants_return
from router.core.ruleset import RuleSet
from router.core.trace import TraceRow
from router.core.transferring import Ways, find_transfer
from router.edge import queuewire, recovery
from router.edge.ari import models, wire
from router.edge.ari.rest import Reply
from router.edge.callers import Callers
from router.edge.deadmen import DeadMen
from router.edge.livecall import LiveCall
from router.edge.metrics import Metrics
from router.edge.ports import Journal, OpenCalls, QueueWatch, Wire
from router.edge.queues import Note, Queues
from router.edge.store.queries import OpenCall
from router.edge.supervision import Supervisions
from router.edge.transfers import Transfers

log = structlog.get_logger()

_encode = msgspec.json.Encoder().encode
_decode_plan = msgspec.json.Decoder(CallPlan).decode
_decode_event = msgspec.json.Decoder(CallEvent).decode

_TO_BREAK_GLASS = CallPlan((PlanNode(Dialplan(queuewire.BREAK_GLASS, "s", "draining")),))
"""What a caller meets who arrives while the router is about to stop."""

_TICK = TimerFired(deadman.TIMER)
"""Changes no state, so it is not journalled."""

_ENDS = (models.StasisEnd, models.ChannelDestroyed)

_OF_AN_END = (models.ChannelHangupRequest, *_ENDS)

_ENTRANCE = "have the dialplan enter the context callrouter (callrouter.conf), not Stasis() itself"

_REMEDY = "find the channel with a byte that is not UTF-8 (`core show channels`) and hang it up"


class _OfQueue(NamedTuple):
    """What happened in a queue of Asterisk's own, to the caller with that channel."""

    channel: str
    told: CallEvent


def _lag(sent: str, now: datetime) -> float:
    """Seconds since Asterisk sent an event; `sent` is Asterisk's text, `2026-11-22T14:31:16.154+0000`."""
    return (now - datetime.fromisoformat(sent)).total_seconds()


class Engine:
    """All live calls of this router. It is what an AriConnection reports to."""

    def __init__(
        self,
        rules: RuleSet,
        journal: Journal,
        metrics: Metrics,
        outbound: wire.Outbound,
        open_calls: OpenCalls,
        callers: Callers,
        message_left: Callable[[], None] = lambda: None,
        note: Note = lambda change: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`message_left` hears of every call whose record has a message, `note` of agents who came and went
        otherwise than by command."""
        self.rules = rules
        """The rules for calls that arrive now; those in flight keep their plan."""
        self.draining = False
        self.idle = asyncio.Event()
        """Set, while draining, once nobody waits for us: every live call, if any, is two people talking, or
        in a queue of Asterisk's own."""
        self._journal = journal
        self._metrics = metrics
        self._outbound = outbound
        self._open_calls = open_calls
        self._callers = callers
        self._message_left = message_left
        self._adopted = False
        self._clock = clock
        self.queues = Queues(self._tell_soon, clock, note, self._look_at_phone, journal.tagged)
        self.queues.use(rules)
        self._wire: Wire | None = None
        self._watch: QueueWatch | None = None
        self._calls: dict[str, LiveCall] = {}
        self._supervisions = Supervisions(self._calls, outbound, journal, metrics, self._tell_soon, clock)
        self._dead_men = DeadMen(outbound.dead_man, self._send_for_all)
        self._log = log.bind()  # for the lines that every call has: binding costs as much as writing one
        self._legs: dict[str, tuple[LiveCall, int]] = {}
        self._transfers = Transfers(
            self._legs,
            lambda: self.rules,
            lambda live, event: self._take(live, event, clock()),
            self._end_channel,
        )
        self._turn = 0
        """How many calls have arrived."""
        self._asterisk = ("", "")
        self._seen_at: datetime | None = None
        self._held: list[models.Event | _OfQueue] | None = []
        """What came while we do not know how things stand; None while we do."""
        self._recovery: asyncio.Task[None] | None = None

    @property
    def asterisk(self) -> str:
        """The id of the Asterisk that we are, or were last, in touch with; empty before there was one."""
        return self._asterisk[0]

    @property
    def in_touch(self) -> bool:
        """True while Asterisk talks to us and we know how its calls stand."""
        return self._held is None

    def use(self, rules: RuleSet) -> None:
        """Decide by these for calls that arrive from now on."""
        self.rules = rules
        self.queues.use(rules)
        self._supervisions.use(rules)

    # What the connection reports

    def attach(self, connection: Wire) -> None:
        """Name the connection that carries the commands; once, before it runs."""
        self._wire = connection
        self._supervisions.attach(connection)

    def watch_by(self, watch: QueueWatch) -> None:
        """Name what follows callers in Asterisk's own queues; once, before the connection runs."""
        self._watch = watch

    def on_up(self, info: models.AsteriskInfo) -> None:
        """Asterisk is there: compare what it shows with what we know. Until that is done, events are held."""
        assert info.system and info.status  # noqa: PT018 - asked for by the connection, always there
        before, self._asterisk = self._asterisk, (info.system.entity_id, info.status.startup_time)
        if self._asterisk != before:
            self._held = []  # The channels of the other one are gone.
        self._metrics.ari_connected()
        self._recovery = asyncio.get_running_loop().create_task(self._recover(), name="recovery")

    def on_event(self, event: models.Event) -> None:
        """One event of Asterisk. An error in one call's handling is logged and stays in that call."""
        self._handle_or_hold(event)

    def in_asterisk_queues(self) -> list[Call]:
        """The calls whose callers are in one."""
        calls = (live.call for live in self._calls.values())
        return [call for call in calls if isinstance(call.state, InAsteriskQueue)]

    def on_queue_event(self, channel: str, told: CallEvent) -> None:
        """Something happened in a queue of Asterisk's own to the caller with that channel."""
        if channel in self._legs:  # There are other callers in such queues.
            self._handle_or_hold(_OfQueue(channel, told))

    def _handle_or_hold(self, event: models.Event | _OfQueue) -> None:
        if self._held is not None:
            self._held.append(event)
        else:
            self._handle(event)

    def _handle(self, event: models.Event | _OfQueue) -> None:
        try:
            self._on_event(event)
        except Exception:
            self._metrics.engine_error()
            log.exception("event not handled", event_type=type(event).__name__)

    def on_down(self, reason: str) -> None:
        """Asterisk is out of sight: hold everything until it is back."""
        self._metrics.ari_lost()
        if self._held is None:
            self._seen_at, self._held = self._clock(), []
        self._supervisions.lose()
        self._dead_men.forget()
        self._transfers.forget()
        for live in self._calls.values():
            live.names.clear()  # They may be others when we are back.
        if self._recovery:
            self._recovery.cancel()
        log.warning("asterisk out of sight", reason=reason, live_calls=len(self._calls))

    def on_replaced(self) -> None:
        """Another router has our application name and answers for all calls now; we touch none again."""
        self._held = []
        self._dead_men.forget()
        self._supervisions.forget()
        if self._recovery:
            self._recovery.cancel()
        for live in self._calls.values():
            live.cancel_timers()
        log.error("another router took over our application; this one stops", app=self._outbound.app)

    # Arrival

    def _arrive(self, channel: models.Channel, entrance: wire.Entrance) -> None:
        plan = _TO_BREAK_GLASS if self.draining else None
        live, commands = self._enter(channel, entrance, self._clock(), plan)
        self._carry_out(live, commands)

    def _take_up(self, channel: models.Channel, entrance: wire.Entrance, talk: TalkFound) -> None:
        """A talk that came about unseen: who is called is known by now, so the call has no other plan."""
        phone = Target(talk.dial, talk.dial)
        plan = CallPlan((PlanNode(Ring(((phone,),), 0.0)),))
        live, _ = self._enter(channel, entrance, datetime.fromisoformat(channel.creationtime), plan)
        self._take(live, talk, self._clock())
        self._keep(live)  # Its legs are others than those it began with.
        log.info("talk taken over", call_id=live.call.info.id, since=talk.since.isoformat())

    def _enter(
        self, channel: models.Channel, entrance: wire.Entrance, arrived: datetime, plan: CallPlan | None
    ) -> tuple[LiveCall, Commands]:
        """A call is ours from now on, with the plan that the rules decide unless it is given another one."""
        caller = channel.caller
        arriving = Arriving(entrance.dialled, caller.number, caller.name, entrance.variables)
        facts = read_facts(arriving, self.rules, arrived, self._turn, self._callers.known, self.queues.loads)
        self._turn += 1
        decision = decide(self.rules, facts)
        info = make_info((*self._asterisk, channel.id), facts, decision)
        self._metrics.screened(info.client, decision.trace)
        live, commands = self._begin(info, plan or self._told(decision), decision.trace)
        live.names[CALLER] = channel.name
        return live, commands

    def _begin(self, info: CallInfo, plan: CallPlan, trace: Sequence[TraceRow]) -> tuple[LiveCall, Commands]:
        call, commands = machine.begin(info, plan, info.arrived_at)
        self._journal.arrived(info, _encode(call.plan), _encode(trace))
        self._metrics.call_entered(call.phase)
        self._log.debug("call arrived", call_id=info.id, client=info.client, route=info.route,
                        caller=info.caller, dialled=info.dialled)  # fmt: skip
        return self._keep(LiveCall(call)), commands

    def _on_agent(self, channel: models.Channel, keyed: Keyed) -> None:
        """An agent's phone dialled a feature code: do it, and say so."""
        endpoint = wire.endpoint_of(channel.name)
        agents = agents_at(self.rules, endpoint)
        reply = self.queues.key_in(agents, keyed, endpoint)
        key, exten = (*self._asterisk, channel.id), channel.dialplan.exten
        client = agents[0].client if agents else None
        route, version = f"agent {reply.phrase.removeprefix('agent_').replace('_', ' ')}", self.rules.version
        info = CallInfo(
            call_id(*key), *key, exten, channel.caller.number, client, route, version, self._clock()
        )
        live, commands = self._begin(info, confirmation(self.rules, agents, reply), ())
        live.names[CALLER] = channel.name
        self._carry_out(live, commands)

    def _told(self, decision: Decision) -> CallPlan:
        """The plan, with hours put into words."""
        client = self.rules.clients[decision.client] if decision.client else None
        return openings.told(decision.plan, client.hours, decision.now) if client else decision.plan

    def _keep(self, live: LiveCall) -> LiveCall:
        call = live.call
        self._calls[call.info.id] = live
        for leg in call.legs:
            if (
                leg.state is not LegState.ABSENT
            ):  # What is there nevertheless, a dead process made: a stranger.
                self._legs[wire.channel_id(call, leg.number)] = (live, leg.number)
        return live

    # Events of known calls

    def _on_event(self, event: models.Event | _OfQueue) -> None:
        if isinstance(event, _OfQueue):
            if known := self._legs.get(event.channel):
                self._take(known[0], event.told, self._clock())
            return
        if isinstance(event, models.PlaybackFinished):
            self._on_playback_finished(event.playback)
            return
        if isinstance(event, models.RecordingFinished | models.RecordingFailed):
            self._on_recording_ended(event)
            return
        if isinstance(event, models.ApplicationReplaced):
            return  # The connection's own affair.
        if isinstance(event, models.BridgeAttendedTransfer):
            self._transfers.attended(event)
            return
        channel = event.channel
        known = self._legs.get(channel.id)
        if known is None and isinstance(event, _OF_AN_END) and self._transfers.look(event):
            known = self._legs.get(channel.id)
        if known is None:
            if isinstance(event, models.StasisStart):
                self._on_stranger(event)
            else:
                self._supervisions.take(event)
            return  # Not ours: subscribeAll shows us every channel of this Asterisk.
        live, leg = known
        live.names[leg] = channel.name
        told = queuewire.read_event(event, leg)
        if told is not None:
            self._take(live, told, self._clock())

    def _on_stranger(self, event: models.StasisStart) -> None:
        entrance = wire.read_entrance(event.args)
        if entrance is not None:
            self._arrive(event.channel, entrance)
            self._metrics.event_handled(_lag(event.timestamp, self._clock()))
        elif (keyed := wire.read_agent_code(event.args)) is not None:
            self._on_agent(event.channel, keyed)
        elif self._supervisions.enter(event, self.rules, self._asterisk, draining=self.draining):
            pass
        elif event.replace_channel is not None:
            self._transfers.replaced(event.replace_channel, event.channel)
        elif queuewire.read_return(event.args) is not None:
            self._to_break_glass(event.channel)
        elif event.args[:1] != (wire.LEG,):  # A leg of a call that is over is gone soon.
            log.error("channel left alone", channel=event.channel.name, remedy=_ENTRANCE)

    def _end_channel(self, channel_id: str) -> None:
        assert self._wire
        self._wire.send("DELETE", f"channels/{channel_id}", {"reason_code": "21"})

    def _to_break_glass(self, channel: models.Channel) -> None:
        """A caller is back from a queue of Asterisk's own, of whose call nothing is known any more."""
        assert self._wire
        log.error("call of a caller back from a queue is unknown", channel=channel.name)
        there = {"context": queuewire.BREAK_GLASS, "extension": "s", "priority": "1"}
        self._wire.send("POST", f"channels/{channel.id}/continue", there)

    def _on_playback_finished(self, playback: models.Playback) -> None:
        ours = wire.read_id(playback.id)
        if ours is None:
            self._supervisions.played(playback)
        live = self._calls.get(ours.call_id) if ours else None
        # With subscribeAll it comes twice: as the bridge's event, and as one of all events (22.10.1).
        if live and (number := wire.read_playback(playback.id)) in live.call.playing:
            ended = PlaybackEnded(number, failed=playback.state == "failed")
            self._take(live, ended, self._clock())

    def _on_recording_ended(self, event: models.RecordingFinished | models.RecordingFailed) -> None:
        ours = wire.read_id(event.recording.name)
        live = self._calls.get(ours.call_id) if ours else None
        if live and (ended := wire.read_recording(event)).recording == live.call.recording:
            # It comes twice, as the end of a prompt does.
            self._take(live, ended, self._clock())

    def _take(self, live: LiveCall, event: CallEvent, now: datetime) -> None:
        """One step of a call, which an error does not leave."""
        if isinstance(live.call.state, Over):
            return
        try:
            self._step(live, event, now)
        except Exception:
            self._metrics.engine_error()
            log.exception("step failed", call_id=live.call.info.id, told=type(event).__name__)
            live.cancel_timer(deadman.TIMER)

    def _step(self, live: LiveCall, event: CallEvent, now: datetime) -> None:
        """State, journal, commands."""
        before = live.call
        live.call, commands = machine.step(before, event, now)
        if event != _TICK:
            live.seq += 1
            self._journal.happened(before.info.id, live.seq, now, _encode(event))
        if isinstance(event, LegReplaced):
            self._keep(live)  # It may have a leg more, on a channel that is not ours.
        if isinstance(event, KeyPressed) and isinstance(before.state, Asking):
            assert before.position is not None
            place = before.plan.nodes[before.position].place
            self._metrics.key_pressed(before.info.client, place, event.key)
        if live.call.phase is not before.phase:
            self._metrics.phase_changed(before.phase, live.call.phase)
        self._carry_out(live, commands)
        if isinstance(live.call.state, Talking) is not isinstance(before.state, Talking):
            self._supervisions.look()
        if live.call.outlives_us and not before.outlives_us:
            self._note_if_idle()

    # Commands

    def _carry_out(self, live: LiveCall, commands: Iterable[CallCommand]) -> None:
        for command in commands:
            match command:
                case SetTimer(name, seconds):
                    live.set_timer(name, seconds, partial(self._on_timer, live))
                case CancelTimer(name):
                    live.cancel_timer(name)
                case Finish(record):
                    self._finish(live, record)
                case JoinQueue() | LeaveQueue() | OfferFailed() | OfferTaken() | TellPosition():
                    self.queues.take(live.call, command)
                case ReadNumber(text):
                    self._soon(live, read_number(text, live.call.info.client, self.rules))
                case FindPeople(keys):
                    self._soon(live, find_people(keys, live.call.info.client, self.rules))
                case ChoosePerson(person):
                    client, now = live.call.info.client, self._clock()
                    self._soon(live, choose_person(person, client, self.rules, now, self._turn))
                case AskIfFollowed(since) if self._watch is not None:
                    self._watch.answer(live.call, since)
                case AskIfFollowed():
                    self._soon(live, AsteriskQueueFollowed(whole=False))
                case EnterAsteriskQueue():
                    for request in queuewire.write(live.call, command):
                        self._send_for_all(request, [(live, command)])
                case FindTransfer():
                    ways = Ways(self.rules, self._clock(), self._turn, self.queues.loads)
                    self._soon(live, find_transfer(live.call, command, ways))
                case SetDeadMan() | LiftDeadMan():
                    self._dead_men.take(live, command)
                case _:
                    if isinstance(command, CreateLeg):
                        channel = wire.channel_id(live.call, command.leg)
                        self._legs[channel] = (live, command.leg)
                    self._send(live, command)

    def _tell_soon(self, call_id: str, event: CallEvent) -> None:
        live = self._calls.get(call_id)
        if live is not None:
            self._soon(live, event)

    def _soon(self, live: LiveCall, event: CallEvent) -> None:
        """Tell a call something once the step that it takes now is over."""
        asyncio.get_running_loop().call_soon(self._told_soon, live, event)

    def _told_soon(self, live: LiveCall, event: CallEvent) -> None:
        if self._held is None:  # Else RouterReturned has the step ask again, or do without.
            self._take(live, event, self._clock())

    def _look_at_phone(self, phone: str, tell: Callable[[bool], None]) -> None:
        """Tell whether somebody talks or rings there, other than in a call that is about to end."""
        assert self._wire

        def replied(reply: Reply) -> None:
            channels = wire.read_channel_ids(reply.body) if reply.ok else ()
            tell(any(map(self._goes_on, channels)))

        self._wire.send("GET", f"endpoints/{phone}", on_reply=replied)

    def _goes_on(self, channel: str) -> bool:
        known = self._legs.get(channel)
        if known is None:
            return wire.read_id(channel) is None  # Of a call of ours that is over it is gone soon.
        live, leg = known
        return not isinstance(live.call.state, Ending | Over) and live.call.legs[leg].intent is None

    def _send(self, live: LiveCall, command: wire.WireCommand) -> None:
        for request in wire.write(live.call, command, self._outbound):
            self._send_for_all(request, [(live, command)])

    def _send_for_all(self, request: wire.Request, told: Sequence[tuple[LiveCall, CallCommand]]) -> None:
        """Send what carries out these commands, and have each call know if it fails."""
        assert self._wire
        on_reply = partial(self._on_reply, told, request.done)
        self._wire.send(request.method, request.path, request.query, request.body, on_reply)

    def _on_reply(
        self, told: Sequence[tuple[LiveCall, CallCommand]], done: tuple[int, ...], reply: Reply
    ) -> None:
        if 200 <= reply.status < 300 or reply.status in done:
            return
        if self._held is not None or reply.connection_lost:
            return  # Whether it was done, the comparison after the reconnect will show.
        for live, command in told:
            self._on_failure(live, command, reply)

    def _on_failure(self, live: LiveCall, command: CallCommand, reply: Reply) -> None:
        name = type(command).__name__
        self._metrics.command_failed(name, reply.status)
        log.info("command failed", call_id=live.call.info.id, command=name, status=reply.status,
                 reason=reply.reason)  # fmt: skip
        leg: int = getattr(command, "leg", CALLER)
        self._take(live, CommandFailed(name, leg, reply.status, reply.reason), self._clock())

    def _on_timer(self, live: LiveCall, name: str) -> None:
        if self._held is None:
            self._take(live, TimerFired(name), self._clock())

    def _finish(self, live: LiveCall, record: CallRecord) -> None:
        live.cancel_timers()
        if wants_return(live.call):
            self._call_back(live.call)  # Written before the end: either both are, or this is done again.
        self._journal.ended(record)
        self._metrics.call_ended(record)
        if PROMPT_FAILED in record.flags:
            self._metrics.prompt_failed()
        if record.message is not None:
            self._message_left()
        info = record.info
        self._log.info("call ended", call_id=info.id, client=info.client, route=info.route,
                       caller=info.caller, dialled=info.dialled, disposition=record.disposition,
                       reason=record.reason, hung_up_by=record.hung_up_by,
                       wait_seconds=round(record.wait_seconds, 3),
                       talk_seconds=round(record.talk_seconds, 3))  # fmt: skip
        self._calls.pop(record.info.id, None)
        for leg in live.call.legs:
            self._legs.pop(wire.channel_id(live.call, leg.number), None)
        self._note_if_idle()

    def _call_back(self, call: Call) -> None:
        """Begin the call to somebody who keeps a place in a queue, unless that was done."""
        made = return_call(call, self.rules, self._asterisk, self._clock())
        if isinstance(made, str):
            log.warning("caller cannot be called back", call_id=call.info.id, reason=made)
            return
        info, plan = made
        if info.id not in self._calls:
            self._carry_out(*self._begin(info, plan, ()))

    # Stopping

    def drain(self) -> None:
        """Take no new calls: from now on they go to the break-glass branch of the dialplan."""
        self.draining = True
        self._dead_men.hurry()
        self._note_if_idle()

    def _note_if_idle(self) -> None:
        if self.draining and all(live.call.outlives_us for live in self._calls.values()):
            self.idle.set()

    # Recovery

    async def _adopt(self) -> None:
        """Take over the calls that a process before us left open, by replay.

        The last that is written of them is when Asterisk was last seen.
        """
        try:
            saved = await self._open_calls(self._asterisk[0])
        except Exception:
            self._adopted = True  # Tried later, it would be the calls that we ourselves have open by then.
            raise
        self._adopted = True
        ended: list[tuple[LiveCall, Commands]] = []
        for old in saved:
            last = old.timeline[-1].at if old.timeline else old.info.arrived_at
            self._seen_at = max(self._seen_at or last, last)
            try:
                live, commands = self._replay(old)
            except Exception:
                self._metrics.engine_error()
                log.exception("saved call cannot be taken over", call_id=old.info.id)
            else:
                ended += [(live, commands)] if isinstance(live.call.state, Over) else []
        for live, commands in ended:
            # Everything was seen but the record: it is made again of the same events.
            self._carry_out(live, [command for command in commands if isinstance(command, Finish)])

    def _replay(self, old: OpenCall) -> tuple[LiveCall, Commands]:
        """The call as it was, and the commands of its last step."""
        call, commands = machine.begin(old.info, _decode_plan(old.plan), old.info.arrived_at)
        for row in old.timeline:
            call, commands = machine.step(call, _decode_event(row.event), row.at)
        self._metrics.call_entered(call.phase)
        return self._keep(LiveCall(call, old.next_seq - 1)), commands

    async def _recover(self) -> None:
        """Compare, and go on. If that fails, go on without: new callers are served, and those who waited are
        left to their dead-man timers."""
        try:
            await self._compare()
        except Exception:
            self._metrics.engine_error()
            log.exception("comparison with asterisk failed")
            self._release()

    def _release(self) -> list[models.Event | _OfQueue]:
        """Hold no events any longer; those that were held."""
        held, self._held = self._held or [], None
        for event in held:
            self._handle(event)
        return held

    async def _compare(self) -> None:
        """Make what we know true by what Asterisk shows."""
        assert self._wire
        if not self._adopted:
            await self._adopt()
        for live in list(self._calls.values()):
            another = (live.call.info.asterisk_id, live.call.info.asterisk_started) != self._asterisk
            if another and live.call.caller.state is not LegState.ABSENT:
                self._take(live, AsteriskLost(), self._clock())
        told, self._held = self._held or [], []
        for event in told:  # Some may be older than the gap: what has changed since, the reads will show.
            self._handle(event)
        known = list(self._calls.values())
        sightings, everything = await asyncio.gather(
            recovery.sight(self._wire.ask, self._wire.http, [live.call for live in known]),
            recovery.see_everything(self._wire.http),
        )
        held = self._release()
        self._supervisions.clear_up(everything, self._asterisk)
        now = self._clock()
        self.queues.restore(live.call for live in known)
        for live in known:
            for event_missed in missed(live.call, sightings[live.call.info.id], self._seen_at):
                self._take(live, event_missed, now)
        if self._watch is not None and self.in_asterisk_queues():
            self._watch.look()
        if everything:
            ended = {event.channel.id for event in held if isinstance(event, _ENDS)}
            ended |= {live.call.info.channel for live in known}
            self._deal_with_strangers(everything, ended)
        else:
            log.error("asterisk cannot list its channels; legs without a call may be left", remedy=_REMEDY)
        log.info("in touch with asterisk", live_calls=len(self._calls), taken_over=len(known))

    def _deal_with_strangers(self, everything: recovery.Everything, ended: Set[str]) -> None:
        """Hang up legs and remove bridges of calls that are over; take in callers whom nobody knows, but not
        those who `ended` since Asterisk was asked."""
        assert self._wire
        found = recovery.find_strangers(
            everything, self._calls, self._legs, self._outbound.app, self._asterisk
        )
        for channel_id in found.legs:
            self._wire.send("DELETE", f"channels/{channel_id}", {"reason_code": "16"})
        for bridge_id in found.bridges:
            self._wire.send("DELETE", f"bridges/{bridge_id}")
        for caller in found.callers:
            if caller.channel.id not in ended:
                self._arrive(*caller)
        for caller, talk in found.talks:
            if caller.channel.id not in ended:
                self._take_up(*caller, talk)
        if found.spared:
            log.warning("talks of unknown calls go on", call_ids=sorted(found.spared))
