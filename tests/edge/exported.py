"""What routers show to Prometheus, and what expressions ask of it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from router.core.agents import QueueId
from router.core.record import Phase
from router.core.trace import TraceRow
from router.edge.followupmetrics import FollowUpMetrics
from router.edge.metrics import Metrics
from router.edge.outboxmetrics import OutboxMetrics
from router.edge.queuemetrics import QueueMetrics
from router.edge.queueviews import SeenAgent, SeenQueue
from router.edge.store.writer import Writer
from router.edge.web.api.figures import ApiFigures
from tests.edge.stories import TEN, a_call, talked
from tests.harness.sandbox import ROOT

OF_TARGETS = {"instance", "job"}
"""Labels that Prometheus itself gives to whatever it scrapes."""


def exported() -> dict[str, set[str]]:
    """Every series that a router may show: its name -> its labels."""
    metrics = Metrics("1")
    metrics.watch_store(Writer("sqlite://", queue_limit=1000))
    metrics.watch_state(ROOT)
    metrics.watch_calendars(lambda: {"fjord": 1.0})
    metrics.call_entered(a_call(), Phase.TALKING)
    metrics.call_ended(talked(a_call()))
    metrics.screened("fjord", [TraceRow("block", "telemarketers", "fjord.yaml:1", True)])
    metrics.key_pressed("fjord", "fjord.yaml:7", "1")
    metrics.feature_code("agent_in")
    metrics.supervision_over("listen", "left")
    metrics.command_failed("DialLeg", 500)
    metrics.unknown_event("Novelty")
    metrics.calendar_failed("timeout")
    metrics.ami_is(True)
    metrics.agi_request_over("answered")
    agent = SeenAgent("kari", "idle", TEN, "", 0, "")
    queues = QueueMetrics(lambda: [SeenQueue("fjord", "reception", (), (agent,))], lambda: TEN)
    queues.offer_over(QueueId("fjord", "reception"), "taken")
    queues.caller_gone(QueueId("fjord", "reception"), "answered", 3.0)
    metrics.registry.register(queues)
    metrics.registry.register(OutboxMetrics(lambda: TEN))
    metrics.registry.register(FollowUpMetrics(lambda: TEN))
    api = ApiFigures(lambda: 1)
    api.answered("calls", 200)
    metrics.registry.register(api)
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


class Asked(NamedTuple):
    """What an expression asks for: a series, and the labels it is chosen by."""

    name: str
    labels: frozenset[str]


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTOR = re.compile(r"(?<![\w.$])([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_WORDS = {"or", "and", "unless", "offset", "by", "without"}


def asked(expression: str) -> Iterator[Asked]:
    """Every series that a PromQL expression reads."""
    text = _RANGE.sub(" ", _GROUPING.sub(" ", _STRING.sub('""', expression)))
    for found in _SELECTOR.finditer(text):
        if found.group(1) not in _WORDS:
            yield Asked(found.group(1), frozenset(_MATCHER.findall(found.group(2) or "")))


def grouped_by(expression: str) -> set[str]:
    """The labels by which it sums, or which it leaves out."""
    lists = _GROUPING.findall(_STRING.sub('""', expression))
    return {label.strip() for names in lists for label in names.split(",")}


def unknown(expression: str, known: dict[str, set[str]]) -> list[str]:
    """What in an expression no router shows."""
    found = list(asked(expression))
    wrong = [one.name for one in found if one.name not in known]
    for one in found:
        labels = known.get(one.name, set()) | OF_TARGETS
        wrong += [f"{one.name}{{{label}}}" for label in sorted(one.labels - labels)]
    every = OF_TARGETS.union(*(known.get(one.name, set()) for one in found))
    return wrong + sorted(grouped_by(expression) - every - {"le"})
