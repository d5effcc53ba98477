"""Posting to other systems: signed, without redirects, and not into one's own net unless settings say so."""

import hashlib
import hmac
import socket
from collections.abc import Collection
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from router.edge.undelivered import UndeliveredError

LIMIT = 30.0
"""Seconds for one post, all in all."""

TIMESTAMP, SIGNATURE = "X-Callrouter-Timestamp", "X-Callrouter-Signature"
"""Headers: seconds since 1970, and the HMAC-SHA256 of `TIMESTAMP.BODY` in hex."""


async def post(
    url: str, document: dict[str, object], now: datetime, secret: str, allowed: Collection[str]
) -> None:
    """Post a document as JSON. `allowed` are hosts that may be within one's own net. Raises
    UndeliveredError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in allowed and parts.scheme != "https":
        raise UndeliveredError(f"{url} is not https; write https://, or add {host} to `webhooks.allow`")
    if host not in allowed and not _is_public(host):
        raise UndeliveredError(f"{host} is within one's own net; add it to `webhooks.allow`")
    body = msgspec.json.encode(document)
    headers = {"Content-Type": "application/json", **signed(body, now, secret)}
    resolver = ThreadedResolver() if host in allowed else PublicResolver()
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver), timeout=aiohttp.ClientTimeout(total=LIMIT)
            ) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as reply,
        ):
            if not 200 <= reply.status < 300:
                raise UndeliveredError(f"{host} answers {reply.status} {reply.reason or ''}".strip())
    except TimeoutError as error:
        raise UndeliveredError(f"{host} does not answer within {LIMIT:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise UndeliveredError(f"{host}: {error or type(error).__name__}") from error


def signed(body: bytes, now: datetime, secret: str) -> dict[str, str]:
    """The headers that prove who posts, and when; without a secret, only when."""
    stamp = str(int(now.timestamp()))
    if not secret:
        return {TIMESTAMP: stamp}
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: stamp, SIGNATURE: digest}


class PublicResolver(AbstractResolver):
    """Finds only addresses that anybody can reach: a name may be anything's, also of one's own net."""

    def __init__(self) -> None:
        self._all = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """OSError where there is none."""
        found = [one for one in await self._all.resolve(host, port, family) if _is_public(one["host"])]
        if not found:
            raise OSError(f"{host} is within one's own net; add it to `webhooks.allow`")
        return found

    async def close(self) -> None:
        await self._all.close()


def _is_public(host: str) -> bool:
    """True of addresses that anybody can reach, and of names, which are looked up later."""
    try:
        address: Any = ip_address(host)
    except ValueError:
        return host != "localhost"
    return bool(address.is_global) and not address.is_multicast
