"""What commands write while nobody tells the router of it counts all the same, a moment later."""

import asyncio
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from router.core.contacts import Entry
from router.core.verdict import Verdict
from router.edge import renewal
from router.edge.store.contacts import Contacts
from router.edge.store.verdicts import Verdicts
from tests.sim.asterisk import FakeAsterisk
from tests.sim.router import CLOSED, Router

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
CALLER, BLOCKED = "+4790000009", "+4790000008"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "EVERY", 0.05)


async def test_what_another_router_was_told_counts_here_too(asterisk: FakeAsterisk, router: Router) -> None:
    def write() -> None:
        with closing(Contacts(router.database)) as contacts, closing(Verdicts(router.database)) as verdicts:
            assert contacts.add(Entry(CALLER, None, "Kari"), "anna", NOW)
            verdicts.add(Verdict(0, "block", BLOCKED, None, "", "anna", NOW, None))

    await asyncio.to_thread(write)

    until = time.monotonic() + 10.0
    found: set[tuple[str, str]] = set()
    while not found >= {(CALLER, "Kari"), (BLOCKED, "blocked")}:
        assert time.monotonic() < until, f"after a while only this is known: {found}"
        asterisk.call(CLOSED, CALLER).hang_up()
        asterisk.call(CLOSED, BLOCKED)
        await asyncio.sleep(0.1)
        for record in router.closed(CLOSED):
            found |= {(record.info.caller, record.info.name), (record.info.caller, record.disposition)}
