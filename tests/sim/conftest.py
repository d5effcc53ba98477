"""Every test here has an Asterisk and a router beside it; quiet, and quick to notice silence."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from router import settings
from router.edge import deadmen
from router.edge.ari.link import AriSettings
from tests.sim.asterisk import FakeAsterisk
from tests.sim.router import Router, routing


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; nothing is rendered, since a pretty traceback holds the loop up for seconds."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(AriSettings, reply_limit=0.3, ping_every=0.2, silence_limit=1.0, connect_limit=2.0)
    monkeypatch.setattr(settings, "AriSettings", quick)
    monkeypatch.setattr(deadmen, "BATCH", 0.02)


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[FakeAsterisk, Router]]:
    async with routing(tmp_path) as made:
        yield made


@pytest.fixture
def asterisk(both: tuple[FakeAsterisk, Router]) -> FakeAsterisk:
    return both[0]


@pytest.fixture
def router(both: tuple[FakeAsterisk, Router]) -> Router:
    return both[1]
