"""Frames out, in order, without waiting.

aiohttp's `send_frame` writes to the transport before it first waits, and waits only while the transport is
above its high-water mark. So one step of the coroutine sends the frame; the future it then wants to wait for
tells when to go on, and later frames queue until it is done. The queue is bounded by the number of
unanswered requests.

A write of its own for each frame is a packet of its own, and wakes Asterisk: 45 us of our CPU a frame. So the
frames of one turn (`gather` to `release`) leave together, held back by TCP_CORK (tcp(7)).
"""

import asyncio
import socket
from collections import deque
from contextlib import suppress

import aiohttp
from aiohttp import WSMsgType


class Outgoing:
    """The sending side of one websocket."""

    def __init__(self, opened: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._opened = opened
        self._full: asyncio.Future[None] | None = None
        self._queue: deque[tuple[bytes, WSMsgType]] = deque()
        self._stopped = False
        self._socket: socket.socket | None = (
            opened.get_extra_info("socket") if hasattr(socket, "TCP_CORK") else None
        )
        self._gathering = False
        self._corked = False

    def gather(self) -> None:
        """From here to `release` frames leave together."""
        self._gathering = self._socket is not None

    def release(self) -> None:
        """Let what was pushed since `gather` go."""
        self._gathering = False
        if self._corked:
            self._cork(False)

    def push(self, frame: bytes, kind: WSMsgType) -> bool:
        """Writes or queues one frame; False when the connection is closing."""
        if self._stopped:
            return False
        if self._full is not None:
            self._queue.append((frame, kind))
            return True
        if self._gathering and not self._corked:
            self._cork(True)
        sending = self._opened.send_frame(frame, kind)
        try:
            full: asyncio.Future[None] = sending.send(None)
        except StopIteration:
            return True
        except (ConnectionError, aiohttp.ClientError):
            return False
        sending.close()  # written; it only wanted to wait
        self._full = full
        full.add_done_callback(self._go_on)
        return True

    def stop(self) -> None:
        """Nothing more is written, queued frames included."""
        self._stopped = True
        self._queue.clear()

    def _cork(self, on: bool) -> None:
        assert self._socket
        self._corked = on
        with suppress(OSError):  # the connection is lost; its end answers those who wait
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)

    def _go_on(self, full: asyncio.Future[None]) -> None:
        self._full = None
        if full.cancelled() or full.exception() is not None:
            self.stop()  # the connection is lost; its end answers those who wait
        while self._queue and self._full is None:
            self.push(*self._queue.popleft())
