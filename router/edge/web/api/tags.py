"""What people say came of a call: its tags, and corrections of its disposition."""

from typing import Annotated

import msgspec
from msgspec import Meta

from router.core.access import Role
from router.core.corrections import Correction
from router.core.record import Disposition
from router.core.tagging import not_offered
from router.core.tags import CallTag, Way
from router.core.tags import Tag as KnownTag
from router.edge.store.queries import CallStory
from router.edge.store.tags import Put, Tags
from router.edge.web.api.calls import CallPath, find_call
from router.edge.web.api.problems import CONFLICT, FORBIDDEN, NOT_FOUND, NOT_MEANT, ProblemError
from router.edge.web.api.routes import AN_ID, ID, Asking, CallId, ClientId, Nothing, Resource, Route, plain

TagId = Annotated[str, Meta(pattern=ID, description="The tag's id, as in rules.", extra=AN_ID)]
Said = Annotated[str, Meta(max_length=500)]


class TagsQuery(msgspec.Struct, frozen=True):
    """Whose tags."""

    client: ClientId | None = None
    """All that this client has; else those that all clients have."""


class TagPath(msgspec.Struct, frozen=True):
    """A tag of a call."""

    id: CallId
    tag: TagId


class Tagging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tag to be put on a call."""

    tag: TagId
    note: Said = ""
    """What else there is to say."""


class Correcting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a call after all."""

    disposition: Disposition
    why: Annotated[str, Meta(min_length=1, max_length=500)]
    """For those who ask later."""


class KnownTags(msgspec.Struct, frozen=True):
    """Tags that calls can get."""

    items: tuple[KnownTag, ...]


async def list_tags(asking: Asking[TagsQuery, Nothing]) -> KnownTags:
    """The tags that can be put on calls, those that are hidden left out."""
    client = asking.client(asking.asked.client)
    tags = asking.powers.rules().tags_of(client)
    return KnownTags(tuple(tag for tag in tags.values() if not tag.hidden))


async def tag_call(asking: Asking[CallPath, Tagging]) -> CallTag:
    """Put a tag on a call. Where it has that already, only a note is added, if there is one; what is to be
    done after it and was not made due, is now."""
    story = await _spoken_of(asking)
    client, body = story.info.client, asking.body
    why_not = not_offered(asking.powers.rules().tags_of(client), client, body.tag)
    if why_not is not None:
        raise ProblemError(NOT_MEANT, why_not)
    tag = CallTag(story.info.id, body.tag, asking.name, Way.API, asking.now, note=plain(body.note))
    return (await _put(asking, tag)).row


async def untag_call(asking: Asking[TagPath, Nothing]) -> CallTag:
    """Take a tag off a call. That it was there stays known."""
    story, tag = await _spoken_of(asking), asking.asked.tag
    put = await _put(asking, CallTag(story.info.id, tag, asking.name, Way.API, asking.now, removed=True))
    if not put.written:
        tagged = ", ".join(one.tag for one in story.tagged if one.tag != tag) or "nothing"
        raise ProblemError(NOT_FOUND, f"the call is not tagged with `{tag}`, but with: {tagged}")
    return put.row


async def correct_call(asking: Asking[CallPath, Correcting]) -> Correction:
    """Say that what became of a call is something else. What the router derived stays beside it; to take a
    correction back, correct to that."""
    story, body = await find_call(asking, asking.asked.id), asking.body
    if story.record is None:
        raise ProblemError(CONFLICT, f"the call `{story.info.id}` is live; correct it once it has ended")
    if body.disposition is (story.corrected or story.record.disposition):
        raise ProblemError(CONFLICT, f"the call `{story.info.id}` is {body.disposition} already")
    why = plain(body.why)
    made = Correction(story.info.id, body.disposition, why, asking.name, Way.API, asking.now)
    corrected: Correction = await asking.powers.records.ask(Tags, lambda tags: tags.correct(made))
    return corrected


async def _spoken_of(asking: Asking[CallPath, Tagging] | Asking[TagPath, Nothing]) -> CallStory:
    """The call, if the token is for saying something of it: an agent's is for the calls that they had."""
    story, who = await find_call(asking, asking.asked.id), asking.who
    if not who.role.covers(Role.SUPERVISOR):
        had = {talk.who for talk in story.record.talks} if story.record else set()
        live = (call.talks_with for call in asking.powers.live() if call.id == story.info.id)
        had |= set(filter(None, live))
        if who.person not in had:
            what = f"the token `{who.name}` is for calls that {who.person} had"
            raise ProblemError(FORBIDDEN, f"{what}, and this is none")
    return story


async def _put(asking: Asking[CallPath, Tagging] | Asking[TagPath, Nothing], tag: CallTag) -> Put:
    rules = asking.powers.rules()
    put: Put = await asking.powers.records.ask(Tags, lambda tags: tags.put(tag, rules))
    if put.due:
        await asking.powers.records.within(asking.powers.read_follow_ups())
    return put


RESOURCE = Resource(
    "tags",
    "What people say came of calls.",
    (
        Route(
            method="GET",
            path="/tags",
            summary="List tags that there are",
            role=Role.READER,
            handle=list_tags,
            asked=TagsQuery,
            answer=KnownTags,
        ),
        Route(
            method="POST",
            path="/calls/{id}/tags",
            summary="Tag a call",
            role=Role.AGENT,
            handle=tag_call,
            asked=CallPath,
            body=Tagging,
            answer=CallTag,
            refusals=(NOT_MEANT,),
        ),
        Route(
            method="DELETE",
            path="/calls/{id}/tags/{tag}",
            summary="Take a tag off a call",
            role=Role.AGENT,
            handle=untag_call,
            asked=TagPath,
            answer=CallTag,
        ),
        Route(
            method="POST",
            path="/calls/{id}/corrections",
            summary="Correct a call's disposition",
            role=Role.SUPERVISOR,
            handle=correct_call,
            asked=CallPath,
            body=Correcting,
            answer=Correction,
            status=201,
            refusals=(CONFLICT,),
        ),
    ),
)
