"""Steps that are done at once: what the call machine makes of them."""

from router.core.commands import ReturnToDialplan, SetChannelVariables
from router.core.events import RouterReturned
from router.core.plan import Dialplan, SetTags, SetVariables
from tests.unit.story import RING_ANNA, plan, story


def test_tags_and_variables_are_set_at_once() -> None:
    call = story(plan(SetTags(("vip", "late")), SetVariables((("A", "1"),)), RING_ANNA))
    assert call.last[0] == SetChannelVariables((("A", "1"),))
    assert call.rung == ["anna"]
    assert [(seen.what, seen.detail) for seen in call.call.evidence] == [
        ("tagged", "vip"),
        ("tagged", "late"),
    ]


def test_variables_are_set_again_after_a_gap_before_the_call_is_handed_on() -> None:
    call = story(plan(SetVariables((("A", "1"),)), Dialplan("fax", "100")), RouterReturned())
    assert call.doing[:2] == [SetChannelVariables((("A", "1"),)), ReturnToDialplan("fax", "100")]
