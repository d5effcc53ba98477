"""Following callers in Asterisk's own queues: what AMI tells goes to their calls.

ARI and AMI are two connections, and either may be away while the other is there. Whenever one is back, all
callers in such queues are looked after: AMI lists who waits (QueueStatus), and whoever does not wait and is
in a bridge with somebody talks (ARI's bridges, whose agents AMI's list names). Without AMI the second is seen
at such moments still.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime

import structlog

from router.core.call import Call
from router.core.events import (
    AsteriskAgentConnected,
    AsteriskAgentHungUp,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    CallEvent,
)
from router.edge import queuewire, recovery
from router.edge.ami import Ami, AmiLostError
from router.edge.amilink import AmiSettings
from router.edge.ari.backoff import Backoff
from router.edge.recovery import Ask

log = structlog.get_logger()

GRACE = 0.5
"""Seconds that AMI may be behind ARI: it told of the same moment a millisecond before or after (22.10.1)."""

Tell = Callable[[str, CallEvent], None]
"""Takes the id of a caller's channel, and what happened to that caller."""


class Following:
    """What is known of Asterisk's own queues."""

    def __init__(
        self,
        settings: AmiSettings | None,
        backoff: Backoff,
        tell: Tell,
        callers: Callable[[], Iterable[Call]],
        ask_http: Ask,
        observe: Callable[[bool], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`callers` are the calls in such queues now; `observe` hears whether AMI is there. There is none
        without `settings`."""
        self._tell = tell
        self._callers = callers
        self._ask_http = ask_http
        self._observe = observe
        self._clock = clock
        self._up_since: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._talks: dict[str, str] = {}
        """Of agents who talk: the agent's channel -> the caller's."""
        self._ami = Ami(settings, backoff, self._on_event, self._on_up, self._on_down) if settings else None
        if settings:
            observe(False)

    async def run(self) -> None:
        """Keep AMI up, if there is one, until cancelled."""
        if self._ami is not None:
            await self._ami.run()

    def look(self) -> None:
        """See how all callers stand, after a gap; they are told soon."""
        self._do(self._look())

    def answer(self, call: Call, since: datetime) -> None:
        """Tell a call by AsteriskQueueFollowed whether nothing was missed from `since` until now."""
        self._do(self._answer(call.info.channel, since))

    def hung_up(self, channel: str, soft: bool) -> None:
        """A channel is to end, maybe an agent's; `soft`: not by its own side's request."""
        caller = self._talks.pop(channel, "")
        if caller and not soft:
            self._tell(caller, AsteriskAgentHungUp())

    def _on_event(self, event: Mapping[str, str]) -> None:
        told = queuewire.read_ami(event)
        if isinstance(told, AsteriskAgentConnected):
            self._talks[event.get("DestUniqueid", "")] = event.get("Uniqueid", "")
        if told is not None:
            self._tell(event.get("Uniqueid", ""), told)

    def _on_up(self) -> None:
        self._up_since = self._clock()
        self._observe(True)
        self.look()

    def _on_down(self) -> None:
        self._up_since = None
        self._observe(False)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callers in Asterisk's queues not looked after", exc_info=error)

    async def _answer(self, channel: str, since: datetime) -> None:
        up = self._up_since
        whole = up is not None and up <= since
        if up is not None:  # Whole or not, it may be about to tell how it ended.
            await asyncio.sleep(GRACE)
            whole = await self._answers() and self._up_since == up and whole
        self._tell(channel, AsteriskQueueFollowed(whole))

    async def _answers(self) -> bool:
        """Whether AMI is there: then it has told before all that it had to tell."""
        assert self._ami is not None
        try:
            await self._ami.ask({"Action": "Ping"})
        except AmiLostError:
            return False
        return True

    async def _look(self) -> None:
        if not list(self._callers()):
            return
        waiting, names = await self._list()
        elsewhere = []
        for call in self._callers():
            if call.info.channel in waiting:
                self._tell(call.info.channel, AsteriskQueueJoined())
            else:
                elsewhere.append(call.info.channel)
        everything = await recovery.see_everything(self._ask_http) if elsewhere else None
        if everything is None:
            return
        for channel in elsewhere:
            talk = recovery.talk_in_queue(channel, everything)
            if talk is not None:
                self._talks[talk.agent] = channel
                name = names.get((talk.queue, talk.dial), talk.dial)
                self._tell(channel, AsteriskAgentConnected(name, talk.dial, talk.since))

    async def _list(self) -> tuple[set[str], dict[tuple[str, str], str]]:
        """Who waits, by the channels' ids; and the agents' names, by queue and phone. Nothing without AMI."""
        if self._ami is None or not self._ami.is_up:
            return set(), {}
        try:
            rows = await self._ami.ask({"Action": "QueueStatus"}, listed=True)
        except AmiLostError as problem:
            log.warning("AMI does not list queues", reason=str(problem))
            return set(), {}
        waiting = {row["Uniqueid"] for row in rows if row.event == "QueueEntry"}
        members = (row for row in rows if row.event == "QueueMember")
        return waiting, {(row["Queue"], row["Location"]): row["Name"] for row in members}
