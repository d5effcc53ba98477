"""Of any two rule sets, a comparison tells of a call exactly once if it differs, and else not at all."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.core.decide import decide
from router.core.difference import compare
from router.core.space import knowns
from tests.properties.random_rules import DAYS, START, calls, compiled, documents, with_known
from tests.unit.telling import meant, told

pairs = st.one_of(
    st.tuples(documents(), documents()),
    # Alike but for one thing: what differs must not be lost among what does not.
    st.tuples(documents(), documents(), st.sampled_from(["routes", "screening", "hours", "people"])).map(
        lambda row: (row[0], {**row[0], row[2]: row[1][row[2]]})
    ),
)


@settings(max_examples=20, deadline=None)
@given(pairs, st.data())
def test_a_call_is_told_of_once_if_it_differs(
    pair: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    before, after = map(compiled, pair)
    found = compare(before, after, START, START + timedelta(days=DAYS))
    both = [*before.clients.values(), *after.clients.values()]
    for _ in range(10):
        known = data.draw(st.sampled_from(knowns(both)))
        call = with_known(data.draw(calls(after)), known)
        differs = any(
            meant(decide(before, turned)) != meant(decide(after, turned))
            for turned in (replace(call, turn=turn) for turn in range(4))
        )
        telling = [one for one in found.differences if one.known in (None, known) and not one.only_names]
        assert sum(told(one, call) for one in telling) == differs
    for one in found.differences:
        assert told(one, one.example)
        assert (meant(one.before) != meant(one.after)) is not one.only_names
