"""Posting to other systems: signed, without redirects, and not into one's own net unless settings say so."""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from router.edge.undelivered import RefusedError, UndeliveredError

_TRANSLATED = tuple(map(ip_network, ("64:ff9b::/96", "2002::/16")))
"""IPv6 that stands for IPv4, which may be anybody's own (NAT64, 6to4)."""

LIMIT = 30.0
"""Seconds for one post, all in all."""

KEPT_FOR = 1.0
"""Seconds that a connection is kept for the next post: less than usual servers keep one (gunicorn 2, node 5),
since one that lets go of it just when something comes has not taken that."""

MOST_HEARD = 65_536
"""Bytes of an answer, which nobody reads."""

_TRY_LATER = (408, 425, 429)
"""Statuses by which a server is too busy, rather than unwilling (RFC 9110, 6585, 8470)."""

_FAILED = (500, 501)
"""Statuses by which a server is there, and fails with what it was sent (RFC 9110)."""

TIMESTAMP, SIGNATURE = "X-Callrouter-Timestamp", "X-Callrouter-Signature"
"""Headers: seconds since 1970, and the HMAC-SHA256 of `TIMESTAMP.BODY` in hex."""


class Signed(NamedTuple):
    """What is posted, with the headers that prove who posts it, and when."""

    body: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, document: dict[str, object], now: datetime, secret: str) -> "Signed":
        """A document as JSON, which takes milliseconds a megabyte."""
        return cls.sealed(msgspec.json.encode(document), now, secret)

    @classmethod
    def sealed(cls, body: bytes, now: datetime, secret: str) -> "Signed":
        """JSON as it is; without a secret only `now` is told."""
        stamp = str(int(now.timestamp()))
        headers = {"Content-Type": "application/json", TIMESTAMP: stamp}
        if secret:
            signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
            headers[SIGNATURE] = signature.hexdigest()
        return cls(body, headers)


class Poster:
    """Posts, while it is entered. Connections are kept for a moment, so that of many posts to one server not
    each needs its own; what is seldom posted comes by a new one."""

    _session: aiohttp.ClientSession

    def __init__(self, allowed: Collection[str]) -> None:
        """`allowed` are hosts (in small letters) that may be within one's own net."""
        self._allowed = frozenset(map(_on_the_wire, allowed))

    async def __aenter__(self) -> "Poster":
        # How many go at once is up to who posts.
        resolver = PublicResolver(self._allowed)
        connector = aiohttp.TCPConnector(resolver=resolver, limit=0, keepalive_timeout=KEPT_FOR)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(self, url: str, signed: Signed) -> None:
        """Post once. Raises UndeliveredError."""
        host = self._allowed_host(url)
        limit = aiohttp.ClientTimeout(total=LIMIT)
        try:
            async with self._session.post(
                url, data=signed.body, headers=signed.headers, allow_redirects=False, timeout=limit
            ) as reply:
                await _hear_out(reply)
                if not 200 <= reply.status < 300:
                    unwanted = 400 <= reply.status < 500 and reply.status not in _TRY_LATER
                    kind = RefusedError if unwanted or reply.status in _FAILED else UndeliveredError
                    raise kind(f"{host} answers {reply.status} {reply.reason or ''}".strip())
        except TimeoutError as error:
            raise UndeliveredError(f"{host} does not answer within {LIMIT:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UndeliveredError(f"{host}: {error or type(error).__name__}") from error

    def _allowed_host(self, url: str) -> str:
        try:
            parts = URL(url)
            host = parts.host or ""
            inside = parts.raw_host in self._allowed
        except ValueError as error:
            raise UndeliveredError(f"{url} is no URL: {error}") from error
        if not inside and parts.scheme != "https":
            raise UndeliveredError(f"{url} is not https; write https://, or add {host} to `webhooks.allow`")
        if not inside and not is_public(host):
            raise UndeliveredError(f"{host} is within one's own net; add it to `webhooks.allow`")
        return host


class PublicResolver(AbstractResolver):
    """Of hosts that are not allowed otherwise it finds only addresses that anybody can reach: a name may be
    anything's, also of one's own net."""

    def __init__(self, allowed: Collection[str]) -> None:
        """`allowed` are names as they are on the wire."""
        self._allowed = allowed
        self._all = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """OSError where there is none."""
        found = await self._all.resolve(host, port, family)
        reachable = [one for one in found if host in self._allowed or is_public(one["host"])]
        if not reachable:
            raise OSError(f"{host} is within one's own net; add it to `webhooks.allow`")
        return reachable

    async def close(self) -> None:
        await self._all.close()


async def _hear_out(reply: aiohttp.ClientResponse) -> None:
    """A connection can be used again once all was read; who says too much, or is too slow, loses it."""
    heard = 0
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(KEPT_FOR):
            async for chunk in reply.content.iter_any():
                heard += len(chunk)
                if heard > MOST_HEARD:
                    return


def _on_the_wire(host: str) -> str:
    """A name as DNS has it (IDNA)."""
    return URL.build(scheme="https", host=host).raw_host or ""


def is_public(host: str) -> bool:
    """True of addresses that anybody can reach, and of names, which are looked up later."""
    try:
        address: Any = ip_address(host)
    except ValueError:
        return host != "localhost"
    inside = any(address.version == net.version and address in net for net in _TRANSLATED)
    return bool(address.is_global) and not address.is_multicast and not inside
