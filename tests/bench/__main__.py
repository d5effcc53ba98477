"""The bench: `make bench`, or `python -m tests.bench --quick`. Needs SIPp, and node for one of the peers.

Exit status 1 if the budget's first lines do not hold, or a peer cannot be measured. The last line of standard
output is every figure as JSON.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from tests.bench import deciding, outage, queueing, rounds, standing, telling, worst
from tests.bench.budget import ROWS, passed
from tests.bench.load import Callee
from tests.bench.peers import Callrouter, Dialplan, Floor, MissingPeerError, Node, Peer, TunedFloor
from tests.bench.rounds import Figures, middle
from tests.bench.table import CALL_FIGURES, RATIOS, show
from tests.harness.sandbox import Sandbox

PARTS = ("cost", "ladder", "decide", "queue", "worst", "standing", "telling", "outage")
ALONE = {"decide", "queue", "worst"}
"""Those that need no Asterisk."""
WIDTH = 120
"""Columns, where the output is no terminal."""

SANDBOX = ("--rtp-timeout", "0", "--log", "quiet", "--rtp-ports", "10000-14999")
"""Nobody speaks, so silence must not end a call; and a thousand calls need four thousand ports."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="short rounds and few calls: for a first look")
    parser.add_argument("--rate", type=float, default=40.0, help="calls a second of the rounds; default 40")
    parser.add_argument("--seconds", type=float, help="length of one round; default 6, quick 4")
    parser.add_argument("--only", choices=PARTS, help="measure only this")
    parser.add_argument("--without-node", action="store_true", help="leave the node application out")
    return parser.parse_args()


def main() -> int:
    """Measure, print, judge."""
    options = arguments()
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    parts = (options.only,) if options.only else PARTS
    figures: dict[str, float] = {}
    peers: dict[str, dict[str, float]] = {}
    if "decide" in parts:
        console.print("decisions ...")
        figures |= deciding.measure()
    if "queue" in parts:
        console.print("assignments ...")
        figures |= queueing.measure()
    if "worst" in parts:
        console.print("worst files ...")
        figures |= worst.measure(console.print)
    if set(parts) - ALONE:
        try:
            _with_calls(options, parts, peers, figures, console)
        except MissingPeerError as error:
            console.print(f"[bold red]{error}")
            return 1
    show(console, peers, figures)
    holds = {row.figure: row.holds(figures) for row in ROWS}
    print(json.dumps({"peers": peers, "figures": figures, "holds": holds}))
    return 0 if passed(figures) else 1


def _with_calls(
    options: argparse.Namespace,
    parts: Sequence[str],
    peers: dict[str, dict[str, float]],
    figures: dict[str, float],
    console: Console,
) -> None:
    """The parts that need Asterisk; fills in `peers` and `figures`."""
    seconds = options.seconds or (4.0 if options.quick else 6.0)
    sandbox = Sandbox("bench", *SANDBOX)
    try:
        callee = Callee(sandbox)
        try:
            with TemporaryDirectory(prefix="bench-") as folder:
                callrouter = Callrouter(sandbox, Path(folder))
                floor = Floor(sandbox)
                bare: list[Peer] = [Dialplan(sandbox), floor, TunedFloor(sandbox), Node(sandbox)]
                measured = [*bare, callrouter]
                if options.without_node:
                    measured = [peer for peer in measured if not isinstance(peer, Node)]
                if "cost" in parts:
                    turns = 3 if options.quick else 9
                    close = (floor, callrouter)
                    found = rounds.cost(sandbox, measured, close, options.rate, seconds, turns, console.print)
                    _add_costs(found, peers, figures)
                if "ladder" in parts and not options.quick:
                    climbing = [peer for peer in measured if not isinstance(peer, TunedFloor)]
                    for name, rate in rounds.clean_rates(sandbox, climbing, console.print).items():
                        peers.setdefault(name, {})["clean_rate"] = rate
                    _add_clean_rates(peers, figures)
                if "standing" in parts:
                    half = 100 if options.quick else 500
                    figures |= standing.measure(sandbox, callrouter, half, console.print)
                if "telling" in parts and not options.quick:
                    figures |= telling.measure(sandbox, Path(folder), options.rate, console.print)
                if "outage" in parts and not options.quick:
                    figures |= outage.measure(sandbox, Path(folder), options.rate, console.print)
        finally:
            callee.stop()
    finally:
        sandbox.down()


def _add_costs(
    found: Mapping[str, list[Figures]], peers: dict[str, dict[str, float]], figures: dict[str, float]
) -> None:
    names = [name for name in CALL_FIGURES if name not in ("failures", "clean_rate")]
    for peer, of_rounds in found.items():
        failures = sum(figures.failures for figures in of_rounds)
        peers[peer] = {name: middle(of_rounds, name) for name in names} | {"failures": failures}
    for other in RATIOS:
        if other in found:
            for name in names:
                figures[f"{name}/{other}"] = rounds.middle_ratio(found["callrouter"], found[other], name)


def _add_clean_rates(peers: Mapping[str, Mapping[str, float]], figures: dict[str, float]) -> None:
    for other in RATIOS:
        theirs = peers.get(other, {}).get("clean_rate")
        if theirs:
            figures[f"clean_rate/{other}"] = peers["callrouter"]["clean_rate"] / theirs


if __name__ == "__main__":
    sys.exit(main())
