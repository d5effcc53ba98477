"""Steps that are done at once: what the call machine makes of them."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from router.core import machine
from router.core.commands import PutTag, ReturnToDialplan, SetChannelVariables
from router.core.events import LegAnswered, LegEnded, LegLeft, PlaybackEnded, RouterReturned
from router.core.plan import CallPlan, Dialplan, SetTags, SetVariables
from router.core.tags import CallTag, Way
from tests.unit.story import ARRIVAL, GOODBYE, HELLO, INFO, RING_ANNA, plan, story


def tag(name: str, at: datetime = ARRIVAL) -> CallTag:
    return CallTag("aaaaaaaaaaaaa", name, "sales", Way.RULE, at, place="fjord.yaml:9")


def placed(the_plan: CallPlan) -> CallPlan:
    return CallPlan(tuple(replace(node, place="fjord.yaml:9") for node in the_plan.nodes))


def test_tags_and_variables_are_set_at_once() -> None:
    call = story(placed(plan(SetTags(("vip", "late")), SetVariables((("A", "1"),)), RING_ANNA)))
    assert call.last[:3] == (PutTag(tag("vip")), PutTag(tag("late")), SetChannelVariables((("A", "1"),)))
    assert call.rung == ["anna"]
    assert [(seen.what, seen.detail) for seen in call.call.evidence] == [
        ("tagged", "vip"),
        ("tagged", "late"),
    ]


def test_tags_are_put_on_a_call_once_and_are_in_its_record() -> None:
    twice = placed(plan(SetTags(("vip", "vip")), HELLO, SetTags(("late", "vip")), GOODBYE))
    call = story(twice, LegAnswered(0), PlaybackEnded(1), LegLeft(0), LegEnded(0, 16))
    assert call.record.tags == (tag("vip"), tag("late", ARRIVAL + timedelta(seconds=2)))


def test_a_call_that_no_route_takes_is_tagged_by_nobody() -> None:
    begun, (put, *_) = machine.begin(replace(INFO, route=None), plan(SetTags(("vip",)), HELLO), ARRIVAL)
    assert isinstance(put, PutTag)
    assert (put.tag.who, put.tag.way) == ("", Way.RULE)
    assert begun.tags == (put.tag,)


def test_variables_are_set_again_after_a_gap_before_the_call_is_handed_on() -> None:
    call = story(plan(SetVariables((("A", "1"),)), Dialplan("fax", "100")), RouterReturned())
    assert call.doing[:2] == [SetChannelVariables((("A", "1"),)), ReturnToDialplan("fax", "100")]
