"""Calls that are not over, as this router has them in hand."""

import msgspec

from router.core.access import Role
from router.edge.liveviews import SeenCall
from router.edge.web.api.routes import Asking, ClientId, Nothing, Resource, Route


class LiveQuery(msgspec.Struct, frozen=True):
    """Which of them."""

    client: ClientId | None = None
    """Only this client's."""


class LiveCalls(msgspec.Struct, frozen=True):
    """All that are live."""

    items: tuple[SeenCall, ...]
    """Who arrived first before the others."""


async def list_live_calls(asking: Asking[LiveQuery, Nothing]) -> LiveCalls:
    """Who calls now: where each caller is, who is rung, and who talks. Needs no database."""
    client = asking.client(asking.asked.client)
    return LiveCalls(tuple(call for call in asking.powers.live() if client in (None, call.client)))


RESOURCE = Resource(
    "live",
    "Calls that are not over.",
    (
        Route(
            method="GET",
            path="/live",
            summary="List live calls",
            role=Role.READER,
            handle=list_live_calls,
            asked=LiveQuery,
            answer=LiveCalls,
        ),
    ),
)
