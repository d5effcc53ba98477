"""The outbox on real databases: what is told is written with what it tells of, and kept until sent."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from router.core import notices
from router.core.agents import AgentChange, Change
from router.core.events import LegAnswered, LegRinging
from router.core.notices import About, CallRinging
from router.core.plan import Delivery
from router.core.record import LeftMessage
from router.core.tags import CallTag, Way
from router.edge.store import database
from router.edge.store.agents import AgentChanges
from router.edge.store.database import begin, parse_url, prepare, writing_engine
from router.edge.store.errors import UnusableDatabaseError
from router.edge.store.outbox import Noticed, Outbox, Outgoing, tell
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TEN, TRACE, a_call, abandoned, talked
from tests.harness.postgres import Postgres

ROUTER = "ast1"
"""The Asterisk of the stories."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path}/callrouter.db"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        made = postgres.new_database()
    prepare(made)
    return made


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    with closing(Outbox(url)) as made:
        yield made


def writer_on(url: str, on_told: Callable[[], None] = lambda: None) -> Writer:
    writer = Writer(url, queue_limit=1000)
    writer.start(on_told)
    return writer


def live_through(writer: Writer, id: str) -> None:
    """A whole call, one step of which is told."""
    call = a_call(id)
    ringing = CallRinging(
        id=f"{id}.1", at=TEN + timedelta(seconds=1), call=About.of(call), target="kari", dial="PJSIP/kari"
    )
    writer.arrived(call, PLAN, TRACE)
    writer.happened(id, 1, TEN + timedelta(seconds=1), LegRinging(1), Noticed(ROUTER, ringing))
    writer.happened(id, 2, TEN + timedelta(seconds=2), LegAnswered(1))
    writer.ended(talked(call))


def ids(told: Sequence[Outgoing]) -> list[str]:
    return [notice.notice for notice in told]


def test_a_call_is_told_in_order(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    live_through(writer, "c1")
    assert writer.close(20) == 0
    told = outbox.unsent(ROUTER, 100)
    assert ids(told) == ["c1.arrived", "c1.routed", "c1.1", "c1.ended"]
    assert [notice.type for notice in told] == ["call.arrived", "call.routed", "call.ringing", "call.ended"]
    assert {notice.call_id for notice in told} == {"c1"}
    assert msgspec.json.decode(told[2].body)["dial"] == "PJSIP/kari"


def test_whoever_sends_hears_of_it(url: str, outbox: Outbox) -> None:
    told: list[int] = []
    writer = writer_on(url, lambda: told.append(len(outbox.since(0, 100))))
    live_through(writer, "c1")
    assert writer.close(20) == 0
    assert told[-1] == 4


def test_an_agent_is_told_with_the_change(url: str, outbox: Outbox) -> None:
    with closing(AgentChanges(url)) as changes:
        made = changes.add(AgentChange(0, "fjord", "kari", Change.PAUSED, "lunch", "root", TEN))
    (told,) = outbox.unsent(ROUTER, 100)
    assert (told.notice, told.call_id, told.client, told.at) == (f"agent.{made.id}", "", "fjord", TEN)
    assert msgspec.json.decode(told.body)["reason"] == "lunch"
    assert list(outbox.unsent("ast2", 100)) == [told]


def pause(url: str, person: str) -> None:
    with closing(AgentChanges(url)) as changes:
        changes.add(AgentChange(0, "fjord", person, Change.PAUSED, "lunch", "root", TEN))


def test_what_has_a_higher_number_comes_into_sight_later(url: str, outbox: Outbox) -> None:
    with ThreadPoolExecutor() as threads:
        with begin(writing_engine(parse_url(url))) as connection:
            tell(connection, ROUTER, notices.of_arrival(a_call("c1"))[0])
            paused = threads.submit(pause, url, "kari")
            time.sleep(0.2)
            assert (paused.done(), outbox.last()) == (False, 0)
        paused.result(10)
    assert ids(outbox.since(0, 100)) == ["c1.arrived", "agent.1"]


def test_who_stands_still_keeps_nobody_from_writing(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_TURN_LIMIT_MS", 200)
    url = postgres.new_database()
    prepare(url)

    def stand_still() -> None:
        with begin(writing_engine(parse_url(url))) as connection:
            tell(connection, ROUTER, notices.of_arrival(a_call("c1"))[0])
            pause(url, "kari")

    with pytest.raises(UnusableDatabaseError):
        stand_still()
    with closing(Outbox(url)) as outbox:
        assert ids(outbox.since(0, 100)) == ["agent.1"]


def test_what_is_written_twice_is_told_once(url: str, outbox: Outbox) -> None:
    for _ in range(2):
        writer = writer_on(url)
        live_through(writer, "c1")
        assert writer.close(20) == 0
    assert ids(outbox.unsent(ROUTER, 100)) == ["c1.arrived", "c1.routed", "c1.1", "c1.ended"]


def test_a_second_disposition_is_not_told(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    live_through(writer, "c1")
    writer.ended(abandoned(a_call("c1")))
    assert writer.close(20) == 0
    assert writer.conflicts == 1
    (ended,) = [notice for notice in outbox.unsent(ROUTER, 100) if notice.type == "call.ended"]
    assert msgspec.json.decode(ended.body)["disposition"] == "answered"


def test_a_message_is_told_with_the_end(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    left = LeftMessage(
        ("kari",), "nb", Delivery((), "", 90), callback="+4790000009", recording=1, seconds=4.5
    )
    writer.arrived(a_call("c1"), PLAN, TRACE)
    writer.ended(msgspec.structs.replace(talked(a_call("c1")), message=left))
    assert writer.close(20) == 0
    assert [notice.type for notice in outbox.unsent(ROUTER, 100)][-2:] == ["call.message", "call.ended"]


def test_a_tag_is_told_with_the_call_it_is_on(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    live_through(writer, "c1")
    writer.tagged(CallTag("c1", "booking", "kari", Way.PHONE, TEN + timedelta(minutes=2)))
    writer.tagged(CallTag("of-nobody", "booking", "kari", Way.PHONE, TEN))
    assert writer.close(20) == 0
    (tagged,) = [notice for notice in outbox.unsent(ROUTER, 100) if notice.type == "call.tagged"]
    body = msgspec.json.decode(tagged.body)
    assert (body["tag"], body["who"], body["call"]["caller"]) == ("booking", "kari", "+4790000001")


def test_what_was_sent_is_not_sent_again(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    live_through(writer, "c1")
    assert writer.close(20) == 0
    first, second, *rest = outbox.unsent(ROUTER, 100)
    assert outbox.waiting(ROUTER) == (4, TEN)
    outbox.sent([first.id, second.id], TEN + timedelta(minutes=1))
    assert list(outbox.unsent(ROUTER, 100)) == rest
    assert list(outbox.unsent(ROUTER, 1)) == rest[:1]
    assert outbox.waiting(ROUTER) == (2, TEN + timedelta(seconds=1))
    assert list(outbox.since(first.id, 100)) == [second, *rest]


def test_each_router_sends_its_own(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    writer.arrived(a_call("c1"), PLAN, TRACE)
    writer.arrived(a_call("c2", asterisk_id="ast2"), PLAN, TRACE)
    assert writer.close(20) == 0
    assert ids(outbox.unsent("ast2", 100)) == ["c2.arrived", "c2.routed"]
    assert outbox.waiting("ast3") == (0, None)


def test_only_what_was_sent_is_forgotten(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    live_through(writer, "c1")
    assert writer.close(20) == 0
    first, second, *rest = outbox.unsent(ROUTER, 100)
    outbox.sent([first.id, second.id], TEN)
    assert outbox.forget(TEN, unsent=False) == 0
    assert outbox.forget(TEN + timedelta(days=1), unsent=False) == 2
    assert list(outbox.since(0, 100)) == rest
    assert outbox.last() == rest[-1].id


def test_all_is_forgotten_in_the_end(url: str, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.edge.store.outbox.FORGET_AT_ONCE", 3)
    writer = writer_on(url)
    live_through(writer, "c1")
    assert writer.close(20) == 0
    later = TEN + timedelta(days=1)
    assert [outbox.forget(later, unsent=True) for _ in range(3)] == [3, 1, 0]
    assert outbox.last() == 0


def test_ids_are_never_given_twice(url: str, outbox: Outbox) -> None:
    writer = writer_on(url)
    writer.arrived(a_call("c1"), PLAN, TRACE)
    assert writer.close(20) == 0
    last = outbox.since(0, 100)[-1].id
    outbox.sent([notice.id for notice in outbox.since(0, 100)], TEN)
    outbox.forget(TEN + timedelta(days=1), unsent=False)
    writer = writer_on(url)
    writer.arrived(a_call("c2"), PLAN, TRACE)
    assert writer.close(20) == 0
    assert all(notice.id > last for notice in outbox.since(0, 100))
