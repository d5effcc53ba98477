"""Messages that callers left: fetched from Asterisk, kept, delivered until taken, and removed in the end.

Whoever calls waits for none of this. What is to be done is in the database, so nothing is lost when the
router ends: a message is written down with its call's disposition, its recording stays in Asterisk until it
is here, and a delivery stays due until it was taken. Routers that share a database each have an Asterisk, and
deliver what came by it; while one takes over from another, each delivery is claimed before it is tried, so
that it is not sent twice.
"""

import asyncio
import base64
import os
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
from router.edge.store.messages import LEASE, Delivery, Messages, StoredMessage
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

NOTE_AGAIN = 1.0
"""Seconds until the database is told again of what was delivered."""

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
        """`asterisk` is the id of the one we are beside, empty while that is not known; `zone` whose clocks a
        client goes by."""
        self._settings = settings
        self._ask_http = ask_http
        self._asterisk = asterisk
        self._zone = zone
        self._poster = webhook.Poster(settings.webhooks.allow)
        self._news = asyncio.Event()

    def look(self) -> None:
        """A message was left."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled. Trouble is logged, and passes: no call waits for it, and none must end by it."""
        async with self._poster:
            while True:
                try:
                    await self._round()
                except StoreError as error:
                    log.error("messages are left as they are for now", error=str(error))
                except Exception:
                    log.exception("messages are left as they are for now")
                with suppress(TimeoutError):
                    # Not wait_for, which forgets to be cancelled where there is news at that moment.
                    async with asyncio.timeout(EVERY):
                        await self._news.wait()
                    self._news.clear()
                    await asyncio.sleep(LINGER)

    async def _round(self) -> None:
        """Do all that is to be done now, of the Asterisk that we are beside: what others have fetched is in a
        folder of theirs."""
        asterisk = self._asterisk()
        if not asterisk:
            return
        with closing(await asyncio.to_thread(Messages, self._settings.database_url)) as messages:
            await self._fetch(messages, asterisk)
            while claimed := await asyncio.to_thread(messages.claim, asterisk, _now(), AT_ONCE):
                await asyncio.gather(*(self._deliver(messages, *one) for one in claimed))
                await self._fetch(messages, asterisk)
            await asyncio.to_thread(self._remove, messages, asterisk)

    async def _fetch(self, messages: Messages, asterisk: str) -> None:
        """Bring over what is still in Asterisk. It is removed there once it is safe here, and noted last: if
        we die in between, it is here and gone there, or is fetched again. One that cannot be removed there is
        delivered all the same."""
        for message in await asyncio.to_thread(messages.unfetched, asterisk):
            assert message.recording is not None
            stored = f"recordings/stored/{recording_name(message.call_id, message.recording)}"
            reply = await self._ask_http("GET", f"{stored}/file")
            if reply.status == 404 and not file_of(self._settings.messages, message.call_id).exists():
                log.error("recording of a message is gone", call_id=message.call_id)
                await asyncio.to_thread(messages.lost, message.call_id, _now())
            elif reply.status == 404 or await self._brought_over(message, reply, stored):
                await asyncio.to_thread(messages.fetched, message.call_id, _now())

    async def _brought_over(self, message: StoredMessage, reply: Reply, stored: str) -> bool:
        if reply.status != 200 or not await asyncio.to_thread(self._keep, message.call_id, reply.body):
            return False
        removed = await self._ask_http("DELETE", stored)
        if removed.status not in (204, 404):
            log.error("recording of a message stays in asterisk", recording=stored, status=removed.status)
        return True

    def _keep(self, call_id: str, wav: bytes) -> bool:
        """Write a recording down for good; False, with the reason logged, where that cannot be."""
        file = file_of(self._settings.messages, call_id)
        unfinished = file.with_suffix(".part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            with unfinished.open("wb") as writing:
                writing.write(wav)
                writing.flush()
                os.fsync(writing.fileno())
            unfinished.replace(file)
        except OSError as error:
            log.error("recording of a message cannot be kept yet", call_id=call_id, error=str(error))
            return False
        return True

    async def _deliver(self, messages: Messages, message: StoredMessage, delivery: Delivery) -> None:
        """Try once, and note what came of it: again and again until others may try, or it goes out twice."""
        until = _now() + LEASE
        why = await self._try(messages, message, delivery)
        if why is not None:
            log.warning("message not delivered", call_id=message.call_id, way=delivery.way, error=why)
        while True:
            try:
                return await asyncio.to_thread(self._note, messages, message, delivery, why)
            except StoreError as error:
                log.error("what became of a delivery is not noted yet", error=str(error))
                if _now() > until:
                    return None
                await asyncio.sleep(NOTE_AGAIN)

    def _note(self, messages: Messages, message: StoredMessage, delivery: Delivery, why: str | None) -> None:
        if why is None:
            messages.taken(message.call_id, delivery, _now())
        else:
            again = _now() + AGAIN[min(delivery.tries, len(AGAIN) - 1)]
            messages.refused(message.call_id, delivery, again, why)

    async def _try(self, messages: Messages, message: StoredMessage, delivery: Delivery) -> str | None:
        """Deliver once; None, or why it was not taken."""
        settings = self._settings
        try:
            spared = await asyncio.to_thread(messages.spared, message, _now())
            if delivery.way == MAIL:
                letter = await asyncio.to_thread(self._letter, message, delivery.address, spared)
                await mail.send(letter, delivery.address, settings.mail)
            else:
                signed = await asyncio.to_thread(self._signed, message, spared)
                await self._poster.post(delivery.address, signed)
        except UndeliveredError as error:
            return str(error)
        except Exception as error:  # whatever it is, other messages and all calls go on
            return str(UndeliveredError(f"{type(error).__name__}: {error}"))
        return None

    def _letter(self, message: StoredMessage, to: str, spared: bool) -> bytes:
        """The whole mail. It takes tenths of a second, so not for the loop, as below."""
        zone, sender = self._zone(message.client), self._settings.mail.sender
        letter = as_mail(message, self._recording(message), sender, to, zone, spared=spared)
        return letter.as_bytes()

    def _signed(self, message: StoredMessage, spared: bool) -> webhook.Signed:
        wav = self._recording(message)
        document = as_posted(message, base64.b64encode(wav).decode() if wav else None, spared=spared)
        return webhook.Signed.of(document, _now(), self._settings.webhooks.secret)

    def _recording(self, message: StoredMessage) -> bytes | None:
        if message.fetched_at is None:
            return None
        return file_of(self._settings.messages, message.call_id).read_bytes()

    def _remove(self, messages: Messages, asterisk: str) -> None:
        """What has been kept as long as it may be; what cannot be removed now is tried again."""
        for call_id in messages.expired(asterisk, _now()):
            try:
                file_of(self._settings.messages, call_id).unlink(missing_ok=True)
            except OSError as error:
                log.error("recording of a message cannot be removed", call_id=call_id, error=str(error))
            else:
                messages.remove(call_id)


def _now() -> datetime:
    return datetime.now(UTC)
