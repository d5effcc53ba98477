"""How notices leave the outbox, for Prometheus."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class OutboxMetrics(Collector):
    """One router's tallies; its methods are named after what happened."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._up = False
        self._published = 0
        self._failures = 0
        self._waiting = 0
        self._oldest: datetime | None = None

    def mqtt_is(self, up: bool) -> None:
        """The broker is there, or not."""
        self._up = up

    def published(self, count: int) -> None:
        """The broker has taken so many notices."""
        self._published += count

    def publishing_failed(self) -> None:
        """The broker was lost, could not be reached, or refused something."""
        self._failures += 1

    def outbox_waits(self, count: int, oldest: datetime | None) -> None:
        """So many notices are yet to be taken, the oldest since then."""
        self._waiting, self._oldest = count, oldest

    def collect(self) -> Iterator[Metric]:
        """The families."""
        age = 0.0 if self._oldest is None else max((self._clock() - self._oldest).total_seconds(), 0.0)
        yield GaugeMetricFamily("callrouter_mqtt_connected", "1 while the broker is there", value=self._up)
        yield GaugeMetricFamily("callrouter_outbox_waiting", "Notices not yet taken", value=self._waiting)
        yield GaugeMetricFamily("callrouter_outbox_oldest_seconds", "Since when the oldest waits", value=age)
        yield CounterMetricFamily(
            "callrouter_mqtt_published", "Notices taken by the broker", value=self._published
        )
        yield CounterMetricFamily("callrouter_mqtt_failures", "Losses of the broker", value=self._failures)
