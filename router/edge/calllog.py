"""The line that every call has in the log, once it is over.

Lines of calls that end close together are written together. A line by itself costs a twentieth of all that a
call costs the router, since by then nothing of what writes it is in the processor's cache; of several, only
the first finds it so. So the time of a line may be TOGETHER after that of the call's end, which it tells,
too.
"""

import asyncio

import structlog

from router.core.record import CallRecord

TOGETHER = 0.2
"""Seconds that a line may wait for others."""


class CallLog:
    """That of one router."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind()  # each time would cost as much as writing a line
        self._over: list[CallRecord] = []

    def ended(self, record: CallRecord) -> None:
        """A call is over. To be called in the event loop."""
        if not self._over:
            asyncio.get_running_loop().call_later(TOGETHER, self.flush)
        self._over.append(record)

    def flush(self) -> None:
        """Write what waits."""
        over, self._over = self._over, []
        for record in over:
            info = record.info
            self._log.info(
                "call ended",
                call_id=info.id,
                client=info.client,
                route=info.route,
                caller=info.caller,
                dialled=info.dialled,
                disposition=record.disposition,
                reason=record.reason,
                hung_up_by=record.hung_up_by,
                ended_at=record.ended_at.isoformat(),
                wait_seconds=round(record.wait_seconds, 3),
                talk_seconds=round(record.talk_seconds, 3),
            )
