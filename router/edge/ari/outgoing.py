"""Frames out, in order, without waiting.

aiohttp's `send_frame` writes to the transport before it first waits, and waits only while the transport is
above its high-water mark. So one step of the coroutine sends the frame; the future it then wants to wait for
tells when to go on, and later frames queue until it is done. The queue is bounded by the number of
unanswered requests.

Frames that are sent between `hold` and `release` leave together, since each write of its own costs a system
call here and wakes Asterisk once more: an answered call has three such frames, and its end two.
"""

import asyncio
from collections import deque
from typing import Any

import aiohttp
from aiohttp import WSMsgType

MOST_HELD = 16_384
"""Bytes."""


class Together:
    """A transport's writing side, which can keep what is written for a moment. What the websocket's writer
    uses of a transport, and nothing else."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None
        self._size = 0
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write, or keep until `release`; beyond MOST_HELD bytes nothing is kept, so that it is felt when the
        network takes no more."""
        if self._held is None:
            self._transport.write(data)
            return
        self._held.append(data)
        self._size += len(data)
        if self._size > MOST_HELD:
            self.release()

    def hold(self) -> None:
        """Keep what is written from now on."""
        self._held, self._size = [], 0

    def release(self) -> None:
        """Write what was kept, at once."""
        held, self._held = self._held, None
        if held:
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))


class Socket(aiohttp.ClientWebSocketResponse[bool]):
    """A websocket that writes by a `Together`."""

    def __init__(self, reader: Any, writer: Any, *rest: Any, **options: Any) -> None:
        """As aiohttp's session makes it."""
        super().__init__(reader, writer, *rest, **options)
        self.together = writer.transport = Together(writer.transport)


class Outgoing:
    """The sending side of one websocket."""

    def __init__(self, opened: Socket) -> None:
        self._opened = opened
        self.hold = opened.together.hold
        self.release = opened.together.release
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
