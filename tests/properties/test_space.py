"""Every call is of a kind that the space has, and its kind gets its plan."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.core.decide import decide
from router.core.facts import Facts
from router.core.space import Numbering, Space, knowns
from router.core.times import Period
from tests.properties.random_rules import DAYS, START, calls, compiled, documents, with_known

END = START + timedelta(days=DAYS)


@settings(max_examples=100, deadline=None)
@given(documents(), st.data())
def test_all_calls_of_a_kind_get_one_plan(document: dict[str, Any], data: st.DataObject) -> None:
    rules = compiled(document)
    numbering = Numbering(rules)
    known = data.draw(st.sampled_from(knowns(rules.clients.values())))
    space = Space(rules.clients.values(), numbering.classes["fjord",], Period(START, END)).knowing(known)
    for _ in range(12):
        call = with_known(data.draw(calls(rules)), known)
        assert call.did is not None
        dialled = space.dialled[numbering.key(call.did)]
        callers = space.callers[space.caller_key(call.caller)]
        times = space.times[space.time_key(call.now)]
        number = dialled.number
        alike = with_known(Facts(times.now, number.e164, number, callers.caller, call.turn), known)
        one, other = decide(rules, call), decide(rules, alike)
        assert (one.plan, one.route) == (other.plan, other.route)
        assert sum(period.holds(call.now) for period in times.periods) == 1


@settings(max_examples=60, deadline=None)
@given(documents())
def test_each_kind_is_there_once_and_covers_all_time(document: dict[str, Any]) -> None:
    rules = compiled(document)
    space = Space(rules.clients.values(), Numbering(rules).classes["fjord",], Period(START, END))
    assert len(list(space.calls())) == len(space)
    lengths = [period.end - period.start for times in space.times.values() for period in times.periods]
    assert sum(lengths, timedelta()) == END - START
    for to, who, when, call in space.calls():
        assert call.did == space.dialled[to].number
        assert space.caller_key(call.caller) == who
        assert space.time_key(call.now) == when
        assert decide(rules, replace(call, turn=0)).client == "fjord"
