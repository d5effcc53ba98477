"""Reports equal a plain count over 10,000 generated calls, written to real databases and read back."""

import math
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import insert

from router.core.agents import WrapUp
from router.core.counted import CountedCall
from router.core.record import (
    Attempt,
    AttemptOutcome,
    CallInfo,
    CallRecord,
    Disposition,
    Evidence,
    Phase,
    Talk,
    TalkEnd,
)
from router.core.report import By, Counting, Line, Report, Wanted, Window
from router.core.tags import CallTag, Way
from router.core.trace import TraceRow
from router.edge.store.database import parse_url, prepare, run_plain, writing_engine
from router.edge.store.reporting import PAGE, CallsForReports
from router.edge.store.tables import CORRECTIONS
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TEN, a_call, a_code, abandoned, talked
from tests.harness.postgres import Postgres

ZONES = {
    "fjord": ZoneInfo("Europe/Oslo"),
    "saigon": ZoneInfo("Asia/Ho_Chi_Minh"),
    "boston": ZoneInfo("America/New_York"),
}
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
"""So that clocks go back in Oslo and Boston meanwhile."""
CALLS = 10_000


STORIES = (
    *("answered", "queue", "queue", "transferred back", "timeout", "called back", "gives up in queue"),
    *("gives up", "greeting", "busy", "message", "informed", "no route", "dialplan", "unobserved"),
    CODE := "feature code",
)


class Made:
    """A call as it was made up: what is written down, and the same in plain values for the count."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self.client = dice.choice([*ZONES, None]) if number % 50 == 0 else dice.choice(list(ZONES))
        self.at = FIRST + timedelta(seconds=dice.randrange(60 * 86400), microseconds=dice.randrange(10**6))
        self.id = f"call{number:05}"
        self.live = number % 200 == 199
        self.waits = dice.choice([0.0, 4.999, 5.0, 20.0, round(dice.expovariate(1 / 25), 3)])
        self.talk = round(dice.expovariate(1 / 180), 3)
        self.story = dice.choice(STORIES)
        self.agent = dice.choice(["kari", "ola", "+4790000001"])
        self.queue = dice.choice(["desk", "night"])
        self.dials = dice.choice(["logged_in", "more_time", "code12", "81"])
        self.tags = dice.sample(["booking", "vip", "=1+1"], dice.randrange(3))
        self.untagged = dice.random() < 0.1
        self.by_hand = dice.random() < 0.5
        """Whether people gave it its tags, not rules."""
        self.corrected = Disposition.INFORMED if number % 30 == 7 else None

    def moment(self, seconds: float) -> datetime:
        return self.at + timedelta(seconds=seconds)

    @property
    def info(self) -> CallInfo:
        info = a_call(self.id, at=self.at, client=self.client)
        if self.story == "called back":
            return msgspec.structs.replace(info, route="callback", channel=f"{self.id}-l0")
        if self.story == CODE:
            return a_code(self.id, at=self.at, client=self.client, dialled=self.dials)
        return info

    @cached_property
    def disposition(self) -> Disposition:
        return {
            "gives up in queue": Disposition.ABANDONED,
            "gives up": Disposition.ABANDONED,
            "greeting": Disposition.ABANDONED,
            "busy": Disposition.BUSY,
            "message": Disposition.MESSAGE_LEFT,
            "informed": Disposition.INFORMED,
            CODE: Disposition.INFORMED,
            "no route": Disposition.FAILED,
            "timeout": Disposition.NO_ANSWER,
            "dialplan": Disposition.TRANSFERRED,
            "unobserved": Disposition.UNOBSERVED,
        }.get(self.story, Disposition.ANSWERED)

    @cached_property
    def talks(self) -> tuple[Talk, ...]:
        if self.disposition is not Disposition.ANSWERED:
            return ()
        began = self.moment(self.waits)
        first = Talk(1, self.agent, began, began + timedelta(seconds=self.talk), TalkEnd.HUNG_UP)
        if self.story != "transferred back":
            return (first,)
        again = self.moment(self.waits + self.talk + 30)
        return first, Talk(2, "per", again, again + timedelta(seconds=10), TalkEnd.HUNG_UP)

    @cached_property
    def wrap_ups(self) -> tuple[WrapUp, ...]:
        """After a call that came through the queue, of every second agent."""
        if not self.talks or self.story not in QUEUED or self.by_hand:
            return ()
        began = self.talks[0].ended_at
        end = began + timedelta(seconds=self.waits + 1)
        return (WrapUp(self.id, self.client or "", self.agent, self.queue, began, end),)

    @cached_property
    def tags_by_rules(self) -> tuple[CallTag, ...]:
        by_rules = [] if self.by_hand else self.tags
        return tuple(CallTag(self.id, tag, "", Way.RULE, self.at) for tag in by_rules)

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        joined = Evidence(self.at, "queue_joined", detail=self.queue)
        tagged = tuple(Evidence(self.at, "tagged", detail=tag.tag) for tag in self.tags_by_rules)
        match self.story:
            case "queue" | "gives up in queue" | "called back":
                return (*tagged, joined)
            case "transferred back":
                back = Evidence(self.moment(self.waits + self.talk), "queue_joined", detail=self.queue)
                return (*tagged, joined, back)
            case "timeout":
                ended = Evidence(self.moment(self.waits), "queue_ended", detail="timeout")
                return (*tagged, joined, ended)
            case _:
                return tagged

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        outcome = {
            "busy": AttemptOutcome.BUSY,
            "gives up": AttemptOutcome.CANCELLED,
            "dialplan": AttemptOutcome.NO_ANSWER,
        }.get(self.story, AttemptOutcome.ANSWERED if self.talks else None)
        if outcome is None:
            return ()
        end = self.moment(self.waits)
        answered = end if self.talks else None
        rung = Attempt(1, self.agent, "PJSIP/1", outcome, self.at, end, self.at, answered)
        if self.story != "transferred back":
            return (rung,)
        return rung, Attempt(
            2, "per", "PJSIP/2", AttemptOutcome.ANSWERED, self.talks[1].began_at, self.talks[1].began_at,
            None, self.talks[1].began_at,
        )  # fmt: skip

    @property
    def record(self) -> CallRecord:
        talks = self.talks
        return CallRecord(
            info=self.info,
            disposition=self.disposition,
            phase=Phase.TALKING,
            hung_up_by=None,
            ended_at=talks[-1].ended_at if talks else self.moment(self.waits),
            reason="no_route" if self.story == "no route" else "",
            wait_seconds=self.waits,
            talk_seconds=sum(talk.seconds for talk in talks),
            talks=talks,
            attempts=self.attempts,
            evidence=self.evidence,
            tags=self.tags_by_rules,
        )


@pytest.fixture(scope="module")
def made() -> list[Made]:
    dice = random.Random(6)
    return [Made(number, dice) for number in range(CALLS)]


def written(url: str, made: list[Made]) -> str:
    """The URL of a database that has all of them."""
    prepare(url)
    writer = Writer(url, queue_limit=10**6)
    for one in made:
        if one.live:
            writer.arrived(one.info, PLAN, ())
        else:
            writer.ended(one.record)
            for tag in one.tags if one.by_hand else ():
                writer.tagged(CallTag(one.id, tag, "kari", Way.PHONE, one.at))
            for wrap_up in one.wrap_ups:
                writer.wrapped_up(wrap_up)
            if one.untagged and one.tags:
                writer.tagged(CallTag(one.id, one.tags[0], "kari", Way.COMMAND, one.moment(1), removed=True))
    writer.start()
    assert writer.close(60) == 0
    said_by = {"why": "", "who": "kari", "way": "command", "place": ""}
    right = [
        {"call_id": one.id, "at": one.at + timedelta(seconds=at), "disposition": said.value, **said_by}
        for one in made
        for at, said in enumerate((Disposition.BUSY, one.corrected))
        if one.corrected and said
    ]
    engine = writing_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(insert(CORRECTIONS), right)
    engine.dispose()
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, made: list[Made]) -> str:
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        return written(postgres.new_database(), made)
    return written(f"sqlite:///{tmp_path_factory.mktemp('reports') / 'calls.db'}", made)


@pytest.fixture(scope="module")
def read(url: str) -> list[CountedCall]:
    with closing(CallsForReports(url)) as calls:
        return list(calls.calls(None, None, None))


def reported(read: list[CountedCall], wanted: Wanted) -> Report:
    counting = Counting(wanted, ZONES, ZoneInfo("UTC"))
    for call in read:
        counting.add(call)
    return counting.report()


Plain = dict[str, list[Any]]
"""Group -> (offered, answered, abandoned, waited, talked, is a call, wrapped up) of each unit."""


def plain_count(made: list[Made], by: By, wanted: Wanted) -> Plain:
    """The same, as simply as it can be written."""
    units: Plain = defaultdict(list)
    for one in made:
        if one.story == CODE:
            continue
        zone = ZONES.get(one.client or "", ZoneInfo("UTC"))
        local = one.at.astimezone(zone).replace(tzinfo=None)
        window = wanted.window
        if one.live or (window.first and local < window.first) or (window.last and local >= window.last):
            continue
        if wanted.client and one.client != wanted.client:
            continue
        came = [] if one.story not in QUEUED else [one.queue]
        if wanted.queue and wanted.queue not in came:
            continue
        talked = sum(talk.seconds for talk in one.talks) if one.talks else None
        offered = one.story not in ("greeting", "message", "informed", "no route", "dialplan", "unobserved")
        gave_up = one.story in ("gives up", "gives up in queue")
        wrapped = one.waits + 1 if one.wrap_ups else None
        whole = (offered, bool(one.talks), gave_up, one.waits, talked, one.story != "called back", wrapped)
        if by is By.QUEUE:
            for queue in came:
                first = one.talks[0].seconds if one.talks else None
                units[f"{one.client} {queue}"].append((True, *whole[1:4], first, *whole[5:]))
                if one.story == "transferred back":
                    again = (one.talks[1].began_at - one.talks[0].ended_at).total_seconds()
                    units[f"{one.client} {queue}"].append((True, True, False, again, 10.0, True, None))
        elif by is By.PERSON:
            for attempt in one.attempts:
                mine = [talk.seconds for talk in one.talks if talk.who == attempt.target]
                rang = one.waits if attempt.number == 1 else 0.0
                after = wrapped if attempt.number == 1 else None
                mine_talked = sum(mine) if mine else None
                unit = (True, bool(mine), one.story == "gives up", rang, mine_talked, True, after)
                units[f"{one.client} {attempt.target}"].append(unit)
        elif by is By.TAG:
            tags = one.tags[1:] if one.untagged else one.tags
            for tag in tags or ["None"]:
                units[f"None {tag}"].append(whole)
        else:
            key = {
                By.CLIENT: one.client,
                By.DISPOSITION: (one.corrected or one.disposition).value,
                By.DAY: local.strftime("%Y-%m-%d"),
                By.HOUR: local.strftime("%H"),
                By.WEEKDAY: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][local.weekday()],
            }[by]
            units[f"None {key}"].append(whole)
    return units


QUEUED = ("queue", "gives up in queue", "called back", "transferred back", "timeout")


def same(line: Line, units: list[Any], wanted: Wanted) -> Iterator[bool]:
    """Whether each figure is what comes of these units."""
    calls = [unit for unit in units if unit[5]]
    offered = [unit for unit in calls if unit[0]]
    answered = [unit for unit in offered if unit[1]]
    in_time = [unit for unit in answered if unit[3] <= wanted.within]
    abandoned = [unit for unit in offered if unit[2] and unit[3] >= wanted.short]
    short = [unit for unit in offered if unit[2] and unit[3] < wanted.short]
    yield (line.calls, line.offered, line.answered) == (len(calls), len(offered), len(answered))
    yield (line.answered_within, line.abandoned) == (len(in_time), len(abandoned))
    yield (line.short_abandons, line.callbacks) == (len(short), len(units) - len(calls))
    base = len(offered) - len(short)
    yield line.service_level == (len(in_time) / base if base else None)
    yield line.abandonment == (len(abandoned) / base if base else None)
    talked = [unit for unit in units if unit[4] is not None]
    for spread, values in (
        (line.wait, sorted(unit[3] for unit in answered)),
        (line.left_after, sorted(unit[3] for unit in abandoned)),
        (line.talk, sorted(unit[4] for unit in talked)),
        (line.wrap_up, sorted(unit[6] for unit in talked if unit[6] is not None)),
        (line.handling, sorted(unit[4] + (unit[6] or 0) for unit in talked)),
    ):
        yield spread.count == len(values)
        if values:
            yield math.isclose(spread.average or 0, sum(values) / len(values), abs_tol=1e-5)
            yield math.isclose(spread.p90 or 0, values[math.ceil(len(values) * 0.9) - 1], abs_tol=1e-5)


TWO_WEEKS = Window(datetime.fromisoformat("2026-10-20"), datetime.fromisoformat("2026-11-03"))
CHOICES = [
    ("two weeks, with two nights that last longer", Wanted(tuple(By), window=TWO_WEEKS)),
    ("a client, other limits", Wanted(tuple(By), within=30.0, short=10.0, client="boston")),
    ("a queue", Wanted(tuple(By), queue="night")),
]  # fmt: skip


def assert_same(found: Report, made: list[Made]) -> None:
    wanted = found.wanted
    for by in By:
        units = plain_count(made, by, wanted)
        lines = {f"{line.client} {line.key}": line for line in found.groups[by]}
        assert {key for key, line in lines.items() if line.calls + line.callbacks} == set(units)
        wrong = [key for key, line in lines.items() if not all(same(line, units[key], wanted))]
        assert wrong == [], by
    everything = [unit for units in plain_count(made, By.DISPOSITION, wanted).values() for unit in units]
    assert len(everything) > PAGE
    assert all(same(found.total, everything, wanted))


def test_a_report_is_what_a_plain_count_finds(read: list[CountedCall], made: list[Made]) -> None:
    assert_same(reported(read, Wanted(tuple(By))), made)


@pytest.mark.parametrize("wanted", [row[1] for row in CHOICES], ids=[row[0] for row in CHOICES])
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_so_is_a_report_of_some_of_them(read: list[CountedCall], made: list[Made], wanted: Wanted) -> None:
    assert_same(reported(read, wanted), made)


def test_calls_are_read_once_each_in_order_and_those_of_a_client_alone(
    url: str, read: list[CountedCall], made: list[Made]
) -> None:
    callers = [one for one in made if one.story != CODE]
    over = sorted((one.at, one.id) for one in callers if not one.live)
    assert [call.arrived_at for call in read] == [at for at, _ in over]
    with closing(CallsForReports(url)) as calls:
        of_boston = list(calls.calls("boston", None, None))
        assert len(calls.live(None, None, None)) == sum(one.live for one in callers)
        assert {client for client, _ in calls.live("boston", None, None)} == {"boston"}
    assert of_boston == [call for call in read if call.client == "boston"]


# What is read of a single call


@pytest.fixture
def here(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'calls.db'}"
    prepare(made)
    return made


def write(url: str, *records: CallRecord) -> None:
    writer = Writer(url, queue_limit=1000)
    for record in records:
        writer.ended(record)
    writer.start()
    assert writer.close(20) == 0


def test_a_call_is_read_with_all_that_counts(here: str) -> None:
    write(here, talked(a_call("c1")))
    with closing(CallsForReports(here)) as calls:
        (call,) = calls.calls(None, TEN, TEN + timedelta(microseconds=1))
        assert list(calls.calls(None, TEN + timedelta(microseconds=1), None)) == []
        assert list(calls.calls(None, None, TEN)) == []
    assert (call.client, call.arrived_at, call.wait_seconds) == ("fjord", TEN, 6.0)
    assert [(one.who, one.outcome.value, one.seconds) for one in call.rung] == [
        ("kari", "busy", 0.0),
        ("ola", "answered", 4.0),
    ]
    assert [talk.who for talk in call.talks] == ["ola", "per"]


@pytest.mark.parametrize(
    ("record", "talks"),
    [(talked(a_call("c1")), [("ola", 65.0)]), (abandoned(a_call("c1")), [])],
    ids=["answered", "abandoned"],
)
def test_a_call_of_a_version_that_did_not_tell_talks_one_by_one(
    here: str, record: CallRecord, talks: list[tuple[str, float]]
) -> None:
    write(here, record)
    with writing_engine(parse_url(here)).begin() as connection:
        run_plain(connection, "UPDATE calls SET talks = NULL", ())
    with closing(CallsForReports(here)) as calls:
        (call,) = calls.calls(None, None, None)
    assert [(talk.who, talk.seconds) for talk in call.talks] == talks


def test_the_clocks_of_a_client_that_is_in_no_rules(here: str) -> None:
    writer = Writer(here, queue_limit=1000)
    rows = (TraceRow("route", "main", "", True), TraceRow("client", "fjord", "", True, timezone="Asia/Tokyo"))
    writer.arrived(a_call("c1"), PLAN, rows)
    writer.arrived(a_call("c2", client="other"), PLAN, ())
    writer.arrived(a_code("k1", at=TEN + timedelta(hours=1)), PLAN, ())
    writer.start()
    assert writer.close(20) == 0
    with closing(CallsForReports(here)) as calls:
        assert calls.clients() == ["fjord", "other"]
        assert [calls.zone_of(name) for name in ("fjord", "other", "nobody")] == ["Asia/Tokyo", "", ""]
