"""`callrouter contacts import` and `export`: the address book as a table."""

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from router.cli.addressbook import in_json, opened, tell_of, warn_of_languages
from router.cli.check import print_remarks
from router.cli.known import Known
from router.cli.options import FAILED, WRONG, Config, Json, read_settings
from router.cli.words import who_types
from router.core.contacts import Entry
from router.core.contacttable import DELIMITERS, Clients, ReadTable, read_bytes, read_table, write_table
from router.edge.store.contacts import Changes

LARGEST = 200_000_000
"""Bytes of a table."""
STANDARD = "-"
"""Stands for the standard input, or output."""


class Delimiter(StrEnum):
    """What stands between values, by name."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"


def import_table(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV table in UTF-8, or - to read one.")],
    client: Annotated[
        str | None,
        typer.Option(metavar="ID", help="This client's own; else what all have.", show_default=False),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Also remove contacts that are not in it, of each client that is."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Take in contacts from a table: all of them or, where there is any error, none.

    The first line names the columns: number and, if wanted, name, groups, language, notes, client. A number
    that is a contact already gets what the table says of it, and keeps what a column that the table has not
    would say. From the next call on they count.
    """
    settings = read_settings(config)
    known = Known.of(settings)
    client = known.client(client)
    table = _read(file, client, Clients(known.country, known.clients))
    if replace and not table.entries:
        typer.echo("the table has no contacts, so all would be removed; leave --replace out", err=True)
        raise typer.Exit(FAILED)
    named = {entry.client for entry in table.entries} | ({client} if client else set())
    with opened(settings) as contacts:
        changes = contacts.take(
            table.entries,
            who_types(),
            datetime.now(UTC),
            fields=table.columns,
            replaces=named if replace else (),
            dry_run=dry_run,
        )
    if not dry_run:
        tell_of(settings)
    warn_of_languages(table.entries)
    typer.echo(in_json(changes._asdict() | {"dry_run": dry_run}) if as_json else _told(changes, dry_run))


def export_table(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; else it is printed.")] = STANDARD,
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's own.", show_default=False)
    ] = None,
    group: Annotated[str | None, typer.Option(help="Only those in this group.", show_default=False)] = None,
    delimiter: Annotated[
        Delimiter, typer.Option(help="What stands between values; semicolon for Excel where , is decimal.")
    ] = Delimiter.COMMA,
    config: Config = None,
) -> None:
    """Write contacts as a table, which `import` reads back as they were, and spreadsheets take for text."""
    settings = read_settings(config)
    client = Known.of(settings).client(client)
    with opened(settings) as contacts:
        chosen = (one for one in contacts.every(client) if group is None or group in one.groups)
        _write(file, chosen, DELIMITERS[delimiter.value])


def _read(file: str, client: str | None, clients: Clients) -> ReadTable:
    """The table, without an error; else the command ends with all of them."""
    name = "standard input" if file == STANDARD else file
    try:
        data = sys.stdin.buffer.read(LARGEST + 1) if file == STANDARD else _bytes(Path(file))
        if len(data) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 1_000_000} MB; make it several tables")
        table = read_table(name, read_bytes(data), client, clients)
    except OSError as error:
        typer.echo(f"`{name}` cannot be read: {error.strerror}", err=True)
        raise typer.Exit(WRONG) from error
    except ValueError as error:
        typer.echo(f"{name}: {error}", err=True)
        raise typer.Exit(FAILED) from error
    if table.errors:
        print_remarks(table.errors)
        typer.echo("nothing is imported", err=True)
        raise typer.Exit(FAILED)
    return table


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _write(file: str, entries: Iterable[Entry], delimiter: str) -> None:
    lines = write_table(entries, delimiter)
    if file == STANDARD:
        sys.stdout.writelines(lines)
        return
    try:
        with open(file, "w", encoding="utf-8", opener=_private) as table:
            table.writelines(lines)
    except OSError as error:
        typer.echo(f"`{file}` cannot be written: {error.strerror}; name another file", err=True)
        raise typer.Exit(WRONG) from error


def _private(path: str, flags: int) -> int:
    """Open a file that, if it is new, only its owner may read."""
    return os.open(path, flags, 0o600)


def _told(changes: Changes, dry_run: bool) -> str:
    parts = (
        ("new", changes.new),
        ("changed", changes.changed),
        ("as before", changes.same),
        (
            "removed",
            changes.removed,
        ),
    )
    told = ", ".join(f"{count} {what}" for what, count in parts)
    return f"would be imported: {told}" if dry_run else f"imported: {told}"
