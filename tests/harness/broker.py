"""A real Mosquitto on loopback, with TLS, users and an ACL; and who listens there, by paho's own client."""

import json
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

MISSING = (
    "there is no Mosquitto here: `deploy/parts --tests`, or install Debian's packages mosquitto and openssl"
)
ROUTER, READER = "router", "crm"
"""Users: what publishes, and what listens and commands."""
PASSWORD = "a-long-one"
ACL = f"""\
user {ROUTER}
topic write callrouter/events/#
topic write callrouter/queues/#
topic write callrouter/agents/#
topic write callrouter/routers/one/status
topic read callrouter/routers/one/commands/#
topic write callrouter/answers/#
user {READER}
topic read callrouter/#
topic write callrouter/routers/one/commands/#
"""


def program() -> str | None:
    """Mosquitto; Debian has it in no user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Broker:
    """One broker."""

    def __init__(self) -> None:
        found = program()
        assert found is not None, MISSING
        self._program = found
        self.folder = Path(tempfile.mkdtemp(prefix="callrouter-mosquitto-"))
        self.port = free_port(socket.SOCK_STREAM)
        self.ca = self.folder / "broker.pem"
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD)
        self._make_certificate()
        users = self.folder / "users"
        users.touch(mode=0o600)
        for user in (ROUTER, READER):
            _run("mosquitto_passwd", "-b", str(users), user, PASSWORD)
        self.allow(ACL)
        (self.folder / "mosquitto.conf").write_text(
            f"user root\nlistener {self.port} 127.0.0.1\ncertfile {self.ca}\nkeyfile {self.folder}/key.pem\n"
            f"allow_anonymous false\npassword_file {users}\nacl_file {self.folder}/acl\n"
            "max_queued_messages 100000\n"
            f"persistence true\npersistence_location {self.folder}/\nlog_dest file {self.folder}/log\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def _make_certificate(self) -> None:
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        _run(
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", names),
            *("-keyout", f"{self.folder}/key.pem", "-out", str(self.ca)),
        )

    def settings(self, **more: object) -> dict[str, object]:
        """`mqtt:` of a router there."""
        return {
            "host": "localhost",
            "port": self.port,
            "ca_file": str(self.ca),
            "username": ROUTER,
            "password_file": str(self.password_file),
            "name": "one",
        } | more

    def allow(self, acl: str) -> None:
        """Who may what; one that runs is told of it."""
        (self.folder / "acl").write_text(acl)
        (self.folder / "acl").chmod(0o600)
        if getattr(self, "_process", None) is not None:
            assert self._process is not None
            self._process.send_signal(signal.SIGHUP)

    def start(self, within: float = 10.0) -> None:
        """Start it, and wait until it takes connections."""
        command = [self._program, "-c", str(self.folder / "mosquitto.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "Mosquitto answers", within)

    def stop(self) -> None:
        """Stop it at once. What it has taken and not passed on it keeps, as a broker should."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            with Reader(self, "answers/none"):
                return True
        except (OSError, TimeoutError):
            return False


class Heard(NamedTuple):
    """What was published."""

    topic: str
    body: Any
    """None where it was empty."""
    retained: bool


class Reader:
    """Listens below `callrouter/`, and commands. It comes back when the broker does."""

    def __init__(self, broker: Broker, *topics: str) -> None:
        self.heard: list[Heard] = []
        self._topics = topics or ("#",)
        self._subscribed = False
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"reader-{id(self)}", protocol=paho.MQTTv5
        )
        self._client.username_pw_set(READER, PASSWORD)
        self._client.tls_set_context(ssl.create_default_context(cafile=broker.ca))
        self._client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._port = broker.port

    def __enter__(self) -> "Reader":
        # Sessions last over gaps in sight of the broker.
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 600
        self._client.connect("localhost", self._port, clean_start=False, properties=properties)
        self._client.loop_start()
        wait_until(lambda: self._subscribed, "subscribed")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe([(f"callrouter/{topic}", 1) for topic in self._topics])

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed = True

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        topic = message.topic.removeprefix("callrouter/")
        if "/commands/" in topic:
            return  # One's own, and may be anything.
        body = json.loads(message.payload) if message.payload else None
        self.heard.append(Heard(topic, body, message.retain))

    def at(self, topic: str) -> Any:
        """What was heard last there; None of nothing."""
        return next((one.body for one in reversed(self.heard) if one.topic == topic), None)

    def events(self) -> list[Any]:
        """All notices, in the order in which they came."""
        return [one.body for one in self.heard if one.topic.startswith("events/")]

    def stories(self) -> dict[str, list[str]]:
        """The types of the notices of each call, in the order in which they were heard first."""
        first: dict[str, Any] = {}
        for told in self.events():
            first.setdefault(told["id"], told)
        found: dict[str, list[str]] = {}
        for told in first.values():
            if "call" in told:
                found.setdefault(told["call"]["id"], []).append(told["type"])
        return found

    def command(self, topic: str, body: object, *, retain: bool = False) -> None:
        """Publish a command to router `one`, to be answered at `answers/crm`."""
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = "callrouter/answers/crm"
        properties.CorrelationData = b"7"
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = self._client.publish(
            f"callrouter/routers/one/commands/{topic}", payload, qos=1, retain=retain, properties=properties
        )
        told.wait_for_publish(10)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{MISSING}: {done.stderr}"
