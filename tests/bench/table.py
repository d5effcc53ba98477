"""The result for people: one table of the peers with callrouter's ratios beside, one of the budget."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tests.bench.budget import ROWS

CALL_FIGURES = {
    "router_ms": "router CPU, ms/call",
    "asterisk_ms": "Asterisk CPU, ms/call",
    "p50_ms": "setup p50, ms",
    "p95_ms": "setup p95, ms",
    "rss_mb": "router memory, MB",
    "failures": "calls failed",
    "clean_rate": "clean up to, calls/s",
}
RATIOS = ("floor", "tuned", "node")
"""The peers that callrouter is compared with."""


def show(console: Console, peers: Mapping[str, Mapping[str, float]], figures: Mapping[str, float]) -> None:
    """Print what was measured; `figures` has callrouter's ratios and further figures, as in the budget."""
    if peers:
        console.print(_of_calls(peers, figures))
    console.print(_of_budget(figures))


def _of_calls(peers: Mapping[str, Mapping[str, float]], figures: Mapping[str, float]) -> Table:
    table = Table(title="One call, answered, one second of talk")
    table.add_column("")
    columns: Sequence[str] = (*peers, *(f"callrouter/{peer}" for peer in RATIOS if peer in peers))
    for column in columns:
        table.add_column(column, justify="right")
    for name, text in CALL_FIGURES.items():
        cells = [_number(peer.get(name)) for peer in peers.values()]
        ratios = [_number(figures.get(f"{name}/{peer}")) for peer in RATIOS if peer in peers]
        table.add_row(text, *cells, *ratios)
    return table


def _of_budget(figures: Mapping[str, float]) -> Table:
    table = Table("budget", "limit", "measured", "", title="callrouter's budget")
    for row in ROWS:
        verdict = {None: "not measured", True: "holds", False: "[bold red]does not hold[/]"}[
            row.holds(figures)
        ]
        limit = f"{'>=' if row.at_least else '<='} {row.limit:g}"
        table.add_row(row.text, limit, _number(figures.get(row.figure)), verdict)
    return table


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
