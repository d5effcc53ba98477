"""Which of what is written down as calls nobody placed: an agent's phone dialled a feature code."""

import pytest
from msgspec.structs import replace

from router.core import notices
from router.core.featurecodes import CONFIRMED, OTHERS
from router.core.keyedin import is_feature_code, route_of
from router.core.languages.catalogue import Phrase
from router.core.record import CallInfo
from router.core.returning import ROUTE as CALLED_BACK
from tests.unit.story import CALLER_BYE, HELLO, INFO, gone, plan, story

CASES: dict[str, tuple[CallInfo, bool]] = {
    "to a client's number": (INFO, False),
    "to a client's number, which no route takes": (replace(INFO, route=None), False),
    "to a client's number, by a route called as codes are": (replace(INFO, route="agent in"), False),
    "to a number of nobody's": (replace(INFO, client=None, route=None), False),
    "to no number at all": (replace(INFO, client=None, route=None, dialled="code12"), False),
    "by an agent's phone, to a client's number": (replace(INFO, caller="100"), False),
    "by the router, to who asked to be called back": (replace(INFO, route=CALLED_BACK), False),
    "an agent logs in": (replace(INFO, dialled="logged_in", route="agent in"), True),
    "a tag's code": (replace(INFO, dialled="code12", route="agent code kept"), True),
    "a code of a dialplan's own": (replace(INFO, dialled="81", route="agent in"), True),
    "a code at a phone of nobody's": (
        replace(INFO, dialled="logged_in", route="agent no agent", client=None),
        True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_callers_call_is_told_from_a_feature_code(name: str) -> None:
    info, keyed_in = CASES[name]
    assert is_feature_code(info) is keyed_in


def test_each_reply_to_a_code_has_a_route_that_is_known_as_such() -> None:
    routes = {said: route_of(said) for said in (*CONFIRMED.values(), *OTHERS, Phrase.CODE_KEPT)}
    assert (routes[Phrase.AGENT_IN], routes[Phrase.CODE_KEPT]) == ("agent in", "agent code kept")
    assert all(is_feature_code(replace(INFO, dialled="code12", route=route)) for route in routes.values())


def test_no_other_system_is_told_of_a_feature_code() -> None:
    record = story(plan(HELLO), CALLER_BYE, *gone()).record
    keyed_in = replace(INFO, dialled="code12", route="agent code kept")
    assert notices.of_arrival(keyed_in) == ()
    assert notices.of_end(replace(record, info=keyed_in)) == ()
