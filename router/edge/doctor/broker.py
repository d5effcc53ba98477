"""Does the MQTT broker let us in, and is nothing waiting for it? Nothing is published."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime, timedelta

import aiomqtt

from router.core.findings import Finding, error, ok, warning
from router.edge.doctor.visit import Visit, aside
from router.edge.mqttlink import Broker
from router.edge.store.errors import StoreError
from router.edge.store.outbox import Outbox

LIMIT = 8.0
"""Seconds for the broker to answer."""
LATE = timedelta(minutes=5)
"""Notices that wait for longer do so because they are not taken."""


async def broker(visit: Visit) -> AsyncIterator[Finding]:
    """By a connection of its own, which takes no other's place."""
    known = visit.settings.mqtt.connection
    if known is None:
        yield ok("no MQTT broker is set: nothing is published")
        return
    where = f"{known.host}:{known.port}"
    try:
        async with asyncio.timeout(LIMIT), _client(known):
            pass
    except (aiomqtt.MqttError, OSError, ValueError) as problem:
        remedy = "see `mqtt:` in callrouter.yaml, and that the broker runs and has that user"
        yield error(f"the MQTT broker does not let us in: {problem or type(problem).__name__}", remedy, where)
    else:
        yield ok("the MQTT broker lets us in", where)
    entity = visit.asterisk_id
    if entity:
        now, url = visit.now(), visit.settings.database_url
        for finding in await aside(lambda: list(_waiting(url, entity, now))):
            yield finding


def _client(known: Broker) -> aiomqtt.Client:
    return aiomqtt.Client(
        known.host,
        known.port,
        identifier=f"callrouter-doctor-{secrets.token_hex(4)}",
        username=known.username or None,
        password=known.password,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=ssl.create_default_context(cafile=known.ca_file) if known.tls else None,
        timeout=LIMIT,
    )


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
