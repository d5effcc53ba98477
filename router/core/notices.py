"""Notices: what other systems are told of calls and agents, as they happen. JSON, and a public contract.

A notice stands by itself: each of a call says whose it is, who called and when, so that a ticket can be made
of the last one alone. Its `id` is the same however often it is sent, and never another's. Those of one call
come in the order in which they happened. A feature code that a phone dials is no call: what comes of it is
told, as `agent.changed`, or as `call.tagged` of the call that it was keyed in for.

VERSION is that of the whole form. It grows where a field is removed or changes its meaning; further fields
and further types may come at any time, and whoever reads notices passes over what it does not know.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec

from router.core.agents import AgentChange, Change
from router.core.call import CALLER, Call, Talking
from router.core.corrections import Correction
from router.core.events import AsteriskAgentCalled, AsteriskQueueJoined, CallEvent, LegRinging, QueueJoined
from router.core.followups import Due, call_back_number
from router.core.keyedin import is_feature_code
from router.core.plan import AsteriskQueue, Queue
from router.core.record import Attempt, CallInfo, CallRecord, Disposition, Party, Phase, Talk
from router.core.tags import CallTag, Way

VERSION = 1


class About(msgspec.Struct, frozen=True):
    """The call that a notice is of."""

    id: str
    client: str | None
    """None where nobody has the number that was called."""
    route: str | None
    dialled: str
    """E.164 where it could be read, else as dialled."""
    caller: str
    """E.164 where it could be read, else as sent; empty if withheld."""
    arrived_at: datetime

    @classmethod
    def of(cls, info: CallInfo) -> "About":
        """What is told of every call."""
        return cls(info.id, info.client, info.route, info.dialled, info.caller, info.arrived_at)


class _Notice(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    id: str
    """The same each time that this notice is sent."""
    at: datetime
    version: int = VERSION


class CallNotice(_Notice, frozen=True, kw_only=True):
    """What all notices of a call have."""

    call: About


class CallArrived(CallNotice, frozen=True, kw_only=True, tag="call.arrived"):
    """Somebody calls."""


class CallRouted(CallNotice, frozen=True, kw_only=True, tag="call.routed"):
    """It is decided what the caller meets. `callrouter explain CALL` shows why."""

    rules_version: str


class CallRinging(CallNotice, frozen=True, kw_only=True, tag="call.ringing"):
    """A phone rings for the caller."""

    target: str
    """A person's id, or what is dialled."""
    dial: str
    """Asterisk's dial string."""


class CallQueued(CallNotice, frozen=True, kw_only=True, tag="call.queued"):
    """The caller waits in a queue."""

    queue: str


class CallAnswered(CallNotice, frozen=True, kw_only=True, tag="call.answered"):
    """A talk begins; again after each transfer."""

    by: str
    """A person's id, an agent's name in Asterisk's own queue, or what was dialled."""


class CallMessage(CallNotice, frozen=True, kw_only=True, tag="call.message"):
    """The caller left a message, or the wish to be called back."""

    to: tuple[str, ...]
    """Ids of people; the client itself, where there are none."""
    callback: str
    """Where to call back (E.164); empty where that is not known."""
    seconds: float
    """Of speech; 0 where nothing was recorded."""


class CallEnded(CallNotice, frozen=True, kw_only=True, tag="call.ended"):
    """The call is over; its disposition is final."""

    disposition: Disposition
    reason: str
    phase: Phase
    hung_up_by: Party | None
    answered_by: str | None
    answered_at: datetime | None
    ring_seconds: float
    wait_seconds: float
    talk_seconds: float
    hold_seconds: float
    attempts: tuple[Attempt, ...]
    talks: tuple[Talk, ...]


class CallTagged(CallNotice, frozen=True, kw_only=True, tag="call.tagged"):
    """The rules, or somebody, tagged the call, or a tag was taken off; that may be long after its end."""

    tag: str
    removed: bool
    who: str
    way: Way
    place: str
    """A line of the rules, a phone, or who typed it at which machine."""
    note: str


class CallCorrected(CallNotice, frozen=True, kw_only=True, tag="call.corrected"):
    """Somebody says that what became of the call is something else than its disposition, which stays."""

    disposition: Disposition
    """What they say it is."""
    automatic: Disposition
    why: str
    who: str
    way: Way
    place: str


class FollowUpDue(CallNotice, frozen=True, kw_only=True, tag="follow_up.due"):
    """Something is to be done after the call; that may be long after its end."""

    follow_up: str
    """Its name in the rules."""
    topic: str
    """The last part of the topic; empty where it is not by MQTT that it is told."""
    why: str
    """The condition that holds."""
    disposition: Disposition
    reason: str
    answered_by: str | None
    ended_at: datetime
    wait_seconds: float
    talk_seconds: float
    callback: str
    """Where the caller can be called back (E.164); empty where nobody knows."""
    do_not_contact: bool = False
    """Whether nobody is to call that number, as it was when this became due."""
    queues: tuple[str, ...]
    """Those that the caller came to."""
    tags: tuple[str, ...]
    """All that the call has, by name."""


class AgentChanged(_Notice, frozen=True, kw_only=True, tag="agent.changed"):
    """An agent came, left, paused or went on."""

    client: str
    person: str
    change: Change
    reason: str
    who: str


Notice = (
    CallArrived
    | CallRouted
    | CallRinging
    | CallQueued
    | CallAnswered
    | CallMessage
    | CallEnded
    | CallTagged
    | CallCorrected
    | FollowUpDue
    | AgentChanged
)


def type_of(notice: Notice) -> str:
    """As it is written, such as `call.ended`."""
    return str(notice.__struct_config__.tag)


def of_arrival(info: CallInfo) -> tuple[Notice, ...]:
    """What is told when a call arrives: it is routed at the same moment. Nothing of a feature code."""
    if is_feature_code(info):
        return ()
    call, at = About.of(info), info.arrived_at
    arrived = CallArrived(id=f"{info.id}.arrived", at=at, call=call)
    return arrived, CallRouted(id=f"{info.id}.routed", at=at, call=call, rules_version=info.rules_version)


def of_step(before: Call, after: Call, event: CallEvent, seq: int, now: datetime) -> Notice | None:
    """What is told of one step of a call, `seq` being the number of its event; None of most."""
    if after.talk_began is not before.talk_began and after.talk_began is not None:
        return CallAnswered(id=_id(after, seq), at=now, call=About.of(after.info), by=_who_talks(after))
    match event:
        case LegRinging(leg) if (
            leg != CALLER and after.legs[leg].ringing_at is not before.legs[leg].ringing_at
        ):
            target = after.legs[leg].target
            return _ringing(after, seq, now, target.name, target.dial)
        case AsteriskAgentCalled(agent, dial):
            return _ringing(after, seq, now, agent, dial)
        case QueueJoined() | AsteriskQueueJoined() if isinstance(after.step, Queue | AsteriskQueue):
            return CallQueued(id=_id(after, seq), at=now, call=About.of(after.info), queue=after.step.queue)
        case _:
            return None


def of_end(record: CallRecord) -> tuple[Notice, ...]:
    """What is told of the end of a call; before it, in case a crash came between, what was of its tags.
    Nothing of a feature code."""
    info, at = record.info, record.ended_at
    if is_feature_code(info):
        return ()
    call = About.of(info)
    tags = tuple(of_tag(tag, call) for tag in record.tags)
    ended = CallEnded(
        id=f"{info.id}.ended",
        at=at,
        call=call,
        disposition=record.disposition,
        reason=record.reason,
        phase=record.phase,
        hung_up_by=record.hung_up_by,
        answered_by=record.answered_by,
        answered_at=record.answered_at,
        ring_seconds=record.ring_seconds,
        wait_seconds=record.wait_seconds,
        talk_seconds=record.talk_seconds,
        hold_seconds=record.hold_seconds,
        attempts=record.attempts,
        talks=record.talks,
    )
    left = record.message
    if left is None:
        return (*tags, ended)
    message = CallMessage(
        id=f"{info.id}.message", at=at, call=call, to=left.to, callback=left.callback, seconds=left.seconds
    )
    return (*tags, message, ended)


def of_tag(tag: CallTag, call: About) -> Notice:
    """What is told of a tag."""
    micros = round(tag.at.timestamp() * 1e6)
    return CallTagged(
        id=f"{call.id}.tag.{tag.tag}.{micros}",
        at=tag.at,
        call=call,
        tag=tag.tag,
        removed=tag.removed,
        who=tag.who,
        way=tag.way,
        place=tag.place,
        note=tag.note,
    )


def of_correction(correction: Correction, automatic: Disposition, call: About) -> Notice:
    """What is told of a correction."""
    micros = round(correction.at.timestamp() * 1e6)
    return CallCorrected(
        id=f"{call.id}.corrected.{micros}",
        at=correction.at,
        call=call,
        disposition=correction.disposition,
        automatic=automatic,
        why=correction.why,
        who=correction.who,
        way=correction.way,
        place=correction.place,
    )


def of_follow_up(
    due: Due,
    record: CallRecord,
    tags: Collection[str],
    at: datetime,
    topic: str = "",
    *,
    do_not_contact: bool = False,
) -> Notice:
    """What is told of a follow-up that is due."""
    name = due.follow_up.name
    id = f"{record.info.id}.follow_up.{name}"
    return FollowUpDue(
        id=f"{id}.{topic}" if topic else id,
        at=at,
        call=About.of(record.info),
        follow_up=name,
        topic=topic,
        why=due.why,
        disposition=record.disposition,
        reason=record.reason,
        answered_by=record.answered_by,
        ended_at=record.ended_at,
        wait_seconds=record.wait_seconds,
        talk_seconds=record.talk_seconds,
        callback=call_back_number(record),
        do_not_contact=do_not_contact,
        queues=record.queues,
        tags=tuple(sorted(tags)),
    )


def of_agent(change: AgentChange) -> Notice:
    """What is told of an agent. The id is that of the change in the database, so whoever notes it tells the
    same."""
    return AgentChanged(
        id=f"agent.{change.id}",
        at=change.at,
        client=change.client,
        person=change.person,
        change=change.change,
        reason=change.reason,
        who=change.who,
    )


def _ringing(call: Call, seq: int, now: datetime, target: str, dial: str) -> Notice:
    return CallRinging(id=_id(call, seq), at=now, call=About.of(call.info), target=target, dial=dial)


def _who_talks(call: Call) -> str:
    if isinstance(call.state, Talking):
        return call.legs[call.state.leg].target.name
    return call.settled.by if call.settled is not None else ""


def _id(call: Call, seq: int) -> str:
    return f"{call.info.id}.{seq}"
