"""The whole daemon in this process, as `callrouter run` builds it, and what it wrote down."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result

from router.app import Daemon
from router.cli.main import app
from router.cli.options import prompts, rules_file
from router.core.record import CallRecord
from router.core.ruleset import RuleSet
from router.core.tags import CallTag
from router.edge.store.database import prepare
from router.edge.store.queries import CallFilter, Queries
from router.settingsfile import load
from tests.harness.ports import free_port
from tests.sim.asterisk import FakeAsterisk

RULES = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47223344xx"]
timezone: Europe/Oslo
country: NO
tone: informal
messages: {mail: post@fjord.example, webhook: "http://localhost:1/calls", keep: 1d}
screening:
  block: [{name: telemarketers, numbers: ["+4781549xxx"]}]
routes:
  - {name: one, when: {dialled: "+4722334401"}, do: [{ring: PJSIP/kari}]}
  - {name: all, when: {dialled: "+4722334402"}, do: [{ring: [PJSIP/kari, PJSIP/ola, PJSIP/anne]}]}
  - name: in turn
    when: {dialled: "+4722334403"}
    do: [{ring: [PJSIP/kari, PJSIP/ola], order: in-turn, for: 1s}]
  - name: branches
    when: {dialled: "+4722334404"}
    do:
      - ring: PJSIP/kari
        for: 1s
        on:
          busy: [{say: {file: "sound:they-talk"}}, hangup]
          declined: [{say: {file: "sound:they-refuse"}}, hangup]
          unreachable: [{say: {file: "sound:not-there"}}, hangup]
          failed: [{say: {file: "sound:trouble"}}, hangup]
          no_answer: [{say: {file: "sound:nobody"}}, hangup]
  - name: greeting
    when: {dialled: "+4722334405"}
    do: [{say: {file: "sound:hello"}}, {ring: PJSIP/kari}]
  - {name: closed, when: {dialled: "+4722334406"}, do: [{say: {file: "sound:closed"}}, hangup]}
  - {name: outside, when: {dialled: "+4722334407"}, do: [{ring: "+4790000001"}]}
  - {name: message, when: {dialled: "+4722334409"}, do: [message]}
  - name: marked
    when: {dialled: "+4722334408"}
    do: [{tag: interested}, {set: {ACCOUNT: fjord}}, {ring: PJSIP/kari}]
  - {name: karis, when: {dialled: "+4722334411"}, do: [{queue: karis, for: 1m}]}
  - {name: back, when: {dialled: "+4722334413"}, do: [{queue: back, for: 1m}]}
  - {name: nobody, when: {dialled: "+4722334410", agents: {desk: 0}}, do: [decline]}
  - {name: queue, when: {dialled: "+4722334410"}, do: [{queue: desk, for: 1m}]}
  - name: support
    when: {dialled: "+4722334412"}
    do:
      - {queue: {asterisk: support}, for: 1m, on: {full: [{say: {file: "sound:closed"}}]}}
      - {ring: PJSIP/kari}
people:
  kari: {rings: PJSIP/kari}
  ola: {rings: PJSIP/ola, extension: 101}
  lise: {rings: PJSIP/lise, skills: {language: vi}}
  siri: {rings: PJSIP/siri, hours: always}
hours: {always: {week: {mon-sun: "00:00-24:00"}}}
queues:
  desk: {agents: [lise, siri], strategy: in-order, pause_after: 1, ring_for: 2s}
  karis: {agents: kari}
  back: {agents: kari, callback_key: 1}
last_resort: {say: {file: "sound:sorry"}}
"""

MUSIC = "+4722334501"
WITH_MUSIC = f"""\
client: sund
name: Sund
numbers: "{MUSIC}"
timezone: Europe/Oslo
country: NO
while_ringing: music
music: jazz
routes: [{{name: all, do: [{{ring: PJSIP/kari}}]}}]
last_resort: {{say: {{file: "sound:sorry"}}}}
"""

ONE, ALL, IN_TURN, BRANCHES, GREETING, CLOSED, OUTSIDE, MARKED, MESSAGE, QUEUE, KARIS, SUPPORT, BACK = (
    f"+47223344{n:02d}" for n in range(1, 14)
)


async def until(true: Callable[[], object], within: float = 5.0, what: str = "it") -> None:
    """Wait for what other tasks and threads do; fails if it does not come."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen in {within:g} s"
        await asyncio.sleep(0.003)


class Router:
    """One daemon after the other on the same state, rules and Asterisk."""

    def __init__(self, asterisk: FakeAsterisk, folder: Path, **settings: object) -> None:
        self.asterisk = asterisk
        self.database = str(settings.get("database", f"sqlite:///{folder / 'state' / 'callrouter.db'}"))
        self.rules = folder / "rules"
        self.rules.mkdir()
        self.write_rules(RULES)
        (self.rules / "sund.yaml").write_text(WITH_MUSIC, encoding="utf-8")
        self.port = free_port(socket.SOCK_STREAM)
        ari = {"url": asterisk.url, "username": "router", "password": asterisk.password}
        lines: dict[str, object] = {"ari": ari, "state": "state", "web": {"port": self.port}} | settings
        self._config = folder / "callrouter.yaml"
        self._config.write_text(json.dumps(lines), encoding="utf-8")  # JSON is YAML
        self._task: asyncio.Task[int] | None = None

    def write_rules(self, text: str) -> None:
        (self.rules / "fjord.yaml").write_text(text, encoding="utf-8")

    async def start(self) -> None:
        """Start a daemon, and wait until it is ready for calls."""
        self.launch()
        await self.in_touch()

    def launch(self) -> None:
        """Start a daemon."""
        settings = load(self._config)
        source = rules_file(settings)
        rules = source.load()
        assert isinstance(rules, RuleSet), rules
        self._task = asyncio.create_task(Daemon(settings, source, rules, prompts(settings)).run())

    async def in_touch(self) -> None:
        """Wait until the router is ready for calls."""
        await self.is_ready(200)

    async def is_ready(self, status: int) -> None:
        """Wait for `/readyz` to say this."""
        async with asyncio.timeout(5.0):
            while await self.get("readyz") != status:
                await asyncio.sleep(0.005)

    async def get(self, page: str) -> int:
        """The status of a page; 0 while nobody listens."""
        with suppress(aiohttp.ClientConnectorError):
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self.port}/{page}") as reply,
            ):
                return reply.status
        return 0

    async def metric(self, name: str, **labels: str) -> float:
        """One sample of the metrics; 0 where there is none."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            text = await reply.text()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        found = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
        return found[0] if found else 0.0

    async def counts(self, name: str, value: float, **labels: str) -> None:
        """Wait for a metric to have a value."""
        deadline = time.monotonic() + 5.0
        while (found := await self.metric(name, **labels)) != value:
            assert time.monotonic() < deadline, f"{name} is {found:g}, not {value:g}"
            await asyncio.sleep(0.005)

    async def die(self) -> None:
        """End at once, with no goodbye to anybody."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @staticmethod
    def signal(number: signal.Signals) -> None:
        os.kill(os.getpid(), number)

    def command(self, *words: str) -> Result:
        """`callrouter` as typed beside this router; it blocks, so not for the loop."""
        return CliRunner().invoke(app, [*words, "--config", str(self._config)])

    async def exit_status(self, within: float = 5.0) -> int:
        assert self._task
        async with asyncio.timeout(within):
            return await self._task

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def closed(self, dialled: str = "") -> list[CallRecord]:
        """The records of the calls to a number that are over, in order of arrival."""
        queries = Queries(self.database)
        try:
            listed = queries.calls(CallFilter(limit=1000, codes=True))
        finally:
            queries.close()
        found = [call.record for call in listed if call.info.dialled.startswith(dialled)]
        return [record for record in found if record][::-1]

    def tags(self, dialled: str) -> list[CallTag]:
        """What the calls to a number are and were tagged with."""
        queries = Queries(self.database)
        found = [
            tag for call in queries.calls(CallFilter()) if call.info.dialled == dialled for tag in call.tags
        ]
        queries.close()
        return found

    def knows(self, event: str) -> int:
        """How often an event is in the timelines of the open calls."""
        queries = Queries(self.database)
        try:
            rows = [row for call in queries.open_calls() for row in call.timeline]
        finally:
            queries.close()
        return sum(f'"{event}"'.encode() in row.event for row in rows)

    def open_calls(self) -> list[str]:
        """The numbers of the calls that are not over."""
        queries = Queries(self.database)
        try:
            return [call.info.dialled for call in queries.open_calls()]
        finally:
            queries.close()

    async def record(self, dialled: str, within: float = 5.0) -> CallRecord:
        """The record of the one call to a number, once it is over."""
        await until(lambda: self.closed(dialled), within, f"the end of the call to {dialled}")
        [record] = self.closed(dialled)
        return record

    async def all_over(self, calls: int, within: float = 5.0) -> list[CallRecord]:
        """The records of so many calls, once they are over; nothing is left in Asterisk or open."""
        await until(lambda: len(self.closed()) >= calls, within, f"the end of {calls} calls")
        clean = lambda: not (self.asterisk.channels or self.asterisk.bridges or self.open_calls())  # noqa: E731
        await until(clean, within, "a clean end")
        assert len(self.closed()) == calls
        assert self.asterisk.unheard_of == []
        return self.closed()


@asynccontextmanager
async def routing(folder: Path, **settings: object) -> AsyncIterator[tuple[FakeAsterisk, Router]]:
    """An Asterisk with a router beside it that is ready."""
    async with FakeAsterisk() as asterisk:
        asterisk.sounds = {f"sound:{name}": 0.05 for name in SOUNDS}
        router = Router(asterisk, folder, **settings)
        prepare(router.database)
        try:
            await router.start()
            yield asterisk, router
        finally:
            await router.die()


SOUNDS = ("hello", "closed", "sorry", "they-talk", "they-refuse", "not-there", "trouble", "nobody")
