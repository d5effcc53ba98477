"""The floor: a bare application that forwards a call over ARI, as one writes it with what is at hand.

aiohttp, the standard library's json and event loop; create, dial, answer, bridge, hang up. REST goes over the
websocket, unwanted events are filtered out by Asterisk, and the caller's channel as originator lends its
codecs, so nothing is transcoded. No decision, journal, log, metrics, dead-man, time limits or recovery. With
`--tuned` the same runs on msgspec and uvloop: what remains of it when all is tuned.

    python -m tests.bench.floor URL USER PASSWORD_FILE APP ENDPOINT [--tuned]
"""

import asyncio
import json
import sys
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import uvloop

EVENTS = ("StasisStart", "StasisEnd", "ChannelStateChange", "ChannelDestroyed", "RESTResponse")

TUNED = "--tuned"


class Floor:
    """Forwards every caller of the application to one endpoint."""

    def __init__(
        self, socket: "aiohttp.ClientWebSocketResponse[bool]", app: str, endpoint: str, tuned: bool
    ) -> None:
        self._socket = socket
        self._app = app
        self._endpoint = endpoint
        self._decode = msgspec.json.decode if tuned else json.loads
        self._encode = (lambda request: msgspec.json.encode(request).decode()) if tuned else json.dumps
        self._ids = count(1)
        self._callers: dict[str, str] = {}
        """Leg -> caller, until the leg is answered or one of them has left."""
        self._peers: dict[str, str] = {}
        """Each party's channel -> the other's, while they talk."""

    async def run(self) -> None:
        async for message in self._socket:
            await self._on_event(self._decode(message.data))

    async def _send(self, method: str, uri: str, **query: str) -> None:
        request = {
            "type": "RESTRequest",
            "transaction_id": "",
            "request_id": str(next(self._ids)),
            "method": method,
            "uri": uri,
            "query_strings": [{"name": name, "value": value} for name, value in query.items()],
        }
        await self._socket.send_str(self._encode(request))

    async def _on_event(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "StasisStart" if event["args"] == ["in"]:
                caller = event["channel"]["id"]
                leg = f"leg-{caller}"
                self._callers[leg] = caller
                await self._send(
                    "POST", "channels/create", endpoint=self._endpoint, app=self._app, appArgs="leg",
                    channelId=leg, originator=caller,
                )  # fmt: skip
            case "StasisStart":
                await self._send("POST", f"channels/{event['channel']['id']}/dial", timeout="30")
            case "ChannelStateChange" if event["channel"]["state"] == "Up":
                await self._on_up(event["channel"]["id"])
            case "StasisEnd" | "ChannelDestroyed":
                await self._on_end(event["channel"]["id"])
            case "RESTResponse" if event["status_code"] >= 400 and event["status_code"] != 404:
                print(event, file=sys.stderr)

    async def _on_up(self, leg: str) -> None:
        caller = self._callers.pop(leg, None)
        if caller is None:
            return
        self._peers[leg], self._peers[caller] = caller, leg
        bridge = f"bridge-{caller}"
        await self._send("POST", f"channels/{caller}/answer")
        await self._send("POST", "bridges", type="mixing", bridgeId=bridge)
        await self._send("POST", f"bridges/{bridge}/addChannel", channel=f"{caller},{leg}")

    async def _on_end(self, channel: str) -> None:
        other = self._peers.pop(channel, None)
        if other is not None:
            del self._peers[other]
            caller = channel if other.startswith("leg-") else other
            await self._send("DELETE", f"channels/{other}")
            await self._send("DELETE", f"bridges/bridge-{caller}")
        elif caller := self._callers.pop(channel, ""):
            await self._send("DELETE", f"channels/{caller}")
        elif self._callers.pop(leg := f"leg-{channel}", ""):
            await self._send("DELETE", f"channels/{leg}")


async def main(url: str, user: str, password_file: str, app: str, endpoint: str, mode: str = "") -> None:
    """Serve until killed; `mode` is `--tuned` or nothing."""
    tuned = mode == TUNED
    password = Path(password_file).read_text()
    header = {"Authorization": aiohttp.encode_basic_auth(user, password)}
    wanted = {"allowed": [{"type": name} for name in EVENTS]}
    async with aiohttp.ClientSession(headers=header) as session:
        address = {"app": app, "subscribeAll": "true"}
        async with session.ws_connect(f"{url}/events", params=address) as socket:
            async with session.put(f"{url}/applications/{app}/eventFilter", json=wanted) as reply:
                reply.raise_for_status()
            await Floor(socket, app, endpoint, tuned).run()


if __name__ == "__main__":
    run = uvloop.run if sys.argv[-1] == TUNED else asyncio.run
    run(main(*sys.argv[1:]))
