"""`callrouter`: the commands."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "run": ("run", "run"),
    "check": ("check", "check"),
    "test": ("scenarios", "run_scenarios"),
    "explain": ("explain", "explain"),
    "show": ("show", "show"),
    "diff": ("diff", "diff"),
    "prompts": ("prompts", "app"),
    "reload": ("reload", "reload"),
    "block": ("block", "block"),
    "allow": ("block", "allow"),
    "unblock": ("block", "unblock"),
    "blocked": ("block", "blocked"),
    "contacts": ("contacts", "app"),
    "calls": ("calls", "list_calls"),
    "call": ("call", "show_call"),
    "tag": ("tags", "tag_call"),
    "tags": ("tags", "list_tags"),
    "correct": ("tags", "correct_call"),
    "report": ("report", "report"),
    "messages": ("messages", "app"),
    "todo": ("todo", "app"),
    "dnc": ("dnc", "app"),
    "outbox": ("outbox", "app"),
    "queues": ("queues", "show_queues"),
    "agents": ("queues", "app"),
    "backup": ("backup", "backup"),
    "token": ("token", "app"),
    "openapi": ("openapi", "print_document"),
    "schema": ("schema", "print_schema"),
    "settings": ("settings", "list_settings"),
    "doctor": ("doctor", "doctor"),
}
"""What is typed -> the module here, and the function in it, or the commands below it. A module is imported
when its command is wanted: what talks to Asterisk and to the database takes longer to import than rules take
to check."""


class _Commands(TyperGroup):
    """COMMANDS, to typer."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Names alone: by these typer says what may have been meant.
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What was typed, without bytes that are not UTF-8, which nothing here could keep or compare."""
        parsed: list[str] = super().parse_args(ctx, [arg.encode(errors="ignore").decode() for arg in args])
        return parsed

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name]
        found = getattr(import_module(f"router.cli.{module}"), function)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(cmd_name)(found)
        return typer.main.get_command(alone)


app = typer.Typer(
    name="callrouter",
    cls=_Commands,
    help="Answers the phone for companies, beside Asterisk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callrouter {version('callrouter')}")
        raise typer.Exit


@app.callback()
def callrouter(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop."),
    ] = False,
) -> None:
    """Answers the phone for companies, beside Asterisk."""
