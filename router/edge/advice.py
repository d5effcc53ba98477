"""What a dialplan of the administrator's own is told of a caller, and what is kept of that.

It is decided like a call, by the same rules, verdicts and queues, and is none: nobody enters our application,
so nothing is counted as entered, and nothing is disposed of. What is kept is the decision with its trace.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from msgspec.structs import replace

from router.core.arrival import Arriving, call_id, make_info
from router.core.decide import Decision
from router.core.facts import Facts
from router.core.handout import PREFIX, Media, Variables, handed_out
from router.core.record import CallInfo
from router.core.trace import TraceRow
from router.edge.agiwire import Asked

log = structlog.get_logger()


Decide = Callable[[Arriving, datetime, str], tuple[Facts, Decision]]
"""Decides of a call as it comes in, by the id of its channel."""

Keep = Callable[[CallInfo, str, Sequence[TraceRow]], None]
"""Has it written down: what is known of it, the first treatment, and the trace."""


class Advice:
    """Gives it."""

    def __init__(
        self,
        decide: Decide,
        keep: Keep,
        asterisk: Callable[[], str],
        media: Media,
        clock: Callable[[], datetime],
    ) -> None:
        """`asterisk` is the id of the Asterisk that the router is beside."""
        self._decide = decide
        self._keep = keep
        self._asterisk = asterisk
        self._media = media
        self._clock = clock

    def give(self, asked: Asked, variables: str) -> Variables:
        """The answer to one request; `variables` as the dialplan has them."""
        now = self._clock()
        facts, decision = self._decide(asked.arriving(variables), now, asked.channel)
        info = make_info((self._asterisk(), "", asked.channel), facts, decision)
        # One channel can ask more than once, and can become a call, which has an id of its own.
        info = replace(info, id=call_id(self._asterisk(), now.isoformat(), f"agi {asked.channel}"))
        told = handed_out(decision, info.id, facts.caller, self._media)
        treatment = dict(told)[f"{PREFIX}TREATMENT"]
        self._keep(info, treatment, decision.trace)
        log.info("decided for the dialplan", trace=info.id, client=info.client, route=info.route,
                 caller=info.caller, dialled=info.dialled, treatment=treatment)  # fmt: skip
        return told
