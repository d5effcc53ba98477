"""What is remembered of callers from one call to the next."""

from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Literal

import pytest

from router.core.dialling import Dialling
from router.core.numbers import PhoneNumber
from router.core.rules import compile_rules
from router.core.ruleset import ClientRules, RuleSet
from router.core.verdict import Verdict
from router.edge import callers
from router.edge.callers import Called, Callers

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ANNA, BO = PhoneNumber("+4790000001"), PhoneNumber("+4790000002")
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
screening: {block: [BLOCK]}
routes: [{name: main, do: hangup}]
"""


def client(block: str) -> ClientRules:
    compiled = compile_rules({"fjord.yaml": RULES.replace("BLOCK", block)}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    return compiled.clients["fjord"]


@pytest.fixture
def counting() -> ClientRules:
    return client("{name: a, more_than: 3 calls in 1m}, {name: b, more_than: 2 calls in 10m}")


def minutes(*numbers: float) -> tuple[datetime, ...]:
    return tuple(TEN + timedelta(minutes=number) for number in numbers)


def test_a_caller_is_remembered_as_far_as_the_rules_ask(counting: ClientRules) -> None:
    known = Callers()
    before = [known.known(counting, ANNA, at).calls_before for at in minutes(0, 1, 2, 3, 12)]
    assert before == [(), minutes(0), minutes(0, 1), minutes(0, 1, 2), minutes(3)]
    assert known.known(counting, BO, TEN).calls_before == ()


def test_where_nothing_is_counted_nothing_is_remembered() -> None:
    known, plain = Callers(), client("{name: a, numbers: '+45*'}")
    assert [known.known(plain, ANNA, at).calls_before for at in minutes(0, 1)] == [(), ()]


def test_calls_before_a_restart_count(counting: ClientRules) -> None:
    known = Callers()
    known.learn(Called("fjord", ANNA.e164, at) for at in minutes(-20, -2, -1))
    known.learn([Called("sund", ANNA.e164, TEN)])
    assert known.known(counting, ANNA, TEN).calls_before == minutes(-2, -1)


def test_calls_before_a_restart_may_be_learnt_late(counting: ClientRules) -> None:
    known = Callers()
    known.known(counting, ANNA, TEN)
    known.learn(
        Called("fjord", number.e164, at) for number, at in zip((ANNA, BO), minutes(-2, -1), strict=True)
    )
    assert known.known(counting, ANNA, TEN).calls_before == minutes(-2, 0)
    assert known.known(counting, BO, TEN).calls_before == minutes(-1)


def test_one_who_called_all_day_is_learnt_at_once(counting: ClientRules) -> None:
    known = Callers()
    began = perf_counter()
    known.learn(Called("fjord", ANNA.e164, TEN - timedelta(seconds=one)) for one in range(100_000, 0, -1))
    assert perf_counter() - began < 2
    assert len(known.known(counting, ANNA, TEN).calls_before) == 3


def test_only_the_latest_callers_are_remembered(
    counting: ClientRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "MOST", 2)
    known = Callers()
    cora = PhoneNumber("+4790000003")
    for number, at in zip((ANNA, BO, ANNA, cora), minutes(0, 1, 2, 3), strict=True):
        known.known(counting, number, at)
    later = TEN + timedelta(minutes=4)
    before = [known.known(counting, number, later).calls_before for number in (ANNA, BO)]
    assert before == [minutes(0, 2), ()]


def verdict(id: int, kind: Literal["allow", "block"], client: str | None, hours: int | None) -> Verdict:
    until = None if hours is None else TEN + timedelta(hours=hours)
    return Verdict(id, kind, ANNA.e164, client, "", "ann", TEN, until)


VERDICTS = [
    ("none", [], None),
    ("one for all", [verdict(1, "block", None, None)], 1),
    ("one for this client", [verdict(1, "block", "fjord", 1)], 1),
    ("one for another client", [verdict(1, "block", "sund", None)], None),
    ("one that is over", [verdict(1, "block", None, 0)], None),
    ("the latest counts", [verdict(1, "block", None, None), verdict(2, "allow", "fjord", None)], 2),
    ("the latest that holds", [verdict(1, "block", None, None), verdict(2, "allow", None, 0)], 1),
]


@pytest.mark.parametrize(("verdicts", "id"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS])
def test_what_was_decided_by_command(counting: ClientRules, verdicts: list[Verdict], id: int | None) -> None:
    known = Callers()
    known.obey([verdict(9, "block", None, None)])
    known.obey(verdicts)
    found = known.known(counting, ANNA, TEN).verdict
    assert (found.id if found else None) == id
    assert known.known(counting, BO, TEN).verdict is None


def test_of_whom_a_dialplan_has_asked_the_call_is_the_same(counting: ClientRules) -> None:
    known = Callers()
    first, again, third = minutes(0, 0.1, 1)
    assert known.known_by("1.1")(counting, ANNA, first).calls_before == ()
    known.advised("1.1")
    assert known.known_by("1.1")(counting, ANNA, again).calls_before == ()
    assert known.known_by("1.2")(counting, ANNA, third).calls_before == (again,)


def test_not_all_channels_are_remembered_of_which_dialplans_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "MOST", 2)
    known = Callers()
    for channel in ("1.1", "1.2", "1.3"):
        known.advised(channel)
    assert known.known_by("1.1") == known.known
    assert [known.known_by(channel) for channel in ("1.2", "1.3")] == [known.known_again] * 2
