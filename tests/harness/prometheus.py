"""Prometheus' own programs, with what ships for them."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.harness.ports import free_port
from tests.harness.sandbox import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "callrouter.rules.yml"
MISSING = "there is no {} here: `deploy/parts --tests`, or install Debian's package prometheus"


def program(name: str) -> str:
    """Where `prometheus` or `promtool` is; the test fails where it is not."""
    found = shutil.which(name)
    assert found is not None, MISSING.format(name)
    return found


def promtool(*words: str) -> None:
    """Run it; what it says is the test's failure, if it finds fault."""
    done = subprocess.run(
        [program("promtool"), *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rule_groups() -> list[dict[str, Any]]:
    """Those that ship."""
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return groups


class Prometheus:
    """A real one on loopback, configured by what ships, but for the target and the pace."""

    def __init__(self, folder: Path, target: int) -> None:
        """`target` is the port of the router."""
        self.port = free_port(socket.SOCK_STREAM)
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(RULES)]
        (job,) = config["scrape_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{target}"]}]
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        self._log = folder / "log"
        command = [program("prometheus"), f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log
            )

    def ask(self, path: str, **parameters: str) -> Any:
        """What its HTTP API answers."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=10) as reply:
            return json.load(reply)["data"]

    def values(self, expression: str) -> list[float]:
        """What an expression is now."""
        now = str(datetime.now(UTC).timestamp())
        return [float(row["value"][1]) for row in self.ask("query", query=expression, time=now)["result"]]

    def until(self, expression: str, wanted: list[float], within: float = 20.0) -> None:
        """Wait until an expression is that."""
        until, seen = time.monotonic() + within, None
        while time.monotonic() < until:
            assert self._process.poll() is None, self._log.read_text()
            try:
                seen = self.values(expression)
            except (urllib.error.URLError, ConnectionError):  # it starts
                seen = None
            if seen == wanted:
                return
            time.sleep(0.1)
        raise AssertionError(f"{expression} is {seen}, not {wanted}:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self._process.terminate()
        self._process.wait(20)
