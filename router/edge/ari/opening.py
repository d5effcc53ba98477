"""The steps from nothing to a filtered websocket. Each raises SetupError with what to do about it."""

import re
import socket
from typing import TypeVar

import aiohttp
import msgspec

from router.edge.ari import models
from router.edge.ari.errors import (
    BY_STATUS,
    ModuleError,
    NoAnswerError,
    RefusedError,
    UnreachableError,
    VersionError,
)
from router.edge.ari.generate import REPLY, USED_EVENTS
from router.edge.ari.lane import CANNOT_CONNECT, HttpLane
from router.edge.ari.link import AriSettings
from router.edge.ari.outgoing import Socket
from router.edge.ari.rest import Reply

OLDEST_VERSION = (22, 7)
MODULES = ("func_timeout.so", "func_strings.so", "func_export.so")
"""Of the functions that dead-man timers are set and lifted by. Asterisk answers 204 where one is missing, and
every talk would end as if we were gone."""
ALL_CHANNELS = "__AST_CHANNEL_ALL_TOPIC"  # stands in an application's channel_ids when subscribed to all
CLOSE_SECONDS = 0.5
EVENT_FILTER: dict[str, object] = {
    "allowed": [{"type": name} for name in (*USED_EVENTS, REPLY)],
    "disallowed": [],
}

Read = TypeVar("Read", models.AsteriskInfo, models.Application)


def accepted(url: str, reply: Reply, kind: type[Read]) -> Read:
    """The body of a reply that must be good."""
    if reply.status == 0:
        raise (UnreachableError if reply.reason.startswith(CANNOT_CONNECT) else NoAnswerError)(
            url, reply.reason
        )
    if not reply.ok:
        raise BY_STATUS.get(reply.status, RefusedError)(url, f"status {reply.status} {reply.reason}".rstrip())
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise RefusedError(url, f"this is not Asterisk's ARI: {problem}") from None


def check_version(url: str, info: models.AsteriskInfo) -> None:
    """Takes `22.10.1`, `22.10.1+dfsg`, `certified-22.8-cert1` and, unproven, a build from git."""
    version = info.system.version if info.system else ""
    if version.startswith("GIT-"):
        return
    found = re.search(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_VERSION:
        raise VersionError(url, f"this is Asterisk {version or 'without a version'}")


async def look(lane: HttpLane, settings: AriSettings) -> None:
    """An Asterisk that we can work with answers, knows us, and has what we cannot do without."""
    url = settings.url
    check_version(url, accepted(url, await lane.request("GET", "asterisk/info"), models.AsteriskInfo))
    for module in MODULES:
        if (await lane.request("GET", f"asterisk/modules/{module}")).status == 404:
            raise ModuleError(url, f"{module} is not loaded")


async def open_socket(lane: HttpLane, settings: AriSettings) -> Socket:
    """The websocket; from here on the application is ours and events come."""
    url = f"{settings.url}/events"
    try:
        opened = await lane.session.ws_connect(
            url,
            params={"app": settings.app, "subscribeAll": "true"},
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            autoping=False,  # pongs are signs of life
            max_msg_size=0,  # Asterisk is trusted with the size of its frames
            decode_text=False,
        )
    except aiohttp.WSServerHandshakeError as problem:
        raise BY_STATUS.get(problem.status, RefusedError)(url, f"status {problem.status}") from None
    except (aiohttp.ClientError, OSError) as problem:
        raise NoAnswerError(url, f"{type(problem).__name__}: {problem}") from None
    assert isinstance(opened, Socket)  # as the lane's session makes them
    raw = opened.get_extra_info("socket")
    if raw is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        # A closed socket whose peer is gone would otherwise retry its last bytes for a quarter of an hour.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.stuck_limit * 1000))
    return opened


async def set_filter(lane: HttpLane, settings: AriSettings) -> bool:
    """Lets through only what we use; subscribes by hand where the application did not take subscribeAll.

    True in that case: until the application goes away, each event of a channel comes twice.
    """
    path = f"applications/{settings.app}"
    url = f"{settings.url}/{path}"
    reply = await lane.request("PUT", f"{path}/eventFilter", body=EVENT_FILTER)
    if ALL_CHANNELS in accepted(url, reply, models.Application).channel_ids:
        return False
    reply = await lane.request("POST", f"{path}/subscription", {"eventSource": "channel:,bridge:"})
    accepted(url, reply, models.Application)
    return True
