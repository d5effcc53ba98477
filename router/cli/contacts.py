"""`callrouter contacts`: whom clients know by number, listed, looked up and changed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli import contacttables
from router.cli.addressbook import COLUMNS, as_object, in_json, opened, row, tell_of, warn_of_languages, whose
from router.cli.calls import COLUMNS as CALL_COLUMNS
from router.cli.calls import as_object as call_as_object
from router.cli.calls import row as call_row
from router.cli.known import Known
from router.cli.labels import Labels
from router.cli.options import FAILED, MOST_LISTED, Config, Json, prompts, read_settings
from router.cli.words import in_columns, moment, who_types
from router.core.contacts import Entry, fits, read_groups, read_name, read_notes, read_spoken
from router.edge.store.contacts import Contacts, Kept
from router.edge.store.messages import Messages, StoredMessage
from router.edge.store.obligations import Obligation, Obligations
from router.edge.store.queries import CallFilter, ListedCall, Queries
from router.settings import Settings

app = typer.Typer(name="contacts", add_completion=False, pretty_exceptions_enable=False)
app.command("import")(contacttables.import_table)
app.command("export")(contacttables.export_table)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Whose: +4790000001, or 90000001.")]
Client = Annotated[
    str | None,
    typer.Option(metavar="ID", help="This client's own; else what all clients have.", show_default=False),
]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="Who it is.", show_default=False)]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", metavar="GROUP", help="All groups, one --group for each; '' for none.", show_default=False
    ),
]
Language = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="In which callrouter speaks to them: nb, en-GB.", show_default=False),
]
Notes = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What else is worth knowing.", show_default=False)
]


@app.callback(invoke_without_command=True)
def list_contacts(
    context: typer.Context,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Only with this in the number, name, groups or notes.")
    ] = "",
    group: Annotated[str | None, typer.Option(help="Only those in this group.", show_default=False)] = None,
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's own.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many.")] = 100,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List the contacts of all clients, in the order of their numbers, and change them."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(config)
    client = Known.of(settings).client(client)
    with opened(settings) as contacts:
        wanted = (one for one in contacts.every(client) if fits(one, search) and _is_in(one, group))
        found = list(islice(wanted, limit))
        more = next(wanted, None) is not None
        empty = not found and contacts.count() == 0
    if as_json:
        for entry in found:
            typer.echo(in_json(as_object(entry)))
        return
    if not found:
        typer.echo("no contacts yet: `callrouter contacts add`, or `import`" if empty else "no contact fits")
        return
    _show(found)
    if more:
        typer.echo(f"there are more than these {limit}; see --limit", err=True)


@app.command()
def show(
    number: Number,
    client: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only what this client knows.", show_default=False),
    ] = None,
    calls: Annotated[int, typer.Option(min=0, max=MOST_LISTED, help="So many of the last calls.")] = 10,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show who a number is, the last calls from it, who is to call it back, and what its caller left and
    nobody has dealt with.

    Exit status 1 where nothing is known of it.
    """
    settings = read_settings(config)
    known = Known.of(settings)
    client = known.client(client)
    e164 = known.number(number, client)
    with opened(settings) as contacts:
        kept = [one for one in contacts.of(e164) if client is None or one.entry.client in (None, client)]
        last = _last_calls(settings, e164, client, calls)
        left = _left(settings, e164, client)
        with closing(Obligations(settings.database_url)) as obligations:
            owed = obligations.of_number(e164, client)
    if as_json:
        told = _known_as_object(e164, kept, last, left) | {"obligations": msgspec.to_builtins(owed)}
        typer.echo(in_json(told))
    else:
        typer.echo("\n".join(_lines(e164, kept, last, left, owed)))
    if not (kept or last or left or owed):
        raise typer.Exit(FAILED)


@app.command()
def add(
    number: Number,
    name: Name = None,
    group: Groups = None,
    language: Language = None,
    notes: Notes = None,
    client: Client = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add a contact, which counts from the next call on."""
    settings = read_settings(config)
    known = Known.of(settings)
    client = known.client(client)
    written = _written(Entry(known.number(number, client), client), name, group, language, notes)
    with opened(settings) as contacts:
        if not contacts.add(written, who_types(), datetime.now(UTC)):
            there = f"{written.number} is a contact {whose(client)} already"
            typer.echo(f"{there}; change it: callrouter contacts edit {written.number}", err=True)
            raise typer.Exit(FAILED)
    _done(settings, "added", written, as_json)


@app.command()
def edit(
    number: Number,
    name: Name = None,
    group: Groups = None,
    language: Language = None,
    notes: Notes = None,
    client: Client = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Change a contact, from the next call on; what is not given stays, and '' takes away."""
    settings = read_settings(config)
    if name is None and group is None and language is None and notes is None:
        raise typer.BadParameter("say what to change: --name, --group, --language or --notes")
    with opened(settings) as contacts:
        there = _one(settings, contacts, number, client)
        written = _written(there, name, group, language, notes)
        if not contacts.change(written, who_types(), datetime.now(UTC)):
            raise _missing(there.number, there.client)
    _done(settings, "changed", written, as_json)


@app.command()
def remove(number: Number, client: Client = None, as_json: Json = False, config: Config = None) -> None:
    """Remove a contact. By which name it was known when it called stays with the calls; see `forget`."""
    settings = read_settings(config)
    with opened(settings) as contacts:
        there = _one(settings, contacts, number, client)
        if not contacts.remove(there):
            raise _missing(there.number, there.client)
    _done(settings, "removed", there, as_json)


@app.command()
def forget(number: Number, as_json: Json = False, config: Config = None) -> None:
    """Erase all that is known of who has a number: every client's contact of it, the names that are kept with
    its calls, and the prompts in which they are spoken.

    The calls stay, with the number, and so does what `block` and `allow` have decided of it.
    """
    settings = read_settings(config)
    known = Known.of(settings)
    e164 = known.number(number, None, may_name_one=False)
    with opened(settings) as contacts:
        forgotten = contacts.forget(e164)
    spoken = prompts(settings)
    for name in forgotten.names:
        spoken.forget(name)
    entries, calls = forgotten.entries, forgotten.calls
    tell_of(settings, e164)
    if as_json:
        typer.echo(in_json({"number": e164, "contacts": len(entries), "calls": calls}))
    else:
        typer.echo(f"forgotten: {len(entries)} contacts of {e164}, and the names of {calls} calls")


def _is_in(entry: Entry, group: str | None) -> bool:
    return group is None or group in entry.groups


def _written(
    entry: Entry, name: str | None, groups: list[str] | None, language: str | None, notes: str | None
) -> Entry:
    """The entry with what was typed; ends the command where that cannot be used."""
    typed: tuple[tuple[str, Callable[[Any], object], object], ...] = (
        ("name", read_name, name),
        ("groups", read_groups, groups),
        ("language", read_spoken, language),
        ("notes", read_notes, notes),
    )
    changed: dict[str, Any] = {}
    for field, read, value in typed:
        try:
            changed |= {} if value is None else {field: read(value)}
        except ValueError as error:
            option = "--group" if field == "groups" else f"--{field}"
            raise typer.BadParameter(str(error), param_hint=option) from error
    entry = msgspec.structs.replace(entry, **changed)
    if language:
        warn_of_languages([entry])
    return entry


def _one(settings: Settings, contacts: Contacts, number: str, client: str | None) -> Entry:
    """The entry that is meant; ends the command where there is none, or it may be one of several."""
    known = Known.of(settings)
    client = known.client(client)
    e164 = known.number(number, client)
    there = {one.entry.client: one.entry for one in contacts.of(e164)}
    if client in there:
        return there[client]
    if client is None and len(there) == 1:
        return next(iter(there.values()))
    if client is None and there:
        named = ", ".join(one for one in there if one)
        typer.echo(f"{e164} is a contact of {named}; name one: --client ID", err=True)
        raise typer.Exit(FAILED)
    raise _missing(e164, client)


def _missing(number: str, client: str | None) -> typer.Exit:
    """Says that there is no such contact; what ends the command."""
    typer.echo(f"{number} is no contact {whose(client)}; `callrouter contacts` lists them", err=True)
    return typer.Exit(FAILED)


def _done(settings: Settings, what: str, entry: Entry, as_json: bool) -> None:
    tell_of(settings, entry.number)
    if as_json:
        typer.echo(in_json(as_object(entry)))
    else:
        typer.echo(f"{what}: {'  '.join(filter(None, row(entry)))}")


def _show(entries: Sequence[Entry]) -> None:
    if Console().is_terminal:
        table = Table(*COLUMNS)
        for entry in entries:
            table.add_row(*map(Text, row(entry)))
        Console().print(table)
    else:
        typer.echo("\n".join(in_columns([COLUMNS, *map(row, entries)])))


def _last_calls(settings: Settings, number: str, client: str | None, limit: int) -> list[ListedCall]:
    queries = Queries(settings.database_url)
    try:
        return queries.calls(CallFilter(caller=number, client=client, limit=limit))
    finally:
        queries.close()


def _left(settings: Settings, number: str, client: str | None) -> list[StoredMessage]:
    """Messages, and wishes to be called back, of that caller that nobody has dealt with."""
    with closing(Messages(settings.database_url)) as messages:
        listed = messages.listed(client, done=False, limit=MOST_LISTED)
    return [message for message, _ in listed if number in (message.caller, message.callback)]


def _known_as_object(
    number: str, kept: Sequence[Kept], calls: Sequence[ListedCall], left: Sequence[StoredMessage]
) -> dict[str, Any]:
    return {
        "number": number,
        "contacts": [
            as_object(one.entry) | {"changed_at": one.changed_at, "changed_by": one.changed_by}
            for one in kept
        ],
        "calls": list(map(call_as_object, calls)),
        "messages": msgspec.to_builtins(left),
    }


def _lines(
    number: str,
    kept: Sequence[Kept],
    calls: Sequence[ListedCall],
    left: Sequence[StoredMessage],
    owed: Sequence[Obligation],
) -> Iterator[str]:
    if not kept:
        yield f"{number} is no contact"
    for entry, changed_at, changed_by in kept:
        yield f"{number}  {entry.name or '(no name)'}, {whose(entry.client)}"
        yield f"  groups    {', '.join(entry.groups) or '-'}"
        yield f"  language  {entry.language or '-'}"
        yield from (f"  notes     {line}" for line in entry.notes.split("\n") if line)
        yield f"  changed   {moment(changed_at)}, by {changed_by}"
    if left or owed:
        yield from ("", "To be dealt with")
        yield from (f"  {_message(one)}" for one in left)
        yield from (f"  {_obligation(one)}" for one in owed)
    yield from ("", "Last calls")
    if calls:
        yield from (
            f"  {line}" for line in in_columns([CALL_COLUMNS, *(call_row(one, Labels()) for one in calls)])
        )
    else:
        yield "  none"


def _obligation(one: Obligation) -> str:
    who = f"{one.owner or 'somebody'} of {one.client} is to call back by {moment(one.due_at)}"
    return f"{moment(one.made_at)}  {who}; when that is done: callrouter todo done {one.id}"


def _message(message: StoredMessage) -> str:
    what = "wants to be called back" if message.recording is None else f"message of {message.seconds:g} s"
    number = f" at {message.callback}" if message.callback else ""
    done = f"callrouter messages done {message.call_id}"
    return f"{moment(message.left_at)}  {what}{number}; when that is done: {done}"
