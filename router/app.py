"""The daemon: the only place that builds objects. One TaskGroup holds all that runs.

Stopping (SIGTERM, SIGINT): new calls go to the break-glass branch of the dialplan; callers who wait are
served until they are settled or `drain_for` has passed; people who talk go on talking, and the next process
takes their calls over. A second signal stops at once. SIGHUP, `callrouter reload` and, with
`watch`, a change of their files have the rules read again: all or nothing, and calls in flight keep theirs.
"""

import asyncio
import gc
import random
import signal
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Literal

import msgspec
import structlog
from aiohttp import web

from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.core.verdict import Verdict
from router.edge import notify, queuewire
from router.edge.advice import Advice
from router.edge.agentlog import AgentLog
from router.edge.agi import FastAgi
from router.edge.agiwire import REACHED, ROUTE
from router.edge.ari.backoff import Backoff
from router.edge.ari.connection import AriConnection
from router.edge.ari.wire import Outbound
from router.edge.bell import Bell
from router.edge.callers import MOST_LEARNT, Called, Callers
from router.edge.contacts import AddressBook
from router.edge.dispatch import Dispatch
from router.edge.engine import Engine
from router.edge.feedcopies import FeedCopies
from router.edge.feeds import Feeds
from router.edge.following import Following
from router.edge.followupmetrics import FollowUpMetrics
from router.edge.forgetting import forget_notices
from router.edge.languages import Languages
from router.edge.metrics import Metrics
from router.edge.mqtt import Mqtt
from router.edge.mqttlink import Broker
from router.edge.mqttwords import RouterStatus
from router.edge.names import Names
from router.edge.noticefeed import NoticeFeed
from router.edge.outboxmetrics import OutboxMetrics
from router.edge.postbox import Postbox
from router.edge.prompts import HOURS_AHEAD, Prompts, spoken
from router.edge.reached import Reached
from router.edge.records import Records
from router.edge.reload import Reloader
from router.edge.remote import Remote
from router.edge.renewal import Renewal
from router.edge.rulesfile import RulesFile
from router.edge.sparing import Sparing
from router.edge.store.database import prepare
from router.edge.store.errors import StoreError, UnusableDatabaseError
from router.edge.store.queries import OpenCall, Queries
from router.edge.store.unwritten import Unwritten
from router.edge.store.verdicts import Verdicts
from router.edge.store.writer import PAUSE, Writer
from router.edge.tokens import KnownTokens
from router.edge.web.api.figures import ApiFigures
from router.edge.web.api.powers import Powers
from router.edge.web.api.serving import api_app
from router.edge.web.health import API, Orders, Readiness, health_app, serve
from router.settings import Settings

log = structlog.get_logger()

VERSION = version("callrouter")

FLUSH = 10.0
"""Seconds the writer may take for its last rows when the router stops."""

LAST_WORDS = 2 * FLUSH
"""Seconds that all may take which comes after the last caller is settled."""

HANDOVER = 2 * PAUSE
"""Seconds from our taking the application's name until we read which calls are open. A process that had it
before us is told at once, and writes down meanwhile what it still saw."""

GARBAGE = 10_000
"""New objects between two looks for garbage. Nearly all that a call makes goes by itself."""

REMEMBER_AGAIN = 5.0
"""Seconds until we ask again a database that could not tell whom to refuse."""

SPEAK_EVERY = HOURS_AHEAD.total_seconds() / 6
"""Seconds between two looks at what will be said of hours."""


def look_ahead(rules: RuleSet, now: datetime) -> None:
    """Have at hand what calls will ask for until this is done again. The holidays of a year take a tenth of a
    second to work out, and no caller is to wait for that."""
    for client in rules.clients.values():
        for hours in client.hours.values():
            hours.know_holidays(now)
            hours.know_holidays(now + 2 * timedelta(seconds=SPEAK_EVERY))


class Daemon:
    """One router: built from settings and rules, run once."""

    def __init__(self, settings: Settings, source: RulesFile, rules: RuleSet, prompts: Prompts) -> None:
        """`rules` are those of the start, whose prompts are made."""
        self._settings = settings
        self._store = Writer(
            settings.database_url, queue_limit=settings.write_queue, unwritten=Unwritten(settings.state)
        )
        self._metrics = Metrics(VERSION)
        self._store.use(rules)
        self._metrics.watch_store(self._store)
        self._metrics.watch_state(settings.state)
        self._metrics.rules_loaded()
        outbound = Outbound(
            settings.ari.app, round(settings.dead_man), settings.present, prompts.media, prompts.named
        )
        self._prompts = prompts
        self._names = Names(prompts)
        self._languages = Languages(prompts, lambda: self._engine.rules, lambda: datetime.now(UTC))
        self._contacts = AddressBook(settings.database_url, self._languages.want)
        self._callers = Callers(self._contacts.find, self._languages.spoken)
        self._postbox = Postbox(
            settings,
            lambda method, path: self._connection.http(method, path),
            lambda: self._engine.asterisk,
            self._zone_of,
        )
        follow_up_metrics = FollowUpMetrics(lambda: datetime.now(UTC))
        self._metrics.registry.register(follow_up_metrics)
        self._dispatch = Dispatch(
            settings,
            self._zone_of,
            lambda client: self._engine.rules.tags_of(client),
            follow_up_metrics.tell,
            random.Random(),
        )
        self._engine = Engine(
            rules,
            self._store,
            self._metrics,
            outbound,
            self._open_calls,
            self._callers,
            self._postbox.look,
            lambda change: self._agent_log.note(change),
            self._names.want,
        )
        self._connection = AriConnection(
            settings.ari.connection,
            self._engine,
            rng=random.Random(),
            observe_reply=self._metrics.command_replied,
            on_unknown=self._metrics.unknown_event,
        )
        self._engine.attach(self._connection)
        self._bell = Bell()
        advice = Advice(
            self._engine.advise,
            self._store.advised,
            lambda: self._engine.asterisk,
            prompts.media,
            lambda: datetime.now(UTC),
        )
        reached = Reached(lambda: self._engine.rules, self._store.reached, lambda: datetime.now(UTC))
        answers = {ROUTE: advice.give, REACHED: reached.take}
        self._agi = FastAgi(settings.agi, answers, self._metrics.agi_request_over)
        self._following = Following(
            settings.ami.connection(queuewire.AMI_EVENTS),
            Backoff(random.Random()),
            self._engine.on_queue_event,
            self._engine.in_asterisk_queues,
            self._connection.http,
            self._metrics.ami_is,
            lambda: datetime.now(UTC),
        )
        self._engine.watch_by(self._following)
        self._metrics.registry.register(self._engine.queues.metrics)
        self._stop_wanted = asyncio.Event()
        self._stop_at_once = asyncio.Event()
        self._reload_wanted = asyncio.Event()
        self._obeying = asyncio.Lock()
        self._sparing = Sparing(settings.database_url, self._callers.spare)
        read = {
            "verdicts": self._obey,
            "contacts": self._contacts.read,
            "do not contact": self._sparing.read,
        }
        self._renewal = Renewal(settings.database_url, read)
        self._agent_log = AgentLog(settings.database_url, self._engine.queues.change, self._bell.ring)
        self._began = datetime.now(UTC)
        self._reloader = Reloader(source, self._speak, self._use, self._metrics)
        self._remote = Remote(
            lambda: self._engine.rules,
            self._engine.queues.ask,
            self._agent_log,
            self._store,
            self._reloader,
            settings.database_url,
        )
        self._mqtt = self._publisher(settings.mqtt.connection)
        self._records = Records(settings.database_url)
        self._tokens = KnownTokens(self._records, lambda: datetime.now(UTC))
        self._notices = NoticeFeed(self._records, self._bell)
        self._figures = ApiFigures(lambda: self._notices.listeners)
        self._metrics.registry.register(self._figures)
        self._feeds = Feeds(
            FeedCopies(settings.calendars),
            settings.calendars_every,
            lambda: self._engine.rules,
            self._reloader.refresh,
            self._metrics,
        )

    async def run(self) -> int:
        """Serve calls until told to stop; the process's exit status (1 if another router took over, or
        records are lost).

        Raises StoreError for a database of a newer version, AddressTakenError for a busy port.
        """
        settings = self._settings
        await asyncio.to_thread(self._prepare_database)
        await asyncio.to_thread(look_ahead, self._engine.rules, datetime.now(UTC))
        loop = asyncio.get_running_loop()

        def follow_up(spares: bool) -> None:
            loop.call_soon_threadsafe(self._on_follow_up, spares)

        self._store.start(partial(self._bell.ring_from_afar, loop), follow_up)
        await asyncio.to_thread(self._store.catch_up, FLUSH)
        remembered = await self._remember()
        # Libraries and rules stay for good: the garbage collector need not go over them again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE)
        try:
            served = await serve(self._web(), settings.web.host, settings.web.port)
            try:
                await self._agi.open()
                replaced = await self._serve(remembered)
            finally:
                await self._agi.close()
                await served.cleanup()
        finally:
            await self._agent_log.flush(FLUSH / 2)
            self._records.close()
            lost = await asyncio.to_thread(self._store.close, FLUSH)
            self._engine.call_log.flush()
        log.info("stopped")
        return 1 if replaced or lost else 0

    def _web(self) -> web.Application:
        """All that is served over HTTP."""
        orders = Orders(
            reload=self._reloader.reload,
            read_verdicts=self._obey,
            read_contacts=self._contacts.read,
            read_agents=self._agent_log.read,
            read_tokens=self._tokens.read,
            read_follow_ups=self._read_follow_ups,
            send_again=self._send_again,
            queues=self._queues,
        )
        powers = Powers(
            token=self._tokens.find,
            rules=lambda: self._engine.rules,
            live=self._engine.seen,
            queues=self._engine.queues.seen,
            records=self._records,
            notices=self._notices,
            recordings=self._settings.messages,
            reload=self._reloader.reload,
            read_verdicts=self._obey,
            read_contacts=self._contacts.read,
            read_follow_ups=self._read_follow_ups,
            change_agent=self._remote.change_agent,
            figures=self._figures,
            now=lambda: datetime.now(UTC),
        )
        app = health_app(
            self._metrics.text, self._readiness(), orders, self._settings.prompts, self._settings.web.host
        )
        app.add_subapp(API, api_app(powers))
        return app

    async def _serve(self, remembered: bool) -> bool:
        """Until a signal or a successor ends it; True for the successor."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_wanted.set)
        beside = {
            "reload": self._reload(),
            "watch": self._watch(),
            "feeds": self._feeds.run(),
            "speech": self._speak_on(),
            "names": self._names.run(),
            "languages": self._languages.run(),
            "messages": self._postbox.run(),
            "follow-ups": self._dispatch.run(),
            "sparing": self._sparing.run(),
            "renewal": self._renewal.run(),
            "memory": self._remember_later(remembered),
            "following": self._following.run(),
            "notices": self._notices.run(),
            "publishing": self._publish(),
            "forgetting": self._forget(),
            "living": notify.live_on(),
        }
        async with asyncio.TaskGroup() as group:
            connection = group.create_task(self._connection.run(), name="connection")
            stop = group.create_task(self._stop_wanted.wait(), name="stop")
            tasks = [group.create_task(work, name=name) for name, work in beside.items()]
            notify.ready()
            await asyncio.wait((connection, stop), return_when=asyncio.FIRST_COMPLETED)
            if not connection.done():
                await self._drain(connection)
            replaced = connection.done()
            for task in (connection, stop, *tasks):
                task.cancel()
        return replaced

    async def _drain(self, connection: asyncio.Task[None]) -> None:
        """Let those who wait be settled; those who talk are left to the next process, which may come early
        and take the connection over."""
        limit = self._settings.drain_for
        log.info("draining", limit_seconds=limit)
        notify.stopping(limit + LAST_WORDS)
        self._engine.drain()
        events = (self._engine.idle, self._stop_at_once)
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        await asyncio.wait([connection, *waits], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _on_stop(self) -> None:
        if self._stop_wanted.is_set():
            self._stop_at_once.set()
        self._stop_wanted.set()

    def _speak(self, rules: RuleSet) -> RuleSet | RuleErrors:
        outcome = spoken(rules, self._prompts, datetime.now(UTC))
        look_ahead(rules, datetime.now(UTC))
        if isinstance(outcome, RuleSet):
            self._languages.renew(outcome)
        return outcome

    def _zone_of(self, client: str) -> str:
        known = self._engine.rules.clients.get(client)
        return known.timezone if known else "UTC"

    async def _speak_on(self) -> None:
        """Make, from time to time, the prompts of what will be said of hours."""
        while True:
            await asyncio.sleep(SPEAK_EVERY)
            outcome = await asyncio.to_thread(self._speak, self._engine.rules)
            if isinstance(outcome, RuleErrors):
                log.error("prompts not made", errors=list(map(str, outcome.errors)))

    def _use(self, rules: RuleSet) -> None:
        self._engine.use(rules)
        self._store.use(rules)
        self._feeds.look()
        self._languages.look()

    async def _reload(self) -> None:
        """At each SIGHUP, read the rules again."""
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            await self._reloader.reload()

    async def _watch(self) -> None:
        if self._settings.watch:
            await self._reloader.watch()

    def _publisher(self, broker: Broker | None) -> Mqtt | None:
        """What publishes notices; None where nothing does."""
        if broker is None:
            return None
        metrics = OutboxMetrics(lambda: datetime.now(UTC))
        self._metrics.registry.register(metrics)
        return Mqtt(
            broker,
            self._settings.database_url,
            self._bell,
            Backoff(random.Random()),
            metrics,
            router=lambda: self._engine.asterisk,
            status=self._status,
            queues=self._engine.queues.seen,
            obey=self._remote.obey,
        )

    def _status(self) -> RouterStatus:
        state: Literal["online", "draining"] = "draining" if self._engine.draining else "online"
        return RouterStatus(state, self._engine.in_touch, VERSION)

    async def _publish(self) -> None:
        if self._mqtt is not None:
            await self._mqtt.run()

    async def _forget(self) -> None:
        outbox = self._settings.outbox
        give_up = None if self._mqtt is None else outbox.give_up
        await forget_notices(self._settings.database_url, outbox.keep, give_up)

    def _prepare_database(self) -> None:
        """Bring the database up to date. One that cannot be used now stops no calls: the writer goes on
        trying."""
        try:
            prepare(self._settings.database_url)
        except UnusableDatabaseError as error:
            log.error("no database, calls are answered all the same", error=str(error))

    async def _obey(self) -> int:
        """Read again what was decided of numbers by command; how many such there are."""
        async with self._obeying:  # What was read first must not be obeyed last.
            standing = await asyncio.to_thread(self._standing_verdicts)
            self._callers.obey(standing)
        return len(standing)

    def _standing_verdicts(self) -> Sequence[Verdict]:
        with closing(Verdicts(self._settings.database_url)) as verdicts:
            return verdicts.standing(datetime.now(UTC))

    async def _read_follow_ups(self) -> int:
        self._dispatch.look()
        return await self._sparing.read()

    def _on_follow_up(self, spares: bool) -> None:
        """Something was written that is to be done, and maybe of whom nobody is to call."""
        self._dispatch.look()
        if spares:
            self._sparing.look()

    def _send_again(self) -> None:
        self._dispatch.again()
        self._postbox.look()

    def _queues(self) -> bytes:
        return msgspec.json.encode(self._engine.queues.seen())

    async def _remember(self) -> bool:
        """Learn of the database what was decided by command, whom clients know, which agents are there, and
        who called before us; whether it could be read."""
        try:
            await self._obey()
            await self._contacts.read()
            await self._sparing.read()
            await self._agent_log.read()
            self._callers.learn(await asyncio.to_thread(self._called_before))
        except StoreError as error:
            log.error(
                "commands, contacts, agents, and who called before, are unknown for now", error=str(error)
            )
            return False
        return True

    async def _remember_later(self, remembered: bool) -> None:
        """Until it has worked once; the database may come after us."""
        while not remembered:
            await asyncio.sleep(REMEMBER_AGAIN)
            remembered = await self._remember()

    def _called_before(self) -> Sequence[Called]:
        """Who called lately, of clients whose rules count that."""
        clients = self._engine.rules.clients.values()
        counting = {client.id: client.screening.counted for client in clients if client.screening.counted}
        if not counting:
            return ()
        longest = max(counted.within.seconds for counted in counting.values())
        since = self._began - timedelta(seconds=longest)
        with closing(Queries(self._settings.database_url)) as queries:
            return [Called(*row) for row in queries.who_called(counting, since, self._began, MOST_LEARNT)]

    async def _open_calls(self, asterisk: str) -> list[OpenCall]:
        """The calls of one Asterisk that the database holds open."""
        await asyncio.sleep(HANDOVER)
        try:
            return await asyncio.to_thread(self._read_open_calls, asterisk)
        except StoreError as error:
            log.error("no database, the calls before this start are unknown", error=str(error))
            return []

    def _read_open_calls(self, asterisk: str) -> list[OpenCall]:
        over = self._store.ended_before
        with closing(Queries(self._settings.database_url)) as queries:
            return [call for call in queries.open_calls(asterisk) if call.info.id not in over]

    def _readiness(self) -> Readiness:
        return Readiness(
            ari_up=lambda: self._engine.in_touch,
            rules_loaded=lambda: True,  # Nothing is started without rules, and a refused set changes nothing.
            draining=lambda: self._engine.draining,
        )
