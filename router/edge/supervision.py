"""Supervisors at their phones: the machine of each (core/supervising.py), its clock, and the way to Asterisk.

A supervisor's channel has a dead-man timer that is set anew while we live, and so has each snoop: if we die,
Asterisk ends them within its seconds, and the talk they heard goes on. After a gap in sight of Asterisk
whoever supervised is hung up on, since nobody knows what they heard meanwhile, and what a process before us
left is removed, too. The audit has it as unobserved.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog
from msgspec.structs import replace

from router.core.arrival import call_id
from router.core.events import CallEvent, Supervised
from router.core.ruleset import RuleSet
from router.core.supervising import begin, refuse, step
from router.core.supervision import (
    Began,
    Command,
    Ended,
    Event,
    HangUp,
    Join,
    Joined,
    KeyPressed,
    Open,
    Opening,
    Outcome,
    Over,
    Play,
    PlaybackEnded,
    Refusal,
    Snoop,
    SnoopEnded,
    SnoopReady,
    Stretch,
    Supervision,
    SupervisorLeft,
    Talk,
    TalksLooked,
)
from router.core.supervisors import Permits, Wish, owner_of, permits, speech_of, talk_of, wanted
from router.edge.ari import models, snooping, wire
from router.edge.ari.rest import Reply
from router.edge.livecall import LiveCall
from router.edge.metrics import Metrics
from router.edge.ports import Journal, Wire
from router.edge.recovery import STASIS, Everything

log = structlog.get_logger()

REFRESH = 3.8
"""Seconds between two looks at everything that lasts, in which dead-man timers are set anew."""

AT_ONCE = 50
"""Channels whose timers one request sets."""


class _Live:
    """One supervisor, and what is kept beside the machine's state."""

    __slots__ = ("asterisk", "channel", "name", "permits", "rules", "supervision")

    def __init__(
        self, supervision: Supervision, channel: models.Channel, rules: RuleSet, asterisk: str
    ) -> None:
        self.supervision = supervision
        self.asterisk = asterisk
        self.channel = channel.id
        self.name = channel.name
        self.rules = rules
        """By which the permits are."""
        self.permits: Permits = permits(rules, supervision.endpoint)


class Supervisions:
    """All supervisors who are at it."""

    def __init__(
        self,
        calls: Mapping[str, LiveCall],
        outbound: wire.Outbound,
        journal: Journal,
        metrics: Metrics,
        tell: Callable[[str, CallEvent], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`calls` are all live ones by id, `tell` has one of them know something."""
        self._calls = calls
        self._outbound = outbound
        self._journal = journal
        self._metrics = metrics
        self._tell = tell
        self._clock = clock
        self._wire: Wire | None = None
        self._live: dict[str, _Live] = {}
        """By the supervision's id."""
        self._phones: dict[str, _Live] = {}
        """By the id of the supervisor's channel."""
        self._left: list[str] = []
        """Paths of what is to be removed once Asterisk is there again."""
        self._known_since = clock()
        """What began before is nothing that we have seen to its end."""
        self._timer: asyncio.TimerHandle | None = None
        self._looking = False

    def attach(self, connection: Wire) -> None:
        """Name the connection that carries the commands."""
        self._wire = connection

    # What the engine reports

    def enter(
        self, event: models.StasisStart, rules: RuleSet, key: tuple[str, str], *, draining: bool
    ) -> bool:
        """A channel that nobody knows has entered; True if it is ours. `key` is the first half of every call
        key: Asterisk's id and its startup time."""
        assert self._wire
        channel = event.channel
        if event.replace_channel is not None:
            return False  # A party wishes to be transferred, and brings what the dialplan never said.
        if tuple(event.args) == (snooping.SNOOP,):
            live = self._live.get(snooping.supervision_of(channel.id) or "")
            if live is None:
                self._wire.send("DELETE", f"channels/{channel.id}")
            else:
                self._step(live, SnoopReady(snooping.snoop_of(channel.id) or 0))
            return True
        wish = snooping.read_wish(event.args)
        if wish is None:
            return False
        if draining:
            self._wire.send("DELETE", f"channels/{channel.id}", {"reason_code": "42"})
        else:
            self._begin(channel, wish, rules, key)
        return True

    def has(self, channel: str) -> bool:
        """True of a supervisor's, and of a snoop."""
        return channel in self._phones or snooping.snoop_of(channel) is not None

    def take(self, event: models.Event) -> None:
        """What happened to a channel that is no call's."""
        if not self._live:
            return
        match event:
            case models.ChannelDtmfReceived():
                live = self._phones.get(event.channel.id)
                told: Event = KeyPressed(event.digit)
            case models.ChannelHangupRequest() | models.StasisEnd() | models.ChannelDestroyed():
                channel = event.channel.id
                live, told = self._phones.get(channel), SupervisorLeft()
                if live is None:
                    live = self._live.get(snooping.supervision_of(channel) or "")
                    told = SnoopEnded(snooping.snoop_of(channel) or 0)
            case _:
                return
        if live is not None:
            self._step(live, told)

    def played(self, playback: models.Playback) -> None:
        """A playback that is no call's is over."""
        live = self._live.get(snooping.supervision_of(playback.id) or "")
        number = snooping.playback_of(playback.id)
        if live is not None and number is not None:
            self._step(live, PlaybackEnded(number))

    def look(self) -> None:
        """A talk has begun or ended: look at all of them, once the call's step is over."""
        if self._live and not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def use(self, rules: RuleSet) -> None:
        """From now on these rules say who may hear what."""
        for live in self._live.values():
            live.rules, live.permits = rules, permits(rules, live.supervision.endpoint)
        self.look()

    def lose(self) -> None:
        """Asterisk is out of sight: nobody knows any longer who hears what."""
        for live in self._live.values():
            self._left += self._paths(live)
            state = live.supervision.state
            if isinstance(state, Joined):
                self._over(live, replace(state.stretch, outcome=Outcome.UNOBSERVED))
        self.forget()
        self._known_since = self._clock()

    def forget(self) -> None:
        """Say nothing any more: another router answers for all."""
        self._live.clear()
        self._phones.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def clear_up(self, everything: Everything | None, key: tuple[str, str]) -> None:
        """Asterisk is there again: end what we have lost sight of, and what others before us left."""
        assert self._wire
        self._journal.unseen(self._router(key[0]), self._known_since)
        left = [*self._left, *(() if everything is None else self._strays(everything, key))]
        self._left = []
        for path in dict.fromkeys(left):
            self._wire.send("DELETE", path)

    def _strays(self, everything: Everything, key: tuple[str, str]) -> Iterator[str]:
        """What belongs to no supervisor of ours; what is another application's is its own."""
        foreign: set[str] = set()
        for channel in everything.channels:
            app, _, args = channel.dialplan.app_data.partition(",")
            if channel.dialplan.app_name != STASIS:
                continue
            snooped = snooping.supervision_of(channel.id)
            if args.partition(",")[0] != snooping.SUPERVISE and snooped is None:
                continue
            supervision = snooped or call_id(*key, channel.id)
            if app != self._outbound.app:
                foreign.add(supervision)
            elif supervision not in self._live:
                yield f"channels/{channel.id}"
        for bridge in everything.bridges:
            ours = snooping.supervision_of(bridge.id)
            if ours is not None and ours not in foreign and ours not in self._live:
                yield f"bridges/{bridge.id}"

    # One supervisor

    def _begin(self, channel: models.Channel, wish: Wish, rules: RuleSet, key: tuple[str, str]) -> None:
        id = call_id(*key, channel.id)
        endpoint = wire.endpoint_of(channel.name)
        permitted = permits(rules, endpoint)
        language, tone = speech_of(rules, endpoint, permitted)
        supervision = Supervision(id, endpoint, wish.mode, language=language, tone=tone)
        live = _Live(supervision, channel, rules, key[0])
        self._live[id] = self._phones[channel.id] = live
        only = wanted(rules, permitted, wish.number)
        if isinstance(only, Refusal):
            client, person = owner_of(rules, endpoint, permitted)
            now = self._clock()
            tried = Stretch(id, 1, client, person, endpoint, wish.number, "", wish.mode, now)
            log.warning("supervision refused", endpoint=endpoint, person=person, why=only)
            live.supervision, commands = refuse(supervision, only, tried)
        else:
            wished = replace(supervision, only=only)
            live.supervision, commands = begin(wished, self._talks(live))
        self._carry_out(live, commands)
        self._set_timer()

    def _talks(self, live: _Live) -> list[Talk]:
        """What that supervisor may hear now."""
        endpoint = live.supervision.endpoint
        found = (
            talk_of(one.call, partial(wire.channel_id, one.call), live.rules, live.permits, endpoint)
            for one in self._calls.values()
        )
        return sorted(talk for talk in found if talk is not None)

    def _step(self, live: _Live, event: Event) -> None:
        """One step, and what it commands. An error in one ends that supervision, and nothing else."""
        try:
            talks = self._talks(live)
            live.supervision, commands = step(live.supervision, event, talks, self._clock())
            self._carry_out(live, commands)
        except Exception:
            self._metrics.engine_error()
            log.exception("supervision failed", supervision=live.supervision.id)
            self._remove(live)
            assert self._wire
            for path in self._paths(live):
                self._wire.send("DELETE", path)
        if isinstance(live.supervision.state, Over):
            self._remove(live)

    def _remove(self, live: _Live) -> None:
        self._live.pop(live.supervision.id, None)
        self._phones.pop(live.channel, None)

    def _paths(self, live: _Live) -> list[str]:
        """Of all that a supervision has in Asterisk."""
        id, state = live.supervision.id, live.supervision.state
        snoop = state.snoop if isinstance(state, Opening | Joined) else None
        snoops = [] if snoop is None else [f"channels/{snooping.snoop_id(id, snoop)}"]
        return [*snoops, f"channels/{live.channel}", f"bridges/{snooping.bridge_id(id)}"]

    def _look(self) -> None:
        self._looking = False
        for live in list(self._live.values()):
            self._step(live, TalksLooked())

    # Commands

    def _carry_out(self, live: _Live, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case Began(stretch):
                    self._write_down(live, stretch)
                    self._tell(stretch.call_id, Supervised(stretch.supervisor, stretch.mode))
                case Ended(stretch):
                    self._over(live, stretch)
                case Join(snoop):
                    # A snoop can be given no variables when it is made.
                    self._set_dead_men([snooping.snoop_id(live.supervision.id, snoop)])
                    self._send(live, command)
                case _:
                    self._send(live, command)

    def _over(self, live: _Live, stretch: Stretch) -> None:
        assert stretch.outcome is not None
        self._write_down(live, stretch)
        self._metrics.supervision_over(stretch.mode, stretch.outcome)

    def _write_down(self, live: _Live, stretch: Stretch) -> None:
        self._journal.supervised(self._router(live.asterisk), stretch)
        log.info("supervision", supervision=stretch.supervision, supervisor=stretch.supervisor,
                 endpoint=stretch.endpoint, agent=stretch.agent, call_id=stretch.call_id,
                 mode=stretch.mode, outcome=stretch.outcome)  # fmt: skip

    def _router(self, asterisk: str) -> str:
        return f"{asterisk} {self._outbound.app}"

    def _send(self, live: _Live, command: snooping.WireCommand) -> None:
        assert self._wire
        for request in snooping.write(live.supervision.id, live.channel, command, self._outbound):
            on_reply = partial(self._not_done, live, command, request.done)
            self._wire.send(
                request.method, request.path, request.query, request.body, on_reply, unless_ok=True
            )

    def _not_done(
        self, live: _Live, command: snooping.WireCommand, done: tuple[int, ...], reply: Reply
    ) -> None:
        if reply.status in done or reply.connection_lost:
            return
        name = type(command).__name__
        self._metrics.command_failed(name, reply.status)
        log.info("command failed", supervision=live.supervision.id, command=name, status=reply.status,
                 reason=reply.reason)  # fmt: skip
        if live.supervision.id not in self._live:
            return
        match command:
            case Play(playback):
                self._step(live, PlaybackEnded(playback))
            case Snoop(snoop) | Join(snoop):
                self._step(live, SnoopEnded(snoop))
            case Open():
                self._send(live, HangUp())
                self._step(live, SupervisorLeft())
            case _:
                pass  # What could not be stopped ends by itself, or with the channel.

    # Dead-man timers

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REFRESH, self._refresh)

    def _refresh(self) -> None:
        """Set all timers anew; also look at the talks, and at how long somebody has waited for one."""
        self._timer = None
        if not self._live:
            return
        channels = [one for live in self._live.values() for one in self._channels(live)]
        for at in range(0, len(channels), AT_ONCE):
            self._set_dead_men(channels[at : at + AT_ONCE])
        self._look()
        self._set_timer()

    def _set_dead_men(self, channels: Sequence[str]) -> None:
        assert self._wire
        request = wire.absolute_timeouts((name, self._outbound.dead_man) for name in channels)
        self._wire.send(request.method, request.path, request.query)

    def _channels(self, live: _Live) -> Iterator[str]:
        yield wire.findable(live.name, live.channel)
        state = live.supervision.state
        if isinstance(state, Joined):
            yield snooping.snoop_id(live.supervision.id, state.snoop)
