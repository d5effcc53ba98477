"""The API in figures, for Prometheus."""

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class ApiFigures(Collector):
    """What was asked, and how it was answered. Labels are the routes' own names, so they are few."""

    def __init__(self, listeners: Callable[[], int]) -> None:
        self._listeners = listeners
        self._answered: Counter[tuple[str, int]] = Counter()

    def answered(self, what: str, status: int) -> None:
        """A request to the route with that handler, or to none, was answered so."""
        self._answered[what, status] += 1

    def collect(self) -> Iterator[Metric]:
        """The families."""
        requests = CounterMetricFamily(
            "callrouter_api_requests", "Requests to the API", labels=("what", "status")
        )
        for (what, status), count in list(self._answered.items()):
            requests.add_metric((what, str(status)), count)
        yield requests
        yield GaugeMetricFamily("callrouter_api_listeners", "Who listens to events", value=self._listeners())
