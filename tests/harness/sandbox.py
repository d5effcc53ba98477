"""A real Asterisk from `deploy/asterisk/sandbox`, and what it shows of itself."""

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.core.plan import Speak
from router.edge.prompts import Prompts
from router.edge.voices import voice_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "asterisk" / "sandbox"
BUILD_LIMIT = 400
"""Seconds the first `up` on a fresh machine may take, which makes Asterisk from Debian's packages."""


@dataclass(frozen=True)
class Phone:
    """A softphone account: `endpoint` is what rules ring, the rest is how it registers."""

    endpoint: str
    username: str
    password: str


def _down(name: str) -> None:
    command = [str(SCRIPT), "down", "--name", name]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)


class Sandbox:
    """One running Asterisk, on ports of its own."""

    def __init__(self, name: str, *options: str) -> None:
        command = [str(SCRIPT), "up", "--name", name, "--ports", "auto", "--json", *options]
        run = subprocess.run(command, stdout=subprocess.PIPE, timeout=BUILD_LIMIT, check=True)
        self.name = name
        self.facts: dict[str, Any] = json.loads(run.stdout)
        self.sip = (str(self.facts["sip"]["host"]), int(self.facts["sip"]["port"]))
        self.trunk_port = int(self.facts["trunk"]["port"])
        self.phones = [
            Phone(phone["endpoint"], phone["username"], phone["password"])
            for phone in self.facts["softphones"]
        ]
        first = self.facts["softphones"][0]
        self.registrar = (str(first["host"]), int(first["port"]))

    @classmethod
    def fresh(cls, name: str, *options: str) -> "Sandbox":
        """One that begins now: what a killed test left running under this name is ended first."""
        _down(name)
        return cls(name, *options)

    def prompt(self, text: Speak) -> Path:
        """The file of a text that a router with default settings has spoken."""
        speech = self.facts["speech"]
        spoken = Prompts(Path(speech["folder"]), speech["seen_as"], lambda code: voice_of(code, {}, 150))
        return spoken.path(text)

    def down(self) -> None:
        """Stop it; what it wrote stays in the cache."""
        _down(self.name)

    def cli(self, command: str) -> str:
        """What Asterisk's console answers."""
        run = subprocess.run(
            [str(SCRIPT), "cli", "--name", self.name, "--", *command.split()],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        return run.stdout

    def ari(self, method: str, path: str) -> Any:
        """One ARI request over HTTP; the decoded body, or None if there is none."""
        ari = self.facts["ari"]
        request = urllib.request.Request(f"{ari['url']}/{path}", method=method)
        secret = base64.b64encode(f"{ari['username']}:{ari['password']}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        with urllib.request.urlopen(request, timeout=10) as reply:
            body = reply.read()
        return json.loads(body) if body else None

    def channels(self) -> list[str]:
        """The ids of all channels there are."""
        return [channel["id"] for channel in self.ari("GET", "channels")]

    def bridges(self) -> list[str]:
        """The ids of all bridges there are."""
        return [bridge["id"] for bridge in self.ari("GET", "bridges")]

    def left_behind(self, within: float = 5.0) -> list[str]:
        """Channels and bridges that are still there after `within` seconds; empty when all is clean."""
        until = time.monotonic() + within
        while (left := self.channels() + self.bridges()) and time.monotonic() < until:
            time.sleep(0.1)
        return left
