"""The tags that a client has: those that ship, as shared.yaml changes them, as the client's file does.

What a document leaves out of a tag stays as it was: a client may give a tag that ships a code, and one of
shared.yaml another name in one language.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from router.core import labels
from router.core.remarks import did_you_mean
from router.core.schema import TagDoc
from router.core.tags import SHIPPED, Code, Origin, Tag

_LISTED = "`callrouter tags` lists what there is"

TAGS_THAT_SHIP: Mapping[str, Tag] = MappingProxyType({id: Tag(id) for id in SHIPPED})


def changed(
    tags: Mapping[str, Tag], written: Mapping[str, TagDoc], origin: Origin, place: Callable[[str], str]
) -> Mapping[str, Tag]:
    """`tags` with those that a document adds, after them, or writes anew; `place` is where it has a tag. The
    codes that it gives are no other tag's any more."""
    given = {doc.code for doc in written.values() if doc.code is not None}
    found = {id: replace(tag, code="") if tag.code in given else tag for id, tag in tags.items()}
    for id, doc in written.items():
        before = found.get(id, Tag(id))
        found[id] = replace(
            before,
            labels={**before.labels, **doc.label},
            code=before.code if doc.code is None else doc.code,
            hidden=doc.hidden if "hidden" in doc.model_fields_set else before.hidden,
            origin=origin,
            place=place(id),
        )
    return found if written else tags


def not_offered(tags: Mapping[str, Tag], client: str | None, id: str) -> str | None:
    """Why nobody may put that tag on a call of the client, one of whose `tags` it should be; None where they
    may."""
    whose = f" of {client}" if client else ""
    known = tags.get(id)
    if known is None:
        offered = (one.id for one in tags.values() if not one.hidden)
        return f"no tag{whose} is called `{id}`; {did_you_mean(id, offered, _LISTED)}"
    return f"the tag `{id}`{whose} is hidden ({known.place}); {_LISTED}" if known.hidden else None


def codes(tags: Mapping[str, Tag], language: str) -> dict[str, Code]:
    """What agents key in, for tags that are not hidden."""
    offered = (tag for tag in tags.values() if tag.code and not tag.hidden)
    return {tag.code: Code(tag.id, labels.of_tag(tag, language)) for tag in offered}
