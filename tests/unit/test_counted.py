"""What of a call reports count: as a call, as a visit to a queue, and as people had it."""

from datetime import UTC, datetime, timedelta

import pytest

from router.core.agents import WrapUp
from router.core.counted import CountedCall, Rung, Unit, unit_of, unit_of_visit, units_of_people
from router.core.record import AttemptOutcome as Outcome
from router.core.record import Disposition, Talk, TalkEnd
from router.core.visits import Visit

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def talk(who: str, began: float, seconds: float = 60) -> Talk:
    return Talk(1, who, at(began), at(began + seconds), TalkEnd.HUNG_UP)


def wrap_up(who: str, began: float, seconds: float) -> WrapUp:
    return WrapUp("c1", "fjord", who, "desk", at(began), at(began + seconds))


def a_call(disposition: Disposition, **changes: object) -> CountedCall:
    call: dict[str, object] = {"client": "fjord", "arrived_at": TEN, "disposition": disposition}
    return CountedCall(**(call | changes))  # type: ignore[arg-type]


KARI = Rung("kari", Outcome.ANSWERED, "", 4.0)
WAITED = Visit("desk", at(5), at(25), "timeout")

CALLS: list[tuple[str, CountedCall, tuple[bool, bool, bool]]] = [
    ("answered", a_call(Disposition.ANSWERED, talks=(talk("kari", 9),), rung=(KARI,)), (True, True, False)),
    ("cut off in the talk", a_call(Disposition.DROPPED, talks=(talk("kari", 9),)), (True, True, False)),
    ("answered, nobody knows when", a_call(Disposition.ANSWERED, rung=(KARI,)), (False, False, False)),
    ("hangs up as it rings", a_call(Disposition.ABANDONED, rung=(KARI,)), (True, False, True)),
    ("hangs up in a queue", a_call(Disposition.ABANDONED, visits=(WAITED,)), (True, False, True)),
    ("hangs up in the greeting", a_call(Disposition.ABANDONED), (False, False, False)),
    ("leaves a message after waiting", a_call(Disposition.MESSAGE_LEFT, rung=(KARI,)), (True, False, False)),
    ("leaves a message straight away", a_call(Disposition.MESSAGE_LEFT), (False, False, False)),
    ("cut off as it rings", a_call(Disposition.DROPPED, rung=(KARI,)), (True, False, False)),
    ("busy", a_call(Disposition.BUSY, rung=(KARI,)), (True, False, False)),
    ("nobody to ring", a_call(Disposition.FAILED, reason="nobody_available"), (True, False, False)),
    ("nobody's number", a_call(Disposition.FAILED, reason="no_route"), (False, False, False)),
    ("informed", a_call(Disposition.INFORMED), (False, False, False)),
    ("refused", a_call(Disposition.BLOCKED), (False, False, False)),
    ("given to the dialplan as it rings", a_call(Disposition.TRANSFERRED, rung=(KARI,)), (False,) * 3),
    ("not observed", a_call(Disposition.UNOBSERVED, rung=(KARI,)), (False, False, False)),
    ("unseen after a talk", a_call(Disposition.UNOBSERVED, talks=(talk("kari", 9),)), (True, True, False)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "told"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_whether_a_call_was_offered_answered_abandoned(
    call: CountedCall, told: tuple[bool, bool, bool]
) -> None:
    unit = unit_of(call)
    assert (unit.offered, unit.answered, unit.abandoned) == told


def test_a_call_with_two_talks_is_handled_by_both() -> None:
    call = a_call(
        Disposition.ANSWERED,
        wait_seconds=9.0,
        talks=(talk("kari", 9), talk("ola", 70, 30)),
        wrap_ups=(wrap_up("kari", 69, 20), wrap_up("ola", 100, 5)),
    )
    unit = unit_of(call)
    assert (unit.waited, unit.talked, unit.wrapped_up, unit.handled) == (9.0, 90.0, 25.0, 115.0)


def test_without_a_talk_there_is_no_work() -> None:
    unit = unit_of(a_call(Disposition.ABANDONED, wrap_ups=(wrap_up("kari", 69, 20),)))
    assert (unit.talked, unit.wrapped_up, unit.handled) == (None, None, None)


def test_a_talk_without_a_wrap_up_is_the_work() -> None:
    unit = unit_of(a_call(Disposition.ANSWERED, talks=(talk("kari", 9),)))
    assert (unit.wrapped_up, unit.handled) == (None, 60.0)


VISITS: list[tuple[str, Visit, Unit]] = [
    (
        "answered",
        Visit("desk", at(5), at(9), "answered", talk("kari", 9)),
        Unit(True, True, False, 4.0, 60.0, 20.0, False),
    ),
    ("given up", Visit("desk", at(5), at(9), "abandoned"), Unit(True, False, True, 4.0, None, None, False)),
    ("full", Visit("desk", at(5), at(5), "full"), Unit(True, False, False, 0.0, None, None, False)),
    (
        "not observed",
        Visit("desk", at(5), at(9), "unobserved"),
        Unit(False, False, False, 4.0, None, None, False),
    ),
]


@pytest.mark.parametrize(("visit", "told"), [row[1:] for row in VISITS], ids=[row[0] for row in VISITS])
def test_a_visit(visit: Visit, told: Unit) -> None:
    wrap_ups = (wrap_up("kari", 69, 20), wrap_up("ola", 69, 7))
    assert unit_of_visit(a_call(Disposition.ANSWERED, wrap_ups=wrap_ups), visit) == told


def test_of_two_talks_with_one_person_each_has_its_own_wrap_up() -> None:
    first, second = talk("kari", 9), talk("kari", 100, 30)
    call = a_call(Disposition.ANSWERED, talks=(first, second), wrap_ups=(wrap_up("kari", 130, 8),))
    seen = [unit_of_visit(call, Visit("desk", at(5), at(9), "answered", one)) for one in (first, second)]
    assert [one.wrapped_up for one in seen] == [None, 8.0]


def rung(who: str, outcome: Outcome, seconds: float = 3.0, reason: str = "") -> Rung:
    return Rung(who, outcome, reason, seconds)


PEOPLE: list[tuple[str, list[Rung], list[Talk], dict[str, tuple[bool, bool, bool, float]]]] = [
    ("answers", [rung("kari", Outcome.ANSWERED)], [talk("kari", 9)], {"kari": (True, True, False, 3.0)}),
    (
        "answers at one of two phones",
        [rung("kari", Outcome.ANSWERED_ELSEWHERE, 9.0), rung("kari", Outcome.ANSWERED, 2.0)],
        [talk("kari", 9)],
        {"kari": (True, True, False, 2.0)},
    ),
    (
        "somebody else was quicker",
        [rung("kari", Outcome.ANSWERED_ELSEWHERE), rung("ola", Outcome.ANSWERED)],
        [talk("ola", 9)],
        {"kari": (False, False, False, 0.0), "ola": (True, True, False, 3.0)},
    ),
    (
        "does not answer",
        [rung("kari", Outcome.NO_ANSWER, 20.0)],
        [],
        {"kari": (True, False, False, 20.0)},
    ),
    (
        "the queue gave the offer up",
        [rung("kari", Outcome.NO_ANSWER, 20.0, "withdrawn")],
        [],
        {"kari": (False, False, False, 0.0)},
    ),
    ("the caller left", [rung("kari", Outcome.CANCELLED)], [], {"kari": (True, False, True, 3.0)}),
    ("was given the call", [], [talk("kari", 9)], {"kari": (False, False, False, 0.0)}),
    ("nobody saw", [rung("kari", Outcome.UNOBSERVED)], [], {"kari": (False, False, False, 0.0)}),
]


@pytest.mark.parametrize(("phones", "talks", "told"), [row[1:] for row in PEOPLE],
                         ids=[row[0] for row in PEOPLE])  # fmt: skip
def test_a_call_as_people_had_it(
    phones: list[Rung], talks: list[Talk], told: dict[str, tuple[bool, bool, bool, float]]
) -> None:
    call = a_call(Disposition.ANSWERED, rung=tuple(phones), talks=tuple(talks))
    units = dict(units_of_people(call))
    assert {who: (one.offered, one.answered, one.abandoned, one.waited) for who, one in units.items()} == told
    assert [one.talked for one in units.values()] == [
        60.0 if who in {talk.who for talk in talks} else None for who in units
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_whose_phone_could_not_be_rung_was_offered_nothing(outcome: Outcome) -> None:
    theirs = {Outcome.ANSWERED, Outcome.BUSY, Outcome.DECLINED, Outcome.NO_ANSWER}
    assert Rung("kari", outcome).for_others == (outcome not in theirs | {Outcome.CANCELLED})
