"""Does the MQTT broker let us in and take what we publish, and is nothing waiting for it?

What is published is one event of a type of its own, which the broker does not keep, beside those of calls:
only so its ACL can be asked. How a running router fares with its other topics, its own metric tells: a status
from here would not be true.

By paho itself, not aiomqtt: that one waits on for a broker which has hung up, and logs.
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from router.core.findings import Finding, Severity, error, ok, warning
from router.core.notices import VERSION
from router.edge.doctor.daemon import metric
from router.edge.doctor.visit import Visit, aside
from router.edge.mqttlink import Broker
from router.edge.mqttwords import NOBODY
from router.edge.store.errors import StoreError
from router.edge.store.outbox import Outbox

LIMIT = 8.0
"""Seconds for the broker to answer."""
STEP = 0.2
"""Seconds until a thread that waits for the broker looks at the time."""
CONNECTED = "callrouter_mqtt_connected"
"""Of a router that runs: 1 once the broker has taken its status, 0 while it is not there."""
LATE = timedelta(minutes=5)
"""Notices that wait for longer do so because they are not taken."""


class NotLetInError(Exception):
    """The broker does not let us in; the text says why."""


class HungUpError(NotLetInError):
    """It has closed the connection; after it let us in, that is how some refuse what is published."""


async def broker(visit: Visit) -> AsyncIterator[Finding]:
    """By a connection of its own, which takes no other's place."""
    known = visit.settings.mqtt.connection
    if known is None:
        yield ok("no MQTT broker is set: nothing is published")
        return
    found = await _asked(known, visit.now())
    yield found
    if found.severity is Severity.OK and await metric(visit.settings.web, CONNECTED) == 0:
        yield _router_is_not(known)
    entity = visit.asterisk_id
    if entity:
        now, url = visit.now(), visit.settings.database_url
        for finding in await aside(lambda: list(_waiting(url, entity, now))):
            yield finding


async def _asked(known: Broker, now: datetime) -> Finding:
    where = f"{known.host}:{known.port}"
    topic = f"{known.prefix}/events/{NOBODY}/doctor"
    try:
        async with asyncio.timeout(LIMIT):
            refused = await aside(lambda: _Caller(known).publish(topic, _event(now)))
    except TimeoutError:
        why = f"it has not answered within {LIMIT:g} s"
    except (NotLetInError, OSError, ValueError) as problem:
        why = str(problem) or type(problem).__name__
    else:
        if refused:
            what = f"the MQTT broker lets us in, and does not let us publish to {topic}: {refused}"
            return error(what, _may(known), where)
        return ok("the MQTT broker lets us in, and takes what we publish", where)
    remedy = "see `mqtt:` in callrouter.yaml, and that the broker runs and has that user"
    return error(f"the MQTT broker does not let us in: {why}", remedy, where)


def _event(now: datetime) -> bytes:
    """As all events are (core/notices.py), so that who does not know its type passes over it."""
    return msgspec.json.encode({"type": "doctor", "id": secrets.token_hex(8), "at": now, "version": VERSION})


def _router_is_not(known: Broker) -> Finding:
    what = "the MQTT broker lets us in, and the running router publishes nothing there"
    remedy = f"see its log, `broker takes no notices`; {_may(known)}; restart it if `mqtt:` is new"
    return error(what, remedy, f"{known.host}:{known.port}")


def _may(known: Broker) -> str:
    """What the ACL must let our user do (edge/mqttwords.py)."""
    user, router = known.username or "nobody in particular", f"{known.prefix}/routers/{known.router}"
    written = ", ".join(f"{known.prefix}/{one}/#" for one in ("events", "queues", "agents", "answers"))
    return (
        f"have the broker's ACL let `{user}` write {written} and {router}/status, and read "
        f"{router}/commands/#"
    )


class _Caller:
    """One connection to a broker. It blocks."""

    def __init__(self, known: Broker) -> None:
        self._known = known
        self._ends = time.monotonic() + LIMIT
        self._admitted: Any = None
        """The reason code of CONNACK."""
        self._taken: Any = None
        """... and of PUBACK."""
        self._told = ""
        """Why the broker hangs up, if it says so."""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, f"callrouter-doctor-{secrets.token_hex(4)}", protocol=paho.MQTTv5
        )
        self._client.connect_timeout = LIMIT
        self._client.username_pw_set(known.username or None, known.password)
        if known.tls:
            self._client.tls_set_context(ssl.create_default_context(cafile=known.ca_file))
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect

    def publish(self, topic: str, body: bytes) -> str:
        """Why that may not be published there (QoS 1, not retained); empty if it may. Raises
        NotLetInError, OSError, ValueError."""
        self._client.connect(self._known.host, self._known.port, keepalive=int(LIMIT))
        try:
            self._wait_for(lambda: self._admitted)
            if self._admitted.is_failure:
                raise NotLetInError(str(self._admitted))
            self._client.publish(topic, body, qos=1)
            self._wait_for(lambda: self._taken)
            return str(self._taken) if self._taken.is_failure else ""
        except HungUpError as problem:
            if self._admitted is None:
                raise
            return str(problem)
        finally:
            self._client.disconnect()

    def _wait_for(self, answer: Callable[[], object]) -> None:
        while answer() is None:
            if time.monotonic() > self._ends:
                raise TimeoutError
            lost = self._client.loop(STEP)
            if lost and answer() is None:
                raise HungUpError(self._told or self._hung_up())

    def _hung_up(self) -> str:
        why = "it closed the connection without a word"
        if self._known.tls or self._admitted is not None:
            return why
        return f"{why}; perhaps that port wants TLS (`mqtt.tls: true`)"

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self._admitted = reason

    def _on_publish(self, _client: Any, _data: Any, _mid: int, reason: Any, _more: Any) -> None:
        self._taken = reason

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, reason: Any, _more: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._told = str(reason)


def _waiting(url: str, router: str, now: datetime) -> Iterator[Finding]:
    """Of the outbox, as far as there is a database; what is wrong with that is told elsewhere."""
    try:
        with closing(Outbox(url)) as outbox:
            count, oldest = outbox.waiting(router)
    except StoreError:
        return
    if oldest is None or now - oldest < LATE:
        yield ok(f"{count} notices wait to be published")
        return
    what = f"{count} notices wait to be published, the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
    remedy = "see that a router runs, that the broker does, and that its ACL lets our user publish"
    yield warning(what, remedy)
