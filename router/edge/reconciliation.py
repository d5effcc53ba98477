"""After a gap in sight of Asterisk, or a restart: what we know is made true by what Asterisk shows.

Both are one path. A process that has just begun first takes over, by replay of the journal, the calls that
the one before it left open; from there on it is as if it had had them all the time.

In this order:

1. Calls of another Asterisk, or of this one before it was started anew, have lost their channels.
2. What was held until now is told, because it is fact.
3. Asterisk is asked (recovery.py). These reads are all that is ever awaited, in one task; what comes
   meanwhile is held.
4. What was held is told, and from here on events are no longer held.
5. What `reconcile.missed` makes of the reads is told, to the calls that were open before.
6. Orphans are removed, and callers in the application whom nobody knows are taken in as new.

What ended unseen is unobserved, never a guess.
"""

import asyncio
from collections.abc import Callable, Set
from datetime import datetime

import msgspec
import structlog

from router.core import machine
from router.core.call import CALLER, Commands, Over
from router.core.commands import Finish
from router.core.events import AsteriskLost, CallEvent, TalkFound
from router.core.plan import CallPlan, PlanNode, Ring, Target
from router.core.reconcile import missed
from router.core.record import CallRecord
from router.edge import recovery
from router.edge.ari import models, wire
from router.edge.arrivals import Arrivals
from router.edge.livecall import LiveCall, LiveCalls
from router.edge.metrics import Metrics
from router.edge.ports import OpenCalls, QueueWatch, Wire
from router.edge.queues import Queues
from router.edge.store.queries import OpenCall
from router.edge.supervision import Supervisions

log = structlog.get_logger()

_decode_plan = msgspec.json.Decoder(CallPlan).decode
_decode_event = msgspec.json.Decoder(CallEvent).decode

_REMEDY = "find the channel with a byte that is not UTF-8 (`core show channels`) and hang it up"


class Reconciliation:
    """What is done whenever Asterisk comes into sight."""

    def __init__(
        self,
        calls: LiveCalls,
        arrivals: Arrivals,
        queues: Queues,
        supervisions: Supervisions,
        open_calls: OpenCalls,
        metrics: Metrics,
        app: str,
        take: Callable[[LiveCall, CallEvent, datetime], None],
        finish: Callable[[LiveCall, CallRecord], None],
        tell_held: Callable[[bool], Set[str]],
        clock: Callable[[], datetime],
    ) -> None:
        """`app` is the name of our application. `take` has a call take an event; `finish` writes its record.

        `tell_held` tells what was held, and returns the channels that ended in it; events are held further if
        it is given True.
        """
        self._calls = calls
        self._arrivals = arrivals
        self._queues = queues
        self._supervisions = supervisions
        self._open_calls = open_calls
        self._metrics = metrics
        self._app = app
        self._take = take
        self._finish = finish
        self._tell_held = tell_held
        self._clock = clock
        self._wire: Wire | None = None
        self._watch: QueueWatch | None = None
        self._asterisk = ("", "")
        self._adopted = False
        self._seen_at: datetime | None = None
        """When Asterisk was last in sight."""
        self._task: asyncio.Task[None] | None = None

    def attach(self, connection: Wire) -> None:
        """Name the connection that carries the reads."""
        self._wire = connection

    def watch_by(self, watch: QueueWatch) -> None:
        """Name what follows callers in Asterisk's own queues."""
        self._watch = watch

    def begin(self, asterisk: tuple[str, str]) -> None:
        """Asterisk is there; `asterisk` is the first half of the keys of its calls."""
        self._asterisk = asterisk
        self._task = asyncio.get_running_loop().create_task(self._recover(), name="recovery")

    def lose_sight(self) -> None:
        """The gap begins now."""
        self._seen_at = self._clock()

    def stop(self) -> None:
        """Do no more of what was begun: Asterisk is gone again, or another router has our calls."""
        if self._task:
            self._task.cancel()

    async def _recover(self) -> None:
        """Compare, and go on. If that fails, go on without: new callers are served, and those who waited are
        left to their dead-man timers."""
        try:
            await self._compare()
        except Exception:
            self._metrics.engine_error()
            log.exception("comparison with asterisk failed")
            self._tell_held(False)

    async def _compare(self) -> None:
        assert self._wire
        if not self._adopted:
            await self._adopt()
        for live in list(self._calls.by_id.values()):
            another = (live.call.info.asterisk_id, live.call.info.asterisk_started) != self._asterisk
            # A wish to be called back outlives Asterisk: what became of its channels, the reads will show.
            if another and live.call.plan.returns is None:
                self._take(live, AsteriskLost(), self._clock())
        self._tell_held(True)  # Some may be older than the gap: what has changed since, the reads will show.
        known = list(self._calls.by_id.values())
        sightings, everything = await asyncio.gather(
            recovery.sight(self._wire.ask, self._wire.http, [live.call for live in known]),
            recovery.see_everything(self._wire.http),
        )
        ended = self._tell_held(False)
        self._supervisions.clear_up(everything, self._asterisk)
        now = self._clock()
        self._queues.restore(live.call for live in known)
        for live in known:
            for event_missed in missed(live.call, sightings[live.call.info.id], self._seen_at):
                self._take(live, event_missed, now)
        if self._watch is not None and self._calls.in_asterisk_queues():
            self._watch.look()
        if everything:
            self._deal_with_strangers(
                everything, ended | {wire.channel_id(live.call, CALLER) for live in known}
            )
        else:
            log.error("asterisk cannot list its channels; legs without a call may be left", remedy=_REMEDY)
        log.info("in touch with asterisk", live_calls=len(self._calls.by_id), taken_over=len(known))

    # What a process before us left

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
            for command in commands:
                if isinstance(command, Finish):
                    self._finish(live, command.record)

    def _replay(self, old: OpenCall) -> tuple[LiveCall, Commands]:
        """The call as it was, and the commands of its last step."""
        call, commands = machine.begin(old.info, _decode_plan(old.plan), old.info.arrived_at)
        for row in old.timeline:
            call, commands = machine.step(call, _decode_event(row.event), row.at)
        self._metrics.call_entered(old.info, call.phase)
        return self._calls.keep(LiveCall(call, old.next_seq - 1)), commands

    # What belongs to no call

    def _deal_with_strangers(self, everything: recovery.Everything, ended: Set[str]) -> None:
        """Hang up legs and remove bridges of calls that are over; take in callers whom nobody knows, but not
        those who `ended` since Asterisk was asked."""
        assert self._wire
        found = recovery.find_strangers(
            everything, self._calls.by_id, self._calls.by_channel, self._app, self._asterisk
        )
        for channel_id in found.legs:
            self._wire.send("DELETE", f"channels/{channel_id}", {"reason_code": "16"})
        for bridge_id in found.bridges:
            self._wire.send("DELETE", f"bridges/{bridge_id}")
        for caller in found.callers:
            if caller.channel.id not in ended:
                self._arrivals.arrive(*caller)
        for caller, talk in found.talks:
            if caller.channel.id not in ended:
                self._take_up(*caller, talk)
        if found.spared:
            log.warning("talks of unknown calls go on", call_ids=sorted(found.spared))

    def _take_up(self, channel: models.Channel, entrance: wire.Entrance, talk: TalkFound) -> None:
        """A talk that came about unseen: who is called is known by now, so the call has no other plan."""
        phone = Target(talk.dial, talk.dial)
        plan = CallPlan((PlanNode(Ring(((phone,),), 0.0)),))
        live, _ = self._arrivals.enter(channel, entrance, datetime.fromisoformat(channel.creationtime), plan)
        self._take(live, talk, self._clock())
        self._calls.keep(live)  # Its legs are others than those it began with.
        log.info("talk taken over", call_id=live.call.info.id, since=talk.since.isoformat())
