"""What is kept is kept in PostgreSQL alike: a real server, which comes and goes."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from router.core.agents import AgentChange, Change
from router.core.plan import Delivery
from router.core.record import CallRecord, Disposition, LeftMessage
from router.core.tags import CallTag, Way
from router.core.verdict import Verdict
from router.edge.store.agents import AgentChanges
from router.edge.store.database import prepare
from router.edge.store.errors import UnusableDatabaseError
from router.edge.store.messages import Messages
from router.edge.store.queries import CallFilter, CallStory, Queries
from router.edge.store.verdicts import Verdicts
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TALK, TEN, TRACE, a_call, abandoned, encoded, eventually, talked
from tests.harness.postgres import Postgres
from tests.harness.router import database_for

DATABASES = [
    ("none named", None, "sqlite:////srv/a/callrouter.db"),
    ("SQLite", "sqlite", "sqlite:////srv/b/callrouter.db"),
]


@pytest.mark.parametrize(("named", "made"), [row[1:] for row in DATABASES], ids=[row[0] for row in DATABASES])
def test_the_database_of_real_calls(monkeypatch: pytest.MonkeyPatch, named: str | None, made: str) -> None:
    if named:
        monkeypatch.setenv("DB", named)
    else:
        monkeypatch.delenv("DB", raising=False)
    assert database_for(Path(made.removeprefix("sqlite:///")).parent) == made


def test_real_calls_may_be_kept_in_postgresql_one_database_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB", "postgresql")
    first, again, second = (database_for(Path("/srv") / name) for name in ("one", "one", "two"))
    assert first == again != second
    prepare(first)
    with closing(Queries(first)) as queries:
        assert queries.calls(CallFilter()) == []


def test_a_database_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB", "postgres")
    with pytest.raises(AssertionError, match="DB=postgres: write one of sqlite, postgresql"):
        database_for(Path("/srv/three"))


@pytest.fixture
def url(postgres: Postgres) -> str:
    made = postgres.new_database()
    prepare(made)
    prepare(made)  # A second start changes nothing.
    return made


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    made = Writer(url, queue_limit=1000)
    made.start()
    yield made
    made.close(5)


def wishes(record: CallRecord) -> CallRecord:
    """The record of a call whose caller wants to be called back."""
    left = LeftMessage(("kari",), "nb", Delivery(("kari@fjord.example",), "", 90), callback="+4790000009")
    return msgspec.structs.replace(record, message=left, disposition=Disposition.CALLBACK_REQUESTED)


def test_what_a_dialplan_was_told_is_kept_beside_calls(url: str, writer: Writer) -> None:
    writer.arrived(a_call("c1", channel="1.1"), PLAN, TRACE)
    for id, channel in (("d1", "1.1"), ("d2", "1.2")):
        writer.advised(a_call(id, channel=channel), "blocked", TRACE)
    eventually(lambda: writer.queued == 0)
    with closing(Queries(url)) as queries:
        told = queries.decision("d2")
        assert told is not None
        assert (told.info, told.treatment) == (a_call("d2", channel="1.2"), "blocked")
        assert [told.trace] == encoded([TRACE])
        assert {row.info.id for row in queries.screened("fjord", TEN, 10)} == {"d1", "d2"}
        called = queries.who_called(["fjord"], TEN, TEN + timedelta(hours=1), 10)
        assert len(called) == 2, "who asked and then came in has called once"


def test_a_whole_call_is_read_back_as_it_was_told(url: str, writer: Writer) -> None:
    call = a_call("c1", caller="'; DROP TABLE calls; -- \N{SNOWMAN}\U0001f4de")
    writer.arrived(call, PLAN, TRACE)
    for seq, event in enumerate(TALK, start=1):
        writer.happened("c1", seq, TEN + timedelta(seconds=seq), event)
    writer.ended(talked(call))
    tag = CallTag("c1", "booking", "kari", Way.PHONE, TEN + timedelta(minutes=2))
    writer.tagged(tag)
    writer.tagged(tag)
    assert writer.close(20) == 0
    with closing(Queries(url)) as queries:
        story = queries.call("c1")
        assert queries.open_calls() == []
    assert isinstance(story, CallStory)
    assert (story.info, story.record) == (call, talked(call))
    assert [story.plan, story.trace] == encoded([PLAN, TRACE])
    assert [row.event for row in story.timeline] == encoded(TALK)
    assert story.tags == (tag,)


def test_the_first_disposition_stays(url: str, writer: Writer) -> None:
    writer.arrived(a_call("c1"), PLAN, TRACE)
    writer.ended(talked(a_call("c1")))
    writer.ended(abandoned(a_call("c1")))
    assert writer.close(20) == 0
    assert writer.conflicts == 1
    with closing(Queries(url)) as queries:
        (only,) = queries.calls(CallFilter())
    assert only.record == talked(a_call("c1"))


def test_open_calls_are_found_with_their_timeline(url: str, writer: Writer) -> None:
    for number in range(3):
        writer.arrived(a_call(f"c{number}", at=TEN + timedelta(seconds=number)), PLAN, TRACE)
        writer.happened(f"c{number}", 1, TEN, TALK[0])
    writer.ended(talked(a_call("c1", at=TEN + timedelta(seconds=1))))
    assert writer.close(20) == 0
    with closing(Queries(url)) as queries:
        found = queries.open_calls("ast1")
        assert queries.open_calls("another") == []
    assert [(one.info.id, one.next_seq) for one in found] == [("c0", 2), ("c2", 2)]


def test_nothing_is_lost_while_the_server_is_away(postgres: Postgres, url: str, writer: Writer) -> None:
    writer.arrived(a_call("before"), PLAN, TRACE)
    eventually(lambda: writer.queued == 0)
    postgres.stop()
    writer.arrived(a_call("meanwhile"), PLAN, TRACE)
    writer.ended(talked(a_call("meanwhile")))
    eventually(lambda: writer.failing_since is not None)
    with pytest.raises(UnusableDatabaseError):
        Queries(url)
    postgres.start()
    eventually(lambda: writer.queued == 0)
    assert writer.close(20) == 0
    with closing(Queries(url)) as queries:
        kept = {one.info.id: one.record is not None for one in queries.calls(CallFilter())}
    assert kept == {"before": False, "meanwhile": True}


def test_who_was_called_back_wishes_it_no_longer(url: str, writer: Writer) -> None:
    asked = a_call("asked")
    writer.arrived(asked, PLAN, TRACE)
    writer.ended(wishes(abandoned(asked)))
    eventually(lambda: writer.queued == 0)
    with closing(Messages(url)) as messages:
        ((message, deliveries),) = messages.listed(None, done=False, limit=9)
        assert (message.callback, message.addressees) == ("+4790000009", ("kari",))
        assert [one.address for one in deliveries] == ["kari@fjord.example"]
        ((_, taken),) = messages.claim("ast1", TEN + timedelta(days=1), 9)
        messages.taken("asked", taken, TEN + timedelta(days=1))
        writer.ended(msgspec.structs.replace(talked(a_call("back")), answers="asked"))
        assert writer.close(20) == 0
        assert messages.listed(None, done=False, limit=9) == []
        ((message, _),) = messages.listed(None, done=True, limit=9)
        assert message.done_by == "ola"


def test_agents_come_and_go(url: str) -> None:
    with closing(AgentChanges(url)) as changes:
        made = [
            changes.add(AgentChange(0, "fjord", person, change, "", "root", TEN))
            for person, change in (
                ("kari", Change.LOGGED_OUT),
                ("kari", Change.LOGGED_IN),
                ("ola", Change.PAUSED),
            )
        ]
        assert changes.latest() == made[1:]
        assert changes.since(made[1].id) == made[2:]


def test_numbers_are_refused_by_command(url: str) -> None:
    with closing(Verdicts(url)) as verdicts:
        made = verdicts.add(Verdict(0, "block", "+4781549000", "fjord", "spam", "root", TEN, None))
        assert list(verdicts.standing(TEN)) == [made]
        verdicts.undo("+4781549000", "fjord", "root", TEN)
        assert list(verdicts.standing(TEN)) == []
