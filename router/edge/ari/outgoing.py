"""Frames out, in order, without waiting.

aiohttp's `send_frame` writes to the transport before it first waits, and waits only while the transport is
above its high-water mark. So one step of the coroutine sends the frame; the future it then wants to wait for
tells when to go on, and later frames queue until it is done. The queue is bounded by the number of
unanswered requests.
"""

import asyncio
from collections import deque

import aiohttp
from aiohttp import WSMsgType


class Outgoing:
    """The sending side of one websocket."""

    def __init__(self, opened: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._opened = opened
        self._full: asyncio.Future[None] | None = None
        self._queue: deque[tuple[bytes, WSMsgType]] = deque()
        self._stopped = False

    def push(self, frame: bytes, kind: WSMsgType) -> bool:
        """Writes or queues one frame; False when the connection is closing."""
        if self._stopped:
            return False
        if self._full is not None:
            self._queue.append((frame, kind))
            return True
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

    def _go_on(self, full: asyncio.Future[None]) -> None:
        self._full = None
        if full.cancelled() or full.exception() is not None:
            self.stop()  # the connection is lost; its end answers those who wait
        while self._queue and self._full is None:
            self.push(*self._queue.popleft())
