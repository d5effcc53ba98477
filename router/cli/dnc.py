"""`callrouter dnc`: numbers that nobody is to call, listed, checked, added, removed, and exported."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from router.cli.block import until_of
from router.cli.daemon import NoDaemonError, tell
from router.cli.known import Known
from router.cli.options import FAILED, Config, Json, read_settings
from router.cli.words import in_columns, moment, who_types
from router.core.donotcontact import DoNotContact, Spared
from router.edge.store.donotcontact import DoNotContacts
from router.edge.store.errors import StoreError
from router.edge.web.health import FOLLOW_UPS
from router.settings import Settings

app = typer.Typer(name="dnc", add_completion=False, pretty_exceptions_enable=False)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="+4790000001, or 90000001.")]
Client = Annotated[str | None, typer.Option(metavar="ID", help="Only for this client.", show_default=False)]

COLUMNS = ("number", "client", "until", "why", "who", "since")
"""Of what is exported."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would work out."""


@app.callback(invoke_without_command=True)
def list_numbers(
    context: typer.Context, client: Client = None, as_json: Json = False, config: Config = None
) -> None:
    """List the numbers that nobody is to call, with until when, and who said so and why.

    The router itself calls none of them back. A dialler asks `callrouter dnc check`, or reads `dnc export`.
    """
    if context.invoked_subcommand is not None:
        return
    entries = _standing(read_settings(config), client)
    if as_json:
        for entry in entries:
            typer.echo(msgspec.json.encode(entry).decode())
    elif entries:
        head = ("number", "client", "until", "by", "since", "why")
        for line in in_columns([head, *map(_row, entries)]):
            typer.echo(line)
    else:
        typer.echo("there is no number that nobody is to call")


@app.command()
def check(number: Number, client: Client = None, as_json: Json = False, config: Config = None) -> None:
    """Ask whether a number may be called: exit status 0 if it may, 1 if nobody is to call it."""
    settings = read_settings(config)
    known = Known.of(settings)
    client = known.client(client)
    e164 = known.number(number, client)
    now = datetime.now(UTC)
    entry = Spared(_standing(settings, None)).find(e164, client, now)
    if as_json:
        typer.echo(msgspec.json.encode({"number": e164, "may_be_called": not entry, "entry": entry}).decode())
    else:
        typer.echo(f"nobody is to call {_words(entry)}" if entry else f"{e164} may be called")
    if entry:
        raise typer.Exit(FAILED)


@app.command()
def add(
    number: Number,
    length: Annotated[
        str, typer.Option("--for", metavar="TIME", help="90d, 12h: it ends by itself.", show_default=False)
    ] = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for those who ask later.")] = "",
    client: Client = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Have nobody call a number, until it is removed or for a time."""
    settings = read_settings(config)
    known = Known.of(settings)
    now = datetime.now(UTC)
    client = known.client(client)
    e164 = known.number(number, client)
    why = "".join(filter(str.isprintable, why))
    with _opened(settings) as entries:
        entry = entries.add(DoNotContact(0, e164, client, until_of(length, now), who_types(), why, now))
    typer.echo(msgspec.json.encode(entry).decode() if as_json else f"nobody is to call {_words(entry)}")
    _tell(settings)


@app.command()
def remove(number: Number, client: Client = None, as_json: Json = False, config: Config = None) -> None:
    """Let a number be called again, whoever entered it; with --client what is entered for that one alone.

    Exit status 1 if there was no such entry, or if one for all clients still holds.
    """
    settings = read_settings(config)
    known = Known.of(settings)
    client = known.client(client)
    e164 = known.number(number, client)
    with _opened(settings) as entries:
        now = datetime.now(UTC)
        removed = entries.remove(e164, client, who_types(), now)
        left = Spared(entries.standing(now)).find(e164, client, now) if client else None
    for entry in removed:
        typer.echo(msgspec.json.encode(entry).decode() if as_json else f"removed: {_whose(entry)}")
    if removed:
        _tell(settings)
    if left:
        what = f"nobody is to call {_words(left)}; `callrouter dnc remove {e164}` ends that"
    elif not removed:
        for_one = f" for {client}" if client else ""
        what = f"{e164} may be called{for_one}; `callrouter dnc` lists whom nobody is to call"
    else:
        return
    typer.echo(what, err=True)
    raise typer.Exit(FAILED)


@app.command()
def export(client: Client = None, config: Config = None) -> None:
    """Write the list as CSV (UTF-8), for diallers: number, client, until, why, who, since.

    Numbers begin with +. A text that a spreadsheet would take for a formula has ' before it.
    """
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(COLUMNS)
    for entry in _standing(read_settings(config), client):
        until = entry.until.isoformat(timespec="seconds") if entry.until else ""
        since = entry.made_at.isoformat(timespec="seconds")
        rows.writerow((entry.number, entry.client or "", until, _cell(entry.why), _cell(entry.who), since))


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _standing(settings: Settings, client: str | None) -> Sequence[DoNotContact]:
    client = Known.of(settings).client(client) if client else None
    with _opened(settings) as entries:
        return entries.standing(datetime.now(UTC), client)


@contextmanager
def _opened(settings: Settings) -> Iterator[DoNotContacts]:
    """Those of the router's database; ends the command if there is none."""
    try:
        with closing(DoNotContacts(settings.database_url)) as entries:
            yield entries
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


def _tell(settings: Settings) -> None:
    """Have the running router know at once."""
    try:
        tell(settings.web, FOLLOW_UPS)
    except NoDaemonError as error:
        typer.echo(f"written down; the router minds it from its next start: {error}", err=True)


def _row(entry: DoNotContact) -> tuple[str, ...]:
    until = moment(entry.until) if entry.until else "for ever"
    return (entry.number, entry.client or "all", until, entry.who, moment(entry.made_at), entry.why or "-")


def _words(entry: DoNotContact) -> str:
    until = f"until {moment(entry.until)}" if entry.until else "until it is removed"
    return f"{_whose(entry)}, {until}"


def _whose(entry: DoNotContact) -> str:
    parts = (
        entry.number,
        f"for {entry.client}" if entry.client else "for any client",
        f"by {entry.who}",
        f"({entry.why})" if entry.why else "",
    )
    return " ".join(filter(None, parts))
