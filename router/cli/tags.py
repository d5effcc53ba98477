"""`callrouter tag`, `tags` and `correct`: what people say came of a call, and what they may say."""

import platform
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import msgspec
import typer

from router.cli.call import correction_in_words, story_of, tag_in_words
from router.cli.check import print_remarks
from router.cli.daemon import NoDaemonError, tell
from router.cli.labels import Labels, Language
from router.cli.options import FAILED, Config, Json, Rules, read_settings, rules_file
from router.cli.words import in_columns, moment, who_types
from router.core import labels
from router.core.corrections import Correction
from router.core.record import Disposition
from router.core.remarks import RuleErrors, did_you_mean
from router.core.ruleset import RuleSet
from router.core.tagging import not_offered
from router.core.tags import CallTag, Origin, Tag, Way
from router.edge.store.errors import StoreError
from router.edge.store.queries import CallStory
from router.edge.store.tags import Tags
from router.edge.web.health import FOLLOW_UPS
from router.settings import Settings

LONGEST = 500
"""Characters of what somebody says in their own words."""


def _of_a_call(id: str | None) -> str | None:
    """An id, or the beginning of one: every call's begins with nothing."""
    if id is not None and not id.strip():
        raise typer.BadParameter("the id is empty; `callrouter calls` lists them")
    return id


Call = Annotated[
    str,
    typer.Argument(metavar="CALL", help="The call's id, or the beginning of it.", callback=_of_a_call),
]
By = Annotated[
    str | None,
    typer.Option(metavar="WHO", help="Who says so, if not who types.", show_default=False),
]


def tag_call(
    call: Call,
    tag: Annotated[str, typer.Argument(metavar="TAG", help="As `callrouter tags` lists them.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag off the call.")] = False,
    by: By = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What else there is to say.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Tag a call, or take a tag off. Nothing is ever lost: `callrouter tags --call CALL` lists it all."""
    who, note = _who(by), _said(note, "--note")
    settings = read_settings(config)
    story = story_of(call, config)
    rules = None if remove else _offering(story, tag, settings)
    now = datetime.now(UTC)
    with _tags(settings) as tags:
        row = CallTag(story.info.id, tag, who, Way.COMMAND, now, remove, _typed_at(), note)
        put = tags.put(row, rules)
    if remove and not put.written:
        _not_tagged(story, tag)
    if put.due:
        with suppress(NoDaemonError):  # Which looks by itself before long, and at its start.
            tell(settings.web, FOLLOW_UPS)
    if not put.written:
        late = "; what is to be done after it was not yet due, and is now" if put.due else ""
        typer.echo(f"it is so already, since {moment(put.row.at)}{late}", err=True)
    if as_json:
        typer.echo(msgspec.json.encode(put.row).decode())
    else:
        typer.echo(f"{put.row.call_id}: {tag_in_words(put.row, Labels(), story.info.client)}")


def correct_call(
    call: Call,
    disposition: Annotated[str, typer.Argument(metavar="DISPOSITION", help="What became of it: busy.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for those who ask later.")],
    by: By = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Say that what became of a call is something else. What the router derived stays beside it, with its
    evidence; to take a correction back, correct to that."""
    wanted = _disposition(disposition)
    who, why = _who(by), _said(why, "--why")
    if not why:
        raise typer.BadParameter("say why it is to be another one", param_hint="--why")
    settings = read_settings(config)
    story = story_of(call, config)
    if story.record is None:
        typer.echo(f"call {story.info.id} is live; correct it once it has ended", err=True)
        raise typer.Exit(FAILED)
    if wanted is (story.corrected or story.record.disposition):
        typer.echo(f"call {story.info.id} is {wanted.value} already", err=True)
        raise typer.Exit(FAILED)
    now = datetime.now(UTC)
    with _tags(settings) as tags:
        row = tags.correct(Correction(story.info.id, wanted, why, who, Way.COMMAND, now, _typed_at()))
    if as_json:
        typer.echo(msgspec.json.encode(row).decode())
    else:
        typer.echo(f"{row.call_id}: {correction_in_words(row, Labels())}")


def list_tags(
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="All that this client has.", show_default=False)
    ] = None,
    call: Annotated[
        str | None,
        typer.Option(
            "--call",
            metavar="CALL",
            help="What this call was tagged with.",
            show_default=False,
            callback=_of_a_call,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are hidden.")] = False,
    language: Language = None,
    rules: Rules = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List the tags that calls can get: those that all clients have, and what each has of its own. With
    --call, what one call was tagged with, by whom, when and how."""
    if call is not None:
        if client is not None or every or rules is not None:
            raise typer.BadParameter("--call lists one call's; leave out --client, --all and --rules")
        _list_of_call(story_of(call, config), Labels.of(language, read_settings(config)), as_json)
        return
    loaded = rules_file(read_settings(config), rules).load()
    if isinstance(loaded, RuleErrors):
        print_remarks(loaded.errors)
        raise typer.Exit(FAILED)
    Labels(language, loaded)  # refuses a language that nothing has a name in
    listed = [one for one in _listed(loaded, client, language) if every or not one.hidden]
    if as_json:
        for one in listed:
            typer.echo(msgspec.json.encode(one).decode())
        return
    head = ("client", "tag", "name", "code", "written")
    for line in in_columns([head, *map(_row, listed)]):
        typer.echo(line)


# The catalogue


class ListedTag(msgspec.Struct, frozen=True):
    """A tag as it is listed."""

    client: str | None
    """None of those that all clients have."""
    tag: str
    name: str
    names: dict[str, str]
    """By language, as the rules have them."""
    code: str
    hidden: bool
    origin: Origin
    place: str


def _listed(rules: RuleSet, client: str | None, language: str | None) -> Iterator[ListedTag]:
    if client is not None:
        if client not in rules.clients:
            hint = did_you_mean(client, rules.clients, "`callrouter show` lists them")
            raise typer.BadParameter(f"no client is called `{client}`; {hint}", param_hint="--client")
        known = rules.clients[client]
        yield from _as_listed(client, known.tags.values(), language or known.language)
        return
    yield from _as_listed(None, rules.tags.values(), language or "en")
    for one in rules.clients.values():
        own = (tag for tag in one.tags.values() if tag.origin is Origin.OWN)
        yield from _as_listed(one.id, own, language or one.language)


def _as_listed(client: str | None, tags: Iterable[Tag], language: str) -> Iterator[ListedTag]:
    for tag in tags:
        name = labels.of_tag(tag, language)
        yield ListedTag(client, tag.id, name, dict(tag.labels), tag.code, tag.hidden, tag.origin, tag.place)


def _row(one: ListedTag) -> tuple[str, ...]:
    written = (one.place or "it ships") + (", hidden" if one.hidden else "")
    return (one.client or "all", one.tag, one.name, f"*{one.code}" if one.code else "-", written)


# One call


def _list_of_call(story: CallStory, names: Labels, as_json: bool) -> None:
    if as_json:
        for row in story.tags:
            typer.echo(msgspec.json.encode(row).decode())
    elif not story.tags:
        typer.echo(f"call {story.info.id} was never tagged; `callrouter tag {story.info.id} TAG` does it")
    for row in () if as_json else story.tags:
        typer.echo(f"{moment(row.at)}  {tag_in_words(row, names, story.info.client)}")


def _not_tagged(story: CallStory, tag: str) -> NoReturn:
    """Only what a call has can be taken off it, whatever the rules have."""
    has = [one.tag for one in story.tagged if one.tag != tag]
    otherwise = f"it has {', '.join(has)}" if has else "it has no tags"
    typer.echo(f"{story.info.id} is not tagged `{tag}`; {did_you_mean(tag, has, otherwise)}", err=True)
    raise typer.Exit(FAILED)


def _offering(story: CallStory, tag: str, settings: Settings) -> RuleSet:
    """The rules, which offer the tag; ends the command if they do not. Without them nobody knows what is to
    be done after the call, and a tag that is put on it makes that due only then."""
    loaded = rules_file(settings).load()
    if isinstance(loaded, RuleErrors):
        typer.echo(f"not tagged: {_without_rules(settings)}", err=True)
        raise typer.Exit(FAILED)
    why_not = not_offered(loaded.tags_of(story.info.client), story.info.client, tag)
    if why_not is not None:
        raise typer.BadParameter(why_not, param_hint="TAG")
    return loaded


def _without_rules(settings: Settings) -> str:
    """What is wrong, and what to do."""
    file = rules_file(settings)
    by_api = "tag by the API of the running router (POST /calls/ID/tags)"
    unknown = "nobody knows what is to be done after the call"
    if not file.state():
        return f"there are no rules in {file.path}, so {unknown}; {by_api}, or name its rules in the settings"
    return f"the rules have errors, so {unknown}; mend them (`callrouter check`), or {by_api}"


# What is typed


def _typed_at() -> str:
    """Who types, and at which machine, whoever it is said to be by."""
    return f"{who_types()}@{platform.node()}"


def _disposition(text: str) -> Disposition:
    known = [one.value for one in Disposition]
    if text not in known:
        hint = did_you_mean(text, known, f"write one of {', '.join(known)}")
        raise typer.BadParameter(f"`{text}` is no disposition; {hint}", param_hint="DISPOSITION")
    return Disposition(text)


def _who(by: str | None) -> str:
    who = who_types() if by is None else _said(by, "--by")
    if not who:
        raise typer.BadParameter("say who it is, or leave it out", param_hint="--by")
    return who


def _said(text: str, option: str) -> str:
    """As one line of what can be printed."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if len(line) > LONGEST:
        raise typer.BadParameter(f"at most {LONGEST} characters, not {len(line)}", param_hint=option)
    return line


@contextmanager
def _tags(settings: Settings) -> Iterator[Tags]:
    """Those of the router's database; ends the command if it takes none."""
    try:
        with closing(Tags(settings.database_url)) as tags:
            yield tags
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
