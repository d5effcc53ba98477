"""A TCP relay between the router and Asterisk, whose line can be cut or go silent."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Line:
    """Relays loopback connections to a port, in a thread of its own.

    `cut` resets every connection; `refuse` takes no new ones either; `silence` keeps them open and carries
    nothing; `restore` carries again.
    """

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to = to_port
        self._loop = asyncio.new_event_loop()
        self._carries = True
        self._takes = True
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Reset all connections; what comes later is carried."""
        self._call(self._cut())

    def refuse(self) -> None:
        """Reset all connections, those that come later too."""
        self._takes = False
        self.cut()

    def silence(self) -> None:
        """Carry nothing more, and tell nobody."""
        self._carries = False

    def restore(self) -> None:
        """Carry again; connections that were silent are reset, for what they lost cannot be made good."""
        self.cut()
        self._carries = self._takes = True

    def close(self) -> None:
        """End the relay."""
        self._call(self._cut())
        self._loop.call_soon_threadsafe(self._server.close)
        self._call(asyncio.sleep(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._takes:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._relay(reader, far_writer), self._relay(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}

    async def _relay(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if self._carries:
                    sink.write(data)
                    await sink.drain()
        except ConnectionError:
            sink.transport.abort()
        finally:
            sink.close()
