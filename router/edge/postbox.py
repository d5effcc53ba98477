"""Messages that callers left: fetched from Asterisk, kept, delivered until taken, and removed in the end.

Whoever calls waits for none of this. What is to be done is in the database, so nothing is lost when the
router ends: a message is written down with its call's disposition, its recording stays in Asterisk until it
is here, and a delivery stays due until it was taken. Each is claimed before it is tried, so several routers
on one database do not send the same.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from router.edge import mail, webhook
from router.edge.ari.rest import Reply
from router.edge.ari.wire import recording_name
from router.edge.letters import as_mail, as_posted
from router.edge.store.errors import StoreError
from router.edge.store.messages import Delivery, Messages, StoredMessage
from router.edge.store.operations import MAIL
from router.edge.undelivered import UndeliveredError
from router.settings import Settings

LINGER = 0.3
"""Seconds from the news of a message until it is in the database."""

EVERY = 15.0
"""Seconds between two looks without news."""

AT_ONCE = 20
"""Deliveries that are tried together."""

AGAIN = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 3600))
"""From one try to the next; the last is repeated until the message is removed."""

log = structlog.get_logger()


def file_of(folder: Path, call_id: str) -> Path:
    """Where the recording of a call's message is kept."""
    return folder / f"{call_id}.wav"


class Postbox:
    """All messages of one router."""

    def __init__(
        self,
        settings: Settings,
        ask_http: Callable[[str, str], Awaitable[Reply]],
        asterisk: Callable[[], str],
        zone: Callable[[str], str],
    ) -> None:
        """`asterisk` is the id of the one we are in touch with, empty while there is none; `zone` the clocks
        that a client goes by."""
        self._settings = settings
        self._ask_http = ask_http
        self._asterisk = asterisk
        self._zone = zone
        self._news = asyncio.Event()

    def look(self) -> None:
        """A message was left."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled. Trouble of the database is logged, and passes."""
        while True:
            try:
                with closing(await asyncio.to_thread(Messages, self._settings.database_url)) as messages:
                    await self._fetch(messages)
                    await self._deliver(messages)
                    await self._remove(messages)
            except StoreError as error:
                log.error("messages are left as they are for now", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), EVERY)
                self._news.clear()
                await asyncio.sleep(LINGER)

    async def _fetch(self, messages: Messages) -> None:
        """Bring over what is still in Asterisk, and remove it there."""
        asterisk = self._asterisk()
        for message in await asyncio.to_thread(messages.unfetched, asterisk) if asterisk else ():
            assert message.recording is not None
            stored = f"recordings/stored/{recording_name(message.call_id, message.recording)}"
            reply = await self._ask_http("GET", f"{stored}/file")
            if reply.status == 404:
                log.error("recording of a message is gone", call_id=message.call_id)
                await asyncio.to_thread(messages.lost, message.call_id, _now())
            elif reply.status == 200 and await asyncio.to_thread(self._keep, message.call_id, reply.body):
                await asyncio.to_thread(messages.fetched, message.call_id, _now())
                await self._ask_http("DELETE", stored)

    def _keep(self, call_id: str, wav: bytes) -> bool:
        """Write a recording down; False, with the reason logged, where that cannot be."""
        file = file_of(self._settings.messages, call_id)
        unfinished = file.with_suffix(".part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            unfinished.write_bytes(wav)
            unfinished.replace(file)
        except OSError as error:
            log.error("recording of a message cannot be kept yet", call_id=call_id, error=str(error))
            return False
        return True

    async def _deliver(self, messages: Messages) -> None:
        while claimed := await asyncio.to_thread(messages.claim, _now(), AT_ONCE):
            outcomes = await asyncio.gather(*(self._try(*one) for one in claimed))
            for (message, delivery), why in zip(claimed, outcomes, strict=True):
                if why is None:
                    await asyncio.to_thread(messages.taken, message.call_id, delivery, _now())
                    continue
                log.warning("message not delivered", call_id=message.call_id, way=delivery.way, error=why)
                again = _now() + AGAIN[min(delivery.tries, len(AGAIN) - 1)]
                await asyncio.to_thread(messages.refused, message.call_id, delivery, again, why)

    async def _try(self, message: StoredMessage, delivery: Delivery) -> str | None:
        """Deliver once; None, or why it was not taken."""
        try:
            wav = await asyncio.to_thread(self._recording, message)
            if delivery.way == MAIL:
                zone, sender = self._zone(message.client), self._settings.mail.sender
                letter = as_mail(message, wav, sender, delivery.address, zone)
                await mail.send(letter, self._settings.mail)
            else:
                hooks = self._settings.webhooks
                document = as_posted(message, base64.b64encode(wav).decode() if wav else None)
                await webhook.post(delivery.address, document, _now(), hooks.secret, hooks.allow)
        except (UndeliveredError, OSError) as error:
            return str(error)
        return None

    def _recording(self, message: StoredMessage) -> bytes | None:
        if message.fetched_at is None:
            return None
        return file_of(self._settings.messages, message.call_id).read_bytes()

    async def _remove(self, messages: Messages) -> None:
        for call_id in await asyncio.to_thread(messages.expired, _now()):
            file_of(self._settings.messages, call_id).unlink(missing_ok=True)
            await asyncio.to_thread(messages.remove, call_id)


def _now() -> datetime:
    return datetime.now(UTC)
