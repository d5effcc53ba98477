"""The API as a router serves it, with real records, queues and an outbox."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from router.core.access import Role, Token, hash_of
from router.core.agents import AgentChange, Weighed
from router.core.dialling import Dialling
from router.core.remarks import RuleError, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge.bell import Bell
from router.edge.liveviews import SeenCall
from router.edge.noticefeed import NoticeFeed
from router.edge.queues import Queues
from router.edge.records import Records
from router.edge.store.database import prepare
from router.edge.store.tokens import Tokens
from router.edge.store.writer import Writer
from router.edge.tokens import KnownTokens
from router.edge.web.api.figures import ApiFigures
from router.edge.web.api.powers import Powers
from router.edge.web.api.serving import api_app
from router.edge.web.health import API, Orders, Readiness, health_app, serve
from tests.harness.asker import Asker

FJORD = """\
client: fjord
name: Fjord
numbers: "+47 22 33 44 55"
timezone: Europe/Oslo
country: NO
people: {kari: {rings: PJSIP/100}, ola: {rings: PJSIP/101}}
queues: {desk: {agents: [kari, ola]}, back: {agents: kari}}
last_resort: [hangup]
routes:
  - {name: vip, when: {caller: {contact: vip}}, do: [{ring: ola}]}
  - {name: main, do: [{ring: kari, for: 20s}, {queue: desk}]}
"""
SUND = """\
client: sund
name: Sund
numbers: "+47 22 33 44 66"
timezone: Europe/Oslo
country: NO
people: {per: {rings: PJSIP/102}}
queues: {front: {agents: per}}
last_resort: [hangup]
routes: [{name: main, do: [{queue: front}]}]
"""
TOKENS = {
    "reader": Token("reader", Role.READER, None, None, "", datetime(2026, 1, 1, tzinfo=UTC), "root"),
    "kari": Token("kari", Role.AGENT, "fjord", "kari", "", datetime(2026, 1, 1, tzinfo=UTC), "root"),
    "fjord": Token("fjord", Role.READER, "fjord", None, "", datetime(2026, 1, 1, tzinfo=UTC), "root"),
    "boss": Token("boss", Role.SUPERVISOR, None, None, "", datetime(2026, 1, 1, tzinfo=UTC), "root"),
    "fjords": Token("fjords", Role.SUPERVISOR, "fjord", None, "", datetime(2026, 1, 1, tzinfo=UTC), "root"),
    "admin": Token("admin", Role.ADMIN, None, None, "", datetime(2026, 1, 1, tzinfo=UTC), "root"),
}
"""Those that there are; what is shown is the name."""


class ApiServer(Asker):
    """A router as far as the API asks it, in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'callrouter.db'}"
        self.folder = folder
        (folder / "callrouter.db").write_bytes(_database())
        rules = compile_rules({"fjord.yaml": FJORD, "sund.yaml": SUND}, Dialling())
        assert isinstance(rules, RuleSet), rules
        self.rules = rules
        self.outcome: RuleSet | RuleErrors = rules
        """What a reload comes to."""
        self.live: list[SeenCall] = []
        self.changes: list[AgentChange] = []
        self.verdicts_read = 0
        self.contacts_read: list[str] = []
        """Numbers whose contacts were read again."""
        self.bell = Bell()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.writer = Writer(self.url, queue_limit=10_000)

    def start(self) -> None:
        self._thread.start()
        self.port = self._do(self._serve())

        def ring() -> None:
            self._loop.call_soon_threadsafe(self.bell.ring)

        self.writer.start(on_told=ring)

    def stop(self) -> None:
        self.writer.close(5)
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def read_tokens(self) -> None:
        """As a command has it done."""
        self._do(self.tokens.read())

    def _do(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    async def _serve(self) -> int:
        now = lambda: datetime.now(UTC)  # noqa: E731
        self._queues = Queues(
            tell=lambda id, event: None,
            clock=now,
            note=lambda change: None,
            in_use=lambda phone, tell: None,
            tag=lambda tag: None,
            wrapped_up=lambda wrap_up: None,
        )
        self._queues.use(self.rules)
        self.records = Records(self.url)
        self.tokens = KnownTokens(self.records, now)
        self.notices = NoticeFeed(self.records, self.bell)
        self.figures = ApiFigures(lambda: self.notices.listeners)

        async def read_contacts(number: str) -> int:
            self.contacts_read.append(number)
            return 0

        powers = Powers(
            token=self.tokens.find,
            rules=lambda: self.rules,
            live=lambda: self.live,
            queues=self._queues.seen,
            records=self.records,
            notices=self.notices,
            recordings=self.folder,
            reload=self._reload,
            read_verdicts=self._read,
            read_contacts=read_contacts,
            read_follow_ups=self._read,
            change_agent=self._change,
            figures=self.figures,
            now=now,
        )

        orders = Orders(
            reload=self._reload,
            read_verdicts=self._read,
            read_contacts=read_contacts,
            read_agents=self._read,
            read_tokens=self.tokens.read,
            read_follow_ups=self._read,
            send_again=lambda: None,
            queues=lambda: b"[]",
        )
        ready = Readiness(ari_up=lambda: True, rules_loaded=lambda: True, draining=lambda: False)
        app = health_app(lambda: b"", ready, orders, self.folder, "127.0.0.1")
        app.add_subapp(API, api_app(powers))
        self._runner = await serve(app, "127.0.0.1", 0)
        self._feeding = asyncio.create_task(self.notices.run())
        return int(self._runner.addresses[0][1])

    async def _end(self) -> None:
        self._feeding.cancel()
        await self._runner.cleanup()
        self.records.close()

    async def _reload(self) -> RuleSet | RuleErrors:
        return self.outcome

    async def _read(self) -> int:
        self.verdicts_read += 1
        return 0

    def _change(self, change: AgentChange) -> Weighed:
        weighed = self._queues.ask(change)
        if weighed.made:
            self.changes.append(change)
        return weighed


@cache
def _database() -> bytes:
    """The file of one with TOKENS and nothing else: making it takes longer than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "callrouter.db"
        prepare(f"sqlite:///{file}")
        with closing(Tokens(f"sqlite:///{file}")) as tokens:
            for name, token in TOKENS.items():
                tokens.add(_with_hash(token, name), token.made_at)
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.read_bytes()


def _with_hash(token: Token, shown: str) -> Token:
    return Token(
        token.name, token.role, token.client, token.person, hash_of(shown), token.made_at, token.made_by
    )


def refused_rules() -> RuleErrors:
    """What comes of rules with an error."""
    return RuleErrors((RuleError("fjord.yaml", 1, 1, "this is wrong"),))
