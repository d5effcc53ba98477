"""What was told is forgotten in time: what need not be sent soon, what nobody takes late."""

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router.core import notices
from router.core.agents import AgentChange, Change
from router.edge import forgetting
from router.edge.forgetting import forget_notices
from router.edge.store.agents import AgentChanges
from router.edge.store.database import prepare
from router.edge.store.outbox import Outbox
from tests.sim.router import until

DAY = 86_400.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "EVERY", 0.01)
    monkeypatch.setattr(forgetting, "PAUSE", 0.0)


def told(url: str, *, days_ago: float, sent: bool = False) -> str:
    """An agent came so long ago, and others were told, or not yet; the notice's id."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    with closing(AgentChanges(url)) as changes:
        notice = notices.of_agent(
            changes.add(AgentChange(0, "fjord", "kari", Change.LOGGED_IN, "", "root", at))
        )
    if sent:
        with closing(Outbox(url)) as outbox:
            outbox.sent([outbox.last()], at)
    return notice.id


def kept(url: str) -> list[str]:
    with closing(Outbox(url)) as outbox:
        return [one.notice for one in outbox.since(0, 100)]


async def forget(url: str, give_up: float | None, done: Callable[[], bool]) -> None:
    running = asyncio.create_task(forget_notices(url, DAY, give_up))
    await until(done)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/callrouter.db"
    prepare(made)
    return made


async def test_where_nothing_is_sent_all_is_forgotten_after_a_day(url: str) -> None:
    told(url, days_ago=1.1)
    new = told(url, days_ago=0.9)
    await forget(url, None, lambda: kept(url) == [new])


async def test_what_was_not_taken_is_kept_longer_and_then_told_to_be_lost(url: str) -> None:
    told(url, days_ago=15)
    told(url, days_ago=2, sent=True)
    waits = told(url, days_ago=13)
    with capture_logs() as logs:
        await forget(url, 14 * DAY, lambda: bool(logs))
    assert kept(url) == [waits]
    assert [(one["event"], one["notices"]) for one in logs] == [
        ("the broker never took these notices, which are too old now", 1)
    ]


async def test_a_database_that_is_away_is_tried_again(url: str, tmp_path: Path) -> None:
    told(url, days_ago=2)
    file = tmp_path / "callrouter.db"
    file.rename(tmp_path / "away.db")
    file.mkdir()
    with capture_logs() as logs:
        running = asyncio.create_task(forget_notices(url, DAY, None))
        await until(lambda: logs)
        file.rmdir()
        (tmp_path / "away.db").rename(file)
        await until(lambda: kept(url) == [])
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert logs[0]["event"] == "old notices stay for now"
