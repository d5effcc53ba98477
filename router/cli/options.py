"""What commands share: the options, and the way from them to settings and records, with errors told
plainly."""

from pathlib import Path
from typing import Annotated

import typer

from router.edge.store.errors import StoreError
from router.edge.store.queries import Queries
from router.settings import Settings
from router.settingsfile import FILE_NAME, WrongSettingsError, load

WRONG = 2
"""Exit status: the settings or what was typed cannot be used."""
FAILED = 1
"""Exit status: the rules have errors, or it could not be done, or was not found."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help=f"Settings file; else ./{FILE_NAME} or /etc/callrouter/{FILE_NAME}.",
        show_default=False,
    ),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules", help="Directory with the rules, or one file; else as in the settings.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def read_settings(config: Path | None, *, to_run: bool = False) -> Settings:
    """The settings; ends the command with all that is wrong with them, `to_run` also with what is missing."""
    try:
        return load(config, to_run=to_run)
    except WrongSettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG) from error


def open_records(config: Path | None) -> Queries:
    """The router's records, for reading; ends the command if there are none."""
    try:
        return Queries(read_settings(config).database_url)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
