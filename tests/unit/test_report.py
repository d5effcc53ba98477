"""Reports: what is counted where, by whose clocks, and how the figures come about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from router.core.agents import WrapUp
from router.core.counted import CountedCall, Rung
from router.core.record import AttemptOutcome, Disposition, Talk, TalkEnd
from router.core.report import By, Counting, Line, Report, Wanted, Window
from router.core.times import read_from
from router.core.visits import Visit

ALWAYS = Window()
OSLO, HANOI = ZoneInfo("Europe/Oslo"), ZoneInfo("Asia/Ho_Chi_Minh")
TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def answered(wait: float = 9.0, at: datetime = TEN, client: str | None = "fjord", talk: float = 60.0,
             **changes: object) -> CountedCall:  # fmt: skip
    began = at + timedelta(seconds=wait)
    had = Talk(1, "kari", began, began + timedelta(seconds=talk), TalkEnd.HUNG_UP)
    made = CountedCall(client=client, arrived_at=at, disposition=Disposition.ANSWERED, wait_seconds=wait,
                       talks=(had,), rung=(Rung("kari", AttemptOutcome.ANSWERED, "", wait),))  # fmt: skip
    return replace(made, **changes)


def given_up(wait: float, at: datetime = TEN) -> CountedCall:
    rung = (Rung("kari", AttemptOutcome.CANCELLED, "", wait),)
    return CountedCall(
        client="fjord", arrived_at=at, disposition=Disposition.ABANDONED, wait_seconds=wait, rung=rung
    )


def report(calls: list[CountedCall], *by: By, window: Window = ALWAYS, **wanted: object) -> Report:
    asked = replace(Wanted(by=by, window=window), **wanted)
    counting = Counting(asked, {"fjord": OSLO, "saigon": HANOI}, ZoneInfo("UTC"))
    for call in calls:
        counting.add(call)
    return counting.report()


def figures(line: Line) -> tuple[int, int, int, int, int]:
    return line.calls, line.offered, line.answered, line.abandoned, line.short_abandons


def test_service_level_and_abandonment_are_of_what_was_offered_but_for_short_abandons() -> None:
    informed = CountedCall(client="fjord", arrived_at=TEN, disposition=Disposition.INFORMED)
    busy = CountedCall(client="fjord", arrived_at=TEN, disposition=Disposition.BUSY)
    calls = [*(answered(wait) for wait in (0, 20, 20.001, 50)), given_up(4.9), given_up(5.0), informed, busy]
    total = report(calls).total
    assert figures(total) == (8, 7, 4, 1, 1)
    assert (total.answered_within, total.unanswered) == (2, 1)
    assert total.service_level == pytest.approx(2 / 6)
    assert total.abandonment == pytest.approx(1 / 6)
    assert (total.left_after.count, total.left_after.average) == (1, 5.0)
    assert total.share == 1.0
    assert total.dispositions == {
        Disposition.ANSWERED: 4,
        Disposition.ABANDONED: 2,
        Disposition.INFORMED: 1,
        Disposition.BUSY: 1,
    }


def test_without_calls_there_are_no_shares() -> None:
    found = report([], *By)
    assert (found.total.share, found.total.service_level, found.total.abandonment) == (None, None, None)
    assert found.total.wait.average is None
    assert (found.first, found.last) == (None, None)
    assert {by: len(lines) for by, lines in found.groups.items()} == {
        **dict.fromkeys(By, 0),
        By.HOUR: 24,
        By.WEEKDAY: 7,
    }


RANKS = [
    ("one", [7.0], 7.0),
    ("nine", list(range(1, 10)), 9),
    ("ten: nine do not exceed it", list(range(1, 11)), 9),
    ("eleven", list(range(1, 12)), 10),
    ("twenty, in any order", [*range(20, 0, -1)], 18),
]


@pytest.mark.parametrize(("waits", "p90"), [row[1:] for row in RANKS], ids=[row[0] for row in RANKS])
def test_the_nearest_rank_that_nine_in_ten_do_not_exceed(waits: list[float], p90: float) -> None:
    wait = report([answered(one) for one in waits]).total.wait
    assert (wait.count, wait.p90, wait.longest) == (len(waits), p90, max(waits))
    assert wait.average == pytest.approx(sum(waits) / len(waits))


SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)

CLOCKS = [
    ("by the client's clocks, not the machine's", TEN, "fjord", "11", "sun", "2026-11-22"),
    ("... of each client", TEN, "saigon", "17", "sun", "2026-11-22"),
    ("... and UTC where there is none", TEN, None, "10", "sun", "2026-11-22"),
    ("past midnight there", TEN.replace(hour=23, minute=30), "fjord", "00", "mon", "2026-11-23"),
    ("the hour before clocks go forward", SPRING.replace(minute=59), "fjord", "01", "sun", "2026-03-29"),
    ("the hour after it", SPRING.replace(hour=1), "fjord", "03", "sun", "2026-03-29"),
    ("an hour that comes twice", AUTUMN.replace(hour=0, minute=30), "fjord", "02", "sun", "2026-10-25"),
    ("... for the second time", AUTUMN.replace(hour=1, minute=30), "fjord", "02", "sun", "2026-10-25"),
]


@pytest.mark.parametrize(("at", "client", "hour", "weekday", "day"), [row[1:] for row in CLOCKS],
                         ids=[row[0] for row in CLOCKS])  # fmt: skip
def test_clocks(at: datetime, client: str | None, hour: str, weekday: str, day: str) -> None:
    groups = report([answered(at=at, client=client)], By.HOUR, By.WEEKDAY, By.DAY).groups
    found = [line.key for lines in groups.values() for line in lines if line.calls]
    assert found == [hour, weekday, day]


def test_hours_and_weekdays_are_all_there_and_days_without_a_gap() -> None:
    calls = [answered(at=TEN), answered(at=TEN + timedelta(days=3))]
    groups = report(calls, By.HOUR, By.WEEKDAY, By.DAY).groups
    assert [line.key for line in groups[By.HOUR]] == [f"{hour:02}" for hour in range(24)]
    assert [line.key for line in groups[By.WEEKDAY]] == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert [(line.key, line.calls) for line in groups[By.DAY]] == [
        ("2026-11-22", 1),
        ("2026-11-23", 0),
        ("2026-11-24", 0),
        ("2026-11-25", 1),
    ]


DAY = read_from("2026-11-22")
WINDOWS = [
    ("no bounds", Window(), [True, True, True, True]),
    ("from a day on", Window(first=DAY), [False, True, True, True]),
    ("until its end", Window(last=DAY + timedelta(days=1)), [True, True, True, False]),
    ("a day", Window(DAY, DAY + timedelta(days=1)), [False, True, True, False]),
    ("since an instant", Window(since=TEN), [False, False, True, True]),
    ("the later of two beginnings", Window(first=DAY, since=TEN), [False, False, True, True]),
]


@pytest.mark.parametrize(("window", "kept"), [row[1:] for row in WINDOWS], ids=[row[0] for row in WINDOWS])
def test_the_time_is_by_the_clients_clocks(window: Window, kept: list[bool]) -> None:
    midnight = datetime(2026, 11, 21, 23, tzinfo=UTC)  # in Oslo
    moments = [midnight - timedelta(seconds=1), midnight, TEN, midnight + timedelta(days=1)]
    assert [bool(report([answered(at=at)], window=window).total.calls) for at in moments] == kept


def test_bounds_in_an_hour_that_is_skipped_are_the_moment_at_which_it_is() -> None:
    called = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 03:00 in Oslo, where 02:00 to 02:59 are skipped
    around = Window(read_from("2026-03-29 02:30"), read_from("2026-03-29 03:30"))
    assert report([answered(at=called)], window=around).total.calls == 1
    before = Window(last=read_from("2026-03-29 02:30"))
    assert report([answered(at=called)], window=before).total.calls == 0


def test_first_and_last_are_what_the_clocks_showed() -> None:
    later = answered(at=TEN + timedelta(minutes=5), client="saigon")
    found = report([later, answered(at=TEN)])
    assert (found.first, found.last) == (read_from("2026-11-22 11:00"), read_from("2026-11-22 17:05"))


def test_only_a_client_and_live_calls_of_it() -> None:
    counting = Counting(Wanted(client="fjord", window=Window(since=TEN)), {}, OSLO)
    counting.add(answered())
    counting.add(answered(client="saigon"))
    counting.add_live("fjord", TEN)
    counting.add_live("saigon", TEN)
    counting.add_live("fjord", TEN - timedelta(seconds=1))
    found = counting.report()
    assert (found.total.calls, found.live) == (1, 1)


def visit(queue: str, wait: float, outcome: str, talk: Talk | None = None) -> Visit:
    return Visit(queue, TEN, TEN + timedelta(seconds=wait), outcome, talk)


def test_by_queue_each_visit_counts_with_its_own_wait() -> None:
    call = answered(wait=90.0)
    call = replace(call, visits=(visit("desk", 60, "timeout"), visit("night", 10, "answered", call.talks[0])))
    lines = report([call, answered()], By.QUEUE).groups[By.QUEUE]
    assert [(line.client, line.key, *figures(line)) for line in lines] == [
        ("fjord", "desk", 1, 1, 0, 0, 0),
        ("fjord", "night", 1, 1, 1, 0, 0),
    ]
    assert (lines[1].wait.average, lines[1].service_level, lines[1].share) == (10.0, 1.0, 0.5)


def test_only_a_queue() -> None:
    call = answered(visits=(visit("desk", 60, "timeout"), visit("night", 10, "left")))
    found = report([call, answered()], By.QUEUE, queue="night")
    assert found.total.calls == 1
    assert [line.key for line in found.groups[By.QUEUE]] == ["night"]


def test_by_person() -> None:
    lines = report([answered(4.0), given_up(30.0), given_up(2.0)], By.PERSON).groups[By.PERSON]
    assert [(line.client, line.key, *figures(line)) for line in lines] == [("fjord", "kari", 3, 3, 1, 1, 1)]


def test_a_call_counts_for_each_of_its_tags_and_once_for_each() -> None:
    calls = [answered(tags=("booking", "vip", "booking")), answered(tags=("vip",)), answered()]
    lines = report(calls, By.TAG).groups[By.TAG]
    assert [(line.key, line.calls) for line in lines] == [("vip", 2), (None, 1), ("booking", 1)]


def test_the_largest_groups_come_first() -> None:
    calls = [answered(client=None), answered(client="saigon"), answered(client="fjord"), answered()]
    lines = report([*calls, given_up(9)], By.CLIENT, By.DISPOSITION).groups
    assert [line.key for line in lines[By.CLIENT]] == ["fjord", None, "saigon"]
    assert [line.key for line in lines[By.DISPOSITION]] == ["answered", "abandoned"]


def test_handling_is_talk_and_wrap_up() -> None:
    wrap_up = WrapUp("c1", "fjord", "kari", "desk", TEN + timedelta(seconds=69), TEN + timedelta(seconds=89))
    total = report([answered(talk=60, wrap_ups=(wrap_up,)), answered(talk=30)]).total
    assert (total.wrap_up.count, total.wrap_up.average) == (1, 20.0)
    assert (total.handling.count, total.handling.average, total.handling.longest) == (2, 55.0, 80.0)


def test_a_disposition_that_was_put_right_counts_as_such_and_what_was_seen_stays() -> None:
    found = report([replace(given_up(30.0), corrected=Disposition.MESSAGE_LEFT)], By.DISPOSITION)
    assert [line.key for line in found.groups[By.DISPOSITION]] == ["message_left"]
    assert (found.total.dispositions, found.total.abandoned) == ({Disposition.MESSAGE_LEFT: 1}, 1)


def test_who_is_called_back_is_work_and_no_call() -> None:
    total = report([answered(talk=60), answered(talk=30, returns=True)]).total
    assert (figures(total), total.callbacks) == ((1, 1, 1, 0, 0), 1)
    assert (total.wait.count, total.talk.count, total.talk.average) == (1, 2, 45.0)
