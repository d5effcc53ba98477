"""An Asterisk for doctor to look at: ARI and AMI over real sockets, and a console that is a shell script. It
is healthy, and can be made ill by its attributes."""

import socket
import stat
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.core.asteriskdialplan import OURS
from router.core.dialling import Dialling
from router.core.findings import Finding, Severity
from router.core.needs import features
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge.doctor.checks import CHECKS, Check, examine
from router.edge.doctor.visit import Doctored
from router.edge.prompts import Prompts
from router.edge.voices import Espeak
from router.settings import Settings
from tests.edge.ami_server import AmiServer, Headers
from tests.edge.ari_server import STAMP, AriDoors
from tests.harness.ports import free_port

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
"""
ROUTE = "routes: [{{name: main, do: [{0}]}}]\n"
PASSWORD = "a-long-random-one"


class Ari(AriDoors):
    """ARI of a healthy Asterisk. `answers` is by path."""

    password = PASSWORD

    def __init__(self) -> None:
        self.modules = {
            f"{name}.so": "Running"
            for one in features(None, fetched=True, asked=True)
            for name in one.modules
        }
        self.modules |= {f"{name}.so": "Running" for name in ("app_queue", "res_musiconhold")}
        self.globals = {"CALLROUTER_BREAKGLASS": "PJSIP/100"}
        self.endpoints = {"trunk": "online", "100": "online"}
        self.attributes = {"trunk": {"context": "from-trunk", "allow_transfer": "false"}}
        self.sounds = ["im-sorry", "one-moment-please", "please-try-call-later"]
        self.version = "22.10.1"
        self.entity = "02:aa"
        self.ahead = 0.0
        self.raw: dict[str, tuple[int, object]] = {}
        """What else is answered to a path."""

    async def serve(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, object]:
        assert method == "GET", "nothing is changed by doctor"
        if path in self.raw:
            return self.raw[path]
        now = datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.ahead, UTC)
        answers: dict[str, object] = {
            "asterisk/info": {
                "system": {"version": self.version, "entity_id": self.entity},
                "status": {"startup_time": STAMP, "last_reload_time": STAMP},
            },
            "asterisk/ping": {
                "asterisk_id": "02:aa",
                "ping": "pong",
                "timestamp": now.isoformat("T", "milliseconds"),
            },
            "asterisk/modules": [{"name": name, "status": is_} for name, is_ in self.modules.items()],
            "endpoints": [
                {"technology": "PJSIP", "resource": name, "state": state, "channel_ids": []}
                for name, state in self.endpoints.items()
            ],
            "recordings/stored": [],
            "sounds": [{"id": name, "formats": []} for name in self.sounds],
        }
        if path == "asterisk/variable":
            return 200, {"value": self.globals.get(query["variable"], "")}
        head, _, name = path.rpartition("/")
        if head == "asterisk/config/dynamic/res_pjsip/endpoint" and name in self.attributes:
            found = self.attributes[name]
            return 200, [{"attribute": key, "value": value} for key, value in found.items()]
        return (200, answers[path]) if path in answers else (404, {"message": "not found"})


def dialplan(*lines: str) -> list[Headers]:
    """The whole dialplan, as AMI lists it; each line is `context pattern Application(data)` or `context
    include`."""
    rows: list[Headers] = []
    for line in (*lines, *(f"{context} _[+0-9*]! Stasis(callrouter)" for context in OURS)):
        context, _, rest = line.partition(" ")
        pattern, is_step, step = rest.partition(" ")
        if not is_step:
            rows.append({"Context": context, "IncludeContext": rest})
            continue
        application, _, data = step.removesuffix(")").partition("(")
        row = {"Context": context, "Extension": pattern, "Priority": "1"}
        rows.append(row | {"Application": application, "AppData": data})
    return rows


class Patient:
    """A healthy one, while it is entered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ari = Ari()
        self.ami = AmiServer()
        self.ami.dialplan = dialplan("from-trunk callrouter")
        self.ami.commands += ["ListCommands", "ShowDialPlan"]
        self.rules = RULES + ROUTE.format("{ring: PJSIP/100}")
        self.settings: dict[str, Any] = {"state": str(folder), "web": {"port": free_port(socket.SOCK_STREAM)}}
        self.shown: dict[str, str] = {}
        """What the console prints, by command; without any there is no console."""
        self.more: dict[str, Any] = {}
        """What else of Doctored is given."""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Patient":
        await self.ari.open()
        self._stack.push_async_callback(self.ari.close)
        await self._stack.enter_async_context(self.ami)
        self.settings["ari"] = {"url": self.ari.url, "username": "router", "password": PASSWORD}
        self.settings["ami"] = {"port": self.ami.port, "user": "router", "secret": "hush-hush"}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def prompts(self) -> Prompts:
        settings = Settings(**self.settings)
        folder = settings.prompts
        return Prompts(folder, settings.speech.seen_as or str(folder), lambda language: Espeak(language, 150))

    def loaded(self) -> RuleSet:
        rules = compile_rules({"fjord.yaml": self.rules}, Dialling("PJSIP/{number}@trunk"))
        assert isinstance(rules, RuleSet), rules
        return rules

    async def found(self, *checks: str | Check) -> list[Finding]:
        """What these checks find, by name or themselves."""
        program = self.folder / "console"
        cases = "".join(f"'{command}') printf '%s\\n' '{text}';;\n" for command, text in self.shown.items())
        program.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}*) echo "No such command"; exit 1;;\nesac\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        given: dict[str, Any] = {
            "settings": Settings(**self.settings),
            "load": self.loaded,
            "rules_folder": Path("rules"),
            "prompts": self.prompts(),
            "console": (str(program),) if self.shown else ("no-such-console",),
        }
        wanted = tuple(_named(checks))
        reports = await examine(Doctored(**given | self.more), wanted)
        return [finding for report in reports for finding in report.findings]


def _named(checks: Iterable[str | Check]) -> Iterable[Check]:
    by_name = {check.name: check for check in CHECKS}
    return (by_name[check] if isinstance(check, str) else check for check in checks)


def told(found: Iterable[Finding]) -> list[tuple[Severity, str]]:
    """How bad, and what, of each."""
    return [(finding.severity, finding.what) for finding in found]
