"""`callrouter settings`: every setting there is."""

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli.options import Config, Json, read_settings
from router.settings import SettingRow, Settings, reference


def list_settings(as_json: Json = False, config: Config = None) -> None:
    """List every setting, its default and its variable. With --config, also what that file and the
    environment set."""
    settings = read_settings(config) if config is not None else None
    rows = reference()
    if as_json:
        for row in rows:
            in_use = {} if settings is None else {"in_use": _in_use(settings, row)}
            typer.echo(msgspec.json.encode(msgspec.to_builtins(row) | in_use).decode())
    elif Console().is_terminal:
        _show_table(rows, settings)
    else:
        for row in rows:
            in_use_line = "" if settings is None else f"\n  in use: {_in_use(settings, row) or '-'}"
            typer.echo(f"{row.name}: {row.description}\n  default: {row.default or '-'}{in_use_line}")
            typer.echo(
                f"  for example: {row.name.rpartition('.')[2]}: {row.example}\n  variable: {row.variable}"
            )


def _show_table(rows: list[SettingRow], settings: Settings | None) -> None:
    table = Table("setting", "what it does", "default", "for example", "variable")
    if settings is not None:
        table.add_column("in use")
    for row in rows:
        in_use = [] if settings is None else [_in_use(settings, row)]
        cells = (row.name, row.description, row.default, row.example, row.variable, *in_use)
        table.add_row(*map(Text, cells))
    Console().print(table)


def _in_use(settings: Settings, row: SettingRow) -> str:
    """The value, a secret as stars."""
    value: object = settings
    for name in row.name.split("."):
        value = getattr(value, name)
    if row.name == "database":
        return "" if value is None else "**********"
    if value is None or value == ():
        return ""
    return (
        ", ".join(value)
        if isinstance(value, tuple)
        else f"{value:g}s"
        if isinstance(value, float)
        else str(value)
    )
