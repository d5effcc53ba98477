"""A small Asterisk for the connection: real HTTP and a real WebSocket, with the behaviour that matters to it.

`AriDoors` is the way in, which tests/sim shares: it serves the requests of a socket in order and tells the
loser of the application's name. `AriServer` keeps the filters it was given, and can be made to misbehave by
its attributes.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web

STAMP = "2026-11-22T14:31:16.154+0000"
ALL = "__AST_CHANNEL_ALL_TOPIC"
Json = dict[str, Any]


def channel(channel_id: str) -> Json:
    return {
        "id": channel_id,
        "name": f"PJSIP/{channel_id}",
        "state": "Up",
        "protocol_id": "",
        "caller": {"name": "", "number": ""},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {
            "context": "in",
            "exten": "1",
            "priority": 1,
            "app_name": "Stasis",
            "app_data": "callrouter",
        },
        "creationtime": STAMP,
        "language": "en",
    }


def event(event_type: str, channel_id: str = "c1", **more: object) -> Json:
    return {
        "type": event_type,
        "timestamp": STAMP,
        "channel": channel(channel_id),
        "asterisk_id": "a",
        "application": "callrouter",
        **more,
    }


class AriDoors:
    """HTTP under /ari, and the WebSocket of events with REST over it. What is behind them, `serve` says."""

    password = "secret"
    url = ""

    async def open(self) -> None:
        """Listen on a free port of loopback; `url` is what a router is given."""
        self._sockets: list[web.WebSocketResponse] = []
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/ari/{path:.*}", self._http)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/ari"

    async def close(self) -> None:
        for socket in self._sockets:
            await socket.close()
        await self._runner.cleanup()

    async def serve(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, object]:
        """What a request does: the status, and an object or the bytes of a file."""
        raise NotImplementedError

    async def admit(self, request: web.Request) -> int:
        """The status with which a request is turned away; 0 lets it in."""
        return 0 if authorised(request, self.password) else 401

    async def entered(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        """A WebSocket is open, and is the newest."""

    def left(self, socket: web.WebSocketResponse) -> None:
        """A WebSocket is closed."""

    async def said(self, socket: web.WebSocketResponse, message: aiohttp.WSMessage) -> None:
        """A frame came: a ping is answered, a request is served."""
        if message.type is aiohttp.WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await self.rest(socket, json.loads(message.data))

    async def rest(self, socket: web.WebSocketResponse, request: Json) -> None:
        """One request over the WebSocket."""
        query = {row["name"]: row["value"] for row in request.get("query_strings", ())}
        body = json.loads(request["message_body"]) if "message_body" in request else None
        status, answer = await self.serve(request["method"], request["uri"], query, body)
        await socket.send_str(json.dumps(response(request, status, answer)))

    def reset(self) -> None:
        """The newest connection ends without a close frame."""
        transport = self._requests[-1].transport
        assert transport is not None
        transport.abort()

    async def _http(self, request: web.Request) -> web.StreamResponse:
        refused = await self.admit(request)
        if refused:
            return web.json_response({"message": "refused"}, status=refused)
        body = await request.text()
        path = request.match_info["path"]
        status, answer = await self.serve(
            request.method, path, request.query, json.loads(body) if body else None
        )
        if isinstance(answer, bytes):
            return web.Response(status=status, body=answer)
        return web.json_response(answer, status=status)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        refused = await self.admit(request)
        if refused:
            return web.Response(status=refused)
        socket = web.WebSocketResponse(autoping=False, timeout=0.1)
        await socket.prepare(request)
        with contextlib.suppress(ConnectionError, IndexError):  # nobody had the name, or it has gone
            replaced = {"type": "ApplicationReplaced", "timestamp": STAMP, "application": "callrouter"}
            await self._sockets[-1].send_str(json.dumps(replaced))
        self._sockets.append(socket)
        self._requests = [request]
        await self.entered(socket, request)
        async for message in socket:
            await self.said(socket, message)
        self.left(socket)
        return socket


def authorised(request: web.Request, password: str) -> bool:
    return request.headers.get("Authorization") == aiohttp.encode_basic_auth("router", password)


def response(request: Json, status: int, answer: object) -> Json:
    """The reply over the WebSocket; without a body where the answer is None."""
    reply = {"type": "RESTResponse", "transaction_id": "", "request_id": request["request_id"]}
    reply |= {"status_code": status, "reason_phrase": "OK" if status == 200 else http_reason(status)}
    reply |= {"uri": request["uri"], "application": "callrouter", "timestamp": STAMP}
    if answer is not None:
        reply |= {"content_type": "application/json", "message_body": json.dumps(answer)}
    return reply


def http_reason(status: int) -> str:
    return HTTPStatus(status).phrase


@dataclass
class AriServer(AriDoors):
    """`requests` are those of the websocket, `http_requests` those of HTTP, as (method, path)."""

    version: str = "22.10.1"
    lacks: str = ""  # a module that is not loaded
    password: str = "secret"
    refuse: int = 0  # this status to every websocket
    close_at_once: bool = False  # past sessionlimit
    lingers: bool = False  # an application that was made without subscribeAll
    silent: bool = False  # answers nothing on the websocket, not even pings
    mute_rest: bool = False  # pongs come, replies do not
    hold_filter: asyncio.Event | None = None
    early: list[Json] = field(default_factory=list)  # sent as soon as the websocket is open
    delay: float = 0.0  # seconds before each reply
    requests: list[Json] = field(default_factory=list)
    http_requests: list[tuple[str, str]] = field(default_factory=list)
    filters: list[Json] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    opened: int = 0

    async def __aenter__(self) -> "AriServer":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.silent = False
        await self.close()

    async def say(self, *messages: Json | str | bytes) -> None:
        """Sends text frames to the newest websocket: objects as JSON, text and bytes as they are."""
        for message in messages:
            raw = (
                message
                if isinstance(message, bytes)
                else message
                if isinstance(message, str)
                else json.dumps(message)
            )
            data = raw.encode() if isinstance(raw, str) else raw
            await self._sockets[-1].send_frame(data, aiohttp.WSMsgType.TEXT)

    async def ping(self) -> None:
        await self._sockets[-1].ping(b"are you there")

    async def close_socket(self, code: int) -> None:
        await self._sockets[-1].close(code=code)

    async def admit(self, request: web.Request) -> int:
        if "path" not in request.match_info:
            self.urls.append(str(request.rel_url))
            return self.refuse or await super().admit(request)
        path = request.match_info["path"]
        self.http_requests.append((request.method, path))
        if self.close_at_once:
            assert request.transport is not None
            request.transport.abort()
        status = await super().admit(request)
        if not status and path.endswith("/eventFilter") and self.hold_filter is not None:
            await self.hold_filter.wait()
        return status

    async def serve(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, object]:
        if path == "asterisk/info":
            info = {"system": {"version": self.version, "entity_id": "a"}}
            return 200, info | {"status": {"startup_time": STAMP, "last_reload_time": STAMP}}
        if path == f"asterisk/modules/{self.lacks}":
            return 404, {"message": "Module could not be found in running modules"}
        if path.startswith("applications/"):
            if path.endswith("/eventFilter"):
                self.filters.append(body)
            if path.endswith("/subscription"):
                return 200, self._application([ALL])
            return 200, self._application([] if self.lingers else [ALL])
        if path == "recordings/stored/r1/file":
            return 200, b"RIFF" * 1000
        if path == "channels/none":
            return 404, {"message": "Channel not found"}
        if path == "channels/quiet":
            return 200, None
        return 200, {"method": method, "path": path, "body": body}

    def _application(self, channel_ids: list[str]) -> Json:
        return {
            "name": "callrouter",
            "channel_ids": channel_ids,
            "bridge_ids": [],
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [],
            "events_disallowed": [],
        }

    async def entered(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.opened += 1
        await self.say(*self.early)

    async def said(self, socket: web.WebSocketResponse, message: aiohttp.WSMessage) -> None:
        if not self.silent:
            await super().said(socket, message)

    async def rest(self, socket: web.WebSocketResponse, request: Json) -> None:
        self.requests.append(request)
        if self.mute_rest and request["uri"] != "asterisk/info":
            return
        await asyncio.sleep(self.delay)
        await super().rest(socket, request)
