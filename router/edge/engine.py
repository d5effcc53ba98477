"""The engine: one event in, one step of its call, journal, commands on the wire. Synchronous.

There is no task per call and none per command. The connection's reader calls `on_event`; the engine finds the
call by the channel's id, lets the call machine take the step, journals the event and sends the commands, and
returns. Channels that no call knows are another's affair (arrivals.py).

While Asterisk is out of sight, and until it is known how things stand (reconciliation.py), events are held. A
timer that runs out meanwhile is forgotten, since a command sent into the void would be a lie in the journal:
RouterReturned sets all those anew that still count.

An error in the handling of one call stays in that call: its dead-man timer is set anew no more, so unless
the call goes on by itself Asterisk takes the caller back to the dialplan.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, assert_never

import structlog

from router.core import deadman, machine, notices
from router.core.answers import answer
from router.core.arrival import Arriving
from router.core.call import CALLER, PROMPT_FAILED, Asking, Call, Over, Talking
from router.core.commands import (
    AskIfFollowed,
    CallCommand,
    CancelTimer,
    CancelTimers,
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
    PutTag,
    ReadNumber,
    SetDeadMan,
    SetTimer,
    TellPosition,
)
from router.core.decide import Decision
from router.core.events import (
    AsteriskQueueFollowed,
    CallerReplaced,
    CallEvent,
    CommandFailed,
    KeyPressed,
    LegReplaced,
    PlaybackEnded,
    TimerFired,
)
from router.core.facts import Facts
from router.core.phrases import named
from router.core.record import CallRecord
from router.core.returning import wants_return
from router.core.ruleset import RuleSet
from router.core.transferring import Ways
from router.edge import liveviews, queuewire
from router.edge.ari import models, wire
from router.edge.ari.rest import Reply
from router.edge.arrivals import Arrivals
from router.edge.callers import Callers
from router.edge.calllog import CallLog
from router.edge.deadmen import DeadMen
from router.edge.livecall import LiveCall, LiveCalls
from router.edge.liveviews import SeenCall
from router.edge.metrics import Metrics
from router.edge.phones import Phones
from router.edge.ports import Journal, OpenCalls, QueueWatch, SpeakNames, Wire
from router.edge.queues import Note, Queues
from router.edge.reconciliation import Reconciliation
from router.edge.store.outbox import Noticed
from router.edge.supervision import Supervisions
from router.edge.transfers import Transfers

log = structlog.get_logger()

_CLOCK = partial(datetime.now, UTC)

_TICK = TimerFired(deadman.TIMER)
"""Changes no state, so it is not journalled."""

_ENDS = (models.StasisEnd, models.ChannelDestroyed)

_MOVES = (LegReplaced, CallerReplaced)

_OF_AN_END = (models.ChannelHangupRequest, *_ENDS)


class _OfQueue(NamedTuple):
    """What happened in a queue of Asterisk's own, to the caller with that channel."""

    channel: str
    told: CallEvent


_OfNoChannel = (
    _OfQueue
    | models.PlaybackFinished
    | models.RecordingFinished
    | models.RecordingFailed
    | models.BridgeAttendedTransfer
    | models.ApplicationReplaced
)


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
        speak: SpeakNames = lambda names: None,
        clock: Callable[[], datetime] = _CLOCK,
    ) -> None:
        """`message_left` hears of every call whose record has a message, `note` of agents who came and went
        otherwise than by command, `speak` of names of callers that may be whispered."""
        self.rules = rules
        """The rules for calls that arrive now; those in flight keep their plan."""
        self.draining = False
        self.idle = asyncio.Event()
        """Set, while draining, once nobody waits for us: every live call, if any, is two people talking, or
        in a queue of Asterisk's own."""
        self._journal = journal
        self._metrics = metrics
        self._outbound = outbound
        self._message_left = message_left
        self._callers = callers
        self._speak = speak
        self._clock = clock
        calls = LiveCalls()
        self._live_calls = calls
        self._calls, self._legs = calls.by_id, calls.by_channel
        self._phones = Phones(calls)
        queues = Queues(self._tell_soon, clock, note, self._phones.look, journal.tagged, journal.wrapped_up)
        queues.use(rules)
        self.queues = queues
        self._loop: asyncio.AbstractEventLoop
        """From `on_up` on. To ask for the running one is a system call in Python 3.11."""
        self._wire: Wire | None = None
        self._watch: QueueWatch | None = None
        supervisions = Supervisions(self._calls, outbound, journal, metrics, self._tell_soon, clock)
        self._supervisions = supervisions
        self._dead_men = DeadMen(outbound.dead_man, self._send_for_all)
        self.call_log = CallLog()
        self._transfers = Transfers(
            self._legs,
            lambda: self.rules,
            lambda live, event: self._take(live, event, clock()),
            self._end_channel,
            self._on_event,
            supervisions.has,
        )
        self._arrivals = Arrivals(
            rules, calls, queues, supervisions, self._transfers, callers, journal, metrics,
            self._carry_out, self._take, clock, speak,
        )  # fmt: skip
        self._reconciliation = Reconciliation(
            calls, self._arrivals, queues, supervisions, open_calls, metrics, outbound.app,
            self._take, self._finish, self._tell_held, clock,
        )  # fmt: skip
        self._held: list[models.Event | _OfQueue] | None = []
        """What came while we do not know how things stand; None while we do."""

    @property
    def asterisk(self) -> str:
        """The id of the Asterisk that we are, or were last, in touch with; empty before there was one."""
        return self._arrivals.asterisk[0]

    @property
    def in_touch(self) -> bool:
        """True while Asterisk talks to us and we know how its calls stand."""
        return self._held is None

    def seen(self) -> list[SeenCall]:
        """All live calls, as they stand."""
        return liveviews.seen(live.call for live in self._calls.values())

    def use(self, rules: RuleSet) -> None:
        """Decide by these for calls that arrive from now on."""
        self.rules = rules
        self.queues.use(rules)
        self._supervisions.use(rules)
        self._arrivals.use(rules)

    def advise(self, arriving: Arriving, now: datetime, channel: str) -> tuple[Facts, Decision]:
        """Decide of who is in a dialplan of the administrator's own, which is no call of ours."""
        return self._arrivals.advise(arriving, now, channel)

    # What the connection reports

    def attach(self, connection: Wire) -> None:
        """Name the connection that carries the commands; once, before it runs."""
        self._wire = connection
        self._phones.attach(connection)
        self._supervisions.attach(connection)
        self._arrivals.attach(connection)
        self._reconciliation.attach(connection)

    def watch_by(self, watch: QueueWatch) -> None:
        """Name what follows callers in Asterisk's own queues; once, before the connection runs."""
        self._watch = watch
        self._reconciliation.watch_by(watch)

    def on_up(self, info: models.AsteriskInfo) -> None:
        """Asterisk is there: compare what it shows with what we know. Until that is done, events are held."""
        assert info.system and info.status  # noqa: PT018 - asked for by the connection, always there
        asterisk = (info.system.entity_id, info.status.startup_time)
        if self._arrivals.asterisk != asterisk:
            self._held = []  # The channels of the other one are gone.
        self._arrivals.asterisk = asterisk
        self._loop = asyncio.get_running_loop()
        self._metrics.ari_connected()
        self._reconciliation.begin(asterisk)

    def on_event(self, event: models.Event | _OfQueue) -> None:
        """One event of Asterisk. An error in one call's handling is logged and stays in that call."""
        if self._held is None:
            self._handle(event)
        else:
            self._held.append(event)

    def in_asterisk_queues(self) -> list[Call]:
        """The calls whose callers are in one."""
        return self._live_calls.in_asterisk_queues()

    def on_queue_event(self, channel: str, told: CallEvent) -> None:
        """Something happened in a queue of Asterisk's own to the caller with that channel."""
        if channel in self._legs:  # There are other callers in such queues.
            self.on_event(_OfQueue(channel, told))

    def _handle(self, event: models.Event | _OfQueue) -> None:
        try:
            self._on_event(event)
        except Exception:
            self._metrics.engine_error()
            log.exception("event not handled", event_type=type(event).__name__)

    def _tell_held(self, go_on_holding: bool) -> set[str]:
        """Handle what was held; the channels that ended in it."""
        held, self._held = self._held or [], [] if go_on_holding else None
        for event in held:
            self._handle(event)
        return {event.channel.id for event in held if isinstance(event, _ENDS)}

    def on_down(self, reason: str) -> None:
        """Asterisk is out of sight: hold everything until it is back."""
        self._metrics.ari_lost()
        if self._held is None:
            self._held = []
            self._reconciliation.lose_sight()
        self._supervisions.lose()
        self._dead_men.forget()
        self._transfers.forget()
        for live in self._calls.values():
            live.names.clear()  # They may be others when we are back.
        self._reconciliation.stop()
        log.warning("asterisk out of sight", reason=reason, live_calls=len(self._calls))

    def on_replaced(self) -> None:
        """Another router has our application name and answers for all calls now; we touch none again."""
        self._held = []
        self._dead_men.forget()
        self._supervisions.forget()
        self._reconciliation.stop()
        for live in self._calls.values():
            live.cancel_timers()
        log.error("another router took over our application; this one stops", app=self._outbound.app)

    # Events of known calls

    def _on_event(self, event: models.Event | _OfQueue) -> None:
        if isinstance(event, _OfNoChannel):
            self._on_other(event)
            return
        channel = event.channel
        known = self._legs.get(channel.id)
        if known is None and isinstance(event, _OF_AN_END) and self._transfers.look(event):
            known = self._legs.get(channel.id)
        if known is None:
            if isinstance(event, models.StasisStart):
                self._arrivals.take(event)
            else:
                if isinstance(event, models.ChannelHangupRequest) and self._watch:
                    self._watch.hung_up(channel.id, bool(event.soft))
                self._supervisions.take(event)
            return  # Not ours: subscribeAll shows us every channel of this Asterisk.
        if isinstance(event, _OF_AN_END) and self._transfers.holds(event):
            return
        live, leg = known
        live.names[leg] = channel.name
        told = queuewire.read_event(event, leg)
        if told is not None:
            self._take(live, told, self._clock())

    def _on_other(self, event: _OfNoChannel) -> None:
        match event:
            case _OfQueue(channel, told):
                if known := self._legs.get(channel):
                    self._take(known[0], told, self._clock())
            case models.PlaybackFinished():
                self._on_playback_finished(event.playback)
            case models.RecordingFinished() | models.RecordingFailed():
                self._on_recording_ended(event)
            case models.BridgeAttendedTransfer():
                self._transfers.attended(event)
            case models.ApplicationReplaced():
                pass  # The connection's own affair.
            case _:
                assert_never(event)

    def _end_channel(self, channel_id: str) -> None:
        assert self._wire
        self._wire.send("DELETE", f"channels/{channel_id}", {"reason_code": "21"})

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
            told = notices.of_step(before, live.call, event, live.seq, now)
            noticed = None if told is None else Noticed(before.info.asterisk_id, told)
            self._journal.happened(before.info.id, live.seq, now, event, noticed)
        if isinstance(event, _MOVES):
            self._live_calls.moved(before, live)
        if isinstance(event, KeyPressed) and isinstance(before.state, Asking):
            assert before.position is not None
            place = before.plan.nodes[before.position].place
            self._metrics.key_pressed(before.info.client, place, event.key)
        if live.call.phase is not before.phase:
            self._metrics.phase_changed(before.info, before.phase, live.call.phase)
        if live.call.info.name and live.call.plan is not before.plan:
            self._speak(named(live.call.plan, live.call.info.name))
        self._carry_out(live, commands)
        if isinstance(live.call.state, Talking) is not isinstance(before.state, Talking):
            self._supervisions.look()
        if live.call.outlives_us and not before.outlives_us:
            self._note_if_idle()

    # Commands

    def _carry_out(self, live: LiveCall, commands: Iterable[CallCommand]) -> None:
        for command in commands:
            match command:
                case CancelTimer(name):
                    live.cancel_timer(name)
                case CancelTimers():
                    live.cancel_timers()
                case _ if isinstance(command, wire.WIRE_COMMANDS):
                    if isinstance(command, CreateLeg):
                        self._legs[wire.channel_id(live.call, command.leg)] = (live, command.leg)
                    self._send(live, command)
                case SetTimer(name, seconds):
                    live.set_timer(self._loop, name, seconds, partial(self._on_timer, live))
                case Finish(record):
                    self._finish(live, record)
                case PutTag(tag):
                    info = live.call.info
                    told = notices.of_tag(tag, notices.About.of(info))
                    self._journal.tagged(tag, Noticed(info.asterisk_id, told))
                case JoinQueue() | LeaveQueue() | OfferFailed() | OfferTaken() | TellPosition():
                    self.queues.take(live.call, command)
                case AskIfFollowed(since) if self._watch is not None:
                    self._watch.answer(live.call, since)
                case AskIfFollowed():
                    self._soon(live, AsteriskQueueFollowed(whole=False))
                case EnterAsteriskQueue():
                    for request in queuewire.write(live.call, command):
                        self._send_for_all(request, [(live, command)])
                case SetDeadMan() | LiftDeadMan():
                    self._dead_men.take(live, command)
                case ReadNumber() | FindPeople() | ChoosePerson() | FindTransfer():
                    self._soon(live, answer(live.call, command, self._ways(live.call)))
                case _:
                    raise TypeError(command)

    def _ways(self, call: Call) -> Ways:
        callers = self._callers
        return Ways(
            self.rules,
            self._clock(),
            self._arrivals.turn,
            self.queues.loads,
            callers.contact_of,
            call.plan.language,
            callers.spared,
        )

    def _tell_soon(self, call_id: str, event: CallEvent) -> None:
        live = self._calls.get(call_id)
        if live is not None:
            self._soon(live, event)

    def _soon(self, live: LiveCall, event: CallEvent) -> None:
        """Tell a call something once the step that it takes now is over."""
        self._loop.call_soon(self._told_soon, live, event)

    def _told_soon(self, live: LiveCall, event: CallEvent) -> None:
        if self._held is None:  # Else RouterReturned has the step ask again, or do without.
            self._take(live, event, self._clock())

    def _send(self, live: LiveCall, command: wire.WireCommand) -> None:
        for request in wire.write(live.call, command, self._outbound):
            self._send_for_all(request, [(live, command)])

    def _send_for_all(self, request: wire.Request, told: Sequence[tuple[LiveCall, CallCommand]]) -> None:
        """Send what carries out these commands, and have each call know if it fails."""
        assert self._wire
        on_reply = partial(self._not_done, told, request.done)
        self._wire.send(request.method, request.path, request.query, request.body, on_reply, unless_ok=True)

    def _not_done(
        self, told: Sequence[tuple[LiveCall, CallCommand]], done: tuple[int, ...], reply: Reply
    ) -> None:
        if reply.status in done or self._held is not None or reply.connection_lost:
            return  # It is so already, or the comparison after the reconnect will show whether.
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
        if wants_return(live.call, record):
            # Written before the end: either both are, or this is done again.
            self._arrivals.call_back(live.call)
        self._journal.ended(record)
        self._metrics.call_ended(record)
        if PROMPT_FAILED in record.flags:
            self._metrics.prompt_failed()
        if record.message is not None:
            self._message_left()
        self.call_log.ended(record)
        self._live_calls.drop(live.call)
        self._note_if_idle()

    # Stopping

    def drain(self) -> None:
        """Take no new calls: from now on they go to the break-glass branch of the dialplan."""
        self.draining = True
        self._arrivals.drain()
        self._dead_men.hurry()
        self._note_if_idle()

    def _note_if_idle(self) -> None:
        if self.draining and all(live.call.outlives_us for live in self._calls.values()):
            self.idle.set()
