"""Whether a phone is in use, as Asterisk knows: the queues ask before they ring an agent.

A leg of a call that is about to end does not count. Its channel is there for a moment more, and whoever waits
would be passed over for it.
"""

from collections.abc import Callable

from router.core.call import Ending, Over
from router.edge.ari import wire
from router.edge.ari.rest import Reply
from router.edge.livecall import LiveCalls
from router.edge.ports import Wire


class Phones:
    """All phones of this Asterisk."""

    def __init__(self, calls: LiveCalls) -> None:
        self._calls = calls
        self._wire: Wire | None = None

    def attach(self, connection: Wire) -> None:
        """Name the connection that carries the questions."""
        self._wire = connection

    def look(self, phone: str, tell: Callable[[bool], None]) -> None:
        """Tell whether somebody talks or rings there, other than in a call that is about to end."""
        assert self._wire

        def replied(reply: Reply) -> None:
            channels = wire.read_channel_ids(reply.body) if reply.ok else ()
            tell(any(map(self._goes_on, channels)))

        self._wire.send("GET", f"endpoints/{phone}", on_reply=replied)

    def _goes_on(self, channel: str) -> bool:
        known = self._calls.by_channel.get(channel)
        if known is None:
            return wire.read_id(channel) is None  # Of a call of ours that is over it is gone soon.
        live, leg = known
        return not isinstance(live.call.state, Ending | Over) and live.call.legs[leg].intent is None
