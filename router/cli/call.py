"""`callrouter call ID`: the whole story of one call."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from router.cli.calls import as_object
from router.cli.labels import Labels, Language
from router.cli.options import FAILED, Config, Json, read_settings
from router.cli.records import open_records
from router.cli.words import LEGS, event_in_words, length, moment
from router.core.corrections import Correction
from router.core.events import CallEvent
from router.core.explain import explain_stored
from router.core.record import CallInfo, CallRecord
from router.core.tags import CallTag, Way
from router.edge.store.queries import CallStory, FollowedUp, NoSuchCall, SeveralCalls, StoredDecision

_EVENT = msgspec.json.Decoder(CallEvent)


def show_call(
    id: Annotated[str, typer.Argument(metavar="ID", help="The call's id, or the beginning of it.")],
    language: Language = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show one call: why it was routed so, what happened, and what its disposition was derived from."""
    names = Labels.of(language, read_settings(config))
    story = story_of(id, config)
    if as_json:
        typer.echo(msgspec.json.encode(_as_object(story)).decode())
    else:
        typer.echo("\n".join(_lines(story, names)))


def story_of(id: str, config: Path | None) -> CallStory:
    """The one call whose id begins so; ends the command if there is none, or more than one."""
    found = decided(id, config)
    if isinstance(found, CallStory):
        return found
    told = f"{found.info.id} is no call: a dialplan asked and was told `{found.treatment}`"
    typer.echo(f"{told}; `callrouter explain {found.info.id}` says why", err=True)
    raise typer.Exit(FAILED)


def decided(id: str, config: Path | None) -> CallStory | StoredDecision:
    """The one call whose id begins so, or what a dialplan was told; ends the command if there is neither, or
    more than one call."""
    queries = open_records(config)
    found = queries.call(id)
    told = queries.decision(id) if isinstance(found, NoSuchCall) else None
    queries.close()
    if told is not None:
        return told
    match found:
        case CallStory():
            return found
        case NoSuchCall():
            typer.echo(f"no call's id begins with {id}; `callrouter calls` lists them", err=True)
        case SeveralCalls():
            typer.echo(f"several calls' ids begin with {id}: {', '.join(found.ids)}", err=True)
    raise typer.Exit(FAILED)


def _as_object(story: CallStory) -> dict[str, Any]:
    timeline = [{"seq": row.seq, "at": row.at, "event": msgspec.Raw(row.event)} for row in story.timeline]
    return as_object(story) | {
        "plan": None if story.plan is None else msgspec.Raw(story.plan),
        "trace": None if story.trace is None else msgspec.Raw(story.trace),
        "timeline": timeline,
        "follow_ups": msgspec.to_builtins(story.follow_ups),
    }


def _lines(story: CallStory, names: Labels) -> Iterator[str]:
    info, record = story.info, story.record
    yield f"call {info.id}"
    caller = f"{info.caller or 'anonymous'}{_named(info)}"
    yield f"  arrived      {moment(info.arrived_at)}, from {caller} to {info.dialled}"
    yield f"  client       {info.client or '-'}, route {info.route or '-'}, rules {info.rules_version}"
    yield from _outcome(record, story, names) if record else ["  disposition  none yet: the call is live"]
    yield from _section("Why it went there", iter(explain_stored(story.trace, info)))
    yield from _section("What happened", _timeline(story))
    if story.tags:
        yield from _section("Tags", _tags(story, names))
    if story.corrections:
        yield from _section("Corrections", _corrections(story, names))
    if story.follow_ups:
        yield from _section("Follow-ups", follow_ups_in_words(story.follow_ups))
    if record is not None:
        yield from _section("Phones rung", _attempts(record))
        yield from _section("Evidence", _evidence(record))


def _named(info: CallInfo) -> str:
    """By which name the caller was known, and which was shown with the call."""
    shown = f"shown as {info.display}" if info.display else ""
    names = ", ".join(filter(None, (info.name, shown)))
    return f" ({names})" if names else ""


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield from ("", title)
    written = list(lines)
    yield from [f"  {line}" for line in written] or ["  nothing is stored"]


def _outcome(record: CallRecord, story: CallStory, names: Labels) -> Iterator[str]:
    reason = f" ({record.reason})" if record.reason else ""
    who = record.hung_up_by.value if record.hung_up_by else "nobody saw who"
    derived = names.disposition(record.disposition)
    yield f"  disposition  {derived}{reason}, while {record.phase.value}; hung up by: {who}"
    if story.corrected is not None:
        yield f"  corrected    to {names.disposition(story.corrected)}, by {story.corrections[-1].who}"
    if story.tagged:
        yield f"  tags         {', '.join(names.tag(story.info.client, one.tag) for one in story.tagged)}"
    if record.answered_by:
        yield f"  talked with  {record.answered_by}"
    for talk in record.talks if len(record.talks) > 1 else ():
        held = f", {length(talk.hold_seconds)} on hold" if talk.hold_seconds > 0 else ""
        end = talk.end.value.replace("_", " ")
        yield f"  talk         {talk.who}, {length(talk.seconds)}{held}; ended by: {end}"
    times = (
        ("rang", record.ring_seconds),
        ("waited", record.wait_seconds),
        ("talked", record.talk_seconds),
        ("on hold", record.hold_seconds),
    )
    yield "  times        " + (
        ", ".join(f"{name} {length(lasted)}" for name, lasted in times if lasted > 0) or "-"
    )
    if record.flags:
        yield f"  flags        {', '.join(record.flags)}"


def _timeline(story: CallStory) -> Iterator[str]:
    attempts = story.record.attempts if story.record else ()
    legs = LEGS | {attempt.number: attempt.target for attempt in attempts}
    for row in story.timeline:
        try:
            words = event_in_words(_EVENT.decode(row.event), legs)
        except msgspec.DecodeError:
            words = row.event.decode()
        yield f"{_after(story.info, row.at)}  {words}"


def _tags(story: CallStory, names: Labels) -> Iterator[str]:
    for tag in story.tags:
        yield f"{_after(story.info, tag.at)}  {tag_in_words(tag, names, story.info.client)}"


def tag_in_words(tag: CallTag, names: Labels, client: str | None) -> str:
    """`booking, by kari (phone, PJSIP/100)`."""
    what = f"{names.tag(client, tag.tag)}{' taken off' if tag.removed else ''}"
    return f"{what}, by {tag.who or 'the rules'} {_way(tag.way, tag.place)}{tag.note and f': {tag.note}'}"


def _corrections(story: CallStory, names: Labels) -> Iterator[str]:
    for row in story.corrections:
        yield f"{_after(story.info, row.at)}  {correction_in_words(row, names)}"


def correction_in_words(row: Correction, names: Labels) -> str:
    """`to busy, by kari (command, root@pbx): the wrong desk`."""
    return f"to {names.disposition(row.disposition)}, by {row.who} {_way(row.way, row.place)}: {row.why}"


def _way(way: Way, place: str) -> str:
    return f"({', '.join(filter(None, (way.value, place)))})"


def follow_ups_in_words(follow_ups: Sequence[FollowedUp]) -> Iterator[str]:
    """What was due after the call, and why: a line each, its place in the rules first."""
    for one in follow_ups:
        when = f", from the tag at {moment(one.at)} on" if one.tag else ""
        yield f"{one.place}: follow-up {one.name}: due{when}; {one.why}"


def _attempts(record: CallRecord) -> Iterator[str]:
    for attempt in record.attempts:
        outcome = attempt.outcome.value.replace("_", " ")
        rang = attempt.ringing_at and (attempt.answered_at or attempt.ended_at) - attempt.ringing_at
        words = [
            f"{attempt.number}. {attempt.target} ({attempt.dial}): {outcome}",
            attempt.reason.replace("_", " "),
        ]
        words += [f"rang {length(rang.total_seconds())}"] if rang else []
        words += [f"cause {attempt.cause}"] if attempt.cause else []
        words += [f"SIP {attempt.tech_cause}"] if attempt.tech_cause else []
        yield ", ".join(filter(None, words))


def _evidence(record: CallRecord) -> Iterator[str]:
    legs = LEGS | {attempt.number: attempt.target for attempt in record.attempts}
    for seen in record.evidence:
        words = [f"{legs.get(seen.leg, f'leg {seen.leg}')}: {seen.what.replace('_', ' ')}"]
        words += [f"cause {seen.cause}"] if seen.cause else []
        words += [f"SIP {seen.tech_cause}"] if seen.tech_cause else []
        words += ["soft"] if seen.soft else []
        words += [seen.detail] if seen.detail else []
        yield f"{_after(record.info, seen.at)}  {', '.join(words)}"


def _after(info: CallInfo, at: datetime) -> str:
    return f"{(at - info.arrived_at).total_seconds():+9.3f} s"
