"""Metrics for Prometheus.

Counting happens on the event loop for every event and command of every call, so it is a plain addition to a
dict or a list here, a fifth of what the library's own metrics cost with their locks. The library does the
rest: at a scrape `collect` turns the tallies into its families, and it writes the text. Scrapes are served
by the same loop.

Labels are bounded: dispositions, outcomes, phases and commands are closed lists; clients, event types and
command failures are counted under `other` past their limit. No number and no id is ever a label.
"""

import platform
import shutil
import time
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from router.core.keyedin import is_feature_code
from router.core.record import CallInfo, CallRecord, Disposition, Phase
from router.core.trace import TraceRow

OTHER = "other"
MOST_CLIENTS = 1_000
MOST_EVENT_TYPES = 50
MOST_COMMAND_FAILURES = 200
MOST_BLOCK_RULES = 300
MOST_CALENDAR_CLIENTS = 100
MOST_MENU_KEYS = 300

SETUP_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
TALK_BOUNDS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
COMMAND_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
LAG_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Upper bounds in seconds."""

_Key = TypeVar("_Key", bound=Hashable)
_Tally = Mapping[tuple[str], int] | Mapping[tuple[str, str], int] | Mapping[tuple[str, str, str], int]
"""Label values -> count."""


class StoreFigures(Protocol):
    """What the store's writer tells of itself."""

    shed: int
    conflicts: int
    refused: int
    commits: int
    commit_seconds: float
    failing_since: datetime | None

    @property
    def queued(self) -> int: ...


class Distribution:
    """A histogram: how many values fell up to each bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus has them."""
        total, found = 0, []
        for bound, count in zip((*self.bounds, inf), self.counts, strict=True):
            total += count
            found.append(("+Inf" if bound == inf else str(bound), float(total)))
        return found


class Bounded(Generic[_Key]):
    """Names for labels: the first `most` different keys keep theirs, all later ones share one."""

    def __init__(self, most: int, other: _Key) -> None:
        self._names: dict[_Key, _Key] = {}
        self._most = most
        self._other = other

    def name(self, key: _Key) -> _Key:
        known = self._names.get(key)
        if known is not None:
            return known
        if len(self._names) >= self._most:
            return self._other
        self._names[key] = key
        return key


class Metrics(Collector):
    """One router's tallies; its methods are named after what happened. Not for several threads."""

    def __init__(self, version: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970, for moments that are shown as such."""
        self._version = version
        self._clock = clock
        self._clients = Bounded(MOST_CLIENTS, OTHER)
        self._event_types = Bounded(MOST_EVENT_TYPES, OTHER)
        self._failure_kinds = Bounded(MOST_COMMAND_FAILURES, (OTHER, OTHER))
        self._entered = 0
        self._ended: dict[tuple[str, Disposition], int] = {}
        self._hits_of = Bounded(MOST_BLOCK_RULES, (OTHER, OTHER, OTHER))
        self._hits: dict[tuple[str, str, str], int] = {}
        self._live = dict.fromkeys(Phase, 0)
        self._attempts: dict[str, int] = {}
        self._setup = Distribution(SETUP_BOUNDS)
        self._talk = Distribution(TALK_BOUNDS)
        self._commands = Distribution(COMMAND_BOUNDS)
        self.command_replied = self._commands.observe
        """Asterisk replied to a command, well or ill, after so many seconds."""
        self._lag = Distribution(LAG_BOUNDS)
        self._command_failures: dict[tuple[str, str], int] = {}
        self._unknown_events: dict[str, int] = {}
        self._prompt_failures = 0
        self._feature_codes: dict[str, int] = {}
        self._supervisions: dict[tuple[str, str], int] = {}
        self._agi_requests: dict[str, int] = {}
        self._menus = Bounded(MOST_MENU_KEYS, (OTHER, OTHER, OTHER))
        self._menu_keys: dict[tuple[str, str, str], int] = {}
        self._engine_errors = 0
        self._ari_up = False
        self._ari_connects = 0
        self._ami_up: bool | None = None
        self._rules_loaded_at = 0.0
        self._rules_refused = 0
        self._store: StoreFigures | None = None
        self._state: Path | None = None
        self._calendar_ages: Callable[[], Mapping[str, float]] = dict
        self._calendar_clients = Bounded(MOST_CALENDAR_CLIENTS, OTHER)
        self._calendar_failures: dict[str, int] = {}
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def watch_store(self, store: StoreFigures) -> None:
        """Show the writer's figures at every scrape."""
        self._store = store

    def watch_state(self, folder: Path) -> None:
        """Show at every scrape what room there is where the router keeps its state."""
        self._state = folder

    def watch_calendars(self, ages: Callable[[], Mapping[str, float]]) -> None:
        """Show how old calendars of the web are at every scrape: client -> seconds since the oldest of its
        copies was fetched."""
        self._calendar_ages = ages

    def call_entered(self, info: CallInfo, phase: Phase) -> None:
        """A call is ours and live from now on: it arrived, or was found again after a restart. Feature codes
        are counted apart, here and below."""
        if not is_feature_code(info):
            self._entered += 1
            self._live[phase] += 1

    def feature_code(self, said: str) -> None:
        """An agent's phone dialled a feature code, and is told so (a Phrase)."""
        self._feature_codes[said] = self._feature_codes.get(said, 0) + 1

    def screened(self, client: str | None, trace: Iterable[TraceRow]) -> None:
        """A call was decided; count the block rules that held, those in shadow too, and commands, as one:
        there are more and more of them."""
        for row in trace:
            if row.matched and row.kind in ("block", "challenge", "shadow"):
                key = self._hits_of.name((client or "none", row.name if row.place else "command", row.kind))
                self._hits[key] = self._hits.get(key, 0) + 1

    def phase_changed(self, info: CallInfo, old: Phase, new: Phase) -> None:
        """A live call went on."""
        if not is_feature_code(info):
            self._live[old] -= 1
            self._live[new] += 1

    def call_ended(self, record: CallRecord) -> None:
        """A call is disposed of, and was live in its record's phase until now."""
        if is_feature_code(record.info):
            return
        self._live[record.phase] -= 1
        key = (self._clients.name(record.info.client or "none"), record.disposition)
        self._ended[key] = self._ended.get(key, 0) + 1
        for attempt in record.attempts:
            outcome = attempt.outcome.value
            self._attempts[outcome] = self._attempts.get(outcome, 0) + 1
        if record.answered_at is not None:
            self._setup.observe((record.answered_at - record.info.arrived_at).total_seconds())
            self._talk.observe(record.talk_seconds)

    def event_handled(self, lag_seconds: float) -> None:
        """An event was handled so long after Asterisk sent it."""
        self._lag.observe(lag_seconds)

    def unknown_event(self, type: str) -> None:
        """Asterisk sent an event of a type we do not know."""
        name = self._event_types.name(type)
        self._unknown_events[name] = self._unknown_events.get(name, 0) + 1

    def command_failed(self, command: str, status: int) -> None:
        """A command was refused, or not replied to (status 0)."""
        key = self._failure_kinds.name((command, str(status)))
        self._command_failures[key] = self._command_failures.get(key, 0) + 1

    def engine_error(self) -> None:
        """An event could not be handled: a fault of ours, logged with its traceback."""
        self._engine_errors += 1

    def prompt_failed(self) -> None:
        """Asterisk could not play a prompt."""
        self._prompt_failures += 1

    def supervision_over(self, mode: str, outcome: str) -> None:
        """A stretch of supervision is over, or never began."""
        key = (mode, outcome)
        self._supervisions[key] = self._supervisions.get(key, 0) + 1

    def agi_request_over(self, outcome: str) -> None:
        """A dialplan has asked by FastAGI, or something else has."""
        self._agi_requests[outcome] = self._agi_requests.get(outcome, 0) + 1

    def key_pressed(self, client: str | None, menu: str, key: str) -> None:
        """A caller pressed a key in a menu, which goes by its place in the rules."""
        name = self._menus.name((client or "none", menu, key))
        self._menu_keys[name] = self._menu_keys.get(name, 0) + 1

    def ari_connected(self) -> None:
        """The connection to Asterisk is up, for the first time or again."""
        self._ari_up = True
        self._ari_connects += 1

    def ami_is(self, up: bool) -> None:
        """AMI is there, or not. Never told where it is not used."""
        self._ami_up = up

    def ari_lost(self) -> None:
        """The connection to Asterisk is down."""
        self._ari_up = False

    def rules_loaded(self) -> None:
        """A rule set is in use from now on."""
        self._rules_loaded_at = self._clock()

    def rules_refused(self) -> None:
        """A rule set was not taken; the old one stays."""
        self._rules_refused += 1

    def calendar_failed(self, reason: str) -> None:
        """A calendar of the web could not be fetched, for one of a few reasons."""
        self._calendar_failures[reason] = self._calendar_failures.get(reason, 0) + 1

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        yield from self._collect_calls()
        yield from self._collect_asterisk()
        yield _gauge(
            "callrouter_rules_loaded_timestamp_seconds",
            "When the rules in use were loaded.",
            self._rules_loaded_at,
        )
        yield _counter("callrouter_rules_refused", "Rule sets that were not taken.", self._rules_refused)
        yield from self._collect_calendars()
        if self._store is not None:
            yield from _collect_store(self._store)
        if self._state is not None:
            yield from _collect_disk(self._state)
        yield _counter(
            "callrouter_engine_errors",
            "Events that a fault of ours kept from being handled.",
            self._engine_errors,
        )
        build = GaugeMetricFamily("callrouter_build_info", "Always 1.", labels=["version", "python"])
        build.add_metric([self._version, platform.python_version()], 1)
        yield build

    def _collect_calls(self) -> Iterator[Metric]:
        yield _counter(
            "callrouter_calls_entered",
            "Calls taken on; equals calls disposed of plus live ones.",
            self._entered,
        )
        ended = {(client, disposition.value): count for (client, disposition), count in self._ended.items()}
        yield _counters("callrouter_calls", "Calls disposed of.", ["client", "disposition"], ended)
        live = GaugeMetricFamily("callrouter_live_calls", "Calls not yet disposed of.", labels=["phase"])
        for phase, count in self._live.items():
            live.add_metric([phase.value], count)
        yield live
        attempts = {(outcome,): count for outcome, count in self._attempts.items()}
        yield _counters("callrouter_attempts", "Phones rung.", ["outcome"], attempts)
        yield _histogram("callrouter_setup_seconds", "From arrival to talk.", self._setup)
        yield _histogram("callrouter_talk_seconds", "Length of talks.", self._talk)
        yield _counters(
            "callrouter_screening_hits", "Block rules that held.", ["client", "rule", "kind"], self._hits
        )
        yield _counter(
            "callrouter_prompt_failures", "Prompts Asterisk could not play.", self._prompt_failures
        )
        codes = {(said,): count for said, count in self._feature_codes.items()}
        yield _counters(
            "callrouter_feature_codes", "Feature codes of agents, which are no calls.", ["said"], codes
        )
        yield _counters(
            "callrouter_supervisions",
            "Talks of agents that were supervised, or were to be.",
            ["mode", "outcome"],
            self._supervisions,
        )
        agi_requests = {(outcome,): count for outcome, count in self._agi_requests.items()}
        yield _counters(
            "callrouter_agi_requests", "Requests by FastAGI, which are no calls.", ["outcome"], agi_requests
        )
        yield _counters(
            "callrouter_menu_keys",
            "Keys that callers pressed in menus, wrong ones too.",
            ["client", "menu", "key"],
            self._menu_keys,
        )

    def _collect_calendars(self) -> Iterator[Metric]:
        """Clients past the limit share a label, and it has the oldest of theirs."""
        oldest: dict[str, float] = {}
        for client, age in self._calendar_ages().items():
            name = self._calendar_clients.name(client)
            oldest[name] = max(age, oldest.get(name, 0.0))
        ages = GaugeMetricFamily(
            "callrouter_calendar_age_seconds",
            "Since the oldest of a client's calendars of the web was fetched; +Inf: never.",
            labels=["client"],
        )
        for client, age in oldest.items():
            ages.add_metric([client], age)
        yield ages
        failures = {(reason,): count for reason, count in self._calendar_failures.items()}
        yield _counters(
            "callrouter_calendar_failures", "Calendars of the web not fetched.", ["reason"], failures
        )

    def _collect_asterisk(self) -> Iterator[Metric]:
        yield _gauge("callrouter_ari_up", "1 while connected to Asterisk.", self._ari_up)
        if self._ami_up is not None:
            yield _gauge("callrouter_ami_up", "1 while connected to Asterisk's AMI.", self._ami_up)
        yield _counter(
            "callrouter_ari_reconnects",
            "Connections to Asterisk after the first.",
            max(self._ari_connects - 1, 0),
        )
        yield _histogram("callrouter_command_seconds", "From a command to Asterisk's reply.", self._commands)
        yield _counters(
            "callrouter_command_failures", "Commands refused.", ["command", "status"], self._command_failures
        )
        yield _histogram("callrouter_event_lag_seconds", "From Asterisk's event to our handling.", self._lag)
        unknown = {(type,): count for type, count in self._unknown_events.items()}
        yield _counters("callrouter_events_unknown", "Events of unknown types.", ["type"], unknown)


def _collect_store(store: StoreFigures) -> Iterator[Metric]:
    yield _gauge("callrouter_write_queue", "Operations not yet committed.", store.queued)
    yield _counter("callrouter_writes_shed", "Timeline rows dropped, the queue being full.", store.shed)
    yield _counter("callrouter_writes_refused", "Operations that cannot be stored.", store.refused)
    yield _counter("callrouter_disposition_conflicts", "Second dispositions, not written.", store.conflicts)
    yield _counter("callrouter_commits", "Transactions.", store.commits)
    yield _counter("callrouter_commit_seconds", "Spent in transactions.", store.commit_seconds)
    yield _gauge(
        "callrouter_store_failing", "1 while the database takes nothing.", store.failing_since is not None
    )


def _collect_disk(folder: Path) -> Iterator[Metric]:
    """Of a folder that is not made yet, that in which it will be. Nothing while it cannot be looked at."""
    try:
        there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
        disk = shutil.disk_usage(there)
    except OSError:
        return
    yield _gauge(
        "callrouter_state_free_bytes", "Room left for the router on the disk of its state.", disk.free
    )
    yield _gauge("callrouter_state_size_bytes", "Size of that disk.", disk.total)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _counters(name: str, text: str, labels: list[str], tally: _Tally) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in tally.items():
        family.add_metric(list(values), count)
    return family


def _histogram(name: str, text: str, values: Distribution) -> Metric:
    return HistogramMetricFamily(name, text, buckets=values.buckets(), sum_value=values.sum)
