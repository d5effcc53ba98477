"""A real PostgreSQL on loopback, with a data directory of its own that goes with it."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tests.harness.ports import free_port

PASSWORD = "s@crat:/%"
MISSING = "there is no PostgreSQL here: `deploy/parts --tests`, or install Debian's package postgresql"


def programs() -> Path | None:
    """Where initdb and postgres are; None where there is no PostgreSQL. Debian has them in no PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb")
    return debian[-1].parent if debian else Path(found).resolve().parent if found else None


class Postgres:
    """One server; it refuses to run as root, so a root's is run by the user that the package made."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, MISSING
        self._programs = found
        self._folder = Path(tempfile.mkdtemp(prefix="callrouter-postgres-"))
        self._who: dict[str, str] = {}
        if os.geteuid() == 0:
            self._who = {"user": "postgres"}
            os.chown(self._folder, pwd.getpwnam("postgres").pw_uid, -1)
        self.port = free_port(socket.SOCK_STREAM)
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        password = self._folder / "password"
        password.write_text(PASSWORD)
        who = ("-U", "callrouter", "-A", "scram-sha-256", "--pwfile", str(password))
        self._run("initdb", "-D", self._data, *who, "-E", "UTF8", "--no-sync")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self, within: float = 20.0) -> None:
        """Start the server, and wait until it takes connections."""
        options = ["-c", "fsync=off", "-c", f"unix_socket_directories={self._folder}"]
        command = [self._programs / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, cwd="/", **self._who
            )  # type: ignore[call-overload]
        until = time.monotonic() + within
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, as a crash would; connections break."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._databases += 1
        name = f"calls{self._databases}"
        self._run("psql", *self._here, "-d", "postgres", "-c", f"CREATE DATABASE {name}")
        return f"postgresql://callrouter:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{name}"

    @property
    def _here(self) -> tuple[str, ...]:
        return "-h", "127.0.0.1", "-p", str(self.port), "-U", "callrouter"

    def _answers(self) -> bool:
        probe = [str(self._programs / "pg_isready"), *self._here, "-q"]
        return subprocess.run(probe, check=False, timeout=10).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments], capture_output=True, text=True, timeout=60, cwd="/",
            check=False, env=os.environ | {"PGPASSWORD": PASSWORD}, **self._who,
        )  # type: ignore[call-overload]  # fmt: skip
        assert done.returncode == 0, done.stderr


@cache
def lasting() -> Postgres:
    """One server for all routers of this process, which goes with it."""
    started = Postgres()
    atexit.register(started.remove)
    started.start()
    return started
