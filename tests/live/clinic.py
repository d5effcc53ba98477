"""A sandbox for doctor to look at, that can be made ill."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from router.cli.main import app
from tests.harness.ports import free_port
from tests.harness.sandbox import Sandbox

RULES = """\
client: fjord
name: Fjord
numbers: ["+47 22 33 44 5x", "+47 22 33 44 66"]
timezone: Europe/Oslo
country: NO
language: nb
people: {kari: {rings: PJSIP/100}}
queues: {desk: {agents: [kari], supervisors: [kari]}}
routes:
  - name: main
    do:
      - say: {file: hello-world}
      - say: Vi er her.
      - ring: kari
      - queue: desk
      - queue: {asterisk: desk}
"""
Row = dict[str, str]


class Clinic:
    """A sandbox, and what doctor is given; both can be made ill, and are well again afterwards."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        ari, ami = sandbox.facts["ari"], sandbox.facts["ami"]
        self.sandbox = sandbox
        self.rules = RULES
        self.ahead = timedelta(0)
        self.settings: dict[str, Any] = {
            "ari": {"url": ari["url"], "password_file": ari["password_file"]},
            "ami": {"port": ami["port"], "user": "callrouter-queues", "secret_file": ami["secret_file"]},
            "speech": sandbox.facts["speech"],
            "state": str(folder / "state"),
            "web": {"port": free_port(socket.SOCK_STREAM)},
        }
        self._folder = folder
        self._etc = Path(sandbox.facts["directories"]["etc"])
        (folder / "state").mkdir()

    def type(self, *words: str) -> Any:
        """One command of callrouter's, with the rules and settings as they are now."""
        rules, config = self._folder / "fjord.yaml", self._folder / "callrouter.yaml"
        rules.write_text(self.rules, encoding="utf-8")
        config.write_text(json.dumps(self.settings), encoding="utf-8")
        return CliRunner().invoke(app, [*words, "--rules", str(rules), "--config", str(config)])

    def doctor(self, *options: str) -> tuple[int, list[Row]]:
        """The exit status, and what is found."""
        console = " ".join(self.sandbox.facts["cli"])
        done = self.type("doctor", "--console", console, "--etc", str(self._etc), "--json", *options)
        return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]

    def ask(self, command: str) -> str:
        """What Asterisk's console prints."""
        console = [*self.sandbox.facts["cli"], command]
        return subprocess.run(console, capture_output=True, text=True, timeout=30, check=True).stdout

    def taken(self) -> str:
        """The pattern of PROBE that took the last call."""
        return str(self.sandbox.ari("GET", "asterisk/variable?variable=TAKEN")["value"])

    @contextmanager
    def edited(self, file: str, old: str, new: str, reload: str) -> Iterator[None]:
        """A file of Asterisk's configuration is otherwise for a while."""
        path = self._etc / file
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))
        self.ask(reload)
        yield
        path.write_text(before)
        self.ask(reload)
