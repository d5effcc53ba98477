"""The dashboard that ships, and what it asks of Prometheus."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.harness.sandbox import ROOT

FOLDER = ROOT / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "callrouter.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
SHOWING = [panel for panel in PANELS if panel["type"] != "row"]

VARIABLE = re.compile(r"\$\{?(\w+)")
BUILT_IN = {"__rate_interval": "5m", "__range": "6h", "__all": ".*"}
"""Variables of Grafana's own, and what they may stand for."""


def expressions() -> Iterator[tuple[str, str]]:
    """What is asked: panel or annotation, and expression."""
    for panel in SHOWING:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def filled_in(expression: str) -> str:
    """As Grafana sends it when everything is chosen."""
    return VARIABLE.sub(lambda found: BUILT_IN.get(found.group(1), ".*"), expression)
