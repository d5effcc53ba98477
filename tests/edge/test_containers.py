"""The files for containers, as far as they can be checked without an engine: what is published, where secrets
come from, and that each file in them is one that the programs take."""

import asyncio
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import paho.mqtt.client as paho
import pytest
import yaml
from aiohttp import web
from paho.mqtt.enums import CallbackAPIVersion

from router.app import LAST_WORDS
from router.core.times import Duration
from router.settings import Settings, is_loopback
from router.settingsfile import load
from tests.edge.test_health import Router, served
from tests.harness.broker import MISSING as NO_BROKER
from tests.harness.broker import program
from tests.harness.ports import free_port
from tests.harness.prometheus import RULES, promtool
from tests.harness.sandbox import ROOT
from tests.harness.waiting import wait_until

FOLDER = ROOT / "deploy" / "container"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CONTAINERFILES = [FOLDER / "Containerfile", FOLDER / "asterisk" / "Containerfile"]
SECRETS = "/run/secrets"
BACKUPS = "/var/backups/callrouter"
CLIENTS = {"bullseye": 13, "bookworm": 15, "trixie": 17}
"""The PostgreSQL of the package postgresql-client of each Debian (packages.debian.org/postgresql-client), by
the name that tags of images have for it."""

__all__ = ["served"]  # a fixture

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Made as administrators make them."""
    folder = tmp_path / "secrets"
    subprocess.run([sys.executable, FOLDER / "make-secrets", folder], check=True, timeout=20, text=True)
    return folder


def sources(service: dict[str, Any]) -> list[Path]:
    """The files and folders of the checkout that a service is given."""
    named = [str(volume).split(":")[0] for volume in service.get("volumes", ())]
    return [(FOLDER / name).resolve() for name in named if name.startswith(".")]


def test_the_services_are_those_of_a_company() -> None:
    assert set(SERVICES) == {"asterisk", "router", "postgres", "mosquitto", "prometheus", "grafana"}


def test_nothing_is_published_but_on_loopback() -> None:
    published = [str(port) for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(published) >= len(SERVICES)
    assert [port for port in published if not is_loopback(port.split(":")[0])] == []


def test_control_of_asterisk_the_database_and_the_broker_have_networks_of_their_own() -> None:
    members: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for network in service["networks"]:
            members.setdefault(network, set()).add(name)
    assert members == {
        "pbx": {"asterisk", "router"},
        "data": {"router", "postgres", "mosquitto"},
        "metrics": {"router", "prometheus"},
        "sip": {"asterisk"},
        "outside": {"router"},
        "broker": {"mosquitto"},
        "watch": {"prometheus", "grafana"},
    }
    internal = {name for name, network in COMPOSE["networks"].items() if (network or {}).get("internal")}
    assert internal == {"pbx", "data", "metrics"}
    ports = [port for port in SERVICES["asterisk"]["ports"] if "8088" in port or "5038" in port]
    assert ports == []


def test_secrets_come_from_files_and_from_nowhere_else(secrets: Path) -> None:
    declared = {name: Path(one["file"]) for name, one in COMPOSE["secrets"].items()}
    assert {name: path.name for name, path in declared.items()} == {name: name for name in declared}
    assert {file.name for file in secrets.iterdir()} - set(declared) == {"mqtt_reader_password"}  # a person's
    assert set(declared) < {file.name for file in secrets.iterdir()}
    used = {name for service in SERVICES.values() for name in service.get("secrets", ())}
    assert used == set(declared)
    given = {name: value for one in SERVICES.values() for name, value in one.get("environment", {}).items()}
    secret = {name for name in given if re.search("PASSWORD|SECRET|TOKEN", name)}
    assert {given[name] for name in secret} <= {f"{SECRETS}/{name}" for name in declared}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/container/secrets/" in ignored


def test_images_have_a_version() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    for file in CONTAINERFILES:
        images += re.findall(r"^FROM (\S+)", file.read_text(), re.MULTILINE)
    assert [image for image in images if image.partition(":")[2] in {"", "latest"}] == []


def test_all_that_services_are_given_is_there() -> None:
    missing = [path for service in SERVICES.values() for path in sources(service) if not path.exists()]
    missing += [
        ROOT / service["build"]["dockerfile"]
        for service in SERVICES.values()
        if "build" in service and not (ROOT / service["build"]["dockerfile"]).is_file()
    ]
    assert missing == []
    named = {str(volume).split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())}
    assert {name for name in named if not name.startswith(".")} == set(COMPOSE["volumes"])


def test_all_that_images_are_made_of_is_sent_to_the_builder() -> None:
    for file in CONTAINERFILES:
        sent = [
            line[1:]
            for line in file.with_name("Containerfile.dockerignore").read_text().splitlines()
            if line.startswith("!")
        ]
        copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", file.read_text(), re.MULTILINE)
        for name in " ".join(copied).split():
            assert (ROOT / name).exists(), name
            assert any(name.rstrip("/") == one or name.startswith(f"{one}/") for one in sent), name


def test_the_router_is_nobody_in_particular_and_has_the_time_to_stop() -> None:
    text = CONTAINERFILES[0].read_text()
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]
    assert text.count("--require-hashes") == 2
    router = SERVICES["router"]
    assert (router["read_only"], router["cap_drop"]) == (True, ["ALL"])
    grace = Duration.parse(router["stop_grace_period"]).seconds
    assert grace >= Settings.model_fields["drain_for"].default + LAST_WORDS


def last_stage() -> str:
    """What the router's image is, without what it is built by."""
    return CONTAINERFILES[0].read_text().replace("\\\n", " ").rpartition("\nFROM ")[2]


def test_the_routers_image_can_copy_the_database_beside_it() -> None:
    """pg_dump refuses a server newer than itself; pg_restore promises nothing for an older one."""
    settings = yaml.safe_load((FOLDER / "callrouter.yaml").read_text(encoding="utf-8"))
    assert settings["database"].startswith("postgresql://callrouter@postgres/")
    image = last_stage().partition("\n")[0]
    (client,) = [version for debian, version in CLIENTS.items() if image.endswith(f"-{debian}")]
    installed = re.findall(r"apt-get install ([^&]+)", last_stage())
    assert "postgresql-client" in " ".join(installed).split()
    server = re.match(r"postgres:(\d+)\b", SERVICES["postgres"]["image"])
    assert server is not None
    assert int(server[1]) == client


def test_backups_have_a_place_that_the_router_may_write() -> None:
    mounts = [str(volume).split(":") for volume in SERVICES["router"]["volumes"]]
    (backups,) = [(source, mode) for source, target, *mode in mounts if target == BACKUPS]
    assert backups == ("backups", []), "not read-only"
    assert "backups" in COMPOSE["volumes"], "it outlives the container"
    # A new volume gets the owner that the folder has in the image, and callers' numbers are in it.
    assert f"install -d -o callrouter -g callrouter -m 0700 {BACKUPS}\n" in last_stage()
    others = [
        volume for one in SERVICES.values() for volume in one.get("volumes", ()) if "backups:" in volume
    ]
    assert others == [f"backups:{BACKUPS}"], "nobody else has it"


def test_every_service_keeps_few_logs() -> None:
    assert {str(service["logging"]["options"]) for service in SERVICES.values()} == {
        "{'max-size': '20m', 'max-file': '5'}"
    }


def test_the_routers_settings_are_good(tmp_path: Path, secrets: Path) -> None:
    text = (FOLDER / "callrouter.yaml").read_text(encoding="utf-8")
    named = set(re.findall(rf"{SECRETS}/(\w+)", text))
    assert named == set(SERVICES["router"]["secrets"])
    file = tmp_path / "callrouter.yaml"
    file.write_text(text.replace(SECRETS, str(secrets)), encoding="utf-8")
    found = load(file, to_run=True)
    password = (secrets / "postgres_password").read_text()
    assert found.database_url == f"postgresql://callrouter:{password}@postgres/callrouter"
    assert found.ari.password.get_secret_value() == (secrets / "ari_password").read_text()
    assert found.ari.url == "http://asterisk:8088/ari"


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    for file in (FOLDER / "prometheus.yml", RULES):
        shutil.copy(file, tmp_path)
    promtool("check", "config", str(tmp_path / "prometheus.yml"))
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert job == {"job_name": "callrouter", "static_configs": [{"targets": ["router:8090"]}]}


def test_passwords_are_made_once_and_are_different(secrets: Path) -> None:
    before = {file.name: file.read_text() for file in secrets.iterdir()}
    assert len(set(before.values())) == len(before)
    assert min(map(len, before.values())) >= 32
    assert {line.split(":")[0] for line in before["mqtt_users"].splitlines()} == {"callrouter", "reader"}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    again = subprocess.run(
        [sys.executable, FOLDER / "make-secrets", secrets], check=True, timeout=20, capture_output=True
    )
    assert again.stdout == b""
    assert {file.name: file.read_text() for file in secrets.iterdir()} == before


@pytest.fixture
def mosquitto(tmp_path: Path, secrets: Path) -> Iterator[int]:
    """The broker of compose.yaml, on a port of loopback."""
    found = program()
    assert found is not None, NO_BROKER
    port = free_port(socket.SOCK_STREAM)
    text = (FOLDER / "mosquitto.conf").read_text()
    for there, here in (
        ("listener 8883", f"listener {port} 127.0.0.1"),
        (SECRETS, str(secrets)),
        ("/mosquitto/config", str(FOLDER)),
        ("/mosquitto/data", str(tmp_path)),
    ):
        assert there in text
        text = text.replace(there, here)
    (tmp_path / "mosquitto.conf").write_text(f"user root\n{text}")
    process = subprocess.Popen([found, "-c", tmp_path / "mosquitto.conf"], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "Mosquitto runs")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def published(port: int, secrets: Path, user: str, topic: str) -> str:
    """How the broker takes one message there, as MQTT 5 has it in words."""
    password = (secrets / ("mqtt_password" if user == "callrouter" else "mqtt_reader_password")).read_text()
    told: Queue[str] = Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(user, password)
    client.tls_set_context(ssl.create_default_context(cafile=secrets / "mqtt_certificate"))
    client.on_connect = lambda client, _data, _flags, code, _more: (
        told.put(str(code)) if code.is_failure else client.publish(topic, "{}", qos=1)
    )
    client.on_publish = lambda _client, _data, _id, code, _more: told.put(str(code))
    client.connect("localhost", port)
    client.loop_start()
    try:
        return told.get(timeout=10)
    finally:
        client.disconnect()
        client.loop_stop()


def test_the_broker_takes_from_the_router_what_it_may_tell(mosquitto: int, secrets: Path) -> None:
    event = "callrouter/events/fjord/call/ended"
    for topic in (event, "callrouter/routers/router/status"):
        assert published(mosquitto, secrets, "callrouter", topic) in {"Success", "No matching subscribers"}
    for user, topic in (("callrouter", "elsewhere"), ("reader", event), ("nobody", event)):
        assert published(mosquitto, secrets, user, topic) == "Not authorized"


def health_check(port: int) -> int:
    """What the image's own check says of a router on this port: its exit status."""
    text = CONTAINERFILES[0].read_text().replace("\\\n", " ")
    (command,) = re.findall(r"^HEALTHCHECK .* CMD (.+)$", text, re.MULTILINE)
    command = command.replace("python ", f"{sys.executable} ", 1)
    run = subprocess.run(
        ["/bin/sh", "-c", command], env={"CALLROUTER_WEB__PORT": str(port)}, timeout=20, capture_output=True
    )
    return run.returncode


async def test_the_image_is_asked_whether_it_lives_not_whether_it_is_ready(
    served: tuple[Router, web.AppRunner, str],
) -> None:
    router, runner, _ = served
    router.ari_up = False
    port = runner.addresses[0][1]
    assert await asyncio.to_thread(health_check, port) == 0
    await runner.cleanup()
    assert await asyncio.to_thread(health_check, port) != 0


def test_asterisk_begins_with_passwords_that_the_router_knows(tmp_path: Path, secrets: Path) -> None:
    program = tmp_path / "bin" / "asterisk"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "begins with $*"\n')
    program.chmod(0o755)
    etc = tmp_path / "etc"
    etc.mkdir()
    path = f"{program.parent}:{os.environ['PATH']}"
    given = {"PATH": path, "ETC": str(etc), "SECRETS": str(secrets), "SPOOL": str(tmp_path)}
    start = FOLDER / "asterisk" / "start"
    run = subprocess.run([start], env=given, capture_output=True, text=True, timeout=20, check=True)
    first = (etc / "asterisk.conf").read_text()
    (etc / "asterisk.conf").unlink()  # The container is made anew.
    subprocess.run([start], env=given, capture_output=True, timeout=20, check=True)
    assert re.fullmatch(
        r"\[options\]\nentityid = [0-9a-f]{2}(:[0-9a-f]{2}){5}\n"
        rf"\n\[directories\]\nastdbdir => {tmp_path}\n",
        first,
    )
    assert (tmp_path / "recording").is_dir(), "what callers leave is recorded there"
    assert (etc / "asterisk.conf").read_text() == first, "it is the same Asterisk"
    assert run.stdout == "begins with -f\n"
    for file, secret in (
        ("ari.conf", "ari_password"),
        ("manager.conf", "ami_secret"),
        ("pjsip_phones.conf", "phones_password"),
    ):
        assert (secrets / secret).read_text() in (etc / file).read_text()
        assert stat.S_IMODE((etc / file).stat().st_mode) == 0o600
