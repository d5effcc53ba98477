"""Queues for Prometheus: who waits and for how long, what agents do, what became of offers and of callers."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.core.agents import QueueId
from router.core.steps.queue import ANSWERED
from router.edge.metrics import OTHER, Bounded
from router.edge.queueviews import SeenQueue

MOST_QUEUES = 50
"""That are told apart; more share a label."""

IN_TIME = 20.0
"""Seconds of waiting within which a caller is answered in time, as the service level counts it."""

_LABELS = ["client", "queue"]


class QueueMetrics(Collector):
    """Tallies, and what `seen` shows at a scrape, by `clock`."""

    def __init__(self, seen: Callable[[], list[SeenQueue]], clock: Callable[[], datetime]) -> None:
        self._seen = seen
        self._clock = clock
        self._names = Bounded(MOST_QUEUES, (OTHER, OTHER))
        self._offers: Counter[tuple[str, ...]] = Counter()
        self._callers: Counter[tuple[str, ...]] = Counter()
        self._in_time: Counter[tuple[str, ...]] = Counter()
        self._waits: Counter[tuple[str, ...]] = Counter()

    def offer_over(self, queue: QueueId, outcome: str) -> None:
        """What became of ringing an agent."""
        self._offers[(*self._name(queue), outcome)] += 1

    def caller_gone(self, queue: QueueId, outcome: str, waited: float) -> None:
        """A caller, who `waited` so many seconds, waits no longer."""
        name = self._name(queue)
        self._callers[(*name, outcome)] += 1
        self._waits[name] += round(waited)
        self._in_time[name] += outcome == ANSWERED and waited <= IN_TIME

    def _name(self, queue: QueueId) -> tuple[str, str]:
        return self._names.name((queue.client, queue.name))

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        now = self._clock()
        waiting = GaugeMetricFamily("callrouter_queue_waiting", "Callers who wait.", labels=_LABELS)
        longest = GaugeMetricFamily(
            "callrouter_queue_longest_wait_seconds", "Of those who wait, the longest.", labels=_LABELS
        )
        agents = GaugeMetricFamily(
            "callrouter_queue_agents", "Agents, by what they do.", labels=[*_LABELS, "state"]
        )
        for queue in self._seen()[:MOST_QUEUES]:
            name = [queue.client, queue.queue]
            waiting.add_metric(name, len(queue.callers))
            since = min((caller.since for caller in queue.callers), default=now)
            longest.add_metric(name, max((now - since).total_seconds(), 0.0))
            for state, count in sorted(Counter(agent.state for agent in queue.agents).items()):
                agents.add_metric([*name, state], count)
        yield from (waiting, longest, agents)
        yield _counters("callrouter_queue_offers", "Agents rung.", "outcome", self._offers)
        yield _counters("callrouter_queue_callers", "Callers who wait no longer.", "outcome", self._callers)
        yield _counters(
            "callrouter_queue_in_time", f"Callers answered within {IN_TIME:g} s.", "", self._in_time
        )
        yield _counters("callrouter_queue_wait_seconds", "Time that callers have waited.", "", self._waits)


def _counters(name: str, text: str, label: str, tally: Counter[tuple[str, ...]]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[*_LABELS, label] if label else _LABELS)
    for values, count in tally.items():
        family.add_metric(list(values), count)
    return family
