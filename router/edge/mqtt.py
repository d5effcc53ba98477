"""MQTT: notices of calls and agents go to a broker, and its retained topics tell how things stand.

No call waits for it. Notices are in the outbox, and leave it when the broker has taken them (QoS 1), some at
a time, in order: what a connection that is lost had not acknowledged is sent once more by the next, before
anything later. So each comes at least once, and of one call in order. A broker that is not there is tried
again for ever; a notice that it refuses (its ACL) stays, with all later ones of its client, and is tried
again.

aiomqtt 2.5 knows no reconnecting, and says nothing of a PUBACK's reason (_Client).
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import aiomqtt
import msgspec
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from router.edge.ari.backoff import Backoff
from router.edge.bell import Bell
from router.edge.mqttlink import Broker
from router.edge.mqttwords import Answer, NoOrderError, Order, RouterStatus, Topics, as_json
from router.edge.outboxmetrics import OutboxMetrics
from router.edge.pace import Pace
from router.edge.queueviews import SeenQueue
from router.edge.store.errors import StoreError
from router.edge.store.outbox import Outbox, Outgoing

log = structlog.get_logger()

AT_ONCE = 40
"""Notices on their way at the same time: a broker far away is not waited for once a notice, and calls not for
what it takes to write more."""
GAP, SPEED = 0.005, 1.5
"""What has waited goes SPEED times as fast as it came, or with GAP seconds between two if that is faster: it
takes its part of the event loop, where calls come first."""
LOOK_EVERY = 5.0
"""Seconds until the outbox is looked at without having been told; a command may have written there."""
STANDINGS_EVERY = 1.0
"""Seconds between two looks at how queues and agents stand."""
COUNT_EVERY = 2.0
"""Seconds between two counts of what waits, while much does."""
PATIENCE = 10.0
"""Seconds that the broker may take to acknowledge."""
GOODBYE = 2.0
"""Seconds that a router which stops takes to say so."""
REFUSED_FOR = 15.0
"""Seconds until the broker is asked once more to take what it refused."""
KEEP_ALIVE = 15
"""Seconds without a word after which the broker, and we, look whether the other is there."""
MOST_COMMANDS = 1_000
"""Commands that may wait to be obeyed; further ones are lost."""
MOST_TROUBLES = 20
"""Different ones that are told of until all is well again."""
SHARE = 20
"""Of its time, one part in so many may go into looking how queues stand."""


class RefusedError(Exception):
    """The broker took something and said that it may not be: the text is its reason."""


class _Client(aiomqtt.Client):
    """aiomqtt's, mended: it hears why a PUBACK refuses, can be cancelled at any moment, and sends no more at
    once than the broker says that it takes (MQTT 5, 4.9: else it would hang up)."""

    def __init__(self, *args: Any, **known: Any) -> None:
        super().__init__(*args, **known, max_inflight_messages=AT_ONCE)
        self._refused: dict[int, str] = {}
        self._room = asyncio.Semaphore(AT_ONCE)  # First come, first served.
        self.pending_calls_threshold = 2 * AT_ONCE

    async def publish(self, *args: Any, **known: Any) -> None:
        async with self._room:
            await super().publish(*args, **known)

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None
    ) -> None:
        if not self._connected.done():  # Nobody publishes yet.
            most = getattr(properties, "ReceiveMaximum", AT_ONCE)
            self._room = asyncio.Semaphore(min(most, AT_ONCE))
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if reason_code.is_failure:
            self._refused[mid] = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    async def _wait_for(self, fut: Awaitable[Any], timeout: float | None) -> Any:
        """`asyncio.wait_for` loses a cancellation that comes with the result (Python 3.11), and we would
        never stop."""
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError(f"no answer in {self.timeout:g} s") from None

    @contextmanager
    def _pending_call(self, mid: int, *args: Any) -> Iterator[None]:
        with super()._pending_call(mid, *args):
            yield
        if reason := self._refused.pop(mid, ""):
            raise RefusedError(reason)


class Mqtt:
    """One router's connection to a broker."""

    def __init__(
        self,
        settings: Broker,
        database_url: str,
        bell: Bell,
        backoff: Backoff,
        metrics: OutboxMetrics,
        *,
        router: Callable[[], str],
        status: Callable[[], RouterStatus],
        queues: Callable[[], Sequence[SeenQueue]],
        obey: Callable[[Order], Awaitable[str]],
    ) -> None:
        """`bell` is rung when the outbox has news; `router` is the id of the Asterisk that we are beside,
        empty until that is known; `obey` tells what there is to say of what it did; it raises
        NoOrderError."""
        self._settings = settings
        self._topics = Topics(settings.prefix, settings.router)
        self._database_url = database_url
        self._bell = bell
        self._backoff = backoff
        self._metrics = metrics
        self._router = router
        self._status = status
        self._queues = queues
        self._obey = obey
        self._retained: set[str] = set()
        """Topics under which the broker may keep something of ours, also from a connection before."""
        self._troubles: set[str] = set()
        """What was told of, and is not over."""
        self._counted_at = 0.0
        self._pace = Pace()

    async def run(self) -> None:
        """Publish, until cancelled."""
        self._metrics.mqtt_is(False)
        while True:
            try:
                await self._serve()
            except* Exception as errors:  # Calls go on, whatever becomes of this.
                self._note_trouble(errors)
            self._metrics.mqtt_is(False)
            await self._tell_what_waits()
            await asyncio.sleep(self._backoff.delay())

    async def _serve(self) -> None:
        """One connection, until it is lost."""
        with closing(await asyncio.to_thread(Outbox, self._database_url)) as outbox:
            async with self._client() as client:
                await self._serve_by(client, outbox)

    async def _serve_by(self, client: _Client, outbox: Outbox) -> None:
        await self._publish(client, self._topics.status, as_json(self._status()), retain=True)
        for topic in self._topics.listened_to(self._settings.commands):
            await self._subscribe(client, topic)
        self._metrics.mqtt_is(True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(client))
                group.create_task(self._send_notices(client, outbox))
                group.create_task(self._tell_standings(client))
        except asyncio.CancelledError:
            await self._say_goodbye(client)
            raise

    def _client(self) -> _Client:
        settings = self._settings
        offline = as_json(RouterStatus("offline", False, self._status().version))
        return _Client(
            settings.host,
            settings.port,
            identifier=f"callrouter-{settings.router}",
            username=settings.username or None,
            password=settings.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(self._topics.status, offline, qos=1, retain=True),
            tls_context=ssl.create_default_context(cafile=settings.ca_file) if settings.tls else None,
            timeout=PATIENCE,
            keepalive=KEEP_ALIVE,
            max_queued_incoming_messages=MOST_COMMANDS,
            # Else each small message waits until the one before is acknowledged, by TCP (Nagle).
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def _subscribe(self, client: _Client, topic: str) -> None:
        # Else what is retained while we listen would come as if it were not (MQTT 5, 3.3.1.3).
        as_published = SubscribeOptions(qos=1, retainAsPublished=True)
        for reason in await client.subscribe(topic, options=as_published):
            if not isinstance(reason, int) and reason.is_failure:
                raise RefusedError(f"{reason}: {topic}")

    async def _publish(
        self, client: _Client, topic: str, payload: bytes | str, *, retain: bool = False
    ) -> None:
        try:
            await client.publish(topic, payload, qos=1, retain=retain)
        except RefusedError as error:
            raise RefusedError(f"{error}: {topic}") from error

    async def _say_goodbye(self, client: _Client) -> None:
        """The broker tells only of routers that die."""
        client.timeout = GOODBYE
        status = msgspec.structs.replace(self._status(), state="offline", asterisk=False)
        with suppress(aiomqtt.MqttError, RefusedError):
            await self._publish(client, self._topics.status, as_json(status), retain=True)

    async def _send_notices(self, client: _Client, outbox: Outbox) -> None:
        refused: dict[str, float] = {}
        """Clients of whom the broker refused something -> when that is tried again. What comes later of them
        waits behind it, and of others nothing does."""
        while True:
            rung = self._bell.rung
            held = {name for name, until in refused.items() if time.monotonic() < until}
            waiting = await asyncio.to_thread(outbox.unsent, self._router(), AT_ONCE, held)
            if not waiting:
                await self._settled(bool(held))
                await self._bell.wait(rung, LOOK_EVERY)
                continue
            gap = _gap(waiting)
            outcomes = await asyncio.gather(
                *(self._publish_notice(client, one, gap) for one in waiting),
                return_exceptions=True,
            )
            broken = await self._judge(waiting, outcomes, refused, outbox)
            if broken is not None:
                raise broken

    async def _publish_notice(self, client: _Client, notice: Outgoing, gap: float) -> None:
        await self._pace.turn(gap)  # Turns come in order, and so do notices.
        await self._publish(client, self._topics.of_notice(notice), notice.body)

    async def _judge(
        self,
        waiting: Sequence[Outgoing],
        outcomes: Sequence[BaseException | None],
        refused: dict[str, float],
        outbox: Outbox,
    ) -> BaseException | None:
        """What was taken has been sent, unless something before it of the same client was not: then it is
        sent again behind that, so that order holds. Gives the loss of the connection, if there was one."""
        broken, taken, behind = None, [], set()
        for notice, outcome in zip(waiting, outcomes, strict=True):
            if outcome is None:
                taken += [] if notice.client in behind else [notice.id]
                continue
            behind.add(notice.client)
            if isinstance(outcome, RefusedError):
                refused[notice.client] = time.monotonic() + REFUSED_FOR
                self._note_trouble(outcome)
            else:
                broken = broken or outcome
        if taken:
            await asyncio.to_thread(outbox.sent, taken, datetime.now(UTC))
            self._metrics.published(len(taken))
        if time.monotonic() - self._counted_at > COUNT_EVERY:
            await self._tell_what_waits()
        return broken

    async def _settled(self, some_wait: bool) -> None:
        """All was taken, but for what `some_wait` tells of."""
        if some_wait:
            await self._tell_what_waits()
            return
        self._metrics.outbox_waits(0, None)
        self._backoff.reset()
        if self._troubles:
            self._troubles.clear()
            log.info("broker has taken all notices")

    async def _tell_what_waits(self) -> None:
        self._counted_at = time.monotonic()
        with suppress(StoreError):
            self._metrics.outbox_waits(*await asyncio.to_thread(self._count))

    def _count(self) -> tuple[int, datetime | None]:
        with closing(Outbox(self._database_url)) as outbox:
            return outbox.waiting(self._router())

    async def _tell_standings(self, client: _Client) -> None:
        """Keep the retained topics as things stand."""
        known: dict[str, bytes | None] = dict.fromkeys(self._retained)
        while True:
            began = time.monotonic()
            now = {
                self._topics.status: as_json(self._status()),
                **dict(self._topics.standings(self._queues())),
            }
            self._retained |= now.keys()
            for topic, payload in now.items():
                if known.get(topic) != payload:
                    await self._publish(client, topic, payload, retain=True)
            for topic in known.keys() - now.keys():
                with suppress(RefusedError):  # What may not be said there was never kept there.
                    await self._publish(client, topic, b"", retain=True)
            known, self._retained = {**now}, set(now)
            # Many queues take time to look at, and calls come first.
            await asyncio.sleep(max(STANDINGS_EVERY, SHARE * (time.monotonic() - began)))

    async def _listen(self, client: _Client) -> None:
        """Obey commands; it also notices that the connection is lost."""
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if message.retain and not payload:
                continue  # Somebody clears the topic of what it retained.
            try:
                if message.retain:
                    raise NoOrderError("a retained command would be obeyed at each start; publish it without")
                remark = await self._obey(self._topics.read(str(message.topic), payload))
                answer = Answer(True, remark=remark)
            except NoOrderError as error:
                answer = Answer(False, str(error))
                log.warning("command by MQTT not obeyed", topic=str(message.topic), why=str(error))
            await self._answer(client, message.properties, answer)

    async def _answer(self, client: _Client, asked: Properties | None, answer: Answer) -> None:
        topic = getattr(asked, "ResponseTopic", "")
        if asked is None or not self._topics.may_be_answered(topic):
            return
        properties = Properties(PacketTypes.PUBLISH)
        if hasattr(asked, "CorrelationData"):
            properties.CorrelationData = asked.CorrelationData
        await client.publish(topic, as_json(answer), qos=1, properties=properties)

    def _note_trouble(self, error: BaseException) -> None:
        """Each is told once, until all is well again."""
        self._metrics.publishing_failed()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        trouble = str(error) or type(error).__name__
        if trouble not in self._troubles and len(self._troubles) < MOST_TROUBLES:
            self._troubles.add(trouble)
            log.error("broker takes no notices, will try again", broker=self._settings.host, error=trouble)


def _gap(waiting: Sequence[Outgoing]) -> float:
    """Seconds between two of them. Where more may wait, they are not of this moment."""
    if len(waiting) < AT_ONCE:
        return 0.0
    moments = [one.at for one in waiting]
    return min(GAP, (max(moments) - min(moments)).total_seconds() / SPEED / AT_ONCE)
