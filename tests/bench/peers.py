"""Who is measured: each takes every call to its number of the trunk, and rings the same phone."""

import os
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from tests.bench.floor import TUNED
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox

HERE = Path(__file__).parent
START_LIMIT = 15.0
"""Seconds in which a peer must be ready."""

DIALLED = "+4722000001"
"""The number of callrouter's client."""

PHONE = "+4790000001"
ENDPOINT = f"PJSIP/{PHONE}@trunk"
"""What every peer rings."""

RULES = f"""\
client: bench
name: Bench
numbers: ["+472200000x"]
timezone: Europe/Oslo
country: NO
hours:
  office: {{week: {{mon-fri: "08:00-16:00"}}, holidays: NO}}
  never: {{week: {{}}}}
screening:
  block:
    - {{name: telemarketers, numbers: ["+4781549xxx", "+4781500000"]}}
people:
  kari: {{rings: PJSIP/101, hours: office}}
routes:
  - {{name: night, when: {{open: never}}, do: decline}}
  - {{name: withheld, when: {{caller: anonymous, closed: office}}, do: decline}}
  - {{name: abroad, when: {{caller: {{country: [SE, DK]}}}}, do: {{decline: busy}}}}
  - {{name: one caller, when: {{caller: "+4790000007"}}, do: {{ring: kari}}}}
  - {{name: many callers, when: {{caller: ["+4791*", "+4792*"]}}, do: {{ring: kari}}}}
  - {{name: second number, when: {{dialled: "+4722000002"}}, do: {{ring: kari}}}}
  - {{name: third number, when: {{dialled: "+4722000003"}}, do: {{ring: kari}}}}
  - {{name: both, when: {{open: office, dialled: "+4722000004"}}, do: {{ring: kari}}}}
  - {{name: either, when: [{{dialled: "+4722000005"}}, {{dialled: "+4722000006"}}], do: {{ring: kari}}}}
  - name: main
    do: [{{ring: {{number: "{PHONE}", confirm: false}}, for: 20s}}]
"""
"""Ten routes, of which the last takes the call; everything a decision can look at is looked at."""

FOLLOW_UPS = """\
follow_ups:
  - {{name: first, do: {{webhook: "{url}"}}}}
  - {{name: second, when: {{disposition: answered}}, do: {{webhook: "{url}"}}}}
"""
"""To be added to them where something is to be posted of each call."""

STORY = ["call.arrived", "call.routed", "call.answered", "call.ended"]
"""What is told of each call; the phone answers without having rung."""


class MissingPeerError(Exception):
    """A peer cannot be measured on this machine; the text says what to do."""


class Peer(ABC):
    """One of those measured, on one sandbox. It runs between `start` and `stop`."""

    name: str
    number: str
    """What the caller dials to reach it."""
    process: "subprocess.Popen[bytes] | None" = None

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def pid(self) -> int | None:
        """Of its own process; None where Asterisk does everything itself."""
        return self.process.pid if self.process else None

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def odd_lines(self) -> str:
        """What it logged that is not part of an ordinary call; of peers that log nothing, nothing."""
        return ""

    @abstractmethod
    def start(self) -> None:
        """Start it, and return once it takes calls."""

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def _add_to_dialplan(self, application: str) -> None:
        done = self._sandbox.cli(
            f"dialplan add extension {self.number},1,{application} into from-trunk replace"
        )
        assert f"Extension {self.number}@from-trunk" in done, done

    def _serve(self, app: str, command: Sequence[str], **environment: str) -> None:
        """Run an application's own process until Asterisk lists the application."""
        self._add_to_dialplan(f"Stasis({app},in)")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + START_LIMIT
        while app not in (known["name"] for known in self._sandbox.ari("GET", "applications")):
            if self.process.poll() is not None or time.monotonic() > until:
                raise MissingPeerError(f"{self.name} does not start: {' '.join(command)}")
            time.sleep(0.05)
        time.sleep(0.3)  # until its event filter is set, too


class Dialplan(Peer):
    """Asterisk alone: `Dial()`."""

    name, number = "dialplan", "1001"

    def start(self) -> None:
        self._add_to_dialplan(f"Dial({ENDPOINT},30)")


class Floor(Peer):
    """The bare application in Python (floor.py)."""

    name, number = "floor", "1002"
    options: tuple[str, ...] = ()

    def start(self) -> None:
        ari = self._sandbox.facts["ari"]
        app = f"bench-{self.name}"
        module = [sys.executable, "-m", "tests.bench.floor"]
        where = [ari["url"], ari["username"], ari["password_file"], app, ENDPOINT]
        self._serve(app, [*module, *where, *self.options])


class TunedFloor(Floor):
    """The same on msgspec and uvloop."""

    name, number = "tuned", "1004"
    options = (TUNED,)


class Node(Peer):
    """The bare application on node's ari-client (node/app.js), the usual pick."""

    name, number = "node", "1003"

    def start(self) -> None:
        ari = self._sandbox.facts["ari"]
        url = ari["url"].removesuffix("/ari")
        program = [_executable("node"), str(HERE / "node" / "app.js")]
        self._serve(
            "bench-node",
            [*program, url, ari["username"], ari["password_file"], "bench-node", ENDPOINT],
            NODE_PATH=str(_node_modules()),
        )


class Callrouter(Peer):
    """callrouter with everything on: ten routes, journal to SQLite, metrics, log to a file at info."""

    name, number = "callrouter", DIALLED

    def __init__(self, sandbox: Sandbox, directory: Path, rules: str = RULES, **settings: object) -> None:
        super().__init__(sandbox)
        self.router = RouterProcess(sandbox, directory, {"bench.yaml": rules}, **settings)

    def start(self) -> None:
        self.router.start(START_LIMIT)
        self.process = self.router.process

    def odd_lines(self) -> str:
        lines = self.router.log.read_text().splitlines()
        ordinary = ('"disposition":"answered","reason":"","hung_up_by":"caller"', '"level":"info"')
        return "\n".join(line for line in lines if not all(words in line for words in ordinary))


def _executable(name: str) -> str:
    """node or npm; as root a missing one is installed by apt."""
    if shutil.which(name) is None and os.geteuid() == 0:
        subprocess.run(
            ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "nodejs", "npm"],
            stdout=subprocess.DEVNULL, timeout=600, check=False,
        )  # fmt: skip
    found = shutil.which(name)
    if found is None:
        raise MissingPeerError(
            f"{name} is missing: install nodejs and npm, or leave that peer out: --without-node"
        )
    return found


def _cache() -> Path:
    """The same directory outside the checkout that deploy/asterisk/sandbox uses."""
    if own := os.environ.get("CALLROUTER_CACHE"):
        return Path(own).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").resolve() / "callrouter"


def _node_modules() -> Path:
    """The folder with ari-client in it, installed the first time."""
    folder = _cache() / "bench-node"
    modules = folder / "node_modules"
    if not (modules / "ari-client").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "node" / "package.json", folder)
        command = [
            _executable("npm"),
            "install",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        if subprocess.run(command, cwd=folder, stdout=sys.stderr, timeout=300).returncode:
            raise MissingPeerError("npm cannot install ari-client; leave that peer out: --without-node")
    return modules
