"""What commands write while another router is told: contacts, verdicts, whom nobody is to call."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router.core.contacts import Entry
from router.core.donotcontact import DoNotContact
from router.core.verdict import Verdict
from router.edge import renewal
from router.edge.renewal import Renewal
from router.edge.store.contacts import Contacts
from router.edge.store.database import prepare
from router.edge.store.donotcontact import DoNotContacts
from router.edge.store.marks import Marks
from router.edge.store.verdicts import Verdicts
from tests.harness.postgres import lasting
from tests.sim.router import until

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
KINDS = ("verdicts", "contacts", "do not contact")
KARI = Entry("+4790000009", None, "Kari")
BLOCKED = Verdict(0, "block", "+4790000009", None, "", "anna", NOW, None)
SPARED = DoNotContact(0, "+4790000009", None, None, "anna", "", NOW)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "EVERY", 0.02)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = lasting().new_database()
    else:
        found = f"sqlite:///{tmp_path}/callrouter.db"
    prepare(found)
    return found


def add_contact(url: str) -> None:
    with closing(Contacts(url)) as contacts:
        assert contacts.add(KARI, "anna", NOW)


def change_contact(url: str) -> None:
    """By somebody whose clock is behind."""
    with closing(Contacts(url)) as contacts:
        assert contacts.change(Entry("+4790000009", None, "Kari N."), "anna", NOW - timedelta(hours=1))


def remove_contact(url: str) -> None:
    with closing(Contacts(url)) as contacts:
        assert contacts.remove(KARI)


def block(url: str) -> None:
    with closing(Verdicts(url)) as verdicts:
        verdicts.add(BLOCKED)


def unblock(url: str) -> None:
    with closing(Verdicts(url)) as verdicts:
        assert verdicts.undo("+4790000009", None, "anna", NOW)


def spare(url: str) -> None:
    with closing(DoNotContacts(url)) as entries:
        entries.add(SPARED)


def spare_no_more(url: str) -> None:
    with closing(DoNotContacts(url)) as entries:
        assert entries.remove("+4790000009", None, "anna", NOW)


CHANGES = [
    ("a contact is new", (), add_contact, "contacts"),
    ("one is changed", (add_contact,), change_contact, "contacts"),
    ("one is removed", (add_contact,), remove_contact, "contacts"),
    ("a number is blocked", (), block, "verdicts"),
    ("one no more", (block,), unblock, "verdicts"),
    ("nobody is to call a number", (), spare, "do not contact"),
    ("somebody may again", (spare,), spare_no_more, "do not contact"),
]


@pytest.mark.parametrize(
    ("before", "change", "kind"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_every_change_has_another_mark(
    url: str, before: tuple[Callable[[str], None], ...], change: Callable[[str], None], kind: str
) -> None:
    for step in before:
        step(url)
    with closing(Marks(url)) as marks:
        first, again = marks.all(), marks.all()
        change(url)
        last = marks.all()
    assert first == again
    assert {name for name in KINDS if first[name] != last[name]} == {kind}


class Reader:
    """What was read, and how often."""

    def __init__(self) -> None:
        self.read = dict.fromkeys(KINDS, 0)

    def of(self, name: str) -> Callable[[], "asyncio.Future[None]"]:
        def read() -> "asyncio.Future[None]":
            self.read[name] += 1
            done = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

        return read


@contextmanager
def renewing(url: str) -> Iterator[Reader]:
    reader = Reader()
    task = asyncio.create_task(Renewal(url, {name: reader.of(name) for name in KINDS}).run())
    try:
        yield reader
    finally:
        task.cancel()


async def test_only_what_was_written_is_read_again(url: str) -> None:
    with renewing(url) as reader:
        await until(lambda: reader.read == dict.fromkeys(KINDS, 1), 10)
        await asyncio.to_thread(add_contact, url)
        await until(lambda: reader.read["contacts"] == 2, 10)
        await asyncio.sleep(0.2)
        assert reader.read == {"verdicts": 1, "contacts": 2, "do not contact": 1}


async def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/callrouter.db"
    with capture_logs() as logs, renewing(url) as reader:
        await until(lambda: len(logs) > 0, 10)
        await asyncio.to_thread(prepare, url)
        await until(lambda: reader.read == dict.fromkeys(KINDS, 1), 10)
    assert {one["event"] for one in logs} == {"what commands have written is not read for now"}
