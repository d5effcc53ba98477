"""`tag`: the call gets tags, at once."""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import Call, Done, Turn, with_evidence
from router.core.commands import PutTag
from router.core.plan import SetTags
from router.core.record import Evidence
from router.core.tags import CallTag, Way

TAGGED = "tagged"
"""What evidence calls a tag that the rules put on the call."""


def enter(call: Call, step: SetTags, now: datetime) -> Turn:
    """Put those on it that the rules have not put there before."""
    assert call.position is not None
    info, place = call.info, call.plan.nodes[call.position].place
    before = {one.tag for one in call.tags}
    put = tuple(
        CallTag(info.id, tag, info.route or "", Way.RULE, now, place=place)
        for tag in dict.fromkeys(step.tags)
        if tag not in before
    )
    for one in put:
        call = with_evidence(call, Evidence(now, TAGGED, detail=one.tag))
    return Turn(replace(call, tags=(*call.tags, *put)), tuple(map(PutTag, put)), Done())
