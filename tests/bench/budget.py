"""The budget: what callrouter may cost, each row a limit on one figure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One limit."""

    text: str
    figure: str
    limit: float
    at_least: bool = False
    """The figure must reach the limit, instead of staying within it."""
    required: bool = False
    """The bench fails if it does not hold."""

    def holds(self, figures: Mapping[str, float]) -> bool | None:
        """None where the figure was not measured."""
        value = figures.get(self.figure)
        if value is None:
            return None
        return value >= self.limit if self.at_least else value <= self.limit


ROWS = (
    Row("router CPU a call, of the floor's", "router_ms/floor", 1.5, required=True),
    Row("router CPU a call, of the node application's", "router_ms/node", 0.5, required=True),
    Row("Asterisk CPU a call, of the floor's", "asterisk_ms/floor", 1.1, required=True),
    Row("setup p50, of the floor's", "p50_ms/floor", 1.25),
    Row("highest clean rate, of the floor's", "clean_rate/floor", 0.9, at_least=True),
    Row("setup p50 while events are published, of that without", "telling_p50", 1.1),
    Row("setup p50 while events wait for the broker, of that without", "unheard_p50", 1.1),
    Row("setup p50 while broker and web server are away, of that with them", "away_p50", 1.1),
    Row("setup p50 while what waited for them is sent late, of the same", "back_p50", 1.1),
    Row("... and what waited for a minute is sent after so many s", "caught_up_s", 180),
    Row("decision at ten routes, us", "decide_us", 20),
    Row("what 10,000 block patterns add, us", "patterns_add_us", 10),
    Row("what 1,000 regular expressions add, us", "regexes_add_us", 10),
    Row("decision among 10,000 clients, of one among one", "decide_clients_ratio", 1.25),
    Row("load of 1,000 clients, s", "load_s", 2),
    Row("assignment, 1,000 waiting, 500 agents, ms", "assign_ms", 1),
    Row("worst 1 MB rules file, s", "worst_file_s", 2),
    Row("worst 1 MB rules file, MB", "worst_file_mb", 300),
    Row("calls up, all in all, MB", "rss_mb", 150),
    Row("each further call, kB", "kb_per_call", 20),
    Row("restart with live calls, s", "restart_s", 3),
)


def passed(figures: Mapping[str, float]) -> bool:
    """True unless a required row was measured and does not hold."""
    return all(row.holds(figures) is not False for row in ROWS if row.required)
