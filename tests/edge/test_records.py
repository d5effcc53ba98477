"""What is written down, asked off the event loop: in bounded time, whatever the database does."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.edge import records as module
from router.edge.records import Records, UnreachableError
from router.edge.store.database import prepare
from router.edge.store.errors import OlderDatabaseError
from router.edge.store.queries import CallFilter, Queries
from tests.harness.postgres import Postgres


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'callrouter.db'}"
    prepare(made)
    return made


@pytest.fixture
async def records(url: str) -> AsyncIterator[Records]:
    made = Records(url, limit=0.2)
    yield made
    made.close()


class Slow:
    """A way into a database that does not answer until it may."""

    may = threading.Event()

    def __init__(self, url: str) -> None:
        self.url = url

    def answer(self) -> str:
        assert self.may.wait(20)
        return "late"

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def _not_yet() -> None:
    Slow.may = threading.Event()


async def test_a_database_that_hangs_holds_up_nobody(records: Records) -> None:
    for _ in range(module.AT_ONCE + 2):
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="does not answer in time"):
            await records.ask(Slow, Slow.answer)
        assert time.monotonic() - began < 1
    Slow.may.set()
    while True:
        try:
            assert await records.ask(Slow, Slow.answer) == "late"
            break
        except UnreachableError:
            pass  # Those that hung are not all done.
    assert await records.ask(Queries, lambda queries: queries.calls(CallFilter())) == []


async def test_so_many_may_wait_and_no_more(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    waiting = [asyncio.create_task(records.ask(Slow, Slow.answer)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(UnreachableError, match="too many ask"):
        await records.ask(Slow, Slow.answer)
    Slow.may.set()
    assert await asyncio.gather(*waiting) == ["late"] * 3


async def test_who_asks_without_pause_leaves_time_for_others(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REST", 1000.0)
    monkeypatch.setattr(module, "LONGEST_REST", 0.2)
    records = Records(url)
    for _ in range(module.AT_ONCE):
        await records.ask(Queries, lambda queries: queries.counts().open)
    began = time.monotonic()
    await records.ask(Queries, lambda queries: queries.counts().open)
    assert time.monotonic() - began > 0.1
    records.close()


async def test_a_way_is_kept_for_a_while(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await records.ask(Queries, lambda queries: queries)
    assert await records.ask(Queries, lambda queries: queries) is first
    monkeypatch.setattr(module, "ANEW_AFTER", 0.0)
    assert await records.ask(Queries, lambda queries: queries) is not first


async def test_without_a_database_it_is_told_until_there_is_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'callrouter.db'}"
    records = Records(url)
    with pytest.raises(UnreachableError, match="cannot be used now; the router's log says why"):
        await records.ask(Queries, lambda queries: queries.calls(CallFilter()))
    prepare(url)
    assert await records.ask(Queries, lambda queries: queries.calls(CallFilter())) == []
    records.close()


async def test_what_else_is_done_with_it_is_told_alike(records: Records) -> None:
    async def fails() -> None:
        raise OlderDatabaseError("0001", "0002")

    with pytest.raises(UnreachableError):
        await records.within(fails())
    with pytest.raises(UnreachableError, match="in time"):
        await records.within(asyncio.sleep(5))


async def test_a_server_that_comes_back_is_asked_again(postgres: Postgres) -> None:
    url = postgres.new_database()
    prepare(url)
    records = Records(url)
    assert await records.ask(Queries, lambda queries: queries.counts().open) == 0
    postgres.stop()
    try:
        with pytest.raises(UnreachableError):
            await records.ask(Queries, lambda queries: queries.counts().open)
    finally:
        postgres.start()
    assert await records.ask(Queries, lambda queries: queries.counts().open) == 0
    records.close()
