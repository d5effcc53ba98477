"""systemd is told what it waits for; a socket of the test's own is in its place."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router.edge import notify


@contextmanager
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "") -> Iterator[socket.socket]:
    """What listens where systemd would: at a file, or at a name without one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.settimeout(10)
        told.bind(f"\0{name}" if name else str(folder / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if name else str(folder / "notify"))
        yield told


@pytest.mark.parametrize("name", ["", f"callrouter-test-{os.getpid()}"], ids=["a file", "only a name"])
def test_it_is_told_that_the_router_is_ready_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with systemd(tmp_path, monkeypatch, name) as told:
        notify.ready()
        notify.stopping(40.0)
        assert told.recv(200) == b"READY=1\nSTATUS=takes calls"
        assert told.recv(200).endswith(b"\nEXTEND_TIMEOUT_USEC=40000000")


WATCHED = [
    ("for a while", "90000", None, True),
    ("this very process", "90000", str(os.getpid()), True),
    ("another process", "90000", "1", False),
    ("nobody", "", None, False),
]


@pytest.mark.parametrize(
    ("wait", "whose", "signs"), [row[1:] for row in WATCHED], ids=[r[0] for r in WATCHED]
)
async def test_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: str, whose: str | None, signs: bool
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    if wait:
        monkeypatch.setenv("WATCHDOG_USEC", wait)
    if whose:
        monkeypatch.setenv("WATCHDOG_PID", whose)
    with systemd(tmp_path, monkeypatch) as told:
        living = asyncio.create_task(notify.live_on())
        if signs:
            assert [await asyncio.to_thread(told.recv, 99) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            living.cancel()
        with suppress(asyncio.CancelledError):
            await living  # which is over by itself where nobody waits
        told.setblocking(False)
        if not signs:
            with pytest.raises(BlockingIOError):
                told.recv(99)


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with capture_logs() as logs:
        notify.ready()
    assert logs == []


def test_a_systemd_that_does_not_listen_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    with capture_logs() as logs:
        notify.ready()
    assert [line["event"] for line in logs] == ["systemd is not told"]
