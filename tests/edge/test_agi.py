"""FastAGI over real sockets: who asks is told, and who does anything else hurts nobody.

Where panoramisk 1.4's server would do otherwise is said in edge/agi.py; each has a test here.
"""

import asyncio
import resource
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from router.core.handout import Variables
from router.edge.agi import LONGEST_LINE, MOST_BYTES, FastAgi, Outcome
from router.edge.agiwire import Asked
from router.edge.web.health import AddressTakenError
from router.settings import Agi
from tests.edge.agi_client import PLAIN, AgiClient, request
from tests.harness.ports import free_port
from tests.sim.router import until

TOLD = (("CALLROUTER_TREATMENT", "ring"), ("CALLROUTER_ROUTE", 'a "b" \\c, ${EXTEN}'))
SOON = 1.0
"""Seconds in which a request is answered, whatever else goes on: mostly it takes milliseconds."""


class Server:
    """One, with what became of its connections."""

    def __init__(self, **settings: object) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self.outcomes: Counter[Outcome] = Counter()
        self.asked: list[tuple[Asked, str]] = []
        self.broken = False
        values: dict[str, object] = {"port": self.port, "within": 5.0, **settings}
        self.agi = FastAgi(
            Agi.model_validate(values), {"route": self._answer, "reached": self._answer}, self._over
        )

    def _answer(self, asked: Asked, variables: str) -> Variables:
        if self.broken:
            raise RuntimeError("broken")
        self.asked.append((asked, variables))
        return TOLD

    def _over(self, outcome: Outcome) -> None:
        self.outcomes[outcome] += 1

    async def over(self, **outcomes: int) -> None:
        """Wait until just these have come of connections."""
        wanted = {Outcome(name): count for name, count in outcomes.items()}
        await until(lambda: self.outcomes == wanted)

    async def sent(self, data: bytes) -> bytes:
        """What comes back until the end, to who sends this and nothing more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            return await _all(reader)
        finally:
            await closed(writer)


async def _all(reader: asyncio.StreamReader) -> bytes:
    """All until the end, also where that is a reset."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close it, and wait until it is."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[Server]:
    server = Server(**settings)
    await server.agi.open()
    try:
        yield server
    finally:
        await server.agi.close()
        await until(lambda: not server.agi._connections)


async def answered(server: Server) -> float:
    """Seconds in which a well-made request gets its answer."""
    client, begun = AgiClient(server.port), time.monotonic()
    await client.ask()
    assert client.variables["CALLROUTER_TREATMENT"] == "ring"
    return time.monotonic() - begun


async def test_who_asks_is_told_and_the_connection_is_closed() -> None:
    async with serving() as server:
        client = AgiClient(server.port, {"CALLROUTER_VARIABLES": "attestation=A"})
        await client.ask({**PLAIN, "agi_arg_1": "22334455"})
        assert client.variables == {"CALLROUTER_VARIABLES": "attestation=A", **dict(TOLD)}
        asked, variables = server.asked[0]
        assert (asked.script, asked.dialled, variables) == ("route", "22334455", "attestation=A")
        await server.over(answered=1)


async def test_another_script_is_told_so() -> None:
    async with serving() as server:
        client = AgiClient(server.port)
        await client.ask({**PLAIN, "agi_network_script": "queue"})
        assert client.variables["CALLROUTER_ERROR"] == "there is no script queue, ask for route or reached"
        assert client.variables["CALLROUTER_TREATMENT"] == ""
        assert server.asked == []
        await server.over(unknown_script=1)


async def test_a_fault_of_ours_is_told_and_logged() -> None:
    async with serving() as server:
        server.broken = True
        client = AgiClient(server.port)
        with capture_logs() as logged:
            await client.ask()
        assert client.variables["CALLROUTER_ERROR"] == "the router failed; its log says how"
        assert [entry["log_level"] for entry in logged] == ["error"]
        await server.over(fault=1)
        server.broken = False
        assert await answered(server) < SOON


@pytest.mark.parametrize("commands", [1, 2])
async def test_a_caller_who_leaves_meanwhile(commands: int) -> None:
    async with serving() as server:
        client = AgiClient(server.port)
        client.hangs_up_after = commands
        await client.ask()
        await server.over(hung_up=1)


async def test_a_variable_that_cannot_be_set_ends_it() -> None:
    async with serving() as server:
        client = AgiClient(server.port)
        client.refuses = {"CALLROUTER_TREATMENT"}
        await client.ask()
        assert set(client.variables) == {"CALLROUTER_VARIABLES"}
        await server.over(malformed=1)


EVIL: list[tuple[str, bytes, Outcome]] = [
    ("garbage", b"\x00\xff\xfe\n" * 5 + b"\n", Outcome.MALFORMED),
    ("no variables", b"\n", Outcome.MALFORMED),
    ("a web browser", b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nagi_network: yes\n\n", Outcome.MALFORMED),
    ("bytes that are no UTF-8", request().replace(b"trunk", b"\xff\xfe") + b"510 no\n", Outcome.MALFORMED),
    ("a line without end", b"agi_network: " + b"y" * 2 * LONGEST_LINE, Outcome.TOO_LONG),
    ("lines without end", b"".join(b"agi_x%d: y\n" % n for n in range(MOST_BYTES // 8)), Outcome.TOO_LONG),
    (
        "lines that a caller has put behind an end of their own",
        request({**PLAIN, "agi_threadid": "1\n\nagi_callerid: 2"}),
        Outcome.MALFORMED,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "outcome"), [row[1:] for row in EVIL], ids=[row[0] for row in EVIL])
async def test_what_is_no_request_is_closed_and_told_nothing(data: bytes, outcome: Outcome) -> None:
    async with serving() as server:
        back = await server.sent(data)
        assert b"SET" not in back
        assert server.asked == []
        await server.over(**{outcome.value: 1})
        assert await answered(server) < SOON


@pytest.mark.parametrize(
    "data", [b"", b"agi_network: yes\n", request()[:-1], request()], ids=["nothing", "a line", "half", "all"]
)
async def test_a_client_that_closes_early_hurts_nobody(data: bytes) -> None:
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(data)
        writer.write_eof()  # half-closed: it would still listen
        assert b"SET" not in await reader.read()
        await closed(writer)
        await server.over(gone=1)
        assert await answered(server) < SOON


async def test_a_client_that_resets_hurts_nobody() -> None:
    async with serving() as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request())
        await until(lambda: server.agi._connections)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()
        await server.over(gone=1)
        assert await answered(server) < SOON


SILENT = [("from the first", b""), ("amid the request", request()[:200]), ("after it", request())]


@pytest.mark.parametrize("data", [row[1] for row in SILENT], ids=[row[0] for row in SILENT])
async def test_a_silent_client_is_given_up(data: bytes) -> None:
    async with serving(within=0.2) as server:
        began = time.monotonic()
        assert b"SET" not in await server.sent(data)
        assert 0.15 < time.monotonic() - began < SOON
        await server.over(slow=1)


async def test_a_slow_client_is_given_up_though_it_goes_on() -> None:
    async with serving(within=0.3) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for byte in request():
            if server.outcomes:
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
        assert await _all(reader) == b""
        await closed(writer)
        await server.over(slow=1)


async def test_a_thousand_connections_keep_nobody_waiting() -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, min(4_096, most)), most))
    async with serving(most_at_once=100) as server:
        writers = []
        slowest = 0.0
        for number in range(1_000):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request()[: number % 500])
            writers.append(writer)
            if number % 50 == 0:
                slowest = max(slowest, await answered(server))
        assert slowest < SOON
        assert len(server.agi._connections) <= 100
        for writer in writers:
            await closed(writer)
        await until(lambda: sum(server.outcomes.values()) == 1_020)
        assert server.outcomes[Outcome.ANSWERED] == 20
        assert server.outcomes[Outcome.GAVE_WAY] >= 900


async def test_a_hundred_ask_at_the_same_moment() -> None:
    async with serving() as server:
        clients = [AgiClient(server.port) for _ in range(100)]
        await asyncio.gather(*(client.ask() for client in clients))
        assert {client.variables["CALLROUTER_TREATMENT"] for client in clients} == {"ring"}
        await server.over(answered=100)


async def test_a_port_in_use_is_told_with_what_to_set() -> None:
    async with serving() as server:
        other = Server(port=server.port)
        with pytest.raises(AddressTakenError, match=r"set `agi\.host` and `agi\.port`"):
            await other.agi.open()


async def test_without_a_port_nothing_is_served() -> None:
    server = Server(port=0)
    await server.agi.open()
    await server.agi.close()


async def test_an_address_that_others_reach_is_warned_of() -> None:
    with capture_logs() as logged:
        async with serving(host="0.0.0.0") as server:
            assert await answered(server) < SOON
    assert [entry["log_level"] for entry in logged] == ["info", "warning"]


async def test_the_end_closes_what_is_open() -> None:
    server = Server()
    await server.agi.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await until(lambda: server.agi._connections)
    await server.agi.close()
    assert await _all(reader) == b""
    await closed(writer)
    await server.over(gone=1)
