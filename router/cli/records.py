"""The router's records, for commands, with errors told plainly."""

from pathlib import Path

import typer

from router.cli.options import FAILED, read_settings
from router.edge.store.errors import StoreError
from router.edge.store.queries import Queries


def open_records(config: Path | None) -> Queries:
    """The router's records, for reading; ends the command if there are none."""
    try:
        return Queries(read_settings(config).database_url)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
