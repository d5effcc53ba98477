"""`callrouter run`: what keeps it from starting, as its own process, and a start and stop."""

import asyncio
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli import run as run_command
from router.cli.main import app
from router.edge.store.database import prepare
from router.settings import Settings
from tests.edge.stories import eventually
from tests.edge.test_cli_check import GOOD, SHADOWED
from tests.edge.test_logs import logging_as_it_was
from tests.edge.test_notify import systemd
from tests.harness.ports import free_port

__all__ = ["logging_as_it_was"]  # a fixture that holds for every test here

pytestmark = pytest.mark.usefixtures("alone")


def start(*arguments: str) -> Result:
    """Run it in this process; for what ends by itself."""
    return CliRunner().invoke(app, ["run", *arguments])


@pytest.fixture
def port(tmp_path: Path) -> int:
    """Good rules and settings, and the port that the router will listen on."""
    found = free_port(socket.SOCK_STREAM)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "fjord.yaml").write_text(GOOD)
    settings = f"web: {{port: {found}}}\nstate: state\nlog: {{format: json}}\n"
    # Nobody listens there: a router without Asterisk goes on trying.
    settings += f"ari: {{url: 'http://127.0.0.1:{free_port(socket.SOCK_STREAM)}/ari', password: hush}}\n"
    (tmp_path / "callrouter.yaml").write_text(settings)
    return found


WRONG = [
    ("one that cannot be", "dead_man: 1h\n", "callrouter.yaml:1:1: dead_man: "),
    ("no password", "loop: auto\n", "callrouter.yaml:1:1: ari.password: there is none"),
]


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_settings(tmp_path: Path, port: int, text: str, told: str) -> None:
    Path("callrouter.yaml").write_text(text)
    found = start()
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(told)
    assert not (tmp_path / "state").exists()


def test_broken_rules_start_nothing(tmp_path: Path, port: int) -> None:
    Path("rules/fjord.yaml").write_text(GOOD.replace("Oslo", "Olso"))
    found = start()
    assert found.exit_code == 1
    assert "fjord.yaml:4:11: `Europe/Olso` is not a time zone; write Europe/Oslo" in found.stderr
    assert not (tmp_path / "state").exists()


def test_rules_named_on_the_command_line(port: int) -> None:
    found = start("--rules", "nowhere")
    assert found.exit_code == 1
    assert found.stderr.startswith("nowhere: no such file or directory")


def test_a_busy_port(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        found = start()
    assert found.exit_code == 1
    assert f"callrouter: cannot listen on 127.0.0.1 port {port}" in found.stderr
    assert "set `web.host` and `web.port` to a free address" in found.stderr


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path, port: int) -> None:
    file = tmp_path / "state" / "callrouter.db"
    prepare(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    found = start()
    assert found.exit_code == 1
    assert "callrouter: the database has version 9999" in found.stderr


@contextmanager
def process(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "from router.cli.main import app; app()", "run"]
    with log.open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=out, cwd=log.parent)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def test_it_starts_without_asterisk_and_stops_when_told(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    Path("rules/fjord.yaml").write_text(SHADOWED)
    log = tmp_path / "log"
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    with systemd(tmp_path, monkeypatch) as told, process(log) as router:
        eventually(lambda: b"ari_refused" in log.read_bytes(), seconds=30)
        assert sorted(told.recv(99).splitlines()[0] for _ in range(2)) == [b"READY=1", b"WATCHDOG=1"]
        began = time.monotonic()
        router.send_signal(signal.SIGTERM)
        assert router.wait(10) == 0
        assert time.monotonic() - began < 5.0  # nobody waits, so there is nothing to drain
        assert told.recv(99).splitlines()[::2] == [b"STOPPING=1", b"EXTEND_TIMEOUT_USEC=40000000"]
    assert b"warning: " in log.read_bytes()
    assert log.read_bytes().rstrip().endswith(b"}")
    assert b'"stopped"' in log.read_bytes()


LOOPS = [
    ("auto, and it is there", "auto", True, True),
    ("auto, and it is not", "auto", False, False),
    ("wanted, and it is there", "uvloop", True, True),
    ("asyncio", "asyncio", True, False),
]


class FastLoops:
    """What stands in uvloop's place."""

    new_event_loop = asyncio.new_event_loop


@pytest.mark.parametrize(
    ("wanted", "installed", "fast"), [row[1:] for row in LOOPS], ids=[row[0] for row in LOOPS]
)
def test_the_event_loop(wanted: str, installed: bool, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", FastLoops if installed else None)
    chosen = run_command._loop_factory(Settings.model_validate({"loop": wanted}))
    assert chosen is (asyncio.new_event_loop if fast else None)


def test_uvloop_is_wanted_and_not_there(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with Path("callrouter.yaml").open("a") as file:
        file.write("loop: uvloop\n")
    found = start()
    assert found.exit_code == 2
    last = found.stderr.splitlines()[-1]
    assert last.startswith("callrouter: uvloop is not installed; `pip install callrouter[fast]`")
