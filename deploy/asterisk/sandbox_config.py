"""What one sandbox is told: its ports, its passwords, and every configuration file, made from templates/."""

import argparse
import array
import json
import math
import os
import random
import secrets
import shutil
import socket
import string
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox_tree import Asterisk, SandboxError

Facts = dict[str, Any]
"""All a test or a person needs to use a sandbox, as `--json` prints it."""

HERE = Path(__file__).resolve().parent
DIALPLAN = HERE.parents[1] / "dialplan" / "callrouter.conf"
HOST = "127.0.0.1"
USER = "callrouter"
PROMPTS = "callrouter"
"""The folder among Asterisk's sounds into which callrouter puts prompts."""
PHONES = range(100, 180)
RTP = (20000, 21999)
AUTO = range(22000, 32000, 1000)  # below the ports Linux gives to clients: nobody takes one while we start
FIRST_RTP = 10
"""Where media begins in them."""
PORTS = {  # option: default, what listens there
    "sip-port": (15060, "SIP of the trunk"),
    "phones-port": (15061, "SIP of the softphones"),
    "http-port": (18088, "ARI"),
    "ami-port": (15038, "AMI"),
    "trunk-port": (15080, "SIPp, when Asterisk calls out by the trunk"),
}
DATAGRAM = {"sip-port", "phones-port", "trunk-port"}
LOGS = {  # how much: Asterisk's verbosity, and what goes to the full log
    "full": ("3", "notice,warning,error,verbose,dtmf,security"),
    "quiet": ("0", "warning,error"),
}
EMPTY = [  # Asterisk reports an error when these are missing; its defaults are what we want
    "acl",
    "ccss",
    "cel",
    "features",
    "pjproject",
    "queuerules",
    "res_http_media_cache",
    "udptl",
    "websocket_client",
]


class Template(string.Template):
    """Asterisk writes ${EXTEN} itself, so ours are @{name}; @@ is an at sign."""

    delimiter = "@"


def started_at(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if it is gone. With its id this names it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass(frozen=True)
class Sandbox:
    """One named sandbox: its directory, and the record that `up` left there."""

    name: str
    asterisk: Asterisk

    @property
    def directory(self) -> Path:
        return self.asterisk.instances / self.name

    @property
    def record(self) -> Path:
        return self.directory / "sandbox.json"

    def inside(self, *parts: str) -> str:
        """A path of this sandbox as Asterisk sees it."""
        return self.asterisk.inside(self.directory.joinpath(*parts))

    def running(self) -> Facts | None:
        """What `up` wrote down, if the process it started still lives."""
        try:
            facts: Facts = json.loads(self.record.read_text())
        except FileNotFoundError:
            return None
        return facts if started_at(facts["pid"]) == facts["started_at"] else None

    def run_cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command on Asterisk's command line."""
        line = self.asterisk.command("-C", self.inside("etc", "asterisk.conf"), "-rx", " ".join(words))
        return subprocess.run(
            line, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )


def is_free(port: int, *, datagram: bool) -> bool:
    """Whether a port of the loopback address can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM) as probe:
        if not datagram:  # as Asterisk does: a connection that just closed does not keep the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def running_elsewhere(asterisk: Asterisk) -> list[Facts]:
    """The records of all sandboxes that are up."""
    found = [
        Sandbox(record.parent.name, asterisk).running()
        for record in asterisk.instances.glob("*/sandbox.json")
    ]
    return [facts for facts in found if facts]


def choose_ports(options: argparse.Namespace, asterisk: Asterisk) -> dict[str, int]:
    """The port of every listener, and those of media; keys as in the templates.

    Where `auto` or 0 was asked they are of a thousand that no other sandbox has: the first few for listeners,
    all others for media.
    """
    asked = {option: getattr(options, option.replace("-", "_")) for option in PORTS}
    auto = options.ports == "auto"
    own = free_thousand(asterisk) if auto or 0 in asked.values() else range(0)
    ports: dict[str, int] = {}
    for place, (option, (default, what)) in enumerate(PORTS.items()):
        port = asked[option] if asked[option] is not None else 0 if auto else default
        if port == 0:
            port = own[place]
        elif option != "trunk-port" and not is_free(port, datagram=option in DATAGRAM):
            remedy = f"end what listens there, or give --{option} or --ports auto"
            raise SandboxError(f"port {port} ({what}) is in use: {remedy}")
        ports[option.replace("-", "_")] = port
    ports["rtp_from"], ports["rtp_to"] = options.rtp_ports or ((own[FIRST_RTP], own[-1]) if auto else RTP)
    return ports


def free_thousand(asterisk: Asterisk) -> range:
    """A thousand ports that no other sandbox has, the first few of which nobody listens on."""
    others = running_elsewhere(asterisk)  # Of what they have, media and a SIPp need not be listening yet.
    promised = [(facts["rtp"]["from"], facts["rtp"]["to"]) for facts in others]
    promised += [(facts["trunk"]["port"], facts["trunk"]["port"]) for facts in others]
    for first in random.sample(AUTO, len(AUTO)):
        own = range(first, first + AUTO.step)
        kinds = [(port, datagram) for port in own[: len(PORTS)] for datagram in (True, False)]
        if any(begin <= own[-1] and own[0] <= end for begin, end in promised):
            continue
        if all(is_free(port, datagram=datagram) for port, datagram in kinds):
            return own
    raise SandboxError("no thousand ports are left: take another sandbox down, or give all ports yourself")


def make_secrets(sandbox: Sandbox) -> Facts:
    """Entity id and passwords, kept from one `up` to the next: a phone stays configured."""
    kept = sandbox.directory / "secrets.json"
    if kept.exists():
        known: Facts = json.loads(kept.read_text())
        return known
    made = {
        "entity_id": make_entity_id(),
        "ari_password": secrets.token_urlsafe(18),
        "ami_secret": secrets.token_urlsafe(18),
        "softphones": {str(number): secrets.token_urlsafe(9) for number in PHONES},
    }
    write_private(kept, json.dumps(made, indent=1))
    return made


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    fresh.replace(path)


def make_entity_id() -> str:
    """An id for Asterisk itself, in the form of a MAC address that no network card has."""
    return ":".join(f"{byte:02x}" for byte in b"\x02" + secrets.token_bytes(5))


def make_directories(sandbox: Sandbox) -> None:
    """The sandbox's own directories, with Asterisk's sounds and documentation linked into them."""
    for part in (
        "etc",
        "run",
        "log/cdr-csv",
        "db",
        "spool/recording",
        "lib/keys",
        f"data/sounds/{PROMPTS}",
        "data/keys/stir_shaken/cache",
        "moh",
    ):
        (sandbox.directory / part).mkdir(parents=True, exist_ok=True)
    shipped = sandbox.asterisk.data()
    for part in ("documentation", "rest-api", "sounds/en"):
        link = sandbox.directory / "data" / part
        link.unlink(missing_ok=True)
        link.symlink_to(sandbox.asterisk.inside(shipped / part))
    write_tune(sandbox.directory / "moh" / "tune.wav")


def write_tune(path: Path) -> None:
    """Music on hold: six soft notes, 8 kHz mono, so that one hears (and a test sees) that it plays."""
    rate, note_seconds = 8000, 0.8
    samples = array.array("h")
    for frequency in (392, 494, 587, 494, 440, 330):
        for at in range(int(rate * note_seconds)):
            fading = 1 - at / (rate * note_seconds)
            samples.append(int(4000 * fading * math.sin(2 * math.pi * frequency * at / rate)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def write_configuration(
    sandbox: Sandbox, options: argparse.Namespace, ports: dict[str, int], known: Facts
) -> None:
    """Fill in every template, and copy callrouter's dialplan beside them."""
    softphone = Template((HERE / "templates" / "softphone.conf").read_text())
    verbose, logged = LOGS[options.log]
    values = {
        **{part: sandbox.inside(part) for part in ("etc", "run", "log", "db", "spool", "lib", "data", "moh")},
        **ports,
        "user": USER,
        "ari_password": known["ari_password"],
        "ami_secret": known["ami_secret"],
        "entity_id": known["entity_id"],
        "app": options.app,
        "breakglass": options.breakglass,
        "rtp_timeout": options.rtp_timeout,
        "verbose": verbose,
        "logged": logged,
        "softphones": "".join(
            softphone.substitute(number=number, password=password)
            for number, password in known["softphones"].items()
        ),
    }
    etc = sandbox.directory / "etc"
    for template in sorted((HERE / "templates").glob("*.conf")):
        if template.name != "softphone.conf":
            write_private(etc / template.name, Template(template.read_text()).substitute(values))
    for name in EMPTY:
        write_private(etc / f"{name}.conf", "")
    shutil.copyfile(DIALPLAN, etc / DIALPLAN.name)
    write_private(etc / "ari.password", known["ari_password"])
    write_private(etc / "ami.secret", known["ami_secret"])


def describe(sandbox: Sandbox, options: argparse.Namespace, ports: dict[str, int], known: Facts) -> Facts:
    """All a test or a person needs to use the sandbox, but for what only the running Asterisk knows."""
    directory = sandbox.directory
    ari = {"url": f"http://{HOST}:{ports['http_port']}/ari", "app": options.app, "username": USER}
    ari |= {"password": known["ari_password"], "password_file": str(directory / "etc" / "ari.password")}
    phones = {"host": HOST, "port": ports["phones_port"]}
    return {
        "name": sandbox.name,
        "running": True,
        "source": sandbox.asterisk.source,
        "root": str(sandbox.asterisk.root),
        "entity_id": known["entity_id"],
        "sip": {"host": HOST, "port": ports["sip_port"]},
        "ari": ari,
        "speech": {"folder": str(directory / "data" / "sounds" / PROMPTS), "seen_as": PROMPTS},
        "ami": {
            "host": HOST,
            "port": ports["ami_port"],
            "username": USER,
            "secret": known["ami_secret"],
            "secret_file": str(directory / "etc" / "ami.secret"),
        },
        "rtp": {"from": ports["rtp_from"], "to": ports["rtp_to"]},
        "trunk": {"endpoint": "trunk", "host": HOST, "port": ports["trunk_port"]},
        "breakglass": options.breakglass,
        "softphones": [
            {"endpoint": f"PJSIP/{number}", "username": number, "password": password, **phones}
            for number, password in known["softphones"].items()
        ],
        "directories": {
            "etc": str(directory / "etc"),
            "log": str(directory / "log"),
            "spool": str(directory / "spool"),
            "recordings": str(directory / "spool" / "recording"),
            "sounds": str(directory / "data" / "sounds"),
        },
        "full_log": str(directory / "log" / "full"),
        "cdr_csv": str(directory / "log" / "cdr-csv" / "Master.csv"),
        "cli": sandbox.asterisk.command("-C", sandbox.inside("etc", "asterisk.conf"), "-rx"),
    }
