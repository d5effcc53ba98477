"""The HTTP lane: bulk reads and recordings, which must not delay the requests on the websocket."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from router.edge.ari.outgoing import Socket
from router.edge.ari.rest import Reply, encode

MOST_AT_ONCE = 4
IDLE_SECONDS = (
    10.0  # Asterisk closes an idle connection at 15 s; leaving first avoids meeting it while it closes
)
CANNOT_CONNECT = "cannot connect"
LARGEST_BODY = 64 * 1024 * 1024


class HttpLane:
    """At most four requests at once, each limited in time and size. A reply always comes; none raises."""

    def __init__(
        self, url: str, username: str, password: str, limit: float, largest_body: int = LARGEST_BODY
    ) -> None:
        self._url = url
        self._largest_body = largest_body
        self.session = aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(username, password)},
            connector=aiohttp.TCPConnector(limit=MOST_AT_ONCE, keepalive_timeout=IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=limit, sock_connect=min(limit, 3.0)),
            ws_response_class=Socket,  # type: ignore[arg-type]  # its frames are bytes, as is asked for
        )

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Reply:
        text = f"{self._url}/{path}" + (f"?{urlencode(query)}" if query else "")
        data = encode(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            async with self.session.request(
                method, URL(text, encoded=True), data=data, headers=headers, allow_redirects=False
            ) as answer:
                return await self._read(answer)
        except TimeoutError:
            return Reply(0, "no reply in time")
        except aiohttp.ServerDisconnectedError:
            return Reply(0, "connection closed without a reply")
        except aiohttp.ClientConnectorError as problem:
            return Reply(0, f"{CANNOT_CONNECT}: {problem}")
        except (aiohttp.ClientError, OSError) as problem:
            return Reply(0, f"{type(problem).__name__}: {problem}")

    async def _read(self, answer: aiohttp.ClientResponse) -> Reply:
        found = bytearray()
        async for chunk in answer.content.iter_any():
            found += chunk
            if len(found) > self._largest_body:
                return Reply(0, f"reply larger than {self._largest_body} bytes")
        return Reply(answer.status, answer.reason or "", bytes(found))

    async def close(self) -> None:
        await self.session.close()
        await asyncio.sleep(0)  # lets the closed transports leave the loop
