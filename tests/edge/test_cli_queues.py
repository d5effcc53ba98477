"""`callrouter queues` and `callrouter agents`, as they are typed, and what is kept and counted of them."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.core.agents import AgentChange, Change, QueueId
from router.core.steps.queue import ABANDONED, ANSWERED
from router.edge.queuemetrics import QueueMetrics
from router.edge.queueviews import SeenAgent, SeenCaller, SeenQueue
from router.edge.store.agents import AgentChanges
from router.edge.store.database import prepare

pytestmark = pytest.mark.usefixtures("alone")

RULES = """\
client: {client}
name: Fjord
numbers: "{number}"
timezone: Europe/Oslo
country: NO
people: {{kari: {{rings: PJSIP/100}}, {other}: {{rings: PJSIP/101}}}}
queues: {{desk: {{agents: [kari, {other}]}}}}
last_resort: [hangup]
routes: [{{name: main, do: [{{queue: desk}}]}}]
"""
SINCE = datetime.now(UTC) - timedelta(minutes=75)
DESK = SeenQueue(
    "fjord",
    "desk",
    (SeenCaller("aaaaaaaaaaaaa", SINCE, True, ("kari",), 130.0), SeenCaller("bbb", SINCE, False, (), None)),
    (
        SeenAgent("kari", "offered", SINCE, "", 3, "aaaaaaaaaaaaa"),
        SeenAgent("ola", "paused", None, "lunch", 0, ""),
    ),
)


class Daemon(HTTPServer):
    """A running router, as far as commands ask it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.told: list[str] = []
        self.queues = msgspec.json.encode([DESK])
        self.status = 200


class _Asked(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Daemon)
        self.server.told.append(self.path)
        self._answer(b"{}")

    def do_GET(self) -> None:
        assert isinstance(self.server, Daemon)
        self._answer(self.server.queues)

    def _answer(self, body: bytes) -> None:
        assert isinstance(self.server, Daemon)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    server = Daemon()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "rules").mkdir()
    write(tmp_path, "fjord", "+4722334455", "ola")
    (tmp_path / "callrouter.yaml").write_text(
        f"state: state\nrules: rules\nweb: {{port: {server.server_port}}}\n"
    )
    prepare(url(tmp_path))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def write(folder: Path, client: str, number: str, other: str) -> None:
    text = RULES.format(client=client, number=number, other=other)
    (folder / "rules" / f"{client}.yaml").write_text(text)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'state' / 'callrouter.db'}"


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def cells(*words: str) -> list[list[str]]:
    """What is printed, with 1:15 for all that has lasted since SINCE."""
    return [re.sub(r"1:[1-5]\d:\d\d", "1:15", line).split() for line in typed(*words).stdout.splitlines()]


def test_queues_are_shown_with_their_agents(daemon: Daemon) -> None:
    assert cells("queues") == [
        ["fjord", "desk:", "2", "waiting,", "1", "agents", "at", "work"],
        ["place", "call", "waits", "expected", "offered", "to"],
        ["1", "(front)", "aaaaaaaaaaaaa", "1:15", "2:10", "more", "kari"],
        ["2", "bbb", "1:15"],
        ["agent", "state", "since", "calls"],
        ["kari", "offered", "1:15", "3"],
        ["ola", "paused", "(lunch)", "0"],
    ]
    assert json.loads(typed("queues", "--json").stdout)["queue"] == "desk"
    assert typed("queues", "--client", "sund").stdout == "no queues\n"


def test_agents_are_listed_with_their_queues(daemon: Daemon) -> None:
    assert cells("agents")[1] == ["fjord", "kari", "offered", "1:15", "3", "desk"]
    rows = [json.loads(line) for line in typed("agents", "--json").stdout.splitlines()]
    assert [(row["person"], row["client"], row["queues"]) for row in rows] == [
        ("kari", "fjord", ["desk"]),
        ("ola", "fjord", ["desk"]),
    ]


def test_agents_come_and_go(daemon: Daemon, tmp_path: Path) -> None:
    assert typed("agents", "logout", "kari").stdout == "kari of fjord: logged out\n"
    assert typed("agents", "login", "kari").exit_code == 0
    assert typed("agents", "pause", "ola", "--reason", "lunch\n").stdout == "ola of fjord: paused (lunch)\n"
    assert typed("agents", "pause", "kari").exit_code == 0
    assert typed("agents", "resume", "kari").exit_code == 0
    assert daemon.told == ["/agents"] * 5
    changes = AgentChanges(url(tmp_path))
    made = changes.since(0)
    assert [(one.person, one.change) for one in made] == [
        ("kari", Change.LOGGED_OUT),
        ("kari", Change.LOGGED_IN),
        ("ola", Change.PAUSED),
        ("kari", Change.PAUSED),
        ("kari", Change.RESUMED),
    ]
    assert [(one.person, one.change, one.reason) for one in changes.latest()] == [
        ("kari", Change.LOGGED_IN, ""),
        ("ola", Change.PAUSED, "lunch"),
        ("kari", Change.RESUMED, ""),
    ]
    assert changes.since(made[-2].id) == [made[-1]]
    again = AgentChange(0, "fjord", "ola", Change.RESUMED, "", "callrouter", SINCE)
    assert changes.add(again).id == made[-1].id + 1
    changes.close()


def test_who_is_logged_out_neither_pauses_nor_comes_back(daemon: Daemon, tmp_path: Path) -> None:
    out = "kari is logged out; `callrouter agents login kari`\n"
    typed("agents", "pause", "kari")
    typed("agents", "logout", "kari")
    paused = typed("agents", "pause", "kari", "--reason", "lunch")
    assert (paused.exit_code, paused.stdout, paused.stderr) == (1, "", out)
    back = typed("agents", "resume", "kari")
    assert (back.exit_code, back.stdout, back.stderr) == (0, "", out)
    assert daemon.told == ["/agents"] * 2, "of what was changed"
    with closing(AgentChanges(url(tmp_path))) as changes:
        assert [one.change for one in changes.since(0)] == [Change.PAUSED, Change.LOGGED_OUT]
    typed("agents", "login", "kari")
    assert typed("agents", "pause", "kari").exit_code == 0


def test_who_is_not_paused_may_resume_and_is_told(daemon: Daemon) -> None:
    resumed = typed("agents", "resume", "kari")
    assert (resumed.exit_code, resumed.stdout) == (0, "kari of fjord: resumed; kari was not paused\n")
    assert daemon.told == ["/agents"], "it ends a wrap-up"
    typed("agents", "pause", "kari")
    assert typed("agents", "resume", "kari").stdout == "kari of fjord: resumed\n"
    typed("agents", "pause", "kari")
    typed("agents", "login", "kari")
    assert typed("agents", "resume", "kari").stdout.endswith("; kari was not paused\n"), "the login ended it"


def test_who_is_meant_must_be_clear(daemon: Daemon, tmp_path: Path) -> None:
    nobody = typed("agents", "login", "karo")
    assert (nobody.exit_code, nobody.stderr) == (2, "no agent is called `karo`; did you mean `kari`?\n")
    write(tmp_path, "sund", "+4722334466", "per")
    several = typed("agents", "login", "kari")
    assert (several.exit_code, several.stderr) == (
        2,
        "kari is an agent of fjord, sund; name one: --client ID\n",
    )
    assert typed("agents", "login", "kari", "--client", "sund").stdout == "kari of sund: logged in\n"
    (tmp_path / "rules" / "fjord.yaml").write_text("client: [")
    unread = typed("agents", "login", "kari")
    assert (unread.exit_code, "--client ID" in unread.stderr) == (2, True)
    assert typed("agents", "login", "kari", "--client", "fjord").exit_code == 0


def test_without_a_router_it_is_written_down(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "callrouter.yaml").write_text("state: state\nrules: rules\nweb: {port: 9}\n")
    changed = typed("agents", "login", "kari")
    assert changed.exit_code == 0
    assert "written down; it counts from the router's next start" in changed.stderr
    assert typed("queues").exit_code == 1
    (tmp_path / "state" / "callrouter.db").unlink()
    assert typed("agents", "login", "kari").exit_code == 1


def test_what_is_no_router_is_told_plainly(daemon: Daemon) -> None:
    daemon.queues = b"<html>"
    assert "no router at" in typed("queues").stderr
    daemon.queues, daemon.status = b"this is for commands on the router's own machine", 403
    refused = typed("queues").stderr
    assert "refuses: this is for commands on the router's own machine" in refused
    daemon.queues, daemon.status = b'{"a": 1}', 200
    assert typed("queues").exit_code == 1


def test_queues_are_counted_for_prometheus() -> None:
    registry, now = CollectorRegistry(), SINCE + timedelta(seconds=60)
    metrics = QueueMetrics(lambda: [DESK], lambda: now)
    registry.register(metrics)
    desk = QueueId("fjord", "desk")
    metrics.offer_over(desk, "declined")
    metrics.offer_over(desk, "taken")
    metrics.caller_gone(desk, ANSWERED, 19.6)
    metrics.caller_gone(desk, ANSWERED, 40.0)
    metrics.caller_gone(desk, ABANDONED, 5.0)
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }
    assert samples == {
        ("callrouter_queue_waiting", "fjord", "desk"): 2,
        ("callrouter_queue_longest_wait_seconds", "fjord", "desk"): 60,
        ("callrouter_queue_agents", "fjord", "desk", "offered"): 1,
        ("callrouter_queue_agents", "fjord", "desk", "paused"): 1,
        ("callrouter_queue_offers_total", "fjord", "desk", "declined"): 1,
        ("callrouter_queue_offers_total", "fjord", "desk", "taken"): 1,
        ("callrouter_queue_callers_total", "fjord", "desk", ANSWERED): 2,
        ("callrouter_queue_callers_total", "fjord", "desk", ABANDONED): 1,
        ("callrouter_queue_in_time_total", "fjord", "desk"): 1,
        ("callrouter_queue_wait_seconds_total", "fjord", "desk"): 65,
    }
