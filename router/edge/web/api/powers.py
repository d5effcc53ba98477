"""What the API may ask of the router, and have it do."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from router.core.access import Token
from router.core.agents import AgentChange, Weighed
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.edge.liveviews import SeenCall
from router.edge.noticefeed import NoticeFeed
from router.edge.queueviews import SeenQueue
from router.edge.records import Records
from router.edge.web.api.figures import ApiFigures


@dataclass(frozen=True, kw_only=True)
class Powers:
    """All of it. What is no coroutine is called on the event loop, so must be quick."""

    token: Callable[[str], Awaitable[Token | None]]
    """What is known of the token with that hash, if it holds now."""
    rules: Callable[[], RuleSet]
    """Those that calls are decided by which arrive now."""
    live: Callable[[], Collection[SeenCall]]
    queues: Callable[[], Collection[SeenQueue]]
    records: Records
    notices: NoticeFeed
    recordings: Path
    """The folder for those of messages."""
    reload: Callable[[], Awaitable[RuleSet | RuleErrors]]
    read_verdicts: Callable[[], Awaitable[int]]
    """Has it obey what was decided of numbers."""
    read_contacts: Callable[[str], Awaitable[int]]
    """Has it know anew whom a number is a contact of."""
    read_follow_ups: Callable[[], Awaitable[int]]
    """Has it mind whom nobody is to call, and look what is to be sent."""
    change_agent: Callable[[AgentChange], Weighed]
    """Has an agent come or go, at once and for good, if they can."""
    figures: ApiFigures
    """Where answers are counted."""
    now: Callable[[], datetime]
