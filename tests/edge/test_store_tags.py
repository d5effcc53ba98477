"""Tags and corrections on real databases: added, never changed, and told in the order in which they came."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from alembic.config import Config
from msgspec.structs import replace
from sqlalchemy import text

from router.core import notices
from router.core.corrections import Correction
from router.core.notices import About
from router.core.record import Disposition
from router.core.tags import CallTag, Way
from router.edge.store.database import parse_url, prepare, writing_engine
from router.edge.store.outbox import Noticed, Outbox
from router.edge.store.queries import CallFilter, CallStory, Queries
from router.edge.store.tables import to_micros
from router.edge.store.tags import Tags
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TEN, TRACE, a_call, abandoned, talked
from tests.harness.postgres import Postgres

BY_RULE = CallTag("c1", "interested", "main", Way.RULE, TEN, place="fjord.yaml:31")
LATER = TEN + timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/callrouter.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.new_database()


@pytest.fixture
def url(empty: str) -> str:
    prepare(empty)
    return empty


@pytest.fixture
def tags(url: str) -> Iterator[Tags]:
    with closing(Tags(url)) as made:
        yield made


def write(url: str, *, seen_whole: bool = True) -> None:
    """A call that the rules tag; if not `seen_whole`, the router died before the tag was written down."""
    call = a_call("c1")
    writer = Writer(url, queue_limit=1000)
    writer.arrived(call, PLAN, TRACE)
    if seen_whole:
        writer.tagged(BY_RULE, Noticed("ast1", notices.of_tag(BY_RULE, About.of(call))))
    writer.ended(replace(talked(call), tags=(BY_RULE,)))
    writer.arrived(a_call("c2"), PLAN, TRACE)
    writer.ended(abandoned(a_call("c2")))
    writer.start()
    assert writer.close(20) == 0


def said(tag: str, after: int = 0, *, off: bool = False) -> CallTag:
    """By an agent's phone, so many seconds after LATER."""
    return CallTag("c1", tag, "kari", Way.PHONE, LATER + timedelta(seconds=after), off)


def hand_over(url: str, *tags: CallTag) -> None:
    """To a router's writer, which commits them together."""
    writer = Writer(url, queue_limit=1000)
    for tag in tags:
        writer.tagged(tag)
    writer.start()
    assert writer.close(20) == 0
    assert writer.refused == 0


def story(url: str, id: str) -> CallStory:
    with closing(Queries(url)) as queries:
        found = queries.call(id)
    assert isinstance(found, CallStory)
    return found


def told(url: str, id: str) -> list[str]:
    with closing(Outbox(url)) as outbox:
        return [one.type for one in outbox.since(0, 1000) if one.call_id == id]


@pytest.mark.parametrize(
    "seen_whole", [True, False], ids=["as it is put there", "with the end, after a crash"]
)
def test_a_tag_of_the_rules_is_written_and_told_once_in_its_order(url: str, seen_whole: bool) -> None:
    write(url, seen_whole=seen_whole)
    assert story(url, "c1").tags == (BY_RULE,)
    assert story(url, "c1").record == replace(talked(a_call("c1")), tags=(BY_RULE,))
    assert told(url, "c1") == ["call.arrived", "call.routed", "call.tagged", "call.ended"]


def test_what_people_say_is_read_back_as_it_was_written(url: str, tags: Tags) -> None:
    write(url)
    put = tags.put(
        CallTag("c1", "viewing", "kari", Way.COMMAND, LATER, place="root@pbx", note="at \N{SNOWMAN}")
    ).row
    off = tags.put(CallTag("c1", "interested", "ola", Way.COMMAND, LATER, removed=True)).row
    assert (put.at, off.at) == (LATER, LATER + timedelta(microseconds=1)), "no two at one moment"
    assert story(url, "c1").tags == (BY_RULE, put, off)
    assert story(url, "c1").tagged == (put,)
    assert told(url, "c1")[-2:] == ["call.tagged", "call.tagged"]


def test_nothing_is_said_before_what_was_said_before(url: str, tags: Tags) -> None:
    write(url)
    early = TEN - timedelta(days=1)
    off = tags.put(CallTag("c1", "interested", "ola", Way.COMMAND, early, removed=True)).row
    assert off.at == TEN + timedelta(microseconds=1)
    first = tags.correct(Correction("c1", Disposition.BUSY, "why", "kari", Way.COMMAND, LATER))
    second = tags.correct(Correction("c1", Disposition.FAILED, "why", "ola", Way.COMMAND, early))
    assert second.at > first.at
    assert story(url, "c1").corrections == (first, second)
    assert story(url, "c1").corrected is Disposition.FAILED
    assert told(url, "c1")[-2:] == ["call.corrected", "call.corrected"]


SAID: list[tuple[str, list[CallTag], list[tuple[str, bool]]]] = [
    ("again", [said("viewing"), said("viewing", 1), said("viewing", 2)], [("viewing", False)]),
    (
        "again with a note",
        [said("viewing"), replace(said("viewing", 1), note="at ten")],
        [("viewing", False), ("viewing", False)],
    ),
    ("off twice", [said("interested", off=True), said("interested", 1, off=True)], [("interested", True)]),
    ("off without being there", [said("viewing", off=True), said("lost", 1, off=True)], []),
    (
        "on, off, and on again",
        [said("viewing"), said("viewing", 1, off=True), said("viewing", 2)],
        [("viewing", False), ("viewing", True), ("viewing", False)],
    ),
    ("what the rules said", [said("interested")], []),
]


@pytest.mark.parametrize("way", ["one by one", "in one commit", "each in a commit", "after a crash"])
@pytest.mark.parametrize(("rows", "news"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_what_is_so_already_is_neither_written_nor_told(
    url: str, tags: Tags, way: str, rows: list[CallTag], news: list[tuple[str, bool]]
) -> None:
    write(url)
    before = len(told(url, "c1"))
    if way == "one by one":
        assert [put.written for put in map(tags.put, rows)].count(True) == len(news)
    elif way == "each in a commit":
        for row in rows:
            hand_over(url, row)
    else:
        hand_over(url, *rows)
    if way == "after a crash":  # the commit was made, but not seen
        hand_over(url, *rows)
    assert [(row.tag, row.removed) for row in story(url, "c1").tags[1:]] == news
    assert told(url, "c1")[before:] == ["call.tagged"] * len(news)


def test_of_those_who_say_the_same_at_once_only_the_first_is_written(url: str) -> None:
    write(url)
    everybody = Barrier(5)

    def put(who: int) -> bool:
        with closing(Tags(url)) as own:
            everybody.wait()
            return own.put(CallTag("c1", "viewing", f"agent{who}", Way.API, LATER)).written

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(put, range(5))) == [False] * 4 + [True]
    assert [row.tag for row in story(url, "c1").tags] == ["interested", "viewing"]


def test_calls_are_chosen_by_how_they_stand(url: str, tags: Tags) -> None:
    write(url)

    def chosen(**wanted: object) -> list[str]:
        with closing(Queries(url)) as queries:
            return [one.info.id for one in queries.calls(CallFilter(**wanted))]  # type: ignore[arg-type]

    tags.correct(Correction("c2", Disposition.ANSWERED, "they rang back", "kari", Way.COMMAND, LATER))
    assert chosen(tag="interested") == ["c1"]
    assert chosen(disposition=Disposition.ANSWERED) == ["c2", "c1"]
    assert chosen(disposition=Disposition.ABANDONED) == []
    tags.put(replace(BY_RULE, at=LATER, removed=True))
    assert chosen(tag="interested") == []
    with closing(Queries(url)) as queries:
        assert queries.tags_used() == ["interested"]


def test_tags_of_an_older_version_are_kept(empty: str) -> None:
    config = Config()
    config.set_main_option("script_location", "router.edge.store:migrations")
    engine = writing_engine(parse_url(empty))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        row = {"call_id": "c1", "tag": "booking", "at": to_micros(TEN)}
        connection.execute(text("INSERT INTO tags VALUES (:call_id, :tag, :at, 0, 'kari', 'phone')"), row)
    engine.dispose()
    prepare(empty)
    writer = Writer(empty, queue_limit=10)
    writer.arrived(a_call("c1"), PLAN, TRACE)
    writer.start()
    assert writer.close(20) == 0
    assert story(empty, "c1").tags == (CallTag("c1", "booking", "kari", Way.PHONE, TEN),)
