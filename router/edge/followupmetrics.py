"""Follow-ups for Prometheus: what waits to be sent, what is given up, and who is to be called back."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Figures(msgspec.Struct, frozen=True):
    """How follow-ups stand."""

    waiting: int = 0
    """Jobs that wait to be sent,"""
    dead: int = 0
    """and that are given up."""
    oldest: datetime | None = None
    """Since when the oldest waits."""
    owed: int = 0
    """Callers who are to be called back,"""
    overdue: int = 0
    """and those of them who were to be by now."""


class FollowUpMetrics(Collector):
    """The figures told last, by `clock`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._figures = Figures()

    def tell(self, figures: Figures) -> None:
        """From now on these."""
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        figures, now = self._figures, self._clock()
        age = (now - figures.oldest).total_seconds() if figures.oldest else 0.0
        jobs = GaugeMetricFamily(
            "callrouter_follow_up_jobs", "Posts and mails of follow-ups, by state.", labels=["state"]
        )
        jobs.add_metric(["waiting"], figures.waiting)
        jobs.add_metric(["dead"], figures.dead)
        yield jobs
        oldest = "callrouter_follow_up_oldest_seconds"
        yield GaugeMetricFamily(oldest, "Age of the oldest that waits to be sent.", value=max(age, 0.0))
        owed = GaugeMetricFamily(
            "callrouter_obligations", "Callers who are to be called back.", labels=["state"]
        )
        owed.add_metric(["open"], figures.owed)
        owed.add_metric(["overdue"], figures.overdue)
        yield owed
