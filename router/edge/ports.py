"""What the engine needs of the rest of the edge."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from router.core.agents import WrapUp
from router.core.call import Call
from router.core.events import CallEvent
from router.core.plan import CallPlan, Speak
from router.core.record import CallInfo, CallRecord
from router.core.supervision import Stretch
from router.core.tags import CallTag
from router.core.trace import TraceRow
from router.edge.ari.rest import Reply
from router.edge.store.outbox import Noticed
from router.edge.store.queries import OpenCall


class Journal(Protocol):
    """Where calls are written down; every method returns at once."""

    def arrived(self, info: CallInfo, plan: CallPlan, trace: Sequence[TraceRow]) -> None: ...
    def happened(
        self, call_id: str, seq: int, at: datetime, event: CallEvent, told: Noticed | None = None
    ) -> None: ...
    def ended(self, record: CallRecord) -> None: ...
    def tagged(self, tag: CallTag, told: Noticed | None = None) -> None: ...
    def wrapped_up(self, wrap_up: WrapUp) -> None: ...
    def supervised(self, router: str, stretch: Stretch) -> None: ...
    def unseen(self, router: str, at: datetime) -> None: ...


class Wire(Protocol):
    """The way to Asterisk."""

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        on_reply: Callable[[Reply], None] | None = None,
        *,
        unless_ok: bool = False,
    ) -> None: ...
    async def ask(self, method: str, path: str) -> Reply: ...
    async def http(self, method: str, path: str) -> Reply: ...


class QueueWatch(Protocol):
    """What follows callers in Asterisk's own queues; all methods return at once, and tell later."""

    def hung_up(self, channel: str, soft: bool) -> None: ...
    def look(self) -> None: ...
    def answer(self, call: Call, since: datetime) -> None: ...


SpeakNames = Callable[[Collection[Speak]], None]
"""Has the names of callers made into prompts, soon; returns at once."""

OpenCalls = Callable[[str], Awaitable[Iterable[OpenCall]]]
"""Reads what a process before us left open of one Asterisk, by Asterisk's id.

Asked once Asterisk is there: by then the application is ours, and no other process goes on with those calls.
"""
