"""The router as its own process, as an administrator runs it, and what it wrote down."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from router.cli.daemon import tell
from router.core.record import CallRecord
from router.edge.store.jobs import Jobs
from router.edge.store.queries import CallFilter, CallStory, Queries
from router.edge.web.health import OUTBOX
from router.settings import Web
from tests.harness.ports import free_port
from tests.harness.postgres import lasting
from tests.harness.sandbox import ROOT, Sandbox

DATABASES = ("sqlite", "postgresql")
"""What `make test DB=...` may say."""


@cache
def database_for(state: Path) -> str:
    """The URL of the database of all routers with this state: SQLite in it, or one of PostgreSQL, by `DB`."""
    wanted = os.environ.get("DB") or DATABASES[0]
    assert wanted in DATABASES, f"DB={wanted}: write one of {', '.join(DATABASES)}"
    if wanted == "sqlite":
        return f"sqlite:///{state.absolute() / 'callrouter.db'}"
    return lasting().new_database()


class RouterProcess:
    """`callrouter run` beside a sandbox, with rules and state in a directory of its own."""

    def __init__(
        self, sandbox: Sandbox, directory: Path, rules: Mapping[str, str], **settings: object
    ) -> None:
        """`rules` is file name -> text; `settings` are further lines of callrouter.yaml."""
        self.directory = directory
        self.rules = directory / "rules"
        self.rules.mkdir(parents=True, exist_ok=True)
        for name, text in rules.items():
            (self.rules / name).write_text(text, encoding="utf-8")
        self.port = free_port(socket.SOCK_STREAM)
        self.database = str(settings.get("database") or database_for(directory / "state"))
        ari = sandbox.facts["ari"]
        lines: dict[str, object] = {
            "ari": {"url": ari["url"], "password_file": ari["password_file"], "app": ari["app"]},
            "state": str(directory / "state"),
            "database": self.database,
            "speech": sandbox.facts["speech"],
            "web": {"port": self.port},
            "log": {"level": "info", "format": "json"},
        } | settings
        self.config = directory / "callrouter.yaml"
        self.config.write_text(json.dumps(lines), encoding="utf-8")  # JSON is YAML
        self.log = directory / "router.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, ready_within: float = 15.0, at: datetime | None = None) -> None:
        """Start it, and wait until it is ready for calls. `at` (aware) is what its clock shows (clock.py)."""
        program = [str(Path(sys.executable).with_name("callrouter"))]
        if at is not None:
            program = [sys.executable, "-m", "tests.harness.clock", at.isoformat()]
        command = [*program, "run", "--config", str(self.config), "--rules", str(self.rules)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + ready_within
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError(f"the router is not ready:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def ready(self) -> bool:
        """What `/readyz` says."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def metrics(self) -> dict[str, float]:
        """Every sample of `/metrics`, by its name with labels as written there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as reply:
            lines = reply.read().decode().splitlines()
        samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def send_again(self) -> None:
        """Have all that follow-ups send tried at once."""
        with closing(Jobs(self.database)) as jobs:
            jobs.again(datetime.now(UTC))
        tell(Web(port=self.port), OUTBOX)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self, within: float = 40.0) -> int:
        """SIGTERM, and wait for the end; the exit status."""
        self.send(signal.SIGTERM)
        return self.wait(within)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if the process still runs."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def wait(self, within: float = 10.0) -> int:
        """Wait for the end of the process; its exit status."""
        assert self.process is not None
        return self.process.wait(within)

    def stories(self) -> list[CallStory]:
        """Every call that is written down, the latest first."""
        with closing(Queries(self.database)) as queries:
            listed = queries.calls(CallFilter(limit=100_000, codes=True))
            found = [queries.call(call.info.id) for call in listed]
        return [story for story in found if isinstance(story, CallStory)]

    def records(self, dialled: str = "", within: float = 10.0, count: int = 1) -> list[CallRecord]:
        """The records of the calls to a number, once `count` of them are closed and none is open."""
        until = time.monotonic() + within
        while True:
            # Without their timelines: a router of many tests has hundreds of calls.
            with closing(Queries(self.database)) as queries:
                every = queries.calls(CallFilter(limit=100_000, codes=True))
            calls = [call for call in every if call.info.dialled.startswith(dialled)]
            closed = [call.record for call in calls if call.record]
            if len(closed) >= count and len(closed) == len(calls):
                return closed
            if time.monotonic() > until:
                raise AssertionError(
                    f"{len(closed)} of {len(calls)} calls to {dialled} closed, {count} expected"
                )
            time.sleep(0.1)
