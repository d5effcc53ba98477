"""Queues as they stand in this router."""

import msgspec

from router.core.access import Role
from router.edge.queueviews import SeenQueue
from router.edge.web.api.problems import NOT_FOUND, ProblemError
from router.edge.web.api.routes import Asking, ClientId, Nothing, PersonId, Resource, Route


class QueuesQuery(msgspec.Struct, frozen=True):
    """Which of them."""

    client: ClientId | None = None
    """Only this client's."""


class QueuePath(msgspec.Struct, frozen=True):
    """One of them."""

    client: ClientId
    queue: PersonId
    """The queue's id, as in rules."""


class Queues(msgspec.Struct, frozen=True):
    """All queues."""

    items: tuple[SeenQueue, ...]


async def list_queues(asking: Asking[QueuesQuery, Nothing]) -> Queues:
    """Who waits in each queue, since when, and what its agents do. Needs no database."""
    client = asking.client(asking.asked.client)
    return Queues(tuple(queue for queue in asking.powers.queues() if client in (None, queue.client)))


async def show_queue(asking: Asking[QueuePath, Nothing]) -> SeenQueue:
    """Who waits in it, since when, and what its agents do."""
    asked = asking.asked
    asking.may_see(asked.client)
    for queue in asking.powers.queues():
        if (queue.client, queue.queue) == (asked.client, asked.queue):
            return queue
    where = f"{asked.client} has no queue `{asked.queue}`"
    raise ProblemError(NOT_FOUND, f"{where}; GET /queues lists all")


RESOURCE = Resource(
    "queues",
    "Queues as they stand.",
    (
        Route(
            method="GET",
            path="/queues",
            summary="List queues",
            role=Role.READER,
            handle=list_queues,
            asked=QueuesQuery,
            answer=Queues,
        ),
        Route(
            method="GET",
            path="/queues/{client}/{queue}",
            summary="Show a queue",
            role=Role.READER,
            handle=show_queue,
            asked=QueuePath,
            answer=SeenQueue,
        ),
    ),
)
