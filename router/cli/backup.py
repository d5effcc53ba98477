"""`callrouter backup`: all that the router keeps, in a folder."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from router.cli.options import FAILED, Config, Json, read_settings
from router.cli.words import in_columns
from router.edge.backup import Backup, BackupError, make_backup
from router.edge.store.errors import StoreError


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Copy what the router keeps into a folder, while it runs: the database as of one moment, recordings of
    messages, recorded prompts, copies of calendars. Rules and settings are your own files; keep them as you
    keep such.

    Exit status 1 if it cannot be made; then nothing is left of it.
    """
    try:
        made = make_backup(read_settings(config), folder)
    except (BackupError, StoreError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    if as_json:
        typer.echo(msgspec.json.encode(made).decode())
        return
    for line in in_columns(_rows(made)):
        typer.echo(line)


def _rows(made: Backup) -> list[tuple[str, str]]:
    return [
        (made.database, f"the database, {made.database_bytes / 1e6:.1f} MB"),
        ("messages", f"{made.messages} recording(s) of callers"),
        ("recorded", f"{made.recorded} file(s) of recorded prompts"),
        ("calendars", f"{made.calendars} copies of calendars"),
    ]
