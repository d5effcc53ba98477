"""Messages that callers left, and wishes to be called back."""

from datetime import datetime

import msgspec
from aiohttp import web

from router.core.access import Role
from router.edge.postbox import file_of
from router.edge.store.messages import Delivery, Messages, StoredMessage
from router.edge.web.api.problems import NOT_FOUND, ProblemError
from router.edge.web.api.routes import Asking, CallId, ClientId, Limit, Nothing, Resource, Route


class MessagesQuery(msgspec.Struct, frozen=True):
    """Which messages."""

    client: ClientId | None = None
    """Only this client's."""
    done: bool = False
    """Also those that are done with."""
    after: CallId | None = None
    """Go on behind this one: `next` of the page before."""
    limit: Limit = 50


class MessagePath(msgspec.Struct, frozen=True):
    """One message."""

    id: CallId


class Delivered(msgspec.Struct, frozen=True):
    """A message on its way to one address."""

    way: str
    """mail or webhook."""
    address: str
    tries: int
    taken_at: datetime | None
    """Null while it was not taken."""
    error: str | None
    """Why the last try failed."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message, or the wish to be called back."""

    id: str
    """The id of the call in which it was left."""
    client: str
    caller: str
    """E.164 where it could be read; empty if withheld."""
    dialled: str
    arrived_at: datetime
    left_at: datetime
    addressees: tuple[str, ...]
    """Ids of people; the client, where there are none."""
    language: str
    callback: str
    """The number at which to call back; empty where that is not known."""
    seconds: float
    """Of speech; 0 where nothing was recorded."""
    recorded: bool
    """Whether there is a recording to be had."""
    done_at: datetime | None
    """When somebody had dealt with it."""
    done_by: str | None
    deliveries: tuple[Delivered, ...] = ()


class MessagesPage(msgspec.Struct, frozen=True):
    """Messages, the latest first."""

    items: tuple[Message, ...]
    next: str | None
    """What to give as `after` for those before them; null where there are none."""


async def list_messages(asking: Asking[MessagesQuery, Nothing]) -> MessagesPage:
    """Messages, and wishes to be called back, that nobody has dealt with; the latest first."""
    asked = asking.asked
    client = asking.client(asked.client)

    def read(messages: Messages) -> list[Message]:
        found = messages.listed(client, done=asked.done, limit=asked.limit + 1, after=asked.after)
        return [_message(one, tuple(map(_delivered, deliveries))) for one, deliveries in found]

    found = await asking.powers.records.ask(Messages, read)
    items = tuple(found[: asked.limit])
    return MessagesPage(items, items[-1].id if len(found) > asked.limit else None)


async def set_message_done(asking: Asking[MessagePath, Nothing]) -> Message:
    """The message is dealt with: it is not listed any more, but kept as long as the rules say."""
    id, who, now = (await _stored(asking)).call_id, asking.name, asking.now

    def done(messages: Messages) -> tuple[Delivered, ...]:
        messages.done(id, who, now)
        return tuple(map(_delivered, messages.deliveries(id)))

    deliveries = await asking.powers.records.ask(Messages, done)
    return _message(await _stored(asking), deliveries)


async def send_recording(asking: Asking[MessagePath, Nothing]) -> web.FileResponse:
    """The recording of a message, to hear it: WAV, 8 kHz."""
    message = await _stored(asking)
    file = file_of(asking.powers.recordings, message.call_id)
    if message.fetched_at is None or not file.is_file():
        why = (
            "is gone"
            if message.lost_at
            else "was not made"
            if message.recording is None
            else "is not here yet"
        )
        raise ProblemError(NOT_FOUND, f"the recording of `{message.call_id}` {why}")
    return web.FileResponse(file, headers={"Content-Type": "audio/x-wav"})


async def _stored(asking: Asking[MessagePath, Nothing]) -> StoredMessage:
    """That message, if the token is for its client."""
    id = asking.asked.id
    found: list[StoredMessage] = await asking.powers.records.ask(Messages, lambda kept: kept.find(id))
    for message in found:
        if message.call_id == id and asking.who.sees(message.client or None):
            return message
    raise ProblemError(NOT_FOUND, f"there is no message `{id}`; GET /messages?done=true lists all")


def _message(message: StoredMessage, deliveries: tuple[Delivered, ...]) -> Message:
    kept = {name: getattr(message, name) for name in Message.__struct_fields__ if hasattr(message, name)}
    recorded = message.fetched_at is not None
    return Message(id=message.call_id, recorded=recorded, deliveries=deliveries, **kept)


def _delivered(delivery: Delivery) -> Delivered:
    return Delivered(**{name: getattr(delivery, name) for name in Delivered.__struct_fields__})


RESOURCE = Resource(
    "messages",
    "Messages that callers left, and wishes to be called back.",
    (
        Route(
            method="GET",
            path="/messages",
            summary="List messages",
            role=Role.READER,
            handle=list_messages,
            asked=MessagesQuery,
            answer=MessagesPage,
        ),
        Route(
            method="GET",
            path="/messages/{id}/recording",
            summary="Hear a message",
            role=Role.READER,
            handle=send_recording,
            asked=MessagePath,
            answer=bytes,
            media="audio/x-wav",
        ),
        Route(
            method="POST",
            path="/messages/{id}/done",
            summary="Mark a message as dealt with",
            role=Role.SUPERVISOR,
            handle=set_message_done,
            asked=MessagePath,
            answer=Message,
        ),
    ),
)
