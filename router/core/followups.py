"""Follow-ups: what is to be done after a call, and why.

A follow-up becomes due at the end of a call, or when a tag is put on it later, and once a call at most. What
it looks at is the record, the tags that the call then has, and the hours at the call's end.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from router.core import conditions
from router.core.conditions import Condition, Failure, Moment, Not, When
from router.core.facts import Facts
from router.core.followupdocs import (
    DEFAULT_CALL_BACK_WITHIN,
    ActionDoc,
    Actions,
    CallBackDoc,
    EndedWhenDoc,
)
from router.core.hours import Hours
from router.core.keyedin import is_feature_code
from router.core.numbers import CallerId, PhoneNumber
from router.core.openings import next_change
from router.core.record import CallRecord, Disposition
from router.core.schema import ClientDoc
from router.core.tags import Tag
from router.core.times import Duration
from router.core.yamltext import Path

EVERY_CALL = "every call"
"""Why a follow-up without conditions is due."""


class CallBack(msgspec.Struct, frozen=True):
    """Somebody is to call the caller back."""

    owner: str = ""
    """A person's id; empty for everybody."""
    within: int = DEFAULT_CALL_BACK_WITHIN.seconds
    """Seconds,"""
    by: str = ""
    """unless it is due by the end of these hours."""

    def due(self, at: datetime, hours: Mapping[str, Hours]) -> datetime:
        """Until when somebody is to call, where it is decided `at` (aware) that they are to."""
        end = _end_of(hours[self.by], at) if self.by else None
        return end or at + timedelta(seconds=self.within)


class FollowUp(msgspec.Struct, frozen=True):
    """What is to be done after certain calls."""

    name: str
    place: str
    """`file:line`."""
    when: When
    tags: frozenset[str]
    """Those that can make it due when they are put on a call later."""
    webhooks: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """The last parts of MQTT topics."""
    call_back: CallBack | None = None
    do_not_contact: int | None = None
    """For so many seconds."""


class FollowUps(msgspec.Struct, frozen=True):
    """Those of one client."""

    all: tuple[FollowUp, ...] = ()
    language: str = "en"
    """Of mails."""


class Due(msgspec.Struct, frozen=True):
    """A follow-up that is due."""

    follow_up: FollowUp
    why: str
    """The condition that holds, in words."""


class Ended(Moment):
    """A call that is over, as conditions see it."""

    __slots__ = ("client", "disposition", "queues", "tags")

    def __init__(self, record: CallRecord, tags: frozenset[str], hours: Mapping[str, Hours]) -> None:
        """`tags` are all that the call has."""
        info = record.info
        caller = CallerId(_number(info.caller), info.caller)
        super().__init__(Facts(record.ended_at, info.dialled, _number(info.dialled), caller), hours)
        self.disposition = record.disposition
        self.client = info.client
        self.queues = frozenset(record.queues)
        self.tags = tags


def is_followed(record: CallRecord) -> bool:
    """Whether it is a caller's call, to a number of a client's."""
    return record.info.client is not None and not is_feature_code(record.info)


def tags_by_rules(record: CallRecord) -> frozenset[str]:
    """The tags that the rules have put on a call."""
    return frozenset(tag.tag for tag in record.tags)


def due(follow_ups: Iterable[FollowUp], ended: Ended) -> Iterator[Due]:
    """Those that are due after a call, in order, with why."""
    for follow_up in follow_ups:
        for alternative in follow_up.when:
            if all(condition.holds(ended) for condition in alternative):
                yield Due(follow_up, conditions.when_in_words((alternative,)) or EVERY_CALL)
                break


def in_words(follow_up: FollowUp) -> str:
    """`missed, when disposition: no_answer: post to https://crm.example/calls, call back within 2h`."""
    return f"{name_and_when(follow_up)}: {', '.join(actions_in_words(follow_up))}"


def name_and_when(follow_up: FollowUp) -> str:
    """`missed, when disposition: no_answer`."""
    asked = conditions.when_in_words(follow_up.when)
    return f"{follow_up.name}, {f'when {asked}' if asked else 'after every call'}"


def actions_in_words(follow_up: FollowUp) -> Iterator[str]:
    """`post to https://crm.example/calls`, `call back by kari within 2h`."""
    yield from (f"post to {url}" for url in follow_up.webhooks)
    yield from (f"mail to {address}" for address in follow_up.mails)
    yield from (f"publish as {topic}" for topic in follow_up.topics)
    if follow_up.call_back is not None:
        yield _call_back_in_words(follow_up.call_back)
    if follow_up.do_not_contact is not None:
        yield f"do not contact for {Duration(follow_up.do_not_contact)}"


def _call_back_in_words(back: CallBack) -> str:
    owner = f" by {back.owner}" if back.owner else ""
    return f"call back{owner} {f'by the end of {back.by}' if back.by else f'within {Duration(back.within)}'}"


def call_back_number(record: CallRecord) -> str:
    """Where the caller can be called back (E.164): as they have left it, else the number they called from;
    empty where nobody knows."""
    left = record.message.callback if record.message else ""
    number = _number(left or record.info.caller)
    return number.e164 if number else ""


def _number(text: str) -> PhoneNumber | None:
    """Of a record, where a number that could be read is in E.164."""
    return PhoneNumber(text) if text.startswith("+") and text[1:].isdigit() else None


def _end_of(hours: Hours, now: datetime) -> datetime | None:
    """When these hours end or, where it is closed, the next ones do; None where nobody knows."""
    change = next_change(hours, now)
    if change is not None and not hours.is_open(now):
        change = next_change(hours, change)
    return change


# Compiling


class DispositionIs(msgspec.Struct, frozen=True, gc=False):
    wanted: frozenset[Disposition]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        assert isinstance(moment, Ended)
        return moment.disposition in self.wanted


class TagIs(msgspec.Struct, frozen=True, gc=False):
    wanted: frozenset[str]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        assert isinstance(moment, Ended)
        return not self.wanted.isdisjoint(moment.tags)


class QueueWas(msgspec.Struct, frozen=True, gc=False):
    wanted: frozenset[str]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        assert isinstance(moment, Ended)
        return not self.wanted.isdisjoint(moment.queues)


class ClientIs(msgspec.Struct, frozen=True, gc=False):
    wanted: frozenset[str]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        assert isinstance(moment, Ended)
        return moment.client in self.wanted


def _disposition(wanted: tuple[Disposition, ...], zone: ZoneInfo) -> Condition:
    return DispositionIs(frozenset(wanted), Failure("disposition", tuple(one.value for one in wanted)))


def _tag(wanted: tuple[str, ...], zone: ZoneInfo) -> Condition:
    return TagIs(frozenset(wanted), Failure("tag", wanted))


def _queue(wanted: tuple[str, ...], zone: ZoneInfo) -> Condition:
    return QueueWas(frozenset(wanted), Failure("queue", wanted))


def _client(wanted: tuple[str, ...], zone: ZoneInfo) -> Condition:
    return ClientIs(frozenset(wanted), Failure("client", wanted))


def _not(docs: tuple[EndedWhenDoc, ...], zone: ZoneInfo) -> Condition:
    when = compile_when(docs, zone)
    words = tuple(conditions.when_in_words((alternative,)) for alternative in when)
    return Not(when, Failure("not", words))


COMPILE: dict[str, Callable[[Any, ZoneInfo], Condition]] = {
    "disposition": _disposition,
    "tag": _tag,
    "queue": _queue,
    "client": _client,
    **{key: conditions.COMPILE[key] for key in ("open", "closed", "caller", "dialled")},
    "not_": _not,
}
"""Field of `EndedWhenDoc` -> the condition."""


def compile_when(docs: tuple[EndedWhenDoc, ...], zone: ZoneInfo) -> When:
    """`zone` is the client's."""
    return tuple(
        tuple(make(written, zone) for key, make in COMPILE.items() if (written := vars(doc)[key]) is not None)
        for doc in docs
    )


def follow_ups_of(
    doc: ClientDoc, tags: Mapping[str, Tag], place: Callable[[Path], str], shared: Mapping[str, Actions]
) -> FollowUps:
    """The client's own, and those that its `tags` carry; `shared` is what those do that the client's document
    leaves as they are."""
    own = [
        _follow_up(one.name, place(("follow_ups", at)), one.when, one.do, doc.timezone)
        for at, one in enumerate(doc.follow_ups)
    ]
    done = dict(shared) | {tag: written.do for tag, written in doc.tags.items() if written.do}
    for tag, actions in done.items():
        when = (EndedWhenDoc.model_construct(tag=(tag,)),)
        own.append(_follow_up(_by_tag(tag), tags[tag].place, when, actions, doc.timezone))
    return FollowUps(tuple(own), doc.language)


def _follow_up(
    name: str, place: str, when: tuple[EndedWhenDoc, ...], actions: tuple[ActionDoc, ...], zone: ZoneInfo
) -> FollowUp:
    back = next((action.call_back for action in actions if action.call_back), None)
    lengths = (action.do_not_contact.seconds for action in actions if action.do_not_contact)
    return FollowUp(
        name,
        place,
        compile_when(when, zone),
        frozenset(tag for doc in when for tag in doc.tag or ()),
        webhooks=tuple(dict.fromkeys(action.webhook for action in actions if action.webhook)),
        mails=tuple(dict.fromkeys(address for action in actions for address in action.mail)),
        topics=tuple(dict.fromkeys(action.mqtt for action in actions if action.mqtt)),
        call_back=_call_back(back) if back else None,
        do_not_contact=next(lengths, None),
    )


def _call_back(written: CallBackDoc) -> CallBack:
    within = written.within or DEFAULT_CALL_BACK_WITHIN
    return CallBack(written.owner or "", within.seconds, written.by or "")


def _by_tag(tag: str) -> str:
    """What the follow-up is called that a tag carries."""
    return f"tag {tag}"


def clients_asked(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    """The clients that conditions of a document's follow-ups name, each with where it is written."""
    for at, one in enumerate(doc.follow_ups):
        yield from _clients_in(one.when, ("follow_ups", at, "when"))


def _clients_in(docs: tuple[EndedWhenDoc, ...], path: Path) -> Iterator[tuple[Path, str]]:
    for at, doc in enumerate(docs):
        yield from (((*path, at, "client", n), client) for n, client in enumerate(doc.client or ()))
        yield from _clients_in(doc.not_ or (), (*path, at, "not"))


def follow_up_names(doc: ClientDoc) -> Iterator[tuple[Path, str]]:
    """Of all that a client's document has, each with where it is written."""
    yield from ((("tags", tag, "do"), _by_tag(tag)) for tag, one in doc.tags.items() if one.do)
    yield from ((("follow_ups", at, "name"), one.name) for at, one in enumerate(doc.follow_ups))
